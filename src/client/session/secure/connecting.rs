//! Connecting, logging in, and reconnecting.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use ring::{digest, hmac};

use super::delivered::Deliveries;
use super::inbox::Receiving;
use super::items::Items;
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
/// How long one of the first attempts may take, while the server is likely to be just restarting; later ones take as
/// long as the link does.
const QUICK_DIAL: Duration = Duration::from_secs(4);
const QUICK_DIALS: usize = 3;
/// Roughly how long after a server announced its end the client reconnects: late enough for a restart, and spread so
/// that clients do not all come at once.
const RESTART: Duration = Duration::from_millis(600);
/// How long a connection must have been logged in to count as a good one.
const GOOD: Duration = Duration::from_secs(5);
/// The label of the keying material, so that the proof is valid for nothing else.
const LABEL: &[u8] = b"hongyan login";

/// The login: of which account, and whether the person asked for it.
#[derive(Debug, Default)]
pub(super) struct Login {
    pub(super) who: Option<LoginAccount>,
    /// Whether the password is to be checked, even if there is a token.
    pub(super) by_password: bool,
    /// Whether the account that was logged in on this connection is logged in no longer.
    pub(super) forgotten: bool,
    /// Logging in must not end another session of the account.
    pub(super) if_free: bool,
    /// Whether the login is automatic; an automatic login is repeated while the server does not answer.
    pub(super) automatic: bool,
    /// Since when the user has waited, for a login that the user asked for.
    pub(super) began: Option<Instant>,
    pub(super) online_since: Option<Instant>,
    /// Set if the server has told the login to try later, with the reason if it gave one.
    pub(super) put_off: Option<Option<Reason>>,
    /// Whether the person at this device is away.
    pub(super) away: bool,
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
    /// Whether the link was told that something is unanswered.
    pub(super) hurried: bool,
    /// How many rows on disk the server has not been told of yet.
    pub(super) unacknowledged: u64,
    /// Whether it was logged that a frame was not understood.
    pub(super) puzzled: bool,
    /// The liveness of the connection when it was looked at last.
    pub(super) pulse: Liveness,
    /// When accounts were made, as the session has reported it during this connection.
    pub(super) made: BTreeMap<Account, i64>,
    /// Whether the server was told that the person is away; it takes them to be here until it is.
    pub(super) said_away: bool,
}

impl Session {
    /// Logs in; answered by [`Event::LoggedIn`]. The password is sent, once, even if there is a token.
    pub fn login(&mut self, now: Instant, account: Account, password: Password, kept: DeviceState) {
        self.begin(now, LoginAccount { account, password: Some(password), kept });
    }

    /// Logs in without a password, by the stored token; answered by [`Event::LoggedIn`].
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

    /// Clears the state, because another account follows or this one's is loaded again.
    pub(super) fn clear(&mut self) {
        self.sending.outbox.clear();
        let Receiving { begins, handed, last_token, .. } = self.receiving;
        self.receiving = Receiving { begins, handed, last_token, ..Receiving::default() };
        self.login_is_over();
        self.connection.made.clear();
        self.presence = Presence::default();
        self.naming = Naming { times: self.naming.times, ..Naming::default() };
        self.deliveries = Deliveries::default();
        self.items = Items::default();
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

    /// Sets whether later logins must not end other sessions.
    pub fn set_if_free(&mut self, if_free: bool) {
        self.login.if_free = if_free;
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

    /// Asks and connects at once; called when the person presses F5.
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

    /// After the machine was suspended the path may be another, and the other side may have given up.
    pub(super) fn woken(&mut self, now: Instant) {
        let slept = self.health.turned.is_some_and(|last| now.saturating_duration_since(last) > SLEPT);
        self.health.turned = Some(now);
        if slept && self.connection.connected {
            self.connection.unanswered_since = self.connection.unanswered_since.map(|_| now);
            self.carrier.moved(now);
            self.ping(now);
        }
    }

    /// Measures a round trip; called while figures are being looked at.
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

    /// Returns the token that lets this device log in without a password, while it is logged in.
    #[must_use]
    pub fn token(&self) -> Option<Key<32>> {
        self.login.who.as_ref().filter(|_| self.state == State::Online)?.kept.token
    }

    /// Adds a key that the server may show from now on; called after [`Event::KeyChanged`], when the person has
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
            // The link goes on with another attempt.
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
        // The login waits for the new name, if the device is about to get one.
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
        let said = !self.login.if_free || self.say(now, &FromClient::IfFree);
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
        self.connection.said_away = false;
        self.deliveries.asked = false;
        self.items.logged_in();
        self.state = State::Online;
        self.login.by_password = false;
        self.login.began = None;
        self.login.put_off = None;
        self.login.online_since = Some(now);
        if let Some(account) = self.login.who.as_ref().map(|who| who.account.clone()) {
            self.was_made(&account, made);
        }
        // The list of who is online comes next.
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
        // Reported again until a message is stored, since the disk may have been full.
        self.told.events.extend(self.receiving.begins.map(Event::Begins));
        // The server knows more messages from this device than this folder holds: the folder was copied, or restored
        // from a backup.
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
                // Reported once, and again if the reason changes.
                if self.login.put_off.replace(reason) != Some(reason) {
                    self.told.events.push_back(Event::LoginPutOff(reason));
                }
                self.try_again(now);
            }
            // It only answers a login that has named the account's time of making; else it could be repeated for ever.
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

    /// Handles a right password for another account than the one whose messages, cursor and counters are stored here.
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
        // A session that the server has ended stays so until the person logs in.
        self.state = if self.login.automatic { State::LoggedOut } else { State::Offline };
        // The server knows nothing of a changed key, which was refused on this side.
        let by_server =
            self.login.automatic && !matches!(outcome, LoginOutcome::KeyChanged | LoginOutcome::KeysDamaged);
        self.show(if by_server { ConnectionState::LoggedOut } else { ConnectionState::Offline });
        self.told.events.push_back(Event::LoggedIn(outcome));
    }

    /// Closes the connection, if there is one; everything unanswered will be asked again.
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

    /// Begins another connection: what was asked on the last one is open again, and the rest of its state ends.
    fn begin_anew(&mut self, connection: Connection) {
        self.connection = connection;
        self.sending.connection_is_gone();
        self.deliveries.asked = false;
        self.items.connection_is_gone();
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

    /// Reconnects at once after the server has ended the session, since its answer says why; but only once.
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

    /// As [`Session::try_again`], but all clients were told of the restart at the same time, so this one waits a
    /// little.
    fn try_after_restart(&mut self, now: Instant) {
        self.try_again(now);
        if self.dialling.retry_at.is_none() && self.state == State::LoggingIn {
            let at = now + self.dice.spread(RESTART);
            self.dialling.retry_at = Some(at);
            self.show(ConnectionState::Retrying { at });
        }
    }

    /// Plans the next attempt: at once after a good connection, else later and later.
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

    /// Handles a disk that has refused a message: nothing after it may count as stored, and the server is to send it
    /// again later.
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
