//! Checks everything that the server sends before it is used: a broken or hostile server may send texts that are too
//! long, numbers that are too large, or frames without end.

use crate::base::model::Account;
use crate::protocol::wire::frame::{FromServer, PEOPLE, Past};
use crate::protocol::wire::item::{Card, LINE};

/// The most messages that may be on their way to the disk; a Hongyan server pushes 64 before it waits.
pub(super) const MOST_ARRIVED: usize = 512;
/// The most online accounts that are remembered.
pub(super) const MOST_ONLINE: usize = 100_000;
/// The most items of one answer; more do not fit into one frame.
const MOST_ITEMS: usize = 1_024;
/// How many times a device takes another name at once; after that it waits longer each time.
pub(super) const RENAMES: u32 = 3;
/// The longest wait that a server can impose, in milliseconds: an hour.
const LONGEST: u64 = 3_600_000;
/// The last second of the year 9999, after which no calendar writes a date.
const LAST: i64 = 253_402_300_799;
/// The most characters of an address.
const ADDRESS: usize = 64;

/// Returns the frame with times limited to those that can be written and addresses to what can be shown;
/// [`FromServer::Unknown`] for a message whose number no disk can hold.
pub(super) fn harmless(mut frame: FromServer) -> FromServer {
    match &mut frame {
        FromServer::Account { made, .. } => time(made),
        FromServer::Accepted { made: Some(made), .. } | FromServer::Refused { made: Some(made), .. } => time(made),
        FromServer::Message { row, at, made, .. } => {
            if i64::try_from(*row).is_err() {
                return FromServer::Unknown;
            }
            time(at);
            made.iter_mut().for_each(time);
        }
        FromServer::Own { row, at, .. } => {
            if i64::try_from(*row).is_err() {
                return FromServer::Unknown;
            }
            time(at);
        }
        FromServer::Kicked { address, at } => {
            time(at);
            *address = shown(address);
        }
        FromServer::LoggedIn { ended, made, .. } => {
            *ended = ended.as_deref().map(shown);
            made.iter_mut().for_each(time);
        }
        FromServer::History { messages, .. } => {
            messages.retain(|past| i64::try_from(past.row).is_ok());
            messages.iter_mut().for_each(|Past { at, .. }| time(at));
        }
        FromServer::Delivered { version, rows } => {
            if i64::try_from(*version).is_err() {
                return FromServer::Unknown;
            }
            rows.retain(|_, [first, last]| first <= last && i64::try_from(*last).is_ok());
        }
        FromServer::Items { version, items, .. } => {
            if i64::try_from(*version).is_err() {
                return FromServer::Unknown;
            }
            items.truncate(MOST_ITEMS);
        }
        FromServer::People { people, .. } | FromServer::Found { people, .. } => cards(people),
        FromServer::Presence { states, .. } | FromServer::Changes { states, .. } => {
            states.values_mut().for_each(|shown| *shown = shown.harmless());
        }
        FromServer::Error { wait, .. } => *wait = wait.map(|wait| wait.min(LONGEST)),
        FromServer::Question { text, .. } => *text = text.chars().take(LINE).collect(),
        FromServer::Done { .. }
        | FromServer::Accepted { made: None, .. }
        | FromServer::Refused { made: None, .. }
        | FromServer::Registered { .. }
        | FromServer::LoggedOut { .. }
        | FromServer::AccountSettings { .. }
        | FromServer::Pong { .. }
        | FromServer::Unknown => {}
    }
    frame
}

fn time(at: &mut i64) {
    *at = (*at).clamp(0, LAST);
}

/// People as they may be shown.
fn cards(people: &mut Vec<Card>) {
    people.truncate(PEOPLE);
    people.retain(|card| Account::person(&card.account).is_ok());
    people.iter_mut().for_each(|card| card.profile = card.profile.harmless());
}

fn shown(address: &str) -> String {
    address.chars().filter(|c| c.is_ascii_graphic()).take(ADDRESS).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::wire::frame::Code;
    use crate::protocol::wire::item::{Item, Profile, SHORT};
    use crate::protocol::wire::status::{Online, Shown};

    #[test]
    fn what_no_server_says_does_no_harm() {
        let message = |row, at| FromServer::Message {
            row,
            after: u64::MAX,
            from: "b".into(),
            writer: None,
            at,
            text: "x".into(),
            plain: None,
            made: Some(at),
        };
        for (at, becomes) in [(i64::MIN, 0), (-1, 0), (1_795_263_790, 1_795_263_790), (i64::MAX, LAST)] {
            assert_eq!(harmless(message(1, at)), message(1, becomes));
        }
        assert_eq!(harmless(message(1 << 63, 0)), FromServer::Unknown);
        let kicked =
            FromServer::Kicked { address: format!("\u{1b}[2J\u{202e}192.0.2.1:5{}", " 9".repeat(9_000)), at: -5 };
        let address = format!("[2J192.0.2.1:5{}", "9".repeat(50));
        assert_eq!(harmless(kicked), FromServer::Kicked { address, at: 0 });
        let past = |row, at| Past {
            row,
            from: "b".into(),
            writer: None,
            at,
            text: "x".into(),
            online: None,
            delivered: false,
        };
        let page = |messages| FromServer::History { id: 1, messages, more: true };
        assert_eq!(harmless(page(vec![past(u64::MAX, 0), past(5, i64::MAX)])), page(vec![past(5, LAST)]));
        let delivered = |version, rows: &[(&str, [u64; 2])]| FromServer::Delivered {
            version,
            rows: rows.iter().map(|(name, rows)| ((*name).to_owned(), *rows)).collect(),
        };
        let odd = [("b", [1, 5]), ("c", [5, 1]), ("d", [1, u64::MAX])];
        assert_eq!(harmless(delivered(7, &odd)), delivered(7, &odd[..1]));
        assert_eq!(harmless(delivered(u64::MAX, &odd)), FromServer::Unknown);
        let item = Item { kind: "muted".into(), key: "b".into(), value: None };
        let items = |version, n| FromServer::Items {
            version,
            anew: false,
            items: vec![item.clone(); n],
            more: true,
            digest: None,
        };
        assert_eq!(harmless(items(7, 9_000)), items(7, MOST_ITEMS));
        assert_eq!(harmless(items(1 << 63, 1)), FromServer::Unknown);
        let card = |account: &str, name: &str| Card {
            account: account.into(),
            profile: Profile { name: name.into(), ..Profile::default() },
        };
        let people = |people| FromServer::People { id: 1, people };
        let told = vec![card("b", &"x ".repeat(9_000)), card("@lobby", "x"), card(&"y".repeat(65), "x"), card("c", "")];
        assert_eq!(harmless(people(told)), people(vec![card("b", "x ".repeat(16).trim()), card("c", "")]));
        assert_eq!(harmless(people(vec![card("b", "x"); 9_000])), people(vec![card("b", "x"); PEOPLE]));
        let found = |people| FromServer::Found { id: 1, people, more: true };
        assert_eq!(harmless(found(vec![card("", "x"), card("b", "x")])), found(vec![card("b", "x")]));
        let error = |wait| FromServer::Error { id: 1, code: Code::TryLater, reason: None, wait: Some(wait) };
        assert_eq!((harmless(error(7)), harmless(error(u64::MAX))), (error(7), error(LONGEST)));
        let shown = |text: String| Shown { state: Online::Away, text };
        let states = |text: String| FromServer::Changes {
            came: Vec::new(),
            went: Vec::new(),
            states: [("b".to_owned(), shown(text))].into(),
        };
        assert_eq!(harmless(states(format!("\u{202e}{}\n", "x".repeat(9_000)))), states("x".repeat(SHORT)));
        let question = |n| FromServer::Question { id: 1, text: "问".repeat(n) };
        assert_eq!((harmless(question(LINE)), harmless(question(9_000))), (question(LINE), question(LINE)));
    }
}
