//! The accounts that are in memory: people by their number, numbers by their name, names that nobody has, and those that are
//! being registered. Knows nothing of who asks: where somebody is says [`super::addresses`]. Who is not here is looked for by
//! [`super::finding`].

use std::collections::{HashMap, HashSet};
use std::net::SocketAddr;
use std::time::Instant;

use super::sessions::Person;
use crate::base::model::{Account, names};
use crate::server::hasher::{Hashed, MOST_JOBS};
use crate::server::limits::{LogLimiter, RecentMap};
use crate::server::store::{AccountId, PersonKey, PersonRecord};

/// Most addresses that wait for one name.
const RIVALS: usize = 4;
/// For so many people there is room; where more are needed just now, for these and a quarter more.
pub(super) const ROOM: usize = 16_384;
/// Unread messages of so many different senders take as much room as a person.
const SENDERS: usize = 8;

/// Whether a name may be registered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NameClaim {
    /// It may, and nobody else may until it is settled.
    Granted,
    /// There is an account of this name.
    Exists,
    /// Somebody is registering it just now.
    Pending,
    /// There are as many accounts as there may be, or too many passwords are being hashed.
    Full,
}

/// What is known of a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum NameLookup {
    /// Whose it is.
    Here(AccountId),
    /// There is no such account.
    Nobody,
    /// The store is to be asked for this name.
    Unknown(String),
}

impl NameLookup {
    /// Who is needed, of those who are here.
    ///
    /// # Errors
    /// Whom the store is to be asked for.
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
    /// Whose deletion is not on disk yet.
    deleting: HashMap<AccountId, Person>,
    /// Names that nobody has.
    nobody: RecentMap<String, ()>,
    /// Names being registered, and who else asks for the same one meanwhile.
    pending: HashMap<String, Vec<SocketAddr>>,
    /// How many accounts there are, here or not.
    count: usize,
    most: usize,
    refused: LogLimiter,
    /// For so much there is room.
    room: usize,
    /// How much there is, and how much there may be until it is looked at whom to let go of.
    weight: usize,
    limit: usize,
    /// Counts the looks at somebody, so that it is known who was not needed longest.
    looks: u64,
    /// Passwords of people who came in here; see [`Person::nth`].
    passwords: u64,
}

impl Accounts {
    /// There are `count` accounts, none of them here yet. At most `most` there may be; of those that are there already
    /// there may be more.
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

    /// There is room for so many people, and as many names that nobody has.
    pub(super) fn set_room(&mut self, room: usize) {
        (self.room, self.limit, self.nobody) = (room, room, RecentMap::new(room.div_ceil(2)));
    }

    /// Whose name this is: as it was typed, or with its letters put together, since keyboards differ in that.
    pub(super) fn find(&self, name: &str) -> NameLookup {
        match self.find_exactly(name) {
            NameLookup::Nobody => match names::composed(name) {
                std::borrow::Cow::Borrowed(_) => NameLookup::Nobody,
                std::borrow::Cow::Owned(composed) => self.find_exactly(&composed),
            },
            found => found,
        }
    }

    /// Whose name this is, as it was typed. What cannot be a name is nobody's without a look.
    pub(super) fn find_exactly(&self, name: &str) -> NameLookup {
        match self.names.get(name) {
            Some(id) => NameLookup::Here(*id),
            None if Account::person(name).is_err() || self.nobody.of(name).is_some() => NameLookup::Nobody,
            None => NameLookup::Unknown(name.to_owned()),
        }
    }

    /// Whose name this is, if they are here; of nobody whom the store would have to be asked for.
    pub(super) fn named(&self, name: &str) -> Option<AccountId> {
        match self.find(name) {
            NameLookup::Here(id) => Some(id),
            NameLookup::Nobody | NameLookup::Unknown(_) => None,
        }
    }

    /// Whose name this is, of somebody who is here, as it was typed.
    pub(super) fn of_name(&self, name: &str) -> Option<AccountId> {
        self.names.get(name).copied()
    }

    /// Somebody is needed: who is not goes first.
    pub(super) fn needed(&mut self, id: AccountId) {
        if let Some(person) = self.people.get_mut(&id) {
            self.looks += 1;
            person.used = self.looks;
        }
    }

    /// The store has been asked, and nobody has this name.
    pub(super) fn nobody_has(&mut self, name: String) {
        self.nobody.note(name, ());
    }

    /// There is an account more.
    pub(super) fn add(&mut self, id: AccountId, name: String, hashed: Hashed, made: i64) {
        self.count += 1;
        self.come_in(id, Person::new(name, hashed, made));
    }

    /// There are accounts more, which are not here.
    pub(super) fn added<'a>(&mut self, names: impl Iterator<Item = &'a str>) {
        for name in names {
            self.count += 1;
            self.nobody.forget(name);
        }
    }

    /// Whoever the store has found is here from now on.
    pub(super) fn know(&mut self, known: PersonRecord) {
        let PersonRecord { id, name, hashed, settings, made, unread, session: _ } = known;
        self.come_in(id, Person { settings, unread, ..Person::new(name, hashed, made) });
    }

    fn come_in(&mut self, id: AccountId, person: Person) {
        // No password of anybody who was here before has this number, whoever had the account's.
        self.passwords += 1;
        self.put(id, Person { nth: self.passwords << 32, ..person });
        self.needed(id);
    }

    /// Somebody is here, or is again, as they were.
    fn put(&mut self, id: AccountId, person: Person) {
        self.weight += weight(&person);
        self.nobody.forget(person.name.as_str());
        self.names.insert(person.name.clone(), id);
        self.people.insert(id, person);
    }

    /// Somebody is not here any more; who it was.
    pub(super) fn remove(&mut self, id: AccountId) -> Option<Person> {
        let person = self.people.remove(&id)?;
        self.weight = self.weight.saturating_sub(weight(&person));
        self.names.remove(&person.name);
        Some(person)
    }

    /// Somebody who is here, or whose deletion is not on disk yet: what was stored before it counts until then.
    pub(super) fn person(&mut self, id: AccountId) -> Option<&mut Person> {
        self.people.get_mut(&id).or_else(|| self.deleting.get_mut(&id))
    }

    /// A message of this sender lies in somebody's mailbox; whose it is.
    pub(super) fn got(&mut self, id: AccountId, sender: &str) -> Option<&Person> {
        self.change(id, |person| person.get(sender))
    }

    /// So many messages of this sender do no more.
    pub(super) fn took(&mut self, id: AccountId, sender: &str, taken: u64) {
        self.change(id, |person| person.take(sender, taken));
    }

    /// Somebody has more or less from now on; what is being deleted has no weight.
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

    /// Somebody is not here any more, if that can be stored.
    pub(super) fn delete(&mut self, id: AccountId) {
        let person = self.remove(id);
        self.deleting.extend(person.map(|person| (id, person)));
    }

    /// It could not.
    pub(super) fn undelete(&mut self, id: AccountId) {
        if let Some(person) = self.deleting.remove(&id) {
            self.put(id, person);
        }
    }

    /// It is: there is an account less.
    pub(super) fn deleted(&mut self, id: AccountId) {
        self.deleting.remove(&id);
        self.count = self.count.saturating_sub(1);
    }

    /// Whether somebody has to go.
    pub(super) fn is_crowded(&self) -> bool {
        self.weight > self.limit
    }

    /// Those who are to go, if all who are not `needed` may: who was not needed longest first, until there is room for a fifth
    /// more, so that this is seldom asked.
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
        // Where more are needed than there is room for, they are looked through seldom all the same.
        self.limit = if left <= enough { self.room } else { self.room.max(left + left / 4) };
        go
    }

    /// Which of its passwords an account has now; none if it is gone.
    pub(super) fn nth_password(&self, id: AccountId) -> Option<u64> {
        self.people.get(&id).map(|person| person.nth)
    }

    /// Somebody wants to register this name, and it is known whether somebody has it. What that says may be old where several
    /// servers share a database; the store has the last word.
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

    /// An address waits to hear what becomes of a name that is pending; false if too many do.
    pub(super) fn wait_for(&mut self, name: &str, rival: SocketAddr) -> bool {
        let others = self.pending.get_mut(name).filter(|others| others.len() < RIVALS);
        others.map(|others| others.push(rival)).is_some()
    }

    /// A registration is on disk, or is not; who waits to hear that.
    pub(super) fn settle(&mut self, name: &str) -> Vec<SocketAddr> {
        // If it was not made, somebody else may have made it; the store is asked again.
        self.nobody.forget(name);
        self.pending.remove(name).unwrap_or_default()
    }

    /// Writes into the log, but seldom, that a name was refused because there is no room.
    pub(super) fn say_full(&mut self, name: &str, now: Instant) {
        if let Some(more) = self.refused.speaks(now) {
            let (count, most) = (self.count, self.most);
            log::warn!("registration of {name} refused: {count} of {most} accounts (and {more} times before)");
        }
    }
}

/// How much room somebody takes.
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
        // Of a name that was given up, and of an account that is gone, somebody else may be the next.
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
        // Where more are needed than there is room for, it is looked again when there are some more.
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
        // Nor of whoever is being deleted, until that is taken back.
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
