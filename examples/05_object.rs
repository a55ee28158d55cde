//! 05 · The same window as a struct with two methods, `new` and `send`. New here: an object. What the
//! closure of 04 had to capture are its fields, and there can be as many windows as one likes.
//! (Python's `self` is written out here too.)
//!
//! ```sh
//! cargo run --example 05_object -- 127.0.0.1:21568 127.0.0.1:21568     # one window for each address
//! ```

#![allow(clippy::print_stdout, reason = "what the window shows is printed too")]

use std::env;
use std::error::Error;
use std::io;
use std::net::UdpSocket;
use std::rc::Rc;
use std::time::Duration;

use fltk::text::{TextBuffer, TextDisplay};
use fltk::{app, button::ReturnButton, enums::Font, input::Input, prelude::*, window::Window};

/// A window and its way to the server. A clone is another handle to the same window: widgets are
/// handles by themselves, and the socket is behind an `Rc`.
#[derive(Clone)]
struct Chat {
    socket: Rc<UdpSocket>,
    display: TextDisplay,
    input: Input,
}

impl Chat {
    /// The layout, and where the server is.
    fn new(title: &str, server: &str) -> io::Result<Self> {
        let socket = UdpSocket::bind("0.0.0.0:0")?;
        socket.connect(server)?;
        socket.set_read_timeout(Some(Duration::from_secs(5)))?;

        let mut window = Window::default().with_size(480, 320).with_label(title);
        let input = Input::new(10, 280, 340, 30, None);
        let mut display = TextDisplay::new(10, 10, 460, 260, None);
        display.set_buffer(TextBuffer::default());
        let mut button = ReturnButton::new(360, 280, 110, 30, "Send 发送");
        window.end();
        window.show();

        let chat = Self { socket: Rc::new(socket), display, input };
        let mut this = chat.clone();
        button.set_callback(move |_| this.send());
        Ok(chat)
    }

    /// Sends what was typed and shows what comes. It waits as in 04, and all windows freeze together.
    fn send(&mut self) {
        let request = self.input.value();
        let mut buffer = [0; 1024];
        let reply = match self.socket.send(request.as_bytes()).and_then(|_| self.socket.recv(&mut buffer)) {
            Ok(n) => String::from_utf8_lossy(buffer.get(..n).unwrap_or_default()).into_owned(),
            Err(error) => format!("no answer 没有回答: {error}"),
        };
        println!("{request} -> {reply}");
        self.display.set_insert_position(i32::MAX);
        self.display.insert(&format!("{request} -> {reply}\n"));
        self.display.show_insert_position();
        self.input.set_value("");
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let app = app::App::default();
    // Chinese letters at their full height; where this font is not installed, the system takes another.
    Font::set_font(Font::Helvetica, "Noto Sans CJK SC");
    let mut chats = Vec::new();
    for (i, server) in env::args().skip(1).enumerate() {
        chats.push(Chat::new(&format!("05 window 窗口 {}", i + 1), &server)?);
    }
    if chats.is_empty() {
        return Err("usage: 05_object HOST:PORT …".into());
    }
    app.run()?;
    Ok(())
}
