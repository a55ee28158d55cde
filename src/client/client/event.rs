//! What a face is told, and what of it is worth a sentence in every face.

use std::path::PathBuf;

use rust_i18n::t;

use crate::base::model::{Account, MessageId, SendState};
use crate::client::history::{Conversation, MoreStrangers, Rescued, Row, RowMeta, time_of};
use crate::client::session::{
    self, ConnectionState, ExtensionRequest, KeyChange, LoginOutcome, LookUpResult, PasswordOutcome, PlainReason,
    RegisterOutcome, SpokenDialect,
};
use crate::client::tap::Record;
use crate::protocol::link::words;
use crate::protocol::wire::frame::{AccountSettings, Past, Reason};

/// What a face shows.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs, reason = "fields are named by what they hold")]
pub enum Event {
    /// The connection line.
    ConnectionState(ConnectionState),
    /// [`super::Client::is_silent`] has changed.
    Silent(bool),
    /// The server is silent since it was asked this, which is none of the course's protocol: it may have ended at it.
    EndedAt(ExtensionRequest),
    /// Answer to [`super::Client::register`].
    Registered(RegisterOutcome),
    /// Answer to [`super::Client::login`] and [`super::Client::take_over`].
    LoggedIn(LoginOutcome),
    /// The server has said "later" to a login, and why if it says; it is tried again by itself.
    LoginPutOff(Option<Reason>),
    /// Answer to [`super::Client::go_offline`].
    WentOffline(Option<bool>),
    /// The whole list, after each change of it.
    Conversations(Vec<Conversation>),
    /// After [`Event::Conversations`], when it changed: strangers that are not in the list one by one.
    MoreStrangers(MoreStrangers),
    /// A new message in this conversation, one's own or theirs, on disk.
    Message { peer: Account, row: Row },
    /// One's own message came further.
    Outgoing { id: MessageId, state: SendState },
    /// A message to the lobby was not sent, as the server turned out to have none; or, if that is not `sure`, as it may have
    /// ended when it was asked.
    NoLobby { sure: bool },
    /// Answer to [`super::Client::index`].
    Index { peer: Account, rows: Vec<RowMeta> },
    /// Answer to [`super::Client::page`].
    Page { peer: Account, first: u32, rows: Vec<Row> },
    /// Answer to [`super::Client::last`].
    Last { peer: Account, rows: Vec<Row> },
    /// Answer to [`super::Client::search`].
    Found { text: String, rows: Vec<(Account, Row)> },
    /// Many messages that are here are to be shown otherwise, as those of which only the server's own clock was known when
    /// they have got their moments: every index is another one.
    RowsChanged,
    /// Everybody who is online, on servers that say.
    Online(Vec<Account>),
    /// Somebody is online who was not.
    CameOnline(Account),
    /// Somebody is not online any more.
    WentAway(Account),
    /// Somebody opened this account once more: the windows are to be shown.
    Raise,
    /// Answer to [`super::Client::import_contacts`].
    Imported(Result<usize, String>),
    /// Answer to [`super::Client::export_contacts`].
    Exported(Result<(), String>),
    /// Whether the server says who is online and has a lobby.
    Extensions(bool),
    /// The server's count fell by itself: the plain protocol may have lost this number of messages.
    MaybeLost(u64),
    /// The system sends nothing to the server, for this reason; said once until something is sent again.
    NetworkTrouble(String),
    /// How long the server lets this account send no more; what waits goes on by itself afterwards.
    Paced(std::time::Duration),
    /// [`super::Client::is_not_storing`] has changed.
    NotStoring(bool),
    /// The server did not understand these bytes of ours.
    NotUnderstood(Vec<u8>),
    /// The server answered something with another code than the protocol has, as it came.
    UnknownCode(String),
    /// Answer to [`super::Client::change_password`].
    PasswordChanged(PasswordOutcome),
    /// The disk refused a message of one's own; it is not sent, and the text is given back.
    NotKept { peer: Account, text: String },
    /// The disk refused something else, for this reason.
    DiskTrouble(String),
    /// The account's history cannot be opened; a sentence for its owner. The account is closed.
    NotOpened(String),
    /// The same where the file is damaged; or it was found to be while it is `open`, which is said once.
    /// [`super::Client::rescue`] saves what can be read.
    Damaged { sentence: String, open: bool },
    /// What was asked of the history, of somebody's messages or else, cannot be read, for this reason.
    NotRead { peer: Option<Account>, why: String },
    /// Whoever is not blocked any more was blocked by an earlier version, which did not note whether they were a friend:
    /// they stay in the list of friends.
    Unblocked(Account),
    /// Answer to [`super::Client::settle`].
    Settled,
    /// Answer to [`super::Client::rescue`].
    Rescued(Result<Rescued, String>),
    /// Answer to [`super::Client::withdraw`].
    Withdrawn(bool),
    /// What was typed and not sent when the account was closed last; said once, as soon as it is open.
    Drafts(Vec<(Account, String)>),
    /// A datagram, while [`super::Client::set_tap`] is on.
    Tap(Record),
    /// What the server speaks.
    Speaks(SpokenDialect),
    /// What is wanted would go out in the plain dialect, in which everybody on the way can read the password:
    /// [`super::Client::allow_plain`] goes on all the same, [`super::Client::go_offline`] gives up.
    PlainOnly(PlainReason),
    /// The server's key, seen for the first time and kept.
    Pinned(Vec<u8>),
    /// None of the known keys, or of what can be read of them; nothing was sent. [`super::Client::trust`] takes it all the same.
    KeyChanged(KeyChange),
    /// Another device took this account's place, then (in seconds since 1970). [`super::Client::take_over`] takes
    /// it back.
    Kicked { address: String, at: i64 },
    /// Another program with a copy of this one's folder came in as this device; this one is another device from now
    /// on. If `offline`, it has lost its place, and [`super::Client::take_over`] takes it back.
    Copied { offline: bool },
    /// This login has ended another one, which was there.
    TookPlace { address: String },
    /// Answer to [`super::Client::past`], oldest first.
    Past { peer: Account, messages: Vec<Past>, more: bool },
    /// Answer to [`super::Client::look_up`].
    LookedUp { asked: Account, found: LookUpResult },
    /// The account that is open was made anew at the server since it was here last: what lay here is put aside, unsent
    /// messages with it, and the login goes on with a new, empty history. Whatever is shown of the old one is over.
    MadeAnew { account: Account, aside: PathBuf, unsent: usize },
    /// Answer to [`super::Client::account_settings`] and [`super::Client::set_account`]; none if the server has none for this
    /// account, as in the plain dialect, or could not store the change.
    AccountSettings(Option<AccountSettings>),
}

/// The sentence that so many messages may have been lost on the way.
#[must_use]
pub fn lost(messages: u64) -> String {
    match messages {
        1 => t!("gui.maybe_lost_one").into_owned(),
        n => t!("gui.maybe_lost", n = n).into_owned(),
    }
}

impl Event {
    /// What there is to say of the server, its key or another device, in the language of the moment.
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
            Self::MadeAnew { account, aside, unsent } => {
                let (account, file) = (account.shown(), aside.display());
                match unsent {
                    0 => t!("secure.made_anew", account = account, file = file),
                    n => t!("secure.made_anew_unsent", account = account, file = file, n = n),
                }
            }
            Self::TookPlace { address } => t!("secure.took_place", address = address),
            // Each face says what it does with these.
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
            | Self::AccountSettings(_) => return None,
        };
        Some(text.into_owned())
    }
}
