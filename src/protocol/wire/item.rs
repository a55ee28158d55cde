//! Items: what a server keeps for an account and every device of the account shows alike, such as the list of friends
//! with its remarks, who is blocked, what is muted, drafts, and how far a conversation was read.
//!
//! An item is a value under a kind and a key. Some kinds are set by the account's devices, others by the server as the
//! outcome of what people ask of each other. A device knows all items up to a version and asks for what has changed
//! after it; the sum of all digests tells it that nothing is missing.
//!
//! Source: the secure dialect, "The same on all devices".

use std::fmt;

use ring::digest;
use rust_i18n::t;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::status::Status;
use crate::base::fold::fold;
use crate::base::model::{Account, names};

/// The most characters of a remark, a group or another short text of an item.
pub const SHORT: usize = 64;
/// The most characters of a line that somebody writes about themselves, or with a request to be friends.
pub const LINE: usize = 120;
/// The most characters of the name under which somebody is shown to others.
pub const NAME: usize = 32;
/// How many colours there are to choose from; they count from 0.
pub const COLORS: u8 = 12;
/// The most bytes of a draft.
pub const DRAFT: usize = 4_096;

/// One value of an account, as frames carry it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Item {
    /// What it is: the name of a [`Kind`], or one that a later version of the protocol has.
    pub kind: String,
    /// What it is about: an account, a room, or nothing where there is one for the whole account.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub key: String,
    /// The value; `None` removes it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<Value>,
}

/// The kinds of items.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// Somebody in the account's list: a [`Contact`]. Set by devices.
    Contact,
    /// Somebody whose messages are not shown and who cannot ask to be a friend: `true`. Set by devices.
    Blocked,
    /// A conversation of which no notices are shown: `true`. Set by devices.
    Muted,
    /// A conversation that stands at the top of the list: `true`. Set by devices.
    Pinned,
    /// What is typed in a conversation and not sent: a text. Set by devices.
    Draft,
    /// The row of the newest message of a conversation that was read: a number, which only rises. Set by devices.
    Read,
    /// Who may ask to be a friend: a [`MayAsk`]. Set by devices; its key is empty.
    MayAsk,
    /// Who the account's owner is to others: a [`Profile`]. Set by devices; its key is empty. The server tells it to
    /// everybody who asks, and puts it into the items that others have about the account.
    Profile,
    /// How the account's owner is shown to others while they are logged in: a [`Status`]. Set by devices; its key is
    /// empty.
    Status,
    /// Somebody who is a friend: a [`Friend`]. Set by the server.
    Friend,
    /// Somebody whom the account has asked to be a friend: a [`Request`]. Set by the server.
    Asking,
    /// Somebody who has asked the account to be a friend: a [`Request`]. Set by the server.
    Asked,
}

/// Somebody in an account's list.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Contact {
    /// What the account's owner calls them; empty if nothing.
    pub remark: String,
    /// The group they stand in; empty for none.
    pub group: String,
}

/// Who somebody is to others, beside their account: public, and chosen by themselves.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Profile {
    /// The name under which others are shown them, at most [`NAME`] characters; empty if they have given none.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// A line of their own, at most [`LINE`] characters; may be empty.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub line: String,
    /// Which of the [`COLORS`] their picture has; `None`: whichever the one who looks chooses for them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub color: Option<u8>,
}

/// An account and who its owner is, as a server tells everybody who asks.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Card {
    /// The account, as it is written.
    pub account: String,
    /// Its owner's profile; empty if they have none.
    #[serde(flatten)]
    pub profile: Profile,
}

/// Two accounts that both agreed to be friends.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Friend {
    /// Since when, in seconds since 1970.
    pub since: i64,
    /// Who the friend is; kept true by the server.
    #[serde(flatten)]
    pub profile: Profile,
}

/// A request to be friends, as both sides have it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Request {
    /// When it was made, in seconds since 1970.
    pub at: i64,
    /// What the asker says to it; may be empty.
    pub text: String,
    /// It was declined. Only the asker's item says so; the other one is gone then.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub declined: bool,
    /// Who the other one is; kept true by the server.
    #[serde(flatten)]
    pub profile: Profile,
}

/// Who may ask an account to be a friend. Without this item everybody may.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "who", rename_all = "snake_case")]
pub enum MayAsk {
    /// Everybody.
    Everybody,
    /// Nobody.
    Nobody,
    /// Those who give this answer to this question. Only the account's own devices see the answer.
    Question {
        /// The question.
        question: String,
        /// Its answer; case and blanks around it do not matter.
        answer: String,
    },
}

/// Why a device may not set an item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unfit;

impl Kind {
    /// All kinds, in the order in which documents list them.
    pub const ALL: [Self; 12] = [
        Self::Contact,
        Self::Blocked,
        Self::Muted,
        Self::Pinned,
        Self::Draft,
        Self::Read,
        Self::MayAsk,
        Self::Profile,
        Self::Status,
        Self::Friend,
        Self::Asking,
        Self::Asked,
    ];

    /// The kind's name in frames.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Contact => "contact",
            Self::Blocked => "blocked",
            Self::Muted => "muted",
            Self::Pinned => "pinned",
            Self::Draft => "draft",
            Self::Read => "read",
            Self::MayAsk => "may_ask",
            Self::Profile => "profile",
            Self::Status => "status",
            Self::Friend => "friend",
            Self::Asking => "asking",
            Self::Asked => "asked",
        }
    }

    /// The kind of this name; `None` for one that only a later version of the protocol has.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// Checks what a device wants to set, for the server: the value as it is to be stored, cleaned of what a text on
    /// one line cannot hold; `None` removes the item.
    ///
    /// # Errors
    /// [`Unfit`] if the kind is the server's to set, the key is of no such thing, or the value is not of the kind.
    pub fn checked(self, key: &str, value: Option<&Value>) -> Result<Option<Value>, Unfit> {
        let fits = match self {
            Self::Contact | Self::Blocked => Account::person(key).is_ok(),
            Self::Muted | Self::Pinned | Self::Draft | Self::Read => Account::parse(key).is_ok(),
            Self::MayAsk | Self::Profile | Self::Status => key.is_empty(),
            Self::Friend | Self::Asking | Self::Asked => false,
        };
        if !fits {
            return Err(Unfit);
        }
        let Some(value) = value else { return Ok(None) };
        let checked = match self {
            Self::Contact => {
                let Contact { remark, group } = read(value)?;
                written(&Contact { remark: short(&remark)?, group: short(&group)? })?
            }
            Self::Blocked | Self::Muted | Self::Pinned => match value {
                Value::Bool(true) => Value::Bool(true),
                Value::Bool(false) | Value::Null => return Ok(None),
                Value::Number(_) | Value::String(_) | Value::Array(_) | Value::Object(_) => return Err(Unfit),
            },
            Self::Draft => match value {
                Value::String(text) if text.is_empty() => return Ok(None),
                Value::String(text) if text.len() <= DRAFT => value.clone(),
                _ => return Err(Unfit),
            },
            Self::Read => match value.as_i64() {
                Some(row) if row >= 0 => Value::from(row),
                _ => return Err(Unfit),
            },
            Self::MayAsk => match read(value)? {
                MayAsk::Question { question, answer } => {
                    let (question, answer) = (line(&question)?, line(&answer)?);
                    if question.is_empty() || answer.is_empty() {
                        return Err(Unfit);
                    }
                    written(&MayAsk::Question { question, answer })?
                }
                MayAsk::Everybody => return Ok(None),
                MayAsk::Nobody => written(&MayAsk::Nobody)?,
            },
            Self::Profile => match read::<Profile>(value)? {
                nothing if nothing == Profile::default() => return Ok(None),
                profile => written(&profile.checked()?)?,
            },
            Self::Status => match read::<Status>(value)?.checked()? {
                status if status.is_plain() => return Ok(None),
                status => written(&status)?,
            },
            Self::Friend | Self::Asking | Self::Asked => return Err(Unfit),
        };
        Ok(Some(checked))
    }
}

impl Profile {
    /// Makes the profile of somebody of whom only a name is known, given by an operator or at registration.
    ///
    /// # Errors
    /// As [`Profile::checked`].
    pub fn named(name: &str) -> Result<Self, Unfit> {
        Self { name: name.to_owned(), ..Self::default() }.checked()
    }

    /// The profile as a server stores it, cleaned of what a text on one line cannot hold.
    ///
    /// # Errors
    /// [`Unfit`] if there is a name of which nothing can be seen, it is one of a room or too long, or line or colour are not
    /// such; and if there is nothing at all.
    pub fn checked(&self) -> Result<Self, Unfit> {
        let name = bounded(&self.name, NAME)?;
        // Whatever is not seen is gone by now, but for marks that stand on nothing.
        let unseen = matches!(names::fault(&name), Some((_, names::NameFault::Nothing)));
        let nameless = self.name.is_empty() && (!self.line.is_empty() || self.color.is_some());
        if unseen && !nameless || is_rooms(&name) || self.color.is_some_and(|color| color >= COLORS) {
            return Err(Unfit);
        }
        Ok(Self { name, line: line(&self.line)?, color: self.color })
    }

    /// The profile as it may be shown, whatever server told it: cleaned, and cut to what a profile may have.
    #[must_use]
    pub fn harmless(&self) -> Self {
        let cut = |text: &str, most| names::tidy(&names::tidy(text).chars().take(most).collect::<String>());
        let color = self.color.filter(|color| *color < COLORS);
        Self { name: cut(&self.name, NAME), line: cut(&self.line, LINE), color }
    }
}

/// Whether a name looks like a room's: it begins as those do, or is what one is called in the windows.
fn is_rooms(name: &str) -> bool {
    let folded = fold(name);
    let label = |locale: &str| fold(&t!("main.lobby", locale = locale)) == folded;
    folded.starts_with('@') || ["en", "zh-CN"].into_iter().any(label)
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Item {
    /// An item of this kind with this value; `None` removes it.
    #[must_use]
    pub fn new(kind: Kind, key: &str, value: Option<Value>) -> Self {
        Self { kind: kind.name().to_owned(), key: key.to_owned(), value }
    }

    /// The item's share of the sum by which a device knows that it has all items as the server has them; 0 of one that
    /// is removed. The sum wraps at 64 bits.
    #[must_use]
    pub fn digest(&self) -> u64 {
        self.value.as_ref().map_or(0, |value| digest(&self.kind, &self.key, &value.to_string()))
    }

    /// The value as its kind has it; `None` if the item is removed, or no such value.
    #[must_use]
    pub fn read<T: DeserializeOwned>(&self) -> Option<T> {
        self.value.as_ref().and_then(|value| read(value).ok())
    }
}

/// [`Item::digest`] of a value that is written as JSON already, with the names of its objects sorted.
#[must_use]
pub fn digest(kind: &str, key: &str, value: &str) -> u64 {
    let mut context = digest::Context::new(&digest::SHA256);
    for part in [kind, "\0", key, "\0", value] {
        context.update(part.as_bytes());
    }
    let hash = context.finish();
    let first = hash.as_ref().first_chunk::<8>().copied().unwrap_or_default();
    u64::from_be_bytes(first)
}

/// A value as an item carries it, with the names of its objects sorted.
///
/// # Errors
/// [`Unfit`] if it cannot be JSON; no type of this module is such a one.
pub fn written<T: Serialize>(value: &T) -> Result<Value, Unfit> {
    serde_json::to_value(value).map_err(|_| Unfit)
}

fn read<T: DeserializeOwned>(value: &Value) -> Result<T, Unfit> {
    T::deserialize(value).map_err(|_| Unfit)
}

/// A text of one line about somebody, without what nobody would see of it.
///
/// # Errors
/// [`Unfit`] if it has more than [`LINE`] characters.
pub fn line(text: &str) -> Result<String, Unfit> {
    bounded(text, LINE)
}

/// A short text about somebody, such as a remark or what they are looked for by, without what nobody would see of it.
///
/// # Errors
/// [`Unfit`] if it has more than [`SHORT`] characters.
pub fn short(text: &str) -> Result<String, Unfit> {
    bounded(text, SHORT)
}

fn bounded(text: &str, most: usize) -> Result<String, Unfit> {
    let tidy = names::tidy(text);
    if tidy.chars().count() > most { Err(Unfit) } else { Ok(tidy) }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_kind_has_a_name_of_its_own() {
        for kind in Kind::ALL {
            assert_eq!(Kind::named(kind.name()), Some(kind));
        }
        assert_eq!(Kind::named("later"), None);
    }

    #[test]
    fn devices_set_what_is_theirs_and_nothing_else() {
        let contact = json!({"remark": " 班\u{202e}长\n", "later": 1});
        let stored = Kind::Contact.checked("20170002", Some(&contact)).expect("a contact");
        assert_eq!(stored, Some(json!({"group": "", "remark": names::tidy(" 班\u{202e}长\n")})));
        assert_eq!(Kind::Contact.checked("@lobby", Some(&contact)), Err(Unfit), "a room is in nobody's list");
        assert_eq!(Kind::Contact.checked("b", Some(&json!({"remark": "x".repeat(65)}))), Err(Unfit));
        assert_eq!(Kind::Contact.checked("b", Some(&json!(7))), Err(Unfit));
        assert_eq!(Kind::Contact.checked("b", None), Ok(None));
        assert_eq!(Kind::Muted.checked("@lobby", Some(&json!(true))), Ok(Some(json!(true))));
        assert_eq!(Kind::Muted.checked("@lobby", Some(&json!(false))), Ok(None));
        assert_eq!(Kind::Read.checked("b", Some(&json!(-1))), Err(Unfit));
        assert_eq!(Kind::Draft.checked("b", Some(&json!("x".repeat(DRAFT + 1)))), Err(Unfit));
        assert_eq!(Kind::Draft.checked("b", Some(&json!(""))), Ok(None));
        let question = json!({"who": "question", "question": "1+1?", "answer": "2"});
        assert_eq!(Kind::MayAsk.checked("", Some(&question)), Ok(Some(question.clone())));
        assert_eq!(Kind::MayAsk.checked("b", Some(&question)), Err(Unfit));
        assert_eq!(
            Kind::MayAsk.checked("", Some(&json!({"who": "question", "question": "1", "answer": " "}))),
            Err(Unfit)
        );
        for kind in [Kind::Friend, Kind::Asking, Kind::Asked] {
            assert_eq!(kind.checked("b", Some(&json!({"since": 1}))), Err(Unfit), "{kind}");
            assert_eq!(kind.checked("b", None), Err(Unfit), "{kind}");
        }
    }

    #[test]
    fn a_profile_has_a_name_that_is_seen_and_no_rooms() {
        let set = |value| Kind::Profile.checked("", Some(&value));
        let whole = json!({"name": " 王\u{202e}小  明\n", "line": " 好好\u{200b}学习 ", "color": 11, "later": 1});
        assert_eq!(set(whole), Ok(Some(json!({"color": 11, "line": "好好学习", "name": "王小 明"}))));
        assert_eq!(set(json!({"name": "王".repeat(NAME)})), Ok(Some(json!({"name": "王".repeat(NAME)}))));
        for unfit in [
            json!({"name": " \u{200b} "}),
            json!({"name": "\u{301}"}),
            json!({"name": "@all"}),
            json!({"name": "＠all"}),
            json!({"name": " ｌobby"}),
            json!({"name": "大厅"}),
            json!({"name": "x".repeat(NAME + 1)}),
            json!({"name": "x", "line": "x".repeat(LINE + 1)}),
            json!({"name": "x", "color": COLORS}),
            json!({"name": "x", "color": -1}),
            json!({"name": 7}),
            json!(true),
        ] {
            assert_eq!(set(unfit.clone()), Err(Unfit), "{unfit}");
        }
        assert_eq!(set(json!({"line": "no name"})), Ok(Some(json!({"line": "no name"}))));
        assert_eq!(set(json!({"color": 3})), Ok(Some(json!({"color": 3}))));
        assert_eq!((set(json!({})), Kind::Profile.checked("", None)), (Ok(None), Ok(None)), "nothing at all");
        assert_eq!(Kind::Profile.checked("b", Some(&json!({"name": "x"}))), Err(Unfit), "somebody else's");
    }

    #[test]
    fn what_any_server_tells_of_somebody_can_be_shown() {
        let told = Profile { name: format!("\u{202e}{}", "王 ".repeat(99)), line: "x".repeat(999), color: Some(12) };
        let shown = told.harmless();
        assert_eq!((shown.name.chars().count(), shown.line.len(), shown.color), (NAME - 1, LINE, None));
        assert!(shown.name.ends_with('王') && shown.checked() == Ok(shown.clone()));
        let card = Card { account: "b".into(), profile: Profile { name: "王".into(), ..Profile::default() } };
        assert_eq!(serde_json::to_value(&card).expect("JSON"), json!({"account": "b", "name": "王"}));
        let friend = Item::new(Kind::Friend, "b", Some(json!({"since": 7, "name": "王", "color": 3})));
        let profile = Profile { name: "王".into(), line: String::new(), color: Some(3) };
        assert_eq!(friend.read::<Friend>(), Some(Friend { since: 7, profile }));
    }

    #[test]
    fn the_digest_is_of_kind_key_and_value_and_of_nothing_that_is_removed() {
        let item = Item::new(Kind::Contact, "b", Some(json!({"remark": "r", "group": "g"})));
        assert_eq!(item.digest(), digest("contact", "b", r#"{"group":"g","remark":"r"}"#));
        assert_eq!(Item { value: None, ..item.clone() }.digest(), 0);
        assert_ne!(item.digest(), Item { key: "c".into(), ..item.clone() }.digest());
        assert_eq!(item.read::<Contact>(), Some(Contact { remark: "r".into(), group: "g".into() }));
    }
}
