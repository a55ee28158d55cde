//! The server's process is killed: within seconds it is said where one looks, and nobody is said to be online.

use std::io::Write;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use super::desk::until;
use super::peers::ByHand;
use super::{Place, SENT, chat_with, say};

#[test]
fn a_killed_server_is_said_where_one_looks_and_so_is_its_return() {
    for (dialect, lang, main, title) in
        [("secure", "en", "Hongyan", "Chatting with bob"), ("plain", "zh", "鸿雁", "与 bob 聊天中")]
    {
        let place = Place::new();
        let server = place.serve();
        let _bob = ByHand::join(place.at, "bob");
        ByHand::new(place.at).ask("01#me#secret#secret#");
        let more = if dialect == "plain" { vec!["--plain"] } else { vec![] };
        let args: Vec<&str> = ["--account", "me"].into_iter().chain(more).collect();
        let me = place.open("me", lang, &args);
        me.window(if lang == "zh" { "登录" } else { "Log in" });
        me.write("secret");
        me.keys(&["Return"]);
        me.no_window(if lang == "zh" { "登录" } else { "Log in" });
        let window = me.window(main);
        me.place(&window, 20, 40);
        chat_with(&me, main, "bob", title);
        let chat = me.window(title);
        me.place(&chat, 380, 40);
        say(&me, "are you there?");
        me.has("me", "bob", "are you there?", SENT);
        place.desk.picture(&format!("gone-before-{dialect}"));
        drop(server);
        let killed = Instant::now();
        me.window(title);
        say(&me, "and now?");
        me.said("silent: true");
        let after = killed.elapsed();
        assert!(after >= Duration::from_secs(3) && after < Duration::from_secs(8), "{dialect}: said after {after:?}");
        place.desk.picture(&format!("gone-{dialect}"));
        // It stays said while it is tried again and again.
        std::thread::sleep(Duration::from_secs(6));
        assert!(!me.log().contains("silent: false"), "{}", me.log());
        place.desk.picture(&format!("gone-for-a-while-{dialect}"));
        let _server = place.serve();
        me.said("silent: false");
        until("the message, sent", || {
            let sent = |m: &(String, String, Option<i64>)| m.1 == "and now?" && matches!(m.2, Some(2..=5));
            me.messages("me").iter().any(sent).then_some(())
        });
        std::thread::sleep(Duration::from_secs(2));
        place.desk.picture(&format!("gone-and-back-{dialect}"));
    }
}

/// The server's owner does this to the account `me`, while it runs.
fn looked_after(place: &Place, what: &str) {
    let data = place.dir.path().join("server");
    let mut command = Command::new(env!("CARGO_BIN_EXE_hongyand"));
    let mut child =
        command.args(["account", what, "me", "--data"]).arg(&data).stdin(Stdio::piped()).spawn().expect("starts");
    child.stdin.take().expect("piped").write_all(b"another\n").expect("written");
    assert!(child.wait().expect("a child").success());
}

#[test]
fn another_password_is_asked_for_and_a_deleted_account_is_told_of() {
    for (dialect, lang, main, title, no_more, gone) in [
        ("secure", "en", "Hongyan", "Chatting with bob", "Your password is no longer valid", "no longer exists"),
        ("plain", "zh", "鸿雁", "与 bob 聊天中", "密码已失效，可能已被更改", "此账号在服务器上已不存在"),
    ] {
        let place = Place::new();
        let _server = place.serve();
        let _bob = ByHand::join(place.at, "bob");
        ByHand::new(place.at).ask("01#me#secret#secret#");
        let more = if dialect == "plain" { vec!["--plain"] } else { vec![] };
        let args: Vec<&str> = ["--account", "me"].into_iter().chain(more).collect();
        let me = place.open("me", lang, &args);
        let login = if lang == "zh" { "登录" } else { "Log in" };
        let logs_in = |password: &str| {
            me.window(login);
            me.write(password);
            me.keys(&["Return"]);
            me.no_window(login);
            me.window(main);
        };
        logs_in("secret");
        looked_after(&place, "reset");
        me.said(&format!("asked: {no_more}"));
        place.desk.picture(&format!("password-no-more-{dialect}"));
        me.window(main);
        me.keys(&["Tab", "Return"]);
        logs_in("another");
        chat_with(&me, main, "bob", title);
        me.window(title);
        looked_after(&place, "delete");
        until("it is said", || me.log().contains(gone).then_some(()));
        std::thread::sleep(Duration::from_secs(1));
        place.desk.picture(&format!("deleted-{dialect}"));
    }
}
