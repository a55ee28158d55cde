//! Requests that wait until it is known which dialect the server speaks: registrations, logins and messages. Also
//! keeps the last login and registration, to repeat them when they get no answer.

use super::{DeviceState, NewAccount, Recipient};
use crate::base::model::{Account, MessageId, MessageText, Password};

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum PendingRequest {
    Register(NewAccount),
    Login { account: Account, password: Password, kept: DeviceState },
    Resume { account: Account, kept: DeviceState },
}

impl PendingRequest {
    fn is_to_register(&self) -> bool {
        matches!(self, Self::Register(_))
    }
}

/// A message that waits to be sent.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct PendingMessage {
    pub(super) id: MessageId,
    pub(super) to: Recipient,
    pub(super) text: MessageText,
    /// Whether it may have been sent already.
    pub(super) again: bool,
}

#[derive(Debug, Default)]
pub(super) struct Pending {
    /// Requests that were not sent yet.
    open: Vec<PendingRequest>,
    messages: Vec<PendingMessage>,
    /// The last login; `online` tells whether the user still wants to be online.
    login: Option<PendingRequest>,
    online: bool,
    /// The registration that was not answered yet.
    registering: Option<PendingRequest>,
}

impl Pending {
    /// Adds a request in place of an earlier one of its kind. A login also replaces all messages, which are loaded
    /// anew.
    pub(super) fn add(&mut self, wish: PendingRequest) {
        let registers = wish.is_to_register();
        self.open.retain(|open| open.is_to_register() != registers);
        if registers {
            self.registering = Some(wish.clone());
        } else {
            self.messages.clear();
            self.login = Some(wish.clone());
            self.online = true;
        }
        self.open.push(wish);
    }

    /// Adds a message, unless it already waits.
    pub(super) fn wait(&mut self, message: PendingMessage) {
        if !self.messages.iter().any(|waiting| waiting.id == message.id) {
            self.messages.push(message);
        }
    }

    /// Takes the requests that can be sent now.
    pub(super) fn take(&mut self) -> Vec<PendingRequest> {
        std::mem::take(&mut self.open)
    }

    /// Takes the messages that can be sent now.
    pub(super) fn take_messages(&mut self) -> Vec<PendingMessage> {
        std::mem::take(&mut self.messages)
    }

    /// Repeats the last login if no other request is open, and returns whether it does.
    pub(super) fn log_in_again(&mut self) -> bool {
        let login = self.login.clone().filter(|_| self.open.is_empty());
        let wanted = login.is_some();
        self.open.extend(login);
        wanted
    }

    /// Repeats the requests that were not answered, if no other request is open.
    pub(super) fn begin_again(&mut self) {
        if self.open.is_empty() {
            let login = self.login.clone().filter(|_| self.online);
            self.open.extend(self.registering.clone().into_iter().chain(login));
        }
    }

    /// Drops all open requests.
    pub(super) fn drop_open(&mut self) {
        self.open.clear();
    }

    /// Notes that the registration was answered, or that its answer is not waited for any more.
    pub(super) fn registered(&mut self) {
        self.registering = None;
    }

    pub(super) fn is_registering(&self) -> bool {
        self.registering.is_some()
    }

    /// Sets whether the user of the last login wants to be online.
    pub(super) fn set_online(&mut self, online: bool) {
        self.online = online;
    }

    /// Returns whether the user wants to be online or to register.
    pub(super) fn any(&self) -> bool {
        self.online || self.is_registering()
    }

    /// Forgets the last login and its messages; true if another request is open.
    pub(super) fn forget_login(&mut self) -> bool {
        self.open.retain(PendingRequest::is_to_register);
        self.messages.clear();
        self.login = None;
        self.online = false;
        !self.open.is_empty()
    }
}

#[cfg(test)]
mod tests;
