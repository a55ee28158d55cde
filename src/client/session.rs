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
//! - `choice`: which dialect is spoken, and consent before a password goes out in plain. Pure.
//! - `dialect_query`: what a server says to `10#`.
//! - `pending`: what is wanted before the dialect is known.
//! - `silence`: when the server counts as silent: 3 s after something that is always answered. Pure.
//! - `plain`: the plain dialect's session.
//! - `secure`: the secure dialect's session.
//! - `sentences`: what became of something, in words for every face.

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

use std::time::{Duration, Instant};

use crate::base::model::{Account, MessageId, Password, SendState};
pub use crate::base::model::{Dialect, Polling};
use crate::protocol::link::words;
use crate::protocol::wire::frame::{AccountSettings, Code, Device, Key, Past, Reason};
use crate::protocol::wire::item::Item;
use crate::protocol::wire::reply::{LoggedIn, Registered};

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
    /// Logged in and answered lately; the smoothed round-trip time.
    Connected { rtt: Duration },
    /// A request waits for its answer longer than usual.
    Waiting,
    /// All tries were in vain; the next comes at this time.
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
    /// Of the secure dialect: nobody but the two ends can read it.
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
    /// The server's answer. After an own timeout `AccountExists` may be one's own account.
    Answered { reply: Registered, after_timeout: bool },
    /// The server answered `00:00`: it did not understand the request.
    NotUnderstood,
    /// The server answered with a code that the protocol does not have; the code as it was received.
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
    /// The server said "later" each time until nobody waited any longer; why, if it said.
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
    /// The highest row a message of one's own ever had here.
    pub newest: i64,
    /// The version up to which delivery receipts are on this device's disk; 0 if there are none.
    pub delivered: u64,
    /// The version up to which the account's items are on this device's disk; 0 if there are none.
    pub items: u64,
    /// When the account was made, in seconds since 1970, as far as a server has said: another one of the same name is
    /// another account.
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

/// What somebody asks of the server about being friends with an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FriendRequest {
    /// To be friends. Whoever asks somebody by whom they are asked is their friend at once.
    Ask {
        /// What the account is told with it, at most [`crate::protocol::wire::item::LINE`] characters; may be empty.
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

/// What became of a [`FriendRequest`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FriendOutcome {
    /// It is done, and on the server's disk.
    Done,
    /// Nothing was done yet: the account wants this question answered first.
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
    /// Several of its devices may be in at once, or the last one to come takes the others' place.
    Beside(bool),
    /// It is not to be logged in to in the plain dialect.
    SecureOnly(bool),
}

/// The server's numbers of a message that it pushed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pushed {
    /// The message's row in the server's database.
    pub row: u64,
    /// The row of the message handed out before it, which must be on disk first.
    pub after: Option<u64>,
    /// When it was stored there, in seconds since 1970.
    pub at: i64,
}

/// The server showed a key that is none of its pins; the client sent it nothing. The face shows both and asks the
/// person.
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
    /// The words of the key that was shown, and of the newest known one, for two people to compare.
    #[must_use]
    pub fn words(&self, chinese: bool) -> (String, String) {
        (words(&self.shown, chinese), self.known.last().map(|key| words(key, chinese)).unwrap_or_default())
    }
}

/// Why a request would be sent in the plain dialect, unencrypted; the faces ask for consent with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PlainReason {
    /// The server is known to speak only the plain dialect.
    Only,
    /// It spoke the secure one before, so this may be somebody else.
    NoLonger,
    /// It speaks the secure one, and its owner chose the plain one ([`Dialect::Plain`]).
    Chosen,
}

/// A request that the course's protocol does not have and at which some servers crash.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ExtensionRequest {
    /// `11#`: who is online.
    Who,
    /// 01 with four fields, of a server that has not shown that it knows it.
    ChangePassword,
}

/// What the session tells its owner.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs, reason = "fields are named by what they hold")]
pub enum Event {
    /// The connection's state has changed.
    ConnectionState(ConnectionState),
    /// Somebody is logged in, and the server has not answered since then, for 3 s: nothing that was known of others
    /// is sure any more. None: it answers again, or nobody expects it to; [`Event::Online`] follows where it says
    /// who is.
    Silent(Option<Instant>),
    /// Nothing at all has come since the server was asked this, whatever else it was asked, so it may have ended at it. It
    /// is not asked that again by itself; to be kept for this server as [`KnownServer::fragile`] where it was [`ExtensionRequest::Who`].
    EndedAt(ExtensionRequest),
    /// Answer to [`Session::register`].
    Registered(RegisterOutcome),
    /// Answer to [`Session::login`] or [`Session::take_over`].
    LoggedIn(LoginOutcome),
    /// The server has said "later" to a login, and why if it says; it is tried again by itself. Said once for each reason.
    LoginPutOff(Option<Reason>),
    /// Answer to [`Session::go_offline`]: `Some(false)` for `06:02`, `None` without an answer in 1 s.
    WentOffline(Option<bool>),
    /// A message: store it, then call [`Session::handle_stored`]. `repeat` marks one that came before, as far as that
    /// can be proved; equal messages are messages.
    /// One that was pushed is stored together with the row in it; its time as text is that with which it was handed
    /// out in the plain dialect before, if it was: unless it came to this disk then.
    Received {
        token: StoreToken,
        from: Account,
        time: String,
        text: String,
        raw: Vec<u8>,
        repeat: bool,
        pushed: Option<Pushed>,
    },
    /// What another device of this account has sent. To be stored as a message of one's own, unless it is on disk
    /// already, then as [`Event::Received`].
    Own { token: StoreToken, to: Account, text: String, pushed: Pushed, by: SentBy },
    /// A message of one's own has come as far as [`Event::Outgoing`] says, and has this row at the server: both are to be
    /// stored together.
    Accepted { id: MessageId, row: u64, state: SendState },
    /// Of one's own messages to these accounts all from the first to the last row at the server were delivered. To be
    /// stored together with the version; answered by [`Session::handle_delivered`].
    Delivered { version: u64, rows: Vec<(Account, u64, u64)> },
    /// What changed of the account's items, oldest change first: to be stored together with the version, after everything
    /// is forgotten if they come `anew`. `digest`: what the digests of all items then sum up to, where that is to be
    /// compared. `more`: more is to come at once. Answered by [`Session::handle_items`].
    Items { version: u64, anew: bool, items: Vec<Item>, more: bool, digest: Option<u64> },
    /// The server has taken the change with this number, or refused it for good; see [`Session::set_items`].
    ItemSet { number: u64, refused: Option<Code> },
    /// Answer to [`Session::friend`].
    Friend { account: Account, request: FriendRequest, outcome: FriendOutcome },
    /// The state of a message that this client sent has changed; `07:01` and `00:00` leave it `Waiting` or `Failed`.
    Outgoing { id: MessageId, state: SendState },
    /// The server refused a message that this client sent. Answered by [`Session::handle_noted`] once the refusal is
    /// on a synced disk. Nothing more is sent to that recipient before: a client that lost the note would send the
    /// message again, after later ones.
    Refused { id: MessageId, state: SendState },
    /// A message of one's own is to a room, and the server has none: it is another program than ours. Not `sure`: it may
    /// have ended when it was asked. It is not sent.
    NoRoom { id: MessageId, sure: bool },
    /// The server's rate limit: how long this account may send nothing. Waiting messages are sent automatically
    /// afterwards.
    Paced(Duration),
    /// Whether messages of one's own wait because the server cannot store them now, as when its disk is full. They are
    /// sent again by themselves; false as soon as it stores one, and while it is not connected or not heard.
    NotStoring(bool),
    /// `08` fell without a message having come: the plain protocol may have lost this many.
    MaybeLost(u64),
    /// How many unread messages a server has that offers messages again: to be kept beside what is stored after it, for
    /// [`Session::set_handed`].
    Unread(u64),
    /// Who is online (extension 11), complete and sorted. Only from servers that know it.
    Online(Vec<Account>),
    /// Whether the server knows extension 11 (then `@lobby` too); learned after login. If it has `shown` that, it is to be
    /// kept for this server, as [`KnownServer::foreign`] where it knows none. Else it was only silent, as on a bad network, or
    /// may have ended: then that counts in this run alone.
    Extensions { known: bool, shown: bool },
    /// The server answered `00:00`; these bytes of ours were not understood.
    NotUnderstood(Vec<u8>),
    /// The server answered with a code that the protocol does not have; the code as it was received.
    UnknownCode(String),
    /// Answer to [`Session::change_password`].
    PasswordChanged(PasswordOutcome),
    /// Whether the server changes passwords in the plain dialect. If it has just `shown` that, it is to be kept for this
    /// server; else it was only silent, and that counts in this run alone.
    ChangesPasswords { does: bool, shown: bool },
    /// Which dialect the server speaks, as just detected or as remembered.
    Speaks(SpokenDialect),
    /// A request waits because it would be sent in the plain dialect, in which anyone on the network path can read
    /// the password. [`Session::allow_plain`] sends it nevertheless, [`Session::go_offline`] drops it.
    PlainOnly(PlainReason),
    /// The server's key, seen for the first time: to be kept for this server, from now on the only one.
    Pin(Vec<u8>),
    /// The server showed a key that is none of its pins; nothing was sent to it. [`secure::Session::trust`] accepts
    /// the key.
    KeyChanged(KeyChange),
    /// The cursor of a device that has none: to be kept as [`DeviceState::cursor`], and before anything is stored after it.
    Begins(u64),
    /// The token to store for the next login; `None` deletes the stored one.
    Token(Option<Key<32>>),
    /// Somebody else uses this device's name, as after copying or restoring its folder: it takes another,
    /// by [`secure::Session::set_device`].
    NameTaken,
    /// Another device took this account's place. Logging in takes it back.
    Kicked { address: String, at: i64 },
    /// Another program came in as this device, so its folder was copied; this one takes another name. Its place
    /// is taken, if `offline`, and logging in takes it back; else it comes back by itself.
    Copied { offline: bool },
    /// This login ended another session of the account, which was at this address.
    TookPlace { address: String },
    /// Answer to [`secure::Session::history`], oldest first.
    History { peer: Account, messages: Vec<Past>, more: bool },
    /// Answer to [`Session::look_up`], in 5 s at most.
    LookedUp { asked: Account, found: LookUpResult },
    /// The account of this name was made then, in seconds since 1970: somebody else's, or one's own. Told when it is first
    /// heard of on a connection, before what follows from it; to be kept, and compared with what was known.
    Made { account: Account, made: i64 },
    /// The account that was logged in to here is no more, and another one has its name, whose password this is. Nothing
    /// was done: what lies here is the old one's.
    MadeAnew(Password),
    /// Answer to [`secure::Session::account_settings`] and [`secure::Session::set_account`]; none if the server
    /// has none, or could not store the change.
    AccountSettings(Option<AccountSettings>),
}
