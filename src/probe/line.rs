//! One request and its answer, over sockets that lose, double and delay; also the statistics of that.

use std::io;
use std::time::Duration;

use super::case::Actor;
use super::document::Difference;
use super::pace::Pace;
use super::transport::{SocketIndex, Transport};
use crate::base::timer::Rto;

/// The most times that a request which is not judged is sent.
const PATIENT: u8 = 6;
/// How long after the last answer a double of it is awaited.
pub(super) const SETTLE: Duration = Duration::from_millis(2);
/// The socket that asks whether the server is there at all.
pub(super) const CONTROL: SocketIndex = Actor::ALL.len();
/// The most datagrams that are discarded at once, lest a server that never stops sending hold the probe up.
const MOST: usize = 1_000;

/// Returns the socket of an actor.
pub(super) fn desk(who: Actor) -> SocketIndex {
    Actor::ALL.iter().position(|w| *w == who).unwrap_or(CONTROL)
}

/// The answer to a request, or where another one came from.
pub(super) struct Answer {
    pub got: Option<Vec<u8>>,
    /// An answer that came to another socket or from another address.
    pub stray: Option<Difference>,
    pub tries: u8,
    pub time: Option<Duration>,
}

/// All sockets of one run.
pub(super) struct Line<T> {
    transport: T,
    rto: Rto,
    pace: Pace,
    open: [bool; CONTROL + 1],
    /// The sockets on which a login was tried, without going offline since.
    logged_in: [bool; CONTROL + 1],
    /// Whether anything seems to have been lost or doubled since [`Line::settle`].
    pub doubtful: bool,
    /// How many datagrams were repeated.
    pub resent: usize,
    /// Whether the present request may have no answer.
    pub may_be_silent: bool,
    /// The sockets on which a login was answered and something served since.
    served: [bool; CONTROL + 1],
    /// The statistics of the network and the server.
    pub counts: Counts,
}

/// What was seen of the network, and of regularities of the server.
#[derive(Debug, Default)]
pub(super) struct Counts {
    sent: usize,
    unanswered: usize,
    /// How many answers were followed by another datagram.
    doubled: usize,
    /// How many datagrams were answered since the last unanswered one; `None` before the first, or if the count was
    /// lost.
    since: Option<usize>,
    /// How many answered datagrams lay between earlier unanswered ones.
    gaps: Vec<usize>,
}

impl Counts {
    fn note(&mut self, answered: bool) {
        self.sent += 1;
        if answered {
            self.since = self.since.map(|since| since + 1);
        } else {
            self.unanswered += 1;
            self.gaps.extend(self.since);
            self.since = Some(0);
        }
    }

    /// Forgets the count, because requests were sent whose answers were not counted one by one.
    pub fn lose_count(&mut self) {
        self.since = None;
    }

    /// Returns the share of datagrams that got no answer.
    pub fn loss(&self) -> f64 {
        self.unanswered as f64 / self.sent.max(1) as f64
    }

    /// Returns the share of answers that were followed by another datagram.
    pub fn doubling(&self) -> f64 {
        self.doubled as f64 / (self.sent - self.unanswered).max(1) as f64
    }

    /// Returns n if every n-th reply is missing, too regularly for chance.
    pub fn nth_missing(&self) -> Option<usize> {
        const ENOUGH: usize = 12;
        let first = *self.gaps.first()?;
        let mut counted: std::collections::HashMap<usize, usize> = std::collections::HashMap::new();
        self.gaps.iter().for_each(|gap| *counted.entry(*gap).or_default() += 1);
        let (gap, times) = counted.into_iter().max_by_key(|(_, times)| *times).unwrap_or((first, 0));
        // By chance one gap is at most 25 % of all, and from two on 15 %; a network may lose some in addition.
        let least = if gap == 1 { 60 } else { 40 };
        (gap > 0 && times >= ENOUGH && times * 100 >= self.gaps.len() * least).then_some(gap + 1)
    }
}

impl<T: Transport> Line<T> {
    /// Opens no socket yet; `gap` is the shortest time between two requests.
    pub fn new(transport: T, gap: Duration) -> Self {
        Self {
            transport,
            rto: Rto::default(),
            pace: Pace::new(gap, CONTROL + 1),
            open: [false; CONTROL + 1],
            logged_in: [false; CONTROL + 1],
            doubtful: false,
            resent: 0,
            may_be_silent: false,
            served: [false; CONTROL + 1],
            counts: Counts::default(),
        }
    }

    /// Returns the transport's time.
    pub fn now(&self) -> Duration {
        self.transport.now()
    }

    /// Returns how long an answer may take that comes after others.
    pub fn patience(&self) -> Duration {
        self.rto.timeout(2)
    }

    /// Returns whether a login was tried on this socket, without going offline since.
    pub fn is_logged_in(&self, desk: SocketIndex) -> bool {
        self.logged_in.get(desk) == Some(&true)
    }

    /// Returns whether an account was logged in on this socket and served, so that only its own request should end
    /// that.
    pub fn is_served(&self, desk: SocketIndex) -> bool {
        self.served.get(desk) == Some(&true)
    }

    /// Returns the smoothed time that answers take.
    pub fn round_trip(&self) -> Option<Duration> {
        self.rto.smoothed()
    }

    /// Sends once and waits long, so that the answer belongs to this request; what follows it is discarded.
    pub fn patiently(&mut self, desk: SocketIndex, request: &[u8]) -> io::Result<Option<Vec<u8>>> {
        const LONG: Duration = Duration::from_secs(4);
        const HELD: Duration = Duration::from_millis(60);
        let began = self.now();
        self.send(desk, request)?;
        let got = self.receive(desk, LONG)?;
        if got.is_some() {
            self.rto.measure(self.now().saturating_sub(began));
            self.listen(desk, HELD)?;
        }
        Ok(got)
    }

    /// Waits until nothing more is on its way.
    pub fn calm_down(&mut self, desk: SocketIndex) -> io::Result<()> {
        const LATE: Duration = Duration::from_secs(3);
        self.listen(desk, LATE)?;
        self.settle()
    }

    /// Replaces a socket by a new one, which the server does not know.
    pub fn reopen(&mut self, desk: SocketIndex) -> io::Result<()> {
        self.transport.open(desk)?;
        self.pace.forget(desk);
        if let (Some(open), Some(logged_in)) = (self.open.get_mut(desk), self.logged_in.get_mut(desk)) {
            (*open, *logged_in) = (true, false);
        }
        if let Some(served) = self.served.get_mut(desk) {
            *served = false;
        }
        Ok(())
    }

    /// Sends without waiting for an answer.
    pub fn send(&mut self, desk: SocketIndex, request: &[u8]) -> io::Result<()> {
        self.transport.send(desk, request)
    }

    /// Sends a request whose answer, and where it comes from, is not judged.
    pub fn plain(&mut self, desk: SocketIndex, request: &[u8]) -> io::Result<Option<Vec<u8>>> {
        let answer = self.exchange(desk, request, true, PATIENT)?;
        Ok(answer.got.or(match answer.stray {
            Some(Difference::OtherAddress { got, .. }) => Some(got),
            _ => None,
        }))
    }

    /// Sends a request up to `tries` times and returns its answer. `refusal` says that it may be refused, for which a
    /// server may have a budget.
    pub fn exchange(&mut self, desk: SocketIndex, request: &[u8], refusal: bool, tries: u8) -> io::Result<Answer> {
        self.drain()?;
        if let Some(logged_in) = self.logged_in.get_mut(desk) {
            *logged_in = (*logged_in && !request.starts_with(b"06#")) || request.starts_with(b"02#");
        }
        let ends = matches!(request, [b'0', b'2' | b'6', ..]);
        if let Some(served) = self.served.get_mut(desk).filter(|_| ends) {
            *served = false;
        }
        let wait = self.pace.wait(desk, refusal, self.now());
        if self.listen(desk, wait)? {
            self.doubtful = true;
            self.counts.doubled += 1;
        }
        let mut answer = Answer { got: None, stray: None, tries: 0, time: None };
        while answer.tries < tries && answer.got.is_none() && answer.stray.is_none() {
            answer.tries += 1;
            self.resent += usize::from(answer.tries > 1);
            self.send(desk, request)?;
            self.wait(desk, &mut answer)?;
            if answer.got.is_none() && answer.stray.is_none() {
                answer.stray = self.elsewhere(desk)?;
            }
            if !self.may_be_silent {
                self.counts.note(answer.got.is_some());
            }
            if matches!(answer.got.as_deref(), None | Some(b"00:00" | b"07:01")) {
                self.pace.refused(desk, self.now());
            }
        }
        match answer.time {
            Some(time) if answer.tries == 1 => self.rto.measure(time),
            Some(_) => {
                // Counting twice changes nothing, nor does an unknown request.
                self.doubtful |= matches!(request, [b'0', b'1' | b'2' | b'3' | b'5' | b'6' | b'9', ..]);
                // The answer to the other copy may still come.
                self.listen(desk, self.rto.timeout(1))?;
            }
            None => {}
        }
        let serves = matches!(request, [b'0', b'3' | b'4' | b'5' | b'8' | b'9', ..]);
        let logged_in = self.is_logged_in(desk);
        if let Some(served) = self.served.get_mut(desk).filter(|_| serves && logged_in)
            && !matches!(answer.got.as_deref(), None | Some(b"00:00" | b"07:01"))
        {
            *served = true;
        }
        Ok(answer)
    }

    fn wait(&mut self, desk: SocketIndex, answer: &mut Answer) -> io::Result<()> {
        /// After an answer from elsewhere the right one may still come, but not much later.
        const BESIDE: Duration = Duration::from_millis(20);
        let began = self.now();
        let mut end = began + self.rto.timeout(answer.tries);
        while self.now() < end {
            let Some(datagram) = self.transport.receive(desk, end.saturating_sub(self.now()))? else { break };
            match datagram.from {
                None => {
                    let time = self.now().saturating_sub(began);
                    (answer.got, answer.time) = (Some(datagram.bytes), Some(time));
                    break;
                }
                Some(from) => {
                    end = end.min(self.now() + BESIDE);
                    answer.stray = Some(Difference::OtherAddress { from, got: datagram.bytes });
                }
            }
        }
        Ok(())
    }

    /// Looks for an answer that came to another socket than the one that asked.
    fn elsewhere(&mut self, asked: SocketIndex) -> io::Result<Option<Difference>> {
        for (other, who) in Actor::ALL.into_iter().enumerate() {
            if other != asked
                && self.open.get(other) == Some(&true)
                && let Some(got) = self.receive(other, Duration::ZERO)?
            {
                return Ok(Some(Difference::OtherSocket { at: who, got }));
            }
        }
        Ok(None)
    }

    /// Returns the next datagram from the server.
    pub fn receive(&mut self, desk: SocketIndex, wait: Duration) -> io::Result<Option<Vec<u8>>> {
        let end = self.now() + wait;
        for _ in 0..MOST {
            match self.transport.receive(desk, end.saturating_sub(self.now()))? {
                None => break,
                Some(datagram) if datagram.from.is_none() => return Ok(Some(datagram.bytes)),
                Some(_) => {}
            }
        }
        Ok(None)
    }

    /// Discards what arrives in this time; returns whether there was anything.
    fn listen(&mut self, desk: SocketIndex, wait: Duration) -> io::Result<bool> {
        let end = self.now() + wait;
        let mut any = false;
        while self.now() < end && self.receive(desk, end.saturating_sub(self.now()))?.is_some() {
            any = true;
        }
        Ok(any)
    }

    /// Discards what nobody waits for any more, which makes the attempt doubtful.
    fn drain(&mut self) -> io::Result<()> {
        let mut any = false;
        for desk in 0..=CONTROL {
            let open = self.open.get(desk) == Some(&true);
            for _ in 0..MOST {
                if !open || self.receive(desk, Duration::ZERO)?.is_none() {
                    break;
                }
                self.doubtful = true;
                any = true;
            }
        }
        self.counts.doubled += usize::from(any);
        Ok(())
    }

    /// Waits until nothing more is on its way, discards what has come, and clears the doubt, so that the next attempt
    /// starts clean.
    pub fn settle(&mut self) -> io::Result<()> {
        self.listen(CONTROL, SETTLE)?;
        self.drain()?;
        self.doubtful = false;
        Ok(())
    }
}
