//! Finds out which of a name's addresses is the server's. A name may have several addresses, usually one of IPv6 and
//! one of IPv4, of which the server may use only one. All are asked, with short delays between them; the first that
//! answers is taken.

use std::io::{self, ErrorKind};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::thread;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, TryRecvError};

use super::clock;
use crate::protocol::wire::{Charset, Request, looks_like_reply};

/// The delay before the next address is asked, so that the preferred address wins if both answer (RFC 8305).
const APART: Duration = Duration::from_millis(250);
/// The interval at which an address is asked again.
const AGAIN: Duration = Duration::from_millis(300);
/// How long to wait for the first answer from any of the addresses.
const PATIENCE: Duration = Duration::from_millis(2_500);
/// The most addresses of one name that are tried.
const MOST: usize = 8;

/// The address chosen for a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FoundAddress {
    /// The server's address.
    pub address: SocketAddr,
    /// Whether the address has answered or is the only one. If not, none has answered, and the name should be looked up
    /// again before the next login.
    pub sure: bool,
}

/// Finds the address of `name` that answers. `resolve` is the system's look-up; if it returns several addresses, those
/// that are `preferred` are asked first. The request used is one that every server answers and that crashes none. This
/// takes up to 2.5 s in addition to the look-up, so call it on a thread of its own.
///
/// # Errors
/// The error of `resolve`, or that there is no address.
pub fn find(
    name: &str,
    resolve: impl FnOnce(&str) -> io::Result<Vec<SocketAddr>>,
    preferred: impl Fn(SocketAddr) -> bool,
) -> io::Result<FoundAddress> {
    let mut addresses = Vec::new();
    for address in resolve(name)? {
        if !addresses.contains(&address) && addresses.len() < MOST {
            addresses.push(address);
        }
    }
    addresses.sort_by_key(|address| !preferred(*address));
    match addresses.as_slice() {
        [] => Err(crate::base::trouble::no_such_name()),
        [only] => Ok(FoundAddress { address: *only, sure: true }),
        [first, ..] => {
            let heard = first_heard(&addresses);
            log::debug!("{name}: {addresses:?}, of which answers {heard:?}");
            Ok(FoundAddress { address: heard.unwrap_or(*first), sure: heard.is_some() })
        }
    }
}

fn first_heard(addresses: &[SocketAddr]) -> Option<SocketAddr> {
    let end = clock::now().instant + PATIENCE;
    let (told, answers) = crossbeam_channel::unbounded();
    // Dropped at the end, so that the threads that are still asking end too; nobody joins them.
    let (_asking, over) = crossbeam_channel::bounded::<()>(0);
    let mut open = 0;
    let mut waiting = addresses.iter();
    loop {
        let next = waiting.next().copied();
        if let Some(address) = next {
            let (told, over) = (told.clone(), over.clone());
            let ask = move || {
                let heard = ask(address, end, &over);
                if let Err(error) = &heard {
                    log::debug!("{address} does not answer: {error}");
                }
                let _ = told.send(heard.ok().map(|()| address));
            };
            match thread::Builder::new().name("look-up".into()).spawn(ask) {
                Ok(_) => open += 1,
                Err(error) => log::warn!("{address} is not asked: {error}"),
            }
        } else if open == 0 {
            return None;
        }
        // A refusal ends this wait, so that the next address is asked at once.
        let until = if next.is_some() { clock::now().instant + APART } else { end + AGAIN };
        match answers.recv_deadline(until) {
            Ok(Some(heard)) => return Some(heard),
            Ok(None) => open -= 1,
            Err(_) if next.is_some() => {}
            Err(_) => return None,
        }
    }
}

/// Sends `08#` to one address until it answers, the time is up, or another address has answered.
fn ask(to: SocketAddr, end: Instant, over: &Receiver<()>) -> io::Result<()> {
    let until = |at: Instant| at.saturating_duration_since(clock::now().instant);
    let any: IpAddr = if to.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() };
    let socket = UdpSocket::bind((any, 0))?;
    // The socket is connected because only then the system reports a closed port and drops what others send.
    socket.connect(to)?;
    let mut buffer = [0; 2_048];
    while until(end) > Duration::ZERO && over.try_recv() != Err(TryRecvError::Disconnected) {
        socket.send(&Request::CountAll.encode(Charset::default()))?;
        let next = clock::now().instant + AGAIN;
        while until(next) > Duration::ZERO {
            socket.set_read_timeout(Some(until(next).max(Duration::from_micros(100))))?;
            match socket.recv(&mut buffer) {
                Ok(n) if looks_like_reply(buffer.get(..n).unwrap_or_default()) => return Ok(()),
                Ok(_) => {}
                Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => break,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }
    Err(ErrorKind::TimedOut.into())
}

#[cfg(test)]
mod tests;
