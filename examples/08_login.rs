//! 08 · The login window. New here: one window follows another. An error clears what was wrong and says
//! why; the right answer opens the main window and closes this one, on the same socket, since for the
//! server the address is the session.
//!
//! ```sh
//! cargo run --example 08_login -- 127.0.0.1:21568
//! ```

#![allow(clippy::print_stdout, reason = "what the windows show is printed too")]

use std::{env, error::Error, net::UdpSocket, rc::Rc, time::Duration};

use fltk::button::{Button, ReturnButton};
use fltk::input::{Input, SecretInput};
use fltk::{app, enums::Font, frame::Frame, prelude::*, window::Window};

#[derive(Clone)]
struct Login {
    socket: Rc<UdpSocket>,
    window: Window,
    account: Input,
    password: SecretInput,
    confirm: SecretInput,
    said: Frame,
}

impl Login {
    fn open(socket: &Rc<UdpSocket>) {
        let mut window = Window::new(200, 200, 340, 230, "08 login 登录");
        let account = Input::new(120, 20, 200, 30, "account 账号");
        let password = SecretInput::new(120, 60, 200, 30, "password 密码");
        let confirm = SecretInput::new(120, 100, 200, 30, "again 确认");
        let said = Frame::new(20, 140, 300, 30, None);
        let mut register = Button::new(20, 180, 140, 30, "&Register 注册");
        let mut log_in = ReturnButton::new(180, 180, 140, 30, "Log in 登录");
        window.end();
        window.show();

        let mut this = Self { socket: Rc::clone(socket), window, account, password, confirm, said };
        let mut that = this.clone();
        log_in.set_callback(move |_| this.log_in());
        register.set_callback(move |_| that.register());
    }

    fn log_in(&mut self) {
        let (account, password) = (self.account.value(), self.password.value());
        let reply = ask(&self.socket, &["02", &account, &password]);
        // Most servers move the session here on 02:04; whether this one has, 08 tells.
        let moved = reply == "02:04" && ask(&self.socket, &["08"]).starts_with("08:");
        match reply.as_str() {
            _ if reply == "02:01" || moved => {
                open_main(&account, &self.socket);
                self.window.hide();
            }
            "02:02" => self.say("wrong password 密码错误", false),
            "02:03" => self.say("no such account 用户不存在", true),
            "02:04" => self.say("already logged in 用户已登录", false),
            other => self.say(other, false),
        }
    }

    fn register(&mut self) {
        let fields = [&self.account.value(), &self.password.value(), &self.confirm.value()];
        match ask(&self.socket, &["01", fields[0], fields[1], fields[2]]).as_str() {
            "01:01" => self.say("registered; now log in 注册成功", false),
            "01:02" => self.say("the passwords differ 确认密码错误", false),
            "01:03" => self.say("the account exists 用户已存在", true),
            other => self.say(other, false),
        }
    }

    /// Says what was wrong, clears it, and puts the cursor where to go on.
    fn say(&mut self, what: &str, account_too: bool) {
        println!("[login] {what}");
        self.said.set_label(what);
        self.password.set_value("");
        self.confirm.set_value("");
        if account_too {
            self.account.set_value("");
        }
        let _ = if account_too { self.account.take_focus() } else { self.password.take_focus() };
    }
}

/// Here the friend list of 07 would stand.
fn open_main(account: &str, socket: &Rc<UdpSocket>) {
    let mut window = Window::new(200, 200, 220, 100, None).with_label(&format!("{account} · online 在线"));
    let mut leave = Button::new(40, 35, 140, 30, "Go &offline 离线");
    window.end();
    window.show();
    println!("[{account}] online");
    let socket = Rc::clone(socket);
    leave.set_callback(move |_| {
        println!("offline: {}", ask(&socket, &["06"]));
        app::quit();
    });
}

fn ask(socket: &UdpSocket, fields: &[&str]) -> String {
    if fields.iter().any(|field| field.contains('#') || field.is_empty()) {
        return "a field is empty or has a # 不可为空或含有#".to_owned();
    }
    let mut buffer = [0; 1024];
    let request: String = fields.iter().map(|field| format!("{field}#")).collect();
    match socket.send(request.as_bytes()).and_then(|_| socket.recv(&mut buffer)) {
        Ok(n) => String::from_utf8_lossy(buffer.get(..n).unwrap_or_default()).into_owned(),
        Err(error) => format!("no answer 没有回答: {error}"),
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let server = env::args().nth(1).ok_or("usage: 08_login HOST:PORT")?;
    let socket = Rc::new(UdpSocket::bind("0.0.0.0:0")?);
    socket.connect(&server)?;
    socket.set_read_timeout(Some(Duration::from_secs(5)))?;
    let app = app::App::default();
    // Chinese letters at their full height; where this font is not installed, the system takes another.
    Font::set_font(Font::Helvetica, "Noto Sans CJK SC");
    Login::open(&socket);
    app.run()?;
    Ok(())
}
