//! The window for a friend's account, remark and group, for a new friend or a change, and for a request to be friends.

use std::borrow::Cow;
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
use crate::base::shown;
use crate::client::history::Contact;
use crate::client::session::{FriendRequest, LookUpResult};

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
    /// The line that goes with a request to be friends.
    pub text: String,
    /// The answer to the question of the account that is asked.
    pub answer: String,
}

/// Whether saving asks the other account to be a friend.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Befriending {
    /// It does not: they are friends, or were asked, or the server keeps no friends.
    No,
    /// It does.
    Asks,
    /// It does, and the other account wants this question answered.
    Answers(String),
}

/// What the window of a friend asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// The window is to be opened, for a known account or for somebody new of this name, which may be empty.
    Open(String),
    /// The window is wanted to ask somebody in the list to be a friend.
    Befriend(Account),
    /// What is known of somebody is to be shown.
    Card(Account),
    /// Somebody's request is to be answered, or a friendship or request ended.
    Answer(Account, FriendRequest),
    /// A friendship is to be ended, after a question.
    End(Account),
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
    /// The line that goes with a request, and the answer to a question, where the window has them.
    text: Option<Input>,
    answer: Option<Input>,
    message: Note,
    save: Button,
    typed: Rc<dyn Fn() -> Form>,
    /// The account that the server was asked about and has not answered yet.
    asked: Option<Account>,
    /// The account that the server could not be asked about; pressing the button again adds it all the same.
    unchecked: Option<Account>,
}

impl Befriending {
    /// The line that goes with a request; the question of the account that is asked, and the line for its answer.
    fn rows(&self, body: &mut Rows) -> (Option<Input>, Option<Note>, Option<Input>) {
        let text = (*self != Self::No).then(|| body.field(&t!("people.text"), &t!("people.text_hint")));
        match self {
            Self::Answers(_) => {
                let mut question = body.note(1);
                question.set_label_color(theme::palette().text);
                (text, Some(question), Some(body.near().field(&t!("people.answer"), "")))
            }
            Self::No | Self::Asks => (text, None, None),
        }
    }

    fn agree(&self) -> Cow<'static, str> {
        if *self == Self::No { t!("friend.save") } else { t!("people.send") }
    }

    fn title(&self, known: bool) -> Cow<'static, str> {
        match self {
            _ if !known => t!("friend.add"),
            Self::No => t!("friend.edit"),
            Self::Asks | Self::Answers(_) => t!("people.befriend_title"),
        }
    }
}

impl FriendWindow {
    /// Opens the window: for `known`, whose account cannot be changed, or for somebody new called `name`. `asks` says
    /// that the server can be asked whether there is such an account.
    #[must_use]
    pub fn new(
        name: &str,
        known: Option<&Contact>,
        groups: &[String],
        (asks, befriending): (bool, &Befriending),
        emit: Emit,
    ) -> Self {
        let mut body = Rows::new(WIDTH);
        let mut account = body.field(&t!("friend.account"), &t!("friend.account_hint"));
        account.set_value(&names::shown(known.map_or(name, |c| c.account.as_str())));
        account.set_readonly(known.is_some());
        let mut remark = body.field(&t!("friend.remark"), &t!("friend.remark_hint"));
        let hint = if groups.is_empty() { t!("friend.group_hint").into_owned() } else { groups.join(" · ") };
        let mut group = body.field(&t!("friend.group"), &hint);
        let (mut text, mut question, mut answer) = befriending.rows(&mut body);
        let mut blocked = body.check(&t!("friend.blocked"));
        if let Some(contact) = known {
            remark.set_value(&contact.remark);
            group.set_value(&contact.group);
            blocked.set_value(contact.blocked);
        }
        let mut foot = Rows::foot(WIDTH);
        let mut message = foot.note(1);
        message.set_label_color(theme::palette().dim);
        let mut save = foot.button(&befriending.agree(), Style::Primary);
        let mut cancel = foot.near().button(&t!("friend.cancel"), Style::Ghost);
        let mut sheet = Sheet::new(&befriending.title(known.is_some()), body, Some(foot));
        if let (Befriending::Answers(words), Some(question)) = (befriending, &mut question) {
            sheet.tell(question, &shown::line(words));
        }
        if known.is_none() {
            let text = match (asks, befriending) {
                (false, _) => t!("friend.never_checked"),
                (true, Befriending::No) => t!("friend.is_asked"),
                (true, Befriending::Asks | Befriending::Answers(_)) => t!("people.ask_is_sent"),
            };
            sheet.tell(&mut message, &text);
        }
        let typed: Rc<dyn Fn() -> Form> = {
            let (account, remark, group, blocked) = (account.clone(), remark.clone(), group.clone(), blocked.clone());
            let (text, answer) = (text.clone(), answer.clone());
            // The field may show the account in shortened form.
            let (shown, given) = (account.value(), known.map_or(name, |c| c.account.as_str()).to_owned());
            Rc::new(move || {
                let typed = account.value();
                Form {
                    account: if typed == shown { given.clone() } else { typed.trim().to_owned() },
                    remark: remark.value(),
                    group: group.value(),
                    blocked: blocked.value(),
                    text: text.as_ref().map(Input::value).unwrap_or_default(),
                    answer: answer.as_ref().map(Input::value).unwrap_or_default(),
                }
            })
        };
        let submit: Rc<dyn Fn()> = {
            let (typed, emit) = (Rc::clone(&typed), Rc::clone(&emit));
            Rc::new(move || emit(UiEvent::Friend(Event::Save(typed()))))
        };
        let always = [&mut account, &mut remark, &mut group].into_iter();
        always.chain(&mut text).chain(&mut answer).for_each(|field| enter_submits(field, &submit));
        sheet.open(&emit, [&mut save, &mut cancel], submit, &UiEvent::Friend(Event::Closed));
        let _ = match (&mut answer, &mut text) {
            (Some(answer), _) => answer.take_focus(),
            (None, Some(text)) if known.is_some() => text.take_focus(),
            _ if known.is_some() || !name.is_empty() => remark.take_focus(),
            _ => account.take_focus(),
        };
        Self {
            window: sheet.owned(),
            sheet,
            name: name.to_owned(),
            account,
            remark,
            group,
            blocked,
            text,
            answer,
            message,
            save,
            typed,
            asked: None,
            unchecked: None,
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
        self.text.iter_mut().for_each(|field| field.set_value(&form.text));
        self.answer.iter_mut().for_each(|field| field.set_value(&form.answer));
        asked.into_iter().for_each(|account| self.asks(account));
    }

    /// Returns whether this account may be added without asking again, since there was no answer.
    #[must_use]
    pub fn is_unchecked(&self, account: &Account) -> bool {
        self.unchecked.as_ref() == Some(account)
    }

    /// Shows that the server is being asked whether there is this account.
    pub fn asks(&mut self, account: Account) {
        let agree = if self.text.is_some() { t!("people.send") } else { t!("friend.save") };
        self.save.set_label(&agree);
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

    /// Returns whether the form is about this account, as it is typed now.
    #[must_use]
    pub fn is_about(&self, account: &Account) -> bool {
        Account::person(&(self.typed)().account).as_ref() == Ok(account)
    }

    /// Says that a request is on its way.
    pub fn waits(&mut self) {
        self.message.set_label_color(theme::palette().dim);
        self.sheet.tell(&mut self.message, &t!("people.sending"));
    }

    /// Says what is wrong with the answer to a question, with the keys there.
    pub fn refuse_answer(&mut self, text: &str) {
        self.say(text);
        self.answer.iter_mut().for_each(|field| drop(field.take_focus()));
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
