use super::*;

const SECOND: Duration = Duration::from_secs(1);
const PLAIN: Step = Step::Speak { speaks: SpokenDialect::Plain, anew: true };
const SECURE: Step = Step::Speak { speaks: SpokenDialect::Secure, anew: true };
const AGAIN: Step = Step::Speak { speaks: SpokenDialect::Plain, anew: false };

fn unknown(allow_plain: bool) -> DialectChoice {
    DialectChoice::new(Dialect::Auto, KnownServer::default(), allow_plain, 7)
}

fn known() -> DialectChoice {
    DialectChoice::new(
        Dialect::Auto,
        KnownServer { pins: vec![vec![1]], secure_only: true, ..KnownServer::default() },
        true,
        7,
    )
}

/// What ours answers to the question.
fn hello(choice: &mut DialectChoice) -> Vec<u8> {
    let question = String::from_utf8(choice.poll_transmit().expect("a question").bytes).expect("text");
    format!("10:01:Q1:{}", question.split('#').nth(2).expect("a nonce")).into_bytes()
}

#[test]
fn what_needs_no_answer_is_not_asked() {
    let now = Instant::now();
    let mut chosen = DialectChoice::new(Dialect::Plain, KnownServer::default(), false, 7);
    assert!(chosen.is_settled() && chosen.ask(now) == PLAIN && chosen.ask(now) == AGAIN);
    let mut known = known();
    assert!(!known.is_settled() && known.ask(now) == SECURE && !known.believes_text());
    assert!(chosen.poll_timeout().is_none() && known.poll_timeout().is_none());
}

#[test]
fn a_server_known_as_foreign_is_asked_nothing() {
    let now = Instant::now();
    for (allow_plain, step) in [(true, PLAIN), (false, Step::Consent(PlainReason::Only))] {
        let known = KnownServer { foreign: true, ..KnownServer::default() };
        let mut choice = DialectChoice::new(Dialect::Auto, known, allow_plain, 7);
        assert_eq!((choice.ask(now), choice.poll_transmit()), (step, None));
        choice.set_foreign(false);
        choice.refuse_plain();
        choice.doubt_old_answer(now + 60 * SECOND);
        assert_eq!(choice.ask(now), Step::Wait);
    }
}

#[test]
fn who_chose_plain_for_a_server_that_encrypts_is_asked() {
    let now = Instant::now();
    let known = KnownServer { pins: vec![vec![1]], secure_only: true, ..KnownServer::default() };
    // Nor does it count that somebody agreed for this server in general.
    let mut choice = DialectChoice::new(Dialect::Plain, known, true, 7);
    assert!(!choice.is_settled() && !choice.believes_text());
    for _ in 0..2 {
        assert_eq!(choice.ask(now), Step::Consent(PlainReason::Chosen));
        assert!(choice.refuse_plain());
    }
    assert_eq!((choice.ask(now), choice.poll_timeout()), (Step::Consent(PlainReason::Chosen), None));
    assert!(choice.allow_plain() && choice.speak_plain(now, false) == PLAIN);
    // For this run.
    assert!(choice.is_settled() && choice.believes_text() && choice.ask(now) == AGAIN);
}

#[test]
fn the_server_says_it() {
    let now = Instant::now();
    let mut choice = unknown(false);
    assert_eq!((choice.ask(now), choice.handle_text(now, b"10:01:Q1:other")), (Step::Wait, None));
    let hello = hello(&mut choice);
    assert_eq!(choice.handle_text(now, &hello), Some(SECURE));
    assert_eq!(choice.handle_text(now, &hello), None);
    let mut choice = unknown(true);
    choice.ask(now);
    assert_eq!(choice.handle_text(now, b"00:00"), Some(PLAIN));
    // Believed for a minute.
    choice.doubt_old_answer(now + 59 * SECOND);
    assert_eq!(choice.ask(now), AGAIN);
    choice.doubt_old_answer(now + 60 * SECOND);
    assert_eq!(choice.ask(now), Step::Wait);
}

#[test]
fn consent_is_asked_for_once_and_counts_from_then_on() {
    let now = Instant::now();
    let mut choice = unknown(false);
    assert!(!choice.refuse_plain());
    choice.ask(now);
    assert_eq!(choice.handle_text(now, b"00:00"), Some(Step::Consent(PlainReason::Only)));
    // The answer is known, so the user is not asked again, except for something else.
    assert_eq!((choice.ask(now), choice.poll_timeout()), (Step::Consent(PlainReason::Only), None));
    assert!(choice.refuse_plain() && !choice.allow_plain());
    assert_eq!(choice.ask(now), Step::Wait);
    assert_eq!(choice.handle_text(now, b"00:00"), Some(PLAIN));
}

#[test]
fn whoever_was_secure_is_asked_in_text_only_while_out_of_reach_and_turns_plain_after_a_hush() {
    let now = Instant::now();
    let mut choice = known();
    choice.ask(now);
    choice.diagnose(now, true);
    assert_eq!(choice.handle_text(now, b"00:00"), Some(Step::Consent(PlainReason::NoLonger)));
    // Once.
    choice.diagnose(now, true);
    assert_eq!(choice.poll_timeout(), None);
    assert!(choice.allow_plain());
    assert_eq!(choice.speak_plain(now, true), Step::Wait);
    assert_eq!(choice.handle_text(now, b"00:00"), Some(Step::Wait));
    assert_eq!(choice.poll_timeout(), Some(now + SECOND));
    assert_eq!((choice.handle_timeout(now), choice.handle_timeout(now + SECOND)), (None, Some(PLAIN)));
    assert!(choice.believes_text());
}

#[test]
fn what_was_agreed_to_once_ends_when_the_server_is_secure_again() {
    let now = Instant::now();
    let mut choice = known();
    assert!(!choice.allow_plain(), "nobody was asked");
    choice.ask(now);
    choice.diagnose(now, true);
    assert_eq!(choice.handle_text(now, b"00:00"), Some(Step::Consent(PlainReason::NoLonger)));
    assert!(choice.allow_plain() && choice.speak_plain(now, false) == PLAIN);
    choice.doubt_old_answer(now + 60 * SECOND);
    choice.ask(now);
    let hello = hello(&mut choice);
    assert_eq!((choice.handle_text(now, &hello), choice.believes_text()), (Some(SECURE), false));
    // Nor does it count that somebody agreed before the server knew any better.
    let mut learning = unknown(true);
    learning.pin(vec![1]);
    for mut choice in [choice, learning] {
        choice.ask(now);
        choice.diagnose(now, true);
        assert_eq!(choice.handle_text(now, b"00:00"), Some(Step::Consent(PlainReason::NoLonger)));
    }
}

#[test]
fn silence_ends_and_whoever_lets_go_ends_it() {
    let now = Instant::now();
    let mut choice = unknown(true);
    choice.ask(now);
    assert_eq!(choice.handle_timeout(now + 14 * SECOND), None);
    assert_eq!(choice.handle_timeout(now + 15 * SECOND), Some(Step::NoAnswer));
    assert!(!choice.let_go(false));
    choice.ask(now);
    assert!(!choice.let_go(true) && choice.poll_timeout().is_some());
    assert!(choice.let_go(false) && choice.poll_timeout().is_none());
}
