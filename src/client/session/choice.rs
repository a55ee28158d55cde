//! Decides which dialect is spoken with a server, from what the person chose, what is known from before, what the
//! server answers, and whether the person consents to a password being sent in plain. Sans-IO; holds no password and no
//! message: the session does what a [`Step`] says.

use std::time::{Duration, Instant};

use super::dialect_query::{DialectQuery, SpokenDialect};
use super::{Dialect, PlainReason, Transmit};
use crate::base::timer::Dice;

/// How long a login waits for any answer; as long as four tries in the plain dialect.
const NO_ANSWER: Duration = Duration::from_secs(15);
/// How long a dialect that was found out is believed at later logins.
const BELIEVED: Duration = Duration::from_secs(60);
/// A server that only knows text answers what was sent to it in the secure dialect with `00:00`; this is how long to
/// wait for the last of these before anything is asked.
const HUSH: Duration = Duration::from_secs(1);

/// What is remembered of a server from earlier connections.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct KnownServer {
    /// The server's pins.
    pub pins: Vec<Vec<u8>>,
    /// Whether it has ever spoken the secure dialect.
    pub secure_only: bool,
    /// Whether it has shown that it knows neither 10 nor 11; it is not asked again automatically, since some servers
    /// crash.
    pub foreign: bool,
    /// Whether it may have crashed when it was asked 11, and it is unknown what it is; it is asked neither 10 nor 11
    /// automatically.
    pub fragile: bool,
    /// The file with all this, in readable form, if a part of it cannot be read. A key that is not among `pins` then is
    /// neither a first one nor a changed one, and is not accepted without asking.
    pub damaged: Option<String>,
}

impl KnownServer {
    /// Returns whether 10 and 11 may be asked automatically. A server that has been secure may be asked, whatever
    /// answers in its place.
    #[must_use]
    pub fn may_be_asked(&self) -> bool {
        !self.foreign && !self.fragile || self.secure_only
    }
}

/// Returns the keys that a connection must be held to: if what is known is damaged, no key is taken for the first one.
pub(crate) fn acceptable(pins: &[Vec<u8>], damaged: bool) -> Vec<Vec<u8>> {
    // No server shows the empty key; with it the list does not look like that of a first contact.
    pins.iter().cloned().chain(damaged.then(Vec::new)).collect()
}

/// What the session does next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// Nothing yet: an answer of the server or the user is awaited.
    Wait,
    /// Speak this dialect; `anew` if the last step was another one.
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
    /// The random numbers of questions that nobody else can answer.
    dice: Dice,
    /// Datagrams that were sent to find out and are no longer waited for, but may still be answered, and when they were
    /// sent.
    left_over: Vec<(Vec<u8>, Instant)>,
    /// Whether the person has agreed to the plain dialect for a server that encrypted before; this ends as soon as it
    /// encrypts again.
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
    /// The plain dialect follows at this time; until then no text is sent or read.
    Hush(Instant),
    /// The plain dialect is spoken, as was found out at this time.
    Plain(Instant),
    /// The secure dialect is spoken.
    Secure(Diagnosis),
}

/// The check whether the server answers in the plain dialect while it does not in the secure one.
#[derive(Debug)]
enum Diagnosis {
    /// The server is within reach, or was when that was last checked.
    None,
    /// The server is being asked.
    Asking(DialectQuery),
    /// The server was asked, and is not asked again before it has been within reach.
    Asked,
    /// The server answers in the plain dialect, and the person is asked whether that will do.
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

    /// Returns the dialect that is spoken, once it is known.
    pub(super) fn speaks(&self) -> Option<SpokenDialect> {
        match self.stage {
            Stage::Open | Stage::Asking(_) | Stage::Doubting | Stage::Hush(_) => None,
            Stage::Plain(_) => Some(SpokenDialect::Plain),
            Stage::Secure(_) => Some(SpokenDialect::Secure),
        }
    }

    /// Returns whether nothing has to wait for the dialect to be found out.
    pub(super) fn is_settled(&self) -> bool {
        self.speaks().is_some() || self.dialect == Dialect::Plain && !self.was_secure()
    }

    /// Returns whether only the course's requests may be sent automatically in the plain dialect.
    pub(super) fn keeps_to_the_course(&self) -> bool {
        self.dialect == Dialect::Plain || self.known.fragile
    }

    /// Returns what is known about the server, including what has changed since.
    pub(super) fn known(&self) -> &KnownServer {
        &self.known
    }

    /// Notes that the server has spoken the secure dialect and shown this key.
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

    /// Changes the stage; questions of the last one may still be answered.
    fn turn(&mut self, stage: Stage) {
        let left = self.finding().map(|finding| finding.unanswered().collect::<Vec<_>>());
        self.left_over.extend(left.into_iter().flatten());
        self.stage = stage;
    }

    /// Returns the next datagram for the server.
    pub(super) fn poll_transmit(&mut self) -> Option<Transmit> {
        self.finding_mut()?.poll_transmit()
    }

    /// Returns when [`DialectChoice::handle_timeout`] is to be called.
    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        match self.stage {
            Stage::Hush(until) => Some(until),
            _ => self.finding().map(|finding| finding.poll_timeout().min(finding.began() + NO_ANSWER)),
        }
    }

    /// Called before a login, since a server may have been replaced since it was asked; returns true if it has to be
    /// asked again.
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
            // The server need not be asked, and a false answer is ignored.
            self.speak_securely_anew();
            return self.speak(now, SpokenDialect::Secure);
        }
        match self.stage {
            // What follows is known already.
            Stage::Asking(_) | Stage::Hush(_) => Step::Wait,
            // This is known and need not be asked again: the person wants something else, and has to be asked
            // themselves.
            Stage::Doubting => Step::Consent(self.why()),
            Stage::Plain(_) => self.found(now, SpokenDialect::Plain),
            Stage::Secure(_) => {
                self.speak_securely_anew();
                self.found(now, SpokenDialect::Secure)
            }
            // A server that has been secure is asked all the same: what answers in its place today need not be there
            // tomorrow.
            Stage::Open if !self.known.may_be_asked() => self.found(now, SpokenDialect::Plain),
            Stage::Open => {
                let finding = DialectQuery::new(now, &mut self.dice);
                self.turn(Stage::Asking(finding));
                Step::Wait
            }
        }
    }

    /// Lets a person who tries again be told again that the server no longer encrypts.
    fn speak_securely_anew(&mut self) {
        if let Stage::Secure(_) = self.stage {
            self.turn(Stage::Secure(Diagnosis::None));
        }
    }

    /// Notes whether the server lacks the extensions.
    pub(super) fn set_foreign(&mut self, foreign: bool) {
        self.known.foreign = foreign;
        self.known.fragile &= foreign;
    }

    /// Notes that the server may have crashed at a question.
    pub(super) fn set_fragile(&mut self) {
        self.known.fragile = true;
    }

    /// Returns whether the server is being asked.
    pub(super) fn is_asking(&self) -> bool {
        self.finding().is_some()
    }

    /// Returns the datagrams that were sent to find out and may still be answered, with the times at which they were
    /// sent.
    pub(super) fn take_left_over(&mut self) -> Vec<(Vec<u8>, Instant)> {
        std::mem::take(&mut self.left_over)
    }

    /// Asks at once, if the server is being asked; called when the person presses F5.
    pub(super) fn ask_now(&mut self, now: Instant) {
        if let Some(finding) = self.finding_mut() {
            finding.ask_now(now);
        }
    }

    /// Handles a text from the server's address; returns a step if it answers the question.
    pub(super) fn handle_text(&mut self, now: Instant, bytes: &[u8]) -> Option<Step> {
        if let Stage::Hush(_) = self.stage {
            return Some(Step::Wait);
        }
        let speaks = self.finding_mut()?.handle_text(now, bytes)?;
        Some(self.found(now, speaks))
    }

    /// Returns whether a text can be the server's. Anybody can send one, so from a server that encrypts it means
    /// nothing.
    pub(super) fn believes_text(&self) -> bool {
        !self.was_secure()
    }

    /// Handles the deadline; called until it returns `None`.
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

    /// While the server does not answer in the secure dialect, asks once whether it does in the plain one: the person
    /// may want to know, and another program may have taken its place.
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

    /// Notes that the person agrees to the plain dialect; returns true if that was awaited, after which
    /// [`DialectChoice::speak_plain`] follows.
    pub(super) fn allow_plain(&mut self) -> bool {
        let waited = self.end_doubt();
        match self.known.secure_only {
            true => self.overridden |= waited,
            false => self.allow_plain = true,
        }
        waited
    }

    /// Returns whether the person's consent to the plain dialect is awaited.
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

    /// Changes to the plain dialect: at once, or `after_secure` when what was sent in the secure one has been answered.
    pub(super) fn speak_plain(&mut self, now: Instant, after_secure: bool) -> Step {
        if !after_secure {
            return self.speak(now, SpokenDialect::Plain);
        }
        self.turn(Stage::Hush(now + HUSH));
        Step::Wait
    }

    /// Notes that the person refuses the plain dialect; returns true if that was awaited.
    pub(super) fn refuse_plain(&mut self) -> bool {
        self.end_doubt()
    }

    /// Notes that the person does not want to log in any more; returns true if that waited for an answer. With `asking`
    /// the question goes on, for another request.
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
            // It answers in text as well, which is nothing new.
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
