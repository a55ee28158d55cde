use super::*;

#[test]
fn no_mark_turns_what_it_should_not() {
    for (given, shown) in [
        ("invoice_\u{202e}gnp.exe", "invoice_·gnp.exe"),
        ("\u{202e}gnp.xam\u{202c}", "·gnp.xam·"),
        ("a\u{202d}b\u{202c}c\u{202c}", "a·b·c·"),
        // Genuine, as programs write them: kept.
        ("שלום, עולם! 3.5", "שלום, עולם! 3.5"),
        ("مرحبا \u{2066}+49 170\u{2069} هنا", "مرحبا \u{2066}+49 170\u{2069} هنا"),
        ("\u{202b}שלום\u{202c} ok", "\u{202b}שלום\u{202c} ok"),
        ("a\u{200f}b\u{200e}c\u{200d}d", "a\u{200f}b\u{200e}c\u{200d}d"),
        // Ending, or beginning, what is not theirs.
        ("\u{2069}bob", "·bob"),
        ("bob\u{2067}", "bob·"),
        ("bob\u{202b}", "bob·"),
        ("\u{2068}a\u{202b}b\u{2069}c\u{202c}", "\u{2068}a·b\u{2069}c·"),
        ("\u{2068}a\u{202e}b\u{2069}", "\u{2068}a·b\u{2069}"),
        // Paragraph by paragraph, as they are laid out.
        ("\u{2067}a\nb\u{2069}", "·a\nb·"),
        ("a\u{200b}b\u{feff}\u{e0041}\u{e0042}", "a·b···"),
        ("🏴\u{e0067}\u{e007f}", "🏴\u{e0067}\u{e007f}"),
        ("a\u{2028}b\u{2029}c", "a\nb\nc"),
        ("a\tb\u{7}\u{1b}[2J\u{9b}\n", "a b··[2J·\n"),
    ] {
        assert_eq!(text(given), shown, "{given:?}");
        assert_eq!(text(&text(given)), shown, "once is enough: {given:?}");
    }
}

#[test]
fn a_message_of_nothing_to_see_says_so() {
    let words = t!("chat.empty_line");
    assert!(words.contains("empty") || words.contains('空'), "{words}");
    for nothing in ["", "\n", "\r\n", "\n\n\n", " \t\n", "\u{3000}", "\u{200d}\n", "\u{2067}\u{2069}", "\u{ad}"] {
        assert_eq!(message(nothing), words, "{nothing:?}");
        assert_eq!(first_line(nothing), words, "{nothing:?}");
    }
    for (given, shown, first) in [
        ("hi\n", "hi", "hi"),
        ("hi\r\n", "hi", "hi"),
        ("\n\nhi\nyou\n\n", "\n\nhi\nyou\n", "hi"),
        ("a\rb", "a\nb", "a"),
        ("\u{200b}", "·", "·"),
        (" x", " x", "x"),
        ("\u{7}", "·", "·"),
    ] {
        assert_eq!((message(given).as_str(), first_line(given).as_str()), (shown, first), "{given:?}");
    }
}

#[test]
fn names_stand_on_one_line_and_keep_sentences_in_order() {
    assert_eq!(line("a\nb\r\u{2028}c"), "a b· c");
    for plain in ["bob", "李雷", "a·b", "Zoë 😀", "\u{202a}"] {
        assert!(!within(plain).contains(FSI), "{plain:?}");
    }
    assert_eq!(within("דנה"), "\u{2068}דנה\u{2069}");
    assert_eq!(within("دانا\u{2069} 5"), "\u{2068}دانا· 5\u{2069}");
    assert_eq!(within("\u{202e}gnp.xam"), "·gnp.xam");
}
