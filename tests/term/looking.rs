//! Whether there is an account, where somebody is added or written to; and accounts that are made anew.

use hongyan::server::store::admin;

use super::scripts::check;
use super::tmux::{Served, Terminal, until};

/// What is said in each language: that there is none, that somebody was added, that the server could not be asked and
/// then; and that nobody can ask.
const ENGLISH: [&str; 4] = [
    "There is no account nobody at this server.",
    "bob is in the list.",
    "The server could not be asked whether there is such an account.",
    "The plain protocol has no way to ask whether an account exists.",
];
const CHINESE: [&str; 4] = [
    "此服务器上没有账号 nobody。",
    "已把 bob 加入好友列表。",
    "现在无法向服务器查询有没有这个账号。",
    "明文协议无法查询有没有这个账号。",
];

#[test]
fn who_does_not_exist_is_not_added_nor_written_to() {
    for (language, [none, added, not_asked, never]) in [("en", ENGLISH), ("zh", CHINESE)] {
        let mut served = Served::new();
        served.ask("01#bob#secret#secret#");
        let a = Terminal::open_in(language, &served, "a", &[]);
        a.register_in(language, "a");
        a.line("add nobody The remark");
        a.shows(none);
        a.keys(&["Up"]);
        a.foot_is("a> add nobody The remark");
        a.keys(&["C-u"]);
        a.line("chat nobody");
        until("said once more", || {
            let all = a.scrolled();
            if all.matches(none).count() == 2 { Ok(()) } else { Err(all) }
        });
        a.foot_is("a → nobody>");
        a.line("/leave");
        a.line("add bob");
        a.shows(added);
        // If the server cannot be asked, there is no answer, and the user decides.
        served.restart_after(&[], |_| {
            a.line("add carol");
            a.shows(not_asked);
            a.line("y");
            a.shows(&added.replace("bob", "carol"));
            a.line("add dora");
            a.line("n");
        });
        let shown = a.scrolled();
        for not in ["nobody", "dora"] {
            assert!(!shown.contains(&added.replace("bob", not)), "{shown}");
        }
        let plain = Terminal::open_in(language, &served, "p", &["--plain"]);
        plain.register_in(language, "p");
        plain.line("add nobody");
        plain.shows(never);
    }
}

#[test]
fn a_pipe_is_told_by_its_code() {
    let served = Served::new();
    served.ask("01#bob#secret#secret#");
    check(&mut served.client("a"), "register a\nsecret\nsecret\nadd bob\nchat bob\nhi\n", 0);
    let said = check(&mut served.client("a"), "login a\nsecret\nadd nobody\nfriends\n", 5);
    assert!(!said.contains("nobody (") && said.contains("bob"), "{said}");
}

#[test]
fn an_account_that_was_made_anew_is_said_to_be_another_one() {
    let says = [
        (
            "en",
            "From here on this is a different account",
            "not sent: it was written to the account that had this",
            "a is another account now",
        ),
        ("zh", "以下是另一个账号", "未发出：这是写给原来的同名账号的", "a 已是另一个账号"),
    ];
    for (language, note, not_sent, own) in says {
        let mut served = Served::new();
        let a = Terminal::open_in(language, &served, "a", &[]);
        a.register_in(language, "a");
        let b = Terminal::open_in(language, &served, "b", &[]);
        b.register_in(language, "b");
        b.line("chat a");
        b.line("hello");
        a.shows("hello");
        served.restart_after(&[], |data| {
            b.line("for the earlier one");
            b.foot_is("b → a …>");
            a.line("s/b/of the earlier one");
            admin::delete(data, "a").expect("deleted");
            let list = data.with_extension("csv");
            std::fs::write(&list, "a,secret\n").expect("written");
            admin::import(data, &list, 1_000).expect("made anew");
        });
        b.shows(note);
        b.shows(not_sent);
        a.shows(own);
        a.foot_is("a>");
        assert!(!b.scrolled().contains("of the earlier one"), "{}", b.scrolled());
        b.line("/resend");
        a.shows("for the earlier one");
    }
}
