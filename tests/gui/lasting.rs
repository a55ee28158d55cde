//! What stays as it is while a window is built anew, and what does not stay while nothing happens.

use std::rc::Rc;
use std::time::{Duration, Instant};

use fltk::input::Input;
use fltk::prelude::*;
use hongyan::base::model::SendState;
use hongyan::client::diagnosis::{Report, Step, StepResult};
use hongyan::client::history::{Contact, Conversation};
use hongyan::client::net::{ThreadFigures, WaitsFor};
use hongyan::client::roster::{Entry, Section, times_hold_until};
use hongyan::client::session::{Cause, ConnectionState, SpokenDialect};
use hongyan::client::tap::{Direction, Record};
use hongyan::ui::gui::chat_window::{ChatWindow, Header, OwnState, Trouble};
use hongyan::ui::gui::connection_window::ConnectionWindow;
use hongyan::ui::gui::main_window::{MainWindow, Me};
use hongyan::ui::gui::notice::Kept;
use hongyan::ui::gui::transcript::Earlier;
use hongyan::ui::gui::wire_window::WireWindow;
use hongyan::ui::gui::{UiEvent, chat_window, wire_window};

use super::{account, chat, events};

pub fn a_chat_in_another_theme_is_the_same_chat() {
    let (emit, _) = events();
    for earlier in [Earlier::No, Earlier::Offered, Earlier::Asked, Earlier::NoneLeft] {
        let mut before = chat("zoe", &emit);
        before.set_earlier(earlier);
        before.give_back("half a sen");
        let place = before.position();
        let header = Header {
            name: "zoe".to_owned(),
            color: None,
            presence: None,
            line: String::new(),
            own: OwnState::Connected,
        };
        let after = before.renewed(header, Rc::clone(&emit));
        assert_eq!((after.earlier(), after.draft(), after.position()), (earlier, "half a sen".to_owned(), place));
        drop(after);
    }
}

/// A chat in which somebody has scrolled up, has chosen a message and has new ones looks the same in its new window,
/// which asks for no rows; and of an account made anew it shows nothing, where it stands.
pub fn a_chat_in_another_theme_is_read_as_far() {
    let (metas, mut rows) = super::history(300);
    let (emit, seen) = events();
    let mut before = chat("zoe", &emit);
    let page = |chat: &mut ChatWindow, rows: &[super::Row]| {
        let end = Instant::now() + Duration::from_secs(10);
        loop {
            super::drawing::page(chat, &seen, rows);
            if !chat.texts_in_sight().is_empty() || Instant::now() > end {
                break;
            }
        }
    };
    before.set_index(metas, 40);
    page(&mut before, &rows);
    before.page(-3);
    page(&mut before, &rows);
    rows.push(super::row(300, false));
    assert!(before.append(super::row(300, false)), "nobody has it in sight");
    for _ in 0..2 {
        before.transcript().choose(-1);
        page(&mut before, &rows);
    }
    let shown = |chat: &ChatWindow| {
        let title = chat.window().label();
        (title, chat.transcript().chosen(), chat.below(), chat.texts_in_sight(), super::drawing::shown(chat.window()))
    };
    let was = shown(&before);
    assert!(was.1.is_some() && was.2 > 0 && was.0.starts_with('('), "{was:?}");
    seen.take();
    let header =
        Header { name: "zoe".to_owned(), color: None, presence: None, line: String::new(), own: OwnState::Connected };
    let mut after = before.renewed(header, Rc::clone(&emit));
    page(&mut after, &rows);
    let now = shown(&after);
    assert_eq!((&now.0, now.1, now.2, &now.3), (&was.0, was.1, was.2, &was.3));
    assert!(now.4 == was.4, "it does not look the same");
    let wants = |event: &UiEvent| matches!(event, UiEvent::Chat(_, chat_window::Event::IndexWanted));
    assert!(!seen.take().iter().any(wants));
    after.give_back("half a sen");
    let place = after.position();
    after.begin_anew();
    let gone = shown(&after);
    assert_eq!((gone.0.starts_with('('), gone.1, gone.2, gone.3), (false, None, 0, Vec::new()));
    assert_eq!((after.draft().as_str(), after.position()), ("half a sen", place));
    drop(after);
}

/// What this program says among the messages, a note or that a line is empty, is said in the language that counts now,
/// and nothing moves by that.
pub fn a_chat_in_another_language_says_its_notes_in_it() {
    let history = || {
        let (mut metas, mut rows) = super::history(300);
        for n in [293, 297] {
            rows[n] = super::Row {
                note: true,
                text: rust_i18n::t!("chat.made_anew", time = "12:00").into(),
                ..rows[n].clone()
            };
            (rows[n].state, metas[n].outgoing, metas[n].note) = (None, false, true);
            rows[n - 1].text.clear();
        }
        (metas, rows)
    };
    let (emit, seen) = events();
    let paged = |chat: &mut ChatWindow, rows: &[super::Row]| {
        let end = Instant::now() + Duration::from_secs(10);
        let all = |chat: &ChatWindow| {
            let texts = chat.texts_in_sight();
            !texts.is_empty() && texts.iter().all(|text| rows.iter().any(|row| row.text == *text))
        };
        loop {
            super::drawing::page(chat, &seen, rows);
            if all(chat) || Instant::now() > end {
                break;
            }
        }
    };
    let (metas, rows) = history();
    let mut chat = chat("zoe", &emit);
    chat.set_index(metas, 0);
    paged(&mut chat, &rows);
    for language in ["zh-CN", "en"] {
        rust_i18n::set_locale(language);
        let (metas, rows) = history();
        let header = || Header {
            name: "zoe".to_owned(),
            color: None,
            presence: None,
            line: String::new(),
            own: OwnState::Connected,
        };
        let texts = chat.texts_in_sight().len();
        chat = chat.renewed(header(), Rc::clone(&emit));
        paged(&mut chat, &rows);
        assert!(chat.texts_in_sight().iter().any(|text| *text == rows[297].text), "{:?}", chat.texts_in_sight());
        assert!(chat.texts_in_sight().len().abs_diff(texts) <= 1, "it is where it was");
        let now = super::drawing::shown(chat.window());
        let mut fresh = ChatWindow::new(&account("zoe"), header(), Some(chat.position()), Rc::clone(&emit));
        fresh.set_index(metas, 0);
        paged(&mut fresh, &rows);
        assert!(now == super::drawing::shown(fresh.window()), "{language}: it is not as one made in it");
        drop(fresh);
    }
    drop(chat);
}

/// A page that could not be read is asked for again; that one of two could be read ends nothing while the other lacks.
pub fn a_page_that_was_not_read_is_asked_for_again() {
    let (metas, rows) = super::history(130);
    let (emit, seen) = events();
    let mut chat = chat("zoe", &emit);
    chat.set_index(metas, 0);
    let asked = |chat: &ChatWindow| {
        let end = Instant::now() + Duration::from_secs(10);
        let mut pages = Vec::new();
        while pages.is_empty() && Instant::now() < end {
            chat.window().clone().redraw();
            let _ = fltk::app::wait_for(0.01);
            fltk::app::flush();
            pages.extend(seen.take().into_iter().filter_map(|event| match event {
                UiEvent::Chat(_, chat_window::Event::PageWanted { first, .. }) => Some(first as usize),
                _ => None,
            }));
        }
        pages
    };
    assert_eq!(asked(&chat), [64, 128], "the last two rows stand on a page of their own");
    let said = Some(Trouble::NotRead("no disk".to_owned()));
    chat.say(Trouble::NotRead("no disk".to_owned()));
    chat.fill(128, rows[128..].to_vec());
    assert_eq!(chat.trouble(), said, "what is above them lacks");
    assert_eq!(asked(&chat), [64]);
    chat.fill(64, rows[64..128].to_vec());
    assert_eq!(chat.trouble(), None);
    drop(chat);
}

/// Names, presence and the connection change all the time; an error in a chat is shown until the user goes on writing
/// there, or until it is over.
pub fn what_went_wrong_in_a_chat_is_said_until_it_is_over() {
    let (emit, seen) = events();
    let header =
        |name: &str, own| Header { name: name.to_owned(), color: None, presence: None, line: String::new(), own };
    let all = [
        Trouble::NotLoggedIn,
        Trouble::NoLobby { sure: true },
        Trouble::NoLobby { sure: false },
        Trouble::NotKept,
        Trouble::NotRead("no disk".to_owned()),
        Trouble::Nobody,
    ];
    for trouble in all {
        let mut chat = chat("zoe", &emit);
        chat.set_header(header("zoe", OwnState::Offline));
        let said = || Some(trouble.clone());
        chat.say(trouble.clone());
        chat.give_back("half a sen");
        for name in ["Zoë", "zoe"] {
            chat.set_header(header(name, OwnState::Offline));
            assert_eq!(chat.trouble(), said(), "a header is none of its business");
        }
        let mut chat = chat.renewed(header("zoe", OwnState::Offline), Rc::clone(&emit));
        assert_eq!((chat.trouble(), chat.draft().as_str()), (said(), "half a sen"));
        let typed = |seen: Vec<UiEvent>| seen.contains(&UiEvent::Chat(account("zoe"), chat_window::Event::Typed));
        assert!(!typed(seen.take()), "nobody has typed");
        // A user who goes on writing has read it.
        for key in ["type", "send"] {
            chat.say(trouble.clone());
            match key {
                "type" => chat.composer().insert("t"),
                _ => assert!(super::press("Send")),
            }
            assert_eq!((chat.trouble(), typed(seen.take())), (None, true), "{key}: {trouble:?}");
        }
        // And each is over by itself, and by nothing else.
        let mut over = |which: fn(&Trouble) -> bool, what: &str, mut end: Box<dyn FnMut(&mut ChatWindow)>| {
            chat.say(trouble.clone());
            end(&mut chat);
            assert_eq!(chat.trouble().is_none(), which(&trouble), "{what}: {trouble:?}");
        };
        let message = |n: usize, state: Option<SendState>| {
            move |chat: &mut ChatWindow| {
                chat.append(super::Row { state, ..super::row(n, true) });
            }
        };
        let no_lobby = |trouble: &Trouble| matches!(trouble, Trouble::NoLobby { .. });
        over(no_lobby, "the server is ours", Box::new(|chat| chat.set_foreign(false)));
        let waits = Some(SendState::Waiting);
        over(|trouble| *trouble == Trouble::NotKept, "a message is kept", Box::new(message(0, waits)));
        over(|_| false, "another device of one's own sent", Box::new(message(1, Some(SendState::Sent))));
        over(|trouble| *trouble == Trouble::Nobody, "they write", Box::new(message(2, None)));
        over(|trouble| matches!(trouble, Trouble::NotRead(_)), "read", Box::new(|chat| chat.set_index(Vec::new(), 0)));
        let page = Box::new(|chat: &mut ChatWindow| chat.fill(0, Vec::new()));
        over(|trouble| matches!(trouble, Trouble::NotRead(_)), "a page is read", page);
        let here = Box::new(move |chat: &mut ChatWindow| chat.set_header(header("zoe", OwnState::Connected)));
        over(|trouble| *trouble == Trouble::NotLoggedIn, "online", here);
        drop(chat);
    }
}

/// Nobody writes for nobody: what is typed would stay where it can go to no one.
pub fn a_chat_of_an_account_that_is_no_more_takes_no_text() {
    let (emit, seen) = events();
    let mut chat = chat("zoe", &emit);
    chat.give_back("half a sen");
    let header = |own| Header { name: "zoe".to_owned(), color: None, presence: None, line: String::new(), own };
    for (own, takes) in
        [(OwnState::Offline, true), (OwnState::Deleted, false), (OwnState::Connected, true), (OwnState::Deleted, false)]
    {
        chat.set_header(header(own));
        assert_eq!(chat.takes_text(), takes, "{own:?}");
        assert_eq!(chat.draft(), "half a sen", "{own:?}");
        chat.raise();
        assert!(super::press("Send"));
        let sent = seen.take().iter().any(|event| matches!(event, UiEvent::Chat(_, chat_window::Event::Send(_))));
        assert_eq!(sent, takes, "{own:?}");
        if sent {
            chat.give_back("half a sen");
        }
    }
    let chat = chat.renewed(header(OwnState::Deleted), emit);
    assert_eq!((chat.takes_text(), chat.draft()), (false, "half a sen".to_owned()));
    drop(chat);
}

pub fn a_main_window_in_another_theme_is_the_same_window() {
    let me = Me { account: account("me"), name: "Ann".to_owned(), color: None };
    let (emit, _) = events();
    for silent in [false, true] {
        let mut before = MainWindow::new(&me, Some([30, 40, 320, 640]), Rc::clone(&emit));
        before.set_conversations(super::drawing::people(3, "hi"));
        before.set_online(Some(vec![account("yuri"), account("zoe")]));
        before.set_link(ConnectionState::Waiting);
        before.set_speaks(Some(SpokenDialect::Secure));
        before.set_silent(silent);
        before.toggle(&Section::Recent);
        before.keep(Kept::Lost(2));
        before.say_trouble("no answer");
        let search = |main: &MainWindow| {
            let fields = super::every_window::controls(main.window()).into_iter();
            fields.filter_map(|(widget, _)| Input::from_dyn_widget(&widget)).next().expect("the search")
        };
        let mut field = search(&before);
        field.set_value("同学 1");
        field.do_callback();
        let shown = |main: &MainWindow| {
            let notice = (main.notice().text(), main.notice().seen().visible());
            let roster = (main.roster().is_unsure(), main.roster().presence(&account("zoe")));
            let entries = format!("{:?}", main.list().entries());
            (main.window().label(), notice, roster, entries, super::drawing::shown(main.window()))
        };
        let was = shown(&before);
        let after = before.renewed(&me, Rc::clone(&emit));
        assert!(shown(&after) == was, "{silent}: {:?} instead of {:?}", shown(&after).2, was.2);
        assert_eq!(search(&after).value(), "同学 1");
        // Of people, heading and all, fewer are listed than there are.
        let mut after = after;
        let found = after.list().entries().len();
        after.clear_search();
        assert!(after.list().entries().len() > found + 5, "{found}");
        // What was said of trouble is still said of trouble.
        after.set_link(ConnectionState::Connected { rtt: Duration::from_millis(1) });
        assert!(!after.notice().text().contains("no answer"));
        drop(after);
    }
}

pub fn at_midnight_today_is_yesterday() {
    let me = Me { account: account("me"), name: String::new(), color: None };
    let (emit, _) = events();
    let mut main = MainWindow::new(&me, None, emit);
    let now = hongyan::client::net::clock::now().unix_ms;
    let (remark, group) = (String::new(), String::new());
    let contact = Contact { account: account("zoe"), remark, group, blocked: false };
    let (last, draft) = (Some(("hi".into(), now)), None);
    main.set_conversations(vec![Conversation { contact, stranger: false, last, draft, unread: 0 }]);
    let time = |main: &MainWindow| {
        let entries = main.list().entries();
        entries
            .iter()
            .find_map(|e| if let Entry::Person(p) = e { Some(p.time.clone()) } else { None })
            .unwrap_or_default()
    };
    let hour = time(&main);
    assert!(hour.contains(':'), "{hour}");
    let midnight = times_hold_until(now).expect("there is a tomorrow");
    main.set_now(midnight - 1);
    assert_eq!(time(&main), hour);
    main.set_now(midnight);
    assert_eq!(time(&main), rust_i18n::t!("main.yesterday"));
    // Somebody has put the clock back.
    main.set_now(now);
    assert_eq!(time(&main), hour);
    drop(main);
}

/// The protocol and the connection window, in another language, hold what was typed, and show what they did.
pub fn the_tools_in_another_theme_go_on() {
    let (emit, seen) = events();
    let record = |n: i64| Record {
        unix_ms: n,
        way: if n % 2 == 0 { Direction::Out(Cause::First) } else { Direction::In },
        bytes: if n % 2 == 0 { b"08#".to_vec() } else { b"08:3".to_vec() },
        after: None,
    };
    // More than the client keeps: those are nowhere else.
    let mut wire = WireWindow::new("192.0.2.7:9", &[], None, Rc::clone(&emit));
    (0..400).for_each(|n| wire.push(&record(n)));
    for (field, text) in wire.fields().into_iter().zip(["op:08", "03#zoe#half", "03:0"]) {
        field.clone().set_value(text);
        field.clone().do_callback();
    }
    assert!(super::press("Pause"));
    wire.push(&record(400));
    let typed = |wire: &WireWindow| wire.fields().map(|field| field.value());
    let (was, place) = (typed(&wire), wire.position());
    rust_i18n::set_locale("zh-CN");
    let wire = wire.renewed("192.0.2.7:9", Rc::clone(&emit));
    assert_eq!((typed(&wire), wire.position()), (was, place));
    let saved = |seen: Vec<UiEvent>| {
        let text = |event| if let UiEvent::Wire(wire_window::Event::Save(text)) = event { Some(text) } else { None };
        seen.into_iter().find_map(text).expect("what is shown")
    };
    assert!(super::press(&rust_i18n::t!("wirewin.go_on_held", n = 1)), "it still holds back");
    assert!(super::press(&rust_i18n::t!("wirewin.save")));
    let shown = saved(seen.take());
    assert_eq!(shown.lines().count(), 401, "{shown}");
    let meaning = hongyan::protocol::wire::show::request(b"08#", "zh-CN");
    assert!(shown.contains(&meaning), "{meaning:?} in {shown}");
    drop(wire);
    rust_i18n::set_locale("en");
    // A diagnosis that is under way.
    let mut connection = ConnectionWindow::new("192.0.2.7:9", None, Rc::clone(&emit));
    connection.field().clone().set_value("chat.exam");
    let at = "192.0.2.7:9".parse().expect("an address");
    let steps = vec![Step { what: StepResult::Silent { at, questions: 1 }, took: Duration::ZERO }];
    let report = Report { server: "chat.example".into(), unix_ms: 0, steps, stage: None, finished: false };
    connection.set_report(report.clone());
    let place = connection.position();
    rust_i18n::set_locale("zh-CN");
    let connection = connection.renewed(emit);
    let now = (connection.field().value(), connection.text(), connection.position());
    assert_eq!(now, ("chat.exam".to_owned(), report.text("zh-CN"), place));
    drop(connection);
    rust_i18n::set_locale("en");
}

/// The page of the threads has more than a small window shows: the wheel brings the rest into sight, and no more than
/// that.
pub fn the_threads_of_a_small_window_are_scrolled() {
    let (emit, _) = events();
    let mut wire = WireWindow::new("192.0.2.7:9", &[], Some([40, 60, 512, 300]), emit);
    let one = |n| ThreadFigures { name: "receiver", waits_for: WaitsFor::Bell, queued: n, handled: 2, dropped: 3 };
    wire.set_threads((0..8).map(one).collect());
    assert!(super::press("Threads"));
    let begin = super::drawing::shown(wire.window());
    for down in [true, false] {
        let mut looks = vec![super::drawing::shown(wire.window())];
        for _ in 0..30 {
            super::drawing::wheel(wire.window(), 200, 120, down);
            let now = super::drawing::shown(wire.window());
            if looks.last() != Some(&now) {
                looks.push(now);
            }
        }
        assert!((3..25).contains(&looks.len()), "{} looks", looks.len());
    }
    assert!(super::drawing::shown(wire.window()) == begin, "back at the beginning");
}
