//! Staying logged in on this device. If the user wants that, the token that replaces the password is stored in the
//! account's history. Whether there is one is noted in a file next to the history, because the history belongs to
//! another thread and may be open in another process. Another such file notes whether the account's password may be
//! sent in the plain dialect.

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
    /// Returns whether [`Client::resume`] can be tried with this account: its user chose to stay logged in on this
    /// device, and the server gave it a token. The server may have dropped the token since; then the outcome is
    /// `LoginOutcome::PasswordNeeded`. This only looks for a file and does not wait.
    #[must_use]
    pub fn can_resume(&self, account: &Account) -> bool {
        self.staying_note(account).exists()
    }

    /// Sets whether the next login by password stays logged in on this device, so that [`Client::resume`] works the
    /// next time; the default is that it does not. Without it no token is kept on disk, and an existing one is deleted.
    pub fn stay_logged_in(&mut self, stay: bool) {
        self.staying = stay;
    }

    /// Makes the current login stay logged in on this device. Returns false if the server gave no token, as in the
    /// plain dialect.
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

    /// Stores this device's token, or deletes it.
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

    /// Returns whether this account may not be used in the plain dialect, as the server said last.
    pub(super) fn is_encrypted_only(&self, account: &Account) -> bool {
        self.encrypted_only_note(account).exists()
    }

    pub(super) fn note_encrypted_only(&mut self, only: bool) {
        self.session.set_encrypted_only(only);
        if let Some(account) = &self.account {
            note(&self.encrypted_only_note(&account.name), only);
        }
    }

    /// Handles that the server now has another account of the open account's name; `password` is the new account's. The
    /// stored history belongs to the old account: the new account must neither read its messages nor send its unsent
    /// ones, and its cursor and numbers mean nothing any more. So the history is put aside, and the login starts again
    /// as on a new device.
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

/// Creates or deletes an empty file that serves as a note.
fn note(file: &Path, there: bool) {
    // This is called more often than the note changes, and it runs on the main loop.
    let noted = match (there, file.exists()) {
        (true, false) => private::write(file, []),
        (false, true) => fs::remove_file(file),
        _ => Ok(()),
    };
    if let Err(error) = noted {
        log::warn!("{} does not say what it should: {error}", file.display());
    }
}
