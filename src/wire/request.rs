//! Requests, operations 01–11: what a client sends.

use crate::model::{Account, Password};

/// A message body as it came: the exact bytes, and how they read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Body {
    /// Between the second and the last `#`, untouched.
    pub raw: Vec<u8>,
    /// The same decoded.
    pub text: String,
}

/// One request, decoded. Made from typed values it can always be encoded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Request {
    /// `01#account#password#confirm#`
    Register { account: Account, password: Password, confirm: Password },
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
    Field { field: usize, at: usize, error: crate::model::FieldError },
    /// More than 1,400 bytes.
    #[error("{0} bytes, at most 1,400 are read")]
    TooLong(usize),
}
