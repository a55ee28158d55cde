//! Replies: what a server sends.

use std::collections::HashSet;

pub use super::times::TimeFormat;
use super::{Charset, request::Body, times};
use crate::base::model::Account;

/// How many people's charsets are remembered.
const PEOPLE: usize = 65_536;

/// A server's way of writing the time, and in what charset each of its people writes; learned from
/// its replies.
#[derive(Debug, Clone, Default)]
pub struct Learned {
    /// How it writes the time of a message.
    pub format: TimeFormat,
    /// Who writes GB18030; everybody else writes UTF-8.
    gb18030: HashSet<Account>,
}

impl Learned {
    /// The charset that an account writes, which is also used for what is sent to it and for its name.
    #[must_use]
    pub fn charset(&self, of: &Account) -> Charset {
        if self.gb18030.contains(of) { Charset::Gb18030 } else { Charset::Utf8 }
    }

    fn writes(&mut self, who: &Account, charset: Charset) {
        if charset == Charset::Utf8 {
            self.gb18030.remove(who);
        } else if self.gb18030.len() < PEOPLE && !self.gb18030.contains(who) {
            self.gb18030.insert(who.clone());
        }
    }
}

/// One reply, decoded. `Other` keeps what the protocol does not know.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs, reason = "fields are named by what they hold")]
pub enum Reply {
    /// `01:01` … `01:04`; after four fields they mean what [`PasswordChange`] says
    Register(Registered),
    /// `02:01` … `02:04`
    Login(LoggedIn),
    /// `03:01`, `03:02`
    Send(Forwarded),
    /// `04:N`
    Count(u64),
    /// `05:from:time:message`, or `None` for `05:01`
    Take(Option<Delivery>),
    /// `06:01`, `06:02`
    Offline { was_online: bool },
    /// `07:01`: not logged in
    NotLoggedIn,
    /// `08:N`
    CountAll(u64),
    /// `09:from:time:message`, or `None` for `09:01`
    TakeAll(Option<Delivery>),
    /// `10:01:Q1:nonce`
    Hello { nonce: String },
    /// `11:total:offset:account:…`
    Who { total: usize, offset: usize, accounts: Vec<Account> },
    /// `00:00`
    NotUnderstood,
    /// Any other datagram; the protocol window shows its bytes.
    Other(Vec<u8>),
}

/// The answer to 01 with three fields. Which of two forms a code answers is known only by the request:
/// see [`PasswordChange`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "fields are named by what they hold")]
pub enum Registered {
    Done,
    PasswordsDiffer,
    AccountExists,
    /// `01:04`, which answers four fields alone.
    NoSuchAccount,
}

/// The answer to 01 with four fields, which changes a password; the same codes mean something else there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "fields are named by what they hold")]
pub enum PasswordChange {
    /// The old password is wrong (`01:01`).
    WrongPassword,
    /// The two new passwords differ (`01:02`).
    PasswordsDiffer,
    /// The password was changed (`01:03`).
    Done,
    /// There is no such account (`01:04`).
    NoSuchAccount,
}

impl From<Registered> for PasswordChange {
    /// The meaning of a 01 code as the answer to a request of four fields.
    fn from(code: Registered) -> Self {
        match code {
            Registered::Done => Self::WrongPassword,
            Registered::PasswordsDiffer => Self::PasswordsDiffer,
            Registered::AccountExists => Self::Done,
            Registered::NoSuchAccount => Self::NoSuchAccount,
        }
    }
}

impl From<PasswordChange> for Reply {
    /// The reply as it is sent.
    fn from(outcome: PasswordChange) -> Self {
        Self::Register(match outcome {
            PasswordChange::WrongPassword => Registered::Done,
            PasswordChange::PasswordsDiffer => Registered::PasswordsDiffer,
            PasswordChange::Done => Registered::AccountExists,
            PasswordChange::NoSuchAccount => Registered::NoSuchAccount,
        })
    }
}

/// The answer to a login (02).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "fields are named by what they hold")]
pub enum LoggedIn {
    Done,
    WrongPassword,
    NoSuchAccount,
    AlreadyLoggedIn,
}

/// The answer to a sent message (03).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "fields are named by what they hold")]
pub enum Forwarded {
    Done,
    Offline,
}

/// One message handed out by 05 or 09.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// The account that wrote the message.
    pub from: Account,
    /// The time as the server wrote it, local time of the server.
    pub time: String,
    /// The message's text.
    pub body: Body,
}

impl Reply {
    /// The two digits before the colon; `None` for what is no reply at all.
    #[must_use]
    pub fn operation(&self) -> Option<u8> {
        Some(match self {
            Self::NotUnderstood => 0,
            Self::Register(_) => 1,
            Self::Login(_) => 2,
            Self::Send(_) => 3,
            Self::Count(_) => 4,
            Self::Take(_) => 5,
            Self::Offline { .. } => 6,
            Self::NotLoggedIn => 7,
            Self::CountAll(_) => 8,
            Self::TakeAll(_) => 9,
            Self::Hello { .. } => 10,
            Self::Who { .. } => 11,
            Self::Other(_) => return None,
        })
    }

    /// The datagram, for a client that reads `charset`.
    #[must_use]
    pub fn encode(&self, charset: Charset) -> Vec<u8> {
        let text = match self {
            Self::Register(Registered::Done) => "01:01".to_owned(),
            Self::Register(Registered::PasswordsDiffer) => "01:02".to_owned(),
            Self::Register(Registered::AccountExists) => "01:03".to_owned(),
            Self::Register(Registered::NoSuchAccount) => "01:04".to_owned(),
            Self::Login(LoggedIn::Done) => "02:01".to_owned(),
            Self::Login(LoggedIn::WrongPassword) => "02:02".to_owned(),
            Self::Login(LoggedIn::NoSuchAccount) => "02:03".to_owned(),
            Self::Login(LoggedIn::AlreadyLoggedIn) => "02:04".to_owned(),
            Self::Send(Forwarded::Done) => "03:01".to_owned(),
            Self::Send(Forwarded::Offline) => "03:02".to_owned(),
            Self::Count(n) => format!("04:{n}"),
            Self::Take(None) => "05:01".to_owned(),
            Self::Take(Some(Delivery { from, time, body })) => format!("05:{from}:{time}:{}", body.text),
            Self::Offline { was_online: true } => "06:01".to_owned(),
            Self::Offline { was_online: false } => "06:02".to_owned(),
            Self::NotLoggedIn => "07:01".to_owned(),
            Self::CountAll(n) => format!("08:{n}"),
            Self::TakeAll(None) => "09:01".to_owned(),
            Self::TakeAll(Some(Delivery { from, time, body })) => format!("09:{from}:{time}:{}", body.text),
            Self::Hello { nonce } => format!("10:01:Q1:{nonce}"),
            Self::Who { total, offset, accounts } => {
                let mut text = format!("11:{total}:{offset}");
                for account in accounts {
                    text.push(':');
                    text.push_str(account.as_str());
                }
                text
            }
            Self::NotUnderstood => "00:00".to_owned(),
            Self::Other(bytes) => return bytes.clone(),
        };
        charset.encode(&text)
    }

    /// Reads a datagram as a client does; what is not known is [`Reply::Other`].
    #[must_use]
    pub fn decode(datagram: &[u8], learned: &mut Learned) -> Self {
        Reader { learned }.reply(datagram).unwrap_or_else(|| Self::Other(datagram.to_vec()))
    }
}

struct Reader<'a> {
    learned: &'a mut Learned,
}

impl Reader<'_> {
    fn reply(&mut self, datagram: &[u8]) -> Option<Reply> {
        let (operation, rest) = match datagram {
            [a, b, b':', rest @ ..] if a.is_ascii_digit() && b.is_ascii_digit() => ((a - b'0') * 10 + (b - b'0'), rest),
            _ => return None,
        };
        // Servers in C often send a line break along with a code, and the whole of their buffer.
        let rest = without(rest, |b| b == 0);
        let code = without(rest, |b| b == 0 || b.is_ascii_whitespace());
        Some(match (operation, code) {
            (0, b"00") => Reply::NotUnderstood,
            (1, b"01") => Reply::Register(Registered::Done),
            (1, b"02") => Reply::Register(Registered::PasswordsDiffer),
            (1, b"03") => Reply::Register(Registered::AccountExists),
            (1, b"04") => Reply::Register(Registered::NoSuchAccount),
            (2, b"01") => Reply::Login(LoggedIn::Done),
            (2, b"02") => Reply::Login(LoggedIn::WrongPassword),
            (2, b"03") => Reply::Login(LoggedIn::NoSuchAccount),
            (2, b"04") => Reply::Login(LoggedIn::AlreadyLoggedIn),
            (3, b"01") => Reply::Send(Forwarded::Done),
            (3, b"02") => Reply::Send(Forwarded::Offline),
            (4, _) => Reply::Count(number(code)?),
            (5, b"01") => Reply::Take(None),
            (5, _) => Reply::Take(Some(self.delivery(rest)?)),
            (6, b"01") => Reply::Offline { was_online: true },
            (6, b"02") => Reply::Offline { was_online: false },
            (7, b"01") => Reply::NotLoggedIn,
            (8, _) => Reply::CountAll(number(code)?),
            (9, b"01") => Reply::TakeAll(None),
            (9, _) => Reply::TakeAll(Some(self.delivery(rest)?)),
            (10, _) => Reply::Hello { nonce: text(code.strip_prefix(b"01:Q1:")?) },
            (11, _) => {
                let mut fields = code.split(|b| *b == b':');
                let total = usize::try_from(number(fields.next()?)?).ok()?;
                let offset = usize::try_from(number(fields.next()?)?).ok()?;
                let accounts = fields.filter(|f| !f.is_empty()).map(|f| Account::sanitised(&text(f))).collect();
                Reply::Who { total, offset, accounts }
            }
            _ => return None,
        })
    }

    /// `from:time:message`; the time is the longest known form that stands there, the format learned
    /// before being tried first.
    fn delivery(&mut self, rest: &[u8]) -> Option<Delivery> {
        let colon = rest.iter().position(|b| *b == b':')?;
        let parts =
            |from: usize, to: usize| Some((rest.get(..from)?, times::split(rest.get(to..)?, self.learned.format)));
        // The assignment prints a full-width colon behind the account; where it is one, a time follows.
        let wide = full_width(rest.get(..colon)?)
            .and_then(|(from, to)| parts(from, to))
            .filter(|(_, (known, ..))| known.is_some());
        let (from, (format, time, raw)) = match wide {
            Some(found) => found,
            None => parts(colon, colon + 1)?,
        };
        self.learned.format = format.unwrap_or(self.learned.format);
        let (from, named) = Charset::default().decode(from);
        let from = Account::sanitised(&from);
        let known = if named == Charset::default() { self.learned.charset(&from) } else { named };
        let (body, written) = known.decode(raw);
        // A name that is not UTF-8 stays so, whatever is written under it.
        self.learned.writes(&from, if named == Charset::default() { written } else { named });
        Some(Delivery { from, time: text(time), body: Body { raw: raw.to_vec(), text: body } })
    }
}

/// Returns the datagram without the trailing bytes for which `padding` is true.
fn without(bytes: &[u8], padding: impl Fn(u8) -> bool) -> &[u8] {
    let len = bytes.iter().rposition(|b| !padding(*b)).map_or(0, |last| last + 1);
    bytes.get(..len).unwrap_or_default()
}

/// Where a full-width colon begins and ends, in UTF-8 or else in GB18030.
fn full_width(name: &[u8]) -> Option<(usize, usize)> {
    if let Ok(text) = std::str::from_utf8(name) {
        return text.find('：').map(|at| (at, at + '：'.len_utf8()));
    }
    let mut at = 0;
    while let Some(first) = name.get(at) {
        if name.get(at..at + 2) == Some(b"\xa3\xba") {
            return Some((at, at + 2));
        }
        at += match (first, name.get(at + 1)) {
            (0..0x80, _) => 1,
            (_, Some(b'0'..=b'9')) => 4,
            _ => 2,
        };
    }
    None
}

fn text(bytes: &[u8]) -> String {
    Charset::default().decode(bytes).0
}

fn number(digits: &[u8]) -> Option<u64> {
    std::str::from_utf8(digits).ok()?.trim().parse().ok()
}
