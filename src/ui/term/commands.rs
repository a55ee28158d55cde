//! What a typed line means: a command, or a text for the friend one chats with. Pure.
//!
//! Outside a chat a line is a command, with or without a leading `/`. In a chat only a line that begins with `/` is
//! one, since a message to a friend may be any word: "lobby", "why", "offline". `//` begins a text with one `/`, and
//! after a leading space everything is text. `s/name/message` sends to `name` from anywhere, or to nobody.
//!
//! Its part:
//!
//! - `table`: all commands and what the program knows about them.

mod table;

pub(super) use table::{COMMANDS, Command, READABLE, Words, named};

use table::Names;

use crate::base::model::Account;

/// The meaning of a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Typed {
    /// The line is empty or has blanks alone.
    Nothing,
    /// A command with its words.
    Command(&'static Command, Vec<String>),
    /// `s/name/message`: a message to the account of this name.
    Say(Account, String),
    /// A text for the friend one chats with; also the name of the command it looks like, if any.
    Text(String, Option<&'static str>),
    /// A command with too few or too many words.
    Usage(&'static Command),
    /// An unknown command.
    Unknown(String),
    /// `s/name/…` with an unknown name. It was meant for one person, so it is sent to nobody.
    Nobody(String),
    /// `s/name/message` that is incomplete.
    HalfSaid,
}

/// Returns what a line means. `known` returns the account that a name stands for, if there is one.
pub(super) fn parse(line: &str, in_chat: bool, known: impl Fn(&str) -> Option<Account>) -> Typed {
    if line.trim().is_empty() {
        return Typed::Nothing;
    }
    if let Some(text) = line.strip_prefix(' ') {
        return Typed::Text(text.to_owned(), None);
    }
    if line.starts_with("//") {
        return Typed::Text(line.get(1..).unwrap_or_default().to_owned(), None);
    }
    if let Some(said) = line.strip_prefix("s/") {
        return says(said, known);
    }
    let command = match line.strip_prefix('/') {
        Some(rest) => rest,
        None if in_chat => return Typed::Text(line.to_owned(), looks_like(line)),
        None => line,
    };
    let (name, rest) = command.split_once(char::is_whitespace).unwrap_or((command, ""));
    let Some(command) = named(name) else { return Typed::Unknown(name.to_owned()) };
    let words = words_for(command, rest);
    if command.accepts(&words) { Typed::Command(command, words) } else { Typed::Usage(command) }
}

/// Returns the name of the command that a text of a chat would be, with a `/` before it.
fn looks_like(line: &str) -> Option<&'static str> {
    let (name, rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
    named(name).filter(|command| command.accepts(&words_for(command, rest))).map(|command| command.name)
}

/// Splits what follows a command into the words that it takes.
fn words_for(command: &Command, rest: &str) -> Vec<String> {
    split(rest, command.last_is_rest().unwrap_or(usize::MAX))
}

/// Splits `name/message`; the name may contain a `/`.
fn says(said: &str, known: impl Fn(&str) -> Option<Account>) -> Typed {
    let parts = || said.match_indices('/').filter_map(|(i, _)| Some((said.get(..i)?, said.get(i + 1..)?)));
    match (parts().find_map(|(name, text)| Some((known(name)?, text))), parts().next()) {
        (Some((_, text)), _) | (None, Some((_, text))) if text.trim().is_empty() => Typed::HalfSaid,
        (Some((peer, text)), _) => Typed::Say(peer, text.to_owned()),
        (None, Some((name, _))) => Typed::Nobody(name.to_owned()),
        (None, None) => Typed::HalfSaid,
    }
}

/// Splits a text into words, some of them `"in quotes"`; at most `most`, the last one being the rest.
fn split(text: &str, most: usize) -> Vec<String> {
    let mut words = Vec::new();
    let mut rest = text.trim();
    while !rest.is_empty() {
        let quoted = rest.strip_prefix('"').and_then(|inner| inner.split_once('"'));
        if words.len() + 1 >= most && quoted.is_none_or(|(_, after)| !after.trim().is_empty()) {
            words.push(rest.to_owned());
            break;
        }
        let (word, after) = quoted.unwrap_or_else(|| rest.split_once(char::is_whitespace).unwrap_or((rest, "")));
        words.push(word.to_owned());
        rest = after.trim_start();
    }
    words
}

/// Returns the completions at the cursor: where the word begins, and how it may continue.
pub(super) fn completions(before_cursor: &str, in_chat: bool, names: &[String]) -> (usize, Vec<String>) {
    let starting = |from: usize, all: &mut dyn Iterator<Item = &str>, end: &str| {
        let begun = before_cursor.get(from..).unwrap_or_default();
        let mut found: Vec<String> =
            all.filter(|word| word.starts_with(begun)).map(|word| format!("{word}{end}")).collect();
        found.sort();
        found.dedup();
        (from, found)
    };
    let mut friends = names.iter().map(String::as_str);
    if before_cursor.starts_with("s/") && before_cursor.matches('/').count() == 1 {
        return starting(2, &mut friends, "/");
    }
    let slash = usize::from(before_cursor.starts_with('/'));
    if in_chat && slash == 0 || before_cursor.starts_with("//") {
        return (before_cursor.len(), Vec::new());
    }
    let command = before_cursor.get(slash..).unwrap_or_default();
    match command.split_once(char::is_whitespace) {
        None => starting(slash, &mut COMMANDS.iter().flat_map(|command| [command.name, command.zh]), " "),
        Some((name, words)) => {
            let from = before_cursor.len() - words.trim_start().len();
            match named(name).map(|command| command.names) {
                Some(Names::Friend) => starting(from, &mut friends, " "),
                Some(Names::Command) => starting(from, &mut COMMANDS.iter().map(|command| command.name), ""),
                Some(Names::Nothing) | None => (before_cursor.len(), Vec::new()),
            }
        }
    }
}

/// Returns the longest common beginning.
pub(super) fn common(words: &[String]) -> &str {
    let Some(first) = words.first() else { return "" };
    let shared =
        |a: &str, b: &str| a.chars().zip(b.chars()).take_while(|(a, b)| a == b).map(|(a, _)| a.len_utf8()).sum();
    let length = words.iter().map(|word| shared(first, word)).min().unwrap_or(0);
    first.get(..length).unwrap_or_default()
}

#[cfg(test)]
mod tests;
