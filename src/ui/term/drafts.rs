//! What is typed to somebody and not sent: the account's history keeps it, as it does for windows, so it is there after
//! any end of the program, in either face.

use std::collections::HashMap;
use std::time::Instant;

use super::app::App;
use super::asks::Ask;
use super::commands::{self, Typed};
use crate::base::model::Account;
use crate::client::DRAFT_SOON;
use crate::client::net::clock;

/// The drafts of an account.
#[derive(Debug, Default)]
pub(super) struct Drafts {
    /// Those that the history has.
    kept: HashMap<Account, String>,
    /// When what is typed goes there, if it is another text than that.
    due: Option<Instant>,
    /// For whom the line was begun, and what their draft was then.
    begun: Option<(Account, String)>,
}

impl Drafts {
    /// Whether this is another one than the history has; then it has this from now on.
    fn is_new(&mut self, peer: &Account, text: &str) -> bool {
        let new = self.kept.get(peer).map_or("", String::as_str) != text;
        if new && text.is_empty() {
            self.kept.remove(peer);
        } else if new {
            self.kept.insert(peer.clone(), text.to_owned());
        }
        new
    }

    /// All messages with somebody are deleted, and the history drops their draft with them.
    pub(super) fn forget(&mut self, peer: &Account) {
        self.kept.remove(peer);
        self.begun = self.begun.take().filter(|(of, _)| of != peer);
    }

    /// When it is time to keep what is typed.
    pub(super) fn due(&self) -> Option<Instant> {
        self.due
    }
}

/// The line that sends this text in a chat, also where it looks like something else.
fn line_of(text: &str, known: impl Fn(&str) -> Option<Account>) -> String {
    match commands::parse(text, true, known) {
        Typed::Text(read, _) if read == text => text.to_owned(),
        _ if text.starts_with('/') => format!("/{text}"),
        _ => format!(" {text}"),
    }
}

impl App {
    /// What one's own line makes of the draft of whom one chats with; none where it says nothing of it.
    pub(super) fn draft_now(&self) -> Option<(Account, String)> {
        let peer = self.login.target.clone()?;
        if !self.on_terminal() || !self.login.logged_in || self.raw.is_some() {
            return None;
        }
        let begun = self.login.drafts.begun.as_ref().filter(|(of, _)| *of == peer);
        match commands::parse(self.line.own(), true, |name| self.resolve(name)) {
            Typed::Text(text, _) => Some((peer, text)),
            Typed::Nothing => begun.map(|_| (peer, String::new())),
            // Whatever it began as was no draft.
            Typed::Command(..)
            | Typed::Say(..)
            | Typed::Usage(_)
            | Typed::Unknown(_)
            | Typed::Nobody(_)
            | Typed::HalfSaid => begun.cloned(),
        }
    }

    /// A key may have changed one's own line, in which something stood before or not. What is emptied is no draft any more, at
    /// once, since a command may be next.
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

    /// Puts what is typed on disk.
    pub(super) fn keep_draft(&mut self) {
        self.login.drafts.due = None;
        if let Some((peer, text)) = self.draft_now() {
            self.note_draft(peer, text);
        }
    }

    /// This is somebody's draft from now on; nothing where none is.
    pub(super) fn note_draft(&mut self, peer: Account, text: String) {
        if self.login.drafts.is_new(&peer, &text) {
            self.client.set_draft(peer, text);
        }
    }

    /// What is typed gives way to an earlier line, and that the line is empty then says nothing of it.
    pub(super) fn lay_aside(&mut self, peer: Account, text: String) {
        (self.login.drafts.begun, self.login.drafts.due) = (None, None);
        self.note_draft(peer, text);
    }

    /// Puts what is typed on disk once it is time.
    pub(super) fn keep_draft_in_time(&mut self) {
        if self.login.drafts.due.is_some_and(|due| due <= clock::now().instant) {
            self.keep_draft();
        }
    }

    /// One's own line is finished, and about to be done: where it is no text, the draft is the one before it was begun.
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

    /// What was typed was sent, asked about or taken away: it is no draft, unless it has come back into the line.
    pub(super) fn draft_is_sent(&mut self, peer: &Account) {
        if self.on_terminal() && self.line.own().is_empty() {
            self.note_draft(peer.clone(), String::new());
        }
    }

    /// What the history has of an account that was opened.
    pub(super) fn drafts_are(&mut self, drafts: Vec<(Account, String)>) {
        self.login.drafts.kept.extend(drafts);
    }

    /// A chat is opened, or a command was done in it: its draft stands in the line again, if that is empty.
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
