//! The list of friends as CSV: `account,remark,group,blocked,friend`. A list of only accounts and names, such as a
//! class list, works as well. Files are read as UTF-8 or, failing that, as GB18030, which spreadsheet programs in China
//! write.

use std::fs;
use std::path::Path;

use rust_i18n::t;

use super::Contact;
use crate::base::model::{Account, names};
use crate::base::trouble;

/// The most bytes that are read from a file.
const MAX: u64 = 16 << 20;

/// One line of a CSV file; a field without a column is `None`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CsvContact {
    /// The account that the line names.
    pub account: Account,
    /// The contact's remark.
    pub remark: Option<String>,
    /// The group in the contact list.
    pub group: Option<String>,
    /// Whether this contact is blocked.
    pub blocked: Option<bool>,
    /// Whether this contact is a friend; a contact who is not is somebody who was blocked. In a file without this
    /// column everybody is a friend.
    pub friend: bool,
}

/// The headers that are understood for each column: account, remark, group, blocked, friend.
const NAMES: [&[&str]; 5] = [
    &names::ACCOUNT_HEADERS,
    &["remark", "name", "备注", "姓名", "名字"],
    &["group", "section", "class", "分组", "组", "班级"],
    &["blocked", "屏蔽", "拉黑"],
    &["friend", "好友"],
];

/// Reads a whole file and returns all its contacts, or none if a line is wrong.
///
/// # Errors
/// A sentence that names the wrong line.
pub fn read(path: &Path) -> Result<Vec<CsvContact>, String> {
    let said = |error: &dyn std::fmt::Display| format!("{}: {error}", path.display());
    let found = fs::metadata(path).map_err(|e| said(&trouble::words(&e)))?;
    // A pipe or a device would be read for ever.
    if !found.is_file() {
        return Err(said(&t!("error.not_a_file")));
    }
    let size = found.len();
    if size > MAX {
        return Err(said(&t!("error.list_size", size = size, most = MAX)));
    }
    parse(&fs::read(path).map_err(|e| said(&trouble::words(&e)))?).map_err(|e| said(&e))
}

fn parse(bytes: &[u8]) -> Result<Vec<CsvContact>, String> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text.into(),
        Err(_) => encoding_rs::GB18030.decode_without_bom_handling(bytes).0,
    };
    let mut reader =
        csv::ReaderBuilder::new().has_headers(false).flexible(true).trim(csv::Trim::All).from_reader(text.as_bytes());
    let mut contacts = Vec::new();
    let mut columns = [Some(0), Some(1), Some(2), Some(3), None];
    for (i, record) in reader.records().enumerate() {
        let record = record.map_err(|error| {
            log::info!("not a list: {error}");
            t!("error.list_unreadable").into_owned()
        })?;
        let line = record.position().map_or(0, csv::Position::line);
        if i == 0 {
            let place = |names: &[&str]| record.iter().position(|f| names.contains(&f.to_lowercase().as_str()));
            let places = NAMES.map(place);
            if places[0].is_some() {
                columns = places;
                continue;
            }
        }
        let field = |n: usize| columns.get(n).copied().flatten().and_then(|column| record.get(column));
        let account = Account::person(field(0).unwrap_or_default())
            .map_err(|_| t!("error.list_line", line = line, why = t!("gui.bad_account")).into_owned())?;
        let plain = |text: &str| text.chars().filter(|c| !c.is_control()).collect::<String>();
        let yes_or_no = |n, name| match field(n) {
            None => Ok(None),
            Some("" | "0" | "no" | "false" | "否") => Ok(Some(false)),
            Some("1" | "yes" | "true" | "是") => Ok(Some(true)),
            Some(other) => Err(t!("error.list_yes_or_no", line = line, column = name, found = other).into_owned()),
        };
        let (blocked, friend) = (yes_or_no(3, "blocked")?, yes_or_no(4, "friend")?.unwrap_or(true));
        contacts.push(CsvContact { account, remark: field(1).map(plain), group: field(2).map(plain), blocked, friend });
    }
    Ok(contacts)
}

/// Writes everybody, and whether they are a friend, to a file that [`read`] and spreadsheet programs understand. An
/// existing file is replaced as a whole.
///
/// # Errors
/// A sentence that says why the file could not be written.
pub fn write(path: &Path, contacts: &[(Contact, bool)]) -> Result<(), String> {
    let said = |error: &dyn std::fmt::Display| format!("{}: {error}", path.display());
    let mut writer = csv::Writer::from_writer(b"\xef\xbb\xbf".to_vec());
    writer.write_record(["account", "remark", "group", "blocked", "friend"]).map_err(|e| said(&e))?;
    let yes_or_no = |yes| if yes { "yes" } else { "no" };
    for (contact, friend) in contacts {
        let Contact { account, remark, group, blocked } = contact;
        let row = [account.as_str(), remark, group, yes_or_no(*blocked), yes_or_no(*friend)];
        writer.write_record(row).map_err(|e| said(&e))?;
    }
    let bytes = writer.into_inner().map_err(|e| said(&e))?;
    let new = path.with_extension("csv.new");
    fs::write(&new, bytes).and_then(|()| fs::rename(&new, path)).map_err(|e| said(&trouble::words(&e)))
}

#[cfg(test)]
mod tests;
