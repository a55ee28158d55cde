mod malformed;

use proptest::prelude::*;

use super::*;
use crate::base::model::FieldError;
use crate::protocol::wire::{Request, RequestError};

const LOCALES: [&str; 2] = ["en", "zh-CN"];

fn advice(datagram: &[u8], charset: Charset, locale: &str) -> Vec<String> {
    let explained = explain(datagram, charset);
    explained.findings.iter().map(|f| f.advice(&explained, locale)).collect()
}

/// What is served and worth a word.
#[test]
fn wild_forms_are_noted() {
    use Charset::{Gb18030, Utf8};
    let table: &[(&[u8], Charset, &[Rule])] = &[
        (b"08#", Utf8, &[]),
        (b"02#20170001#secret#", Utf8, &[]),
        (b"03#b#09:30 meet#", Utf8, &[]),
        (b"08##", Utf8, &[Rule::ClosedTwice]),
        (b"09##\n", Utf8, &[Rule::ClosedTwice, Rule::LineEnd]),
        (b"04#", Utf8, &[Rule::Bare]),
        (b"05#\0", Utf8, &[Rule::Bare, Rule::LineEnd]),
        (b"06#\r\n", Utf8, &[Rule::LineEnd]),
        (b"03#b#hi\n#", Utf8, &[Rule::MessageLineEnd]),
        (b"03#b#hi\r\n#\n", Utf8, &[Rule::MessageLineEnd, Rule::LineEnd]),
        (b"03#b#a#b#", Utf8, &[Rule::HashInMessage]),
        (b"03#b#\xc4\xe3\xba\xc3#", Utf8, &[Rule::NotUtf8]),
        (b"03#b#\xc4\xe3\xba\xc3#", Gb18030, &[]),
        (b"03#b#\xd0\xbb\xd0\xbb#", Gb18030, &[Rule::StillGb18030]),
        ("03#b#你好#".as_bytes(), Gb18030, &[]),
        (b"03#b#hi\xff#", Utf8, &[Rule::Undecodable]),
        (b"11#0#", Utf8, &[Rule::Extension]),
        (b"11#+5#", Utf8, &[Rule::Extension, Rule::PlusSign]),
        (b"10#Q1#n#000#", Utf8, &[Rule::Extension]),
        (b"03#@lobby#hi#", Utf8, &[Rule::Extension]),
        (b"01#a#b#c#", Utf8, &[Rule::ConfirmDiffers]),
        (b"01#a#b#c#c#", Utf8, &[Rule::ChangesPassword]),
        (b"01#a#b#c#b#", Utf8, &[Rule::ChangesPassword, Rule::ConfirmDiffers]),
    ];
    for (datagram, charset, expected) in table {
        let explained = explain(datagram, *charset);
        let found: Vec<Rule> = explained.findings.iter().map(|f| f.rule).collect();
        assert_eq!(found, *expected, "{}", datagram.escape_ascii());
        assert!(explained.is_request(), "{}", datagram.escape_ascii());
    }
}

#[test]
fn lines_mark_what_was_found_below_wide_characters_too() {
    let lines = explain("03#七号#你好#x".as_bytes(), Charset::Utf8).lines("zh-CN", Colour::None);
    assert_eq!(
        lines,
        [
            "03#七号#你好#x",
            "            ^ ^",
            "03（发消息）格式错误 · 收信人 七号 (第 4–9 字节) · 消息 (第 11–18 字节)",
            "! 第 17 字节：消息中有 `#`；本服务器以最后一个 `#` 为结尾，别的服务器可能在此截断消息 [messages]",
            "✗ 第 2 个字段没有用 `#` 结束：请在第 18 字节之后加 `#` [datagram]",
        ]
    );
    let lines = explain(b"02#20170001#secret#", Charset::Utf8).lines("en", Colour::None);
    assert_eq!(
        lines,
        ["02#20170001#******#", "log in as 20170001 · account 20170001 (bytes 4–11) · password ****** (bytes 13–18)",]
    );
    let coloured = explain(b"02#20170001#secret", Charset::Utf8).lines("en", Colour::Ansi).join("\n");
    assert!(coloured.contains("\x1b[31m✗ field 2 is not closed"), "{coloured:?}");
    let long = format!("03#b#{}:{}", "x".repeat(400), "y".repeat(400));
    let lines = explain(long.as_bytes(), Charset::Utf8).lines("en", Colour::None);
    assert!(lines[0].chars().count() < 120 && lines[0].contains('…'), "{}", lines[0]);
    assert_eq!(lines[1].len(), lines[0].chars().count() + 1, "the mark stands behind the last character");
    assert_eq!(
        explain(b"99#", Charset::Utf8).lines("en", Colour::None).last().map(String::as_str),
        Some("no answer: the server never answers this")
    );
}

#[test]
fn json_is_for_machines() {
    let value = explain(b"02#a#secret", Charset::Utf8).json("en");
    assert_eq!(
        value,
        serde_json::json!({
            "operation": 2,
            "request": false,
            "answered": true,
            "meaning": "malformed 02 (log in)",
            "form": "02#account#password#",
            "size": 11,
            "charset": "UTF-8",
            "datagram": "02#a#******",
            "fields": [
                {"name": "account", "bytes": [3, 4], "text": "a", "closed": true},
                {"name": "password", "bytes": [5, 11], "text": "******", "closed": false},
            ],
            "findings": [{
                "breaks": true,
                "rule": "not_closed",
                "section": "datagram",
                "bytes": [11, 11],
                "advice": "field 2 is not closed: add `#` after byte 11",
            }],
        })
    );
}

/// Everything that is ever said about a datagram.
fn everything(datagram: &[u8], charset: Charset) -> String {
    let explained = explain(datagram, charset);
    let mut all = format!("{explained:?}\n{}\n", explained.shown());
    for locale in LOCALES {
        all.push_str(&explained.lines(locale, Colour::Ansi).join("\n"));
        all.push_str(&explained.json(locale).to_string());
    }
    all
}

#[test]
fn passwords_are_never_shown() {
    for datagram in [
        "01#a#secret#secret#",
        "01#a#secret#other#",
        "01#a#secret#secret#secret#",
        "01#a#secret#secrets#secrets",
        "01#a#secret#secrets#secrets#secret#",
        "02#a#secret",
        "02#a#secret\n",
        "02#a#sec\tret#",
        "02#a#se#cret#",
        "02#asecret#",
        "02#asecret",
        "02#a,secret#",
        "02#a:secret#x#",
        "02#a＃secret＃",
        "02＃a＃secret＃",
        "02#a\0secret\0",
        "2#a#secret#",
        "002#a#secret#",
        "02 a secret",
        "02secret",
        "02:a:secret",
        "０2#a#secret#",
        "\u{feff}02#a#secret#",
        "login a secret",
        "12#a#secret#",
        "07#secret#",
        "02\n#a#secret#",
        &format!("02#a#{}#", "secret".repeat(300)),
    ] {
        for charset in [Charset::Utf8, Charset::Gb18030] {
            let all = everything(datagram.as_bytes(), charset);
            assert!(!all.contains("ecre") && !all.contains("cret") && !all.contains("secr"), "{datagram}: {all}");
        }
    }
    let long = format!("02##{}#", "secret".repeat(300));
    assert_eq!(explain(long.as_bytes(), Charset::Utf8).shown(), "02#******");
    let utf16: Vec<u8> = "02#a#secret#".encode_utf16().flat_map(u16::to_le_bytes).collect();
    let all = everything(&utf16, Charset::Utf8);
    assert!(!all.contains("s\\0e") && !all.contains("#\\0a"), "{all}");
}

/// Which finding a decoder's error must be among.
fn agrees(error: &RequestError, finding: &Diagnostic) -> bool {
    match (error, finding.rule) {
        (
            RequestError::NoOperation,
            Rule::Empty
            | Rule::ByteOrderMark
            | Rule::Utf16
            | Rule::FullWidth { .. }
            | Rule::LooksLikeReply
            | Rule::OneDigit
            | Rule::ManyDigits
            | Rule::NotADigit
            | Rule::OperationNotClosed,
        )
        | (RequestError::UnknownOperation(_), Rule::ReplyOnly { .. } | Rule::UnknownOperation { .. })
        | (RequestError::NotClosed { .. }, Rule::NotClosed { .. } | Rule::Surplus { .. } | Rule::FullWidth { .. })
        | (RequestError::FieldCount { .. }, Rule::Missing { .. } | Rule::Surplus { .. } | Rule::UnknownVersion) => true,
        (RequestError::TooLong(n), Rule::TooLong { got }) => *n == got,
        (RequestError::Field { field, at, error }, rule) => match (error, rule) {
            (FieldError::Empty, Rule::EmptyField { field: f, .. }) => *field == f && *at == finding.bytes.start,
            (FieldError::TooLong { got: g, max: m }, Rule::FieldTooLong { field: f, got, max, .. }) => {
                (*field, *g, *m) == (f, got, max)
            }
            (FieldError::Forbidden { found }, Rule::Forbidden { field: f, found: said, .. }) => {
                *field == f && said.is_none_or(|c| c == *found) && *at <= finding.bytes.start
            }
            (FieldError::Forbidden { .. }, Rule::NotANumber | Rule::NumberTooBig) => true,
            (FieldError::Forbidden { .. }, Rule::EmptyField { name: Name::Offset, .. }) => true,
            (FieldError::Reserved, Rule::Reserved) => *at == finding.bytes.start,
            (FieldError::Name(why), Rule::Name { why: said }) => *why == said && *at <= finding.bytes.start,
            _ => false,
        },
        _ => false,
    }
}

fn check(datagram: &[u8], charset: Charset) -> Result<(), TestCaseError> {
    let explained = explain(datagram, charset);
    let (decoded, seen) = Request::decode(datagram, charset);
    let shown = datagram.escape_ascii().to_string();
    prop_assert_eq!(explained.is_request(), decoded.is_ok(), "{}: {:?} {:?}", shown, decoded, explained.findings);
    match &decoded {
        Ok(request) => {
            prop_assert_eq!(explained.charset, seen);
            prop_assert_eq!(explained.operation, Some(request.operation()));
            let texts: Vec<&str> = explained.fields.iter().map(|f| f.text.as_str()).collect();
            match request {
                Request::Send { to, body } => prop_assert_eq!(texts, [to.as_str(), &body.text]),
                Request::Register { account, .. } => prop_assert_eq!(texts, [account.as_str(), STARS, STARS]),
                Request::Login { account, .. } => prop_assert_eq!(texts, [account.as_str(), STARS]),
                Request::Count { from: Some(from) } | Request::Take { from: Some(from) } => {
                    prop_assert_eq!(texts, [from.as_str()]);
                }
                _ => {}
            }
        }
        Err(error) => {
            let found = explained.findings.iter().any(|f| agrees(error, f));
            prop_assert!(found, "{}: {:?} is not among {:?}", shown, error, explained.findings);
        }
    }
    let mut before = 0;
    for Diagnostic { bytes, .. } in &explained.findings {
        prop_assert!(before <= bytes.start && bytes.start <= bytes.end && bytes.end <= datagram.len(), "{}", shown);
        before = bytes.start;
    }
    // What is shown covers the datagram once, in order.
    let mut at = 0;
    for piece in &explained.shown {
        prop_assert!(piece.bytes.start == at && piece.bytes.end > at, "{}: {:?}", shown, explained.shown);
        at = piece.bytes.end;
    }
    prop_assert_eq!(at, datagram.len(), "{}", shown);
    for locale in LOCALES {
        for finding in &explained.findings {
            let advice = finding.advice(&explained, locale);
            prop_assert!(!advice.contains("explain.") && !advice.contains("%{"), "{}", advice);
        }
        let (lines, _) = (explained.lines(locale, Colour::Ansi), explained.json(locale));
        prop_assert!(lines.iter().all(|l| !l.chars().any(|c| c.is_control() && c != '\x1b')), "{:?}", lines);
    }
    Ok(())
}

/// Right requests, from which wrong ones are made.
fn right() -> impl Strategy<Value = Vec<u8>> {
    let account = "[a-z0-9七号]{1,8}|[a-z]{60,66}|[鸿雁]{20,23}";
    let text = "[ -~七号好友\n]{1,12}|[x鸿]{300,320}";
    let secret = "[a-zA-Z0-9密]{1,9}";
    let field = (prop::sample::select(vec![1u8, 2, 3, 4, 5, 6, 8, 9, 10, 11]), account, text, secret, any::<bool>());
    field.prop_map(|(operation, account, text, secret, gbk)| {
        let datagram = match operation {
            1 => format!("01#{account}#{secret}#{secret}#"),
            2 => format!("02#{account}#{secret}#"),
            3 => format!("03#{account}#{text}#"),
            4 | 5 => format!("{operation:02}#{account}#"),
            10 => format!("10#Q1#{secret}#000#"),
            11 => format!("11#{}#", secret.len()),
            _ => format!("{operation:02}#"),
        };
        if gbk { Charset::Gb18030.encode(&datagram) } else { datagram.into_bytes() }
    })
}

#[derive(Debug, Clone)]
enum Change {
    Insert(prop::sample::Index, Vec<u8>),
    Replace(prop::sample::Index, Vec<u8>),
    Remove(prop::sample::Index),
    Truncate(prop::sample::Index),
}

impl Change {
    fn apply(&self, datagram: &mut Vec<u8>) {
        let (Self::Insert(at, _) | Self::Replace(at, _) | Self::Remove(at) | Self::Truncate(at)) = self;
        let at = at.index(datagram.len() + 1);
        let next = (at + 1).min(datagram.len());
        match self {
            Self::Insert(_, bytes) => drop(datagram.splice(at..at, bytes.iter().copied())),
            Self::Replace(_, bytes) => drop(datagram.splice(at..next, bytes.iter().copied())),
            Self::Remove(_) => drop(datagram.splice(at..next, [])),
            Self::Truncate(_) => datagram.truncate(at),
        }
    }
}

fn change() -> impl Strategy<Value = Change> {
    let special = prop::sample::select(
        ["#", ":", "@", "\n", "\0", "\r\n", " ", "+", "0", "9", "＃", "０", "\u{85}", "\u{feff}", "鸿", "\\"]
            .map(str::as_bytes)
            .to_vec(),
    );
    let bytes = prop_oneof![special.prop_map(<[u8]>::to_vec), proptest::collection::vec(any::<u8>(), 1..4)];
    let at = any::<prop::sample::Index>;
    prop_oneof![
        (at(), bytes.clone()).prop_map(|(at, bytes)| Change::Insert(at, bytes)),
        (at(), bytes).prop_map(|(at, bytes)| Change::Replace(at, bytes)),
        at().prop_map(Change::Remove),
        at().prop_map(Change::Truncate),
    ]
}

proptest! {
    #[test]
    fn arbitrary_bytes_are_explained_as_they_are_decoded(
        bytes in proptest::collection::vec(any::<u8>(), 0..80),
        long in proptest::collection::vec(any::<u8>(), 0..1_600),
        operation in 0u8..14,
    ) {
        for tail in [&bytes, &long] {
            let mut led = format!("{operation:02}#").into_bytes();
            led.extend_from_slice(tail);
            for datagram in [tail, &led, &[led.as_slice(), b"#"].concat()] {
                for charset in [Charset::Utf8, Charset::Gb18030] {
                    check(datagram, charset)?;
                }
            }
        }
    }

    #[test]
    fn changed_requests_are_explained_as_they_are_decoded(
        mut datagram in right(),
        changes in proptest::collection::vec(change(), 0..4),
        gbk: bool,
    ) {
        let charset = if gbk { Charset::Gb18030 } else { Charset::Utf8 };
        check(&datagram, charset)?;
        for change in changes {
            change.apply(&mut datagram);
            check(&datagram, charset)?;
        }
    }

    /// One thing wrong with a login shows nothing of its password.
    #[test]
    fn a_slip_shows_no_password(register: bool, change in change(), gbk: bool) {
        let mut datagram = if register { b"01#ann#QWERTZUI#QWERTZUI#".to_vec() } else { b"02#ann#QWERTZUI#".to_vec() };
        change.apply(&mut datagram);
        let operation = datagram.get(..3).unwrap_or_default();
        // Another operation's field is what it is there.
        prop_assume!(fields_of(operation.first().map_or(0, |b| b.wrapping_sub(b'0')).wrapping_mul(10)
            .wrapping_add(operation.get(1).map_or(0, |b| b.wrapping_sub(b'0')))).is_none_or(|names| names.len() > 1)
            && !operation.starts_with(b"03") && !operation.starts_with(b"10"));
        let all = everything(&datagram, if gbk { Charset::Gb18030 } else { Charset::Utf8 });
        for piece in [b"QWERTZUI".as_slice()].iter().flat_map(|p| p.windows(4)) {
            let piece = std::str::from_utf8(piece).expect("ASCII");
            prop_assert!(!all.contains(piece), "{}: {}", datagram.escape_ascii(), all);
        }
    }

    #[test]
    fn characters_are_read_as_the_decoder_reads_them(bytes in
        proptest::collection::vec(prop_oneof![any::<u8>(), prop::sample::select(b"0\x30\x81\x84\x90\xe3\xfe\x80\xff".to_vec())], 0..40), gbk: bool) {
        let charset = if gbk { Charset::Gb18030 } else { Charset::Utf8 };
        let (characters, seen) = fields::characters(&bytes, charset);
        let text: String = characters.iter().map(|(_, c)| *c).collect();
        prop_assert_eq!((text, seen), charset.decode(&bytes));
        let mut at = 0;
        for (place, c) in characters {
            prop_assert!(place.start == at && place.end > at, "{:?} {}", place, c);
            at = place.end;
        }
        prop_assert_eq!(at, bytes.len());
    }
}
