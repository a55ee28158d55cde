//! The server's socket and threads. One thread receives, lets the engine decide and sends; the store and the hasher
//! work beside it and wake it by a datagram to its own socket; the timer thread does the same at a deadline. No thread
//! wakes up without cause.
//!
//! Its parts:
//!
//! - `socket`: tells at which of the machine's addresses each datagram arrived.
//! - `workers`: the store, the hasher and the timer.
//! - `idle`: ends a server that nobody uses any more.
//! - `stop`: ends a server from another thread.
//! - `control`: the socket for operators' commands.

#![allow(clippy::disallowed_methods, reason = "the server's clock is read here, and handed on")]

mod control;
mod idle;
mod socket;
mod stop;
mod workers;

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use self::control::Control;
use self::idle::{IdleCheck, IdleExit};
pub use self::stop::Stop;
use self::stop::Waker;
use self::workers::{ThreadEnded, Workers};
use super::carrier::{Carrier, CarrierError};
use super::control::Answer;
use super::engine::{Effect, Engine, Now, PRESENCE};
use super::explain::ExplainSender;
use super::hasher::Job;
use super::limits::LogLimiter;
pub use super::lossy::Lossy;
use super::lossy::LossyNetwork;
use super::store::{self, BatchResults, DataLock, Store, StoreError};
use super::{OnSecondLogin, Quotas};
use crate::protocol::link::Endpoints;
use socket::Socket;

/// How long a server that ends waits for commits whose requests it still answers.
const LAST_ANSWERS: Duration = Duration::from_millis(100);
/// How many times every device is told that the server ends, [`AGAIN`] apart.
const FAREWELLS: u32 = 3;
const AGAIN: Duration = Duration::from_millis(30);
/// The most datagrams that are taken in before their operations go to the store.
const TOGETHER: usize = 256;

/// How a server runs.
#[derive(Debug, Clone)]
pub struct Config {
    /// The address it listens on; port 0 lets the system choose.
    pub listen: SocketAddr,
    /// Its data directory; one server at a time holds its lock.
    pub data: PathBuf,
    /// What a login does to a session elsewhere.
    pub on_second_login: OnSecondLogin,
    /// The limits of mailboxes, accounts, sending and the disk.
    pub quotas: Quotas,
    /// The faults of a simulated bad network, for testing clients.
    pub lossy: Option<Lossy>,
    /// How long after the last person has left the server ends by itself; `None` means never.
    pub idle_exit: Option<Duration>,
    /// Where each request and its reply is printed, with `--explain`.
    pub explain: Option<ExplainSender>,
    /// Whether the server also speaks the secure dialect.
    pub secure: bool,
    /// Whether to make new keys if the file with those that devices know is missing.
    pub new_key: bool,
    /// People are found by a part of their account or name; else only by their whole account.
    pub directory: bool,
}

impl Config {
    /// Returns the configuration of a server at `listen` with its data in `data`, and the defaults for the rest.
    #[must_use]
    pub fn new(listen: SocketAddr, data: PathBuf) -> Self {
        Self {
            listen,
            data,
            on_second_login: OnSecondLogin::default(),
            quotas: Quotas::default(),
            lossy: None,
            idle_exit: None,
            explain: None,
            secure: true,
            new_key: false,
            directory: true,
        }
    }
}

/// Why a server does not start or has ended; a sentence for the operator.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    /// The address is in use, or is not one of this machine.
    #[error("cannot listen on {address}: {error}")]
    Listen {
        /// The address on which the server was told to listen.
        address: SocketAddr,
        /// The system's error.
        error: io::Error,
    },
    /// The database cannot be used.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The socket failed while the server ran.
    #[error("receiving failed: {0}")]
    Receive(io::Error),
    /// A thread has ended although the server runs.
    #[error("the {0} thread has failed")]
    Thread(&'static str),
    /// The secure dialect's keys cannot be used.
    #[error(transparent)]
    Keys(#[from] CarrierError),
    /// The system gave no thread or socket.
    #[error("the system refused a thread or socket: {0}")]
    System(#[from] io::Error),
}

/// A running server.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    stop: Stop,
    thread: Option<JoinHandle<Result<(), ServerError>>>,
}

impl Server {
    /// Opens the socket and the database and begins to serve.
    ///
    /// # Errors
    /// If the address is in use, the data directory is in use or cannot be written, or the database is damaged or a
    /// later version's.
    pub fn start(config: Config) -> Result<Self, ServerError> {
        let (event_loop, stop, address) = EventLoop::open(config)?;
        let thread = thread::Builder::new().name("server".into()).spawn(move || event_loop.run())?;
        Ok(Self { address, stop, thread: Some(thread) })
    }

    /// Returns the address the server listens on.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Returns a handle that ends the server from another thread.
    #[must_use]
    pub fn stopper(&self) -> Stop {
        self.stop.clone()
    }

    /// From now on SIGINT, SIGTERM and SIGHUP end the server cleanly: what is being stored is committed, devices are
    /// told, and the file of a running server is removed. Does nothing on systems without these signals.
    ///
    /// # Errors
    /// If the system refuses a signal handler or the thread that waits for signals.
    pub fn end_at_signals(&self) -> io::Result<()> {
        #[cfg(unix)]
        {
            use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
            let stop = self.stopper();
            let mut signals = signal_hook::iterator::Signals::new([SIGINT, SIGTERM, SIGHUP])?;
            let wait = move || {
                if signals.forever().next().is_some() {
                    log::info!("ending");
                    stop.stop();
                }
            };
            thread::Builder::new().name("signals".into()).spawn(wait)?;
        }
        Ok(())
    }

    /// Waits until the server has ended, by [`Stop::stop`] or because nobody uses it.
    ///
    /// # Errors
    /// Why it had to end: the socket or a thread has failed.
    pub fn wait(mut self) -> Result<(), ServerError> {
        self.join()
    }

    fn join(&mut self) -> Result<(), ServerError> {
        match self.thread.take().map(JoinHandle::join) {
            Some(Ok(ended)) => ended,
            Some(Err(_)) => Err(ServerError::Thread("server")),
            None => Ok(()),
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if self.thread.is_some() {
            self.stop.stop();
            if let Err(error) = self.join() {
                log::error!("{error}");
            }
        }
    }
}

/// What the server's thread owns.
struct EventLoop {
    socket: Socket,
    /// The server's own address, which wake-ups come from.
    own: SocketAddr,
    engine: Engine,
    carrier: Option<Carrier>,
    network: Option<LossyNetwork>,
    workers: Workers,
    idle: IdleExit,
    explain: Option<ExplainSender>,
    control: Option<Control>,
    disk: WriteErrors,
    not_hashed: LogLimiter,
    stopping: Arc<AtomicBool>,
    /// Why the server ends, unless it was asked to.
    failed: Option<ServerError>,
    _lock: DataLock,
}

/// Remembers what the disk has refused.
#[derive(Debug, Default)]
struct WriteErrors {
    /// Why something was not stored last.
    says: String,
    refused: LogLimiter,
}

impl WriteErrors {
    /// Logs, at most once a minute, that not everything could be stored.
    fn refuses(&mut self, now: Instant, error: String) {
        if let Some(more) = self.refused.speaks(now) {
            log::error!("not everything could be stored: {error} (and {more} times before); reading goes on");
        }
        self.says = error;
    }
}

impl EventLoop {
    /// Opens all that a server needs. Returns also the handle that ends it and the address it listens on.
    fn open(config: Config) -> Result<(Self, Stop, SocketAddr), ServerError> {
        let lock = store::lock(&config.data)?;
        control::forget(&config.data);
        let mut store = Store::open(&config.data)?;
        store.limit(config.quotas.disk)?;
        store.set_mailbox(config.quotas.mailbox);
        store.set_directory(config.directory);
        if let Err(error) = store.number_on(now().unix) {
            log::warn!("messages go on with the numbers there are: {error}");
        }
        let presence = i64::try_from(PRESENCE.as_secs()).unwrap_or(0);
        let snapshot = store.snapshot(now().unix.saturating_sub(presence))?;
        let met = !config.new_key && store.knows_devices()?;
        let carrier = config.secure.then(|| Carrier::open(&config.data, met)).transpose()?;
        let listen = |error| ServerError::Listen { address: config.listen, error };
        let socket = Socket::bind(config.listen).map_err(listen)?;
        let address = socket.address()?;
        let waker = Arc::new(Waker::new(address)?);
        let own = waker.socket.local_addr()?;
        let wake = {
            let waker = Arc::clone(&waker);
            move || {
                // If the address is gone, no client can ask anything either; the server goes on when it is back.
                let _ = waker.wake();
            }
        };
        let workers = Workers::start(store, wake.clone(), Instant::now)?;

        // Without it everything else still works, but operators have to stop the server for their commands.
        let control = Control::open(&config.data, wake);
        let control =
            control.inspect_err(|error| log::warn!("commands cannot be taken while this server runs: {error}")).ok();

        let stop = Stop { stopping: Arc::default(), waker, socket: Arc::new(socket.another()?) };
        let mut engine = Engine::new(config.on_second_login, config.quotas, local_time, snapshot, now());
        engine.set_secure(carrier.is_some());
        let event_loop = Self {
            carrier,
            socket,
            own,
            engine,
            network: config.lossy.map(LossyNetwork::new),
            workers,
            idle: IdleExit::new(config.idle_exit),
            explain: config.explain,
            control,
            disk: WriteErrors::default(),
            not_hashed: LogLimiter::default(),
            stopping: Arc::clone(&stop.stopping),
            failed: None,
            _lock: lock,
        };
        Ok((event_loop, stop, address))
    }

    fn run(mut self) -> Result<(), ServerError> {
        // Large enough for any datagram: Windows reports one that is cut off as an error, which would end the server.
        let mut buffer = vec![0; socket::LARGEST];
        self.after();
        while !self.stopping.load(Ordering::Acquire) {
            match self.socket.receive(&mut buffer) {
                Ok(came) if came.from.other == self.own => {}
                Ok(came) => {
                    for bytes in came.datagrams(&buffer) {
                        self.arrived(came.from, bytes);
                    }
                    self.gather(&mut buffer);
                }
                // ICMP's "port unreachable" for a reply to a client that has ended.
                Err(error) if error.kind() == io::ErrorKind::ConnectionReset => {}
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(_) if self.stopping.load(Ordering::Acquire) => {}
                Err(error) => {
                    self.failed = Some(ServerError::Receive(error));
                    break;
                }
            }
            self.after();
        }
        self.engine.end(now());
        self.effects();
        self.store();
        self.workers.close();
        self.farewell();
        self.workers.join();
        // Replies to what was committed at the last moment are still sent.
        self.results();
        self.effects();
        self.failed.map_or(Ok(()), Err)
    }

    /// Sends the replies to what is committed within a moment, then tells every device that the server ends. A device
    /// that missed this would only notice after a while, so it is sent several times.
    fn farewell(&mut self) {
        let by = Instant::now() + LAST_ANSWERS;
        while let Some(batch) = self.workers.stored_by(by) {
            self.settle(batch);
        }
        self.effects();
        let Some(carrier) = &mut self.carrier else { return };
        carrier.end(now());
        let last: Vec<_> = std::iter::from_fn(|| carrier.poll_transmit()).collect();
        for time in 0..FAREWELLS {
            if time > 0 && !last.is_empty() {
                thread::sleep(AGAIN);
            }
            for transmit in &last {
                self.transmit(Endpoints { other: transmit.to, own: transmit.from }, &transmit.bytes);
            }
        }
    }

    /// Without its threads a server cannot acknowledge anything: it ends, and a service manager can start it again.
    fn fail(&mut self, thread: &'static str) {
        self.failed.get_or_insert(ServerError::Thread(thread));
        self.stopping.store(true, Ordering::Release);
    }

    /// If something is to be stored, takes in what has arrived by now too, so that requests of the same moment share a
    /// commit. A single request waits for nobody.
    fn gather(&mut self, buffer: &mut [u8]) {
        self.effects();
        if self.workers.to_store() == 0 || self.socket.waits(false).is_err() {
            return;
        }
        // Requests that store nothing are handled too, but not without end, since the first one waits.
        for _ in 0..TOGETHER {
            let Ok(came) = self.socket.receive(buffer) else { break };
            if came.from.other != self.own {
                for bytes in came.datagrams(buffer) {
                    self.arrived(came.from, bytes);
                }
                self.effects();
            }
        }
        if let Err(error) = self.socket.waits(true) {
            self.failed = Some(ServerError::Receive(error));
            self.stopping.store(true, Ordering::Release);
        }
    }

    /// Hands the store what is to be stored.
    fn store(&mut self) {
        if let Err(ThreadEnded(thread)) = self.workers.store() {
            self.fail(thread);
        }
    }

    fn arrived(&mut self, from: Endpoints, bytes: &[u8]) {
        let now = now();
        match &mut self.network {
            None => self.datagram(now, from, bytes),
            Some(network) => {
                for (from, bytes) in network.passes_in(now.instant, from, bytes) {
                    self.datagram(now, from, &bytes);
                }
            }
        }
    }

    fn datagram(&mut self, now: Now, from: Endpoints, bytes: &[u8]) {
        if let Some(carrier) = self.carrier.as_mut().filter(|carrier| carrier.takes(bytes)) {
            return carrier.datagram(now, from, bytes, &mut self.engine);
        }
        self.socket.asked(from);
        let from = from.other;
        if let Some(tap) = &self.explain {
            tap.request(now.instant, from, bytes, self.engine.charset(from));
        }
        self.engine.datagram(now, from, bytes);
    }

    fn after(&mut self) {
        self.late();
        self.administer();
        self.results();
        self.effects();
        self.store();
        let now = now();
        let carrier = self.carrier.as_ref().and_then(Carrier::poll_timeout);
        let network = self.network.as_ref().and_then(LossyNetwork::poll_timeout);
        let control = self.control.as_ref().and_then(Control::poll_timeout);
        let deadlines = [self.engine.poll_timeout(), carrier, network, control];
        let mut deadline = deadlines.into_iter().flatten().min();
        match self.idle.look(now, &mut self.engine) {
            IdleCheck::Never => {}
            IdleCheck::At(look) => deadline = Some(deadline.map_or(look, |d| d.min(look))),
            IdleCheck::End => {
                log::info!("nobody is here any more: ending");
                self.stopping.store(true, Ordering::Release);
                return;
            }
        }
        if let Some(at) = deadline {
            self.workers.wake_at(now.instant, at);
        }
    }

    /// Handles the operators' orders that have arrived.
    fn administer(&mut self) {
        let Some(control) = &mut self.control else { return };
        while let Some((ticket, order)) = control.poll(Instant::now) {
            self.engine.administer(now(), ticket, order);
        }
    }

    /// Passes on what the simulated bad network has delayed for long enough.
    fn late(&mut self) {
        let Some(network) = &mut self.network else { return };
        let now = now();
        if let Some((to, bytes)) = network.late_out(now.instant) {
            self.socket.send(to, &bytes);
        }
        if let Some((from, bytes)) = network.late_in(now.instant) {
            self.datagram(now, from, &bytes);
        }
    }

    fn results(&mut self) {
        if self.workers.is_due(Instant::now) {
            self.engine.handle_timeout(now());
            if let Some(carrier) = &mut self.carrier {
                carrier.timeout(now(), &mut self.engine);
            }
            if let Some(control) = &mut self.control {
                control.handle_timeout(Instant::now());
            }
        }
        while let Some(batch) = self.workers.stored() {
            self.settle(batch);
        }
        while let Some(outcome) = self.workers.hashed() {
            self.engine.hashed(now(), outcome);
        }
    }

    /// Gives the engine the results of a batch, and logs what could not be stored.
    fn settle(&mut self, batch: BatchResults) {
        let now = now();
        if let Some(error) = batch.error {
            self.disk.refuses(now.instant, error);
        }
        for done in batch.done {
            self.engine.stored(now, done);
        }
    }

    fn effects(&mut self) {
        while let Some(effect) = self.engine.poll_effect() {
            match effect {
                Effect::Reply { to, bytes } => {
                    if let Some(tap) = &self.explain {
                        tap.reply(Instant::now(), to, &bytes);
                    }
                    self.transmit(self.socket.answering(to), &bytes);
                }
                Effect::Frame { peer, frame } => {
                    if let Some(carrier) = &mut self.carrier {
                        carrier.frame(now(), peer, &frame, &mut self.engine);
                    }
                }
                Effect::Close { peer, code, reason } => {
                    if let Some(carrier) = &mut self.carrier {
                        carrier.close(now(), peer, code, reason, &mut self.engine);
                    }
                }
                Effect::Administered { ticket, answer } => {
                    let answer = match answer {
                        Answer::NotStored { .. } => Answer::NotStored { error: self.disk.says.clone() },
                        answer => answer,
                    };
                    if let Some(control) = &mut self.control {
                        control.answer(ticket, answer);
                    }
                }
                Effect::Store(op) => self.workers.store_later(op),
                Effect::Hash(job) => self.hash(job),
            }
        }
        while let Some(transmit) = self.carrier.as_mut().and_then(Carrier::poll_transmit) {
            self.transmit(Endpoints { other: transmit.to, own: transmit.from }, &transmit.bytes);
        }
    }

    fn hash(&mut self, job: Job) {
        let (Job::New { job: id, .. } | Job::Check { job: id, .. }) = job;
        match self.workers.hash(job) {
            Ok(true) => {}
            Ok(false) => {
                let now = now();
                if let Some(more) = self.not_hashed.speaks(now.instant) {
                    log::warn!("too many passwords wait to be hashed: a request was dropped, as {more} before");
                }
                self.engine.not_hashed(now, id);
            }
            Err(ThreadEnded(thread)) => self.fail(thread),
        }
    }

    fn transmit(&mut self, to: Endpoints, bytes: &[u8]) {
        match &mut self.network {
            None => self.socket.send(to, bytes),
            Some(network) => {
                for (to, bytes) in network.passes_out(Instant::now(), to, bytes) {
                    self.socket.send(to, &bytes);
                }
            }
        }
    }
}

fn now() -> Now {
    let unix = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_secs());
    Now { instant: Instant::now(), unix: i64::try_from(unix).unwrap_or(i64::MAX) }
}

/// Writes a time in the form of the plain protocol: 19 characters, in the server's local time.
fn local_time(unix: i64) -> String {
    use chrono::{Local, TimeZone};
    Local
        .timestamp_opt(unix, 0)
        .earliest()
        .map_or_else(|| "1970-01-01 00:00:00".to_owned(), |time| time.format("%Y-%m-%d %H:%M:%S").to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::hasher::Hashed;
    use crate::server::store::{Op, Write};

    #[test]
    fn what_the_disk_refuses_at_the_end_is_logged_too() {
        let dir = tempfile::tempdir().expect("a folder");
        let config = Config::new((std::net::Ipv4Addr::LOCALHOST, 0).into(), dir.path().to_owned());
        let (mut event_loop, _, _) = EventLoop::open(config).expect("a server");
        let database = rusqlite::Connection::open(store::file(dir.path())).expect("there");
        database.execute_batch("ALTER TABLE accounts RENAME TO gone").expect("damaged");
        let hashed = Hashed { salt: vec![1], hash: vec![2] };
        event_loop.workers.store_later(Op::Write(Write::Register {
            job: 1,
            name: "a".into(),
            hashed,
            profile: None,
            at: 0,
        }));
        event_loop.store();
        event_loop.workers.close();
        event_loop.farewell();
        assert!(event_loop.disk.says.contains("no such table"), "{}", event_loop.disk.says);
    }
}
