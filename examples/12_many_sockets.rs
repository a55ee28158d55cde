//! 12 · One more: many sockets. Either each has a thread that waits for it, or one thread waits for all
//! of them. The standard library has no such waiting: without it one would have to ask each socket in
//! turn, for ever, or sleep in between. So the crate mio asks the system (epoll, kqueue, IOCP).
//!
//! ```sh
//! cargo run --example 12_many_sockets -- threads 64     # 64 echo servers as in 01, and 65 threads
//! cargo run --example 12_many_sockets -- poll 64        # the same, and one thread
//! ```

#![allow(clippy::print_stdout, reason = "a program for the terminal")]

use std::io::{self, ErrorKind};
use std::net::{SocketAddr, UdpSocket};
use std::{env, thread};

fn main() -> io::Result<()> {
    let args: Vec<String> = env::args().skip(1).collect();
    let usage = || io::Error::new(ErrorKind::InvalidInput, "usage: 12_many_sockets threads|poll NUMBER");
    let [way, number] = args.as_slice() else { return Err(usage()) };
    let open = |_| UdpSocket::bind("127.0.0.1:0");
    let sockets = (0..number.parse::<usize>().map_err(|_| usage())?).map(open).collect::<io::Result<Vec<_>>>()?;
    for socket in &sockets {
        println!("listening on {}", socket.local_addr()?);
    }
    match way.as_str() {
        "threads" => threads(sockets),
        "poll" => poll(sockets),
        _ => Err(usage()),
    }
}

/// Reads as the echo of 01 does, and each thread knows nothing of the others. Each costs a stack, and
/// whatever they share needs a lock or a channel.
fn threads(sockets: Vec<UdpSocket>) -> io::Result<()> {
    let mut threads = Vec::new();
    for (i, socket) in sockets.into_iter().enumerate() {
        let echo = move || -> io::Result<()> {
            let mut buffer = [0; 1024];
            loop {
                let (n, from) = socket.recv_from(&mut buffer)?;
                socket.send_to(buffer.get(..n).unwrap_or_default(), from)?;
            }
        };
        threads.push(thread::Builder::new().name(format!("socket {i}")).spawn(echo)?);
    }
    for thread in threads {
        thread.join().map_err(|_| io::Error::other("a thread panicked"))??;
    }
    Ok(())
}

/// One thread, one buffer, nothing to lock. But nothing here may ever wait for anything else: while one
/// socket is served, all others are not.
fn poll(sockets: Vec<UdpSocket>) -> io::Result<()> {
    let mut poll = mio::Poll::new()?;
    let mut ready = mio::Events::with_capacity(sockets.len());
    let mut watched = Vec::new();
    for (i, socket) in sockets.into_iter().enumerate() {
        // Asked for a datagram that is not there, it says so instead of waiting.
        socket.set_nonblocking(true)?;
        let mut socket = mio::net::UdpSocket::from_std(socket);
        poll.registry().register(&mut socket, mio::Token(i), mio::Interest::READABLE)?;
        watched.push(socket);
    }
    let mut buffer = [0; 1024];
    loop {
        // The only place where this program waits.
        poll.poll(&mut ready, None)?;
        for event in &ready {
            let Some(socket) = watched.get(event.token().0) else { continue };
            // It is said once that something has come, not how much: so until there is no more.
            while let Some((n, from)) = receive(socket, &mut buffer)? {
                socket.send_to(buffer.get(..n).unwrap_or_default(), from)?;
            }
        }
    }
}

fn receive(socket: &mio::net::UdpSocket, buffer: &mut [u8]) -> io::Result<Option<(usize, SocketAddr)>> {
    match socket.recv_from(buffer) {
        Ok(received) => Ok(Some(received)),
        Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(None),
        Err(error) => Err(error),
    }
}
