//! Which of a name's addresses is the server's. A name may have several, usually one of IPv6 and one of IPv4, and a
//! server that listens at one of them only. All are asked, a little apart; the first that answers is taken.

use std::io::{self, ErrorKind};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::thread;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, TryRecvError};

use super::clock;
use crate::protocol::wire::{Charset, Request, looks_like_reply};

/// How much later the next address is asked, so that the preferred one is taken where both answer (RFC 8305).
const APART: Duration = Duration::from_millis(250);
/// How long after the last time an address is asked again.
const AGAIN: Duration = Duration::from_millis(300);
/// How long the first answer of any address is waited for.
const PATIENCE: Duration = Duration::from_millis(2_500);
/// Addresses of one name that are asked.
const MOST: usize = 8;

/// Where a name leads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Found {
    /// The server's address.
    pub address: SocketAddr,
    /// It answered, or is the only one. Else none did, and it is worth looking again before the next login.
    pub sure: bool,
}

/// Finds the address of `name` that answers; `resolve` is the system's look-up, and of several addresses those that are
/// `preferred` are asked first. They are asked what every server answers and none ends at. Takes up to 2.5 s on top of the
/// look-up: call it on a thread of its own.
///
/// # Errors
/// What `resolve` says, or that there is no address.
pub fn find(
    name: &str,
    resolve: impl FnOnce(&str) -> io::Result<Vec<SocketAddr>>,
    preferred: impl Fn(SocketAddr) -> bool,
) -> io::Result<Found> {
    let mut addresses = Vec::new();
    for address in resolve(name)? {
        if !addresses.contains(&address) && addresses.len() < MOST {
            addresses.push(address);
        }
    }
    addresses.sort_by_key(|address| !preferred(*address));
    match addresses.as_slice() {
        [] => Err(crate::base::trouble::no_such_name()),
        [only] => Ok(Found { address: *only, sure: true }),
        [first, ..] => {
            let heard = first_heard(&addresses);
            log::debug!("{name}: {addresses:?}, of which answers {heard:?}");
            Ok(Found { address: heard.unwrap_or(*first), sure: heard.is_some() })
        }
    }
}

fn first_heard(addresses: &[SocketAddr]) -> Option<SocketAddr> {
    let end = clock::now().instant + PATIENCE;
    let (told, answers) = crossbeam_channel::unbounded();
    // Dropped at the end, so that those which still ask end too; nobody joins them.
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
        // Refused: the next one at once.
        let until = if next.is_some() { clock::now().instant + APART } else { end + AGAIN };
        match answers.recv_deadline(until) {
            Ok(Some(heard)) => return Some(heard),
            Ok(None) => open -= 1,
            Err(_) if next.is_some() => {}
            Err(_) => return None,
        }
    }
}

/// Asks until something is heard from there.
fn ask(to: SocketAddr, end: Instant, over: &Receiver<()>) -> io::Result<()> {
    let until = |at: Instant| at.saturating_duration_since(clock::now().instant);
    let any: IpAddr = if to.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() };
    let socket = UdpSocket::bind((any, 0))?;
    // Connected, since only then the system tells of a closed port, and drops what others send.
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
mod tests {
    use super::*;

    fn server(at: &str, answer: &'static [u8]) -> SocketAddr {
        let socket = UdpSocket::bind(at).expect("a socket");
        let address = socket.local_addr().expect("bound");
        thread::spawn(move || {
            let mut buffer = [0; 64];
            while let Ok((_, from)) = socket.recv_from(&mut buffer) {
                let _ = socket.send_to(answer, from);
            }
        });
        address
    }

    fn closed(at: &str) -> SocketAddr {
        UdpSocket::bind(at).and_then(|socket| socket.local_addr()).expect("a socket")
    }

    fn found(addresses: &[SocketAddr], preferred: Option<SocketAddr>) -> (Found, Duration) {
        let begun = clock::now().instant;
        let found = find("twin:1", |_| Ok(addresses.to_vec()), |at| Some(at) == preferred).expect("addresses");
        (found, clock::now().instant - begun)
    }

    #[test]
    fn the_address_that_answers_is_taken_wherever_it_stands() {
        let plain = server("127.0.0.1:0", b"07:01");
        let other = server("[::1]:0", b"07:01");
        let silent = UdpSocket::bind("[::1]:0").expect("a socket");
        let silent_at = silent.local_addr().expect("bound");
        for dead in [closed("[::1]:0"), silent_at, "[100::1]:9".parse().expect("valid")] {
            for addresses in [[dead, plain], [plain, dead]] {
                let (found, took) = found(&addresses, None);
                assert_eq!(found, Found { address: plain, sure: true }, "{addresses:?}");
                assert!(took < Duration::from_secs(2), "{addresses:?}: {took:?}");
            }
        }
        // Both answer: the first, unless the other was used before.
        assert_eq!(found(&[other, plain], None).0.address, other);
        assert_eq!(found(&[other, plain], Some(plain)).0.address, plain);
    }

    #[test]
    fn where_none_answers_the_first_is_tried_and_looked_for_again() {
        let echo = server("127.0.0.1:0", b"10#echo");
        let dead = closed("[::1]:0");
        let (found_none, took) = found(&[dead, echo], None);
        assert_eq!(found_none, Found { address: dead, sure: false }, "an echo is no server");
        assert!(took < Duration::from_secs(8), "{took:?}");
        // With one address there is nothing to choose, so nobody is asked.
        assert_eq!(found(&[dead, dead], None).0, Found { address: dead, sure: true });
        assert!(find("twin:1", |_| Ok(Vec::new()), |_| false).is_err());
        assert!(find("twin:1", |_| Err(ErrorKind::Other.into()), |_| false).is_err());
    }

    #[test]
    fn an_address_is_asked_what_the_course_has_whatever_is_known_of_it() {
        let socket = UdpSocket::bind("127.0.0.1:0").expect("a socket");
        let at = socket.local_addr().expect("bound");
        let told = thread::spawn(move || {
            let mut buffer = [0; 64];
            let mut asked = Vec::new();
            // The first is answered late, so that all it is asked meanwhile comes.
            while asked.len() < 4 {
                let (n, from) = socket.recv_from(&mut buffer).expect("a question");
                asked.push((String::from_utf8_lossy(&buffer[..n]).into_owned(), from));
            }
            let _ = socket.send_to(b"07:01", asked[0].1);
            asked.into_iter().map(|(text, _)| text).collect::<Vec<_>>()
        });
        let found = find("twin:1", |_| Ok(vec![at, closed("[::1]:0")]), |_| false);
        assert_eq!(found.expect("addresses"), Found { address: at, sure: true });
        assert_eq!(told.join().expect("asked"), ["08#"; 4]);
    }
}
