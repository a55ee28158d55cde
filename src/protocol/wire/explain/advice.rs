//! The sentences: what a datagram means, what is wrong with it, what would have been right.

use std::borrow::Cow;
use std::ops::Range;

use rust_i18n::t;

use super::{Diagnostic, Explanation, Name, Rule};
use crate::base::model::names::NameFault;

impl Explanation {
    /// One line: what it asks for, or that it is malformed. `locale` is `en` or `zh-CN`.
    #[must_use]
    pub fn meaning(&self, locale: &str) -> String {
        let Some(operation) = self.operation else {
            return t!("explain.no_request", locale = locale).into_owned();
        };
        if !self.is_request() {
            let number = format!("{operation:02}");
            let what = if self.changes_password() {
                t!("explain.op_change_password", locale = locale)
            } else {
                kind(operation, locale)
            };
            return t!("explain.malformed", locale = locale, operation = number, what = what).into_owned();
        }
        let text = self.fields.first().map(|f| self.shown_of(f)).unwrap_or_default();
        match operation {
            1 if self.changes_password() => t!("wire.change_password", locale = locale, account = text),
            1 => t!("wire.register", locale = locale, account = text),
            2 => t!("wire.login", locale = locale, account = text),
            3 => t!("wire.send", locale = locale, account = text),
            4 if !self.fields.is_empty() => t!("wire.count", locale = locale, account = text),
            5 if !self.fields.is_empty() => t!("wire.take", locale = locale, account = text),
            4 | 8 => t!("wire.count_all", locale = locale),
            5 | 9 => t!("wire.take_all", locale = locale),
            6 => t!("wire.offline", locale = locale),
            10 => t!("wire.hello", locale = locale),
            _ => t!("wire.who", locale = locale, offset = text),
        }
        .into_owned()
    }

    /// How the text writes this operation, e.g. `02#account#password#`.
    #[must_use]
    pub fn form(&self, locale: &str) -> Option<String> {
        let form = |operation| match self.changes_password() {
            true => t!("explain.form_change_password", locale = locale),
            false => form(operation, locale),
        };
        self.operation.map(|operation| form(operation).into_owned())
    }
}

/// What an operation is for, in a word or two.
fn kind(operation: u8, locale: &str) -> Cow<'static, str> {
    match operation {
        1 => t!("explain.op_register", locale = locale),
        2 => t!("explain.op_login", locale = locale),
        3 => t!("explain.op_send", locale = locale),
        4 => t!("explain.op_count", locale = locale),
        5 => t!("explain.op_take", locale = locale),
        6 => t!("explain.op_offline", locale = locale),
        8 => t!("explain.op_count_all", locale = locale),
        9 => t!("explain.op_take_all", locale = locale),
        10 => t!("explain.op_hello", locale = locale),
        _ => t!("explain.op_who", locale = locale),
    }
}

fn form(operation: u8, locale: &str) -> Cow<'static, str> {
    match operation {
        1 => t!("explain.form_register", locale = locale),
        2 => t!("explain.form_login", locale = locale),
        3 => t!("explain.form_send", locale = locale),
        4 => t!("explain.form_count", locale = locale),
        5 => t!("explain.form_take", locale = locale),
        6 => "06#".into(),
        8 => "08#".into(),
        9 => "09#".into(),
        10 => "10#Q1#nonce#padding#".into(),
        _ => t!("explain.form_who", locale = locale),
    }
}

impl Name {
    /// The field's name for programs: one English word.
    #[must_use]
    pub fn key(self) -> &'static str {
        match self {
            Self::Account => "account",
            Self::Password => "password",
            Self::Confirm => "confirm",
            Self::OldPassword => "old_password",
            Self::NewPassword => "new_password",
            Self::To => "to",
            Self::Message => "message",
            Self::From => "from",
            Self::Version => "version",
            Self::Nonce => "nonce",
            Self::Padding => "padding",
            Self::Offset => "offset",
            Self::Surplus => "surplus",
        }
    }

    /// The field's name for people, in `locale` (`en` or `zh-CN`).
    #[must_use]
    pub fn text(self, locale: &str) -> Cow<'static, str> {
        match self {
            Self::Account => t!("explain.account", locale = locale),
            Self::Password => t!("explain.password", locale = locale),
            Self::Confirm => t!("explain.confirm", locale = locale),
            Self::OldPassword => t!("explain.old_password", locale = locale),
            Self::NewPassword => t!("explain.new_password", locale = locale),
            Self::To => t!("explain.to", locale = locale),
            Self::Message => t!("explain.message", locale = locale),
            Self::From => t!("explain.from", locale = locale),
            Self::Version => t!("explain.version", locale = locale),
            Self::Nonce => t!("explain.nonce", locale = locale),
            Self::Padding => t!("explain.padding", locale = locale),
            Self::Offset => t!("explain.offset", locale = locale),
            Self::Surplus => t!("explain.surplus_field", locale = locale),
        }
    }
}

impl Rule {
    /// The rule's name for programs.
    #[must_use]
    pub fn key(self) -> &'static str {
        match self {
            Self::Empty => "empty",
            Self::TooLong { .. } => "too_long",
            Self::ByteOrderMark => "byte_order_mark",
            Self::Utf16 => "utf16",
            Self::FullWidth { .. } => "full_width",
            Self::LooksLikeReply => "looks_like_reply",
            Self::OneDigit => "one_digit",
            Self::ManyDigits => "many_digits",
            Self::NotADigit => "not_a_digit",
            Self::OperationNotClosed => "operation_not_closed",
            Self::ReplyOnly { .. } => "reply_only",
            Self::UnknownOperation { .. } => "unknown_operation",
            Self::NotClosed { .. } => "not_closed",
            Self::Missing { .. } => "missing",
            Self::Surplus { .. } => "surplus",
            Self::EmptyField { .. } => "empty_field",
            Self::FieldTooLong { .. } => "field_too_long",
            Self::Forbidden { .. } => "forbidden",
            Self::Reserved => "reserved",
            Self::Name { .. } => "name",
            Self::NotANumber => "not_a_number",
            Self::NumberTooBig => "number_too_big",
            Self::UnknownVersion => "unknown_version",
            Self::ClosedTwice => "closed_twice",
            Self::Bare => "bare",
            Self::LineEnd => "line_end",
            Self::MessageLineEnd => "message_line_end",
            Self::HashInMessage => "hash_in_message",
            Self::NotUtf8 => "not_utf8",
            Self::StillGb18030 => "still_gb18030",
            Self::Undecodable => "undecodable",
            Self::PlusSign => "plus_sign",
            Self::ConfirmDiffers => "confirm_differs",
            Self::ChangesPassword => "changes_password",
            Self::Extension => "extension",
        }
    }
}

impl Diagnostic {
    /// A sentence that says what is wrong, where, and what would be right.
    #[must_use]
    pub fn advice(&self, explanation: &Explanation, locale: &str) -> String {
        let operation = explanation.operation.unwrap_or_default();
        let number = format!("{operation:02}");
        let form = explanation.form(locale).unwrap_or_else(|| form(operation, locale).into_owned());
        let byte = self.bytes.start;
        let what = match self.rule {
            Rule::Empty => t!("explain.empty", locale = locale),
            Rule::TooLong { got } => {
                let most = crate::protocol::wire::request::MAX_REQUEST_BYTES;
                t!("explain.too_long", locale = locale, got = got, most = most, over = got.saturating_sub(most))
            }
            Rule::ByteOrderMark => t!("explain.byte_order_mark", locale = locale),
            Rule::Utf16 => t!("explain.utf16", locale = locale),
            Rule::FullWidth { found } => {
                t!("explain.full_width", locale = locale, found = found, right = half_width(found))
            }
            Rule::LooksLikeReply => t!("explain.looks_like_reply", locale = locale),
            Rule::OneDigit => t!("explain.one_digit", locale = locale),
            Rule::ManyDigits => t!("explain.many_digits", locale = locale),
            Rule::NotADigit => t!("explain.not_a_digit", locale = locale),
            // These say themselves where.
            Rule::OperationNotClosed if !self.bytes.is_empty() => t!("explain.operation_closed_by", locale = locale),
            Rule::OperationNotClosed => {
                return t!("explain.operation_not_closed", locale = locale, byte = byte).into_owned();
            }
            Rule::NotClosed { field } => {
                return t!("explain.not_closed", locale = locale, field = field, byte = byte).into_owned();
            }
            Rule::Missing { field, name } => {
                let name = name.text(locale);
                return t!("explain.missing", locale = locale, field = field, name = name, form = form).into_owned();
            }
            Rule::ReplyOnly { operation } => {
                t!("explain.reply_only", locale = locale, operation = format!("{operation:02}"))
            }
            Rule::UnknownOperation { operation } => {
                t!("explain.unknown_operation", locale = locale, operation = format!("{operation:02}"))
            }
            Rule::Surplus { want } => surplus(operation, want, &form, locale),
            Rule::EmptyField { field, name: Name::From } => {
                t!("explain.empty_from", locale = locale, field = field, operation = number)
            }
            Rule::EmptyField { field, name } => {
                t!("explain.empty_field", locale = locale, field = field, name = name.text(locale))
            }
            Rule::FieldTooLong { field, name, got, max } => {
                let name = name.text(locale);
                t!("explain.field_too_long", locale = locale, field = field, name = name, got = got, max = max)
            }
            Rule::Forbidden { field, name, found } => forbidden(field, name, found, locale),
            Rule::Reserved => t!("explain.reserved", locale = locale),
            Rule::Name { why } => no_name(why, locale),
            Rule::NotANumber => t!("explain.not_a_number", locale = locale),
            Rule::NumberTooBig => t!("explain.number_too_big", locale = locale),
            Rule::UnknownVersion => t!("explain.unknown_version", locale = locale),
            Rule::ClosedTwice => t!("explain.closed_twice", locale = locale, form = form),
            Rule::Bare => t!("explain.bare", locale = locale, operation = number, form = form),
            Rule::LineEnd => t!("explain.line_end", locale = locale),
            Rule::MessageLineEnd => t!("explain.message_line_end", locale = locale),
            Rule::HashInMessage => t!("explain.hash_in_message", locale = locale),
            Rule::NotUtf8 => t!("explain.not_utf8", locale = locale),
            Rule::StillGb18030 => t!("explain.still_gb18030", locale = locale),
            Rule::Undecodable => t!("explain.undecodable", locale = locale),
            Rule::PlusSign => t!("explain.plus_sign", locale = locale),
            Rule::ConfirmDiffers => t!("explain.confirm_differs", locale = locale),
            Rule::ChangesPassword => t!("explain.changes_password", locale = locale),
            Rule::Extension => t!("explain.extension", locale = locale),
        };
        t!("explain.at", locale = locale, place = place(&self.bytes, locale), what = what).into_owned()
    }
}

/// Something behind the last field of an operation that has so many.
fn surplus(operation: u8, want: usize, form: &str, locale: &str) -> Cow<'static, str> {
    let number = format!("{operation:02}");
    match want {
        0 => t!("explain.surplus_none", locale = locale, operation = number, form = form),
        _ if operation == 1 => {
            let register = self::form(operation, locale);
            t!("explain.surplus_change", locale = locale, operation = number, register = register, form = form)
        }
        want if operation <= 2 => {
            t!("explain.surplus_password", locale = locale, operation = number, want = want, form = form)
        }
        1 => t!("explain.surplus_one", locale = locale, operation = number, form = form),
        want => t!("explain.surplus", locale = locale, operation = number, want = want, form = form),
    }
}

/// A character that a field cannot hold; of a password it is not shown which.
fn forbidden(field: usize, name: Name, found: Option<char>, locale: &str) -> Cow<'static, str> {
    let name = name.text(locale);
    match found {
        Some(':') => t!("explain.colon", locale = locale, field = field, name = name),
        Some(found) => {
            let code = format!("U+{:04X}", u32::from(found));
            t!("explain.control", locale = locale, field = field, name = name, code = code)
        }
        None => t!("explain.control_hidden", locale = locale, field = field, name = name),
    }
}

/// Why an account cannot have this name.
fn no_name(why: NameFault, locale: &str) -> Cow<'static, str> {
    match why {
        NameFault::Invisible(c) => {
            t!("explain.name_invisible", locale = locale, code = format!("U+{:04X}", u32::from(c)))
        }
        NameFault::Blank => t!("explain.name_blank", locale = locale),
        NameFault::Nothing => t!("explain.name_nothing", locale = locale),
        NameFault::Bracket(c) => t!("explain.name_bracket", locale = locale, found = c),
        NameFault::Pieces => t!("explain.name_pieces", locale = locale),
    }
}

/// "byte 5", "bytes 4–14", "after byte 14".
pub(super) fn place(bytes: &Range<usize>, locale: &str) -> Cow<'static, str> {
    let (first, last) = (bytes.start + 1, bytes.end);
    if first > last {
        t!("explain.after_byte", locale = locale, n = bytes.start)
    } else if first == last {
        t!("explain.byte", locale = locale, n = first)
    } else {
        t!("explain.bytes", locale = locale, first = first, last = last)
    }
}

/// The ASCII form of a full-width character.
fn half_width(c: char) -> char {
    char::from_u32(u32::from(c).saturating_sub(0xfee0)).filter(char::is_ascii).unwrap_or(c)
}
