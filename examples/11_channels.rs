//! 11 · All of it, with channels. New here: whatever happens, in a window or in a thread, is an event
//! sent to one owner, which has the socket, the windows and the order of things. No lock, nothing
//! shared; one request at a time, and each answer reaches whom it is for. The product is built so.
//!
//! ```sh
//! cargo run --example 11_channels -- 127.0.0.1:21568 20170000 secret 30 20170001 20170002
//! ```

#![allow(clippy::print_stdout, reason = "what the windows show is printed too")]

use std::collections::{HashMap, VecDeque};
use std::{env, error::Error, net::UdpSocket, thread, time::Duration};

use crossbeam_channel::Sender;
use fltk::button::{Button, ReturnButton};
use fltk::text::{TextBuffer, TextDisplay};
use fltk::{app, enums::Font, input::Input, prelude::*, window::Window};

/// Everything that can happen.
enum Event {
    Open(String),
    Say(String, String),
    Heard(String),
    Tick,
}

struct Owner {
    socket: UdpSocket,
    /// For the windows it opens.
    events: Sender<Event>,
    chats: HashMap<String, (Window, TextDisplay)>,
    /// Requests: not sent yet; sent and not answered; not answered for so long that 08 was sent after.
    waiting: VecDeque<String>,
    asked: Option<String>,
    late: Option<String>,
}

impl Owner {
    fn handle(&mut self, event: Event) {
        match event {
            Event::Open(friend) => self.chat(&friend).0.show(),
            Event::Say(friend, text) => self.waiting.push_back(format!("03#{friend}#{text}#")),
            Event::Heard(reply) => self.hear(&reply),
            // 08 asks for unread messages; and once it is answered, what was asked before must be lost.
            Event::Tick => {
                self.late = self.asked.take().filter(|request| request.starts_with("03")).or(self.late.take());
                self.waiting.push_front("08#".to_owned());
            }
        }
        // Stop and wait: the next request leaves when the last is answered.
        if self.asked.is_none() {
            self.asked = self.waiting.pop_front();
            self.asked.as_ref().inspect(|request| drop(self.socket.send(request.as_bytes())));
        }
    }

    fn hear(&mut self, reply: &str) {
        let its = |request: &mut String| matches!(reply, "00:00" | "07:01") || request.get(..2) == reply.get(..2);
        let Some(request) = self.asked.take_if(its).or_else(|| self.late.take_if(its)) else { return };
        let fields: Vec<&str> = request.strip_suffix('#').unwrap_or_default().splitn(3, '#').collect();
        match (&fields[..], &reply.splitn(6, ':').collect::<Vec<_>>()[..]) {
            (["03", friend, text], ["03", "01"]) => self.show(friend, &format!("me: {text}")),
            (["03", friend, _], ["03", "02"]) => self.show(friend, "is offline 对方离线"),
            (_, ["08", unread]) => {
                if let Some(friend) = self.late.take().as_ref().and_then(|late| late.split('#').nth(1)) {
                    self.show(friend, "no answer; perhaps lost 没有回答");
                }
                self.waiting.extend((*unread != "0").then(|| "09#".to_owned()));
            }
            (_, ["09", from, _, _, _, text]) => {
                self.show(from, &format!("{from}: {text}"));
                self.waiting.push_back("09#".to_owned());
            }
            _ => println!("the server says {reply}"),
        }
    }

    fn show(&mut self, friend: &str, line: &str) {
        println!("[{friend}] {line}");
        let (window, display) = self.chat(friend);
        if !window.shown() {
            window.show();
        }
        display.set_insert_position(i32::MAX);
        display.insert(&format!("{line}\n"));
        display.show_insert_position();
    }

    /// The friend's window, made when it is first needed. It only tells the owner what was typed.
    fn chat(&mut self, friend: &str) -> &mut (Window, TextDisplay) {
        self.chats.entry(friend.to_owned()).or_insert_with(|| {
            let window = Window::default().with_size(480, 320).with_label(&format!("{friend} · chatting 聊天中"));
            let mut input = Input::new(10, 280, 340, 30, None);
            let mut display = TextDisplay::new(10, 10, 460, 260, None);
            display.set_buffer(TextBuffer::default());
            let mut send = ReturnButton::new(360, 280, 110, 30, "Send 发送");
            window.end();
            let (events, friend) = (self.events.clone(), friend.to_owned());
            send.set_callback(move |_| {
                let _ = events.send(Event::Say(friend.clone(), input.value()));
                input.set_value("");
            });
            (window, display)
        })
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<String> = env::args().skip(1).collect();
    let [server, account, password, seconds, friends @ ..] = args.as_slice() else {
        return Err("usage: 11_channels HOST:PORT ACCOUNT PASSWORD SECONDS FRIEND …".into());
    };
    let socket = UdpSocket::bind("0.0.0.0:0")?;
    socket.connect(server)?;
    let app = app::App::default();
    // Chinese letters at their full height; where this font is not installed, the system takes another.
    Font::set_font(Font::Helvetica, "Noto Sans CJK SC");
    let (events, inbox) = crossbeam_channel::unbounded();
    let mut window = Window::new(50, 50, 220, 400, "11 friends 好友");
    for (i, friend) in (0..).zip(friends.iter().cloned()) {
        let mut button = Button::new(10, 10 + 40 * i, 200, 30, None).with_label(&format!("&{} {friend}", i + 1));
        let events = events.clone();
        button.set_callback(move |_| drop(events.send(Event::Open(friend.clone()))));
    }
    window.end();
    window.show();

    let (receiving, heard) = (socket.try_clone()?, events.clone());
    thread::Builder::new().name("receiver".into()).spawn(move || {
        let mut buffer = [0; 1024];
        loop {
            let Ok(n) = receiving.recv(&mut buffer) else { continue };
            let _ = heard.send(Event::Heard(String::from_utf8_lossy(buffer.get(..n).unwrap_or_default()).into()));
            app::awake();
        }
    })?;
    let (ticks, tick) = (events.clone(), crossbeam_channel::tick(Duration::from_secs(seconds.parse()?)));
    thread::Builder::new().name("timer".into()).spawn(move || {
        while tick.recv().is_ok() && ticks.send(Event::Tick).is_ok() {
            app::awake();
        }
    })?;

    let login = format!("02#{account}#{password}#");
    socket.send(login.as_bytes())?;
    let (chats, waiting) = (HashMap::new(), VecDeque::from(["08#".to_owned()]));
    let mut owner = Owner { socket, events, chats, waiting, asked: Some(login), late: None };
    while app.wait() {
        inbox.try_iter().for_each(|event| owner.handle(event));
    }
    owner.socket.send(b"06#")?;
    Ok(())
}
