//! Emits the session's events, and does what follows from each of them.

use super::{ConnectionState, Event, ExtensionRequest, LoginOutcome, RegisterOutcome, Session};

impl Session {
    /// Takes over the events of the dialect's session; called at the end of every call that may have changed it.
    pub(super) fn listen(&mut self) {
        while let Some(event) = self.state.poll_event() {
            self.tell(event);
        }
    }

    /// Emits an event, unless nobody needs it, and does what follows from it.
    pub(super) fn tell(&mut self, event: Event) {
        match &event {
            Event::ConnectionState(link) if self.shown == *link => return,
            Event::ConnectionState(link) => self.shown = *link,
            Event::Pin(key) => self.choice.pin(key.clone()),
            // The user is asked what to do in this case; a user who has given up is told nothing more.
            Event::Registered(RegisterOutcome::NoAnswer | RegisterOutcome::Unheard)
                if self.is_doubting() || !self.wishes.is_registering() =>
            {
                return;
            }
            Event::LoggedIn(LoginOutcome::NoAnswer | LoginOutcome::Unheard) if self.is_doubting() => return,
            Event::Registered(_) => self.wishes.registered(),
            Event::LoggedIn(outcome) => self.wishes.set_online(*outcome == LoginOutcome::Done),
            Event::Kicked { .. } => self.wishes.set_online(false),
            Event::Extensions { known, shown: true } => self.choice.set_foreign(!known),
            Event::EndedAt(ExtensionRequest::Who) => self.choice.set_fragile(),
            Event::EndedAt(ExtensionRequest::ChangePassword)
            | Event::Silent(_)
            | Event::LoginPutOff(_)
            | Event::WentOffline(_)
            | Event::Received { .. }
            | Event::Own { .. }
            | Event::Accepted { .. }
            | Event::Delivered { .. }
            | Event::Items { .. }
            | Event::ItemSet { .. }
            | Event::Friend { .. }
            | Event::People { .. }
            | Event::Found { .. }
            | Event::Outgoing { .. }
            | Event::Refused { .. }
            | Event::NoRoom { .. }
            | Event::Paced(_)
            | Event::NotStoring(_)
            | Event::MaybeLost(_)
            | Event::Unread(_)
            | Event::Online(_)
            | Event::States(_)
            | Event::NotUnderstood(_)
            | Event::UnknownCode(_)
            | Event::PasswordChanged(_)
            | Event::Extensions { shown: false, .. }
            | Event::ChangesPasswords { .. }
            | Event::Speaks(_)
            | Event::PlainOnly(_)
            | Event::KeyChanged(_)
            | Event::Begins(_)
            | Event::Token(_)
            | Event::NameTaken
            | Event::Copied { .. }
            | Event::TookPlace { .. }
            | Event::History { .. }
            | Event::LookedUp { .. }
            | Event::Made { .. }
            | Event::MadeAnew(_)
            | Event::AccountSettings(_) => {}
        }
        self.events.push_back(event);
    }

    pub(super) fn show(&mut self, link: ConnectionState) {
        self.tell(Event::ConnectionState(link));
    }
}
