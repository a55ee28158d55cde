//! Every command, once: what it is called, which words it takes, what the help says of it, whether it needs a login, and
//! what it does. Help, completion, dispatch and a pipe's rules read this table; a new command is one entry of it.

use std::borrow::Cow;
use std::fmt;

use rust_i18n::t;

use crate::client::net::clock;
use crate::ui::term::app::App;
use crate::ui::term::server::Leaving;

/// A text in the language of the moment.
type Text = fn() -> Cow<'static, str>;

/// What the words behind a command name, so that Tab can complete them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::ui::term) enum Names {
    /// They name nothing that is known.
    Nothing,
    /// They name friends.
    Friend,
    /// They name commands.
    Command,
}

/// A command.
pub(in crate::ui::term) struct Command {
    /// Its name.
    pub(in crate::ui::term) name: &'static str,
    /// Its Chinese name.
    pub(in crate::ui::term) zh: &'static str,
    /// Fewest and most words behind it.
    words: (usize, usize),
    /// Whether the last word is all the rest of the line.
    rest: bool,
    /// What the words name.
    pub(super) names: Names,
    /// The words, as the help shows them; empty where it takes none.
    form: Text,
    /// What it does, as the help says it.
    says: Text,
    /// Whether it is for those who have logged in alone.
    pub(in crate::ui::term) needs_login: bool,
    run: fn(&mut App, &Words<'_>),
}

/// What was typed behind a command.
pub(in crate::ui::term) struct Words<'a> {
    /// The command they stand behind.
    pub(in crate::ui::term) command: &'static Command,
    /// The words, as many as the command takes.
    pub(in crate::ui::term) all: &'a [String],
}

impl Words<'_> {
    /// The first word; empty where there is none.
    pub(in crate::ui::term) fn first(&self) -> &str {
        self.all.first().map(String::as_str).unwrap_or_default()
    }

    /// The second word; empty where there is none.
    pub(in crate::ui::term) fn second(&self) -> &str {
        self.all.get(1).map(String::as_str).unwrap_or_default()
    }
}

/// A command without words, for whoever is logged in. What differs is said by the methods below.
const fn command(name: &'static str, zh: &'static str, says: Text, run: fn(&mut App, &Words<'_>)) -> Command {
    let form: Text = || Cow::Borrowed("");
    Command { name, zh, words: (0, 0), rest: false, names: Names::Nothing, form, says, needs_login: true, run }
}

impl Command {
    /// Takes so many words, at least and at most.
    const fn takes(mut self, fewest: usize, most: usize, form: Text) -> Self {
        self.words = (fewest, most);
        self.form = form;
        self
    }

    /// The last word is all the rest of the line.
    const fn rest(mut self) -> Self {
        self.rest = true;
        self
    }

    /// Its words name this.
    const fn names(mut self, names: Names) -> Self {
        self.names = names;
        self
    }

    /// The command works without a login.
    const fn without_login(mut self) -> Self {
        self.needs_login = false;
        self
    }

    /// Whether these are as many words as it takes.
    pub(super) fn accepts(&self, words: &[String]) -> bool {
        (self.words.0..=self.words.1).contains(&words.len())
    }

    /// After how many words the rest of the line is the last one; none where each stands for itself.
    pub(super) fn last_is_rest(&self) -> Option<usize> {
        self.rest.then_some(self.words.1)
    }

    /// The words behind it, as the help shows them.
    pub(in crate::ui::term) fn form(&self) -> Cow<'static, str> {
        (self.form)()
    }

    /// What it does.
    pub(in crate::ui::term) fn says(&self) -> Cow<'static, str> {
        (self.says)()
    }

    /// Does it, whether or not somebody is logged in: that the caller knows.
    pub(in crate::ui::term) fn run(&'static self, app: &mut App, words: &[String]) {
        (self.run)(app, &Words { command: self, all: words });
    }
}

/// Two commands are the same if they have the same name: a test holds that no two share one.
impl PartialEq for Command {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for Command {}

impl fmt::Debug for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

/// The command of this name, in either language.
pub(in crate::ui::term) fn named(name: &str) -> Option<&'static Command> {
    COMMANDS.iter().find(|command| command.name == name || command.zh == name)
}

/// The command that agrees to the plain dialect; its name is also the word that a question for the same asks for.
pub(in crate::ui::term) const READABLE: &str = "readable";

/// All commands, in the order of the help.
pub(in crate::ui::term) static COMMANDS: &[Command] = &[
    command("register", "注册", || t!("term.help_register"), |app, words| app.ask_register(words.first()))
        .takes(0, 1, || t!("term.words_account"))
        .without_login(),
    command("login", "登录", || t!("term.help_login"), |app, words| app.ask_login(words.first()))
        .takes(0, 1, || t!("term.words_account"))
        .without_login(),
    command("chat", "聊天", || t!("term.help_chat"), |app, words| app.chat(words.first()))
        .takes(1, 1, || t!("term.words_name"))
        .rest()
        .names(Names::Friend),
    command("leave", "离开", || t!("term.help_leave"), |app, _| app.leave_chat()),
    command("lobby", "大厅", || t!("term.help_lobby"), |app, _| app.lobby()),
    command("friends", "好友", || t!("term.help_friends"), |app, _| app.friends()),
    command("who", "在线", || t!("term.help_who"), |app, _| app.who()),
    command("add", "添加", || t!("term.help_add"), |app, words| app.add(words.first(), words.second()))
        .takes(1, 2, || t!("term.words_add"))
        .rest()
        .names(Names::Friend),
    command("remark", "备注", || t!("term.help_remark"), |app, words| app.remark(words.first(), words.second()))
        .takes(1, 2, || t!("term.words_remark"))
        .rest()
        .names(Names::Friend),
    command("group", "分组", || t!("term.help_group"), |app, words| app.group(words.first(), words.second()))
        .takes(1, 2, || t!("term.words_group"))
        .rest()
        .names(Names::Friend),
    command("block", "屏蔽", || t!("term.help_block"), |app, words| app.block(words.first(), true))
        .takes(1, 1, || t!("term.words_name"))
        .rest()
        .names(Names::Friend),
    command("unblock", "取消屏蔽", || t!("term.help_unblock"), |app, words| app.block(words.first(), false))
        .takes(1, 1, || t!("term.words_name"))
        .rest()
        .names(Names::Friend),
    command("remove", "删除", || t!("term.help_remove"), |app, words| app.remove(words.first()))
        .takes(1, 1, || t!("term.words_remove"))
        .rest()
        .names(Names::Friend),
    command("import", "导入", || t!("term.help_import"), |app, words| app.client.import_contacts(words.first().into()))
        .takes(1, 1, || t!("term.words_file"))
        .rest(),
    command("export", "导出", || t!("term.help_export"), |app, words| app.client.export_contacts(words.first().into()))
        .takes(1, 1, || t!("term.words_file"))
        .rest(),
    command("unread", "未读", || t!("term.help_unread"), |app, _| app.unread()),
    command("history", "记录", || t!("term.help_history"), |app, words| app.history(words.all))
        .takes(0, 2, || t!("term.words_history"))
        .names(Names::Friend),
    command("past", "漫游", || t!("term.help_past"), |app, words| app.past(words.all))
        .takes(0, 2, || t!("term.words_history"))
        .names(Names::Friend),
    command("search", "搜索", || t!("term.help_search"), |app, words| app.search(words.first()))
        .takes(1, 1, || t!("term.words_search"))
        .rest(),
    command("resend", "重发", || t!("term.help_resend"), |app, _| app.resend()),
    command("fetch", "收取", || t!("term.help_fetch"), |app, _| app.client.fetch_now(clock::now())),
    command("offline", "下线", || t!("term.help_offline"), |app, _| app.client.go_offline(clock::now())),
    command("online", "上线", || t!("term.help_online"), |app, _| app.client.go_online(clock::now())),
    command("takeover", "接管", || t!("term.help_takeover"), |app, _| app.take_back()),
    command("trust", "信任", || t!("term.help_trust"), |app, _| app.trust()).without_login(),
    command(READABLE, "明文", || t!("term.help_readable"), |app, _| app.readable()).without_login(),
    command("account", "账号", || t!("term.help_account"), |app, words| app.account(words))
        .takes(0, 2, || "[beside|secure-only on|off]".into()),
    command("passwd", "修改密码", || t!("term.help_passwd"), |app, _| app.ask_password()),
    command("stay", "保持登录", || t!("term.help_stay"), |app, _| app.stay()),
    command("forget", "忘记", || t!("term.help_forget"), |app, _| app.leave(Leaving::Forget)),
    command("logout", "切换账号", || t!("term.help_logout"), |app, _| app.leave(Leaving::Logout)),
    command("status", "状态", || t!("term.help_status"), |app, _| app.status()).without_login(),
    command("why", "诊断", || t!("term.help_why"), |app, words| app.why(words.first()))
        .takes(0, 1, || "[HOST:PORT]".into())
        .without_login(),
    command("wire", "协议", || t!("term.help_wire"), |app, words| app.set_wire(words.first()))
        .takes(0, 1, || "[on|off]".into())
        .without_login(),
    command("raw", "手工", || t!("term.help_raw"), |app, words| app.begin_raw(words.first()))
        .takes(0, 1, || "[ADDR:PORT]".into())
        .without_login(),
    command("polling", "轮询", || t!("term.help_polling"), |app, words| app.set_polling(words))
        .takes(0, 1, || "[adaptive|strict|per-friend]".into())
        .without_login(),
    command("lang", "语言", || t!("term.help_lang"), |app, words| app.set_language(words))
        .takes(1, 1, || "zh|en".into())
        .without_login(),
    command("help", "帮助", || t!("term.help_help"), |app, words| app.help(words.first()))
        .takes(0, 1, || t!("term.words_help"))
        .names(Names::Command)
        .without_login(),
    command("quit", "退出", || t!("term.help_quit"), |app, _| app.leave_now()).without_login(),
];

#[cfg(test)]
mod tests {
    use super::*;

    /// That the texts are there in both languages is asked by `every_text_is_there_in_both_languages`.
    #[test]
    fn every_command_has_its_own_names_and_says_what_it_takes_and_does() {
        for (at, command) in COMMANDS.iter().enumerate() {
            for name in [command.name, command.zh] {
                let first = COMMANDS.iter().position(|other| other.name == name || other.zh == name);
                assert_eq!(first, Some(at), "{name} is called so alone");
                assert!(!name.is_empty() && !name.contains([' ', '/']), "{name:?} can be typed as one word");
            }
            assert!(command.name.is_ascii() && !command.zh.is_ascii(), "{command:?} has a name in each language");
            assert_ne!(command.says(), "", "{command:?}");
            let (fewest, most) = command.words;
            assert!(fewest <= most, "{command:?}");
            assert_eq!(command.form().is_empty(), most == 0, "{command:?} shows the words it takes");
            // A word that may be left out stands in brackets, in both languages' forms.
            let all_optional = command.form().starts_with('[');
            assert_eq!(all_optional, fewest == 0 && most > 0, "{command:?} shows which words it needs");
            assert!(most > 0 || !command.rest && command.names == Names::Nothing, "{command:?} takes no word");
        }
    }
}
