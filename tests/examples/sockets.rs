//! Step 12: a thread for each socket, or one for all.

use std::net::UdpSocket;
use std::time::Instant;

use crate::program::{PATIENCE, Program};

const SOCKETS: usize = 64;

/// All sockets echo, also several datagrams at once; how many threads that took, and KiB of stacks
/// and heap.
fn echo(way: &str) -> (usize, u64) {
    let program = Program::start("12_many_sockets", &[way, &SOCKETS.to_string()], None);
    let address = |_| program.says("listening on ").replace("listening on ", "");
    let addresses: Vec<String> = (0..SOCKETS).map(address).collect();
    let socket = UdpSocket::bind("127.0.0.1:0").expect("a socket");
    socket.set_read_timeout(Some(PATIENCE)).expect("a timeout");
    let begun = Instant::now();
    for (i, address) in addresses.iter().enumerate() {
        for n in 0..4 {
            socket.send_to(format!("{i} {n}").as_bytes(), address).expect("sent");
        }
        let mut buffer = [0; 1024];
        for n in 0..4 {
            let (length, from) = socket.recv_from(&mut buffer).unwrap_or_else(|error| panic!("{way}: {error}"));
            assert_eq!((&buffer[..length], &from.to_string()), (format!("{i} {n}").as_bytes(), address));
        }
    }
    let all = begun.elapsed();
    let status = std::fs::read_to_string(format!("/proc/{}/status", program.pid())).expect("it runs");
    let figure = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name)).expect("a figure");
        line.trim_start_matches(':').split_whitespace().next().expect("a number").parse::<u64>().expect("a number")
    };
    println!(
        "{way}: {} threads, VmData {} KiB, VmRSS {} KiB, {all:?}",
        figure("Threads"),
        figure("VmData"),
        figure("VmRSS")
    );
    (usize::try_from(figure("Threads")).expect("few"), figure("VmData"))
}

#[test]
fn s12_a_thread_for_each_or_one_for_all() {
    let (threads, threads_data) = echo("threads");
    let (poll, poll_data) = echo("poll");
    assert_eq!((threads, poll), (SOCKETS + 1, 1));
    assert!(threads_data > 10 * poll_data, "each thread has a stack: {threads_data} and {poll_data} KiB");
}
