//! Who else is on the wire: a friend by hand, a silent server, and a slow way back.

use std::net::{SocketAddr, UdpSocket};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use crate::program::PATIENCE;

fn socket() -> UdpSocket {
    let socket = UdpSocket::bind("127.0.0.1:0").expect("a socket");
    socket.set_read_timeout(Some(PATIENCE)).expect("a timeout");
    socket
}

/// A friend at another machine, who types the protocol.
pub struct Friend(UdpSocket);

impl Friend {
    pub fn register(server: SocketAddr, account: &str) -> Self {
        let friend = Self(socket());
        friend.0.connect(server).expect("loopback");
        assert_eq!(friend.asks(&format!("01#{account}#secret#secret#")), "01:01");
        friend
    }

    /// Registered and logged in.
    pub fn join(server: SocketAddr, account: &str) -> Self {
        let friend = Self::register(server, account);
        assert_eq!(friend.asks(&format!("02#{account}#secret#")), "02:01");
        friend
    }

    #[track_caller]
    pub fn asks(&self, request: &str) -> String {
        self.0.send(request.as_bytes()).expect("sent");
        let mut buffer = [0; 2048];
        let n = self.0.recv(&mut buffer).unwrap_or_else(|error| panic!("{request}: {error}"));
        String::from_utf8_lossy(&buffer[..n]).into_owned()
    }

    /// Waits for the next message: its sender and its text.
    #[track_caller]
    pub fn gets(&self) -> (String, String) {
        let end = Instant::now() + PATIENCE;
        loop {
            let reply = self.asks("09#");
            if let [_, from, _, _, _, text] = reply.splitn(6, ':').collect::<Vec<_>>()[..] {
                return (from.to_owned(), text.to_owned());
            }
            assert!(Instant::now() < end, "no message, but {reply}");
            thread::sleep(Duration::from_millis(50));
        }
    }
}

/// A server that answers when the test says so.
pub struct Silent {
    socket: UdpSocket,
    pub at: SocketAddr,
}

impl Silent {
    pub fn new() -> Self {
        let socket = socket();
        let at = socket.local_addr().expect("bound");
        Self { socket, at }
    }

    /// Waits for this request; who sent it can be answered.
    #[track_caller]
    pub fn hears(&self, request: &str) -> SocketAddr {
        self.hears_after(request, "none")
    }

    /// The same; before it others may come, which are answered `08:0`.
    #[track_caller]
    pub fn hears_after(&self, request: &str, other: &str) -> SocketAddr {
        let mut buffer = [0; 2048];
        loop {
            let (n, from) = self.socket.recv_from(&mut buffer).expect("a request");
            let heard = String::from_utf8_lossy(&buffer[..n]);
            if heard == request {
                return from;
            }
            assert_eq!(heard, other, "before {request}");
            self.answers(from, "08:0");
        }
    }

    pub fn answers(&self, to: SocketAddr, reply: &str) {
        self.socket.send_to(reply.as_bytes(), to).expect("sent");
    }
}

/// Stands between one client and the server. Told to be slow once, it keeps the answers until the
/// client's next request but one: as a network may, nothing lost and nothing out of order.
pub struct Between {
    pub at: SocketAddr,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    client: Option<SocketAddr>,
    requests: Vec<String>,
    slow: bool,
    /// Requests seen since it became slow.
    since: usize,
    kept: Vec<Vec<u8>>,
}

impl Between {
    pub fn new(server: SocketAddr) -> Self {
        let (near, far) = (UdpSocket::bind("127.0.0.1:0").expect("a socket"), socket());
        far.connect(server).expect("loopback");
        far.set_read_timeout(None).expect("none");
        let at = near.local_addr().expect("bound");
        let state: Arc<Mutex<State>> = Arc::default();
        let (near_back, far_back) = (near.try_clone().expect("cloned"), far.try_clone().expect("cloned"));
        let shared = Arc::clone(&state);
        let up = move || {
            let mut buffer = [0; 2048];
            while let Ok((n, from)) = near.recv_from(&mut buffer) {
                let mut state = shared.lock().expect("not poisoned");
                state.client = Some(from);
                state.requests.push(String::from_utf8_lossy(&buffer[..n]).into_owned());
                state.since += 1;
                if state.slow && state.since > 1 {
                    state.slow = false;
                    for reply in state.kept.drain(..) {
                        let _ = near.send_to(&reply, from);
                    }
                }
                drop(state);
                let _ = far.send(&buffer[..n]);
            }
        };
        let shared = Arc::clone(&state);
        let down = move || {
            let mut buffer = [0; 2048];
            while let Ok(n) = far_back.recv(&mut buffer) {
                let mut state = shared.lock().expect("not poisoned");
                match state.client {
                    Some(_) if state.slow => state.kept.push(buffer[..n].to_vec()),
                    Some(client) => drop(near_back.send_to(&buffer[..n], client)),
                    None => {}
                }
            }
        };
        thread::Builder::new().name("up".into()).spawn(up).expect("a thread");
        thread::Builder::new().name("down".into()).spawn(down).expect("a thread");
        Self { at, state }
    }

    /// The answer to the next request comes when the one after it has been asked.
    pub fn slow_once(&self) {
        let mut state = self.state.lock().expect("not poisoned");
        (state.slow, state.since) = (true, 0);
    }

    /// Everything the client has asked.
    pub fn requests(&self) -> Vec<String> {
        self.state.lock().expect("not poisoned").requests.clone()
    }
}
