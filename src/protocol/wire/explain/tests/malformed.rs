//! Requests that are refused, and the advice that each of them gets.

use super::*;

/// What is refused, and what is said about it.
#[test]
#[expect(clippy::too_many_lines, reason = "a table: one line a request")]
fn malformed_requests_are_told_what_would_have_been_right() {
    let long = [b"02#a#".as_slice(), &[b'p'; 4_599], b"#"].concat();
    let long_account = format!("04#{}#", "x".repeat(65));
    let long_chinese = format!("03#{}#x#", "鸿".repeat(22));
    let long_message = format!("03#b#{}#", "m".repeat(940));
    let table: &[(&[u8], &[&str])] = &[
        (b"", &["after byte 0: the datagram is empty; a request begins with two digits and `#`, like `08#`"]),
        (&long, &["bytes 1401–4605: 4605 bytes, but at most 1400 are read; shorten it by 3205"]),
        (b"8#", &["byte 1: an operation has two digits; put a `0` before it"]),
        (b"8", &["byte 1: an operation has two digits; put a `0` before it"]),
        (b"008#", &["byte 3: an operation has only two digits, followed by `#`"]),
        (b"20170001#x#", &["bytes 3–8: an operation has only two digits, followed by `#`"]),
        (b"08", &["the operation is not closed: add `#` after byte 2"]),
        (b"08\n", &["the operation is not closed: add `#` after byte 2"]),
        (b"02 a b", &["byte 3: `#` must be here, to close the operation"]),
        (b"08:", &["byte 3: with `:` here this is a reply, which no server answers; a request has `#` here"]),
        (b"02:a:b", &["byte 3: with `:` here this is a reply, which no server answers; a request has `#` here"]),
        (b"O8#", &["byte 1: a request begins with the two digits of its operation, like `08#`"]),
        (b"0l#", &["byte 2: a request begins with the two digits of its operation, like `08#`"]),
        (b" 08#", &["byte 1: a request begins with the two digits of its operation, like `08#`"]),
        ("０８#".as_bytes(), &["bytes 1–3: `０` is a full-width character; write `0`"]),
        ("08＃".as_bytes(), &["bytes 3–5: `＃` is a full-width character; write `#`"]),
        (b"\xef\xbb\xbf08#", &["bytes 1–3: this is a byte order mark; begin with the first digit of the operation"]),
        (b"0\x008\0#\0", &["byte 2: this is UTF-16; encode it as UTF-8, with one byte for each digit and `#`"]),
        (
            b"\xff\xfe0\x008\0#\0",
            &["bytes 1–2: this is UTF-16; encode it as UTF-8, with one byte for each digit and `#`"],
        ),
        (b"07#", &["bytes 1–2: 07 appears in replies only; requests are 01–06, 08 and 09"]),
        (
            b"12#a#",
            &["bytes 1–2: there is no operation 12; requests are 01–06, 08 and 09, and 10 and 11 on this server"],
        ),
        (b"06#20170000000", &["bytes 4–14: 06 has no fields; leave this out and send `06#`"]),
        (b"06#20170000000#", &["bytes 4–15: 06 has no fields; leave this out and send `06#`"]),
        (b"08# ", &["byte 4: 08 has no fields; leave this out and send `08#`"]),
        (b"09###", &["bytes 4–5: 09 has no fields; leave this out and send `09#`"]),
        (b"04##", &["after byte 3: field 1 is empty; name a friend, or send `04#` for anyone's"]),
        (b"04#a#b#", &["bytes 6–7: 04 has one field, `04#friend#`; leave this out"]),
        (
            b"05#a:b#",
            &[
                "byte 5: field 1, friend, cannot contain `:`, which separates the fields of replies 05 and 09; choose another \
               character",
            ],
        ),
        (b"04#a\tb#", &["byte 5: field 1, friend, cannot contain the control character U+0009; leave it out"]),
        (
            long_account.as_bytes(),
            &["byte 68: field 1, friend, has 65 bytes of UTF-8, at most 64 are allowed; cut it before this byte"],
        ),
        (
            long_chinese.as_bytes(),
            &["bytes 67–69: field 1, receiver, has 66 bytes of UTF-8, at most 64 are allowed; cut it before this byte"],
        ),
        (b"01#a#b#", &["field 3, password again, is missing: write `01#account#password#password again#`"]),
        (b"01#a#b#b", &["field 3 is not closed: add `#` after byte 8"]),
        (b"01##b#b#", &["after byte 3: field 1, account, is empty; put something before its `#`"]),
        (b"01#a##b#", &["after byte 5: field 2, password, is empty; put something before its `#`"]),
        (b"01#@a#b#b#", &["byte 4: `@` begins the name of a room, not of an account; leave it out"]),
        (
            b"01#a#b#c#c#c#",
            &["bytes 12–13: 01 has 3 fields, `01#account#password#password again#`, or 4 to change a password, \
                 `01#account#old password#new password#new password again#`; leave this out. Or is there a `#` in a \
                 password? It cannot contain one"],
        ),
        (b"01#a#b#c#c", &["field 4 is not closed: add `#` after byte 10"]),
        (b"01#a#b##c#", &["after byte 7: field 3, new password, is empty; put something before its `#`"]),
        (
            b"01#a#b#c#\n#",
            &["byte 10: field 4, password again, cannot contain a control character; leave it out (a newline from \
                 fgets?)"],
        ),
        (b"02#20170001#secret", &["field 2 is not closed: add `#` after byte 18"]),
        (b"02#a#secret\n", &["field 2 is not closed: add `#` after byte 11"]),
        (
            b"02#a#secret\n#",
            &["byte 12: field 2, password, cannot contain a control character; leave it out (a newline from fgets?)"],
        ),
        (b"02#20170001#", &["field 2, password, is missing: write `02#account#password#`"]),
        (
            b"02#20170001",
            &[
                "field 1 is not closed: add `#` after byte 11",
                "field 2, password, is missing: write `02#account#password#`",
            ],
        ),
        ("02#a#b＃".as_bytes(), &["bytes 7–9: `＃` is a full-width character; write `#`"]),
        (b"03#b#hi", &["field 2 is not closed: add `#` after byte 7"]),
        (
            b"03#b#hi#x",
            &[
                "byte 8: a `#` in the message; here the last one ends it, but another server may cut the message at this one",
                "field 2 is not closed: add `#` after byte 9",
            ],
        ),
        (b"03#b#", &["field 2, message, is missing: write `03#receiver#message#`"]),
        (b"03#b##", &["after byte 5: field 2, message, is empty; put something before its `#`"]),
        (
            long_message.as_bytes(),
            &["bytes 942–945: field 2, message, has 940 bytes of UTF-8, at most 936 are allowed; cut it before this \
               byte"],
        ),
        (b"10#Q2#a#b#", &["bytes 4–5: the only version is `Q1`; write `10#Q1#nonce#padding#`"]),
        (b"11#x#", &["byte 4: the offset is a decimal number, like `11#0#`"]),
        (b"11#+#", &["byte 4: the offset is a decimal number, like `11#0#`"]),
        (b"11#99999999999999999999#", &["bytes 4–23: the offset is out of range; begin with `11#0#`"]),
    ];
    for (datagram, expected) in table {
        let shown = datagram.escape_ascii();
        assert_eq!(advice(datagram, Charset::Utf8, "en"), *expected, "{shown}");
        assert!(!explain(datagram, Charset::Utf8).is_request(), "{shown}");
        assert!(Request::decode(datagram, Charset::Utf8).0.is_err(), "{shown}");
    }
    assert_eq!(advice(b"03#b#hi", Charset::Utf8, "zh-CN"), ["第 2 个字段没有用 `#` 结束：请在第 7 字节之后加 `#`"]);
}
