//! The list of friends as CSV: `account,remark,group,blocked`. A class list with accounts and names
//! alone does as well. UTF-8 or, failing that, GB18030, which is what a spreadsheet in China writes.

use std::fs;
use std::path::Path;

use super::Contact;
use crate::model::Account;

/// Most bytes of a file that is read.
const MAX: u64 = 16 << 20;

/// Reads a file; all of it, or the first line that is wrong.
///
/// # Errors
/// A sentence that names the line.
pub fn read(path: &Path) -> Result<Vec<Contact>, String> {
    let said = |error: &dyn std::fmt::Display| format!("{}: {error}", path.display());
    let size = fs::metadata(path).map_err(|e| said(&e))?.len();
    if size > MAX {
        return Err(said(&format!("{size} bytes are too many for a list")));
    }
    parse(&fs::read(path).map_err(|e| said(&e))?).map_err(|e| said(&e))
}

fn parse(bytes: &[u8]) -> Result<Vec<Contact>, String> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text.into(),
        Err(_) => encoding_rs::GB18030.decode_without_bom_handling(bytes).0,
    };
    let mut reader =
        csv::ReaderBuilder::new().has_headers(false).flexible(true).trim(csv::Trim::All).from_reader(text.as_bytes());
    let mut contacts = Vec::new();
    for (i, record) in reader.records().enumerate() {
        let record = record.map_err(|e| e.to_string())?;
        let field = |n: usize| record.get(n).unwrap_or_default();
        let line = record.position().map_or(0, csv::Position::line);
        if i == 0 && ["account", "账号", "学号"].contains(&field(0).to_lowercase().as_str()) {
            continue;
        }
        let account = Account::person(field(0)).map_err(|e| format!("line {line}: {e}"))?;
        let plain = |text: &str| text.chars().filter(|c| !c.is_control()).collect::<String>();
        let blocked = match field(3) {
            "" | "0" | "no" | "false" => false,
            "1" | "yes" | "true" => true,
            other => return Err(format!("line {line}: blocked is yes or no, not {other:?}")),
        };
        contacts.push(Contact { account, remark: plain(field(1)), group: plain(field(2)), blocked });
    }
    Ok(contacts)
}

/// Writes a file that [`read`] and spreadsheets understand; a new one takes an old one's place whole.
///
/// # Errors
/// A sentence.
pub fn write(path: &Path, contacts: &[Contact]) -> Result<(), String> {
    let said = |error: &dyn std::fmt::Display| format!("{}: {error}", path.display());
    let mut writer = csv::Writer::from_writer(b"\xef\xbb\xbf".to_vec());
    writer.write_record(["account", "remark", "group", "blocked"]).map_err(|e| said(&e))?;
    for contact in contacts {
        let blocked = if contact.blocked { "yes" } else { "no" };
        let row = [contact.account.as_str(), &contact.remark, &contact.group, blocked];
        writer.write_record(row).map_err(|e| said(&e))?;
    }
    let bytes = writer.into_inner().map_err(|e| said(&e))?;
    let new = path.with_extension("csv.new");
    fs::write(&new, bytes).and_then(|()| fs::rename(&new, path)).map_err(|e| said(&e))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn contact(account: &str, remark: &str, group: &str, blocked: bool) -> Contact {
        let account = Account::person(account).expect("valid");
        Contact { account, remark: remark.into(), group: group.into(), blocked }
    }

    #[test]
    fn class_lists_of_many_makes() {
        let li = || contact("20170001", "李雷", "", false);
        let check = |bytes: &[u8], expected: &[Contact]| assert_eq!(parse(bytes).as_deref(), Ok(expected));
        check("20170001,李雷\n".as_bytes(), &[li()]);
        check("学号,姓名\r\n20170001,李雷\r\n".as_bytes(), &[li()]);
        check(b"20170001,\xc0\xee\xc0\xd7\n", &[li()]);
        check(
            "\u{feff}account,remark,group,blocked\n\"a,b\",x,\"g\",yes\n".as_bytes(),
            &[contact("a,b", "x", "g", true)],
        );
        check(b"", &[]);
        for (bad, line) in [("a,b\nx:y,z\n", "line 2"), ("a,b,c,maybe\n", "line 1")] {
            assert!(parse(bad.as_bytes()).is_err_and(|e| e.starts_with(line)), "{bad}");
        }
    }

    #[test]
    fn what_is_written_is_read_again() {
        let dir = tempfile::tempdir().expect("a folder");
        let path = dir.path().join("list.csv");
        let list = [contact("a", "七号, \"友\"", "网络课", false), contact("b", "", "", true)];
        write(&path, &list).expect("written");
        assert_eq!(read(&path).as_deref(), Ok(&list[..]));
    }
}
