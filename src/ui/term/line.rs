//! The line being typed: its text, the cursor, and earlier lines. Pure: keys come in, and what to do goes out;
//! [`super::screen`] draws it.

use unicode_segmentation::{GraphemeCursor, UnicodeSegmentation};

/// How many lines the arrow keys can bring back.
const REMEMBERED: usize = 500;
/// The most bytes of a line; the rest of a longer paste is left out, which [`Done::TooLong`] reports.
pub const MAX: usize = 1 << 20;

/// A key, a paste, or a change of the window's size.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names say it")]
pub enum Key {
    Char(char),
    Paste(String),
    Enter,
    /// A line break within the text.
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
    /// Ctrl+D: on an empty line the end of the input, else like Delete.
    EndOfInput,
    Suspend,
    Resize(u16, u16),
}

/// What the owner of the line has to do after a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Done {
    /// Only to draw the line again.
    Edited,
    /// To handle this finished line; the line is empty again.
    Line(String),
    /// To complete the word before the cursor (Tab).
    Complete,
    /// To interrupt (Ctrl+C).
    Interrupt,
    /// To end, after Ctrl+D on an empty line.
    End,
    /// To clear the screen (Ctrl+L).
    ClearScreen,
    /// To suspend the program (Ctrl+Z).
    Suspend,
    /// To say that part of what was pasted was left out.
    TooLong,
}

/// A search for an earlier line that contains a text.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
struct Search {
    wanted: String,
    /// The index of the earlier line that is shown.
    found: Option<usize>,
    /// The line when the search began.
    stood: Stood,
}

/// The state of a line that is interrupted and comes back later.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
struct Stood {
    text: String,
    at: usize,
    /// The index of the earlier line that was being edited.
    shown: Option<usize>,
}

/// The line being typed.
#[derive(Debug, Default)]
pub struct Line {
    text: String,
    /// The cursor as a byte offset, on a grapheme boundary.
    at: usize,
    erased: String,
    before: Vec<(String, usize)>,
    remembered: Vec<String>,
    /// The index of the earlier line that is being edited; `None` for a new line.
    shown: Option<usize>,
    draft: String,
    search: Option<Search>,
    secret: bool,
    /// The question that the line answers, as it is asked.
    answers: Option<String>,
    /// Whether the text of a secret line was typed after the secret, while it is being checked.
    ahead: bool,
    /// The line that was interrupted by a question.
    waits: Stood,
}

impl Line {
    /// Returns the text so far.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Returns the cursor's position in bytes.
    #[must_use]
    pub fn at(&self) -> usize {
        self.at
    }

    /// Returns the text before the cursor.
    #[must_use]
    pub fn before_cursor(&self) -> &str {
        self.text.get(..self.at).unwrap_or_default()
    }

    /// Returns the text that is being searched for among earlier lines.
    #[must_use]
    pub fn searching(&self) -> Option<&str> {
        self.search.as_ref().map(|search| search.wanted.as_str())
    }

    /// Returns whether this is a password, which is neither shown nor remembered.
    #[must_use]
    pub fn is_secret(&self) -> bool {
        self.secret
    }

    /// Returns the text that the person is writing, without an answer to a question or an earlier line that is only
    /// being looked at.
    #[must_use]
    pub fn own(&self) -> &str {
        let (text, shown) = match &self.search {
            _ if self.answers.is_some() => (&self.waits.text, self.waits.shown),
            Some(search) => (&search.stood.text, search.stood.shown),
            None => (&self.text, self.shown),
        };
        let earlier = shown.and_then(|i| self.remembered.get(i));
        if earlier == Some(text) { &self.draft } else { text }
    }

    /// Puts a text into the line that the person is writing, even during a question or a search. Returns false, and
    /// changes nothing, if that line has text.
    pub fn give(&mut self, text: &str) -> bool {
        if !self.own().is_empty() {
            return false;
        }
        let stood = || Stood { text: text.to_owned(), at: text.len(), shown: None };
        match &mut self.search {
            _ if self.answers.is_some() => self.waits = stood(),
            Some(search) => search.stood = stood(),
            // An earlier line is being looked at; the text goes below it, one key away.
            None if !self.text.is_empty() => text.clone_into(&mut self.draft),
            None => self.set(text),
        }
        true
    }

    fn stood(&self) -> Stood {
        match &self.search {
            Some(search) => search.stood.clone(),
            None => Stood { text: self.text.clone(), at: self.at, shown: self.shown },
        }
    }

    /// Makes the line an answer to a question; calling it again for the same question changes nothing. A text that was
    /// being typed waits until the answer is given. A half-typed answer to another question is dropped, unless it was
    /// typed blind and this question is for a secret. Returns whether something typed blind was dropped.
    pub fn ask(&mut self, question: &str, secret: bool) -> bool {
        if self.answers.as_deref() == Some(question) && self.secret == secret {
            self.ahead = false;
            return false;
        }
        let dropped = !secret && self.is_blind();
        let typed = if self.ahead && secret { std::mem::take(&mut self.text) } else { String::new() };
        if self.answers.is_none() {
            self.waits = self.stood();
        }
        self.begin(secret);
        self.answers = Some(question.to_owned());
        (self.at, self.text) = (typed.len(), typed);
        dropped
    }

    /// Ends the question and brings back the line that waited. What else was typed is dropped: it is an answer that is
    /// no longer wanted, or was typed blind and may be a secret. Returns whether it was typed blind.
    pub fn go_on(&mut self) -> bool {
        let (back, dropped) = (std::mem::take(&mut self.waits), self.is_blind());
        self.begin(false);
        if !back.text.is_empty() {
            self.set(&back.text);
            (self.at, self.shown) = (back.at, back.shown);
        }
        dropped
    }

    /// Returns whether the line has text that was typed while it was unclear whether a secret would be asked for again.
    fn is_blind(&self) -> bool {
        self.ahead && !self.text.is_empty()
    }

    /// Returns whether the line answers a question.
    #[must_use]
    pub fn is_answer(&self) -> bool {
        self.answers.is_some()
    }

    /// Called after a secret was given, while it is unclear whether it will be asked for again: what is typed now stays
    /// hidden, and is dropped if it is not.
    pub fn hide_ahead(&mut self) {
        self.ahead = true;
    }

    /// Begins a new, empty line.
    pub fn begin(&mut self, secret: bool) {
        (self.secret, self.answers, self.ahead) = (secret, None, false);
        self.text.clear();
        self.at = 0;
        self.before.clear();
        self.shown = None;
        self.search = None;
    }

    /// Sets the text, with the cursor at its end.
    pub fn set(&mut self, text: &str) {
        self.note(false);
        text.clone_into(&mut self.text);
        self.at = self.text.len();
    }

    /// Remembers a line for the arrow keys, unless it repeats the last one.
    pub fn remember(&mut self, line: &str) {
        if line.trim().is_empty() || self.remembered.last().is_some_and(|last| last == line) {
            return;
        }
        if self.remembered.len() == REMEMBERED {
            self.remembered.remove(0);
            let waits = [&mut self.shown, &mut self.waits.shown];
            let sought = self.search.iter_mut().flat_map(|search| [&mut search.found, &mut search.stood.shown]);
            for which in waits.into_iter().chain(sought) {
                *which = which.and_then(|which| which.checked_sub(1));
            }
        }
        self.remembered.push(line.to_owned());
    }

    /// Returns the remembered lines, oldest first.
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

    /// Handles a key.
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
            Key::Search if !self.secret => {
                self.search = Some(Search { stood: self.stood(), ..Search::default() });
            }
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
        // The inserted text may have joined with what follows it into one grapheme.
        if !self.on_boundary() {
            self.at = self.right();
        }
        if fits < text.len() { Done::TooLong } else { Done::Edited }
    }

    fn on_boundary(&self) -> bool {
        GraphemeCursor::new(self.at, self.text.len(), true).is_boundary(&self.text, 0).unwrap_or(true)
    }

    /// Remembers the line for Undo. Typing on (`typing`) is one step together with what was typed just before.
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

    /// Handles a key during a search; `None` if it ends the search and is to be handled as usual.
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
            // The search key again finds the next older line.
            Key::Search => search.found.unwrap_or(0),
            Key::Resize(..) => return Some(Done::Edited),
            Key::Escape | Key::Interrupt => {
                let stood = std::mem::take(&mut search.stood);
                self.search = None;
                (self.text, self.at, self.shown) = (stood.text, stood.at, stood.shown);
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
                // The line found is now edited as an earlier line; what was being typed is one key below it.
                if let Some(found) = search.found {
                    let own = self.own().to_owned();
                    (self.draft, self.shown) = (own, Some(found));
                }
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
mod tests;
