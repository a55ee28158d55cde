//! Which dialect is spoken with a server: what its owner chose, what is known of it from before, what it says when
//! it is asked, and consent before a password goes out in plain. Sans-IO; holds nobody's password and no message:
//! what a [`Step`] means for those is the session's.

use std::time::{Duration, Instant};

use super::dialect_query::{DialectQuery, SpokenDialect};
use super::{Dialect, PlainReason, Transmit};
use crate::base::timer::Dice;

/// How long a login waits for any answer: as long as four tries of the plain dialect.
const NO_ANSWER: Duration = Duration::from_secs(15);
/// How long what was found is believed when somebody logs in again.
const BELIEVED: Duration = Duration::from_secs(60);
/// A server that knows text alone answers what was sent to it in the other dialect with `00:00`; these
/// are to be over before it is asked anything.
const HUSH: Duration = Duration::from_secs(1);

/// What is remembered of a server from earlier connections.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct KnownServer {
    /// The server's pins.
    pub pins: Vec<Vec<u8>>,
    /// Whether it has ever spoken the secure dialect.
    pub secure_only: bool,
    /// It has shown that it knows neither 10 nor 11, and is not asked again by itself: some servers end at that.
    pub foreign: bool,
    /// It may have ended when it was asked 11, and nobody knows what it is: it is asked neither 10 nor 11 by itself.
    pub fragile: bool,
    /// The file that tells all that, as people read it, where a part of it cannot be read. A key that is none of
    /// `pins` is then neither a first one nor a changed one, and is not taken unasked.
    pub damaged: Option<String>,
}

impl KnownServer {
    /// Whether 10 and 11 may be asked of it unasked. One that was secure may, whatever has answered in its place.
    #[must_use]
    pub fn may_be_asked(&self) -> bool {
        !self.foreign && !self.fragile || self.secure_only
    }
}

/// What a connection is to be held to: no key taken for the first one where what is known is damaged.
pub(crate) fn acceptable(pins: &[Vec<u8>], damaged: bool) -> Vec<Vec<u8>> {
    // No server shows the empty key, and with it the list is not that of a first meeting.
    pins.iter().cloned().chain(damaged.then(Vec::new)).collect()
}

/// What the session does next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// Nothing yet: an answer of the server or the user is awaited.
    Wait,
    /// In this dialect; `anew` if the last step was not the same.
    Speak { speaks: SpokenDialect, anew: bool },
    /// Only the plain dialect is possible, and the user has not consented to it.
    Consent(PlainReason),
    /// The server does not answer.
    NoAnswer,
}

/// The choice of the dialect to speak with one server.
#[derive(Debug)]
pub(super) struct DialectChoice {
    dialect: Dialect,
    known: KnownServer,
    allow_plain: bool,
    /// Makes questions that nobody else can answer.
    dice: Dice,
    /// What was sent to find out, is not waited for any more, and may still be answered.
    left_over: Vec<(Vec<u8>, Instant)>,
    /// Somebody said, this once, that the plain dialect will do for a server that spoke the other; over as
    /// soon as it speaks that again.
    overridden: bool,
    stage: Stage,
}

/// The stage of the choice.
#[derive(Debug)]
enum Stage {
    /// The dialect is unknown and not needed yet.
    Open,
    /// The server is being asked which dialect it speaks.
    Asking(DialectQuery),
    /// Only the plain dialect is possible, and the user is asked for consent.
    Doubting,
    /// The plain dialect follows then; before that nothing is asked in text, nor any text read.
    Hush(Instant),
    /// The plain dialect is spoken, as was found then.
    Plain(Instant),
    /// The secure dialect is spoken.
    Secure(Diagnosis),
}

/// The check whether the server answers in the plain dialect while it does not in the secure one.
#[derive(Debug)]
enum Diagnosis {
    /// The server is within reach, or was when it was looked at last.
    None,
    /// It is being asked.
    Asking(DialectQuery),
    /// It was asked, and is not asked again before it was within reach.
    Asked,
    /// Somebody does, and it is asked whether that will do.
    Doubting,
}

impl DialectChoice {
    pub(super) fn new(dialect: Dialect, known: KnownServer, allow_plain: bool, seed: u64) -> Self {
        Self {
            dialect,
            known,
            allow_plain,
            dice: Dice::new(seed),
            left_over: Vec::new(),
            overridden: false,
            stage: Stage::Open,
        }
    }

    /// The dialect that is spoken, once it is known.
    pub(super) fn speaks(&self) -> Option<SpokenDialect> {
        match self.stage {
            Stage::Open | Stage::Asking(_) | Stage::Doubting | Stage::Hush(_) => None,
            Stage::Plain(_) => Some(SpokenDialect::Plain),
            Stage::Secure(_) => Some(SpokenDialect::Secure),
        }
    }

    /// Nothing has to wait for an answer about the dialect.
    pub(super) fn is_settled(&self) -> bool {
        self.speaks().is_some() || self.dialect == Dialect::Plain && !self.was_secure()
    }

    /// Whether nothing but the course's requests may go out by itself in the plain dialect.
    pub(super) fn keeps_to_the_course(&self) -> bool {
        self.dialect == Dialect::Plain || self.known.fragile
    }

    /// What is known of the server from before, as far as it has changed since.
    pub(super) fn known(&self) -> &KnownServer {
        &self.known
    }

    /// The server has spoken the secure dialect, and shown this key.
    pub(super) fn pin(&mut self, key: Vec<u8>) {
        self.known.pins.push(key);
        self.known.secure_only = true;
        self.known.damaged = None;
        self.overridden = false;
    }

    fn finding(&self) -> Option<&DialectQuery> {
        match &self.stage {
            Stage::Asking(finding) | Stage::Secure(Diagnosis::Asking(finding)) => Some(finding),
            Stage::Open | Stage::Doubting | Stage::Hush(_) | Stage::Plain(_) | Stage::Secure(_) => None,
        }
    }

    fn finding_mut(&mut self) -> Option<&mut DialectQuery> {
        match &mut self.stage {
            Stage::Asking(finding) | Stage::Secure(Diagnosis::Asking(finding)) => Some(finding),
            Stage::Open | Stage::Doubting | Stage::Hush(_) | Stage::Plain(_) | Stage::Secure(_) => None,
        }
    }

    /// Goes on to this stage; what was asked in the one before may still be answered.
    fn turn(&mut self, stage: Stage) {
        let left = self.finding().map(|finding| finding.unanswered().collect::<Vec<_>>());
        self.left_over.extend(left.into_iter().flatten());
        self.stage = stage;
    }

    /// The next datagram for the server.
    pub(super) fn poll_transmit(&mut self) -> Option<Transmit> {
        self.finding_mut()?.poll_transmit()
    }

    /// When [`DialectChoice::handle_timeout`] wants to be called.
    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        match self.stage {
            Stage::Hush(until) => Some(until),
            _ => self.finding().map(|finding| finding.poll_timeout().min(finding.began() + NO_ANSWER)),
        }
    }

    /// Before a login: a server may have become another one since it was asked. True if it is to be asked anew.
    pub(super) fn doubt_old_answer(&mut self, now: Instant) -> bool {
        let doubts = matches!(self.stage, Stage::Plain(found) if now.saturating_duration_since(found) >= BELIEVED);
        if doubts {
            self.turn(Stage::Open);
        }
        doubts
    }

    /// Begins a registration or a login and returns the next step.
    pub(super) fn ask(&mut self, now: Instant) -> Step {
        if self.dialect == Dialect::Plain {
            if self.was_secure() {
                self.turn(Stage::Doubting);
                return Step::Consent(PlainReason::Chosen);
            }
            return self.speak(now, SpokenDialect::Plain);
        }
        if self.was_secure() {
            // It need not be asked, and a false answer is not listened to.
            self.speak_securely_anew();
            return self.speak(now, SpokenDialect::Secure);
        }
        match self.stage {
            // What follows is known.
            Stage::Asking(_) | Stage::Hush(_) => Step::Wait,
            // Known already, and not to be asked again: somebody wants something else, and is to be asked themselves.
            Stage::Doubting => Step::Consent(self.why()),
            Stage::Plain(_) => self.found(now, SpokenDialect::Plain),
            Stage::Secure(_) => {
                self.speak_securely_anew();
                self.found(now, SpokenDialect::Secure)
            }
            // One that was secure is asked all the same: what answers in its place today need not be there tomorrow.
            Stage::Open if !self.known.may_be_asked() => self.found(now, SpokenDialect::Plain),
            Stage::Open => {
                let finding = DialectQuery::new(now, &mut self.dice);
                self.turn(Stage::Asking(finding));
                Step::Wait
            }
        }
    }

    /// Whoever was told that it is not the same any more is told so as often as they try.
    fn speak_securely_anew(&mut self) {
        if let Stage::Secure(_) = self.stage {
            self.turn(Stage::Secure(Diagnosis::None));
        }
    }

    /// The server knows the extensions, or does not.
    pub(super) fn set_foreign(&mut self, foreign: bool) {
        self.known.foreign = foreign;
        self.known.fragile &= foreign;
    }

    /// It may have ended at a question.
    pub(super) fn set_fragile(&mut self) {
        self.known.fragile = true;
    }

    /// Whether the server is being asked.
    pub(super) fn is_asking(&self) -> bool {
        self.finding().is_some()
    }

    /// Datagrams that were sent to find out and may still be answered, when that is over; and when they were sent.
    pub(super) fn take_left_over(&mut self) -> Vec<(Vec<u8>, Instant)> {
        std::mem::take(&mut self.left_over)
    }

    /// F5: asks at once, if it is being asked.
    pub(super) fn ask_now(&mut self, now: Instant) {
        if let Some(finding) = self.finding_mut() {
            finding.ask_now(now);
        }
    }

    /// A text from the server's address; a step if it answers the question.
    pub(super) fn handle_text(&mut self, now: Instant, bytes: &[u8]) -> Option<Step> {
        if let Stage::Hush(_) = self.stage {
            return Some(Step::Wait);
        }
        let speaks = self.finding_mut()?.handle_text(now, bytes)?;
        Some(self.found(now, speaks))
    }

    /// Whether a text can be the server's. Anybody can write one; to whoever speaks the secure dialect it says
    /// nothing.
    pub(super) fn believes_text(&self) -> bool {
        !self.was_secure()
    }

    /// The deadline may have come; call until `None`.
    pub(super) fn handle_timeout(&mut self, now: Instant) -> Option<Step> {
        if let Stage::Hush(until) = self.stage {
            return (until <= now).then(|| self.speak(now, SpokenDialect::Plain));
        }
        let finding = self.finding_mut()?;
        finding.handle_timeout(now);
        if now < finding.began() + NO_ANSWER {
            return None;
        }
        if let Stage::Secure(_) = self.stage {
            self.turn(Stage::Secure(Diagnosis::Asked));
            return None;
        }
        self.turn(Stage::Open);
        Some(Step::NoAnswer)
    }

    /// While nobody answers in the secure dialect it is asked once whether somebody does in the other:
    /// its owner may want to know, or whoever is there may be somebody else.
    pub(super) fn diagnose(&mut self, now: Instant, out_of_reach: bool) {
        match (&self.stage, out_of_reach) {
            (Stage::Secure(_), false) => self.turn(Stage::Secure(Diagnosis::None)),
            (Stage::Secure(Diagnosis::None), true) => {
                let finding = DialectQuery::new(now, &mut self.dice);
                self.turn(Stage::Secure(Diagnosis::Asking(finding)));
            }
            (Stage::Secure(Diagnosis::Asking(_) | Diagnosis::Asked | Diagnosis::Doubting), true) => {}
            (Stage::Open | Stage::Asking(_) | Stage::Doubting | Stage::Hush(_) | Stage::Plain(_), _) => {}
        }
    }

    /// Somebody agreed to the plain dialect; true if that was waited for: then [`DialectChoice::speak_plain`] is next.
    pub(super) fn allow_plain(&mut self) -> bool {
        let waited = self.end_doubt();
        match self.known.secure_only {
            true => self.overridden |= waited,
            false => self.allow_plain = true,
        }
        waited
    }

    /// Whether the user's consent to the plain dialect is awaited.
    pub(super) fn is_doubting(&self) -> bool {
        matches!(self.stage, Stage::Doubting | Stage::Secure(Diagnosis::Doubting))
    }

    fn end_doubt(&mut self) -> bool {
        match self.stage {
            Stage::Doubting => self.turn(Stage::Open),
            Stage::Secure(Diagnosis::Doubting) => self.turn(Stage::Secure(Diagnosis::Asked)),
            Stage::Open | Stage::Asking(_) | Stage::Hush(_) | Stage::Plain(_) => return false,
            Stage::Secure(Diagnosis::None | Diagnosis::Asking(_) | Diagnosis::Asked) => return false,
        }
        true
    }

    /// Goes over to the plain dialect: at once, or `after_secure` when what was sent in the other is answered.
    pub(super) fn speak_plain(&mut self, now: Instant, after_secure: bool) -> Step {
        if !after_secure {
            return self.speak(now, SpokenDialect::Plain);
        }
        self.turn(Stage::Hush(now + HUSH));
        Step::Wait
    }

    /// Takes the user's refusal of the plain dialect; true if it was awaited.
    pub(super) fn refuse_plain(&mut self) -> bool {
        self.end_doubt()
    }

    /// Whoever wanted to log in does not any more; true if that waited for an answer. With `asking` it goes on being
    /// found out what to speak, for somebody else.
    pub(super) fn let_go(&mut self, asking: bool) -> bool {
        match &self.stage {
            Stage::Asking(_) | Stage::Doubting | Stage::Hush(_) if asking => return false,
            Stage::Secure(Diagnosis::Asking(_)) if asking => return false,
            Stage::Open | Stage::Plain(_) | Stage::Secure(Diagnosis::None | Diagnosis::Asked) => return false,
            Stage::Asking(_) | Stage::Doubting | Stage::Hush(_) => self.turn(Stage::Open),
            Stage::Secure(Diagnosis::Asking(_) | Diagnosis::Doubting) => {
                self.turn(Stage::Secure(Diagnosis::Asked));
            }
        }
        true
    }

    fn why(&self) -> PlainReason {
        if self.known.secure_only { PlainReason::NoLonger } else { PlainReason::Only }
    }

    fn was_secure(&self) -> bool {
        self.known.secure_only && !self.overridden
    }

    fn found(&mut self, now: Instant, speaks: SpokenDialect) -> Step {
        let agreed = if self.known.secure_only { self.overridden } else { self.allow_plain };
        if speaks == SpokenDialect::Secure || agreed {
            return self.speak(now, speaks);
        }
        self.turn(match self.stage {
            Stage::Secure(_) => Stage::Secure(Diagnosis::Doubting),
            _ => Stage::Doubting,
        });
        Step::Consent(self.why())
    }

    fn speak(&mut self, now: Instant, speaks: SpokenDialect) -> Step {
        self.overridden &= speaks == SpokenDialect::Plain;
        let anew = self.speaks() != Some(speaks);
        match (speaks, &self.stage) {
            (SpokenDialect::Plain, Stage::Plain(_))
            | (SpokenDialect::Secure, Stage::Secure(Diagnosis::None | Diagnosis::Asked)) => {}
            // It answers in text as well, which says nothing new.
            (SpokenDialect::Secure, Stage::Secure(Diagnosis::Asking(_) | Diagnosis::Doubting)) => {
                self.turn(Stage::Secure(Diagnosis::Asked));
            }
            (SpokenDialect::Plain, _) => self.turn(Stage::Plain(now)),
            (SpokenDialect::Secure, _) => self.turn(Stage::Secure(Diagnosis::None)),
        }
        Step::Speak { speaks, anew }
    }
}

#[cfg(test)]
mod tests;
