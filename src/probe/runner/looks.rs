//! Examines the network and the server apart from the cases: what a network does by chance, and what only a server
//! does.

use std::io;
use std::time::Duration;

use super::super::case::Actor;
use super::super::document::{CaseReport, Difference, Exchange, Failure, Verdict};
use super::super::line::{CONTROL, desk};
use super::super::rule::Rule;
use super::super::transport::Transport;
use super::{ATTEMPTS, DOUBTED, Runner};

/// How often it is examined whether each reply belongs to the request before.
pub(super) const LOOKS: usize = 4;
/// How long a datagram may be delayed on the way.
const REORDERED: Duration = Duration::from_millis(60);

/// Returns in how many attempts something has to happen which chance causes with this probability, so that chance alone
/// does not cause it in a run of a hundred cases.
pub(super) fn confirmations(chance: f64) -> usize {
    const UNLIKELY: f64 = 1e-5;
    let needed = if chance <= 0.0 { 0.0 } else { UNLIKELY.ln() / chance.min(0.999).ln() };
    (needed.ceil() as usize).clamp(DOUBTED, ATTEMPTS)
}

impl<T: Transport> Runner<T> {
    /// Returns how often a wrong reply has to come where requests are lost and doubled: the answer to the first copy
    /// may be lost, and nobody sees that the second copy was served. If much is lost, most doubles are not seen either.
    pub(super) fn unseen_doubles(&self) -> usize {
        const MUCH: f64 = 0.2;
        /// There are many attempts, and any of them may show it.
        const ANY: f64 = 3.0;
        let loss = self.line.counts.loss();
        let doubling = self.line.counts.doubling();
        let doubling = if loss > MUCH { doubling.max(0.1) } else { doubling };
        confirmations((ANY * 2.0 * loss * doubling).min(0.5))
    }

    /// Sends requests one after another and waits long for each, to see whether each gets the reply to the one before.
    /// On a network that doubles, the first reply would be its own.
    pub(super) fn previous(&mut self) -> io::Result<Option<CaseReport>> {
        let nobody = format!("02#{}#x#", String::from_utf8_lossy(&self.names.expand("{nobody}"))).into_bytes();
        let mut exchanges = Vec::new();
        for request in [b"06#".to_vec(), nobody, b"08#".to_vec(), b"06#".to_vec(), b"08#".to_vec()] {
            let got = self.line.patiently(CONTROL, &request)?;
            let tries = 1;
            exchanges.push(Exchange { from: Actor::S, sent: request, expected: Vec::new(), got, tries, time: None });
        }
        let operation = |bytes: Option<&Vec<u8>>| bytes.and_then(|bytes| bytes.get(..2)).map(<[u8]>::to_vec);
        let answers = |request: Option<Vec<u8>>, reply: Option<Vec<u8>>| match (request.as_deref(), reply.as_deref()) {
            (Some(b"08"), Some(b"07")) => true,
            (Some(request), Some(reply)) => request == reply,
            _ => false,
        };
        let own = exchanges.first().is_some_and(|e| answers(operation(Some(&e.sent)), operation(e.got.as_ref())));
        let before = exchanges.iter().zip(exchanges.iter().skip(1));
        let previous = before.filter(|(a, b)| answers(operation(Some(&a.sent)), operation(b.got.as_ref()))).count();
        self.own = own;
        if own || previous + 1 < exchanges.len() {
            return Ok(None);
        }
        let finding = Failure { rule: Some(Rule::OwnReplies), exchange: 1, difference: Difference::Previous };
        let verdict = Verdict::Failed(finding);
        Ok(Some(CaseReport { number: 1, id: "own-reply", exchanges, verdict, attempts: 1, habits: Vec::new() }))
    }

    /// Whether the network, and not the server, changes the order: two questions that are answered at once, sent
    /// together many times. A server that swaps them does so always or never.
    pub(super) fn reorders(&mut self) -> io::Result<bool> {
        const ROUNDS: usize = 20;
        const LEAST: usize = 6;
        if self.ready(Actor::A)?.is_some() {
            return Ok(false);
        }
        let at = desk(Actor::A);
        let (mut whole, mut swapped) = (0, 0);
        self.line.counts.lose_count();
        for _ in 0..ROUNDS {
            self.line.settle()?;
            self.line.send(at, b"08#")?;
            self.line.send(at, b"09#")?;
            let first = self.line.receive(at, self.line.patience())?;
            let second = self.line.receive(at, self.line.patience())?;
            let begins = |reply: &Option<Vec<u8>>, with: &[u8]| reply.as_deref().is_some_and(|r| r.starts_with(with));
            let right = begins(&first, b"08:") && begins(&second, b"09:");
            let wrong = begins(&first, b"09:") && begins(&second, b"08:");
            whole += usize::from(right || wrong);
            swapped += usize::from(wrong);
            // What is held back on the way comes within this.
            self.line.receive(at, REORDERED)?;
        }
        Ok(whole < LEAST || (swapped > 0 && swapped < whole))
    }
}
