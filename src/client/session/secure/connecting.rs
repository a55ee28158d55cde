//! Connecting, logging in, and coming back.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use ring::{digest, hmac};

use super::delivered::Deliveries;
use super::inbox::Receiving;
use super::naming::Naming;
use super::outbox::is_used;
use super::presence::Presence;
use super::{DISK, Event, LoginAccount, SLEPT, Session, State};
use crate::base::model::{Account, Password};
use crate::base::timer::Rto;
use crate::client::session::{ConnectionState, DeviceState, KeyChange, LoginOutcome, RegisterOutcome, acceptable};
use crate::protocol::link::{COPIED, COPIED_BESIDE, CloseReason, ENDED, GOING_DOWN, Liveness, PeerId};
use crate::protocol::wire::frame::{Code, FromClient, Key, Reason, Secret};
use crate::protocol::wire::reply::LoggedIn;

/// The pauses between connection attempts, in milliseconds.
const BACKOFF: [u64; 8] = [250, 500, 1_000, 2_000, 4_000, 8_000, 15_000, 30_000];
/// One try, while it is likely that the server is only just coming back; later ones take what the
/// carrier takes.
const QUICK_DIAL: Duration = Duration::from_secs(4);
const QUICK_DIALS: usize = 3;
/// Roughly how long after a server announced its end the client reconnects: late enough for a restart, and spread so
/// that clients do not all come at once.
const RESTART: Duration = Duration::from_millis(600);
/// How long a connection must have been logged in to count as a good one.
const GOOD: Duration = Duration::from_secs(5);
/// Named in the proof, so that it proves nothing else.
const LABEL: &[u8] = b"hongyan login";

/// The login: whose it is, and whether the user asked for it.
#[derive(Debug, Default)]
pub(super) struct Login {
    pub(super) who: Option<LoginAccount>,
    /// The password is to be shown to be right, whatever the token.
    pub(super) by_password: bool,
    /// Whoever was logged in on this connection is not any more.
    pub(super) forgotten: bool,
    /// Whether the login is automatic; an automatic login is repeated while the server does not answer.
    pub(super) automatic: bool,
    /// Since when the user has waited, for a login that the user asked for.
    pub(super) began: Option<Instant>,
    pub(super) online_since: Option<Instant>,
    /// The server has said "later" to it, and why if it says.
    pub(super) put_off: Option<Option<Reason>>,
}

/// The state of connecting to the server.
#[derive(Debug, Default)]
pub(super) struct Dialling {
    /// When the current attempt is given up.
    pub(super) dial_by: Option<Instant>,
    /// When the next attempt begins.
    pub(super) retry_at: Option<Instant>,
    /// Failed attempts since the last good connection.
    pub(super) tries: usize,
}

/// The state of one connection, established or being opened.
#[derive(Debug, Default)]
pub(super) struct Connection {
    pub(super) peer: Option<PeerId>,
    /// Whether the connection is established.
    pub(super) connected: bool,
    /// The login under way: its number, and whether the token was shown.
    pub(super) asked: Option<(u64, bool)>,
    /// The question that is there only to be answered, and when it was asked.
    pub(super) ping: Option<(u64, Instant)>,
    /// The round-trip time measured by pings.
    pub(super) round_trip: Rto,
    /// When the oldest of what is unanswered was asked.
    pub(super) unanswered_since: Option<Instant>,
    /// The carrier knows that something is unanswered.
    pub(super) hurried: bool,
    /// Rows on disk that the server was not told of yet.
    pub(super) unacknowledged: u64,
    /// That something was not understood was said.
    pub(super) puzzled: bool,
    /// How it was when it was looked at last.
    pub(super) pulse: Liveness,
    /// When whose account was made, as was told on it.
    pub(super) made: BTreeMap<Account, i64>,
}

impl Session {
    /// Logs in; answered by [`Event::LoggedIn`]. The password is sent, once, whatever token there is.
    pub fn login(&mut self, now: Instant, account: Account, password: Password, kept: DeviceState) {
        self.begin(now, LoginAccount { account, password: Some(password), kept });
    }

    /// Logs in without a password, by the token of before; answered by [`Event::LoggedIn`].
    pub fn resume(&mut self, now: Instant, account: Account, kept: DeviceState) {
        self.begin(now, LoginAccount { account, password: None, kept });
    }

    fn begin(&mut self, now: Instant, who: LoginAccount) {
        if self.state != State::Offline || self.login.forgotten {
            self.give_up_connection(now, "another login");
        }
        self.login.by_password = who.password.is_some();
        self.receiving.handed = who.kept.cursor;
        self.receiving.begins = None;
        self.login.who = Some(who);
        self.clear();
        self.log_in(now);
    }

    /// Another account's, or about to be loaded anew.
    pub(super) fn clear(&mut self) {
        self.sending.outbox.clear();
        let Receiving { begins, handed, last_token, .. } = self.receiving;
        self.receiving = Receiving { begins, handed, last_token, ..Receiving::default() };
        self.login_is_over();
        self.connection.made.clear();
        self.presence = Presence::default();
        self.naming = Naming { times: self.naming.times, ..Naming::default() };
        self.deliveries = Deliveries::default();
        self.login.forgotten = false;
    }

    /// Logs in again, after [`Session::go_offline`] or [`Event::Kicked`].
    pub fn go_online(&mut self, now: Instant) {
        if self.leaving.is_some() {
            self.left(now, None);
        }
        if self.login.who.is_some() && self.state != State::Online {
            self.log_in(now);
        }
    }

    /// Whether the logins from here on are to end nobody else's.
    pub fn set_if_free(&mut self, if_free: bool) {
        self.if_free = if_free;
    }

    fn log_in(&mut self, now: Instant) {
        self.state = State::LoggingIn;
        self.login.automatic = false;
        self.login.began = Some(now);
        self.login.put_off = None;
        self.leaving = None;
        self.dialling.retry_at = None;
        self.dialling.tries = 0;
        self.show(ConnectionState::LoggingIn);
        self.turn(now);
    }

    /// F5: asks at once, and connects at once.
    pub fn fetch_now(&mut self, now: Instant) {
        self.receiving.hold_until = None;
        self.sending.resend_at = None;
        self.deliveries.retry_at = None;
        self.dialling.tries = 0;
        if self.dialling.retry_at.take().is_some() {
            self.show(ConnectionState::LoggingIn);
        }
        if self.state == State::Online {
            self.carrier.moved(now);
            self.ping(now);
        }
        self.turn(now);
    }

    /// After a sleep the way may be another one, and the other side may have given up.
    pub(super) fn woken(&mut self, now: Instant) {
        let slept = self.health.turned.is_some_and(|last| now.saturating_duration_since(last) > SLEPT);
        self.health.turned = Some(now);
        if slept && self.connection.connected {
            self.connection.unanswered_since = self.connection.unanswered_since.map(|_| now);
            self.carrier.moved(now);
            self.ping(now);
        }
    }

    /// Measures a round trip; somebody looks.
    pub fn measure(&mut self, now: Instant) {
        self.ping(now);
        self.turn(now);
    }

    pub(super) fn ping(&mut self, now: Instant) {
        if self.state == State::Online && self.connection.ping.is_none() {
            let id = self.next_id();
            self.connection.ping = self.say(now, &FromClient::Ping { id }).then_some((id, now));
        }
    }

    /// What lets this device in without a password, while somebody is logged in.
    #[must_use]
    pub fn token(&self) -> Option<Key<32>> {
        self.login.who.as_ref().filter(|_| self.state == State::Online)?.kept.token
    }

    /// From now on the server may show this key too: after [`Event::KeyChanged`], when its owner has
    /// compared the words.
    pub fn trust(&mut self, key: Vec<u8>) {
        self.trust.damaged = None;
        if !self.trust.pins.contains(&key) {
            self.trust.pins.push(key.clone());
            self.told.events.push_back(Event::Pin(key));
        }
    }

    pub(super) fn dial(&mut self, now: Instant) {
        self.connection.connected = false;
        self.connection.peer =
            Some(self.carrier.connect(now, self.server, acceptable(&self.trust.pins, self.trust.damaged.is_some())));
        self.dialling.dial_by = (self.dialling.tries < QUICK_DIALS).then(|| now + QUICK_DIAL);
    }

    pub(super) fn connected(&mut self, key: Vec<u8>) {
        if self.connection.connected {
            // The carrier goes on with another attempt.
            self.begin_anew(Connection { peer: self.connection.peer, ..Connection::default() });
        }
        self.connection.connected = true;
        self.connection.puzzled = false;
        self.dialling.dial_by = None;
        if self.trust.pins.is_empty() {
            self.trust(key);
        }
    }

    pub(super) fn ask_to_log_in(&mut self, now: Instant) {
        // With its new name, if it is about to have one.
        let later = self.receiving.hold_until.is_some() || self.dialling.retry_at.is_some() || self.naming.asked;
        if self.state != State::LoggingIn || self.connection.asked.is_some() || later {
            return;
        }
        let Some(who) = &self.login.who else { return };
        let (account, device, cursor) = (who.account.as_str().to_owned(), who.kept.device, who.kept.cursor);
        let made = who.kept.made;
        let token = who.kept.token.filter(|_| !self.login.by_password);
        let password = who.password.as_ref().map(|p| Secret(p.reveal().to_owned()));
        let proof = token.and_then(|token| self.prove(token));
        let id = self.next_id();
        let frame = match (proof, password) {
            (Some(proof), _) => FromClient::Resume { id, account, device, proof, cursor },
            (None, Some(password)) => FromClient::Login { id, account, password, device, cursor, made },
            (None, None) => return self.not_in(now, LoginOutcome::PasswordNeeded),
        };
        let said = !self.if_free || self.say(now, &FromClient::IfFree);
        if said && self.say(now, &frame) {
            self.connection.asked = Some((id, proof.is_some()));
        }
    }

    fn prove(&self, token: Key<32>) -> Option<Key<32>> {
        let material = self.carrier.export(self.connection.peer?, LABEL)?;
        let key = hmac::Key::new(hmac::HMAC_SHA256, digest::digest(&digest::SHA256, &token.0).as_ref());
        hmac::sign(&key, &material).as_ref().try_into().ok().map(Key)
    }

    #[allow(clippy::too_many_arguments, reason = "what the answer to a login consists of")]
    pub(super) fn logged_in(
        &mut self,
        now: Instant,
        id: u64,
        token: Option<Key<32>>,
        highest: u64,
        ended: Option<String>,
        start: Option<u64>,
        made: Option<i64>,
    ) {
        if self.connection.asked.is_none_or(|(asked, _)| asked != id) {
            return;
        }
        self.connection.asked = None;
        self.deliveries.asked = false;
        self.state = State::Online;
        self.login.by_password = false;
        self.login.began = None;
        self.login.put_off = None;
        self.login.online_since = Some(now);
        if let Some(account) = self.login.who.as_ref().map(|who| who.account.clone()) {
            self.was_made(&account, made);
        }
        // Who is there comes next.
        self.presence.online.clear();
        self.health.contact.ends(&mut self.told.events);
        let automatic = std::mem::replace(&mut self.login.automatic, true);
        let Some(who) = &mut self.login.who else { return };
        if token.is_some() && token != who.kept.token {
            who.kept.token = token;
            self.told.events.push_back(Event::Token(token));
        }
        if who.kept.cursor.is_none()
            && let Some(start) = start
        {
            self.receiving.begins = Some(start);
            self.receiving.handed = Some(start);
            who.kept.cursor = Some(start);
        }
        who.kept.made = made.or(who.kept.made);
        // Said again while nothing is stored after it: the disk may have been full.
        self.told.events.extend(self.receiving.begins.map(Event::Begins));
        // It has sent what this folder never held: the folder was copied, or put back from a backup.
        self.naming.used = highest;
        for message in self.sending.outbox.iter_mut().filter(|m| is_used(m.id, highest)) {
            message.doubt();
        }
        self.naming.wanted |= highest > u64::try_from(who.kept.newest).unwrap_or(0);
        self.told.events.push_back(Event::LoggedIn(LoginOutcome::Done));
        self.told.events.push_back(Event::Extensions { known: true, shown: true });
        if let Some(address) = ended.filter(|_| !automatic) {
            self.told.events.push_back(Event::TookPlace { address });
        }
        self.show(self.connected_link());
    }

    pub(super) fn not_logged_in(&mut self, now: Instant, code: Code, reason: Option<Reason>) {
        let by_token = self.connection.asked.take().is_some_and(|(_, by_token)| by_token);
        match code {
            Code::BadToken if by_token => {
                if let Some(who) = &mut self.login.who {
                    who.kept.token = None;
                }
                self.told.events.push_back(Event::Token(None));
            }
            Code::TryLater => {
                // Said once, and again when it is for another reason.
                if self.login.put_off.replace(reason) != Some(reason) {
                    self.told.events.push_back(Event::LoginPutOff(reason));
                }
                self.try_again(now);
            }
            // It answers a login that said which account it means, and no other: else one could be told so for ever.
            Code::MadeAnew if self.login.who.as_ref().is_some_and(|who| who.kept.made.is_some()) => {
                self.is_another_account(now);
            }
            Code::WrongPassword => self.not_in(now, LoginOutcome::Refused(LoggedIn::WrongPassword)),
            Code::NoAccount => self.not_in(now, LoginOutcome::Refused(LoggedIn::NoSuchAccount)),
            Code::InUse => self.not_in(now, LoginOutcome::Refused(LoggedIn::AlreadyLoggedIn)),
            Code::BadToken
            | Code::MadeAnew
            | Code::AccountExists
            | Code::NotLoggedIn
            | Code::IdConflict
            | Code::MailboxFull
            | Code::BadField
            | Code::Malformed
            | Code::OutOfTurn
            | Code::Yourself
            | Code::AlreadyFriends
            | Code::NotWanted
            | Code::WrongAnswer
            | Code::TooMany
            | Code::Unknown => self.not_in(now, LoginOutcome::NotUnderstood),
        }
    }

    /// The password is right, and the account is not the one whose messages, cursor and counters lie here.
    fn is_another_account(&mut self, now: Instant) {
        let Some(password) = self.login.who.as_ref().and_then(|who| who.password.clone()) else {
            return self.not_in(now, LoginOutcome::NotUnderstood);
        };
        self.give_up_connection(now, "another account of this name");
        self.login.began = None;
        self.dialling.retry_at = None;
        self.state = State::Offline;
        self.show(ConnectionState::Offline);
        self.told.events.push_back(Event::MadeAnew(password));
    }

    pub(super) fn not_in(&mut self, now: Instant, outcome: LoginOutcome) {
        self.give_up_connection(now, "not logged in");
        self.login_is_over();
        self.login.began = None;
        self.dialling.retry_at = None;
        // Whoever was logged out by the server sees so until they log in themselves.
        self.state = if self.login.automatic { State::LoggedOut } else { State::Offline };
        // Of another key the server knows nothing: it was refused on this side.
        let by_server =
            self.login.automatic && !matches!(outcome, LoginOutcome::KeyChanged | LoginOutcome::KeysDamaged);
        self.show(if by_server { ConnectionState::LoggedOut } else { ConnectionState::Offline });
        self.told.events.push_back(Event::LoggedIn(outcome));
    }

    /// Closes what there is of a connection; everything unanswered is to be asked again.
    pub(super) fn give_up_connection(&mut self, now: Instant, reason: &str) {
        if let Some(peer) = self.connection.peer {
            self.carrier.close(now, peer, 0, reason);
        }
        self.disconnected();
    }

    fn disconnected(&mut self) {
        self.dialling.dial_by = None;
        self.begin_anew(Connection::default());
    }

    /// Another connection: what was asked on the one before is open again, and the rest that belonged to it is gone.
    fn begin_anew(&mut self, connection: Connection) {
        self.connection = connection;
        self.sending.connection_is_gone();
        self.deliveries.asked = false;
        self.questions.connection_is_gone();
    }

    pub(super) fn lost(&mut self, now: Instant, why: CloseReason) {
        log::info!("the connection is gone: {why:?}");
        self.disconnected();
        if self.leaving.is_some() {
            return self.left(now, None);
        }
        self.health.trouble = Some(why.clone());
        if let CloseReason::KeyChanged(shown) = why {
            let damaged = self.trust.damaged.clone();
            let (registered, logged_in) = match damaged {
                Some(_) => (RegisterOutcome::KeysDamaged, LoginOutcome::KeysDamaged),
                None => (RegisterOutcome::KeyChanged, LoginOutcome::KeyChanged),
            };
            if damaged.is_some() {
                self.health.trouble = Some(CloseReason::KeysDamaged);
            }
            let change = KeyChange { shown, known: self.trust.pins.clone(), damaged };
            self.told.events.push_back(Event::KeyChanged(change));
            if self.questions.end_registration() {
                self.told.events.push_back(Event::Registered(registered));
            }
            if self.state == State::LoggingIn || self.state == State::Online {
                self.not_in(now, logged_in);
            }
            return;
        }
        let code = match why {
            CloseReason::ClosedByPeer { code, .. } => u32::try_from(code).ok(),
            _ => None,
        };
        match code {
            Some(GOING_DOWN) => return self.try_after_restart(now),
            Some(ENDED) => return self.try_after_ending(now),
            Some(COPIED) => return self.copied(now, true),
            Some(COPIED_BESIDE) => return self.copied(now, false),
            _ => {}
        }
        self.try_again(now);
    }

    /// The server has answered, and says why to whoever asks at once; not time after time.
    fn try_after_ending(&mut self, now: Instant) {
        if self.state == State::Online && self.dialling.tries == 0 {
            self.login.online_since = None;
            self.dialling.tries = 1;
            self.state = State::LoggingIn;
            self.login.automatic = true;
            return self.show(ConnectionState::LoggingIn);
        }
        self.try_again(now);
    }

    /// As [`Session::try_again`], but everybody who was there has just been told the same.
    fn try_after_restart(&mut self, now: Instant) {
        self.try_again(now);
        if self.dialling.retry_at.is_none() && self.state == State::LoggingIn {
            let at = now + self.dice.spread(RESTART);
            self.dialling.retry_at = Some(at);
            self.show(ConnectionState::Retrying { at });
        }
    }

    /// A good connection that is gone is made anew at once, else later and later.
    pub(super) fn try_again(&mut self, now: Instant) {
        let good = self.login.online_since.take().is_some_and(|since| now.saturating_duration_since(since) >= GOOD);
        if self.state == State::Online {
            self.state = State::LoggingIn;
            self.login.automatic = true;
        }
        if self.state != State::LoggingIn && !self.questions.is_wanted_without_login() {
            return;
        }
        if good {
            self.dialling.tries = 0;
            return self.show(ConnectionState::LoggingIn);
        }
        let step = BACKOFF.get(self.dialling.tries).or(BACKOFF.last()).copied().unwrap_or_default();
        self.dialling.tries += 1;
        let at = now + self.dice.spread(Duration::from_millis(step));
        self.dialling.retry_at = Some(at);
        if self.state == State::LoggingIn && self.login.automatic {
            self.show(ConnectionState::Retrying { at });
        }
    }

    /// The disk has refused a message: nothing that follows may count as stored, and the server is to
    /// send it again later.
    pub(super) fn hold(&mut self, now: Instant) {
        self.give_up_connection(now, "the disk is full");
        self.receiving.arrived.clear();
        self.receiving.handed = self.login.who.as_ref().and_then(|who| who.kept.cursor);
        self.receiving.hold_until = Some(now + DISK);
        if self.state == State::Online {
            self.state = State::LoggingIn;
            self.login.automatic = true;
        }
        self.show(ConnectionState::Retrying { at: now + DISK });
    }
}
