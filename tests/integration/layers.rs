//! The invariants of absence: what must never import what.

use std::fs;
use std::path::{Path, PathBuf};

fn sources(dir: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(dir).expect("a folder of the package") {
        let path = entry.expect("readable").path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|e| e == "rs") {
            found.push(path);
        }
    }
}

/// The code of a file without comments and without its tests.
fn code(path: &Path) -> String {
    let text = fs::read_to_string(path).expect("readable");
    let text = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default().to_owned();
    text.lines().map(|line| line.split("//").next().unwrap_or_default()).collect::<Vec<_>>().join("\n")
}

#[test]
fn layers_stay_apart() {
    const PURE: &[&str] =
        &["UdpSocket", "TcpStream", "Instant::now", "SystemTime::now", "std::thread", "thread::", "fltk", "rusqlite"];
    let rules: &[(&[&str], &[&str])] = &[
        (
            &[
                "model.rs",
                "shown.rs",
                "wire",
                "timer.rs",
                "tap",
                "probe/judge.rs",
                "probe/hand.rs",
                "probe/runner.rs",
                "probe/pace.rs",
                "session",
                "link",
                "diagnosis",
                "server/engine",
                "server/limits.rs",
            ],
            PURE,
        ),
        (&["client"], &["crate::server", "crate::ui::gui"]),
        (&["server"], &["crate::client", "crate::client::session", "crate::ui::gui", "crate::client::net"]),
        (&["gui"], &["crate::ui::term", "UdpSocket", "rusqlite"]),
        (&["term"], &["crate::ui::gui"]),
        (
            &["probe"],
            &["crate::client", "crate::server", "crate::client::session", "crate::ui::gui", "crate::client::net"],
        ),
    ];
    let only: &[(&str, &[&str])] = &[
        ("fltk", &["gui"]),
        ("rusqlite", &["history", "server/store"]),
        ("UdpSocket", &["net", "server/udp", "host.rs", "probe/udp.rs"]),
        ("Instant::now", &["net", "server/udp.rs", "probe/udp.rs", "bin"]),
        ("SystemTime::now", &["net", "server/udp.rs", "bin"]),
        ("crate::ui::gui", &["gui", "bin"]),
    ];
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    sources(&root, &mut files);
    assert!(files.len() > 10, "the sources were found");
    let mut broken = Vec::new();
    for file in files {
        let name = file.strip_prefix(&root).expect("below src").to_string_lossy().replace('\\', "/");
        let is = |place: &&str| name.starts_with(*place);
        if name.ends_with("tests.rs") || name == "lib.rs" {
            continue;
        }
        let code = code(&file);
        for (places, forbidden) in rules {
            if places.iter().any(is) {
                broken.extend(forbidden.iter().filter(|f| code.contains(**f)).map(|f| format!("{name}: {f}")));
            }
        }
        for (word, places) in only {
            if code.contains(word) && !places.iter().any(is) {
                broken.push(format!("{name}: {word} belongs to {places:?}"));
            }
        }
        let lines = fs::read_to_string(&file).expect("readable").lines().count();
        if lines > 600 {
            broken.push(format!("{name}: {lines} lines"));
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

#[test]
fn every_text_is_there_in_both_languages() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut known = Vec::new();
    for entry in fs::read_dir(root.join("locales")).expect("locales") {
        let text = fs::read_to_string(entry.expect("readable").path()).expect("readable");
        let mut key = String::new();
        for line in text.lines() {
            if !line.starts_with([' ', '#']) && line.contains(':') {
                key = line.split(':').next().unwrap_or_default().to_owned();
            }
            for language in ["en:", "zh-CN:"] {
                if line.contains(language) {
                    known.push((key.clone(), language));
                }
            }
        }
    }
    let mut files = Vec::new();
    sources(&root.join("src"), &mut files);
    let mut used = 0;
    for file in files {
        // Preceded by a letter it is another macro, such as `format!`.
        let code = code(&file).replace("at!(\"", "");
        for call in code.split("t!(\"").skip(1) {
            let key = call.split('"').next().unwrap_or_default().to_owned();
            used += 1;
            for language in ["en:", "zh-CN:"] {
                assert!(known.contains(&(key.clone(), language)), "{}: {key} lacks {language}", file.display());
            }
        }
    }
    assert!(used > 20, "the texts were found");
}

/// What ARCHITECTURE.md names between backticks, as `Type::name` or `path/file.rs`, is there.
#[test]
fn what_the_architecture_names_exists() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let text = fs::read_to_string(root.join("ARCHITECTURE.md")).expect("readable");
    let mut files = Vec::new();
    sources(&root.join("src"), &mut files);
    let code: String = files.iter().map(|file| fs::read_to_string(file).expect("readable")).collect();
    let words: std::collections::HashSet<&str> = code.split(|c: char| !c.is_alphanumeric() && c != '_').collect();
    let mut missing = Vec::new();
    let mut named = 0;
    for name in text.split('`').skip(1).step_by(2) {
        let path = name.split_once("::").is_some() && name.chars().all(|c| c.is_alphanumeric() || "_:".contains(c));
        let file = name.ends_with(".rs") && name.contains('/') && !name.contains(['{', '*']);
        named += usize::from(path || file);
        let there = if path { name.split("::").all(|part| words.contains(part)) } else { root.join(name).exists() };
        if (path || file) && !there {
            missing.push(name);
        }
    }
    assert!(named > 30, "{named} names were found");
    assert!(missing.is_empty(), "{missing:?}");
}
