//! A friend's account, remark and group: for a new one or a change.

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
    /// Who, unchecked.
    pub account: String,
    /// What their owner calls them.
    pub remark: String,
    /// The section they stand in.
    pub group: String,
    /// Kept and not shown.
    pub blocked: bool,
}

/// What the window of a friend's remark and group asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// The window is wanted: for a known account, or for somebody new of that name, which may be empty.
    Open(String),
    /// The button was pressed.
    Save(Form),
    /// The window was closed.
    Closed,
}

/// The window.
pub struct FriendWindow {
    window: screen::Owned,
    sheet: Sheet,
    /// Whom it was opened for.
    name: String,
    account: Input,
    remark: Input,
    group: Input,
    blocked: CheckButton,
    message: Note,
    save: Button,
    typed: Rc<dyn Fn() -> Form>,
    /// Whom the server was asked for, and not answered yet.
    asked: Option<Account>,
    /// Whom it could not be asked for: saved once more they are added all the same.
    unchecked: Option<Account>,
}

impl FriendWindow {
    /// Opens the window: for `known`, whose account stays, or for somebody new called `name`; `asks` where the server
    /// can be asked whether there is that account.
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
            // What is shown of an account may not be all of it.
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

    /// Whom it was opened for, what is typed, and whom the server was asked for and not answered yet.
    #[must_use]
    pub fn state(&self) -> (String, Form, Option<Account>) {
        (self.name.clone(), (self.typed)(), self.asked.clone())
    }

    /// Types that into a window that is made anew for the same.
    pub fn fill(&mut self, form: &Form, asked: Option<Account>) {
        // Else it is shown as it was when the window was opened.
        if form.account != self.name {
            self.account.set_value(&form.account);
        }
        self.remark.set_value(&form.remark);
        self.group.set_value(&form.group);
        self.blocked.set_value(form.blocked);
        asked.into_iter().for_each(|account| self.asks(account));
    }

    /// Whether somebody new may be added without a question: it was asked, and there was no answer.
    #[must_use]
    pub fn is_unchecked(&self, account: &Account) -> bool {
        self.unchecked.as_ref() == Some(account)
    }

    /// The server is asked whether there is this account.
    pub fn asks(&mut self, account: Account) {
        self.save.set_label(&t!("friend.save"));
        self.message.set_label_color(theme::palette().dim);
        self.sheet.tell(&mut self.message, &t!("friend.asking"));
        (self.asked, self.unchecked) = (Some(account), None);
    }

    /// The server's answer about an account; what is typed now, if it is that one's still and is to be added.
    pub fn answered(&mut self, about: &Account, found: &LookUpResult) -> Option<Form> {
        self.asked.take_if(|asked| asked == about)?;
        let form = (self.typed)();
        if Account::person(&form.account).as_ref() != Ok(about) {
            // Something else was typed meanwhile, of which nothing is known.
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

    /// Nobody knows whether there is this account.
    fn leave_to_owner(&mut self, account: &Account, why: &str) {
        self.unchecked = Some(account.clone());
        self.say(why);
        self.save.set_label(&t!("friend.add_all_the_same"));
        let _ = self.save.take_focus();
    }

    /// Says what is wrong with the account; everything typed stays.
    pub fn say(&mut self, text: &str) {
        log::info!("said: {text}");
        self.message.set_label_color(theme::palette().error);
        self.sheet.tell(&mut self.message, text);
        let _ = self.account.take_focus();
    }

    /// The window itself.
    #[must_use]
    pub fn window(&self) -> &Window {
        &self.window
    }
}

impl Form {
    /// The contact it describes.
    ///
    /// # Errors
    /// What the protocol forbids in an account.
    pub fn contact(&self) -> Result<Contact, crate::base::model::FieldError> {
        let account = Account::person(&self.account)?;
        let line = |text: &str| text.trim().chars().filter(|c| !c.is_control()).collect::<String>();
        Ok(Contact { account, remark: names::tidy(&self.remark), group: line(&self.group), blocked: self.blocked })
    }
}
