//! What is read in one go stays short: files, and structs, which have at most 20 fields. That a function has at most 80
//! lines is clippy's `too_many_lines`, by `clippy.toml`; here it is held that nothing but a named exception is excused
//! from it.

use std::fs;
use std::path::{Path, PathBuf};

use super::sources;

/// How many fields a struct may have.
const MOST_FIELDS: usize = 20;

/// Every Rust file of the package.
fn all() -> Vec<PathBuf> {
    let mut files = Vec::new();
    for folder in ["src", "tests", "examples"] {
        sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join(folder), &mut files);
    }
    files
}

/// The code without comments, and without what stands in texts and characters: a brace or comma in these means nothing.
fn bare(code: &str) -> String {
    let mut bare = String::with_capacity(code.len());
    let mut rest = code;
    while let Some(c) = rest.chars().next() {
        let raw = rest.strip_prefix('r').map(|raw| raw.trim_start_matches('#')).filter(|raw| raw.starts_with('"'));
        let within_word = bare.ends_with(|c: char| c.is_alphanumeric() || c == '_');
        if rest.starts_with("//") {
            rest = rest.split_once('\n').map_or("", |(_, after)| after);
            bare.push('\n');
        } else if let Some(raw) = raw.filter(|_| !within_word) {
            let hashes = rest.len() - raw.len() - 1;
            let end = format!("\"{}", "#".repeat(hashes));
            rest = raw.get(1..).unwrap_or_default().split_once(&end).map_or("", |(_, after)| after);
        } else if c == '"' {
            let mut escaped = false;
            rest = rest.get(1..).unwrap_or_default().trim_start_matches(|c| {
                let within = c != '"' || escaped;
                escaped = c == '\\' && !escaped;
                within
            });
            rest = rest.strip_prefix('"').unwrap_or_default();
        } else if rest.starts_with("'\\") {
            // Behind the backslash and what it stands before: `'\''` ends at its third mark.
            rest = rest.get(3..).and_then(|rest| rest.split_once('\'')).map_or("", |(_, after)| after);
        } else if c == '\'' && rest.chars().nth(2) == Some('\'') {
            rest = rest.splitn(3, '\'').nth(2).unwrap_or_default();
        } else {
            bare.push(c);
            rest = rest.strip_prefix(c).unwrap_or_default();
        }
    }
    bare
}

/// Every struct of a file's code with the number of its fields, named or not.
fn structs(code: &str) -> Vec<(String, usize)> {
    let code = bare(code);
    let mut found = Vec::new();
    for (at, word) in code.match_indices("struct ") {
        let begins = |c: char| c.is_alphanumeric() || c == '_' || c == '$';
        if code.split_at(at).0.ends_with(begins) {
            continue;
        }
        let rest = code.split_at(at + word.len()).1;
        let name: String = rest.chars().take_while(|c| begins(*c)).collect();
        found.push((name, fields(rest)));
    }
    found
}

/// How many fields stand in a struct's body: pieces between its commas that are not empty. `rest` begins with its name.
fn fields(rest: &str) -> usize {
    // Of generics, bounds and types; a `->` closes nothing.
    let (mut depth, mut angles) = (0_usize, 0_usize);
    let (mut fields, mut piece, mut before) = (0, false, ' ');
    for c in rest.chars() {
        match c {
            '<' => angles += 1,
            '>' if before != '-' => angles = angles.saturating_sub(1),
            ';' if depth == 0 => break,
            '(' | '[' | '{' => {
                // What opens the body is no part of a field.
                piece = depth > 0 || angles > 0;
                depth += 1;
            }
            ')' | ']' | '}' => {
                depth -= 1;
                let ended = depth == 0 && angles == 0;
                if ended && (c == '}' || c == ')') {
                    return fields + usize::from(piece);
                }
            }
            ',' if depth == 1 && angles == 0 => {
                fields += usize::from(piece);
                piece = false;
            }
            c if depth > 0 && !c.is_whitespace() => piece = true,
            _ => {}
        }
        before = c;
    }
    fields
}

/// No file has more than 600 lines, nine of ten have at most 400, and half of them at most 150; heads and tests count.
#[test]
fn files_stay_short() {
    let mut files = Vec::new();
    sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut files);
    let lines = |file: &PathBuf| fs::read_to_string(file).expect("readable").lines().count();
    let mut sizes: Vec<(usize, PathBuf)> = files.into_iter().map(|file| (lines(&file), file)).collect();
    sizes.sort();
    let long: Vec<_> = sizes.iter().filter(|(lines, _)| *lines > 600).collect();
    assert!(long.is_empty(), "{long:?}");
    let (nine_of_ten, half) = (sizes[sizes.len() * 9 / 10].0, sizes[sizes.len() / 2].0);
    assert!(nine_of_ten <= 400, "nine of ten files have at most {nine_of_ten} lines");
    assert!(half <= 150, "half of the files have at most {half} lines");
}

#[test]
fn fields_are_counted_whatever_stands_around_them() {
    let cases: &[(&str, &[(&str, usize)])] = &[
        ("pub struct Unit;", &[("Unit", 0)]),
        ("struct Empty {}", &[("Empty", 0)]),
        ("struct Pair(pub u8, Vec<(u8, u8)>);", &[("Pair", 2)]),
        ("struct Two { a: u8, b: u8 }", &[("Two", 2)]),
        ("struct Two {\n    a: u8,\n    b: u8,\n}\nfn f(a: u8, b: u8, c: u8) {}", &[("Two", 2)]),
        (
            "struct Maps<'a, K: Ord, V = (u8, u8)> where K: Fn(u8, u8) -> V { a: Map<K, V>, b: &'a [K; 2] }",
            &[("Maps", 2)],
        ),
        ("struct Said { /* no */ a: fn(u8, u8) -> Vec<u8>, // b: u8,\n    /// c: u8, {\n    d: u8 }", &[("Said", 2)]),
        (
            "#[derive(A, B)]\nstruct Noted { #[serde(a = \"{,\", b)] a: u8, pub(crate) b: Box<dyn Fn(u8) -> u8>, }",
            &[("Noted", 2)],
        ),
        ("const C: [char; 4] = ['{', '\\'', '\"', '\\\\'];\nstruct After { a: u8 }", &[("After", 1)]),
        (
            "const T: &str = \"struct No { a: u8 }\\\"\"; const R: &str = r#\"{\"a\"\"#; struct After { a: u8, b: u8 }",
            &[("After", 2)],
        ),
        (
            "struct One { a: u8 }\nimpl One { fn f(&self) -> u8 { struct Inner { a: u8, b: u8 } 1 } }",
            &[("One", 1), ("Inner", 2)],
        ),
        ("fn constructs() { destruct { a, b } }", &[]),
    ];
    for (code, expected) in cases {
        let found = structs(code);
        let found: Vec<(&str, usize)> = found.iter().map(|(name, fields)| (name.as_str(), *fields)).collect();
        assert_eq!(found, *expected, "{code}");
    }
}

#[test]
fn no_struct_has_more_fields_than_one_reads() {
    let (mut seen, mut long) = (0, Vec::new());
    for file in all() {
        for (name, fields) in structs(&fs::read_to_string(&file).expect("readable")) {
            seen += 1;
            if fields > MOST_FIELDS {
                long.push(format!("{}: {name} has {fields} fields", file.display()));
            }
        }
    }
    assert!(seen > 400, "{seen} structs were found");
    assert!(long.is_empty(), "{}", long.join("\n"));
}

/// Clippy counts; an exception is an `expect`, which ends with what it excuses, and says why.
#[test]
fn what_excuses_a_long_function_says_why() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let read = |name: &str| fs::read_to_string(root.join(name)).expect("readable");
    assert!(read("clippy.toml").contains("\ntoo-many-lines-threshold = 80\n"));
    assert!(read("Cargo.toml").contains("\ntoo_many_lines = \"warn\""));
    for file in all() {
        if file.ends_with("layers/sizes.rs") {
            continue;
        }
        let text = fs::read_to_string(&file).expect("readable");
        let excused = text.matches("clippy::too_many_lines").count();
        let why = text.matches("#[expect(clippy::too_many_lines, reason = \"").count();
        assert_eq!(excused, why, "{}", file.display());
    }
}
