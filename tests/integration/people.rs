//! Who people are and who is found, over real sockets and with the server's own options.

use std::net::SocketAddr;

use hongyan::protocol::wire::frame::{FromClient, FromServer};
use hongyan::protocol::wire::item::{Friend, Item, Kind};
use serde_json::json;

use super::daemon::begin;
use super::process::free_port;
use super::secure::Device;

fn come_in(at: SocketAddr, account: &str, name: Option<&str>) -> Device {
    let mut device = Device::connect(at, Vec::new());
    device.login_as(account, name);
    device
}

/// Who is found, as `account name`.
#[track_caller]
fn finds(device: &mut Device, text: &str) -> Vec<String> {
    device.say(&FromClient::Find { id: 5, text: text.into() });
    match device.hear(|frame| matches!(frame, FromServer::Found { .. } | FromServer::Error { .. })) {
        FromServer::Found { people, .. } => {
            people.iter().map(|card| format!("{} {}", card.account, card.profile.name)).collect()
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn somebody_is_found_by_name_becomes_a_friend_and_is_told_by_another_name() {
    let (dir, at) = (tempfile::tempdir().expect("a folder"), free_port());
    let _server = begin(at, dir.path(), &[]);
    let mut a = come_in(at, "20170001", Some("重小明"));
    let mut b = come_in(at, "b", None);
    for text in ["chongxm", "ZXM", "小明", "2017"] {
        assert_eq!(finds(&mut b, text), ["20170001 重小明"], "{text}");
    }
    let befriend =
        |account: &str| FromClient::Befriend { id: 6, account: account.into(), text: String::new(), answer: None };
    b.say(&befriend("20170001"));
    b.hear(|frame| matches!(frame, FromServer::Done { id: 6 }));
    a.say(&befriend("b"));
    a.hear(|frame| matches!(frame, FromServer::Done { id: 6 }));
    b.say(&FromClient::Items { version: 0 });
    let called = |frame: &FromServer, name: &str| match frame {
        FromServer::Items { items, .. } => items
            .iter()
            .any(|item| item.kind == "friend" && item.read::<Friend>().is_some_and(|f| f.profile.name == name)),
        _ => false,
    };
    let FromServer::Items { version, .. } = b.hear(|frame| called(frame, "重小明")) else { panic!("items") };
    b.say(&FromClient::Items { version });
    let profile = Some(json!({"name": "明明", "color": 2}));
    a.say(&FromClient::Set { id: 7, item: Item::new(Kind::Profile, "", profile) });
    a.hear(|frame| matches!(frame, FromServer::Done { id: 7 }));
    b.hear(|frame| called(frame, "明明"));
    assert_eq!((finds(&mut b, "mm"), finds(&mut b, "xm")), (vec!["20170001 明明".to_owned()], Vec::new()));
}

#[test]
fn an_operator_may_close_the_directory() {
    let (dir, at) = (tempfile::tempdir().expect("a folder"), free_port());
    let _server = begin(at, dir.path(), &["--no-directory"]);
    let _a = come_in(at, "20170001", Some("重小明"));
    let mut b = come_in(at, "b", None);
    for text in ["chongxm", "小明", "2017", "2017000"] {
        assert_eq!(finds(&mut b, text), [""; 0], "{text}");
    }
    assert_eq!(finds(&mut b, "20170001"), ["20170001 重小明"]);
    b.say(&FromClient::People { id: 8, accounts: vec!["20170001".into(), "nobody".into()] });
    let told = b.hear(|frame| matches!(frame, FromServer::People { .. }));
    assert!(matches!(&told, FromServer::People { people, .. } if people.len() == 1), "who is known is told: {told:?}");
}

#[test]
fn who_is_busy_is_shown_so_and_who_is_invisible_is_gone_and_back_with_what_they_took() {
    let (dir, at) = (tempfile::tempdir().expect("a folder"), free_port());
    let _server = begin(at, dir.path(), &[]);
    let mut a = come_in(at, "a", None);
    let mut b = come_in(at, "b", None);
    let choose = |value| FromClient::Set { id: 7, item: Item::new(Kind::Status, "", Some(value)) };
    b.say(&choose(json!({"state": "busy", "text": "在图书馆"})));
    a.hear(|frame| match frame {
        FromServer::Changes { states, .. } => states.get("b").is_some_and(|shown| shown.text == "在图书馆"),
        _ => false,
    });
    b.say(&choose(json!({"state": "invisible"})));
    a.hear(|frame| matches!(frame, FromServer::Changes { went, .. } if went == &["b"]));
    a.say(&FromClient::Delivered { version: 0 });
    a.say(&FromClient::Send { counter: 1, to: "b".into(), text: "hi".into(), after: None, made: None });
    a.hear(|frame| matches!(frame, FromServer::Accepted { counter: 1, online: false, .. }));
    let FromServer::Message { row, .. } = b.hear(|frame| matches!(frame, FromServer::Message { .. })) else {
        panic!("a message")
    };
    b.say(&FromClient::Ack { cursor: row });
    b.say(&choose(json!({})));
    a.hear(|frame| matches!(frame, FromServer::Delivered { rows, .. } if rows.get("b") == Some(&[row, row])));
    a.hear(|frame| matches!(frame, FromServer::Changes { came, .. } if came == &["b"]));
}
