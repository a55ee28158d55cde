use super::*;

#[test]
fn accounts() {
    for good in ["20170001", "七号好友", "a b", &"x".repeat(64)] {
        assert!(Account::person(good).is_ok(), "{good}");
    }
    for bad in ["", "a#b", "a:b", "a\nb", "@lobby", &"x".repeat(65)] {
        assert!(Account::person(bad).is_err(), "{bad}");
    }
    assert!(Account::parse("@lobby").is_ok_and(|a| a.is_room()));
    assert_eq!(Account::sanitised("a#b:c").as_str(), "a_b_c");
    assert!(Account::sanitised(&"鸿".repeat(40)).as_str().len() <= MAX_FIELD_BYTES);
}

#[test]
fn password_is_never_shown() {
    let shown = Password::parse("secret").map(|p| format!("{p:?}"));
    assert_eq!(shown, Ok("Password(******)".to_owned()));
}

#[test]
fn long_texts_are_split_on_graphemes_and_lose_nothing() {
    for unit in ["x", "鸿雁", "👩‍👩‍👧 ", "e\u{301}"] {
        let text = unit.repeat(1500);
        let parts = MessageText::split(&text);
        assert!(parts.len() > 1 && parts.iter().all(|p| p.as_str().len() <= MAX_BODY_BYTES));
        let joined: String = parts.iter().filter_map(|p| p.as_str().split_once(") ")).map(|(_, t)| t).collect();
        assert_eq!(joined, text);
    }
    let words = MessageText::split(&"word ".repeat(900));
    let whole = |p: &MessageText| p.as_str().split_whitespace().skip(1).all(|word| word == "word");
    assert!(words.iter().all(whole), "no word is cut");
    assert!(MessageText::split(" \n").is_empty());
    assert_eq!(
        MessageText::split(&format!("e{}", "\u{301}".repeat(2000)))
            .iter()
            .filter(|p| p.as_str().len() > MAX_BODY_BYTES)
            .count(),
        0
    );
}
