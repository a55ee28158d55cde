//! The accounts that are in memory: people by account number, numbers by name, names that no account has, and names
//! that are being registered. Knows nothing of clients: [`super::addresses`] says where somebody is, and
//! [`super::finding`] reads accounts that are not in memory from the store.

use std::collections::{HashMap, HashSet};
use std::net::SocketAddr;
use std::time::Instant;

use super::sessions::Person;
use crate::base::model::{Account, names};
use crate::server::hasher::{Hashed, MOST_JOBS};
use crate::server::limits::{LogLimiter, RecentMap};
use crate::server::store::{AccountId, PersonKey, PersonRecord};

/// The most addresses that may wait for the outcome of one registration.
const RIVALS: usize = 4;
/// How many people are kept in memory; if more are needed at one time, those and a quarter more.
pub(super) const ROOM: usize = 16_384;
/// Unread messages of this many different senders take as much memory as one person.
const SENDERS: usize = 8;

/// The answer to a request to register a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NameClaim {
    /// The name is reserved for this request until its registration is settled.
    Granted,
    /// There is an account of this name.
    Exists,
    /// Somebody else is registering this name now.
    Pending,
    /// The server has as many accounts as it may have, or too many passwords are being hashed.
    Full,
}

/// What is known in memory about a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum NameLookup {
    /// The account of this name is in memory.
    Here(AccountId),
    /// No account has this name.
    Nobody,
    /// Only the store can tell; it is to be asked for this name.
    Unknown(String),
}

impl NameLookup {
    /// Returns the account in memory, or `None` if there is no such account.
    ///
    /// # Errors
    /// The key that the store is to be asked for, if only it can tell.
    pub(super) fn known(self) -> Result<Option<AccountId>, PersonKey> {
        match self {
            Self::Here(id) => Ok(Some(id)),
            Self::Nobody => Ok(None),
            Self::Unknown(name) => Err(PersonKey::Name(name)),
        }
    }
}

/// The accounts that are in memory.
#[derive(Debug)]
pub(super) struct Accounts {
    pub(super) people: HashMap<AccountId, Person>,
    names: HashMap<String, AccountId>,
    /// People whose deletion is not on disk yet.
    deleting: HashMap<AccountId, Person>,
    /// Names of which the store has said that no account has them.
    nobody: RecentMap<String, ()>,
    /// Names that are being registered, each with the other addresses that have asked for it meanwhile.
    pending: HashMap<String, Vec<SocketAddr>>,
    /// How many accounts there are, in memory or not.
    count: usize,
    most: usize,
    refused: LogLimiter,
    /// How many people are to be kept in memory, counted by [`weight`].
    room: usize,
    /// The weight of the people in memory, and the weight above which people are removed.
    weight: usize,
    limit: usize,
    /// Counts the uses of people, so that the least recently used can be found.
    looks: u64,
    /// Counts the passwords of people who were put into memory; see [`Person::nth`].
    passwords: u64,
}

impl Accounts {
    /// Starts with `count` accounts in the store and none in memory. New ones are refused from `most` on; an existing
    /// server may have more already.
    pub(super) fn new(count: usize, most: usize) -> Self {
        Self {
            people: HashMap::new(),
            names: HashMap::new(),
            deleting: HashMap::new(),
            nobody: RecentMap::new(ROOM / 2),
            pending: HashMap::new(),
            count,
            most,
            refused: LogLimiter::default(),
            room: ROOM,
            weight: 0,
            limit: ROOM,
            looks: 0,
            passwords: 0,
        }
    }

    /// Sets how many people are kept in memory; as many names without an account are remembered.
    pub(super) fn set_room(&mut self, room: usize) {
        (self.room, self.limit, self.nobody) = (room, room, RecentMap::new(room.div_ceil(2)));
    }

    /// Looks up a name as it was typed, then with its letters composed (NFC), since keyboards differ in that.
    pub(super) fn find(&self, name: &str) -> NameLookup {
        match self.find_exactly(name) {
            NameLookup::Nobody => match names::composed(name) {
                std::borrow::Cow::Borrowed(_) => NameLookup::Nobody,
                std::borrow::Cow::Owned(composed) => self.find_exactly(&composed),
            },
            found => found,
        }
    }

    /// Looks up a name exactly as it was typed. A text that cannot be a name has no account, and needs no look into the
    /// store.
    pub(super) fn find_exactly(&self, name: &str) -> NameLookup {
        match self.names.get(name) {
            Some(id) => NameLookup::Here(*id),
            None if Account::person(name).is_err() || self.nobody.of(name).is_some() => NameLookup::Nobody,
            None => NameLookup::Unknown(name.to_owned()),
        }
    }

    /// Returns the account of a name, as [`Accounts::find`] does; `None` also if only the store could tell.
    pub(super) fn named(&self, name: &str) -> Option<AccountId> {
        match self.find(name) {
            NameLookup::Here(id) => Some(id),
            NameLookup::Nobody | NameLookup::Unknown(_) => None,
        }
    }

    /// Returns the account in memory that has exactly this name.
    pub(super) fn of_name(&self, name: &str) -> Option<AccountId> {
        self.names.get(name).copied()
    }

    /// Marks a person as just used; the least recently used are removed from memory first.
    pub(super) fn needed(&mut self, id: AccountId) {
        if let Some(person) = self.people.get_mut(&id) {
            self.looks += 1;
            person.used = self.looks;
        }
    }

    /// Notes that the store has no account of this name.
    pub(super) fn nobody_has(&mut self, name: String) {
        self.nobody.note(name, ());
    }

    /// Adds an account that has just been registered. `made` is in seconds since 1970.
    pub(super) fn add(&mut self, id: AccountId, name: String, hashed: Hashed, made: i64) {
        self.count += 1;
        self.come_in(id, Person::new(name, hashed, made));
    }

    /// Counts accounts that have been imported; they are not put into memory.
    pub(super) fn added<'a>(&mut self, names: impl Iterator<Item = &'a str>) {
        for name in names {
            self.count += 1;
            self.nobody.forget(name);
        }
    }

    /// Puts a person into memory as the store has read them.
    pub(super) fn know(&mut self, known: PersonRecord) {
        let PersonRecord { id, name, hashed, settings, status, made, unread, session: _ } = known;
        self.come_in(id, Person { settings, status, unread, ..Person::new(name, hashed, made) });
    }

    fn come_in(&mut self, id: AccountId, person: Person) {
        // A number no earlier person in memory has had, even under the same account.
        self.passwords += 1;
        self.put(id, Person { nth: self.passwords << 32, ..person });
        self.needed(id);
    }

    /// Puts a person into memory, either for the first time or after a failed deletion.
    fn put(&mut self, id: AccountId, person: Person) {
        self.weight += weight(&person);
        self.nobody.forget(person.name.as_str());
        self.names.insert(person.name.clone(), id);
        self.people.insert(id, person);
    }

    /// Removes a person from memory and returns them; `None` if they were not there.
    pub(super) fn remove(&mut self, id: AccountId) -> Option<Person> {
        let person = self.people.remove(&id)?;
        self.weight = self.weight.saturating_sub(weight(&person));
        self.names.remove(&person.name);
        Some(person)
    }

    /// Returns a person in memory, or one whose deletion is not on disk yet: what was stored before the deletion still
    /// counts for them.
    pub(super) fn person(&mut self, id: AccountId) -> Option<&mut Person> {
        self.people.get_mut(&id).or_else(|| self.deleting.get_mut(&id))
    }

    /// Counts one more unread message of this sender; returns its receiver.
    pub(super) fn got(&mut self, id: AccountId, sender: &str) -> Option<&Person> {
        self.change(id, |person| person.get(sender))
    }

    /// Counts `taken` fewer unread messages of this sender.
    pub(super) fn took(&mut self, id: AccountId, sender: &str, taken: u64) {
        self.change(id, |person| person.take(sender, taken));
    }

    /// Changes a person and keeps the total weight right; a person who is being deleted counts for nothing.
    fn change(&mut self, id: AccountId, change: impl FnOnce(&mut Person)) -> Option<&Person> {
        let Some(person) = self.people.get_mut(&id) else {
            let person = self.deleting.get_mut(&id)?;
            change(person);
            return Some(person);
        };
        let before = weight(person);
        change(person);
        self.weight = (self.weight + weight(person)).saturating_sub(before);
        Some(person)
    }

    /// Removes a person whose deletion is being stored; [`Accounts::undelete`] brings them back if that fails.
    pub(super) fn delete(&mut self, id: AccountId) {
        let person = self.remove(id);
        self.deleting.extend(person.map(|person| (id, person)));
    }

    /// Puts a person back whose deletion could not be stored.
    pub(super) fn undelete(&mut self, id: AccountId) {
        if let Some(person) = self.deleting.remove(&id) {
            self.put(id, person);
        }
    }

    /// Forgets a person whose deletion is on disk, and counts one account less.
    pub(super) fn deleted(&mut self, id: AccountId) {
        self.deleting.remove(&id);
        self.count = self.count.saturating_sub(1);
    }

    /// Returns whether people have to be removed from memory.
    pub(super) fn is_crowded(&self) -> bool {
        self.weight > self.limit
    }

    /// Returns the people to be removed from memory: those who are not `needed`, least recently used first, until a
    /// fifth of the room is free, so that this rarely has to be called.
    pub(super) fn too_many(&mut self, needed: &HashSet<AccountId>) -> Vec<AccountId> {
        self.weight = self.people.values().map(weight).sum();
        let mut idle: Vec<_> = self.people.iter().filter(|(id, _)| !needed.contains(id)).collect();
        idle.sort_unstable_by_key(|(_, person)| person.used);
        let (mut left, mut go) = (self.weight, Vec::new());
        let enough = self.room - self.room / 5;
        for (id, person) in idle {
            if left <= enough {
                break;
            }
            left = left.saturating_sub(weight(person));
            go.push(*id);
        }
        // Where more are needed than there is room for, the search is repeated only after a quarter more have come.
        self.limit = if left <= enough { self.room } else { self.room.max(left + left / 4) };
        go
    }

    /// Returns the number of the account's present password ([`Person::nth`]); `None` if the person is not in memory.
    pub(super) fn nth_password(&self, id: AccountId) -> Option<u64> {
        self.people.get(&id).map(|person| person.nth)
    }

    /// Claims a name for a registration. The caller has looked the name up before. Where several servers share a
    /// database the answer may be out of date; the store decides in the end.
    pub(super) fn claim(&mut self, name: &str) -> NameClaim {
        if self.names.contains_key(name) {
            NameClaim::Exists
        } else if self.pending.contains_key(name) {
            NameClaim::Pending
        } else if self.count >= self.most || self.pending.len() >= MOST_JOBS {
            NameClaim::Full
        } else {
            self.pending.insert(name.to_owned(), Vec::new());
            NameClaim::Granted
        }
    }

    /// Lets an address wait for the outcome of a registration in progress; returns false if too many wait already.
    pub(super) fn wait_for(&mut self, name: &str, rival: SocketAddr) -> bool {
        let others = self.pending.get_mut(name).filter(|others| others.len() < RIVALS);
        others.map(|others| others.push(rival)).is_some()
    }

    /// Ends a registration, whatever became of it. Returns the addresses that waited for its outcome.
    pub(super) fn settle(&mut self, name: &str) -> Vec<SocketAddr> {
        // If it was not made, somebody else may have made it; the store is asked again.
        self.nobody.forget(name);
        self.pending.remove(name).unwrap_or_default()
    }

    /// Logs, at most once a minute, that a registration was refused because there is no room.
    pub(super) fn say_full(&mut self, name: &str, now: Instant) {
        if let Some(more) = self.refused.speaks(now) {
            let (count, most) = (self.count, self.most);
            log::warn!("registration of {name} refused: {count} of {most} accounts (and {more} times before)");
        }
    }
}

/// Returns how much memory a person takes, in units of a person with few unread messages.
fn weight(person: &Person) -> usize {
    1 + person.unread.len() / SENDERS
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
        let mut accounts = Accounts::new(0, 2);
        assert_eq!((accounts.claim("a"), accounts.claim("a")), (NameClaim::Granted, NameClaim::Pending));
        let waiting: Vec<bool> = (1..=5).map(|port| accounts.wait_for("a", address(port))).collect();
        assert_eq!(waiting, [true, true, true, true, false]);
        assert!(!accounts.wait_for("b", address(9)), "nobody is registering it");
        accounts.add(1, "a".into(), hashed(), 7);
        assert_eq!(accounts.settle("a"), (1..=4).map(address).collect::<Vec<_>>());
        assert_eq!((accounts.claim("a"), accounts.claim("b")), (NameClaim::Exists, NameClaim::Granted));
        accounts.add(2, "b".into(), hashed(), 8);
        accounts.settle("b");
        assert_eq!(accounts.claim("c"), NameClaim::Full);
        // A name that was given up, and one whose account is gone, can be registered by somebody else.
        assert_eq!(accounts.remove(1).map(|person| (person.name, person.made)), Some(("a".into(), 7)));
        assert_eq!(accounts.claim("c"), NameClaim::Full, "it may only have left the memory");
        accounts.deleted(1);
        assert_eq!((accounts.claim("c"), accounts.settle("c")), (NameClaim::Granted, Vec::new()));
        assert_eq!(accounts.claim("a"), NameClaim::Granted);
    }

    #[test]
    fn a_name_is_found_however_its_letters_are_put_together() {
        let mut accounts = Accounts::new(0, 9);
        accounts.add(1, "andr\u{e9}".into(), hashed(), 0);
        assert_eq!(accounts.named("andre\u{301}"), None, "somebody who is not here may be called just so");
        accounts.nobody_has("andre\u{301}".into());
        assert_eq!(accounts.named("andre\u{301}"), Some(1));
        assert_eq!((accounts.of_name("andr\u{e9}"), accounts.of_name("andre\u{301}")), (Some(1), None));
    }

    #[test]
    fn who_was_not_needed_longest_goes_first_and_who_has_much_goes_for_many() {
        let mut accounts = Accounts::new(100, 100);
        accounts.set_room(4);
        let known = |id: AccountId, senders: usize| PersonRecord {
            id,
            name: format!("n{id}"),
            hashed: hashed(),
            settings: Default::default(),
            status: Default::default(),
            made: 0,
            unread: (0..senders).map(|n| (format!("s{n}"), 1)).collect(),
            session: None,
        };
        for id in 1..=4 {
            accounts.know(known(id, 0));
        }
        assert!(!accounts.is_crowded());
        accounts.know(known(5, 0));
        accounts.needed(1);
        assert!(accounts.is_crowded());
        assert_eq!(accounts.too_many(&HashSet::new()), [2]);
        assert_eq!(accounts.too_many(&HashSet::from([2])), [3], "never who is needed");
        accounts.remove(3);
        // Unread messages of many senders take as much room as many people.
        accounts.know(known(6, 20));
        assert_eq!(accounts.too_many(&HashSet::from([6])), [2, 4, 5]);
        // Where more are needed than there is room for, the next search comes when there are some more.
        let all: HashSet<_> = (1..=40).collect();
        for id in 7..=40 {
            accounts.know(known(id, 0));
        }
        assert!(accounts.too_many(&all).is_empty());
        assert!(!accounts.is_crowded());
        (41..=60).for_each(|id| accounts.know(known(id, 0)));
        assert!(accounts.is_crowded());
    }

    #[test]
    fn there_are_never_more_than_there_is_room_for_whatever_comes_later() {
        let mut accounts = Accounts::new(1_000, 1_000);
        accounts.set_room(100);
        let mut most = 0;
        for id in 1..=1_000 {
            accounts.add(id, format!("n{id}"), hashed(), 0);
            if accounts.is_crowded() {
                let go = accounts.too_many(&HashSet::new());
                assert_eq!(go.len(), 21, "some at once");
                go.into_iter().for_each(|id| drop(accounts.remove(id)));
            }
            most = most.max(accounts.people.len());
        }
        assert_eq!(most, 100);
        // Mail of many senders takes room when it comes, and none when it is taken.
        let before = accounts.weight;
        for n in 0..10 * SENDERS {
            assert!(accounts.got(1_000, &format!("s{n}")).is_some());
            accounts.got(1_000, "s0");
        }
        assert_eq!((accounts.weight, accounts.weight), (before + 10, accounts.people.values().map(weight).sum()));
        (0..10 * SENDERS).for_each(|n| accounts.took(1_000, &format!("s{n}"), 99));
        assert_eq!(accounts.weight, before);
        // Nor does the weight change for people who are being deleted, until that is undone.
        accounts.delete(1_000);
        assert!((0..SENDERS).all(|n| accounts.got(1_000, &format!("s{n}")).is_some()));
        assert_eq!(accounts.weight, before - 1);
        accounts.undelete(1_000);
        assert_eq!(accounts.weight, before + 1);
    }

    #[test]
    fn what_nobody_is_called_is_remembered_until_somebody_is() {
        let mut accounts = Accounts::new(0, 9);
        assert_eq!(accounts.find_exactly("a"), NameLookup::Unknown("a".into()));
        assert_eq!(accounts.find("andre\u{301}"), NameLookup::Unknown("andre\u{301}".into()), "as it was typed first");
        accounts.nobody_has("andre\u{301}".into());
        assert_eq!(accounts.find("andre\u{301}"), NameLookup::Unknown("andr\u{e9}".into()));
        accounts.nobody_has("andr\u{e9}".into());
        assert_eq!(accounts.find("andre\u{301}"), NameLookup::Nobody);
        // Nothing that cannot be a name is looked for.
        for odd in ["@lobby", "", "a#b", &"x".repeat(65)] {
            assert_eq!(accounts.find(odd), NameLookup::Nobody, "{odd:?}");
        }
        accounts.add(1, "andr\u{e9}".into(), hashed(), 0);
        assert_eq!(accounts.find("andre\u{301}"), NameLookup::Here(1));
        accounts.remove(1);
        assert_eq!(
            accounts.find_exactly("andr\u{e9}"),
            NameLookup::Unknown("andr\u{e9}".into()),
            "it may only have left the memory"
        );
        // Nor of a list, nor while it is registered.
        for name in ["b", "c"] {
            accounts.nobody_has(name.into());
        }
        assert_eq!(accounts.claim("c"), NameClaim::Granted);
        accounts.added(["b"].into_iter());
        accounts.settle("c");
        assert_eq!(
            (accounts.find("b"), accounts.find("c")),
            (NameLookup::Unknown("b".into()), NameLookup::Unknown("c".into()))
        );
    }
}
