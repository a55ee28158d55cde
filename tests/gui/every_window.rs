//! Every window, in both languages, on common screens, at common zooms, with the longest texts: all of it is on the
//! screen, no text of the program is cut, and every control can be reached.

use std::cell::RefCell;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Duration;

use fltk::app;
use fltk::button::{Button, CheckButton};
use fltk::group::{Group, Scroll};
use fltk::input::Input;
use fltk::prelude::*;
use fltk::widget::Widget;
use fltk::window::Window;
use hongyan::base::settings::{Language, PollingChoice};
use hongyan::client::diagnosis::{Report, Step, StepResult};
use hongyan::client::history::{Contact, Conversation, Difference};
use hongyan::client::net::{ThreadFigures, WaitsFor};
use hongyan::client::roster::Presence;
use hongyan::client::session::{ConnectionState, KeyChange, PlainReason, SpokenDialect};
use hongyan::client::{Connection, Encrypted};
use hongyan::protocol::wire::item::{self, Item, Kind, MayAsk, Profile, written};
use hongyan::ui::gui::chat_window::{ChatWindow, Header, OwnState, Trouble};
use hongyan::ui::gui::connection_window::ConnectionWindow;
use hongyan::ui::gui::friend_window::{Befriending, FriendWindow};
use hongyan::ui::gui::keys_window::KeysWindow;
use hongyan::ui::gui::lists_window::ListsWindow;
use hongyan::ui::gui::login_window::{Login, LoginForm};
use hongyan::ui::gui::main_window::{MainWindow, Me};
use hongyan::ui::gui::notice::Question;
use hongyan::ui::gui::profile_window::{Field, ProfileForm, ProfileWindow};
use hongyan::ui::gui::register_window::Register;
use hongyan::ui::gui::settings_window::{SettingsForm, SettingsWindow};
use hongyan::ui::gui::trust_window::{Doubt, TrustWindow};
use hongyan::ui::gui::wire_window::WireWindow;
use hongyan::ui::gui::{Emit, UiEvent, main_window, screen, theme, widgets};
use rust_i18n::t;

use super::{account, row};

/// What a window manager puts above a window at least.
const TITLE: i32 = 24;

/// A way to open a window with one of its longest contents; what closes it.
type Open = Box<dyn Fn() -> Box<dyn FnOnce()>>;

/// A name as long as the protocol allows, and as wide as it gets.
fn long() -> String {
    "W".repeat(64)
}

fn nobody() -> Emit {
    Rc::new(|_| ())
}

/// Everything that stands in the windows of a login, said by turns.
fn sentences() -> Vec<String> {
    let folder = "/media/backup/home/zhang.wei/.local/share/hongyan/profiles/default/127_2e_0_2e_0_2e_1_3a_22000/";
    let read_only = hongyan::client::ClientError::History(hongyan::client::history::HistoryError::File {
        path: folder.into(),
        error: std::io::Error::from_raw_os_error(30),
    });
    vec![
        read_only.to_string(),
        format!("{} {}", t!("secure.too_many_tries"), t!("secure.later")),
        t!("gui.already").into_owned(),
        t!("gui.no_address", name = format!("{}.example.org:21568", "w".repeat(60))).into_owned(),
        t!("gui.elsewhere").into_owned(),
        t!("gui.unheard").into_owned(),
        t!("gui.ended_at_who").into_owned(),
    ]
}

fn logins(all: &mut Vec<(String, Open)>) {
    for (n, text) in sentences().into_iter().enumerate() {
        let said = text.clone();
        all.push((
            format!("login {n}"),
            Box::new(move || {
                let form = LoginForm { account: long(), ..LoginForm::default() };
                let place = t!("gui.server", server = "chat.physics.example-university.edu.cn:21568");
                let mut window = Login::new(&form, &place, nobody());
                window.set_known(n == 0);
                window.say(&said, true);
                Box::new(move || drop(window))
            }),
        ));
        all.push((
            format!("register {n}"),
            Box::new(move || {
                let mut window = Register::new(nobody());
                if n == 1 {
                    window.say(&text)
                } else {
                    window.refuse(&text, None)
                }
                Box::new(move || drop(window))
            }),
        ));
    }
}

fn forms(all: &mut Vec<(String, Open)>) {
    for (name, known, question) in [("add", false, false), ("edit", true, false), ("ask", true, true)] {
        all.push((
            format!("friend {name}"),
            Box::new(move || {
                let befriending = if question { Befriending::Answers(long()) } else { Befriending::No };
                let contact = Contact { account: account(&long()), remark: long(), group: long(), blocked: true };
                let mut window =
                    FriendWindow::new(&long(), known.then_some(&contact), &[], (known, &befriending), nobody());
                window.say(&t!("gui.bad_account"));
                Box::new(move || drop(window))
            }),
        ));
    }
    for shared in [true, false] {
        all.push((
            format!("profile {shared}"),
            Box::new(move || {
                let profile = Profile { name: long(), line: long(), color: Some(11) };
                let may_ask = MayAsk::Question { question: long(), answer: long() };
                let form = ProfileForm { profile, may_ask };
                let mut window = ProfileWindow::new(&long(), &form, shared, &nobody());
                window.refuse(&t!("people.bad_name"), Field::Question);
                Box::new(move || drop(window))
            }),
        ));
    }
    all.push((
        "lists".to_owned(),
        Box::new(|| {
            let value = |remark: String| written(&item::Contact { remark, group: long() }).expect("a value");
            let difference = |n: usize| Difference {
                here: Item::new(Kind::Contact, &format!("{n}{}", long()), Some(value(long()))),
                there: n.is_multiple_of(2).then(|| value(n.to_string())),
            };
            let window = ListsWindow::new(&(0..300).map(difference).collect::<Vec<_>>(), &nobody());
            Box::new(move || drop(window))
        }),
    ));
    for with_account in [false, true] {
        all.push((
            format!("settings {with_account}"),
            Box::new(move || {
                let form = SettingsForm {
                    server: long(),
                    host_lan: true,
                    language: Language::System,
                    dark: false,
                    polling: PollingChoice::Strict,
                    account: None,
                };
                let lan = with_account.then_some("192.168.178.123:21568");
                let mut window = SettingsWindow::new(&form, lan, with_account, nobody());
                window.say(&t!("settings.bad_server"));
                Box::new(move || drop(window))
            }),
        ));
    }
    all.push((
        "keys".into(),
        Box::new(|| {
            let window = KeysWindow::new(nobody());
            Box::new(move || drop(window))
        }),
    ));
}

fn mains(all: &mut Vec<(String, Open)>) {
    let links =
        [ConnectionState::Offline, ConnectionState::LoggingIn, ConnectionState::Waiting, ConnectionState::LoggedOut]
            .into_iter()
            .chain([ConnectionState::Connected { rtt: Duration::from_millis(1_234) }])
            .chain([ConnectionState::Retrying { at: std::time::Instant::now() + Duration::from_secs(119) }]);
    for (n, link) in links.enumerate() {
        all.push((
            format!("main {n}"),
            Box::new(move || {
                let me = Me { account: account(&long()), name: "张伟".into(), color: None };
                let mut main = MainWindow::new(&me, None, nobody());
                let contact = Contact { account: account(&long()), remark: long(), group: long(), blocked: false };
                let last = Some((long(), 0));
                main.set_conversations(vec![Conversation {
                    contact,
                    stranger: false,
                    last,
                    unread: 1_234,
                    draft: None,
                }]);
                main.set_link(link);
                main.set_silent(n == 2);
                main.set_not_storing(n == 4);
                main.set_speaks(Some(if n % 2 == 0 { SpokenDialect::Plain } else { SpokenDialect::Secure }));
                let (address, time) = ("[2001:db8:1234:5678:9abc:def0:1234:5678]:50123", "2026-11-21 12:00:00");
                let question = t!("main.kicked", address = address, time = time).into_owned();
                let answers = [
                    (t!("main.take_back").into_owned(), UiEvent::Main(main_window::Event::TakeBack)),
                    (t!("main.stay_offline").into_owned(), UiEvent::Main(main_window::Event::StayOffline)),
                ];
                if n < 2 {
                    main.ask(Some(Question { text: question, answers }));
                }
                main.say(&sentences()[n % sentences().len()]);
                Box::new(move || drop(main))
            }),
        ));
    }
}

fn chats(all: &mut Vec<(String, Open)>) {
    let cases = [
        (None, OwnState::Connected, "friend", None),
        (None, OwnState::Unsure, "friend", None),
        (Some(Presence::Online), OwnState::Offline, "friend", None),
        (Some(Presence::Online), OwnState::Deleted, "friend", None),
        (Some(Presence::Offline), OwnState::Lost, "friend", Some(Trouble::NotKept)),
        (Some(Presence::Offline), OwnState::Lost, "friend", None),
        (None, OwnState::Connected, "@lobby", Some(Trouble::NotLoggedIn)),
        (None, OwnState::Lost, "@lobby", None),
    ];
    for (n, (presence, own, who, trouble)) in cases.into_iter().enumerate() {
        all.push((
            format!("chat {n}"),
            Box::new(move || {
                let header = Header { name: long(), color: None, presence, line: String::new(), own };
                let mut chat = ChatWindow::new(&account(who), header, None, nobody());
                for n in 0..3 {
                    chat.append(row(n, n == 1));
                }
                trouble.iter().for_each(|trouble| chat.say(trouble.clone()));
                Box::new(move || drop(chat))
            }),
        ));
    }
}

fn figures() -> Connection {
    let at: SocketAddr = "[2001:db8:1234:5678:9abc:def0:1234:5678]:50123".parse().expect("an address");
    Connection {
        server: at,
        own: Some(at),
        link: ConnectionState::Waiting,
        speaks: Some(SpokenDialect::Secure),
        encrypted: Some(Encrypted {
            key: vec![7; 44],
            least_rtt: Duration::from_micros(123_456),
            window: 1_234_567,
            queued: 1_234_567,
            moves: 12,
        }),
        rtt: Some(Duration::from_micros(1_234_567)),
        deviation: Some(Duration::from_micros(234_567)),
        sent: 123_456_789,
        again: 1_234_567,
        received: 123_456_789,
        dropped: 1_234,
        foreign: 1_234,
        elsewhere: None,
        waiting: 1_234,
        asking: 1_234,
        unsent: 1_234,
        not_storing: true,
        error: Some((0, "Network is unreachable".into())),
    }
}

fn tools(all: &mut Vec<(String, Open)>) {
    for asked in [false, true] {
        all.push((
            format!("connection {asked}"),
            Box::new(move || {
                let mut window = ConnectionWindow::new(&format!("{}:21568", long()), None, nobody());
                window.set_connection(figures());
                let at = "192.0.2.7:9".parse().expect("an address");
                let silent = Step { what: StepResult::Silent { at, questions: 4 }, took: Duration::ZERO };
                let steps = vec![silent; 12];
                let report = Report { server: "chat.example:9".into(), unix_ms: 0, steps, stage: None, finished: true };
                if asked {
                    window.set_report(report);
                }
                Box::new(move || drop(window))
            }),
        ));
    }
    for page in [1, 2] {
        all.push((
            format!("protocol {page}"),
            Box::new(move || {
                let mut window = WireWindow::new("192.168.178.123:21568", &[], None, nobody());
                let one = |waits_for| ThreadFigures { name: "receiver", waits_for, queued: 1, handled: 2, dropped: 3 };
                let waits = [WaitsFor::Bell, WaitsFor::Datagram, WaitsFor::Deadline, WaitsFor::Operation];
                window.set_threads(waits.into_iter().map(one).collect());
                if page == 2 {
                    press_second_tab();
                }
                Box::new(move || drop(window))
            }),
        ));
    }
    let change = KeyChange { shown: vec![1; 44], known: vec![vec![2; 44], vec![3; 44]], damaged: None };
    let file = "/home/a/.local/share/hongyan/192_2e_0_2e_2_2e_7_3a_8000/keys".to_owned();
    for (n, (doubt, nearby)) in [
        (Doubt::Key(change.clone()), false),
        (Doubt::Key(change.clone()), true),
        (Doubt::Key(KeyChange { damaged: Some(file.clone()), ..change.clone() }), false),
        (Doubt::Key(KeyChange { damaged: Some(file), known: Vec::new(), ..change }), true),
        (Doubt::Plain(PlainReason::NoLonger), false),
        (Doubt::Plain(PlainReason::NoLonger), true),
        (Doubt::Plain(PlainReason::Only), false),
        (Doubt::Plain(PlainReason::Chosen), true),
    ]
    .into_iter()
    .enumerate()
    {
        all.push((
            format!("trust {n}"),
            Box::new(move || {
                let window = TrustWindow::new("chat.physics.example-university.edu.cn:21568", nearby, &doubt, nobody());
                Box::new(move || drop(window))
            }),
        ));
    }
}

fn press_second_tab() {
    let window = windows().pop().expect("the window");
    let mut tabs = controls(&window).into_iter().filter_map(|(widget, _)| Button::from_dyn_widget(&widget));
    tabs.nth(1).expect("two tabs").do_callback();
}

fn everything() -> Vec<(String, Open)> {
    let mut all = Vec::new();
    logins(&mut all);
    forms(&mut all);
    mains(&mut all);
    chats(&mut all);
    tools(&mut all);
    all
}

/// Questions that wait for their answer; looked at while they do.
fn questions() -> Vec<(String, Box<dyn Fn()>)> {
    let yes = || t!("main.remove_yes").into_owned();
    let no = || t!("friend.cancel").into_owned();
    vec![
        (
            "remove".into(),
            Box::new(move || {
                let _ = widgets::ask(&t!("main.remove_sure", name = long()), &yes(), &no());
            }),
        ),
        (
            "unsent".into(),
            Box::new(|| {
                let _ = widgets::ask(&t!("gui.unsent", n = 12), &t!("gui.close"), &t!("gui.stay"));
            }),
        ),
        (
            "import".into(),
            Box::new(|| {
                let purpose = hongyan::ui::gui::file_chooser::Purpose::Read;
                let proposal = format!("/home/{}/hongyan-friends.csv", "long/".repeat(40));
                drop(widgets::ask_file(
                    &t!("main.import_from"),
                    &proposal,
                    purpose,
                    &t!("main.import_yes"),
                    |_| Ok(()),
                ));
            }),
        ),
        (
            "files".into(),
            Box::new(|| {
                let purpose = hongyan::ui::gui::file_chooser::Purpose::Write;
                drop(hongyan::ui::gui::file_chooser::choose("/usr/share/x.csv", purpose));
            }),
        ),
    ]
}

pub fn windows() -> Vec<Window> {
    let all = app::windows().map(|all| all.into_iter().collect::<Vec<_>>()).unwrap_or_default();
    all.into_iter().filter(|w| w.visible()).map(|w| unsafe_window(&w)).collect()
}

#[allow(unsafe_code, reason = "FLTK's list knows its windows by pointers alone")]
fn unsafe_window<W: WidgetExt>(window: &W) -> Window {
    unsafe { Window::from_widget_ptr(window.as_widget_ptr()) }
}

/// All leaves below a window that are shown, and the scroller each is in.
pub fn controls(window: &Window) -> Vec<(Widget, Option<Scroll>)> {
    fn walk(group: &Group, scroll: Option<&Scroll>, all: &mut Vec<(Widget, Option<Scroll>)>) {
        let own = Scroll::from_dyn_widget(group);
        let bars = own.as_ref().map(|s| [s.scrollbar().as_widget_ptr(), s.hscrollbar().as_widget_ptr()]);
        let scroll = own.as_ref().or(scroll);
        for child in (0..group.children()).filter_map(|n| group.child(n)).filter(WidgetExt::visible) {
            match child.as_group() {
                Some(inner) if fltk::text::TextEditor::from_dyn_widget(&child).is_none() => walk(&inner, scroll, all),
                _ if bars.is_some_and(|bars| bars.contains(&child.as_widget_ptr())) => {}
                _ => all.push((child, scroll.cloned())),
            }
        }
    }
    let mut all = Vec::new();
    walk(&window.as_group().expect("a window"), None, &mut all);
    all
}

fn can_be_pressed(widget: &Widget) -> bool {
    Button::from_dyn_widget(widget).is_some()
        || CheckButton::from_dyn_widget(widget).is_some()
        || Input::from_dyn_widget(widget).is_some()
}

/// What is wrong with the windows that are open now.
fn faults(what: &str, found: &mut Vec<String>) {
    for _ in 0..3 {
        let _ = app::wait_for(0.005);
    }
    drop(widgets::cut_texts());
    for mut window in windows() {
        window.redraw();
        app::flush();
        let screen = app::screen_num(window.x() + window.w() / 2, window.y() + window.h() / 2);
        let (left, top, wide, high) = app::screen_work_area(screen);
        let [x, y, w, h] = [window.x(), window.y(), window.w(), window.h()];
        if x < left || y < top + TITLE || x + w > left + wide || y + h > top + high {
            found.push(format!("{what}: the window {:?} does not stand on {wide}x{high}", [x, y, w, h]));
        }
        let all = controls(&window);
        for (widget, scroll) in &all {
            let label = widget.label();
            let [x, y, r, b] = [widget.x(), widget.y(), widget.x() + widget.w(), widget.y() + widget.h()];
            let mut inside = x >= 0 && y >= 0 && r <= w && b <= h;
            if let Some(scroll) = scroll {
                if can_be_pressed(widget) && widget.active() {
                    let _ = widget.clone().take_focus();
                }
                let (top, bottom) = (scroll.y(), scroll.y() + scroll.h());
                let (y, b) = (widget.y(), widget.y() + widget.h());
                let pressed = can_be_pressed(widget) && widget.active();
                // A note is read by scrolling, a control is brought into sight by its key.
                inside = x >= scroll.x() && r <= scroll.x() + scroll.w() && (!pressed || y >= top && b <= bottom);
            }
            if !inside {
                found.push(format!("{what}: {label:?} at {x},{y} to {r},{b} is not within {w}x{h}"));
            }
        }
        // What is scrolled out of sight stands under nothing.
        let pressed: Vec<(&Widget, bool)> =
            all.iter().map(|(widget, scroll)| (widget, scroll.is_some())).filter(|(w, _)| can_be_pressed(w)).collect();
        for (n, (one, scrolls)) in pressed.iter().enumerate() {
            for (other, _) in pressed.iter().skip(n + 1).filter(|(_, too)| too == scrolls) {
                let apart = one.x() + one.w() <= other.x() || other.x() + other.w() <= one.x();
                if !apart && one.y() < other.y() + other.h() && other.y() < one.y() + one.h() {
                    found.push(format!("{what}: {:?} stands over {:?}", one.label(), other.label()));
                }
            }
        }
    }
    found.extend(widgets::cut_texts().into_iter().map(|text| format!("{what}: cut: {text}")));
}

/// All of them on this screen; `HONGYAN_PICTURES` keeps what they look like.
pub fn every_window_fits() {
    let found: Rc<RefCell<Vec<String>>> = Rc::default();
    let mut before = 1.0;
    for percent in [100, 125, 150, 200] {
        let scale = percent as f32 / 100.0;
        screen::scale(0, before, scale);
        before = scale;
        for locale in ["en", "zh-CN"] {
            rust_i18n::set_locale(locale);
            let (_, _, w, h) = app::screen_work_area(0);
            let here = |name: &str| format!("{name} in {locale} at {percent} % of {w}x{h}");
            for (name, open) in everything() {
                let close = open();
                faults(&here(&name), &mut found.borrow_mut());
                super::keep_picture(&format!("{name}-{locale}-{percent}-{w}x{h}"));
                close();
            }
            for (name, ask) in questions() {
                let (found, what) = (Rc::clone(&found), here(&name));
                app::add_timeout3(0.02, move |_| {
                    faults(&what, &mut found.borrow_mut());
                    super::keep_picture(&format!("{name}-{locale}-{percent}-{w}x{h}"));
                    windows().into_iter().for_each(|mut window| window.hide());
                });
                ask();
            }
        }
    }
    screen::scale(0, before, 1.0);
    rust_i18n::set_locale("en");
    theme::set(theme::Theme::Light);
    let mut found = found.take();
    found.dedup();
    assert!(found.is_empty(), "{} faults:\n{}", found.len(), found.join("\n"));
}
