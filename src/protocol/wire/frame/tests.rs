use proptest::prelude::*;

use super::*;

#[test]
fn frames_read_as_they_are_written() {
    let device = Key([7; 16]);
    let digits = "07".repeat(16);
    let login = FromClient::Login {
        id: 1,
        account: "20170001".into(),
        password: Secret("secret".into()),
        device,
        cursor: None,
        made: None,
    };
    let text =
        format!(r#"{{"t":"login","id":1,"account":"20170001","password":"secret","device":"{digits}","cursor":null}}"#);
    assert_eq!(String::from_utf8(login.encode()).expect("UTF-8"), text);
    assert_eq!(FromClient::decode(text.as_bytes()).expect("a login"), login);
    let shown = format!("{login:?}");
    assert!(!shown.contains("secret") && !shown.contains(&digits), "{shown}");
    let frames = [
        (
            FromClient::Send { counter: 9, to: "b".into(), text: "你好".into(), after: None, made: None },
            r#"{"t":"send","counter":9,"to":"b","text":"你好"}"#,
        ),
        (
            FromClient::Send { counter: 9, to: "b".into(), text: "你好".into(), after: Some(7), made: None },
            r#"{"t":"send","counter":9,"to":"b","text":"你好","after":7}"#,
        ),
        (FromClient::Ack { cursor: 5 }, r#"{"t":"ack","cursor":5}"#),
        (FromClient::Delivered { version: 0 }, r#"{"t":"delivered","version":0}"#),
    ];
    for (frame, text) in frames {
        assert_eq!(String::from_utf8(frame.encode()).expect("UTF-8"), text);
        assert_eq!(FromClient::decode(text.as_bytes()).expect("a frame"), frame);
    }
    let settings =
        FromServer::AccountSettings { id: 4, settings: AccountSettings { beside: true, ..Default::default() } };
    assert_eq!(settings.encode(), br#"{"t":"account_settings","id":4,"beside":true,"secure_only":false}"#);
    assert_eq!(FromServer::decode(&settings.encode()).expect("a frame"), settings);
    let delivered = FromServer::Delivered { version: 9, rows: [("b".to_owned(), [3, 45])].into() };
    assert_eq!(delivered.encode(), br#"{"t":"delivered","version":9,"rows":{"b":[3,45]}}"#);
    assert_eq!(FromServer::decode(&delivered.encode()).expect("a frame"), delivered);
    // What a server of before says of a message of before.
    let past = br#"{"t":"history","id":8,"messages":[{"row":1,"from":"a","at":2,"text":"x"}],"more":false}"#;
    let Ok(FromServer::History { messages, .. }) = FromServer::decode(past) else { panic!("a page") };
    assert_eq!(messages.first().map(|past| (past.online, past.delivered)), Some((None, false)));
    let refused = FromServer::Refused { counter: 3, code: Code::IdConflict, wait: None, reason: None, made: None };
    assert_eq!(refused.encode(), br#"{"t":"refused","counter":3,"code":"id_conflict"}"#);
    let later = br#"{"t":"refused","counter":3,"code":"try_later","reason":"of a later version"}"#;
    let reason = Some(Reason::Unknown);
    let refused = FromServer::Refused { counter: 3, code: Code::TryLater, wait: None, reason, made: None };
    assert_eq!(FromServer::decode(later).expect("read all the same"), refused);
    assert_eq!(FromServer::decode(&refused.encode()).expect("a frame"), refused);
}

#[test]
fn what_is_shown_lets_nobody_in() {
    let (device, key) = (Key([7; 16]), Key([9; 32]));
    let (id, cursor, password) = (1, None, || Secret("hunter2".into()));
    let account = || "a".to_owned();
    let frames = [
        FromClient::Register { id, account: account(), password: password(), name: None }.starred(),
        FromClient::Login { id, account: account(), password: password(), device, cursor, made: None }.starred(),
        FromClient::Resume { id, account: account(), device, proof: key, cursor }.starred(),
        FromServer::LoggedIn { id, token: Some(key), highest: 0, ended: None, start: None, made: None }.starred(),
    ];
    for frame in frames {
        let text = String::from_utf8(frame).expect("UTF-8");
        let secret = text.contains("hunter2") || text.contains(&key.digits());
        assert!(text.contains(r#":"******""#) && !secret, "{text}");
    }
    let plain = FromClient::Ack { cursor: 5 };
    assert_eq!(plain.starred(), plain.encode());
}

#[test]
fn what_later_versions_say_is_skipped() {
    let known = FromClient::decode(br#"{"t":"ack","cursor":5,"colour":"red"}"#).expect("known");
    assert_eq!(known, FromClient::Ack { cursor: 5 });
    assert_eq!(FromClient::decode(br#"{"t":"dance","with":1}"#).expect("a frame"), FromClient::Unknown);
    assert_eq!(FromServer::decode(br#"{"t":"dance"}"#).expect("a frame"), FromServer::Unknown);
    let error = FromServer::decode(br#"{"t":"error","id":1,"code":"tired"}"#).expect("a frame");
    assert_eq!(error, FromServer::Error { id: 1, code: Code::Unknown, reason: None, wait: None });
    for wrong in [&b"{}"[..], b"", b"[]", b"03#a#b#", br#"{"t":"ack"}"#, br#"{"t":"ack","cursor":-1}"#] {
        assert!(FromClient::decode(wrong).is_err());
    }
}

proptest! {
    #[test]
    fn any_bytes_are_read_without_harm(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = (FromClient::decode(&bytes), FromServer::decode(&bytes));
    }

    #[test]
    fn any_text_comes_through(text in ".*", counter in any::<u64>(), after in any::<Option<u64>>()) {
        let frame = FromClient::Send { counter, to: text.clone(), text, after, made: None };
        prop_assert_eq!(FromClient::decode(&frame.encode()).ok(), Some(frame));
    }
}
