//! Operations 03, 04, 05, 08 and 09: messages are delivered once, in full, and to the right person.

use crate::probe::case::Actor::{A, B, C, S};
use crate::probe::case::Need::{Offline, Online};
use crate::probe::case::{Case, Need, Step, ask, case, is, message};
use crate::probe::rule::Rule;

pub(super) fn cases() -> Vec<Case> {
    [delivery(), receivers(), keeping(), counts(), bodies()].concat()
}

const PAIR: [Need; 2] = [Online(A), Online(B)];
const THREE: [Need; 3] = [Online(A), Online(B), Online(C)];

fn empty() -> Step {
    ask(B, "09#", [is("09:01")], Rule::NoneLeft)
}

fn delivery() -> Vec<Case> {
    vec![
        case(
            "send",
            PAIR,
            [
                ask(A, "03#{b}#{n}#", [is("03:01")], Rule::Forwarded),
                ask(B, "09#", [message("09", "{a}", "{n}")], Rule::Body),
                empty(),
                ask(A, "09#", [is("09:01")], Rule::ToReceiver),
            ],
        ),
        case("take-any-none", [Online(B)], [ask(B, "09#", [is("09:01")], Rule::NoneLeft)]),
        case("take-one-none", PAIR, [ask(B, "05#{a}#", [is("05:01")], Rule::NoneOfOne)]),
        case(
            "send-back",
            PAIR,
            [
                ask(A, "03#{b}#{n} 1#", [is("03:01")], Rule::Forwarded),
                ask(B, "03#{a}#{n} 2#", [is("03:01")], Rule::Forwarded),
                ask(A, "09#", [message("09", "{b}", "{n} 2")], Rule::Body),
                ask(B, "09#", [message("09", "{a}", "{n} 1")], Rule::Body),
                ask(A, "09#", [is("09:01")], Rule::NoneLeft),
                empty(),
            ],
        ),
    ]
}

/// Messages to somebody who is offline, to an unknown account, and to oneself; they must reach nobody else.
fn receivers() -> Vec<Case> {
    vec![
        case(
            "send-offline",
            [Online(A), Offline(B)],
            [
                ask(A, "03#{b}#{n}#", [is("03:02")], Rule::PeerOffline),
                ask(B, "02#{b}#{pw}#", [is("02:01")], Rule::LoginDone),
                ask(
                    B,
                    "09#",
                    [message("09", "{a}", "{n}").habit("offline-kept"), is("09:01").habit("offline-dropped")],
                    Rule::Body,
                ),
                empty(),
            ],
        ),
        case("send-unknown", [Online(A)], [ask(A, "03#{nobody}#{n}#", [is("03:02")], Rule::UnknownReceiver)]),
        case(
            "send-self",
            [Online(A)],
            [ask(
                A,
                "03#{a}#{n}#",
                [
                    is("03:01").habit("self-forwarded"),
                    is("03:02").habit("self-refused"),
                    is("00:00").habit("self-refused"),
                ],
                Rule::Forwarded,
            )],
        ),
        case(
            "to-receiver-only",
            THREE,
            [
                ask(A, "03#{b}#{n}#", [is("03:01")], Rule::Forwarded),
                ask(C, "08#", [is("08:0")], Rule::ToReceiver),
                ask(C, "09#", [is("09:01")], Rule::ToReceiver),
                ask(C, "05#{a}#", [is("05:01")], Rule::ToReceiver),
                ask(B, "09#", [message("09", "{a}", "{n}")], Rule::Body),
            ],
        ),
    ]
}

/// In which order messages are kept, and for how long.
fn keeping() -> Vec<Case> {
    vec![
        case(
            "oldest-first",
            PAIR,
            [
                ask(A, "03#{b}#{n} 1#", [is("03:01")], Rule::Forwarded),
                ask(A, "03#{b}#{n} 2#", [is("03:01")], Rule::Forwarded),
                ask(A, "03#{b}#{n} 3#", [is("03:01")], Rule::Forwarded),
                ask(B, "09#", [message("09", "{a}", "{n} 1")], Rule::Oldest),
                ask(B, "05#{a}#", [message("05", "{a}", "{n} 2")], Rule::Oldest),
                ask(B, "09#", [message("09", "{a}", "{n} 3")], Rule::Oldest),
                empty(),
            ],
        ),
        case(
            "unread-over-login",
            PAIR,
            [
                ask(A, "03#{b}#{n}#", [is("03:01")], Rule::Forwarded),
                ask(B, "06#", [is("06:01")], Rule::WentOffline),
                ask(B, "02#{b}#{pw}#", [is("02:01")], Rule::LoginDone),
                ask(
                    B,
                    "09#",
                    [message("09", "{a}", "{n}").habit("unread-kept"), is("09:01").habit("unread-dropped")],
                    Rule::Body,
                ),
            ],
        ),
    ]
}

fn counts() -> Vec<Case> {
    vec![
        case(
            "count-all",
            THREE,
            [
                ask(B, "08#", [is("08:0")], Rule::CountAll),
                ask(A, "03#{b}#{n} 1#", [is("03:01")], Rule::Forwarded),
                ask(B, "08#", [is("08:1")], Rule::CountAll),
                ask(C, "03#{b}#{n} 2#", [is("03:01")], Rule::Forwarded),
                // Counting must not take messages.
                ask(B, "08#", [is("08:2")], Rule::CountAll),
                ask(B, "08#", [is("08:2")], Rule::CountAll),
                ask(B, "09#", [message("09", "{a}", "{n} 1"), message("09", "{c}", "{n} 2")], Rule::TakeAny),
                ask(B, "08#", [is("08:1")], Rule::CountAll),
                ask(B, "09#", [message("09", "{c}", "{n} 2"), message("09", "{a}", "{n} 1")], Rule::TakeAny),
                ask(B, "08#", [is("08:0")], Rule::CountAll),
                empty(),
            ],
        ),
        case(
            "count-one",
            THREE,
            [
                ask(B, "04#{a}#", [is("04:0")], Rule::CountOne),
                ask(A, "03#{b}#{n} 1#", [is("03:01")], Rule::Forwarded),
                ask(C, "03#{b}#{n} 2#", [is("03:01")], Rule::Forwarded),
                ask(A, "03#{b}#{n} 3#", [is("03:01")], Rule::Forwarded),
                ask(B, "04#{a}#", [is("04:2")], Rule::CountOne),
                ask(B, "04#{c}#", [is("04:1")], Rule::CountOne),
                ask(B, "08#", [is("08:3")], Rule::CountAll),
            ],
        ),
        case(
            "take-one",
            THREE,
            [
                ask(A, "03#{b}#{n} 1#", [is("03:01")], Rule::Forwarded),
                ask(C, "03#{b}#{n} 2#", [is("03:01")], Rule::Forwarded),
                ask(B, "05#{c}#", [message("05", "{c}", "{n} 2")], Rule::TakeOne),
                ask(B, "05#{c}#", [is("05:01")], Rule::NoneOfOne),
                ask(B, "04#{a}#", [is("04:1")], Rule::CountOne),
                ask(B, "08#", [is("08:1")], Rule::CountAll),
                ask(B, "05#{a}#", [message("05", "{a}", "{n} 1")], Rule::TakeOne),
                ask(B, "05#{a}#", [is("05:01")], Rule::NoneOfOne),
                empty(),
            ],
        ),
        case(
            "equal-texts",
            PAIR,
            [
                ask(A, "03#{b}#{n}#", [is("03:01")], Rule::Forwarded),
                ask(A, "03#{b}#{n}#", [is("03:01")], Rule::Forwarded),
                ask(B, "08#", [is("08:2")], Rule::EachMessage),
                ask(B, "09#", [message("09", "{a}", "{n}")], Rule::Body),
                ask(B, "09#", [message("09", "{a}", "{n}")], Rule::EachMessage),
                empty(),
            ],
        ),
        case(
            "unknown-friend",
            [Online(B)],
            [
                ask(
                    B,
                    "04#{nobody}#",
                    [is("04:0").habit("unknown-friend-0"), is("00:00").habit("unknown-friend-00")],
                    Rule::CountOne,
                ),
                ask(
                    B,
                    "05#{nobody}#",
                    [is("05:01").habit("unknown-friend-0"), is("00:00").habit("unknown-friend-00")],
                    Rule::NoneOfOne,
                ),
            ],
        ),
    ]
}

/// Makes a case with one message of a special kind of body.
fn body(id: &'static str, send: &'static str, body: &'static str, rule: Rule) -> Case {
    case(id, PAIR, [ask(A, send, [is("03:01")], rule), ask(B, "09#", [message("09", "{a}", body)], rule), empty()])
}

fn bodies() -> Vec<Case> {
    vec![
        body("body-colon", "03#{b}#{n}:a::b:#", "{n}:a::b:", Rule::BodyColon),
        body("body-colon-first", "03#{b}#:{n}#", ":{n}", Rule::BodyColon),
        body("body-time", "03#{b}#09:30 {n}#", "09:30 {n}", Rule::BodyColon),
        body("body-like-reply", "03#{b}#09:01#", "09:01", Rule::BodyColon),
        body("body-like-code", "03#{b}#01#", "01", Rule::Body),
        body("body-hash", "03#{b}#{n}#x##y#", "{n}#x##y", Rule::BodyHash),
        body("body-hash-last", "03#{b}#{n}##", "{n}#", Rule::BodyHash),
        body("body-newline", "03#{b}#{n}\n#", "{n}\n", Rule::BodyNewline),
        body("body-lines", "03#{b}#{n}\r\n\ny#", "{n}\r\n\ny", Rule::Body),
        body("body-spaces", "03#{b}#  {n} #", "  {n} ", Rule::Body),
        body("body-case", "03#{b}#{n} aAbB#", "{n} aAbB", Rule::Body),
        body("body-chinese", "03#{b}#{n} 你好，世界#", "{n} 你好，世界", Rule::Body),
        body("body-emoji", "03#{b}#{n} 👩‍🎓#", "{n} 👩‍🎓", Rule::Body),
        body("body-long", "03#{b}#{fill:936}#", "{fill:936}", Rule::BodyLong),
        case("body-too-long", PAIR, [ask(A, "03#{b}#{fill:937}#", [is("00:00")], Rule::BodyTooLong), empty()]),
        case(
            "body-gbk",
            [Online(B)],
            [
                // From an address of its own, since a server remembers the charset of an address.
                ask(S, "01#{new}#{pw}#{pw}#", [is("01:01")], Rule::RegisterDone),
                ask(S, "02#{new}#{pw}#", [is("02:01")], Rule::LoginDone),
                ask(S, "03#{b}#{n} {gbk}#", [is("03:01")], Rule::Charset),
                ask(
                    B,
                    "09#",
                    [
                        message("09", "{new}", "{n} 编程作业").habit("gbk-converted"),
                        message("09", "{new}", "{n} {gbk}").habit("gbk-as-it-came"),
                    ],
                    Rule::Charset,
                ),
                empty(),
            ],
        ),
    ]
}
