//! Texts as a search compares them: letters without their case, characters of one width, and composed, in every script.
//! Pure.

use caseless::Caseless;
use unicode_normalization::UnicodeNormalization;

/// A text in the form in which it is compared: Ａ, a and A are the same, é is é however it was typed, ﾊ is ハ, ß is ss.
#[must_use]
pub fn fold(text: &str) -> String {
    if text.is_ascii() {
        return text.to_ascii_lowercase();
    }
    // Folding may leave what can be composed, and what is composed may have a case.
    text.nfkc().default_case_fold().nfkc().default_case_fold().nfc().collect()
}

/// Whether a text, once folded, contains the given folded text.
#[must_use]
pub fn holds(text: &str, folded: &str) -> bool {
    fold(text).contains(folded)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_and_the_same_however_it_is_typed() {
        let same = [
            ("Hello", "hELLO"),
            ("Ｈｅｌｌｏ　１２３", "hello 123"),
            ("ÉCOLE", "e\u{301}cole"),
            ("ПРИВЕТ", "привет"),
            ("ΟΔΟΣ", "οδος"),
            ("οδοσ", "οδος"),
            ("STRASSE", "straße"),
            ("ﾊﾛｰ", "ハロー"),
            ("ガ", "ｶﾞ"),
            ("Việt", "VIE\u{302}\u{323}T"),
            ("한", "\u{1112}\u{1161}\u{11ab}"),
            ("ﬁne", "FINE"),
            ("鸿雁", "鸿雁"),
            ("ԱՐԵՒ", "արեւ"),
            ("ᏣᎳᎩ", "ꮳꮃꭹ"),
        ];
        for (a, b) in same {
            assert_eq!(fold(a), fold(b), "{a} {b}");
        }
        for (a, b) in [("e", "é"), ("鸿", "鴻"), ("か", "が"), ("o", "0")] {
            assert_ne!(fold(a), fold(b), "{a} {b}");
        }
        assert!(holds("我住在 Ｂｅｉｊｉｎｇ", &fold("beijing")) && !holds("Beijing", &fold("beijinga")));
    }

    proptest::proptest! {
        /// What was folded is folded, or a search for what is shown would miss it.
        #[test]
        fn folding_twice_changes_nothing(text in "\\PC*") {
            let once = fold(&text);
            proptest::prop_assert_eq!(fold(&once), once);
        }
    }
}
