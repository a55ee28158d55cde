//! This device's name, once somebody else uses it too, as after its folder was copied or put back from a backup: what is
//! under way is settled under the old one, then it takes another.

use std::time::Instant;

use super::harmless::RENAMES;
use super::{DISK, Event, Session, State};
use crate::client::session::Link;
use crate::protocol::wire::frame::Device;

impl Session {
    /// Another program has come in as this device. Were both to go on so, each would end the other's connection
    /// for ever: this one takes another name, at once if nothing is to be settled under the old one.
    pub(super) fn copied(&mut self, now: Instant, offline: bool) {
        self.renaming = true;
        if offline {
            self.lose_place();
        } else {
            self.try_again(now);
        }
        self.events.push_back(Event::Copied { offline });
        self.ask_to_rename();
    }

    /// For the other name this device needs, once nothing may have been sent under the old one and is unanswered.
    pub(super) fn ask_to_rename(&mut self) {
        if self.renaming && !self.rename_asked && !self.outbox.iter().any(|m| m.doubtful && !m.refused) {
            self.rename_asked = true;
            self.events.push_back(Event::NameTaken);
        }
    }

    /// This device's new name, after [`Event::NameTaken`]: on disk already. None could be stored: it is asked for
    /// again later.
    pub fn set_device(&mut self, now: Instant, device: Option<Device>) {
        let Some(who) = &mut self.who else { return };
        let Some(device) = device else {
            self.rename_asked = false;
            self.resend_at = Some(now + DISK);
            return self.turn(now);
        };
        who.kept.device = device;
        who.kept.token = None;
        self.used = 0;
        self.renaming = false;
        self.rename_asked = false;
        self.by_password = who.password.is_some();
        for message in &mut self.outbox {
            message.refused = false;
        }
        self.give_up_connection(now, "another name");
        self.renames += 1;
        if self.renames > RENAMES {
            // Nobody else takes a name that was only just made up.
            self.try_again(now);
        } else if self.state == State::Online {
            self.state = State::LoggingIn;
            self.show(Link::LoggingIn);
        }
        self.turn(now);
    }
}
