//! Logging in by a password or as a remembered device, and which server to trust.

use std::io::{self, IsTerminal};

use rust_i18n::t;

use super::super::terminal::{Secret, ask_secret};
use super::super::trust::are_words;
use super::{Exit, Job, Running, Stop, say};
use crate::base::model::Password;
use crate::client::Event;
use crate::client::net::clock;
use crate::client::session::{KeyChange, LoginOutcome, PlainReason, SpokenDialect};
use crate::protocol::link::words;
use crate::protocol::wire::reply::LoggedIn;

impl Running {
    /// Handles events that end every job, or that are only printed or noted. Returns whether the event is settled by
    /// that.
    pub(super) fn judged(&mut self, event: &Event) -> Result<bool, Stop> {
        let notice = event.notice().unwrap_or_default();
        let trouble = |sentence| Err(Stop(Exit::Trouble, sentence));
        match event {
            Event::Conversations(list) => {
                self.roster.set_conversations(list.clone());
                Ok(false)
            }
            Event::MaybeLost(n) => self.say_lost(*n).map(|()| false),
            Event::Outgoing { id, state } => {
                if let Some(known) = self.own.get_mut(id) {
                    *known = *state;
                }
                Ok(false)
            }
            Event::DiskTrouble(error) => trouble(t!("gui.disk_trouble", error = error).into_owned()),
            Event::NotRead { why, .. } => trouble(t!("gui.not_read", error = why).into_owned()),
            Event::NotOpened(sentence) => trouble(sentence.clone()),
            Event::Damaged { sentence, .. } => trouble(format!("{sentence}\n{}", self.rescue_hint())),
            Event::KeyChanged(change) => self.key_changed(change, notice).map(|()| true),
            Event::LoggedIn(LoginOutcome::KeyChanged | LoginOutcome::KeysDamaged) if self.trusted => {
                self.client.go_online(clock::now());
                Ok(true)
            }
            // Whatever options it was started with, there is nobody here who could decide.
            Event::PlainOnly(PlainReason::NoLonger | PlainReason::Chosen) => {
                Err(Stop(Exit::Untrusted, format!("{notice}\n{}", t!("term.plain_job"))))
            }
            Event::PlainOnly(PlainReason::Only) => Err(Stop(Exit::Refused, format!("{notice} (--allow-plain)"))),
            // The message to be sent belongs to the earlier account's messages by now.
            Event::MadeAnew { .. } if matches!(self.script.job, Job::Send { .. }) => {
                self.own.clear();
                Err(Stop(Exit::Refused, format!("{notice}\n{}", t!("term.made_anew_job"))))
            }
            Event::Kicked { .. } | Event::Copied { offline: true } => Err(Stop(Exit::Refused, notice)),
            event if is_said(event) => {
                if let Event::LoginPutOff(why) = event {
                    self.put_off = Some(*why);
                }
                say(&notice);
                Ok(true)
            }
            // A job that waits for it handles it; no other needs it.
            _ => Ok(false),
        }
    }

    fn key_changed(&mut self, change: &KeyChange, notice: String) -> Result<(), Stop> {
        let why = match &self.script.trust_key {
            Some(typed) if are_words(typed, &change.shown) => {
                self.trusted = true;
                self.client.trust(clock::now(), change.shown.clone());
                return Ok(());
            }
            Some(_) => t!("term.key_other_words").into_owned(),
            None => {
                let chinese = rust_i18n::locale().starts_with("zh");
                t!("term.key_job", words = words(&change.shown, chinese)).into_owned()
            }
        };
        Err(Stop(Exit::Untrusted, format!("{notice}\n{why}")))
    }

    pub(super) fn log_in(&mut self) -> Result<(), Stop> {
        let remembered = self.client.can_resume(&self.me);
        match self.script.password.take() {
            None if remembered => self.client.resume(clock::now(), self.me.clone())?,
            given => {
                let password = given.map_or_else(|| self.ask_password(), Ok)?;
                self.client.stay_logged_in(remembered);
                self.client.login(clock::now(), self.me.clone(), password)?;
            }
        }
        match self.outcome()? {
            // The server has forgotten this device.
            LoginOutcome::PasswordNeeded if remembered => {
                say(&LoginOutcome::PasswordNeeded.sentence());
                let password = self.ask_password()?;
                self.client.stay_logged_in(true);
                self.client.login(clock::now(), self.me.clone(), password)?;
                let outcome = self.outcome()?;
                self.result_of(outcome)
            }
            outcome => self.result_of(outcome),
        }
    }

    fn outcome(&mut self) -> Result<LoginOutcome, Stop> {
        let take_over = self.script.take_over;
        let end = self.deadline();
        let mut again = false;
        self.put_off = None;
        let outcome = self.until(end, |client, event| match event {
            Event::LoggedIn(LoginOutcome::Refused(LoggedIn::AlreadyLoggedIn)) if take_over && !again => {
                again = true;
                client.take_over(clock::now());
                None
            }
            Event::LoggedIn(outcome) => Some(outcome),
            _ => None,
        })?;
        Ok(outcome.unwrap_or_else(|| self.put_off.map_or(LoginOutcome::NoAnswer, LoginOutcome::TryLater)))
    }

    /// Asks for the password at the terminal, if there is one.
    fn ask_password(&mut self) -> Result<Password, Stop> {
        let missing = || Stop(Exit::Usage, t!("term.no_password").into_owned());
        if !io::stdin().is_terminal() || !io::stderr().is_terminal() {
            return Err(missing());
        }
        let prompt = format!("{}: ", t!("term.password_of", account = self.me));
        let keys = match &self.keys {
            Some(keys) => keys,
            None => {
                let (typed, keys) = crossbeam_channel::unbounded();
                super::super::keys::read_keys(typed)?;
                self.keys.insert(keys)
            }
        };
        let typed = match ask_secret(&prompt, keys, &self.inputs)? {
            Secret::Given(typed) => typed,
            Secret::NotGiven => return Err(missing()),
            Secret::Leave => return Err(Stop(Exit::Interrupted, String::new())),
        };
        Password::parse(&typed).map_err(|_| Stop(Exit::Usage, t!("gui.bad_password").into_owned()))
    }

    /// Logs in by password, and has this device remembered.
    pub(super) fn stay(&mut self) -> Result<Exit, Stop> {
        let password = match self.script.password.take() {
            Some(password) => password,
            None => self.ask_password()?,
        };
        self.client.stay_logged_in(true);
        self.client.login(clock::now(), self.me.clone(), password)?;
        let entered = self.outcome().and_then(|outcome| self.result_of(outcome));
        let secure = self.client.connection().speaks == Some(SpokenDialect::Secure);
        self.leave();
        entered?;
        if !secure {
            return Err(Stop(Exit::Refused, t!("term.stay_not_plain").into_owned()));
        }
        Ok(Exit::Done)
    }

    fn result_of(&self, outcome: LoginOutcome) -> Result<(), Stop> {
        let exit = exit(&outcome);
        if exit == Exit::Done {
            return Ok(());
        }
        let mut sentence = self.client.login_sentence(&outcome);
        if outcome == LoginOutcome::Refused(LoggedIn::AlreadyLoggedIn) {
            sentence = format!("{sentence}: {}", t!("term.in_use_job"));
        }
        Err(Stop(exit, sentence))
    }

    /// Makes this device forgotten, so that it needs the password again.
    pub(super) fn forget(&mut self) -> Result<Exit, Stop> {
        if !self.client.can_resume(&self.me) {
            return Ok(Exit::Nothing);
        }
        self.client.forget_token(&self.me)?;
        Ok(Exit::Done)
    }
}

/// Returns the exit code of a login with this outcome.
pub(in super::super) fn exit(outcome: &LoginOutcome) -> Exit {
    match outcome {
        LoginOutcome::Done => Exit::Done,
        LoginOutcome::NoAnswer | LoginOutcome::Unheard => Exit::NoAnswer,
        LoginOutcome::PasswordNeeded => Exit::Usage,
        LoginOutcome::KeyChanged | LoginOutcome::KeysDamaged => Exit::Untrusted,
        LoginOutcome::Refused(_)
        | LoginOutcome::NotUnderstood
        | LoginOutcome::Unknown(_)
        | LoginOutcome::TryLater(_)
        | LoginOutcome::NotTaken
        | LoginOutcome::EncryptedOnly => Exit::Refused,
    }
}

/// Returns whether an event is only printed, whatever the job waits for. All events are named, so that a new one has to
/// be considered.
fn is_said(event: &Event) -> bool {
    match event {
        Event::UnknownCode(_)
        | Event::LoginPutOff(_)
        | Event::EndedAt(_)
        | Event::Pinned(_)
        | Event::TookPlace { .. }
        | Event::MadeAnew { .. }
        | Event::NotStoring(true)
        | Event::Copied { offline: false } => true,
        Event::ConnectionState(_)
        | Event::Silent(_)
        | Event::Registered(_)
        | Event::LoggedIn(_)
        | Event::WentOffline(_)
        | Event::Conversations(_)
        | Event::MoreStrangers(_)
        | Event::Message { .. }
        | Event::Outgoing { .. }
        | Event::NoLobby { .. }
        | Event::Index { .. }
        | Event::Page { .. }
        | Event::Last { .. }
        | Event::Found { .. }
        | Event::RowsChanged
        | Event::Online(_)
        | Event::States(_)
        | Event::CameOnline(_)
        | Event::WentAway(_)
        | Event::Raise
        | Event::Imported(_)
        | Event::Exported(_)
        | Event::Extensions(_)
        | Event::MaybeLost(_)
        | Event::NetworkTrouble(_)
        | Event::Paced(_)
        | Event::NotStoring(false)
        | Event::NotUnderstood(_)
        | Event::PasswordChanged(_)
        | Event::NotKept { .. }
        | Event::DiskTrouble(_)
        | Event::NotOpened(_)
        | Event::Damaged { .. }
        | Event::NotRead { .. }
        | Event::Unblocked(_)
        | Event::Settled
        | Event::Rescued(_)
        | Event::Withdrawn(_)
        | Event::Drafts(_)
        | Event::Tap(_)
        | Event::Speaks(_)
        | Event::PlainOnly(_)
        | Event::KeyChanged(_)
        | Event::Kicked { .. }
        | Event::Copied { offline: true }
        | Event::Past { .. }
        | Event::LookedUp { .. }
        | Event::Friends(_)
        | Event::Profiles(_)
        | Event::People { .. }
        | Event::Friend { .. }
        | Event::ItemRefused(_)
        | Event::AccountSettings(_) => false,
    }
}
