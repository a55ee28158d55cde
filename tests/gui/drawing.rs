//! What a message costs in drawing: bytes on the connection to the display, counted by a proxy before it. No clock.

use std::io::{Read, Write};
use std::net::Shutdown;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::PathBuf;
use std::rc::Rc;
use std::sync::atomic::{AtomicU64, Ordering};

use fltk::app;
use fltk::prelude::*;
use hongyan::base::model::{MessageId, SendState};
use hongyan::client::history::{Contact, Conversation};
use hongyan::ui::gui::UiEvent;
use hongyan::ui::gui::main_window::{MainWindow, Me};

use super::{account, chat, events, history, row};

/// Bytes that went to the display.
static SENT: AtomicU64 = AtomicU64::new(0);
/// What a message may cost in its chat, and what in the list.
const MOST: u64 = 10_000;

/// Stands between this process and its display; the name to connect to.
pub fn between(display: &str) -> String {
    let real = PathBuf::from(format!("/tmp/.X11-unix/X{}", display.trim_start_matches(':')));
    let free = (200..400).find_map(|n| Some((n, UnixListener::bind(format!("/tmp/.X11-unix/X{n}")).ok()?)));
    let (number, listener) = free.expect("a free display number");
    let serve = move || {
        // A connection is FLTK's or one of ours; all of them count.
        for client in listener.incoming().flatten() {
            let server = UnixStream::connect(&real).expect("the display");
            let (from, to) = (client.try_clone().expect("a handle"), server.try_clone().expect("a handle"));
            std::thread::spawn(move || pump(from, to, Some(&SENT)));
            std::thread::spawn(move || pump(server, client, None));
        }
    };
    std::thread::spawn(serve);
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
fn shown(window: &fltk::window::Window) -> Vec<u8> {
    drawn();
    fltk::draw::capture_window(&mut window.clone()).expect("a picture").to_rgb_data()
}

/// What was moved and painted piece by piece looks as if all of it were painted anew.
pub fn pieces_make_the_whole() {
    let (metas, rows) = history(400);
    let mut stage = super::Stage::new();
    stage.transcript.set_index(metas);
    stage.settle(&rows);
    let same = |stage: &mut super::Stage, what: &str| {
        let pieces = shown(&stage.window);
        stage.transcript.set_foreign(true);
        stage.transcript.set_foreign(false);
        assert!(pieces == shown(&stage.window), "{what}");
    };
    same(&mut stage, "as it opens");
    for (n, pages) in [-1, 1, -2, -1, 1].into_iter().enumerate() {
        stage.transcript.page(pages);
        stage.settle(&rows);
        same(&mut stage, &format!("scrolled, step {n}"));
    }
    for n in 400..406 {
        stage.transcript.push(row(n, n % 3 == 0));
        same(&mut stage, &format!("with the button to the end, message {n}"));
    }
    stage.transcript.go_to_end();
    for n in 406..412 {
        stage.transcript.push(row(n, n % 3 == 0));
        same(&mut stage, &format!("at the end, message {n}"));
        stage.transcript.set_state(MessageId((n - n % 3) as i64 + 1), SendState::Failed);
        same(&mut stage, &format!("one of one's own failed, {n}"));
    }
    stage.close();
}

pub fn a_message_costs_the_drawing_of_that_message() {
    let (emit, asked) = events();
    let me = Me { account: account("me"), nickname: String::new() };
    let mut main = MainWindow::new(&me, Some([0, 60, 300, 720]), Rc::clone(&emit));
    let people: Vec<String> = (0..30).map(|n| format!("2017{n:04}")).collect();
    let list = |unread: u64, last: &str| {
        let conversation = |(n, name): (usize, &String)| {
            let (remark, group) = (format!("同学 {n}"), "网络课".to_owned());
            let contact = Contact { account: account(name), remark, group, blocked: false };
            let first = n == 0;
            let text = if first { last.to_owned() } else { "接收线程里别碰界面".to_owned() };
            let at = if first { 1_700_000_000_000 } else { 1_600_000_000_000 - n as i64 };
            let unread = if first { unread } else { 0 };
            Conversation { contact, stranger: false, last: Some((text, at)), unread, draft: None }
        };
        people.iter().enumerate().map(conversation).collect::<Vec<_>>()
    };
    main.set_conversations(list(0, "hi"));
    let (metas, rows) = history(300);
    let mut chat = chat("20170000", &emit);
    let mut around = chat.window().clone();
    around.resize(320, 60, 740, 620);
    chat.set_index(metas, 0);
    for _ in 0..20 {
        let _ = app::wait_for(0.01);
        app::flush();
        for event in asked.take() {
            let UiEvent::Page { first, count, .. } = event else { continue };
            let (from, to) = (first as usize, (first + count) as usize);
            chat.fill(first, rows[from..to.min(rows.len())].to_vec());
        }
    }
    assert!(chat.texts_in_sight().len() > 5, "a full window");
    around.redraw();
    drawn();
    let (mut costs, mut rows) = (Vec::new(), Vec::new());
    for n in 300..320 {
        let own = n % 4 == 0;
        let mut message = row(n, own);
        if own {
            message.state = Some(SendState::Sending);
        }
        let text = message.text.clone();
        chat.append(message);
        let of_chat = drawn();
        main.set_conversations(list(n as u64 - 299, &text));
        rows.push(drawn());
        let state = if own {
            chat.set_state(MessageId(n as i64 + 1), SendState::Sent);
            drawn()
        } else {
            0
        };
        costs.push(of_chat + state);
    }
    println!("bytes to the display a message: {costs:?}; for its row in the list: {rows:?}");
    assert_eq!(chat.texts_in_sight().last(), Some(&row(319, false).text));
    // The first may teach the display letters it has not seen.
    assert!(costs[1..].iter().all(|cost| (1..=MOST).contains(cost)), "at most {MOST}: {costs:?}");
    assert!(rows[1..].iter().all(|cost| (1..=MOST).contains(cost)), "at most {MOST}: {rows:?}");
    chat.close();
    main.close();
}
