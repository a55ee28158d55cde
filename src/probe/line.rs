//! One request and its answer, over sockets that lose, double and delay; and what was seen of that.

use std::io;
use std::time::Duration;

use super::case::Actor;
use super::document::Difference;
use super::pace::Pace;
use super::transport::{SocketIndex, Transport};
use crate::base::timer::Rto;

/// How often a request that is not judged is sent at most.
const PATIENT: u8 = 6;
/// How long after the last answer it is waited for one that is doubled.
pub(super) const SETTLE: Duration = Duration::from_millis(2);
/// The socket that asks whether anybody is there.
pub(super) const CONTROL: SocketIndex = Actor::ALL.len();
/// Datagrams that are thrown away at once, at most: a server that never stops sending must not hold us.
const MOST: usize = 1_000;

/// The socket of somebody.
pub(super) fn desk(who: Actor) -> SocketIndex {
    Actor::ALL.iter().position(|w| *w == who).unwrap_or(CONTROL)
}

/// What came back, or where.
pub(super) struct Answer {
    pub got: Option<Vec<u8>>,
    /// It came, but elsewhere or from elsewhere.
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
    /// Where a login was tried, and nobody has gone offline since.
    logged_in: [bool; CONTROL + 1],
    /// Something was lost or doubled since [`Line::settle`], as far as can be seen.
    pub doubtful: bool,
    /// Datagrams sent again.
    pub resent: usize,
    /// What is asked now may have no answer.
    pub may_be_silent: bool,
    /// Where a login was answered, and something served since.
    served: [bool; CONTROL + 1],
    /// How often the network, or the server, did what.
    pub counts: Counts,
}

/// What was seen of the way and of the server's regularity.
#[derive(Debug, Default)]
pub(super) struct Counts {
    sent: usize,
    unanswered: usize,
    /// Answers after which something more came.
    doubled: usize,
    /// Datagrams that were answered since the last one that was not; none before the first, or when one was missed.
    since: Option<usize>,
    /// The numbers of answered datagrams between earlier lost ones.
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

    /// Requests went out whose answers were not counted one by one.
    pub fn lose_count(&mut self) {
        self.since = None;
    }

    /// Which part of all datagrams got no answer.
    pub fn loss(&self) -> f64 {
        self.unanswered as f64 / self.sent.max(1) as f64
    }

    /// Which part of all answers had something behind them.
    pub fn doubling(&self) -> f64 {
        self.doubled as f64 / (self.sent - self.unanswered).max(1) as f64
    }

    /// The number of the reply that is always missing: too often for chance.
    pub fn nth_missing(&self) -> Option<usize> {
        const ENOUGH: usize = 12;
        let first = *self.gaps.first()?;
        let mut counted: std::collections::HashMap<usize, usize> = std::collections::HashMap::new();
        self.gaps.iter().for_each(|gap| *counted.entry(*gap).or_default() += 1);
        let (gap, times) = counted.into_iter().max_by_key(|(_, times)| *times).unwrap_or((first, 0));
        // By chance one gap is at most 25 % of all, and from two on 15 %; a network may lose some besides.
        let least = if gap == 1 { 60 } else { 40 };
        (gap > 0 && times >= ENOUGH && times * 100 >= self.gaps.len() * least).then_some(gap + 1)
    }
}

impl<T: Transport> Line<T> {
    /// `gap` is the least time between two requests.
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

    /// The transport's clock.
    pub fn now(&self) -> Duration {
        self.transport.now()
    }

    /// How long an answer may take that comes after others.
    pub fn patience(&self) -> Duration {
        self.rto.timeout(2)
    }

    /// Whether a login was tried here, and nobody has gone offline since.
    pub fn is_logged_in(&self, desk: SocketIndex) -> bool {
        self.logged_in.get(desk) == Some(&true)
    }

    /// Whether somebody was logged in here and served, so that nothing but their own doing ends that.
    pub fn is_served(&self, desk: SocketIndex) -> bool {
        self.served.get(desk) == Some(&true)
    }

    /// How long answers take.
    pub fn round_trip(&self) -> Option<Duration> {
        self.rto.smoothed()
    }

    /// Sends once and waits long, so that the answer is this one's; what comes behind it is thrown away.
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

    /// A socket, new and unknown to the server.
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

    /// Sends without waiting.
    pub fn send(&mut self, desk: SocketIndex, request: &[u8]) -> io::Result<()> {
        self.transport.send(desk, request)
    }

    /// A request whose answer is not judged, nor from where it comes.
    pub fn plain(&mut self, desk: SocketIndex, request: &[u8]) -> io::Result<Option<Vec<u8>>> {
        let answer = self.exchange(desk, request, true, PATIENT)?;
        Ok(answer.got.or(match answer.stray {
            Some(Difference::OtherAddress { got, .. }) => Some(got),
            _ => None,
        }))
    }

    /// A request and its answer, sent up to `tries` times. `refusal` when it may be refused, for which a
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
                // Counting twice changes nothing, and what is not understood neither.
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
        /// After one from elsewhere the right one may still come, but not much later.
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

    /// An answer that came to another socket than the one that asked.
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

    /// The next datagram of the server's.
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

    /// Throws away what comes in this time; whether there was anything.
    fn listen(&mut self, desk: SocketIndex, wait: Duration) -> io::Result<bool> {
        let end = self.now() + wait;
        let mut any = false;
        while self.now() < end && self.receive(desk, end.saturating_sub(self.now()))?.is_some() {
            any = true;
        }
        Ok(any)
    }

    /// What nobody waits for any more is thrown away, and makes the attempt doubtful.
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

    /// Waits until nothing more is on its way, discards what has come, and ends the doubt; the next attempt starts
    /// clean.
    pub fn settle(&mut self) -> io::Result<()> {
        self.listen(CONTROL, SETTLE)?;
        self.drain()?;
        self.doubtful = false;
        Ok(())
    }
}
