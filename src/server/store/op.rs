//! What the store is asked for, and what became of it.

use std::collections::HashMap;
use std::net::SocketAddr;

use super::{
    AccountId, AccountRecord, Befriend, Delivery, ItemPage, MessageRow, NewMessage, Outcome, Party, PersonKey,
    PersonRecord, SentKey, StoredMessage, UnreadMessage,
};
use crate::protocol::wire::frame::Device;
use crate::protocol::wire::item::{Card, Kind, Profile};
use crate::server::control::NewAccount;
use crate::server::hasher::Hashed;

/// What the engine wants of the store; what came first is done first.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(clippy::large_enum_variant, reason = "the largest is the commonest")]
pub enum Op {
    /// Changes nothing, and is answered also where nothing can be stored.
    Read(Read),
    /// Is on disk when it is answered.
    Write(Write),
}

/// What is to be read. `job` comes back with the answer.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs, reason = "fields are named by what they hold")]
pub enum Read {
    /// Looks whether a device has sent this before.
    Again { job: u64, key: SentKey },
    /// Looks for somebody; a session counts that was heard of after `since`, seconds since 1970.
    Person { job: u64, sought: PersonKey, since: i64 },
    /// Reads the accounts after a name, by name.
    Accounts { job: u64, after: Option<String>, count: u32 },
    /// Reads the oldest unread message, of one sender or of anyone.
    Offer { job: u64, account: AccountId, from: Option<String> },
    /// Reads the account's oldest messages after a row, taken or not, but for those this device has sent.
    After { job: u64, account: AccountId, device: Device, after: MessageRow, count: u32 },
    /// Reads what was delivered of an account's messages after a version.
    Delivered { job: u64, account: AccountId, after: i64, count: u32 },
    /// Reads what changed of an account's items after a version.
    Items { job: u64, account: AccountId, after: i64 },
    /// Reads who these accounts are.
    Cards { job: u64, accounts: Vec<String> },
    /// Reads the newest messages with somebody, older than a row. `peer_id` is theirs, if they have an account.
    History {
        job: u64,
        account: AccountId,
        name: String,
        peer: String,
        peer_id: Option<AccountId>,
        before: Option<MessageRow>,
        count: u32,
    },
}

/// What is to be stored. `job` comes back with the result.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs, reason = "fields are named by what they hold")]
#[allow(clippy::large_enum_variant, reason = "the largest is the commonest")]
pub enum Write {
    /// A new account.
    Register { job: u64, name: String, hashed: Hashed, profile: Option<Profile>, at: i64 },
    /// A new password: devices need it at their next login, and no session outlives it but that at `from`.
    Password { job: u64, account: AccountId, hashed: Hashed, from: Option<SocketAddr> },
    /// New accounts, all of them or none; those that exist stay as they are.
    Import { job: u64, accounts: Vec<NewAccount>, at: i64 },
    /// Removes an account with all that is its own, and what it wrote that nobody has fetched.
    Delete { job: u64, account: AccountId },
    /// Binds an account to an address; `end` loses its session, and so does whoever else has one there.
    Session { job: u64, account: AccountId, address: SocketAddr, end: Option<AccountId>, at: i64 },
    /// Ends a session.
    EndSession { job: u64, account: AccountId },
    /// Keeps a message.
    Message { job: u64, message: NewMessage },
    /// When sessions were last heard of, seconds since 1970. Nobody waits for it.
    Seen { sessions: Vec<(AccountId, i64)> },
    /// Marks a message as handed out in the plain dialect, though whether it came is not known. Nobody waits for it.
    Handed { message: MessageRow },
    /// Marks a message as taken in the plain dialect. Nobody waits for it: if it is lost, the message is offered again.
    Taken { message: MessageRow, at: i64 },
    /// A device comes in: keeps the hash of its new token, if there is one, marks as taken what it has
    /// stored already, and reads what is needed to go on.
    Enter { job: u64, account: AccountId, device: Device, token: Option<[u8; 32]>, cursor: Option<u64>, at: i64 },
    /// Forgets a device's token. Nobody waits for it.
    Forget { account: AccountId, device: Device },
    /// Changes how an account may be used.
    Allow { job: u64, account: AccountId, change: Change },
    /// Sets an item of an account, as JSON, or removes it.
    SetItem { job: u64, account: AccountId, kind: Kind, key: String, value: Option<String> },
    /// Notes that somebody asks somebody to be a friend.
    Befriend { job: u64, asked: Befriend },
    /// Accepts or declines a request of `other`.
    AnswerFriend { job: u64, who: Party, other: Party, accept: bool, at: i64 },
    /// Ends a friendship, or withdraws a request.
    Unfriend { job: u64, who: Party, other: Party },
    /// Marks everything up to a row as taken. Nobody waits for it: if it is lost, a device's next word marks it.
    TakenTo { account: AccountId, row: MessageRow, at: i64 },
}

/// A change of how an account may be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// Whether several devices may be in at once.
    Beside(bool),
    /// Whether the plain dialect is closed to it.
    SecureOnly(bool),
}

impl Read {
    /// The answer where nothing can be read.
    pub(super) fn failed(&self) -> Done {
        match self {
            Self::Again { job, .. }
            | Self::Person { job, .. }
            | Self::Accounts { job, .. }
            | Self::Offer { job, .. }
            | Self::After { job, .. }
            | Self::Delivered { job, .. }
            | Self::Items { job, .. }
            | Self::Cards { job, .. }
            | Self::History { job, .. } => Done::Failed { job: *job },
        }
    }
}

/// What makes good for a change that is not on disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum WriteFailure {
    /// Whoever waits for it is told.
    Told(u64),
    /// This message was taken, and is marked when that can be written down.
    Taken(MessageRow, i64),
    /// The same of all of an account's up to a row.
    TakenTo(AccountId, MessageRow, i64),
    /// Nothing: nobody waits for it, and it is noted again or does without.
    Nothing,
}

impl Write {
    /// How much larger it makes the database.
    pub(super) fn size(&self) -> Growth {
        match self {
            Self::Import { .. } => Growth::Large,
            Self::Register { .. }
            | Self::Message { .. }
            | Self::SetItem { value: Some(_), .. }
            | Self::Befriend { .. }
            | Self::AnswerFriend { accept: true, .. } => Growth::Grows,
            // A row for each account or device, or another value in one: that fits where the disk's quota is used up.
            Self::Password { .. }
            | Self::Delete { .. }
            | Self::Session { .. }
            | Self::EndSession { .. }
            | Self::Seen { .. }
            | Self::Handed { .. }
            | Self::Taken { .. }
            | Self::Enter { .. }
            | Self::Forget { .. }
            | Self::Allow { .. }
            | Self::SetItem { value: None, .. }
            | Self::AnswerFriend { accept: false, .. }
            | Self::Unfriend { .. }
            | Self::TakenTo { .. } => Growth::Small,
        }
    }

    /// What is to be done when it could not be stored.
    pub(super) fn unstored(&self) -> WriteFailure {
        match self {
            Self::Register { job, .. }
            | Self::Password { job, .. }
            | Self::Import { job, .. }
            | Self::Delete { job, .. }
            | Self::Session { job, .. }
            | Self::EndSession { job, .. }
            | Self::Message { job, .. }
            | Self::Enter { job, .. }
            | Self::Allow { job, .. }
            | Self::SetItem { job, .. }
            | Self::Befriend { job, .. }
            | Self::AnswerFriend { job, .. }
            | Self::Unfriend { job, .. } => WriteFailure::Told(*job),
            Self::Taken { message, at } => WriteFailure::Taken(*message, *at),
            Self::TakenTo { account, row, at } => WriteFailure::TakenTo(*account, *row, *at),
            Self::Handed { .. } | Self::Seen { .. } | Self::Forget { .. } => WriteFailure::Nothing,
        }
    }
}

/// By how much a change makes the database larger.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Growth {
    /// Not, or by what is always left.
    Small,
    /// So that a disk quota may refuse it.
    Grows,
    /// So much that what else waits is not to fail because it does not fit.
    Large,
}

/// What became of an [`Op`], after its commit.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs, reason = "fields are named by what they hold")]
pub enum Done {
    /// The account's row, `None` if it exists, and when it was made.
    Registered { job: u64, account: Option<AccountId>, at: i64 },
    /// Which accounts of a list are new, by their names.
    Imported { job: u64, new: Vec<String> },
    /// What is gone with the account out of others' mailboxes: whose, which, of whom; and whose items changed with that.
    Deleted { job: u64, messages: Vec<(AccountId, MessageRow, String)>, lists: Vec<AccountId> },
    /// On disk; of [`Read::Again`]: no.
    Ok { job: u64 },
    /// Who was looked for, if there is somebody.
    Person { job: u64, person: Option<Box<PersonRecord>> },
    /// Accounts by name; there are `more` after them.
    Accounts { job: u64, rows: Vec<AccountRecord>, more: bool },
    /// The message, if there is one.
    Offered { job: u64, message: Option<UnreadMessage> },
    /// A message is on disk, in a row for each receiver in their order; 0 of a room's for who has no room for it. `again`: it was there before, from when
    /// this device sent it first, and nothing was added. `own` is the row of its writer's other devices. `online`:
    /// whether a receiver was here then, if that was noted.
    Kept { job: u64, rows: Vec<MessageRow>, own: Option<MessageRow>, sent: i64, again: bool, online: Option<bool> },
    /// There is no room for the message in its receiver's mailbox, or in any.
    Full { job: u64 },
    /// This device has used this number for another message.
    Conflict { job: u64 },
    /// What it was to come after is not there.
    OutOfTurn { job: u64 },
    /// A device's stored token hash; the highest number it has used; the row after which it is to be pushed.
    Entered { job: u64, token: Option<[u8; 32]>, highest: u64, start: MessageRow },
    /// How many messages of each sender were unread until now and are not any more; and how far their writers' messages are
    /// delivered with that.
    Took { account: AccountId, senders: HashMap<String, u64>, delivered: Vec<Delivery> },
    /// Oldest change first, and the receivers' names.
    Delivered { job: u64, delivered: Vec<(Delivery, String)> },
    /// What changed of an account's items.
    Items { job: u64, page: ItemPage },
    /// What became of a change of items or of a request between two accounts, and whose items changed with it.
    Changed { job: u64, outcome: Outcome, lists: Vec<AccountId> },
    /// Who accounts are, in the order in which they were named; those that are none are left out.
    Cards { job: u64, cards: Vec<Card> },
    /// Oldest first; `more` lie beyond.
    Messages { job: u64, messages: Vec<StoredMessage>, more: bool },
    /// Not on disk (disk full, say): nothing may claim that it is.
    Failed { job: u64 },
}

impl Done {
    /// Whose it is.
    #[must_use]
    pub fn job(&self) -> u64 {
        match self {
            Self::Registered { job, .. }
            | Self::Imported { job, .. }
            | Self::Deleted { job, .. }
            | Self::Ok { job }
            | Self::Person { job, .. }
            | Self::Accounts { job, .. }
            | Self::Offered { job, .. }
            | Self::Kept { job, .. }
            | Self::Full { job }
            | Self::Conflict { job }
            | Self::OutOfTurn { job }
            | Self::Entered { job, .. }
            | Self::Messages { job, .. }
            | Self::Delivered { job, .. }
            | Self::Items { job, .. }
            | Self::Cards { job, .. }
            | Self::Changed { job, .. }
            | Self::Failed { job } => *job,
            // Nobody waits for it.
            Self::Took { .. } => 0,
        }
    }
}
