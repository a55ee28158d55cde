use super::*;

/// Checks the text of the line after these keys, with `|` at the cursor.
#[track_caller]
fn check(keys: &[Key], expected: &str) {
    let mut line = Line::default();
    for earlier in ["first one", "鸿雁传书"] {
        line.remember(earlier);
    }
    for key in keys {
        line.key(key.clone());
    }
    let mut shown = line.text().to_owned();
    shown.insert(line.at(), '|');
    assert_eq!(shown, expected, "{keys:?}");
}

fn typed(text: &str) -> Key {
    Key::Paste(text.into())
}

#[test]
fn edits() {
    use Key::{
        Backspace, Break, Char, Delete, Down, End, EraseToEnd, EraseToStart, EraseWord, Escape, Home, Left, PutBack,
        Right, Search, Undo, Up, WordLeft, WordRight,
    };
    check(&[typed("hello"), Left, Left, Char('X')], "helX|lo");
    check(&[typed("你好👩‍👩‍👧"), Backspace, Backspace], "你|");
    check(&[typed("e\u{301}x"), Home, Delete], "|x");
    check(&[typed("e"), Left, typed("x"), Right, Char('\u{301}')], "xe\u{301}|");
    check(&[typed("one two"), EraseWord], "one |");
    check(&[typed("one two"), WordLeft, WordLeft, EraseToEnd, PutBack, PutBack], "one twoone two|");
    check(&[typed("one two"), Home, WordRight, EraseToStart, End, PutBack], " twoone|");
    check(&[typed("one"), Up, Up, Up, Down], "鸿雁传书|");
    check(&[typed("draft"), Up, Down, Down], "draft|");
    check(&[Search, Char('F'), Char('i')], "first one|");
    check(&[Search, Char('传'), Right, Char('!')], "鸿雁传书!|");
    check(&[Search, Char('传'), Escape], "|");
    check(&[typed("half a line"), Left, Left, Search, Char('传'), Escape], "half a li|ne");
    check(&[typed("half"), Up, Search, Char('f'), Escape, Down], "half|");
    check(&[typed("half"), Search, Char('传'), End, Down], "half|");
    check(&[typed("a\r\nb\x1b[2Jc\rd"), Break], "a\nb[2Jc\nd\n|");
    check(&[typed("abc"), EraseToStart, Undo], "abc|");
    check(&[Undo, Backspace, Delete, Left, Right, WordLeft, WordRight, Down], "|");
}

#[test]
fn a_password_is_not_remembered_nor_put_back() {
    let mut line = Line::default();
    line.begin(true);
    line.key(typed("secret"));
    line.key(Key::EraseToStart);
    line.begin(false);
    line.key(Key::PutBack);
    line.key(Key::Up);
    assert_eq!(line.text(), "");
}

#[test]
fn what_was_being_typed_waits_while_a_password_is() {
    let mut line = Line::default();
    line.key(typed("half a line"));
    line.ask("password", true);
    assert_eq!(line.text(), "");
    line.key(typed("secret"));
    assert_eq!(line.key(Key::Enter), Done::Line("secret".into()));
    line.go_on();
    assert_eq!((line.text(), line.is_secret()), ("half a line", false));
    line.begin(false);
    line.ask("password", true);
    line.key(typed("half a secret"));
    line.go_on();
    assert_eq!(line.text(), "", "nobody reads it");
}

#[test]
fn what_is_typed_after_a_password_never_joins_what_waits() {
    let mut line = Line::default();
    line.key(typed("half "));
    line.key(Key::Left);
    line.ask("password", true);
    line.key(typed("secret"));
    line.key(Key::Enter);
    line.hide_ahead();
    line.key(typed("a line"));
    assert!(line.is_secret());
    assert_eq!(line.own(), "half ");
    assert!(line.go_on(), "it is told");
    assert_eq!((line.text(), line.at(), line.is_secret()), ("half ", 4, false));
    assert!(!line.go_on(), "once");
}

#[test]
fn what_was_being_typed_answers_no_question() {
    let mut line = Line::default();
    line.key(typed("yes, half a line"));
    for (question, secret) in [("password", true), ("sure?", false), ("and so?", false)] {
        line.ask(question, secret);
        line.ask(question, secret);
        assert_eq!((line.text(), line.is_secret(), line.is_answer()), ("", secret, true));
        line.key(typed("half an answer"));
    }
    line.go_on();
    assert_eq!((line.text(), line.is_answer()), ("yes, half a line", false));
}

#[test]
fn what_is_typed_blind_is_the_next_secret_or_nothing() {
    let mut line = Line::default();
    let mut blind = |question: &str| {
        line.ask("password", true);
        line.key(typed("secret"));
        line.key(Key::Enter);
        line.hide_ahead();
        line.key(typed("right one"));
        let dropped = match question {
            "" => line.go_on(),
            _ => line.ask(question, question.starts_with("password")),
        };
        let stands = line.text().to_owned();
        line.begin(false);
        (stands, dropped)
    };
    assert_eq!(blind("password"), ("right one".into(), false));
    assert_eq!(blind("password of another form"), ("right one".into(), false));
    assert_eq!(blind("take over?"), (String::new(), true));
    assert_eq!(blind(""), (String::new(), true));
}

#[test]
fn what_is_ones_own_is_neither_an_answer_nor_an_earlier_line() {
    let mut line = Line::default();
    ["first one", "another"].iter().for_each(|earlier| line.remember(earlier));
    line.key(typed("half"));
    line.key(Key::Up);
    assert_eq!((line.text(), line.own()), ("another", "half"));
    line.key(Key::Char('!'));
    assert_eq!(line.own(), "another!");
    line.key(Key::Search);
    line.key(Key::Char('f'));
    assert_eq!((line.text(), line.own()), ("first one", "another!"));
    line.ask("sure?", false);
    line.key(typed("yes"));
    assert_eq!((line.text(), line.own()), ("yes", "another!"));
    line.go_on();
    assert_eq!((line.text(), line.own()), ("another!", "another!"));
    line.key(Key::Search);
    line.key(Key::Char('f'));
    line.key(Key::End);
    assert_eq!((line.text(), line.own()), ("first one", "another!"));
}

#[test]
fn an_earlier_line_stays_one_where_the_oldest_is_forgotten_meanwhile() {
    let search: &[Key] = &[Key::Search, Key::Char('7')];
    for (keys, asked) in [(&[][..], false), (&[][..], true), (search, false), (search, true)] {
        let mut line = Line::default();
        (0..REMEMBERED).for_each(|n| line.remember(&format!("line {n}")));
        line.key(typed("half"));
        line.key(Key::Up);
        line.key(Key::Up);
        keys.iter().for_each(|key| drop(line.key(key.clone())));
        if asked {
            line.ask("sure?", false);
        }
        line.remember("one more");
        assert_eq!(line.own(), "half", "{keys:?} {asked}");
        if asked {
            line.go_on();
        } else if !keys.is_empty() {
            // The one before that was found last, and not that one again.
            let found = line.text().to_owned();
            line.key(Key::Search);
            assert_ne!(line.text(), found);
            line.key(Key::Escape);
        }
        assert_eq!((line.text(), line.own()), ("line 498", "half"), "{keys:?} {asked}");
        line.key(Key::Down);
        assert_eq!(line.text(), "line 499", "{keys:?} {asked}");
    }
}

#[test]
fn what_is_given_back_answers_nothing() {
    let mut line = Line::default();
    line.remember("earlier");
    line.ask("sure?", false);
    assert!(line.give("a text") && !line.give("another"));
    assert_eq!(line.text(), "");
    line.go_on();
    assert_eq!(line.text(), "a text");
    for keys in [&[Key::Up][..], &[Key::Search, Key::Char('e')]] {
        line.begin(false);
        line.key(typed("x"));
        line.key(Key::Backspace);
        keys.iter().for_each(|key| drop(line.key(key.clone())));
        assert!(line.give("a text"));
        assert_eq!((line.text(), line.own()), ("earlier", "a text"));
    }
}

#[test]
fn lines_end_and_begin() {
    let mut line = Line::default();
    assert_eq!(line.key(Key::EndOfInput), Done::End);
    line.key(typed("hi"));
    assert_eq!(line.key(Key::EndOfInput), Done::Edited);
    assert_eq!(line.key(Key::Enter), Done::Line("hi".into()));
    assert_eq!(line.key(Key::Enter), Done::Line(String::new()));
    assert_eq!(line.key(typed(&"x".repeat(MAX + 1))), Done::TooLong);
    assert_eq!(line.text().len(), MAX);
}
