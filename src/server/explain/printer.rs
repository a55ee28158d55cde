//! What the thread of `--explain` prints: each request and its reply, what a client does wrong, and how many requests
//! are not shown.

use std::collections::{HashMap, VecDeque};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::{self, Write};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use chrono::{DateTime, Local, TimeZone};
use crossbeam_channel::{Receiver, RecvTimeoutError};
use rust_i18n::t;
use serde_json::{Value, json};

use super::flood::{Flood, HiddenCount};
use super::watch::{Note, Silence, Watch};
use super::{ADDRESSES, ASKED, Epoch, Event, EventKind, OutputFormat, QUIET, WAITING};
use crate::protocol::wire::explain::{Explanation, Name, explain, readable};
use crate::protocol::wire::show;

/// A request that may still be answered.
#[derive(Debug)]
pub(super) struct OpenRequest {
    pub(super) number: u64,
    pub(super) at: Instant,
    pub(super) operation: Option<u8>,
    pub(super) is_request: bool,
    /// Whether it is a 01 with four fields, a change of password, whose reply codes mean something else.
    pub(super) changes_password: bool,
    /// The hash of its bytes, by which a retransmission is recognised.
    pub(super) hash: u64,
    /// The account that logs in with it.
    pub(super) account: Option<String>,
    /// Whether it was shown, so that its reply is shown too.
    pub(super) shown: bool,
}

impl OpenRequest {
    /// Returns whether this reply can be the answer to it.
    fn is_answered_by(&self, reply: &[u8]) -> bool {
        let operation = match reply {
            [a, b, ..] if a.is_ascii_digit() && b.is_ascii_digit() => (a - b'0') * 10 + (b - b'0'),
            _ => return false,
        };
        match operation {
            // A valid request gets it only if the server is full, or if the message is too long with its sender's name.
            0 => !self.is_request || matches!(self.operation, Some(1 | 3 | 10)),
            7 => self.is_request && matches!(self.operation, Some(3..=5 | 8 | 9 | 11)),
            _ => self.is_request && self.operation == Some(operation),
        }
    }
}

pub(super) struct Printer<W> {
    output: W,
    form: OutputFormat,
    locale: &'static str,
    epoch: Epoch,
    dropped: Arc<AtomicU64>,
    number: u64,
    asked: HashMap<SocketAddr, VecDeque<OpenRequest>>,
    watch: Watch,
    pub(super) flood: Flood,
}

impl<W: Write> Printer<W> {
    pub(super) fn new(
        output: W,
        form: OutputFormat,
        locale: &'static str,
        epoch: Epoch,
        dropped: Arc<AtomicU64>,
    ) -> Self {
        let (asked, watch, flood) = (HashMap::new(), Watch::default(), Flood::default());
        Self { output, form, locale, epoch, dropped, number: 0, asked, watch, flood }
    }

    pub(super) fn run(&mut self, events: &Receiver<Event>) -> io::Result<()> {
        loop {
            let next = if self.flood.has_hidden() {
                events.recv_timeout(QUIET)
            } else {
                events.recv().map_err(|_| RecvTimeoutError::Disconnected)
            };
            let mut text = String::new();
            let event = match next {
                Ok(event) => event,
                Err(error) => {
                    for hidden in self.flood.close() {
                        self.hidden(&hidden, &mut text);
                    }
                    self.output.write_all(text.as_bytes())?;
                    self.output.flush()?;
                    if error == RecvTimeoutError::Disconnected {
                        return Ok(());
                    }
                    continue;
                }
            };
            // One write for all that waits.
            for event in std::iter::once(event).chain(events.try_iter().take(WAITING)) {
                self.print(&event, &mut text);
            }
            let dropped = self.dropped.swap(0, Ordering::Relaxed);
            if dropped > 0 {
                // What was missed may have been a login, or the end of one.
                self.watch.forget();
                text.push_str(&match self.form {
                    OutputFormat::Json => json!({"kind": "dropped", "datagrams": dropped}).to_string(),
                    OutputFormat::Lines(_) => t!("explain.dropped", locale = self.locale, n = dropped).into_owned(),
                });
                text.push('\n');
            }
            self.output.write_all(text.as_bytes())?;
            self.output.flush()?;
        }
    }

    pub(super) fn print(&mut self, event: &Event, text: &mut String) {
        match &event.what {
            EventKind::Request { bytes, size, charset } => {
                let mut datagram = bytes.clone();
                // Of the bytes beyond what is read, only the number matters.
                datagram.resize(*size, b'.');
                self.request(event, &datagram, &explain(&datagram, *charset), hash(bytes), text);
            }
            EventKind::Reply { bytes } => self.reply(event, bytes, text),
        }
    }

    fn request(&mut self, event: &Event, datagram: &[u8], explained: &Explanation, hash: u64, text: &mut String) {
        self.number += 1;
        let number = self.number;
        let (shown, hidden) = self.flood.request(event.at, event.peer, hash);
        if let Some(hidden) = hidden {
            self.hidden(&hidden, text);
        }
        if shown {
            self.show_request(event, explained, number, text);
        }
        let none = VecDeque::new();
        let waiting = self.asked.get(&event.peer).unwrap_or(&none);
        let notes = self.watch.request(event.at, event.peer, datagram, explained, (number, hash), waiting);
        self.notes(event, number, &notes, text);
        if explained.is_never_answered() {
            return;
        }
        if self.asked.len() >= ADDRESSES && !self.asked.contains_key(&event.peer) {
            self.asked.clear();
        }
        let asked = self.asked.entry(event.peer).or_default();
        if asked.len() == ASKED {
            asked.pop_front();
        }
        let is_request = explained.is_request();
        let changes_password = is_request && explained.changes_password();
        let operation = explained.operation;
        let account = explained.fields.iter().find(|field| operation == Some(2) && field.name == Name::Account);
        let account = account.map(|field| field.text.clone());
        asked.push_back(OpenRequest {
            number,
            at: event.at,
            operation,
            is_request,
            changes_password,
            hash,
            account,
            shown,
        });
    }

    fn show_request(&self, event: &Event, explained: &Explanation, number: u64, text: &mut String) {
        let time = self.time(event.at);
        match self.form {
            OutputFormat::Json => {
                let mut value = explained.json(self.locale);
                head(&mut value, "request", number, &time.to_rfc3339(), event.peer);
                line(text, &crate::base::json::line(&value));
            }
            OutputFormat::Lines(colour) => {
                let head = format!("{} {} #{number}", time.format("%H:%M:%S%.3f"), event.peer);
                line(text, &colour.paint("2", &head));
                for shown in explained.lines(self.locale, colour) {
                    line(text, &format!("  {shown}"));
                }
            }
        }
    }

    fn reply(&mut self, event: &Event, bytes: &[u8], text: &mut String) {
        let (answered, unanswered) = self.settle(event.peer, bytes);
        let notes = self.watch.reply(event.at, event.peer, bytes, answered.as_ref());
        if answered.as_ref().is_some_and(|asked| !asked.shown) {
            self.flood.answered(event.peer);
        } else {
            self.show_reply(event, bytes, answered.as_ref(), text);
        }
        self.notes(event, answered.as_ref().map(|a| a.number), &notes, text);
        let logged_in = self.watch.is_in(event.peer);
        for asked in unanswered.iter().filter(|asked| asked.shown) {
            let by_same = answered.as_ref().is_some_and(|a| a.hash == asked.hash && matches!(a.operation, Some(1 | 2)));
            self.unanswered(event, asked.number, Silence::of(asked, by_same, logged_in), text);
        }
    }

    fn show_reply(&self, event: &Event, bytes: &[u8], answered: Option<&OpenRequest>, text: &mut String) {
        let time = self.time(event.at);
        let after = answered.as_ref().map(|a| event.at.saturating_duration_since(a.at));
        let number = answered.as_ref().map(|a| a.number);
        let changes_password = answered.as_ref().is_some_and(|a| a.changes_password);
        let meaning = show::answered(changes_password, bytes, self.locale);
        let (shown, meaning) = (readable(&show::starred(bytes)), readable(meaning.as_bytes()));
        match self.form {
            OutputFormat::Json => {
                let mut value = json!({
                    "datagram": shown,
                    "size": bytes.len(),
                    "meaning": meaning,
                    "ms": after.map(|a| (a.as_secs_f64() * 1e6).round() / 1e3),
                });
                head(&mut value, "reply", number, &time.to_rfc3339(), event.peer);
                line(text, &crate::base::json::line(&value));
            }
            OutputFormat::Lines(colour) => {
                let number = number.map_or_else(String::new, |n| format!(" #{n}"));
                let head = format!("{} {}{number}", time.format("%H:%M:%S%.3f"), event.peer);
                let after = after.map_or_else(String::new, |after| format!(" · {}", milliseconds(after)));
                let refused = matches!(bytes.first_chunk(), Some(b"00" | b"07"));
                let shown = colour.paint(if refused { "31" } else { "1" }, &format!("→ {shown}"));
                line(text, &format!("{} {shown} {meaning}{after}", colour.paint("2", &head)));
            }
        }
    }

    /// Prints remarks about what the client does.
    fn notes(&self, event: &Event, number: impl Into<Option<u64>>, notes: &[Note], text: &mut String) {
        let number = number.into();
        for note in notes {
            let said = note.text(self.locale);
            match self.form {
                OutputFormat::Json => {
                    let mut value = json!({"note": note.key(), "text": said});
                    head(&mut value, "note", number, &self.time(event.at).to_rfc3339(), event.peer);
                    line(text, &crate::base::json::line(&value));
                }
                OutputFormat::Lines(colour) => line(text, &format!("  {}", colour.paint("33", &format!("! {said}")))),
            }
        }
    }

    /// Prints how many requests were not shown.
    pub(super) fn hidden(&self, hidden: &HiddenCount, text: &mut String) {
        let HiddenCount { peer, requests, answered, per_second } = *hidden;
        let unanswered = requests.saturating_sub(answered);
        match self.form {
            OutputFormat::Json => {
                let value = json!({
                    "kind": "summary",
                    "peer": peer.to_string(),
                    "requests": requests,
                    "answered": answered,
                    "per_second": per_second,
                });
                line(text, &crate::base::json::line(&value));
            }
            OutputFormat::Lines(colour) => {
                let mut said =
                    t!("explain.hidden", locale = self.locale, peer = peer, n = requests, per_second = per_second)
                        .into_owned();
                if unanswered > 0 {
                    said.push_str(&t!("explain.hidden_unanswered", locale = self.locale, n = unanswered));
                }
                line(text, &colour.paint("33", &said));
            }
        }
    }

    /// Finds the request that this reply answers, if that is certain, and the requests that will get no reply.
    fn settle(&mut self, peer: SocketAddr, reply: &[u8]) -> (Option<OpenRequest>, Vec<OpenRequest>) {
        let Some(asked) = self.asked.get_mut(&peer) else { return (None, Vec::new()) };
        let Some(place) = asked.iter().position(|a| a.is_answered_by(reply)) else { return (None, Vec::new()) };
        let Some(first) = asked.remove(place) else { return (None, Vec::new()) };
        let hashed = matches!(first.operation, Some(1 | 2));
        let login = first.operation == Some(2);
        // A delayed answer to a login is dropped for a newer login; so it may be unclear which of them this answers.
        let certain = !login || asked.iter().all(|a| !a.is_answered_by(reply) || a.hash == first.hash);
        let mut unanswered = Vec::new();
        for (index, other) in std::mem::take(asked).into_iter().enumerate() {
            // All other replies to one address keep the order of its requests. The same password again, while the first
            // is being checked, is a retransmission.
            let before = index < place;
            let none = if before { other.operation != Some(2) } else { hashed && other.hash == first.hash };
            if none { unanswered.push(other) } else { asked.push_back(other) }
        }
        if asked.is_empty() {
            self.asked.remove(&peer);
        }
        (Some(first).filter(|_| certain), unanswered)
    }

    /// Prints that a request was not answered, since a later one of the same address was.
    fn unanswered(&self, event: &Event, number: u64, why: Silence, text: &mut String) {
        let time = self.time(event.at);
        match self.form {
            OutputFormat::Json => {
                let mut value = json!({"why": why.key(), "text": why.text(self.locale)});
                head(&mut value, "unanswered", number, &time.to_rfc3339(), event.peer);
                line(text, &crate::base::json::line(&value));
            }
            OutputFormat::Lines(colour) => {
                let head = format!("{} {} #{number}", time.format("%H:%M:%S%.3f"), event.peer);
                let said = format!("{}: {}", t!("explain.unanswered", locale = self.locale), why.text(self.locale));
                line(text, &format!("{} {}", colour.paint("2", &head), colour.paint("33", &format!("→ {said}"))));
            }
        }
    }

    fn time(&self, at: Instant) -> DateTime<Local> {
        let since = at.saturating_duration_since(self.epoch.instant).as_millis();
        let ms = self.epoch.unix_ms.saturating_add(i64::try_from(since).unwrap_or(i64::MAX));
        Local.timestamp_millis_opt(ms).earliest().unwrap_or_else(|| DateTime::UNIX_EPOCH.into())
    }
}

/// Adds the fields that all objects have: kind, number of the request, time and address.
fn head(value: &mut Value, kind: &str, number: impl Into<Option<u64>>, time: &str, peer: SocketAddr) {
    if let Value::Object(fields) = value {
        fields.insert("kind".into(), kind.into());
        fields.insert("number".into(), number.into().into());
        fields.insert("time".into(), time.into());
        fields.insert("peer".into(), peer.to_string().into());
    }
}

fn hash(bytes: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    bytes.hash(&mut hasher);
    hasher.finish()
}

fn line(text: &mut String, line: &str) {
    text.push_str(line);
    text.push('\n');
}

fn milliseconds(after: Duration) -> String {
    match after.as_secs_f64() {
        s if s >= 1.0 => format!("{s:.1} s"),
        s if s >= 0.01 => format!("{:.0} ms", s * 1e3),
        s if s >= 0.001 => format!("{:.1} ms", s * 1e3),
        s => format!("{:.2} ms", s * 1e3),
    }
}
