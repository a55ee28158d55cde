//! 01 · A UDP echo pair, in turns. New here: a socket, an address, a datagram.
//!
//! ```sh
//! cargo run --example 01_echo -- serve 127.0.0.1:5000    # one terminal
//! cargo run --example 01_echo -- 127.0.0.1:5000          # another: type lines, Ctrl+D ends
//! ```

#![allow(clippy::print_stdout, reason = "a program for the terminal")]

use std::env;
use std::io::{self, ErrorKind};
use std::net::UdpSocket;

fn main() -> io::Result<()> {
    let args: Vec<String> = env::args().skip(1).collect();
    match args.as_slice() {
        [word, address] if word == "serve" => serve(address),
        [address] => talk(address),
        _ => Err(io::Error::new(ErrorKind::InvalidInput, "usage: 01_echo [serve] HOST:PORT")),
    }
}

/// Waits at a known address and sends back whatever comes, to wherever it came from.
fn serve(address: &str) -> io::Result<()> {
    let socket = UdpSocket::bind(address)?;
    println!("listening on {}", socket.local_addr()?);
    let mut buffer = [0; 1024];
    loop {
        // `n` bytes came, and `from` is the only thing known of the sender.
        let (n, from) = socket.recv_from(&mut buffer)?;
        let datagram = buffer.get(..n).unwrap_or_default();
        println!("{from} says {}", String::from_utf8_lossy(datagram));
        socket.send_to(datagram, from)?;
    }
}

/// Sends each line and waits for its echo: one speaks, then the other. A datagram that gets lost
/// leaves us waiting for ever; the next step does something about that.
fn talk(server: &str) -> io::Result<()> {
    // Port 0: the system chooses one. The server sees it in `from`.
    let socket = UdpSocket::bind("0.0.0.0:0")?;
    let mut buffer = [0; 1024];
    for line in io::stdin().lines() {
        socket.send_to(line?.as_bytes(), server)?;
        let (n, _) = socket.recv_from(&mut buffer)?;
        println!("{}", String::from_utf8_lossy(buffer.get(..n).unwrap_or_default()));
    }
    Ok(())
}
