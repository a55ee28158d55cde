//! Runs the diagnosis with a real socket, clock and look-up, on a thread of its own.

use std::io::{self, ErrorKind};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, ToSocketAddrs, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use ring::rand::{SecureRandom, SystemRandom};

use super::clock;
use crate::base::trouble;
use crate::client::diagnosis::{Diagnosis, Question, Report, Transmit};
use crate::client::session::KnownServer;
use crate::protocol::wire::{Charset, Request};

/// The longest time until the thread notices that it should stop.
const LOOK_UP: Duration = Duration::from_millis(100);
/// The shortest read timeout; zero would mean no timeout.
const LEAST: Duration = Duration::from_micros(100);

/// A diagnosis that runs on its own thread; dropping it ends the diagnosis.
#[derive(Debug)]
pub struct Reach(Arc<AtomicBool>);

impl Reach {
    /// Starts a diagnosis. `memory` returns what is known of an address. `told` is called on the diagnosis's thread
    /// after each step, with everything found so far; it is not called any more soon after this value is dropped.
    ///
    /// # Errors
    /// The system cannot start a thread.
    pub fn start(
        question: Question,
        memory: impl Fn(SocketAddr) -> KnownServer + Send + 'static,
        mut told: impl FnMut(&Report) + Send + 'static,
    ) -> io::Result<Self> {
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let run = move || {
            run(question, memory, &stopped, |report| {
                if !stopped.load(Ordering::Acquire) {
                    told(report);
                }
            });
        };
        // Nobody joins this thread: a look-up may take the system minutes and cannot be interrupted.
        thread::Builder::new().name("diagnosis".into()).spawn(run)?;
        Ok(Self(stop))
    }
}

impl Drop for Reach {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Release);
    }
}

/// Runs a diagnosis on the calling thread. `memory` returns what is known of an address, and `told` receives everything
/// found so far after each step.
pub fn run(
    question: Question,
    memory: impl Fn(SocketAddr) -> KnownServer,
    stop: &AtomicBool,
    mut told: impl FnMut(&Report),
) -> Report {
    let now = clock::now();
    let mut diagnosis = Diagnosis::new(now.instant, now.unix_ms, question, nonce());
    let mut seen = None;
    let mut open: Option<Open> = None;
    let mut buffer = vec![0; 65_536];
    loop {
        if let Some((host, port)) = diagnosis.wants().map(|(host, port)| (host.to_owned(), port)) {
            told(diagnosis.report());
            let found =
                (host.as_str(), port).to_socket_addrs().map(Iterator::collect).map_err(|error| trouble::words(&error));
            diagnosis.looked_up(clock::now().instant, found);
        }
        send(&mut diagnosis, &mut open, &memory);
        let report = diagnosis.report();
        let state = (report.steps.len(), report.stage);
        if seen != Some(state) {
            seen = Some(state);
            told(report);
        }
        if report.finished || stop.load(Ordering::Acquire) {
            return report.clone();
        }
        receive(&mut diagnosis, open.as_ref().map(|open| &open.socket), &mut buffer);
        if let Some(wide) = open.as_ref().and_then(|open| open.wide.as_ref()) {
            while let Ok((n, from)) = wide.recv_from(&mut buffer) {
                diagnosis.handle_elsewhere(from, buffer.get(..n).unwrap_or_default());
            }
        }
    }
}

/// The sockets with which one address is asked.
struct Open {
    to: SocketAddr,
    socket: UdpSocket,
    /// Receives answers from any address, once the address was asked in that way.
    wide: Option<UdpSocket>,
}

fn send(diagnosis: &mut Diagnosis, open: &mut Option<Open>, memory: &impl Fn(SocketAddr) -> KnownServer) {
    while let Some(mut transmit) = diagnosis.poll_transmit() {
        let here = match open.take() {
            Some(open) if open.to == transmit.to => Ok(open),
            _ => {
                let known = memory(transmit.to);
                if diagnosis.remember(clock::now().instant, known) {
                    transmit = diagnosis.poll_transmit().unwrap_or(transmit);
                }
                connected(transmit.to).map(|socket| Open { to: transmit.to, socket, wide: None })
            }
        };
        let sent = here.and_then(|mut here| {
            if transmit.bytes == Request::CountAll.encode(Charset::Utf8) {
                here.wide = ask_widely(&transmit);
            }
            let sent = here.socket.send(&transmit.bytes);
            *open = Some(here);
            sent
        });
        match sent {
            Ok(_) => {}
            Err(error) if refused(&error) => diagnosis.handle_refused(clock::now().instant),
            Err(error) => diagnosis.handle_unsendable(clock::now().instant, trouble::words(&error)),
        }
    }
}

fn receive(diagnosis: &mut Diagnosis, socket: Option<&UdpSocket>, buffer: &mut [u8]) {
    let due = diagnosis.poll_timeout();
    let wait = due.map_or(LOOK_UP, |at| at.saturating_duration_since(clock::now().instant));
    let wait = wait.clamp(LEAST, LOOK_UP);
    let received = match socket {
        Some(socket) => socket.set_read_timeout(Some(wait)).and_then(|()| socket.recv(buffer)),
        None => Err(ErrorKind::NotConnected.into()),
    };
    let now = clock::now().instant;
    match received {
        Ok(n) => diagnosis.handle_datagram(now, buffer.get(..n).unwrap_or_default()),
        Err(error) if refused(&error) => diagnosis.handle_refused(now),
        Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted) => {}
        Err(error) => diagnosis.handle_unsendable(now, trouble::words(&error)),
    }
    if due.is_some_and(|at| at <= now) {
        diagnosis.handle_timeout(now);
    }
}

/// Asks the last question once more from a socket that receives from any address: a connected socket learns of a closed
/// port, but receives only from the address it is connected to.
fn ask_widely(transmit: &Transmit) -> Option<UdpSocket> {
    let any: IpAddr = if transmit.to.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() };
    let asked = UdpSocket::bind((any, 0)).and_then(|socket| {
        socket.set_nonblocking(true)?;
        socket.send_to(&transmit.bytes, transmit.to)?;
        Ok(socket)
    });
    asked.inspect_err(|error| log::info!("answers from elsewhere are not looked for: {error}")).ok()
}

/// Returns a connected socket, because only then the system reports a closed port.
fn connected(to: SocketAddr) -> io::Result<UdpSocket> {
    let any: IpAddr = if to.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() };
    let socket = UdpSocket::bind((any, 0))?;
    socket.connect(to)?;
    Ok(socket)
}

/// Whether this is ICMP's "port unreachable", which Windows reports as a reset.
fn refused(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::ConnectionRefused | ErrorKind::ConnectionReset)
}

fn nonce() -> String {
    let mut random = [0; 8];
    if let Err(error) = SystemRandom::new().fill(&mut random) {
        log::warn!("the system gives no random bytes: {error}");
    }
    random.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::diagnosis::{StepResult, Verdict};

    #[test]
    fn answers_from_another_port_are_named_and_not_believed() {
        let [asked, other] = [0, 1].map(|_| UdpSocket::bind("127.0.0.1:0").expect("a socket"));
        let (at, from) = (asked.local_addr().expect("bound"), other.local_addr().expect("bound"));
        // This thread ends with the process.
        thread::spawn(move || {
            let mut buffer = [0; 256];
            while let Ok((_, who)) = asked.recv_from(&mut buffer) {
                let _ = other.send_to(b"07:01", who);
            }
        });
        let question = Question { server: at.to_string(), port: 1 };
        let report = run(question, |_| KnownServer::default(), &AtomicBool::new(false), |_| {});
        assert_eq!(report.verdict(), Verdict::Unreachable);
        let found = report.steps.iter().any(|step| step.what == StepResult::Elsewhere { at, from });
        assert!(found, "{:?}", report.steps);
        for (locale, words) in [("en", "the answers come from"), ("zh-CN", "应答却来自")] {
            let said = report.lines(locale).iter().map(|line| line.text.clone()).collect::<Vec<_>>().join("\n");
            assert!(said.contains(&format!("{words} {from}")), "{said}");
        }
    }
}
