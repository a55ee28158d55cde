use super::*;
use crate::base::model::SendState;
use crate::client::history::{Done, Op, Read, Write};
use crate::client::session::StoreToken;

fn account(name: &str) -> Account {
    Account::sanitised(name)
}

fn received(token: u64, from: &str, text: &str) -> Op {
    Op::Write(Write::Received {
        token: StoreToken::Secure(token),
        from: account(from),
        server_time: String::new(),
        text: text.to_owned(),
        raw: Vec::new(),
        repeat: false,
        unix_ms: 0,
        pushed: None,
        handed: None,
    })
}

#[test]
fn whoever_is_taken_off_the_list_is_off_it_until_they_write() {
    let dir = tempfile::tempdir().expect("a folder");
    let database = Database::open(&dir.path().join("a.sqlite")).expect("new");
    let friend = Contact { account: account("b"), remark: "友".into(), group: "课".into(), blocked: false };
    database.run(&[Op::Write(Write::Contact(friend.clone())), received(1, "b", "hi"), received(2, "s", "buy")]);
    let list = || match database.run(&[Op::Read(Read::Conversations)]).pop() {
        Some(Done::Conversations(list, _)) => {
            let row = |c: Conversation| (c.contact.account.to_string(), c.stranger, c.unread);
            list.into_iter().map(row).collect::<Vec<_>>()
        }
        other => panic!("{other:?}"),
    };
    let texts =
        |name: &str| match database.run(&[Op::Read(Read::Page { peer: account(name), first: 0, count: 9 })]).pop() {
            Some(Done::Page { rows, .. }) => rows.into_iter().map(|row| row.text).collect::<Vec<_>>(),
            other => panic!("{other:?}"),
        };
    let forget = |name: &str, messages| Op::Write(Write::Forget { account: account(name), messages });
    database.run(&[forget("b", false), forget("s", false)]);
    assert_eq!((list(), texts("b"), texts("s")), (vec![], vec!["hi".to_owned()], vec!["buy".to_owned()]));
    // Their next message is a stranger's, with what was said before; as a friend they have all of it too.
    database.run(&[received(3, "s", "again")]);
    assert_eq!((list(), texts("s").len()), (vec![("s".to_owned(), true, 1)], 2));
    database.run(&[Op::Write(Write::Contact(friend))]);
    assert_eq!(list().last(), Some(&("b".to_owned(), false, 0)));
    // With their messages; what was not sent yet is still to be sent.
    let waits = Op::Write(Write::Outgoing { request: 1, to: account("b"), text: "later".into(), unix_ms: 0 });
    database.run(&[waits, forget("b", true), forget("s", true)]);
    assert_eq!((texts("b"), texts("s")), (vec!["later".to_owned()], vec![]));
    assert!(matches!(&database.run(&[Op::Write(Write::Outbox)])[..], [Done::Outbox(unsent)] if unsent.len() == 1));
}

#[test]
fn who_is_shown_again_is_what_they_were() {
    let dir = tempfile::tempdir().expect("a folder");
    let path = dir.path().join("a.sqlite");
    let database = Database::open(&path).expect("new");
    let block = |name: &str, blocked| Op::Write(Write::Block { account: account(name), blocked });
    let friend = Contact { account: account("b"), remark: "友".into(), group: "课".into(), blocked: false };
    database.run(&[Op::Write(Write::Contact(friend.clone())), received(1, "b", "hi"), received(2, "s", "buy")]);
    let list = |database: &Database| match database.run(&[Op::Read(Read::Conversations)]).pop() {
        Some(Done::Conversations(list, more)) => {
            assert_eq!(more, MoreStrangers::default());
            let row = |c: Conversation| (c.contact.account.to_string(), c.stranger, c.contact.blocked, c.unread);
            list.into_iter().map(row).collect::<Vec<_>>()
        }
        other => panic!("{other:?}"),
    };
    let row = |name: &str, stranger, blocked, unread| (name.to_owned(), stranger, blocked, unread);
    let before = [row("s", true, false, 1), row("b", false, false, 1)];
    assert_eq!(list(&database), before);
    // Also somebody who has never written.
    database.run(&[block("b", true), block("s", true), block("s", true), block("t", true)]);
    let blocked = [row("s", true, true, 0), row("b", false, true, 0), row("t", true, true, 0)];
    assert_eq!(list(&database), blocked);
    database.run(&[received(3, "s", "buy more")]);
    // A list of them says it in another history too.
    let file = dir.path().join("list.csv");
    database.run(&[Op::Read(Read::Export(file.clone()))]);
    let other = Database::open(&dir.path().join("b.sqlite")).expect("new");
    assert_eq!(other.run(&[Op::Write(Write::Import { path: file, own: account("me") })]), [Done::Imported(Ok(3))]);
    let names = [row("b", false, true, 0), row("s", true, true, 0), row("t", true, true, 0)];
    assert_eq!(list(&other), names);
    // And nobody becomes a friend by it.
    assert_eq!(
        other.run(&[Op::Write(Write::Import { path: dir.path().join("list.csv"), own: account("me") })]),
        [Done::Imported(Ok(3))]
    );
    assert_eq!(list(&other), names);
    drop(database);
    let database = Database::open(&path).expect("again");
    database.run(&[block("s", false), block("b", false), block("t", false), block("u", false)]);
    assert_eq!(list(&database), [row("s", true, false, 2), row("b", false, false, 1)]);
    assert_eq!(database.contacts(), Ok(vec![(friend, true)]));
    // A draft belongs to its recipient, even without any message; it disappears once it is sent or deleted.
    let draft = |name: &str, text: &str| Op::Write(Write::Draft { peer: account(name), text: text.to_owned() });
    database.run(&[draft("b", "to b"), draft("new", "to new"), draft("s", "gone"), draft("s", " \n")]);
    let Some(Done::Conversations(drafts, _)) = database.run(&[Op::Read(Read::Conversations)]).pop() else {
        panic!("a list")
    };
    let drafts: Vec<_> = drafts.iter().map(|c| (c.contact.account.as_str(), c.draft.as_deref())).collect();
    assert_eq!(drafts, [("s", None), ("b", Some("to b")), ("new", Some("to new"))]);
    database.run(&[draft("new", "")]);
    // What was never on its way can be taken back, and is as if it had not been written; what was cannot.
    let write =
        |to: &str| Op::Write(Write::Outgoing { request: 1, to: account(to), text: "oops".into(), unix_ms: i64::MAX });
    let kept = database.run(&[write("b"), write("z"), write("b")]);
    let ids: Vec<_> =
        kept.iter().map(|d| if let Done::Kept { id: Some(id), .. } = d { *id } else { panic!() }).collect();
    let on_its_way = Op::Write(Write::State { id: ids[2], state: SendState::Sending, secure: true });
    let back = database.run(&[
        on_its_way,
        Op::Write(Write::Withdraw(ids.clone())),
        Op::Write(Write::Withdraw(vec![ids[0], ids[1]])),
    ]);
    assert_eq!(back[1..], [Done::Withdrawn(false), Done::Withdrawn(true)]);
    assert_eq!(list(&database), [row("b", false, false, 1), row("s", true, false, 2)]);
    database.connection.execute("UPDATE messages SET state = 0", []).expect("as if");
    assert_eq!(database.run(&[Op::Write(Write::Withdraw(vec![ids[2]]))]), [Done::Withdrawn(true)]);
    assert_eq!(list(&database), [row("s", true, false, 2), row("b", false, false, 1)]);
    // Who is added while blocked is a friend from then on.
    let added = Contact { account: account("s"), remark: String::new(), group: String::new(), blocked: true };
    database.run(&[block("s", true), Op::Write(Write::Contact(added)), block("s", false)]);
    assert_eq!(list(&database), [row("s", false, false, 2), row("b", false, false, 1)]);
}
