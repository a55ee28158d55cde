//! The socket on which a running server listens for operators' commands. It is bound to loopback and separate from the
//! server's port, so that a flood there does not keep operators out. A thread opens what arrives; a datagram that is
//! not sealed with the secret is dropped without an answer. The secret is new at each start and is written to the file
//! `control` in the data directory, which only its owner may read; a clean end removes the file.

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Instant;

use crossbeam_channel::Receiver;

use super::socket::LARGEST;
use crate::server::control::{
    Answer, Direction, Dispatch, MAX_DATAGRAM, NumberedAnswer, Order, RequestDesk, Secret, file,
};

/// The most requests that wait for the server's thread; a command whose request is dropped sends it again.
const WAITING: usize = 64;

/// Removes the file that a killed server has left. The caller holds the lock of the data directory.
pub(super) fn forget(data: &Path) {
    match std::fs::remove_file(file(data)) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => log::warn!("an old secret stays: {error}"),
        _ => {}
    }
}

#[derive(Debug)]
pub(super) struct Control {
    socket: UdpSocket,
    secret: Secret,
    path: PathBuf,
    desk: RequestDesk,
    came: Receiver<(SocketAddr, Vec<u8>)>,
    ending: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Control {
    /// Begins to listen. `wake` is called for each request.
    ///
    /// # Errors
    /// If the system gives no socket, thread or random bytes, or the file cannot be written.
    pub(super) fn open(data: &Path, wake: impl Fn() + Send + 'static) -> io::Result<Self> {
        let socket =
            UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).or_else(|_| UdpSocket::bind((Ipv6Addr::LOCALHOST, 0)))?;
        let secret = Secret::new().ok_or_else(|| io::Error::other("there are no random bytes"))?;
        let (came, taken) = crossbeam_channel::bounded(WAITING);
        let ending = Arc::new(AtomicBool::new(false));
        let (ear, opens, ends) = (socket.try_clone()?, secret.clone(), Arc::clone(&ending));
        let listen = move || {
            // Large enough for any datagram: Windows reports one that is cut off as an error.
            let mut buffer = vec![0; LARGEST];
            loop {
                let (n, from) = match ear.recv_from(&mut buffer) {
                    _ if ends.load(Ordering::Acquire) => return,
                    Ok(came) => came,
                    // ICMP's "port unreachable" for an answer to a command that has ended.
                    Err(error) if error.kind() == io::ErrorKind::ConnectionReset => continue,
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                    Err(error) => return log::error!("commands are not heard any more: {error}"),
                };
                let Some(datagram) = buffer.get(..n).filter(|_| n <= MAX_DATAGRAM) else { continue };
                if let Some(text) = opens.open(Direction::Request, datagram)
                    && came.try_send((from, text)).is_ok()
                {
                    wake();
                }
            }
        };
        let thread = Some(thread::Builder::new().name("control".into()).spawn(listen)?);
        let path = file(data);
        let control = Self { socket, secret, path, desk: RequestDesk::default(), came: taken, ending, thread };
        crate::base::private::replace(&control.path, control.secret.file(control.socket.local_addr()?))?;
        Ok(control)
    }

    /// Returns the next order for the engine and its ticket; answers requests that need no order.
    pub(super) fn poll(&mut self, now: impl Fn() -> Instant) -> Option<(u64, Order)> {
        while let Ok((from, bytes)) = self.came.try_recv() {
            match self.desk.take(now(), from, &bytes) {
                Some(Dispatch::Order(ticket, order)) => return Some((ticket, order)),
                Some(Dispatch::Answer(answered)) => self.send(from, &answered),
                None => {}
            }
        }
        None
    }

    /// Sends the answer to an order.
    pub(super) fn answer(&mut self, ticket: u64, answer: Answer) {
        if let Some((to, answered)) = self.desk.answered(ticket, answer) {
            self.send(to, &answered);
        }
    }

    fn send(&self, to: SocketAddr, answered: &NumberedAnswer) {
        let text = serde_json::to_vec(answered).unwrap_or_default();
        if let Some(datagram) = self.secret.seal(Direction::Answer, &text)
            && let Err(error) = self.socket.send_to(&datagram, to)
        {
            log::debug!("a command was not answered: {error}");
        }
    }

    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        self.desk.poll_timeout()
    }

    pub(super) fn handle_timeout(&mut self, now: Instant) {
        self.desk.handle_timeout(now);
    }
}

impl Drop for Control {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_file(&self.path)
            && error.kind() != io::ErrorKind::NotFound
        {
            log::warn!("{} stays: {error}", self.path.display());
        }
        self.ending.store(true, Ordering::Release);
        let woken = self.socket.local_addr().and_then(|own| self.socket.send_to(&[], own));
        // If it could not be woken, it ends with the process.
        if woken.is_ok()
            && let Some(Err(_)) = self.thread.take().map(JoinHandle::join)
        {
            log::error!("the control thread panicked");
        }
    }
}
