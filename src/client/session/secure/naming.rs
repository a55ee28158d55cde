//! This device's name, once somebody else uses it too, as after its folder was copied or put back from a backup: what is
//! under way is settled under the old one, then it takes another.

use std::time::Instant;

use super::harmless::RENAMES;
use super::{DISK, Event, Session, State};
use crate::client::session::ConnectionState;
use crate::protocol::wire::frame::Device;

/// This device's name at the server, and the state of changing it.
#[derive(Debug, Default)]
pub(super) struct Naming {
    /// The highest number this device's name had sent at the login; a message with one of these may have been sent, or its
    /// number have been used for another.
    pub(super) used: u64,
    /// Whether another program uses this device's name; the name changes once the messages under way are settled.
    pub(super) wanted: bool,
    /// Whether the history was asked to store a new name.
    pub(super) asked: bool,
    /// How often the name has changed.
    pub(super) times: u32,
}

impl Session {
    /// Another program has come in as this device. Were both to go on so, each would end the other's connection
    /// for ever: this one takes another name, at once if nothing is to be settled under the old one.
    pub(super) fn copied(&mut self, now: Instant, offline: bool) {
        self.naming.wanted = true;
        if offline {
            self.lose_place();
        } else {
            self.try_again(now);
        }
        self.told.events.push_back(Event::Copied { offline });
        self.ask_to_rename();
    }

    /// For the other name this device needs, once nothing may have been sent under the old one and is unanswered.
    pub(super) fn ask_to_rename(&mut self) {
        if self.naming.wanted
            && !self.naming.asked
            && !self.sending.outbox.iter().any(|m| m.is_doubtful() && !m.refused)
        {
            self.naming.asked = true;
            self.told.events.push_back(Event::NameTaken);
        }
    }

    /// This device's new name, after [`Event::NameTaken`]: on disk already. None could be stored: it is asked for
    /// again later.
    pub fn set_device(&mut self, now: Instant, device: Option<Device>) {
        let Some(who) = &mut self.login.who else { return };
        let Some(device) = device else {
            self.naming.asked = false;
            self.sending.resend_at = Some(now + DISK);
            return self.turn(now);
        };
        who.kept.device = device;
        who.kept.token = None;
        self.naming.used = 0;
        self.naming.wanted = false;
        self.naming.asked = false;
        self.login.by_password = who.password.is_some();
        for message in &mut self.sending.outbox {
            message.refused = false;
        }
        self.give_up_connection(now, "another name");
        self.naming.times += 1;
        if self.naming.times > RENAMES {
            // Nobody else takes a name that was only just made up.
            self.try_again(now);
        } else if self.state == State::Online {
            self.state = State::LoggingIn;
            self.show(ConnectionState::LoggingIn);
        }
        self.turn(now);
    }
}
