//! The operations of the history and their results.

use std::path::PathBuf;

use super::{
    Contact, Conversation, DeviceState, Friends, ItemPage, LastDelivery, MoreStrangers, NotOpened, Row, RowMeta,
    Trouble, Unsent,
};
use crate::base::model::{Account, MessageId, MessageText, SendState};
use crate::client::session::{Pushed, SentBy, StoreToken};
use crate::protocol::wire::frame::{Device, Key, Past};
use crate::protocol::wire::item::{Item, Kind, Profile};

/// An operation for the history's thread; operations are done in the order of submission.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(clippy::large_enum_variant, reason = "the largest is the commonest")]
pub enum Op {
    /// A read, which is answered even when nothing can be stored.
    Read(Read),
    /// A change, which is on disk when it is answered.
    Write(Write),
}

/// A read of the history.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs, reason = "fields are named by what they hold")]
pub enum Read {
    /// Reads the server's row of the oldest message of this conversation that has one.
    Oldest(Account),
    /// Reads all drafts.
    Drafts,
    /// Writes the list into a CSV file.
    Export(PathBuf),
    /// Reads the list.
    Conversations,
    /// Reads who is a friend, requests, and what differs between the lists here and the server's.
    Friends,
    /// Reads the profiles of everybody who was asked about.
    Profiles,
    /// Reads the changes of items that the server has not taken yet.
    ItemChanges,
    /// Reads nothing; answered when all operations before it are done or refused.
    Settle,
    /// Reads what is known of every row of a conversation without its text.
    Index(Account),
    /// Reads `count` rows of a conversation from the index `first` on.
    Page { peer: Account, first: u32, count: u32 },
    /// Reads the last rows of a conversation.
    Last { peer: Account, count: u32 },
    /// Reads the latest rows that contain this text.
    Search { text: String, count: u32 },
}

/// A change to be stored in the history.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs, reason = "fields are named by what they hold")]
pub enum Write {
    /// Stores a message before it is sent.
    Outgoing { request: u64, to: Account, text: String, unix_ms: i64 },
    /// Notes how far a message has come. [`SendState::Sending`] is answered by [`Done::Noted`], and only then may the
    /// message be sent. The dialect is noted too, since in the secure one it can be sent again.
    State { id: MessageId, state: SendState, secure: bool },
    /// Notes that the server refused the message. Answered by [`Done::Noted`] once the note is on a synced disk.
    Refused { id: MessageId, state: SendState },
    /// Stores a message that came from another account at `unix_ms`. A pushed one is stored together with the server's
    /// row, and only if the one before it is there; it carries its time, while others carry the server's text for it.
    Received {
        token: StoreToken,
        from: Account,
        server_time: String,
        text: String,
        raw: Vec<u8>,
        repeat: bool,
        unix_ms: i64,
        pushed: Option<Pushed>,
        /// The time with which the server handed this pushed message out in the plain dialect before.
        handed: Option<String>,
    },
    /// Stores a message that another device of this account has sent, as one that was pushed.
    Own { token: StoreToken, to: Account, text: String, pushed: Pushed, by: SentBy },
    /// Sends a message again, to the account that has the recipient's name now, if the user was told that this is
    /// another account.
    Resend { id: MessageId, to: Account, text: MessageText },
    /// Notes when another person's account was made, in seconds since 1970, as learned at `unix_ms`. If another account
    /// of the name was known, a note in the conversation says so from here on.
    Made { peer: Account, made: i64, unix_ms: i64 },
    /// Notes when the history's own account was created, in seconds since 1970.
    OwnMade(i64),
    /// Notes how far a sent message has come and its row at the server, together, since without the row its delivery
    /// could never be noted.
    Accepted { id: MessageId, row: u64, state: SendState },
    /// Notes that all messages to these accounts from the first to the last row at the server were delivered, and the
    /// version up to which that is known. Answered by [`Done::Deliveries`].
    Delivered { version: u64, rows: Vec<(Account, u64, u64)> },
    /// What the server has told of the account's items. Answered by [`Done::Items`].
    Items(ItemPage),
    /// The server has taken the change of an item with this number, or refused it for good.
    ItemSet { number: u64, taken: bool },
    /// The profiles of these people; an empty one of whoever has none any more.
    Profiles(Vec<(Account, Profile)>),
    /// The account's owner sets an item that stands in no list of this file.
    SetItem { kind: Kind, key: String, value: Option<serde_json::Value> },
    /// Where lists here and at the server differ, those here go to the server (`keep_ours`), or the server's are shown.
    SettleDifferences { keep_ours: bool },
    /// Stores messages of a conversation that the server has, oldest first. What is not here is put into its place, and
    /// counts as read.
    Past { own: Account, peer: Account, messages: Vec<Past>, more: bool },
    /// Notes the server's row after which this device begins, unless it is further already.
    Begin(u64),
    /// Stores the token that lets this device log in without a password; `None` removes it.
    Token(Option<Key<32>>),
    /// Gives this device another name, and removes the token, which belonged to the old one.
    NewDevice,
    /// Notes how many unread messages a plain server has that offers messages again.
    Unread(u64),
    /// Notes by how many seconds a plain server's clock is before UTC, for messages that come from now on and for those
    /// here without it. Answered by [`Done::Zone`].
    Zone(i32),
    /// Stores a draft; an empty one is removed.
    Draft { peer: Account, text: String },
    /// Withdraws messages, if none of them was ever on its way.
    Withdraw(Vec<MessageId>),
    /// Adds or changes somebody in the list.
    Contact(Contact),
    /// Blocks or unblocks an account; somebody who is not in the list is not added to it.
    Block { account: Account, blocked: bool },
    /// Removes somebody from the list, friend or stranger, until they write again; with their messages, if `messages`
    /// is true.
    Forget { account: Account, messages: bool },
    /// Adds everybody in a CSV file except this account, or nobody if a line is wrong.
    Import { path: PathBuf, own: Account },
    /// Marks the messages of a conversation as read up to this one; `None` means all of them.
    Seen { peer: Account, to: Option<MessageId> },
    /// Reads the messages that were not sent yet. Those that were being sent in the plain dialect when the program last
    /// ended become "may have been sent", and only the person can send them again.
    Outbox,
}

impl Write {
    /// Returns whether the change must survive a power cut, which may undo the last commits. Most changes need not,
    /// since the server and the device's name restore them. These would not be restored: without any row a device is
    /// sent only what is unread; under a name forgotten again messages would be sent twice; and a refused message would
    /// be sent after what was written later.
    pub(super) fn needs_the_disk(&self) -> bool {
        match self {
            Self::NewDevice | Self::Begin(_) | Self::Refused { .. } => true,
            Self::Received { pushed, .. } => pushed.is_some_and(|pushed| pushed.after.is_none()),
            Self::Own { pushed, .. } => pushed.after.is_none(),
            Self::Outgoing { .. }
            | Self::State { .. }
            | Self::Resend { .. }
            | Self::Made { .. }
            | Self::OwnMade(_)
            | Self::Accepted { .. }
            | Self::Delivered { .. }
            | Self::Items(_)
            | Self::ItemSet { .. }
            | Self::SetItem { .. }
            | Self::Profiles(_)
            | Self::SettleDifferences { .. }
            | Self::Past { .. }
            | Self::Token(_)
            | Self::Unread(_)
            | Self::Zone(_)
            | Self::Draft { .. }
            | Self::Withdraw(_)
            | Self::Contact(_)
            | Self::Block { .. }
            | Self::Forget { .. }
            | Self::Import { .. }
            | Self::Seen { .. }
            | Self::Outbox => false,
        }
    }

    /// Returns the answer for what waits for this change, which could not be stored for the reason `why`; `None` if
    /// nothing waits.
    pub(super) fn refused(&self, why: &str) -> Option<Done> {
        match self {
            Self::Outgoing { request, .. } => Some(Done::Kept { request: *request, id: None, made: None }),
            Self::State { id, state, .. } => {
                (*state == SendState::Sending).then_some(Done::Noted { id: *id, noted: false })
            }
            Self::Refused { id, .. } => Some(Done::Noted { id: *id, noted: false }),
            Self::Received { token, .. } | Self::Own { token, .. } => {
                Some(Done::Stored { token: *token, id: None, known: false, state: None })
            }
            Self::Delivered { .. } => Some(Done::Deliveries { version: None, ids: Vec::new(), more: false }),
            Self::Items(_) => Some(Done::Items { version: None, lists: false }),
            Self::NewDevice => Some(Done::Renamed(None)),
            Self::Withdraw(_) => Some(Done::Withdrawn(false)),
            Self::Past { peer, messages, more, .. } => {
                Some(Done::Past { peer: peer.clone(), messages: messages.clone(), more: *more })
            }
            Self::Import { .. } => Some(Done::Imported(Err(why.to_owned()))),
            // What is stored stays as it is, and is read or asked for again.
            Self::Resend { .. }
            | Self::Made { .. }
            | Self::OwnMade(_)
            | Self::Accepted { .. }
            | Self::ItemSet { .. }
            | Self::SetItem { .. }
            | Self::Profiles(_)
            | Self::SettleDifferences { .. }
            | Self::Begin(_)
            | Self::Token(_)
            | Self::Unread(_)
            | Self::Zone(_)
            | Self::Draft { .. }
            | Self::Contact(_)
            | Self::Block { .. }
            | Self::Forget { .. }
            | Self::Seen { .. }
            | Self::Outbox => None,
        }
    }
}

/// The result of an [`Op`], after its commit.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs, reason = "fields are named by what they hold")]
pub enum Done {
    /// The file is open, with what this device keeps there about itself, or cannot be used. This is the first result
    /// except [`Done::Handed`].
    Opened(Result<DeviceState, NotOpened>),
    /// The message that came last in the plain dialect, if the server may offer it again; comes before
    /// [`Done::Opened`].
    Handed(Option<LastDelivery>),
    /// By how many seconds a plain server's clock is before UTC, if that is known, and whether messages have got their
    /// times by it. Also comes after [`Done::Opened`].
    Zone { zone: Option<i32>, changed: bool },
    /// This device's new name; `None` if it is not on disk.
    Renamed(Option<Device>),
    /// The row of an [`Write::Outgoing`], or `None` if it is not on disk; and when the receiver's account was made, if
    /// that is known.
    Kept { request: u64, id: Option<MessageId>, made: Option<i64> },
    /// A [`Write::Resend`] is on disk.
    Resent { id: MessageId, to: crate::client::session::Recipient, text: MessageText },
    /// A [`Write::Made`] was news; this row in the conversation says so.
    Made { peer: Account, row: Row },
    /// The row of a [`Write::Received`] or a [`Write::Own`]; `None` if it is not on disk. `known` says that it was
    /// there before, and `state` how far a message of another device has come.
    Stored { token: StoreToken, id: Option<MessageId>, known: bool, state: Option<SendState> },
    /// The version of a [`Write::Delivered`], or `None` if it is not on disk; and the messages for which that is news,
    /// or whether there are `more` of them.
    Deliveries { version: Option<u64>, ids: Vec<MessageId>, more: bool },
    /// This message was delivered, which was known before its [`Write::State`], which says less.
    Delivered(MessageId),
    /// Whether the note that this message is being sent is on disk.
    Noted { id: MessageId, noted: bool },
    /// The messages of a [`Write::Past`]; they are on disk unless the disk has refused them.
    Past { peer: Account, messages: Vec<Past>, more: bool },
    /// The server's row of the oldest message that has one; `None` if none has.
    Oldest { peer: Account, row: Option<u64> },
    /// The version of a [`Write::Items`], 0 if what is here is not what the server has; `None` if it is not on disk.
    /// Whether `lists` may be others now.
    Items { version: Option<u64>, lists: bool },
    /// The changes of items that the server has not taken, by number.
    ItemChanges(Vec<(u64, Item)>),
    /// The profiles of everybody who was asked about.
    Profiles(Vec<(Account, Profile)>),
    /// Who is a friend, requests, and differences.
    Friends(Friends),
    /// The list, the latest first: all friends and rooms, and the latest strangers.
    Conversations(Vec<Conversation>, MoreStrangers),
    /// The rows in their order.
    Index { peer: Account, rows: Vec<RowMeta> },
    /// The rows in their order.
    Page { peer: Account, first: u32, rows: Vec<Row> },
    /// The rows, oldest first.
    Last { peer: Account, rows: Vec<Row> },
    /// The rows found, oldest first, each with the conversation that it belongs to.
    Found { text: String, rows: Vec<(Account, Row)> },
    /// The rows, oldest first.
    Outbox(Vec<Unsent>),
    /// Whether all messages of a [`Write::Withdraw`] were withdrawn; otherwise none was.
    Withdrawn(bool),
    /// All drafts, by account.
    Drafts(Vec<(Account, String)>),
    /// A read that failed, and why.
    NotRead { op: Read, trouble: Trouble },
    /// The number of contacts imported, or a sentence that names the wrong line.
    Imported(Result<usize, String>),
    /// The result of a [`Read::Export`].
    Exported(Result<(), String>),
    /// It is unknown whether this unblocked account was a friend before; it is one now.
    Unblocked(Account),
    /// All operations before the [`Read::Settle`] are done or refused.
    Settled,
    /// The disk has refused changes; the answers to what waits for them come after this.
    Failed(Trouble),
}
