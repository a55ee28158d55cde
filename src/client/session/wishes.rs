//! What is wanted of a server before it is known in which dialect: to register, to log in, messages to be sent. And
//! what was wanted last, to begin again with where an answer stays away or means too little.

use super::{Kept, Receiver};
use crate::base::model::{Account, MessageId, MessageText, Password};

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Wish {
    Register { account: Account, password: Password, confirm: Password },
    Login { account: Account, password: Password, kept: Kept },
    Resume { account: Account, kept: Kept },
}

impl Wish {
    fn is_to_register(&self) -> bool {
        matches!(self, Self::Register { .. })
    }
}

/// A message that waits.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Waiting {
    pub(super) id: MessageId,
    pub(super) to: Receiver,
    pub(super) text: MessageText,
    /// It may have been sent already.
    pub(super) again: bool,
}

#[derive(Debug, Default)]
pub(super) struct Wishes {
    /// What nobody was asked for yet.
    open: Vec<Wish>,
    messages: Vec<Waiting>,
    /// Whoever logged in last, and whether they still want to be online.
    login: Option<Wish>,
    online: bool,
    /// The registration that is not answered.
    registering: Option<Wish>,
}

impl Wishes {
    /// In place of an earlier one of its kind; a login also of all messages, which are loaded anew.
    pub(super) fn add(&mut self, wish: Wish) {
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

    /// A message waits, once.
    pub(super) fn wait(&mut self, message: Waiting) {
        if !self.messages.iter().any(|waiting| waiting.id == message.id) {
            self.messages.push(message);
        }
    }

    /// What can be asked for now.
    pub(super) fn take(&mut self) -> Vec<Wish> {
        std::mem::take(&mut self.open)
    }

    /// The messages that can be sent now.
    pub(super) fn take_messages(&mut self) -> Vec<Waiting> {
        std::mem::take(&mut self.messages)
    }

    /// Wants the last login once more, if nothing else is open; whether it does.
    pub(super) fn log_in_again(&mut self) -> bool {
        let login = self.login.clone().filter(|_| self.open.is_empty());
        let wanted = login.is_some();
        self.open.extend(login);
        wanted
    }

    /// Wants once more what was not answered, if nothing else is open.
    pub(super) fn begin_again(&mut self) {
        if self.open.is_empty() {
            let login = self.login.clone().filter(|_| self.online);
            self.open.extend(self.registering.clone().into_iter().chain(login));
        }
    }

    /// Nothing is to be asked for any more.
    pub(super) fn drop_open(&mut self) {
        self.open.clear();
    }

    /// The registration was answered, or its answer is not waited for any more.
    pub(super) fn registered(&mut self) {
        self.registering = None;
    }

    pub(super) fn is_registering(&self) -> bool {
        self.registering.is_some()
    }

    /// Whoever logged in last wants to be online, or does not any more.
    pub(super) fn set_online(&mut self, online: bool) {
        self.online = online;
    }

    /// Whether anybody wants anything.
    pub(super) fn any(&self) -> bool {
        self.online || self.is_registering()
    }

    /// Forgets whoever logged in last, and their messages; whether something else is open.
    pub(super) fn forget_login(&mut self) -> bool {
        self.open.retain(Wish::is_to_register);
        self.messages.clear();
        self.login = None;
        self.online = false;
        !self.open.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::wire::frame::Key;

    fn account(name: &str) -> Account {
        Account::person(name).expect("valid")
    }

    fn login(name: &str) -> Wish {
        let kept = Kept { device: Key([1; 16]), token: None, cursor: None, newest: 0, delivered: 0, made: None };
        Wish::Resume { account: account(name), kept }
    }

    fn register(name: &str) -> Wish {
        let password = Password::parse("secret").expect("valid");
        Wish::Register { account: account(name), password: password.clone(), confirm: password }
    }

    fn message(id: i64) -> Waiting {
        let text = MessageText::parse("hi").expect("valid");
        Waiting { id: MessageId(id), to: account("b").into(), text, again: false }
    }

    #[test]
    fn the_last_of_a_kind_counts_and_a_message_waits_once() {
        let mut wishes = Wishes::default();
        for wish in [login("a"), register("c"), register("d"), login("b")] {
            wishes.add(wish);
            [1, 1, 2].into_iter().for_each(|id| wishes.wait(message(id)));
        }
        assert_eq!(wishes.take(), [register("d"), login("b")]);
        assert_eq!(wishes.take_messages(), [message(1), message(2)]);
        assert!(wishes.take().is_empty() && wishes.take_messages().is_empty());
    }

    #[test]
    fn what_was_not_answered_is_wanted_once_more() {
        let mut wishes = Wishes::default();
        assert!(!wishes.any() && !wishes.log_in_again());
        wishes.add(register("c"));
        wishes.add(login("a"));
        wishes.take();
        wishes.begin_again();
        assert_eq!(wishes.take(), [register("c"), login("a")]);
        wishes.registered();
        wishes.begin_again();
        assert_eq!(wishes.take(), [login("a")]);
        // Whoever has gone offline is not brought back, unless they say so.
        wishes.set_online(false);
        wishes.begin_again();
        assert!(!wishes.any() && wishes.take().is_empty());
        assert!(wishes.log_in_again() && !wishes.log_in_again() && wishes.take() == [login("a")]);
    }

    #[test]
    fn of_another_account_nothing_is_left_but_a_registration() {
        let mut wishes = Wishes::default();
        wishes.add(login("a"));
        wishes.wait(message(1));
        assert!(!wishes.forget_login() && !wishes.any());
        wishes.add(register("c"));
        wishes.add(login("a"));
        assert!(wishes.forget_login() && wishes.any());
        assert!(wishes.take() == [register("c")] && wishes.take_messages().is_empty() && !wishes.log_in_again());
    }
}
