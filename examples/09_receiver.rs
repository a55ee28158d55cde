//! 09 · The receiving thread. New here: a thread. `send` only sends; whatever comes is received by a
//! thread of its own, so the window never waits, and both sides may speak at any time.
//!
//! ```sh
//! cargo run --example 09_receiver -- 127.0.0.1:21568 20170000 secret 20170001
//! ```

#![allow(clippy::print_stdout, reason = "what the window shows is printed too")]

use std::sync::{Arc, Mutex, PoisonError};
use std::{env, error::Error, io, net::UdpSocket, thread};

use fltk::button::{Button, ReturnButton};
use fltk::text::{TextBuffer, TextDisplay};
use fltk::{app, enums::Font, input::Input, prelude::*, window::Window};

/// What the thread has heard and the window has not shown yet. Both hold it; the lock lets in one at
/// a time.
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
        let input = Input::new(10, 280, 240, 30, None);
        let mut display = TextDisplay::new(10, 10, 460, 260, None);
        display.set_buffer(TextBuffer::default());
        let mut send = ReturnButton::new(260, 280, 110, 30, "Send 发送");
        let mut get = Button::new(380, 280, 90, 30, "&Get 收取");
        window.end();
        window.show();
        let chat = Self { socket: Arc::new(socket), friend: friend.to_owned(), display, input };
        let (mut this, that) = (chat.clone(), chat.clone());
        send.set_callback(move |_| this.send());
        get.set_callback(move |_| that.get());
        chat
    }

    /// Sends, and does not wait.
    fn send(&mut self) {
        let text = self.input.value();
        let sent = self.socket.send(format!("03#{}#{text}#", self.friend).as_bytes());
        self.show(&sent.map_or_else(|error| error.to_string(), |_| format!("me: {text}")));
        self.input.set_value("");
    }

    fn get(&self) {
        // If that fails, no answer comes; the user presses again.
        let _ = self.socket.send(format!("05#{}#", self.friend).as_bytes());
    }

    /// Starts the receiving thread. It touches no widget (they belong to the main thread): it leaves
    /// what it heard in the list and wakes the main loop.
    fn start_receiving(&self, heard: Heard) -> io::Result<()> {
        let socket = Arc::clone(&self.socket);
        let receive = move || {
            let mut buffer = [0; 1024];
            // An error ("nobody listens there") is not the end: the server may come back.
            loop {
                let Ok(n) = socket.recv(&mut buffer) else { continue };
                let reply = String::from_utf8_lossy(buffer.get(..n).unwrap_or_default()).into_owned();
                heard.lock().unwrap_or_else(PoisonError::into_inner).push(reply);
                app::awake();
            }
        };
        thread::Builder::new().name("receiver".into()).spawn(receive).map(drop)
    }

    /// What an answer means. There is no question it belongs to any more: all is in the answer.
    fn hear(&mut self, reply: &str) {
        match reply.splitn(6, ':').collect::<Vec<_>>()[..] {
            ["03", "01"] => {}
            ["03", "02"] => self.show("is offline 对方离线"),
            ["05", "01"] => self.show("nothing new 无未读消息"),
            ["05", from, _, _, _, text] => {
                self.show(&format!("{from}: {text}"));
                self.get();
            }
            _ => self.show(&format!("the server says {reply}")),
        }
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
    let [server, account, password, friend] = args.as_slice() else {
        return Err("usage: 09_receiver HOST:PORT ACCOUNT PASSWORD FRIEND".into());
    };
    let socket = UdpSocket::bind("0.0.0.0:0")?;
    socket.connect(server)?;
    let app = app::App::default();
    // Chinese letters at their full height; where this font is not installed, the system takes another.
    Font::set_font(Font::Helvetica, "Noto Sans CJK SC");
    let mut chat = Chat::new(socket, friend);
    let heard = Heard::default();
    chat.start_receiving(Arc::clone(&heard))?;
    chat.socket.send(format!("02#{account}#{password}#").as_bytes())?;
    // The main loop by hand: after each event, and each `awake`, what was heard is shown.
    while app.wait() {
        let replies = std::mem::take(&mut *heard.lock().unwrap_or_else(PoisonError::into_inner));
        replies.iter().for_each(|reply| chat.hear(reply));
    }
    chat.socket.send(b"06#")?;
    Ok(())
}
