//! Replies that come after they were given up. Replies carry no number, so a late one may look like the reply to the
//! next request; if it could be either's, it is assigned to neither. Pure.

use std::time::{Duration, Instant};

use crate::protocol::wire::looks_like_reply;

/// How long after its request a reply may still come.
const LATE: Duration = Duration::from_secs(10);
/// The same for a login: a server may delay the answer to a wrong password by a minute.
const HELD_BACK: Duration = Duration::from_secs(65);

type Operation = [u8; 2];

/// Requests that were given up but may still be answered.
#[derive(Debug, Default)]
pub(super) struct Late {
    given_up: Vec<GivenUp>,
}

#[derive(Debug)]
struct GivenUp {
    number: usize,
    operation: Operation,
    at: Instant,
    until: Instant,
}

/// The request that a reply belongs to.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Whose {
    /// The request that waits, or none.
    Waiting,
    /// The trial of this number, which was sent this long ago.
    Late(usize, Duration),
    /// It may belong to either.
    Unclear,
}

impl Late {
    /// Notes that no reply to this request came in time.
    pub(super) fn give_up(&mut self, number: usize, request: &[u8], at: Instant) {
        // A datagram that looks like a reply is never answered.
        let Some(operation) = operation(request).filter(|_| !looks_like_reply(request)) else { return };
        let until = at + if operation == *b"02" { HELD_BACK } else { LATE };
        self.given_up.push(GivenUp { number, operation, at, until });
    }

    /// Returns the request that this reply belongs to, while `waiting` waits for one. Each request is answered once.
    pub(super) fn whose(&mut self, now: Instant, reply: &[u8], waiting: Option<&[u8]>) -> Whose {
        self.given_up.retain(|request| request.until > now);
        let of = operation(reply);
        // These replies can answer any request.
        let any = matches!(of.as_ref(), Some(b"00" | b"07"));
        let Some(i) = self.given_up.iter().position(|request| any || of == Some(request.operation)) else {
            return Whose::Waiting;
        };
        let late = self.given_up.remove(i);
        match waiting {
            Some(waiting) if any || operation(waiting) == of => Whose::Unclear,
            _ => Whose::Late(late.number, now.saturating_duration_since(late.at)),
        }
    }
}

fn operation(bytes: &[u8]) -> Option<Operation> {
    bytes.first_chunk().copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_late_reply_is_not_counted_to_the_next_request() {
        let late = |ms| Whose::Late(1, Duration::from_millis(ms));
        // The request given up, when the reply comes, the reply, the request that waits then, and whose reply it is.
        let cases = [
            ("08#", 3_000, "08:0", Some("09#"), late(3_000)),
            ("08#", 3_000, "08:0", None, late(3_000)),
            ("08#", 3_000, "08:0", Some("08#"), Whose::Unclear),
            ("08#", 3_000, "00:00", Some("99#"), Whose::Unclear),
            ("08#", 3_000, "07:01", None, late(3_000)),
            ("08#", 3_000, "09:01", Some("09#"), Whose::Waiting),
            ("08#", 3_000, "hello", Some("09#"), Whose::Waiting),
            ("08#", 11_000, "08:0", Some("08#"), Whose::Waiting),
            ("02#a#b#", 60_000, "02:02", Some("08#"), late(60_000)),
            ("06:01", 3_000, "06:01", Some("06#"), Whose::Waiting),
            ("x", 3_000, "00:00", Some("99#"), Whose::Waiting),
        ];
        for (given_up, ms, reply, waiting, whose) in cases {
            let (mut late, start) = (Late::default(), Instant::now());
            late.give_up(1, given_up.as_bytes(), start);
            let now = start + Duration::from_millis(ms);
            let waiting = waiting.map(str::as_bytes);
            assert_eq!(late.whose(now, reply.as_bytes(), waiting), whose, "{given_up} {reply} {waiting:?}");
            if whose != Whose::Waiting {
                assert_eq!(late.whose(now, reply.as_bytes(), waiting), Whose::Waiting, "once: {given_up} {reply}");
            }
        }
    }
}
