//! What a server keeps to be itself after a restart: the key that clients pin, and the keys by which
//! it recognises its own connection ids, resets and tokens. One file, readable by its owner alone.

use bip39::Language;
use quinn_proto::{ConnectionId, ConnectionIdGenerator, HashedConnectionIdGenerator};
use ring::rand::{SecureRandom, SystemRandom};
use ring::signature::{Ed25519KeyPair, KeyPair};
use ring::{digest, hkdf, hmac};

const MAGIC: &[u8; 8] = b"hongyan1";
/// An Ed25519 key as SubjectPublicKeyInfo begins so (RFC 8410).
const SPKI: [u8; 12] = [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];
/// Words of a fingerprint, 11 bits each.
const WORDS: usize = 8;

/// Why an identity cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum IdentityError {
    /// The file is not an identity file of this program, or was cut short.
    #[error("the identity file is damaged")]
    Damaged,
    /// The file holds no valid key.
    #[error("the key in the identity file cannot be used")]
    Key,
    /// The system gives no random bytes.
    #[error("the system gives no random bytes")]
    Random,
}

/// A server's lasting keys.
#[derive(Clone)]
pub struct Identity {
    pkcs8: Vec<u8>,
    connection_ids: [u8; 8],
    resets: [u8; 32],
    tokens: [u8; 32],
}

impl std::fmt::Debug for Identity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Identity")
    }
}

impl Identity {
    /// Creates a new identity, at a server's first start.
    ///
    /// # Errors
    /// [`IdentityError::Random`].
    pub fn generate() -> Result<Self, IdentityError> {
        let random = SystemRandom::new();
        let pkcs8 = Ed25519KeyPair::generate_pkcs8(&random).map_err(|_| IdentityError::Random)?.as_ref().to_vec();
        let (mut connection_ids, mut resets, mut tokens) = ([0; 8], [0; 32], [0; 32]);
        for key in [&mut connection_ids[..], &mut resets[..], &mut tokens[..]] {
            random.fill(key).map_err(|_| IdentityError::Random)?;
        }
        Ok(Self { pkcs8, connection_ids, resets, tokens })
    }

    /// Returns the file's bytes.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        [&MAGIC[..], &self.connection_ids, &self.resets, &self.tokens, &self.pkcs8].concat()
    }

    /// Reads an identity from the file's bytes.
    ///
    /// # Errors
    /// [`IdentityError::Damaged`], [`IdentityError::Key`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, IdentityError> {
        fn take<const N: usize>(bytes: &mut &[u8]) -> Result<[u8; N], IdentityError> {
            let (head, rest) = bytes.split_first_chunk().ok_or(IdentityError::Damaged)?;
            *bytes = rest;
            Ok(*head)
        }
        let mut rest = bytes.strip_prefix(MAGIC).ok_or(IdentityError::Damaged)?;
        let (connection_ids, resets, tokens) = (take(&mut rest)?, take(&mut rest)?, take(&mut rest)?);
        let identity = Self { pkcs8: rest.to_vec(), connection_ids, resets, tokens };
        identity.public_key()?;
        Ok(identity)
    }

    /// The key that clients pin: 44 bytes of SubjectPublicKeyInfo.
    ///
    /// # Errors
    /// [`IdentityError::Key`].
    pub fn public_key(&self) -> Result<Vec<u8>, IdentityError> {
        let pair = Ed25519KeyPair::from_pkcs8(&self.pkcs8).map_err(|_| IdentityError::Key)?;
        Ok([&SPKI[..], pair.public_key().as_ref()].concat())
    }

    /// The connection id of this server's that a datagram is for, as far as its first bytes tell; asked before
    /// anything is spent on it. One of before a restart is this server's too.
    #[must_use]
    pub fn own_id(&self, bytes: &[u8]) -> Option<[u8; 8]> {
        let id = match bytes {
            [0xc0..=0xff, _, _, _, _, 8, rest @ ..] => rest.first_chunk(),
            [0x40..=0x7f, rest @ ..] => rest.first_chunk(),
            _ => None,
        }?;
        let generator = HashedConnectionIdGenerator::from_key(self.connection_id_key());
        generator.validate(&ConnectionId::new(id)).ok().map(|()| *id)
    }

    pub(super) fn pkcs8(&self) -> &[u8] {
        &self.pkcs8
    }

    pub(super) fn connection_id_key(&self) -> u64 {
        u64::from_be_bytes(self.connection_ids)
    }

    pub(super) fn reset_key(&self) -> hmac::Key {
        hmac::Key::new(hmac::HMAC_SHA256, &self.resets)
    }

    pub(super) fn token_key(&self) -> hkdf::Prk {
        hkdf::Salt::new(hkdf::HKDF_SHA256, &[]).extract(&self.tokens)
    }
}

/// A key's fingerprint as words that two people can read to each other: the first 88 bits of its
/// SHA-256, in English or Chinese.
#[must_use]
pub fn words(key: &[u8], chinese: bool) -> String {
    let list = if chinese { Language::SimplifiedChinese } else { Language::English }.word_list();
    let hash = digest::digest(&digest::SHA256, key);
    let mut bits = hash.as_ref().iter().flat_map(|byte| (0..8).rev().map(move |bit| usize::from(byte >> bit & 1)));
    let mut words = Vec::new();
    for _ in 0..WORDS {
        let index = bits.by_ref().take(11).fold(0, |index, bit| index << 1 | bit);
        words.extend(list.get(index).copied());
    }
    words.join(if chinese { "" } else { " " })
}
