//! What a typed line means: a command, or a text for the friend one chats with. Pure.
//!
//! Outside a chat a line is a command, with or without a leading `/`. In a chat only what begins with `/` is one,
//! since a friend's answer may be any word: "lobby", "why", "offline". `//` begins a text with one `/`, and a leading
//! space sends literally whatever follows. `s/name/message` goes to `name` from everywhere, or to nobody.

use std::borrow::Cow;

use rust_i18n::t;

/// What can be asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names say it")]
pub enum Verb {
    Register,
    Login,
    Account,
    Stay,
    Forget,
    Trust,
    Readable,
    TakeOver,
    Logout,
    Friends,
    Add,
    Remark,
    Group,
    Block,
    Unblock,
    Remove,
    Import,
    Export,
    Chat,
    Lobby,
    Leave,
    Who,
    Password,
    Offline,
    Online,
    Unread,
    Fetch,
    History,
    Past,
    Search,
    Resend,
    Status,
    Why,
    Wire,
    Raw,
    Polling,
    Lang,
    Help,
    Quit,
}

/// How a command is written.
#[derive(Debug, PartialEq, Eq)]
pub struct Form {
    /// Its name.
    pub name: &'static str,
    /// In Chinese.
    pub zh: &'static str,
    /// What it asks for.
    pub verb: Verb,
    /// Fewest and most words after it.
    words: (usize, usize),
    /// The last word is all the rest of the line.
    rest: bool,
    /// Words after it that name friends.
    pub named: bool,
}

const fn form(name: &'static str, zh: &'static str, verb: Verb, words: (usize, usize)) -> Form {
    Form { name, zh, verb, words, rest: false, named: false }
}

const fn of_friend(name: &'static str, zh: &'static str, verb: Verb, words: (usize, usize), rest: bool) -> Form {
    Form { name, zh, verb, words, rest, named: true }
}

/// All commands, in the order of the help.
pub const FORMS: &[Form] = &[
    form("register", "注册", Verb::Register, (0, 1)),
    form("login", "登录", Verb::Login, (0, 1)),
    of_friend("chat", "聊天", Verb::Chat, (1, 1), true),
    form("leave", "离开", Verb::Leave, (0, 0)),
    form("lobby", "大厅", Verb::Lobby, (0, 0)),
    form("friends", "好友", Verb::Friends, (0, 0)),
    form("who", "在线", Verb::Who, (0, 0)),
    of_friend("add", "添加", Verb::Add, (1, 2), true),
    of_friend("remark", "备注", Verb::Remark, (1, 2), true),
    of_friend("group", "分组", Verb::Group, (1, 2), true),
    of_friend("block", "屏蔽", Verb::Block, (1, 1), true),
    of_friend("unblock", "取消屏蔽", Verb::Unblock, (1, 1), true),
    of_friend("remove", "删除", Verb::Remove, (1, 1), true),
    Form { name: "import", zh: "导入", verb: Verb::Import, words: (1, 1), rest: true, named: false },
    Form { name: "export", zh: "导出", verb: Verb::Export, words: (1, 1), rest: true, named: false },
    form("unread", "未读", Verb::Unread, (0, 0)),
    of_friend("history", "记录", Verb::History, (0, 2), false),
    of_friend("past", "漫游", Verb::Past, (0, 2), false),
    Form { name: "search", zh: "搜索", verb: Verb::Search, words: (1, 1), rest: true, named: false },
    form("resend", "重发", Verb::Resend, (0, 0)),
    form("fetch", "收取", Verb::Fetch, (0, 0)),
    form("offline", "下线", Verb::Offline, (0, 0)),
    form("online", "上线", Verb::Online, (0, 0)),
    form("takeover", "接管", Verb::TakeOver, (0, 0)),
    form("trust", "信任", Verb::Trust, (0, 0)),
    form("readable", "明文", Verb::Readable, (0, 0)),
    form("account", "账号", Verb::Account, (0, 2)),
    form("passwd", "修改密码", Verb::Password, (0, 0)),
    form("stay", "保持登录", Verb::Stay, (0, 0)),
    form("forget", "忘记", Verb::Forget, (0, 0)),
    form("logout", "切换账号", Verb::Logout, (0, 0)),
    form("status", "状态", Verb::Status, (0, 0)),
    form("why", "诊断", Verb::Why, (0, 1)),
    form("wire", "协议", Verb::Wire, (0, 1)),
    form("raw", "手工", Verb::Raw, (0, 1)),
    form("polling", "轮询", Verb::Polling, (0, 1)),
    form("lang", "语言", Verb::Lang, (1, 1)),
    form("help", "帮助", Verb::Help, (0, 1)),
    form("quit", "退出", Verb::Quit, (0, 0)),
];

/// What a line means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Typed {
    /// Nothing.
    Nothing,
    /// A command with its words.
    Command(Verb, Vec<String>),
    /// `s/name/message`.
    Say(String, String),
    /// A text for the friend one chats with; the name of the command it looks like, if it does.
    Text(String, Option<&'static str>),
    /// Words are missing, or there are too many.
    Usage(&'static Form),
    /// No command is called so.
    Unknown(String),
    /// `s/name/…` of nobody known. It is meant for one person, so it goes to nobody else.
    Nobody(String),
    /// `s/name/message` without its end.
    HalfSaid,
}

impl Form {
    fn split(&self, rest: &str) -> Vec<String> {
        split(rest, if self.rest { self.words.1 } else { usize::MAX })
    }

    /// Whether these are as many words as it takes.
    fn takes(&self, words: &[String]) -> bool {
        (self.words.0..=self.words.1).contains(&words.len())
    }

    /// The words after it, as the help shows them.
    #[must_use]
    pub fn words(&self) -> Cow<'static, str> {
        match self.verb {
            Verb::Register | Verb::Login => t!("term.words_account"),
            Verb::Chat | Verb::Block | Verb::Unblock => t!("term.words_name"),
            Verb::Remove => t!("term.words_remove"),
            Verb::Add => t!("term.words_add"),
            Verb::Remark => t!("term.words_remark"),
            Verb::Group => t!("term.words_group"),
            Verb::Import | Verb::Export => t!("term.words_file"),
            Verb::History | Verb::Past => t!("term.words_history"),
            Verb::Search => t!("term.words_search"),
            Verb::Account => Cow::Borrowed(super::account::WORDS),
            Verb::Why => Cow::Borrowed("[HOST:PORT]"),
            Verb::Raw => Cow::Borrowed("[ADDR:PORT]"),
            Verb::Wire => Cow::Borrowed("[on|off]"),
            Verb::Polling => Cow::Borrowed("[adaptive|strict|per-friend]"),
            Verb::Lang => Cow::Borrowed("zh|en"),
            Verb::Help => t!("term.words_help"),
            _ => Cow::Borrowed(""),
        }
    }

    /// What it does.
    #[must_use]
    pub fn says(&self) -> Cow<'static, str> {
        match self.verb {
            Verb::Register => t!("term.help_register"),
            Verb::Login => t!("term.help_login"),
            Verb::TakeOver => t!("term.help_takeover"),
            Verb::Trust => t!("term.help_trust"),
            Verb::Readable => t!("term.help_readable"),
            Verb::Account => t!("term.help_account"),
            Verb::Stay => t!("term.help_stay"),
            Verb::Forget => t!("term.help_forget"),
            Verb::Logout => t!("term.help_logout"),
            Verb::Friends => t!("term.help_friends"),
            Verb::Add => t!("term.help_add"),
            Verb::Remark => t!("term.help_remark"),
            Verb::Group => t!("term.help_group"),
            Verb::Block => t!("term.help_block"),
            Verb::Unblock => t!("term.help_unblock"),
            Verb::Remove => t!("term.help_remove"),
            Verb::Import => t!("term.help_import"),
            Verb::Export => t!("term.help_export"),
            Verb::Chat => t!("term.help_chat"),
            Verb::Lobby => t!("term.help_lobby"),
            Verb::Leave => t!("term.help_leave"),
            Verb::Who => t!("term.help_who"),
            Verb::Password => t!("term.help_passwd"),
            Verb::Offline => t!("term.help_offline"),
            Verb::Online => t!("term.help_online"),
            Verb::Unread => t!("term.help_unread"),
            Verb::Fetch => t!("term.help_fetch"),
            Verb::History => t!("term.help_history"),
            Verb::Past => t!("term.help_past"),
            Verb::Search => t!("term.help_search"),
            Verb::Resend => t!("term.help_resend"),
            Verb::Status => t!("term.help_status"),
            Verb::Why => t!("term.help_why"),
            Verb::Wire => t!("term.help_wire"),
            Verb::Raw => t!("term.help_raw"),
            Verb::Polling => t!("term.help_polling"),
            Verb::Lang => t!("term.help_lang"),
            Verb::Help => t!("term.help_help"),
            Verb::Quit => t!("term.help_quit"),
        }
    }
}

/// The command of this name, in either language.
#[must_use]
pub fn named(name: &str) -> Option<&'static Form> {
    FORMS.iter().find(|form| form.name == name || form.zh == name)
}

/// What a line means. `known` tells whether somebody is called so.
#[must_use]
pub fn parse(line: &str, in_chat: bool, known: impl Fn(&str) -> bool) -> Typed {
    if line.trim().is_empty() {
        return Typed::Nothing;
    }
    if let Some(text) = line.strip_prefix(' ') {
        return Typed::Text(text.to_owned(), None);
    }
    if line.starts_with("//") {
        return Typed::Text(line.get(1..).unwrap_or_default().to_owned(), None);
    }
    if let Some(said) = line.strip_prefix("s/") {
        return says(said, known);
    }
    let command = match line.strip_prefix('/') {
        Some(rest) => rest,
        None if in_chat => return Typed::Text(line.to_owned(), looks_like(line)),
        None => line,
    };
    let (name, rest) = command.split_once(char::is_whitespace).unwrap_or((command, ""));
    let Some(form) = named(name) else { return Typed::Unknown(name.to_owned()) };
    let words = form.split(rest);
    if form.takes(&words) { Typed::Command(form.verb, words) } else { Typed::Usage(form) }
}

/// The command that this text of a chat would be after a `/`.
fn looks_like(line: &str) -> Option<&'static str> {
    let (name, rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
    named(name).filter(|form| form.takes(&form.split(rest))).map(|form| form.name)
}

/// The name and the message; a name may hold a `/` itself.
fn says(said: &str, known: impl Fn(&str) -> bool) -> Typed {
    let parts = || said.match_indices('/').filter_map(|(i, _)| Some((said.get(..i)?, said.get(i + 1..)?)));
    match parts().find(|(name, _)| known(name)).or_else(|| parts().next()) {
        Some((_, text)) if text.trim().is_empty() => Typed::HalfSaid,
        Some((name, text)) if known(name) => Typed::Say(name.to_owned(), text.to_owned()),
        Some((name, _)) => Typed::Nobody(name.to_owned()),
        None => Typed::HalfSaid,
    }
}

/// Words, `"in quotes"` too; at most so many, the last one being all the rest.
fn split(text: &str, most: usize) -> Vec<String> {
    let mut words = Vec::new();
    let mut rest = text.trim();
    while !rest.is_empty() {
        let quoted = rest.strip_prefix('"').and_then(|inner| inner.split_once('"'));
        if words.len() + 1 >= most && quoted.is_none_or(|(_, after)| !after.trim().is_empty()) {
            words.push(rest.to_owned());
            break;
        }
        let (word, after) = quoted.unwrap_or_else(|| rest.split_once(char::is_whitespace).unwrap_or((rest, "")));
        words.push(word.to_owned());
        rest = after.trim_start();
    }
    words
}

/// What could stand at the cursor: where the word begins, and how it may go on.
#[must_use]
pub fn completions(before_cursor: &str, in_chat: bool, names: &[String]) -> (usize, Vec<String>) {
    let starting = |from: usize, all: &mut dyn Iterator<Item = &str>, end: &str| {
        let begun = before_cursor.get(from..).unwrap_or_default();
        let mut found: Vec<String> =
            all.filter(|word| word.starts_with(begun)).map(|word| format!("{word}{end}")).collect();
        found.sort();
        found.dedup();
        (from, found)
    };
    let mut friends = names.iter().map(String::as_str);
    if before_cursor.starts_with("s/") && before_cursor.matches('/').count() == 1 {
        return starting(2, &mut friends, "/");
    }
    let slash = usize::from(before_cursor.starts_with('/'));
    if in_chat && slash == 0 || before_cursor.starts_with("//") {
        return (before_cursor.len(), Vec::new());
    }
    let command = before_cursor.get(slash..).unwrap_or_default();
    match command.split_once(char::is_whitespace) {
        None => starting(slash, &mut FORMS.iter().flat_map(|form| [form.name, form.zh]), " "),
        Some((name, words)) => {
            let from = before_cursor.len() - words.trim_start().len();
            match named(name) {
                Some(form) if form.named => starting(from, &mut friends, " "),
                Some(Form { verb: Verb::Help, .. }) => starting(from, &mut FORMS.iter().map(|form| form.name), ""),
                _ => (before_cursor.len(), Vec::new()),
            }
        }
    }
}

/// What all of them begin with.
#[must_use]
pub fn common(words: &[String]) -> &str {
    let Some(first) = words.first() else { return "" };
    let shared =
        |a: &str, b: &str| a.chars().zip(b.chars()).take_while(|(a, b)| a == b).map(|(a, _)| a.len_utf8()).sum();
    let length = words.iter().map(|word| shared(first, word)).min().unwrap_or(0);
    first.get(..length).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known(name: &str) -> bool {
        ["bob", "七号", "a/b", "a b"].contains(&name)
    }

    fn command(verb: Verb, words: &[&str]) -> Typed {
        Typed::Command(verb, words.iter().map(|w| (*w).to_owned()).collect())
    }

    #[test]
    fn lines_mean_what_they_should() {
        let text = |text: &str| Typed::Text(text.to_owned(), None);
        let like = |text: &str, name| Typed::Text(text.to_owned(), Some(name));
        let say = |name: &str, text: &str| Typed::Say(name.to_owned(), text.to_owned());
        // The line; what it means outside a chat, and in one.
        let cases = [
            ("", Typed::Nothing, Typed::Nothing),
            (" help", text("help"), text("help")),
            ("help", command(Verb::Help, &[]), like("help", "help")),
            ("帮助", command(Verb::Help, &[]), like("帮助", "help")),
            ("lobby", command(Verb::Lobby, &[]), like("lobby", "lobby")),
            ("在线", command(Verb::Who, &[]), like("在线", "who")),
            ("退出", command(Verb::Quit, &[]), like("退出", "quit")),
            ("/退出", command(Verb::Quit, &[]), command(Verb::Quit, &[])),
            ("/help add", command(Verb::Help, &["add"]), command(Verb::Help, &["add"])),
            ("help me", command(Verb::Help, &["me"]), like("help me", "help")),
            ("who is there?", Typed::Usage(named("who").expect("known")), text("who is there?")),
            ("chat bob", command(Verb::Chat, &["bob"]), like("chat bob", "chat")),
            ("/chat bob", command(Verb::Chat, &["bob"]), command(Verb::Chat, &["bob"])),
            ("chat a b", command(Verb::Chat, &["a b"]), like("chat a b", "chat")),
            ("/who is there?", Typed::Usage(named("who").expect("known")), Typed::Usage(named("who").expect("known"))),
            (
                "/add bob the builder",
                command(Verb::Add, &["bob", "the builder"]),
                command(Verb::Add, &["bob", "the builder"]),
            ),
            ("/add \"a b\" c", command(Verb::Add, &["a b", "c"]), command(Verb::Add, &["a b", "c"])),
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

    #[test]
    fn every_command_says_what_it_does() {
        for form in FORMS {
            assert_ne!(form.says(), "", "{}", form.name);
            assert_eq!(named(form.zh).map(|f| f.verb), Some(form.verb));
        }
    }
}
