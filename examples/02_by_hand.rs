//! 02 · The protocol by hand, in turns. New here: somebody else's server, what its answers mean, and
//! an answer that does not come.
//!
//! ```sh
//! cargo run --example 02_by_hand -- 127.0.0.1:21568                       # type 01#20170001#x#x#
//! cargo run --example 02_by_hand -- 127.0.0.1:21568 <requests.txt         # a test document
//! ```

#![allow(clippy::print_stdout, reason = "a program for the terminal")]

use std::env;
use std::error::Error;
use std::io::{self, ErrorKind};
use std::net::UdpSocket;
use std::time::Duration;

fn main() -> Result<(), Box<dyn Error>> {
    let server = env::args().nth(1).ok_or("usage: 02_by_hand HOST:PORT")?;
    let socket = UdpSocket::bind("0.0.0.0:0")?;
    // Connected, a UDP socket sends to this address only, and hears nobody else.
    socket.connect(&server)?;
    socket.set_read_timeout(Some(Duration::from_secs(2)))?;
    println!("| sent | got | meaning |\n|---|---|---|");
    for line in io::stdin().lines() {
        let request = line?;
        match ask(&socket, &request)? {
            Some(reply) => println!("| `{request}` | `{reply}` | {} |", meaning(&reply)),
            None => println!("| `{request}` | | no answer: lost, or nobody is there 没有回答 |"),
        }
    }
    Ok(())
}

/// One request, one reply; `None` if there was none in time.
fn ask(socket: &UdpSocket, request: &str) -> io::Result<Option<String>> {
    let mut buffer = [0; 1024];
    match socket.send(request.as_bytes()).and_then(|_| socket.recv(&mut buffer)) {
        Ok(n) => Ok(Some(String::from_utf8_lossy(buffer.get(..n).unwrap_or_default()).into_owned())),
        Err(error) if is_silence(error.kind()) => Ok(None),
        Err(error) => Err(error),
    }
}

/// The time was up (two names for it, by system), or the other machine says that nobody listens there.
fn is_silence(kind: ErrorKind) -> bool {
    use ErrorKind::{ConnectionRefused, ConnectionReset, TimedOut, WouldBlock};
    matches!(kind, WouldBlock | TimedOut | ConnectionRefused | ConnectionReset)
}

/// The protocol's table of answers.
fn meaning(reply: &str) -> &'static str {
    match reply {
        "00:00" => "malformed 格式错误",
        "01:01" => "registered 注册成功",
        "01:02" => "the two passwords differ 确认密码错误",
        "01:03" => "the account exists 用户已存在",
        "02:01" => "logged in 登录成功",
        "02:02" => "wrong password 密码错误",
        "02:03" => "no such account 用户不存在",
        "02:04" => "already logged in 用户已登录",
        "03:01" => "delivered 发送成功",
        "03:02" => "the other side is offline 对方离线",
        "05:01" | "09:01" => "nothing unread 无未读消息",
        "06:01" => "gone offline 离线成功",
        "06:02" => "was offline already 已处于离线状态",
        "07:01" => "not logged in 越权操作",
        _ if reply.starts_with("04:") => "unread from this friend 该好友的未读条数",
        _ if reply.starts_with("08:") => "unread from everybody 所有未读条数",
        _ if reply.starts_with("05:") || reply.starts_with("09:") => "sender : time : message 发送者:时间:消息",
        _ => "not in the table 协议中没有",
    }
}
