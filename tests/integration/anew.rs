//! An account that is deleted and made anew is another one, for its own clients and for others'.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use hongyan::base::model::{MessageText, SendState};
use hongyan::client::Event;
use hongyan::client::history::{Database, Done, Op, Read};
use hongyan::client::net::clock;
use hongyan::client::session::{ConnectionState, LoginOutcome, LookUpResult};
use hongyan::server::store::admin;

use super::client::{Person, account, anywhere, password, securely, serve};

/// Accounts with the password of all, made then.
fn made(data: &Path, names: &[&str], at: i64) {
    let list = data.with_extension("csv");
    let lines: String = names.iter().map(|name| format!("{name},secret\n")).collect();
    std::fs::write(&list, lines).expect("written");
    admin::import(data, &list, at).expect("imported");
}

fn is_down(event: &Event) -> bool {
    matches!(
        event,
        Event::ConnectionState(
            ConnectionState::Waiting | ConnectionState::Retrying { .. } | ConnectionState::LoggingIn
        )
    )
}

fn sent(event: &Event) -> bool {
    matches!(event, Event::Outgoing { state: SendState::Sent | SendState::Kept, .. })
}

fn came_in(at: SocketAddr, folder: &Path, name: &str) -> Person {
    let mut person = securely(at, folder);
    person.client.stay_logged_in(true);
    person.come_in(name, false)
}

fn texts(file: &Path, peer: &str) -> Vec<String> {
    let database = Database::open(file).expect("whole");
    let Some(Done::Last { rows, .. }) = database.run(&[Op::Read(Read::Last { peer: account(peer), count: 99 })]).pop()
    else {
        panic!("rows")
    };
    rows.into_iter().map(|row| row.text).collect()
}

#[test]
fn nothing_of_the_earlier_one_goes_out_or_is_shown_as_the_new_ones() {
    let dir = tempfile::tempdir().expect("a folder");
    let data = dir.path().join("server");
    made(&data, &["a", "b"], 1_000);
    let server = serve(anywhere(), &data);
    let at = server.address();
    let mut a = came_in(at, &dir.path().join("a"), "a");
    let mut b = came_in(at, &dir.path().join("b"), "b");
    assert!(a.client.send_message(clock::now(), &account("b"), "hello"));
    a.until("sent", sent);
    b.gets("a", "hello");
    drop(server);
    a.until("it is noticed", is_down);
    b.until("it is noticed", is_down);
    let kept = |e: &Event| matches!(e, Event::Message { row, .. } if row.state == Some(SendState::Waiting));
    assert!(a.client.send_message(clock::now(), &account("b"), "of the earlier one"));
    a.until("kept", kept);
    assert!(b.client.send_message(clock::now(), &account("a"), "for the earlier one"));
    b.until("kept", kept);
    admin::delete(&data, "a").expect("deleted");
    made(&data, &["a"], 2_000);

    let _server = serve(at, &data);
    // Its program still knows the password, which is the new one's too, and goes on by itself as somebody who was never
    // here.
    a.until("it is another one", |e| matches!(e, Event::MadeAnew { .. }));
    let Some(Event::MadeAnew { account: who, aside, unsent: 1 }) = a.seen.last().cloned() else {
        panic!("{:?}", a.seen)
    };
    assert_eq!(who, account("a"));
    a.until("in", |e| *e == Event::LoggedIn(LoginOutcome::Done));
    assert_eq!(a.client.unsent(), 0, "nothing waits");
    a.client.conversations();
    a.until("a list", |e| matches!(e, Event::Conversations(_)));
    assert!(matches!(a.seen.last(), Some(Event::Conversations(list)) if list.is_empty()), "{:?}", a.seen.last());
    assert_eq!(texts(&aside, "b"), ["hello", "of the earlier one"], "and nothing is lost");

    // What b wrote was for somebody else; b is told, and says whether it goes to the new one.
    b.until("a note", |e| matches!(e, Event::Message { peer, row } if *peer == account("a") && row.note));
    let refused = |e: &Event| matches!(e, Event::Outgoing { state: SendState::MadeAnew, .. });
    if !b.seen.iter().any(refused) {
        b.until("not sent", refused);
    }
    let id = b.seen.iter().find_map(|e| match e {
        Event::Outgoing { id, state: SendState::MadeAnew } => Some(*id),
        _ => None,
    });
    let text = MessageText::parse("for the earlier one").expect("valid");
    assert!(a.client.send_message(clock::now(), &account("b"), "I am new"));
    a.until("sent", sent);
    b.gets("a", "I am new");
    let got = |person: &Person, from: &str| -> Vec<String> {
        let texts = person.seen.iter().filter_map(|e| match e {
            Event::Message { peer, row } if *peer == account(from) && row.state.is_none() && !row.note => {
                Some(row.text.clone())
            }
            _ => None,
        });
        texts.collect()
    };
    assert_eq!(got(&b, "a"), ["hello", "I am new"]);
    assert_eq!(got(&a, "b"), Vec::<String>::new());
    b.client.resend(id.expect("refused"), account("a"), text);
    b.until("sent", sent);
    a.gets("b", "for the earlier one");
    // Between what was said to the one and what was said to the other stands which is which.
    let notes = |e: &&Event| matches!(e, Event::Message { row, .. } if row.note);
    assert_eq!(b.seen.iter().filter(notes).count(), 1);
    assert!(b.seen.iter().find(notes).is_some_and(
        |e| matches!(e, Event::Message { row, .. } if row.text.contains(&hongyan::client::history::time_of(2_000)))
    ));
}

#[test]
fn who_comes_back_later_is_told_before_anything_goes_out() {
    let dir = tempfile::tempdir().expect("a folder");
    let data = dir.path().join("server");
    made(&data, &["a", "b"], 1_000);
    let server = serve(anywhere(), &data);
    let at = server.address();
    let folder = dir.path().join("a");
    let a = came_in(at, &folder, "a");
    let file: PathBuf = a.client.history_path(&account("a"));
    drop((a, server));
    admin::delete(&data, "a").expect("deleted");
    made(&data, &["a"], 2_000);
    let _server = serve(at, &data);
    // What let this device in is worth nothing; with the new one's password it comes in.
    let mut a = securely(at, &folder);
    a.client.resume(clock::now(), account("a")).expect("a history");
    a.until("refused", |e| *e == Event::LoggedIn(LoginOutcome::PasswordNeeded));
    a.client.login(clock::now(), account("a"), password()).expect("a history");
    a.until("it is another one", |e| matches!(e, Event::MadeAnew { unsent: 0, .. }));
    a.until("in", |e| *e == Event::LoggedIn(LoginOutcome::Done));
    assert!(file.exists() && file.with_extension("earlier.sqlite").exists());
    // Once: it is known from here on.
    drop(a);
    let mut a = came_in(at, &folder, "a");
    assert!(!a.seen.iter().any(|e| matches!(e, Event::MadeAnew { .. })), "{:?}", a.seen);
    a.client.look_up(clock::now(), account("nobody"));
    a.until("asked", |e| *e == Event::LookedUp { asked: account("nobody"), found: LookUpResult::Nobody });
    a.client.look_up(clock::now(), account("b"));
    a.until("asked", |e| *e == Event::LookedUp { asked: account("b"), found: LookUpResult::There(account("b")) });
}
