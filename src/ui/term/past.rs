//! Messages that the server keeps, page by page, for a device that does not have them yet.

use rust_i18n::t;

use super::app::App;
use super::screen::harmless;
use super::talk::past_row;
use crate::base::model::Account;
use crate::client::net::clock;
use crate::client::session::{ConnectionState, SpokenDialect};
use crate::protocol::wire::frame::Past;

/// How many messages a page has, unless a number was given.
const PAGE: u32 = 20;

/// The page that was asked for, and how far back each conversation was shown.
#[derive(Debug, Default)]
pub(super) struct Pages {
    asked: Option<Account>,
    /// The conversation that was shown last, and the row before which its next page ends.
    before: Option<(Account, u64)>,
}

impl Pages {
    /// Returns whether the server still has to answer.
    pub(super) fn waits(&self) -> bool {
        self.asked.is_some()
    }
}

impl App {
    /// Asks for the newest messages, or for those before the ones shown last.
    pub(super) fn past(&mut self, words: &[String]) {
        let Some((peer, count)) = self.whose(words) else { return };
        if self.client.connection().speaks == Some(SpokenDialect::Plain) {
            return self.warn(&t!("term.past_not_plain"));
        }
        if !matches!(self.client.link(), ConnectionState::Connected { .. } | ConnectionState::Waiting) {
            return self.error(&t!("gui.no_answer"));
        }
        let before = self.login.pages.before.take().filter(|(of, _)| *of == peer).map(|(_, row)| row);
        self.login.pages.asked = Some(peer.clone());
        self.client.past(clock::now(), peer, before, count.unwrap_or(PAGE));
    }

    /// Shows a page that has come, oldest message first.
    pub(super) fn past_came(&mut self, peer: &Account, messages: &[Past], more: bool) {
        if self.login.pages.asked.take_if(|asked| asked == peer).is_none() {
            return;
        }
        if messages.is_empty() && more {
            return self.error(&t!("term.past_not_now"));
        }
        let Some(me) = self.login.me.clone() else { return };
        let name = harmless(&self.login.roster.name(peer));
        let mut text =
            self.out.style.quiet(&format!("── {name} · {} ──", t!("term.past_messages", n = messages.len())));
        text.push('\n');
        for message in messages {
            text.push_str(&self.row(peer, &past_row(&me, message)));
            text.push('\n');
        }
        self.print_as_it_is(&text);
        if let Some(first) = messages.first().filter(|_| more) {
            self.login.pages.before = Some((peer.clone(), first.row));
            self.quiet(&t!("term.past_more"));
        }
    }

    /// Says that no answer will come, because the connection has ended.
    pub(super) fn past_lost(&mut self) {
        if self.login.pages.asked.take().is_some() {
            self.error(&t!("gui.no_answer"));
        }
    }
}
