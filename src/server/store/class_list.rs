//! A class list: a CSV file of accounts and passwords, as spreadsheets write it.

use std::collections::HashMap;

use super::admin::AdminError;
use crate::base::model::{Account, Password, names};
use crate::protocol::wire::Charset;
use crate::protocol::wire::item::Profile;

/// The names of the password column in the header of a class list, in lower case; for the account column see
/// [`names::ACCOUNT_HEADERS`].
const PASSWORD_HEADERS: [&str; 2] = ["password", "密码"];

/// A line of a class list.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Listed {
    /// The account's name.
    pub(super) account: String,
    /// Its password.
    pub(super) password: Password,
    /// A profile with the name of its owner, if the list has a column of names and this line one in it.
    pub(super) profile: Option<Profile>,
}

/// Reads the accounts of a class list, or says what is wrong with its first bad line. If the first line is a header it
/// names the columns, one of people's names perhaps among them; else each line must have exactly two fields, so that
/// nothing else is taken for a password.
pub(super) fn read(bytes: &[u8]) -> Result<Vec<Listed>, AdminError> {
    let text = Charset::Utf8.decode(bytes).0;
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    let mut reader =
        csv::ReaderBuilder::new().has_headers(false).flexible(true).trim(csv::Trim::All).from_reader(text.as_bytes());
    let (mut list, mut lines) = (Vec::new(), HashMap::new());
    // The columns of account and password, and the number of fields; the column of names.
    let (mut columns, mut names_in) = ((0, 1, 2), None);
    for (i, record) in reader.records().enumerate() {
        let record = record?;
        let line = record.position().map_or(0, |position| line_of(text, position));
        if i == 0 {
            let place = |names: &[&str]| record.iter().position(|f| names.contains(&f.to_lowercase().as_str()));
            match (place(&names::ACCOUNT_HEADERS), place(&PASSWORD_HEADERS)) {
                (Some(account), Some(password)) => {
                    columns = (account, password, record.len());
                    names_in = place(&names::NAME_HEADERS);
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
        let name = names_in.map(field).filter(|name| !name.is_empty());
        let profile = name.map(Profile::named).transpose().map_err(|_| AdminError::Name { line })?;
        list.push(Listed { account, password, profile });
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
        let listed = |account: &str, password: &str, name: &str| Listed {
            account: account.to_owned(),
            password: Password::parse(password).expect("valid"),
            profile: Profile::named(name).ok(),
        };
        for (text, account, password, name) in [
            ("20170001,pw\n", "20170001", "pw", ""),
            ("账号,密码\n王,pw\n", "王", "pw", ""),
            ("\u{feff}帐号,密码\r\n王,pw\r\n", "王", "pw", ""),
            ("Account,Password\n王,pw\n", "王", "pw", ""),
            ("Name,Account,Password\n 李  雷 ,王,pw\n", "王", "pw", "李 雷"),
            ("学号,姓名,密码\n20170040,,pw\n", "20170040", "pw", ""),
            ("学号,姓名,密码\n20170040,王,pw\n", "20170040", "pw", "王"),
            ("\n密码,账号\npw,王\n", "王", "pw", ""),
        ] {
            assert_eq!(list(text).expect("a list"), [listed(account, password, name)], "{text:?}");
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
        for name in ["@all", "大厅", &"x".repeat(33), "\u{301}"] {
            let text = format!("学号,姓名,密码\n1,{name},x\n");
            assert!(why(&text).starts_with("line 2: the name: it is to have"), "{text:?}: {}", why(&text));
        }
        assert_eq!(why("\r\n\r\na,x\r\n\r\nb#,x\r\n").split_once(':').expect("a line").0, "line 5");
    }
}
