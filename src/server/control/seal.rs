//! The secret that a server shares with all who may read its data directory, and datagrams sealed with it, which nobody
//! else can read or make; any other datagram is dropped without an answer.

use std::fmt;
use std::net::SocketAddr;

use data_encoding::HEXLOWER;
use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};

/// The direction of a datagram; one direction's datagram cannot be sent back as the other's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// A command's request.
    Request,
    /// The server's answer.
    Answer,
}

impl Direction {
    fn label(self) -> &'static [u8] {
        match self {
            Self::Request => b"hongyan control 1 request",
            Self::Answer => b"hongyan control 1 answer",
        }
    }
}

/// The secret of one run of a server. Never shown.
#[derive(Clone)]
pub struct Secret([u8; 32]);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(******)")
    }
}

impl Secret {
    /// Makes a new secret; `None` if the system gives no random bytes.
    #[must_use]
    pub fn new() -> Option<Self> {
        let mut bytes = [0; 32];
        getrandom::fill(&mut bytes).ok()?;
        Some(Self(bytes))
    }

    /// Returns the text of the file: where the server listens for commands, and the secret.
    #[must_use]
    pub fn file(&self, at: SocketAddr) -> String {
        format!("{at}\n{}\n", HEXLOWER.encode(&self.0))
    }

    /// Reads the text of the file; `None` if it is not valid.
    #[must_use]
    pub fn read(text: &str) -> Option<(SocketAddr, Self)> {
        let mut lines = text.lines();
        let at: SocketAddr = lines.next()?.parse().ok()?;
        let secret = HEXLOWER.decode(lines.next()?.as_bytes()).ok()?.try_into().ok()?;
        // An operator's commands only go to this machine.
        at.ip().is_loopback().then_some((at, Self(secret)))
    }

    fn key(&self) -> Option<LessSafeKey> {
        UnboundKey::new(&CHACHA20_POLY1305, &self.0).ok().map(LessSafeKey::new)
    }

    /// Seals a text into a datagram; `None` if the system gives no random bytes.
    #[must_use]
    pub fn seal(&self, way: Direction, text: &[u8]) -> Option<Vec<u8>> {
        let mut nonce = [0; NONCE_LEN];
        getrandom::fill(&mut nonce).ok()?;
        let mut sealed = text.to_vec();
        let aad = Aad::from(way.label());
        self.key()?.seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), aad, &mut sealed).ok()?;
        let mut datagram = nonce.to_vec();
        datagram.append(&mut sealed);
        Some(datagram)
    }

    /// Opens a datagram; `None` if it was not sealed with this secret for this direction. The tag is compared without
    /// an early exit.
    #[must_use]
    pub fn open(&self, way: Direction, datagram: &[u8]) -> Option<Vec<u8>> {
        let (nonce, sealed) = datagram.split_at_checked(NONCE_LEN)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        let mut text = sealed.to_vec();
        let n = self.key()?.open_in_place(nonce, Aad::from(way.label()), &mut text).ok()?.len();
        text.truncate(n);
        Some(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_who_has_the_secret_reads_and_speaks_and_only_one_way() {
        let (ours, other) = (Secret::new().expect("random"), Secret::new().expect("random"));
        let sealed = ours.seal(Direction::Request, b"delete a").expect("sealed");
        assert_eq!(ours.open(Direction::Request, &sealed).as_deref(), Some(&b"delete a"[..]));
        assert!(!sealed.windows(6).any(|w| w == b"delete"), "it cannot be read on its way");
        assert_ne!(
            ours.seal(Direction::Request, b"delete a"),
            Some(sealed.clone()),
            "nor is it seen to be the same again"
        );
        assert_eq!(ours.open(Direction::Answer, &sealed), None, "it is not sent back as an answer");
        assert_eq!(other.open(Direction::Request, &sealed), None);
        for n in 0..sealed.len() {
            let mut spoilt = sealed.clone();
            spoilt[n] ^= 1;
            assert_eq!(ours.open(Direction::Request, &spoilt), None, "byte {n}");
            assert_eq!(ours.open(Direction::Request, &sealed[..n]), None, "cut at {n}");
        }
    }

    #[test]
    fn a_file_is_read_whole_or_not_at_all() {
        let (secret, at) = (Secret::new().expect("random"), "127.0.0.1:4711".parse().expect("valid"));
        let text = secret.file(at);
        let (found, read) = Secret::read(&text).expect("ours");
        assert_eq!((found, read.0), (at, secret.0));
        assert!(!format!("{secret:?}").contains(&text[20..30]), "it is not shown");
        for n in 0..text.len() - 1 {
            assert!(Secret::read(&text[..n]).is_none(), "cut at {n}");
        }
        // Requests only go to this machine.
        assert!(Secret::read(&text.replace("127.0.0.1", "192.0.2.1")).is_none());
    }
}
