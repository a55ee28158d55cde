//! 10 · The timer thread. New here: something happens without anybody doing anything. Every 30 seconds
//! (or as many as given) it asks for unread messages, and the receiving thread hears the answers.
//!
//! ```sh
//! cargo run --example 10_timer -- 127.0.0.1:21568 20170000 secret 20170001 30
//! ```

#![allow(clippy::print_stdout, reason = "what the window shows is printed too")]

use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::{env, error::Error, io, net::UdpSocket, time::Duration};

use crossbeam_channel::{RecvTimeoutError, Sender};
use fltk::text::{TextBuffer, TextDisplay};
use fltk::{app, button::ReturnButton, enums::Font, input::Input, prelude::*, window::Window};

/// What the receiving thread has heard and the window has not shown yet.
type Heard = Arc<Mutex<Vec<String>>>;

#[derive(Clone)]
struct Chat {
    socket: Arc<UdpSocket>,
    friend: String,
    display: TextDisplay,
    input: Input,
}

impl Chat {
    fn new(socket: UdpSocket, friend: &str) -> Self {
        let mut window = Window::default().with_size(480, 320).with_label(&format!("{friend} · chatting 聊天中"));
        let input = Input::new(10, 280, 340, 30, None);
        let mut display = TextDisplay::new(10, 10, 460, 260, None);
        display.set_buffer(TextBuffer::default());
        let mut send = ReturnButton::new(360, 280, 110, 30, "Send 发送");
        window.end();
        window.show();
        let chat = Self { socket: Arc::new(socket), friend: friend.to_owned(), display, input };
        let mut this = chat.clone();
        send.set_callback(move |_| this.send());
        chat
    }

    fn send(&mut self) {
        let text = self.input.value();
        let sent = self.socket.send(format!("03#{}#{text}#", self.friend).as_bytes());
        self.show(&sent.map_or_else(|error| error.to_string(), |_| format!("me: {text}")));
        self.input.set_value("");
    }

    /// Starts the timer thread. It waits on a channel rather than in a sleep: as soon as the other end
    /// of the channel is dropped, it ends.
    fn start_timer(&self, period: Duration) -> io::Result<(Sender<()>, JoinHandle<()>)> {
        let (end, ended) = crossbeam_channel::bounded(0);
        let (socket, request) = (Arc::clone(&self.socket), format!("04#{}#", self.friend));
        let ask = move || {
            while ended.recv_timeout(period) == Err(RecvTimeoutError::Timeout) {
                let _ = socket.send(request.as_bytes());
            }
        };
        Ok((end, thread::Builder::new().name("timer".into()).spawn(ask)?))
    }

    fn start_receiving(&self, heard: Heard) -> io::Result<()> {
        let socket = Arc::clone(&self.socket);
        let receive = move || {
            let mut buffer = [0; 1024];
            loop {
                let Ok(n) = socket.recv(&mut buffer) else { continue };
                let reply = String::from_utf8_lossy(buffer.get(..n).unwrap_or_default()).into_owned();
                heard.lock().unwrap_or_else(PoisonError::into_inner).push(reply);
                app::awake();
            }
        };
        thread::Builder::new().name("receiver".into()).spawn(receive).map(drop)
    }

    fn hear(&mut self, reply: &str) {
        match reply.splitn(6, ':').collect::<Vec<_>>()[..] {
            ["03", "01"] | ["04", "0"] | ["05", "01"] => {}
            ["03", "02"] => self.show("is offline 对方离线"),
            // Something is unread: take one, and after each another, until 05:01.
            ["04", _] => self.take(),
            ["05", from, _, _, _, text] => {
                self.show(&format!("{from}: {text}"));
                self.take();
            }
            _ => self.show(&format!("the server says {reply}")),
        }
    }

    fn take(&self) {
        let _ = self.socket.send(format!("05#{}#", self.friend).as_bytes());
    }

    fn show(&mut self, line: &str) {
        println!("[{}] {line}", self.friend);
        self.display.set_insert_position(i32::MAX);
        self.display.insert(&format!("{line}\n"));
        self.display.show_insert_position();
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<String> = env::args().skip(1).collect();
    let [server, account, password, friend, seconds @ ..] = args.as_slice() else {
        return Err("usage: 10_timer HOST:PORT ACCOUNT PASSWORD FRIEND [SECONDS]".into());
    };
    let period = Duration::from_secs(seconds.first().map_or(Ok(30), |seconds| seconds.parse())?);
    let socket = UdpSocket::bind("0.0.0.0:0")?;
    socket.connect(server)?;
    let app = app::App::default();
    // Chinese letters at their full height; where this font is not installed, the system takes another.
    Font::set_font(Font::Helvetica, "Noto Sans CJK SC");
    let mut chat = Chat::new(socket, friend);
    let heard = Heard::default();
    chat.start_receiving(Arc::clone(&heard))?;
    chat.socket.send(format!("02#{account}#{password}#").as_bytes())?;
    let (end, timer) = chat.start_timer(period)?;
    while app.wait() {
        let replies = std::mem::take(&mut *heard.lock().unwrap_or_else(PoisonError::into_inner));
        replies.iter().for_each(|reply| chat.hear(reply));
    }
    drop(end);
    let _ = timer.join();
    chat.socket.send(b"06#")?;
    Ok(())
}
