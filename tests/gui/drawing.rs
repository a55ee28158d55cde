//! What a message costs in drawing: bytes on the connection to the display, counted by a proxy before it. No clock.

use std::io::{Read, Write};
use std::net::Shutdown;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixListener, UnixStream};
use std::path::PathBuf;
use std::rc::Rc;
use std::sync::atomic::{AtomicU64, Ordering};

use fltk::app;
use fltk::enums::FrameType;
use fltk::group::Scroll;
use fltk::prelude::*;
use fltk::window::Window;
use hongyan::base::model::{MessageId, SendState};
use hongyan::client::history::{Contact, Conversation, Row};
use hongyan::client::roster::Presence;
use hongyan::client::session::{ConnectionState, SpokenDialect};
use hongyan::ui::gui::chat_window::{ChatWindow, Header, OwnState, Trouble};
use hongyan::ui::gui::main_window::{MainWindow, Me};
use hongyan::ui::gui::notice::Kept;
use hongyan::ui::gui::theme::{self, Theme};
use hongyan::ui::gui::transcript::Earlier;
use hongyan::ui::gui::{UiEvent, chat_window, screen, widgets};
use x11rb::connection::Connection as _;
use x11rb::protocol::xproto::{
    BUTTON_PRESS_EVENT, BUTTON_RELEASE_EVENT, ButtonPressEvent, ConnectionExt as _, EventMask, KeyButMask,
};

use super::{account, chat, events, history, row};

/// Bytes that went to the display.
static SENT: AtomicU64 = AtomicU64::new(0);
/// What a message may cost, in its chat and in the list together. Of this some 2,500 are colour emoji, which go over
/// as pixels.
const MOST: u64 = 8_000;

/// Stands between this process and its display; the name to connect to.
pub fn between(display: &str) -> String {
    let real = PathBuf::from(format!("/tmp/.X11-unix/X{}", display.trim_start_matches(':')));
    // A display has its name twice, and clients try the one that is no file first.
    let listen = |n: u32| {
        let name = format!("/tmp/.X11-unix/X{n}");
        let hidden = UnixListener::bind_addr(&SocketAddr::from_abstract_name(&name).ok()?).ok()?;
        Some((n, [hidden, UnixListener::bind(&name).ok()?]))
    };
    let (number, listeners) = (200..400).find_map(listen).expect("a free display number");
    for listener in listeners {
        let real = real.clone();
        let serve = move || {
            // A connection is FLTK's or this program's; all of them count.
            for client in listener.incoming().flatten() {
                let server = UnixStream::connect(&real).expect("the display");
                let (from, to) = (client.try_clone().expect("a handle"), server.try_clone().expect("a handle"));
                std::thread::spawn(move || pump(from, to, Some(&SENT)));
                std::thread::spawn(move || pump(server, client, None));
            }
        };
        std::thread::spawn(serve);
    }
    format!(":{number}")
}

/// Takes the name away again.
pub fn apart(display: &str) {
    let _ = std::fs::remove_file(format!("/tmp/.X11-unix/X{}", display.trim_start_matches(':')));
}

fn pump(mut from: UnixStream, mut to: UnixStream, count: Option<&AtomicU64>) {
    let mut buffer = vec![0; 65_536];
    while let Ok(n) = from.read(&mut buffer)
        && n > 0
    {
        if let Some(count) = count {
            count.fetch_add(n as u64, Ordering::SeqCst);
        }
        if to.write_all(&buffer[..n]).is_err() {
            break;
        }
    }
    let _ = to.shutdown(Shutdown::Both);
}

/// Draws what is to be drawn, and says how many bytes that took. The pointer is asked for last: its answer comes
/// when everything before it has arrived.
fn drawn() -> u64 {
    while app::wait_for(0.0).unwrap_or(false) {}
    app::flush();
    let _ = app::get_mouse();
    SENT.swap(0, Ordering::SeqCst)
}

/// What a window shows.
pub fn shown(window: &Window) -> Vec<u8> {
    let end = std::time::Instant::now() + std::time::Duration::from_secs(10);
    loop {
        drawn();
        // There is none of a window that is not on the screen yet.
        match fltk::draw::capture_window(&mut window.clone()) {
            Ok(picture) => return picture.to_rgb_data(),
            Err(error) => assert!(std::time::Instant::now() < end, "no picture: {error}"),
        }
        let _ = app::wait_for(0.02);
    }
}

/// Turns the wheel over a place of a window, downwards where `down`.
pub fn wheel(window: &Window, x: i32, y: i32, down: bool) {
    let (display, _) = x11rb::connect(None).expect("a connection");
    let root = display.setup().roots[0].root;
    let at = u32::try_from(window.raw_handle()).expect("a window of X11");
    let scale = app::screen_scale(0);
    let pixel = |units: i32| (units as f32 * scale) as i16;
    for response_type in [BUTTON_PRESS_EVENT, BUTTON_RELEASE_EVENT] {
        let event = ButtonPressEvent {
            response_type,
            detail: if down { 5 } else { 4 },
            sequence: 0,
            time: x11rb::CURRENT_TIME,
            root,
            event: at,
            child: x11rb::NONE,
            root_x: pixel(window.x() + x),
            root_y: pixel(window.y() + y),
            event_x: pixel(x),
            event_y: pixel(y),
            state: KeyButMask::default(),
            same_screen: true,
        };
        let mask = EventMask::BUTTON_PRESS | EventMask::BUTTON_RELEASE;
        display.send_event(false, at, mask, event).expect("sent").check().expect("taken");
    }
    // An answer of the display comes after what it told before.
    let _ = app::get_mouse();
    while app::wait_for(0.0).unwrap_or(false) {}
}

/// What was moved and painted piece by piece looks as if all of it were painted anew.
fn same(window: &Window, what: &str) {
    let pieces = shown(window);
    widgets::forget_all();
    window.clone().redraw();
    let whole = shown(window);
    assert_eq!(pieces.len(), whole.len(), "{what}");
    let wide = (window.w() as f32 * app::screen_scale(0)) as usize;
    let apart = pieces.chunks(3).zip(whole.chunks(3)).enumerate().filter(|(_, (a, b))| a != b);
    let apart: Vec<(usize, usize)> = apart.map(|(n, _)| (n % wide, n / wide)).collect();
    assert!(apart.is_empty(), "{what}: {} pixels differ, the first at {:?}", apart.len(), apart.first());
}

/// At each scale, and in another theme that is chosen while the windows are open; `begin` makes a window.
fn at_each_scale(mut steps: impl FnMut(&str)) {
    let mut before = 1.0;
    for (scale, theme) in [(1.0, Theme::Light), (1.0, Theme::Dark), (2.0, Theme::Dark), (2.0, Theme::Light)] {
        theme::set(theme);
        screen::scale(0, before, scale);
        before = scale;
        for mut window in app::windows().unwrap_or_default() {
            window.redraw();
        }
        steps(&format!("{theme:?} at {scale}"));
    }
    screen::scale(0, before, 1.0);
    theme::set(Theme::Light);
}

/// Gives a chat the pages it asks for.
pub fn page(chat: &mut ChatWindow, asked: &std::cell::RefCell<Vec<UiEvent>>, rows: &[Row]) {
    for _ in 0..5 {
        let _ = app::wait_for(0.01);
        app::flush();
        for event in asked.take() {
            let UiEvent::Chat(_, chat_window::Event::PageWanted { first, count }) = event else { continue };
            let (from, to) = (first as usize, (first + count) as usize);
            chat.fill(first, rows[from.min(rows.len())..to.min(rows.len())].to_vec());
        }
    }
}

/// The chat window: what stands over it, the bubbles, the button to the end, and what stands below.
pub fn a_chats_pieces_make_the_whole() {
    let (emit, asked) = events();
    let (metas, mut rows) = history(400);
    let mut chat = chat("20170000", &emit);
    let mut window = chat.window().clone();
    window.resize(0, 40, 420, 440);
    chat.set_index(metas, 0);
    page(&mut chat, &asked, &rows);
    let header =
        |presence, own| Header { name: "同学 Ada".to_owned(), color: None, presence, line: String::new(), own };
    // The trouble of being offline ends with that.
    let headers = [
        (header(Some(Presence::Online), OwnState::Connected), None),
        (header(Some(Presence::Away), OwnState::Lost), None),
        (header(None, OwnState::Offline), Some(Trouble::NotLoggedIn)),
        (header(None, OwnState::Connected), None),
        (header(Some(Presence::Offline), OwnState::Offline), None),
    ];
    at_each_scale(|look| {
        let same = |chat: &ChatWindow, what: &str| same(chat.window(), &format!("{look}: {what}"));
        same(&chat, "as it is");
        super::keep_picture(&format!("chat at {look}"));
        for (header, trouble) in &headers {
            chat.set_header(header.clone());
            trouble.iter().for_each(|trouble| chat.say(trouble.clone()));
            same(&chat, &format!("{header:?} {trouble:?}"));
        }
        for pages in [-1, 1, -2, -1, 1] {
            chat.page(pages);
            page(&mut chat, &asked, &rows);
            same(&chat, &format!("scrolled by {pages}"));
        }
        for down in [true, false, false] {
            wheel(&window, 200, 150, down);
            page(&mut chat, &asked, &rows);
            same(&chat, "after the wheel");
        }
        let mut come = |chat: &mut ChatWindow, own: bool| {
            rows.push(row(rows.len(), own));
            chat.append(rows.last().expect("a row").clone());
            rows.len()
        };
        for _ in 0..4 {
            let n = come(&mut chat, false);
            same(&chat, &format!("with the button to the end, message {n}"));
        }
        for own in [true, false, true, false, false] {
            let n = come(&mut chat, own);
            same(&chat, &format!("at the end, message {n}"));
            if own {
                chat.set_state(MessageId(n as i64), SendState::Failed);
                same(&chat, &format!("{n} failed"));
            }
        }
    });
    drop(chat);
}

/// Thirty people in one group; the first has written, with this number of unread messages.
pub fn people(unread: u64, last: &str) -> Vec<Conversation> {
    let conversation = |n: i64| {
        let (remark, group) = (format!("同学 {n}"), "网络课".to_owned());
        let contact = Contact { account: account(&format!("2017{n:04}")), remark, group, blocked: false };
        let first = n == 0;
        let text = if first { last } else { "接收线程里别碰界面" }.to_owned();
        let at = if first { 1_700_000_000_000 } else { 1_600_000_000_000 - n };
        let unread = if first { unread } else { 0 };
        Conversation { contact, stranger: false, last: Some((text, at)), unread, draft: None }
    };
    (0..30).map(conversation).collect()
}

/// A search without a hit says so, where the list was; the list is as before when the search is.
pub fn a_search_without_a_hit_says_so() {
    let (emit, _) = events();
    let me = Me { account: account("me"), name: String::new(), color: None };
    let mut main = MainWindow::new(&me, Some([0, 40, 260, 440]), emit);
    main.set_conversations(people(0, "hi"));
    let group = main.window().as_group().expect("a group");
    let fields = (0..group.children()).filter_map(|n| group.child(n)?.as_group()?.child(0));
    let mut search = fields.filter_map(|field| fltk::input::Input::from_dyn_widget(&field)).next().expect("a search");
    let list = |main: &MainWindow| {
        let from = 112 * 260 * 3;
        shown(main.window())[from..(112 + 40) * 260 * 3].to_vec()
    };
    let look = |main: &MainWindow, search: &mut fltk::input::Input, text: &str| {
        search.set_value(text);
        search.do_callback();
        list(main)
    };
    let colours = |picture: &[u8]| picture.chunks(3).collect::<std::collections::BTreeSet<_>>().len();
    for locale in ["en", "zh-CN"] {
        rust_i18n::set_locale(locale);
        let all = look(&main, &mut search, "");
        let nobody = look(&main, &mut search, "x y #z");
        assert!(nobody != all && colours(&nobody) > 5, "{locale}: a sentence");
        let blank = look(&main, &mut search, " ");
        assert!(blank == all, "{locale}: no search");
    }
    rust_i18n::set_locale("en");
    drop(main);
}

/// The main window: the user's state, the list with its texts, and the connection line.
pub fn the_main_windows_pieces_make_the_whole() {
    let (emit, _) = events();
    let me = Me { account: account("me"), name: "Ada".to_owned(), color: None };
    let mut main = MainWindow::new(&me, Some([0, 40, 260, 440]), emit);
    let window = main.window().clone();
    main.set_conversations(people(0, "hi"));
    at_each_scale(|look| {
        let same = |main: &MainWindow, what: &str| same(main.window(), &format!("{look}: {what}"));
        same(&main, "as it is");
        for unread in [1, 9, 99, 100] {
            main.set_conversations(people(unread, &format!("第 {unread} 条 👍")));
            same(&main, &format!("{unread} unread"));
        }
        main.set_online(Some(vec![account("20170000"), account("20170003"), account("me")]));
        same(&main, "some are online");
        for down in [true, true, false, true, true, true, false] {
            let before = shown(&window);
            wheel(&window, 100, 250, down);
            assert!(before != shown(&window), "the wheel moves something");
            same(&main, "after the wheel");
        }
        main.set_conversations(people(3, "further down"));
        same(&main, "a message above what is in sight");
        for link in [
            ConnectionState::LoggingIn,
            ConnectionState::Connected { rtt: std::time::Duration::from_millis(3) },
            ConnectionState::Waiting,
        ] {
            main.set_link(link);
            same(&main, &format!("{link:?}"));
        }
        main.set_speaks(Some(SpokenDialect::Secure));
        same(&main, "encrypted");
        main.set_silent(true);
        same(&main, "no answer");
        main.keep(Kept::Sentence("The disk is full.".to_owned()));
        same(&main, "with something kept");
        super::keep_picture(&format!("list at {look}"));
        main.seen();
        main.set_silent(false);
        main.set_online(None);
        main.set_speaks(None);
        main.set_link(ConnectionState::Offline);
        same(&main, "as before");
        (0..20).for_each(|_| wheel(&window, 100, 250, false));
        same(&main, "at the top");
    });
    drop(main);
}

/// A picture that is copied knows no clip: of a field or a button that is scrolled out in part, no more may be seen
/// than there is room for.
pub fn what_is_scrolled_out_is_not_seen() {
    let mut window = Window::new(0, 40, 200, 200, None);
    let colour = fltk::enums::Color::from_hex(0x00FF00);
    window.set_color(colour);
    let mut scroll = Scroll::new(20, 50, 160, 100, None);
    scroll.set_frame(FrameType::FlatBox);
    scroll.set_color(colour);
    widgets::field(30, 35, 140, "");
    widgets::button(30, 135, 140, "Send", widgets::Style::Primary);
    scroll.end();
    window.end();
    window.show();
    let _ = app::wait_for(0.1);
    for _ in 0..2 {
        window.redraw();
        let picture = shown(&window);
        let at = |x: usize, y: usize| picture[(y * 200 + x) * 3..][..3].to_vec();
        for y in (0..50).chain(150..200) {
            assert_eq!(at(100, y), [0, 255, 0], "line {y}");
        }
        assert!([55, 140].iter().all(|y| at(60, *y) != [0, 255, 0]), "and the rest is there");
    }
    Window::delete(window);
}

pub fn a_message_costs_the_drawing_of_that_message() {
    let (emit, asked) = events();
    let me = Me { account: account("me"), name: String::new(), color: None };
    let mut main = MainWindow::new(&me, Some([0, 60, 300, 720]), Rc::clone(&emit));
    main.set_conversations(people(0, "hi"));
    let (metas, rows) = history(300);
    let mut chat = chat("20170000", &emit);
    let mut around = chat.window().clone();
    around.resize(320, 60, 740, 620);
    chat.set_index(metas, 0);
    page(&mut chat, &asked, &rows);
    assert!(chat.texts_in_sight().len() > 5, "a full window");
    around.redraw();
    drawn();
    let (mut of_chat, mut of_list) = (Vec::new(), Vec::new());
    for n in 300..320 {
        let own = n % 4 == 0;
        let mut message = row(n, own);
        if own {
            message.state = Some(SendState::Sending);
        }
        let text = message.text.clone();
        chat.append(message);
        let mut cost = drawn();
        main.set_conversations(people(n as u64 - 299, &text));
        of_list.push(drawn());
        if own {
            chat.set_state(MessageId(n as i64 + 1), SendState::Sent);
            cost += drawn();
        }
        of_chat.push(cost);
    }
    println!("bytes to the display a message: {of_chat:?}; for its rows in the list: {of_list:?}");
    assert_eq!(chat.texts_in_sight().last(), Some(&row(319, false).text));
    let all = || of_chat.iter().zip(&of_list);
    assert!(all().all(|(chat, list)| *chat > 0 && *list > 0), "each is drawn");
    // The first may teach the display letters it has not seen.
    let most = all().skip(1).map(|(chat, list)| chat + list).max();
    assert!(most <= Some(MOST), "at most {MOST} together: {most:?}");
    // Looking at what was said before: what comes moves the count on the button to the end.
    chat.page(-1);
    page(&mut chat, &asked, &rows);
    drawn();
    for n in 320..330 {
        chat.append(row(n, false));
        let cost = drawn();
        assert!((1..=MOST / 2).contains(&cost), "with the button to the end: {cost}");
    }
    drop(chat);
    drop(main);
}

/// What is so already is not drawn once more: a list of who is online comes every few seconds.
pub fn what_is_told_again_is_not_drawn_again() {
    let (emit, asked) = events();
    let (metas, rows) = history(3);
    let mut chat = chat("@lobby", &emit);
    chat.set_index(metas, 0);
    page(&mut chat, &asked, &rows);
    let header = || Header {
        name: "zoe".to_owned(),
        color: None,
        presence: None,
        line: String::new(),
        own: OwnState::Connected,
    };
    let names = |name: &str| std::collections::HashMap::from([("zoe".to_owned(), name.to_owned())]);
    let tell = |chat: &mut ChatWindow, what: usize, again: bool| match what {
        0 => chat.set_names(names(if again { "Zoe" } else { "Zoë" })),
        1 => chat.set_foreign(again),
        2 => chat.set_earlier(if again { Earlier::Offered } else { Earlier::NoneLeft }),
        _ => chat.set_header(Header { name: if again { "zoe" } else { "zoë" }.to_owned(), ..header() }),
    };
    for what in 0..4 {
        tell(&mut chat, what, false);
        drawn();
        tell(&mut chat, what, true);
        let (new, nothing) = (drawn(), drawn());
        assert!(new > nothing, "{what}: something new is drawn: {new}");
        tell(&mut chat, what, true);
        assert_eq!(drawn(), nothing, "{what}");
    }
    drop(chat);
}

/// A bubble's words change with what became of the message, in each language and theme.
pub fn what_was_kept_is_shown_as_delivered() {
    let with = |state: SendState| {
        let (emit, _) = events();
        let mut chat = chat("20170000", &emit);
        chat.window().clone().resize(0, 40, 420, 440);
        for n in 0..4 {
            chat.append(Row { state: Some(state), ..row(n, true) });
        }
        super::drawn(&chat, 4);
        chat
    };
    for (theme, locale) in [(Theme::Light, "en"), (Theme::Dark, "zh-CN"), (Theme::Light, "zh-CN"), (Theme::Dark, "en")]
    {
        theme::set(theme);
        rust_i18n::set_locale(locale);
        let mut changed = with(SendState::Kept);
        let kept = shown(changed.window());
        super::keep_picture(&format!("kept-{locale}-{theme:?}"));
        for id in [4, 3, 2] {
            changed.set_state(MessageId(id), SendState::Delivered);
        }
        same(changed.window(), "some of them");
        super::keep_picture(&format!("some-delivered-{locale}-{theme:?}"));
        let some = shown(changed.window());
        changed.set_state(MessageId(1), SendState::Delivered);
        same(changed.window(), "all of them");
        let all = shown(changed.window());
        super::keep_picture(&format!("delivered-{locale}-{theme:?}"));
        drop(changed);
        let pictures = [SendState::Delivered, SendState::Sent].map(|state| {
            let chat = with(state);
            let picture = shown(chat.window());
            drop(chat);
            picture
        });
        assert!(pictures[0] == all, "as one that was delivered from the first");
        assert!(pictures[1] != all && kept != all && kept != some && some != all, "four states, four pictures");
    }
    theme::set(Theme::Light);
    rust_i18n::set_locale("en");
}
