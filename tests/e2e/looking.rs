//! Whether there is an account, in the window that adds somebody.

use hongyan::server::store::admin;

use super::{Place, desk::until};

#[test]
fn who_does_not_exist_is_not_added() {
    let texts = [
        (
            "en",
            "Hongyan",
            "Add a friend",
            "There is no account nobody at this server.",
            "could not be asked",
            "Chatting with",
        ),
        ("zh", "鸿雁", "添加好友", "此服务器上没有账号 nobody", "现在无法向服务器查询", "聊天"),
    ];
    for (lang, main, title, none, not_asked, chat) in texts {
        let place = Place::new();
        let server = place.serve();
        let bob = super::ByHand::new(place.at);
        bob.ask("01#bob#secret#secret#");
        let me = place.log_in("me", lang);
        me.window(main);
        me.keys(&["ctrl+k"]);
        me.write("nobody");
        me.keys(&["Return"]);
        me.window(title);
        me.keys(&["Return"]);
        me.said(none);
        place.desk.picture(&format!("no-such-account-{lang}"));
        assert!(
            me.titles().iter().any(|t| t == title) && !me.titles().iter().any(|t| t.contains(chat)),
            "{:?}",
            me.titles()
        );
        // What was typed is still there, to be put right.
        me.keys(&["ctrl+a"]);
        me.write("bob");
        me.keys(&["Return"]);
        me.no_window(title);
        until("bob's chat", || me.titles().iter().any(|t| t.contains("bob")).then_some(()));
        drop(server);
        me.window(main);
        me.keys(&["ctrl+k", "ctrl+a"]);
        me.write("carol");
        me.keys(&["Return"]);
        me.window(title);
        me.keys(&["Return"]);
        me.said(not_asked);
        place.desk.picture(&format!("account-not-asked-{lang}"));
        // The button has the keys, and adds all the same.
        me.keys(&["Return"]);
        me.no_window(title);
        until("carol's chat", || me.titles().iter().any(|t| t.contains("carol")).then_some(()));
    }
}

/// The chat says from where on it is with another account of the same name, and messages to the earlier one stay here.
/// The same holds for the user's own account: nothing of the earlier one is shown any more, and nothing is lost.
#[test]
fn an_account_that_was_made_anew_is_another_one() {
    for (lang, main, title, own) in [
        ("en", "Hongyan", "Chatting with bob", "me is another account now"),
        ("zh", "鸿雁", "与 bob 聊天中", "me 已是另一个账号"),
    ] {
        let place = Place::new();
        let data = place.dir.path().join("server");
        let anew = |name: &str| {
            admin::delete(&data, name).expect("deleted");
            let list = data.with_extension("csv");
            std::fs::write(&list, format!("{name},secret\n")).expect("written");
            admin::import(&data, &list, 1_700_000_000).expect("made anew");
        };
        let server = place.serve();
        super::ByHand::new(place.at).ask("01#bob#secret#secret#");
        let me = place.log_in("me", lang);
        super::chat_with(&me, main, "bob", title);
        super::say(&me, "hello");
        me.has("me", "bob", "hello", Some(8));
        drop(server);
        super::say(&me, "for the earlier one");
        until("it is kept", || me.messages("me").iter().any(|m| m.1 == "for the earlier one").then_some(()));
        anew("bob");
        let server = place.serve();
        me.has("me", "bob", "for the earlier one", Some(12));
        me.has("me", "bob", "", Some(-2));
        std::thread::sleep(std::time::Duration::from_millis(500));
        place.desk.picture(&format!("account-made-anew-{lang}"));
        drop(server);
        let file = me.history("me");
        anew("me");
        let _server = place.serve();
        me.said(own);
        until("an empty history", || me.messages("me").is_empty().then_some(()));
        assert!(file.with_extension("earlier.sqlite").exists());
        me.window(title);
        place.desk.picture(&format!("own-account-made-anew-{lang}"));
    }
}
