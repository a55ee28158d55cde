//! The table of questions: what a person asks of the server under a number, to be answered once.
//!
//! A new question is a variant of [`Question`]; the compiler then asks for its frame ([`Question::frame`]), its
//! properties ([`Question::terms`]), and what its answer or refusal ([`Question::answered`]) and silence
//! ([`Question::unanswered`]) mean. Asking again on the next connection, counting what is unanswered, giving up and
//! clearing follow from that, here and nowhere else. Logins, pings and messages are not such questions: they have
//! states of their own.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use crate::base::model::{Account, Password, names};
use crate::client::session::{AccountChange, Event, FriendOutcome, FriendRequest, LookUpResult, RegisterOutcome};
use crate::protocol::wire::frame::{AccountSettings, Code, FromClient, Past, Reason, Secret};
use crate::protocol::wire::item::Card;
use crate::protocol::wire::reply::Registered;

/// A question that the user asks of the server.
#[derive(Debug)]
pub(super) enum Question {
    /// Asks for a new account.
    Register { account: Account, password: Password, name: String },
    /// Asks for the `count` newest messages of a conversation that are older than the row `before`.
    History { peer: Account, before: Option<u64>, count: u32 },
    /// Asks for the account's settings, after this change if there is one.
    AccountSettings(Option<AccountChange>),
    /// Asks whether there is such an account.
    LookUp(Account),
    /// Asks who these accounts are.
    People(Vec<Account>),
    /// Looks for people whose account or name this may be.
    Find(String),
    /// Becoming friends with an account, or ending that.
    Friend { account: Account, request: FriendRequest },
}

/// An answer of the server to a question.
#[derive(Debug)]
pub(super) enum Answer {
    /// The question was refused.
    Refused(Code, Option<Reason>),
    /// The account was made.
    Registered,
    /// A page of messages, and whether there are older ones.
    History(Vec<Past>, bool),
    /// The account's present settings.
    AccountSettings(AccountSettings),
    /// There is such an account, which is spelt like this.
    There(Account),
    /// Who accounts are.
    People(Vec<Card>),
    /// Who was found, and whether there are more.
    Found(Vec<Card>, bool),
    /// It is done, and on the server's disk.
    Done,
    /// The account is to be asked with the answer to this question.
    Question(String),
}

/// How long an answer may take; after that the question is reported as unanswered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Patience {
    /// As long as a login's, which depends on what has been heard from the server; see [`Questions::due`].
    AsALogin,
    /// This long from when it was asked, whether or not there is a connection.
    For(Duration),
    /// This long from when it was sent; before that it waits for a connection.
    OnceSent(Duration),
    /// As long as the login lasts.
    AsLongAsItTakes,
}

/// The properties of a question: its row of the table in [`Question::terms`].
#[derive(Debug, Clone, Copy)]
struct Terms {
    /// Whether it is only asked while somebody is logged in, and ends with the login.
    needs_login: bool,
    patience: Patience,
    /// Whether every server of this dialect knows it, so that silence means that the server is silent.
    known_to_all: bool,
    /// Whether it replaces an open question of the same kind.
    one_at_a_time: bool,
}

impl Question {
    fn frame(&self, id: u64) -> FromClient {
        match self {
            Self::Register { account, password, name } => {
                let (account, password) = (account.as_str().to_owned(), Secret(password.reveal().to_owned()));
                let name = Some(name.clone()).filter(|name| !name.is_empty());
                FromClient::Register { id, account, password, name }
            }
            Self::History { peer, before, count } => {
                FromClient::History { id, peer: peer.as_str().to_owned(), before: *before, count: *count }
            }
            Self::AccountSettings(None) => FromClient::AccountSettings { id },
            Self::AccountSettings(Some(AccountChange::Beside(beside))) => {
                FromClient::SetDevices { id, beside: *beside }
            }
            Self::AccountSettings(Some(AccountChange::SecureOnly(on))) => FromClient::SetSecureOnly { id, on: *on },
            Self::LookUp(account) => FromClient::LookUp { id, account: account.as_str().to_owned() },
            Self::People(accounts) => {
                let accounts = accounts.iter().map(|account| account.as_str().to_owned()).collect();
                FromClient::People { id, accounts }
            }
            Self::Find(text) => FromClient::Find { id, text: text.clone() },
            Self::Friend { account, request } => {
                let account = account.as_str().to_owned();
                match request.clone() {
                    FriendRequest::Ask { text, answer } => FromClient::Befriend { id, account, text, answer },
                    FriendRequest::Accept => FromClient::AnswerFriend { id, account, accept: true },
                    FriendRequest::Decline => FromClient::AnswerFriend { id, account, accept: false },
                    FriendRequest::End => FromClient::Unfriend { id, account },
                }
            }
        }
    }

    fn terms(&self) -> Terms {
        let patience = Patience::AsLongAsItTakes;
        let usual = Terms { needs_login: true, patience, known_to_all: true, one_at_a_time: false };
        // Earlier versions of our server do not answer these.
        let later = |patience| Terms { patience, known_to_all: false, ..usual };
        match self {
            Self::Register { .. } => {
                Terms { needs_login: false, patience: Patience::AsALogin, one_at_a_time: true, ..usual }
            }
            Self::History { .. } => usual,
            // A change is worth waiting for a connection.
            // What was typed since counts.
            Self::Find(_) => Terms { one_at_a_time: true, ..later(Patience::OnceSent(Duration::from_secs(5))) },
            Self::AccountSettings(_) | Self::Friend { .. } | Self::People(_) => {
                later(Patience::OnceSent(Duration::from_secs(10)))
            }
            Self::LookUp(_) => later(Patience::For(Duration::from_secs(5))),
        }
    }

    fn is_like(&self, other: &Self) -> bool {
        std::mem::discriminant(self) == std::mem::discriminant(other)
    }

    /// Returns the event for an answer; `None` if that cannot answer this question. `times` is how often it was asked.
    fn answered(&self, answer: Answer, times: u32) -> Option<Event> {
        match self {
            Self::Register { .. } => {
                let answered = |reply| RegisterOutcome::Answered { reply, after_timeout: times > 1 };
                let outcome = match answer {
                    Answer::Registered => answered(Registered::Done),
                    Answer::Refused(Code::AccountExists, _) => answered(Registered::AccountExists),
                    Answer::Refused(Code::TryLater, why) => RegisterOutcome::TryLater(why),
                    Answer::Refused(..) => RegisterOutcome::NotUnderstood,
                    Answer::History(..)
                    | Answer::AccountSettings(_)
                    | Answer::There(_)
                    | Answer::People(_)
                    | Answer::Found(..)
                    | Answer::Done
                    | Answer::Question(_) => return None,
                };
                Some(Event::Registered(outcome))
            }
            Self::History { peer, .. } => match answer {
                Answer::History(messages, more) => {
                    // In the same form as pushed messages.
                    let framed = |past: Past| match past.writer {
                        Some(writer) => Past { text: names::framed(&writer, &past.text), writer: None, ..past },
                        None => past,
                    };
                    let messages = messages.into_iter().map(framed).collect();
                    Some(Event::History { peer: peer.clone(), messages, more })
                }
                Answer::Refused(..) => Some(self.unanswered()),
                Answer::Registered
                | Answer::AccountSettings(_)
                | Answer::There(_)
                | Answer::People(_)
                | Answer::Found(..)
                | Answer::Done
                | Answer::Question(_) => None,
            },
            Self::AccountSettings(_) => match answer {
                Answer::AccountSettings(settings) => Some(Event::AccountSettings(Some(settings))),
                Answer::Refused(..) => Some(self.unanswered()),
                Answer::Registered
                | Answer::History(..)
                | Answer::There(_)
                | Answer::People(_)
                | Answer::Found(..)
                | Answer::Done
                | Answer::Question(_) => None,
            },
            Self::LookUp(asked) => match answer {
                Answer::There(account) => {
                    Some(Event::LookedUp { asked: asked.clone(), found: LookUpResult::There(account) })
                }
                Answer::Refused(Code::NoAccount, _) => {
                    Some(Event::LookedUp { asked: asked.clone(), found: LookUpResult::Nobody })
                }
                Answer::Refused(..) => Some(self.unanswered()),
                Answer::Registered
                | Answer::History(..)
                | Answer::AccountSettings(_)
                | Answer::People(_)
                | Answer::Found(..)
                | Answer::Done
                | Answer::Question(_) => None,
            },
            Self::People(asked) => self.told_who(asked, answer),
            Self::Find(text) => self.found(text, answer),
            Self::Friend { account, request } => {
                let (account, request) = (account.clone(), request.clone());
                let outcome = friend_outcome(answer, times)?;
                Some(Event::Friend { account, request, outcome })
            }
        }
    }

    /// What an answer to [`Question::People`] becomes.
    fn told_who(&self, asked: &[Account], answer: Answer) -> Option<Event> {
        match answer {
            Answer::People(cards) => {
                // Of whom nobody asked nothing is believed.
                let known = |card: Card| {
                    let account = Account::sanitised(&card.account);
                    asked.contains(&account).then_some((account, card.profile))
                };
                let profiles = Some(cards.into_iter().filter_map(known).collect());
                Some(Event::People { asked: asked.to_vec(), profiles })
            }
            Answer::Refused(..) => Some(self.unanswered()),
            Answer::Registered
            | Answer::History(..)
            | Answer::AccountSettings(_)
            | Answer::There(_)
            | Answer::Found(..)
            | Answer::Done
            | Answer::Question(_) => None,
        }
    }

    /// What an answer to [`Question::Find`] becomes.
    fn found(&self, text: &str, answer: Answer) -> Option<Event> {
        match answer {
            Answer::Found(cards, more) => {
                let person = |card: Card| (Account::sanitised(&card.account), card.profile);
                let people = Some(cards.into_iter().map(person).collect());
                Some(Event::Found { text: text.to_owned(), people, more })
            }
            Answer::Refused(..) => Some(self.unanswered()),
            Answer::Registered
            | Answer::History(..)
            | Answer::AccountSettings(_)
            | Answer::There(_)
            | Answer::People(_)
            | Answer::Done
            | Answer::Question(_) => None,
        }
    }

    /// Returns the event that reports the question as unanswered.
    fn unanswered(&self) -> Event {
        match self {
            Self::Register { .. } => Event::Registered(RegisterOutcome::NoAnswer),
            // There may be more messages, which can be asked for again.
            Self::History { peer, .. } => Event::History { peer: peer.clone(), messages: Vec::new(), more: true },
            Self::AccountSettings(_) => Event::AccountSettings(None),
            Self::LookUp(asked) => Event::LookedUp { asked: asked.clone(), found: LookUpResult::Unanswered },
            Self::People(asked) => Event::People { asked: asked.clone(), profiles: None },
            Self::Find(text) => Event::Found { text: text.clone(), people: None, more: false },
            Self::Friend { account, request } => {
                Event::Friend { account: account.clone(), request: request.clone(), outcome: FriendOutcome::Unanswered }
            }
        }
    }
}

/// What an answer to [`Question::Friend`] becomes; `None` if it is no answer to it.
fn friend_outcome(answer: Answer, times: u32) -> Option<FriendOutcome> {
    match answer {
        Answer::Done => Some(FriendOutcome::Done),
        Answer::Question(text) => Some(FriendOutcome::Question(text)),
        // The answer to the first one was lost, and the other side has accepted since.
        Answer::Refused(Code::AlreadyFriends, _) if times > 1 => Some(FriendOutcome::Done),
        Answer::Refused(code, _) => Some(FriendOutcome::Refused(code)),
        Answer::Registered
        | Answer::History(..)
        | Answer::AccountSettings(_)
        | Answer::People(_)
        | Answer::Found(..)
        | Answer::There(_) => None,
    }
}

#[derive(Debug)]
struct OpenQuestion {
    question: Question,
    /// When the question was asked.
    since: Instant,
    /// When it went out on this connection.
    sent: Option<Instant>,
    /// How often it was sent.
    times: u32,
}

/// The questions that are not answered yet, by number.
#[derive(Debug, Default)]
pub(super) struct Questions {
    open: BTreeMap<u64, OpenQuestion>,
}

impl Questions {
    /// Adds a question under this number.
    pub(super) fn ask(&mut self, now: Instant, id: u64, question: Question) {
        if question.terms().one_at_a_time {
            self.open.retain(|_, asked| !asked.question.is_like(&question));
        }
        self.open.insert(id, OpenQuestion { question, since: now, sent: None, times: 0 });
    }

    /// Returns the next question to be sent, in the order of asking, so that a later change wins;
    /// [`Questions::went_out`] must follow.
    pub(super) fn next(&self, logged_in: bool) -> Option<(u64, FromClient)> {
        let mut open = self.open.iter();
        let (id, asked) =
            open.find(|(_, asked)| asked.sent.is_none() && (logged_in || !asked.question.terms().needs_login))?;
        Some((*id, asked.question.frame(*id)))
    }

    /// Notes that a question was sent. Returns whether another question, which every server answers, has to be sent
    /// too, in order to tell silence about this one from a silent server.
    pub(super) fn went_out(&mut self, now: Instant, id: u64) -> bool {
        let Some(asked) = self.open.get_mut(&id) else { return false };
        asked.sent = Some(now);
        asked.times += 1;
        !asked.question.terms().known_to_all
    }

    /// Returns the event for the server's answer under this number, if it answers a question that was asked.
    pub(super) fn answered(&mut self, id: u64, answer: Answer) -> Option<Event> {
        // A question that was not sent on this connection yet stays open.
        let asked = self.open.get(&id).filter(|asked| asked.sent.is_some())?;
        let event = asked.question.answered(answer, asked.times)?;
        self.open.remove(&id);
        Some(event)
    }

    /// Returns whether the server must answer one of these.
    pub(super) fn is_owed(&self) -> bool {
        self.open.values().any(|asked| asked.sent.is_some() && asked.question.terms().known_to_all)
    }

    /// Returns whether one of these needs a connection even without a login.
    pub(super) fn is_wanted_without_login(&self) -> bool {
        self.open.values().any(|asked| !asked.question.terms().needs_login)
    }

    /// Returns when the first of them is given up. `as_a_login` returns until when a login that began at a time would
    /// wait.
    pub(super) fn due(&self, as_a_login: impl Fn(Instant) -> Instant) -> Option<Instant> {
        self.open.values().filter_map(|asked| asked.due(&as_a_login)).min()
    }

    /// Gives up the questions that are due, and returns the events for them.
    pub(super) fn give_up(&mut self, now: Instant, as_a_login: impl Fn(Instant) -> Instant) -> Vec<Event> {
        self.take(|asked| asked.due(&as_a_login).is_some_and(|due| due <= now))
    }

    /// Drops the questions that need the login, which has ended or belongs to another account; returns the events for
    /// them.
    pub(super) fn login_is_over(&mut self) -> Vec<Event> {
        self.take(|asked| asked.question.terms().needs_login)
    }

    /// Makes the open questions be asked again, because the connection has ended.
    pub(super) fn connection_is_gone(&mut self) {
        self.open.values_mut().for_each(|asked| asked.sent = None);
    }

    /// Drops an open registration, because the connection failed for another reason; returns whether there was one.
    pub(super) fn end_registration(&mut self) -> bool {
        let before = self.open.len();
        self.open.retain(|_, asked| !matches!(asked.question, Question::Register { .. }));
        self.open.len() < before
    }

    fn take(&mut self, over: impl Fn(&OpenQuestion) -> bool) -> Vec<Event> {
        let ids: Vec<u64> = self.open.iter().filter(|(_, asked)| over(asked)).map(|(id, _)| *id).collect();
        ids.iter().filter_map(|id| self.open.remove(id)).map(|asked| asked.question.unanswered()).collect()
    }
}

impl OpenQuestion {
    fn due(&self, as_a_login: impl Fn(Instant) -> Instant) -> Option<Instant> {
        match self.question.terms().patience {
            Patience::AsALogin => Some(as_a_login(self.since)),
            Patience::For(time) => Some(self.since + time),
            Patience::OnceSent(time) => self.sent.map(|sent| sent + time),
            Patience::AsLongAsItTakes => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One question of each kind, and an answer to it.
    fn all() -> Vec<(Question, Answer)> {
        let account = || Account::person("b").expect("valid");
        let password = Password::parse("secret").expect("valid");
        let settings = AccountSettings { beside: true, secure_only: false };
        vec![
            (Question::Register { account: account(), password, name: String::new() }, Answer::Registered),
            (Question::People(vec![account()]), Answer::People(Vec::new())),
            (Question::Find("b".into()), Answer::Found(Vec::new(), false)),
            (Question::History { peer: account(), before: None, count: 1 }, Answer::History(Vec::new(), false)),
            (Question::AccountSettings(None), Answer::AccountSettings(settings)),
            (Question::LookUp(account()), Answer::There(account())),
            (Question::Friend { account: account(), request: FriendRequest::Accept }, Answer::Done),
        ]
    }

    #[test]
    fn each_question_is_over_by_its_answer_or_a_refusal_and_by_no_other_answer() {
        let now = Instant::now();
        for kind in 0..all().len() {
            for other in 0..all().len() {
                let mut questions = Questions::default();
                questions.ask(now, 1, all().swap_remove(kind).0);
                let (_, answer) = all().swap_remove(other);
                assert!(questions.answered(1, answer).is_none(), "it was not asked yet");
                questions.went_out(now, 1);
                let (_, answer) = all().swap_remove(other);
                assert_eq!(questions.answered(1, answer).is_some(), kind == other, "{kind} {other}");
                assert_eq!(questions.open.is_empty(), kind == other);
            }
            let mut questions = Questions::default();
            questions.ask(now, 1, all().swap_remove(kind).0);
            questions.went_out(now, 1);
            assert!(questions.answered(1, Answer::Refused(Code::Malformed, None)).is_some(), "{kind}");
            assert!(questions.open.is_empty());
        }
    }
}
