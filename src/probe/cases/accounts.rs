//! Operations 01, 02 and 06: registering, logging in, going offline.

use crate::probe::case::Actor::{A, B, S, T};
use crate::probe::case::Need::{Offline, Online};
use crate::probe::case::{Case, ask, begins, case, is, message};
use crate::probe::rule::Rule;

/// Returns the cases in the order of the document.
pub(super) fn cases() -> Vec<Case> {
    [taken_for_granted(), registering(), logging_in(), changing_the_password(), going_offline()].concat()
}

/// What all other cases rely on.
fn taken_for_granted() -> Vec<Case> {
    vec![
        case(
            "register",
            [],
            [
                ask(S, "01#{new}#{pw}#{pw}#", [is("01:01")], Rule::RegisterDone),
                ask(S, "02#{new}#{pw}#", [is("02:01")], Rule::LoginDone),
                ask(S, "08#", [is("08:0")], Rule::LoginDone),
                ask(S, "06#", [is("06:01")], Rule::WentOffline),
            ],
        ),
        case(
            "offline",
            [Online(A), Online(B)],
            [
                ask(A, "06#", [is("06:01")], Rule::WentOffline),
                ask(A, "08#", [is("07:01")], Rule::Forgotten),
                ask(B, "03#{a}#{n}#", [is("03:02")], Rule::PeerOffline),
                ask(A, "02#{a}#{pw}#", [is("02:01")], Rule::Forgotten),
            ],
        ),
        case("login-unknown", [], [ask(S, "02#{nobody}#{pw}#", [is("02:03")], Rule::NoSuchAccount)]),
        case(
            "login-wrong",
            [Offline(A)],
            [
                ask(S, "02#{a}#{pw}x#", [is("02:02")], Rule::WrongPassword),
                ask(S, "08#", [is("07:01")], Rule::NotLoggedIn),
                ask(S, "02#{a}#{pw}#", [is("02:01")], Rule::LoginDone),
                ask(S, "08#", [is("08:0")], Rule::LoginDone),
            ],
        ),
    ]
}

/// Registrations that are refused, and what a field may hold.
fn registering() -> Vec<Case> {
    vec![
        case(
            "register-differ",
            [],
            [
                ask(S, "01#{new}#{pw}#{pw}x#", [is("01:02")], Rule::RegisterDiffer),
                // Nothing may be registered.
                ask(S, "02#{new}#{pw}#", [is("02:03")], Rule::RegisterDiffer),
                ask(S, "01#{new}#{pw}#{pw}#", [is("01:01")], Rule::RegisterDone),
            ],
        ),
        case(
            "register-exists",
            [],
            [
                ask(S, "01#{new}#{pw}#{pw}#", [is("01:01")], Rule::RegisterDone),
                ask(S, "01#{new}#{pw}2#{pw}2#", [is("01:03")], Rule::RegisterExists),
                // The password must be unchanged.
                ask(S, "02#{new}#{pw}2#", [is("02:02")], Rule::RegisterExists),
                ask(S, "02#{new}#{pw}#", [is("02:01")], Rule::RegisterExists),
            ],
        ),
        case(
            "register-twice",
            [],
            [
                ask(S, "01#{new}#{pw}#{pw}#", [is("01:01")], Rule::RegisterDone),
                ask(T, "01#{new}#{pw}#{pw}#", [is("01:03")], Rule::RegisterExists),
            ],
        ),
        case("register-differ-first", [], [ask(S, "01#{a}#{pw}#{pw}x#", [is("01:02")], Rule::DifferFirst)]),
        case(
            "fields-colon",
            [],
            [
                ask(S, "01#{new}#{pw}:x:#{pw}:x:#", [is("01:01")], Rule::Fields),
                ask(S, "02#{new}#{pw}#", [is("02:02")], Rule::Fields),
                ask(S, "02#{new}#{pw}:x:#", [is("02:01")], Rule::Fields),
            ],
        ),
        case(
            "fields-chinese",
            [Online(A)],
            [
                ask(S, "01#{new}鸿雁#{pw}密#{pw}密#", [is("01:01")], Rule::Fields),
                ask(S, "02#{new}鸿雁#{pw}密#", [is("02:01")], Rule::Fields),
                ask(S, "03#{a}#{n}#", [is("03:01")], Rule::Forwarded),
                ask(A, "09#", [message("09", "{new}鸿雁", "{n}")], Rule::Fields),
            ],
        ),
    ]
}

/// Logins of an account that is online, and at an address that is taken.
fn logging_in() -> Vec<Case> {
    vec![
        case(
            "login-wrong-online",
            [Online(A)],
            [
                ask(
                    S,
                    "02#{a}#{pw}x#",
                    [is("02:02").habit("wrong-online-02"), is("02:04").habit("wrong-online-04")],
                    Rule::WrongPassword,
                ),
                ask(A, "08#", [is("08:0")], Rule::WrongPassword),
            ],
        ),
        case(
            "login-again",
            [Offline(A)],
            [
                ask(A, "02#{a}#{pw}#", [is("02:01")], Rule::LoginDone),
                ask(A, "02#{a}#{pw}#", [is("02:04")], Rule::AlreadyLoggedIn),
                ask(A, "08#", [is("08:0")], Rule::AlreadyLoggedIn),
            ],
        ),
        case(
            "login-elsewhere",
            [Online(A)],
            [
                ask(T, "02#{a}#{pw}#", [is("02:04")], Rule::AlreadyLoggedIn),
                ask(
                    T,
                    "08#",
                    [is("07:01").habit("second-waits"), is("08:0").habit("second-served")],
                    Rule::AlreadyLoggedIn,
                ),
                ask(
                    A,
                    "08#",
                    [is("08:0").habit("first-stays"), is("07:01").habit("first-moved-away")],
                    Rule::AlreadyLoggedIn,
                ),
                ask(
                    T,
                    "06#",
                    [
                        is("06:01").habit("takeover-06"),
                        is("06:02").habit("no-takeover"),
                        is("07:01").habit("no-takeover"),
                    ],
                    Rule::WentOffline,
                ),
                ask(
                    T,
                    "02#{a}#{pw}#",
                    [is("02:01").habit("after-06-in"), is("02:04").habit("after-06-not-in")],
                    Rule::LoginDone,
                ),
            ],
        ),
        case(
            "login-other-account",
            [Online(A), Offline(B)],
            [
                ask(S, "02#{b}#{pw}#", [is("02:01")], Rule::LoginDone),
                ask(S, "01#{new}#{pw}#{pw}#", [is("01:01")], Rule::RegisterDone),
                ask(
                    S,
                    "02#{new}#{pw}#",
                    [is("02:01").habit("address-changes-account"), is("02:04").habit("address-keeps-account")],
                    Rule::LoginDone,
                ),
                ask(
                    A,
                    "03#{b}#{n}#",
                    [is("03:02").habit("first-account-ended"), is("03:01").habit("first-account-online")],
                    Rule::PeerOffline,
                ),
            ],
        ),
    ]
}

/// Changing the password; a server of the edition without this may answer as it likes.
fn changing_the_password() -> Vec<Case> {
    vec![case(
        "change-password",
        [],
        [
            ask(S, "01#{new}#{pw}#{pw}#", [is("01:01")], Rule::RegisterDone),
            ask(
                S,
                "01#{new}#{pw}#{pw}2#{pw}2#",
                [is("01:03"), is("00:00"), begins("01:"), begins("00:")],
                Rule::Extension,
            ),
            ask(
                S,
                "02#{new}#{pw}2#",
                [is("02:01").habit("password-changes"), is("02:02").habit("password-stays")],
                Rule::LoginDone,
            ),
        ],
    )]
}

/// `06#` when nobody is online.
fn going_offline() -> Vec<Case> {
    vec![
        case(
            "offline-twice",
            [Online(A)],
            [
                ask(A, "06#", [is("06:01")], Rule::WentOffline),
                ask(
                    A,
                    "06#",
                    [is("06:02").habit("offline-again-06"), is("07:01").habit("offline-again-07")],
                    Rule::WasOffline,
                ),
            ],
        ),
        case(
            "offline-never",
            [],
            [ask(
                S,
                "06#",
                [is("06:02").habit("offline-never-06"), is("07:01").habit("offline-never-07")],
                Rule::WasOffline,
            )],
        ),
    ]
}
