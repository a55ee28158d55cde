//! Newtypes that carry the protocol's rules, so that encoders cannot fail.
//!
//! Source: the plain protocol, "Datagram": accounts and passwords never contain `#` and are never
//! empty; 1–64 bytes of UTF-8 without control characters; no `:` in an account, because it would
//! break the replies 05 and 09; a leading `@` is reserved for rooms.
//!
//! Its parts:
//!
//! - `state`: the delivery state of a message that this account sent, its name, and what may be done with it.
//! - `names`: which new names could be taken for another's, how such names of before are shown, and the one place
//!   that puts a room's writer and text together and takes them apart.

pub mod names;
mod state;

use std::fmt;

pub use state::SendState;
use unicode_segmentation::UnicodeSegmentation;

/// Most bytes an account or a password may have.
pub const MAX_FIELD_BYTES: usize = 64;
/// Most bytes a message body may have, so that a 05/09 reply stays within 1,024 bytes.
pub const MAX_BODY_BYTES: usize = 936;

/// Why a text is not a valid account, password or message.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FieldError {
    /// The text is empty.
    #[error("the field is empty")]
    Empty,
    /// The UTF-8 form is too long.
    #[error("the field has {got} bytes, at most {max} are allowed")]
    TooLong {
        /// The length of the given text in bytes.
        got: usize,
        /// The most bytes allowed.
        max: usize,
    },
    /// A character that the protocol uses itself, or a control character.
    #[error("the character {found:?} is not allowed here")]
    Forbidden {
        /// The first such character.
        found: char,
    },
    /// A leading `@` names a room and can be nobody's account.
    #[error("a leading @ is reserved for rooms")]
    Reserved,
    /// A new account's name could be mistaken for another name.
    #[error(transparent)]
    Name(#[from] names::NameFault),
}

fn check(text: &str, forbidden: &[char]) -> Result<(), FieldError> {
    if text.is_empty() {
        return Err(FieldError::Empty);
    }
    if text.len() > MAX_FIELD_BYTES {
        return Err(FieldError::TooLong { got: text.len(), max: MAX_FIELD_BYTES });
    }
    match text.chars().find(|c| forbidden.contains(c) || c.is_control()) {
        Some(found) => Err(FieldError::Forbidden { found }),
        None => Ok(()),
    }
}

/// Which of the two dialects the client may use with a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Dialect {
    /// The secure dialect with servers that speak it, otherwise the plain dialect.
    #[default]
    Auto,
    /// The plain dialect, without asking the server which one it speaks.
    Plain,
}

/// How the client polls for unread messages in the plain dialect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Polling {
    /// 1, 2, 4, 8, 15, 30 s after traffic; at most 2 s while a chat window is visible.
    #[default]
    Adaptive,
    /// `08#` (then `09#`) every 30 s and at no other time, as the assignment has it.
    Strict,
    /// `04#`/`05#` for each open chat every 30 s, as the assignment's FU3 has it.
    StrictPerFriend,
}

/// The name of a sender or recipient: a person's account, or a room such as `@lobby`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Account(String);

impl Account {
    /// The room that everybody who is online is in (extension `@lobby`).
    pub const LOBBY: &'static str = "@lobby";

    /// Parses a person's account or a room's name.
    ///
    /// # Errors
    /// [`FieldError`] if the protocol forbids the name.
    pub fn parse(text: &str) -> Result<Self, FieldError> {
        check(text, &['#', ':'])?;
        Ok(Self(text.to_owned()))
    }

    /// Parses a person's account, with which one can log in and to which one can write. Accounts registered earlier
    /// may break the rules for new names.
    ///
    /// # Errors
    /// The errors of [`Account::parse`], and [`FieldError::Reserved`] for a leading `@`.
    pub fn person(text: &str) -> Result<Self, FieldError> {
        if text.starts_with('@') {
            return Err(FieldError::Reserved);
        }
        Self::parse(text)
    }

    /// Parses a name for a new account. See [`names::fault`] for the additional rules.
    ///
    /// # Errors
    /// The errors of [`Account::person`], and [`FieldError::Name`] for a name that could be mistaken for another.
    pub fn new_person(text: &str) -> Result<Self, FieldError> {
        let account = Self::person(text)?;
        names::fault(text).map_or(Ok(account), |(_, why)| Err(why.into()))
    }

    /// The name as people are shown it: see [`names::shown`].
    #[must_use]
    pub fn shown(&self) -> std::borrow::Cow<'_, str> {
        names::shown(&self.0)
    }

    /// The lobby's account.
    #[must_use]
    pub fn lobby() -> Self {
        Self(Self::LOBBY.to_owned())
    }

    /// A sender as a foreign server named it, forbidden characters replaced by `_` and cut to the
    /// limit, so that no message is lost for its sender's name.
    #[must_use]
    pub fn sanitised(text: &str) -> Self {
        let mut clean = String::new();
        for c in text.chars() {
            let c = if c == '#' || c == ':' || c.is_control() { '_' } else { c };
            if clean.len() + c.len_utf8() > MAX_FIELD_BYTES {
                break;
            }
            clean.push(c);
        }
        if clean.is_empty() {
            clean.push('?');
        }
        Self(clean)
    }

    /// Whether this names a room rather than a person.
    #[must_use]
    pub fn is_room(&self) -> bool {
        self.0.starts_with('@')
    }

    /// The text as it goes on the wire, UTF-8.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A password on its way to the server; never shown by `Debug`, never logged.
#[derive(Clone, PartialEq, Eq)]
pub struct Password(String);

impl Password {
    /// # Errors
    /// [`FieldError`] if the protocol forbids the password.
    pub fn parse(text: &str) -> Result<Self, FieldError> {
        check(text, &['#'])?;
        Ok(Self(text.to_owned()))
    }

    /// The password in Unicode NFC, the form in which passwords are compared; `None` if it is in that form already.
    #[must_use]
    pub fn composed(&self) -> Option<Self> {
        match names::composed(&self.0) {
            std::borrow::Cow::Borrowed(_) => None,
            std::borrow::Cow::Owned(text) => Some(Self(text)),
        }
    }

    /// The secret itself, for the encoder and the hash alone.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(******)")
    }
}

/// A message body that fits one datagram: not empty, at most [`MAX_BODY_BYTES`] of UTF-8, no NUL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MessageText(String);

impl MessageText {
    /// # Errors
    /// Empty, too long for one datagram, or holding a NUL.
    pub fn parse(text: &str) -> Result<Self, FieldError> {
        if text.is_empty() {
            return Err(FieldError::Empty);
        }
        if text.len() > MAX_BODY_BYTES {
            return Err(FieldError::TooLong { got: text.len(), max: MAX_BODY_BYTES });
        }
        if text.contains('\0') {
            return Err(FieldError::Forbidden { found: '\0' });
        }
        Ok(Self(text.to_owned()))
    }

    /// How many parts of a long text are sent without asking the user first; more usually means that a file was
    /// pasted by mistake.
    pub const UNASKED: usize = 10;

    /// Splits a text of any length between words, long ones between graphemes, into bodies that fit; from
    /// two parts on each begins with its mark, `(1/3) `. NULs are left out. An empty or blank text gives none.
    #[must_use]
    pub fn split(text: &str) -> Vec<Self> {
        const MARK: usize = "(9999/9999) ".len();
        const LONG_WORD: usize = 64;
        let text: String = text.chars().filter(|c| *c != '\0').collect();
        if text.trim().is_empty() {
            return Vec::new();
        }
        if text.len() <= MAX_BODY_BYTES {
            return vec![Self(text)];
        }
        let mut parts = vec![String::new()];
        for word in text.split_word_bounds() {
            let graphemes = if word.len() > LONG_WORD { word.graphemes(true).collect() } else { vec![word] };
            // A grapheme of more than a whole body (a tower of combining marks) is cut by characters.
            let units = graphemes.into_iter().flat_map(|grapheme| {
                let tower = grapheme.len() > MAX_BODY_BYTES - MARK;
                if tower { grapheme.split_inclusive(|_: char| true).collect() } else { vec![grapheme] }
            });
            for unit in units {
                match parts.last_mut() {
                    Some(last) if last.len() + unit.len() <= MAX_BODY_BYTES - MARK => last.push_str(unit),
                    _ => parts.push(unit.to_owned()),
                }
            }
        }
        let total = parts.len();
        parts.into_iter().enumerate().map(|(i, part)| Self(format!("({}/{total}) {part}", i + 1))).collect()
    }

    /// Whether a server that is not this project's (`foreign`) may cut this text: at a `#`, which ends a field of the
    /// plain protocol. Every face says so.
    #[must_use]
    pub fn may_be_cut(text: &str, foreign: bool) -> bool {
        foreign && text.contains('#')
    }

    /// The text as it goes on the wire.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A message's row in the client's own history; chosen by the history when it is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct MessageId(pub i64);

#[cfg(test)]
mod tests;
