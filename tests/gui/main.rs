//! Windows without a network: values in, texts and events out. FLTK wants the process's first thread,
//! so this has no test harness; it opens a display of its own and runs itself there.
#![cfg(target_os = "linux")]
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a test fails by panicking, and prints what it found"
)]

mod drawing;
mod every_window;
mod files;
mod lasting;
#[path = "../shared/process.rs"]
mod process;
mod sheets;
mod start;
mod tips;
mod zoom;

use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::{Command, ExitCode};
use std::rc::Rc;
use std::time::{Duration, Instant};

use fltk::enums::Event;
use fltk::prelude::*;
use fltk::{app, window::Window};
use hongyan::base::model::{Account, MessageId, SendState};
use hongyan::client::diagnosis::{Report, Step, StepResult};
use hongyan::client::history::{Contact, Conversation, Row, RowMeta};
use hongyan::client::session::{Cause, ConnectionState, KeyChange, PlainReason};
use hongyan::client::tap::{Direction, Record};
use hongyan::probe::hand::{Arrived, Expectation, Trial};
use hongyan::ui::gui::chat_window::{ChatWindow, Header, OwnState};
use hongyan::ui::gui::connection_window::ConnectionWindow;
use hongyan::ui::gui::friend_list::FriendList;
use hongyan::ui::gui::login_window::{Login, LoginForm};
use hongyan::ui::gui::main_window::{MainWindow, Me};
use hongyan::ui::gui::notice::{Kept, Question};
use hongyan::ui::gui::transcript::{Ask, Earlier, Transcript};
use hongyan::ui::gui::trust_window::{Doubt, TrustWindow};
use hongyan::ui::gui::wire_window::WireWindow;
use hongyan::ui::gui::{
    Emit, Secret, UiEvent, chat_window, connection_window, main_window, theme, trust_window, widgets,
};

// The windows' own texts, to be said in them.
rust_i18n::i18n!("locales", fallback = "en");

/// Says that a display of its own is there, and its name.
const INSIDE: &str = "HONGYAN_TEST_DISPLAY";

/// The display itself, where [`drawing::between`] stands before it.
fn real_display() -> String {
    std::env::var(INSIDE).expect("a display")
}

/// Every test by its name, in the order in which they run; `main` runs those whose name holds the first argument.
const TESTS: &[(&str, fn())] = &[
    ("a_hundred_thousand_messages_come_by_pages", a_hundred_thousand_messages_come_by_pages),
    ("the_view_stays_where_it_is_looked_at", the_view_stays_where_it_is_looked_at),
    ("rows_that_are_not_the_historys_are_asked_for_anew", rows_that_are_not_the_historys_are_asked_for_anew),
    ("what_the_server_had_comes_in_above", what_the_server_had_comes_in_above),
    ("a_chat_in_another_theme_is_the_same_chat", lasting::a_chat_in_another_theme_is_the_same_chat),
    ("a_chat_in_another_theme_is_read_as_far", lasting::a_chat_in_another_theme_is_read_as_far),
    ("a_chat_in_another_language_says_its_notes_in_it", lasting::a_chat_in_another_language_says_its_notes_in_it),
    ("a_page_that_was_not_read_is_asked_for_again", lasting::a_page_that_was_not_read_is_asked_for_again),
    ("the_tools_in_another_theme_go_on", lasting::the_tools_in_another_theme_go_on),
    ("what_went_wrong_in_a_chat_is_said_until_it_is_over", lasting::what_went_wrong_in_a_chat_is_said_until_it_is_over),
    ("a_chat_of_an_account_that_is_no_more_takes_no_text", lasting::a_chat_of_an_account_that_is_no_more_takes_no_text),
    ("a_main_window_in_another_theme_is_the_same_window", lasting::a_main_window_in_another_theme_is_the_same_window),
    ("at_midnight_today_is_yesterday", lasting::at_midnight_today_is_yesterday),
    ("each_message_in_its_own_window", each_message_in_its_own_window),
    ("what_is_unread_stands_in_the_titles", what_is_unread_stands_in_the_titles),
    ("what_is_read_is_what_was_in_sight", what_is_read_is_what_was_in_sight),
    ("a_chat_opens_where_the_new_messages_begin", a_chat_opens_where_the_new_messages_begin),
    ("a_pasted_file_is_sent_only_after_a_question", a_pasted_file_is_sent_only_after_a_question),
    ("both_themes_and_languages_draw", both_themes_and_languages_draw),
    ("the_connection_window_copies_all_it_shows", the_connection_window_copies_all_it_shows),
    ("the_main_window_asks_and_waits", the_main_window_asks_and_waits),
    ("a_doubtful_server_is_not_trusted_by_accident", a_doubtful_server_is_not_trusted_by_accident),
    ("the_login_window_keeps_what_was_typed", the_login_window_keeps_what_was_typed),
    ("the_protocol_window_says_what_became_of_a_trial", the_protocol_window_says_what_became_of_a_trial),
    ("the_threads_of_a_small_window_are_scrolled", lasting::the_threads_of_a_small_window_are_scrolled),
    ("a_click_takes_the_focus_and_harms_nothing", a_click_takes_the_focus_and_harms_nothing),
    ("a_tooltip_that_goes_away_harms_nothing", tips::a_tooltip_that_goes_away_harms_nothing),
    ("the_display_says_how_long_nothing_was_touched", tips::the_display_says_how_long_nothing_was_touched),
    ("what_a_window_says_moves_no_field", sheets::what_a_window_says_moves_no_field),
    ("lines_of_a_form_stand_in_line", sheets::lines_of_a_form_stand_in_line),
    ("the_keys_go_to_the_password_that_is_wrong", sheets::the_keys_go_to_the_password_that_is_wrong),
    ("a_file_that_is_not_there_keeps_its_question", files::a_file_that_is_not_there_keeps_its_question),
    ("a_message_costs_the_drawing_of_that_message", drawing::a_message_costs_the_drawing_of_that_message),
    ("what_is_told_again_is_not_drawn_again", drawing::what_is_told_again_is_not_drawn_again),
    ("a_chats_pieces_make_the_whole", drawing::a_chats_pieces_make_the_whole),
    ("what_was_kept_is_shown_as_delivered", drawing::what_was_kept_is_shown_as_delivered),
    ("the_main_windows_pieces_make_the_whole", drawing::the_main_windows_pieces_make_the_whole),
    ("a_search_without_a_hit_says_so", drawing::a_search_without_a_hit_says_so),
    ("what_is_scrolled_out_is_not_seen", drawing::what_is_scrolled_out_is_not_seen),
    ("little_is_asked_before_the_first_window", start::little_is_asked_before_the_first_window),
    ("the_first_picture_is_whole_and_stays", start::the_first_picture_is_whole_and_stays),
    ("a_zoom_and_back_leaves_a_window_as_it_was", zoom::a_zoom_and_back_leaves_a_window_as_it_was),
    ("every_window_zooms_by_keys", zoom::every_window_zooms_by_keys),
    ("a_question_opens_at_its_window", zoom::a_question_opens_at_its_window),
    ("every_window_fits", every_window::every_window_fits),
];

fn main() -> ExitCode {
    if std::env::var_os(INSIDE).is_none() {
        return outside();
    }
    if std::env::var_os(start::BARE).is_some() {
        start::bare();
        return ExitCode::SUCCESS;
    }
    let real = real_display();
    let counted = drawing::between(&real);
    #[allow(unsafe_code, reason = "no other thread of this process reads it yet")]
    unsafe {
        std::env::set_var("DISPLAY", &counted);
    }
    let _app = app::App::default();
    theme::set_up_font();
    let only = std::env::args().nth(1).filter(|a| !a.starts_with('-'));
    let (mut passed, mut failed) = (0, 0);
    for (name, test) in TESTS {
        if only.as_ref().is_some_and(|only| !name.contains(only.as_str())) {
            continue;
        }
        let ok = catch_unwind(AssertUnwindSafe(test)).is_ok();
        println!("test {name} ... {}", if ok { "ok" } else { "FAILED" });
        if ok { passed += 1 } else { failed += 1 }
    }
    drawing::apart(&counted);
    told(passed, failed)
}

/// Says how many passed, as a test harness does.
fn told(passed: u32, failed: u32) -> ExitCode {
    let word = if failed == 0 { "ok" } else { "FAILED" };
    println!("\ntest result: {word}. {passed} passed; {failed} failed; 0 ignored; 0 measured; 0 filtered out");
    if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Runs this program again on displays of its own: all of it on one, and what concerns the screen on each.
fn outside() -> ExitCode {
    let asked: Vec<_> = std::env::args_os().skip(1).collect();
    let inside = |size: &str, args: &[std::ffi::OsString]| {
        let (_display, name) = process::display_of(size);
        let status = Command::new(std::env::current_exe().expect("this program"))
            .args(args)
            .env("DISPLAY", &name)
            .env(INSIDE, name)
            .status();
        status.is_ok_and(|status| status.success())
    };
    let fits = "every_window_fits";
    let mut good = inside("1600x1000", &asked);
    if asked.first().and_then(|name| name.to_str()).is_none_or(|name| fits.contains(name) || name.starts_with('-')) {
        for size in ["1024x768", "1366x768", "1920x1080"] {
            println!("\non a screen of {size}:");
            good &= inside(size, &[fits.into()]);
        }
    }
    if good { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn account(name: &str) -> Account {
    Account::parse(name).expect("valid")
}

fn row(n: usize, own: bool) -> Row {
    let texts = ["接收线程里别碰界面", "short", "a longer text that needs more than one line in a narrow window", "👍"];
    Row {
        id: MessageId(n as i64 + 1),
        text: format!("{n} {}", texts[n % texts.len()]),
        unix_ms: 1_700_000_000_000 + n as i64 * 60_000,
        came_ms: None,
        server_time: None,
        state: own.then_some(SendState::Sent),
        repeat: false,
        note: false,
    }
}

fn history(n: usize) -> (Vec<RowMeta>, Vec<Row>) {
    let rows: Vec<Row> = (0..n).map(|i| row(i, i % 3 == 0)).collect();
    let meta = |r: &Row| RowMeta {
        id: r.id,
        chars: r.text.chars().count() as u32,
        breaks: 0,
        outgoing: r.state.is_some(),
        unix_ms: r.unix_ms,
        note: r.note,
    };
    (rows.iter().map(meta).collect(), rows)
}

/// Draws until nothing is asked for any more; each page is answered from `rows`.
fn settle(transcript: &mut Transcript, asked: &Rc<RefCell<Vec<Ask>>>, rows: &[Row]) -> usize {
    let mut pages = 0;
    let end = std::time::Instant::now() + std::time::Duration::from_secs(10);
    while std::time::Instant::now() < end {
        let mut widget = transcript.widget().clone();
        widget.redraw();
        let _ = app::wait_for(0.01);
        app::flush();
        let asks: Vec<Ask> = asked.borrow_mut().drain(..).collect();
        // The first events may only map the window.
        if asks.is_empty() && !transcript.texts_in_sight().is_empty() {
            break;
        }
        for ask in asks {
            let Ask::Page { first, count } = ask else { continue };
            let (first, count) = (first as usize, count as usize);
            pages += 1;
            transcript.fill(first as u32, rows[first..(first + count).min(rows.len())].to_vec());
        }
    }
    pages
}

struct Stage {
    window: Window,
    transcript: Transcript,
    asked: Rc<RefCell<Vec<Ask>>>,
}

impl Stage {
    fn new() -> Self {
        let mut window = Window::new(0, 0, 500, 400, "");
        let asked: Rc<RefCell<Vec<Ask>>> = Rc::default();
        let out = Rc::clone(&asked);
        let transcript = Transcript::new(0, 0, 500, 400, false, Rc::new(move |ask| out.borrow_mut().push(ask)));
        window.end();
        window.show();
        let end = std::time::Instant::now() + std::time::Duration::from_secs(10);
        while !window.shown() && std::time::Instant::now() < end {
            let _ = app::wait_for(0.02);
        }
        Self { window, transcript, asked }
    }

    fn settle(&mut self, rows: &[Row]) -> usize {
        settle(&mut self.transcript, &self.asked, rows)
    }

    fn close(self) {
        Window::delete(self.window);
    }
}

fn a_hundred_thousand_messages_come_by_pages() {
    let (metas, rows) = history(100_000);
    let mut stage = Stage::new();
    stage.transcript.set_index(metas);
    let pages = stage.settle(&rows);
    assert!(pages <= 3, "{pages} pages for one screen");
    let seen = stage.transcript.texts_in_sight();
    assert_eq!(seen.last(), Some(&rows[99_999].text));
    // All the way up, far away at once, then page by page.
    stage.transcript.page(-1_000_000);
    assert!(stage.settle(&rows) <= 3);
    assert_eq!(stage.transcript.texts_in_sight().first(), Some(&rows[0].text));
    let mut next = stage.transcript.texts_in_sight().len() - 1;
    for _ in 0..50 {
        stage.transcript.page(1);
        stage.settle(&rows);
        let seen = stage.transcript.texts_in_sight();
        let at = |text: &String| rows.iter().position(|r| r.text == *text).expect("a row");
        let (first, last) = (at(&seen[0]), at(seen.last().expect("some")));
        assert_eq!(last - first + 1, seen.len(), "rows in order, none left out");
        assert!(first > 0 && first <= next, "nothing is skipped by a page: {first} after {next}");
        next = last;
    }
    stage.close();
}

fn the_view_stays_where_it_is_looked_at() {
    let (metas, rows) = history(500);
    let mut stage = Stage::new();
    stage.transcript.set_index(metas);
    stage.settle(&rows);
    stage.transcript.page(-3);
    stage.settle(&rows);
    let before = stage.transcript.texts_in_sight();
    stage.transcript.push(row(500, false));
    stage.settle(&rows);
    assert_eq!(stage.transcript.texts_in_sight(), before, "somebody else's message moves nothing");
    stage.transcript.push(row(501, true));
    stage.settle(&rows);
    assert_eq!(stage.transcript.texts_in_sight().last(), Some(&row(501, true).text), "one's own is shown");
    // A narrower window lays out anew and still ends at the end.
    let mut widget = stage.transcript.widget().clone();
    widget.resize(0, 0, 260, 400);
    stage.settle(&rows);
    assert_eq!(stage.transcript.texts_in_sight().last(), Some(&row(501, true).text));
    stage.close();
}

fn rows_that_are_not_the_historys_are_asked_for_anew() {
    let (metas, rows) = history(10);
    let mut stage = Stage::new();
    stage.transcript.set_index(metas);
    stage.transcript.fill(0, rows[1..].to_vec());
    assert!(stage.asked.borrow().contains(&Ask::Index));
    stage.close();
}

fn what_the_server_had_comes_in_above() {
    let (metas, rows) = history(100);
    let mut stage = Stage::new();
    stage.transcript.set_earlier(Earlier::Offered);
    stage.transcript.set_index(metas.clone());
    stage.settle(&rows);
    assert!(stage.asked.borrow().is_empty(), "nothing is asked of the server unless somebody wants it");
    stage.transcript.go_to_begin();
    assert_eq!(stage.asked.borrow_mut().pop(), Some(Ask::Earlier));
    stage.settle(&rows);
    let first = rows[0].text.clone();
    assert_eq!(stage.transcript.texts_in_sight().first(), Some(&first));
    // Forty more: what was at the top is still in sight, with the end of the new ones over it.
    let old = |n: usize| {
        let row =
            Row { id: MessageId(n as i64 - 40), text: format!("old {n}"), unix_ms: 0, ..row(0, n.is_multiple_of(2)) };
        let meta = RowMeta { id: row.id, chars: 6, breaks: 0, outgoing: n.is_multiple_of(2), unix_ms: 0, note: false };
        (meta, row)
    };
    let (more, texts): (Vec<RowMeta>, Vec<Row>) = (0..40).map(old).unzip();
    let all = [texts, rows].concat();
    stage.transcript.set_earlier(Earlier::NoneLeft);
    stage.transcript.set_index([more, metas].concat());
    stage.settle(&all);
    let sight = stage.transcript.texts_in_sight();
    assert!(sight.contains(&first) && sight.first() == Some(&"old 39".to_owned()), "{sight:?}");
    stage.transcript.go_to_begin();
    stage.settle(&all);
    assert_eq!(stage.transcript.texts_in_sight().first().map(String::as_str), Some("old 0"));
    stage.transcript.go_to_end();
    stage.settle(&all);
    assert_eq!(stage.transcript.texts_in_sight().last(), Some(&all[139].text));
    stage.close();
}

fn events() -> (Emit, Rc<RefCell<Vec<UiEvent>>>) {
    let seen: Rc<RefCell<Vec<UiEvent>>> = Rc::default();
    let out = Rc::clone(&seen);
    (Rc::new(move |event| out.borrow_mut().push(event)), seen)
}

fn chat(name: &str, emit: &Emit) -> ChatWindow {
    let header =
        Header { name: name.to_owned(), color: None, presence: None, line: String::new(), own: OwnState::Connected };
    ChatWindow::new(&account(name), header, None, Rc::clone(emit))
}

/// Lets FLTK draw until as many texts are in sight.
fn drawn(chat: &ChatWindow, texts: usize) {
    let end = std::time::Instant::now() + std::time::Duration::from_secs(10);
    while chat.texts_in_sight().len() < texts && std::time::Instant::now() < end {
        let _ = app::wait_for(0.02);
    }
}

fn each_message_in_its_own_window() {
    let (emit, _) = events();
    let (mut x, mut y) = (chat("xena", &emit), chat("yuri", &emit));
    for i in 0..6 {
        let (mut of_x, mut of_y) = (row(i, false), row(i, true));
        of_x.text = format!("x{i}");
        of_y.text = format!("y{i}");
        x.append(of_x);
        y.append(of_y);
    }
    drawn(&x, 6);
    drawn(&y, 6);
    assert_eq!(x.texts_in_sight(), ["x0", "x1", "x2", "x3", "x4", "x5"]);
    assert_eq!(y.texts_in_sight(), ["y0", "y1", "y2", "y3", "y4", "y5"]);
    x.set_state(MessageId(1), SendState::Failed);
    drop(x);
    drop(y);
}

fn what_is_unread_stands_in_the_titles() {
    let (emit, _) = events();
    let mut chat = chat("zoe", &emit);
    let mut hidden = chat.window().clone();
    hidden.hide();
    chat.append(row(0, false));
    chat.append(row(1, false));
    assert!(hidden.label().starts_with("(2) "), "{}", hidden.label());
    assert_eq!(chat.looked(), None, "nobody can look at what is not on the screen");
    chat.append(row(2, true));
    assert!(hidden.label().starts_with("(2) "), "one's own is not unread");
    drop(chat);
    let me = Me { account: account("me"), name: String::new(), color: None };
    let mut main = MainWindow::new(&me, None, emit);
    let (remark, group) = (String::new(), String::new());
    let contact = Contact { account: account("zoe"), remark, group, blocked: false };
    main.set_conversations(vec![Conversation {
        contact,
        stranger: false,
        last: Some(("hi".into(), 0)),
        draft: None,
        unread: 7,
    }]);
    assert!(main.window().label().starts_with("(7) "));
    drop(main);
}

fn what_is_read_is_what_was_in_sight() {
    let (metas, rows) = history(300);
    let (emit, asked) = events();
    let mut chat = chat("zoe", &emit);
    let title = chat.window().clone();
    chat.set_index(metas, 0);
    /// As the loop does it: pages come, and what is looked at is read.
    fn looks(chat: &mut ChatWindow, asked: &RefCell<Vec<UiEvent>>, rows: &[Row]) -> Option<MessageId> {
        let mut read = None;
        let end = std::time::Instant::now() + std::time::Duration::from_millis(300);
        while std::time::Instant::now() < end {
            let _ = app::wait_for(0.01);
            for event in asked.take() {
                match event {
                    UiEvent::Chat(_, chat_window::Event::PageWanted { first, count }) => {
                        let (from, to) = (first as usize, (first + count) as usize);
                        chat.fill(first, rows[from.min(rows.len())..to.min(rows.len())].to_vec());
                    }
                    UiEvent::Chat(_, chat_window::Event::Looked) => read = chat.looked().or(read),
                    _ => {}
                }
            }
        }
        read
    }
    assert_eq!(looks(&mut chat, &asked, &rows), None, "nothing is new");
    // At the end, with the keys: what comes is seen.
    let mut all = rows;
    let mut come = |chat: &mut ChatWindow, n: usize, own: bool| {
        all.push(row(n, own));
        (chat.append(row(n, own)), all.clone())
    };
    let (unseen, rows) = come(&mut chat, 300, false);
    assert!(!unseen);
    assert_eq!(looks(&mut chat, &asked, &rows), Some(MessageId(301)));
    assert_eq!((chat.below(), title.label().starts_with('(')), (0, false));
    // Reading what was said before: what comes is not.
    chat.page(-3);
    assert_eq!(looks(&mut chat, &asked, &rows), None);
    assert_eq!(chat.below(), 0, "what was read is not counted");
    come(&mut chat, 301, false);
    let (unseen, rows) = come(&mut chat, 302, false);
    assert!(unseen);
    assert_eq!(looks(&mut chat, &asked, &rows), None, "nothing of it was in sight");
    assert_eq!((chat.below(), title.label().starts_with("(2) ")), (2, true), "{}", title.label());
    // With the keys elsewhere, being in sight is not enough.
    let mut other = Window::new(0, 0, 100, 100, None);
    let mut field = fltk::input::Input::new(0, 0, 90, 30, None);
    other.end();
    other.show();
    let _ = field.take_focus();
    chat.page(4);
    assert_eq!(looks(&mut chat, &asked, &rows), None, "nobody looks");
    assert!(title.label().starts_with("(2) "), "{}", title.label());
    Window::delete(other);
    chat.raise();
    assert_eq!(looks(&mut chat, &asked, &rows), Some(MessageId(303)));
    assert_eq!((chat.below(), title.label().starts_with('(')), (0, false));
    drop(chat);
}

fn a_chat_opens_where_the_new_messages_begin() {
    let (metas, rows) = history(300);
    let (emit, asked) = events();
    let mut chat = chat("zoe", &emit);
    // One row in three was sent by the user.
    let theirs: Vec<usize> = (0..300).filter(|i| i % 3 != 0).collect();
    let (unread, first) = (60, theirs[theirs.len() - 60]);
    chat.set_index(metas, unread);
    let end = std::time::Instant::now() + std::time::Duration::from_secs(10);
    let wanted = rows[first].text.clone();
    while chat.texts_in_sight().first() != Some(&wanted) {
        assert!(std::time::Instant::now() < end, "{wanted:?} is not first of {:?}", chat.texts_in_sight());
        let _ = app::wait_for(0.01);
        for event in asked.take() {
            let UiEvent::Chat(_, chat_window::Event::PageWanted { first, count }) = event else { continue };
            let (from, to) = (first as usize, (first + count) as usize);
            chat.fill(first, rows[from..to.min(rows.len())].to_vec());
        }
    }
    drop(chat);
}

/// Presses the button of this name, in whatever window it is.
fn press(name: &str) -> bool {
    fn find(group: &fltk::group::Group, name: &str) -> Option<fltk::widget::Widget> {
        (0..group.children()).filter_map(|i| group.child(i)).find_map(|child| match child.as_group() {
            Some(inner) => find(&inner, name),
            None => (child.label() == name).then_some(child),
        })
    }
    let windows = app::windows().unwrap_or_default();
    let button = windows.iter().filter_map(|window| window.as_group()).find_map(|window| find(&window, name));
    button.map(|mut button| button.do_callback()).is_some()
}

fn a_pasted_file_is_sent_only_after_a_question() {
    let (emit, seen) = events();
    let mut chat = chat("zoe", &emit);
    let text = "x".repeat(11 * 924);
    chat.give_back(&text);
    for (answer, sent) in [("Don't send", false), ("Send 11 messages", true)] {
        app::add_timeout3(0.3, move |_| assert!(press(answer), "no button {answer:?}"));
        assert!(press("Send"));
        let said: Vec<String> = seen
            .take()
            .into_iter()
            .filter_map(|event| match event {
                UiEvent::Chat(_, chat_window::Event::Send(text)) => Some(text),
                _ => None,
            })
            .collect();
        // What was not sent stands there still.
        assert_eq!(said, if sent { vec![text.clone()] } else { Vec::new() });
    }
    chat.give_back(&"x".repeat(10 * 924));
    assert!(press("Send"), "it is one");
    assert!(
        seen.take().iter().any(|event| matches!(event, UiEvent::Chat(_, chat_window::Event::Send(_)))),
        "ten parts need no question"
    );
    drop(chat);
}

fn both_themes_and_languages_draw() {
    for (theme, locale) in [(theme::Theme::Light, "en"), (theme::Theme::Dark, "zh-CN")] {
        theme::set(theme);
        rust_i18n::set_locale(locale);
        let (emit, _) = events();
        let mut chat = chat("20170007", &emit);
        let states = [SendState::Waiting, SendState::Failed, SendState::MaybeSentTwice, SendState::OfflineOrUnknown];
        for (i, state) in states.into_iter().enumerate() {
            chat.append(Row { state: Some(state), ..row(i, true) });
        }
        drawn(&chat, 4);
        assert_eq!(chat.texts_in_sight().len(), 4);
        // The ground is the theme's: nothing was left in the other one's colour.
        let window = chat.window().clone();
        let ground = theme::palette().bg.to_rgb();
        fltk::draw::set_draw_color(theme::palette().bg);
        assert_eq!(window.color().to_rgb(), ground);
        drop(chat);
    }
    theme::set(theme::Theme::Light);
    rust_i18n::set_locale("en");
}

fn the_main_window_asks_and_waits() {
    let emitted: Rc<RefCell<Vec<UiEvent>>> = Rc::default();
    let emit: Emit = Rc::new({
        let emitted = Rc::clone(&emitted);
        move |event| emitted.borrow_mut().push(event)
    });
    let me = Me { account: account("me"), name: String::new(), color: None };
    let mut main = MainWindow::new(&me, Some([0, 0, 240, 320]), emit);
    main.say("something else");
    let answers = [
        ("Take it back".to_owned(), UiEvent::Main(main_window::Event::TakeBack)),
        ("Stay offline".to_owned(), UiEvent::Main(main_window::Event::StayOffline)),
    ];
    let text = "Logged in elsewhere: 192.0.2.7:50123 took this account's place at 2026-11-21 12:00:00.".to_owned();
    main.ask(Some(Question { text: text.clone(), answers }));
    assert_eq!(main.notice().text(), format!("{text}\nsomething else"));
    for mut button in main.notice().buttons().clone() {
        let inside = button.x() >= 0 && button.x() + button.w() <= 240 && button.y() + button.h() <= 320;
        assert!(button.visible() && inside && button.w() > 90, "{} {} {}", button.x(), button.y(), button.w());
        button.do_callback();
    }
    let answered: Vec<UiEvent> =
        emitted.borrow_mut().drain(..).filter(|e| *e != UiEvent::Main(main_window::Event::Looked)).collect();
    assert_eq!(answered, [UiEvent::Main(main_window::Event::TakeBack), UiEvent::Main(main_window::Event::StayOffline)]);
    main.ask(None);
    what_has_happened_stays(&mut main, &emitted);
    assert!(main.notice().text() == "something else" && main.notice().buttons().iter().all(|b| !b.visible()));
    drop(main);
}

/// Nothing but its reader takes it away: no answer of the server, nor what is said of the moment.
fn what_has_happened_stays(main: &mut MainWindow, emitted: &Rc<RefCell<Vec<UiEvent>>>) {
    main.keep(Kept::Lost(2));
    main.set_link(ConnectionState::Waiting);
    main.set_link(ConnectionState::Connected { rtt: Duration::from_millis(1) });
    main.keep(Kept::Lost(1));
    main.keep(Kept::Sentence("The disk is full.".to_owned()));
    main.say_trouble("no answer");
    main.set_link(ConnectionState::Retrying { at: Instant::now() });
    main.set_link(ConnectionState::Connected { rtt: Duration::from_millis(1) });
    main.say("something else");
    assert_eq!(main.notice().text(), "1/2 · 3 messages may have been lost on the way.\nsomething else");
    let mut seen = main.notice().seen().clone();
    assert!(seen.visible() && seen.x() + seen.w() <= 240 && seen.y() + seen.h() <= 320 && seen.w() > 90);
    emitted.borrow_mut().clear();
    seen.do_callback();
    assert!(emitted.borrow().contains(&UiEvent::Main(main_window::Event::NoticeSeen)));
    main.seen();
    main.set_link(ConnectionState::Waiting);
    main.set_link(ConnectionState::Connected { rtt: Duration::from_millis(1) });
    assert_eq!(main.notice().text(), "The disk is full.\nsomething else");
    main.seen();
    assert!(!seen.visible());
}

/// Draws it in each language and theme, small and large; a folder in the environment keeps pictures.
fn a_doubtful_server_is_not_trusted_by_accident() {
    let emitted: Rc<RefCell<Vec<UiEvent>>> = Rc::default();
    let emit: Emit = Rc::new({
        let emitted = Rc::clone(&emitted);
        move |event| emitted.borrow_mut().push(event)
    });
    let change = KeyChange { shown: vec![1; 44], known: vec![vec![2; 44], vec![3; 44]], damaged: None };
    let file = Some("/home/a/.local/share/hongyan/192_2e_0_2e_2_2e_7_3a_8000/keys".to_owned());
    let damaged = KeyChange { known: Vec::new(), damaged: file, ..change.clone() };
    let doubts = [
        ("trust", Doubt::Key(change.clone()), UiEvent::Trust(trust_window::Event::TrustKey(change.shown.clone()))),
        ("damaged", Doubt::Key(damaged), UiEvent::Trust(trust_window::Event::TrustKey(change.shown))),
        ("readable", Doubt::Plain(PlainReason::NoLonger), UiEvent::Trust(trust_window::Event::SendReadable)),
        ("plain-only", Doubt::Plain(PlainReason::Only), UiEvent::Trust(trust_window::Event::SendReadable)),
        ("plain-chosen", Doubt::Plain(PlainReason::Chosen), UiEvent::Trust(trust_window::Event::SendReadable)),
    ];
    let looks = [
        ("en", theme::Theme::Light),
        ("en", theme::Theme::Dark),
        ("zh-CN", theme::Theme::Light),
        ("zh-CN", theme::Theme::Dark),
    ];
    for ((locale, theme), (name, doubt, goes_on)) in looks.into_iter().flat_map(|l| doubts.iter().map(move |d| (l, d)))
    {
        rust_i18n::set_locale(locale);
        theme::set(theme);
        for (nearby, w, h) in [(false, 560, 520), (true, 360, 320), (false, 300, 240)] {
            let window = TrustWindow::new("chat.example:9", nearby, doubt, Rc::clone(&emit));
            assert_eq!(window.doubt(), doubt);
            let mut shell = window.window().clone();
            (0..3).for_each(|_| drop(app::wait_for(0.01)));
            app::flush();
            assert!(
                !shell.handle_event(Event::MouseWheel),
                "nothing to scroll where the screen has room: {name} {locale}"
            );
            shell.resize(0, 0, w, h);
            // What does not fit can be scrolled, once it has been drawn.
            let mut turns = 0;
            while turns < 3 || turns < 500 && shell.handle_event(Event::MouseWheel) != (h < 390) {
                let _ = app::wait_for(0.01);
                app::flush();
                turns += 1;
            }
            assert!(turns < 500);
            let buttons: Vec<_> = (0..shell.children()).filter_map(|n| shell.child(n)).skip(1).collect();
            assert!(buttons.iter().all(|b| b.x() > 0 && b.x() + b.w() < w && b.y() + b.h() < h));
            keep_picture(&format!("{name}-{locale}-{theme:?}-{w}"));
            buttons.into_iter().for_each(|mut button| button.do_callback());
            assert_eq!(
                emitted.borrow_mut().drain(..).collect::<Vec<_>>(),
                [UiEvent::Trust(trust_window::Event::StayAway), goes_on.clone()]
            );
            drop(window);
        }
    }
    theme::set(theme::Theme::Light);
    rust_i18n::set_locale("en");
}

/// A picture of the display, where somebody wants to look at it.
fn keep_picture(name: &str) {
    if let Some(folder) = std::env::var_os("HONGYAN_PICTURES") {
        let file = std::path::Path::new(&folder).join(format!("{name}.png"));
        let _ = Command::new("import").args(["-window", "root"]).arg(file).status();
    }
}

fn the_login_window_keeps_what_was_typed() {
    let (emit, _) = events();
    let form = LoginForm { account: "20170001".into(), password: Secret("secret".into()), remember: true, stay: false };
    let mut login = Login::new(&form, "@place & more", Rc::clone(&emit));
    assert_eq!(login.form(), form);
    login.say("wrong @ password", true);
    assert_eq!(login.said(), widgets::escape("wrong @ password"));
    login.again(false);
    assert_eq!((login.form().account.as_str(), login.form().password.0.as_str()), ("20170001", ""));
    login.again(true);
    assert_eq!(login.form().account, "");
    login.fill("20170007");
    assert_eq!(login.form().account, "20170007");
    // Where no password is needed that is ticked, and whoever is asked for it again still wants to stay.
    login.set_known(true);
    assert!(login.form().stay);
    login.set_known(false);
    assert!(!login.form().stay, "another account, or another server");
    login.keep_staying();
    login.set_known(false);
    assert!(login.form().stay);
    drop(login);
}

fn the_connection_window_copies_all_it_shows() {
    let emitted: Rc<RefCell<Vec<UiEvent>>> = Rc::default();
    let emit: Emit = Rc::new({
        let emitted = Rc::clone(&emitted);
        move |event| emitted.borrow_mut().push(event)
    });
    let mut window = ConnectionWindow::new("chat.example:9", None, emit);
    assert_eq!(
        emitted.borrow().as_slice(),
        [UiEvent::Connection(connection_window::Event::FiguresWanted)],
        "it asks for figures by itself"
    );
    let at = "192.0.2.7:9".parse().expect("valid");
    let silent = Step { what: StepResult::Silent { at, questions: 4 }, took: std::time::Duration::ZERO };
    let steps = vec![silent; 12];
    let report = Report { server: "chat.example:9".into(), unix_ms: 0, steps, stage: None, finished: true };
    for (locale, theme) in [("en", theme::Theme::Light), ("zh-CN", theme::Theme::Dark)] {
        rust_i18n::set_locale(locale);
        theme::set(theme);
        window.set_report(report.clone());
        for _ in 0..3 {
            let _ = app::wait_for(0.01);
            app::flush();
        }
        assert_eq!(window.text(), report.text(locale));
    }
    let mut steps = window.steps().clone();
    assert!(steps.handle_event(Event::MouseWheel));
    app::flush();
    drop(window);
    rust_i18n::set_locale("en");
    theme::set(theme::Theme::Light);
}

/// FLTK swallows a panic of a handler, and the handler then counts as one that did not want the click.
fn a_click_takes_the_focus_and_harms_nothing() {
    let mut window = Window::new(0, 0, 300, 300, None);
    let list = FriendList::new(0, 0, 300, 300, Rc::new(|_| ()));
    window.end();
    window.show();
    let mut list = list.widget().clone();
    assert!(list.handle_event(Event::Push), "the friend list");
    assert!(list.has_focus());
    Window::delete(window);
    let records: Vec<Record> = (0..50)
        .map(|n| Record { unix_ms: n, way: Direction::Out(Cause::First), bytes: b"08#".to_vec(), after: None })
        .collect();
    let wire = WireWindow::new("127.0.0.1:21568", &records, None, Rc::new(|_| ()));
    let mut table = wire.table().clone();
    for event in [Event::Push, Event::Drag, Event::Released, Event::MouseWheel] {
        assert!(table.handle_event(event), "the protocol window's table: {event:?}");
    }
    assert!(table.has_focus());
    drop(wire);
}

fn the_protocol_window_says_what_became_of_a_trial() {
    let mut wire = WireWindow::new("127.0.0.1:21568", &[], None, Rc::new(|_| ()));
    let reply = |text: &str| Arrived::Reply(text.as_bytes().to_vec(), std::time::Duration::from_micros(1_500));
    let silence = || Arrived::Nothing;
    for (sent, said, came, shown) in [
        ("08#", "", Arrived::NotYet, "Trial 7: waiting"),
        ("08#", "", reply("08:3"), "Trial 7: as expected · 1.5 ms"),
        ("08#", "08:0", reply("08:3"), "Trial 7: 08:0 expected, 08:3 came."),
        ("08#", "", reply("@p->"), "Trial 7: 08:N or 07:01 expected, @p-> came. A reply is"),
        ("08#", "", Arrived::Perhaps(b"08:3".to_vec()), "Trial 7: unclear. It cannot be told"),
        ("08#", "-", silence(), "Trial 7: no reply, as expected"),
    ] {
        let trial = Trial::new(sent.as_bytes(), &Expectation::parse(said).expect("good")).case(7, &came);
        wire.set_trial(&trial);
        app::flush();
        assert!(wire.said().starts_with(shown), "{} instead of {shown}", wire.said());
    }
    drop(wire);
}
