use super::*;

fn known(name: &str) -> Option<Account> {
    ["bob", "七号", "a/b", "a b"].contains(&name).then(|| Account::sanitised(name))
}

fn command(name: &str, words: &[&str]) -> Typed {
    Typed::Command(named(name).expect("known"), words.iter().map(|w| (*w).to_owned()).collect())
}

#[test]
fn lines_mean_what_they_should() {
    let text = |text: &str| Typed::Text(text.to_owned(), None);
    let like = |text: &str, name| Typed::Text(text.to_owned(), Some(name));
    let say = |name: &str, text: &str| Typed::Say(Account::sanitised(name), text.to_owned());
    // The line; what it means outside a chat, and in one.
    let cases = [
        ("", Typed::Nothing, Typed::Nothing),
        (" help", text("help"), text("help")),
        ("help", command("help", &[]), like("help", "help")),
        ("帮助", command("help", &[]), like("帮助", "help")),
        ("lobby", command("lobby", &[]), like("lobby", "lobby")),
        ("在线", command("who", &[]), like("在线", "who")),
        ("退出", command("quit", &[]), like("退出", "quit")),
        ("/退出", command("quit", &[]), command("quit", &[])),
        ("/help add", command("help", &["add"]), command("help", &["add"])),
        ("help me", command("help", &["me"]), like("help me", "help")),
        ("who is there?", Typed::Usage(named("who").expect("known")), text("who is there?")),
        ("chat bob", command("chat", &["bob"]), like("chat bob", "chat")),
        ("/chat bob", command("chat", &["bob"]), command("chat", &["bob"])),
        ("chat a b", command("chat", &["a b"]), like("chat a b", "chat")),
        ("/who is there?", Typed::Usage(named("who").expect("known")), Typed::Usage(named("who").expect("known"))),
        ("/add bob the builder", command("add", &["bob", "the builder"]), command("add", &["bob", "the builder"])),
        ("/add \"a b\" c", command("add", &["a b", "c"]), command("add", &["a b", "c"])),
        ("hello", Typed::Unknown("hello".into()), text("hello")),
        ("/hello", Typed::Unknown("hello".into()), Typed::Unknown("hello".into())),
        ("/etc/passwd", Typed::Unknown("etc/passwd".into()), Typed::Unknown("etc/passwd".into())),
        ("//etc/passwd", text("/etc/passwd"), text("/etc/passwd")),
        ("//", text("/"), text("/")),
        ("s/bob/hi/there", say("bob", "hi/there"), say("bob", "hi/there")),
        ("s/七号/你好", say("七号", "你好"), say("七号", "你好")),
        ("s/a/b/c", say("a/b", "c"), say("a/b", "c")),
        ("s/old/new", Typed::Nobody("old".into()), Typed::Nobody("old".into())),
        (" s/bob/hi", text("s/bob/hi"), text("s/bob/hi")),
        ("s/bob/", Typed::HalfSaid, Typed::HalfSaid),
        ("s/bob", Typed::HalfSaid, Typed::HalfSaid),
    ];
    for (line, outside, inside) in cases {
        assert_eq!(parse(line, false, known), outside, "{line:?} outside a chat");
        assert_eq!(parse(line, true, known), inside, "{line:?} in a chat");
    }
}

#[test]
fn tab_completes_commands_and_friends() {
    let names = ["bob".to_owned(), "bobby".to_owned(), "七号好友".to_owned()];
    let after = |line: &str| completions(line, false, &names);
    assert_eq!(after("frie"), (0, vec!["friends ".into()]));
    assert_eq!(after("/frie"), (1, vec!["friends ".into()]));
    assert_eq!(after("chat b"), (5, vec!["bob ".into(), "bobby ".into()]));
    assert_eq!(after("s/七"), (2, vec!["七号好友/".into()]));
    assert_eq!(after("search b"), (8, vec![]));
    for text in ["block b", "chat b", "frie", "在", "//frie"] {
        assert_eq!(completions(text, true, &names).1, [""; 0], "{text} is a text in a chat");
    }
    assert_eq!(completions("/chat bobb", true, &names), (6, vec!["bobby ".into()]));
    assert_eq!(completions("/frie", true, &names), (1, vec!["friends ".into()]));
    assert_eq!(completions("s/七", true, &names), (2, vec!["七号好友/".into()]));
    assert_eq!(common(&after("chat b").1), "bob");
    assert_eq!(common(&["七号 ".to_owned(), "七班 ".to_owned()]), "七");
}
