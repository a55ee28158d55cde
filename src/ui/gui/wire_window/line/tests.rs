use proptest::prelude::*;

use super::*;
use crate::protocol::wire::show::unescape;

fn out(bytes: &[u8]) -> Line {
    Line::new(Record { unix_ms: 0, way: Direction::Out(Cause::First), bytes: bytes.to_vec(), after: None })
}

#[test]
fn bytes_are_readable() {
    for (bytes, shown, charset) in [
        ("03#b#你好\n#".as_bytes(), "03#b#你好\\n#", "UTF-8"),
        (b"03#b#\xc4\xe3\xba\xc3#", "03#b#你好#", "GBK"),
        (b"\xff\xff\\", "\\xff\\xff\\\\", ""),
        (b"a\\nb\0", "a\\\\nb\\x00", ""),
        ("a\u{202e}b".as_bytes(), "a\\xe2\\x80\\xaeb", "UTF-8"),
    ] {
        assert_eq!(readable(bytes), (shown.to_owned(), charset));
    }
}

#[test]
fn escapes() {
    assert_eq!(unescape(r"03#b#hi\n#\xff\\"), Ok(b"03#b#hi\n#\xff\\".to_vec()));
    assert_eq!(unescape("09#你"), Ok("09#你".as_bytes().to_vec()));
    for bad in [r"\xzz", r"\x1", r"\x+1", r"\", r"\q"] {
        assert_eq!(unescape(bad), Err(bad.to_owned()));
    }
}

#[test]
fn what_is_encrypted_is_numbers_and_what_was_in_it_is_words() {
    let row = |way, bytes: &[u8]| Line::new(Record { unix_ms: 0, way, bytes: bytes.to_vec(), after: None });
    assert_eq!(row(Direction::In, b"\xc3\0\0\0\x01{").bytes, "c3 00 00 00 01 7b");
    let token = row(Direction::Heard, br#"{"t":"logged_in","id":1,"token":"******","highest":0,"ended":null}"#);
    let proof = format!(r#"{{"t":"resume","id":1,"account":"a","device":"{}","proof":"******"}}"#, "07".repeat(16));
    let proof = row(Direction::Said, proof.as_bytes());
    for (line, meaning) in [(token, "logged in"), (proof, "log in as a, without a password")] {
        assert!(line.passes("\"t\"") && line.meaning == meaning, "{}", line.meaning);
    }
}

proptest! {
    #[test]
    fn what_is_shown_can_be_sent(text in ".{0,40}", bytes in prop::collection::vec(any::<u8>(), 0..20)) {
        prop_assert_eq!(unescape(&readable(text.as_bytes()).0), Ok(text.into_bytes()));
        let (shown, charset) = readable(&bytes);
        if charset != "GBK" {
            prop_assert_eq!(unescape(&shown), Ok(bytes));
        }
        let _ = unescape(&shown);
    }
}

#[test]
fn filters() {
    let line = out(b"03#b#Hello there#");
    for (filter, passing) in [
        ("", true),
        ("hello", true),
        ("op:03", true),
        ("op:0", true),
        ("op:02", false),
        ("op:03 there", true),
        ("op:03 xyz", false),
        ("xyz", false),
    ] {
        assert_eq!(line.passes(filter), passing, "{filter}");
    }
}

#[test]
fn passwords_are_not_brought_back() {
    for (line, kept) in [
        ("02#a#secret#", "02#a#******#"),
        (r"0\x32#a#secret#", "02#a#******#"),
        ("01#a#secret#secret", "01#a#******#******"),
        (r"03#b#a\n#", r"03#b#a\n#"),
    ] {
        assert_eq!(without_password(line, &unescape(line).expect("good")), kept);
    }
}
