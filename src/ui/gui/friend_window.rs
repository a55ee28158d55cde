//! The window for a friend's account, remark and group: for a new friend or a change.

use std::rc::Rc;

use fltk::button::{Button, CheckButton};
use fltk::input::Input;
use fltk::prelude::*;
use fltk::window::Window;
use rust_i18n::t;

use super::sheet::{Note, Rows, Sheet, WIDTH};
use super::widgets::{Style, enter_submits};
use super::{Emit, UiEvent, screen, theme};
use crate::base::model::{Account, names};
use crate::client::history::Contact;
use crate::client::session::LookUpResult;

/// What was typed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Form {
    /// The account, unchecked.
    pub account: String,
    /// The remark.
    pub remark: String,
    /// The group.
    pub group: String,
    /// Whether they are blocked: messages are kept but not shown.
    pub blocked: bool,
}

/// What the window of a friend asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// The window is to be opened, for a known account or for somebody new of this name, which may be empty.
    Open(String),
    /// The button was pressed.
    Save(Form),
    /// The window was closed.
    Closed,
}

/// The window of a friend.
pub struct FriendWindow {
    window: screen::Owned,
    sheet: Sheet,
    /// The name it was opened for.
    name: String,
    account: Input,
    remark: Input,
    group: Input,
    blocked: CheckButton,
    message: Note,
    save: Button,
    typed: Rc<dyn Fn() -> Form>,
    /// The account that the server was asked about and has not answered yet.
    asked: Option<Account>,
    /// The account that the server could not be asked about; pressing the button again adds it all the same.
    unchecked: Option<Account>,
}

impl FriendWindow {
    /// Opens the window: for `known`, whose account cannot be changed, or for somebody new called `name`. `asks` says
    /// that the server can be asked whether there is such an account.
    #[must_use]
    pub fn new(name: &str, known: Option<&Contact>, groups: &[String], asks: bool, emit: Emit) -> Self {
        let mut body = Rows::new(WIDTH);
        let mut account = body.field(&t!("friend.account"), &t!("friend.account_hint"));
        account.set_value(&names::shown(known.map_or(name, |c| c.account.as_str())));
        account.set_readonly(known.is_some());
        let mut remark = body.field(&t!("friend.remark"), &t!("friend.remark_hint"));
        let hint = if groups.is_empty() { t!("friend.group_hint").into_owned() } else { groups.join(" · ") };
        let mut group = body.field(&t!("friend.group"), &hint);
        let mut blocked = body.check(&t!("friend.blocked"));
        if let Some(contact) = known {
            remark.set_value(&contact.remark);
            group.set_value(&contact.group);
            blocked.set_value(contact.blocked);
        }
        let mut foot = Rows::foot(WIDTH);
        let mut message = foot.note(1);
        message.set_label_color(theme::palette().dim);
        let mut save = foot.button(&t!("friend.save"), Style::Primary);
        let mut cancel = foot.near().button(&t!("friend.cancel"), Style::Ghost);
        let title = if known.is_some() { t!("friend.edit") } else { t!("friend.add") };
        let mut sheet = Sheet::new(&title, body, Some(foot));
        if known.is_none() {
            let text = if asks { t!("friend.is_asked") } else { t!("friend.never_checked") };
            sheet.tell(&mut message, &text);
        }
        let typed: Rc<dyn Fn() -> Form> = {
            let (account, remark, group, blocked) = (account.clone(), remark.clone(), group.clone(), blocked.clone());
            // The field may show the account in shortened form.
            let (shown, given) = (account.value(), known.map_or(name, |c| c.account.as_str()).to_owned());
            Rc::new(move || {
                let typed = account.value();
                Form {
                    account: if typed == shown { given.clone() } else { typed.trim().to_owned() },
                    remark: remark.value(),
                    group: group.value(),
                    blocked: blocked.value(),
                }
            })
        };
        let submit: Rc<dyn Fn()> = {
            let (typed, emit) = (Rc::clone(&typed), Rc::clone(&emit));
            Rc::new(move || emit(UiEvent::Friend(Event::Save(typed()))))
        };
        enter_submits(&mut account, &submit);
        enter_submits(&mut remark, &submit);
        enter_submits(&mut group, &submit);
        sheet.open(&emit, [&mut save, &mut cancel], submit, &UiEvent::Friend(Event::Closed));
        let _ = if known.is_some() || !name.is_empty() { remark.take_focus() } else { account.take_focus() };
        let (name, asked, unchecked) = (name.to_owned(), None, None);
        Self {
            window: sheet.owned(),
            sheet,
            name,
            account,
            remark,
            group,
            blocked,
            message,
            save,
            typed,
            asked,
            unchecked,
        }
    }

    /// Returns the name it was opened for, what is typed, and the account the server was asked about.
    #[must_use]
    pub fn state(&self) -> (String, Form, Option<Account>) {
        (self.name.clone(), (self.typed)(), self.asked.clone())
    }

    /// Fills what was typed into a rebuilt window for the same person.
    pub fn fill(&mut self, form: &Form, asked: Option<Account>) {
        // Otherwise it is shown as when the window was opened.
        if form.account != self.name {
            self.account.set_value(&form.account);
        }
        self.remark.set_value(&form.remark);
        self.group.set_value(&form.group);
        self.blocked.set_value(form.blocked);
        asked.into_iter().for_each(|account| self.asks(account));
    }

    /// Returns whether this account may be added without asking again, since there was no answer.
    #[must_use]
    pub fn is_unchecked(&self, account: &Account) -> bool {
        self.unchecked.as_ref() == Some(account)
    }

    /// Shows that the server is being asked whether there is this account.
    pub fn asks(&mut self, account: Account) {
        self.save.set_label(&t!("friend.save"));
        self.message.set_label_color(theme::palette().dim);
        self.sheet.tell(&mut self.message, &t!("friend.asking"));
        (self.asked, self.unchecked) = (Some(account), None);
    }

    /// Shows the server's answer about an account. Returns the form if it is still about that account, which is to be
    /// added.
    pub fn answered(&mut self, about: &Account, found: &LookUpResult) -> Option<Form> {
        self.asked.take_if(|asked| asked == about)?;
        let form = (self.typed)();
        if Account::person(&form.account).as_ref() != Ok(about) {
            // Something else was typed meanwhile, about which nothing is known.
            self.message.set_label_color(theme::palette().dim);
            self.sheet.tell(&mut self.message, &t!("friend.is_asked"));
            return None;
        }
        match found {
            LookUpResult::There(account) => return Some(Form { account: account.as_str().to_owned(), ..form }),
            LookUpResult::Nobody => self.say(&t!("friend.nobody", name = about.shown())),
            LookUpResult::NotHere => self.leave_to_owner(about, &t!("friend.never_checked")),
            LookUpResult::Unanswered => self.leave_to_owner(about, &t!("friend.not_asked")),
        }
        None
    }

    /// Shows that it is unknown whether there is this account, and leaves it to the person.
    fn leave_to_owner(&mut self, account: &Account, why: &str) {
        self.unchecked = Some(account.clone());
        self.say(why);
        self.save.set_label(&t!("friend.add_all_the_same"));
        let _ = self.save.take_focus();
    }

    /// Shows what is wrong with the account; everything typed stays.
    pub fn say(&mut self, text: &str) {
        log::info!("said: {text}");
        self.message.set_label_color(theme::palette().error);
        self.sheet.tell(&mut self.message, text);
        let _ = self.account.take_focus();
    }

    /// Returns the window itself.
    #[must_use]
    pub fn window(&self) -> &Window {
        &self.window
    }
}

impl Form {
    /// Returns the contact that was typed.
    ///
    /// # Errors
    /// What the protocol forbids in an account.
    pub fn contact(&self) -> Result<Contact, crate::base::model::FieldError> {
        let account = Account::person(&self.account)?;
        let line = |text: &str| text.trim().chars().filter(|c| !c.is_control()).collect::<String>();
        Ok(Contact { account, remark: names::tidy(&self.remark), group: line(&self.group), blocked: self.blocked })
    }
}
