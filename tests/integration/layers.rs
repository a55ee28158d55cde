//! The invariants of absence: what must never import what; that the documents say what is there ([`documents`]), and
//! that nothing is too long to be read in one go ([`sizes`]).

mod documents;
mod sizes;

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

/// The modules that the documentation at the head of a file lists, in its order.
fn listed(file: &str) -> Vec<String> {
    let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("src").join(file)).expect("readable");
    let head = text.lines().take_while(|line| line.starts_with("//!"));
    let item = |line: &str| {
        let line = line.trim_start_matches("//!").trim_start().trim_start_matches(|c: char| c.is_ascii_digit());
        let name = line.strip_prefix("- ").or_else(|| line.strip_prefix(". "))?.trim_start_matches(['[', '`']);
        Some(name.split('`').next()?.to_owned())
    };
    head.filter_map(item).collect()
}

/// A source file as the path of its module below `src`: `client/session/both.rs` is `client`, `session`, `both`.
fn module(name: &str) -> Vec<&str> {
    name.trim_end_matches(".rs").split('/').collect()
}

/// The modules that the code of a file names, from the crate's root on; at most two steps deep.
fn imports(name: &str, code: &str) -> Vec<(String, Option<String>)> {
    let mut found = Vec::new();
    let words = |rest: &str| -> Vec<String> {
        let path: String = rest.chars().take_while(|c| c.is_alphanumeric() || "_:".contains(*c)).collect();
        path.split("::").filter(|word| !word.is_empty()).map(str::to_owned).collect()
    };
    // No group of names hides a module from this test.
    assert!(!code.contains("crate::{"), "{name}: one line for each layer that is imported");
    let group = format!("crate::{}::{{", module(name)[0]);
    assert!(!code.contains(&group), "{name}: one line for each part of its own layer");
    for rest in code.split("crate::").skip(1) {
        let path = words(rest);
        found.extend(path.first().map(|layer| (layer.clone(), path.get(1).cloned())));
    }
    // Only what stands at the head of a part can reach another part by `super`.
    let at = module(name);
    for (place, _) in code.match_indices("super::") {
        let before = code.split_at(place).0;
        if before.ends_with("super::") {
            continue;
        }
        let rest = code.split_at(place).1;
        let up = rest.split("::").take_while(|word| *word == "super").count();
        let path = words(rest.split_at("super::".len() * up).1);
        if let Some(left) = at.len().checked_sub(up).filter(|left| *left <= 1) {
            let whole: Vec<String> = at[..left].iter().map(|word| (*word).to_owned()).chain(path).collect();
            found.extend(whole.first().map(|layer| (layer.clone(), whole.get(1).cloned())));
        }
    }
    found
}

/// The order that the documentation promises, of the layers and of the parts of each, is the order of imports.
#[test]
fn layers_stay_apart() {
    // Beside the order: these never meet, and what is given as a value stays one.
    let never: &[(&str, &str)] = &[
        ("client", "server"),
        ("ui/gui", "ui/term"),
        ("ui/term", "ui/gui"),
        ("ui", "server"),
        ("server", "probe"),
        ("protocol/wire/explain", "server"),
    ];
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let layers = listed("lib.rs");
    assert_eq!(layers.len(), 7, "{layers:?}");
    let parts: Vec<Vec<String>> = layers.iter().map(|layer| listed(&format!("{layer}.rs"))).collect();
    let mut files = Vec::new();
    sources(&root, &mut files);
    let mut broken = Vec::new();
    let mut seen = 0;
    for file in &files {
        let name = file.strip_prefix(&root).expect("below src").to_string_lossy().replace('\\', "/");
        let at = module(&name);
        if name == "lib.rs" || at[0] == "bin" || name.ends_with("tests.rs") || name.contains("tests/") {
            continue;
        }
        let Some(own) = layers.iter().position(|layer| layer == at[0]) else {
            broken.push(format!("{name}: {} is no layer that lib.rs lists", at[0]));
            continue;
        };
        let place = at.get(1).and_then(|part| parts[own].iter().position(|one| one == part));
        if at.len() > 1 && !parts[own].is_empty() && place.is_none() {
            broken.push(format!("{name}: {}.rs does not list {}", at[0], at[1]));
        }
        for (layer, part) in imports(&name, &code(file)) {
            seen += 1;
            let Some(other) = layers.iter().position(|one| *one == layer) else {
                continue; // A macro or an item of the root.
            };
            let whole = part.as_ref().map_or_else(|| layer.clone(), |part| format!("{layer}/{part}"));
            let later = other > own;
            let other_part = part.and_then(|part| parts[other].iter().position(|one| *one == part));
            let later_part = other == own && place.zip(other_part).is_some_and(|(place, other)| other > place);
            if later || later_part {
                broken.push(format!("{name}: {whole} comes after it"));
            }
            if never.iter().any(|(from, to)| name.starts_with(from) && whole.starts_with(to)) {
                broken.push(format!("{name}: {whole} is none of its business"));
            }
        }
    }
    assert!(seen > 500, "{seen} imports were found");
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

/// Sockets, clocks, threads, windows and databases stay in the few places that own them.
#[test]
fn what_touches_the_world_has_its_place() {
    const PURE: &[&str] =
        &["UdpSocket", "TcpStream", "Instant::now", "SystemTime::now", "std::thread", "thread::", "fltk", "rusqlite"];
    let pure: &[&str] = &[
        "base/model",
        "base/shown.rs",
        "base/fold.rs",
        "base/json.rs",
        "base/timer.rs",
        "protocol",
        "client/session",
        "client/diagnosis",
        "client/tap",
        "client/roster",
        "probe/judge.rs",
        "probe/hand.rs",
        "probe/runner",
        "probe/pace.rs",
        "server/engine",
        "server/limits.rs",
    ];
    let only: &[(&str, &[&str])] = &[
        ("fltk", &["ui/gui"]),
        ("rusqlite", &["client/history", "server/store", "base/migration.rs"]),
        ("UdpSocket", &["client/net", "server/udp", "server/control/asking.rs", "local/own_server.rs", "probe/udp.rs"]),
        ("Instant::now", &["client/net", "server/udp.rs", "probe/udp.rs", "bin"]),
        ("SystemTime::now", &["client/net", "server/udp.rs", "bin"]),
    ];
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    for place in pure.iter().chain(only.iter().flat_map(|(_, places)| *places)) {
        let path = root.join(place);
        assert!(path.exists() || path.with_extension("rs").exists(), "{place} is not there any more");
    }
    let mut files = Vec::new();
    sources(&root, &mut files);
    let mut broken = Vec::new();
    for file in files {
        let name = file.strip_prefix(&root).expect("below src").to_string_lossy().replace('\\', "/");
        if name.ends_with("tests.rs") {
            continue;
        }
        let code = code(&file);
        let within = |places: &[&str]| places.iter().any(|place| name.starts_with(*place));
        if within(pure) {
            broken.extend(PURE.iter().filter(|word| code.contains(**word)).map(|word| format!("{name}: {word}")));
        }
        for (word, places) in only {
            if code.contains(word) && !within(places) {
                broken.push(format!("{name}: {word} belongs to {places:?}"));
            }
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

/// What a key does stands in a table of `ui/gui/actions.rs`, from which the list of keys comes. By themselves read keys
/// only fields and buttons, what scrolls without controls, the zoom, and windows that Escape does not close.
#[test]
fn keys_are_read_by_tables() {
    let by_themselves = [
        ("actions.rs", 1),
        ("chat_window.rs", 1),
        ("connection_window.rs", 1),
        ("latin.rs", 2),
        ("login_window.rs", 1),
        ("main_window.rs", 2),
        ("menu.rs", 2),
        ("screen.rs", 1),
        ("sheet.rs", 1),
        ("trust_window.rs", 2),
        ("widgets.rs", 2),
        ("wire_window/foot.rs", 2),
    ];
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/ui/gui");
    let mut files = Vec::new();
    sources(&root, &mut files);
    let read = |file: &PathBuf| {
        let (name, code) = (file.strip_prefix(&root).expect("below").to_string_lossy().replace('\\', "/"), code(file));
        let found = code.matches("event_key()").count();
        (found > 0).then_some((name, found))
    };
    let mut found: Vec<(String, usize)> = files.iter().filter_map(read).collect();
    found.sort();
    let known: Vec<(String, usize)> = by_themselves.iter().map(|(name, count)| ((*name).to_owned(), *count)).collect();
    assert_eq!(found, known, "a key that a table does not have is in no list of keys");
}

/// Each text's key, and the languages it is in, as they stand in `locales`.
fn texts() -> Vec<(String, Vec<&'static str>)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut found: Vec<(String, Vec<&'static str>)> = Vec::new();
    for entry in fs::read_dir(root.join("locales")).expect("locales") {
        let text = fs::read_to_string(entry.expect("readable").path()).expect("readable");
        for line in text.lines() {
            if !line.starts_with([' ', '#', '_']) && line.contains(':') {
                found.push((line.split(':').next().unwrap_or_default().to_owned(), Vec::new()));
            }
            let languages = ["en:", "zh-CN:"].into_iter().filter(|language| line.contains(language));
            found.last_mut().into_iter().for_each(|(_, known)| known.extend(languages.clone()));
        }
    }
    found
}

/// The keys that a source asks `t!` for as they stand; a key that is put together by `format!` is not among them.
fn keys_of(code: &str) -> impl Iterator<Item = &str> {
    // With a letter before it, the macro is another one, such as `assert!`.
    let is_of_name = |c: char| c.is_alphanumeric() || c == '_';
    let another = move |(at, _): &(usize, &str)| code.get(..*at).is_some_and(|before| before.ends_with(is_of_name));
    code.match_indices("t!(").filter(move |call| !another(call)).filter_map(|(at, call)| {
        let key = code.get(at + call.len()..)?.trim_start().strip_prefix('"')?;
        key.split('"').next()
    })
}

/// A text that the program or a test asks for stands in both languages: an unknown key would be shown as it is.
#[test]
fn every_text_is_there_in_both_languages() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let known: std::collections::HashMap<_, _> = texts().into_iter().collect();
    for (folder, least) in [("src", 500), ("tests/gui", 20)] {
        let mut files = Vec::new();
        sources(&root.join(folder), &mut files);
        let mut used = 0;
        for file in files {
            for key in keys_of(&code(&file)) {
                used += 1;
                for language in ["en:", "zh-CN:"] {
                    let there = known.get(key).is_some_and(|languages| languages.contains(&language));
                    assert!(there, "{}: {key} lacks {language}", file.display());
                }
            }
        }
        assert!(used > least, "the texts of {folder} were found, {used} of them");
    }
}

/// A key stands once, and is named by the code: as it is, or by its begin where the rest is a number or a name.
#[test]
fn every_text_is_used_and_stands_once() {
    let mut files = Vec::new();
    sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut files);
    let tests = |file: &PathBuf| file.ends_with("tests.rs") || file.iter().any(|part| part == "tests");
    let all: String = files.iter().filter(|file| !tests(file)).map(|file| code(file)).collect();
    let begins: Vec<&str> = all.split("t!(format!(\"").skip(1).filter_map(|call| call.split('{').next()).collect();
    assert!(begins.len() > 3, "{begins:?}");
    let texts = texts();
    let mut seen = std::collections::HashSet::new();
    let twice: Vec<_> = texts.iter().filter(|(key, _)| !seen.insert(key)).collect();
    assert!(twice.is_empty() && texts.len() > 500, "{twice:?}");
    let used = |key: &str| all.contains(&format!("\"{key}\"")) || begins.iter().any(|begin| key.starts_with(begin));
    let unused: Vec<_> = texts.iter().map(|(key, _)| key).filter(|key| !used(key)).collect();
    assert!(unused.is_empty(), "{unused:?}");
}
