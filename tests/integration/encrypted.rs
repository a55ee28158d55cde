//! Our clients and our server in the secure dialect, over real sockets.

use std::path::Path;
use std::time::{Duration, Instant};

use hongyan::base::model::{Account, SendState};
use hongyan::client::Event;
use hongyan::client::net::clock;
use hongyan::client::session::{
    AccountChange, Cause, ConnectionState, Dialect, LoginOutcome, PlainReason, RegisterOutcome, SpokenDialect,
};
use hongyan::client::tap::Direction;
use hongyan::server::udp::{Config as ServerConfig, Lossy, Server};

use super::client::{Person, account, anywhere, password, securely, serve};

fn sent(event: &Event) -> bool {
    matches!(event, Event::Outgoing { state: SendState::Sent, .. })
}

fn doubtful(event: &Event) -> bool {
    matches!(event, Event::Outgoing { state: SendState::MaybeSent | SendState::MaybeSentTwice, .. })
}

/// Nothing of what was said can be read on the wire, and the password was nowhere; what went through the encryption is
/// there to be looked at, without what lets somebody in.
fn nothing_can_be_read(a: &mut Person) {
    let (inside, records): (Vec<_>, Vec<_>) =
        a.client.set_tap(false).into_iter().partition(|r| matches!(r.way, Direction::Said | Direction::Heard));
    let inside: String =
        inside.iter().map(|r| format!("{:?} {}\n", r.way, String::from_utf8_lossy(&r.bytes))).collect();
    for part in [
        r#"Said {"t":"login","id":"#,
        r#""password":"******""#,
        r#"Said {"t":"send","counter":1,"to":"b","text":"你好：#1"}"#,
        r#""token":"******""#,
        r#"Heard {"t":"accepted","counter":1,"#,
    ] {
        assert!(inside.contains(part), "{part}: {inside}");
    }
    assert!(!inside.contains("secret"), "{inside}");
    assert!(records.iter().any(|r| r.way == Direction::Out(Cause::Secure)) && records.len() > 10);
    for secret in ["你好", "all?", "secret"] {
        let readable = |bytes: &[u8]| bytes.windows(secret.len()).any(|w| w == secret.as_bytes());
        assert!(!records.iter().any(|r| readable(&r.bytes)), "{secret}");
    }
}

#[test]
fn two_people_and_a_plain_one_while_the_server_comes_and_goes() {
    let dir = tempfile::tempdir().expect("a folder");
    let data = dir.path().join("server");
    let server = serve(anywhere(), &data);
    let at = server.address();
    let mut a = securely(at, &dir.path().join("a"));
    a.client.stay_logged_in(true);
    let mut a = a.come_in("a", true);
    let mut b = securely(at, &dir.path().join("b")).come_in("b", true);
    let mut plain = Person::begin(at, &dir.path().join("p"), "p", true);
    // With a chat in sight it asks every two seconds.
    plain.client.set_open_chats(clock::now(), Vec::new(), true);
    assert!(a.seen.contains(&Event::Speaks(SpokenDialect::Secure)));
    assert!(a.seen.iter().any(|e| matches!(e, Event::Pinned(key) if key.len() == 44)));

    let begun = Instant::now();
    assert!(a.client.send_message(clock::now(), &account("b"), "你好：#1"));
    a.until("sent", sent);
    b.gets("a", "你好：#1");
    println!("from one to the other, durable on both sides: {:?}", begun.elapsed());
    assert!(begun.elapsed() < Duration::from_secs(1), "{:?}", begun.elapsed());
    assert!(b.client.send_message(clock::now(), &account("p"), "to the plain one"));
    b.until("sent", sent);
    plain.gets("b", "to the plain one");
    assert!(plain.client.send_message(clock::now(), &account("b"), "from the plain one"));
    plain.until("sent", sent);
    b.gets("p", "from the plain one");
    assert!(a.client.send_message(clock::now(), &Account::lobby(), "all?"));
    a.until("sent", sent);
    let lobby = |e: &Event| matches!(e, Event::Message { peer, row } if peer.is_room() && row.text == "[a] all?");
    b.until("in the lobby", lobby);
    plain.until("in the lobby", lobby);
    let three = |e: &Event| matches!(e, Event::Online(all) if all.len() == 3);
    if !b.seen.iter().any(three) {
        b.until("who is here", three);
    }

    nothing_can_be_read(&mut a);

    // While the server is away messages wait; then each arrives once, and nobody logs in by password.
    drop(server);
    for n in 0..20 {
        assert!(a.client.send_message(clock::now(), &account("b"), &format!("{n} while away")));
    }
    a.until("it is noticed", |e| {
        matches!(e, Event::ConnectionState(ConnectionState::Waiting | ConnectionState::Retrying { .. }))
    });
    let server = serve(at, &data);
    while a.client.unsent() > 0 {
        a.until("sent", |e| matches!(e, Event::Outgoing { .. }));
    }
    // b has said nothing, and was told too.
    for n in 0..20 {
        b.gets("a", &format!("{n} while away"));
    }
    assert!(!a.seen.iter().any(doubtful), "each was sent once and is known to be");
    let came =
        |e: &&Event| matches!(e, Event::Message { peer, row } if *peer == account("a") && row.text.ends_with("away"));
    assert_eq!(b.seen.iter().filter(came).count(), 20);

    // The token alone lets it in again, after a restart of the program too.
    drop(a);
    assert!(b.client.send_message(clock::now(), &account("a"), "for later"));
    let there = |e: &Event| sent(e) || matches!(e, Event::Outgoing { state: SendState::Kept, .. });
    b.until("at the server, which may think that a is still there", there);
    let mut a = securely(at, &dir.path().join("a"));
    a.client.resume(clock::now(), account("a")).expect("a history");
    a.until("logged in", |e| *e == Event::LoggedIn(LoginOutcome::Done));
    a.gets("b", "for later");
    a.client.past(clock::now(), account("b"), None, 100);
    a.until("what the server has", |e| matches!(e, Event::Past { messages, .. } if messages.len() == 22));
    a.client.go_offline(clock::now());
    a.until("offline", |e| *e == Event::WentOffline(Some(true)));
    drop(server);
}

/// On a bad network everything hangs on deadlines, and here it is the threads that keep them: the simulator asks for
/// them itself. One that is forgotten is made up for by a keep-alive, 15 s later at most.
#[test]
fn no_deadline_is_forgotten_on_a_bad_network() {
    let dir = tempfile::tempdir().expect("a folder");
    let mut config = ServerConfig::new(anywhere(), dir.path().join("server"));
    config.lossy = Some(Lossy { drop: 30, duplicate: 10, reorder: 25, seed: 7 });
    let server = Server::start(config).expect("started");
    let mut a = securely(server.address(), &dir.path().join("a")).come_in("a", true);
    let mut b = securely(server.address(), &dir.path().join("b")).come_in("b", true);
    let mut took = Vec::new();
    for n in 0..30 {
        let begun = Instant::now();
        assert!(a.client.send_message(clock::now(), &account("b"), &format!("message {n}")));
        a.until("sent", sent);
        b.gets("a", &format!("message {n}"));
        took.push(begun.elapsed());
    }
    took.sort();
    println!("sent to shown at 30 % loss: {took:.1?}");
    let late = took.iter().filter(|took| **took > Duration::from_secs(8)).count();
    assert_eq!(late, 0, "{took:.1?}");
}

#[test]
fn only_who_wants_to_stay_comes_back_without_a_password_and_only_until_they_do_not() {
    let dir = tempfile::tempdir().expect("a folder");
    let server = serve(anywhere(), &dir.path().join("server"));
    let data = dir.path().join("a");
    let resume = |done| {
        let mut a = securely(server.address(), &data);
        a.client.resume(clock::now(), account("a")).expect("a history");
        let ended = |e: &Event| matches!(e, Event::LoggedIn(_));
        a.until("answered", ended);
        let wanted = if done { LoginOutcome::Done } else { LoginOutcome::PasswordNeeded };
        assert_eq!(a.seen.iter().find(|e| ended(e)), Some(&Event::LoggedIn(wanted)));
        a
    };
    let log_in = |stay, new| {
        let mut a = securely(server.address(), &data);
        a.client.stay_logged_in(stay);
        let a = a.come_in("a", new);
        assert_eq!(a.client.can_resume(&account("a")), stay);
        drop(a);
    };
    log_in(false, true);
    resume(false);
    log_in(true, false);
    assert!(resume(true).client.can_resume(&account("a")), "again and again");
    resume(true);
    // A login that does not want to stay ends it.
    log_in(false, false);
    resume(false);
    // So does going for good, and nothing of it can be used at the server either.
    log_in(true, false);
    let mut a = resume(true);
    a.client.forget_device(clock::now());
    a.until("offline", |e| *e == Event::WentOffline(Some(true)));
    assert!(!a.client.can_resume(&account("a")));
    a.client.go_online(clock::now());
    a.until("not in", |e| *e == Event::LoggedIn(LoginOutcome::PasswordNeeded));
    drop(a);
    resume(false);
    // And so does a client that is not logged in.
    log_in(true, false);
    let mut a = securely(server.address(), &data);
    a.client.forget_token(&account("a")).expect("a history");
    assert!(!a.client.can_resume(&account("a")));
    drop(a);
    resume(false);
}

#[test]
fn a_new_device_reads_the_old_conversation_page_by_page() {
    let dir = tempfile::tempdir().expect("a folder");
    let server = serve(anywhere(), &dir.path().join("server"));
    let at = server.address();
    let mut a = securely(at, &dir.path().join("a")).come_in("a", true);
    let mut b = securely(at, &dir.path().join("b")).come_in("b", true);
    for n in 0..60 {
        assert!(a.client.send_message(clock::now(), &account("b"), &format!("a {n}")));
        a.until("sent", sent);
        b.gets("a", &format!("a {n}"));
        assert!(b.client.send_message(clock::now(), &account("a"), &format!("b {n}")));
        b.until("sent", sent);
        a.gets("b", &format!("b {n}"));
    }
    a.client.go_offline(clock::now());
    a.until("offline", |e| matches!(e, Event::WentOffline(_)));
    assert!(b.client.send_message(clock::now(), &account("a"), "unread"));
    b.until("kept", |e| matches!(e, Event::Outgoing { state: SendState::Kept, .. }));
    let mut new = securely(at, &dir.path().join("a elsewhere")).come_in("a", false);
    new.gets("b", "unread");
    let rows = |person: &mut Person| {
        person.seen.clear();
        person.client.last(account("b"), 999);
        person.until("rows", |e| matches!(e, Event::Last { .. }));
        let Some(Event::Last { rows, .. }) = person.seen.pop() else { panic!("{:?}", person.seen) };
        rows.into_iter().map(|row| row.text).collect::<Vec<_>>()
    };
    assert_eq!(rows(&mut new), ["unread"]);
    let all: Vec<String> =
        (0..60).flat_map(|n| [format!("a {n}"), format!("b {n}")]).chain(["unread".to_owned()]).collect();
    for (have, more_left) in [(41, true), (81, true), (121, false), (121, false)] {
        new.client.earlier(account("b"));
        new.until("a page", |e| matches!(e, Event::Past { more, .. } if *more == more_left));
        assert_eq!(rows(&mut new), all[121 - have..]);
    }
    // What follows stands at the end, and the first device needs nothing of this.
    assert!(new.client.send_message(clock::now(), &account("b"), "from here"));
    new.until("sent", sent);
    assert_eq!(rows(&mut new).last().map(String::as_str), Some("from here"));
    a.client.go_online(clock::now());
    a.gets("b", "unread");
    a.client.past(clock::now(), account("b"), None, 50);
    a.until("a page", |e| matches!(e, Event::Past { .. }));
    let wanted: Vec<String> = all.into_iter().chain(["from here".to_owned()]).collect();
    assert_eq!(rows(&mut a), wanted, "what another device wrote is in its place");
}

#[test]
fn another_device_takes_the_place_and_is_told_back() {
    let dir = tempfile::tempdir().expect("a folder");
    let server = serve(anywhere(), &dir.path().join("server"));
    let at = server.address();
    let mut first = securely(at, &dir.path().join("1")).come_in("a", true);
    let mut second = securely(at, &dir.path().join("2")).come_in("a", false);
    first.until("thrown out", |e| matches!(e, Event::Kicked { address, at } if !address.is_empty() && *at > 0));
    second.until("told of it", |e| matches!(e, Event::TookPlace { .. }));
    assert_eq!(first.client.link(), ConnectionState::LoggedOut);
    first.client.take_over(clock::now());
    first.until("taken back", |e| *e == Event::LoggedIn(LoginOutcome::Done));
    second.until("thrown out", |e| matches!(e, Event::Kicked { .. }));
}

/// A folder as somebody copies it who moves to another machine, or keeps a backup.
fn copy(from: &Path, to: &Path) {
    std::fs::create_dir(to).expect("a new folder");
    for entry in std::fs::read_dir(from).expect("a folder").map(|entry| entry.expect("readable")) {
        let (old, new) = (entry.path(), to.join(entry.file_name()));
        match old.is_dir() {
            true => copy(&old, &new),
            false => std::fs::copy(old, new).map(drop).expect("copied"),
        }
    }
}

#[test]
fn two_programs_on_a_copied_folder_do_not_replace_each_other_for_ever() {
    for beside in [false, true] {
        let dir = tempfile::tempdir().expect("a folder");
        let server = serve(anywhere(), &dir.path().join("server"));
        let at = server.address();
        let mut friend = securely(at, &dir.path().join("b")).come_in("b", true);
        let folder = |name: &str| dir.path().join(name);
        let write = |person: &mut Person, friend: &mut Person, text: &str| {
            assert!(person.client.send_message(clock::now(), &account("b"), text));
            person.until("sent", sent);
            friend.gets("a", text);
        };
        let mut first = securely(at, &folder("1")).come_in("a", true);
        first.client.set_account(clock::now(), AccountChange::Beside(beside));
        first.until("chosen", |e| matches!(e, Event::AccountSettings(Some(settings)) if settings.beside == beside));
        write(&mut first, &mut friend, "before");
        drop(first);
        copy(&folder("1"), &folder("2"));

        let mut first = securely(at, &folder("1")).come_in("a", false);
        let mut second = securely(at, &folder("2")).come_in("a", false);
        let copied = |e: &Event| *e == Event::Copied { offline: !beside };
        first.until("told so", copied);
        if !beside {
            assert_eq!(first.client.link(), ConnectionState::LoggedOut);
            write(&mut second, &mut friend, "from the second");
            first.client.take_over(clock::now());
        }
        first.until("in again", |e| *e == Event::LoggedIn(LoginOutcome::Done));
        if beside {
            // Under their own names, with the same numbers, one after the other and at once.
            write(&mut second, &mut friend, "from the second");
            assert!(second.client.send_message(clock::now(), &account("b"), "at once"));
        } else {
            // As between any two devices: told by whom, and not fought about.
            second.until("thrown out", |e| matches!(e, Event::Kicked { address, .. } if !address.is_empty()));
        }
        write(&mut first, &mut friend, "from the first");
        if beside {
            second.gets("b", "from the first");
            for text in ["from the second", "at once"] {
                let own = |e: &Event| matches!(e, Event::Message { row, .. } if row.text == text);
                if !first.seen.iter().any(own) {
                    first.until(text, own);
                }
            }
        }
        let count = |person: &Person, wanted: &dyn Fn(&Event) -> bool| person.seen.iter().filter(|e| wanted(e)).count();
        let logged_in = |e: &Event| *e == Event::LoggedIn(LoginOutcome::Done);
        assert_eq!((count(&first, &copied), count(&second, &copied)), (1, 0), "{beside}");
        assert_eq!((count(&first, &logged_in), count(&second, &logged_in)), (2, 1), "{beside}");
    }
}

#[test]
fn a_server_with_another_key_gets_nothing() {
    let dir = tempfile::tempdir().expect("a folder");
    let server = serve(anywhere(), &dir.path().join("server"));
    let at = server.address();
    drop(securely(at, &dir.path().join("a")).come_in("a", true));
    drop(server);
    let other = serve(at, &dir.path().join("other"));
    let mut a = securely(at, &dir.path().join("a"));
    a.client.register(clock::now(), account("a"), password(), password());
    a.until("another key", |e| matches!(e, Event::KeyChanged(_)));
    let Some(Event::KeyChanged(change)) = a.seen.last().cloned() else { panic!("{:?}", a.seen) };
    let notice = a.seen.last().and_then(Event::notice).expect("a sentence");
    let (shown, known) = change.words(false);
    assert!(shown != known && notice.contains(&shown) && notice.contains(&known), "{notice}");
    a.client.trust(clock::now(), change.shown);
    drop(a.come_in("a", true));
    // It is remembered, and the one of before is too.
    drop(securely(at, &dir.path().join("a")).come_in("a", false));
    drop(other);
    let _server = serve(at, &dir.path().join("server"));
    drop(securely(at, &dir.path().join("a")).come_in("a", false));
}

/// The file of that name in one of the folders of a profile.
fn file_of(profile: &Path, name: &str) -> Option<std::path::PathBuf> {
    let mut folders = std::fs::read_dir(profile).expect("a folder");
    folders.find_map(|folder| Some(folder.ok()?.path().join(name)).filter(|file| file.exists()))
}

#[test]
fn damaged_keys_are_told_and_no_key_is_taken_unasked() {
    let dir = tempfile::tempdir().expect("a folder");
    let of_a = dir.path().join("a");
    let server = serve(anywhere(), &dir.path().join("server"));
    let at = server.address();
    drop(securely(at, &of_a).come_in("a", true));
    let keys = file_of(&of_a, "keys").expect("the server's key");
    let whole = std::fs::read(&keys).expect("kept");
    let (cut, mut digit) = (whole[..40].to_vec(), whole.clone());
    digit[30] = if digit[30] == b'0' { b'1' } else { b'0' };
    // The server is the one of before, and cannot be told from another.
    for damaged in [b"garbage".to_vec(), Vec::new(), cut, digit, vec![0; whole.len()]] {
        std::fs::write(&keys, &damaged).expect("damaged");
        let _ = std::fs::remove_file(keys.with_extension("damaged"));
        let mut a = securely(at, &of_a);
        a.client.login(clock::now(), account("a"), password()).expect("a history");
        a.until("the login's end", |e| matches!(e, Event::LoggedIn(_)));
        assert_eq!(a.seen.last(), Some(&Event::LoggedIn(LoginOutcome::KeysDamaged)), "{}", damaged.escape_ascii());
        assert!(!a.seen.iter().any(|e| matches!(e, Event::Pinned(_))), "{:?}", a.seen);
        assert_eq!(std::fs::read(&keys).expect("there"), damaged, "nothing is taken unasked");
        let changed = a.seen.iter().find(|e| matches!(e, Event::KeyChanged(_))).cloned();
        let notice = changed.as_ref().and_then(Event::notice).expect("a sentence");
        let Some(Event::KeyChanged(change)) = changed else { panic!("{:?}", a.seen) };
        assert_eq!(change.damaged, Some(keys.display().to_string()));
        let (shown, _) = change.words(false);
        assert!(notice.contains("damaged") && notice.contains(&shown) && !notice.contains("another key"), "{notice}");
        // Of a registration it is said as well.
        a.client.register(clock::now(), account("b"), password(), password());
        a.until("not registered", |e| *e == Event::Registered(RegisterOutcome::KeysDamaged));
        a.client.trust(clock::now(), change.shown);
        let a = a.come_in("a", false);
        assert!(a.seen.iter().any(|e| matches!(e, Event::Pinned(_))), "{:?}", a.seen);
        assert_eq!(std::fs::read(&keys).expect("there"), whole);
        assert_eq!(std::fs::read(keys.with_extension("damaged")).expect("put aside"), damaged);
        drop(a);
        drop(securely(at, &of_a).come_in("a", false));
    }
    // Nor may it be spoken to in plain as one that was never met.
    drop(server);
    std::fs::write(&keys, "garbage").expect("damaged");
    let config = ServerConfig { secure: false, ..ServerConfig::new(at, dir.path().join("server")) };
    let _server = Server::start(config).expect("started again");
    let mut a = Person::speaking(Dialect::Auto, true, at, &of_a);
    a.client.login(clock::now(), account("a"), password()).expect("a history");
    a.until("a question", |e| *e == Event::PlainOnly(PlainReason::NoLonger));
    a.client.allow_plain(clock::now());
    a.until("in plain", |e| *e == Event::LoggedIn(LoginOutcome::Done));
    assert_eq!(file_of(&of_a, "plain"), None, "for this run alone");
}

#[test]
fn plain_is_spoken_only_where_that_was_agreed_to() {
    let dir = tempfile::tempdir().expect("a folder");
    let plainly = |at| {
        let config = ServerConfig { secure: false, ..ServerConfig::new(at, dir.path().join("server")) };
        Server::start(config).expect("started")
    };
    let server = plainly(anywhere());
    let at = server.address();
    let mut a = securely(at, &dir.path().join("a"));
    a.client.register(clock::now(), account("a"), password(), password());
    a.until("a question", |e| *e == Event::PlainOnly(PlainReason::Only));
    a.client.allow_plain(clock::now());
    let mut a = a.come_in("a", false);
    a.client.go_offline(clock::now());
    a.until("offline", |e| matches!(e, Event::WentOffline(_)));
    drop((a, server));
    // It learns the secure dialect, and forgets it again.
    let server = serve(at, &dir.path().join("server"));
    let a = securely(at, &dir.path().join("a")).come_in("a", false);
    assert!(a.seen.contains(&Event::Speaks(SpokenDialect::Secure)));
    drop((a, server));
    let _server = plainly(at);
    let mut a = Person::speaking(Dialect::Auto, true, at, &dir.path().join("a"));
    a.client.login(clock::now(), account("a"), password()).expect("a history");
    a.until("not any more", |e| *e == Event::PlainOnly(PlainReason::NoLonger));
    a.client.allow_plain(clock::now());
    a.until("in plain", |e| *e == Event::LoggedIn(LoginOutcome::Done));
    assert!(a.seen.contains(&Event::Speaks(SpokenDialect::Plain)));
}

#[test]
fn a_server_that_was_secure_is_spoken_to_in_plain_for_one_run() {
    let dir = tempfile::tempdir().expect("a folder");
    let (of_a, of_server) = (dir.path().join("a"), dir.path().join("server"));
    let server = serve(anywhere(), &of_server);
    let at = server.address();
    drop(securely(at, &of_a).come_in("a", true));
    drop(server);
    let folder = |name: &str| file_of(&of_a, name);
    let keys = folder("keys").expect("the server's key");
    let known = std::fs::read(&keys).expect("kept");
    let _server =
        Server::start(ServerConfig { secure: false, ..ServerConfig::new(at, of_server) }).expect("started again");
    // In the next run it is another question.
    for allowed in [false, true] {
        let mut a = Person::speaking(Dialect::Auto, allowed, at, &of_a);
        a.client.login(clock::now(), account("a"), password()).expect("a history");
        a.until("a question", |e| *e == Event::PlainOnly(PlainReason::NoLonger));
        assert!(a.client.is_doubting());
        a.client.allow_plain(clock::now());
        a.until("in plain", |e| *e == Event::LoggedIn(LoginOutcome::Done));
        assert_eq!((std::fs::read(&keys).expect("kept"), folder("plain")), (known.clone(), None));
    }
}
