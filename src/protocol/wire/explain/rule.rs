//! What can be wrong with a request, or is worth a word; which part of the protocol's page says so.

use super::Name;
use crate::base::model::names::NameFault;

/// A rule of the protocol's text. The first group is broken, and the request is not served; the second
/// is noted: our server serves it, another may not, or it means something that is easily overlooked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "fields are named by what they hold")]
pub enum Rule {
    /// The datagram is empty.
    Empty,
    /// More than 1,400 bytes.
    TooLong { got: usize },
    /// A byte order mark at the beginning.
    ByteOrderMark,
    /// Each character with a NUL: UTF-16.
    Utf16,
    /// `０`–`９` or `＃`, as Chinese keyboards write them.
    FullWidth { found: char },
    /// `NN:…`: requests have `#`. Never answered.
    LooksLikeReply,
    /// An operation of one digit, such as `8#`.
    OneDigit,
    /// `008#`, or an account at the beginning.
    ManyDigits,
    /// Another byte where a digit of the operation belongs.
    NotADigit,
    /// Nothing, or something else, where the `#` behind the two digits belongs.
    OperationNotClosed,
    /// 00 and 07 are only replies.
    ReplyOnly { operation: u8 },
    /// An operation from 12 to 99, which the protocol does not have.
    UnknownOperation { operation: u8 },
    /// The last field has no `#`.
    NotClosed { field: usize },
    /// A field of the operation that is not there.
    Missing { field: usize, name: Name },
    /// More fields than the operation has.
    Surplus { want: usize },
    /// A field without a byte.
    EmptyField { field: usize, name: Name },
    /// A field of too many bytes.
    FieldTooLong { field: usize, name: Name, got: usize, max: usize },
    /// A `:` or a control character; which one is not said of a password.
    Forbidden { field: usize, name: Name, found: Option<char> },
    /// A person's account that begins with `@`.
    Reserved,
    /// A new account that could be taken for another's.
    Name { why: NameFault },
    /// An offset of 11 that is no number.
    NotANumber,
    /// An offset of 11 beyond all numbers.
    NumberTooBig,
    /// 10 with another version than `Q1`.
    UnknownVersion,

    /// `08##`, `09##`
    ClosedTwice,
    /// `04#`, `05#`: of anyone.
    Bare,
    /// Line ends or NULs behind the last `#`.
    LineEnd,
    /// The message itself ends in a line end.
    MessageLineEnd,
    /// A `#` within the message.
    HashInMessage,
    /// No UTF-8, so read as GB18030.
    NotUtf8,
    /// UTF-8, but read as GB18030 since this address wrote that before.
    StillGb18030,
    /// Neither UTF-8 nor GB18030.
    Undecodable,
    /// `11#+5#`
    PlusSign,
    /// The second password differs from the first: `01:02` will answer.
    ConfirmDiffers,
    /// 01 with four fields: a password is changed, nobody is registered.
    ChangesPassword,
    /// 10, 11 and `@lobby`: other servers do not know it.
    Extension,
}

/// A section of docs/protocol.md.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[allow(missing_docs, reason = "named as the sections are")]
pub enum Section {
    Datagram,
    Requests,
    Fields,
    Messages,
    Charset,
    WildForms,
    Extensions,
}

impl Section {
    /// The section's anchor in the page.
    #[must_use]
    pub fn anchor(self) -> &'static str {
        match self {
            Self::Datagram => "datagram",
            Self::Requests => "requests",
            Self::Fields => "fields",
            Self::Messages => "messages",
            Self::Charset => "charset",
            Self::WildForms => "wild-forms",
            Self::Extensions => "extensions",
        }
    }
}

impl Rule {
    /// Whether the request is refused for it.
    #[must_use]
    pub fn breaks(self) -> bool {
        !matches!(
            self,
            Self::ClosedTwice
                | Self::Bare
                | Self::LineEnd
                | Self::MessageLineEnd
                | Self::HashInMessage
                | Self::NotUtf8
                | Self::StillGb18030
                | Self::Undecodable
                | Self::PlusSign
                | Self::ConfirmDiffers
                | Self::ChangesPassword
                | Self::Extension
        )
    }

    /// The section that states the rule.
    #[must_use]
    pub fn section(self) -> Section {
        match self {
            Self::Empty
            | Self::TooLong { .. }
            | Self::LooksLikeReply
            | Self::OneDigit
            | Self::ManyDigits
            | Self::NotADigit
            | Self::OperationNotClosed
            | Self::FullWidth { .. }
            | Self::NotClosed { .. } => Section::Datagram,
            Self::ReplyOnly { .. }
            | Self::UnknownOperation { .. }
            | Self::Missing { .. }
            | Self::Surplus { .. }
            | Self::ChangesPassword
            | Self::ConfirmDiffers => Section::Requests,
            Self::EmptyField { name: Name::Message, .. } | Self::FieldTooLong { name: Name::Message, .. } => {
                Section::Messages
            }
            Self::EmptyField { .. }
            | Self::FieldTooLong { .. }
            | Self::Forbidden { .. }
            | Self::Reserved
            | Self::Name { .. } => Section::Fields,
            Self::MessageLineEnd | Self::HashInMessage => Section::Messages,
            Self::ByteOrderMark | Self::Utf16 | Self::NotUtf8 | Self::StillGb18030 | Self::Undecodable => {
                Section::Charset
            }
            Self::ClosedTwice | Self::Bare | Self::LineEnd => Section::WildForms,
            Self::NotANumber | Self::NumberTooBig | Self::UnknownVersion | Self::PlusSign | Self::Extension => {
                Section::Extensions
            }
        }
    }
}
