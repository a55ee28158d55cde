use proptest::prelude::*;

use super::*;
use crate::base::model::{Account, MessageText};

fn request(bytes: &[u8]) -> Result<Request, RequestError> {
    Request::decode(bytes, Charset::Utf8).0
}

fn reply(bytes: &[u8]) -> Reply {
    Reply::decode(bytes, &mut Learned::default())
}

/// Of a server that writes neither date nor seconds.
fn clock() -> Learned {
    let mut learned = Learned::default();
    let _ = Reply::decode(b"09:a:12:04:hi", &mut learned);
    assert_eq!(learned.format, TimeFormat::Clock);
    learned
}

#[test]
fn requests_of_the_table_come_back_byte_for_byte() {
    for bytes in [
        "01#20170001#secret#secret#",
        "01#20170001#secret#new secret#new secret#",
        "02#20170001#secret#",
        "03#friend7#你好：#1 #2#",
        "03#@lobby#:x\n#",
        "04#friend7#",
        "04#",
        "05#friend7#",
        "05#",
        "06#",
        "08#",
        "09#",
        "10#Q1#abc#0000#",
        "11#20#",
    ] {
        let decoded = request(bytes.as_bytes());
        assert_eq!(decoded.map(|r| r.encode(Charset::Utf8)), Ok(bytes.as_bytes().to_vec()), "{bytes}");
    }
}

#[test]
fn wild_forms() {
    assert_eq!(request(b"09##"), Ok(Request::TakeAll));
    assert_eq!(request(b"08##"), Ok(Request::CountAll));
    // What `nc` and a C string leave behind.
    for rest in ["\n", "\r\n", "\0", "\n\0\0"] {
        assert_eq!(request(format!("06#{rest}").as_bytes()), Ok(Request::Offline));
        let sent = request(format!("03#a#hi\n#{rest}").as_bytes());
        assert!(matches!(&sent, Ok(Request::Send { body, .. }) if body.text == "hi\n"), "{sent:?}");
        assert!(request(format!("02#a#b{rest}").as_bytes()).is_err(), "a field that is not closed");
    }
    assert_eq!(request(b"06#20170000000"), Err(RequestError::NotClosed { field: 1, at: 14 }));
    for bad in
        ["", "x", "07#", "12#", "1#a#", "01#a#b#", "01#a##b#", "02#a#b", "03#a##", "03#a#", "02#@lobby#x#", "11#x#"]
    {
        assert!(request(bad.as_bytes()).is_err(), "{bad}");
    }
    let flood = format!("02#a#{}#", "p".repeat(4_599));
    assert_eq!(request(flood.as_bytes()), Err(RequestError::TooLong(flood.len())));
    assert!(looks_like_reply(b"00:00") && !looks_like_reply(b"08#"));
}

#[test]
fn replies_of_the_table_come_back_byte_for_byte() {
    for bytes in [
        "00:00",
        "01:01",
        "01:02",
        "01:03",
        "01:04",
        "02:01",
        "02:02",
        "02:03",
        "02:04",
        "03:01",
        "03:02",
        "04:7",
        "05:01",
        "05:friend7:2026-11-21 12:04:58:a:b#c\n",
        "06:01",
        "06:02",
        "07:01",
        "08:12",
        "09:01",
        "09:@lobby:2026-11-21 12:04:58:[七] 你好",
        "10:01:Q1:abc",
        "11:3:1:b:c",
    ] {
        let decoded = reply(bytes.as_bytes());
        assert!(!matches!(decoded, Reply::Other(_)), "{bytes}");
        assert_eq!(decoded.encode(Charset::Utf8), bytes.as_bytes(), "{bytes}");
    }
    for strange in ["", "08:", "08:x", "09:a", "99:01", "hello", "01:05", "02:05"] {
        assert_eq!(reply(strange.as_bytes()), Reply::Other(strange.as_bytes().to_vec()), "{strange}");
    }
}

#[test]
fn times_of_other_servers_are_told_from_the_body() {
    for (time, body, format) in [
        ("2026-11-21 12:04:58", "09:30 meet", TimeFormat::Standard),
        ("2026-11-21T12:04:58.123Z", "a:b", TimeFormat::Iso),
        ("2026-11-21T12:04:58+08:00", "a:b", TimeFormat::Iso),
        ("12:04:58", "hi", TimeFormat::ClockSeconds),
        ("12:04", "hi", TimeFormat::Clock),
        ("Sat Nov 21 12:04:58 2026", "hi", TimeFormat::Ctime),
        ("1795233898.25", "hi", TimeFormat::Epoch),
    ] {
        let bytes = format!("09:a:{time}:{body}");
        let mut learned = Learned::default();
        let decoded = Reply::decode(bytes.as_bytes(), &mut learned);
        let Reply::TakeAll(Some(delivery)) = decoded else { panic!("{bytes}: {decoded:?}") };
        assert_eq!(
            (delivery.time.as_str(), delivery.body.text.as_str(), learned.format),
            (time, body, format),
            "{bytes}"
        );
    }
    let untimed = reply(b"09:a:hi there");
    assert!(matches!(untimed, Reply::TakeAll(Some(d)) if d.body.text == "hi there" && d.time.is_empty()));
    // Learned once, a clock without seconds keeps a body that begins like one.
    let decoded = Reply::decode(b"09:a:12:04:09:30 meet", &mut clock());
    assert!(matches!(decoded, Reply::TakeAll(Some(d)) if d.body.text == "09:30 meet"));
}

/// As the assignment's document prints it: `05:账号1(发送者)：发送时间:消息`.
#[test]
fn a_full_width_colon_behind_the_account_is_a_colon() {
    let mut learned = Learned::default();
    let mut read = |bytes: &[u8]| match Reply::decode(bytes, &mut learned) {
        Reply::Take(Some(d)) | Reply::TakeAll(Some(d)) => (d.from.as_str().to_owned(), d.time, d.body.text),
        other => panic!("{other:?}"),
    };
    let triple = |from: &str, time: &str, text: &str| (from.to_owned(), time.to_owned(), text.to_owned());
    let time = "2026-11-30 22:37:28";
    let gbk = |text: &str| Charset::Gb18030.encode(text);
    for operation in ["05", "09"] {
        let said = format!("{operation}:20180000002：{time}:hello：you: there");
        let expected = triple("20180000002", time, "hello：you: there");
        assert_eq!(read(said.as_bytes()), expected);
        assert_eq!(read(&gbk(&said)), expected);
        assert_eq!(read(&gbk(&format!("{operation}:七号：{time}:好：的"))), triple("七号", time, "好：的"));
        // A name that holds one is a name, and two characters of GBK side by side are no colon.
        assert_eq!(read(format!("{operation}:a：b:{time}:hi").as_bytes()), triple("a：b", time, "hi"));
        assert_eq!(read(&[b"09:\xb5\xa3\xba\xc3:".to_vec(), gbk(&format!("{time}:hi"))].concat()).1, time);
        // Also where the time has another form.
        assert_eq!(read(format!("{operation}:a：2026-11-30 22:37:28.25:x").as_bytes()).1, "2026-11-30 22:37:28.25");
    }
}

#[test]
fn replies_are_read_with_the_rest_of_their_buffers() {
    let padded = |reply: &str, n: usize| [reply.as_bytes(), &vec![0; n]].concat();
    for n in [1, 2, 26, 1_019] {
        for known in ["00:00", "01:01", "02:01", "03:02", "04:12", "05:01", "06:02", "07:01", "08:3", "09:01"] {
            assert_eq!(reply(&padded(known, n)), reply(known.as_bytes()), "{known} and {n} NULs");
            assert_eq!(
                reply(&padded(&format!("{known}\r\n"), n)),
                reply(known.as_bytes()),
                "{known}, a line end, {n} NULs"
            );
            assert!(!matches!(reply(&padded(known, n)), Reply::Other(_)));
        }
        let message = "09:a:2026-11-21 12:04:58:hi\n";
        assert_eq!(reply(&padded(message, n)), reply(message.as_bytes()), "its line end stays");
    }
}

#[test]
fn gbk_is_read_and_stays() {
    let mut bytes = b"03#a#".to_vec();
    bytes.extend_from_slice(&Charset::Gb18030.encode("你好，鸿雁"));
    bytes.push(b'#');
    let (decoded, charset) = Request::decode(&bytes, Charset::Utf8);
    assert_eq!(charset, Charset::Gb18030);
    assert!(matches!(decoded, Ok(Request::Send { body, .. }) if body.text == "你好，鸿雁"));
    // 谢谢 in GBK is valid UTF-8 by accident; once GBK was seen it is read as GBK.
    let thanks = Charset::Gb18030.encode("谢谢");
    assert!(std::str::from_utf8(&thanks).is_ok());
    assert_eq!(charset.decode(&thanks).0, "谢谢");
}

#[test]
fn each_person_has_a_charset_of_their_own() {
    let mut learned = Learned::default();
    let gbk = |text: &str| Charset::Gb18030.encode(text);
    let mut check = |from: &[u8], body: Vec<u8>, text: &str, charset: Charset| {
        let bytes = [b"09:", from, b":2026-11-21 12:04:58:", &body].concat();
        let Reply::TakeAll(Some(delivery)) = Reply::decode(&bytes, &mut learned) else { panic!("{text}") };
        assert_eq!((delivery.body.text.as_str(), learned.charset(&delivery.from)), (text, charset));
    };
    check(b"s", gbk("编程作业"), "编程作业", Charset::Gb18030);
    check(b"s", gbk("谢谢"), "谢谢", Charset::Gb18030);
    check(b"b", "谢谢".into(), "谢谢", Charset::Utf8);
    check(b"s", gbk("ok"), "ok", Charset::Gb18030);
    // A name tells as much as a text.
    check(&gbk("张三"), gbk("谢谢"), "谢谢", Charset::Gb18030);
    check(&gbk("张三"), b"ok".to_vec(), "ok", Charset::Gb18030);
    // Another program under the old name.
    check(b"s", "你好，世界".into(), "你好，世界", Charset::Utf8);
}

#[test]
fn passwords_are_starred_even_when_malformed() {
    for (bytes, shown) in [
        ("01#a#secret#secret#", "01#a#******#******#"),
        ("02#a#secret#", "02#a#******#"),
        ("02#a#secret", "02#a#******"),
        ("02#a#se#cret#", "02#a#******#******#"),
        ("03#a#secret#", "03#a#secret#"),
    ] {
        assert_eq!(show::starred(bytes.as_bytes()), shown.as_bytes());
    }
    assert_eq!(show::request(b"02#20170001#secret#", "en"), "log in as 20170001");
    assert_eq!(show::reply(b"02:01", "zh-CN"), "登录成功");
    // What it was, in the reader's language, with the place.
    let unclosed = show::request(b"06#", "zh-CN") + &show::request(b"03#b#hi", "zh-CN");
    assert_eq!(unclosed, "离线格式错误：第 2 个字段没有用 `#` 结束：请在第 7 字节之后加 `#`");
}

proptest! {
    #[test]
    fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..1_600), op in 0u8..12) {
        let mut led = format!("{op:02}#").into_bytes();
        led.extend_from_slice(&bytes);
        for datagram in [&bytes, &led] {
            for charset in [Charset::Utf8, Charset::Gb18030] {
                let _ = Request::decode(datagram, charset);
                let _ = Reply::decode(datagram, &mut clock());
            }
            let _ = (show::request(datagram, "en"), show::reply(datagram, "en"), show::starred(datagram));
        }
    }

    #[test]
    fn messages_survive_both_ways(text in "\\PC{1,200}", gbk: bool) {
        let charset = if gbk { Charset::Gb18030 } else { Charset::Utf8 };
        let message = MessageText::parse(&text).expect("printable and short");
        let sent = Request::Send { to: Account::lobby(), body: request::Body::new(&message) }.encode(charset);
        if let Ok(Request::Send { body, .. }) = Request::decode(&sent, charset).0 {
            prop_assert_eq!(body.text, text);
        } else {
            // GB18030 may lengthen a text past the limit; nothing else may fail.
            prop_assert!(sent.len() > crate::base::model::MAX_BODY_BYTES);
        }
    }
}

/// The form of the request tells what a code of 01 means; stars do not hide which form it was.
#[test]
fn a_code_of_01_means_what_its_request_asked() {
    for (request, reply, en, zh) in [
        ("01#a#b#b#", "01:01", "registered", "注册成功"),
        ("01#a#b#b#", "01:03", "the account exists", "用户已存在"),
        ("01#a#b#c#c#", "01:01", "the old password is wrong", "旧密码错误"),
        ("01#a#b#c#c#", "01:02", "the new passwords differ", "两次新密码不一致"),
        ("01#a#b#c#c#", "01:03", "password changed", "密码修改成功"),
        ("01#a#b#c#c#", "01:04", "no such account", "用户不存在"),
        ("01#a#b#c#c#", "00:00", "not understood: malformed", "格式错误，服务器不理解"),
    ] {
        for request in [request.as_bytes().to_vec(), show::starred(request.as_bytes())] {
            let shown = request.escape_ascii().to_string();
            assert_eq!(show::answer(&request, reply.as_bytes(), "en"), en, "{shown} {reply}");
            assert_eq!(show::answer(&request, reply.as_bytes(), "zh-CN"), zh, "{shown} {reply}");
        }
    }
    use reply::PasswordChange::{Done, NoSuchAccount, PasswordsDiffer, WrongPassword};
    for (outcome, bytes) in
        [(WrongPassword, b"01:01"), (PasswordsDiffer, b"01:02"), (Done, b"01:03"), (NoSuchAccount, b"01:04")]
    {
        assert_eq!(Reply::from(outcome).encode(Charset::Utf8), bytes);
    }
}
