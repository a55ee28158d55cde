//! How one is shown to others: busy with a line, and invisible.

use super::tmux::{Served, Terminal, until};

/// What is typed, in each language: the command and three states.
const ENGLISH: [&str; 4] = ["state", "busy", "invisible", "online"];
const CHINESE: [&str; 4] = ["我的状态", "忙碌", "隐身", "在线"];

#[test]
fn who_is_busy_is_listed_so_and_who_is_invisible_is_gone() {
    for (language, [state, busy, invisible, online]) in [("en", ENGLISH), ("zh", CHINESE)] {
        let served = Served::new();
        let a = Terminal::open_in(language, &served, "a", &[]);
        a.register_in(language, "a");
        let b = Terminal::open_in(language, &served, "b", &[]);
        b.register_in(language, "b");
        a.line("add b");
        let set = |word: &str, shown: &str, gone: bool| {
            b.line(&format!("{state} {word}"));
            until(&format!("{language}: {word}"), || {
                a.line("who");
                let screen = a.screen();
                let names = |line: &&str| line.split_whitespace().next() == Some("a");
                let listed: Vec<&str> = screen.lines().filter(names).collect();
                match listed.last() {
                    Some(line) if line.contains(shown) != gone => Ok(()),
                    _ => Err(screen),
                }
            });
        };
        set(&format!("{busy} 在图书馆"), &format!("b [{busy}]"), false);
        a.line("card b");
        a.shows("在图书馆");
        set(invisible, "b", true);
        set(online, "b", false);
        b.line(&format!("{state} nothing"));
        b.shows(state);
    }
}
