//! What is worth a sentence in every face.

use rust_i18n::t;

use super::Event;
use crate::history::time_of;
use crate::link::words;

impl Event {
    /// What there is to say of the server, its key or another device, in the language of the moment.
    #[must_use]
    pub fn notice(&self) -> Option<String> {
        let chinese = rust_i18n::locale().starts_with("zh");
        let text = match self {
            Self::PlainOnly { was_secure: true } => t!("secure.not_any_more"),
            Self::PlainOnly { was_secure: false } => t!("secure.plain_only"),
            Self::Pinned(key) => t!("secure.pinned", words = words(key, chinese)),
            Self::KeyChanged(change) => {
                let (shown, known) = change.words(chinese);
                t!("secure.key_words", shown = shown, known = known)
            }
            Self::Kicked { address, at } => t!("secure.kicked", address = address, time = time_of(*at)),
            Self::TookPlace { address } => t!("secure.took_place", address = address),
            _ => return None,
        };
        Some(text.into_owned())
    }
}
