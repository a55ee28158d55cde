//! Where requests of commands arrive: each is done once, however often it comes, and class lists lie here in parts
//! until they are whole. Pure.

use std::collections::{HashMap, VecDeque};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use super::{Answer, NewAccount, NumberedAnswer, NumberedRequest, Order, RequestId, RequestKind};
use crate::base::model::Account;

/// Answers that are remembered, for who did not hear them.
const REMEMBERED: usize = 256;
/// Lists under way at once.
pub const LISTS: usize = 4;
/// Accounts in them all: some 20 MiB.
pub const ACCOUNTS: usize = 150_000;
/// A list of which nothing more came for so long is forgotten.
const SILENT: Duration = Duration::from_secs(60);

/// What a request leads to.
#[derive(Debug, PartialEq, Eq)]
pub enum Dispatch {
    /// Its answer, now.
    Answer(NumberedAnswer),
    /// Something for the engine; the answer comes under this ticket.
    Order(u64, Order),
}

#[derive(Debug)]
struct ClassList {
    accounts: Vec<NewAccount>,
    /// The part that comes next.
    part: u32,
    heard: Instant,
}

/// What is known of requests.
#[derive(Debug, Default)]
pub struct RequestDesk {
    /// Requests that change something; `None` while they are being done.
    known: HashMap<RequestId, Option<Answer>>,
    order: VecDeque<RequestId>,
    /// Who waits for what.
    tickets: HashMap<u64, (SocketAddr, RequestId)>,
    last: u64,
    lists: HashMap<RequestId, ClassList>,
}

impl RequestDesk {
    /// A request that was opened with the secret; `None` of what is no request.
    pub fn take(&mut self, now: Instant, from: SocketAddr, bytes: &[u8]) -> Option<Dispatch> {
        let NumberedRequest { number, want } = serde_json::from_slice(bytes).ok()?;
        let answer = |answer| Some(Dispatch::Answer(NumberedAnswer { number, answer }));
        if let Some(known) = self.known.get(&number) {
            return answer(known.clone().unwrap_or(Answer::Working));
        }
        let order = match want {
            RequestKind::Hello => Order::Hello,
            RequestKind::Accounts { after } => Order::Accounts { after },
            RequestKind::Reset { account } => Order::Reset { account },
            RequestKind::Delete { account } => Order::Delete { account },
            RequestKind::SecureOnly { account, on } => Order::SecureOnly { account, on },
            RequestKind::Part { list, part, accounts } => return answer(self.part(now, list, part, accounts)),
            RequestKind::Import { list, parts } => match self.lists.remove(&list) {
                Some(ClassList { accounts, part, .. }) if part == parts => Order::Import { accounts },
                _ => return answer(Answer::ListGone),
            },
            RequestKind::Unknown => return answer(Answer::NotUnderstood),
        };
        if !matches!(order, Order::Hello | Order::Accounts { .. }) {
            self.known.insert(number, None);
            self.order.push_back(number);
            while self.order.len() > REMEMBERED {
                self.order.pop_front().and_then(|oldest| self.known.remove(&oldest));
            }
        }
        self.last += 1;
        self.tickets.insert(self.last, (from, number));
        Some(Dispatch::Order(self.last, order))
    }

    /// What became of an order, and whom to tell.
    pub fn answered(&mut self, ticket: u64, answer: Answer) -> Option<(SocketAddr, NumberedAnswer)> {
        let (to, number) = self.tickets.remove(&ticket)?;
        if let Some(known) = self.known.get_mut(&number) {
            *known = Some(answer.clone());
        }
        Some((to, NumberedAnswer { number, answer }))
    }

    fn part(&mut self, now: Instant, list: RequestId, part: u32, accounts: Vec<NewAccount>) -> Answer {
        self.forget_silent(now);
        // Commands have looked at their names; whoever wrote another one is told so.
        if accounts.iter().any(|one| Account::new_person(&one.name).is_err()) {
            return Answer::NotUnderstood;
        }
        let held: usize = self.lists.values().map(|list| list.accounts.len()).sum();
        let full = held + accounts.len() > ACCOUNTS || !self.lists.contains_key(&list) && self.lists.len() >= LISTS;
        let known = match part {
            0 if !full => self.lists.entry(list).or_insert(ClassList { accounts: Vec::new(), part: 0, heard: now }),
            _ => match self.lists.get_mut(&list) {
                Some(known) => known,
                None if part == 0 => return Answer::TooMuch,
                None => return Answer::ListGone,
            },
        };
        known.heard = now;
        match part {
            // Its answer was lost.
            part if part < known.part => Answer::Done,
            part if part > known.part => Answer::ListGone,
            _ if full => {
                self.lists.remove(&list);
                Answer::TooMuch
            }
            _ => {
                known.accounts.extend(accounts);
                known.part += 1;
                Answer::Done
            }
        }
    }

    fn forget_silent(&mut self, now: Instant) {
        self.lists.retain(|_, list| now.saturating_duration_since(list.heard) < SILENT);
    }

    /// When [`RequestDesk::handle_timeout`] wants to be called.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.lists.values().map(|list| list.heard + SILENT).min()
    }

    /// Lets go of lists that nobody goes on with.
    pub fn handle_timeout(&mut self, now: Instant) {
        self.forget_silent(now);
    }
}

#[cfg(test)]
mod tests;
