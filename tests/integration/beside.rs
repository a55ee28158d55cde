//! Several devices of one account at once, and accounts that are closed to the plain dialect, over real sockets.

use hongyan::base::model::{Account, SendState};
use hongyan::client::Event;
use hongyan::client::net::clock;
use hongyan::client::session::{AccountChange, ConnectionState, LoginOutcome};
use hongyan::protocol::wire::frame::AccountSettings;
use hongyan::protocol::wire::reply::LoggedIn;
use hongyan::server::store::admin;

use super::client::{Person, account, anywhere, password, securely, serve};

fn says(person: &mut Person, to: &str, text: &str) {
    assert!(person.client.send_message(clock::now(), &Account::parse(to).expect("valid"), text));
    person.until("sent", |e| matches!(e, Event::Outgoing { state: SendState::Sent, .. }));
}

/// What this user was shown, with sent and received messages marked: `b< text` and `b> text`.
fn shown(person: &Person) -> Vec<String> {
    let line = |e: &Event| match e {
        Event::Message { peer, row } => {
            let way = if row.state.is_some() { '>' } else { '<' };
            Some(format!("{peer}{way} {}", row.text))
        }
        _ => None,
    };
    person.seen.iter().filter_map(line).collect()
}

fn chosen(person: &mut Person, change: AccountChange, settings: AccountSettings) {
    person.client.set_account(clock::now(), change);
    person.until("chosen", |e| *e == Event::AccountSettings(Some(settings)));
}

#[test]
fn two_devices_beside_each_other_see_the_same_conversation() {
    let dir = tempfile::tempdir().expect("a folder");
    let data = dir.path().join("server");
    let server = serve(anywhere(), &data);
    let at = server.address();
    let beside = AccountSettings { beside: true, secure_only: false };
    let mut first = securely(at, &dir.path().join("1")).come_in("a", true);
    first.client.account_settings(clock::now());
    first.until("as usual", |e| *e == Event::AccountSettings(Some(AccountSettings::default())));
    chosen(&mut first, AccountChange::Beside(true), beside);
    let mut second = securely(at, &dir.path().join("2")).come_in("a", false);
    let mut friend = securely(at, &dir.path().join("b")).come_in("b", true);

    says(&mut friend, "a", "hi");
    first.gets("b", "hi");
    second.gets("b", "hi");
    says(&mut first, "b", "from the first");
    second.gets("b", "from the first");
    says(&mut second, "b", "from the second");
    first.gets("b", "from the second");
    says(&mut second, "@lobby", "all?");
    first.until("in the lobby", |e| matches!(e, Event::Message { peer, row } if peer.is_room() && row.text == "all?"));
    friend.until("in the lobby", |e| matches!(e, Event::Message { row, .. } if row.text == "[a] all?"));

    // One is away, the server starts anew, and it goes on where it was.
    drop(second);
    says(&mut friend, "a", "meanwhile");
    first.gets("b", "meanwhile");
    says(&mut first, "b", "it is away");
    drop(server);
    let server = serve(at, &data);
    let mut second = securely(at, &dir.path().join("2"));
    second.client.login(clock::now(), account("a"), password()).expect("a history");
    second.gets("b", "it is away");
    assert_eq!(shown(&second), ["b< meanwhile", "b> it is away"]);
    second.client.last(account("b"), 9);
    second.until("all of it, once", |e| {
        let texts = ["hi", "from the first", "from the second", "meanwhile", "it is away"];
        matches!(e, Event::Last { rows, .. } if rows.iter().map(|row| row.text.as_str()).eq(texts))
    });
    first.until("back too", |e| matches!(e, Event::ConnectionState(ConnectionState::Connected { .. })));
    assert!(!first.seen.iter().chain(&second.seen).any(|e| matches!(e, Event::Kicked { .. })));

    // One at a time again: who chooses that stays.
    chosen(&mut second, AccountChange::Beside(false), AccountSettings::default());
    first.until("thrown out", |e| matches!(e, Event::Kicked { .. }));
    drop(server);
}

#[test]
fn an_account_closed_to_the_plain_dialect_is_let_in_by_the_secure_one_alone() {
    let dir = tempfile::tempdir().expect("a folder");
    let data = dir.path().join("server");
    let server = serve(anywhere(), &data);
    let at = server.address();
    let mut a = securely(at, &dir.path().join("a")).come_in("a", true);
    let only = AccountSettings { beside: false, secure_only: true };
    chosen(&mut a, AccountChange::SecureOnly(true), only);
    let refused = |server, name: &str| {
        let mut plain = Person::new(server, &dir.path().join(name));
        plain.client.login(clock::now(), account("a"), password()).expect("a history");
        plain.until("refused", |e| *e == Event::LoggedIn(LoginOutcome::Refused(LoggedIn::WrongPassword)));
        plain.client.account_settings(clock::now());
        plain.until("none there", |e| *e == Event::AccountSettings(None));
    };
    refused(at, "plain");
    drop(a);
    // Where that is known the password does not go out readable; not from its folder, until it is open again.
    let mut plain = Person::new(at, &dir.path().join("a"));
    plain.client.login(clock::now(), account("a"), password()).expect("a history");
    plain.agrees();
    plain.until("not sent", |e| *e == Event::LoggedIn(LoginOutcome::EncryptedOnly));
    assert!(!plain.client.set_tap(false).iter().any(|record| record.bytes.starts_with(b"02#")));
    drop(plain);
    let mut a = securely(at, &dir.path().join("a")).come_in("a", false);
    chosen(&mut a, AccountChange::SecureOnly(false), AccountSettings::default());
    a.client.go_offline(clock::now());
    a.until("offline", |e| matches!(e, Event::WentOffline(_)));
    drop(a);
    let plain = Person::new(at, &dir.path().join("a")).come_in_plainly_all_the_same("a");
    drop(plain);
    let mut a = securely(at, &dir.path().join("a")).come_in("a", false);
    chosen(&mut a, AccountChange::SecureOnly(true), only);
    drop((a, server));
    admin::secure_only(&data, "a", false).expect("opened");
    let server = serve(at, &data);
    let plain = Person::begin(at, &dir.path().join("plain"), "a", false);
    drop((plain, server));
    // The operator closes it: the session that a plain client still has is gone too.
    admin::secure_only(&data, "a", true).expect("closed");
    let list = admin::list(&data, |error| panic!("{error}")).expect("readable");
    assert_eq!(list.first().map(|row| (row.secure_only, row.addresses.len())), Some((true, 0)));
    let server = serve(at, &data);
    refused(at, "plain");
    let mut a = securely(at, &dir.path().join("a")).come_in("a", false);
    a.client.account_settings(clock::now());
    a.until("closed", |e| *e == Event::AccountSettings(Some(only)));
    drop(server);
}

#[test]
fn what_this_folder_took_in_plain_is_not_shown_again_and_what_others_took_is() {
    let dir = tempfile::tempdir().expect("a folder");
    let server = serve(anywhere(), &dir.path().join("server"));
    let at = server.address();
    let mut friend = securely(at, &dir.path().join("b")).come_in("b", true);
    let mut a = securely(at, &dir.path().join("a")).come_in("a", true);
    says(&mut friend, "a", "first");
    a.gets("b", "first");
    let leave = |mut person: Person| {
        person.client.go_offline(clock::now());
        person.until("offline", |e| matches!(e, Event::WentOffline(_)));
    };
    leave(a);
    // The same folder in plain, and another client of the same account.
    for (folder, texts) in [("a", ["second", "second", "third"]), ("elsewhere", ["fourth", "second", "fifth"])] {
        for text in texts {
            assert!(friend.client.send_message(clock::now(), &account("a"), text));
            let away = |e: &Event| matches!(e, Event::Outgoing { state: SendState::Kept, .. });
            friend.until("kept for later", away);
        }
        let plain = Person::new(at, &dir.path().join(folder));
        let mut plain = match folder {
            "a" => plain.come_in_plainly_all_the_same("a"),
            _ => plain.come_in("a", false),
        };
        plain.client.set_open_chats(clock::now(), Vec::new(), true);
        plain.gets("b", texts[2]);
        leave(plain);
    }
    let mut a = securely(at, &dir.path().join("a")).come_in("a", false);
    a.gets("b", "fifth");
    assert_eq!(shown(&a), ["b< fourth", "b< second", "b< fifth"]);
    drop(server);
}

/// How far each of this person's messages to b has come, read anew from the disk.
fn states(person: &mut Person) -> Vec<(String, SendState)> {
    person.seen.clear();
    person.client.last(account("b"), 99);
    person.until("rows", |e| matches!(e, Event::Last { .. }));
    let Some(Event::Last { rows, .. }) = person.seen.pop() else { panic!("{:?}", person.seen) };
    rows.into_iter().filter_map(|row| Some((row.text, row.state?))).collect()
}

fn becomes(person: &mut Person, wanted: &[(&str, SendState)]) {
    let wanted: Vec<_> = wanted.iter().map(|(text, state)| ((*text).to_owned(), *state)).collect();
    let end = std::time::Instant::now() + std::time::Duration::from_secs(20);
    loop {
        let states = states(person);
        if states == wanted {
            return;
        }
        assert!(std::time::Instant::now() < end, "{states:?}");
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
}

fn delivered(event: &Event) -> bool {
    matches!(event, Event::Outgoing { state: SendState::Delivered, .. })
}

#[test]
fn each_device_of_a_writer_learns_what_was_delivered_whenever_it_comes() {
    use SendState::{Delivered, Kept};
    let dir = tempfile::tempdir().expect("a folder");
    let data = dir.path().join("server");
    let server = serve(anywhere(), &data);
    let at = server.address();
    let mut first = securely(at, &dir.path().join("1")).come_in("a", true);
    chosen(&mut first, AccountChange::Beside(true), AccountSettings { beside: true, secure_only: false });
    let mut second = securely(at, &dir.path().join("2")).come_in("a", false);
    let leave = |mut person: Person| {
        person.client.go_offline(clock::now());
        person.until("offline", |e| matches!(e, Event::WentOffline(_)));
    };
    leave(securely(at, &dir.path().join("b")).come_in("b", true));
    let kept = |person: &mut Person, text: &str| {
        assert!(person.client.send_message(clock::now(), &account("b"), text));
        person.until("kept", |e| matches!(e, Event::Outgoing { state: SendState::Kept, .. }));
    };
    kept(&mut first, "one");
    second.gets("b", "one");
    becomes(&mut second, &[("one", Kept)]);
    becomes(&mut first, &[("one", Kept)]);
    // One of them is away while its receiver comes, and the server starts anew.
    drop(second);
    let come_back = |folder: &str, name: &str| {
        let mut person = securely(at, &dir.path().join(folder));
        person.client.login(clock::now(), account(name), password()).expect("a history");
        person
    };
    let mut b = come_back("b", "b");
    b.gets("a", "one");
    first.until("delivered", delivered);
    becomes(&mut first, &[("one", Delivered)]);
    drop((b, server));
    let server = serve(at, &data);
    let mut second = come_back("2", "a");
    second.until("delivered", delivered);
    becomes(&mut second, &[("one", Delivered)]);
    // What is sent to somebody who is there is delivered too.
    let mut b = come_back("b", "b");
    b.until("in", |e| *e == Event::LoggedIn(LoginOutcome::Done));
    says(&mut second, "b", "two");
    b.gets("a", "two");
    second.until("delivered", delivered);
    becomes(&mut first, &[("one", Delivered), ("two", Delivered)]);
    // A plain client has it once it goes on.
    leave(b);
    kept(&mut second, "three");
    first.gets("b", "three");
    becomes(&mut first, &[("one", Delivered), ("two", Delivered), ("three", Kept)]);
    let mut plain = Person::new(at, &dir.path().join("plain")).come_in("b", false);
    plain.client.set_open_chats(clock::now(), Vec::new(), true);
    plain.gets("a", "three");
    first.until("delivered", delivered);
    second.until("delivered", delivered);
    // A new device reads it back as it is.
    let mut third = securely(at, &dir.path().join("3")).come_in("a", false);
    third.client.earlier(account("b"));
    third.until("a page", |e| matches!(e, Event::Past { messages, .. } if messages.iter().all(|past| past.delivered)));
    for person in [&mut first, &mut second, &mut third] {
        becomes(person, &[("one", Delivered), ("two", Delivered), ("three", Delivered)]);
    }
    drop(server);
}
