//! Whether somebody is there, and what they say of it: what an account's owner chooses ([`Status`], an item), and what
//! others are told of somebody who is online ([`Shown`], in `presence` and `changes`).
//!
//! Source: the secure dialect, "Who is here, what was, and the clock".

use serde::{Deserialize, Serialize};

use super::item::{SHORT, Unfit, short};
use crate::base::model::names;

/// What an account's owner has chosen for all their devices: the value of an item of kind `status`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Status {
    /// How they are shown to others while they are logged in; `None`: online, or away if they are away from all devices.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<Chosen>,
    /// A line that others are shown beside it, at most [`SHORT`] characters; may be empty.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub text: String,
}

/// A state that one chooses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Chosen {
    /// There, and not to be disturbed.
    Busy,
    /// There, and offline for everybody else.
    Invisible,
}

/// How somebody who is online is shown to others.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Shown {
    /// Whether they are there, away or busy.
    #[serde(skip_serializing_if = "Online::is_here")]
    pub state: Online,
    /// Their line, at most [`SHORT`] characters; may be empty.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub text: String,
}

/// In what way somebody is online.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Online {
    /// Not at any of their devices.
    Away,
    /// Not to be disturbed; they have chosen so.
    Busy,
    /// There. Also what only a later version of the protocol knows.
    #[default]
    #[serde(other)]
    Here,
}

impl Online {
    fn is_here(&self) -> bool {
        *self == Self::Here
    }
}

impl Status {
    /// The status as a server stores it, cleaned of what a text on one line cannot hold.
    ///
    /// # Errors
    /// [`Unfit`] if the line is longer than [`SHORT`] characters.
    pub fn checked(&self) -> Result<Self, Unfit> {
        Ok(Self { state: self.state, text: short(&self.text)? })
    }

    /// Whether it says nothing beyond being online.
    #[must_use]
    pub fn is_plain(&self) -> bool {
        *self == Self::default()
    }

    /// Whether the owner is to be offline for everybody else.
    #[must_use]
    pub fn hides(&self) -> bool {
        self.state == Some(Chosen::Invisible)
    }

    /// How others are shown the owner while they are online; `None` if they are to be offline for them. A chosen state
    /// goes before being away.
    #[must_use]
    pub fn shown(&self, away: bool) -> Option<Shown> {
        let state = match self.state {
            Some(Chosen::Invisible) => return None,
            Some(Chosen::Busy) => Online::Busy,
            None if away => Online::Away,
            None => Online::Here,
        };
        Some(Shown { state, text: self.text.clone() })
    }

    /// Reads a status that the store or an item has as JSON; what cannot be read says nothing.
    #[must_use]
    pub fn parse(json: &str) -> Self {
        serde_json::from_str(json).unwrap_or_default()
    }
}

impl Shown {
    /// Whether it says nothing beyond being online.
    #[must_use]
    pub fn is_plain(&self) -> bool {
        self.state.is_here() && self.text.is_empty()
    }

    /// It as it may be shown, whatever server told it: the line cleaned and cut to what a line may have.
    #[must_use]
    pub fn harmless(&self) -> Self {
        let cut: String = names::tidy(&self.text).chars().take(SHORT).collect();
        Self { state: self.state, text: names::tidy(&cut) }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::protocol::wire::item::Kind;

    #[test]
    fn a_status_is_what_its_owner_chose_and_nothing_else() {
        let set = |value| Kind::Status.checked("", Some(&value));
        let whole = json!({"state": "busy", "text": " 在\u{202e}图书馆\n", "later": 1});
        assert_eq!(set(whole), Ok(Some(json!({"state": "busy", "text": "在图书馆"}))));
        assert_eq!(set(json!({"state": "invisible"})), Ok(Some(json!({"state": "invisible"}))));
        assert_eq!(set(json!({"text": "x".repeat(SHORT)})), Ok(Some(json!({"text": "x".repeat(SHORT)}))));
        assert_eq!(set(json!({})), Ok(None), "online without a line is no item");
        assert_eq!(set(json!({"text": " \u{200b} "})), Ok(None));
        for unfit in
            [json!({"state": "offline"}), json!({"text": "x".repeat(SHORT + 1)}), json!({"text": 7}), json!(true)]
        {
            assert_eq!(set(unfit.clone()), Err(Unfit), "{unfit}");
        }
        assert_eq!(Kind::Status.checked("b", Some(&json!({"state": "busy"}))), Err(Unfit), "somebody else's");
    }

    #[test]
    fn what_others_are_shown_follows_from_choice_and_devices() {
        let status = |state| Status { state, text: "在图书馆".into() };
        let shown = |state| Some(Shown { state, text: "在图书馆".into() });
        for (state, away, expected) in [
            (None, false, shown(Online::Here)),
            (None, true, shown(Online::Away)),
            (Some(Chosen::Busy), true, shown(Online::Busy)),
            (Some(Chosen::Invisible), false, None),
            (Some(Chosen::Invisible), true, None),
        ] {
            assert_eq!(status(state).shown(away), expected, "{state:?} {away}");
        }
        assert_eq!(Status::parse("nothing"), Status::default());
    }

    #[test]
    fn what_any_server_tells_of_a_state_can_be_shown() {
        let told: Shown =
            serde_json::from_value(json!({"state": "later", "text": "x\u{202e} ".repeat(99)})).expect("read");
        let shown = told.harmless();
        assert_eq!((shown.state, shown.text.chars().count()), (Online::Here, SHORT - 1));
        assert_eq!(serde_json::to_value(Shown::default()).expect("JSON"), json!({}));
    }
}
