//! One job for a script: send, receive, or read what is kept. The result goes to standard output, everything else to
//! standard error, and the exit code says how it went.
//!
//! Its parts:
//!
//! - `entering`: logging in, and which server to trust.
//! - `sending`: a message and its exit code.
//! - `past`: messages that the server keeps.

pub(super) mod entering;
mod past;
mod sending;

use std::collections::HashMap;
use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::AtomicI32;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, at, never, select};
use rust_i18n::t;

use super::json;
use super::screen::harmless;
use super::talk::when_in_full;
use super::{Input, TermError};
use crate::base::cli::Face;
use crate::base::model::{Account, MessageId, Password, SendState, names};
use crate::base::settings::Settings;
use crate::base::shown;
use crate::client::history::{Conversation, Row, rescue};
use crate::client::net::clock;
use crate::client::roster::Roster;
use crate::client::session::{Polling, SpokenDialect};
use crate::client::{Client, Config, Event};
use crate::local::server_choice::ServerChoice;
use crate::protocol::wire::Reply;
use crate::protocol::wire::frame::Reason;
use crate::protocol::wire::reply::Learned;

/// How long going offline may take; the session gives up after a second, whatever the server does.
const LEAVE: Duration = Duration::from_millis(1_200);
/// The most rows that are read to find the unread ones among them.
const UNREAD_SCAN: u64 = 500;

/// The job to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Job {
    /// Sends a text and waits for the server's answer.
    Send {
        /// An account or a friend's remark.
        to: String,
        /// The text, of any length.
        text: String,
        /// The most messages that the text may be sent as.
        parts: usize,
    },
    /// Prints the unread messages, here and at the server.
    Receive {
        /// Whether to wait for the first message if there is none.
        wait: bool,
        /// Whether to go on until the program is told to end.
        follow: bool,
        /// Whether to print JSON, one object a line.
        json: bool,
    },
    /// Prints the last messages of a conversation from this computer's history; sends nothing.
    History {
        /// An account or a friend's remark.
        with: String,
        /// How many messages.
        count: u32,
        /// Whether to print JSON, one object a line.
        json: bool,
    },
    /// Prints messages of a conversation that the server keeps.
    Past {
        /// An account or a friend's remark.
        with: String,
        /// How many messages.
        count: u32,
        /// Only messages older than this row of the server.
        before: Option<u64>,
        /// Whether to print JSON, one object a line.
        json: bool,
    },
    /// Prints the list of friends; sends nothing.
    Friends {
        /// Whether to print JSON, one object a line.
        json: bool,
    },
    /// Logs in by password and has this device remembered, so that later jobs need none.
    Stay,
    /// Makes this device forgotten here; sends nothing.
    Forget,
    /// Saves what can be read of a damaged history; sends nothing.
    Rescue,
}

/// A job and how it is done.
#[derive(Debug, Clone)]
pub struct Script {
    /// The options that both faces have: server, account, folders, language.
    pub face: Face,
    /// The password from a file or the environment.
    pub password: Option<Password>,
    /// Whether to end the account's session elsewhere.
    pub take_over: bool,
    /// The words of a new key of the server that is to be accepted.
    pub trust_key: Option<String>,
    /// How long the server may take to answer.
    pub timeout: Duration,
    /// The job to be done.
    pub job: Job,
}

/// The exit code of the program.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Exit {
    /// The job was done.
    Done = 0,
    /// A failure of this machine: the disk, the network, or the account is open in another program here.
    Trouble = 1,
    /// Something is missing, such as the account, or the password on a device that is not remembered; or what was given
    /// cannot be sent as it is.
    Usage = 2,
    /// The server refused the login or the message, another device has logged in instead of this one, or the server
    /// does not have what was asked for, such as a lobby or devices that stay logged in. What was refused was not sent;
    /// other parts of a text in several messages may have been.
    Refused = 3,
    /// The server did not answer in time, or the connection ended. Only then does a message stay in the outbox.
    NoAnswer = 4,
    /// The account does not exist, or no longer; or the receiver is offline at a server that may keep the message.
    Offline = 5,
    /// There was no message.
    Nothing = 6,
    /// The program was told to end before it was done.
    Interrupted = 7,
    /// The server cannot be trusted: it shows another key than before, or none.
    Untrusted = 9,
    /// The server answers, but has not said what became of this message, or nothing that the protocol knows. The
    /// message may have arrived.
    Unanswered = 10,
}

/// Ends the job with this exit code and message.
#[derive(Debug)]
struct Stop(Exit, String);

impl From<TermError> for Stop {
    fn from(error: TermError) -> Self {
        Self(Exit::Trouble, error.to_string())
    }
}

impl From<crate::client::ClientError> for Stop {
    fn from(error: crate::client::ClientError) -> Self {
        Self(Exit::Trouble, error.to_string())
    }
}

impl From<io::Error> for Stop {
    fn from(error: io::Error) -> Self {
        Self(Exit::Trouble, crate::base::trouble::words(&error))
    }
}

/// Does the job, and writes errors to standard error.
#[must_use]
pub fn run(script: Script) -> Exit {
    match Running::start(script).and_then(Running::job) {
        Ok(exit) => exit,
        Err(Stop(exit, why)) => {
            if !why.is_empty() {
                say(&why);
            }
            exit
        }
    }
}

fn say(text: &str) {
    // The script may have closed standard error.
    let _ = writeln!(io::stderr(), "hongyan-term: {text}");
}

/// A client that is doing a job.
struct Running {
    client: Client,
    rings: Receiver<()>,
    inputs: Receiver<Input>,
    me: Account,
    script: Script,
    roster: Roster,
    /// The messages that are being sent.
    own: HashMap<MessageId, SendState>,
    /// Whether a new key of the server was accepted in this run.
    trusted: bool,
    /// Set if the server has told the login to try later, with the reason if it gave one.
    put_off: Option<Option<Reason>>,
    /// The keys of the terminal, once a password was asked for: from then on a thread reads it.
    keys: Option<Receiver<Input>>,
    /// The exit code if the program is told to end in the middle of something.
    told_to_end: Arc<AtomicI32>,
}

impl Running {
    fn start(script: Script) -> Result<Self, Stop> {
        let paths = script.face.paths().map_err(TermError::from)?;
        let (settings, complaint) = Settings::load(&paths.settings);
        rust_i18n::set_locale(script.face.language().unwrap_or(settings.language).locale());
        if let Some(complaint) = complaint {
            say(&complaint.to_string());
        }
        let name = script.face.account.as_deref().unwrap_or(&settings.account);
        if name.is_empty() {
            return Err(Stop(Exit::Usage, t!("term.no_account").into_owned()));
        }
        let me = Account::person(name).map_err(|_| Stop(Exit::Usage, t!("gui.bad_account").into_owned()))?;
        let mut place = ServerChoice::of(script.face.server.as_deref(), false, &settings);
        let sends = !matches!(script.job, Job::History { .. } | Job::Friends { .. } | Job::Forget | Job::Rescue);
        // The file of the history is named after the server's address; this machine's own server always has the same
        // name.
        if sends || !place.is_known() {
            // If the server is unknown, nothing can be kept.
            let exit = if matches!(script.job, Job::Send { .. }) { Exit::Trouble } else { Exit::NoAnswer };
            if let Some(found) = place.search(&paths).map_err(|why| Stop(exit, why))? {
                place.take(found);
            }
        }
        let (inputs, waiting) = crossbeam_channel::unbounded();
        let told_to_end = Arc::new(AtomicI32::new(Exit::Interrupted as i32));
        #[cfg(unix)]
        super::end_by_signals(inputs, Arc::clone(&told_to_end), false)?;
        #[cfg(not(unix))]
        drop(inputs);
        let (ring, rings) = crossbeam_channel::bounded(1);
        let config = Config {
            server: place.address(),
            name: place.name(),
            bind: script.face.bind,
            data: paths.histories,
            polling: Polling::Adaptive,
            dialect: script.face.dialect(),
            allow_plain: script.face.allow_plain,
        };
        let mut client = Client::open(config, move || {
            let _ = ring.try_send(());
        })?;
        // A job that a timer has started must not log out somebody who sits at a window.
        client.log_in_if_free();
        Ok(Self {
            client,
            rings,
            inputs: waiting,
            roster: Roster::new(me.clone()),
            me,
            script,
            own: HashMap::new(),
            trusted: false,
            put_off: None,
            keys: None,
            told_to_end,
        })
    }

    fn job(mut self) -> Result<Exit, Stop> {
        match self.script.job.clone() {
            Job::Send { to, text, parts } => self.send(&to, &text, parts),
            Job::Receive { wait, follow, json } => self.receive(wait, follow, json),
            Job::History { with, count, json } => self.history(&with, count, json),
            Job::Past { with, count, before, json } => self.past(&with, count, before, json),
            Job::Friends { json } => self.friends(json),
            Job::Stay => self.stay(),
            Job::Forget => self.forget(),
            Job::Rescue => self.rescue(),
        }
    }

    /// Waits for an event that is `wanted`; `None` if the time is over.
    fn until<R>(
        &mut self,
        end: Option<Instant>,
        mut wanted: impl FnMut(&mut Client, Event) -> Option<R>,
    ) -> Result<Option<R>, Stop> {
        loop {
            let more = self.client.pump(clock::now);
            while let Some(event) = self.client.poll_event() {
                if self.judged(&event)? {
                    continue;
                }
                if let Some(found) = wanted(&mut self.client, event) {
                    return Ok(Some(found));
                }
            }
            if more {
                continue;
            }
            let over = end.map_or_else(never, at);
            select! {
                recv(self.rings) -> _ => {}
                recv(self.inputs) -> input => if input.is_ok() {
                    return Err(Stop(Exit::Interrupted, String::new()));
                },
                recv(over) -> _ => return Ok(None),
            }
        }
    }

    /// Prints that messages may have been lost, even if nothing waits for that any more, as after the answer that ends
    /// a job.
    fn say_lost(&self, messages: u64) -> Result<(), Stop> {
        say(&crate::client::lost(messages));
        if matches!(self.script.job, Job::Receive { json: true, .. }) {
            write(&json::lost(messages))?;
        }
        Ok(())
    }

    fn deadline(&self) -> Option<Instant> {
        clock::now().instant.checked_add(self.script.timeout)
    }

    fn open_history(&mut self) -> Result<(), Stop> {
        self.client.open_history(self.me.clone())?;
        self.until(None, |_, event| matches!(event, Event::Conversations(_)).then_some(())).map(drop)
    }

    /// From here on every wait ends soon by itself, so another signal must not cut it short.
    fn no_more_inputs(&mut self) {
        self.inputs = never();
    }

    /// Goes offline, and waits until everything is on disk.
    fn leave(&mut self) {
        self.no_more_inputs();
        let now = clock::now();
        self.client.go_offline(now);
        let end = now.instant + LEAVE;
        let _ = self.until(Some(end), |_, event| matches!(event, Event::WentOffline(_)).then_some(()));
        self.client.close_account();
    }

    fn resolve(&self, name: &str) -> Result<Account, Stop> {
        let found = self.roster.resolve(name).map_or_else(|| Account::parse(name), Ok);
        found.map_err(|_| Stop(Exit::Usage, t!("gui.bad_account").into_owned()))
    }

    fn receive(&mut self, wait: bool, follow: bool, json: bool) -> Result<Exit, Stop> {
        // A message that is printed counts as read, so those that came earlier are printed first.
        self.open_history()?;
        let mut printed = 0_usize;
        for (peer, row) in self.unread_here()? {
            self.print(&peer, &row, json)?;
            printed += 1;
        }
        self.client.set_tap(true);
        self.log_in()?;
        let end = if wait || follow { None } else { self.deadline() };
        let mut failed = None;
        let roster = self.roster.clone();
        // The secure dialect pushes messages and does not say when there are no more. But a question is answered after
        // the messages that were pushed before it.
        let secure = self.client.connection().speaks == Some(SpokenDialect::Secure);
        let me = self.me.clone();
        let mut asked = printed;
        if secure {
            self.client.past(clock::now(), me.clone(), None, 1);
        }
        let received = self.until(end, |client, event| match event {
            Event::Past { .. } if !follow => {
                let more = std::mem::replace(&mut asked, printed) != printed;
                if !more && (printed > 0 || !wait) {
                    return Some(());
                }
                if more {
                    client.past(clock::now(), me.clone(), None, 1);
                }
                None
            }
            Event::Message { peer, row } if row.note => {
                // A note is printed before what follows from it, but it is no message: it neither ends the job nor
                // counts.
                let said = line(&roster, &peer, &row, json);
                if json {
                    failed = write(&said).err();
                } else {
                    say(&said);
                }
                failed.is_some().then_some(())
            }
            Event::Message { peer, row } if row.state.is_none() => {
                if let Err(error) = write(&line(&roster, &peer, &row, json)) {
                    failed = Some(error);
                    return Some(());
                }
                client.mark_read(peer);
                printed += 1;
                if secure && wait {
                    client.past(clock::now(), me.clone(), None, 1);
                }
                None
            }
            // The server has no more messages.
            Event::Tap(record) if !follow && (printed > 0 || !wait) && is_end(&record.bytes) => Some(()),
            _ => None,
        });
        self.leave();
        if let Some(error) = failed {
            return Err(error.into());
        }
        match received {
            // A job that follows is ended by telling it to end.
            Err(Stop(Exit::Interrupted, _)) if follow => Ok(Exit::Done),
            Err(stop) => Err(stop),
            Ok(None) => Err(Stop(Exit::NoAnswer, t!("gui.no_answer").into_owned())),
            Ok(Some(())) if printed == 0 => Ok(Exit::Nothing),
            Ok(Some(())) => Ok(Exit::Done),
        }
    }

    /// Returns the messages that have arrived and were not looked at, oldest first.
    fn unread_here(&mut self) -> Result<Vec<(Account, Row)>, Stop> {
        let waiting: Vec<Conversation> =
            self.roster.conversations().iter().filter(|c| c.unread > 0 && !c.contact.blocked).cloned().collect();
        let mut found = Vec::new();
        for conversation in waiting {
            let peer = conversation.contact.account;
            let rows = self.last(&peer, u32::try_from(conversation.unread + UNREAD_SCAN).unwrap_or(u32::MAX))?;
            let theirs: Vec<Row> = rows.into_iter().filter(|row| row.state.is_none() && !row.note).collect();
            let unread = usize::try_from(conversation.unread).unwrap_or(usize::MAX);
            let seen = theirs.len().saturating_sub(unread);
            found.extend(theirs.into_iter().skip(seen).map(|row| (peer.clone(), row)));
            self.client.mark_read(peer);
        }
        found.sort_by_key(|(_, row)| row.id);
        Ok(found)
    }

    fn last(&mut self, peer: &Account, count: u32) -> Result<Vec<Row>, Stop> {
        self.client.last(peer.clone(), count);
        let rows = self.until(None, |_, event| match event {
            Event::Last { rows, .. } => Some(rows),
            _ => None,
        })?;
        Ok(rows.unwrap_or_default())
    }

    fn history(&mut self, with: &str, count: u32, json: bool) -> Result<Exit, Stop> {
        self.open_history()?;
        let peer = self.resolve(with)?;
        let rows = self.last(&peer, count)?;
        for row in &rows {
            self.print(&peer, row, json)?;
        }
        Ok(if rows.is_empty() { Exit::Nothing } else { Exit::Done })
    }

    fn friends(&mut self, as_json: bool) -> Result<Exit, Stop> {
        self.open_history()?;
        for c in self.roster.conversations() {
            let line = if as_json {
                json::conversation(c)
            } else {
                let remark = if c.contact.remark.is_empty() { "" } else { &c.contact.remark };
                let account = harmless(&c.contact.account.shown());
                format!("{account}\t{}\t{}\t{}", harmless(&names::tidy(remark)), harmless(&c.contact.group), c.unread)
            };
            write(&line)?;
        }
        Ok(Exit::Done)
    }

    fn rescue_hint(&self) -> String {
        t!("term.rescue_hint", account = harmless(self.me.as_str())).into_owned()
    }

    fn rescue(&self) -> Result<Exit, Stop> {
        let path = self.client.history_path(&self.me);
        if !path.exists() {
            return Err(Stop(Exit::Nothing, t!("term.no_history", path = path.display()).into_owned()));
        }
        let rescued = rescue(&path).map_err(|error| Stop(Exit::Trouble, error.to_string()))?;
        say(&rescued.sentence());
        Ok(Exit::Done)
    }

    fn print(&self, peer: &Account, row: &Row, json: bool) -> io::Result<()> {
        write(&line(&self.roster, peer, row, json))
    }
}

/// Writes a message for people, with the names of the list, or for programs, with accounts.
fn line(roster: &Roster, peer: &Account, row: &Row, as_json: bool) -> String {
    if as_json {
        return json::message(peer, roster.remark(peer), row);
    }
    let name = harmless(&roster.name(peer));
    if row.note {
        return format!("{} {name}: {}", when_in_full(row), row.text);
    }
    let arrow = if row.state.is_some() { "→ " } else { "" };
    let (writer, text) = names::writer_and_text(&row.text, peer.is_room(), row.state.is_some());
    let who = match writer {
        Some(writer) => format!("{name} {}", harmless(&roster.writer(&writer))),
        None => name,
    };
    let text = shown::message(text).replace('\n', "\n      ");
    let mark = if row.repeat { format!(" ({})", t!("chat.repeat")) } else { String::new() };
    format!("{} {arrow}{who}: {text}{mark}", when_in_full(row))
}

fn write(line: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(line.as_bytes())?;
    out.write_all(b"\n")?;
    out.flush()
}

/// Returns whether the server says with this that nothing is left.
fn is_end(datagram: &[u8]) -> bool {
    matches!(Reply::decode(datagram, &mut Learned::default()), Reply::CountAll(0) | Reply::TakeAll(None))
}
