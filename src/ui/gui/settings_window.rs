//! The settings: server, local network, language, theme, polling; also how the account may be used, which the server
//! keeps, if it can be asked.

use std::borrow::Cow;
use std::cell::Cell;
use std::rc::Rc;

use fltk::button::CheckButton;
use fltk::input::Input;
use fltk::prelude::*;
use fltk::window::Window;
use rust_i18n::t;

use super::sheet::{Note, Rows, Sheet};
use super::widgets::{self, enter_submits_and};
use super::{Emit, UiEvent, screen, theme};
use crate::base::settings::{Language, PollingChoice};
use crate::protocol::wire::frame::AccountSettings;

const WIDTH: i32 = 380;

/// The settings that can be chosen.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs, reason = "as in the settings themselves")]
pub struct SettingsForm {
    pub server: String,
    pub host_lan: bool,
    pub language: Language,
    pub dark: bool,
    pub polling: PollingChoice,
    /// The account's settings; `None` while the server has not told them.
    pub account: Option<AccountSettings>,
}

/// What the settings window asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// The window is to be opened.
    Open,
    /// The button was pressed.
    Save(SettingsForm),
    /// The window was closed.
    Closed,
}

/// The part about the account.
#[derive(Clone)]
struct AccountPart {
    beside: CheckButton,
    secure_only: CheckButton,
}

/// The settings window.
pub struct SettingsWindow {
    window: screen::Owned,
    sheet: Sheet,
    server: Input,
    message: Note,
    chosen: Rc<dyn Fn() -> SettingsForm>,
    account: Option<AccountPart>,
    /// The account's settings as the server has told them.
    told: Rc<Cell<Option<AccountSettings>>>,
}

impl SettingsWindow {
    /// Opens the window. `lan` is what others have to type to reach a server on this machine; with `account` there is a
    /// part about the account, to be filled by [`SettingsWindow::tell`].
    #[must_use]
    pub fn new(form: &SettingsForm, lan: Option<&str>, account: bool, emit: Emit) -> Self {
        let mut rows = Rows::new(WIDTH);
        let (mut server, host, tell_others) = server_part(&mut rows, form, lan);
        let choices = Choices::new(&mut rows, form);
        let part = account.then(|| AccountPart::new(&mut rows));
        let mut foot = Rows::foot(WIDTH);
        let message = foot.note(2);
        let [mut cancel, mut save] = foot.buttons(&t!("friend.cancel"), &t!("friend.save"), true);
        let sheet = Sheet::new(&t!("settings.title"), rows, Some(foot));
        let told = Rc::new(Cell::new(None));
        let chosen: Rc<dyn Fn() -> SettingsForm> = {
            let (server, part, told) = (server.clone(), part.clone(), Rc::clone(&told));
            Rc::new(move || SettingsForm {
                server: server.value().trim().to_owned(),
                host_lan: host.value(),
                language: choices.language(),
                dark: choices.theme.get() == 1,
                polling: choices.polling(),
                account: part.as_ref().filter(|_| told.get().is_some()).map(AccountPart::settings),
            })
        };
        let submit: Rc<dyn Fn()> = {
            let (chosen, emit) = (Rc::clone(&chosen), Rc::clone(&emit));
            Rc::new(move || emit(UiEvent::Settings(Event::Save(chosen()))))
        };
        enter_submits_and(&mut server, &submit, Some(&tell_others));
        sheet.open(&emit, [&mut save, &mut cancel], submit, &UiEvent::Settings(Event::Closed));
        let _ = server.take_focus();
        Self { window: sheet.owned(), sheet, server, message, chosen, account: part, told }
    }

    /// Returns what is chosen.
    #[must_use]
    pub fn form(&self) -> SettingsForm {
        (self.chosen)()
    }

    /// Shows the account's settings as the server has told them; `None` means that it does not know them or could not
    /// keep a change.
    pub fn tell(&mut self, settings: Option<AccountSettings>) {
        let Some(part) = &mut self.account else { return };
        let Some(settings) = settings else { return self.say(&t!("settings.account_not_kept")) };
        // What was ticked meanwhile stays.
        if self.told.replace(Some(settings)).is_none() {
            for (check, on) in [(&mut part.beside, settings.beside), (&mut part.secure_only, settings.secure_only)] {
                check.set_value(on);
                check.activate();
            }
        }
    }

    /// Returns the account's settings as the server has told them.
    #[must_use]
    pub fn told(&self) -> Option<AccountSettings> {
        self.told.get()
    }

    /// Returns the window itself.
    #[must_use]
    pub fn window(&self) -> &Window {
        &self.window
    }

    /// Brings the window to the front.
    pub fn raise(&mut self) {
        self.window.show();
        let _ = self.server.take_focus();
    }

    /// Shows what is wrong; everything typed stays.
    pub fn say(&mut self, text: &str) {
        self.message.set_label_color(theme::palette().error);
        self.sheet.tell(&mut self.message, text);
    }
}

/// Makes the fields for the server and for sharing this computer's own; also returns the function that updates the hint
/// for others.
fn server_part(rows: &mut Rows, form: &SettingsForm, lan: Option<&str>) -> (Input, CheckButton, Rc<dyn Fn()>) {
    let mut server = rows.field(&t!("settings.server"), &t!("settings.server_hint"));
    server.set_value(&form.server);
    let mut host = rows.check(&t!("settings.host_lan"));
    host.set_value(form.host_lan);
    let mut line = rows.near().note(3);
    line.set_label_color(theme::palette().dim);
    // The hint depends on what is ticked and typed, since only then can others reach anything here.
    let tell_others: Rc<dyn Fn()> = {
        let (host, server, lan) = (host.clone(), server.clone(), lan.map(str::to_owned));
        Rc::new(move || {
            let mut line = line.clone();
            let text = for_others(host.value(), &server.value(), lan.as_deref());
            line.set_label(&widgets::escape(&text));
            line.parent().into_iter().for_each(|mut around| around.redraw());
        })
    };
    tell_others();
    host.set_callback({
        let tell_others = Rc::clone(&tell_others);
        move |_| tell_others()
    });
    (server, host, tell_others)
}

/// The rows of choices, each with the index of what is chosen.
struct Choices {
    language: Rc<Cell<usize>>,
    theme: Rc<Cell<usize>>,
    polling: Rc<Cell<usize>>,
}

impl Choices {
    const LANGUAGES: [Language; 3] = [Language::System, Language::Zh, Language::En];
    const POLLING: [PollingChoice; 3] =
        [PollingChoice::Adaptive, PollingChoice::Strict, PollingChoice::StrictPerFriend];

    fn new(rows: &mut Rows, form: &SettingsForm) -> Self {
        let (title, languages) = (t!("settings.language"), [&t!("settings.system"), "中文", "English"]);
        let language = segments(rows, &title, &languages, place(&Self::LANGUAGES, &form.language));
        let (title, themes) = (t!("settings.theme"), [t!("settings.light"), t!("settings.dark")]);
        let theme = segments(rows, &title, &themes.each_ref().map(|name| &**name), usize::from(form.dark));
        let names = [t!("settings.adaptive"), t!("settings.strict"), t!("settings.per_friend")];
        let (title, names) = (t!("settings.polling"), names.each_ref().map(|name| &**name));
        let polling = segments(rows, &title, &names, place(&Self::POLLING, &form.polling));
        Self { language, theme, polling }
    }

    fn language(&self) -> Language {
        Self::LANGUAGES.get(self.language.get()).copied().unwrap_or_default()
    }

    fn polling(&self) -> PollingChoice {
        Self::POLLING.get(self.polling.get()).copied().unwrap_or_default()
    }
}

/// Returns the index of a value.
fn place<T: PartialEq>(all: &[T], one: &T) -> usize {
    all.iter().position(|other| other == one).unwrap_or(0)
}

impl AccountPart {
    fn new(rows: &mut Rows) -> Self {
        rows.label(&t!("settings.account"));
        let mut beside = rows.check(&t!("settings.beside"));
        let mut secure_only = rows.near().check(&t!("settings.secure_only"));
        // Nothing can be changed until the server has told the present settings.
        beside.deactivate();
        secure_only.deactivate();
        Self { beside, secure_only }
    }

    fn settings(&self) -> AccountSettings {
        AccountSettings { beside: self.beside.value(), secure_only: self.secure_only.value() }
    }
}

/// Returns what others on the network have to do to use this computer's server, if they can.
fn for_others(shared: bool, server: &str, lan: Option<&str>) -> Cow<'static, str> {
    match (shared, lan) {
        (false, _) => t!("settings.not_shared"),
        (true, _) if !server.trim().is_empty() => t!("settings.other_server"),
        (true, Some(address)) => t!("settings.lan", address = address),
        (true, None) => t!("settings.no_lan"),
    }
}

/// Makes a row of choices; returns the index of the chosen one.
fn segments(rows: &mut Rows, title: &str, labels: &[&str], chosen: usize) -> Rc<Cell<usize>> {
    let value = Rc::new(Cell::new(chosen));
    let segment = |(i, label): (usize, &&str)| widgets::segment(0, 0, 0, label, i, &value);
    let mut buttons: Vec<_> = rows.choices(title, || labels.iter().enumerate().map(segment).collect());
    let all = buttons.clone();
    for (i, button) in buttons.iter_mut().enumerate() {
        let (value, mut all) = (Rc::clone(&value), all.clone());
        button.set_callback(move |_| {
            value.set(i);
            all.iter_mut().for_each(fltk::prelude::WidgetExt::redraw);
        });
    }
    value
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_shown_only_where_it_reaches_something() {
        let lan = Some("192.0.2.2:21568");
        for (shared, server, lan, address) in [
            (true, "", lan, true),
            (true, " ", lan, true),
            (false, "", lan, false),
            (true, "chat.example:21568", lan, false),
            (false, "chat.example:21568", lan, false),
            (true, "", None, false),
        ] {
            let text = for_others(shared, server, lan);
            assert_eq!(text.contains("192.0.2.2"), address, "{shared} {server:?} {text}");
            assert!(!text.is_empty());
        }
    }
}
