//! 07 · The main window as the proxy: a server to the chat windows, a client to the server. New here:
//! one owner of the socket. It alone knows what was asked, so each answer reaches the right window.
//!
//! ```sh
//! cargo run --example 07_proxy -- 127.0.0.1:21568 20170000 secret 20170001 20170002
//! ```

#![allow(clippy::print_stdout, reason = "what the windows show is printed too")]

use std::{cell::RefCell, collections::HashMap, env, error::Error, net::UdpSocket, rc::Rc, time::Duration};

use fltk::button::{Button, ReturnButton};
use fltk::text::{TextBuffer, TextDisplay};
use fltk::{app, enums::Font, input::Input, prelude::*, window::Window};

type Shared = Rc<RefCell<Main>>;

struct Main {
    socket: UdpSocket,
    /// The text of each friend's window. The windows have no socket any more.
    chats: HashMap<String, (Window, TextDisplay)>,
    /// The friend whose message was not answered in time. The answer may still come.
    late: Option<String>,
}

impl Main {
    /// Sends what a chat window has handed over.
    fn forward(&mut self, friend: &str, text: &str) {
        // 03's answers do not say to which 03. So before the next one the server is asked something
        // else: it answers in order, and once 08 is answered, no old 03 can come any more.
        if self.late.is_some() && self.ask("08#").is_none() {
            return self.show(friend, "the server is silent; not sent 未发送");
        }
        self.late = None;
        match self.ask(&format!("03#{friend}#{text}#")).as_deref() {
            Some("03:01") => self.show(friend, &format!("me: {text}")),
            Some("03:02") => self.show(friend, "is offline 对方离线"),
            Some(reply) => self.show(friend, &format!("? {reply}")),
            None => {
                self.late = Some(friend.to_owned());
                self.show(friend, "no answer yet 尚无回答");
            }
        }
    }

    /// One request, and the answer with the same operation; another one is the late one's.
    fn ask(&mut self, request: &str) -> Option<String> {
        let mut buffer = [0; 1024];
        self.socket.send(request.as_bytes()).ok()?;
        loop {
            let n = self.socket.recv(&mut buffer).ok()?;
            let reply = String::from_utf8_lossy(buffer.get(..n)?).into_owned();
            if reply.get(..2) == request.get(..2) || reply == "00:00" || reply == "07:01" {
                return Some(reply);
            } else if let Some(friend) = self.late.take() {
                self.show(&friend, &format!("late 迟到的回答: {reply}"));
            }
        }
    }

    fn show(&mut self, friend: &str, line: &str) {
        println!("[{friend}] {line}");
        if let Some((_, display)) = self.chats.get_mut(friend) {
            display.set_insert_position(i32::MAX);
            display.insert(&format!("{line}\n"));
            display.show_insert_position();
        }
    }
}

/// Shows a friend's window; what is typed there goes to the main window's object.
fn open(main: &Shared, friend: &str) {
    if let Some((window, _)) = main.borrow_mut().chats.get_mut(friend) {
        return window.show();
    }
    let mut window = Window::default().with_size(480, 320).with_label(&format!("{friend} · chatting 聊天中"));
    let mut input = Input::new(10, 280, 340, 30, None);
    let mut display = TextDisplay::new(10, 10, 460, 260, None);
    display.set_buffer(TextBuffer::default());
    let mut send = ReturnButton::new(360, 280, 110, 30, "Send 发送");
    window.end();
    window.show();
    main.borrow_mut().chats.insert(friend.to_owned(), (window, display));
    let (main, friend) = (Rc::clone(main), friend.to_owned());
    send.set_callback(move |_| {
        main.borrow_mut().forward(&friend, &input.value());
        input.set_value("");
    });
}

/// Takes everything unread, each message into its sender's window.
fn get(main: &Shared) {
    loop {
        let reply = main.borrow_mut().ask("09#").unwrap_or_default();
        // 09:account:YYYY-MM-DD HH:MM:SS:message; the last one is 09:01.
        let [_, from, _, _, _, text] = reply.splitn(6, ':').collect::<Vec<_>>()[..] else { return };
        open(main, from);
        main.borrow_mut().show(from, &format!("{from}: {text}"));
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<String> = env::args().skip(1).collect();
    let [server, account, password, friends @ ..] = args.as_slice() else {
        return Err("usage: 07_proxy HOST:PORT ACCOUNT PASSWORD FRIEND …".into());
    };
    let socket = UdpSocket::bind("0.0.0.0:0")?;
    socket.connect(server)?;
    socket.set_read_timeout(Some(Duration::from_secs(2)))?;
    let main = Rc::new(RefCell::new(Main { socket, chats: HashMap::new(), late: None }));
    println!("login 登录: {:?}", main.borrow_mut().ask(&format!("02#{account}#{password}#")));

    let app = app::App::default();
    // Chinese letters at their full height; where this font is not installed, the system takes another.
    Font::set_font(Font::Helvetica, "Noto Sans CJK SC");
    let mut window = Window::new(50, 50, 220, 400, "07 friends 好友");
    for (i, friend) in (0..).zip(friends) {
        let mut button = Button::new(10, 10 + 40 * i, 200, 30, None).with_label(&format!("&{} {friend}", i + 1));
        let (main, friend) = (Rc::clone(&main), friend.clone());
        button.set_callback(move |_| open(&main, &friend));
    }
    let mut button = Button::new(10, 360, 200, 30, "&Get 收取");
    let shared = Rc::clone(&main);
    button.set_callback(move |_| get(&shared));
    window.end();
    window.show();
    app.run()?;
    main.borrow_mut().ask("06#");
    Ok(())
}
