//! What an operator's orders do to a running server.

use super::*;
use crate::server::control::{AccountSummary, Answer, NewAccount, Order};

impl World {
    fn order(&mut self, order: Order) -> Option<Answer> {
        self.engine.administer(self.now, 1, order);
        self.work();
        self.answer()
    }

    fn answer(&mut self) -> Option<Answer> {
        assert!(self.told.len() < 2, "{:?}", self.told);
        self.told.pop().map(|(ticket, answer)| {
            assert_eq!(ticket, 1);
            answer
        })
    }

    fn rows(&mut self) -> Vec<AccountSummary> {
        match self.order(Order::Accounts { after: None }) {
            Some(Answer::Accounts { rows, more: false }) => rows,
            other => panic!("{other:?}"),
        }
    }

    /// Returns the accounts as a server that starts on this database would list them, without sessions.
    fn on_disk(&mut self) -> Vec<(String, u64)> {
        self.store.everybody().into_iter().map(|of| (of.name, of.unread.values().sum())).collect()
    }
}

/// An account whose password hash is the one that this world's hasher makes for every login.
fn new(account: &str) -> NewAccount {
    NewAccount { name: account.into(), salt: Key([0; 16]), hash: Key([7; 32]), profile: None }
}

fn deleted(account: &str) -> Order {
    Order::Delete { account: account.into() }
}

fn row(name: &str, unread: u64, addresses: &[&str], online: bool) -> AccountSummary {
    let addresses = addresses.iter().map(|at| (*at).to_owned()).collect();
    AccountSummary { name: name.into(), unread, addresses, online, secure_only: false, shown: String::new() }
}

#[test]
fn the_list_says_who_is_where_and_comes_in_pages() {
    let mut world = World::new();
    world.login(1, "a", 1, None);
    world.say(1, &FromClient::SetDevices { id: 2, beside: true });
    world.login(2, "a", 2, None);
    world.plainly(50, "02#b#b#");
    world.say(1, &send(1, "b", "hi"));
    world.say(1, &send(2, "c", "hi"));
    let here = [
        row("a", 0, &["127.0.0.1:1", "127.0.0.1:2"], true),
        row("b", 1, &["127.0.0.1:50"], true),
        row("c", 1, &[], false),
    ];
    assert_eq!(world.rows(), here);
    // Silent for long it keeps its session, and is not online.
    world.pass(super::super::super::PRESENCE + Duration::from_secs(1));
    assert_eq!(world.rows()[1], row("b", 1, &["127.0.0.1:50"], false));
    let names: Vec<String> = (0..1_000).map(|n| format!("学号{n:04}")).collect();
    let accounts = names.iter().map(|name| new(name)).collect();
    assert_eq!(world.order(Order::Import { accounts }), Some(Answer::Imported { new: 1_000, named: 0 }));
    let (mut all, mut after) = (Vec::new(), None);
    let last = loop {
        let Some(Answer::Accounts { rows, more }) = world.order(Order::Accounts { after }) else { panic!("no page") };
        let text = serde_json::to_vec(&rows).expect("JSON");
        assert!(text.len() < crate::server::control::MAX_DATAGRAM - 500, "{}", text.len());
        all.extend(rows.into_iter().map(|row| row.name));
        if !more {
            break world.order(Order::Accounts { after: all.last().cloned() });
        }
        after = all.last().cloned();
    };
    assert_eq!(last, Some(Answer::Accounts { rows: Vec::new(), more: false }));
    assert_eq!(all, [&["a".to_owned(), "b".into(), "c".into()][..], &names].concat());
}

#[test]
fn a_deleted_account_is_gone_at_once_with_what_nobody_read_of_it() {
    let mut world = World::new();
    world.login(1, "a", 1, None);
    world.login(2, "b", 2, None);
    world.plainly(50, "02#c#c#");
    for n in 1..=3 {
        world.say(1, &send(n, "c", &n.to_string()));
    }
    world.say(2, &send(1, "c", "of b"));
    world.say(2, &send(2, "@lobby", "to all"));
    assert!(world.plainly(50, "09#")[0].ends_with(":1"), "offered, and not confirmed");
    assert_eq!(world.order(deleted("x")), Some(Answer::NoSuchAccount));
    assert_eq!(world.order(deleted("a")), Some(Answer::Done));
    assert_eq!(world.heard(), ["1 closed: 6 the account was deleted"]);
    let counts = [("b".to_owned(), 0), ("c".to_owned(), 2)];
    assert_eq!((world.on_disk(), world.rows().len()), (counts.to_vec(), 2));
    // As it is there: no more, no less, and what was offered takes nothing of a later one away.
    assert_eq!(world.plainly(50, "08#"), ["50 08:2"]);
    let register = FromClient::Register { id: 1, account: "a".into(), password: Secret("a".into()), name: None };
    world.connect(9);
    assert_eq!(world.say(9, &register), [r#"9 {"t":"registered","id":1}"#]);
    world.login(3, "a", 1, None);
    world.say(3, &send(1, "c", "of another a"));
    assert_eq!(world.plainly(50, "08#"), ["50 08:3"]);
    for text in ["of b", "[b] to all", "of another a"] {
        assert!(world.plainly(50, "09#")[0].ends_with(text), "{text}");
    }
    assert_eq!(world.plainly(50, "09#"), ["50 09:01"]);
    assert_eq!(world.on_disk(), world.rows().into_iter().map(|row| (row.name, row.unread)).collect::<Vec<_>>());
    // Who spoke plainly hears it at the next word; and a device that comes back, that there is nobody.
    assert_eq!(world.order(deleted("c")), Some(Answer::Done));
    assert_eq!(world.plainly(50, "08#"), ["50 07:01"]);
    assert_eq!(world.plainly(50, "02#c#c#"), ["50 02:03"]);
    let resume = FromClient::Resume { id: 7, account: "c".into(), device: name(1), proof: Key([1; 32]), cursor: None };
    assert_eq!(world.say(9, &resume), [r#"9 {"t":"error","id":7,"code":"no_account"}"#]);
}

/// Jobs for an account that is deleted meanwhile neither bring it back nor spoil what is stored with it.
#[test]
fn what_is_under_way_for_a_deleted_account_ends_too() {
    let mut world = World::new();
    world.login(1, "a", 1, None);
    world.plainly(50, "02#b#b#");
    world.held = true;
    let resume = |peer: u64| {
        let key = hmac::Key::new(hmac::HMAC_SHA256, &sha256(&[&[1; 32]]));
        let proof = u8::try_from(peer).map(|byte| hmac::sign(&key, &[byte; 32])).expect("small");
        let proof = Key(proof.as_ref().try_into().expect("32 bytes"));
        FromClient::Resume { id: 7, account: "a".into(), device: name(1), proof, cursor: Some(0) }
    };
    world.connect(2);
    assert_eq!(world.say(2, &resume(2)), Vec::<String>::new(), "it waits for the disk");
    world.say(1, &send(1, "b", "before"));
    world.plainly(50, "03#a#to a#");
    // A password that is being looked at, of a plain client and of a device.
    world.engine.datagram(world.now, at(60), b"02#a#a#");
    world.connect(3);
    let login = FromClient::Login {
        id: 8,
        account: "a".into(),
        password: Secret("a".into()),
        device: name(3),
        cursor: None,
        made: None,
    };
    world.engine.frame(world.now, PeerId(3), &login.encode());
    let mut jobs = Vec::new();
    while let Some(effect) = world.engine.poll_effect() {
        match effect {
            Effect::Hash(Job::Check { job, .. }) => jobs.push(job),
            Effect::Store(op) => world.ops.push(op),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(world.order(deleted("a")), None, "not before it is on disk");
    assert_eq!(world.order(deleted("a")), Some(Answer::NoSuchAccount));
    for job in jobs {
        world.engine.hashed(world.now, Outcome::Checked { job, right: true });
    }
    world.work();
    assert_eq!(std::mem::take(&mut world.plain), ["60 02:03"]);
    // All of it in one transaction.
    let ops = std::mem::take(&mut world.ops);
    let results = world.store.run(&ops);
    assert_eq!(results.error, None);
    for done in results.done {
        world.engine.stored(world.now, done);
    }
    world.held = false;
    let heard = world.heard();
    assert_eq!(world.answer(), Some(Answer::Done));
    let no_account = |peer, id| format!(r#"{peer} {{"t":"error","id":{id},"code":"no_account"}}"#);
    assert!(heard.contains(&no_account(2, 7)) && heard.contains(&no_account(3, 8)), "{heard:?}");
    assert!(!heard.iter().any(|line| line.contains("logged_in")), "{heard:?}");
    assert_eq!(std::mem::take(&mut world.plain), ["50 03:01"], "it was kept, and went with its receiver");
    assert_eq!(world.plainly(50, "08#"), ["50 08:0"], "what it sent while it was deleted counts no more");
    assert_eq!(world.on_disk(), [("b".to_owned(), 0), ("c".to_owned(), 0)]);
    assert_eq!(world.rows().len(), 2);
    assert_eq!(world.say(2, &send(9, "b", "?")), [r#"2 {"t":"refused","counter":9,"code":"not_logged_in"}"#]);
}

#[test]
fn a_new_password_holds_at_once_and_the_old_one_never_again() {
    let mut world = World::new();
    world.login(1, "a", 1, None);
    // Looked at while the account gets another one: right then, and not any more.
    world.engine.datagram(world.now, at(50), b"02#a#a#");
    let Some(Effect::Hash(Job::Check { job, .. })) = world.next() else { panic!("a password") };
    let reset = |account: &str| Order::Reset { account: new(account) };
    assert_eq!(world.order(reset("x")), Some(Answer::NoSuchAccount));
    assert_eq!(world.order(reset("a")), Some(Answer::Done));
    assert_eq!(world.heard(), ["1 closed: 6 the password was changed"]);
    world.engine.hashed(world.now, Outcome::Checked { job, right: true });
    world.work();
    assert_eq!(std::mem::take(&mut world.plain), Vec::<String>::new(), "it asks again");
    assert_eq!(world.plainly(50, "08#"), ["50 07:01"]);
    assert_eq!(world.plainly(50, "02#a#a#"), ["50 02:02"]);
    // The token is worth nothing either, in memory and on disk.
    let kept: i64 = world.store.connection().query_row("SELECT count(*) FROM devices", [], |r| r.get(0)).expect("read");
    assert_eq!(kept, 0);
    // What cannot be stored is not so: the old one goes on.
    world.disk_full = true;
    assert_eq!(world.order(reset("b")), Some(Answer::NotStored { error: String::new() }));
    assert_eq!(world.order(deleted("b")), Some(Answer::NotStored { error: String::new() }));
    let accounts = vec![new("d")];
    assert_eq!(world.order(Order::Import { accounts }), Some(Answer::NotStored { error: String::new() }));
    world.disk_full = false;
    assert_eq!(world.plainly(52, "02#b#b#"), ["52 02:01"]);
    assert_eq!(world.plainly(53, "02#d#d#"), ["53 02:03"]);
}

/// The same holds if the owner changes the password.
#[test]
fn who_is_being_looked_at_by_the_old_password_does_not_come_in_by_it() {
    let mut world = World::new();
    world.engine.datagram(world.now, at(50), b"02#a#a#");
    let Some(Effect::Hash(Job::Check { job, .. })) = world.next() else { panic!("a password") };
    assert_eq!(world.plainly(60, "01#a#a#new#new#"), ["60 01:03"]);
    world.engine.hashed(world.now, Outcome::Checked { job, right: true });
    world.work();
    assert_eq!(std::mem::take(&mut world.plain), Vec::<String>::new());
    assert_eq!(world.plainly(50, "08#"), ["50 07:01"]);
    assert_eq!(world.plainly(50, "02#a#new#"), ["50 02:01"]);
}

/// An owner's own change that is under way does not undo an operator's.
#[test]
fn an_operators_password_is_the_last_one() {
    for owners_first in [true, false] {
        let mut world = World::new();
        world.engine.datagram(world.now, at(50), b"01#a#a#own#own#");
        let mut next = || loop {
            match world.next() {
                Some(Effect::Hash(Job::Check { job, .. })) => {
                    world.engine.hashed(world.now, Outcome::Checked { job, right: true });
                }
                Some(Effect::Hash(Job::New { job, .. })) => return job,
                other => panic!("{other:?}"),
            }
        };
        let job = next();
        let hashed = Hashed { salt: Vec::new(), hash: b"own".to_vec() };
        let reset = Order::Reset { account: new("a") };
        world.held = true;
        if owners_first {
            world.engine.hashed(world.now, Outcome::New { job, hashed: Some(hashed) });
            assert_eq!(world.order(reset), None);
        } else {
            assert_eq!(world.order(reset), None);
            world.engine.hashed(world.now, Outcome::New { job, hashed: Some(hashed) });
        }
        world.release();
        assert_eq!(world.answer(), Some(Answer::Done));
        assert_eq!(std::mem::take(&mut world.plain), Vec::<String>::new(), "nothing is claimed");
        assert_eq!(world.plainly(51, "02#a#own#"), ["51 02:02"]);
        let kept: Vec<u8> = world
            .store
            .connection()
            .query_row("SELECT hash FROM accounts WHERE name = 'a'", [], |row| row.get(0))
            .expect("read");
        assert_eq!(kept, [7; 32]);
    }
}

#[test]
fn the_plain_dialect_is_closed_while_it_is_spoken() {
    let mut world = World::new();
    world.plainly(50, "02#a#a#");
    let only = |on| Order::SecureOnly { account: "a".into(), on };
    assert_eq!(world.order(Order::SecureOnly { account: "x".into(), on: true }), Some(Answer::NoSuchAccount));
    // Somebody comes in between, and would come back with the next start.
    world.held = true;
    assert_eq!(world.order(only(true)), None);
    world.plainly(51, "02#a#a#");
    world.release();
    assert_eq!(world.answer(), Some(Answer::Done));
    assert_eq!(
        (world.plainly(50, "08#"), world.plainly(51, "08#")),
        (vec!["50 07:01".into()], vec!["51 07:01".into()])
    );
    assert_eq!(world.plainly(50, "02#a#a#"), ["50 02:02"]);
    assert!(world.store.everybody().iter().all(|of| of.session.is_none()));
    assert!(world.rows()[0].secure_only);
    assert_eq!(world.login(1, "a", 1, None), [logged_in(1, 0, None)]);
    world.engine.lost(world.now, PeerId(1));
    assert_eq!(world.order(only(false)), Some(Answer::Done));
    assert_eq!(world.plainly(52, "02#a#a#"), ["52 02:01"]);
}

#[test]
fn who_was_imported_is_there_at_once() {
    let mut world = World::new();
    let accounts = vec![new("a"), new("学号1"), new("学号1"), new("d")];
    assert_eq!(world.order(Order::Import { accounts }), Some(Answer::Imported { new: 2, named: 0 }));
    world.login(1, "a", 1, None);
    assert_eq!(world.say(1, &send(1, "学号1", "welcome")), [accepted(1, 1, 1, false)]);
    let names: Vec<String> = world.rows().into_iter().map(|row| row.name).collect();
    assert_eq!(names, ["a", "b", "c", "d", "学号1"]);
    assert_eq!(world.plainly(50, "01#d#x#x#"), ["50 01:03"]);
}

#[test]
fn an_operator_names_people_and_those_who_know_them_hear_of_it() {
    use crate::protocol::wire::item::{Item, Kind, Profile};
    let mut world = World::new();
    world.login(1, "a", 1, None);
    world.login(3, "b", 3, None);
    let befriend =
        |account: &str| FromClient::Befriend { id: 5, account: account.into(), text: String::new(), answer: None };
    world.say(1, &befriend("b"));
    world.say(3, &befriend("a"));
    world.say(3, &FromClient::Items { version: 0 });
    world.say(3, &FromClient::Items { version: 4 });
    let named =
        |account: &str, name: Option<&str>| Order::Name { account: account.into(), name: name.map(str::to_owned) };
    let told = |name: &str| Some(Answer::Name { name: name.into() });
    assert_eq!(world.order(named("a", None)), told(""));
    assert_eq!(world.order(named("nobody", None)), Some(Answer::NoSuchAccount));
    assert_eq!(world.order(named("nobody", Some("x"))), Some(Answer::NoSuchAccount));
    assert_eq!(world.order(named("a", Some("@all"))), Some(Answer::NotUnderstood));
    let line = Item::new(Kind::Profile, "", Some(serde_json::json!({"name": "x", "line": "mine", "color": 3})));
    world.say(1, &FromClient::Set { id: 6, item: line });
    world.say(3, &FromClient::Items { version: 5 });
    assert_eq!(world.order(named("a", Some("王"))), Some(Answer::Done));
    let friend = r#"3 {"t":"items","version":6,"items":[{"kind":"friend","key":"a","value":{"color":3,"line":"mine","name":"王","#;
    assert!(world.heard().iter().any(|heard| heard.starts_with(friend)), "with what the owner has chosen");
    assert_eq!(world.order(named("a", None)), told("王"));
    // A class list names those who have no name.
    let listed = |account: &str, name: &str| NewAccount { profile: Profile::named(name).ok(), ..new(account) };
    let accounts = vec![listed("a", "other"), listed("b", "李"), listed("d", "赵"), new("c")];
    assert_eq!(world.order(Order::Import { accounts }), Some(Answer::Imported { new: 1, named: 1 }));
    let shown: Vec<_> = world.rows().into_iter().map(|row| format!("{} {}", row.name, row.shown)).collect();
    assert_eq!(shown, ["a 王", "b 李", "c ", "d 赵"]);
    assert_eq!((world.order(named("a", Some(""))), world.order(named("a", None))), (Some(Answer::Done), told("")));
}
