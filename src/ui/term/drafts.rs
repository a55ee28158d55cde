//! Drafts: texts that were typed to somebody but not sent. They are kept in the account's history, as those of the
//! windows are, so that they survive any end of the program and are there in either face.

use std::collections::HashMap;
use std::time::Instant;

use super::app::App;
use super::asks::Ask;
use super::commands::{self, Typed};
use crate::base::model::Account;
use crate::client::DRAFT_SOON;
use crate::client::net::clock;

/// The drafts of the account that is logged in.
#[derive(Debug, Default)]
pub(super) struct Drafts {
    /// The drafts as the history has them.
    kept: HashMap<Account, String>,
    /// When to save what is being typed, if it differs from that.
    due: Option<Instant>,
    /// The friend to whom the line is being typed, and their draft when it was begun.
    begun: Option<(Account, String)>,
}

impl Drafts {
    /// Returns whether a draft differs from the one in the history, and notes it as saved.
    fn is_new(&mut self, peer: &Account, text: &str) -> bool {
        let new = self.kept.get(peer).map_or("", String::as_str) != text;
        if new && text.is_empty() {
            self.kept.remove(peer);
        } else if new {
            self.kept.insert(peer.clone(), text.to_owned());
        }
        new
    }

    /// Forgets a friend's draft, because their messages are deleted and the draft with them.
    pub(super) fn forget(&mut self, peer: &Account) {
        self.kept.remove(peer);
        self.begun = self.begun.take().filter(|(of, _)| of != peer);
    }

    /// Returns when to save what is being typed.
    pub(super) fn due(&self) -> Option<Instant> {
        self.due
    }
}

/// Returns the line that sends this text in a chat, with a prefix if it would mean something else.
fn line_of(text: &str, known: impl Fn(&str) -> Option<Account>) -> String {
    match commands::parse(text, true, known) {
        Typed::Text(read, _) if read == text => text.to_owned(),
        _ if text.starts_with('/') => format!("/{text}"),
        _ => format!(" {text}"),
    }
}

impl App {
    /// Returns the draft that follows from the line being typed; `None` if it says nothing about one.
    pub(super) fn draft_now(&self) -> Option<(Account, String)> {
        let peer = self.login.target.clone()?;
        if !self.on_terminal() || !self.login.logged_in || self.raw.is_some() {
            return None;
        }
        let begun = self.login.drafts.begun.as_ref().filter(|(of, _)| *of == peer);
        match commands::parse(self.line.own(), true, |name| self.resolve(name)) {
            Typed::Text(text, _) => Some((peer, text)),
            Typed::Nothing => begun.map(|_| (peer, String::new())),
            // The line is not a text, so the draft is the one before it was begun.
            Typed::Command(..)
            | Typed::Say(..)
            | Typed::Usage(_)
            | Typed::Unknown(_)
            | Typed::Nobody(_)
            | Typed::HalfSaid => begun.cloned(),
        }
    }

    /// Called after a key, which may have changed the line; `stood` says whether it had text before. A line that is
    /// emptied deletes the draft at once, since a command may be next.
    pub(super) fn typed(&mut self, stood: bool) {
        let Some(peer) = self.login.target.clone() else { return };
        let empty = self.line.own().is_empty();
        if empty && !stood {
            return;
        }
        let drafts = &mut self.login.drafts;
        if drafts.begun.as_ref().is_none_or(|(of, _)| *of != peer) {
            let before = drafts.kept.get(&peer).cloned().unwrap_or_default();
            drafts.begun = Some((peer, before));
        }
        if empty {
            self.keep_draft();
            self.login.drafts.begun = None;
        } else if self.login.drafts.due.is_none() {
            self.login.drafts.due = clock::now().instant.checked_add(DRAFT_SOON);
        }
    }

    /// Saves what is being typed.
    pub(super) fn keep_draft(&mut self) {
        self.login.drafts.due = None;
        if let Some((peer, text)) = self.draft_now() {
            self.note_draft(peer, text);
        }
    }

    /// Saves a friend's draft; an empty text means none.
    pub(super) fn note_draft(&mut self, peer: Account, text: String) {
        if self.login.drafts.is_new(&peer, &text) {
            self.client.set_draft(peer, text);
        }
    }

    /// Saves what is being typed before an earlier line takes its place in the input line.
    pub(super) fn lay_aside(&mut self, peer: Account, text: String) {
        (self.login.drafts.begun, self.login.drafts.due) = (None, None);
        self.note_draft(peer, text);
    }

    /// Saves what is being typed when it is time.
    pub(super) fn keep_draft_in_time(&mut self) {
        if self.login.drafts.due.is_some_and(|due| due <= clock::now().instant) {
            self.keep_draft();
        }
    }

    /// Called when a line is finished and about to be carried out: if it is not a text, the draft is again the one
    /// before it was begun.
    pub(super) fn line_ends(&mut self, line: &str) {
        let begun = self.login.drafts.begun.take();
        self.login.drafts.due = None;
        let is_text = matches!(commands::parse(line, true, |name| self.resolve(name)), Typed::Text(..));
        if let Some((peer, text)) = begun
            && !is_text
        {
            self.note_draft(peer, text);
        }
    }

    /// Deletes a draft after its text was sent, asked about or withdrawn, unless it has come back into the line.
    pub(super) fn draft_is_sent(&mut self, peer: &Account) {
        if self.on_terminal() && self.line.own().is_empty() {
            self.note_draft(peer.clone(), String::new());
        }
    }

    /// Takes over the drafts that the history has of the account.
    pub(super) fn drafts_are(&mut self, drafts: Vec<(Account, String)>) {
        self.login.drafts.kept.extend(drafts);
    }

    /// Brings a draft back into the line, if that is empty, when a chat is opened or a command in it is done.
    pub(super) fn bring_draft(&mut self) {
        let Some(draft) = self.login.target.as_ref().and_then(|peer| self.login.drafts.kept.get(peer)) else { return };
        let waits = self.ask != Ask::Command || self.line.is_secret() || self.is_under_way();
        if self.on_terminal() && !waits && self.line.text().is_empty() {
            let line = line_of(draft, |name| self.resolve(name));
            self.line.set(&line);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_draft_comes_back_as_the_line_that_sends_it() {
        let known = |name: &str| (name == "bob").then(|| Account::person(name).expect("valid"));
        for text in ["hello", "two\nlines", "/quit", "//x", " led", "s/bob/private", "quit", "s/half"] {
            let line = line_of(text, known);
            let read = commands::parse(&line, true, known);
            assert!(matches!(&read, Typed::Text(read, _) if read == text), "{text:?}: {line:?} {read:?}");
        }
    }

    #[test]
    fn a_draft_goes_to_the_disk_only_where_it_is_another() {
        let (bob, mut drafts) = (Account::person("bob").expect("valid"), Drafts::default());
        assert!(!drafts.is_new(&bob, ""));
        assert!(drafts.is_new(&bob, "hi") && !drafts.is_new(&bob, "hi"));
        assert!(drafts.is_new(&bob, "") && drafts.kept.is_empty());
    }

    #[test]
    fn a_draft_goes_with_all_messages_with_its_peer_alone() {
        let [bob, carol] = ["bob", "carol"].map(|who| Account::person(who).expect("valid"));
        let mut drafts = Drafts::default();
        assert!(drafts.is_new(&bob, "hi") && drafts.is_new(&carol, "ho"));
        drafts.begun = Some((bob.clone(), "h".into()));
        drafts.forget(&carol);
        assert!(drafts.begun.is_some() && !drafts.kept.contains_key(&carol));
        drafts.forget(&bob);
        assert!(drafts.begun.is_none() && drafts.kept.is_empty());
    }
}
