//! What is promised of the examples' text: short, of little else than the standard library, and linted.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

fn examples() -> Vec<(String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).expect("examples") {
        let path = entry.expect("readable").path();
        let name = path.file_name().expect("a name").to_string_lossy().into_owned();
        found.push((name, fs::read_to_string(path).expect("readable")));
    }
    found.sort();
    found
}

#[test]
fn one_file_is_short_and_needs_little() {
    let mut broken = Vec::new();
    for (name, text) in examples() {
        let code = |line: &&str| !line.trim().is_empty() && !line.trim().starts_with("//") && !line.starts_with("#!");
        let lines = text.lines().filter(code).count();
        // The eleventh is the sum of the others.
        let limit = if name.starts_with("11") { 126 } else { 105 };
        if lines > limit {
            broken.push(format!("{name}: {lines} lines of code"));
        }
        for line in text.lines().filter(|line| line.starts_with("use ")) {
            let from = line.trim_start_matches("use ").split([':', ' ', ';']).next().unwrap_or_default();
            if !["std", "fltk", "crossbeam_channel", "log"].contains(&from) {
                broken.push(format!("{name}: {line}"));
            }
        }
        if text.contains("hongyan::") || (text.contains("mio::") && !name.starts_with("12")) {
            broken.push(format!("{name}: needs more than its own file"));
        }
        if !text.starts_with(&format!("//! {} · ", &name[..2])) {
            broken.push(format!("{name}: does not say what it is"));
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

fn page(name: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs").join(name)).expect("readable")
}

/// Every source file the page names, and what it says is in it: the names between two files, as long
/// as the paragraph or the row of a table goes on.
fn named(page: &str) -> BTreeSet<(String, String)> {
    let mut found = BTreeSet::new();
    for part in page.replace("\n|", "\n\n|").split("\n\n") {
        let mut file = None;
        for token in part.split('`').skip(1).step_by(2) {
            if token.starts_with("src/") {
                file = Some(token);
            } else if let Some(file) = file
                && token.chars().all(|c| c.is_ascii_alphanumeric() || "_:".contains(c))
            {
                found.insert((file.to_owned(), token.to_owned()));
            }
        }
    }
    found
}

#[test]
fn what_the_course_names_is_there() {
    let (en, zh) = (page("course.md"), page("course.zh-CN.md"));
    let names = named(&en);
    assert!(names.len() > 30, "{names:#?}");
    assert_eq!(names, named(&zh), "both languages name the same");
    let mut missing = Vec::new();
    for (file, name) in &names {
        let code = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(file)).unwrap_or_default();
        let is = |word: &str| {
            let defines =
                |kind: &str| code.contains(&format!("{kind} {word}(")) || code.contains(&format!("{kind} {word} "));
            defines("fn") || defines("struct") || defines("enum") || defines("impl")
        };
        if !name.split("::").all(is) {
            missing.push(format!("{file}: {name}"));
        }
    }
    assert!(missing.is_empty(), "{}", missing.join("\n"));
}

#[test]
fn the_course_has_every_step_in_both_languages() {
    let tests = ["console.rs", "windows.rs", "friends.rs", "threads.rs", "sockets.rs"];
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/examples");
    let tests: String = tests.iter().map(|name| fs::read_to_string(folder.join(name)).expect("readable")).collect();
    for name in ["course.md", "course.zh-CN.md"] {
        let page = page(name);
        for (example, _) in examples() {
            let (step, example) = (&example[..2], example.trim_end_matches(".rs"));
            assert!(page.contains(&format!("\n## {step} ")), "{name}: no step {step}");
            assert!(page.contains(&format!("cargo run --example {example} -- ")), "{name}: {example}");
            assert!(tests.contains(&format!("fn s{step}_")), "no test of {example}");
        }
        for heading in page.lines().filter_map(|line| line.strip_prefix("## ")).filter(|h| h.starts_with(['0', '1'])) {
            let anchor = format!("](#{})", heading.to_lowercase().replace(' ', "-"));
            assert!(page.contains(&anchor), "{name}: {anchor} is not in the table");
        }
        for command in page.split("--example ").skip(1).filter_map(|rest| rest.split(' ').next()) {
            assert!(examples().iter().any(|(file, _)| file.trim_end_matches(".rs") == command), "{name}: {command}");
        }
        for test in page.split("`s").skip(1).filter_map(|rest| rest.split('`').next()).filter(|t| t.contains("_")) {
            let function = format!("fn s{test}()");
            assert!(!test.as_bytes()[0].is_ascii_digit() || tests.contains(&function), "{name}: {function}");
        }
    }
}
