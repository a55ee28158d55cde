//! The table of all commands: name, words, help, whether it needs a login, and what it does. Help, completion, dispatch
//! and the rules of a pipe read this table; a new command is one entry of it.

use std::borrow::Cow;
use std::fmt;

use rust_i18n::t;

use crate::client::net::clock;
use crate::client::session::FriendRequest;
use crate::ui::term::app::App;
use crate::ui::term::people::Mark;
use crate::ui::term::server::Leaving;

/// A text in the present language.
type Text = fn() -> Cow<'static, str>;

/// What kind of names a command takes, so that Tab can complete them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::ui::term) enum Names {
    /// None that can be completed.
    Nothing,
    /// Names of friends.
    Friend,
    /// Names of commands.
    Command,
}

/// A command and all that the program knows about it.
pub(in crate::ui::term) struct Command {
    /// The command's English name.
    pub(in crate::ui::term) name: &'static str,
    /// The command's Chinese name.
    pub(in crate::ui::term) zh: &'static str,
    /// The smallest and the largest number of words that it takes.
    words: (usize, usize),
    /// Whether the last word takes all the rest of the line.
    rest: bool,
    /// What kind of names its words are.
    pub(super) names: Names,
    /// The words, as the help shows them; empty if it takes none.
    form: Text,
    /// What the command does, as the help says it.
    says: Text,
    /// Whether the command needs a login.
    pub(in crate::ui::term) needs_login: bool,
    run: fn(&mut App, &Words<'_>),
}

/// What was typed after a command.
pub(in crate::ui::term) struct Words<'a> {
    /// The command.
    pub(in crate::ui::term) command: &'static Command,
    /// The words, as many as the command takes.
    pub(in crate::ui::term) all: &'a [String],
}

impl Words<'_> {
    /// Returns the first word; empty if there is none.
    pub(in crate::ui::term) fn first(&self) -> &str {
        self.all.first().map(String::as_str).unwrap_or_default()
    }

    /// Returns the second word; empty if there is none.
    pub(in crate::ui::term) fn second(&self) -> &str {
        self.all.get(1).map(String::as_str).unwrap_or_default()
    }
}

/// Makes a command that takes no words and needs a login; the methods below change that.
const fn command(name: &'static str, zh: &'static str, says: Text, run: fn(&mut App, &Words<'_>)) -> Command {
    let form: Text = || Cow::Borrowed("");
    Command { name, zh, words: (0, 0), rest: false, names: Names::Nothing, form, says, needs_login: true, run }
}

impl Command {
    /// Sets how many words it takes, and how the help shows them.
    const fn takes(mut self, fewest: usize, most: usize, form: Text) -> Self {
        self.words = (fewest, most);
        self.form = form;
        self
    }

    /// Lets the last word take all the rest of the line.
    const fn rest(mut self) -> Self {
        self.rest = true;
        self
    }

    /// Sets what kind of names its words are.
    const fn names(mut self, names: Names) -> Self {
        self.names = names;
        self
    }

    /// Lets the command work without a login.
    const fn without_login(mut self) -> Self {
        self.needs_login = false;
        self
    }

    /// Returns whether the command takes this number of words.
    pub(super) fn accepts(&self, words: &[String]) -> bool {
        (self.words.0..=self.words.1).contains(&words.len())
    }

    /// Returns the number of the word that takes all the rest of the line; `None` if none does.
    pub(super) fn last_is_rest(&self) -> Option<usize> {
        self.rest.then_some(self.words.1)
    }

    /// Returns the words it takes, as the help shows them.
    pub(in crate::ui::term) fn form(&self) -> Cow<'static, str> {
        (self.form)()
    }

    /// Returns what it does, as the help says it.
    pub(in crate::ui::term) fn says(&self) -> Cow<'static, str> {
        (self.says)()
    }

    /// Runs the command. The caller has checked whether it needs a login.
    pub(in crate::ui::term) fn run(&'static self, app: &mut App, words: &[String]) {
        (self.run)(app, &Words { command: self, all: words });
    }
}

/// Commands are the same if they have the same name; a test makes sure that names are unique.
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

/// Returns the command of this name, in either language.
pub(in crate::ui::term) fn named(name: &str) -> Option<&'static Command> {
    COMMANDS.iter().find(|command| command.name == name || command.zh == name)
}

/// The command that agrees to the plain dialect; its name is also the word that has to be typed when the program asks.
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
    command(
        "befriend",
        "加好友",
        || t!("term.help_befriend"),
        |app, words| {
            app.befriend(words.first(), words.second());
        },
    )
    .takes(1, 2, || t!("term.words_befriend"))
    .rest()
    .names(Names::Friend),
    command("find", "找人", || t!("term.help_find"), |app, words| app.find(words.first()))
        .takes(1, 1, || t!("term.words_find"))
        .rest(),
    command("requests", "好友请求", || t!("term.help_requests"), |app, _| app.requests()),
    command(
        "accept",
        "接受",
        || t!("term.help_accept"),
        |app, words| {
            app.answer_friend(words.first(), FriendRequest::Accept);
        },
    )
    .takes(1, 1, || t!("term.words_name"))
    .rest()
    .names(Names::Friend),
    command(
        "decline",
        "谢绝",
        || t!("term.help_decline"),
        |app, words| {
            app.answer_friend(words.first(), FriendRequest::Decline);
        },
    )
    .takes(1, 1, || t!("term.words_name"))
    .rest()
    .names(Names::Friend),
    command(
        "unfriend",
        "解除好友",
        || t!("term.help_unfriend"),
        |app, words| {
            app.answer_friend(words.first(), FriendRequest::End);
        },
    )
    .takes(1, 1, || t!("term.words_name"))
    .rest()
    .names(Names::Friend),
    command("name", "名字", || t!("term.help_name"), |app, words| app.set_own_name(words.first()))
        .takes(0, 1, || t!("term.words_own_name"))
        .rest(),
    command("line", "签名", || t!("term.help_line"), |app, words| app.set_own_line(words.first()))
        .takes(0, 1, || t!("term.words_own_line"))
        .rest(),
    command("may-ask", "好友验证", || t!("term.help_may_ask"), |app, words| app.set_may_ask(words.all)).takes(
        0,
        2,
        || t!("term.words_may_ask"),
    ),
    command("state", "我的状态", || t!("term.help_state"), |app, words| app.set_state(words))
        .takes(0, 2, || t!("term.words_state"))
        .rest(),
    command("away-after", "自动离开", || t!("term.help_away_after"), |app, words| app.set_away_after(words))
        .takes(0, 1, || t!("term.words_minutes"))
        .without_login(),
    command("comings", "上下线提示", || t!("term.help_comings"), |app, words| app.set_comings(words))
        .takes(0, 1, || t!("term.words_comings"))
        .without_login(),
    command("card", "资料", || t!("term.help_card"), |app, words| app.card(words.first()))
        .takes(0, 1, || t!("term.words_card"))
        .rest()
        .names(Names::Friend),
    command("sync", "同步", || t!("term.help_sync"), |app, words| app.settle_lists(words.first()))
        .takes(0, 1, || "[mine|server]".into()),
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
    command("mute", "静音", || t!("term.help_mute"), |app, words| app.mark(words.first(), Mark::Mute))
        .takes(1, 1, || t!("term.words_name"))
        .rest()
        .names(Names::Friend),
    command("unmute", "取消静音", || t!("term.help_unmute"), |app, words| app.mark(words.first(), Mark::Unmute))
        .takes(1, 1, || t!("term.words_name"))
        .rest()
        .names(Names::Friend),
    command("pin", "置顶", || t!("term.help_pin"), |app, words| app.mark(words.first(), Mark::Pin))
        .takes(1, 1, || t!("term.words_name"))
        .rest()
        .names(Names::Friend),
    command("unpin", "取消置顶", || t!("term.help_unpin"), |app, words| app.mark(words.first(), Mark::Unpin))
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

    /// That the texts exist in both languages is tested by `every_text_is_there_in_both_languages`.
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
            // Optional words are in brackets, in both languages.
            let all_optional = command.form().starts_with('[');
            assert_eq!(all_optional, fewest == 0 && most > 0, "{command:?} shows which words it needs");
            assert!(most > 0 || !command.rest && command.names == Names::Nothing, "{command:?} takes no word");
        }
    }
}
