//! A new user at a server that speaks the plain protocol alone: asked before a password goes out, once, in both
//! windows; and nothing else is asked of such a server.

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
