//! A new user at a server that speaks the plain protocol alone: asked before a password goes out, once, in both
//! windows; and nothing else is asked of such a server.

use std::net::{SocketAddr, UdpSocket};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

use super::Place;
use super::desk::serve_with;
use super::peers::{Between, ByHand};

#[test]
fn a_newcomer_registers_and_logs_in_at_a_plain_server() {
    for (lang, login, register, question, registered, main) in [
        ("en", "Log in", "Register", "Not encrypted", "Registered. You can log in now.", "Hongyan"),
        ("zh", "登录", "注册", "未加密", "注册成功", "鸿雁"),
    ] {
        let place = Place::new();
        let _server = serve_with(place.at, &place.dir.path().join("server"), &["--plain-only"]);
        let between = Between::new(place.at);
        let me = place.open_at(between.address, "new", lang, &[]);
        me.window(login);
        me.keys(&["ctrl+r"]);
        me.window(register);
        me.fill(&["Lou", "lou", "secret", "secret"]);
        me.window(question);
        place.desk.picture(&format!("plain-consent-{lang}"));
        // Enter is the safe way: nothing goes out, and nothing that was typed is lost.
        me.keys(&["Return"]);
        me.no_window(question);
        assert_eq!(between.requests("01#"), 0, "{:?}", between.all());
        me.window(register);
        place.desk.picture(&format!("plain-not-sent-{lang}"));
        me.keys(&["Return"]);
        me.window(question);
        me.keys(&["Tab", "Return"]);
        me.said(registered);
        me.no_window(register);
        assert_eq!(between.requests("01#lou#secret#secret#"), 1, "{:?}", between.all());
        // It is remembered, so the login asks nothing, nor does the next run.
        me.window(login);
        me.fill(&["secret"]);
        me.no_window(login);
        me.window(main);
        assert_eq!(between.requests("02#lou#secret#"), 1, "{:?}", between.all());
        me.window(main);
        me.keys(&["ctrl+q"]);
        assert!(me.ended());
        let me = place.open_at(between.address, "new", lang, &["--account", "lou"]);
        me.window(login);
        me.fill(&["secret"]);
        me.no_window(login);
        me.window(main);
        assert_eq!(between.requests("02#lou#secret#"), 2, "{:?}", between.all());
    }
}

#[test]
fn a_password_goes_out_in_plain_only_after_somebody_agreed() {
    let place = Place::new();
    let _server = serve_with(place.at, &place.dir.path().join("server"), &["--plain-only"]);
    let between = Between::new(place.at);
    ByHand::new(place.at).ask("01#me#secret#secret#");
    for (lang, login, question) in [("en", "Log in", "Not encrypted"), ("zh", "登录", "未加密")] {
        let before = between.requests("02#");
        let me = place.open_at(between.address, lang, lang, &["--account", "me"]);
        me.window(login);
        me.write("secret");
        for refusing in [&["Return"][..], &["Escape"]] {
            me.keys(&["Return"]);
            me.window(question);
            me.keys(refusing);
            me.no_window(question);
            me.window(login);
        }
        place.desk.picture(&format!("plain-login-not-sent-{lang}"));
        assert_eq!(between.requests("02#"), before, "{:?}", between.all());
        me.keys(&["Return"]);
        me.window(question);
        me.keys(&["Tab", "space"]);
        me.no_window(login);
        assert_eq!(between.requests("02#me#secret#"), before + 1);
    }
}

/// A server of the course's edition of 2018, or of 2019, with one account that is in already, whatever password comes
/// to 02 meanwhile; its password now.
fn course(edition: u32) -> (SocketAddr, Arc<Mutex<String>>) {
    let known = Arc::new(Mutex::new("secret".to_owned()));
    let shared = Arc::clone(&known);
    let mut is_in = false;
    let at = scripted(move |fields| {
        let mut known = shared.lock().expect("not poisoned");
        Some(match fields {
            ["01", _, old, new, ..] if edition == 2019 && *old == *known => {
                *known = (*new).to_owned();
                "01:03"
            }
            ["01", ..] if edition == 2019 => "01:01",
            ["01", ..] => "01:03",
            ["02", ..] if is_in => "02:04",
            ["02", _, password, ..] if *password == *known => {
                is_in = true;
                "02:01"
            }
            ["02", ..] => "02:02",
            ["06", ..] => {
                is_in = false;
                "06:01"
            }
            _ if !is_in => "07:01",
            ["08", ..] => "08:0",
            ["09", ..] => "09:01",
            _ => "00:00",
        })
    });
    (at, known)
}

/// A server that answers so to the fields of a request.
fn scripted(answer: impl FnMut(&[&str]) -> Option<&'static str> + Send + 'static) -> SocketAddr {
    let socket = UdpSocket::bind("127.0.0.1:0").expect("a port");
    let at = socket.local_addr().expect("bound");
    answer_at(socket, answer);
    at
}

fn answer_at(socket: UdpSocket, mut answer: impl FnMut(&[&str]) -> Option<&'static str> + Send + 'static) {
    // It ends with the process; nobody asks it then.
    thread::spawn(move || {
        let mut buffer = [0; 2048];
        while let Ok((n, from)) = socket.recv_from(&mut buffer) {
            let request = String::from_utf8_lossy(&buffer[..n]).into_owned();
            let fields: Vec<&str> = request.split('#').collect();
            if let Some(reply) = answer(&fields) {
                let _ = socket.send_to(reply.as_bytes(), from);
            }
        }
    });
}

#[test]
fn a_server_that_ends_at_a_question_of_ours_is_told_and_not_asked_again() {
    for (lang, login, main, told) in
        [("en", "Log in", "Hongyan", "(11#), which may have crashed it"), ("zh", "登录", "鸿雁", "可能因此退出了")]
    {
        let place = Place::new();
        let (asked, restart) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicBool::new(false)));
        let (count, again) = (Arc::clone(&asked), Arc::clone(&restart));
        let mut dead = false;
        let at = scripted(move |fields| {
            if fields.first() == Some(&"11") {
                dead = true;
                count.fetch_add(1, Ordering::Relaxed);
            }
            dead &= !again.swap(false, Ordering::Relaxed);
            match fields.first().copied() {
                _ if dead => None,
                Some("02") => Some("02:01"),
                Some("06") => Some("06:01"),
                Some("08") => Some("08:0"),
                _ => Some("00:00"),
            }
        });
        let open = || {
            let me = place.open_at(at, "new", lang, &["--allow-plain", "--account", "me"]);
            me.window(login);
            me.fill(&["secret"]);
            me.no_window(login);
            me.window(main);
            me
        };
        let me = open();
        me.said(told);
        place.desk.picture(&format!("ended-at-{lang}"));
        let times = asked.load(Ordering::Relaxed);
        restart.store(true, Ordering::Relaxed);
        me.keys(&["F5"]);
        me.said("link: Connected");
        me.keys(&["ctrl+q"]);
        assert!(me.ended());
        // Nor by the next run.
        let me = open();
        me.said("link: Connected");
        me.keys(&["ctrl+q"]);
        assert!(me.ended());
        assert_eq!((asked.load(Ordering::Relaxed), times > 0), (times, true));
    }
}

#[test]
fn a_password_is_changed_where_a_server_can_and_not_offered_where_it_cannot() {
    for (lang, login, main, change, unsure, changed, not_here) in [
        (
            "en",
            "Log in",
            "Hongyan",
            "Change password",
            "may not know how to change",
            "The password is changed.",
            "cannot change passwords",
        ),
        ("zh", "登录", "鸿雁", "修改密码", "不一定支持修改密码", "密码已修改", "不支持修改密码"),
    ] {
        for (edition, said, counts) in [(2019, changed, "better"), (2018, not_here, "secret")] {
            let place = Place::new();
            let (at, known) = course(edition);
            let open = |password: &str| {
                let me = place.open_at(at, "new", lang, &["--allow-plain", "--account", "me"]);
                me.window(login);
                me.fill(&[password]);
                me.no_window(login);
                me.window(main);
                me.said("link: Connected");
                me
            };
            // The eleventh of the menu, or else Quit is.
            let eleventh = |me: &super::desk::Person<'_>| {
                me.menu();
                me.keys(&["Down"; 10]);
                me.keys(&["Return"]);
            };
            let me = open("secret");
            eleventh(&me);
            me.window(change);
            me.said(unsure);
            place.desk.picture(&format!("password-unsure-{lang}"));
            me.fill(&["secret", "better", "better"]);
            me.said(said);
            place.desk.picture(&format!("password-{edition}-{lang}"));
            if edition == 2018 {
                me.keys(&["Escape"]);
            }
            me.no_window(change);
            assert_eq!(*known.lock().expect("not poisoned"), counts);
            me.window(main);
            me.keys(&["ctrl+q"]);
            assert!(me.ended());
            // In the next run it is known.
            let me = open(counts);
            eleventh(&me);
            if edition == 2018 {
                assert!(me.ended(), "it is not in the menu");
            } else {
                me.window(change);
                place.desk.picture(&format!("password-known-{lang}"));
                assert!(!me.log().contains(unsure), "{}", me.log());
            }
        }
    }
}

#[test]
fn whoever_is_answered_from_another_port_is_told_from_which() {
    for (lang, login, words) in
        [("en", "Log in", "answers come from another port"), ("zh", "登录", "应答来自另一个端口")]
    {
        for plainly in [&[][..], &["--plain"]] {
            let place = Place::new();
            let other = UdpSocket::bind("127.0.0.1:0").expect("a port");
            let from = other.local_addr().expect("bound");
            let asked = UdpSocket::bind("127.0.0.1:0").expect("a port");
            let at = asked.local_addr().expect("bound");
            thread::spawn(move || {
                let mut buffer = [0; 2048];
                while let Ok((_, to)) = asked.recv_from(&mut buffer) {
                    let _ = other.send_to(b"00:00", to);
                }
            });
            let me = place.open_at(at, "new", lang, &[plainly, &["--allow-plain", "--account", "me"]].concat());
            me.window(login);
            me.fill(&["secret"]);
            me.said(&format!("{words}{}{from}", if lang == "zh" { "（" } else { " (" }));
            place.desk.picture(&format!("answered-from-elsewhere-{lang}"));
        }
    }
}

#[test]
fn why_a_login_is_put_off_is_said() {
    for (lang, login, wrong, why) in [
        ("en", "Log in", "Wrong password", "Too many wrong passwords were tried"),
        ("zh", "登录", "密码错误", "试错密码的次数过多"),
    ] {
        let place = Place::new();
        let _server = place.serve();
        ByHand::new(place.at).ask("01#me#secret#secret#");
        let me = place.open(lang, lang, &["--account", "me"]);
        me.window(login);
        for _ in 0..6 {
            me.write("wrong");
            me.keys(&["Return"]);
            me.said(wrong);
        }
        me.write("wrong");
        me.keys(&["Return"]);
        me.said(why);
        place.desk.picture(&format!("login-put-off-{lang}"));
    }
}

#[test]
fn nothing_for_a_room_goes_to_a_server_that_turns_out_to_have_none() {
    for (lang, login, main, lobby, title, no_lobby) in [
        ("en", "Log in", "Hongyan", "Lobby", "Chatting with Lobby", "This server has no lobby"),
        ("zh", "登录", "鸿雁", "大厅", "与 大厅 聊天中", "此服务器没有大厅"),
    ] {
        // With a word for what it does not know, and without.
        for deaf in [false, true] {
            let place = Place::new();
            let ours = serve_with(place.at, &place.dir.path().join("server"), &["--plain-only"]);
            ByHand::new(place.at).ask("01#me#secret#secret#");
            let bob = ByHand::join(place.at, "bob");
            let me = place.open("new", lang, &["--allow-plain", "--account", "me"]);
            me.window(login);
            me.fill(&["secret"]);
            me.no_window(login);
            assert_eq!(bob.ask("03#me#hi#"), "03:01");
            me.has("me", "bob", "hi", None);
            super::chat_with(&me, main, lobby, title);
            // It is written while that one is gone, and another program is started in its place.
            drop(ours);
            me.keys(&["F5"]);
            me.said("link: Retrying");
            super::say(&me, "hi all");
            me.has("me", "@lobby", "hi all", Some(0));
            let (sent, count) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
            let (sends, logins) = (Arc::clone(&sent), Arc::clone(&count));
            let socket = UdpSocket::bind(place.at).expect("the port is free again");
            answer_at(socket, move |fields| match fields.first().copied() {
                Some("10" | "11") if deaf => None,
                Some("02") => {
                    logins.fetch_add(1, Ordering::Relaxed);
                    Some("02:01")
                }
                Some("03") => {
                    sends.fetch_add(1, Ordering::Relaxed);
                    Some("03:01")
                }
                Some("06") => Some("06:01"),
                _ if logins.load(Ordering::Relaxed) == 0 => Some("07:01"),
                Some("08") => Some("08:0"),
                Some("09") => Some("09:01"),
                _ => Some("00:00"),
            });
            me.has("me", "@lobby", "hi all", Some(5));
            me.said(no_lobby);
            place.desk.picture(&format!("no-lobby-{lang}"));
            assert!(count.load(Ordering::Relaxed) > 0 && sent.load(Ordering::Relaxed) == 0);
        }
    }
}
