//! Messages: sending, receiving, how far they have come, and earlier ones.

use chrono::{DateTime, Local, TimeZone};
use rust_i18n::t;

use super::app::App;
use super::asks::Ask;
use super::login::Wanted;
use super::own::{OwnMessage, words};
use super::screen::harmless;
use crate::base::model::{Account, MessageId, MessageText, SendState, names};
use crate::base::shown;
use crate::client::history::{Row, state_of};
use crate::client::net::clock;
use crate::client::session::SpokenDialect;
use crate::protocol::wire::frame::Past;

/// How many rows are shown when a chat is opened, in addition to the unread ones.
const BEFORE: u32 = 10;
/// The most rows that are shown at a time.
const MOST: u32 = 10_000;
impl App {
    pub(super) fn chat(&mut self, name: &str) {
        let peer = match self.resolve(name).or_else(|| Account::person(name.trim()).ok()) {
            Some(peer) if Some(&peer) != self.login.me.as_ref() => peer,
            Some(_) => return self.no_chat(&t!("gui.not_oneself")),
            None => return self.no_chat(&t!("gui.bad_account")),
        };
        if peer.is_room() && self.client.is_foreign() {
            return self.no_chat(&t!("main.no_lobby"));
        }
        let unread = self.login.roster.find(&peer).map_or(0, |c| c.unread);
        if self.login.roster.find(&peer).is_none_or(|c| c.stranger) && !peer.is_room() {
            self.quiet(&t!("term.not_in_list", name = harmless(peer.as_str())));
        }
        if self.login.target.is_none() {
            self.quiet(&t!("term.chat_rules", name = harmless(&self.login.roster.name(&peer))));
        }
        self.login.awaits.rows.insert(peer.clone(), Wanted::Chat);
        self.client.last(peer.clone(), u32::try_from(unread).unwrap_or(MOST).saturating_add(BEFORE).min(200));
        self.set_target(Some(peer.clone()));
        // Asks whether there is such an account, and whether it is still the same. Texts are sent meanwhile, as their
        // own answers say no less.
        if !peer.is_room() && self.client.connection().speaks == Some(SpokenDialect::Secure) {
            self.client.look_up(clock::now(), peer);
        }
    }

    /// Says why a chat cannot be opened. A pipe ends, since its next texts must not go to the chat before.
    fn no_chat(&mut self, why: &str) {
        if self.on_terminal() { self.error(why) } else { self.stop(why) }
    }

    pub(super) fn lobby(&mut self) {
        self.chat(Account::LOBBY);
    }

    pub(super) fn leave_chat(&mut self) {
        self.set_target(None);
    }

    fn set_target(&mut self, target: Option<Account>) {
        self.login.target = target;
        self.login.own.chat_changed();
        let open: Vec<Account> = self.login.target.iter().cloned().collect();
        self.client.set_open_chats(clock::now(), open, self.login.target.is_some());
    }

    pub(super) fn say_to_target(&mut self, text: &str, looks_like: Option<&str>) {
        match self.login.target.clone() {
            Some(peer) => {
                self.send(&peer, text);
                self.draft_is_sent(&peer);
                if let Some(name) = looks_like {
                    self.quiet(&t!("term.was_a_text", name = name));
                }
            }
            None => self.warn(&t!("term.no_target")),
        }
    }

    /// Sends a text. If it makes many messages, the person is asked first; a pipe ends.
    pub(super) fn send(&mut self, peer: &Account, text: &str) {
        let parts = MessageText::split(text).len();
        if parts <= MessageText::UNASKED {
            return self.send_now(peer, text);
        }
        let many = t!("term.many_parts", n = parts, name = harmless(&self.login.roster.name(peer)));
        if !self.on_terminal() {
            return self.stop(&many);
        }
        self.warn(&many);
        self.ask = Ask::Parts(peer.clone(), text.to_owned());
    }

    pub(super) fn send_now(&mut self, peer: &Account, text: &str) {
        if peer.is_room() && self.client.is_foreign() {
            self.give_back(peer, text);
            return self.no_chat(&t!("main.no_lobby"));
        }
        if MessageText::may_be_cut(text, self.client.is_foreign()) {
            self.quiet(&format!("  {}", t!("chat.maybe_cut")));
        }
        let blank = MessageText::split(text).is_empty();
        if !blank && (!self.login.logged_in || !self.client.send_message(clock::now(), peer, text)) {
            self.error(&t!("gui.not_logged_in"));
            self.give_back(peer, text);
        }
    }

    /// Puts a text that was not sent back into the line, if that is empty.
    pub(super) fn give_back(&mut self, peer: &Account, text: &str) {
        if self.on_terminal() && self.login.target.as_ref() == Some(peer) && self.line.give(text) {
            self.typed(false);
        }
    }

    pub(super) fn message(&mut self, peer: &Account, row: &Row) {
        if let Some(state) = row.state {
            let here = self.login.target.as_ref() == Some(peer);
            self.login.own.written(row.id, OwnMessage { peer: peer.clone(), text: row.text.clone(), state }, here);
            self.client.conversations();
        } else if !row.note && self.login.target.as_ref() == Some(peer) {
            self.client.mark_read(peer.clone());
        }
        let theirs = row.state.is_none() && !row.note;
        if theirs && self.login.roster.is_muted(peer) && self.login.target.as_ref() != Some(peer) {
            // It is counted as unread.
            return;
        }
        let line = self.row(peer, row);
        if row.note { self.print(&line) } else { self.print_as_it_is(&line) }
    }

    /// Notes how far a sent message has come, and prints what there is to say; success is shown by the prompt alone.
    pub(super) fn outgoing(&mut self, id: MessageId, state: SendState) {
        let Some((own, words)) = self.login.own.came_further(id, state) else { return };
        let name = harmless(&self.login.roster.name(&own.peer));
        let begin: String = shown::first_line(&own.text).chars().take(20).collect();
        let text = format!("  {name} “{begin}”: {words}");
        if state == SendState::Failed { self.error(&text) } else { self.quiet(&text) }
    }

    pub(super) fn resend(&mut self) {
        let Some((id, own)) = self.login.own.to_resend() else {
            return self.quiet(&t!("term.nothing_to_resend"));
        };
        if let Ok(text) = MessageText::parse(&own.text) {
            self.client.resend(id, own.peer, text);
        }
    }

    pub(super) fn history(&mut self, words: &[String]) {
        let Some((peer, count)) = self.whose(words) else { return };
        self.login.awaits.rows.insert(peer.clone(), Wanted::History);
        self.client.last(peer, count.unwrap_or(20).min(MOST));
    }

    /// Reads `[NAME] [N]`: whose messages, and how many. Without a name it is the present chat.
    pub(super) fn whose(&mut self, words: &[String]) -> Option<(Account, Option<u32>)> {
        let count = words.last().and_then(|word| word.parse::<u32>().ok());
        let name = words.first().filter(|_| count.is_none() || words.len() == 2);
        let peer = match name {
            Some(name) => self.resolve(name),
            None => self.login.target.clone(),
        };
        if peer.is_none() {
            self.warn(&match name {
                Some(name) => t!("term.nobody", name = harmless(name)),
                None => t!("term.history_of_whom"),
            });
        }
        Some((peer?, count))
    }

    pub(super) fn last_rows(&mut self, peer: &Account, rows: &[Row]) {
        let Some(wanted) = self.login.awaits.rows.remove(peer) else { return };
        let name = harmless(&self.login.roster.name(peer));
        let many = if rows.len() == 1 { t!("term.message") } else { t!("term.messages", n = rows.len()) };
        let mut text = self.out.style.quiet(&format!("── {name} · {many} ──"));
        text.push('\n');
        for row in rows {
            if let Some(state) = row.state {
                self.login.own.of_before(row.id, OwnMessage { peer: peer.clone(), text: row.text.clone(), state });
            }
            text.push_str(&self.row(peer, row));
            text.push('\n');
        }
        self.print_as_it_is(&text);
        if rows.is_empty() && self.client.connection().speaks == Some(SpokenDialect::Secure) {
            self.quiet(&t!("term.past_hint"));
        }
        if wanted == Wanted::Chat {
            self.client.mark_read(peer.clone());
        }
    }

    pub(super) fn search(&mut self, text: &str) {
        self.login.awaits.searches += 1;
        self.client.search(text, 50);
    }

    pub(super) fn show_found(&mut self, wanted: &str, rows: &[(Account, Row)]) {
        let mut text = String::new();
        for (peer, row) in rows {
            text.push_str(&self.row(peer, row));
            text.push('\n');
        }
        let found = t!("term.found", n = rows.len(), text = harmless(wanted));
        text.push_str(&self.out.style.quiet(&found));
        self.print_as_it_is(&text);
    }

    /// Returns a message as it is printed; lines after the first are indented below the text.
    pub(super) fn row(&self, peer: &Account, row: &Row) -> String {
        let name = harmless(&self.login.roster.name(peer));
        if row.note {
            return format!(
                "{} {}",
                self.out.style.quiet(&when(row)),
                self.out.style.warning(&format!("{name}: {}", row.text))
            );
        }
        let (writer, text) = names::writer_and_text(&row.text, peer.is_room(), row.state.is_some());
        let text = shown::message(text).replace('\n', "\n      ");
        let time = self.out.style.quiet(&when(row));
        if let Some(state) = row.state {
            let state = match words(state) {
                Some(words) => self.out.style.quiet(&format!(" ({words})")),
                None => String::new(),
            };
            return format!("{time} {} {text}{state}", self.out.style.good(&format!("→ {name}:")));
        }
        let text = match row.repeat {
            true => format!("{text}{}", self.out.style.quiet(&format!(" ({})", t!("chat.repeat")))),
            false => text,
        };
        if let Some(writer) = writer {
            let writer = harmless(&self.login.roster.writer(&writer));
            return format!(
                "{time} {} {} {text}",
                self.out.style.quiet(&name),
                self.out.style.name(&format!("{writer}:"))
            );
        }
        let stranger = self.login.roster.find(peer).is_none_or(|c| c.stranger) && !peer.is_room();
        let who = if stranger { format!("{name} ({}):", t!("term.stranger")) } else { format!("{name}:") };
        format!("{time} {} {text}", self.out.style.name(&who))
    }
}

/// Converts a message that the server keeps to a row of the history.
pub(super) fn past_row(me: &Account, past: &Past) -> Row {
    Row {
        id: MessageId(0),
        text: past.text.clone(),
        unix_ms: past.at.saturating_mul(1_000),
        came_ms: None,
        server_time: None,
        state: (past.from == me.as_str()).then(|| state_of(past)),
        repeat: false,
        note: false,
    }
}

/// Returns when a message was written, to the second; marked if it is the server's own time, whose zone is unknown.
pub(super) fn when_in_full(row: &Row) -> String {
    whose(harmless(&row.written("%Y-%m-%d %H:%M:%S")), row)
}

/// Returns when a message was written.
fn when(row: &Row) -> String {
    let today = clock_time(clock::now().unix_ms, "%Y-%m-%d");
    let form = if row.written("%Y-%m-%d") == today { "%H:%M" } else { "%Y-%m-%d %H:%M" };
    whose(harmless(&row.written(form)), row)
}

fn whose(time: String, row: &Row) -> String {
    row.clock_mark().map_or_else(|| time.clone(), |mark| format!("{time} ({mark})"))
}

fn local(unix_ms: i64) -> Option<DateTime<Local>> {
    Local.timestamp_millis_opt(unix_ms).earliest()
}

/// Formats a time of day or date in local time.
pub(super) fn clock_time(unix_ms: i64, form: &str) -> String {
    local(unix_ms).map(|time| time.format(form).to_string()).unwrap_or_default()
}
