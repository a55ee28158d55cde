//! The search for people: by the beginning of their account, by a part of the name in their profile, and by how that
//! sounds (the secure dialect, "Finding people").
//!
//! What a search compares is in memory, since looking through the database would take too long: for each account 32
//! bytes and both texts, together about 64 bytes and never more than about 350. It is read when somebody searches for
//! the first time, piece by piece, so that operations that are to be stored do not wait for it, and brought up to date
//! after each commit. The profiles of those who are found are read from the database.

use std::cell::{Cell, RefCell};
use std::collections::BinaryHeap;

use rusqlite::{Connection, Error, OptionalExtension, Row, params};

use super::{AccountId, profiles};
use crate::base::fold::fold;
use crate::base::model::names;
use crate::base::pinyin::{Place, Typed, letters};
use crate::protocol::wire::frame::PEOPLE;
use crate::protocol::wire::item::{Card, Profile};

/// How many accounts are read in one piece, which takes a few milliseconds.
const PIECE: usize = 2_048;
/// The most bytes that are kept of a folded account and of a folded name. Only texts that grow much by folding have
/// more.
const KEPT: usize = 128;

/// The result of a search.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// The people that were found, at most [`PEOPLE`], best first: the account itself, accounts that begin like this,
    /// names that are equal, names that begin like this, names that contain it; within each of these in the order of
    /// accounts.
    pub people: Vec<Card>,
    /// Whether there are others.
    pub more: bool,
}

/// How well an account matches; lower is better.
type Rank = u8;

/// An account as a search compares it.
#[derive(Debug)]
struct Entry {
    id: AccountId,
    /// The account followed by the name, both folded.
    texts: Box<str>,
    /// The byte at which the name begins in `texts`.
    name_at: u16,
    /// The letters with which the name's pinyin can begin: see [`letters`].
    letters: u32,
}

/// What searches compare, as far as it has been read.
#[derive(Debug)]
pub(super) struct Directory {
    /// Whether the directory is open; otherwise only whole accounts are found.
    open: bool,
    /// The accounts that have been read, in the order of their rows.
    people: RefCell<Vec<Entry>>,
    /// Accounts up to this row have been read.
    upto: Cell<AccountId>,
    /// Whether there are no accounts after `upto`.
    complete: Cell<bool>,
    /// Whether accounts were read in the current transaction.
    reading: Cell<bool>,
    /// The accounts that the current transaction makes, changes or deletes.
    changed: RefCell<Vec<AccountId>>,
}

impl Default for Directory {
    fn default() -> Self {
        Self {
            open: true,
            people: RefCell::default(),
            upto: Cell::new(0),
            complete: Cell::new(false),
            reading: Cell::new(false),
            changed: RefCell::default(),
        }
    }
}

impl Directory {
    /// Opens or closes the directory.
    pub(super) fn set_open(&mut self, open: bool) {
        self.open = open;
    }

    /// Notes that the current transaction makes, renames or deletes this account.
    pub(super) fn change(&self, account: AccountId) {
        if self.open {
            self.changed.borrow_mut().push(account);
        }
    }

    /// Called after a commit: reads the accounts again that it has changed.
    pub(super) fn committed(&self, c: &Connection) {
        self.reading.set(false);
        for account in self.changed.take() {
            if account > self.upto.get() {
                // A new account is read by the next search.
                self.complete.set(false);
            } else if let Err(error) = self.read_again(c, account) {
                log::warn!("the directory is read anew: {error}");
                return self.forget();
            }
        }
    }

    /// Called after a failed transaction: forgets what was noted and read in it.
    pub(super) fn rolled_back(&self) {
        self.changed.borrow_mut().clear();
        if self.reading.replace(false) {
            self.forget();
        }
    }

    /// Forgets everything; called when another connection has written to the database.
    pub(super) fn forget(&self) {
        self.people.take();
        self.upto.set(0);
        self.complete.set(false);
    }

    fn read_again(&self, c: &Connection, account: AccountId) -> Result<(), Error> {
        let name = "SELECT name FROM accounts WHERE id = ?";
        let name: Option<String> = c.prepare_cached(name)?.query_row([account], |row| row.get(0)).optional()?;
        let entry = name.map(|name| Ok::<_, Error>(Entry::new(account, &name, &profiles::of(c, account)?.name)));
        let mut people = self.people.borrow_mut();
        match (people.binary_search_by_key(&account, |entry| entry.id), entry.transpose()?) {
            (Ok(at), Some(entry)) => people.splice(at..=at, [entry]).for_each(drop),
            (Ok(at), None) => drop(people.remove(at)),
            (Err(at), Some(entry)) => people.insert(at, entry),
            (Err(_), None) => {}
        }
        Ok(())
    }

    /// Reads the next piece.
    fn read_on(&self, c: &Connection) -> Result<(), Error> {
        self.reading.set(true);
        let mut query = c.prepare_cached(
            "SELECT a.id, a.name, i.value FROM accounts a
             LEFT JOIN items i INDEXED BY profiles ON i.account = a.id AND i.kind = 'profile' AND i.value IS NOT NULL
             WHERE a.id > ? ORDER BY a.id LIMIT ?",
        )?;
        let piece = i64::try_from(PIECE).unwrap_or(i64::MAX);
        let read = |row: &Row<'_>| {
            let value: Option<String> = row.get("value")?;
            let profile = value.and_then(|value| serde_json::from_str::<Profile>(&value).ok()).unwrap_or_default();
            Ok(Entry::new(row.get("id")?, row.get_ref("name")?.as_str()?, &profile.name))
        };
        let rows = query.query_map(params![self.upto.get(), piece], read)?.collect::<Result<Vec<_>, _>>()?;
        self.complete.set(rows.len() < PIECE);
        self.upto.set(rows.last().map_or(self.upto.get(), |entry| entry.id));
        self.people.borrow_mut().extend(rows);
        Ok(())
    }

    /// Searches for people. Returns `None` if accounts remain to be read; the search is to be repeated then.
    pub(super) fn find(&self, c: &Connection, text: &str) -> Result<Option<Found>, Error> {
        if !self.open {
            let people = profiles::cards(c, &[text.to_owned()])?;
            return Ok(Some(Found { people, more: false }));
        }
        if !self.complete.get() {
            self.read_on(c)?;
        }
        if !self.complete.get() {
            return Ok(None);
        }
        let (found, more) = self.best(&fold(text));
        let mut people = Vec::with_capacity(found.len());
        let mut query = c.prepare_cached("SELECT name FROM accounts WHERE id = ?")?;
        for id in found {
            if let Some(account) = query.query_row([id], |row| row.get(0)).optional()? {
                people.push(Card { account, profile: profiles::of(c, id)? });
            }
        }
        Ok(Some(Found { people, more }))
    }

    /// Returns the rows of the best matches, and whether there are others.
    fn best(&self, folded: &str) -> (Vec<AccountId>, bool) {
        let people = self.people.borrow();
        let typed = Typed::new(folded);
        let mut best: BinaryHeap<(Rank, &str, AccountId)> = BinaryHeap::with_capacity(PEOPLE + 1);
        let mut more = false;
        for entry in people.iter() {
            let Some(rank) = entry.rank(folded, typed.as_ref()) else { continue };
            let one = (rank, entry.account(), entry.id);
            if best.len() < PEOPLE {
                best.push(one);
                continue;
            }
            more = true;
            if let Some(mut worst) = best.peek_mut().filter(|worst| one < **worst) {
                *worst = one;
            }
        }
        (best.into_sorted_vec().into_iter().map(|(_, _, id)| id).collect(), more)
    }
}

impl Entry {
    fn new(id: AccountId, account: &str, name: &str) -> Self {
        let account = kept(fold(account));
        let name = kept(fold(&names::tidy(name)));
        let texts = format!("{account}{name}").into_boxed_str();
        Self { id, texts, name_at: u16::try_from(account.len()).unwrap_or(0), letters: letters(&name) }
    }

    fn account(&self) -> &str {
        self.texts.get(..usize::from(self.name_at)).unwrap_or_default()
    }

    fn name(&self) -> &str {
        self.texts.get(usize::from(self.name_at)..).unwrap_or_default()
    }

    /// Returns how well the account matches; `None` if it does not.
    fn rank(&self, folded: &str, typed: Option<&Typed>) -> Option<Rank> {
        let (account, name) = (self.account(), self.name());
        if account.starts_with(folded) {
            return Some(if account.len() == folded.len() { 0 } else { 1 });
        }
        let stands = match name.starts_with(folded) {
            true if name.len() == folded.len() => return Some(2),
            true => return Some(3),
            false => name.len() > folded.len() && name.contains(folded),
        };
        let place = typed.filter(|typed| typed.may_match(self.letters)).and_then(|typed| typed.place(name));
        match place {
            Some(Place::Start) => Some(3),
            Some(Place::Within) => Some(4),
            None => stands.then_some(4),
        }
    }
}

/// Cuts a text to the bytes that are kept of it.
fn kept(mut text: String) -> String {
    let end = text.char_indices().map(|(at, c)| at + c.len_utf8()).take_while(|end| *end <= KEPT).last().unwrap_or(0);
    text.truncate(end);
    text
}

#[cfg(test)]
mod tests;
