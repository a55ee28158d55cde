//! What is promised of the examples' text: short, of little else than the standard library, and linted.

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
        let limit = if name.starts_with("11") { 150 } else { 105 };
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
