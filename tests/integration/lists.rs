//! The lists of an account: the same on all its devices and there offline; friends of two accounts; over real sockets.

use std::path::Path;
use std::time::{Duration, Instant};

use hongyan::base::model::Account;
use hongyan::client::Event;
use hongyan::client::friendship::Friendship;
use hongyan::client::history::{Contact, Conversation, Friends};
use hongyan::client::net::clock;
use hongyan::client::session::{AccountChange, FriendOutcome, FriendRequest, NewAccount};
use hongyan::protocol::wire::frame::AccountSettings;
use hongyan::protocol::wire::item::{MayAsk, Profile};

use super::client::{Person, account, anywhere, password, securely, serve};

fn contact(name: &str, remark: &str) -> Contact {
    Contact { account: account(name), remark: remark.into(), group: "课".into(), blocked: false }
}

fn row(list: &[Conversation], name: &str) -> Option<(String, bool, bool, u64)> {
    let c = list.iter().find(|c| c.contact.account == account(name))?;
    Some((c.contact.remark.clone(), c.contact.blocked, c.stranger, c.unread))
}

/// Lets everybody's program run until this is so.
#[track_caller]
fn until(what: &str, people: &mut [&mut Person], is_so: impl Fn(&Person) -> bool) {
    let end = Instant::now() + Duration::from_secs(20);
    while !people.first().is_some_and(|first| is_so(first)) {
        people.iter_mut().for_each(|person| person.turn(Duration::from_millis(5)));
        let seen = people.first().map(|first| first.seen.iter().rev().take(9).collect::<Vec<_>>());
        assert!(Instant::now() < end, "{what}: {seen:#?}");
    }
}

/// Waits until the first one's list has this row of somebody: remark, blocked, stranger, unread; or none.
#[track_caller]
fn lists(people: &mut [&mut Person], name: &str, wanted: Option<(&str, bool, bool, u64)>) {
    let wanted = wanted.map(|(remark, blocked, stranger, unread)| (remark.to_owned(), blocked, stranger, unread));
    until(&format!("{name}: {wanted:?}"), people, |person| {
        let list = |e: &Event| if let Event::Conversations(list) = e { Some(row(list, name)) } else { None };
        person.seen.iter().rev().find_map(list) == Some(wanted.clone())
    });
}

/// Waits until the first one stands to somebody so.
#[track_caller]
fn stands(people: &mut [&mut Person], name: &str, wanted: Friendship) {
    until(&format!("{name}: {wanted:?}"), people, |person| {
        let friends =
            |e: &Event| if let Event::Friends(friends) = e { Some(friends.with(&account(name))) } else { None };
        person.seen.iter().rev().find_map(friends) == Some(wanted)
    });
}

fn asks(person: &mut Person, name: &str, request: FriendRequest, wanted: &FriendOutcome) {
    person.seen.clear();
    person.client.friend(clock::now(), account(name), request);
    person.until("answered", |e| matches!(e, Event::Friend { outcome, .. } if outcome == wanted));
}

fn ask(text: &str, answer: Option<&str>) -> FriendRequest {
    FriendRequest::Ask { text: text.into(), answer: answer.map(str::to_owned) }
}

/// Two devices of "a" that are logged in beside each other.
fn two_devices(at: std::net::SocketAddr, dir: &Path) -> (Person, Person) {
    let mut first = securely(at, &dir.join("1")).come_in("a", true);
    first.client.set_account(clock::now(), AccountChange::Beside(true));
    let beside = AccountSettings { beside: true, secure_only: false };
    first.until("chosen", |e| *e == Event::AccountSettings(Some(beside)));
    let second = securely(at, &dir.join("2")).come_in("a", false);
    (first, second)
}

#[test]
fn the_list_and_what_was_read_are_the_same_on_all_devices_and_there_offline() {
    let dir = tempfile::tempdir().expect("a folder");
    let server = serve(anywhere(), &dir.path().join("server"));
    let at = server.address();
    let (mut first, mut second) = two_devices(at, dir.path());
    let mut b = securely(at, &dir.path().join("b")).come_in("b", true);
    stands(&mut [&mut first, &mut second, &mut b], "b", Friendship::None);
    stands(&mut [&mut second, &mut first, &mut b], "b", Friendship::None);
    first.client.set_contact(contact("b", "班长"));
    lists(&mut [&mut second, &mut first, &mut b], "b", Some(("班长", false, false, 0)));
    second.client.set_contact(contact("b", "老班"));
    lists(&mut [&mut first, &mut second, &mut b], "b", Some(("老班", false, false, 0)));
    assert!(b.client.send_message(clock::now(), &account("a"), "hi"));
    lists(&mut [&mut first, &mut second, &mut b], "b", Some(("老班", false, false, 1)));
    lists(&mut [&mut second, &mut first, &mut b], "b", Some(("老班", false, false, 1)));
    second.client.mark_read(account("b"));
    lists(&mut [&mut first, &mut second, &mut b], "b", Some(("老班", false, false, 0)));
    first.client.set_blocked(account("b"), true);
    lists(&mut [&mut second, &mut first, &mut b], "b", Some(("老班", true, false, 0)));
    // One is away, and changes its list: nothing of that is lost, and what the other did meanwhile comes too.
    second.client.go_offline(clock::now());
    second.until("offline", |e| matches!(e, Event::WentOffline(_)));
    second.client.set_contact(contact("c", "C"));
    lists(&mut [&mut second, &mut first, &mut b], "c", Some(("C", false, false, 0)));
    first.client.set_contact(contact("d", "D"));
    lists(&mut [&mut first, &mut second, &mut b], "d", Some(("D", false, false, 0)));
    drop(second);
    drop(server);
    let server = serve(at, &dir.path().join("server"));
    let mut second = securely(at, &dir.path().join("2"));
    second.client.login(clock::now(), account("a"), password()).expect("a history");
    lists(&mut [&mut second, &mut first, &mut b], "d", Some(("D", false, false, 0)));
    lists(&mut [&mut first, &mut second, &mut b], "c", Some(("C", false, false, 0)));
    first.client.forget_person(account("c"), false);
    lists(&mut [&mut second, &mut first, &mut b], "c", None);
    // A new device has all of it at once.
    let mut third = securely(at, &dir.path().join("3")).come_in("a", false);
    lists(&mut [&mut third, &mut second], "b", Some(("老班", true, false, 0)));
    lists(&mut [&mut third, &mut second], "d", Some(("D", false, false, 0)));
    drop((first, second, third, b, server));
}

#[test]
fn two_become_friends_by_consent_and_both_lists_say_so() {
    let dir = tempfile::tempdir().expect("a folder");
    let server = serve(anywhere(), &dir.path().join("server"));
    let at = server.address();
    let mut a = securely(at, &dir.path().join("a")).come_in("a", true);
    let mut b = securely(at, &dir.path().join("b")).come_in("b", true);
    asks(&mut a, "b", ask("同桌", None), &FriendOutcome::Done);
    stands(&mut [&mut a, &mut b], "b", Friendship::Asking);
    until("asked", &mut [&mut b, &mut a], |b| {
        let asked = |friends: &Friends| friends.asked.get(&account("a")).is_some_and(|asked| asked.text == "同桌");
        b.seen.iter().any(|e| matches!(e, Event::Friends(friends) if asked(friends)))
    });
    asks(&mut b, "a", FriendRequest::Decline, &FriendOutcome::Done);
    stands(&mut [&mut a, &mut b], "b", Friendship::Declined);
    // Somebody who is away finds the request when they come.
    drop(b);
    asks(&mut a, "b", ask("again", None), &FriendOutcome::Done);
    let mut b = securely(at, &dir.path().join("b"));
    b.client.login(clock::now(), account("b"), password()).expect("a history");
    stands(&mut [&mut b, &mut a], "a", Friendship::Asked);
    asks(&mut b, "a", FriendRequest::Accept, &FriendOutcome::Done);
    stands(&mut [&mut a, &mut b], "b", Friendship::Friends);
    stands(&mut [&mut b, &mut a], "a", Friendship::Friends);
    lists(&mut [&mut a, &mut b], "b", Some(("", false, false, 0)));
    lists(&mut [&mut b, &mut a], "a", Some(("", false, false, 0)));
    asks(&mut a, "b", FriendRequest::End, &FriendOutcome::Done);
    stands(&mut [&mut b, &mut a], "a", Friendship::None);
    // By answering a question.
    b.client.set_may_ask(&MayAsk::Question { question: "1+1?".into(), answer: "Two".into() });
    stands(&mut [&mut b, &mut a], "a", Friendship::None);
    let question = FriendOutcome::Question("1+1?".into());
    let mut tries = 0;
    while tries < 50 {
        a.seen.clear();
        a.client.friend(clock::now(), account("b"), ask("", None));
        a.until("answered", |e| matches!(e, Event::Friend { .. }));
        if a.seen.iter().any(|e| matches!(e, Event::Friend { outcome, .. } if *outcome == question)) {
            break;
        }
        tries += 1;
        asks(&mut a, "b", FriendRequest::End, &FriendOutcome::Done);
        b.turn(Duration::from_millis(100));
    }
    assert!(tries < 50, "the question is never asked: {:?}", a.seen);
    let refused = FriendOutcome::Refused(hongyan::protocol::wire::frame::Code::WrongAnswer);
    asks(&mut a, "b", ask("", Some("3")), &refused);
    asks(&mut a, "b", ask("", Some(" two ")), &FriendOutcome::Done);
    stands(&mut [&mut b, &mut a], "a", Friendship::Asked);
    drop((a, b, server));
}

#[test]
fn a_list_of_before_is_offered_and_goes_to_the_server_when_its_owner_says_so() {
    let dir = tempfile::tempdir().expect("a folder");
    let server = serve(anywhere(), &dir.path().join("server"));
    let at = server.address();
    let mut first = securely(at, &dir.path().join("1")).come_in("a", true);
    stands(&mut [&mut first], "b", Friendship::None);
    first.client.set_contact(contact("b", "at the server"));
    lists(&mut [&mut first], "b", Some(("at the server", false, false, 0)));
    // Another device's list was made where the server kept none.
    let mut second = securely(at, &dir.path().join("2"));
    second.client.open_history(Account::person("a").expect("valid")).expect("a history");
    second.client.set_contact(contact("b", "here"));
    second.client.set_contact(contact("c", "C"));
    lists(&mut [&mut second, &mut first], "c", Some(("C", false, false, 0)));
    second.client.login(clock::now(), account("a"), password()).expect("a history");
    let differ = |person: &Person, wanted| {
        let differences =
            |e: &Event| if let Event::Friends(friends) = e { Some(friends.differences.len()) } else { None };
        person.seen.iter().rev().find_map(differences) == Some(wanted)
    };
    until("offered", &mut [&mut second], |second| differ(second, 2));
    lists(&mut [&mut second, &mut first], "b", Some(("here", false, false, 0)));
    second.client.settle_differences(true);
    second.until(
        "decided",
        |e| matches!(e, Event::Friends(friends) if friends.kept_by_server && friends.differences.is_empty()),
    );
    drop(first);
    let mut third = securely(at, &dir.path().join("3")).come_in("a", false);
    lists(&mut [&mut third, &mut second], "b", Some(("here", false, false, 0)));
    lists(&mut [&mut third, &mut second], "c", Some(("C", false, false, 0)));
    drop((second, third, server));
}

#[test]
fn the_name_that_somebody_gives_at_registration_is_shown_to_others_and_so_is_each_other_one() {
    let dir = tempfile::tempdir().expect("a folder");
    let server = serve(anywhere(), &dir.path().join("server"));
    let at = server.address();
    let mut a = securely(at, &dir.path().join("a"));
    let (password, confirm, name) = (password(), password(), "王小明".to_owned());
    a.client.register_as(clock::now(), NewAccount { account: account("a"), password, confirm, name });
    a.until("registered", |e| matches!(e, Event::Registered(_)));
    let mut a = a.come_in("a", false);
    stands(&mut [&mut a], "b", Friendship::None);
    until("one's own name", &mut [&mut a], |a| {
        let own = |e: &Event| if let Event::Friends(friends) = e { friends.profile.clone() } else { None };
        a.seen.iter().rev().find_map(own).is_some_and(|profile| profile.name == "王小明")
    });
    // Who is here and in no list is asked for; once they are friends they are told without asking.
    let mut b = securely(at, &dir.path().join("b")).come_in("b", true);
    until("a stranger's name", &mut [&mut b, &mut a], |b| {
        let told = |(who, profile): &(Account, Profile)| *who == account("a") && profile.name == "王小明";
        b.seen.iter().any(|e| matches!(e, Event::Profiles(profiles) if profiles.iter().any(told)))
    });
    b.client.find(clock::now(), "wxm".into());
    until("found", &mut [&mut b, &mut a], |b| {
        let found = |people: &[(Account, Profile)]| people.iter().map(|(who, _)| who).eq([&account("a")]);
        b.seen.iter().any(|e| matches!(e, Event::People { people: Some(people), .. } if found(people)))
    });
    asks(&mut a, "b", ask("", None), &FriendOutcome::Done);
    stands(&mut [&mut b, &mut a], "a", Friendship::Asked);
    asks(&mut b, "a", FriendRequest::Accept, &FriendOutcome::Done);
    stands(&mut [&mut b, &mut a], "a", Friendship::Friends);
    a.client.set_profile(&Profile { name: "小明".into(), line: "好好学习".into(), color: Some(3) });
    until("another name", &mut [&mut b, &mut a], |b| {
        let friend = |e: &Event| match e {
            Event::Friends(friends) => friends.friends.get(&account("a")).map(|friend| friend.profile.clone()),
            _ => None,
        };
        b.seen.iter().rev().find_map(friend).is_some_and(|profile| profile.name == "小明" && profile.color == Some(3))
    });
    // It is there offline, and after a start without a server.
    drop((a, b, server));
    let mut b = securely(at, &dir.path().join("b"));
    b.client.open_history(account("b")).expect("a history");
    until("a name without a server", &mut [&mut b], |b| {
        let friend = |e: &Event| matches!(e, Event::Friends(f) if f.friends.values().any(|f| f.profile.name == "小明"));
        b.seen.iter().any(friend)
    });
}
