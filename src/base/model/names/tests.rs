use super::*;

#[test]
fn only_what_others_wrote_in_a_room_has_a_writer() {
    let said = framed("b] ok", "[a] hi");
    assert_eq!(writer_and_text(&said, true, false), (Some("b] ok".to_owned()), "[a] hi"));
    assert_eq!(writer_and_text(&said, false, false), (None, said.as_str()), "a person writes what they like");
    assert_eq!(writer_and_text("[x] y", true, true), (None, "[x] y"), "one's own");
    assert_eq!(writer_and_text("[x y", true, false), (None, "[x y"), "no frame");
}

#[test]
fn what_a_new_name_may_hold() {
    for good in ["20170001", "七号好友", "a b", "Zoë", "Ñandú", "אבג", "가나", "bob.", "o'neill", "①", "😀"]
    {
        assert_eq!(fault(good), None, "{good}");
    }
    let bad = [
        ("bob ", 3, NameFault::Blank),
        (" bob", 0, NameFault::Blank),
        ("bo  b", 3, NameFault::Blank),
        ("\u{a0}", 0, NameFault::Blank),
        ("a\u{3000}b", 1, NameFault::Blank),
        ("a\u{2028}b", 1, NameFault::Blank),
        ("bob\u{200b}", 3, NameFault::Invisible('\u{200b}')),
        ("\u{202e}gnp.xam", 0, NameFault::Invisible('\u{202e}')),
        ("x\u{e0041}", 1, NameFault::Invisible('\u{e0041}')),
        ("x\u{3164}", 1, NameFault::Invisible('\u{3164}')),
        ("\u{301}", 0, NameFault::Nothing),
        ("bob] ok", 3, NameFault::Bracket(']')),
        ("Zoe\u{308}", 2, NameFault::Pieces),
    ];
    for (text, at, why) in bad {
        assert_eq!(fault(text), Some((at, why)), "{text:?}");
    }
}

#[test]
fn two_names_are_never_shown_the_same() {
    let names = [
        "bob",
        "bob ",
        " bob",
        "bob\u{200b}",
        "b\u{202e}ob",
        "bob\u{a0}",
        "Zoë",
        "Zoe\u{308}",
        "Zoe",
        "\u{a0}",
        "\u{2003}",
        "bob] ok",
        "bob\u{2800}",
        "a b",
        "a  b",
        "\u{301}a",
    ];
    let all: std::collections::HashSet<String> = names.iter().map(|name| shown(name).into_owned()).collect();
    assert_eq!(all.len(), names.len(), "{all:?}");
    assert!(all.iter().all(|name| fault(name).is_none_or(|(_, why)| matches!(why, NameFault::Bracket(_)))), "{all:?}");
    assert_eq!((shown("bob\u{200b}"), shown("a b")), ("bob:U+200B:".into(), "a b".into()));
}

#[test]
fn a_rooms_writer_is_who_wrote() {
    for (writer, text) in [
        ("bob", "hi"),
        ("bob] ok", "hi"),
        ("b\u{200b} ", "hi"),
        ("Zoe\u{308}", "hi"),
        ("a] b] c", "[x] y"),
        ("[", "] "),
        ("b", ""),
    ] {
        let both = framed(writer, text);
        let (who, what) = unframed(&both).expect("framed");
        assert_eq!((what, who.contains([']', '['])), (text, false), "{both}");
        assert_eq!(unmarked(who), writer);
    }
    assert_eq!(framed("bob] ok", "hi"), "[bob:U+005D: ok] hi");
    assert_eq!((unmarked("a:U+x:b"), unmarked("a:U+5D")), ("a:U+x:b".into(), "a:U+5D".into()));
    assert_eq!((unframed("[b hi"), unframed("hi")), (None, None));
}

#[test]
fn a_remark_is_put_right() {
    for (text, right) in [
        (" 小明 ", "小明"),
        ("a \u{a0} b\u{200b}", "a b"),
        ("Zoe\u{308}", "Zoë"),
        ("\u{202e}x", "x"),
        ("\u{a0}", ""),
        ("❤\u{fe0f}", "❤\u{fe0f}"),
        ("👩\u{200d}👧", "👩\u{200d}👧"),
        ("x\u{200d}y", "xy"),
    ] {
        assert_eq!(tidy(text), right, "{text:?}");
    }
}
