//! The line one types: a text, a cursor, what was typed before. Pure: keys in, what to do out; drawing
//! it is [`super::screen`]'s.

use unicode_segmentation::{GraphemeCursor, UnicodeSegmentation};

/// Lines that the arrow keys bring back.
const REMEMBERED: usize = 500;
/// Most bytes of a line; what is pasted beyond is left out, and said so by [`Done::TooLong`].
pub const MAX: usize = 1 << 20;

/// A key, or what came at once.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names say it")]
pub enum Key {
    Char(char),
    Paste(String),
    Enter,
    /// A line break in the line.
    Break,
    Tab,
    Backspace,
    Delete,
    Left,
    Right,
    WordLeft,
    WordRight,
    Home,
    End,
    Up,
    Down,
    EraseWord,
    EraseWordAhead,
    EraseToStart,
    EraseToEnd,
    /// Brings back what was erased last.
    PutBack,
    Undo,
    Search,
    Escape,
    ClearScreen,
    Interrupt,
    /// Ctrl+D: the end on an empty line, else as Delete.
    EndOfInput,
    Suspend,
    Resize(u16, u16),
}

/// What a key asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Done {
    /// Nothing but to draw the line again.
    Edited,
    /// The line is finished, and empty again.
    Line(String),
    /// Tab: the owner completes what stands before the cursor.
    Complete,
    /// Ctrl+C.
    Interrupt,
    /// Ctrl+D on an empty line.
    End,
    /// Ctrl+L.
    ClearScreen,
    /// Ctrl+Z.
    Suspend,
    /// Not all of it was taken.
    TooLong,
}

/// Looking for an earlier line by a part of it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
struct Search {
    wanted: String,
    /// Which of the remembered lines is shown.
    found: Option<usize>,
}

/// The line.
#[derive(Debug, Default)]
pub struct Line {
    text: String,
    /// A byte offset, on a grapheme's boundary.
    at: usize,
    erased: String,
    before: Vec<(String, usize)>,
    remembered: Vec<String>,
    /// Which of the remembered lines is edited; none is the new one.
    shown: Option<usize>,
    draft: String,
    search: Option<Search>,
    secret: bool,
    /// It answers a question, secret or not.
    answers: bool,
    /// What stands in a secret line was typed after the secret, while what it was for is under way.
    ahead: bool,
    /// What was being typed when a secret was asked for.
    waits: String,
}

impl Line {
    /// The text so far.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Where the cursor is, in bytes.
    #[must_use]
    pub fn at(&self) -> usize {
        self.at
    }

    /// What stands before the cursor.
    #[must_use]
    pub fn before_cursor(&self) -> &str {
        self.text.get(..self.at).unwrap_or_default()
    }

    /// What is being looked for among earlier lines.
    #[must_use]
    pub fn searching(&self) -> Option<&str> {
        self.search.as_ref().map(|search| search.wanted.as_str())
    }

    /// Whether this is a password: neither shown nor remembered.
    #[must_use]
    pub fn is_secret(&self) -> bool {
        self.secret
    }

    /// Something is asked, a secret or not; a line that was being typed is no answer, and waits meanwhile.
    pub fn ask(&mut self, secret: bool) {
        if !self.answers {
            self.text.clone_into(&mut self.waits);
        }
        self.begin(secret);
        self.answers = true;
    }

    /// Nothing is asked any more: the line that waited is back. Of an answer that is not wanted any more nothing is shown.
    pub fn go_on(&mut self) {
        if self.ahead {
            self.waits.push_str(&self.text);
        }
        self.begin(false);
        let waited = std::mem::take(&mut self.waits);
        if !waited.is_empty() {
            self.set(&waited);
        }
    }

    /// Whether it answers a question.
    #[must_use]
    pub fn is_answer(&self) -> bool {
        self.answers
    }

    /// The secret is given, and it is not known yet whether it is asked for again: what is typed now stays hidden, and is
    /// shown behind the line that waits if it is not.
    pub fn hide_ahead(&mut self) {
        self.ahead = true;
    }

    /// Begins a new line.
    pub fn begin(&mut self, secret: bool) {
        (self.secret, self.answers, self.ahead) = (secret, false, false);
        self.text.clear();
        self.at = 0;
        self.before.clear();
        self.shown = None;
        self.search = None;
    }

    /// Fills the line, cursor at its end.
    pub fn set(&mut self, text: &str) {
        self.note(false);
        text.clone_into(&mut self.text);
        self.at = self.text.len();
    }

    /// Remembers a line for the arrow keys, unless it is the last one again.
    pub fn remember(&mut self, line: &str) {
        if line.trim().is_empty() || self.remembered.last().is_some_and(|last| last == line) {
            return;
        }
        if self.remembered.len() == REMEMBERED {
            self.remembered.remove(0);
        }
        self.remembered.push(line.to_owned());
    }

    /// What is remembered, oldest first.
    #[must_use]
    pub fn remembered(&self) -> &[String] {
        &self.remembered
    }

    /// Replaces the word that begins at `start` and ends at the cursor.
    pub fn replace_word(&mut self, start: usize, word: &str) {
        if self.text.get(start..self.at).is_some() {
            self.note(false);
            self.text.replace_range(start..self.at, word);
            self.at = start + word.len();
        }
    }

    /// One key.
    pub fn key(&mut self, key: Key) -> Done {
        if self.search.is_some()
            && let Some(done) = self.search_key(&key)
        {
            return done;
        }
        match key {
            Key::Char(c) => return self.insert(c.encode_utf8(&mut [0; 4])),
            Key::Paste(text) => return self.insert(&text.replace("\r\n", "\n").replace('\r', "\n")),
            Key::Break => return self.insert("\n"),
            Key::Enter => {
                self.shown = None;
                self.before.clear();
                self.at = 0;
                return Done::Line(std::mem::take(&mut self.text));
            }
            Key::Tab => return Done::Complete,
            Key::Interrupt => return Done::Interrupt,
            Key::ClearScreen => return Done::ClearScreen,
            Key::Suspend => return Done::Suspend,
            Key::EndOfInput if self.text.is_empty() => return Done::End,
            Key::Left => self.at = self.left(),
            Key::Right => self.at = self.right(),
            Key::WordLeft => self.at = self.word_left(),
            Key::WordRight => self.at = self.word_right(),
            Key::Home => self.at = 0,
            Key::End => self.at = self.text.len(),
            Key::Backspace => self.erase(self.left(), self.at, false),
            Key::Delete | Key::EndOfInput => self.erase(self.at, self.right(), false),
            Key::EraseWord => self.erase(self.word_left(), self.at, true),
            Key::EraseWordAhead => self.erase(self.at, self.word_right(), true),
            Key::EraseToStart => self.erase(0, self.at, true),
            Key::EraseToEnd => self.erase(self.at, self.text.len(), true),
            Key::PutBack => return self.insert(&self.erased.clone()),
            Key::Undo => {
                if let Some((text, at)) = self.before.pop() {
                    (self.text, self.at) = (text, at);
                }
            }
            Key::Up => self.earlier(),
            Key::Down => self.later(),
            Key::Search if !self.secret => self.search = Some(Search::default()),
            Key::Search | Key::Escape | Key::Resize(..) => {}
        }
        Done::Edited
    }

    fn insert(&mut self, text: &str) -> Done {
        let text: String = text.chars().filter(|c| *c == '\n' || *c == '\t' || !c.is_control()).collect();
        let room = MAX.saturating_sub(self.text.len());
        let fits = (0..=room.min(text.len())).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
        self.note(true);
        self.text.insert_str(self.at, text.get(..fits).unwrap_or_default());
        self.at += fits;
        // What was put in may have joined with what stands behind it.
        if !self.on_boundary() {
            self.at = self.right();
        }
        if fits < text.len() { Done::TooLong } else { Done::Edited }
    }

    fn on_boundary(&self) -> bool {
        GraphemeCursor::new(self.at, self.text.len(), true).is_boundary(&self.text, 0).unwrap_or(true)
    }

    /// Remembers the line as it is, for Undo; typing on is one step with what was typed before.
    fn note(&mut self, typing: bool) {
        const STEPS: usize = 100;
        if self.before.last().is_some_and(|(text, _)| *text == self.text) {
            return;
        }
        let goes_on = typing
            && self.before.last().is_some_and(|(text, at)| {
                self.text.len().checked_sub(text.len()).is_some_and(|more| more < 16 && self.at == at + more)
            });
        if !goes_on && self.text.len() < 1 << 16 {
            if self.before.len() == STEPS {
                self.before.remove(0);
            }
            self.before.push((self.text.clone(), self.at));
        }
    }

    fn erase(&mut self, from: usize, to: usize, keep: bool) {
        let Some(text) = self.text.get(from..to).filter(|text| !text.is_empty()).map(str::to_owned) else { return };
        self.note(false);
        self.text.replace_range(from..to, "");
        self.at = from;
        if keep && !self.secret {
            self.erased = text;
        }
    }

    fn left(&self) -> usize {
        self.before_cursor().grapheme_indices(true).next_back().map_or(0, |(i, _)| i)
    }

    fn right(&self) -> usize {
        let mut cursor = GraphemeCursor::new(self.at, self.text.len(), true);
        cursor.next_boundary(&self.text, 0).ok().flatten().unwrap_or(self.text.len())
    }

    fn word_left(&self) -> usize {
        self.before_cursor().unicode_word_indices().next_back().map_or(0, |(i, _)| i)
    }

    fn word_right(&self) -> usize {
        let ahead = self.text.get(self.at..).unwrap_or_default();
        ahead.unicode_word_indices().next().map_or(self.text.len(), |(i, word)| self.at + i + word.len())
    }

    fn earlier(&mut self) {
        let next = self.shown.unwrap_or(self.remembered.len()).checked_sub(1);
        if let Some(next) = next
            && !self.secret
        {
            if self.shown.is_none() {
                self.draft.clone_from(&self.text);
            }
            self.show(Some(next));
        }
    }

    fn later(&mut self) {
        if let Some(shown) = self.shown {
            self.show(Some(shown + 1).filter(|next| *next < self.remembered.len()));
        }
    }

    fn show(&mut self, which: Option<usize>) {
        let text = which.and_then(|i| self.remembered.get(i)).unwrap_or(&self.draft);
        self.text.clone_from(text);
        self.at = self.text.len();
        self.shown = which;
        self.before.clear();
    }

    /// A key while earlier lines are looked through; `None` ends that, and the key counts as usual.
    fn search_key(&mut self, key: &Key) -> Option<Done> {
        let search = self.search.as_mut()?;
        let before = match key {
            Key::Char(c) => {
                search.wanted.push(*c);
                self.remembered.len()
            }
            Key::Backspace => {
                search.wanted.pop();
                self.remembered.len()
            }
            // Once more: the one before.
            Key::Search => search.found.unwrap_or(0),
            Key::Resize(..) => return Some(Done::Edited),
            Key::Escape | Key::Interrupt => {
                self.search = None;
                self.set("");
                return Some(Done::Edited);
            }
            Key::Paste(_)
            | Key::Enter
            | Key::Break
            | Key::Tab
            | Key::Delete
            | Key::Left
            | Key::Right
            | Key::WordLeft
            | Key::WordRight
            | Key::Home
            | Key::End
            | Key::Up
            | Key::Down
            | Key::EraseWord
            | Key::EraseWordAhead
            | Key::EraseToStart
            | Key::EraseToEnd
            | Key::PutBack
            | Key::Undo
            | Key::ClearScreen
            | Key::EndOfInput
            | Key::Suspend => {
                self.search = None;
                return None;
            }
        };
        let wanted = search.wanted.to_lowercase();
        let found = self.remembered.iter().take(before).rposition(|l| l.to_lowercase().contains(&wanted));
        if let (Some(found), false) = (found, wanted.is_empty()) {
            search.found = Some(found);
            if let Some(line) = self.remembered.get(found) {
                self.text.clone_from(line);
                self.at = self.text.len();
            }
        }
        Some(Done::Edited)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What stands in the line after these keys, `|` at the cursor.
    #[track_caller]
    fn check(keys: &[Key], expected: &str) {
        let mut line = Line::default();
        for earlier in ["first one", "鸿雁传书"] {
            line.remember(earlier);
        }
        for key in keys {
            line.key(key.clone());
        }
        let mut shown = line.text().to_owned();
        shown.insert(line.at(), '|');
        assert_eq!(shown, expected, "{keys:?}");
    }

    fn typed(text: &str) -> Key {
        Key::Paste(text.into())
    }

    #[test]
    fn edits() {
        use Key::{
            Backspace, Break, Char, Delete, Down, End, EraseToEnd, EraseToStart, EraseWord, Escape, Home, Left,
            PutBack, Right, Search, Undo, Up, WordLeft, WordRight,
        };
        check(&[typed("hello"), Left, Left, Char('X')], "helX|lo");
        check(&[typed("你好👩‍👩‍👧"), Backspace, Backspace], "你|");
        check(&[typed("e\u{301}x"), Home, Delete], "|x");
        check(&[typed("e"), Left, typed("x"), Right, Char('\u{301}')], "xe\u{301}|");
        check(&[typed("one two"), EraseWord], "one |");
        check(&[typed("one two"), WordLeft, WordLeft, EraseToEnd, PutBack, PutBack], "one twoone two|");
        check(&[typed("one two"), Home, WordRight, EraseToStart, End, PutBack], " twoone|");
        check(&[typed("one"), Up, Up, Up, Down], "鸿雁传书|");
        check(&[typed("draft"), Up, Down, Down], "draft|");
        check(&[Search, Char('F'), Char('i')], "first one|");
        check(&[Search, Char('传'), Right, Char('!')], "鸿雁传书!|");
        check(&[Search, Char('传'), Escape], "|");
        check(&[typed("a\r\nb\x1b[2Jc\rd"), Break], "a\nb[2Jc\nd\n|");
        check(&[typed("abc"), EraseToStart, Undo], "abc|");
        check(&[Undo, Backspace, Delete, Left, Right, WordLeft, WordRight, Down], "|");
    }

    #[test]
    fn a_password_is_not_remembered_nor_put_back() {
        let mut line = Line::default();
        line.begin(true);
        line.key(typed("secret"));
        line.key(Key::EraseToStart);
        line.begin(false);
        line.key(Key::PutBack);
        line.key(Key::Up);
        assert_eq!(line.text(), "");
    }

    #[test]
    fn what_was_being_typed_waits_while_a_password_is() {
        let mut line = Line::default();
        line.key(typed("half a line"));
        line.ask(true);
        assert_eq!(line.text(), "");
        line.key(typed("secret"));
        assert_eq!(line.key(Key::Enter), Done::Line("secret".into()));
        line.go_on();
        assert_eq!((line.text(), line.is_secret()), ("half a line", false));
        line.begin(false);
        line.ask(true);
        line.key(typed("half a secret"));
        line.go_on();
        assert_eq!(line.text(), "", "nobody reads it");
    }

    #[test]
    fn what_is_typed_after_a_password_is_hidden_until_that_is_right() {
        let mut line = Line::default();
        line.key(typed("half "));
        line.ask(true);
        line.key(typed("secret"));
        line.key(Key::Enter);
        line.hide_ahead();
        line.key(typed("a line"));
        assert!(line.is_secret());
        line.go_on();
        assert_eq!((line.text(), line.is_secret()), ("half a line", false));
    }

    #[test]
    fn what_was_being_typed_answers_no_question() {
        let mut line = Line::default();
        line.key(typed("yes, half a line"));
        for secret in [true, false] {
            line.ask(secret);
            assert_eq!((line.text(), line.is_secret(), line.is_answer()), ("", secret, true));
            line.key(typed("half an answer"));
        }
        line.go_on();
        assert_eq!((line.text(), line.is_answer()), ("yes, half a line", false));
    }

    #[test]
    fn lines_end_and_begin() {
        let mut line = Line::default();
        assert_eq!(line.key(Key::EndOfInput), Done::End);
        line.key(typed("hi"));
        assert_eq!(line.key(Key::EndOfInput), Done::Edited);
        assert_eq!(line.key(Key::Enter), Done::Line("hi".into()));
        assert_eq!(line.key(Key::Enter), Done::Line(String::new()));
        assert_eq!(line.key(typed(&"x".repeat(MAX + 1))), Done::TooLong);
        assert_eq!(line.text().len(), MAX);
    }
}
