//! Shows the client's events in the windows they concern.

use std::collections::BTreeMap;

use rust_i18n::t;

use super::super::notice::Kept;
use super::super::trust_window::Doubt;
use super::App;
use super::core::Core;
use super::entry::Attempt;
use super::questions::Trouble;
use super::signed_in::SignedIn;
use crate::base::model::Account;
use crate::client::Event;
use crate::client::net::clock;
use crate::client::session::ConnectionState;
use crate::protocol::wire::status::Shown;

impl SignedIn {
    /// Shows something that has happened; it stays until the person dismisses it.
    pub(super) fn tell(&mut self, text: &str) {
        self.keep(Kept::Sentence(text.to_owned()));
    }

    fn keep(&mut self, what: Kept) {
        log::info!("told: {what:?}");
        self.main.keep(what);
    }
}

impl SignedIn {
    /// Shows an event that concerns only the windows of this login; returns any other.
    fn show(&mut self, event: Event, core: &mut Core) -> Option<Event> {
        match event {
            Event::Silent(silent) => {
                log::info!("silent: {silent}");
                self.main.set_silent(silent);
                self.refresh_headers(core);
            }
            Event::NotStoring(not) => self.main.set_not_storing(not),
            Event::Conversations(list) => {
                self.main.set_conversations(list);
                self.read_all_looked_at(core);
                self.refresh_headers(core);
            }
            Event::MoreStrangers(more) => self.main.set_more_strangers(more),
            Event::Message { peer, row } => self.message(&peer, row, core),
            Event::Outgoing { id, state } => self.chats.set_state(id, state),
            Event::Index { peer, rows } => self.index(&peer, rows),
            Event::RowsChanged => self.chats.index_all(core),
            Event::Page { peer, first, rows } => self.chats.fill(&peer, first, rows),
            Event::Past { peer, more, .. } => self.chats.earlier_came(peer, more, core),
            Event::Extensions(ours) => self.chats.set_foreign(!ours),
            Event::CameOnline(account) => self.came_or_went(&account, true, core),
            Event::WentAway(account) => self.came_or_went(&account, false, core),
            Event::LookedUp { asked, found } => self.looked_up(&asked, &found, core),
            Event::People { text, people, .. } => self.found(text, people, core),
            Event::Profiles(profiles) => {
                self.main.set_profiles(profiles);
                self.refresh_headers(core);
            }
            Event::Friends(friends) => self.friends_are(friends, core),
            Event::Friend { account, request, outcome } => self.friend_answered(&account, &request, &outcome, core),
            Event::PasswordChanged(outcome) => self.password_changed(&outcome),
            Event::NoLobby { sure } => self.no_lobby(sure, &event.notice().unwrap_or_default()),
            Event::NotKept { peer, text } => self.not_kept(&peer, &text),
            Event::MaybeLost(n) => self.keep(Kept::Lost(n)),
            Event::Raise => self.main.raise(),
            other => return Some(other),
        }
        None
    }

    /// Shows a new state of the connection.
    fn linked(&mut self, link: ConnectionState, core: &Core) {
        self.main.set_link(link);
        self.main.set_speaks(core.client.connection().speaks);
        if matches!(link, ConnectionState::LoggingIn | ConnectionState::Connected { .. }) {
            self.no_trouble();
        }
        if matches!(link, ConnectionState::Connected { .. }) {
            self.deleted = false;
        }
    }
}

impl App {
    /// Shows all events of the client.
    pub(super) fn events(&mut self) {
        while let Some(event) = self.core.client.poll_event() {
            self.show(event);
        }
        if let Some(signed_in) = self.stage.signed_in() {
            signed_in.main.set_now(clock::now().unix_ms);
        }
    }

    /// Shows something that has happened; in the main window it stays until the person dismisses it.
    pub(super) fn tell(&mut self, text: &str) {
        match self.stage.signed_in() {
            Some(signed_in) => signed_in.tell(text),
            None => self.say(text),
        }
    }

    /// Shows something momentary that does not concern a single chat, where the person looks; in the main window it
    /// disappears when trouble with the server ends.
    pub(super) fn say(&mut self, text: &str) {
        log::info!("said: {text}");
        if let Some(entry) = self.stage.entry() {
            entry.say(text);
        } else if let Some(signed_in) = self.stage.signed_in() {
            signed_in.main.say_trouble(text);
        }
    }

    fn show(&mut self, event: Event) {
        let rest = match self.stage.signed_in() {
            Some(signed_in) => signed_in.show(event, &mut self.core),
            None => Some(event),
        };
        rest.into_iter().for_each(|event| self.show_anywhere(event));
    }

    /// Shows an event that concerns more than the windows of a login, or comes while there is no login.
    fn show_anywhere(&mut self, event: Event) {
        match event {
            Event::ConnectionState(link) => self.linked(link),
            Event::Registered(outcome) => self.registered(&outcome),
            Event::LoggedIn(outcome) => self.logged_in(&outcome),
            Event::WentOffline(_) => self.left(),
            Event::Online(accounts) => self.set_online(Some(accounts)),
            Event::States(states) => self.set_states(states),
            Event::Drafts(drafts) => self.take_drafts(drafts),
            Event::MadeAnew { .. } => self.made_anew(event.notice().unwrap_or_default()),
            Event::Tap(record) => self.wire.push(&record, &mut self.core),
            Event::AccountSettings(settings) => self.account_settings(settings),
            Event::Damaged { sentence, .. } => self.damaged(sentence),
            Event::NotRead { peer, why } => self.not_read(peer.as_ref(), &why),
            Event::Rescued(Ok(rescued)) => self.rescued(&rescued.sentence()),
            Event::Rescued(Err(why)) => self.say(&why),
            Event::LoginPutOff(_) if !self.stage.is_signed_in() => self.put_off(&event.notice().unwrap_or_default()),
            Event::PlainOnly(why) => self.doubt(Doubt::Plain(why)),
            Event::KeyChanged(change) => self.doubt(Doubt::Key(change)),
            Event::Kicked { address, at } => self.ask(Trouble::Kicked { address, at }),
            Event::Copied { offline: true } => self.ask(Trouble::Copied),
            Event::Copied { offline: false } => self.tell(&t!("secure.copied_beside")),
            Event::Paced(wait) => self.say(&t!("gui.paced", s = wait.as_secs().max(1))),
            Event::NetworkTrouble(error) => self.say(&t!("gui.network_trouble", error = error)),
            Event::NotOpened(sentence) => self.say(&sentence),
            Event::Imported(Ok(n)) => self.tell(&t!("main.imported", n = n)),
            Event::Exported(Ok(())) => self.tell(&t!("main.exported")),
            Event::Imported(Err(error)) | Event::Exported(Err(error)) => self.tell(&error),
            Event::NotKept { .. } => self.tell(&t!("gui.not_kept")),
            Event::NotUnderstood(_) => self.tell(&t!("gui.not_understood")),
            Event::DiskTrouble(error) => self.tell(&t!("gui.disk_trouble", error = error)),
            Event::TookPlace { address } => self.tell(&t!("main.took_place", address = address)),
            // These are shown elsewhere, belong to faces without transcripts, or concern a login that has ended.
            Event::Speaks(_) | Event::Last { .. } | Event::Found { .. } => {}
            Event::MaybeLost(_) | Event::NotStoring(_) | Event::PasswordChanged(_) => {}
            other => other.notice().iter().for_each(|text| self.tell(text)),
        }
    }

    /// Shows that a login which the person asked for will be tried again later.
    fn put_off(&mut self, text: &str) {
        if let Some(entry) = self.stage.entry() {
            entry.refuse_login(text);
        }
    }

    /// Shows the connection's state in the connection line.
    fn linked(&mut self, link: ConnectionState) {
        log::info!("link: {link:?}");
        if let Some(signed_in) = self.stage.signed_in() {
            signed_in.linked(link, &self.core);
        }
        match link {
            // This is the first sign of trouble; asking a server that is there costs a datagram.
            ConnectionState::LoggingIn | ConnectionState::Waiting | ConnectionState::Retrying { .. } => {
                self.revive_server()
            }
            ConnectionState::Offline | ConnectionState::LoggedOut => self.set_online(None),
            ConnectionState::Connected { .. } => {
                self.close_trust();
            }
        }
        self.refresh_headers();
    }

    /// Shows who is online, at servers that say.
    fn set_online(&mut self, online: Option<Vec<Account>>) {
        if let Some(signed_in) = self.stage.signed_in() {
            signed_in.set_online(online, &self.core);
        } else if let Some(attempt) = self.attempt() {
            attempt.online = online;
        }
    }

    /// Shows who is away, busy or has a line.
    fn set_states(&mut self, states: BTreeMap<Account, Shown>) {
        if let Some(signed_in) = self.stage.signed_in() {
            signed_in.set_states(states, &self.core);
        } else if let Some(attempt) = self.attempt() {
            attempt.states = states;
        }
    }

    /// Takes over the drafts that were saved when the account was last closed.
    fn take_drafts(&mut self, drafts: Vec<(Account, String)>) {
        if let Some(signed_in) = self.stage.signed_in() {
            signed_in.chats.drafts.extend(drafts);
        } else if let Some(attempt) = self.attempt() {
            attempt.drafts.extend(drafts);
        }
    }

    /// Handles that the account was deleted and made anew.
    fn made_anew(&mut self, text: String) {
        if let Some(signed_in) = self.stage.signed_in() {
            signed_in.made_anew(&text, &mut self.core);
        } else if let Some(attempt) = self.attempt() {
            attempt.drafts.clear();
            attempt.online = None;
            attempt.kept = Some(text);
        }
    }

    fn attempt(&mut self) -> Option<&mut Attempt> {
        self.stage.entry().and_then(|entry| entry.attempt.as_mut())
    }
}
