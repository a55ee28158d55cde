//! What is wrong with the password or the standard input that a job or a chat was given, as a sentence.

use rust_i18n::t;

use crate::base::cli::Face;
use crate::base::settings::Settings;

/// Why something that was given cannot be used; nothing was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unfit {
    /// The password is one that the protocol cannot carry.
    Password,
    /// Standard input has more than this number of bytes.
    Long(u64),
    /// Standard input is not UTF-8 from this byte on, counted from 0.
    NotUtf8(usize),
    /// Standard input has a NUL at this byte, counted from 0.
    Nul(usize),
}

impl Unfit {
    /// Returns the sentence, in the language that was asked for or is set: nothing else has set the language at this
    /// point.
    #[must_use]
    pub fn sentence(self, face: &Face) -> String {
        let chosen = || face.paths().map(|paths| Settings::load(&paths.settings).0.language).unwrap_or_default();
        let locale = face.language().unwrap_or_else(chosen).locale();
        match self {
            Self::Password => t!("term.bad_given_password", locale = locale),
            Self::Long(most) => t!("term.input_long", locale = locale, most = most),
            Self::NotUtf8(at) => t!("term.input_not_utf8", locale = locale, at = at),
            Self::Nul(at) => t!("term.input_nul", locale = locale, at = at),
        }
        .into_owned()
    }
}
