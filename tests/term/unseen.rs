//! What is typed while nobody sees it, since a password is looked at.

use std::sync::mpsc::channel;
use std::time::Duration;

use super::foreign::{Foreign, course};
use super::keeping::are_kept;

/// The prompts of a change of the password, and what is said while it is looked at, once it is wrong, and of a line
/// that was typed unseen.
const ENGLISH: [&str; 7] = [
    "Password of me:",
    "Old password:",
    "New password:",
    "again",
    "Changing",
    "not the one you are",
    "neither done nor sent",
];
const CHINESE: [&str; 7] =
    ["me 的密码:", "旧密码", "新密码", "确认新密码", "正在修改", "不是你这次登录", "没有执行，也没有发送"];

#[test]
fn what_is_typed_while_a_password_is_looked_at_is_neither_shown_nor_done() {
    for (lang, [login, old, new, again, changing, wrong, unseen]) in [("en", ENGLISH), ("zh", CHINESE)] {
        let (closed, gate) = channel::<()>();
        let server = Foreign::new(move |request| {
            if !request.starts_with("01#") {
                return course(request);
            }
            let _ = gate.recv_timeout(Duration::from_secs(30));
            vec![b"01:03".to_vec()]
        });
        let a = server.terminal(lang);
        a.shows(login);
        a.line("secret");
        a.foot_is("me>");
        a.line("chat bob");
        a.foot_is("me → bob>");
        a.line("/passwd");
        a.shows(old);
        // A wrong one is asked for again, unseen.
        a.line("tercse");
        a.shows(new);
        a.line("better");
        a.shows(again);
        a.line("better");
        a.shows(wrong);
        a.line("secret");
        a.line("better");
        a.line("better");
        a.shows(changing);
        // A user who believes that the password was wrong types it again, and would do so once more.
        a.line("secret");
        a.write("se");
        std::thread::sleep(Duration::from_millis(500));
        let shown = a.scrolled();
        assert!(!shown.contains("> se") && !shown.contains("secret"), "{shown}");
        drop(closed);
        a.shows(unseen);
        // What was not ended is dropped as well, and nothing of it becomes a draft.
        a.foot_is("me → bob>");
        assert_eq!(a.scrolled().matches(unseen).count(), 1, "it is said once");
        a.keys(&["C-u", "Up"]);
        a.foot_is("me → bob> /passwd");
        let shown = a.scrolled();
        assert!(!shown.contains("secret"), "{shown}");
        assert_eq!(server.count("03#"), 0, "it went to bob");
        a.keys(&["Down", "C-c"]);
        a.shows("left with 0");
        are_kept(server.folder(), "me.sqlite", &[]);
    }
}
