//! Others on the wire: a client by hand, and one that only listens in between.

use std::net::{SocketAddr, UdpSocket};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

/// A client as one writes it first: ask, wait for the answer.
pub struct ByHand(UdpSocket);

impl ByHand {
    pub fn new(server: SocketAddr) -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").expect("a socket");
        socket.connect(server).expect("an address");
        socket.set_read_timeout(Some(Duration::from_secs(5))).expect("a timeout");
        Self(socket)
    }

    /// Asks and returns the answer.
    #[track_caller]
    pub fn ask(&self, request: &str) -> String {
        let mut buffer = [0; 2048];
        for _ in 0..4 {
            self.0.send(request.as_bytes()).expect("sent");
            if let Ok(n) = self.0.recv(&mut buffer) {
                return String::from_utf8_lossy(&buffer[..n]).into_owned();
            }
        }
        panic!("no answer to {request}");
    }

    /// Registers and logs in.
    #[track_caller]
    pub fn join(server: SocketAddr, account: &str) -> Self {
        let peer = Self::new(server);
        peer.ask(&format!("01#{account}#secret#secret#"));
        assert_eq!(peer.ask(&format!("02#{account}#secret#")), "02:01");
        peer
    }
}

/// Stands between one client and the server and counts.
pub struct Between {
    pub address: SocketAddr,
    seen: Arc<Mutex<Vec<(bool, String)>>>,
}

impl Between {
    pub fn new(server: SocketAddr) -> Self {
        let near = UdpSocket::bind("127.0.0.1:0").expect("a socket");
        let far = UdpSocket::bind("127.0.0.1:0").expect("a socket");
        far.connect(server).expect("an address");
        let address = near.local_addr().expect("bound");
        let seen: Arc<Mutex<Vec<(bool, String)>>> = Arc::default();
        let client: Arc<Mutex<Option<SocketAddr>>> = Arc::default();
        let (up, log, from) = ((near.try_clone(), far.try_clone()), Arc::clone(&seen), Arc::clone(&client));
        let (in_near, out_far) = (up.0.expect("cloned"), up.1.expect("cloned"));
        let upward = move || {
            let mut buffer = [0; 2048];
            while let Ok((n, who)) = in_near.recv_from(&mut buffer) {
                *from.lock().expect("not poisoned") = Some(who);
                let text = String::from_utf8_lossy(&buffer[..n]).into_owned();
                log.lock().expect("not poisoned").push((true, text));
                let _ = out_far.send(&buffer[..n]);
            }
        };
        let log = Arc::clone(&seen);
        let downward = move || {
            let mut buffer = [0; 2048];
            loop {
                // A server that is away answers with ICMP's errors; it may come again.
                let Ok(n) = far.recv(&mut buffer) else { continue };
                let text = String::from_utf8_lossy(&buffer[..n]).into_owned();
                log.lock().expect("not poisoned").push((false, text));
                let to = *client.lock().expect("not poisoned");
                if let Some(to) = to {
                    let _ = near.send_to(&buffer[..n], to);
                }
            }
        };
        thread::Builder::new().name("up".into()).spawn(upward).expect("a thread");
        thread::Builder::new().name("down".into()).spawn(downward).expect("a thread");
        Self { address, seen }
    }

    /// How many requests began so.
    pub fn requests(&self, operation: &str) -> usize {
        let seen = self.seen.lock().expect("not poisoned");
        seen.iter().filter(|(up, text)| *up && text.starts_with(operation)).count()
    }

    /// Whether this answer came.
    pub fn answered(&self, text: &str) -> bool {
        self.seen.lock().expect("not poisoned").iter().any(|(up, seen)| !*up && seen == text)
    }

    /// Everything, for a failure's text.
    pub fn all(&self) -> Vec<(bool, String)> {
        self.seen.lock().expect("not poisoned").clone()
    }
}
