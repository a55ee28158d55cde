use super::*;
use crate::protocol::wire::item::{Friend, Request};

fn account(name: &str) -> Account {
    Account::person(name).expect("valid")
}

fn asked(text: &str, declined: bool) -> Request {
    Request { at: 1, text: text.into(), declined, ..Request::default() }
}

#[test]
fn news_are_what_others_did_and_each_is_told_once() {
    let mut before = Friends { kept_by_server: true, ..Friends::default() };
    before.asking.insert(account("b"), asked("", false));
    before.asking.insert(account("c"), asked("", false));
    before.asked.insert(account("d"), asked("hi", false));
    let mut after = before.clone();
    after.asking.remove(&account("b"));
    after.friends.insert(account("b"), Friend { since: 2, ..Friend::default() });
    after.asking.insert(account("c"), asked("", true));
    after.asked.insert(account("e"), asked("me", false));
    let news = after.news(&before);
    let wanted = [News::Asked(account("e"), "me".into()), News::Friends(account("b")), News::Declined(account("c"))];
    assert_eq!(news, wanted);
    assert_eq!(after.news(&after), []);
    let mut named = after.clone();
    named.asked.get_mut(&account("e")).expect("asked").profile.name = "E".into();
    assert_eq!(named.news(&after), [], "another name is no other request");
    // Accepting somebody, withdrawing and ending are the owner's own doing.
    let mut done = after.clone();
    done.asked.clear();
    done.asking.clear();
    done.friends.insert(account("d"), Friend { since: 3, ..Friend::default() });
    done.friends.remove(&account("b"));
    assert_eq!(done.news(&after), []);
}

#[test]
fn somebody_is_one_thing_at_a_time() {
    let mut friends = Friends { kept_by_server: true, ..Friends::default() };
    assert_eq!(friends.with(&account("b")), Friendship::None);
    friends.asking.insert(account("b"), asked("", false));
    assert_eq!(friends.with(&account("b")), Friendship::Asking);
    friends.asking.insert(account("b"), asked("", true));
    assert_eq!(friends.with(&account("b")), Friendship::Declined);
    friends.asked.insert(account("b"), asked("", false));
    assert_eq!(friends.with(&account("b")), Friendship::Asked, "what waits for the owner comes first");
    friends.friends.insert(account("b"), Friend::default());
    assert_eq!(friends.with(&account("b")), Friendship::Friends);
    assert_eq!(Friends { kept_by_server: false, ..friends }.with(&account("b")), Friendship::Unknown);
}
