//! Requests that are refused: without a login, or malformed; then the forms seen in the wild.

use crate::probe::case::Actor::{A, B, S};
use crate::probe::case::Need::Online;
use crate::probe::case::{Accept, Ask, Case, Step, ask, begins, case, is, message, silence};
use crate::probe::rule::Rule;

pub(super) fn cases() -> Vec<Case> {
    [malformed(), unclosed(), wild(), odd_lengths(), exchange(), extensions()].concat()
}

/// The cases before anybody logs in.
pub(super) fn not_logged_in() -> Vec<Case> {
    let refused = |id, send| case(id, [Online(A)], [ask(S, send, [is("07:01")], Rule::NotLoggedIn)]);
    vec![
        case(
            "stranger-03",
            [Online(A)],
            [ask(S, "03#{a}#{n}#", [is("07:01")], Rule::NotLoggedIn), ask(A, "09#", [is("09:01")], Rule::NotLoggedIn)],
        ),
        refused("stranger-04", "04#{a}#"),
        refused("stranger-05", "05#{a}#"),
        refused("stranger-08", "08#"),
        refused("stranger-09", "09#"),
        case(
            "stranger-malformed",
            [],
            [ask(
                S,
                "03#{a}#",
                [is("00:00").habit("malformed-before-login"), is("07:01").habit("login-before-malformed")],
                Rule::FieldCount,
            )],
        ),
    ]
}

fn malformed() -> Vec<Case> {
    let stranger = |id, send, rule| case(id, [], [ask(S, send, [is("00:00")], rule)]);
    // The session must go on afterwards.
    let person =
        |id, send, rule| case(id, [Online(A)], [ask(A, send, [is("00:00")], rule), ask(A, "08#", [is("08:0")], rule)]);
    vec![
        stranger("unknown-99", "99#{n}#", Rule::UnknownOperation),
        stranger("unknown-00", "00#{n}#", Rule::UnknownOperation),
        stranger("unknown-07", "07#{n}#", Rule::UnknownOperation),
        stranger("unknown-word", "hello, {n}", Rule::UnknownOperation),
        stranger("unknown-one-digit", "2#{a}#{pw}#", Rule::UnknownOperation),
        stranger("unknown-hashes", "########", Rule::UnknownOperation),
        person("unknown-logged-in", "12#{b}#{n}#", Rule::UnknownOperation),
        stranger("few-01", "01#{new}#{pw}#", Rule::FieldCount),
        stranger("few-02", "02#{a}#", Rule::FieldCount),
        person("few-03", "03#{b}#", Rule::FieldCount),
        // Four fields change a password in the edition of 2019.
        stranger("many-01", "01#{new}#{pw}#{pw}#{pw}#{pw}#", Rule::FieldCount),
        stranger("many-02", "02#{a}#{pw}#{pw}#", Rule::FieldCount),
        person("many-04", "04#{b}#{b}#", Rule::FieldCount),
        person("many-06", "06#{a}#", Rule::FieldCount),
        person("many-08", "08#{a}#", Rule::FieldCount),
        stranger("empty-account", "01##{pw}#{pw}#", Rule::EmptyField),
        stranger("empty-password", "01#{new}###", Rule::EmptyField),
        stranger("empty-login", "02##{pw}#", Rule::EmptyField),
        person("empty-receiver", "03##{n}#", Rule::EmptyField),
        case(
            "empty-body",
            [Online(A), Online(B)],
            [ask(A, "03#{b}##", [is("00:00")], Rule::EmptyField), ask(B, "09#", [is("09:01")], Rule::EmptyField)],
        ),
        stranger("account-colon", "01#{new}:x#{pw}#{pw}#", Rule::Fields),
        stranger("account-at", "01#@{new}#{pw}#{pw}#", Rule::Fields),
        stranger("account-long", "01#{fill:65}#{pw}#{pw}#", Rule::Fields),
        stranger("account-control", "01#{new}\u{7}#{pw}#{pw}#", Rule::Fields),
    ]
}

fn unclosed() -> Vec<Case> {
    vec![
        case(
            "unclosed-01",
            [],
            [
                ask(S, "01#{new}#{pw}#{pw}", [is("00:00")], Rule::Closed),
                ask(S, "02#{new}#{pw}#", [is("02:03")], Rule::Closed),
            ],
        ),
        case(
            "unclosed-02",
            [],
            [ask(S, "02#{a}#{pw}", [is("00:00")], Rule::Closed), ask(S, "08#", [is("07:01")], Rule::Closed)],
        ),
        case(
            "unclosed-03",
            [Online(A), Online(B)],
            [ask(A, "03#{b}#{n}", [is("00:00")], Rule::Closed), ask(B, "09#", [is("09:01")], Rule::Closed)],
        ),
        case("unclosed-04", [Online(A)], [ask(A, "04#{b}", [is("00:00")], Rule::Closed)]),
        case(
            "unclosed-05",
            [Online(A), Online(B)],
            [
                ask(A, "03#{b}#{n}#", [is("03:01")], Rule::Forwarded),
                ask(B, "05#{a}", [is("00:00")], Rule::Closed),
                ask(B, "09#", [message("09", "{a}", "{n}")], Rule::Closed),
            ],
        ),
        case(
            "unclosed-06",
            [Online(A)],
            [
                ask(A, "06#{a}", [is("00:00")], Rule::Closed),
                // It must still be logged in.
                ask(A, "08#", [is("08:0")], Rule::Closed),
            ],
        ),
    ]
}

fn wild() -> Vec<Case> {
    let send = || ask(A, "03#{b}#{n}#", [is("03:01")], Rule::Forwarded);
    let alive = || ask(B, "08#", [is("08:0"), is("08:1")], Rule::Wild);
    let refused = || is("00:00").habit("wild-refused");
    vec![
        case(
            "wild-08",
            [Online(A), Online(B)],
            [send(), ask(B, "08##", [is("08:1").habit("wild-double-hash"), refused()], Rule::Wild), alive()],
        ),
        case(
            "wild-09",
            [Online(A), Online(B)],
            [
                send(),
                ask(B, "09##", [message("09", "{a}", "{n}").habit("wild-double-hash"), refused()], Rule::Wild),
                alive(),
            ],
        ),
        case(
            "wild-04",
            [Online(A), Online(B)],
            [
                send(),
                ask(
                    B,
                    "04#",
                    [is("04:1").habit("wild-bare"), is("04:0").habit("wild-bare-nobody"), refused(), quiet()],
                    Rule::Wild,
                ),
                alive(),
            ],
        ),
        case(
            "wild-05",
            [Online(A), Online(B)],
            [
                send(),
                ask(
                    B,
                    "05#",
                    [
                        message("05", "{a}", "{n}").habit("wild-bare"),
                        is("05:01").habit("wild-bare-nobody"),
                        refused(),
                        quiet(),
                    ],
                    Rule::Wild,
                ),
                alive(),
            ],
        ),
    ]
}

/// Requests that are far too long, and those that are too short to be answered.
fn odd_lengths() -> Vec<Case> {
    vec![
        case(
            "wild-flood",
            [Online(A)],
            [
                ask(
                    S,
                    "02#{a}#{x:4599}#",
                    [
                        is("00:00").habit("long-password-00"),
                        is("02:02").habit("long-password-02"),
                        silence().habit("long-password-silent"),
                    ],
                    Rule::RequestTooLong,
                ),
                ask(S, "02#{nobody}#{pw}#", [is("02:03")], Rule::Wild),
                ask(A, "08#", [is("08:0")], Rule::Wild),
            ],
        ),
        case("request-too-long", [], [ask(S, "02#{a}#{x:1400}#", [is("00:00"), is("02:02")], Rule::RequestTooLong)]),
        case(
            "reply-like",
            [],
            [
                ask(
                    S,
                    "09:01",
                    [silence().habit("reply-like-silent"), is("00:00").habit("reply-like-answered")],
                    Rule::ReplyLike,
                ),
                ask(S, "02#{nobody}#{pw}#", [is("02:03")], Rule::ReplyLike),
            ],
        ),
        case(
            "short",
            [],
            [
                ask(S, "x", [silence().habit("short-silent"), is("00:00").habit("short-answered")], Rule::ReplyLike),
                ask(S, "02#{nobody}#{pw}#", [is("02:03")], Rule::ReplyLike),
            ],
        ),
    ]
}

/// Accepts no answer, to requests of fewer than five bytes.
fn quiet() -> Accept {
    silence().habit("short-silent")
}

fn exchange() -> Vec<Case> {
    let asked = |send, accept: Accept| Ask { who: A, send, accept: vec![accept], rule: Rule::InOrder };
    vec![
        case(
            "one-reply",
            [Online(A), Online(B)],
            [
                ask(A, "08#", [is("08:0")], Rule::CountAll),
                Step::Quiet(A),
                ask(A, "03#{b}#{n}#", [is("03:01")], Rule::Forwarded),
                Step::Quiet(A),
                // The server must never push.
                Step::Quiet(B),
                ask(S, "02#{nobody}#{pw}#", [is("02:03")], Rule::NoSuchAccount),
                Step::Quiet(S),
                ask(S, "99#{n}#", [is("00:00")], Rule::UnknownOperation),
                Step::Quiet(S),
            ],
        ),
        case(
            "in-order",
            [Online(A), Online(B)],
            [
                Step::Burst(vec![
                    asked("03#{b}#{n}#", is("03:01")),
                    asked("08#", is("08:0")),
                    asked("04#{b}#", is("04:0")),
                    asked("05#{b}#", is("05:01")),
                    asked("09#", is("09:01")),
                ]),
                ask(B, "09#", [message("09", "{a}", "{n}")], Rule::Body),
            ],
        ),
    ]
}

fn extensions() -> Vec<Case> {
    vec![
        case(
            "extension-hello",
            [],
            [ask(
                S,
                "10#Q1#{n}#0000#",
                [begins("10:01:Q1:{n}").habit("hello-known"), is("00:00").habit("hello-unknown")],
                Rule::Extension,
            )],
        ),
        case(
            "extension-who",
            [Online(A)],
            [ask(A, "11#0#", [begins("11:").habit("who-known"), is("00:00").habit("who-unknown")], Rule::Extension)],
        ),
        case(
            "extension-lobby",
            [Online(A), Online(B)],
            [
                Step::Alone(A, "lobby-untried"),
                ask(
                    A,
                    "03#@lobby#{n}#",
                    [
                        is("03:01").habit("lobby-known"),
                        is("03:02").habit("lobby-unknown"),
                        is("00:00").habit("lobby-unknown"),
                    ],
                    Rule::Extension,
                ),
                ask(B, "09#", [message("09", "@lobby", "[{a}] {n}"), is("09:01")], Rule::Extension),
                // Not to oneself.
                ask(A, "09#", [is("09:01")], Rule::Extension),
            ],
        ),
    ]
}
