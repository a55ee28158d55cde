use super::*;
use crate::client::history::Contact;
use crate::protocol::wire::status::Online;

const NOW: i64 = 1_800_000_000_000;

fn account(name: &str) -> Account {
    Account::sanitised(name)
}

fn conversation(name: &str, group: &str, stranger: bool, last: Option<&str>) -> Conversation {
    let (remark, group) = (String::new(), group.to_owned());
    Conversation {
        contact: Contact { account: account(name), remark, group, blocked: false },
        stranger,
        last: last.map(|text| (text.to_owned(), NOW)),
        draft: None,
        unread: u64::from(stranger),
    }
}

fn shown(roster: &Roster, search: &str) -> Vec<String> {
    let line = |e: Entry| match e {
        Entry::Section { title, count, .. } => format!("{title} {count}").trim().to_owned(),
        Entry::Person(p) | Entry::Request(p) | Entry::Found(p) => format!("  {}", p.name),
        Entry::Add(name) => format!("+ {name}"),
        Entry::More(n, unread) => format!("{n} more, {unread} unread"),
    };
    roster.entries(search, NOW).into_iter().map(line).collect()
}

#[test]
fn whoever_is_named_is_found_by_account_remark_or_presence() {
    let mut roster = Roster::new(account("me"));
    let mut bob = conversation("bob", "", false, None);
    bob.contact.remark = "carol".to_owned();
    roster.set_conversations(vec![bob, conversation("carol", "", false, None)]);
    roster.set_online(Some(vec![account("dora")]));
    let found = |name: &str| roster.resolve(name).map(|account| account.to_string());
    assert_eq!(found("carol").as_deref(), Some("carol"), "an account goes before a remark");
    assert_eq!(found("bob").as_deref(), Some("bob"));
    assert_eq!(found("dora").as_deref(), Some("dora"));
    assert_eq!((found(""), found("nobody")), (None, None));
}

#[test]
fn everybody_stands_under_the_right_heading() {
    let mut roster = Roster::new(account("me"));
    roster.set_conversations(vec![
        conversation("b", "", false, Some("hi")),
        conversation("s", "", true, Some("buy!")),
        conversation("x", "net", false, None),
        conversation("y", "net", false, None),
        conversation("z", "", false, None),
    ]);
    roster.set_online(Some(vec![account("me"), account("o"), account("y")]));
    let lobby = format!("  {}", t!("main.lobby"));
    let titles = ["recent", "friends", "strangers", "others_online"].map(|k| t!(format!("main.{k}")));
    let [recent, friends, strangers, online] = titles;
    let (friends, strangers, online) = (format!("{friends} 0/2"), format!("{strangers} 1"), format!("{online} 1"));
    let expected =
        [&*recent, &lobby, "  b", "net 1/2", "  y", "  x", &friends, "  b", "  z", &strangers, "  s", &online, "  o"];
    assert_eq!(shown(&roster, ""), expected);
    roster.toggle(&Section::Strangers);
    assert!(roster.entries("", NOW).iter().any(|e| matches!(e, Entry::Section { open: false, unread: 1, .. })));
}

#[test]
fn recent_hides_nobody_and_takes_nobody_out_of_their_group() {
    let mut roster = Roster::new(account("me"));
    let friends: Vec<String> = (0..10).map(|i| format!("f{i}")).collect();
    roster.set_conversations(friends.iter().map(|f| conversation(f, "class", false, Some("hi"))).collect());
    let people = |roster: &Roster, recent: bool| -> Vec<String> {
        let entries = roster.entries("", NOW);
        let wanted = entries.into_iter().filter_map(|e| if let Entry::Person(p) = e { Some(p) } else { None });
        wanted.filter(|p| p.recent == recent).map(|p| p.name).collect()
    };
    assert_eq!((people(&roster, true).len(), people(&roster, false)), (RECENT, friends.clone()));
    assert!(shown(&roster, "").contains(&"class 10".to_owned()), "all who chat are still in it");
    roster.toggle(&Section::Recent);
    assert_eq!((people(&roster, true), people(&roster, false)), (Vec::new(), friends));
    // What is unread stands where it is seen, once.
    let mut unread = conversation("f0", "class", false, Some("hi"));
    unread.unread = 3;
    roster.set_conversations(vec![unread]);
    let counts = |roster: &Roster| -> Vec<u64> {
        let of = |e: &Entry| if let Entry::Section { unread, .. } = e { Some(*unread) } else { None };
        roster.entries("", NOW).iter().filter_map(of).collect()
    };
    assert_eq!(counts(&roster), [0, 0]);
    roster.toggle(&Section::Group("class".into()));
    assert_eq!(counts(&roster), [0, 3]);
}

#[test]
fn of_a_silent_server_nobody_is_said_to_be_online_or_not() {
    let mut roster = Roster::new(account("me"));
    roster.set_conversations(vec![conversation("x", "net", false, None), conversation("y", "net", false, None)]);
    roster.set_online(Some(vec![account("o"), account("y")]));
    let before = shown(&roster, "");
    assert!(before.contains(&"net 1/2".to_owned()) && before.contains(&"  o".to_owned()), "{before:?}");
    roster.doubt_online();
    let during = shown(&roster, "");
    assert!(during.contains(&"net 2".to_owned()) && !during.contains(&"  o".to_owned()), "{during:?}");
    assert!(during.contains(&format!("  {}", t!("main.lobby"))), "the room is still one");
    assert_eq!([account("x"), account("y")].map(|a| roster.presence(&a)), [None, None]);
    let words = |e: &Entry| matches!(e, Entry::Person(p) if p.presence.is_some() || p.last == t!("main.online"));
    assert!(!roster.entries("", NOW).iter().any(words));
    roster.set_online(Some(vec![account("o"), account("y")]));
    assert_eq!(shown(&roster, ""), before);
    // Where nobody ever says, nothing is awaited, and there is no room: not in the list, nor to be found.
    roster.set_online(None);
    roster.doubt_online();
    assert!(!roster.is_unsure());
    let lobby = format!("  {}", t!("main.lobby"));
    assert!(before.contains(&lobby) && !shown(&roster, "").contains(&lobby), "{:?}", shown(&roster, ""));
    assert!(!shown(&roster, &t!("main.lobby")).contains(&lobby));
}

#[test]
fn a_flood_of_strangers_is_one_row() {
    let mut roster = Roster::new(account("me"));
    let flood = (0..500).map(|i| conversation(&format!("s{i:03}"), "", true, Some("buy!")));
    roster.set_conversations(flood.collect());
    let rows = shown(&roster, "");
    assert_eq!((rows.len(), rows.last().map(String::as_str)), (22, Some("480 more, 480 unread")));
    assert_eq!(shown(&roster, "s499")[0], "  s499");
}

#[test]
fn search_finds_names_and_offers_to_add() {
    let mut roster = Roster::new(account("me"));
    let mut friend = conversation("20170007", "", false, None);
    friend.contact.remark = "七号好友".into();
    roster.set_conversations(vec![friend]);
    assert_eq!(shown(&roster, "七号"), ["  七号好友", "+ 七号"]);
    assert_eq!(shown(&roster, "20170007"), ["  七号好友"]);
    assert_eq!(shown(&roster, "me"), [""; 0], "oneself is nobody to add");
    for sentence in ["hi all, Li Lei here", "你好，在吗", "what?", "x".repeat(65).as_str()] {
        assert_eq!(shown(&roster, sentence), [""; 0], "{sentence}");
    }
    roster.set_online(Some(vec![account("new1"), account("new11")]));
    assert_eq!(shown(&roster, "new1"), ["+ new1", "  new1", "  new11"], "Enter adds who is online and unknown");
    roster.set_online(Some(Vec::new()));
    let lobby = t!("main.lobby");
    assert_eq!(shown(&roster, &lobby)[0], format!("  {lobby}"));
}

#[test]
fn a_message_of_a_line_end_is_a_row_with_words() {
    let mut roster = Roster::new(account("me"));
    roster.set_conversations(vec![
        conversation("x", "", false, Some("\n")),
        conversation("y", "", false, Some("\r\nsecond\r\n")),
        conversation("@lobby", "", false, Some("[b] \n")),
    ]);
    let empty = t!("chat.empty_line");
    let last = |name: &str| roster.find(&account(name)).map(|c| roster.person(c, NOW).last).expect("there");
    assert_eq!((last("x"), last("y")), (empty.to_string(), "second".to_owned()));
    assert_eq!(last("@lobby"), t!("main.writes", writer = "b", text = &empty));
}

#[test]
fn times_are_short() {
    let day = 24 * 3600 * 1000;
    assert_eq!(ago(NOW - day, NOW), t!("main.yesterday"));
    assert_eq!(ago(NOW - 400 * day, NOW).len(), "2025-01-01".len());
}

#[test]
fn no_name_or_text_turns_others_round() {
    let mut roster = Roster::new(account("me"));
    let max = Account::parse("\u{202e}gnp.xam").expect("the protocol allows it");
    let mut friend = conversation("b", "", false, Some("invoice_\u{202e}gnp.exe"));
    friend.contact.account = max.clone();
    roster.set_conversations(vec![friend]);
    roster.set_online(Some(vec![Account::parse("\u{202e}b").expect("valid"), account("דנה")]));
    assert_eq!(roster.name(&max), ":U+202E:gnp.xam", "names show which mark it is");
    let all = roster.entries("", NOW);
    let shown: Vec<(&str, &str)> = all
        .iter()
        .filter_map(|e| if let Entry::Person(p) = e { Some((p.name.as_str(), p.last.as_str())) } else { None })
        .collect();
    assert_eq!(shown.get(1), Some(&(":U+202E:gnp.xam", "invoice_·gnp.exe")));
    assert!(shown.iter().any(|(name, _)| *name == ":U+202E:b") && shown.iter().any(|(name, _)| *name == "דנה"));
    let line = roster.one_line("[\u{202e}x] \u{202e}hi דנה", true);
    assert_eq!(line, t!("main.writes", writer = ":U+202E:x", text = "\u{2068}·hi דנה\u{2069}"));
}

#[test]
fn the_times_hold_until_midnight() {
    let hour = 3_600_000;
    for now in (0..72).map(|n| NOW + n * hour) {
        let until = times_hold_until(now).expect("there is a tomorrow");
        assert!(until > now && until - now <= 25 * hour, "{now}");
        assert_eq!(ago(now, until - 1), ago(now, now));
        assert_eq!(ago(now, until), t!("main.yesterday"));
    }
}

#[test]
fn the_lobbys_writers_have_their_remarks() {
    let mut roster = Roster::new(account("me"));
    assert_eq!(roster.one_line("[a] hi\nthere", true), t!("main.writes", writer = "a", text = "hi"));
    let mut friend = conversation("a", "", false, None);
    friend.contact.remark = "七号好友".into();
    roster.set_conversations(vec![friend]);
    assert_eq!(roster.one_line("[a] hi", true), t!("main.writes", writer = "七号好友", text = "hi"));
    assert_eq!(roster.one_line("[a] hi", false), "[a] hi");
}

#[test]
fn what_is_pinned_stands_first_and_what_is_muted_asks_for_nothing() {
    let mut roster = Roster::new(account("me"));
    let list = ["b", "c", "d"].map(|name| {
        let contact = Contact { account: account(name), remark: String::new(), group: String::new(), blocked: false };
        Conversation { contact, stranger: false, last: Some(("hi".into(), 1)), draft: None, unread: 1 }
    });
    roster.set_conversations(list.to_vec());
    assert_eq!(roster.unread(), 3);
    let mut friends = Friends::default();
    friends.pinned.insert(account("d"));
    friends.muted.insert(account("b"));
    roster.set_friends(friends);
    assert_eq!(roster.unread(), 2);
    let people: Vec<(String, bool, bool)> = roster
        .entries("", 0)
        .into_iter()
        .filter_map(|e| if let Entry::Person(p) = e { Some((p.name, p.pinned, p.muted)) } else { None })
        .collect();
    let row = |name: &str| (name.to_owned(), name == "d", name == "b");
    assert_eq!(people, ["d", "b", "c", "d", "b", "c"].map(row), "among the recent ones and in their group");
}

#[test]
fn who_is_away_or_busy_is_online_and_their_line_is_shown() {
    let mut roster = Roster::new(account("me"));
    roster.set_conversations(vec![
        conversation("a", "", false, None),
        conversation("b", "", false, None),
        conversation("c", "", false, Some("hi")),
        conversation("d", "", false, None),
        conversation("e", "", false, None),
    ]);
    let state = |state, text: &str| Shown { state, text: text.into() };
    let states = [
        (account("a"), state(Online::Away, "")),
        (account("b"), state(Online::Here, "在图书馆")),
        (account("c"), state(Online::Busy, "课上")),
        (account("e"), state(Online::Busy, "gone since")),
    ];
    assert!(roster.set_states(states.clone().into()) && !roster.set_states(states.into()));
    roster.set_online(Some(["a", "b", "c"].map(account).to_vec()));
    let rows: Vec<_> = roster
        .entries("", NOW)
        .into_iter()
        .filter_map(|entry| match entry {
            Entry::Person(p) if !p.recent => Some((p.name, p.presence, p.last, p.line)),
            _ => None,
        })
        .collect();
    let row = |name: &str, presence, last: String, line: &str| (name.to_owned(), Some(presence), last, line.to_owned());
    let word = |presence| presence_word(Some(presence));
    assert_eq!(
        rows,
        [
            row("a", Presence::Away, word(Presence::Away), ""),
            row("b", Presence::Online, "在图书馆".into(), "在图书馆"),
            row("c", Presence::Busy, "hi".into(), "课上"),
            row("d", Presence::Offline, word(Presence::Offline), ""),
            row("e", Presence::Offline, word(Presence::Offline), ""),
        ]
    );
    let c = t!("people.state_line", state = word(Presence::Busy), line = "课上").into_owned();
    assert_eq!([roster.state_word(&account("c")), roster.state_word(&account("e"))], [c, word(Presence::Offline)]);
    assert!(shown(&roster, "").contains(&format!("{} 3/5", t!("main.friends"))), "all three are there");
    roster.doubt_online();
    assert_eq!((roster.presence(&account("c")), roster.line(&account("c"))), (None, ""));
}
