//! Text on the wire is UTF-8; old clients and servers speak GB18030 (GBK). Bytes are split at `#`
//! and `:` first, which are never trail bytes in GBK, and decoded afterwards.

/// In what encoding a peer writes; sticky per sender once seen (谢谢 in GBK happens to be valid UTF-8).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Charset {
    /// UTF-8, as the protocol requires.
    #[default]
    Utf8,
    /// GB18030, the superset of GBK and GB2312, as some older clients write.
    Gb18030,
}

impl Charset {
    /// Decodes without ever failing: UTF-8 if this is UTF-8 and the bytes are, else GB18030 with
    /// replacement characters. The second value is the charset to go on with for this peer.
    #[must_use]
    pub fn decode(self, bytes: &[u8]) -> (String, Charset) {
        // Somebody who wrote GBK has another program now if three bytes at a time, which all of
        // Chinese is, make sense in UTF-8; two at a time do so by accident.
        if let Ok(text) = std::str::from_utf8(bytes)
            && (self == Charset::Utf8 || text.chars().any(|c| c >= '\u{800}'))
        {
            return (text.to_owned(), Charset::Utf8);
        }
        let (text, _) = encoding_rs::GB18030.decode_without_bom_handling(bytes);
        // Bytes beyond ASCII that only GB18030 explains make it sticky.
        let seen = if bytes.is_ascii() { self } else { Charset::Gb18030 };
        (text.into_owned(), seen)
    }

    /// Encodes for a peer of this charset. Every Unicode character has a GB18030 form.
    #[must_use]
    pub fn encode(self, text: &str) -> Vec<u8> {
        match self {
            Charset::Utf8 => text.as_bytes().to_vec(),
            Charset::Gb18030 => encoding_rs::GB18030.encode(text).0.into_owned(),
        }
    }
}
