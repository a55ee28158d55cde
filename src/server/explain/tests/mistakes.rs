//! Remarks about clients as a whole.

use super::*;

const C: &str = "127.0.0.2:50003";

/// The commonest mistakes in first clients: what the client does, and how the remark about it begins. Nothing is
/// remarked about a correct client.
const MISTAKES: &[(&str, &[Step], &[&str])] = &[
    (
        "a socket for each request",
        &[(0, '<', A, b"02#20170001#x#"), (9, '>', A, b"02:01"), (20, '<', B, b"08#"), (21, '>', B, b"07:01")],
        &["20170001 has logged in from port 50001 of this machine, and this is port 50002."],
    ),
    (
        "another machine's session is its own",
        &[(0, '<', A, b"02#a#x#"), (9, '>', A, b"02:01"), (20, '<', C, b"08#"), (21, '>', C, b"07:01")],
        &[],
    ),
    (
        "somebody else logged in",
        &[
            (0, '<', A, b"02#a#x#"),
            (9, '>', A, b"02:01"),
            (20, '<', C, b"02#a#x#"),
            (29, '>', C, b"02:01"),
            (40, '<', A, b"08#"),
            (41, '>', A, b"07:01"),
        ],
        &["a was logged in here until it logged in at 127.0.0.2:50003"],
    ),
    (
        "a login that ends the other one by 06#",
        &[
            (0, '<', A, b"02#a#x#"),
            (9, '>', A, b"02:01"),
            (20, '<', C, b"02#a#x#"),
            (29, '>', C, b"02:04"),
            (30, '<', C, b"06#"),
            (31, '>', C, b"06:01"),
            (40, '<', A, b"08#"),
            (41, '>', A, b"07:01"),
        ],
        &["a was logged in here until it logged in at 127.0.0.2:50003"],
    ),
    (
        "after 06#",
        &[
            (0, '<', A, b"02#a#x#"),
            (9, '>', A, b"02:01"),
            (20, '<', A, b"06#"),
            (21, '>', A, b"06:01"),
            (30, '<', A, b"08#"),
            (31, '>', A, b"07:01"),
        ],
        &["a was logged in here until its `06#`"],
    ),
    (
        "the same message after its answer, and before it",
        &[
            (0, '<', A, b"03#b#hi#"),
            (5, '>', A, b"03:01"),
            (300, '<', A, b"03#b#hi#"),
            (310, '<', A, b"03#b#hi#"),
            (60_000, '<', A, b"03#b#hi#"),
        ],
        &["the same message as #1, which was answered, 300 ms", "the same message as #2, after 10 ms and before its"],
    ),
    (
        "blanks",
        &[(0, '<', A, b"02#a #x#"), (1, '>', A, b"02:03"), (20_000, '<', A, b"04# b#"), (20_001, '>', A, b"07:01")],
        &["field 1, account, begins or ends with a blank", "field 1, friend, begins or ends with a blank"],
    ),
    (
        "a blank within a name, or in a message, is no mistake",
        &[(0, '<', A, b"03#a b# hi #"), (1, '>', A, b"03:01")],
        &[],
    ),
    (
        "a login before each message",
        &[
            (0, '<', A, b"02#a#x#"),
            (9, '>', A, b"02:01"),
            (1_000, '<', B, b"02#a#x#"),
            (1_009, '>', B, b"02:01"),
            (2_000, '<', A, b"02#a#x#"),
            (2_009, '>', A, b"02:01"),
        ],
        &["3 logins of a within a minute"],
    ),
    (
        "three requests at once",
        &[
            (0, '<', A, b"03#b#1#"),
            (1, '<', A, b"03#b#2#"),
            (2, '<', A, b"03#b#3#"),
            (3, '>', A, b"03:01"),
            (4, '>', A, b"03:01"),
            (5, '>', A, b"03:01"),
        ],
        &["3 requests are under way at once"],
    ),
    ("a login that was held back", &[(0, '<', A, b"02#a#x#"), (4_020, '>', A, b"02:02")], &["delayed by 4 s"]),
    (
        "a right client",
        &[
            (0, '<', A, b"02#a#x#"),
            (9, '>', A, b"02:01"),
            (10, '<', A, b"03#b#hi#"),
            (12, '>', A, b"03:01"),
            (13, '<', A, b"08#"),
            (14, '>', A, b"08:1"),
            (15, '<', A, b"09#"),
            (16, '>', A, b"09:b:2026-11-21 12:04:58:x"),
            (17, '<', A, b"06#"),
            (18, '>', A, b"06:01"),
            (19, '<', A, b"02#a#x#"),
            (29, '>', A, b"02:01"),
            (1_000, '<', A, b"06#"),
            (1_001, '>', A, b"06:01"),
        ],
        &[],
    ),
];

#[test]
fn common_mistakes_are_named() {
    for (name, steps, expected) in MISTAKES {
        let lines = printed(OutputFormat::Lines(Colour::None), steps);
        let notes: Vec<&String> = lines.iter().filter(|line| line.starts_with("  ! ")).collect();
        assert_eq!(notes.len(), expected.len(), "{name}: {notes:#?}");
        for (note, expected) in notes.iter().zip(*expected) {
            assert!(note.contains(expected), "{name}: {note}");
        }
    }
}
