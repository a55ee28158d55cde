//! 04 · One window, and no thread but the one that draws it. New here: FLTK. It is wrong on purpose:
//! the window freezes while the server is silent. Try it with an address where nobody answers.
//!
//! ```sh
//! cargo run --example 04_window -- 127.0.0.1:21568       # type 08# and Enter
//! ```

#![allow(clippy::print_stdout, reason = "what the window shows is printed too")]

use std::env;
use std::error::Error;
use std::net::UdpSocket;
use std::time::Duration;

use fltk::text::{TextBuffer, TextDisplay};
use fltk::{app, button::ReturnButton, enums::Font, input::Input, prelude::*, window::Window};

fn main() -> Result<(), Box<dyn Error>> {
    let server = env::args().nth(1).ok_or("usage: 04_window HOST:PORT")?;
    let socket = UdpSocket::bind("0.0.0.0:0")?;
    socket.connect(&server)?;
    socket.set_read_timeout(Some(Duration::from_secs(5)))?;

    // What stands between here and `end` is put into the window.
    let app = app::App::default();
    // Chinese letters at their full height; where this font is not installed, the system takes another.
    Font::set_font(Font::Helvetica, "Noto Sans CJK SC");
    let mut window = Window::new(100, 100, 480, 320, "04 by hand 手工协议");
    // The first widget that takes keys has the keyboard.
    let mut input = Input::new(10, 280, 340, 30, None);
    let mut display = TextDisplay::new(10, 10, 460, 260, None);
    display.set_buffer(TextBuffer::default());
    // Enter presses a ReturnButton: nobody needs the mouse.
    let mut button = ReturnButton::new(360, 280, 110, 30, "Send 发送");
    window.end();
    window.show();

    // FLTK calls this when the button is pressed, from inside `app.run()` below.
    button.set_callback(move |_| {
        let request = input.value();
        let mut buffer = [0; 1024];
        // Here it freezes: `recv` waits, and this thread is the one that should be drawing.
        let reply = match socket.send(request.as_bytes()).and_then(|_| socket.recv(&mut buffer)) {
            Ok(n) => String::from_utf8_lossy(buffer.get(..n).unwrap_or_default()).into_owned(),
            Err(error) => format!("no answer 没有回答: {error}"),
        };
        println!("{request} -> {reply}");
        // At the end, wherever somebody has clicked.
        display.set_insert_position(i32::MAX);
        display.insert(&format!("{request} -> {reply}\n"));
        display.show_insert_position();
        input.set_value("");
    });
    // The loop of every window program: wait for a key, the mouse, a need to draw; call who is concerned.
    app.run()?;
    Ok(())
}
