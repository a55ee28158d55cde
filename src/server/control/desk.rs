//! Takes the requests of commands: carries each out once, however often it comes, and collects the parts of class
//! lists. Pure.

use std::collections::{HashMap, VecDeque};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use super::{Answer, NewAccount, NumberedAnswer, NumberedRequest, Order, RequestId, RequestKind};
use crate::base::model::Account;
use crate::protocol::wire::item::Profile;

/// The most answers that are remembered for commands that have missed them.
const REMEMBERED: usize = 256;
/// The most lists that may be under way.
pub const LISTS: usize = 4;
/// The most accounts in all lists together: about 20 MiB.
pub const ACCOUNTS: usize = 150_000;
/// How long after its last part an incomplete list is forgotten.
const SILENT: Duration = Duration::from_secs(60);

/// What a request leads to.
#[derive(Debug, PartialEq, Eq)]
pub enum Dispatch {
    /// An immediate answer.
    Answer(NumberedAnswer),
    /// An order for the engine; its answer comes back with this ticket.
    Order(u64, Order),
}

#[derive(Debug)]
struct ClassList {
    accounts: Vec<NewAccount>,
    /// The number of the next part.
    part: u32,
    heard: Instant,
}

/// The requests and lists that are known.
#[derive(Debug, Default)]
pub struct RequestDesk {
    /// The answers to requests that change something; `None` while one is being carried out.
    known: HashMap<RequestId, Option<Answer>>,
    order: VecDeque<RequestId>,
    /// The address and the number of the request behind each ticket.
    tickets: HashMap<u64, (SocketAddr, RequestId)>,
    last: u64,
    lists: HashMap<RequestId, ClassList>,
}

impl RequestDesk {
    /// Takes a request that was opened with the secret; `None` if it is not valid.
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
            RequestKind::Name { account, name } => Order::Name { account, name },
            RequestKind::Part { list, part, accounts } => return answer(self.part(now, list, part, accounts)),
            RequestKind::Import { list, parts } => match self.lists.remove(&list) {
                Some(ClassList { accounts, part, .. }) if part == parts => Order::Import { accounts },
                _ => return answer(Answer::ListGone),
            },
            RequestKind::Unknown => return answer(Answer::NotUnderstood),
        };
        if !matches!(order, Order::Hello | Order::Accounts { .. } | Order::Name { name: None, .. }) {
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

    /// Returns the answer to an order, and the address it goes to.
    pub fn answered(&mut self, ticket: u64, answer: Answer) -> Option<(SocketAddr, NumberedAnswer)> {
        let (to, number) = self.tickets.remove(&ticket)?;
        if let Some(known) = self.known.get_mut(&number) {
            *known = Some(answer.clone());
        }
        Some((to, NumberedAnswer { number, answer }))
    }

    fn part(&mut self, now: Instant, list: RequestId, part: u32, accounts: Vec<NewAccount>) -> Answer {
        self.forget_silent(now);
        // Our commands have checked the names; another program's mistake is answered.
        let is_fit = |profile: &Profile| profile.checked().as_ref() == Ok(profile);
        if !accounts.iter().all(|one| Account::new_person(&one.name).is_ok() && one.profile.iter().all(is_fit)) {
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
            // The answer to this part was lost.
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

    /// Returns when [`RequestDesk::handle_timeout`] is to be called.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.lists.values().map(|list| list.heard + SILENT).min()
    }

    /// Forgets incomplete lists of which nothing more came.
    pub fn handle_timeout(&mut self, now: Instant) {
        self.forget_silent(now);
    }
}

#[cfg(test)]
mod tests;
