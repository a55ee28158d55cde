//! The secure dialect's frames: JSON objects, `"t"` saying which. What a later version adds is skipped
//! by an earlier one: unknown fields are ignored, unknown kinds are [`FromClient::Unknown`] and
//! [`FromServer::Unknown`].
//!
//! Source: the secure dialect, "Messages". A frame is at most [`crate::protocol::link::MAX_FRAME`] bytes.

use std::collections::BTreeMap;
use std::fmt;

use data_encoding::HEXLOWER;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::item::{Card, Item};
use super::status::Shown;

/// Bytes written as hexadecimal digits: a device's name, a token, a proof.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Key<const N: usize>(pub [u8; N]);

/// Which device of an account; chosen at random by the device when its history file is made.
pub type Device = Key<16>;

impl<const N: usize> Key<N> {
    /// Parses hexadecimal digits.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        HEXLOWER.decode(text.as_bytes()).ok()?.try_into().ok().map(Self)
    }

    /// Writes the bytes as hexadecimal digits, for files and frames; never for logs.
    #[must_use]
    pub fn digits(&self) -> String {
        HEXLOWER.encode(&self.0)
    }
}

/// Tokens and proofs let somebody in, so no key is ever shown whole.
impl<const N: usize> fmt::Debug for Key<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Key({}…)", self.digits().get(..6).unwrap_or_default())
    }
}

impl<const N: usize> Serialize for Key<N> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.digits())
    }
}

impl<'de, const N: usize> Deserialize<'de> for Key<N> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| D::Error::custom("not so many hexadecimal digits"))
    }
}

/// A password in a frame; never shown or logged.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Secret(pub String);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("******")
    }
}

/// The most accounts that are asked about at once, and that are found at once.
pub const PEOPLE: usize = 50;

/// A frame that a client sends. The answer repeats its `id`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "t", rename_all = "snake_case")]
#[allow(missing_docs, reason = "fields are named by what they hold")]
pub enum FromClient {
    /// A new account. `name` is what others are shown its owner under: its first profile. Answered by `registered` or
    /// `error`.
    Register {
        id: u64,
        account: String,
        password: Secret,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        name: Option<String>,
    },
    /// Logs in by password. Answered by `logged_in` or `error`. `cursor` is the row of the newest message that this
    /// device has stored; a new device has none and gets what is unread. `made` is when the account that this device
    /// was last logged in to was created: if another account has the name now, the answer is `made_anew` and nothing
    /// is done.
    Login {
        id: u64,
        account: String,
        password: Secret,
        device: Device,
        cursor: Option<u64>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        made: Option<i64>,
    },
    /// Logs in by token. `proof` is HMAC-SHA-256(SHA-256(token), keying material exported from this connection); the
    /// other fields and the answer are those of `login`.
    Resume { id: u64, account: String, device: Device, proof: Key<32>, cursor: Option<u64> },
    /// The logins that follow on this connection must not end another session: where they would, they are answered by
    /// `error` with `in_use`. A server of an earlier version does not know this frame and ends the other session.
    IfFree,
    /// Answered by `logged_out`; the token means nothing from then on.
    Logout { id: u64, forget: bool },
    /// A message; `counter` is this device's own, rising, and never used for another message. The same
    /// again is answered as the first time. Answered by `accepted` or `refused`. `after` is the counter of
    /// the message to the same receiver that is unanswered and was sent before it: without that one this
    /// one is not taken. `made` is when the account was made that it was written to: another one of that name does not
    /// get it.
    Send {
        counter: u64,
        to: String,
        text: String,
        #[serde(skip_serializing_if = "Option::is_none")]
        after: Option<u64>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        made: Option<i64>,
    },
    /// Acknowledges every message up to this row: all are on this device's disk.
    Ack { cursor: u64 },
    /// What was delivered of this account's messages is on this device's disk up to this version (0: nothing).
    /// Answered by `delivered`, once, as soon as there is more.
    Delivered { version: u64 },
    /// The newest messages with somebody that are older than `before`. Answered by `history`.
    History { id: u64, peer: String, before: Option<u64>, count: u32 },
    /// Asks for the account's settings. Answered by `account_settings`.
    AccountSettings { id: u64 },
    /// Sets whether several devices of this account may be logged in at once or the newest replaces the others.
    /// Answered by `account_settings`, or by `error` if the setting could not be stored.
    SetDevices { id: u64, beside: bool },
    /// Forbids or allows logging in to this account in the plain dialect. Answered by `account_settings`, or by
    /// `error` if the setting could not be stored.
    SetSecureOnly { id: u64, on: bool },
    /// Asks whether an account of this name exists. Answered by `account`, by `error` with `no_account`, or by
    /// `error` with `try_later` from a server that has answered enough requests for now. A server of an earlier
    /// version does not answer.
    LookUp { id: u64, account: String },
    /// This account's items are on this device's disk up to this version (0: none). Answered by `items`, once, as soon
    /// as there is something newer.
    Items { version: u64 },
    /// Sets or removes an item of a kind that devices set. Answered by `done`, or by `error`. All devices of the
    /// account are told by `items`.
    Set {
        id: u64,
        #[serde(flatten)]
        item: Item,
    },
    /// Asks somebody to be a friend; two accounts that ask each other are friends at once. `answer` is there after a
    /// `question`. Answered by `done`, which says that the request is on disk, by `question`, or by `error`.
    Befriend {
        id: u64,
        account: String,
        #[serde(default, skip_serializing_if = "String::is_empty")]
        text: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        answer: Option<String>,
    },
    /// Accepts or declines somebody's request to be friends. Answered by `done`, also if there is none any more.
    AnswerFriend { id: u64, account: String, accept: bool },
    /// Ends a friendship, or withdraws a request. Answered by `done`, also if there is none any more.
    Unfriend { id: u64, account: String },
    /// Asks who these accounts are, at most [`PEOPLE`]. Answered by `people`, or by `error`. A server of an earlier
    /// version does not answer.
    People { id: u64, accounts: Vec<String> },
    /// Looks for people by the beginning of their account or by a part of their name. Answered by `found`, or by
    /// `error`. A server of an earlier version does not answer.
    Find { id: u64, text: String },
    /// Whether the person at this device is away from it; forgotten with the connection, and false until it is said.
    /// Not answered. An account is away if all its devices are.
    Here { away: bool },
    /// Asks for a sign of life and the server's clock. Answered by `pong`.
    Ping { id: u64 },
    /// A kind that only a later version of the protocol has.
    #[serde(other)]
    Unknown,
}

/// A frame that a server sends.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "t", rename_all = "snake_case")]
#[allow(missing_docs, reason = "fields are named by what they hold")]
pub enum FromServer {
    /// The account is there and on disk.
    Registered { id: u64 },
    /// `token` is there after a login by password; `highest` is the highest counter this device has sent
    /// (0: none); `ended` is where another session of this account was, which this login has ended. `start` is there
    /// for a device without a cursor: it has that one from now on. `made` is when the account was made.
    LoggedIn {
        id: u64,
        token: Option<Key<32>>,
        highest: u64,
        ended: Option<String>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        start: Option<u64>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        made: Option<i64>,
    },
    /// The device is logged out; no more pushes come on this connection.
    LoggedOut { id: u64 },
    /// The message is on disk, once, as this row. `online`: its receiver is there; `made`: when their account was made.
    Accepted {
        counter: u64,
        row: u64,
        at: i64,
        online: bool,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        made: Option<i64>,
    },
    /// The message was not taken. `try_later` and `out_of_turn`: it is to be sent again under this counter; after
    /// `wait` milliseconds where that is said, since the account has sent as much as it may for now. `reason` says
    /// more of `try_later` where there is more to say; `made`, beside `made_anew`, when the account was made that has
    /// the name now.
    Refused {
        counter: u64,
        code: Code,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        wait: Option<u64>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<Reason>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        made: Option<i64>,
    },
    /// A message for this account. `after` is the row of the message pushed before it (0: none or unknown): a device
    /// that has not stored that one has a gap and asks again with its cursor. `plain` is there if the message was
    /// handed out in the plain dialect before, with this time; a device that received it then has it already. `writer`
    /// is there if `from` is a room, and names who wrote it. `made` is when the writer's account was created; it is
    /// missing for a room's message and for an account that no longer exists.
    Message {
        row: u64,
        after: u64,
        from: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        writer: Option<String>,
        at: i64,
        text: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        plain: Option<String>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        made: Option<i64>,
    },
    /// A message that another device of this account has sent; counted among those for this account, with
    /// `row` and `after` as there. `device` and `counter` are what it was sent under, `accepted` the row that was
    /// answered to that, as `online` was; none of before a server noted that.
    Own {
        row: u64,
        after: u64,
        to: String,
        at: i64,
        text: String,
        device: Device,
        counter: u64,
        accepted: u64,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        online: Option<bool>,
    },
    /// Devices of these accounts have acknowledged everything of this account's from the first row to the last; to be
    /// on disk before this version is said.
    Delivered { version: u64, rows: BTreeMap<String, [u64; 2]> },
    /// Who is online now; several frames if they are many, the first says so. `states` has those of them who are not
    /// simply there without a line.
    Presence {
        first: bool,
        online: Vec<String>,
        #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
        states: BTreeMap<String, Shown>,
    },
    /// The accounts that have come online and gone offline since the last list or change. `states` has those who are
    /// shown in another way now, and those of whoever came who are not simply there without a line.
    Changes {
        came: Vec<String>,
        went: Vec<String>,
        #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
        states: BTreeMap<String, Shown>,
    },
    /// Another device took this account's place: from where, and when.
    Kicked { address: String, at: i64 },
    /// Earlier messages of a conversation, oldest first; `more` if there are older ones.
    History { id: u64, messages: Vec<Past>, more: bool },
    /// The account's settings.
    AccountSettings {
        id: u64,
        #[serde(flatten)]
        settings: AccountSettings,
    },
    /// The account exists; `made` is when it was created, in seconds since 1970.
    Account { id: u64, account: String, made: i64 },
    /// What changed of this account's items up to `version`, in the order in which it changed; to be on disk before
    /// this version is said. `anew`: what the device has is to be forgotten before. `more`: there is more to be asked
    /// for; else `digest` is the sum of the digests of all items.
    Items {
        version: u64,
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        anew: bool,
        items: Vec<Item>,
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        more: bool,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        digest: Option<Key<8>>,
    },
    /// The request with this id is done, and on disk.
    Done { id: u64 },
    /// The answer to `befriend` where the account is to be asked with the answer to this question.
    Question { id: u64, text: String },
    /// Who the accounts are that were asked about, in that order; of those that are none nothing is said.
    People { id: u64, people: Vec<Card> },
    /// Who was found, at most [`PEOPLE`], best first; `more`: there are others.
    Found {
        id: u64,
        people: Vec<Card>,
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        more: bool,
    },
    /// The request with this id failed. `reason` says more of `try_later` where there is more to say; `wait` is after
    /// how many milliseconds the same may be asked again, where that is known.
    Error {
        id: u64,
        code: Code,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<Reason>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        wait: Option<u64>,
    },
    /// The answer to `ping`, also without a login; `at` is the server's clock at that moment.
    Pong { id: u64, at: Option<i64> },
    /// A kind that only a later version of the protocol has.
    #[serde(other)]
    Unknown,
}

/// An account's settings, which its owner chooses and the server stores.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct AccountSettings {
    /// Several devices may be in at once; else the last one to come takes the others' place.
    pub beside: bool,
    /// Whether logging in to the account in the plain dialect is forbidden.
    pub secure_only: bool,
}

/// An earlier message, as a server reports it in `history`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "fields are named by what they hold")]
pub struct Past {
    pub row: u64,
    pub from: String,
    /// The account that wrote a message in a room; `None` for messages between two people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub writer: Option<String>,
    pub at: i64,
    pub text: String,
    /// For a message of the asking account: whether its recipient was online when it was sent; `None` for messages
    /// older than this record.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub online: Option<bool>,
    /// For a message of the asking account: whether its recipient has received it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub delivered: bool,
}

/// Why a request failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Code {
    /// There is such an account already.
    AccountExists,
    /// There is no such account, to log in to, to write to or to be found.
    NoAccount,
    /// The account of this name is not the one that was meant: that was deleted, and this one made since.
    MadeAnew,
    /// Wrong password. Servers of before say it of an account that is not there, too.
    WrongPassword,
    /// The token is not known here, or not any more: the password is needed.
    BadToken,
    /// After `if_free`: the account is logged in elsewhere, and may not be in twice.
    InUse,
    /// The request needs a login, and nobody is logged in on this connection.
    NotLoggedIn,
    /// The counter was used for another message: the device was copied or restored, and takes a new name.
    IdConflict,
    /// The receiver's mailbox is full.
    MailboxFull,
    /// Too long, empty, or with characters that are not allowed.
    BadField,
    /// The frame is malformed.
    Malformed,
    /// The server can store nothing now; nothing was stored. The same may be tried again.
    TryLater,
    /// What it was to come after was not taken; nothing was stored. To be sent again after what is left.
    OutOfTurn,
    /// The account of the asker itself was given, where another is wanted.
    Yourself,
    /// The two are friends already.
    AlreadyFriends,
    /// This account takes no requests to be friends.
    NotWanted,
    /// That is not the answer to this account's question.
    WrongAnswer,
    /// There are as many of these as there may be.
    TooMany,
    /// A kind that only a later version of the protocol has.
    #[serde(other)]
    Unknown,
}

/// Why a server answers `try_later`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// The server tried to store it and could not, as when its disk is full: so it will go with all others.
    NotStored,
    /// Passwords were tried too often for this account, or from this address: none is looked at for a while.
    TooManyTries,
    /// A kind that only a later version of the protocol has.
    #[serde(other)]
    Unknown,
}

macro_rules! coded {
    ($frame:ty) => {
        impl $frame {
            /// Encodes the frame as JSON bytes.
            #[must_use]
            pub fn encode(&self) -> Vec<u8> {
                serde_json::to_vec(self).unwrap_or_default()
            }

            /// Decodes a frame.
            ///
            /// # Errors
            /// The bytes are not JSON, or a frame of a known kind lacks a field.
            pub fn decode(frame: &[u8]) -> Result<Self, serde_json::Error> {
                serde_json::from_slice(frame)
            }
        }
    };
}

coded!(FromClient);
coded!(FromServer);

/// What stands for a secret where frames are shown.
const STARS: &str = "******";

impl FromClient {
    /// Encodes the frame with passwords, tokens and proofs replaced by six stars; the protocol window keeps frames in
    /// this form.
    #[must_use]
    pub fn starred(&self) -> Vec<u8> {
        let mut shown = self.clone();
        match &mut shown {
            Self::Register { password, .. } | Self::Login { password, .. } => *password = Secret(STARS.to_owned()),
            _ => {}
        }
        match self {
            Self::Resume { proof, .. } => without(&shown.encode(), proof),
            _ => shown.encode(),
        }
    }
}

impl FromServer {
    /// Encodes the frame with the token replaced by six stars; the protocol window keeps frames in this form.
    #[must_use]
    pub fn starred(&self) -> Vec<u8> {
        match self {
            Self::LoggedIn { token: Some(token), .. } => without(&self.encode(), token),
            _ => self.encode(),
        }
    }
}

fn without<const N: usize>(frame: &[u8], secret: &Key<N>) -> Vec<u8> {
    String::from_utf8_lossy(frame).replace(&secret.digits(), STARS).into_bytes()
}

#[cfg(test)]
mod tests;
