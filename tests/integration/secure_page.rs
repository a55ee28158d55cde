//! The pages of the secure dialect say what the code says.

use std::collections::BTreeSet;

use hongyan::protocol::wire::frame::{Code, FromClient, FromServer};
use serde_json::Value;

const PAGES: [&str; 2] = [include_str!("../../docs/secure.md"), include_str!("../../docs/secure.zh-CN.md")];
const CODE: &str = include_str!("../../src/protocol/wire/frame.rs");

/// The frames of a page, as they stand there: whose, and what.
fn frames(page: &str) -> Vec<(char, &str)> {
    let mut inside = false;
    let line = |line: &'static str| -> Option<(char, &'static str)> {
        let (who, frame) = (line.chars().next()?, line.get(2..)?);
        Some((who, frame))
    };
    let page: &'static str = PAGES.into_iter().find(|other| *other == page).expect("one of the two");
    let mut found = Vec::new();
    for text in page.lines() {
        if text.starts_with("```") {
            inside = !inside;
        } else if inside {
            found.push(line(text).expect("a frame"));
        }
    }
    found
}

/// The kinds that an enum of the code has, as frames name them.
fn kinds(of: &str) -> BTreeSet<String> {
    let (_, rest) = CODE.split_once(&format!("pub enum {of} {{")).expect("it is there");
    let body = rest.split("\n}").next().expect("its body");
    let names = body.lines().filter_map(|line| {
        let name = line.strip_prefix("    ")?.split([' ', ',']).next()?;
        name.starts_with(char::is_uppercase).then_some(name)
    });
    let snake = |name: &str| {
        let mut text = String::new();
        for c in name.chars() {
            if c.is_uppercase() && !text.is_empty() {
                text.push('_');
            }
            text.extend(c.to_lowercase());
        }
        text
    };
    names.map(snake).filter(|name| name != "unknown").collect()
}

#[test]
fn every_frame_is_shown_as_it_is_read_and_written() {
    for page in PAGES {
        let (mut said, mut heard) = (BTreeSet::new(), BTreeSet::new());
        for (who, text) in frames(page) {
            let shown: Value = serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"));
            let written = match who {
                '>' => FromClient::decode(text.as_bytes()).expect("a client's").encode(),
                '<' => FromServer::decode(text.as_bytes()).expect("a server's").encode(),
                _ => panic!("whose is it? {text}"),
            };
            let written: Value = serde_json::from_slice(&written).expect("JSON");
            assert_eq!(shown, written, "no field more or less");
            let kinds = if who == '>' { &mut said } else { &mut heard };
            kinds.insert(shown["t"].as_str().expect("a kind").to_owned());
        }
        assert_eq!(said, kinds("FromClient"));
        assert_eq!(heard, kinds("FromServer"));
        for code in kinds("Code") {
            assert!(page.contains(&format!("| `{code}` |")), "{code}");
            let read: Code = serde_json::from_str(&format!("\"{code}\"")).expect("a code");
            assert_ne!(read, Code::Unknown, "{code}");
        }
    }
    assert_eq!(frames(PAGES[0]), frames(PAGES[1]), "the same in both languages");
}
