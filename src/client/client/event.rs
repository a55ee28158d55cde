//! The events that the client emits to its face, and the notices that every face shows for some of them.

use std::collections::BTreeMap;
use std::path::PathBuf;

use rust_i18n::t;

use crate::base::model::{Account, MessageId, SendState};
use crate::client::history::{Conversation, Friends, MoreStrangers, Rescued, Row, RowMeta, time_of};
use crate::client::session::{
    self, ConnectionState, ExtensionRequest, FriendOutcome, FriendRequest, KeyChange, LoginOutcome, LookUpResult,
    PasswordOutcome, PlainReason, RegisterOutcome, SpokenDialect,
};
use crate::client::tap::Record;
use crate::protocol::link::words;
use crate::protocol::wire::frame::{AccountSettings, Code, Past, Reason};
use crate::protocol::wire::item::Profile;
use crate::protocol::wire::status::Shown;

/// What the client tells its face; the face takes it with [`super::Client::poll_event`].
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs, reason = "fields are named by what they hold")]
pub enum Event {
    /// The connection's state has changed.
    ConnectionState(ConnectionState),
    /// [`super::Client::is_silent`] has changed.
    Silent(bool),
    /// The server has been silent since it was sent this request, which the course's protocol does not have; the
    /// request may have crashed it.
    EndedAt(ExtensionRequest),
    /// Answer to [`super::Client::register`].
    Registered(RegisterOutcome),
    /// Answer to [`super::Client::login`] and [`super::Client::take_over`].
    LoggedIn(LoginOutcome),
    /// The server answered a login with "later", for this reason if it gave one; the login is tried again
    /// automatically.
    LoginPutOff(Option<Reason>),
    /// Answer to [`super::Client::go_offline`].
    WentOffline(Option<bool>),
    /// The whole list, after each change of it.
    Conversations(Vec<Conversation>),
    /// The strangers who are not in the list one by one; emitted after [`Event::Conversations`] if this changed.
    MoreStrangers(MoreStrangers),
    /// A new message in this conversation, sent or received, which is on disk.
    Message { peer: Account, row: Row },
    /// The state of a message that this account sent has changed.
    Outgoing { id: MessageId, state: SendState },
    /// A message to the lobby was not sent because the server has no lobby or, if that is not `sure`, because the
    /// question whether it has one may have crashed it.
    NoLobby { sure: bool },
    /// Answer to [`super::Client::index`].
    Index { peer: Account, rows: Vec<RowMeta> },
    /// Answer to [`super::Client::page`].
    Page { peer: Account, first: u32, rows: Vec<Row> },
    /// Answer to [`super::Client::last`].
    Last { peer: Account, rows: Vec<Row> },
    /// Answer to [`super::Client::search`].
    Found { text: String, rows: Vec<(Account, Row)> },
    /// Many stored messages are shown differently now, for example because the server's time zone has become known.
    /// Every index has changed.
    RowsChanged,
    /// The accounts that are online; only from servers that list them.
    Online(Vec<Account>),
    /// Those of them who are not simply there without a line; [`Event::Online`] follows if that has changed too.
    States(BTreeMap<Account, Shown>),
    /// This account has come online.
    CameOnline(Account),
    /// This account has gone offline.
    WentAway(Account),
    /// A second program of this machine tried to open this account; the face shows its windows.
    Raise,
    /// Answer to [`super::Client::import_contacts`].
    Imported(Result<usize, String>),
    /// Answer to [`super::Client::export_contacts`].
    Exported(Result<(), String>),
    /// Whether the server says who is online and has a lobby.
    Extensions(bool),
    /// The server's count of waiting messages fell without a request from here: the plain protocol may have lost this
    /// number of messages.
    MaybeLost(u64),
    /// The system cannot send to the server, for this reason; emitted once until something is sent again.
    NetworkTrouble(String),
    /// The server's rate limit: how long this account may send nothing. Waiting messages are sent automatically
    /// afterwards.
    Paced(std::time::Duration),
    /// [`super::Client::is_not_storing`] has changed.
    NotStoring(bool),
    /// The server did not understand these bytes, which this client sent.
    NotUnderstood(Vec<u8>),
    /// The server answered with a code that the protocol does not have, which is given as it was received.
    UnknownCode(String),
    /// Answer to [`super::Client::change_password`].
    PasswordChanged(PasswordOutcome),
    /// A message could not be stored, so it is not sent; its text is given back.
    NotKept { peer: Account, text: String },
    /// Something else could not be written to the disk, for this reason.
    DiskTrouble(String),
    /// The account's history cannot be opened, for the reason in this sentence. The account is closed.
    NotOpened(String),
    /// The account's history is damaged and cannot be opened, or, if `open`, was found to be damaged while in use,
    /// which is reported once. [`super::Client::rescue`] saves what can be read.
    Damaged { sentence: String, open: bool },
    /// A read of the history failed, for this reason; `peer` is the conversation it was for, if any.
    NotRead { peer: Option<Account>, why: String },
    /// This account is unblocked, and stays in the list of friends: it was blocked by an earlier version, which did not
    /// note whether it was a friend.
    Unblocked(Account),
    /// Answer to [`super::Client::settle`].
    Settled,
    /// Answer to [`super::Client::rescue`].
    Rescued(Result<Rescued, String>),
    /// Answer to [`super::Client::withdraw`].
    Withdrawn(bool),
    /// The drafts left when the account was last closed; emitted once, as soon as it is open.
    Drafts(Vec<(Account, String)>),
    /// A datagram, while [`super::Client::set_tap`] is on.
    Tap(Record),
    /// Which dialect the server speaks.
    Speaks(SpokenDialect),
    /// A request waits because it would be sent in the plain dialect, in which anyone on the network path can read
    /// the password. [`super::Client::allow_plain`] sends it nevertheless, [`super::Client::go_offline`] drops it.
    PlainOnly(PlainReason),
    /// The server's key, seen for the first time and kept.
    Pinned(Vec<u8>),
    /// The server showed a key that is not among its pins; nothing was sent to it. [`super::Client::trust`] accepts the
    /// key.
    KeyChanged(KeyChange),
    /// A login on another device ended this session, at this time in seconds since 1970. [`super::Client::take_over`]
    /// logs in again here.
    Kicked { address: String, at: i64 },
    /// Another program with a copy of this program's folder logged in as this device; this one is a new device from now
    /// on. If `offline`, this session has ended, and [`super::Client::take_over`] logs in again here.
    Copied { offline: bool },
    /// This login ended another session of the account, which was at this address.
    TookPlace { address: String },
    /// Answer to [`super::Client::past`], oldest first.
    Past { peer: Account, messages: Vec<Past>, more: bool },
    /// Answer to [`super::Client::look_up`].
    LookedUp { asked: Account, found: LookUpResult },
    /// The friends, the requests to be friends, and the differences between the lists here and on the server; emitted
    /// when the account is opened and after each change.
    Friends(Friends),
    /// The profiles of these people, as far as they are new or have changed; all that are kept when the account is opened.
    Profiles(Vec<(Account, Profile)>),
    /// Answer to [`super::Client::find`]: the people that were found, best first, and whether there are more; `None` if the
    /// server does not say.
    People { text: String, people: Option<Vec<(Account, Profile)>>, more: bool },
    /// Answer to [`super::Client::friend`].
    Friend { account: Account, request: FriendRequest, outcome: FriendOutcome },
    /// The server refused a change of the lists, with this code; the lists are shown as the server has them again.
    ItemRefused(Code),
    /// The open account was created anew on the server since the last login here. Its old history, with any unsent
    /// messages, is put aside, and the login continues with a new, empty history. The face must stop showing the old
    /// one.
    MadeAnew { account: Account, aside: PathBuf, unsent: usize },
    /// Answer to [`super::Client::account_settings`] and [`super::Client::set_account`]; `None` if the server has no
    /// settings for this account, as in the plain dialect, or could not store the change.
    AccountSettings(Option<AccountSettings>),
}

/// Returns the sentence that says how many messages may have been lost.
#[must_use]
pub fn lost(messages: u64) -> String {
    match messages {
        1 => t!("gui.maybe_lost_one").into_owned(),
        n => t!("gui.maybe_lost", n = n).into_owned(),
    }
}

impl Event {
    /// Returns the notice for an event about the server, its key or another device, in the current language; `None` for
    /// all other events.
    #[must_use]
    pub fn notice(&self) -> Option<String> {
        let chinese = rust_i18n::locale().starts_with("zh");
        let text = match self {
            Self::PlainOnly(PlainReason::NoLonger) => t!("secure.not_any_more"),
            Self::PlainOnly(PlainReason::Only) => t!("secure.plain_only"),
            Self::PlainOnly(PlainReason::Chosen) => t!("secure.plain_chosen"),
            Self::LoginPutOff(why) => format!("{} {}", session::later(*why), t!("secure.tried_again")).into(),
            Self::Unblocked(account) => t!("main.unblocked_friend", name = account.shown()),
            Self::NoLobby { sure: true } => t!("main.no_lobby"),
            Self::NoLobby { sure: false } => t!("main.lobby_unknown"),
            Self::EndedAt(beyond) => beyond.sentence(),
            Self::UnknownCode(code) => t!("gui.unknown_code", code = code),
            Self::PasswordChanged(outcome) => outcome.sentence(),
            Self::Pinned(key) => t!("secure.pinned", words = words(key, chinese)),
            Self::KeyChanged(change) => {
                let (shown, known) = change.words(chinese);
                match &change.damaged {
                    Some(file) => t!("secure.keys_damaged_words", file = file, shown = shown),
                    None => t!("secure.key_words", shown = shown, known = known),
                }
            }
            Self::Kicked { address, at } => t!("secure.kicked", address = address, time = time_of(*at)),
            Self::Copied { offline: true } => t!("secure.copied"),
            Self::Copied { offline: false } => t!("secure.copied_beside"),
            Self::NotStoring(true) => t!("gui.not_storing"),
            Self::MadeAnew { account, aside, unsent: 0 } => {
                t!("secure.made_anew", account = account.shown(), file = aside.display())
            }
            Self::MadeAnew { account, aside, unsent } => {
                t!("secure.made_anew_unsent", account = account.shown(), file = aside.display(), n = unsent)
            }
            Self::ItemRefused(Code::TooMany) => t!("people.too_many_items"),
            Self::ItemRefused(_) => t!("people.item_refused"),
            Self::TookPlace { address } => t!("secure.took_place", address = address),
            // Each face has its own words for these.
            Self::ConnectionState(_)
            | Self::Silent(_)
            | Self::Registered(_)
            | Self::LoggedIn(_)
            | Self::WentOffline(_)
            | Self::Conversations(_)
            | Self::MoreStrangers(_)
            | Self::Message { .. }
            | Self::Outgoing { .. }
            | Self::Index { .. }
            | Self::Page { .. }
            | Self::Last { .. }
            | Self::Found { .. }
            | Self::RowsChanged
            | Self::Online(_)
            | Self::States(_)
            | Self::CameOnline(_)
            | Self::WentAway(_)
            | Self::Raise
            | Self::Imported(_)
            | Self::Exported(_)
            | Self::Extensions(_)
            | Self::MaybeLost(_)
            | Self::NetworkTrouble(_)
            | Self::Paced(_)
            | Self::NotStoring(false)
            | Self::NotUnderstood(_)
            | Self::NotKept { .. }
            | Self::DiskTrouble(_)
            | Self::NotOpened(_)
            | Self::Damaged { .. }
            | Self::NotRead { .. }
            | Self::Settled
            | Self::Rescued(_)
            | Self::Withdrawn(_)
            | Self::Drafts(_)
            | Self::Tap(_)
            | Self::Speaks(_)
            | Self::Past { .. }
            | Self::LookedUp { .. }
            | Self::Friends(_)
            | Self::Profiles(_)
            | Self::People { .. }
            | Self::Friend { .. }
            | Self::AccountSettings(_) => return None,
        };
        Some(text.into_owned())
    }
}
