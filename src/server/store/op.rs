//! The operations of the store and their results.

use std::collections::HashMap;
use std::net::SocketAddr;

use super::{
    AccountId, AccountRecord, Befriend, Delivery, Found, ItemPage, MessageRow, NewMessage, Outcome, Party, PersonKey,
    PersonRecord, SentKey, StoredMessage, UnreadMessage,
};
use crate::protocol::wire::frame::Device;
use crate::protocol::wire::item::{Card, Kind, Profile};
use crate::server::control::NewAccount;
use crate::server::hasher::Hashed;

/// An operation of the store. Operations are carried out in the order in which they are given.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(clippy::large_enum_variant, reason = "the largest is the commonest")]
pub enum Op {
    /// Changes nothing; it is answered even if nothing can be stored.
    Read(Read),
    /// Changes the database, and is on disk when it is answered.
    Write(Write),
}

/// What is to be read. `job` is the number that comes back with the answer.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs, reason = "fields are named by what they hold")]
pub enum Read {
    /// Looks up whether a device has sent this message before.
    Again { job: u64, key: SentKey },
    /// Looks up a person; their session counts if it was heard from after `since`, in seconds since 1970.
    Person { job: u64, sought: PersonKey, since: i64 },
    /// Reads up to `count` accounts whose names come after a name, in the order of names.
    Accounts { job: u64, after: Option<String>, count: u32 },
    /// Reads the oldest unread message, of one sender or of anyone.
    Offer { job: u64, account: AccountId, from: Option<String> },
    /// Reads the account's oldest messages after a row, taken or not, but for those this device has sent.
    After { job: u64, account: AccountId, device: Device, after: MessageRow, count: u32 },
    /// Reads which of an account's messages were delivered, as changes after a version.
    Delivered { job: u64, account: AccountId, after: i64, count: u32 },
    /// Reads the changes of an account's items after a version.
    Items { job: u64, account: AccountId, after: i64 },
    /// Reads the profiles of these accounts.
    Cards { job: u64, accounts: Vec<String> },
    /// Searches for people.
    Find { job: u64, text: String },
    /// Reads the newest messages of a conversation that are older than a row. `peer_id` is the other's account, if
    /// there is one.
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

/// What is to be stored. `job` is the number that comes back with the result.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs, reason = "fields are named by what they hold")]
#[allow(clippy::large_enum_variant, reason = "the largest is the commonest")]
pub enum Write {
    /// Adds an account.
    Register { job: u64, name: String, hashed: Hashed, profile: Option<Profile>, at: i64 },
    /// Sets a new password. All tokens of devices become invalid, and all sessions end except one at `from`.
    Password { job: u64, account: AccountId, hashed: Hashed, from: Option<SocketAddr> },
    /// Adds the accounts of a class list, all or none; those that exist stay as they are.
    Import { job: u64, accounts: Vec<NewAccount>, at: i64 },
    /// Deletes an account with all its data, and what it wrote that nobody has taken.
    Delete { job: u64, account: AccountId },
    /// Makes an address the session of an account; ends the session of `end`, and any other session of that address.
    Session { job: u64, account: AccountId, address: SocketAddr, end: Option<AccountId>, at: i64 },
    /// Ends an account's plain session.
    EndSession { job: u64, account: AccountId },
    /// Stores a message.
    Message { job: u64, message: NewMessage },
    /// Sets when sessions were last heard from, in seconds since 1970. Nobody waits for it.
    Seen { sessions: Vec<(AccountId, i64)> },
    /// Marks a message as handed out in the plain dialect, though it may not have arrived. Nobody waits for it.
    Handed { message: MessageRow },
    /// Marks a message as taken in the plain dialect. Nobody waits for it: if it is lost, the message is offered again.
    Taken { message: MessageRow, at: i64 },
    /// Stores a device's login: the hash of its new token, if there is one, and as taken what the device has already
    /// stored. Also reads what is needed to push messages to it.
    Enter { job: u64, account: AccountId, device: Device, token: Option<[u8; 32]>, cursor: Option<u64>, at: i64 },
    /// Forgets a device's token. Nobody waits for it.
    Forget { account: AccountId, device: Device },
    /// Changes how an account may be used.
    Allow { job: u64, account: AccountId, change: Change },
    /// Sets the name in an account's profile; `None` removes the profile.
    Name { job: u64, account: AccountId, name: Option<String> },
    /// Sets an item of an account to a JSON value, or removes it.
    SetItem { job: u64, account: AccountId, kind: Kind, key: String, value: Option<String> },
    /// Stores a request to be friends.
    Befriend { job: u64, asked: Befriend },
    /// Accepts or declines the request of `other`.
    AnswerFriend { job: u64, who: Party, other: Party, accept: bool, at: i64 },
    /// Ends a friendship, or withdraws a request.
    Unfriend { job: u64, who: Party, other: Party },
    /// Marks everything up to a row as taken. Nobody waits for it: if it is lost, the device's next acknowledgement
    /// marks it.
    TakenTo { account: AccountId, row: MessageRow, at: i64 },
}

/// A change of how an account may be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// Whether several devices may be logged in side by side.
    Beside(bool),
    /// Whether the account may only use the secure dialect.
    SecureOnly(bool),
}

impl Read {
    /// Returns the answer if nothing can be read.
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
            | Self::Find { job, .. }
            | Self::History { job, .. } => Done::Failed { job: *job },
        }
    }
}

/// What follows when a write could not be stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum WriteFailure {
    /// The failure is answered to what waits for this job.
    Told(u64),
    /// This message was taken at this time, and is marked once writing works again.
    Taken(MessageRow, i64),
    /// All of the account's messages up to this row were taken, and are marked once writing works again.
    TakenTo(AccountId, MessageRow, i64),
    /// Nothing follows: nobody waits for it, and it will be written again or is not needed.
    Nothing,
}

impl Write {
    /// Returns how much the write makes the database grow.
    pub(super) fn size(&self) -> Growth {
        match self {
            Self::Import { .. } => Growth::Large,
            Self::Register { .. }
            | Self::Message { .. }
            | Self::Name { name: Some(_), .. }
            | Self::SetItem { value: Some(_), .. }
            | Self::Befriend { .. }
            | Self::AnswerFriend { accept: true, .. } => Growth::Grows,
            // One row for each account or device, or another value in a row: there is room for that even when the disk
            // quota is used up.
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
            | Self::Name { name: None, .. }
            | Self::SetItem { value: None, .. }
            | Self::AnswerFriend { accept: false, .. }
            | Self::Unfriend { .. }
            | Self::TakenTo { .. } => Growth::Small,
        }
    }

    /// Returns what follows if the write could not be stored.
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
            | Self::Name { job, .. }
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

/// How much a write makes the database grow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Growth {
    /// Not at all, or so little that there is always room for it.
    Small,
    /// Enough that a disk quota may refuse it.
    Grows,
    /// So much that it is tried separately, lest the other writes fail because it does not fit.
    Large,
}

/// The result of an [`Op`], after its commit.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs, reason = "fields are named by what they hold")]
pub enum Done {
    /// A registration is done: the new account's row, or `None` if the name exists, and when it was made.
    Registered { job: u64, account: Option<AccountId>, at: i64 },
    /// An import is done: the names of the accounts that were new, how many of the others had no name in a profile and
    /// got one, and the accounts whose items have changed with that.
    Imported { job: u64, new: Vec<String>, named: usize, lists: Vec<AccountId> },
    /// A deletion is done: the messages that were deleted from others' mailboxes, as receiver, row and sender, and the
    /// accounts whose items have changed.
    Deleted { job: u64, messages: Vec<(AccountId, MessageRow, String)>, lists: Vec<AccountId> },
    /// A write is on disk; for [`Read::Again`] it means that the message was not sent before.
    Ok { job: u64 },
    /// The person who was looked up, if there is one.
    Person { job: u64, person: Option<Box<PersonRecord>> },
    /// Accounts in the order of names; `more` says whether there are others after them.
    Accounts { job: u64, rows: Vec<AccountRecord>, more: bool },
    /// The message to be handed out, if there is one.
    Offered { job: u64, message: Option<UnreadMessage> },
    /// A message is on disk, in a row for each receiver, in the order of receivers; row 0 means that a room's message
    /// had no room in that mailbox. `again`: this device had sent it before, and nothing was added; the values are
    /// those of the first time. `own` is the row of the copy for the writer's other devices. `online` says whether a
    /// receiver was online when it was sent, if that is known.
    Kept { job: u64, rows: Vec<MessageRow>, own: Option<MessageRow>, sent: i64, again: bool, online: Option<bool> },
    /// A mailbox is full, so the message was not stored; of a room's message, all mailboxes are full.
    Full { job: u64 },
    /// The device has used this counter for another message.
    Conflict { job: u64 },
    /// The message that this one comes after (`after`) is not there.
    OutOfTurn { job: u64 },
    /// A device's login is stored: the hash of its token, the highest counter it has used, and the row after which
    /// messages are to be pushed.
    Entered { job: u64, token: Option<[u8; 32]>, highest: u64, start: MessageRow },
    /// Messages were taken: how many unread messages of each sender are not unread any more, and the deliveries that
    /// follow from that.
    Took { account: AccountId, senders: HashMap<String, u64>, delivered: Vec<Delivery> },
    /// Deliveries, oldest change first, each with the receiver's name.
    Delivered { job: u64, delivered: Vec<(Delivery, String)> },
    /// Changes of an account's items.
    Items { job: u64, page: ItemPage },
    /// The outcome of a change of items or of a request between two accounts, the accounts whose items have changed, and
    /// the deliveries that were held back while the account was invisible and are not any more.
    Changed { job: u64, outcome: Outcome, lists: Vec<AccountId>, delivered: Vec<Delivery> },
    /// Profiles in the order in which the accounts were named; names without an account are left out.
    Cards { job: u64, cards: Vec<Card> },
    /// The people that were found, or `None` while the directory is still being read; the search is to be repeated
    /// then.
    Found { job: u64, found: Option<Found> },
    /// Messages, oldest first; `more` says whether there are others beyond them.
    Messages { job: u64, messages: Vec<StoredMessage>, more: bool },
    /// Nothing is on disk, for example because it is full; no reply may claim that it is.
    Failed { job: u64 },
}

impl Done {
    /// Returns the number of the job; 0 if nobody waits for it.
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
            | Self::Found { job, .. }
            | Self::Changed { job, .. }
            | Self::Failed { job } => *job,
            // Nobody waits for it.
            Self::Took { .. } => 0,
        }
    }
}
