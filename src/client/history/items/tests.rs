use std::collections::BTreeMap;

use serde_json::json;

use super::*;
use crate::base::model::Account;
use crate::client::history::{Contact, Conversation, Difference, Friends, Op, Read, Write};
use crate::client::session::{Pushed, StoreToken};
use crate::protocol::wire::item::{Friend, MayAsk, Request};

fn account(name: &str) -> Account {
    Account::sanitised(name)
}

/// A server with one account's items, as `server::store::items` keeps them.
#[derive(Default)]
struct Server {
    items: BTreeMap<(String, String), (u64, Value)>,
    version: u64,
}

impl Server {
    fn set(&mut self, item: Item) {
        self.version += 1;
        let key = (item.kind, item.key);
        match item.value {
            Some(value) => drop(self.items.insert(key, (self.version, value))),
            None => drop(self.items.remove(&key)),
        }
    }

    fn item((kind, key): &(String, String), value: &Value) -> Item {
        Item { kind: kind.clone(), key: key.clone(), value: Some(value.clone()) }
    }

    fn digest(&self) -> u64 {
        self.items.iter().map(|(key, (_, value))| Self::item(key, value).digest()).fold(0, u64::wrapping_add)
    }

    /// All that it has, in pages of two.
    fn pages(&self, anew: bool) -> Vec<ItemPage> {
        let mut all: Vec<_> = self.items.iter().collect();
        all.sort_by_key(|(_, (version, _))| *version);
        let mut pages: Vec<ItemPage> = all
            .chunks(2)
            .map(|chunk| ItemPage {
                version: chunk.last().map_or(0, |(_, (version, _))| *version),
                anew: false,
                items: chunk.iter().map(|(key, (_, value))| Self::item(key, value)).collect(),
                more: true,
                digest: None,
            })
            .collect();
        if pages.is_empty() {
            pages.push(ItemPage { version: self.version, anew, items: Vec::new(), more: false, digest: None });
        }
        pages[0].anew = anew;
        let last = pages.last_mut().expect("one");
        (last.version, last.more, last.digest) = (self.version, false, Some(self.digest()));
        pages
    }
}

fn contact(key: &str, remark: &str, group: &str) -> Item {
    Item::new(Kind::Contact, key, Some(json!({"group": group, "remark": remark})))
}

fn blocked(key: &str) -> Item {
    Item::new(Kind::Blocked, key, Some(json!(true)))
}

fn here(remark: &str) -> Contact {
    Contact { account: account("b"), remark: remark.into(), group: String::new(), blocked: false }
}

struct Device {
    database: Database,
    _dir: tempfile::TempDir,
}

impl Device {
    fn new() -> Self {
        let dir = tempfile::tempdir().expect("a folder");
        Self { database: Database::open(&dir.path().join("a.sqlite")).expect("new"), _dir: dir }
    }

    fn run(&self, write: Write) -> Vec<Done> {
        self.database.run(&[Op::Write(write)])
    }

    /// The version that the device has then.
    fn take(&self, page: ItemPage) -> u64 {
        match &self.run(Write::Items(page))[..] {
            [Done::Items { version: Some(version), .. }] => *version,
            other => panic!("{other:?}"),
        }
    }

    fn take_all(&self, server: &Server) {
        server.pages(false).into_iter().for_each(|page| _ = self.take(page));
    }

    fn list(&self) -> Vec<String> {
        let row = |c: Conversation| {
            let Contact { account, remark, group, blocked } = c.contact;
            format!(
                "{account} {remark}/{group}{}{}",
                if blocked { " blocked" } else { "" },
                match c.stranger {
                    true => " stranger",
                    false => "",
                }
            )
        };
        match self.database.run(&[Op::Read(Read::Conversations)]).pop() {
            Some(Done::Conversations(list, _)) => list.into_iter().map(row).collect(),
            other => panic!("{other:?}"),
        }
    }

    fn unread(&self, peer: &str) -> u64 {
        match self.database.run(&[Op::Read(Read::Conversations)]).pop() {
            Some(Done::Conversations(list, _)) => {
                list.iter().find(|c| c.contact.account == account(peer)).map_or(0, |c| c.unread)
            }
            other => panic!("{other:?}"),
        }
    }

    fn changes(&self) -> Vec<(u64, Item)> {
        match self.database.run(&[Op::Read(Read::ItemChanges)]).pop() {
            Some(Done::ItemChanges(changes)) => changes,
            other => panic!("{other:?}"),
        }
    }

    /// Sends all changes to the server and has them answered.
    fn send(&self, server: &mut Server) {
        for (number, item) in self.changes() {
            server.set(item);
            self.run(Write::ItemSet { number, taken: true });
        }
    }

    fn friends(&self) -> Friends {
        match self.database.run(&[Op::Read(Read::Friends)]).pop() {
            Some(Done::Friends(friends)) => friends,
            other => panic!("{other:?}"),
        }
    }

    fn receive(&self, row: u64, after: Option<u64>, from: &str) {
        self.run(Write::Received {
            token: StoreToken::Secure(row),
            from: account(from),
            server_time: String::new(),
            text: "hi".into(),
            raw: Vec::new(),
            repeat: false,
            unix_ms: 0,
            pushed: Some(Pushed { row, after, at: 1 }),
            handed: None,
        });
    }
}

#[test]
fn a_new_device_has_the_list_and_what_it_changes_is_to_be_told_until_the_server_has_it() {
    let (device, mut server) = (Device::new(), Server::default());
    for item in [contact("b", "班长", "课"), contact("c", "", ""), blocked("d")] {
        server.set(item);
    }
    device.take_all(&server);
    assert_eq!(device.list(), ["b 班长/课", "c /", "d / blocked stranger"]);
    assert_eq!((device.changes(), device.friends().differences), (vec![], vec![]));
    // What is changed here shows at once, is told as it is by then, and shows on when the server has it.
    device.run(Write::Contact(here("阿班")));
    device.run(Write::Contact(here("阿班班")));
    device.run(Write::Forget { account: account("c"), messages: false });
    device.run(Write::Block { account: account("d"), blocked: false });
    device.run(Write::Block { account: account("b"), blocked: true });
    assert_eq!(device.list(), ["b 阿班班/ blocked"]);
    let items: Vec<Item> = device.changes().into_iter().map(|(_, item)| item).collect();
    let gone = |kind, key: &str| Item::new(kind, key, None);
    assert_eq!(items, [contact("b", "阿班班", ""), gone(Kind::Contact, "c"), gone(Kind::Blocked, "d"), blocked("b")]);
    device.send(&mut server);
    assert_eq!((device.list(), device.changes()), (vec!["b 阿班班/ blocked".to_owned()], vec![]));
    // Everything of it is in the sum that the server tells.
    let page = ItemPage { version: server.version, digest: Some(server.digest()), ..server.pages(false)[0].clone() };
    assert_eq!(device.take(ItemPage { items: Vec::new(), more: false, ..page }), server.version);
}

#[test]
fn what_another_device_changes_shows_here_but_not_over_what_waits_to_be_told() {
    let (device, mut server) = (Device::new(), Server::default());
    server.set(contact("b", "B", ""));
    device.take_all(&server);
    device.run(Write::Contact(here("mine")));
    let sent = device.changes();
    for (version, item) in [(7, contact("b", "theirs", "")), (8, contact("c", "C", "g")), (9, blocked("d"))] {
        device.take(ItemPage { version, anew: false, items: vec![item], more: false, digest: None });
    }
    assert_eq!(device.list(), ["b mine/", "c C/g", "d / blocked stranger"]);
    // Changed again before the answer to the first change: that answer is of no interest.
    device.run(Write::Contact(here("mine 2")));
    device.run(Write::ItemSet { number: sent[0].0, taken: true });
    assert_eq!((device.list()[0].as_str(), device.changes().len()), ("b mine 2/", 1));
    // Refused: what the server has is shown again.
    device.run(Write::ItemSet { number: device.changes()[0].0, taken: false });
    assert_eq!((device.list()[0].as_str(), device.changes()), ("b theirs/", vec![]));
    let gone =
        [Kind::Contact, Kind::Blocked].map(|kind| Item::new(kind, if kind == Kind::Contact { "c" } else { "d" }, None));
    device.take(ItemPage { version: 11, anew: false, items: gone.into(), more: false, digest: None });
    assert_eq!(device.list(), ["b theirs/"]);
}

#[test]
fn lists_of_before_are_held_with_each_difference_until_their_owner_decides() {
    for keep_ours in [true, false] {
        let (device, mut server) = (Device::new(), Server::default());
        for (name, remark, blocked) in [("b", "B", false), ("c", "C", false), ("d", "", true), ("e", "E", false)] {
            let (account, remark, group) = (account(name), remark.to_owned(), String::new());
            device.run(Write::Contact(Contact { account, remark, group, blocked }));
        }
        assert_eq!(device.changes(), [], "no server has ever told what it has");
        for item in [contact("b", "B", ""), contact("c", "other", "g"), contact("x", "X", "")] {
            server.set(item);
        }
        device.take_all(&server);
        // What only the server has is here; nothing of what is here has changed or gone to the server.
        assert_eq!(device.list(), ["b B/", "c C/", "d / blocked", "e E/", "x X/"]);
        assert_eq!(device.changes(), []);
        let differences = device.friends().differences;
        let theirs = json!({"group": "g", "remark": "other"});
        let wanted = [
            (contact("c", "C", ""), Some(theirs)),
            (contact("d", "", ""), None),
            (blocked("d"), None),
            (contact("e", "E", ""), None),
        ];
        assert_eq!(differences, wanted.map(|(here, there)| Difference { here, there }));
        device.run(Write::SettleDifferences { keep_ours });
        assert_eq!(device.friends().differences, []);
        if keep_ours {
            assert_eq!(device.changes().len(), 4);
            device.send(&mut server);
            assert_eq!(device.list(), ["b B/", "c C/", "d / blocked", "e E/", "x X/"]);
            assert_eq!(server.items.len(), 6);
        } else {
            assert_eq!(
                (device.changes(), device.list()),
                (vec![], vec!["b B/".into(), "c other/g".into(), "x X/".into()])
            );
        }
    }
}

#[test]
fn a_difference_that_is_edited_meanwhile_is_decided_by_that() {
    let (device, server) = (Device::new(), Server::default());
    device.run(Write::Contact(here("B")));
    device.take_all(&server);
    assert_eq!((device.friends().differences.len(), device.changes()), (1, vec![]));
    device.run(Write::Contact(here("B2")));
    assert_eq!(device.friends().differences, []);
    assert_eq!(device.changes().into_iter().map(|(_, item)| item).collect::<Vec<_>>(), [contact("b", "B2", "")]);
}

#[test]
fn a_device_whose_items_are_not_the_servers_begins_anew_and_shows_the_servers() {
    let (device, mut server) = (Device::new(), Server::default());
    for n in 0..5 {
        server.set(contact(&n.to_string(), "", ""));
    }
    device.take_all(&server);
    // One page was lost on the way, as by a fault that nobody knows of.
    server.set(Item::new(Kind::Contact, "1", None));
    server.set(contact("9", "", ""));
    let last = ItemPage {
        version: server.version,
        anew: false,
        items: vec![contact("9", "", "")],
        more: false,
        digest: Some(server.digest()),
    };
    assert_eq!(device.take(last), 0);
    assert_eq!(device.database.items_version().expect("readable"), 0);
    let mut pages = server.pages(false);
    let rest = pages.split_off(1);
    pages.into_iter().for_each(|page| _ = device.take(page));
    assert_eq!(device.list().len(), 5, "half of it is no reason to show half a list");
    rest.into_iter().for_each(|page| _ = device.take(page));
    assert_eq!(device.list(), ["0 /", "2 /", "3 /", "4 /", "9 /"]);
    assert_eq!((device.changes(), device.friends().differences), (vec![], vec![]));
}

#[test]
fn what_a_server_has_lost_is_offered_to_it_and_what_was_removed_long_ago_is_not() {
    for lost in [true, false] {
        let (device, mut server) = (Device::new(), Server::default());
        for n in 0..5 {
            server.set(contact(&n.to_string(), "", ""));
        }
        device.take_all(&server);
        // Put back from a copy of before the last two; or both were removed while this device was away.
        server.items.retain(|(_, key), _| key.as_str() < "3");
        server.version = if lost { 3 } else { 2_000 };
        server.pages(true).into_iter().for_each(|page| _ = device.take(page));
        let offered: Vec<Item> = device.friends().differences.into_iter().map(|one| one.here).collect();
        if lost {
            assert_eq!(offered, [contact("3", "", ""), contact("4", "", "")]);
            assert_eq!(device.list().len(), 5);
        } else {
            assert_eq!((offered, device.list().len()), (vec![], 3));
        }
    }
}

#[test]
fn what_was_read_on_one_device_is_read_on_all_whatever_comes_first() {
    let (device, mut server) = (Device::new(), Server::default());
    device.take_all(&server);
    device.receive(10, None, "b");
    device.receive(12, Some(10), "b");
    device.receive(14, Some(12), "@lobby");
    assert_eq!((device.unread("b"), device.unread("@lobby")), (2, 1));
    let read = |key: &str, row: u64| Item::new(Kind::Read, key, Some(json!(row)));
    device.take(ItemPage {
        version: 5,
        anew: false,
        items: vec![read("b", 10), read("@lobby", 20)],
        more: false,
        digest: None,
    });
    assert_eq!((device.unread("b"), device.unread("@lobby")), (1, 0));
    // What comes after it was read elsewhere is no news.
    device.receive(16, Some(14), "@lobby");
    device.receive(22, Some(16), "@lobby");
    assert_eq!(device.unread("@lobby"), 1);
    // What is read here is told once, and never less than what is known.
    device.run(Write::Seen { peer: account("b"), to: None });
    device.run(Write::Seen { peer: account("b"), to: None });
    assert_eq!(device.unread("b"), 0);
    assert_eq!(device.changes().into_iter().map(|(_, item)| item).collect::<Vec<_>>(), [read("b", 12)]);
    device.send(&mut server);
    assert_eq!(device.changes(), []);
    device.take(ItemPage { version: 6, anew: false, items: vec![read("b", 40)], more: false, digest: None });
    device.run(Write::Seen { peer: account("b"), to: None });
    assert_eq!(device.changes(), []);
}

#[test]
fn friends_and_requests_are_there_as_the_server_has_told_them() {
    let device = Device::new();
    assert_eq!(device.friends(), Friends::default());
    device.run(Write::SetItem { kind: Kind::MayAsk, key: String::new(), value: Some(json!({"who": "nobody"})) });
    assert_eq!((device.changes(), device.friends().may_ask), (vec![], None), "no server keeps it");
    let items = vec![
        Item::new(Kind::Friend, "b", Some(json!({"since": 5, "later": 1}))),
        Item::new(Kind::Asking, "c", Some(json!({"at": 6, "text": "", "declined": true}))),
        Item::new(Kind::Asked, "d", Some(json!({"at": 7, "text": "hi"}))),
        Item { kind: "later".into(), key: String::new(), value: Some(json!([1])) },
        Item::new(Kind::Friend, "broken", Some(json!("x"))),
    ];
    device.take(ItemPage { version: 9, anew: false, items, more: false, digest: None });
    let friends = device.friends();
    assert!(friends.kept_by_server);
    assert_eq!(friends.friends, [(account("b"), Friend { since: 5, ..Friend::default() })].into());
    assert_eq!(friends.asking, [(account("c"), Request { at: 6, declined: true, ..Request::default() })].into());
    assert_eq!(friends.asked, [(account("d"), Request { at: 7, text: "hi".into(), ..Request::default() })].into());
    device.run(Write::SetItem { kind: Kind::MayAsk, key: String::new(), value: Some(json!({"who": "nobody"})) });
    assert_eq!((device.changes().len(), device.friends().may_ask), (1, Some(MayAsk::Nobody)));
}

#[test]
fn what_is_muted_or_pinned_counts_here_at_once_and_on_all_devices_once_a_server_keeps_it() {
    let (device, mut server) = (Device::new(), Server::default());
    let mark = |kind, key: &str, on: bool| {
        device.run(Write::SetItem { kind, key: key.into(), value: on.then_some(json!(true)) });
    };
    mark(Kind::Muted, "@lobby", true);
    mark(Kind::Pinned, "b", true);
    mark(Kind::Pinned, "c", true);
    mark(Kind::Pinned, "c", false);
    let marks = |device: &Device| {
        let Friends { muted, pinned, kept_by_server, .. } = device.friends();
        let names = |accounts: std::collections::BTreeSet<Account>| {
            accounts.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
        };
        (names(muted), names(pinned), kept_by_server)
    };
    assert_eq!(marks(&device), ("@lobby".into(), "b".into(), false), "at a plain server too");
    server.set(Item::new(Kind::Pinned, "d", Some(json!(true))));
    device.take_all(&server);
    assert_eq!(marks(&device), ("@lobby".into(), "b d".into(), true));
    assert_eq!(device.friends().differences, [], "nobody is asked for that");
    device.send(&mut server);
    let other = Device::new();
    other.take_all(&server);
    assert_eq!(marks(&other), marks(&device));
    other.run(Write::SetItem { kind: Kind::Muted, key: "@lobby".into(), value: None });
    other.send(&mut server);
    assert_eq!(marks(&other).0, "");
}
