//! `--explain`: each request as it comes and the answer it gets, for whoever writes a client. The
//! server's thread hands a copy over and goes on; a thread of its own explains and prints, and what it
//! cannot keep up with is counted and left out.
//!
//! Its parts:
//!
//! - `printer`: what is printed of them.
//! - `watch`: what a client does wrong over time. Pure.
//! - `flood`: how much is shown. Pure.

mod flood;
mod printer;
mod watch;

use std::io::{self, Write};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender, TrySendError};

use self::printer::Printer;
use crate::protocol::wire::Charset;
use crate::protocol::wire::explain::Colour;
use crate::protocol::wire::request::MAX_REQUEST_BYTES;

/// Datagrams that may wait to be printed.
const WAITING: usize = 1_024;
/// Addresses whose requests are remembered until they are answered …
const ADDRESSES: usize = 4_096;
/// … and how many of each. More cannot wait in the server.
const ASKED: usize = 64;
/// How long no datagram must come before the number of those that were not shown is printed.
const QUIET: Duration = Duration::from_secs(1);

/// What is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OutputFormat {
    /// For people.
    Lines(Colour),
    /// For programs: an object a line.
    Json,
}

/// An instant and what the calendar said then, so that instants can be printed.
#[derive(Debug, Clone, Copy)]
pub struct Epoch {
    /// The instant.
    pub instant: Instant,
    /// Milliseconds since 1970.
    pub unix_ms: i64,
}

/// Where the server's thread hands datagrams over. Never waits.
#[derive(Debug, Clone)]
pub struct ExplainSender {
    events: Sender<Event>,
    dropped: Arc<AtomicU64>,
}

/// The printing thread. It ends when the last [`ExplainSender`] is gone and everything is printed, or when nobody
/// reads any more.
#[derive(Debug)]
pub struct PrinterThread {
    /// Closed when it has ended.
    ended: Receiver<()>,
}

#[derive(Debug)]
struct Event {
    at: Instant,
    peer: SocketAddr,
    what: EventKind,
}

#[derive(Debug)]
enum EventKind {
    /// The first bytes, which are all that is read, and how many there were.
    Request {
        bytes: Vec<u8>,
        size: usize,
        charset: Charset,
    },
    Reply {
        bytes: Vec<u8>,
    },
}

/// Starts printing to `output`. `locale` is `en` or `zh-CN`.
///
/// # Errors
/// The system gave no thread.
pub fn start(
    output: impl Write + Send + 'static,
    form: OutputFormat,
    locale: &'static str,
    epoch: Epoch,
) -> io::Result<(ExplainSender, PrinterThread)> {
    let (events, events_in) = crossbeam_channel::bounded(WAITING);
    let (running, ended) = crossbeam_channel::bounded(0);
    let dropped = Arc::<AtomicU64>::default();
    let mut printer = Printer::new(output, form, locale, epoch, Arc::clone(&dropped));
    thread::Builder::new().name("explain".into()).spawn(move || {
        let _running = running;
        if let Err(error) = printer.run(&events_in) {
            log::info!("nothing is explained any more: {error}");
        }
    })?;
    Ok((ExplainSender { events, dropped }, PrinterThread { ended }))
}

impl ExplainSender {
    /// A request came that the server reads as `charset`.
    pub fn request(&self, at: Instant, peer: SocketAddr, bytes: &[u8], charset: Charset) {
        let read = bytes.get(..MAX_REQUEST_BYTES).unwrap_or(bytes).to_vec();
        self.hand_over(Event { at, peer, what: EventKind::Request { bytes: read, size: bytes.len(), charset } });
    }

    /// The server answers.
    pub fn reply(&self, at: Instant, peer: SocketAddr, bytes: &[u8]) {
        self.hand_over(Event { at, peer, what: EventKind::Reply { bytes: bytes.to_vec() } });
    }

    fn hand_over(&self, event: Event) {
        if let Err(TrySendError::Full(_)) = self.events.try_send(event) {
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }
}

impl PrinterThread {
    /// Waits until all is printed, but not for ever: whoever reads may have stopped.
    pub fn finish(self, at_most: Duration) {
        let _ = self.ended.recv_timeout(at_most);
    }
}

#[cfg(test)]
mod tests;
