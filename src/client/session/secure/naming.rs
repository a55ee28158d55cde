//! The device's name when another program uses it too, as after its folder was copied or restored from a backup: what
//! is under way is settled under the old name, then the device takes another.

use std::time::Instant;

use super::harmless::RENAMES;
use super::{DISK, Event, Session, State};
use crate::client::session::ConnectionState;
use crate::protocol::wire::frame::Device;

/// This device's name at the server, and the state of changing it.
#[derive(Debug, Default)]
pub(super) struct Naming {
    /// The highest counter that this device's name had used at the login; a message with a lower one may have been sent
    /// already, or its counter may have been used for another.
    pub(super) used: u64,
    /// Whether another program uses this device's name; the name changes once the messages under way are settled.
    pub(super) wanted: bool,
    /// Whether the history was asked to store a new name.
    pub(super) asked: bool,
    /// How often the name has changed.
    pub(super) times: u32,
}

impl Session {
    /// Called when another program has logged in as this device. If both went on, each would end the other's connection
    /// for ever; so this one takes another name, at once if nothing is to be settled under the old one.
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

    /// Asks for a new name if it needs one, once no message sent under the old one is unanswered.
    pub(super) fn ask_to_rename(&mut self) {
        if self.naming.wanted
            && !self.naming.asked
            && !self.sending.outbox.iter().any(|m| m.is_doubtful() && !m.refused)
        {
            self.naming.asked = true;
            self.told.events.push_back(Event::NameTaken);
        }
    }

    /// Sets this device's new name after [`Event::NameTaken`]; it is on disk already. `None` means that none could be
    /// stored; it is asked for again later.
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
