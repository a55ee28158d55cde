//! `--explain`: prints each request as it comes and the reply it gets, for people who write a client. The server's
//! thread hands over a copy and goes on; a thread of its own explains and prints, and what it cannot keep up with is
//! counted and left out.
//!
//! Its parts:
//!
//! - `printer`: what is printed.
//! - `watch`: what a client does wrong over time. Pure.
//! - `flood`: how much is printed. Pure.

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

/// The most datagrams that may wait to be printed.
const WAITING: usize = 1_024;
/// The most addresses whose requests are remembered until they are answered.
const ADDRESSES: usize = 4_096;
/// The most requests that are remembered of each; no more can wait in the server.
const ASKED: usize = 64;
/// How long no datagram must come before the number of those that were not printed is printed.
const QUIET: Duration = Duration::from_secs(1);

/// The form of what is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OutputFormat {
    /// Lines for people.
    Lines(Colour),
    /// JSON for programs, one object a line.
    Json,
}

/// An instant and the time of day it corresponds to, so that instants can be printed.
#[derive(Debug, Clone, Copy)]
pub struct Epoch {
    /// The instant.
    pub instant: Instant,
    /// The same moment in milliseconds since 1970.
    pub unix_ms: i64,
}

/// Takes datagrams from the server's thread. Never waits.
#[derive(Debug, Clone)]
pub struct ExplainSender {
    events: Sender<Event>,
    dropped: Arc<AtomicU64>,
}

/// A handle of the printing thread, which ends when the last [`ExplainSender`] is dropped and everything is printed, or
/// when the output is closed.
#[derive(Debug)]
pub struct PrinterThread {
    /// A channel that is closed when the thread has ended.
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
    /// The first bytes, beyond which the server reads nothing, and the full size in bytes.
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
/// If the system cannot start a thread.
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
    /// Hands over a request, which the server reads in `charset`.
    pub fn request(&self, at: Instant, peer: SocketAddr, bytes: &[u8], charset: Charset) {
        let read = bytes.get(..MAX_REQUEST_BYTES).unwrap_or(bytes).to_vec();
        self.hand_over(Event { at, peer, what: EventKind::Request { bytes: read, size: bytes.len(), charset } });
    }

    /// Hands over a reply.
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
    /// Waits until everything is printed, but no longer than `at_most`, since the reader may have stopped.
    pub fn finish(self, at_most: Duration) {
        let _ = self.ended.recv_timeout(at_most);
    }
}

#[cfg(test)]
mod tests;
