//! A class list: a CSV file of accounts and passwords, as spreadsheets write it.

use std::collections::HashMap;

use super::admin::AdminError;
use crate::base::model::{Account, Password, names};
use crate::protocol::wire::Charset;

/// The names of the password column in the header of a class list, in lower case; for the account column see
/// [`names::ACCOUNT_HEADERS`].
const PASSWORD_HEADERS: [&str; 2] = ["password", "密码"];

/// Reads the accounts of a class list, or says what is wrong with its first bad line. If the first line is a header it
/// names the columns; else each line must have exactly two fields, so that nothing else is taken for a password.
pub(super) fn read(bytes: &[u8]) -> Result<Vec<(String, Password)>, AdminError> {
    let text = Charset::Utf8.decode(bytes).0;
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    let mut reader =
        csv::ReaderBuilder::new().has_headers(false).flexible(true).trim(csv::Trim::All).from_reader(text.as_bytes());
    let (mut list, mut lines) = (Vec::new(), HashMap::new());
    // The columns of account and password, and the number of fields.
    let mut columns = (0, 1, 2);
    for (i, record) in reader.records().enumerate() {
        let record = record?;
        let line = record.position().map_or(0, |position| line_of(text, position));
        if i == 0 {
            let place = |names: &[&str]| record.iter().position(|f| names.contains(&f.to_lowercase().as_str()));
            match (place(&names::ACCOUNT_HEADERS), place(&PASSWORD_HEADERS)) {
                (Some(account), Some(password)) => {
                    columns = (account, password, record.len());
                    continue;
                }
                (None, None) => {}
                _ => return Err(AdminError::HalfHeader(line)),
            }
        }
        let (account, password, expected) = columns;
        if record.len() != expected {
            return Err(AdminError::NotAPair { line, found: record.len(), expected });
        }
        let field = |column| record.get(column).unwrap_or_default();
        let wrong = |field| move |error| AdminError::Field { line, field, error };
        // Files from some systems have decomposed letters; people who type a name usually compose it.
        let account = Account::new_person(&names::composed(field(account))).map_err(wrong("account"))?;
        let password = Password::parse(field(password)).map_err(wrong("password"))?;
        let account = account.as_str().to_owned();
        if let Some(first) = lines.insert(account.clone(), line) {
            return Err(AdminError::Twice { line, first, account: names::shown(&account).into() });
        }
        list.push((account, password));
    }
    Ok(list)
}

/// Returns the line, from 1, on which a record begins; the reader's position is that of the empty lines before it.
fn line_of(text: &str, position: &csv::Position) -> u64 {
    let rest = usize::try_from(position.byte()).ok().and_then(|byte| text.as_bytes().get(byte..)).unwrap_or_default();
    let empty = rest.iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).filter(|byte| **byte == b'\n');
    empty.fold(position.line(), |line, _| line + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_class_list_is_two_columns_or_has_a_header() {
        let list = |text: &str| read(text.as_bytes());
        let pair = |account: &str, password: &str| (account.to_owned(), Password::parse(password).expect("valid"));
        for (text, account, password) in [
            ("20170001,pw\n", "20170001", "pw"),
            ("账号,密码\n王,pw\n", "王", "pw"),
            ("\u{feff}帐号,密码\r\n王,pw\r\n", "王", "pw"),
            ("Account,Password\n王,pw\n", "王", "pw"),
            ("学号,姓名,密码\n20170040,王,pw\n", "20170040", "pw"),
            ("\n密码,账号\npw,王\n", "王", "pw"),
        ] {
            assert_eq!(list(text).expect("a list"), [pair(account, password)], "{text:?}");
        }
        let why = |text: &str| list(text).expect_err("no list").to_string();
        let not = "this is not account,password: fields found";
        for (text, line, found, expected) in [
            ("20170040,王,pw\n", 1, 3, 2),
            ("a,x\nb\n", 2, 1, 2),
            ("a,x\n\n\r\nb,x,\n", 4, 3, 2),
            ("a,x\r\nb，x\r\n", 2, 1, 2),
            ("账号,密码\na,x,y\n", 2, 3, 2),
            ("学号,姓名,密码\n20170040,pw\n", 2, 2, 3),
        ] {
            assert_eq!(why(text), format!("line {line}: {not} {found}, expected {expected}"), "{text:?}");
        }
        for text in ["学号,姓名\n20170040,王\n", "姓名,密码\n王,pw\n"] {
            assert!(why(text).starts_with("line 1: a header names both columns"), "{text:?}");
        }
        assert_eq!(why("\r\n\r\na,x\r\n\r\nb#,x\r\n").split_once(':').expect("a line").0, "line 5");
    }
}
