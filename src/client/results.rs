//! What the session and the history say, and what follows from it.

use super::local::keep_key;
use super::{Client, EARLIER, Event, Incoming, Kept};
use crate::history::{Done, Op, Row, Unsent, time_of};
use crate::model::{Account, MessageId, MessageText, SendState};
use crate::net::Now;
use crate::session::{self, Kept as Device, Speaks, StoreToken};

impl Client {
    pub(super) fn session_event(&mut self, now: Now, event: session::Event) {
        let event = match event {
            session::Event::Received { token, from, time, text, raw, repeat, pushed } => {
                let handed = Some(time.clone()).filter(|time| pushed.is_some() && !time.is_empty());
                let time = pushed.map_or(time, |pushed| time_of(pushed.at));
                let row = Row {
                    id: MessageId(0),
                    text: text.clone(),
                    unix_ms: now.unix_ms,
                    server_time: Some(time.clone()),
                    state: None,
                    repeat,
                };
                let kept = pushed.is_some() || self.ours;
                self.incoming.insert(token, Incoming { row, from: from.clone(), kept });
                if let Some(history) = &self.history {
                    let unix_ms = now.unix_ms;
                    let server_time = time;
                    history.submit(Op::Received {
                        token,
                        from,
                        server_time,
                        text,
                        raw,
                        repeat,
                        unix_ms,
                        pushed,
                        handed,
                    });
                }
                return;
            }
            session::Event::Own { token, to, text, pushed, by } => {
                let row = Row {
                    id: MessageId(0),
                    text: text.clone(),
                    unix_ms: pushed.at.saturating_mul(1_000),
                    server_time: None,
                    state: Some(SendState::Sent),
                    repeat: false,
                };
                self.incoming.insert(token, Incoming { row, from: to.clone(), kept: true });
                return self.submit(Op::Own { token, to, text, pushed, by });
            }
            session::Event::Numbered { id, row } => return self.submit(Op::Numbered { id, row }),
            session::Event::Outgoing { id, state } => {
                if matches!(state, SendState::Waiting | SendState::Sending) {
                    self.unsent.insert(id, state);
                } else {
                    self.unsent.remove(&id);
                }
                if let Some(history) = &self.history {
                    let secure = self.session.speaks() == Some(Speaks::Secure);
                    history.submit(Op::State { id, state, secure });
                }
                Event::Outgoing { id, state }
            }
            session::Event::Refused { id, state } => {
                self.unsent.remove(&id);
                self.submit(Op::Refused { id, state });
                Event::Outgoing { id, state }
            }
            session::Event::Link(link) => Event::Link(link),
            session::Event::Registered(outcome) => Event::Registered(outcome),
            session::Event::LoggedIn(outcome) => Event::LoggedIn(outcome),
            session::Event::WentOffline(was) => Event::WentOffline(was),
            session::Event::MaybeLost(n) => Event::MaybeLost(n),
            session::Event::Online(accounts) => {
                self.comings_and_goings(&accounts);
                Event::Online(accounts)
            }
            session::Event::Extensions(known) => {
                self.ours = known;
                Event::Extensions(known)
            }
            session::Event::Speaks(speaks) => Event::Speaks(speaks),
            session::Event::PlainOnly { was_secure } => Event::PlainOnly { was_secure },
            session::Event::Pin(key) => {
                keep_key(&self.config, &key);
                Event::Pinned(key)
            }
            session::Event::KeyChanged(change) => Event::KeyChanged(change),
            session::Event::Kicked { address, at } => Event::Kicked { address, at },
            session::Event::TookPlace { address } => Event::TookPlace { address },
            session::Event::History { peer, messages, more } => {
                // After everything that was pushed before it.
                match self.account.clone() {
                    Some(own) => return self.submit(Op::Past { own, peer, messages, more }),
                    None => Event::Past { peer, messages, more },
                }
            }
            session::Event::AccountSettings(settings) => Event::AccountSettings(settings),
            session::Event::Begins(row) => return self.submit(Op::Begin(row)),
            session::Event::Token(token) => return self.keep_token(token),
            session::Event::NameTaken => return self.submit(Op::NewDevice),
            session::Event::NotUnderstood(bytes) => Event::NotUnderstood(crate::wire::show::starred(&bytes)),
        };
        self.events.push_back(event);
    }

    fn submit(&self, op: Op) {
        if let Some(history) = &self.history {
            history.submit(op);
        }
    }

    /// Says who came and went since the last list; both are sorted.
    fn comings_and_goings(&mut self, new: &[Account]) {
        let Some(old) = self.online.replace(new.to_vec()) else { return };
        let came = new.iter().filter(|a| old.binary_search(a).is_err());
        self.events.extend(came.cloned().map(Event::CameOnline));
        let went = old.iter().filter(|a| new.binary_search(a).is_err());
        self.events.extend(went.cloned().map(Event::WentAway));
    }

    pub(super) fn stored(&mut self, now: Now, done: Done) {
        match done {
            Done::Opened(Ok(device)) => self.opened(now, device),
            Done::Renamed(name) => {
                match name {
                    Some(_) => self.note_staying(false),
                    None => self.events.push_back(Event::DiskTrouble("device".to_owned())),
                }
                self.session.set_device(now.instant, name);
            }
            Done::Opened(Err(error)) => {
                self.close_account();
                self.events.push_back(Event::DiskTrouble(error));
            }
            Done::Kept { request, id } => {
                let Some(Kept { to, text, unix_ms }) = self.keeping.remove(&request) else { return };
                let Some(id) = id else {
                    let text = text.as_str().to_owned();
                    return self.events.push_back(Event::NotKept { peer: to, text });
                };
                let state = Some(SendState::Waiting);
                let row = Row { id, text: text.as_str().to_owned(), unix_ms, server_time: None, state, repeat: false };
                self.events.push_back(Event::Message { peer: to.clone(), row });
                self.session.send(now.instant, id, to, text);
            }
            Done::Stored { token, id, known } => {
                self.session.handle_stored(now.instant, token, id.is_some());
                // While the server is asked for the next one.
                self.list(now);
                self.kept_or_not(token, id, known);
            }
            Done::Noted { id, noted } => {
                if !noted {
                    self.events.push_back(Event::DiskTrouble(format!("message {}", id.0)));
                }
                self.session.handle_noted(now.instant, id, noted);
            }
            Done::Conversations(list, more) => {
                self.blocked = list.iter().filter(|c| c.contact.blocked).map(|c| c.contact.account.clone()).collect();
                self.events.push_back(Event::Conversations(list));
                if more != self.more_strangers || more.people > 0 {
                    self.more_strangers = more;
                    self.events.push_back(Event::MoreStrangers(more));
                }
            }
            Done::Past { peer, messages, more } => {
                self.events.push_back(Event::Past { peer, messages, more });
                self.list(now);
            }
            Done::Oldest { peer, row } => self.session.history(now.instant, peer, row, EARLIER),
            Done::Index { peer, rows } => self.events.push_back(Event::Index { peer, rows }),
            Done::Page { peer, first, rows } => self.events.push_back(Event::Page { peer, first, rows }),
            Done::Last { peer, rows } => self.events.push_back(Event::Last { peer, rows }),
            Done::Found { text, rows } => self.events.push_back(Event::Found { text, rows }),
            Done::Outbox(unsent) => unsent.into_iter().for_each(|message| self.go_on_with(now, message)),
            Done::Imported(result) => self.events.push_back(Event::Imported(result)),
            Done::Exported(result) => self.events.push_back(Event::Exported(result)),
            Done::Failed(error) => self.events.push_back(Event::DiskTrouble(error)),
        }
    }

    /// A message that arrived is on disk, or could not be stored.
    fn kept_or_not(&mut self, token: StoreToken, id: Option<MessageId>, known: bool) {
        let Some(Incoming { mut row, from, kept }) = self.incoming.remove(&token) else { return };
        match id {
            Some(id) => row.id = id,
            None => self.events.push_back(Event::DiskTrouble(from.as_str().to_owned())),
        }
        // Ours offers it again; elsewhere this is the only time it is seen.
        if id.is_none() && kept {
            return;
        }
        // Blocked people's messages and held-back repeats are kept and not shown; what was there is shown already.
        let shown = row.state.is_some() || !self.blocked.contains(&from);
        if !row.repeat && !known && shown {
            self.events.push_back(Event::Message { peer: from, row });
        }
    }

    fn opened(&mut self, now: Now, device: Device) {
        match self.account.clone().zip(self.opening.take()) {
            Some((account, Some(password))) => self.session.login(now.instant, account, password, device),
            Some((account, None)) => self.session.resume(now.instant, account, device),
            None => {}
        }
    }

    /// A message of before that is not settled.
    fn go_on_with(&mut self, now: Now, Unsent { id, to, text, again }: Unsent) {
        let Ok(text) = MessageText::parse(&text) else { return };
        if again {
            self.unsent.insert(id, SendState::Sending);
            self.session.send_again(now.instant, id, to, text);
        } else {
            self.session.send(now.instant, id, to, text);
        }
    }
}
