//! docs/protocol.md says what is so: its dialogues are held with a server, its malformed datagrams are
//! explained as they are there, and its numbers are those of the code.

use std::collections::HashMap;

use hongyan::base::model::{MAX_BODY_BYTES, MAX_FIELD_BYTES};
use hongyan::protocol::wire::explain::{Section, explain, readable};
use hongyan::protocol::wire::request::MAX_REQUEST_BYTES;
use hongyan::protocol::wire::{Charset, Request, reference, show};
use hongyan::server::Quotas;
use hongyan::server::udp::{Config, Server};

use super::server::Student;

/// A line of a fence: who, which way, the datagram, what is said about it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Line {
    fence: String,
    who: String,
    arrow: char,
    datagram: Vec<u8>,
    said: String,
}

fn lines(page: &str) -> Vec<Line> {
    let mut found = Vec::new();
    let mut fence = None;
    for line in page.lines() {
        if let Some(kind) = line.strip_prefix("```") {
            fence = Some(kind.to_owned()).filter(|kind| !kind.is_empty());
            continue;
        }
        let Some(fence) = fence.clone().filter(|f| ["dialogue", "datagrams", "malformed"].contains(&f.as_str())) else {
            continue;
        };
        let (head, rest) = match fence.as_str() {
            "malformed" => ("", line),
            _ => line.split_at(line.find(['→', '←']).unwrap_or_else(|| panic!("no arrow: {line}"))),
        };
        let mut rest = rest.chars();
        let arrow = if fence == "malformed" { '→' } else { rest.next().expect("an arrow") };
        let rest = rest.as_str().trim_start();
        // Two blanks end a datagram.
        let (datagram, said) = rest.split_once("  ").unwrap_or_else(|| panic!("nothing is said: {line}"));
        let (who, said) = (head.trim().to_owned(), said.trim().to_owned());
        found.push(Line { fence, who, arrow, datagram: unescape(datagram), said });
    }
    found
}

/// `\n`, `\0`, `\xNN`
fn unescape(text: &str) -> Vec<u8> {
    let (mut bytes, mut rest) = (Vec::new(), text.as_bytes());
    while let [first, after @ ..] = rest {
        let (byte, len) = match (first, after) {
            (b'\\', [b'n', ..]) => (b'\n', 2),
            (b'\\', [b'0', ..]) => (0, 2),
            (b'\\', [b'x', a, b, ..]) => {
                let digits = [*a, *b];
                let digits = std::str::from_utf8(&digits).expect("ASCII");
                (u8::from_str_radix(digits, 16).expect("two digits"), 4)
            }
            (b'\\', _) => panic!("an unknown escape in {text}"),
            (byte, _) => (*byte, 1),
        };
        bytes.push(byte);
        rest = &rest[len..];
    }
    bytes
}

/// The reply with its time left out, if a time of 19 characters stands where the page says.
fn timeless(reply: &str) -> String {
    let parts: Vec<&str> = reply.splitn(6, ':').collect();
    match parts.as_slice() {
        [op @ ("05" | "09"), sender, time, minutes, seconds, message] => {
            let time = format!("{time}:{minutes}:{seconds}");
            let right = time.len() == 19
                && time.bytes().zip(b"dddd-dd-dd dd:dd:dd").all(|(b, rule)| match rule {
                    b'd' => b.is_ascii_digit(),
                    rule => b == *rule,
                });
            assert!(right, "{time} is no time: {reply}");
            format!("{op}:{sender}:{message}")
        }
        _ => reply.to_owned(),
    }
}

#[test]
fn the_dialogues_are_held_as_they_are_written() {
    for locale in ["en", "zh-CN"] {
        let dir = tempfile::tempdir().expect("a folder");
        let listen = "127.0.0.1:0".parse().expect("an address");
        let server = Server::start(Config::new(listen, dir.path().to_owned())).expect("started");
        let mut students: HashMap<String, Student> = HashMap::new();
        let mut asked: Option<Line> = None;
        let mut held = 0;
        for line in lines(reference(locale)).into_iter().filter(|l| l.fence == "dialogue") {
            let shown = line.datagram.escape_ascii().to_string();
            if line.arrow == '→' {
                assert_eq!(asked, None, "{locale}: {shown}: the request before has no answer");
                assert_eq!(show::request(&line.datagram, locale), line.said, "{locale}: {shown}");
                asked = Some(line);
                continue;
            }
            let request = asked.take().filter(|asked| asked.who == line.who).expect("its request");
            let student = students.entry(line.who.clone()).or_insert_with(|| Student::new(server.address()));
            student.0.send(&request.datagram).expect("sent");
            let mut buffer = [0; 1024];
            let n = student.0.recv(&mut buffer).unwrap_or_else(|error| panic!("{locale}: {shown}: {error}"));
            let got = String::from_utf8_lossy(&buffer[..n]);
            let written = String::from_utf8_lossy(&line.datagram);
            let said = show::answer(&request.datagram, &line.datagram, locale);
            let request = request.datagram.escape_ascii();
            assert_eq!(timeless(&got), timeless(&written), "{locale}: {} {request}", line.who);
            assert_eq!(said, line.said, "{locale}: {shown}");
            held += 1;
        }
        assert!(held > 50, "{locale}: {held} requests were answered");
    }
}

#[test]
fn malformed_datagrams_are_explained_as_they_are_written() {
    for locale in ["en", "zh-CN"] {
        let dir = tempfile::tempdir().expect("a folder");
        let listen = "127.0.0.1:0".parse().expect("an address");
        let server = Server::start(Config::new(listen, dir.path().to_owned())).expect("started");
        let malformed: Vec<Line> = lines(reference(locale)).into_iter().filter(|l| l.fence == "malformed").collect();
        assert!(malformed.len() > 20, "{locale}: {}", malformed.len());
        for line in malformed {
            let shown = line.datagram.escape_ascii().to_string();
            assert!(Request::decode(&line.datagram, Charset::Utf8).0.is_err(), "{locale}: {shown}");
            let explained = explain(&line.datagram, Charset::Utf8);
            let first = explained.findings.iter().find(|f| f.rule.breaks()).expect("something breaks a rule");
            assert_eq!(first.advice(&explained, locale), line.said, "{locale}: {shown}");
            // The answer to the `06#` behind it comes first if there is none to this.
            let student = Student::new(server.address());
            student.0.send(&line.datagram).expect("sent");
            let expected = if explained.is_never_answered() { "06:02" } else { "00:00" };
            assert_eq!(student.ask("06#"), expected, "{locale}: {shown}");
        }
    }
}

#[test]
fn other_datagrams_read_as_they_are_written() {
    for locale in ["en", "zh-CN"] {
        let mut asked = Vec::new();
        for line in lines(reference(locale)).into_iter().filter(|l| l.fence == "datagrams") {
            let said = match line.arrow {
                '→' => show::request(&line.datagram, locale),
                _ => show::answer(&asked, &line.datagram, locale),
            };
            assert_eq!(said, line.said, "{locale}: {}", line.datagram.escape_ascii());
            if line.arrow == '→' {
                asked = line.datagram;
            }
        }
    }
}

#[test]
fn the_server_prints_it() {
    for (language, locale) in [("en", "en"), ("zh", "zh-CN")] {
        let printed = std::process::Command::new(env!("CARGO_BIN_EXE_hongyand"))
            .args(["protocol", "--lang", language])
            .output()
            .expect("it runs");
        let printed = String::from_utf8(printed.stdout).expect("UTF-8");
        let title = reference(locale).lines().next().expect("a title");
        assert!(printed.starts_with(title) && !printed.contains("<a id"), "{printed:.80}");
        assert_eq!(lines(&printed), lines(reference(locale)));
    }
}

/// The pages of both languages have the same datagrams in the same order, all sections, and the numbers
/// that the code has.
#[test]
fn the_pages_agree_with_each_other_and_with_the_code() {
    let datagrams = |locale| -> Vec<String> {
        let line = |l: Line| format!("{} {} {}", l.fence, l.who, l.datagram.escape_ascii());
        lines(reference(locale)).into_iter().map(line).collect()
    };
    for (english, chinese) in datagrams("en").iter().zip(&datagrams("zh-CN")) {
        assert_eq!(english, chinese);
    }
    assert_eq!(datagrams("en").len(), datagrams("zh-CN").len());
    let thousands = |n: usize| format!("{},{:03}", n / 1000, n % 1000);
    for locale in ["en", "zh-CN"] {
        let page = reference(locale);
        for section in [
            Section::Datagram,
            Section::Requests,
            Section::Fields,
            Section::Messages,
            Section::Charset,
            Section::WildForms,
            Section::Extensions,
        ] {
            let anchor = section.anchor();
            assert!(page.contains(&format!("<a id=\"{anchor}\"></a>\n## ")), "{locale}: {anchor}");
        }
        // Every link within the page leads somewhere.
        for link in page.split("](#").skip(1).filter_map(|rest| rest.split(')').next()) {
            assert!(page.contains(&format!("<a id=\"{link}\"></a>")), "{locale}: #{link}");
        }
        for request in
            ["01#a#b#b#", "01#a#b#c#c#", "02#a#b#", "03#a#b#", "04#a#", "05#a#", "06#", "08#", "09#", "11#0#"]
        {
            let form = explain(request.as_bytes(), Charset::Utf8).form(locale).expect("a request");
            assert!(page.contains(&format!("| `{form}` |")), "{locale}: {form}");
        }
        let quotas = Quotas::default();
        let mailbox = usize::try_from(quotas.mailbox).expect("not that many");
        let presence = hongyan::server::engine::PRESENCE.as_secs();
        for number in [
            thousands(MAX_REQUEST_BYTES),
            format!("| 1–{MAX_FIELD_BYTES} |"),
            format!("| 1–{MAX_BODY_BYTES} |"),
            thousands(mailbox),
            thousands(quotas.accounts),
            format!(" {presence} "),
        ] {
            assert!(page.contains(&number), "{locale}: {number}");
        }
    }
    assert_eq!(readable(&unescape("\\xc4\\xe3\\xba\\xc3")), "你好");
}
