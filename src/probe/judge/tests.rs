use super::*;
use crate::probe::case::{Actor, is, message, silence};

type Judged = Result<usize, (Rule, usize)>;

/// A has written "hi" and then "ho" to B, who reads and was handed "old" before. C was handed "hers" from A.
fn judged(reply: &str, accept: &[Accept]) -> Result<usize, Breach> {
    let names = Names { mark: "0".repeat(8), attempt: 1 };
    let (a, b, c) = (names.account(Actor::A), names.account(Actor::B), names.account(Actor::C));
    let letter = |to: &str, body: &str| SentMessage { to: to.into(), from: a.clone().into(), body: body.into() };
    let sent = vec![letter(&b, "old"), letter(&b, "hi"), letter(&b, "ho"), letter(&c, "hers")];
    let mail = Mail { sent, handed: vec![letter(&b, "old")] };
    let patterns: Vec<Pattern> = accept.iter().map(|accept| Pattern::new(accept, &names)).collect();
    judge(reply.replace("{a}", &a).as_bytes(), &patterns, Rule::Body, b.as_bytes(), &mail)
}

#[test]
fn replies_are_judged_by_rule_and_byte() {
    const T: &str = "2026-11-21 12:04:58";
    let hi = [message("09", "{a}", "hi")];
    let none = [is("09:01")];
    let code = [is("02:02"), is("02:04"), silence()];
    let cases: &[(&str, &[Accept], Judged)] = &[
        ("02:02", &code, Ok(0)),
        ("02:04", &code, Ok(1)),
        ("02:01", &code, Err((Rule::Body, 4))),
        ("03:02", &code, Err((Rule::Body, 1))),
        ("02:02\n", &code, Err((Rule::ReplyForm, 5))),
        ("02:02\0\0", &code, Err((Rule::ReplyForm, 5))),
        ("2:02", &code, Err((Rule::ReplyForm, 0))),
        ("02", &code, Err((Rule::ReplyForm, 2))),
        ("", &code, Err((Rule::ReplyForm, 0))),
        (&format!("09:{{a}}:{T}:hi"), &hi, Ok(0)),
        (&format!("09:{{a}}:{T}:hi:"), &hi, Err((Rule::Body, 40))),
        (&format!("09:{{a}}:{T}:"), &hi, Err((Rule::Body, 38))),
        (&format!("09:{{a}}:{T}:ho"), &hi, Err((Rule::Oldest, 39))),
        (&format!("09:{{a}}:{T}:old"), &hi, Err((Rule::NotTwice, 38))),
        (&format!("09:{{a}}:{T}:old"), &none, Err((Rule::NotTwice, 3))),
        (&format!("09:{{a}}:{T}:hers"), &none, Err((Rule::ToReceiver, 3))),
        (&format!("09:{{a}}:{T}:hi"), &none, Err((Rule::Body, 3))),
        ("09:01", &hi, Err((Rule::NotLost, 3))),
        (&format!("09:probe:{T}:hi"), &hi, Err((Rule::From, 3))),
        (&format!("09:{T}:{{a}}:hi"), &hi, Err((Rule::Time, 3))),
        (&format!("09:{{a}}:hi:{T}"), &hi, Err((Rule::Time, 18))),
        ("09:{a}:2026/11/21 12:04:58:hi", &hi, Err((Rule::Time, 22))),
        ("09:{a}:12:04:hi", &hi, Err((Rule::Time, 20))),
        ("09:{a}:2026-13-21 12:04:58:hi", &hi, Err((Rule::Time, 23))),
        (&format!("05:{{a}}:{T}:hi"), &hi, Err((Rule::Body, 1))),
        ("00:00", &hi, Err((Rule::Body, 1))),
    ];
    for (reply, accept, expected) in cases {
        let got = judged(reply, accept).map_err(|b| (b.rule, b.at));
        assert_eq!(got, *expected, "{reply:?}");
    }
}

#[test]
fn what_is_left_counts_equal_texts() {
    let letter = |body: &str| SentMessage { to: b"b".to_vec(), from: b"a".to_vec(), body: body.into() };
    let mail = Mail { sent: vec![letter("x"), letter("x"), letter("y")], handed: vec![letter("x")] };
    assert_eq!(mail.left(b"b"), [&letter("x"), &letter("y")]);
    assert!(mail.left(b"c").is_empty() && mail.outstanding(&letter("x")) && !mail.spent(&letter("x")));
}
