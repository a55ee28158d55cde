//! What the history is asked, and what became of it.

use std::path::PathBuf;

use super::{
    Contact, Conversation, DeviceState, Friends, ItemPage, LastDelivery, MoreStrangers, NotOpened, Row, RowMeta,
    Trouble, Unsent,
};
use crate::base::model::{Account, MessageId, MessageText, SendState};
use crate::client::session::{Pushed, SentBy, StoreToken};
use crate::protocol::wire::frame::{Device, Key, Past};
use crate::protocol::wire::item::{Item, Kind};

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
    /// Reads the server's row of the oldest message with this friend that has one.
    Oldest(Account),
    /// Reads all that is typed and not sent.
    Drafts,
    /// Writes the list into a CSV file.
    Export(PathBuf),
    /// Reads the list.
    Conversations,
    /// Reads who is a friend, requests, and what differs between the lists here and the server's.
    Friends,
    /// Reads the changes of items that the server has not taken yet.
    ItemChanges,
    /// Reads nothing; answered when all operations before it are done or refused.
    Settle,
    /// Reads what is known of every row with this friend.
    Index(Account),
    /// Reads rows with this friend, `count` from the `first` on.
    Page { peer: Account, first: u32, count: u32 },
    /// Reads the last rows with this friend.
    Last { peer: Account, count: u32 },
    /// Reads the latest rows that hold this text.
    Search { text: String, count: u32 },
}

/// A change to be stored in the history.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs, reason = "fields are named by what they hold")]
pub enum Write {
    /// A message of one's own, before it is sent.
    Outgoing { request: u64, to: Account, text: String, unix_ms: i64 },
    /// How far it has come. [`SendState::Sending`] is answered by [`Done::Noted`]: only then it may go.
    /// Which dialect it goes by is written down with that: in the secure one it can be sent again.
    State { id: MessageId, state: SendState, secure: bool },
    /// Notes that the server refused the message. Answered by [`Done::Noted`] once the note is on a synced disk.
    Refused { id: MessageId, state: SendState },
    /// A message of somebody else's that came at `unix_ms`. One that was pushed is stored together with the server's row
    /// of it, and only if the one before it is there; it brings its moment, others the server's words for it.
    Received {
        token: StoreToken,
        from: Account,
        server_time: String,
        text: String,
        raw: Vec<u8>,
        repeat: bool,
        unix_ms: i64,
        pushed: Option<Pushed>,
        /// The time with which the server has handed this pushed one out in the plain dialect before.
        handed: Option<String>,
    },
    /// What another device of this account has sent; stored as one that was pushed.
    Own { token: StoreToken, to: Account, text: String, pushed: Pushed, by: SentBy },
    /// Sends a message again, to the account that has the recipient's name now, if the user was told that this is
    /// another account.
    Resend { id: MessageId, to: Account, text: MessageText },
    /// Somebody's account was made then, in seconds since 1970, and this was learned at `unix_ms`. Where another one of the
    /// name was known, the conversation says so from here on.
    Made { peer: Account, made: i64, unix_ms: i64 },
    /// Notes when the history's own account was created, in seconds since 1970.
    OwnMade(i64),
    /// A message of one's own has come so far with this row at the server; one without the other would never be known to
    /// be delivered.
    Accepted { id: MessageId, row: u64, state: SendState },
    /// Of one's own messages to these accounts all from the first to the last row at the server were delivered; with the
    /// version up to which that is known then. Answered by [`Done::Deliveries`].
    Delivered { version: u64, rows: Vec<(Account, u64, u64)> },
    /// What the server has told of the account's items. Answered by [`Done::Items`].
    Items(ItemPage),
    /// The server has taken the change of an item with this number, or refused it for good.
    ItemSet { number: u64, taken: bool },
    /// The account's owner sets an item that stands in no list of this file.
    SetItem { kind: Kind, key: String, value: Option<serde_json::Value> },
    /// Where lists here and at the server differ, those here go to the server (`keep_ours`), or the server's are shown.
    SettleDifferences { keep_ours: bool },
    /// What the server has of a conversation, oldest first; what is not here is put into its place, and counts
    /// as read.
    Past { own: Account, peer: Account, messages: Vec<Past>, more: bool },
    /// The server's row after which this device begins, if it has come no farther.
    Begin(u64),
    /// What lets this device in without a password, or nothing any more.
    Token(Option<Key<32>>),
    /// Takes another name for this device, and forgets the token, which belonged to the old one.
    NewDevice,
    /// How many unread messages a plain server has that offers messages again.
    Unread(u64),
    /// By how many seconds a plain server's clock is before UTC: for what comes from now on, and for what is here without.
    /// Answered by [`Done::Zone`].
    Zone(i32),
    /// What is typed to somebody and not sent; nothing any more, if it is empty.
    Draft { peer: Account, text: String },
    /// Takes messages of one's own back, if none was ever on its way.
    Withdraw(Vec<MessageId>),
    /// Adds or changes somebody in the list.
    Contact(Contact),
    /// Shows somebody's messages no more, or again; whoever is not in the list does not come into it.
    Block { account: Account, blocked: bool },
    /// Takes somebody off the list whether they are a friend or a stranger, until they write again; with their
    /// messages, if that is wanted.
    Forget { account: Account, messages: bool },
    /// Adds everybody of a CSV file but oneself, or nobody.
    Import { path: PathBuf, own: Account },
    /// This friend's messages were looked at, as far as this one; all of them for none.
    Seen { peer: Account, to: Option<MessageId> },
    /// Reads what was not sent yet. Messages that were on their way by the plain dialect when the program
    /// died become "may have been sent"; only their owner sends those again.
    Outbox,
}

impl Write {
    /// Whether it is to outlive a cut of the power, which may take back the last commits. Most need not: the server and the
    /// device's name make them good. These would not be: without any row a device is sent only what is unread, under a
    /// name forgotten again messages would go twice, and what the server would not have would go after what was written later.
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

    /// What whoever waits for it is told when it could not be stored, and why, in words; nothing where nobody waits.
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
            // What is here stays as it is, and is read anew or asked for again.
            Self::Resend { .. }
            | Self::Made { .. }
            | Self::OwnMade(_)
            | Self::Accepted { .. }
            | Self::ItemSet { .. }
            | Self::SetItem { .. }
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

/// What became of an [`Op`], after its commit.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs, reason = "fields are named by what they hold")]
pub enum Done {
    /// The file is open, and what this device keeps of itself there, or why it cannot be used; the first
    /// result of all but [`Done::Handed`].
    Opened(Result<DeviceState, NotOpened>),
    /// The message that came last in the plain dialect, if the server may offer it again; before [`Done::Opened`].
    Handed(Option<LastDelivery>),
    /// What is known of a plain server's clock: how many seconds it is before UTC; and whether messages have got their
    /// moments by that. Also after [`Done::Opened`].
    Zone { zone: Option<i32>, changed: bool },
    /// This device's new name; `None` if it is not on disk.
    Renamed(Option<Device>),
    /// The row of an [`Write::Outgoing`]; `None` if it is not on disk; and for which account of the receiver's name it is.
    Kept { request: u64, id: Option<MessageId>, made: Option<i64> },
    /// An [`Write::Resend`] is on disk.
    Resent { id: MessageId, to: crate::client::session::Recipient, text: MessageText },
    /// An [`Write::Made`] that is news: what the conversation says of it.
    Made { peer: Account, row: Row },
    /// The row of an [`Write::Received`] or an [`Write::Own`]; `None` if it is not on disk. `known`: it was there before.
    /// `state`: of an own one, how far it has come.
    Stored { token: StoreToken, id: Option<MessageId>, known: bool, state: Option<SendState> },
    /// The version of an [`Write::Delivered`]; `None` if it is not on disk. To which messages that is news, or that there are
    /// `more` than these.
    Deliveries { version: Option<u64>, ids: Vec<MessageId>, more: bool },
    /// This message, whose [`Write::State`] says less, was delivered: that came first.
    Delivered(MessageId),
    /// That this message is being sent is on disk, or is not.
    Noted { id: MessageId, noted: bool },
    /// The messages of an [`Write::Past`]; they are on disk unless the disk refused them.
    Past { peer: Account, messages: Vec<Past>, more: bool },
    /// The server's row of the oldest message that has one; `None` if none has.
    Oldest { peer: Account, row: Option<u64> },
    /// The version of a [`Write::Items`], 0 if what is here is not what the server has; `None` if it is not on disk.
    /// Whether `lists` may be others now.
    Items { version: Option<u64>, lists: bool },
    /// The changes of items that the server has not taken, by number.
    ItemChanges(Vec<(u64, Item)>),
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
    /// Whether all messages of an [`Write::Withdraw`] were taken back; otherwise none was.
    Withdrawn(bool),
    /// All drafts, by account.
    Drafts(Vec<(Account, String)>),
    /// A read that failed, and why.
    NotRead { op: Read, trouble: Trouble },
    /// The number of contacts imported, or a sentence that names the wrong line.
    Imported(Result<usize, String>),
    /// The result of an [`Read::Export`].
    Exported(Result<(), String>),
    /// Whoever is not blocked any more may have been a friend or not before; they are one.
    Unblocked(Account),
    /// All operations before the [`Read::Settle`] are done or refused.
    Settled,
    /// The disk refused changes; those that somebody waits for are answered after it.
    Failed(Trouble),
}
