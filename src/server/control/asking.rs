//! The command's half: asks a running server one request at a time, sending it again until it is answered.

use std::io;
use std::net::{SocketAddr, UdpSocket};
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::{
    Answer, Direction, MAX_DATAGRAM, NewAccount, NumberedAnswer, NumberedRequest, PAGE, RequestId, RequestKind, Secret,
};
use crate::base::trouble;
use crate::protocol::wire::frame::Key;

/// How long an answer is awaited before the request is sent again.
const AGAIN: Duration = Duration::from_millis(250);
/// How many times in a row a request is sent without an answer before giving up; this takes 10 s.
pub(crate) const TRIES: u32 = 40;
/// The most datagrams that are looked at during one wait for an answer.
const MOST: u32 = 1_000;

/// Why a running server was not asked, or why the outcome is unknown; a sentence for the person who gave the command.
#[derive(Debug, thiserror::Error)]
pub enum AskError {
    /// The file with the secret cannot be read.
    #[error("a server has {path}, and how to ask it cannot be read: {}. Please run this as the server's user", trouble::words(.error))]
    File {
        /// The path of the file.
        path: PathBuf,
        /// The system's error.
        error: io::Error,
    },
    /// The file belongs to another user, or others could have read or written it.
    #[error("{0} is not the server's owner's alone, so it may be somebody else's; nothing was asked")]
    NotPrivate(PathBuf),
    /// The server does not answer at all, so nothing was asked.
    #[error("the server that has {0} does not answer; nothing was changed")]
    Silent(PathBuf),
    /// The server fell silent after it was asked; the request may have been carried out.
    #[error("the server does not answer any more; `account list` shows whether it was done")]
    Unanswered,
    /// The server ended after it was asked; the request may have been carried out.
    #[error("the server ended before it answered; `account list` shows whether it was done")]
    Ended,
    /// The server is another version and does not know this request.
    #[error("the server does not understand what it is asked; it is another version: please start it anew")]
    NotUnderstood,
    /// The system gave no socket or random bytes.
    #[error("the system refused a socket or random bytes: {0}")]
    System(#[from] io::Error),
}

/// What was found where the server listens for commands.
#[derive(Debug)]
pub enum Greeting {
    /// A server that answers.
    Here(ControlClient),
    /// There is no file, or nobody listens at its address.
    Nobody,
    /// There is no answer yet. A server may be starting or busy; or the file belongs to one that was killed, and
    /// another program has its port.
    Silent,
}

/// The command's end of the conversation with a server.
#[derive(Debug)]
pub struct ControlClient {
    socket: UdpSocket,
    secret: Secret,
}

enum Exchange {
    Answer(Answer),
    Working,
    Nothing,
    /// Nobody listens on the port.
    Refused,
}

impl ControlClient {
    /// Looks for the server of a data directory, for a quarter of a second.
    ///
    /// # Errors
    /// If this user may not ask it.
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

    /// Asks the server and waits for the answer, however long it says that it is working on it.
    ///
    /// # Errors
    /// If the server ends or falls silent.
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

    /// Imports all of these accounts or none: sends them in parts, then has them made at once.
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

    /// Sends the request once and waits [`AGAIN`] for an answer.
    fn once(&mut self, number: RequestId, want: &RequestKind) -> Result<Exchange, AskError> {
        let text = serde_json::to_vec(&NumberedRequest { number, want: want.clone() }).map_err(io::Error::other)?;
        let datagram =
            self.secret.seal(Direction::Request, &text).ok_or_else(|| io::Error::other("no random bytes"))?;
        self.socket.set_read_timeout(Some(AGAIN))?;
        // An error here is a lost datagram, or the system's report about the one before; what is received says more.
        let _ = self.socket.send(&datagram);
        let mut buffer = vec![0; MAX_DATAGRAM + 1];
        let (mut heard, mut refused) = (Exchange::Nothing, false);
        for _ in 0..MOST {
            let n = match self.socket.recv(&mut buffer) {
                Ok(n) => n,
                // An answer that was sent before the server ended may still be in the queue.
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
                // A late answer to an earlier request, or a datagram of another program.
                None => {}
            }
        }
        Ok(heard)
    }
}

/// Returns the path of the file with the secret in a data directory.
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

/// Returns how many of these accounts fit into one part, one at least.
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

/// Reads where the server listens and its secret; `None` if there is no file, or it is incomplete.
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
        // The lock belongs to the server, no matter who created the directory.
        let (secret, lock) = (of(&path).map_err(said)?, of(&data.join("lock")).map_err(said)?);
        if secret.mode() & 0o077 != 0 || secret.uid() != lock.uid() {
            return Err(AskError::NotPrivate(path));
        }
    }
    Ok(Secret::read(&text))
}
