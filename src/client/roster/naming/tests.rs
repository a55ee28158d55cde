use super::*;
use crate::client::history::{Contact, Conversation, Friends};
use crate::protocol::wire::item::Friend;

fn account(name: &str) -> Account {
    Account::person(name).expect("valid")
}

fn called(name: &str) -> Profile {
    Profile { name: name.into(), ..Profile::default() }
}

fn listed(name: &str, remark: &str) -> Conversation {
    let (account, group) = (account(name), String::new());
    let contact = Contact { account, remark: remark.into(), group, blocked: false };
    Conversation { contact, stranger: false, last: None, draft: None, unread: 0 }
}

fn roster() -> Roster {
    let mut roster = Roster::new(account("me"));
    roster.set_conversations(vec![listed("b", "班长"), listed("c", ""), listed("d", "")]);
    let mut friends = Friends { kept_by_server: true, ..Friends::default() };
    friends.friends.insert(account("c"), Friend { profile: called("小王"), ..Friend::default() });
    friends.profile = Some(called("我"));
    roster.set_friends(friends);
    roster.set_profiles(vec![(account("b"), called("张伟")), (account("c"), called("of before"))]);
    roster
}

#[test]
fn a_remark_stands_above_the_name_and_that_above_the_account() {
    let roster = roster();
    let names = ["b", "c", "d", "nobody"].map(|name| roster.name(&account(name)));
    assert_eq!(names, ["班长", "小王", "d", "nobody"], "and what a list tells above what was asked for");
    assert_eq!((roster.writer("b").as_str(), roster.writer("c").as_str()), ("班长", "小王"));
    let (b, c) = (("b".to_owned(), "班长".to_owned()), ("c".to_owned(), "小王".to_owned()));
    assert_eq!(roster.names(), HashMap::from([b, c]));
    for (name, stands_for) in
        [("班长", Some("b")), ("张伟", Some("b")), ("小王", Some("c")), ("d", Some("d")), ("x", None)]
    {
        assert_eq!(roster.resolve(name), stands_for.map(account), "{name}");
    }
}

#[test]
fn a_name_that_is_anothers_name_remark_or_account_stands_beside_its_account() {
    for taken in ["小王", "班长", "B", "我", "ＭＥ"] {
        let mut roster = roster();
        roster.set_profiles(vec![(account("d"), called(taken))]);
        assert_eq!(roster.name(&account("d")), format!("{taken} (d)"), "{taken}");
        assert_eq!(roster.name(&account("b")), "班长", "a remark is one's own word");
        assert!(roster.resolve(taken).is_none_or(|found| found != account("d")), "{taken}");
    }
    let mut roster = roster();
    roster.set_profiles(vec![(account("d"), called("小王"))]);
    assert_eq!(roster.name(&account("c")), "小王 (c)", "nobody knows who of the two is meant");
}
