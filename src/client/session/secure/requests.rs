//! The requests of a person, asked as questions of the table in [`super::questions`].

use std::time::Instant;

use super::questions::{Answer, Question};
use super::{Account, Event, Session, State};
use crate::client::session::{AccountChange, FriendRequest, NewAccount, RegisterOutcome};
use crate::protocol::wire::reply::Registered;

impl Session {
    /// Registers; answered by [`Event::Registered`].
    pub fn register(&mut self, now: Instant, new: NewAccount) {
        let NewAccount { account, password, confirm, name } = new;
        if password != confirm {
            let reply = Registered::PasswordsDiffer;
            let outcome = RegisterOutcome::Answered { reply, after_timeout: false };
            return self.told.events.push_back(Event::Registered(outcome));
        }
        self.dialling.retry_at = None;
        self.question(now, Question::Register { account, password, name });
    }

    /// Asks for the `count` newest messages of a conversation that are older than the server's row `before`; answered
    /// by [`Event::History`], which has no messages and says that there may be more if the server does not answer.
    pub fn history(&mut self, now: Instant, peer: Account, before: Option<u64>, count: u32) {
        self.question(now, Question::History { peer, before, count });
    }

    /// Asks for this account's settings; answered by [`Event::AccountSettings`].
    pub fn account_settings(&mut self, now: Instant) {
        self.question(now, Question::AccountSettings(None));
    }

    /// Changes this account's settings; answered by [`Event::AccountSettings`].
    pub fn set_account(&mut self, now: Instant, change: AccountChange) {
        self.question(now, Question::AccountSettings(Some(change)));
    }

    /// Asks whether there is an account of this name; answered by [`Event::LookedUp`], after 5 s at the latest.
    pub fn look_up(&mut self, now: Instant, account: Account) {
        self.question(now, Question::LookUp(account));
    }

    /// Looks for people by account, name or pinyin; answered by [`Event::Found`], unless something else is looked for
    /// before.
    pub fn find(&mut self, now: Instant, text: String) {
        self.question(now, Question::Find(text));
    }

    /// Asks who these accounts are, 50 at most; answered by [`Event::People`].
    pub fn people(&mut self, now: Instant, accounts: Vec<Account>) {
        self.question(now, Question::People(accounts));
    }

    /// Asks somebody to be a friend, answers their request, or ends it; answered by [`Event::Friend`].
    pub fn friend(&mut self, now: Instant, account: Account, request: FriendRequest) {
        self.question(now, Question::Friend { account, request });
    }

    fn question(&mut self, now: Instant, question: Question) {
        let id = self.next_id();
        self.questions.ask(now, id, question);
        if matches!(self.state, State::Offline | State::LoggedOut) || self.leaving.is_some() {
            self.login_is_over();
        }
        self.turn(now);
    }

    /// Ends the questions that need a login, because nobody is logged in or about to be.
    pub(super) fn login_is_over(&mut self) {
        let over = self.questions.login_is_over();
        self.told.events.extend(over);
    }

    /// Asks the open questions that were not asked on this connection yet.
    pub(super) fn ask_on(&mut self, now: Instant) {
        while let Some((id, frame)) = self.questions.next(self.state == State::Online) {
            if !self.say(now, &frame) {
                return;
            }
            if self.questions.went_out(now, id) {
                self.ping(now);
            }
        }
    }

    pub(super) fn answered(&mut self, id: u64, answer: Answer) {
        let event = self.questions.answered(id, answer);
        self.told.events.extend(event);
    }
}
