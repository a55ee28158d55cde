//! The accounts there are: people by their number, numbers by their name, and the names that are being registered. Knows
//! nothing of who asks: where somebody is says [`super::places`].

use std::collections::{BTreeMap, HashMap};
use std::net::SocketAddr;
use std::time::Instant;

use super::sessions::Person;
use crate::base::model::names;
use crate::protocol::wire::frame::AccountSettings;
use crate::server::hasher::{Hashed, MOST_JOBS};
use crate::server::limits::Seldom;
use crate::server::store::AccountId;

/// Most addresses that wait for one name.
const RIVALS: usize = 4;

/// Whether a name may be registered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Claim {
    /// It may, and nobody else may until it is settled.
    Granted,
    /// There is an account of this name.
    Exists,
    /// Somebody is registering it just now.
    Pending,
    /// There are as many accounts as there may be, or too many passwords are being hashed.
    Full,
}

/// All accounts.
#[derive(Debug)]
pub(super) struct Accounts {
    pub(super) people: HashMap<AccountId, Person>,
    pub(super) names: BTreeMap<String, AccountId>,
    /// Names being registered, and who else asks for the same one meanwhile.
    pending: HashMap<String, Vec<SocketAddr>>,
    most: usize,
    refused: Seldom,
}

impl Accounts {
    /// At most `most` accounts; of those that are there already there may be more.
    pub(super) fn new(most: usize) -> Self {
        let (people, names, pending) = (HashMap::new(), BTreeMap::new(), HashMap::new());
        Self { people, names, pending, most, refused: Seldom::default() }
    }

    /// Whose name this is: as it was typed, or with its letters put together, since keyboards differ in that.
    pub(super) fn named(&self, name: &str) -> Option<AccountId> {
        self.names.get(name).or_else(|| self.names.get(&*names::composed(name))).copied()
    }

    /// Whose name this is, as it was typed.
    pub(super) fn of_name(&self, name: &str) -> Option<AccountId> {
        self.names.get(name).copied()
    }

    /// There is an account more.
    pub(super) fn add(&mut self, id: AccountId, name: String, hashed: Hashed, made: i64) {
        self.put(id, Person::new(name, hashed, made));
    }

    /// Somebody is here again, as they were.
    pub(super) fn put(&mut self, id: AccountId, person: Person) {
        self.names.insert(person.name.clone(), id);
        self.people.insert(id, person);
    }

    /// There is an account less; who it was.
    pub(super) fn remove(&mut self, id: AccountId) -> Option<Person> {
        let person = self.people.remove(&id)?;
        self.names.remove(&person.name);
        Some(person)
    }

    /// How an account may be used, as the store has it.
    pub(super) fn set(&mut self, id: AccountId, settings: AccountSettings) {
        if let Some(person) = self.people.get_mut(&id) {
            person.settings = settings;
        }
    }

    /// Which of its passwords an account has now; none if it is gone.
    pub(super) fn nth_password(&self, id: AccountId) -> Option<u32> {
        self.people.get(&id).map(|person| person.nth)
    }

    /// Somebody wants to register this name.
    pub(super) fn claim(&mut self, name: &str) -> Claim {
        if self.names.contains_key(name) {
            Claim::Exists
        } else if self.pending.contains_key(name) {
            Claim::Pending
        } else if self.names.len() >= self.most || self.pending.len() >= MOST_JOBS {
            Claim::Full
        } else {
            self.pending.insert(name.to_owned(), Vec::new());
            Claim::Granted
        }
    }

    /// An address waits to hear what becomes of a name that is pending; false if too many do.
    pub(super) fn wait_for(&mut self, name: &str, rival: SocketAddr) -> bool {
        let others = self.pending.get_mut(name).filter(|others| others.len() < RIVALS);
        others.map(|others| others.push(rival)).is_some()
    }

    /// A registration is on disk, or is not; who waits to hear that.
    pub(super) fn settle(&mut self, name: &str) -> Vec<SocketAddr> {
        self.pending.remove(name).unwrap_or_default()
    }

    /// Writes into the log, but seldom, that a name was refused because there is no room.
    pub(super) fn say_full(&mut self, name: &str, now: Instant) {
        if let Some(more) = self.refused.speaks(now) {
            let (names, most) = (self.names.len(), self.most);
            log::warn!("registration of {name} refused: {names} of {most} accounts (and {more} times before)");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hashed() -> Hashed {
        Hashed { salt: vec![1], hash: vec![2] }
    }

    fn address(port: u16) -> SocketAddr {
        SocketAddr::from(([127, 0, 0, 1], port))
    }

    #[test]
    fn a_name_is_granted_once_and_those_who_wait_are_told() {
        let mut accounts = Accounts::new(2);
        assert_eq!((accounts.claim("a"), accounts.claim("a")), (Claim::Granted, Claim::Pending));
        let waiting: Vec<bool> = (1..=5).map(|port| accounts.wait_for("a", address(port))).collect();
        assert_eq!(waiting, [true, true, true, true, false]);
        assert!(!accounts.wait_for("b", address(9)), "nobody is registering it");
        accounts.add(1, "a".into(), hashed(), 7);
        assert_eq!(accounts.settle("a"), (1..=4).map(address).collect::<Vec<_>>());
        assert_eq!((accounts.claim("a"), accounts.claim("b")), (Claim::Exists, Claim::Granted));
        accounts.add(2, "b".into(), hashed(), 8);
        accounts.settle("b");
        assert_eq!(accounts.claim("c"), Claim::Full);
        // Of a name that was given up, and of an account that is gone, somebody else may be the next.
        assert_eq!(accounts.remove(1).map(|person| (person.name, person.made)), Some(("a".into(), 7)));
        assert_eq!((accounts.claim("c"), accounts.settle("c")), (Claim::Granted, Vec::new()));
        assert_eq!(accounts.claim("a"), Claim::Granted);
    }

    #[test]
    fn a_name_is_found_however_its_letters_are_put_together() {
        let mut accounts = Accounts::new(9);
        accounts.add(1, "andr\u{e9}".into(), hashed(), 0);
        assert_eq!(accounts.named("andre\u{301}"), Some(1));
        assert_eq!((accounts.of_name("andr\u{e9}"), accounts.of_name("andre\u{301}")), (Some(1), None));
    }
}
