//! JSON that is safe to show in a terminal: control characters, invisible characters and those that change the
//! direction of text are escaped. Parsing it gives the same text. Pure.

use std::io::{self, Write};

use serde::Serialize;
use serde_json::Value;
use serde_json::ser::{Formatter, Serializer};

/// The value on one line, without a line end.
#[must_use]
pub fn line(value: &Value) -> String {
    let mut bytes = Vec::new();
    match value.serialize(&mut Serializer::with_formatter(&mut bytes, Seen)) {
        Ok(()) => String::from_utf8(bytes).unwrap_or_default(),
        // Memory is always written to, and all keys are texts.
        Err(_) => value.to_string(),
    }
}

/// Escapes what cannot be seen. All else is as serde_json writes it on one line.
struct Seen;

impl Formatter for Seen {
    fn write_string_fragment<W: ?Sized + Write>(&mut self, writer: &mut W, fragment: &str) -> io::Result<()> {
        let mut plain = fragment;
        while let Some((at, c)) = plain.char_indices().find(|(_, c)| hides(*c)) {
            writer.write_all(plain.get(..at).unwrap_or_default().as_bytes())?;
            for unit in c.encode_utf16(&mut [0; 2]) {
                write!(writer, "\\u{unit:04x}")?;
            }
            plain = plain.get(at + c.len_utf8()..).unwrap_or_default();
        }
        writer.write_all(plain.as_bytes())
    }
}

/// Control characters, marks of direction, blanks without a width, other line ends, and tags.
fn hides(c: char) -> bool {
    c.is_control()
        || matches!(u32::from(c), 0xAD | 0x61C | 0x180E | 0x200B..=0x200F | 0x2028..=0x202E | 0x2060..=0x206F | 0xFEFF
            | 0xFFF9..=0xFFFB | 0xE0000..=0xE007F)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn nothing_hides_and_nothing_is_lost() {
        let text = "a\u{9b}31m\u{7f}\u{202e}b\u{200b}\u{2028}\u{e0041}\u{1b}\"\\你好 😀\n";
        let value = json!({"text": text, "\u{202e}": [1, null, true, 1.5]});
        let written = line(&value);
        assert!(!written.chars().any(hides), "{written}");
        assert!(written.contains(r"\u009b31m\u007f\u202eb\u200b\u2028\udb40\udc41"), "{written}");
        assert!(written.contains("你好 😀"), "what can be seen is as it is");
        assert_eq!(serde_json::from_str::<Value>(&written).expect("JSON"), value);
        let seen = json!({"a": "b c", "d": [1, {}]});
        assert_eq!(line(&seen), seen.to_string());
    }
}
