//! Requests, operations 01–11: what a client sends.

use super::Charset;
use crate::base::model::{Account, FieldError, MAX_BODY_BYTES, MessageText, Password};

/// A message body as it came: the exact bytes, and how they read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Body {
    /// The bytes between the second and the last `#`, unchanged.
    pub raw: Vec<u8>,
    /// The bytes as text.
    pub text: String,
}

/// One request, decoded. Made from typed values it can always be encoded.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs, reason = "fields are named by what they hold")]
pub enum Request {
    /// `01#account#password#confirm#`
    Register { account: Account, password: Password, confirm: Password },
    /// `01#account#old#new#confirm#`, the course's edition of 2019: four fields change a password.
    ChangePassword { account: Account, old: Password, new: Password, confirm: Password },
    /// `02#account#password#`
    Login { account: Account, password: Password },
    /// `03#to#message#`
    Send { to: Account, body: Body },
    /// `04#from#`; `None` is the wild bare `04#`, "of anyone", answered with 04 all the same.
    Count { from: Option<Account> },
    /// `05#from#`; `None` is the wild bare `05#`.
    Take { from: Option<Account> },
    /// `06#`
    Offline,
    /// `08#` (and the wild `08##`)
    CountAll,
    /// `09#` (and the wild `09##`)
    TakeAll,
    /// `10#Q1#nonce#padding#`: "I also speak the secure dialect".
    Hello { nonce: String, padding: usize },
    /// `11#offset#`: who is online.
    Who { offset: usize },
}

/// Why bytes are not a request; `at` is a byte offset into the datagram.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[allow(missing_docs, reason = "fields are named by what they hold")]
pub enum RequestError {
    /// Not two digits and `#`.
    #[error("no operation of two digits closed by # at the beginning")]
    NoOperation,
    /// Digits that name no request.
    #[error("operation {0:02} is not known")]
    UnknownOperation(u8),
    /// The datagram does not end in `#`.
    #[error("field {field} is not closed by # (byte {at})")]
    NotClosed { field: usize, at: usize },
    /// More or fewer fields than the operation has.
    #[error("{got} fields, {want} expected")]
    FieldCount { got: usize, want: usize },
    /// A field breaks a rule of its kind.
    #[error("field {field} (byte {at}): {error}")]
    Field { field: usize, at: usize, error: crate::base::model::FieldError },
    /// More than 1,400 bytes.
    #[error("{0} bytes, at most 1,400 are read")]
    TooLong(usize),
}

/// Most bytes of a request that are read at all.
pub const MAX_REQUEST_BYTES: usize = 1_400;

impl Body {
    /// Returns the body of a message that this client sends.
    #[must_use]
    pub fn new(text: &MessageText) -> Self {
        Self { raw: text.as_str().as_bytes().to_vec(), text: text.as_str().to_owned() }
    }
}

impl Request {
    /// The number of the operation, 1–11.
    #[must_use]
    pub fn operation(&self) -> u8 {
        match self {
            Self::Register { .. } | Self::ChangePassword { .. } => 1,
            Self::Login { .. } => 2,
            Self::Send { .. } => 3,
            Self::Count { .. } => 4,
            Self::Take { .. } => 5,
            Self::Offline => 6,
            Self::CountAll => 8,
            Self::TakeAll => 9,
            Self::Hello { .. } => 10,
            Self::Who { .. } => 11,
        }
    }

    /// The datagram, for a server that reads `charset`. Fields of `Self::Send` are taken from the
    /// body's text; its raw bytes matter to a server's storage alone.
    #[must_use]
    pub fn encode(&self, charset: Charset) -> Vec<u8> {
        let mut datagram = format!("{:02}#", self.operation()).into_bytes();
        let mut field = |text: &str| {
            datagram.extend_from_slice(&charset.encode(text));
            datagram.push(b'#');
        };
        match self {
            Self::Register { account, password, confirm } => {
                field(account.as_str());
                field(password.reveal());
                field(confirm.reveal());
            }
            Self::ChangePassword { account, old, new, confirm } => {
                field(account.as_str());
                field(old.reveal());
                field(new.reveal());
                field(confirm.reveal());
            }
            Self::Login { account, password } => {
                field(account.as_str());
                field(password.reveal());
            }
            Self::Send { to, body } => {
                field(to.as_str());
                field(&body.text);
            }
            Self::Count { from } | Self::Take { from } => {
                if let Some(from) = from {
                    field(from.as_str());
                }
            }
            Self::Offline | Self::CountAll | Self::TakeAll => {}
            Self::Hello { nonce, padding } => {
                field("Q1");
                field(nonce);
                field(&"0".repeat(*padding));
            }
            Self::Who { offset } => field(&offset.to_string()),
        }
        datagram
    }

    /// Reads a datagram as a server does. The second value is the charset to go on with for this
    /// address.
    pub fn decode(datagram: &[u8], charset: Charset) -> (Result<Self, RequestError>, Charset) {
        let mut fields = Fields { charset };
        let request = fields.request(datagram);
        (request, fields.charset)
    }
}

/// Whether the bytes look like a reply, `NN:…`; answering one could make two servers talk for ever.
#[must_use]
pub fn looks_like_reply(datagram: &[u8]) -> bool {
    matches!(datagram, [a, b, b':', ..] if a.is_ascii_digit() && b.is_ascii_digit())
}

/// The datagram without what terminals and C's strings leave behind the last `#`: line ends and NULs.
/// Where no `#` stands before them they belong to a field that is not closed.
#[must_use]
pub fn without_line_end(datagram: &[u8]) -> &[u8] {
    let end = datagram.iter().rposition(|b| !matches!(b, b'\r' | b'\n' | 0)).map_or(0, |last| last + 1);
    datagram.get(..end).filter(|closed| closed.ends_with(b"#")).unwrap_or(datagram)
}

/// Decodes field by field and learns the charset on the way.
struct Fields {
    charset: Charset,
}

impl Fields {
    fn request(&mut self, datagram: &[u8]) -> Result<Request, RequestError> {
        if datagram.len() > MAX_REQUEST_BYTES {
            return Err(RequestError::TooLong(datagram.len()));
        }
        let (operation, rest) = match without_line_end(datagram) {
            [a, b, b'#', rest @ ..] if a.is_ascii_digit() && b.is_ascii_digit() => ((a - b'0') * 10 + (b - b'0'), rest),
            _ => return Err(RequestError::NoOperation),
        };
        if !(matches!(operation, 1..=6 | 8..=11)) {
            return Err(RequestError::UnknownOperation(operation));
        }
        // Everything up to the last `#`; `None` when the operation alone stands there.
        let closed = match rest {
            [] => None,
            [fields @ .., b'#'] => Some(fields),
            _ => {
                let field = rest.split(|b| *b == b'#').count();
                return Err(RequestError::NotClosed { field, at: datagram.len() });
            }
        };
        let parts: Vec<&[u8]> = match (operation, closed) {
            (_, None) => Vec::new(),
            // A message may hold `#`: it reaches up to the last one.
            (3, Some(fields)) => fields.splitn(2, |b| *b == b'#').collect(),
            (_, Some(fields)) => fields.split(|b| *b == b'#').collect(),
        };
        match (operation, parts.as_slice()) {
            (1, [account, password, confirm]) => {
                let at = 3 + account.len() + 1;
                Ok(Request::Register {
                    account: self.account(account, Account::new_person)?,
                    password: self.password(password, 2, at)?,
                    confirm: self.password(confirm, 3, at + password.len() + 1)?,
                })
            }
            (1, [account, old, new, confirm]) => {
                let at = 3 + account.len() + 1;
                let new_at = at + old.len() + 1;
                Ok(Request::ChangePassword {
                    account: self.account(account, Account::person)?,
                    old: self.password(old, 2, at)?,
                    new: self.password(new, 3, new_at)?,
                    confirm: self.password(confirm, 4, new_at + new.len() + 1)?,
                })
            }
            (2, [account, password]) => Ok(Request::Login {
                account: self.account(account, Account::person)?,
                password: self.password(password, 2, 3 + account.len() + 1)?,
            }),
            (3, [to, body]) => {
                Ok(Request::Send { to: self.account(to, Account::parse)?, body: self.body(body, 3 + to.len() + 1)? })
            }
            (4, []) => Ok(Request::Count { from: None }),
            (5, []) => Ok(Request::Take { from: None }),
            (4, [from]) => Ok(Request::Count { from: Some(self.account(from, Account::parse)?) }),
            (5, [from]) => Ok(Request::Take { from: Some(self.account(from, Account::parse)?) }),
            (6, []) => Ok(Request::Offline),
            // `08##` and `09##` are written by many students' clients.
            (8, [] | [[]]) => Ok(Request::CountAll),
            (9, [] | [[]]) => Ok(Request::TakeAll),
            (10, [version, nonce, padding]) if *version == b"Q1" => {
                Ok(Request::Hello { nonce: self.text(nonce), padding: padding.len() })
            }
            (11, [offset]) => match std::str::from_utf8(offset).ok().and_then(|text| text.parse().ok()) {
                Some(offset) => Ok(Request::Who { offset }),
                None => Err(RequestError::Field { field: 1, at: 3, error: FieldError::Forbidden { found: '?' } }),
            },
            (_, parts) => {
                let want = match operation {
                    1 | 10 => 3,
                    2 | 3 => 2,
                    4 | 5 | 11 => 1,
                    _ => 0,
                };
                Err(RequestError::FieldCount { got: parts.len(), want })
            }
        }
    }

    fn text(&mut self, bytes: &[u8]) -> String {
        let (text, seen) = self.charset.decode(bytes);
        self.charset = seen;
        text
    }

    fn account(
        &mut self,
        bytes: &[u8],
        parse: fn(&str) -> Result<Account, FieldError>,
    ) -> Result<Account, RequestError> {
        let text = self.text(bytes);
        parse(&text).map_err(|error| RequestError::Field { field: 1, at: 3, error })
    }

    fn password(&mut self, bytes: &[u8], field: usize, at: usize) -> Result<Password, RequestError> {
        let text = self.text(bytes);
        Password::parse(&text).map_err(|error| RequestError::Field { field, at, error })
    }

    fn body(&mut self, bytes: &[u8], at: usize) -> Result<Body, RequestError> {
        let text = self.text(bytes);
        let error = if text.is_empty() {
            FieldError::Empty
        } else if text.len() > MAX_BODY_BYTES || bytes.len() > MAX_BODY_BYTES {
            FieldError::TooLong { got: text.len().max(bytes.len()), max: MAX_BODY_BYTES }
        } else {
            return Ok(Body { raw: bytes.to_vec(), text });
        };
        Err(RequestError::Field { field: 2, at, error })
    }
}
