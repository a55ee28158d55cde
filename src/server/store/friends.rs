//! Friends: who asked whom, who accepted, and who declined (the secure dialect, "Friends"). All of it is stored in the
//! items of both accounts, and changes in one transaction so that the two never disagree. Nobody learns that they are
//! blocked: their request stays among their own items like any other, but is not entered into the other's.

use rusqlite::{Connection, Error};
use serde::Serialize;

use super::items::{self, Put};
use super::{AccountId, Done, profiles};
use crate::protocol::wire::item::{Contact, Friend, Kind, MayAsk, Request, written};

/// The most requests that wait for one account's answer, and that one account may have waiting.
const WAITING: i64 = 500;

/// One of the two accounts of a friendship or a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Party {
    /// The account's row.
    pub id: AccountId,
    /// The account's name, which is the key in the other's items.
    pub name: String,
}

/// The outcome of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The request has been carried out.
    Done,
    /// The two are friends already.
    AlreadyFriends,
    /// The other account takes no requests.
    NotWanted,
    /// The request needs the answer to this question.
    Question(String),
    /// The answer to the question is wrong.
    WrongAnswer,
    /// An account has as many items or requests as it may have.
    TooMany,
}

/// A request to be friends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Befriend {
    /// The account that asks.
    pub who: Party,
    /// The account that is asked.
    pub other: Party,
    /// The text that the asker adds.
    pub text: String,
    /// The asker's answer to the other's question, if any.
    pub answer: Option<String>,
    /// The time, in seconds since 1970.
    pub at: i64,
}

/// Stores a request. If the other has asked too, the two become friends.
pub(super) fn befriend(c: &Connection, job: u64, asked: &Befriend) -> Result<Done, Error> {
    let Befriend { who, other, text, answer, at } = asked;
    let mut change = Change::new(c);
    let outcome = 'outcome: {
        if items::value(c, who.id, Kind::Friend, &other.name)?.is_some() {
            break 'outcome Outcome::AlreadyFriends;
        }
        if items::value(c, who.id, Kind::Asked, &other.name)?.is_some() {
            break 'outcome change.befriends(who, other, *at)?;
        }
        match may_ask(c, other.id)? {
            MayAsk::Everybody => {}
            MayAsk::Nobody => break 'outcome Outcome::NotWanted,
            MayAsk::Question { question, answer: right } => match answer {
                None => break 'outcome Outcome::Question(question),
                Some(answer) if is_answer(answer, &right) => {}
                Some(_) => break 'outcome Outcome::WrongAnswer,
            },
        }
        let request = |profile| Request { at: *at, text: text.clone(), declined: false, profile };
        let again = items::value(c, who.id, Kind::Asking, &other.name)?.is_some();
        if !again && items::count(c, who.id, Kind::Asking, WAITING)? >= WAITING {
            break 'outcome Outcome::TooMany;
        }
        let asking = request(profiles::of(c, other.id)?);
        if let Outcome::TooMany = change.put(who, Kind::Asking, other, Some(&asking))? {
            break 'outcome Outcome::TooMany;
        }
        // The asker does not learn whether there was room, or whether they are blocked.
        let blocked = items::value(c, other.id, Kind::Blocked, &who.name)?.is_some();
        if !blocked && items::count(c, other.id, Kind::Asked, WAITING)? < WAITING {
            change.put(other, Kind::Asked, who, Some(&request(profiles::of(c, who.id)?)))?;
        }
        Outcome::Done
    };
    Ok(change.done(job, outcome))
}

/// Accepts or declines a request; does nothing if it was withdrawn.
pub(super) fn answer(
    c: &Connection,
    job: u64,
    (who, other): (&Party, &Party),
    accept: bool,
    at: i64,
) -> Result<Done, Error> {
    let mut change = Change::new(c);
    let mut outcome = Outcome::Done;
    if let Some(asked) = items::value(c, who.id, Kind::Asked, &other.name)? {
        if accept {
            outcome = change.befriends(who, other, at)?;
        } else {
            change.put(who, Kind::Asked, other, None::<&Request>)?;
            let asked: Request = serde_json::from_str(&asked).unwrap_or_default();
            if items::value(c, other.id, Kind::Asking, &who.name)?.is_some() {
                let profile = profiles::of(c, who.id)?;
                change.put(other, Kind::Asking, who, Some(&Request { declined: true, profile, ..asked }))?;
            }
        }
    }
    Ok(change.done(job, outcome))
}

/// Ends a friendship and withdraws requests between the two, whatever there is.
pub(super) fn unfriend(c: &Connection, job: u64, (who, other): (&Party, &Party)) -> Result<Done, Error> {
    let mut change = Change::new(c);
    for (of, kind, about) in
        [(who, Kind::Friend, other), (other, Kind::Friend, who), (who, Kind::Asking, other), (other, Kind::Asked, who)]
    {
        change.put(of, kind, about, None::<&Request>)?;
    }
    Ok(change.done(job, Outcome::Done))
}

fn may_ask(c: &Connection, account: AccountId) -> Result<MayAsk, Error> {
    let value = items::value(c, account, Kind::MayAsk, "")?;
    Ok(value.and_then(|value| serde_json::from_str(&value).ok()).unwrap_or(MayAsk::Everybody))
}

/// Returns whether an answer is right; case, width of letters and surrounding blanks do not count.
fn is_answer(given: &str, right: &str) -> bool {
    let plain = |text: &str| crate::base::fold::fold(text.trim());
    plain(given) == plain(right)
}

/// Gathers the changes that one request makes.
struct Change<'a> {
    c: &'a Connection,
    lists: Vec<AccountId>,
}

impl<'a> Change<'a> {
    fn new(c: &'a Connection) -> Self {
        Self { c, lists: Vec::new() }
    }

    fn put<T: Serialize>(
        &mut self,
        of: &Party,
        kind: Kind,
        about: &Party,
        value: Option<&T>,
    ) -> Result<Outcome, Error> {
        let value = value.and_then(|value| written(value).ok()).map(|value| value.to_string());
        let other = value.is_some().then_some(about.id);
        match items::put(self.c, of.id, (kind.name(), &about.name), value.as_deref(), other)? {
            Put::Changed => self.lists.push(of.id),
            Put::Same => {}
            Put::TooMany => return Ok(Outcome::TooMany),
        }
        Ok(Outcome::Done)
    }

    /// Makes two accounts friends, who then are in each other's contact list.
    fn befriends(&mut self, who: &Party, other: &Party, since: i64) -> Result<Outcome, Error> {
        // Checked before anything is changed, so that either both change or neither.
        for (of, about) in [(who, other), (other, who)] {
            let room = 2 + i64::from(items::value(self.c, of.id, Kind::Contact, &about.name)?.is_none());
            if !items::has_room(self.c, of.id, room)? {
                return Ok(Outcome::TooMany);
            }
        }
        for (of, about) in [(who, other), (other, who)] {
            self.put(of, Kind::Asked, about, None::<&Request>)?;
            self.put(of, Kind::Asking, about, None::<&Request>)?;
            let profile = profiles::of(self.c, about.id)?;
            self.put(of, Kind::Friend, about, Some(&Friend { since, profile }))?;
            // A contact belongs to its owner and stays when the other account is deleted; so the item is about no
            // account.
            if items::value(self.c, of.id, Kind::Contact, &about.name)?.is_none() {
                let contact = written(&Contact::default()).map(|value| value.to_string()).unwrap_or_default();
                let key = (Kind::Contact.name(), about.name.as_str());
                if items::put(self.c, of.id, key, Some(&contact), None)? == Put::Changed {
                    self.lists.push(of.id);
                }
            }
        }
        Ok(Outcome::Done)
    }

    fn done(mut self, job: u64, outcome: Outcome) -> Done {
        self.lists.sort_unstable();
        self.lists.dedup();
        Done::Changed { job, outcome, lists: self.lists, delivered: Vec::new() }
    }
}

#[cfg(test)]
mod tests;
