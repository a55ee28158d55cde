//! Staying logged in on this device: what lets it in without a password lies in the account's history, if
//! its owner wants that. Whether it does stands in a file beside that one, since the history is another
//! thread's and may be open elsewhere; and so does whether the account's password may ever be sent in plain.

use std::fs;
use std::path::{Path, PathBuf};

use super::account::Credential;
use super::{Client, ClientError, Event};
use crate::base::model::{Account, Password};
use crate::base::private;
use crate::client::history::{Op, Write, put_aside};
use crate::client::net::Now;
use crate::protocol::wire::frame::Key;

impl Client {
    /// Whether [`Client::resume`] can be tried with this account: its owner stays logged in on this device,
    /// and the server gave it something for that. The server may have forgotten it since; then the answer
    /// is `LoginOutcome::PasswordNeeded`. Looks for a file, and waits for nothing.
    #[must_use]
    pub fn can_resume(&self, account: &Account) -> bool {
        self.staying_note(account).exists()
    }

    /// Whether whoever logs in next by password stays logged in on this device, so that
    /// [`Client::resume`] does the next time; not until this is called. Who does not leaves nothing on
    /// disk that lets anybody in, and what was there is deleted.
    pub fn stay_logged_in(&mut self, stay: bool) {
        self.staying = stay;
    }

    /// Whoever is logged in stays so on this device from now on; false where the server gave nothing for that,
    /// as in the plain dialect.
    pub fn stay_from_now_on(&mut self) -> bool {
        let token = self.session.token();
        self.staying |= token.is_some();
        if token.is_some() {
            self.keep_token(token);
        }
        token.is_some()
    }

    /// Goes offline as [`Client::go_offline`] does and deletes the token here and, if the server can be told now,
    /// there; the next login needs the password.
    pub fn forget_device(&mut self, now: Now) {
        self.log_in_no_more();
        self.staying = false;
        self.keep_token(None);
        self.session.forget_device(now.instant);
        self.after(now);
    }

    /// Deletes an account's token while nobody is logged in. The server is not told and keeps the hash of a token
    /// that no device has.
    ///
    /// # Errors
    /// The account is open in another process, or its folder cannot be used.
    pub fn forget_token(&mut self, account: &Account) -> Result<(), ClientError> {
        self.staying = false;
        if !self.can_resume(account) {
            return Ok(());
        }
        self.open_history(account.clone())?;
        self.keep_token(None);
        self.close_account();
        Ok(())
    }

    /// Keeps what lets this device in, or deletes it.
    pub(super) fn keep_token(&mut self, token: Option<Key<32>>) {
        let token = token.filter(|_| self.staying);
        if self.account.is_some() {
            self.submit(Op::Write(Write::Token(token)));
            self.note_staying(token.is_some());
        }
    }

    pub(super) fn note_staying(&self, stays: bool) {
        if let Some(account) = &self.account {
            note(&self.staying_note(&account.name), stays);
        }
    }

    /// Whether its owner has closed the plain dialect to this account, as the server said last.
    pub(super) fn is_encrypted_only(&self, account: &Account) -> bool {
        self.encrypted_only_note(account).exists()
    }

    pub(super) fn note_encrypted_only(&mut self, only: bool) {
        self.session.set_encrypted_only(only);
        if let Some(account) = &self.account {
            note(&self.encrypted_only_note(&account.name), only);
        }
    }

    /// The server has another account of the name that is open, whose password this is. What lies here is the old one's:
    /// its messages are not the new one's to read, nor to be sent as the new one, and its cursor and numbers mean
    /// nothing. So all of it is put aside, and the login begins as on a device that was never there.
    pub(super) fn is_another_account(&mut self, now: Now, password: Password) {
        let Some(account) = self.account.as_ref().map(|open| open.name.clone()) else { return };
        let unsent = self.unsent();
        self.note_staying(false);
        note(&self.encrypted_only_note(&account), false);
        self.session.set_encrypted_only(false);
        let path = self.history_path(&account);
        self.close_account();
        let begun = put_aside(&path).map_err(ClientError::from).and_then(|aside| {
            log::warn!("{} was made anew at the server; what lay here is {}", account, aside.display());
            self.events.push_back(Event::MadeAnew { account: account.clone(), aside, unsent });
            self.log_in(now, account, Credential::Password(password))
        });
        if let Err(error) = begun {
            self.events.push_back(Event::NotOpened(error.to_string()));
        }
    }

    fn encrypted_only_note(&self, account: &Account) -> PathBuf {
        self.history_path(account).with_extension("encrypted-only")
    }

    fn staying_note(&self, account: &Account) -> PathBuf {
        self.history_path(account).with_extension("stays")
    }
}

/// An empty file that is there or not.
fn note(file: &Path, there: bool) {
    // It is said more often than it changes, and this is the main loop.
    let noted = match (there, file.exists()) {
        (true, false) => private::write(file, []),
        (false, true) => fs::remove_file(file),
        _ => Ok(()),
    };
    if let Err(error) = noted {
        log::warn!("{} does not say what it should: {error}", file.display());
    }
}
