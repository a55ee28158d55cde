//! Changes from one dialect to another, once it is known which one the server speaks, and hands the waiting requests to
//! the new session.

use std::time::Instant;

use super::{
    ConnectionState, DialectChoice, Event, KnownServer, LoginOutcome, NewAccount, PendingMessage, PendingRequest,
    RegisterOutcome, Session, SpokenDialect, Step, plain, secure,
};

impl Session {
    pub(super) fn begin(&mut self, now: Instant, wish: PendingRequest) {
        self.wishes.add(wish);
        if self.choice.doubt_old_answer(now) {
            self.seek();
        }
        self.log_in(now);
    }

    pub(super) fn log_in(&mut self, now: Instant) {
        if !self.choice.is_settled() {
            self.show(ConnectionState::LoggingIn);
        }
        self.ask(now);
    }

    pub(super) fn ask(&mut self, now: Instant) {
        let step = self.choice.ask(now);
        self.follow(now, step);
    }

    /// Changes to the plain dialect, with everything that is not settled.
    pub(super) fn go_over(&mut self, now: Instant) {
        self.wishes.begin_again();
        let was_secure = self.seek();
        if was_secure {
            // That session's events are not read any more.
            self.tell(Event::Silent(None));
            self.show(ConnectionState::LoggingIn);
        }
        let step = self.choice.speak_plain(now, was_secure);
        self.follow(now, step);
    }

    /// Starts to ask again which dialect is spoken, and returns whether it was the secure one.
    fn seek(&mut self) -> bool {
        let choice = &self.choice;
        let left = self.state.seek(|left| plain_session(choice, left));
        let was_secure = left.is_some();
        if let Some(mut secure) = left {
            self.last_token = secure.last_token();
            // Messages that are not settled keep waiting, marked if they may have arrived already.
            for (id, to, text, again) in secure.take_outbox() {
                self.wishes.wait(PendingMessage { id, to: to.into(), text, again });
            }
        }
        self.listen();
        was_secure
    }

    pub(super) fn follow(&mut self, now: Instant, step: Step) {
        self.state.expect_late(&self.choice.take_left_over());
        match step {
            Step::Wait => {}
            // The user agreed to the plain dialect before, and nobody was logged in in the secure one.
            Step::Speak { speaks: SpokenDialect::Plain, .. } if self.speaks() == Some(SpokenDialect::Secure) => {
                self.go_over(now)
            }
            Step::Speak { speaks, anew } => {
                self.speak(speaks);
                if anew {
                    self.tell(Event::Speaks(speaks));
                }
                self.hand_on(now, speaks);
            }
            Step::Consent(_) if !self.wishes.any() => self.refuse_plain(),
            Step::Consent(why) => self.tell(Event::PlainOnly(why)),
            Step::NoAnswer => self.no_answer(),
        }
    }

    fn speak(&mut self, speaks: SpokenDialect) {
        let choice = &self.choice;
        match speaks {
            SpokenDialect::Plain => self.state.speak_plain(|left| plain_session(choice, left)),
            SpokenDialect::Secure => {
                let Self { server, if_free, last_token, seed, carrier_seed, .. } = *self;
                self.state.speak_securely(|| {
                    let (pins, damaged) = (choice.known().pins.clone(), choice.known().damaged.clone());
                    let config = secure::Config { server, pins, damaged, if_free, last_token, seed, carrier_seed };
                    secure::Session::new(config)
                });
            }
        }
    }

    fn hand_on(&mut self, now: Instant, speaks: SpokenDialect) {
        for wish in self.wishes.take() {
            match speaks {
                SpokenDialect::Plain => self.wish_plainly(now, wish),
                SpokenDialect::Secure => self.wish_securely(now, wish),
            }
        }
        self.listen();
        for PendingMessage { id, to, text, again } in self.wishes.take_messages() {
            if again { self.send_again(now, id, to, text) } else { self.send(now, id, to, text) }
        }
    }

    fn wish_plainly(&mut self, now: Instant, wish: PendingRequest) {
        let Some(plain) = self.state.text_mut() else { return };
        match wish {
            PendingRequest::Register(NewAccount { account, password, confirm, .. }) => {
                plain.register(now, account, password, confirm);
            }
            // The server would refuse the login in the plain dialect, and anyone on the network path could read the
            // password.
            PendingRequest::Login { .. } | PendingRequest::Resume { .. } if self.encrypted_only => {
                self.refuse_login(LoginOutcome::EncryptedOnly);
            }
            PendingRequest::Login { account, password, .. } => {
                plain.login(now, account, password);
                if let Some(handed) = self.handed.take() {
                    plain.set_handed(handed);
                }
            }
            PendingRequest::Resume { .. } => self.refuse_login(LoginOutcome::PasswordNeeded),
        }
    }

    fn refuse_login(&mut self, outcome: LoginOutcome) {
        self.show(ConnectionState::Offline);
        self.tell(Event::LoggedIn(outcome));
    }

    fn wish_securely(&mut self, now: Instant, wish: PendingRequest) {
        let Some(secure) = self.state.secure_mut() else { return };
        match wish {
            PendingRequest::Register(new) => secure.register(now, new),
            PendingRequest::Login { account, password, kept } => secure.login(now, account, password, kept),
            PendingRequest::Resume { account, kept } => secure.resume(now, account, kept),
        }
    }

    pub(super) fn diagnose(&mut self, now: Instant) {
        if let Some(secure) = self.state.secure() {
            self.choice.diagnose(now, secure.is_out_of_reach());
        }
    }

    fn no_answer(&mut self) {
        self.show(ConnectionState::Offline);
        for wish in self.wishes.take() {
            self.tell(match wish {
                PendingRequest::Register(_) => Event::Registered(RegisterOutcome::Unheard),
                PendingRequest::Login { .. } | PendingRequest::Resume { .. } => Event::LoggedIn(LoginOutcome::Unheard),
            });
        }
    }
}

/// Makes the plain dialect's session for this server, with what an earlier one left over.
pub(super) fn plain_session(choice: &DialectChoice, left: plain::Leftovers) -> plain::Session {
    let mut plain = plain::Session::after(left);
    let KnownServer { secure_only, foreign, fragile, .. } = *choice.known();
    if choice.keeps_to_the_course() {
        plain.keep_to_the_course();
    }
    if fragile && !secure_only {
        plain.is_fragile();
    }
    if foreign && !secure_only {
        plain.is_foreign();
    }
    plain
}
