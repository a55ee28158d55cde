//! 03 · Register and log in. New here: the program knows the rules. It writes the requests itself, so
//! that no `#` can slip into a field, and an answer is a value of an enum, not a text.
//!
//! ```sh
//! cargo run --example 03_login -- 127.0.0.1:21568
//! ```

#![allow(clippy::print_stdout, reason = "a program for the terminal")]

use std::env;
use std::error::Error;
use std::io::{self, Write};
use std::net::UdpSocket;
use std::time::Duration;

/// What `02#account#password#` may lead to.
enum Login {
    Done,
    WrongPassword,
    NoSuchAccount,
    AlreadyLoggedIn,
    Other(String),
}

fn main() -> Result<(), Box<dyn Error>> {
    let server = env::args().nth(1).ok_or("usage: 03_login HOST:PORT")?;
    let socket = UdpSocket::bind("0.0.0.0:0")?;
    socket.connect(&server)?;
    socket.set_read_timeout(Some(Duration::from_secs(5)))?;
    let account = loop {
        let account = prompt("account 账号: ")?;
        let password = prompt("password 密码: ")?;
        match log_in(&socket, &account, &password)? {
            Login::Done => break account,
            Login::WrongPassword => println!("wrong password, once more 密码错误"),
            Login::NoSuchAccount => {
                let confirm = prompt("new here; the password again, to register 确认密码: ")?;
                println!("{}", register(&socket, &account, &password, &confirm)?);
            }
            Login::AlreadyLoggedIn => println!("logged in elsewhere 用户已登录"),
            Login::Other(reply) => println!("the server says {reply}"),
        }
    };
    println!("{account} is online 登录成功");
    prompt("Enter goes offline 回车离线 ")?;
    println!("{}", ask(&socket, &["06"])?);
    Ok(())
}

fn log_in(socket: &UdpSocket, account: &str, password: &str) -> io::Result<Login> {
    let reply = ask(socket, &["02", account, password])?;
    Ok(match reply.as_str() {
        "02:01" => Login::Done,
        "02:02" => Login::WrongPassword,
        "02:03" => Login::NoSuchAccount,
        // Most servers move the session here; whether this one has, `08` tells.
        "02:04" if ask(socket, &["08"])?.starts_with("08:") => Login::Done,
        "02:04" => Login::AlreadyLoggedIn,
        _ => Login::Other(reply),
    })
}

fn register(socket: &UdpSocket, account: &str, password: &str, confirm: &str) -> io::Result<String> {
    let reply = ask(socket, &["01", account, password, confirm])?;
    Ok(match reply.as_str() {
        "01:01" => "registered, now log in 注册成功".to_owned(),
        "01:02" => "the passwords differ 确认密码错误".to_owned(),
        "01:03" => "the account exists 用户已存在".to_owned(),
        _ => format!("the server says {reply}"),
    })
}

/// Closes each field with `#` and waits for the answer.
fn ask(socket: &UdpSocket, fields: &[&str]) -> io::Result<String> {
    if fields.iter().any(|field| field.contains('#')) {
        return Ok("nothing: a # cannot be in a field 不可含有#".to_owned());
    }
    let request: String = fields.iter().map(|field| format!("{field}#")).collect();
    socket.send(request.as_bytes())?;
    let mut buffer = [0; 1024];
    let n = socket.recv(&mut buffer)?;
    Ok(String::from_utf8_lossy(buffer.get(..n).unwrap_or_default()).into_owned())
}

/// The next line typed. (It is seen while it is typed; the window of step 08 hides it.)
fn prompt(question: &str) -> io::Result<String> {
    print!("{question}");
    io::stdout().flush()?;
    let line = io::stdin().lines().next();
    line.unwrap_or_else(|| Err(io::ErrorKind::UnexpectedEof.into()))
}
