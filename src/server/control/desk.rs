//! Where requests of commands arrive: each is done once, however often it comes, and class lists lie here in parts
//! until they are whole. Pure.

use std::collections::{HashMap, VecDeque};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use super::{Answer, Answered, Asked, NewAccount, Number, Order, Want};
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
pub enum Next {
    /// Its answer, now.
    Answer(Answered),
    /// Something for the engine; the answer comes under this ticket.
    Order(u64, Order),
}

#[derive(Debug)]
struct List {
    accounts: Vec<NewAccount>,
    /// The part that comes next.
    part: u32,
    heard: Instant,
}

/// What is known of requests.
#[derive(Debug, Default)]
pub struct Desk {
    /// Requests that change something; `None` while they are being done.
    known: HashMap<Number, Option<Answer>>,
    order: VecDeque<Number>,
    /// Who waits for what.
    tickets: HashMap<u64, (SocketAddr, Number)>,
    last: u64,
    lists: HashMap<Number, List>,
}

impl Desk {
    /// A request that was opened with the secret; `None` of what is no request.
    pub fn take(&mut self, now: Instant, from: SocketAddr, bytes: &[u8]) -> Option<Next> {
        let Asked { number, want } = serde_json::from_slice(bytes).ok()?;
        let answer = |answer| Some(Next::Answer(Answered { number, answer }));
        if let Some(known) = self.known.get(&number) {
            return answer(known.clone().unwrap_or(Answer::Working));
        }
        let order = match want {
            Want::Hello => Order::Hello,
            Want::Accounts { after } => Order::Accounts { after },
            Want::Reset { account } => Order::Reset { account },
            Want::Delete { account } => Order::Delete { account },
            Want::SecureOnly { account, on } => Order::SecureOnly { account, on },
            Want::Part { list, part, accounts } => return answer(self.part(now, list, part, accounts)),
            Want::Import { list, parts } => match self.lists.remove(&list) {
                Some(List { accounts, part, .. }) if part == parts => Order::Import { accounts },
                _ => return answer(Answer::ListGone),
            },
            Want::Unknown => return answer(Answer::NotUnderstood),
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
        Some(Next::Order(self.last, order))
    }

    /// What became of an order, and whom to tell.
    pub fn answered(&mut self, ticket: u64, answer: Answer) -> Option<(SocketAddr, Answered)> {
        let (to, number) = self.tickets.remove(&ticket)?;
        if let Some(known) = self.known.get_mut(&number) {
            *known = Some(answer.clone());
        }
        Some((to, Answered { number, answer }))
    }

    fn part(&mut self, now: Instant, list: Number, part: u32, accounts: Vec<NewAccount>) -> Answer {
        self.forget_silent(now);
        // Commands have looked at their names; whoever wrote another one is told so.
        if accounts.iter().any(|one| Account::new_person(&one.name).is_err()) {
            return Answer::NotUnderstood;
        }
        let held: usize = self.lists.values().map(|list| list.accounts.len()).sum();
        let full = held + accounts.len() > ACCOUNTS || !self.lists.contains_key(&list) && self.lists.len() >= LISTS;
        let known = match part {
            0 if !full => self.lists.entry(list).or_insert(List { accounts: Vec::new(), part: 0, heard: now }),
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

    /// When [`Desk::handle_timeout`] wants to be called.
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
mod tests {
    use super::*;
    use crate::protocol::wire::frame::Key;

    fn at(port: u16) -> SocketAddr {
        SocketAddr::from(([127, 0, 0, 1], port))
    }

    fn account(name: &str) -> NewAccount {
        NewAccount { name: name.into(), salt: Key([1; 16]), hash: Key([2; 32]) }
    }

    struct World(Desk, Instant);

    impl World {
        fn ask(&mut self, number: u8, want: Want) -> Option<Next> {
            let asked = Asked { number: Key([number; 16]), want };
            self.0.take(self.1, at(1), &serde_json::to_vec(&asked).expect("JSON"))
        }

        fn answer(&mut self, number: u8, want: Want) -> Answer {
            match self.ask(number, want) {
                Some(Next::Answer(Answered { answer, .. })) => answer,
                other => panic!("{other:?}"),
            }
        }

        fn part(&mut self, number: u8, list: u8, part: u32, names: &[&str]) -> Answer {
            let accounts = names.iter().map(|name| account(name)).collect();
            self.answer(number, Want::Part { list: Key([list; 16]), part, accounts })
        }
    }

    fn world() -> World {
        World(Desk::default(), Instant::now())
    }

    #[test]
    fn what_changes_something_is_done_once_however_often_it_comes() {
        let mut world = world();
        let delete = || Want::Delete { account: "a".into() };
        let order = Order::Delete { account: "a".into() };
        assert_eq!(world.ask(1, delete()), Some(Next::Order(1, order)));
        assert_eq!(world.answer(1, delete()), Answer::Working);
        let told = Answered { number: Key([1; 16]), answer: Answer::Done };
        assert_eq!(world.0.answered(1, Answer::Done), Some((at(1), told)));
        assert_eq!(world.0.answered(1, Answer::Done), None);
        assert_eq!(world.answer(1, delete()), Answer::Done, "the answer of then, not that nobody has that name now");
        assert_eq!(world.0.take(world.1, at(1), b"no request"), None);
        // What only looks may be asked again and again, and leaves nothing.
        for ticket in 2..2_000 {
            assert_eq!(world.ask(2, Want::Hello), Some(Next::Order(ticket, Order::Hello)));
            world.0.answered(ticket, Answer::Done);
        }
        for n in 0..2_000_u64 {
            let number = Key(u128::from(n + 500).to_be_bytes());
            let asked = serde_json::to_vec(&Asked { number, want: delete() }).expect("JSON");
            assert!(matches!(world.0.take(world.1, at(1), &asked), Some(Next::Order(..))));
            world.0.answered(world.0.last, Answer::NoSuchAccount);
        }
        let Desk { known, order, tickets, .. } = &world.0;
        assert_eq!((known.len(), order.len(), tickets.len()), (REMEMBERED, REMEMBERED, 0));
    }

    #[test]
    fn a_list_is_whole_or_nothing() {
        let mut world = world();
        assert_eq!(world.part(1, 9, 0, &["a", "b"]), Answer::Done);
        assert_eq!(world.part(2, 9, 0, &["a", "b"]), Answer::Done, "a part that comes again is there once");
        assert_eq!(world.part(3, 9, 2, &["z"]), Answer::ListGone, "none is left out");
        assert_eq!(world.part(4, 9, 1, &["c"]), Answer::Done);
        let import = |parts| Want::Import { list: Key([9; 16]), parts };
        let accounts = ["a", "b", "c"].map(account).to_vec();
        assert_eq!(world.ask(5, import(2)), Some(Next::Order(1, Order::Import { accounts })));
        assert_eq!(world.answer(6, import(2)), Answer::ListGone, "it is taken once");
        assert_eq!(world.part(7, 8, 0, &["a#"]), Answer::NotUnderstood, "no name that nobody could have");
        assert_eq!(world.part(8, 7, 0, &["a"]), Answer::Done);
        assert_eq!(world.answer(9, Want::Import { list: Key([7; 16]), parts: 2 }), Answer::ListGone);
    }

    #[test]
    fn lists_are_bounded_and_forgotten() {
        let mut world = world();
        for list in 0..4 {
            assert_eq!(world.part(list, list, 0, &["a"]), Answer::Done);
        }
        assert_eq!(world.part(9, 9, 0, &["a"]), Answer::TooMuch);
        assert!(world.0.poll_timeout().is_some());
        world.1 += SILENT;
        let now = world.1;
        world.0.handle_timeout(now);
        assert_eq!(world.0.poll_timeout(), None);
        assert_eq!(world.part(1, 1, 1, &["b"]), Answer::ListGone);
        let many = vec!["a"; ACCOUNTS];
        assert_eq!(world.part(2, 2, 0, &many), Answer::Done);
        assert_eq!(world.part(3, 3, 0, &["a"]), Answer::TooMuch);
        assert_eq!(world.part(4, 2, 1, &["a"]), Answer::TooMuch, "and its beginning is not kept");
        assert!(world.0.lists.is_empty());
    }
}
