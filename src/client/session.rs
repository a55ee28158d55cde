//! The client's half of both dialects, sans-IO: time and datagrams come in as arguments,
//! datagrams, events and the next deadline go out. After each call that changes the session, the
//! caller drains [`Session::poll_transmit`] and [`Session::poll_event`], then reads
//! [`Session::poll_timeout`].
//!
//! Source: the plain protocol, "What a client owes its user". Durability is an input: a received
//! message leaves as [`Event::Received`] with a token, and the next take is sent only after
//! [`Session::handle_stored`] with that token.
//!
//! Its parts:
//!
//! - `both`: one session for both dialects.
//! - `choice`: which dialect is spoken, and consent before a password is sent in the plain dialect. Pure.
//! - `dialect_query`: a server's answer to `10#`.
//! - `pending`: the user's requests before the dialect is known.
//! - `silence`: when the server counts as silent: 3 s after something that is always answered. Pure.
//! - `plain`: the plain dialect's session.
//! - `secure`: the secure dialect's session.
//! - `sentences`: outcomes in words, for every face.

mod both;
mod choice;
pub mod dialect_query;
mod pending;
pub mod plain;
pub mod secure;
mod sentences;
mod silence;

pub use both::{Config, Session};
pub use choice::KnownServer;
pub(crate) use choice::acceptable;
pub use dialect_query::SpokenDialect;
pub use plain::LastDelivery;
pub(in crate::client) use sentences::later;

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use crate::base::model::{Account, MessageId, Password, SendState};
pub use crate::base::model::{Dialect, Polling};
use crate::protocol::link::words;
use crate::protocol::wire::frame::{AccountSettings, Code, Device, Key, Past, Reason};
use crate::protocol::wire::item::{Item, Profile};
use crate::protocol::wire::reply::{LoggedIn, Registered};
use crate::protocol::wire::status::Shown;

/// Identifies a received message until it is on disk, and the session that received it, so that the other session
/// does not take the disk's answer for its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum StoreToken {
    /// A message that the plain dialect's session received, by that session's count.
    Plain(u64),
    /// A message that the secure dialect's session received, by that session's count.
    Secure(u64),
}

/// The state of the connection as the faces show it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "fields are named by what they hold")]
pub enum ConnectionState {
    /// Not logged in, or gone offline on purpose.
    Offline,
    /// A login is under way.
    LoggingIn,
    /// Logged in, and the server has answered recently; holds the smoothed round-trip time.
    Connected { rtt: Duration },
    /// A request has waited for its answer longer than usual.
    Waiting,
    /// All tries have failed; the next one starts at this time.
    Retrying { at: Instant },
    /// `07:01`: the server does not know this session any more.
    LoggedOut,
}

impl ConnectionState {
    /// Whether two states differ in nothing but the round-trip time; no event is emitted for that alone.
    fn is_like(self, other: Self) -> bool {
        matches!((self, other), (Self::Connected { .. }, Self::Connected { .. })) || self == other
    }
}

/// Why a datagram is sent; the protocol window shows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// The request is sent for the first time.
    First,
    /// Try `n` (from 2 on) of the same request.
    Again(u8),
    /// `08#` after a timed-out `03`, to learn whether its answer can still come.
    Fence,
    /// Typed by hand in the protocol window.
    ByHand,
    /// It belongs to the secure dialect: only the two ends can read it.
    Secure,
}

/// A decrypted frame for the protocol window, with passwords, tokens and proofs replaced by stars.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TappedFrame {
    /// A frame that this client sent.
    Said(Vec<u8>),
    /// A frame that the server sent.
    Heard(Vec<u8>),
}

/// A datagram for the server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transmit {
    /// The datagram's bytes.
    pub bytes: Vec<u8>,
    /// Why it is sent; for the protocol window.
    pub cause: Cause,
}

/// The outcome of a registration.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs, reason = "fields are named by what they hold")]
pub enum RegisterOutcome {
    /// The server answered. If an earlier try timed out (`after_timeout`), `AccountExists` may mean the account that
    /// this try created.
    Answered { reply: Registered, after_timeout: bool },
    /// The server answered `00:00`: it did not understand the request.
    NotUnderstood,
    /// The server answered with a code that the protocol does not have, which is given as it was received.
    Unknown(String),
    /// No answer came to any of the four tries.
    NoAnswer,
    /// Nothing was ever received from this server, and its first request was `10#`, at which some servers crash.
    Unheard,
    /// The server registers nobody for the moment; its reason, if it gave one.
    TryLater(Option<Reason>),
    /// The server showed a key that is not known; [`Event::KeyChanged`] holds the keys.
    KeyChanged,
    /// What is known of the server's key is damaged, and it shows another one; [`Event::KeyChanged`] says more.
    KeysDamaged,
}

/// A new account, as somebody asks for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewAccount {
    /// The account's name.
    pub account: Account,
    /// Its password.
    pub password: Password,
    /// The password again, as it was typed the second time.
    pub confirm: Password,
    /// The name that others are shown; empty for none. The plain dialect has no such names.
    pub name: String,
}

/// The outcome of a login.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LoginOutcome {
    /// Logged in: `02:01`, or `02:04` from a server that answers this session's requests nevertheless.
    Done,
    /// `02:02`, `02:03`; `AlreadyLoggedIn` means a takeover can be offered.
    Refused(LoggedIn),
    /// The server answered `00:00`: it did not understand the request.
    NotUnderstood,
    /// The server answered with a code that the protocol does not have; the code as it was received.
    Unknown(String),
    /// No answer came to any of the four tries.
    NoAnswer,
    /// Nothing was ever received from this server, and its first request was `10#`, at which some servers crash.
    Unheard,
    /// The server answered "later" each time until the client gave up; its reason, if it gave one.
    TryLater(Option<Reason>),
    /// `02:04` again after `06#`: this server lets nobody take the place of another login.
    NotTaken,
    /// The server does not know this device any more, or not by this name; only the password helps.
    PasswordNeeded,
    /// The server showed a key that is not known; [`Event::KeyChanged`] holds the keys.
    KeyChanged,
    /// What is known of the server's key is damaged, and it shows another one; [`Event::KeyChanged`] says more.
    KeysDamaged,
    /// The plain dialect is closed to this account; the password was not sent.
    EncryptedOnly,
}

/// The outcome of a change of password.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PasswordOutcome {
    /// The password was changed: `01:03` from a server known to change passwords, or a login with the new password
    /// succeeded.
    Done,
    /// The server answered `01:01`: the old password is wrong.
    WrongPassword,
    /// The new password and its confirmation differ; nothing was sent.
    PasswordsDiffer,
    /// The server answered `01:04`: there is no such account.
    NoSuchAccount,
    /// The server uses 01 only to register (the course's edition of 2018). The old password is still valid.
    NotHere,
    /// The old password given is not the one of this login. Nothing was sent, because a server not known to change
    /// passwords might register it.
    NotTheOneOfLogin,
    /// Nobody is logged in; nothing was sent.
    NotLoggedIn,
    /// The answer does not tell whether the password was changed; either may be valid. Holds the code received.
    Unclear(String),
    /// No answer came to any of the four tries; either password may be valid.
    NoAnswer,
    /// The client went offline before the answer came; either password may be valid.
    Interrupted,
    /// The secure dialect is spoken, which has no request to change a password.
    Encrypted,
}

/// A device's own state, kept on disk beside its messages. The owner passes it in at login and stores the changes
/// that the session emits as events.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DeviceState {
    /// The device's name. Together with the row it identifies a message that this device sent.
    pub device: Device,
    /// The token with which the device logs in without a password.
    pub token: Option<Key<32>>,
    /// The server's row of the newest message on disk here; all before it are too.
    pub cursor: Option<u64>,
    /// The highest row that a message sent from this device ever had in its history.
    pub newest: i64,
    /// The version up to which delivery receipts are on this device's disk; 0 if there are none.
    pub delivered: u64,
    /// The version up to which the account's items are on this device's disk; 0 if there are none.
    pub items: u64,
    /// When the account was created, in seconds since 1970, if a server has said so. It tells the account from a later
    /// one of the same name.
    pub made: Option<i64>,
}

/// How another device of the same account sent a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SentBy {
    /// The sending device's name.
    pub device: Device,
    /// The counter under which the device sent the message.
    pub counter: u64,
    /// The row that the server gave the message; `None` if it was not accepted.
    pub accepted: Option<u64>,
    /// Whether the recipient was online when the server accepted the message; `None` if the server did not record it.
    pub online: Option<bool>,
}

/// The recipient of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recipient {
    /// The recipient's account name.
    pub account: Account,
    /// When the intended account was created, in seconds since 1970; tells it from a later account of the same name.
    /// `None` means any account of that name.
    pub made: Option<i64>,
}

impl From<Account> for Recipient {
    fn from(account: Account) -> Self {
        Self { account, made: None }
    }
}

/// The answer to a search for an account by name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LookUpResult {
    /// The account exists; its name as the server writes it.
    There(Account),
    /// No such account exists.
    Nobody,
    /// The server speaks the plain dialect, in which nobody can ask.
    NotHere,
    /// Nobody is connected, the answer has not come in time, or the server will not say for now.
    Unanswered,
}

/// What the user asks of the server about being friends with an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FriendRequest {
    /// Asks to be friends. If the other account has already asked this one, they are friends at once.
    Ask {
        /// The text shown with the request, at most [`crate::protocol::wire::item::LINE`] characters; may be empty.
        text: String,
        /// The answer to the account's question, after [`FriendOutcome::Question`].
        answer: Option<String>,
    },
    /// Accepts the account's request.
    Accept,
    /// Declines the account's request.
    Decline,
    /// Ends the friendship with the account, or withdraws a request to it.
    End,
}

/// The outcome of a [`FriendRequest`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FriendOutcome {
    /// It is done, and on the server's disk.
    Done,
    /// Nothing was done yet: the other account wants this question answered first.
    Question(String),
    /// The server refused it, and did nothing.
    Refused(Code),
    /// Nobody is logged in, or the server did not answer in time; whether it was done shows in the lists.
    Unanswered,
    /// The server speaks the plain dialect, which has no friends.
    NotHere,
}

/// A change to an account's settings on the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AccountChange {
    /// Whether several devices may be logged in at once. If not, a login ends the session of the device before it.
    Beside(bool),
    /// Whether logging in is possible only in the secure dialect.
    SecureOnly(bool),
}

/// The server's numbers of a message that it pushed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pushed {
    /// The message's row in the server's database.
    pub row: u64,
    /// The row of the message handed out before it, which must be on disk first.
    pub after: Option<u64>,
    /// When the server stored it, in seconds since 1970.
    pub at: i64,
}

/// The server showed a key that is not among its pins; the client sent it nothing. The face shows the keys and asks the
/// user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyChange {
    /// The key that the server showed, as SPKI bytes.
    pub shown: Vec<u8>,
    /// The server's pins, as far as they could be read from disk.
    pub known: Vec<Vec<u8>>,
    /// The file of pins, if part of it cannot be read ([`KnownServer::damaged`]); then it is unknown whether the key
    /// has changed.
    pub damaged: Option<String>,
}

impl KeyChange {
    /// Returns the words of the key that was shown and of the newest known key, for two people to compare.
    #[must_use]
    pub fn words(&self, chinese: bool) -> (String, String) {
        (words(&self.shown, chinese), self.known.last().map(|key| words(key, chinese)).unwrap_or_default())
    }
}

/// Why a request would be sent in the plain dialect, unencrypted; the faces give this reason when they ask for consent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PlainReason {
    /// The server is known to speak only the plain dialect.
    Only,
    /// The server has spoken the secure dialect before, so this may be another server.
    NoLonger,
    /// The server speaks the secure dialect, but the user chose the plain one ([`Dialect::Plain`]).
    Chosen,
}

/// A request that the course's protocol does not have and at which some servers crash.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ExtensionRequest {
    /// `11#`: who is online.
    Who,
    /// `01` with four fields, which changes a password, to a server that has not shown that it knows it.
    ChangePassword,
}

/// What the session reports to its owner.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs, reason = "fields are named by what they hold")]
pub enum Event {
    /// The connection's state has changed.
    ConnectionState(ConnectionState),
    /// The user is logged in, and the server has not answered since this time, for 3 s; what is known of others may be
    /// out of date. `None`: it answers again, or no answer is expected; [`Event::Online`] follows if the server says
    /// who is online.
    Silent(Option<Instant>),
    /// Nothing at all has come from the server since it was sent this request, so the request may have crashed it. It
    /// is not sent again automatically. The owner stores this for [`ExtensionRequest::Who`], as
    /// [`KnownServer::fragile`] of this server.
    EndedAt(ExtensionRequest),
    /// Answer to [`Session::register`].
    Registered(RegisterOutcome),
    /// Answer to [`Session::login`] or [`Session::take_over`].
    LoggedIn(LoginOutcome),
    /// The server answered a login with "later", for this reason if it gave one; the login is tried again
    /// automatically. Emitted once for each reason.
    LoginPutOff(Option<Reason>),
    /// Answer to [`Session::go_offline`]: `Some(false)` for `06:02`, `None` if no answer came within 1 s.
    WentOffline(Option<bool>),
    /// A received message. The owner stores it and then calls [`Session::handle_stored`]. `repeat` marks a message that
    /// provably came before; two messages may be equal, so an equal text alone proves nothing. A pushed message is
    /// stored together with its row. If the server handed it out in the plain dialect before, `time` is the time it had
    /// there, by which the owner finds it if it is on this disk already.
    Received {
        token: StoreToken,
        from: Account,
        time: String,
        text: String,
        raw: Vec<u8>,
        repeat: bool,
        pushed: Option<Pushed>,
    },
    /// A message that another device of this account has sent. The owner stores it as a sent message unless it is on
    /// disk already, and then calls [`Session::handle_stored`].
    Own { token: StoreToken, to: Account, text: String, pushed: Pushed, by: SentBy },
    /// A message that this account sent has this delivery state, as in [`Event::Outgoing`], and this row on the server.
    /// The owner stores both together.
    Accepted { id: MessageId, row: u64, state: SendState },
    /// All messages that this account sent to each of these accounts, from the first to the last of these server rows,
    /// were delivered. The owner stores this together with the version, and then calls [`Session::handle_delivered`].
    Delivered { version: u64, rows: Vec<(Account, u64, u64)> },
    /// What changed of the account's items, oldest change first. The owner stores it together with the version, and
    /// deletes all stored items before if `anew`; then it calls [`Session::handle_items`]. `digest` is the sum of the
    /// digests of all items after that, if it is to be compared. `more` says that more changes follow at once.
    Items { version: u64, anew: bool, items: Vec<Item>, more: bool, digest: Option<u64> },
    /// The server has accepted the change with this number, or refused it for good; see [`Session::set_items`].
    ItemSet { number: u64, refused: Option<Code> },
    /// Answer to [`Session::people`]: the profiles of those of the accounts that there are; `None` if the server does not
    /// say.
    People { asked: Vec<Account>, profiles: Option<Vec<(Account, Profile)>> },
    /// Answer to [`Session::find`]: the people that were found, best first, and whether there are more; `None` if the
    /// server does not say.
    Found { text: String, people: Option<Vec<(Account, Profile)>>, more: bool },
    /// Answer to [`Session::friend`].
    Friend { account: Account, request: FriendRequest, outcome: FriendOutcome },
    /// The state of a message that this client sent has changed; `07:01` and `00:00` leave it `Waiting` or `Failed`.
    Outgoing { id: MessageId, state: SendState },
    /// The server refused a message that this client sent. The owner calls [`Session::handle_noted`] once the refusal
    /// is on a synced disk. Until then nothing more is sent to that recipient: a client that lost the note would send
    /// the message again, after later ones.
    Refused { id: MessageId, state: SendState },
    /// A message to a room is not sent because the server has no rooms or, if that is not `sure`, because the question
    /// whether it has any may have crashed it.
    NoRoom { id: MessageId, sure: bool },
    /// The server's rate limit: how long this account may send nothing. Waiting messages are sent automatically
    /// afterwards.
    Paced(Duration),
    /// Whether this account's messages wait because the server cannot store them now, for example because its disk is
    /// full. They are sent again automatically. False as soon as the server stores one, and while it is not connected
    /// or silent.
    NotStoring(bool),
    /// The server's count (`08`) fell although no message has come: the plain protocol may have lost this number of
    /// messages.
    MaybeLost(u64),
    /// The number of unread messages on a server that delivers messages repeatedly. The owner stores it with the
    /// messages that follow, for [`Session::set_handed`].
    Unread(u64),
    /// The accounts that are online (extension 11), complete and sorted; only from servers that know the extension.
    Online(Vec<Account>),
    /// Those of them who are not simply there without a line, complete; only in the secure dialect, and before the
    /// [`Event::Online`] that goes with it, if one does.
    States(BTreeMap<Account, Shown>),
    /// Whether the server knows extension 11, and with it `@lobby`; learned after login. If the server has `shown` it,
    /// the owner stores it for this server, as [`KnownServer::foreign`] if it knows no extension. Otherwise the server
    /// was only silent, because of a bad network or a crash, and the value is valid for this run only.
    Extensions { known: bool, shown: bool },
    /// The server answered `00:00`: it did not understand these bytes, which this client sent.
    NotUnderstood(Vec<u8>),
    /// The server answered with a code that the protocol does not have; the code as it was received.
    UnknownCode(String),
    /// Answer to [`Session::change_password`].
    PasswordChanged(PasswordOutcome),
    /// Whether the server changes passwords in the plain dialect. If it has just `shown` that, the owner stores it for
    /// this server; otherwise the server was only silent, and the value is valid for this run only.
    ChangesPasswords { does: bool, shown: bool },
    /// Which dialect the server speaks, as just detected or as remembered.
    Speaks(SpokenDialect),
    /// A request waits because it would be sent in the plain dialect, in which anyone on the network path can read
    /// the password. [`Session::allow_plain`] sends it nevertheless, [`Session::go_offline`] drops it.
    PlainOnly(PlainReason),
    /// The server's key, seen for the first time. The owner stores it for this server; from now on no other key is
    /// accepted without asking.
    Pin(Vec<u8>),
    /// The server showed a key that is not among its pins; nothing was sent to it. [`secure::Session::trust`] accepts
    /// the key.
    KeyChanged(KeyChange),
    /// The first cursor of a device that had none. The owner stores it as [`DeviceState::cursor`], before any later
    /// message.
    Begins(u64),
    /// The token to store for the next login; `None` deletes the stored one.
    Token(Option<Key<32>>),
    /// Another device uses this device's name, for example because its folder was copied or restored. The owner chooses
    /// another name and calls [`secure::Session::set_device`].
    NameTaken,
    /// A login on another device ended this session. Logging in again here ends the other one.
    Kicked { address: String, at: i64 },
    /// Another program logged in as this device, so this device's folder was copied; this device takes another name. If
    /// `offline`, this session has ended and the user has to log in again; otherwise it reconnects automatically.
    Copied { offline: bool },
    /// This login ended another session of the account, which was at this address.
    TookPlace { address: String },
    /// Answer to [`secure::Session::history`], oldest first.
    History { peer: Account, messages: Vec<Past>, more: bool },
    /// Answer to [`Session::look_up`], within 5 s.
    LookedUp { asked: Account, found: LookUpResult },
    /// When the account of this name, which may be this account itself, was created, in seconds since 1970. Emitted
    /// when it is first learned on a connection, before anything that depends on it. The owner compares it with the
    /// stored value and stores it.
    Made { account: Account, made: i64 },
    /// The account that was logged in to here no longer exists, and another account has its name; this is the password
    /// of the new one. The session has done nothing yet, because the stored history belongs to the old account.
    MadeAnew(Password),
    /// Answer to [`secure::Session::account_settings`] and [`secure::Session::set_account`]; `None` if the server has
    /// no settings, or could not store the change.
    AccountSettings(Option<AccountSettings>),
}
