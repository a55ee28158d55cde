use super::*;
use crate::protocol::wire::Charset;

fn never(error: AskError) {
    panic!("there is no server: {error}");
}

#[test]
fn a_class_list_is_all_or_nothing() {
    let dir = tempfile::tempdir().expect("a folder");
    let file = dir.path().join("class.csv");
    let data = dir.path().join("data");
    std::fs::write(&file, "account,password\na,x\nb#,y\n").expect("written");
    assert!(matches!(import(&data, &file, 0), Err(AdminError::Field { line: 3, field: "account", .. })));
    assert_eq!(list(&data, never).expect("readable"), []);
    // As spreadsheets save it: with a mark at the beginning, or in GBK.
    std::fs::write(&file, "\u{feff}account,password\r\n学号1,x\r\n").expect("written");
    assert_eq!(import(&data, &file, 0).expect("imported").to_string(), "1 new account");
    std::fs::write(&file, Charset::Gb18030.encode("学号1,x\n学号2,x\n")).expect("written");
    let said = "1 new account; 1 was there before and keeps its password";
    assert_eq!(import(&data, &file, 0).expect("imported").to_string(), said);
    let names: Vec<String> = list(&data, never).expect("readable").into_iter().map(|row| row.name).collect();
    assert_eq!(names, ["学号1", "学号2"]);
    // Of one twice nobody knows which password is meant, also where it is written in two ways.
    for (text, why) in [
        ("account,password\na,x\nb,y\na,z\n", "line 4: the account a is on line 2 already; nothing was imported"),
        ("é,x\ne\u{301},x\n", "line 2: the account é is on line 1 already; nothing was imported"),
    ] {
        std::fs::write(&file, text).expect("written");
        assert_eq!(import(&data, &file, 0).expect_err("twice").to_string(), why);
    }
    std::fs::write(&file, "account,password\na,x\nb,y\n学号1,z\n学号2,z\n").expect("written");
    let said = "2 new accounts; 2 were there before and keep their passwords";
    assert_eq!(import(&data, &file, 0).expect("imported").to_string(), said);
    for on in [true, true, false] {
        secure_only(&data, "b", on).expect("there");
        let all: Vec<_> =
            list(&data, never).expect("readable").into_iter().map(|row| (row.name, row.secure_only)).collect();
        assert_eq!(all[..2], [("a".to_owned(), false), ("b".to_owned(), on)]);
    }
    assert!(matches!(secure_only(&data, "x", true), Err(AdminError::NoSuchAccount(_))));
    delete(&data, "a").expect("deleted");
    assert!(matches!(delete(&data, "a"), Err(AdminError::NoSuchAccount(_))));
    let copy = dir.path().join("copy.sqlite");
    backup(&data, &copy).expect("written");
    assert!(matches!(backup(&data, &copy), Err(AdminError::Exists(_))));
}

/// A directory that cannot be read cannot be synced; root can read any.
#[cfg(unix)]
#[test]
fn a_backup_whose_name_may_be_lost_is_none() {
    use std::os::unix::fs::PermissionsExt;
    let dir = tempfile::tempdir().expect("a folder");
    let (data, folder) = (dir.path().join("data"), dir.path().join("write only"));
    drop(Store::open(&data).expect("new"));
    std::fs::create_dir(&folder).expect("made");
    std::fs::set_permissions(&folder, std::fs::Permissions::from_mode(0o300)).expect("set");
    let (copy, readable) = (folder.join("copy"), std::fs::File::open(&folder).is_ok());
    let done = backup(&data, &copy);
    assert_eq!((done.is_ok(), copy.exists()), (readable, readable), "{done:?}");
    std::fs::set_permissions(&folder, std::fs::Permissions::from_mode(0o700)).expect("set");
}

#[test]
fn a_mistyped_directory_is_not_made() {
    let dir = tempfile::tempdir().expect("a folder");
    let data = dir.path().join("mistyped");
    let password = Password::parse("x").expect("valid");
    let all = [
        list(&data, never).err(),
        backup(&data, &dir.path().join("copy")).err(),
        reset(&data, "a", &password).err(),
        delete(&data, "a").err(),
        secure_only(&data, "a", true).err(),
    ];
    for error in all {
        assert!(matches!(error, Some(AdminError::Store(StoreError::Missing(_)))), "{error:?}");
    }
    assert!(!data.exists());
}
