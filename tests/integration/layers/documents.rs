//! The documents for developers are correct: the files, types and tests that they name exist, every source file is
//! listed in its module, and the introduction stays short.

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// All files below a folder whose names end so, as paths from the package's root.
fn files(folder: &str, ending: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut folders = vec![root().join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("a folder of the package") {
            let path = entry.expect("readable").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.to_string_lossy().ends_with(ending) {
                let name = path.strip_prefix(root()).expect("below it");
                found.push(name.to_string_lossy().replace('\\', "/"));
            }
        }
    }
    found.sort();
    found
}

/// The documents that developers read besides the comments.
fn documents() -> Vec<String> {
    let mut all = files("docs/decisions", ".md");
    assert!(all.len() > 8, "{all:?}");
    all.extend(["ARCHITECTURE.md", "docs/measurements.md", "tests/README.md"].map(str::to_owned));
    all
}

/// What stands between backticks; what is indented or fenced as a block is no sentence.
fn quoted(text: &str) -> Vec<String> {
    let mut fenced = false;
    let prose: Vec<&str> = text
        .lines()
        .filter(|line| {
            let fence = line.starts_with("```");
            fenced ^= fence;
            !fence && !fenced && !line.starts_with("    ")
        })
        .collect();
    prose.join("\n").split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

/// The code of the programs and their tests.
fn code() -> String {
    ["src", "tests", "examples"].iter().flat_map(|folder| files(folder, ".rs")).map(|f| read(&root().join(f))).collect()
}

fn words(text: &str) -> HashSet<&str> {
    text.split(|c: char| !c.is_alphanumeric() && c != '_').collect()
}

fn is_word(name: &str) -> bool {
    !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

/// `Type::name`, `a_name`, `Type` and `path/file.rs` in the documents are there, and so is what they link to.
#[test]
fn what_the_documents_name_exists() {
    let code = code();
    let known = words(&code);
    let (mut named, mut missing) = (0, Vec::new());
    for document in documents() {
        let text = read(&root().join(&document));
        for name in quoted(&text) {
            let path = name.contains("::") && name.chars().all(|c| c.is_alphanumeric() || "_:".contains(c));
            let folders = ["src/", "tests/", "docs/", "scripts/", "examples/", "locales/"];
            let file = folders.iter().any(|folder| name.starts_with(folder)) && !name.contains(' ');
            let word = is_word(&name) && (name.contains('_') || name.starts_with(char::is_uppercase));
            let there = match () {
                () if path => name.split("::").all(|part| known.contains(part)),
                () if file => root().join(&name).exists(),
                () if word => known.contains(name.as_str()),
                () => continue,
            };
            named += 1;
            if !there {
                missing.push(format!("{document}: {name}"));
            }
        }
    }
    assert!(named > 400, "{named} names were found");
    assert!(missing.is_empty(), "{}", missing.join("\n"));
}

/// Every link from one document to another one, or to a picture, leads there.
#[test]
fn links_between_documents_lead_somewhere() {
    let mut all: Vec<String> = files("docs", ".md");
    all.extend(documents());
    all.extend(["README.md", "README.zh-CN.md", "CHANGELOG.md"].map(str::to_owned));
    let mut found = 0;
    for document in all {
        let folder = root().join(&document).parent().map(Path::to_path_buf).unwrap_or_default();
        for link in read(&root().join(&document)).split("](").skip(1) {
            let to = link.split([')', '#', ' ']).next().unwrap_or_default();
            if to.is_empty() || to.contains("://") {
                continue;
            }
            found += 1;
            assert!(folder.join(to).exists(), "{document}: {to}");
        }
    }
    assert!(found > 30, "{found} links were found");
}

/// Each decision says what was asked, chosen and refused, and names a test, if only to say that there is none.
#[test]
fn every_decision_has_its_question_and_its_test() {
    let code = code();
    let index = read(&root().join("docs/decisions/README.md"));
    let (mut decisions, mut tests) = (0, 0);
    for file in files("docs/decisions", ".md").iter().filter(|file| !file.ends_with("README.md")) {
        let name = file.rsplit('/').next().unwrap_or_default();
        assert!(index.contains(&format!("]({name})")), "{name} is not in the list");
        for decision in read(&root().join(file)).split("\n## ").skip(1) {
            decisions += 1;
            let title = decision.lines().next().unwrap_or_default();
            let mut rest = decision;
            for part in ["\n**Question.** ", "\n**Choice.** ", "\n**Refused.** ", "\n**Test.** "] {
                let (_, after) = rest.split_once(part).unwrap_or_else(|| panic!("{file}: {title}: {part}"));
                rest = after;
            }
            for test in quoted(rest).iter().filter(|name| is_word(name)) {
                tests += 1;
                assert!(code.contains(&format!("fn {test}(")), "{file}: {title}: there is no test {test}");
            }
        }
    }
    assert!(decisions > 60 && tests > 100, "{decisions} decisions, {tests} tests");
}

/// ARCHITECTURE.md names a source file, or the comment at the head of its parent module does. Tests are listed nowhere.
#[test]
fn every_source_file_is_listed() {
    let map = quoted(&read(&root().join("ARCHITECTURE.md")));
    let mut unknown = Vec::new();
    for file in files("src", ".rs") {
        let path = PathBuf::from(&file);
        let tests =
            path.components().any(|part| part.as_os_str().to_string_lossy().trim_end_matches(".rs").ends_with("tests"));
        if tests || file == "src/lib.rs" || map.contains(&file) {
            continue;
        }
        let module = path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
        let parent = path.parent().expect("below src").with_extension("rs");
        let parent = if parent == Path::new("src.rs") { PathBuf::from("src/lib.rs") } else { parent };
        let head: String = match fs::read_to_string(root().join(&parent)) {
            Ok(text) => text.lines().take_while(|line| line.starts_with("//!")).collect(),
            Err(_) => String::new(),
        };
        if !head.contains(&format!("`{module}`")) {
            unknown.push(format!("{file}: neither ARCHITECTURE.md nor the head of {} names it", parent.display()));
        }
    }
    assert!(unknown.is_empty(), "{}", unknown.join("\n"));
}

/// The way in is read in one go.
#[test]
fn the_architecture_stays_short() {
    let count = read(&root().join("ARCHITECTURE.md")).split_whitespace().count();
    assert!((1_000..=1_900).contains(&count), "ARCHITECTURE.md has {count} words");
}

/// Cargo.toml says of each dependency why it is there: behind it, or in the lines above.
#[test]
fn every_dependency_says_why_it_is_there() {
    let text = read(&root().join("Cargo.toml"));
    let (mut within, mut above, mut seen) = (false, false, 0);
    for line in text.lines() {
        if line.starts_with('[') {
            within = line.ends_with("dependencies]");
        } else if within && line.contains(" = ") {
            let alone = line.starts_with('#');
            seen += usize::from(!alone);
            assert!(alone || above || line.contains(" # "), "why is this here? {line}");
        }
        above = line.starts_with('#');
    }
    assert!(seen > 40, "{seen} dependencies were found");
}
