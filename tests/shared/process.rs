//! Programs that end with their owner, and a place for them: a free port, a display without a screen.
#![allow(dead_code, reason = "each kind of test takes what it needs")]

use std::io::{BufRead, BufReader};
use std::net::{SocketAddr, UdpSocket};
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, PoisonError};

/// Servers of displays start one after another: two that find the same number left over from one that was killed
/// both take it, and one of them loses its socket to the other.
static STARTING: Mutex<()> = Mutex::new(());

/// A child that ends with its owner, also when that panics.
pub struct Process(pub Child);

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A port of loopback that nobody has.
pub fn free_port() -> SocketAddr {
    UdpSocket::bind("127.0.0.1:0").and_then(|s| s.local_addr()).expect("a port")
}

/// A display of our own, and its name.
pub fn display() -> (Process, String) {
    display_of("1400x1000")
}

/// The same with a screen of this size.
pub fn display_of(size: &str) -> (Process, String) {
    let _one = STARTING.lock().unwrap_or_else(PoisonError::into_inner);
    let mut server = Command::new("Xvfb")
        .args(["-displayfd", "1", "-screen", "0", &format!("{size}x24"), "-nolisten", "tcp", "-noreset"])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("please install the package xvfb (scripts/test does)");
    let mut number = String::new();
    let out = server.stdout.take().expect("piped");
    BufReader::new(out).read_line(&mut number).expect("Xvfb says its display");
    (Process(server), format!(":{}", number.trim()))
}
