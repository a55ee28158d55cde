//! What a window does by keys and by menus: an action is one entry of its window's table, with its keys, its line in
//! the list of keys and its name in a menu. Dispatch, list and menu read the tables; nothing else knows them.

use std::borrow::Cow;
use std::fmt;

use fltk::app;
use fltk::enums::{Key, Shortcut};
use rust_i18n::t;

use super::{
    UiEvent, connection_window, keys_window, latin, main_window, menu, password_window, profile_window,
    settings_window, wire_window,
};
use crate::protocol::wire::status::Chosen;

/// A key or a chord of keys that an action waits for; `Display` writes it as the list of keys shows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Press {
    /// Ctrl with this character. Shift may be held as well, unless the table has an entry of its own for that.
    Ctrl(char),
    /// Ctrl and Shift with this character.
    CtrlShift(char),
    /// Alt with this character.
    Alt(char),
    /// A function key by its number, from 1 to 12.
    F(u8),
    /// Enter without Shift, on the main keys or the keypad.
    Enter,
    /// Enter with Shift or without, on the main keys or the keypad.
    AnyEnter,
    /// The space bar without any other key.
    Space,
    /// The Tab key.
    Tab,
    /// The Delete key.
    Delete,
    /// The Backspace key.
    BackSpace,
    /// The Escape key.
    Escape,
    /// The Page Up key.
    PageUp,
    /// The Page Down key.
    PageDown,
    /// The arrow key that points up.
    Up,
    /// The arrow key that points down.
    Down,
    /// The arrow key that points left.
    Left,
    /// The arrow key that points right.
    Right,
    /// The Home key, with Ctrl or without.
    Home,
    /// The End key, with Ctrl or without.
    End,
    /// The Home key with Ctrl.
    CtrlHome,
    /// The End key with Ctrl.
    CtrlEnd,
    /// The Menu key, or Shift+F10, which stands for it on keyboards without one.
    Menu,
    /// Any key that writes a character, without Ctrl.
    Text,
    /// A key by the name that the list of keys shows; FLTK or a widget handles it, not the table.
    Elsewhere(&'static str),
}

impl Press {
    fn is_pressed(self) -> bool {
        let state = app::event_state();
        let (shift, alt) = (state.contains(Shortcut::Shift), state.contains(Shortcut::Alt));
        let is = |c: char| latin::key() == Key::from_char(c);
        let key = app::event_key();
        match self {
            Self::Ctrl(c) => latin::ctrl() && is(c),
            Self::CtrlShift(c) => latin::ctrl() && shift && is(c),
            Self::Alt(c) => alt && is(c),
            Self::F(n) => key == Key::from_i32(Key::F1.bits() + i32::from(n) - 1),
            Self::Enter => matches!(key, Key::Enter | Key::KPEnter) && !shift,
            Self::AnyEnter => matches!(key, Key::Enter | Key::KPEnter),
            Self::Space => !latin::ctrl() && !alt && is(' '),
            Self::Tab => key == Key::Tab,
            Self::Delete => key == Key::Delete,
            Self::BackSpace => key == Key::BackSpace,
            Self::Escape => key == Key::Escape,
            Self::PageUp => key == Key::PageUp,
            Self::PageDown => key == Key::PageDown,
            Self::Up => key == Key::Up,
            Self::Down => key == Key::Down,
            Self::Left => key == Key::Left,
            Self::Right => key == Key::Right,
            Self::Home => key == Key::Home,
            Self::End => key == Key::End,
            Self::CtrlHome => state.contains(Shortcut::Ctrl) && key == Key::Home,
            Self::CtrlEnd => state.contains(Shortcut::Ctrl) && key == Key::End,
            Self::Menu => menu::is_menu_key(),
            Self::Text => {
                let writes = app::event_text().chars().next().is_some_and(|c| !c.is_control());
                writes && !state.contains(Shortcut::Ctrl)
            }
            Self::Elsewhere(_) => false,
        }
    }
}

impl fmt::Display for Press {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ctrl(c) => write!(f, "Ctrl+{}", c.to_ascii_uppercase()),
            Self::CtrlShift(c) => write!(f, "Ctrl+Shift+{}", c.to_ascii_uppercase()),
            Self::Alt(c) => write!(f, "Alt+{}", c.to_ascii_uppercase()),
            Self::F(n) => write!(f, "F{n}"),
            Self::Enter | Self::AnyEnter => f.write_str("Enter"),
            Self::Space => f.write_str("Space"),
            Self::Tab => f.write_str("Tab"),
            Self::Delete => f.write_str("Del"),
            Self::BackSpace => f.write_str("Backspace"),
            Self::Escape => f.write_str("Esc"),
            Self::PageUp => f.write_str("PgUp"),
            Self::PageDown => f.write_str("PgDn"),
            Self::Up => f.write_str("↑"),
            Self::Down => f.write_str("↓"),
            Self::Left => f.write_str("←"),
            Self::Right => f.write_str("→"),
            Self::Home => f.write_str("Home"),
            Self::End => f.write_str("End"),
            Self::CtrlHome => f.write_str("Ctrl+Home"),
            Self::CtrlEnd => f.write_str("Ctrl+End"),
            Self::Menu => f.write_str("Menu  Shift+F10"),
            Self::Text => f.write_str("A–Z"),
            Self::Elsewhere(keys) => f.write_str(keys),
        }
    }
}

/// One action of a window. `D` is what it does, as its window calls it; `S` is the state by which a menu decides
/// whether to offer it.
#[derive(Clone, Copy)]
pub struct Action<D: 'static, S: 'static = ()> {
    keys: &'static [Press],
    /// The key of the text in the list of keys. Entries with the same text share a line.
    says: &'static str,
    /// The key of the text in a menu; empty where no menu has the action.
    name: &'static str,
    offered: fn(&S) -> bool,
    in_fields: bool,
    does: Option<D>,
}

impl<D: Copy, S> Action<D, S> {
    /// An action that these keys do; `says` is the key of its text in the list of keys.
    #[must_use]
    pub const fn new(keys: &'static [Press], says: &'static str, does: D) -> Self {
        Self { keys, says, name: "", offered: |_| false, in_fields: true, does: Some(does) }
    }

    /// An action that only a menu offers, by the name whose text has this key, while `offered` is true.
    #[must_use]
    pub const fn entry(name: &'static str, offered: fn(&S) -> bool, does: D) -> Self {
        Self::new(&[], "", does).named(name, offered)
    }

    /// A line of the list of keys for what FLTK or a widget does by itself.
    #[must_use]
    pub const fn told(keys: &'static [Press], says: &'static str) -> Self {
        Self { keys, says, name: "", offered: |_| false, in_fields: true, does: None }
    }

    /// Has a menu offer the action as well, while `offered` is true.
    #[must_use]
    pub const fn named(mut self, name: &'static str, offered: fn(&S) -> bool) -> Self {
        self.name = name;
        self.offered = offered;
        self
    }

    /// Leaves the keys to a field while text is edited there, since they would edit it.
    #[must_use]
    pub const fn outside_fields(mut self) -> Self {
        self.in_fields = false;
        self
    }

    /// The action's line in a menu: its name and its first key.
    fn shown(&self) -> Cow<'static, str> {
        let name = t!(self.name);
        self.keys.first().map_or_else(|| name.clone(), |key| t!("menu.with_key", name = name, key = key))
    }
}

/// The action that a table has for the key that was just pressed, if any. `editing` is true while a field has the
/// focus, which leaves fewer actions. A window asks this first, and then for the keys that work in every window.
#[must_use]
pub fn pressed<D: Copy, S>(table: &[Action<D, S>], editing: bool) -> Option<D> {
    let with_shift = |press: &Press| matches!(press, Press::CtrlShift(_)) && press.is_pressed();
    let of = |is: &dyn Fn(&Press) -> bool| {
        table.iter().filter(|action| action.in_fields || !editing).find_map(|action| {
            let does = action.does?;
            action.keys.iter().any(is).then_some(does)
        })
    };
    // What is meant with Shift goes before what is meant without.
    let everywhere = EVERYWHERE.iter().any(|action| action.keys.iter().any(with_shift));
    of(&with_shift).or_else(|| if everywhere { None } else { of(&|press| press.is_pressed()) })
}

/// Opens a menu of what a table offers, at `at` in the window of the event or at the pointer, and returns what the
/// chosen entry does. Blocks in FLTK's loop, so no borrow may be held.
#[must_use]
pub fn choose<D: Copy, S>(table: &[Action<D, S>], now: &S, at: Option<(i32, i32)>) -> Option<D> {
    let offered = offered(table, now);
    let names: Vec<Cow<'_, str>> = offered.iter().map(|action| action.shown()).collect();
    let names: Vec<&str> = names.iter().map(|name| &**name).collect();
    menu::popup(&names, at).and_then(|chosen| offered.get(chosen)?.does)
}

fn offered<'a, D: Copy, S>(table: &'a [Action<D, S>], now: &S) -> Vec<&'a Action<D, S>> {
    table.iter().filter(|action| !action.name.is_empty() && (action.offered)(now)).collect()
}

/// A line of the list of keys: the keys as they are shown, and the key of the text that says what they do.
pub type Line = (String, &'static str);

/// The part of an action that does not depend on its window: its keys, their text in the list of keys, its name in a
/// menu, and whether it does anything itself.
#[derive(Debug, Clone, Copy)]
pub struct Shown {
    keys: &'static [Press],
    says: &'static str,
    #[cfg(test)]
    name: &'static str,
    #[cfg(test)]
    does: bool,
}

/// A window's table of actions, as the list of keys reads it.
pub trait Table {
    /// The table's actions, in their order.
    fn entries(&self) -> Vec<Shown>;
}

impl<D, S> Table for &'static [Action<D, S>] {
    fn entries(&self) -> Vec<Shown> {
        let shown = |action: &Action<D, S>| Shown {
            keys: action.keys,
            says: action.says,
            #[cfg(test)]
            name: action.name,
            #[cfg(test)]
            does: action.does.is_some(),
        };
        self.iter().map(shown).collect()
    }
}

/// Adds a table's lines to the list of keys; keys with the same text share a line.
pub fn list(lines: &mut Vec<Line>, table: &dyn Table) {
    for entry in table.entries().iter().filter(|entry| !entry.says.is_empty()) {
        for key in entry.keys {
            let key = key.to_string();
            match lines.iter_mut().find(|(_, says)| *says == entry.says) {
                // Another table does the same by the same key.
                Some((keys, _)) if format!(" {keys} ").contains(&format!(" {key} ")) => {}
                // The two arrows of a pair are one.
                Some((keys, _)) if keys.ends_with(['↑', '←']) => *keys = format!("{keys} {key}"),
                Some((keys, _)) => *keys = format!("{keys}  {key}"),
                None => lines.push((key, entry.says)),
            }
        }
    }
}

/// The state by which the menu of the person at this machine is made, when it is opened.
#[derive(Debug, Clone, Copy)]
pub struct MenuState {
    /// Whether the person is offline, so that nothing is sent or fetched.
    pub offline: bool,
    /// Whether another device has taken over the account's session.
    pub kicked: bool,
    /// Whether this device can log in without a password.
    pub stays: bool,
    /// Whether the server can change passwords, or may be able to.
    pub password: bool,
    /// How the person has chosen to be shown to others; `None` where the server knows online and offline alone.
    pub chosen: Option<Option<Chosen>>,
}

type Everywhere = Action<fn() -> UiEvent, MenuState>;

/// The main window's own menu, in its order, and the keys that work in every window.
pub const EVERYWHERE: &[Everywhere] = &[
    Everywhere::entry(
        "main.take_back",
        |own| own.offline && own.kicked,
        || UiEvent::Main(main_window::Event::TakeBack),
    ),
    Everywhere::entry(
        "main.go_online",
        |own| own.offline && !own.kicked,
        || UiEvent::Main(main_window::Event::SetOnline(true)),
    ),
    Everywhere::entry("main.go_offline", |own| !own.offline, || UiEvent::Main(main_window::Event::SetOnline(false))),
    Everywhere::new(&[Press::F(5)], "keys.fetch", || UiEvent::Main(main_window::Event::Fetch))
        .named("main.fetch", |_| true),
    Everywhere::entry("people.profile_menu", |_| true, || UiEvent::Profile(profile_window::Event::Open)),
    Everywhere::new(&[Press::Ctrl(',')], "keys.settings", || UiEvent::Settings(settings_window::Event::Open))
        .named("main.settings", |_| true),
    Everywhere::entry("main.import", |_| true, || UiEvent::Main(main_window::Event::Import)),
    Everywhere::entry("main.export", |_| true, || UiEvent::Main(main_window::Event::Export)),
    Everywhere::new(&[Press::CtrlShift('l')], "keys.wire", || UiEvent::Wire(wire_window::Event::Open))
        .named("main.wire", |_| true),
    Everywhere::new(&[Press::CtrlShift('k')], "keys.connection", || {
        UiEvent::Connection(connection_window::Event::Open)
    })
    .named("main.connection", |_| true),
    Everywhere::new(&[Press::F(1), Press::Ctrl('/')], "keys.this", || UiEvent::Keys(keys_window::Event::Open))
        .named("main.keys", |_| true),
    Everywhere::entry("main.switch", |_| true, || UiEvent::Main(main_window::Event::SwitchAccount)),
    Everywhere::entry("main.password", |own| own.password, || UiEvent::Password(password_window::Event::Open)),
    Everywhere::entry("main.forget_device", |own| own.stays, || UiEvent::Main(main_window::Event::LeaveDevice)),
    Everywhere::entry(
        "people.menu_online",
        |own| own.chosen.is_some_and(|chosen| chosen.is_some()),
        || UiEvent::Main(main_window::Event::Choose(None)),
    ),
    Everywhere::entry(
        "people.menu_busy",
        |own| own.chosen.is_some_and(|chosen| chosen != Some(Chosen::Busy)),
        || UiEvent::Main(main_window::Event::Choose(Some(Chosen::Busy))),
    ),
    Everywhere::entry(
        "people.menu_invisible",
        |own| own.chosen.is_some_and(|chosen| chosen != Some(Chosen::Invisible)),
        || UiEvent::Main(main_window::Event::Choose(Some(Chosen::Invisible))),
    ),
    Everywhere::new(&[Press::Ctrl('k')], "keys.search", || UiEvent::Main(main_window::Event::Search)),
    Everywhere::new(&[Press::Ctrl('q')], "keys.quit", || UiEvent::Main(main_window::Event::Quit))
        .named("main.quit", |_| true),
    Everywhere::told(&[Press::Elsewhere("Tab  Shift+Tab")], "keys.tab"),
    Everywhere::told(&[Press::Elsewhere("Menu  Shift+F10")], "keys.row_menu"),
    Everywhere::told(&[Press::Elsewhere("Ctrl++  Ctrl+-  Ctrl+0")], "keys.zoom"),
];

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// Checks a table: each of its texts exists in both languages, no two texts are equal, and no key does two things.
    pub fn is_whole(table: &dyn Table) {
        let mut keys = Vec::new();
        for action in table.entries() {
            for text in [action.says, action.name] {
                let (en, zh) = (t!(text, locale = "en"), t!(text, locale = "zh-CN"));
                assert!(text.is_empty() || !en.contains(text) && !zh.contains(text) && en != zh, "{text}: {en}, {zh}");
            }
            assert!(!action.keys.is_empty() || !action.name.is_empty(), "{} can be reached", action.says);
            assert!(action.keys.is_empty() || !action.says.is_empty(), "{:?} is in the list of keys", action.keys);
            for key in action.keys.iter().filter(|_| action.does) {
                assert!(!keys.contains(key), "{key} means one thing");
                keys.push(*key);
            }
        }
    }

    fn names(own: &MenuState) -> Vec<&'static str> {
        offered(EVERYWHERE, own).iter().map(|action| action.name).collect()
    }

    #[test]
    fn what_works_everywhere_is_whole() {
        is_whole(&EVERYWHERE);
    }

    #[test]
    fn ones_own_menu_offers_what_can_be_done() {
        let online = MenuState { offline: false, kicked: false, stays: false, password: false, chosen: None };
        let common = [
            "main.fetch",
            "people.profile_menu",
            "main.settings",
            "main.import",
            "main.export",
            "main.wire",
            "main.connection",
        ];
        let common = [&common[..], &["main.keys", "main.switch"]].concat();
        let menu = |first: &'static str, last: &[&'static str]| [&[first], &common[..], last].concat();
        assert_eq!(names(&online), menu("main.go_offline", &["main.quit"]));
        let offline = MenuState { offline: true, ..online };
        let states = |chosen| {
            let all = names(&MenuState { chosen: Some(chosen), ..online });
            all.into_iter().filter(|name| !names(&online).contains(name)).collect::<Vec<_>>()
        };
        assert_eq!(states(None), ["people.menu_busy", "people.menu_invisible"], "what one is need not be chosen");
        assert_eq!(states(Some(Chosen::Busy)), ["people.menu_online", "people.menu_invisible"]);
        assert_eq!(states(Some(Chosen::Invisible)), ["people.menu_online", "people.menu_busy"]);
        assert_eq!(names(&offline), menu("main.go_online", &["main.quit"]));
        assert_eq!(names(&MenuState { kicked: true, ..offline }), menu("main.take_back", &["main.quit"]));
        let all = MenuState { stays: true, password: true, ..online };
        assert_eq!(names(&all), menu("main.go_offline", &["main.password", "main.forget_device", "main.quit"]));
    }

    #[test]
    fn an_entry_shows_its_key_as_it_is_pressed() {
        let mut lines = Vec::new();
        list(&mut lines, &EVERYWHERE);
        let has = |keys: &str, says: &'static str| assert!(lines.contains(&(keys.to_owned(), says)), "{lines:?}");
        has("F1  Ctrl+/", "keys.this");
        has("Ctrl+Shift+L", "keys.wire");
        has("F5", "keys.fetch");
        has("Ctrl+,", "keys.settings");
    }

    #[test]
    fn entries_that_say_the_same_share_a_line() {
        const TABLE: &[Action<u8>] = &[
            Action::new(&[Press::Space], "keys.pause", 1),
            Action::new(&[Press::Delete], "", 2),
            Action::new(&[Press::Ctrl('p')], "keys.pause", 3),
            Action::new(&[Press::Up, Press::Down], "keys.rows", 4),
        ];
        let mut lines = Vec::new();
        list(&mut lines, &TABLE);
        let both = [("Space  Ctrl+P".to_owned(), "keys.pause"), ("↑ ↓".to_owned(), "keys.rows")];
        assert_eq!(lines, both);
        list(&mut lines, &TABLE);
        assert_eq!(lines, both, "the same keys are said once");
    }
}
