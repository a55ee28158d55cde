//! A changed key of the server, a server that no longer encrypts, and another device that has logged in instead of this
//! one: what is said, and how the person answers.

use rust_i18n::t;
use unicode_segmentation::UnicodeSegmentation;

use super::app::App;
use super::asks::{Ask, Pending};
use super::commands::{READABLE, named};
use super::screen::{column, harmless};
use super::script::Exit;
use crate::client::history::time_of;
use crate::client::net::clock;
use crate::client::session::{ConnectionState, KeyChange};
use crate::protocol::link::words;

impl App {
    /// Says that the server shows another key, or one that is not among the readable ones; nothing was sent to it.
    pub(super) fn key_changed(&mut self, change: KeyChange) {
        let chinese = rust_i18n::locale().starts_with("zh");
        let (shown, known) = change.words(chinese);
        match &change.damaged {
            Some(file) => self.error(&t!("term.keys_damaged", file = harmless(file))),
            None => self.error(&t!("term.key_changed")),
        }
        let row = |what: &str, words: &str| format!("  {} {words}", column(what, 10));
        let mut rows = vec![row(&t!("term.key_shown"), &shown)];
        if !change.known.is_empty() {
            rows.push(row(&t!("term.key_known"), &known));
        }
        self.print(&rows.join("\n"));
        if change.damaged.is_none() {
            // It is likelier for a nearby address to belong to another computer now.
            self.quiet(&if self.server.place.is_nearby() { t!("trust.nearby") } else { t!("trust.far") });
        }
        self.warn(&if self.on_terminal() { t!("term.key_advice") } else { t!("term.key_terminal") });
        self.server.changed = Some(change);
    }

    /// Asks whether the words were compared.
    pub(super) fn trust(&mut self) {
        match &self.server.changed {
            None => self.quiet(&t!("term.key_not_asked")),
            // Without a terminal nobody can have compared them.
            Some(_) if !self.on_terminal() => self.warn(&t!("term.key_terminal")),
            Some(change) => self.ask = Ask::Trust(change.shown.clone()),
        }
    }

    /// Handles the answer, which has to be the first of the key's words.
    pub(super) fn trusted(&mut self, key: Vec<u8>, typed: &str) {
        if !is_first_word(typed, &key) {
            return self.error(&t!("term.key_not_that"));
        }
        self.server.changed = None;
        let now = clock::now();
        self.client.trust(now, key);
        self.quiet(&t!("term.key_trusted"));
        // The account that was logged in or logging in is still known.
        if let Some(me) = self.login.me.clone() {
            self.pending = Pending::Login(me);
            self.client.go_online(now);
        }
    }

    /// Asks what to do at a server that encrypted before and no longer does. A person who is logging in is asked at
    /// once; while logged in, the line being typed may be for somebody else, so a command is needed.
    pub(super) fn no_longer_secure(&mut self, notice: &str) {
        self.error(notice);
        if !self.on_terminal() {
            self.failed(Exit::Untrusted);
            self.warn(&t!("term.plain_job"));
            return self.not_plainly();
        }
        self.warn(&t!("term.plain_risk"));
        if self.login.logged_in {
            self.warn(&t!("term.plain_command"));
        } else {
            self.ask = Ask::Readable(std::mem::replace(&mut self.pending, Pending::Nothing));
        }
    }

    /// The command that agrees to the plain dialect, this once.
    pub(super) fn readable(&mut self) {
        match self.login.me.clone().filter(|_| self.client.is_doubting()) {
            Some(me) => self.go_on_readable(Pending::Login(me)),
            None => self.quiet(&t!("term.plain_not_asked")),
        }
    }

    /// Handles the answer, which has to be that command's name.
    pub(super) fn agreed(&mut self, pending: Pending, typed: &str) {
        if named(&typed.trim().to_lowercase()).is_some_and(|command| command.name == READABLE) {
            return self.go_on_readable(pending);
        }
        self.not_plainly();
        self.error(&t!("term.plain_not_that"));
    }

    fn go_on_readable(&mut self, pending: Pending) {
        self.pending = pending;
        self.client.allow_plain(clock::now());
    }

    /// Called when the server encrypts again as before.
    pub(super) fn no_more_doubt(&mut self) {
        if let Ask::Readable(pending) = &mut self.ask {
            self.pending = std::mem::replace(pending, Pending::Nothing);
            self.ask = Ask::Command;
        }
    }

    /// Says that another device has logged in instead of this one.
    pub(super) fn kicked(&mut self, address: &str, at: i64) {
        let notice = t!("main.kicked", address = harmless(address), time = time_of(at));
        self.warn(&format!("{notice}\n{}", t!("term.kicked_hint")));
    }

    /// Ends the account's session elsewhere.
    pub(super) fn take_back(&mut self) {
        let here = matches!(
            self.client.link(),
            ConnectionState::Connected { .. } | ConnectionState::Waiting | ConnectionState::LoggingIn
        );
        match self.login.me.clone() {
            Some(me) if !here => {
                self.pending = Pending::Login(me);
                self.client.take_over(clock::now());
            }
            _ => self.quiet(&t!("term.not_kicked")),
        }
    }
}

fn is_first_word(typed: &str, key: &[u8]) -> bool {
    let (english, chinese) = (words(key, false), words(key, true));
    let first = [english.split(' ').next(), chinese.graphemes(true).next()];
    first.into_iter().flatten().any(|word| word == typed.trim().to_lowercase())
}

/// Returns whether these are all of the key's words, in either language.
pub(super) fn are_words(typed: &str, key: &[u8]) -> bool {
    let typed: Vec<String> = typed.split_whitespace().map(str::to_lowercase).collect();
    typed.join(" ") == words(key, false) || typed.concat() == words(key, true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_was_read_confirms() {
        let key = [7; 44];
        let (english, chinese) = (words(&key, false), words(&key, true));
        let (first, second) = english.split_once(' ').map(|(a, rest)| (a, &rest[..3])).expect("words");
        let one = chinese.chars().next().expect("a word").to_string();
        for typed in [first, &first.to_uppercase(), &format!(" {first} "), &one] {
            assert!(is_first_word(typed, &key), "{typed:?}");
        }
        for typed in ["", "y", "yes", second, &english, &chinese] {
            assert!(!is_first_word(typed, &key), "{typed:?}");
        }
        let spaced: Vec<String> = chinese.chars().map(String::from).collect();
        for typed in [&*english, &english.replace(' ', "  ").to_uppercase(), &*chinese, &spaced.join(" ")] {
            assert!(are_words(typed, &key), "{typed:?}");
        }
        for typed in ["", first, &one, &english.replace(' ', "")] {
            assert!(!are_words(typed, &key), "{typed:?}");
        }
    }
}
