//! Handles the events of the session and the results of the history.

use rust_i18n::t;

use super::account::{Credential, Incoming, UnstoredMessage};
use super::local::{keep_changes_passwords, keep_foreign, keep_fragile, keep_home, keep_key};
use super::{Client, EARLIER, Event};
use crate::base::model::{Account, MessageId, MessageText, SendState};
use crate::client::history::moment::{WrittenTime, face, shown, zone};
use crate::client::history::{Done, ItemPage, NotOpened, Op, Read, Row, Unsent, Write};
use crate::client::net::Now;
use crate::client::session::{
    self, ConnectionState, DeviceState, ExtensionRequest, LoginOutcome, Pushed, Recipient, SentBy, SpokenDialect,
    StoreToken,
};
use crate::protocol::link::CloseReason;
use crate::protocol::wire::Reply;
use crate::protocol::wire::frame::{Code, Past};
use crate::protocol::wire::reply::Learned;

impl Client {
    pub(super) fn session_event(&mut self, now: Now, event: session::Event) {
        let event = match event {
            received @ session::Event::Received { .. } => return self.received(now, received),
            session::Event::Own { token, to, text, pushed, by } => return self.own(token, to, text, pushed, by),
            session::Event::Unread(n) => return self.submit(Op::Write(Write::Unread(n))),
            session::Event::Delivered { version, rows } => {
                return self.submit(Op::Write(Write::Delivered { version, rows }));
            }
            session::Event::Items { version, anew, items, more, digest } => {
                let page = ItemPage { version, anew, items, more, digest };
                return self.submit(Op::Write(Write::Items(page)));
            }
            session::Event::ItemSet { number, refused } => return self.item_set(number, refused),
            session::Event::Found { text, people, more } => Event::People { text, people, more },
            session::Event::People { asked, profiles } => return self.people_are(now, asked, profiles),
            session::Event::Friend { account, request, outcome } => Event::Friend { account, request, outcome },
            session::Event::Accepted { id, row, state } => {
                return self.outgoing(id, state, Write::Accepted { id, row, state });
            }
            session::Event::Outgoing { id, state } => {
                let secure = self.session.speaks() == Some(SpokenDialect::Secure);
                return self.outgoing(id, state, Write::State { id, state, secure });
            }
            session::Event::NoRoom { id, sure } => {
                let state = SendState::Failed;
                self.outgoing(id, state, Write::State { id, state, secure: false });
                Event::NoLobby { sure }
            }
            session::Event::Refused { id, state } => return self.outgoing(id, state, Write::Refused { id, state }),
            session::Event::ConnectionState(link) => return self.link_is(now, link),
            session::Event::Silent(since) => return self.silent_is(since.is_some()),
            session::Event::EndedAt(beyond) => {
                if beyond == ExtensionRequest::Who {
                    keep_fragile(&self.config);
                }
                Event::EndedAt(beyond)
            }
            session::Event::Registered(outcome) => Event::Registered(outcome),
            session::Event::LoggedIn(outcome) => return self.logged_in(now, outcome),
            session::Event::LoginPutOff(why) => {
                let sentence = Event::LoginPutOff(why).notice();
                self.last_error = sentence.map(|sentence| (now.unix_ms, sentence));
                Event::LoginPutOff(why)
            }
            session::Event::WentOffline(was) => Event::WentOffline(was),
            session::Event::NotStoring(not) => return self.not_storing_is(now, not),
            session::Event::Paced(wait) => Event::Paced(wait),
            session::Event::MaybeLost(n) => Event::MaybeLost(n),
            session::Event::Online(accounts) => return self.are_online(now, accounts),
            session::Event::States(states) => Event::States(states),
            session::Event::Extensions { known, shown } => return self.extensions(known, shown),
            session::Event::UnknownCode(code) => Event::UnknownCode(code),
            session::Event::PasswordChanged(outcome) => Event::PasswordChanged(outcome),
            session::Event::ChangesPasswords { does, shown } => return self.passwords_are_changed(does, shown),
            session::Event::Speaks(speaks) => Event::Speaks(speaks),
            session::Event::PlainOnly(why) => Event::PlainOnly(why),
            session::Event::Pin(key) => return self.pinned(key),
            session::Event::KeyChanged(change) => Event::KeyChanged(change),
            session::Event::Kicked { address, at } => Event::Kicked { address, at },
            session::Event::Copied { offline } => Event::Copied { offline },
            session::Event::TookPlace { address } => Event::TookPlace { address },
            session::Event::History { peer, messages, more } => return self.page_of_before(peer, messages, more),
            session::Event::AccountSettings(settings) => {
                if let Some(settings) = settings {
                    self.note_encrypted_only(settings.secure_only);
                }
                Event::AccountSettings(settings)
            }
            session::Event::LookedUp { asked, found } => Event::LookedUp { asked, found },
            session::Event::Made { account, made } => return self.made(now, account, made),
            session::Event::MadeAnew(password) => return self.is_another_account(now, password),
            session::Event::Begins(row) => return self.submit(Op::Write(Write::Begin(row))),
            session::Event::Token(token) => return self.keep_token(token),
            session::Event::NameTaken => return self.submit(Op::Write(Write::NewDevice)),
            session::Event::NotUnderstood(bytes) => Event::NotUnderstood(crate::protocol::wire::show::starred(&bytes)),
        };
        self.events.push_back(event);
    }

    /// Takes in a message from another account.
    fn received(&mut self, now: Now, event: session::Event) {
        let session::Event::Received { token, from, time, text, raw, repeat, pushed } = event else { return };
        let handed = Some(time.clone()).filter(|time| pushed.is_some() && !time.is_empty());
        self.learn_zone(now, &time, pushed.map(|pushed| pushed.at));
        let zone = self.account.as_ref().and_then(|account| account.zone);
        let (moment, words) = match pushed {
            Some(pushed) => (pushed.at.saturating_mul(1_000), None),
            None => {
                let WrittenTime { unix_ms, face, zone } = WrittenTime::of(&time, now.unix_ms, zone);
                shown(unix_ms, face, zone, Some(time.clone()))
            }
        };
        let row = Row {
            id: MessageId(0),
            text: text.clone(),
            unix_ms: moment,
            came_ms: Some(now.unix_ms),
            server_time: words,
            state: None,
            repeat,
            note: false,
        };
        let incoming = Incoming { row, from: from.clone(), kept: pushed.is_some() || self.ours };
        let (server_time, unix_ms) = (time, now.unix_ms);
        let op = Op::Write(Write::Received { token, from, server_time, text, raw, repeat, unix_ms, pushed, handed });
        self.receive(token, incoming, op);
    }

    /// Takes in a message that this account sent from another device.
    fn own(&mut self, token: StoreToken, to: Account, text: String, pushed: Pushed, by: SentBy) {
        let row = Row {
            id: MessageId(0),
            text: text.clone(),
            unix_ms: pushed.at.saturating_mul(1_000),
            came_ms: None,
            server_time: None,
            state: Some(SendState::Sent),
            repeat: false,
            note: false,
        };
        let incoming = Incoming { row, from: to.clone(), kept: true };
        self.receive(token, incoming, Op::Write(Write::Own { token, to, text, pushed, by }));
    }

    /// Stores and reports the new delivery state of a message that this account sent.
    fn outgoing(&mut self, id: MessageId, state: SendState, write: Write) {
        self.came_further(id, state);
        self.submit(Op::Write(write));
        self.events.push_back(Event::Outgoing { id, state });
    }

    fn link_is(&mut self, now: Now, link: ConnectionState) {
        // The secure session reports more detail about this.
        if matches!(link, ConnectionState::Retrying { .. }) && self.session.speaks() == Some(SpokenDialect::Plain) {
            self.last_error = Some((now.unix_ms, CloseReason::NoAnswer.sentence().into_owned()));
        }
        self.events.push_back(Event::ConnectionState(link));
    }

    fn silent_is(&mut self, silent: bool) {
        if std::mem::replace(&mut self.silent, silent) != silent {
            self.events.push_back(Event::Silent(silent));
        }
    }

    fn logged_in(&mut self, now: Now, outcome: LoginOutcome) {
        if outcome == LoginOutcome::Done {
            self.session.set_away(now.instant, self.away);
            // The server has to show again what it is: another program may have been started in its place.
            self.ours = false;
            self.account.iter_mut().for_each(|account| account.names.begin());
            keep_home(&self.config);
        }
        self.events.push_back(Event::LoggedIn(outcome));
    }

    fn not_storing_is(&mut self, now: Now, not: bool) {
        if std::mem::replace(&mut self.not_storing, not) == not {
            return;
        }
        if not {
            self.last_error = Some((now.unix_ms, t!("connection.not_stored").into_owned()));
        }
        self.events.push_back(Event::NotStoring(not));
    }

    /// Notes whether the server knows more than the course's protocol, and whether it has shown that itself.
    fn extensions(&mut self, known: bool, shown: bool) {
        // If the server has shown earlier what it is, an unanswered question proves nothing.
        if shown || !self.ours {
            self.ours = known;
            self.foreign = !known;
        }
        if shown {
            keep_foreign(&self.config, !known);
        }
        self.events.push_back(Event::Extensions(known));
    }

    fn passwords_are_changed(&mut self, does: bool, shown: bool) {
        self.changes_passwords = Some(does);
        if shown {
            keep_changes_passwords(&self.config, does);
        }
    }

    /// Stores the server's key, which was seen for the first time.
    fn pinned(&mut self, key: Vec<u8>) {
        // The key is stored first: a name whose folder has no keys would count as never used.
        keep_key(&self.config, &key);
        keep_home(&self.config);
        self.foreign = false;
        keep_foreign(&self.config, false);
        self.events.push_back(Event::Pinned(key));
    }

    /// Takes in a page of earlier messages; it is reported after everything that was pushed before it.
    fn page_of_before(&mut self, peer: Account, messages: Vec<Past>, more: bool) {
        match self.account.as_ref().map(|account| account.name.clone()) {
            Some(own) => self.submit(Op::Write(Write::Past { own, peer, messages, more })),
            None => self.events.push_back(Event::Past { peer, messages, more }),
        }
    }

    /// Notes when an account was created on the server.
    fn made(&mut self, now: Now, account: Account, made: i64) {
        let own = self.account.as_ref().is_some_and(|open| open.name == account);
        self.submit(Op::Write(match own {
            true => Write::OwnMade(made),
            false => Write::Made { peer: account, made, unix_ms: now.unix_ms },
        }));
    }

    fn receive(&mut self, token: StoreToken, incoming: Incoming, op: Op) {
        if let Some(account) = &mut self.account {
            account.receive(token, incoming, op);
        }
    }

    pub(super) fn stored(&mut self, now: Now, done: Done) {
        match done {
            Done::Handed(handed) => self.session.set_handed(handed),
            Done::Opened(Ok(device)) => self.opened(now, device),
            Done::Zone { zone, changed } => self.zone_is(zone, changed),
            Done::Renamed(name) => {
                if name.is_some() {
                    self.note_staying(false);
                }
                self.session.set_device(now.instant, name);
            }
            Done::Opened(Err(why)) => self.not_opened(why),
            Done::Kept { request, id, made } => self.kept(now, request, id, made),
            Done::Stored { token, id, known, state } => {
                self.session.handle_stored(now.instant, token, id.is_some());
                if let Some(account) = &mut self.account {
                    // The list is read while the server is asked for the next message.
                    account.list(now.instant);
                    self.events.extend(account.stored(token, id, known, state));
                }
            }
            Done::Deliveries { version, ids, more } => {
                self.session.handle_delivered(now.instant, version);
                self.events.extend(ids.into_iter().map(|id| Event::Outgoing { id, state: SendState::Delivered }));
                self.events.extend(more.then_some(Event::RowsChanged));
            }
            Done::Items { version, lists } => {
                if lists {
                    self.lists_changed();
                }
                self.session.handle_items(now.instant, version);
            }
            Done::ItemChanges(changes) => self.session.set_items(now.instant, changes),
            Done::Friends(friends) => self.events.push_back(Event::Friends(friends)),
            Done::Delivered(id) => self.events.push_back(Event::Outgoing { id, state: SendState::Delivered }),
            Done::Resent { id, to, text } => {
                self.came_further(id, SendState::Waiting);
                self.session.send(now.instant, id, to, text);
            }
            Done::Made { peer, row } => self.events.push_back(Event::Message { peer, row }),
            Done::Noted { id, noted } => {
                self.session.handle_noted(now.instant, id, noted);
            }
            Done::Profiles(profiles) => {
                self.account.iter_mut().for_each(|account| account.names.read(&profiles));
                self.events.push_back(Event::Profiles(profiles));
            }
            Done::Conversations(list, more) => {
                let people: Vec<Account> = list.iter().map(|c| c.contact.account.clone()).collect();
                self.want_names(now, people);
                let also = self.account.as_mut().and_then(|account| account.listed(&list, more));
                self.events.push_back(Event::Conversations(list));
                self.events.extend(also);
            }
            Done::Past { peer, messages, more } => {
                self.events.push_back(Event::Past { peer, messages, more });
                if let Some(account) = &mut self.account {
                    account.list(now.instant);
                }
            }
            Done::Oldest { peer, row } => self.session.history(now.instant, peer, row, EARLIER),
            Done::Index { peer, rows } => self.events.push_back(Event::Index { peer, rows }),
            Done::Page { peer, first, rows } => self.events.push_back(Event::Page { peer, first, rows }),
            Done::Last { peer, rows } => self.events.push_back(Event::Last { peer, rows }),
            Done::Found { text, rows } => self.events.push_back(Event::Found { text, rows }),
            Done::Outbox(unsent) => unsent.into_iter().for_each(|message| self.go_on_with(now, message)),
            Done::Imported(result) => self.events.push_back(Event::Imported(result)),
            Done::Exported(result) => self.events.push_back(Event::Exported(result)),
            Done::Unblocked(account) => self.events.push_back(Event::Unblocked(account)),
            Done::Settled => self.events.push_back(Event::Settled),
            Done::Failed(trouble) => self.trouble_is(&trouble),
            Done::NotRead { op, trouble } => self.not_read(op, &trouble),
            Done::Withdrawn(done) => self.events.push_back(Event::Withdrawn(done)),
            Done::Drafts(drafts) => self.events.push_back(Event::Drafts(drafts)),
        }
    }

    /// Who is online, which is told together with who came and went.
    fn are_online(&mut self, now: Now, accounts: Vec<Account>) {
        if let Some(account) = &mut self.account {
            let events = account.comings_and_goings(&accounts);
            for event in &events {
                if let Event::CameOnline(came) = event {
                    account.names.came(came);
                }
            }
            self.events.extend(events);
        }
        self.events.push_back(Event::Online(accounts.clone()));
        self.want_names(now, accounts);
    }

    /// Notes that the server has accepted or refused a change of the lists; after a refusal they are shown as before.
    fn item_set(&mut self, number: u64, refused: Option<Code>) {
        self.submit(Op::Write(Write::ItemSet { number, taken: refused.is_none() }));
        if let Some(code) = refused {
            self.lists_changed();
            self.events.push_back(Event::ItemRefused(code));
        }
    }

    /// Reads the lists again, which may have changed, and the changes that wait for the server.
    fn lists_changed(&self) {
        self.submit(Op::Read(Read::ItemChanges));
        self.submit(Op::Read(Read::Friends));
        self.submit(Op::Read(Read::Conversations));
    }

    fn zone_is(&mut self, zone: Option<i32>, changed: bool) {
        if let Some(account) = &mut self.account {
            account.zone = zone;
        }
        if changed {
            self.events.push_back(Event::RowsChanged);
            self.submit(Op::Read(Read::Conversations));
        }
    }

    fn not_opened(&mut self, NotOpened { sentence, damaged }: NotOpened) {
        let name = self.account.as_ref().map(|account| account.name.clone());
        self.close_account();
        log::error!("{sentence}");
        match name.filter(|_| damaged) {
            Some(name) => self.say_damaged(&name, false),
            None => self.events.push_back(Event::NotOpened(sentence)),
        }
    }

    /// Sends a message that is now on disk as this row, or reports that it could not be stored.
    fn kept(&mut self, now: Now, request: u64, id: Option<MessageId>, made: Option<i64>) {
        let kept = self.account.as_mut().and_then(|account| account.kept(request));
        let Some(UnstoredMessage { to, text: message, unix_ms }) = kept else { return };
        let text = message.as_str().to_owned();
        let Some(id) = id else { return self.events.push_back(Event::NotKept { peer: to, text }) };
        let state = Some(SendState::Waiting);
        let row = Row { id, text, unix_ms, came_ms: None, server_time: None, state, repeat: false, note: false };
        self.events.push_back(Event::Message { peer: to.clone(), row });
        self.session.send(now.instant, id, Recipient { account: to, made }, message);
    }

    /// Learns the time zone of a plain server's clock from a message whose time is known otherwise: a message that a
    /// Hongyan server pushed together with the time text it showed in the plain dialect, or one that arrived after the
    /// server had said that none was waiting.
    fn learn_zone(&mut self, now: Now, words: &str, at: Option<i64>) {
        let Some(account) = &mut self.account else { return };
        let times = match at {
            Some(at) => Some((at.saturating_mul(1_000), at.saturating_mul(1_000))),
            None => account.nothing_waits.map(|since| (since, now.unix_ms)),
        };
        let learned = face(words).zip(times).and_then(|(face, (from, until))| zone(face, from, until));
        if learned.is_some_and(|zone| account.zone != Some(zone)) {
            log::info!("the server's clock is {learned:?} seconds before UTC");
            account.zone = learned;
            account.submit(Op::Write(Write::Zone(learned.unwrap_or_default())));
        }
    }

    /// Notes the time if this datagram of a plain server says that no message is waiting there.
    pub(super) fn note_nothing_waits(&mut self, at: Now, bytes: &[u8]) {
        if let Some(account) = &mut self.account
            && self.session.speaks() == Some(SpokenDialect::Plain)
            && matches!(Reply::decode(bytes, &mut Learned::default()), Reply::CountAll(0) | Reply::TakeAll(None))
        {
            account.nothing_waits = Some(at.unix_ms);
        }
    }

    fn opened(&mut self, now: Now, device: DeviceState) {
        let Some(account) = &mut self.account else { return };
        let name = account.name.clone();
        let opening = account.opening.take();
        self.session.set_encrypted_only(self.is_encrypted_only(&name));
        match opening {
            Some(Credential::Password(password)) => self.session.login(now.instant, name, password, device),
            Some(Credential::Token) => self.session.resume(now.instant, name, device),
            None => {}
        }
    }

    /// Continues with an unsettled message of an earlier session.
    fn go_on_with(&mut self, now: Now, Unsent { id, to, text, again, made }: Unsent) {
        let Ok(text) = MessageText::parse(&text) else { return };
        let to = Recipient { account: to, made };
        if again {
            self.came_further(id, SendState::Sending);
            self.session.send_again(now.instant, id, to, text);
        } else {
            self.session.send(now.instant, id, to, text);
        }
    }
}
