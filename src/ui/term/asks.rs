//! Questions to the person: accounts, passwords and decisions; also how the server answers logins and registrations.

use rust_i18n::t;

use super::app::App;
use super::login::Login;
use super::script::Exit;
use super::script::entering::exit;
use crate::base::model::{Account, FieldError, Password, names};
use crate::client::history::Contact;
use crate::client::net::clock;
use crate::client::session::{ConnectionState, FriendRequest, LoginOutcome, RegisterOutcome};
use crate::protocol::wire::reply::{LoggedIn, Registered};

/// The question that the next line answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Ask {
    /// No question; the line is a command or a text.
    Command,
    LoginAccount,
    LoginPassword(Account),
    RegisterAccount,
    RegisterPassword(Account),
    RegisterConfirm(Account, Password),
    TakeOver,
    OldPassword,
    NewPassword(Password),
    NewPasswordAgain(Password, Password),
    /// Whether to use the plain dialect for this.
    Plain(Pending),
    /// The same at a server that encrypted before; the answer is a word that nobody types out of habit.
    Readable(Pending),
    /// Whether the words of this new key were compared.
    Trust(Vec<u8>),
    /// Whether to send a text as several messages.
    Parts(Account, String),
    /// Whether to add a contact although it is unknown whether the account exists.
    AddAllTheSame(Contact),
    /// What this account asks of those who want to be a friend; with the words that go with the request.
    FriendAnswer(Account, String),
}

/// What waits for the server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Pending {
    Nothing,
    /// A login that waits until the server is found.
    LoginLater(Account, Password),
    /// A login as a remembered device, once the server is found; if it is not remembered, the password is asked for.
    ResumeLater(Account),
    Login(Account),
    RegisterLater(Account, Password, Password),
    /// A registration, after which this account logs in.
    Register(Account, Password),
}

impl Ask {
    pub(super) fn prompt(&self) -> Option<String> {
        let text = match self {
            Self::Command => return None,
            Self::LoginAccount | Self::RegisterAccount => t!("gui.account"),
            Self::LoginPassword(account) => t!("term.password_of", account = account),
            Self::RegisterPassword(account) => t!("term.new_password_of", account = account),
            Self::RegisterConfirm(..) => t!("gui.confirm"),
            Self::TakeOver => t!("term.take_over"),
            Self::OldPassword => t!("password.old"),
            Self::NewPassword(_) => t!("password.new"),
            Self::NewPasswordAgain(..) => t!("password.again"),
            Self::Plain(_) => t!("term.plain_anyway"),
            Self::Readable(_) => t!("term.plain_word"),
            Self::Trust(_) => t!("term.key_confirm"),
            Self::Parts(..) => t!("term.many_parts_word"),
            Self::AddAllTheSame(_) => t!("term.add_all_the_same"),
            Self::FriendAnswer(..) => t!("people.answer"),
        };
        Some(format!("{text}: "))
    }

    pub(super) fn is_secret(&self) -> bool {
        match self {
            Self::LoginPassword(_)
            | Self::RegisterPassword(_)
            | Self::RegisterConfirm(..)
            | Self::OldPassword
            | Self::NewPassword(_)
            | Self::NewPasswordAgain(..) => true,
            Self::Command
            | Self::LoginAccount
            | Self::RegisterAccount
            | Self::TakeOver
            | Self::Plain(_)
            | Self::Readable(_)
            | Self::Trust(_)
            | Self::Parts(..)
            | Self::AddAllTheSame(_)
            | Self::FriendAnswer(..) => false,
        }
    }
}

fn is_yes(line: &str) -> bool {
    ["y", "yes", "是", "好"].contains(&line.trim().to_lowercase().as_str())
}

impl App {
    /// Begins with the account that was named or is remembered, and asks for its password.
    pub(super) fn begin(&mut self, account: Option<&str>) {
        let remembered = self.profile.settings.account.clone();
        let name = account.unwrap_or(&remembered);
        // The lines of a pipe say what to do, unless account and password were given.
        if !name.is_empty() && (self.on_terminal() || self.given.is_some()) {
            self.ask_login(name);
        } else if self.on_terminal() {
            self.print(&t!("term.begin"));
        }
    }

    pub(super) fn ask_login(&mut self, name: &str) {
        let me = self.login.account().map(Account::to_string);
        // After the server has logged this device out, or after going offline, one may log in again.
        let out = matches!(self.client.link(), ConnectionState::LoggedOut | ConnectionState::Offline);
        if let Some(me) = me.as_ref().filter(|_| !out) {
            return self.warn(&t!("term.logged_in_already", account = me));
        }
        let name = if name.is_empty() { me.as_deref().unwrap_or_default() } else { name };
        self.ask = Ask::LoginAccount;
        if !name.is_empty() {
            self.answered(name);
        }
    }

    pub(super) fn ask_register(&mut self, name: &str) {
        if let Some(me) = self.login.account().map(Account::to_string) {
            return self.warn(&t!("term.logged_in_already", account = me));
        }
        self.quiet(&t!("gui.register_foot"));
        self.ask = Ask::RegisterAccount;
        if !name.is_empty() {
            self.answered(name);
        }
    }

    /// Handles the answer to a question. An empty line cancels it.
    pub(super) fn answered(&mut self, line: &str) {
        let ask = std::mem::replace(&mut self.ask, Ask::Command);
        if line.is_empty() {
            return self.not_answered(ask);
        }
        match ask {
            Ask::Command => {}
            Ask::LoginAccount => match Account::person(line.trim()) {
                Ok(account) => self.log_in_as(account),
                Err(error) => self.bad_account(&error, Ask::LoginAccount),
            },
            Ask::RegisterAccount => match Account::new_person(&names::composed(line.trim())) {
                Ok(account) => self.ask = Ask::RegisterPassword(account),
                Err(error) => self.bad_account(&error, Ask::RegisterAccount),
            },
            Ask::LoginPassword(account) => match self.password_in(line) {
                Some(password) => self.log_in(account, password),
                None => self.ask_again(Ask::LoginPassword(account)),
            },
            Ask::RegisterPassword(account) => match self.password_in(line) {
                Some(password) => self.ask = Ask::RegisterConfirm(account, password),
                None => self.ask_again(Ask::RegisterPassword(account)),
            },
            Ask::RegisterConfirm(account, password) => {
                // The server compares the two, as the protocol says.
                if let Some(confirm) = self.password_in(line) {
                    self.register(account, password, confirm);
                }
            }
            Ask::OldPassword => {
                if let Some(old) = self.password_in(line) {
                    self.ask = Ask::NewPassword(old);
                }
            }
            Ask::NewPassword(old) => match self.password_in(line) {
                Some(new) if new == old => self.error(&t!("password.same")),
                Some(new) => self.ask = Ask::NewPasswordAgain(old, new),
                None => {}
            },
            Ask::NewPasswordAgain(old, new) => {
                if let Some(confirm) = self.password_in(line) {
                    self.quiet(&t!("password.changing"));
                    self.login.awaits.password = true;
                    self.client.change_password(clock::now(), old, new, confirm);
                }
            }
            Ask::Plain(pending) if is_yes(line) => {
                self.pending = pending;
                self.client.allow_plain(clock::now());
            }
            Ask::Readable(pending) => self.agreed(pending, line),
            Ask::Trust(key) => self.trusted(key, line),
            Ask::AddAllTheSame(contact) if is_yes(line) => self.add_now(contact),
            Ask::FriendAnswer(account, text) if !line.trim().is_empty() => {
                self.ask_friend(account, FriendRequest::Ask { text, answer: Some(line.trim().to_owned()) });
            }
            Ask::Parts(peer, text) if ["send", "发送"].contains(&line.trim().to_lowercase().as_str()) => {
                self.send_now(&peer, &text);
            }
            Ask::TakeOver => self.take_over_if(is_yes(line)),
            Ask::Plain(_) | Ask::AddAllTheSame(_) | Ask::Parts(..) | Ask::FriendAnswer(..) => self.not_answered(ask),
        }
    }

    /// Handles a question that was cancelled.
    fn not_answered(&mut self, ask: Ask) {
        match ask {
            Ask::Plain(_) | Ask::Readable(_) => self.not_plainly(),
            Ask::Parts(peer, text) => self.give_back(&peer, &text),
            Ask::Command
            | Ask::LoginAccount
            | Ask::LoginPassword(_)
            | Ask::RegisterAccount
            | Ask::RegisterPassword(_)
            | Ask::RegisterConfirm(..)
            | Ask::TakeOver
            | Ask::OldPassword
            | Ask::NewPassword(_)
            | Ask::NewPasswordAgain(..)
            | Ask::Trust(_)
            | Ask::AddAllTheSame(_)
            | Ask::FriendAnswer(..) => {}
        }
        self.quiet(&t!("term.cancelled"));
    }

    /// Logs in with the password that was given, without one on a remembered device, or asks for it.
    fn log_in_as(&mut self, account: Account) {
        if let Some(password) = self.given.take() {
            self.log_in(account, password);
        } else if self.on_terminal() && (!self.server.place.is_known() || self.client.can_resume(&account)) {
            self.with_server(Pending::ResumeLater(account));
        } else {
            // The next line of a pipe is the password, even if this device is remembered.
            self.ask = Ask::LoginPassword(account);
        }
    }

    fn bad_account(&mut self, error: &FieldError, again: Ask) {
        let unfit = matches!(error, FieldError::Name(_));
        self.error(&if unfit { t!("gui.bad_name") } else { t!("gui.bad_account") });
        self.ask_again(again);
    }

    /// Returns the password that was typed; says so if the text cannot be one.
    fn password_in(&mut self, line: &str) -> Option<Password> {
        let password = Password::parse(line).ok();
        if password.is_none() {
            self.error(&t!("gui.bad_password"));
        }
        password
    }

    pub(super) fn ask_again(&mut self, ask: Ask) {
        self.ask = ask;
        self.only_on_terminal();
    }

    /// Ends what waits for the server because it cannot be done, and says why.
    pub(super) fn gave_up(&mut self, exit: Exit, why: &str) {
        self.pending = Pending::Nothing;
        self.failed(exit);
        self.error(why);
    }

    /// Ends the login. What was typed but not sent is saved before the history is closed.
    pub(super) fn end_login(&mut self) {
        self.keep_draft();
        self.client.close_account();
        self.login = Login::nobody();
    }

    /// Ends the account's session elsewhere, or gives up.
    fn take_over_if(&mut self, yes: bool) {
        match self.login.me.clone() {
            Some(me) if yes => {
                self.pending = Pending::Login(me);
                return self.client.take_over(clock::now());
            }
            // The session goes on trying by itself for a while.
            _ if self.login.logged_in => {}
            _ => self.end_login(),
        }
        self.quiet(&t!("term.cancelled"));
    }

    /// Asks about the plain dialect, because the server knows no other; what waits goes on with the answer.
    pub(super) fn plain_only(&mut self, notice: &str) {
        if !self.on_terminal() {
            self.failed(Exit::Refused);
            self.error(&format!("{notice} (--allow-plain)"));
            return self.not_plainly();
        }
        self.warn(notice);
        self.ask = Ask::Plain(std::mem::replace(&mut self.pending, Pending::Nothing));
    }

    pub(super) fn not_plainly(&mut self) {
        self.pending = Pending::Nothing;
        self.client.refuse_plain();
        if !self.login.logged_in {
            self.end_login();
        }
    }

    /// A pipe does not ask again: its next line is a command.
    fn only_on_terminal(&mut self) {
        if !self.on_terminal() {
            self.pipe.misused();
            self.ask = Ask::Command;
        }
    }

    /// Has this device remembered, so that it needs no password from now on.
    pub(super) fn stay(&mut self) {
        let text = if self.client.stay_from_now_on() { t!("term.stays") } else { t!("term.stay_not_now") };
        self.quiet(&text);
    }

    fn log_in(&mut self, account: Account, password: Password) {
        self.with_server(Pending::LoginLater(account, password));
    }

    fn register(&mut self, account: Account, password: Password, confirm: Password) {
        self.with_server(Pending::RegisterLater(account, password, confirm));
    }

    /// Does this once the server's address is known and, if it is this machine's own server, once that runs: it ends a
    /// minute after its last user, so it may have ended since it was found.
    fn with_server(&mut self, what: Pending) {
        self.pending = what;
        if !self.server.place.is_to_be_searched() {
            return self.go_on();
        }
        self.quiet(&t!("gui.looking_up"));
        // The search that began with the program is still under way.
        if !self.server.found {
            return;
        }
        if let Err(error) = self.find_server() {
            self.gave_up(Exit::Trouble, &error.to_string());
        }
    }

    fn log_in_now(&mut self, account: Account, password: Option<Password>) {
        self.quiet(&t!("gui.logging_in"));
        if self.login.me.as_ref() == Some(&account) {
            self.login.roster = super::people::roster(account.clone());
        } else {
            self.keep_draft();
            self.login = Login::of(account.clone());
        }
        self.pending = Pending::Login(account.clone());
        let now = clock::now();
        let begun = match password {
            Some(password) => {
                self.client.stay_logged_in(self.client.can_resume(&account));
                self.client.login(now, account, password)
            }
            None => self.client.resume(now, account),
        };
        if let Err(error) = begun {
            self.end_login();
            self.gave_up(Exit::Trouble, &error.to_string());
        }
    }

    fn register_now(&mut self, account: Account, password: Password, confirm: Password) {
        self.quiet(&t!("gui.registering"));
        self.pending = Pending::Register(account.clone(), password.clone());
        self.client.register(clock::now(), account, password, confirm);
    }

    /// Goes on with what waited for the server to be found.
    pub(super) fn go_on(&mut self) {
        match std::mem::replace(&mut self.pending, Pending::Nothing) {
            Pending::LoginLater(account, password) => self.log_in_now(account, Some(password)),
            Pending::ResumeLater(account) if self.client.can_resume(&account) => self.log_in_now(account, None),
            Pending::ResumeLater(account) => self.ask = Ask::LoginPassword(account),
            Pending::RegisterLater(account, password, confirm) => self.register_now(account, password, confirm),
            waits @ (Pending::Nothing | Pending::Login(_) | Pending::Register(..)) => self.pending = waits,
        }
    }

    pub(super) fn registered(&mut self, outcome: &RegisterOutcome) {
        self.no_more_doubt();
        let pending = std::mem::replace(&mut self.pending, Pending::Nothing);
        let sentence = self.client.registration_sentence(outcome);
        match (outcome, pending) {
            (RegisterOutcome::Answered { reply: Registered::Done, .. }, Pending::Register(account, password)) => {
                self.print(&sentence);
                self.log_in(account, password);
            }
            (RegisterOutcome::Answered { reply: Registered::PasswordsDiffer, .. }, Pending::Register(account, _)) => {
                self.failed(Exit::Refused);
                self.error(&sentence);
                self.ask_again(Ask::RegisterPassword(account));
            }
            (RegisterOutcome::NoAnswer | RegisterOutcome::Unheard, _) => {
                self.failed(Exit::NoAnswer);
                self.error(&sentence);
            }
            (
                RegisterOutcome::Answered { .. }
                | RegisterOutcome::NotUnderstood
                | RegisterOutcome::Unknown(_)
                | RegisterOutcome::TryLater(_)
                | RegisterOutcome::KeyChanged
                | RegisterOutcome::KeysDamaged,
                _,
            ) => {
                self.failed(Exit::Refused);
                self.error(&sentence);
            }
        }
    }

    /// Called when the account that was logged in was deleted and made anew: what is shown belongs to the earlier one,
    /// and texts that were typed for its chats are not sent.
    pub(super) fn made_anew(&mut self, text: &str) {
        self.login = self.login.me.clone().map_or_else(Login::nobody, Login::of);
        self.leave_chat();
        if self.on_terminal() { self.warn(text) } else { self.stop(text) }
    }

    /// Says that a session was refused which the person has not just begun, and asks for the password if that would
    /// help, so that nobody types it where it can be seen.
    fn refused_on_return(&mut self, outcome: &LoginOutcome, needed: Option<Account>) {
        match outcome.on_return() {
            Some(sentence) => self.error(&sentence),
            None => self.error(&self.client.login_sentence(outcome)),
        }
        let Some(account) = needed.filter(|_| self.on_terminal()) else { return };
        let before = std::mem::replace(&mut self.ask, Ask::LoginPassword(account));
        if !matches!(before, Ask::Command | Ask::LoginPassword(_)) {
            self.not_answered(before);
        }
    }

    pub(super) fn logged_in(&mut self, outcome: &LoginOutcome) {
        self.no_more_doubt();
        let pending = std::mem::replace(&mut self.pending, Pending::Nothing);
        let account = self.login.me.clone();
        match (outcome, account) {
            (LoginOutcome::Done, Some(account)) => {
                if self.ask == Ask::TakeOver {
                    self.ask = Ask::Command;
                }
                if self.login.logged_in {
                    return;
                }
                self.login.logged_in = true;
                self.pipe.exit = Exit::Done;
                if self.profile.settings.remember && self.profile.settings.account != account.as_str() {
                    self.profile.settings.account = account.to_string();
                    self.profile.save();
                }
                let text = self.out.style.good(&t!("term.logged_in", account = account));
                self.print(&text);
                self.login.awaits.list = true;
                self.client.conversations();
            }
            (LoginOutcome::Refused(LoggedIn::AlreadyLoggedIn), Some(_)) => {
                self.failed(Exit::Refused);
                self.warn(&outcome.sentence());
                self.ask = Ask::TakeOver;
            }
            // This was said already; the history stays open for the command `trust`.
            (LoginOutcome::KeyChanged | LoginOutcome::KeysDamaged, Some(_)) if self.on_terminal() => {}
            (outcome, account) => {
                self.failed(exit(outcome));
                let again =
                    matches!(outcome, LoginOutcome::Refused(LoggedIn::WrongPassword) | LoginOutcome::PasswordNeeded);
                if pending == Pending::Nothing {
                    return self.refused_on_return(outcome, account.filter(|_| again));
                }
                self.error(&self.client.login_sentence(outcome));
                if !self.login.logged_in {
                    self.end_login();
                }
                if *outcome == LoginOutcome::Refused(LoggedIn::NoSuchAccount) {
                    self.quiet(&t!("term.not_registered"));
                }
                if let Some(account) = account.filter(|_| again) {
                    self.ask_again(Ask::LoginPassword(account));
                }
            }
        }
    }
}
