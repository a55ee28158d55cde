//! 06 · A friend list; each friend's chat window sends and receives by itself. New here: many windows
//! and one session. It is wrong on purpose: whoever reads first takes the answer, whoever asked for it.
//!
//! ```sh
//! cargo run --example 06_friends -- 127.0.0.1:21568 20170000 secret 20170001 20170002
//! ```

#![allow(clippy::print_stdout, reason = "what the windows show is printed too")]

use std::env;
use std::error::Error;
use std::io;
use std::net::UdpSocket;
use std::rc::Rc;
use std::time::Duration;

use fltk::button::{Button, ReturnButton};
use fltk::text::{TextBuffer, TextDisplay};
use fltk::{app, enums::Font, input::Input, prelude::*, window::Window};

#[derive(Clone)]
struct Chat {
    friend: String,
    /// All windows' one socket: for the server, the address is the session.
    socket: Rc<UdpSocket>,
    display: TextDisplay,
    input: Input,
}

impl Chat {
    fn open(friend: &str, socket: &Rc<UdpSocket>) {
        let title = format!("{friend} · chatting 聊天中");
        let mut window = Window::default().with_size(480, 320).with_label(&title);
        let input = Input::new(10, 280, 240, 30, None);
        let mut display = TextDisplay::new(10, 10, 460, 260, None);
        display.set_buffer(TextBuffer::default());
        let mut send = ReturnButton::new(260, 280, 110, 30, "Send 发送");
        let mut receive = Button::new(380, 280, 90, 30, "&Get 收取");
        window.end();
        window.show();

        let mut chat = Self { friend: friend.to_owned(), socket: Rc::clone(socket), display, input };
        let mut this = chat.clone();
        send.set_callback(move |_| this.send());
        receive.set_callback(move |_| chat.receive());
    }

    fn send(&mut self) {
        let text = self.input.value();
        match ask(&self.socket, &format!("03#{}#{text}#", self.friend)).as_deref() {
            Ok("03:01") => self.show(&format!("me: {text}")),
            Ok("03:02") => self.show("is offline 对方离线"),
            Ok(reply) => self.show(&format!("? {reply}")),
            Err(error) => self.show(&format!("no answer 没有回答: {error}")),
        }
        self.input.set_value("");
    }

    /// Takes one message of this friend. The answer is believed to be to this question.
    fn receive(&mut self) {
        match ask(&self.socket, &format!("05#{}#", self.friend)).as_deref() {
            Ok("05:01") => self.show("nothing new 无未读消息"),
            // 05:account:YYYY-MM-DD HH:MM:SS:message; the message may have colons too.
            Ok(reply) => self.show(&format!("{}: {}", self.friend, reply.splitn(6, ':').last().unwrap_or_default())),
            Err(error) => self.show(&format!("no answer 没有回答: {error}")),
        }
    }

    fn show(&mut self, line: &str) {
        println!("[{}] {line}", self.friend);
        self.display.set_insert_position(i32::MAX);
        self.display.insert(&format!("{line}\n"));
        self.display.show_insert_position();
    }
}

/// Sends, and takes whatever comes next for the answer.
fn ask(socket: &UdpSocket, request: &str) -> io::Result<String> {
    let mut buffer = [0; 1024];
    socket.send(request.as_bytes())?;
    let n = socket.recv(&mut buffer)?;
    Ok(String::from_utf8_lossy(buffer.get(..n).unwrap_or_default()).into_owned())
}

fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<String> = env::args().skip(1).collect();
    let [server, account, password, friends @ ..] = args.as_slice() else {
        return Err("usage: 06_friends HOST:PORT ACCOUNT PASSWORD FRIEND …".into());
    };
    let socket = Rc::new(UdpSocket::bind("0.0.0.0:0")?);
    socket.connect(server)?;
    socket.set_read_timeout(Some(Duration::from_secs(2)))?;
    println!("login 登录: {}", ask(&socket, &format!("02#{account}#{password}#"))?);

    let app = app::App::default();
    // Chinese letters at their full height; where this font is not installed, the system takes another.
    Font::set_font(Font::Helvetica, "Noto Sans CJK SC");
    let mut window = Window::new(50, 50, 220, 400, "06 friends 好友");
    for (i, friend) in (0..).zip(friends) {
        // Alt and the number open it too.
        let mut button = Button::new(10, 10 + 40 * i, 200, 30, None).with_label(&format!("&{} {friend}", i + 1));
        let (friend, socket) = (friend.clone(), Rc::clone(&socket));
        button.set_callback(move |_| Chat::open(&friend, &socket));
    }
    window.end();
    window.show();
    app.run()?;
    ask(&socket, "06#")?;
    Ok(())
}
