//! What stays as it is while a window is built anew, and what does not stay while nothing happens.

use std::rc::Rc;

use hongyan::client::history::{Contact, Conversation};
use hongyan::client::roster::{Entry, times_hold_until};
use hongyan::ui::gui::chat_window::{Header, Own};
use hongyan::ui::gui::main_window::{MainWindow, Me};
use hongyan::ui::gui::transcript::Earlier;

use super::{account, chat, events};

pub fn a_chat_in_another_theme_is_the_same_chat() {
    let (emit, _) = events();
    for earlier in [Earlier::No, Earlier::Offered, Earlier::Asked, Earlier::Begun] {
        let mut before = chat("zoe", &emit);
        before.set_earlier(earlier);
        before.give_back("half a sen");
        let place = before.place();
        let header = Header { name: "zoe".to_owned(), presence: None, own: Own::Here, trouble: None };
        let after = before.renewed(header, Rc::clone(&emit));
        assert_eq!((after.earlier(), after.draft(), after.place()), (earlier, "half a sen".to_owned(), place));
        after.close();
    }
}

pub fn at_midnight_today_is_yesterday() {
    let me = Me { account: account("me"), nickname: String::new() };
    let (emit, _) = events();
    let mut main = MainWindow::new(&me, None, emit);
    let now = hongyan::client::net::clock::now().unix_ms;
    let (remark, group) = (String::new(), String::new());
    let contact = Contact { account: account("zoe"), remark, group, blocked: false };
    let (last, draft) = (Some(("hi".into(), now)), None);
    main.set_conversations(vec![Conversation { contact, stranger: false, last, draft, unread: 0 }]);
    let time = |main: &MainWindow| {
        let entries = main.list().entries();
        entries
            .iter()
            .find_map(|e| if let Entry::Person(p) = e { Some(p.time.clone()) } else { None })
            .unwrap_or_default()
    };
    let hour = time(&main);
    assert!(hour.contains(':'), "{hour}");
    let midnight = times_hold_until(now).expect("there is a tomorrow");
    main.set_now(midnight - 1);
    assert_eq!(time(&main), hour);
    main.set_now(midnight);
    assert_eq!(time(&main), rust_i18n::t!("main.yesterday"));
    // Somebody has put the clock back.
    main.set_now(now);
    assert_eq!(time(&main), hour);
    main.close();
}
