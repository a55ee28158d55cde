use super::*;

fn listed(account: &str, remark: Option<&str>, group: Option<&str>, blocked: Option<bool>) -> CsvContact {
    let account = Account::person(account).expect("valid");
    CsvContact { account, remark: remark.map(Into::into), group: group.map(Into::into), blocked, friend: true }
}

#[test]
fn class_lists_of_many_makes() {
    let li = || listed("20170001", Some("李雷"), None, None);
    let check = |bytes: &[u8], expected: &[CsvContact]| assert_eq!(parse(bytes).as_deref(), Ok(expected));
    check("20170001,李雷\n".as_bytes(), &[li()]);
    check("学号,姓名\r\n20170001,李雷\r\n".as_bytes(), &[li()]);
    check(b"20170001,\xc0\xee\xc0\xd7\n", &[li()]);
    check(
        "\u{feff}account,remark,group,blocked\n\"a,b\",x,\"g\",yes\n".as_bytes(),
        &[listed("a,b", Some("x"), Some("g"), Some(true))],
    );
    check("序号,姓名,学号\n1,李雷,20170001\n".as_bytes(), &[li()]);
    let stranger = CsvContact { friend: false, ..listed("s", Some(""), Some(""), Some(true)) };
    check("账号,备注,分组,屏蔽,好友\ns,,,是,否\n".as_bytes(), &[stranger]);
    check(b"", &[]);
    for (bad, line) in [("a,b\nx:y,z\n", "line 2"), ("a,b,c,maybe\n", "line 1"), ("账号,好友\na,maybe\n", "line 2")]
    {
        assert!(parse(bad.as_bytes()).is_err_and(|e| e.starts_with(line)), "{bad}");
    }
}

#[test]
fn what_is_written_is_read_again() {
    let dir = tempfile::tempdir().expect("a folder");
    let path = dir.path().join("list.csv");
    let contact = |account: &str, remark: &str, group: &str, blocked| {
        let account = Account::person(account).expect("valid");
        Contact { account, remark: remark.into(), group: group.into(), blocked }
    };
    let friends = [contact("a", "七号, \"友\"", "网络课", false), contact("b", "", "", true)];
    let list: Vec<_> = friends.into_iter().chain([contact("s", "", "", true)]).zip([true, true, false]).collect();
    write(&path, &list).expect("written");
    let read: Vec<_> = read(&path).expect("read").into_iter().collect();
    let same = |l: &CsvContact, (c, friend): &(Contact, bool)| {
        let expected = listed(c.account.as_str(), Some(&c.remark), Some(&c.group), Some(c.blocked));
        *l == CsvContact { friend: *friend, ..expected }
    };
    assert!(read.len() == 3 && read.iter().zip(&list).all(|(l, c)| same(l, c)), "{read:?}");
}
