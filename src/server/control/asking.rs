//! A command's half of what it asks a running server: one request at a time, sent again until it is answered.

use std::io;
use std::net::{SocketAddr, UdpSocket};
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::{
    Answer, Direction, MAX_DATAGRAM, NewAccount, NumberedAnswer, NumberedRequest, PAGE, RequestId, RequestKind, Secret,
};
use crate::base::trouble;
use crate::protocol::wire::frame::Key;

/// For so long an answer is waited for before the same is asked again.
const AGAIN: Duration = Duration::from_millis(250);
/// So often in a row, and without a sign of the server, something is asked: 10 s.
pub(crate) const TRIES: u32 = 40;
/// Most datagrams looked at while one is waited for.
const MOST: u32 = 1_000;

/// Why a running server was not asked, or what it did is not known; a sentence for whoever asked.
#[derive(Debug, thiserror::Error)]
pub enum AskError {
    /// The file with the secret cannot be read.
    #[error("a server has {path}, and how to ask it cannot be read: {}. Please run this as the server's user", trouble::words(.error))]
    File {
        /// The file.
        path: PathBuf,
        /// What the system says.
        error: io::Error,
    },
    /// The file is another user's, or others could have read or written it.
    #[error("{0} is not the server's owner's alone, so it may be somebody else's; nothing was asked")]
    NotPrivate(PathBuf),
    /// Nothing was asked.
    #[error("the server that has {0} does not answer; nothing was changed")]
    Silent(PathBuf),
    /// It may have been done.
    #[error("the server does not answer any more; `account list` shows whether it was done")]
    Unanswered,
    /// It may have been done.
    #[error("the server ended before it answered; `account list` shows whether it was done")]
    Ended,
    /// Another version's server.
    #[error("the server does not understand what it is asked; it is another version: please start it anew")]
    NotUnderstood,
    /// The system refuses a socket or random bytes.
    #[error("the system refused a socket or random bytes: {0}")]
    System(#[from] io::Error),
}

/// What there is where a server listens for commands.
#[derive(Debug)]
pub enum Greeting {
    /// A server that answers.
    Here(ControlClient),
    /// No file, or nobody listens where it says.
    Nobody,
    /// No answer yet. A server may be starting or busy; or the file is of one that was killed, and somebody else has
    /// its port.
    Silent,
}

/// A server that answers.
#[derive(Debug)]
pub struct ControlClient {
    socket: UdpSocket,
    secret: Secret,
}

enum Exchange {
    Answer(Answer),
    Working,
    Nothing,
    /// Nobody has the port.
    Refused,
}

impl ControlClient {
    /// Looks for the server of a data directory, for a quarter of a second.
    ///
    /// # Errors
    /// It cannot be asked by this user.
    pub fn greet(data: &Path) -> Result<Greeting, AskError> {
        let Some((at, secret)) = read(data)? else { return Ok(Greeting::Nobody) };
        let own = SocketAddr::new(at.ip(), 0);
        let socket = UdpSocket::bind(own)?;
        socket.connect(at)?;
        let mut asking = Self { socket, secret };
        Ok(match asking.once(number()?, &RequestKind::Hello)? {
            Exchange::Answer(_) | Exchange::Working => Greeting::Here(asking),
            Exchange::Nothing => Greeting::Silent,
            Exchange::Refused => Greeting::Nobody,
        })
    }

    /// Asks, and waits for the answer: as long as the server says that it is working on it.
    ///
    /// # Errors
    /// It ends or falls silent meanwhile.
    pub fn ask(&mut self, want: RequestKind) -> Result<Answer, AskError> {
        let number = number()?;
        let (mut silent, mut refused) = (0, 0);
        while silent < TRIES {
            match self.once(number, &want)? {
                Exchange::Answer(Answer::NotUnderstood) => return Err(AskError::NotUnderstood),
                Exchange::Answer(answer) => return Ok(answer),
                Exchange::Working => silent = 0,
                Exchange::Nothing => silent += 1,
                Exchange::Refused if refused > 2 => return Err(AskError::Ended),
                Exchange::Refused => refused += 1,
            }
        }
        Err(AskError::Unanswered)
    }

    /// Has all of these accounts made, or none: in parts, and then at once.
    ///
    /// # Errors
    /// As [`ControlClient::ask`].
    pub fn import(&mut self, accounts: &[NewAccount]) -> Result<Answer, AskError> {
        let list = self::number()?;
        let mut rest = accounts;
        let mut parts = 0;
        while parts == 0 || !rest.is_empty() {
            let (part, others) = rest.split_at(fitting(rest));
            match self.ask(RequestKind::Part { list, part: parts, accounts: part.to_vec() })? {
                Answer::Done => {}
                other => return Ok(other),
            }
            rest = others;
            parts += 1;
        }
        self.ask(RequestKind::Import { list, parts })
    }

    /// Sends the request, and listens for a moment.
    fn once(&mut self, number: RequestId, want: &RequestKind) -> Result<Exchange, AskError> {
        let text = serde_json::to_vec(&NumberedRequest { number, want: want.clone() }).map_err(io::Error::other)?;
        let datagram =
            self.secret.seal(Direction::Request, &text).ok_or_else(|| io::Error::other("no random bytes"))?;
        self.socket.set_read_timeout(Some(AGAIN))?;
        // What the system refuses here is lost, or the last one's answer; what comes says more.
        let _ = self.socket.send(&datagram);
        let mut buffer = vec![0; MAX_DATAGRAM + 1];
        let (mut heard, mut refused) = (Exchange::Nothing, false);
        for _ in 0..MOST {
            let n = match self.socket.recv(&mut buffer) {
                Ok(n) => n,
                // An answer from before it ended may lie behind this.
                Err(error) if gone(&error) && !refused => {
                    refused = true;
                    continue;
                }
                Err(_) if refused => return Ok(Exchange::Refused),
                Err(_) => return Ok(heard),
            };
            let text = self.secret.open(Direction::Answer, buffer.get(..n).unwrap_or_default());
            let answered = text.and_then(|text| serde_json::from_slice::<NumberedAnswer>(&text).ok());
            match answered.filter(|answered| answered.number == number) {
                Some(NumberedAnswer { answer: Answer::Working, .. }) => heard = Exchange::Working,
                Some(NumberedAnswer { answer, .. }) => return Ok(Exchange::Answer(answer)),
                // A late one to a question of before, or somebody else's.
                None => {}
            }
        }
        Ok(heard)
    }
}

/// The file with the secret in a data directory.
#[must_use]
pub fn file(data: &Path) -> PathBuf {
    data.join("control")
}

fn gone(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::ConnectionRefused | io::ErrorKind::ConnectionReset)
}

fn number() -> Result<RequestId, AskError> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(io::Error::other)?;
    Ok(Key(bytes))
}

/// How many of these fit into one part; one at least.
fn fitting(accounts: &[NewAccount]) -> usize {
    let mut room = PAGE;
    let fits = accounts.iter().take_while(|account| {
        let size = serde_json::to_vec(account).map_or(PAGE, |bytes| bytes.len() + 1);
        let fits = room >= size;
        room = room.saturating_sub(size);
        fits
    });
    fits.count().max(1).min(accounts.len())
}

/// Where the server listens and its secret; `None` without a file, or of one that is not whole.
fn read(data: &Path) -> Result<Option<(SocketAddr, Secret)>, AskError> {
    let path = file(data);
    let said = |error| AskError::File { path: path.clone(), error };
    let text = match std::fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) if error.kind() == io::ErrorKind::InvalidData => return Ok(None),
        Err(error) => return Err(said(error)),
    };
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        let of = |path: &Path| std::fs::metadata(path);
        // The lock is the server's own, whoever made the folder.
        let (secret, lock) = (of(&path).map_err(said)?, of(&data.join("lock")).map_err(said)?);
        if secret.mode() & 0o077 != 0 || secret.uid() != lock.uid() {
            return Err(AskError::NotPrivate(path));
        }
    }
    Ok(Secret::read(&text))
}
