//! Figures of the windows, as ratios within one run: start-up against an empty FLTK window, memory,
//! wake-ups, drawing 100,000 messages against 100, from a datagram's arrival to the bubble (beside a bare window
//! that paints one), and from Enter here to the bubble there.
//!
//! `cargo bench --bench windows`; needs what the tests need, and about five minutes. `-- start` measures
//! the start-up alone, `-- arrival` from the datagram to the bubble, `-- enter` from Enter to the bubble in the
//! secure dialect alone.
#![cfg(target_os = "linux")]
#![allow(
    dead_code,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::disallowed_methods,
    clippy::indexing_slicing,
    reason = "a benchmark measures real time, prints, and ends at the first failure; it shares the tests' desk"
)]

#[path = "../e2e/desk.rs"]
mod desk;
#[path = "measure.rs"]
mod measure;
#[path = "../e2e/peers.rs"]
mod peers;
#[path = "../shared/process.rs"]
mod process;

use std::io::Write;
use std::net::{SocketAddr, UdpSocket};
use std::path::Path;
use std::process::{ChildStdin, Command, Stdio};
use std::rc::Rc;
use std::thread;
use std::time::{Duration, Instant};

use desk::{Desk, Person, serve, until};
use fltk::prelude::*;
use fltk::{app, window::Window};
use hongyan::base::model::{MessageId, SendState};
use hongyan::client::history::{Row, RowMeta};
use hongyan::ui::gui::theme;
use hongyan::ui::gui::transcript::Transcript;
use measure::{is_wanted, measures, only_part, percentile, pss_mib, sized, wake_ups};
use peers::ByHand;
use process::{Process, display, free_port};
use x11rb::connection::Connection;
use x11rb::protocol::Event;
use x11rb::protocol::damage::{ConnectionExt as _, ReportLevel};
use x11rb::protocol::xproto::{ChangeWindowAttributesAux, ConnectionExt as _, EventMask};

fn main() {
    // These are processes of this program's own.
    match std::env::args().nth(1).as_deref() {
        Some("--empty") => return empty(),
        Some("--draw") => return drawing(),
        Some("--bare") => return bare_bubbles(),
        _ => {}
    }
    if !is_wanted("windows") {
        return;
    }
    match only_part().as_deref() {
        Some("start") => return start_up(),
        Some("arrival") => {
            let dir = tempfile::tempdir().expect("a folder");
            return arrival_to_bubble(&Desk::new(), dir.path());
        }
        Some("enter") => {
            let dir = tempfile::tempdir().expect("a folder");
            return enter_to_bubble(&Desk::new(), dir.path(), None);
        }
        _ => {}
    }
    start_up();
    let desk = Desk::new();
    let dir = tempfile::tempdir().expect("a folder");
    let mut draw = Command::new(std::env::current_exe().expect("this program"));
    draw.arg("--draw").args(measures().then_some("--bench")).env("DISPLAY", &desk.display);
    assert!(draw.status().is_ok_and(|s| s.success()));
    memory_and_wake_ups(&desk, dir.path());
    arrival_to_bubble(&desk, dir.path());
    enter_to_bubble(&desk, &dir.path().join("plain"), PLAIN);
    enter_to_bubble(&desk, &dir.path().join("secure"), None);
}

/// For servers that are a few lines here, and for what the assignment asks for.
const PLAIN: Option<&str> = Some("--plain");

// Start-up.

fn empty() {
    let app = app::App::default();
    let mut window = Window::new(0, 0, 320, 400, "empty");
    window.end();
    window.show();
    let _ = app.run();
}

fn start_up() {
    // No window manager: it would map windows when it likes.
    let (_display, name) = display();
    let (x, screen) = x11rb::connect(Some(&name)).expect("connected");
    let root = x.setup().roots[screen].root;
    let watch = ChangeWindowAttributesAux::new().event_mask(EventMask::SUBSTRUCTURE_NOTIFY);
    x.change_window_attributes(root, &watch).expect("asked").check().expect("watching");
    let dir = tempfile::tempdir().expect("a folder");
    let nobody = free_port().to_string();
    let mapped = |command: &mut Command| {
        while x.poll_for_event().expect("connected").is_some() {}
        let begun = Instant::now();
        let child = command.env("DISPLAY", &name).stderr(Stdio::null()).spawn().expect("starts");
        let _child = Process(child);
        loop {
            if let Event::MapNotify(_) = x.wait_for_event().expect("connected") {
                return begun.elapsed().as_secs_f64() * 1e3;
            }
        }
    };
    let (mut ours, mut empty) = (Vec::new(), Vec::new());
    for _ in 0..sized(21, 2) {
        empty.push(mapped(Command::new(std::env::current_exe().expect("this program")).arg("--empty")));
        let mut hongyan = Command::new(env!("CARGO_BIN_EXE_hongyan"));
        ours.push(mapped(hongyan.args(["--server", &nobody, "--lang", "zh", "--data"]).arg(dir.path())));
    }
    let (ours, empty) = (percentile(&mut ours, 50), percentile(&mut empty, 50));
    println!("exec to login window mapped: {ours:.1} ms; empty FLTK window: {empty:.1} ms; ratio {:.2}", ours / empty);
}

// Drawing.

fn drawing() {
    let _app = app::App::default();
    theme::set_up_font();
    let mut few = redraws(100);
    let mut many = redraws(sized(100_000, 1_000));
    let mut few_again = redraws(100);
    few.append(&mut few_again);
    let (few50, many50) = (percentile(&mut few, 50), percentile(&mut many, 50));
    println!(
        "a redraw while scrolling: {many50:.2} ms of 100,000 messages (p99 {:.2}), {few50:.2} ms of 100; ratio {:.2}",
        percentile(&mut many, 99),
        many50 / few50
    );
}

fn redraws(n: usize) -> Vec<f64> {
    let texts = [
        "接收线程里别碰界面，把数据报放进 channel 就行。",
        "short",
        "Two lines of text, which need to be broken \
        somewhere in the middle, where the language allows it.",
        "懂了 👍",
    ];
    let row = |i: usize| Row {
        id: MessageId(i as i64 + 1),
        text: texts[i % 4].to_owned(),
        unix_ms: 1_700_000_000_000 + i as i64 * 60_000,
        came_ms: None,
        server_time: None,
        state: i.is_multiple_of(3).then_some(SendState::Sent),
        repeat: false,
        note: false,
    };
    let first = 100_000 - n;
    let rows: Vec<Row> = (first..100_000).map(row).collect();
    let meta = |r: &Row| RowMeta {
        id: r.id,
        chars: r.text.chars().count() as u32,
        breaks: 0,
        outgoing: r.state.is_some(),
        unix_ms: r.unix_ms,
        note: r.note,
    };
    let mut window = Window::new(0, 0, 740, 440, "draw");
    let asked: Rc<std::cell::RefCell<Vec<hongyan::ui::gui::transcript::Ask>>> = Rc::default();
    let out = Rc::clone(&asked);
    let mut transcript = Transcript::new(0, 0, 740, 440, false, Rc::new(move |ask| out.borrow_mut().push(ask)));
    window.end();
    window.show();
    for _ in 0..20 {
        let _ = app::wait_for(0.02);
    }
    transcript.set_index(rows.iter().map(meta).collect());
    let mut times = Vec::new();
    for step in 0..sized(400, 60) {
        transcript.page(if step % 8 < 4 { -1 } else { 1 });
        let begun = Instant::now();
        app::flush();
        times.push(begun.elapsed().as_secs_f64() * 1e3);
        for ask in asked.borrow_mut().drain(..) {
            let hongyan::ui::gui::transcript::Ask::Page { first, count } = ask else { continue };
            let range = first as usize..(first as usize + count as usize).min(rows.len());
            transcript.fill(first, rows[range].to_vec());
        }
    }
    Window::delete(window);
    times.split_off(40)
}

// Memory and wake-ups.

fn memory_and_wake_ups(desk: &Desk, dir: &Path) {
    let at = free_port();
    let _server = serve(at, &dir.join("server"));
    ByHand::new(at).ask("01#me#secret#secret#");
    let folder = dir.join("m/profiles/default");
    std::fs::create_dir_all(&folder).expect("a folder");
    std::fs::write(folder.join("settings.toml"), "polling = \"strict\"\n").expect("written");
    let me = log_in(desk, at, &dir.join("m"), "me", PLAIN);
    open_chat(&me, "friend");
    thread::sleep(sized(Duration::from_secs(3), Duration::ZERO));
    let pid = me.pid();
    println!("logged in with one open chat: {:.1} MiB PSS", pss_mib(pid));
    let before = wake_ups(pid);
    thread::sleep(sized(Duration::from_secs(10), Duration::from_millis(100)));
    println!("wake-ups of all threads in 10 s between polls: {}", wake_ups(pid) - before);
}

fn log_in<'a>(desk: &'a Desk, at: SocketAddr, data: &Path, name: &str, dialect: Option<&str>) -> Person<'a> {
    let args: Vec<&str> = ["--lang", "en", "--account", name].into_iter().chain(dialect).collect();
    let person = Person::open(desk, at, data, &args);
    person.window("Log in");
    person.write("secret");
    person.keys(&["Return"]);
    person.no_window("Log in");
    person
}

fn open_chat(person: &Person<'_>, name: &str) {
    person.window("Hongyan");
    person.keys(&["ctrl+n"]);
    person.window("Add a friend");
    person.write(name);
    person.keys(&["Return"]);
    person.window(&format!("Chatting with {name}"));
}

// From the wire to the screen.

/// Reports when a window was drawn into.
struct Eye {
    x: x11rb::rust_connection::RustConnection,
    damage: u32,
}

impl Eye {
    fn new(desk: &Desk, window: &str) -> Self {
        let (x, _) = x11rb::connect(Some(&desk.display)).expect("connected");
        x.damage_query_version(1, 1).expect("asked").reply().expect("the damage extension");
        let damage = x.generate_id().expect("an id");
        let window: u32 = window.parse().expect("an id");
        x.damage_create(damage, window, ReportLevel::NON_EMPTY).expect("asked").check().expect("watching");
        Self { x, damage }
    }

    fn clear(&self) {
        // Only the first damage is told: one between the two lines would keep the next ones silent.
        loop {
            self.x.damage_subtract(self.damage, x11rb::NONE, x11rb::NONE).expect("asked").check().expect("cleared");
            if self.x.poll_for_event().expect("connected").is_none() {
                return;
            }
            while self.x.poll_for_event().expect("connected").is_some() {}
        }
    }

    fn wait(&self) {
        loop {
            if let Event::DamageNotify(_) = self.x.wait_for_event().expect("connected") {
                return;
            }
        }
    }
}

/// A keyboard that is at hand: starting `xdotool` for a key takes 4 ms, and it holds the key for 12 more.
struct Keyboard(Process, ChildStdin);

impl Keyboard {
    fn new(desk: &Desk) -> Self {
        let mut command = Command::new("xdotool");
        let mut child = command.arg("-").env("DISPLAY", &desk.display).stdin(Stdio::piped()).spawn().expect("starts");
        let keys = child.stdin.take().expect("piped");
        let mut keyboard = Self(Process(child), keys);
        // It connects with the first one.
        keyboard.press("Shift_L");
        keyboard
    }

    fn press(&mut self, key: &str) {
        writeln!(self.1, "key --delay 0 {key}").expect("taken");
    }
}

/// The least that a window can do for a message: a thread takes a datagram, wakes FLTK, and one bubble with its text is
/// painted. Says where the datagrams go to and which window it is.
fn bare_bubbles() {
    let app = app::App::default();
    theme::set_up_font();
    let socket = UdpSocket::bind("127.0.0.1:0").expect("a socket");
    let mut window = Window::new(780, 480, 560, 400, "bare");
    let shown: std::sync::Arc<std::sync::Mutex<String>> = std::sync::Arc::default();
    let text = std::sync::Arc::clone(&shown);
    let mut frame = fltk::frame::Frame::new(0, 0, 560, 400, None);
    frame.draw(move |f| {
        use fltk::draw;
        draw::draw_rect_fill(f.x(), f.y(), f.w(), f.h(), theme::palette().bg);
        draw::set_draw_color(theme::palette().other_bubble);
        draw::draw_rounded_rectf(16, 340, 200, 34, 10);
        draw::set_font(fltk::enums::Font::Helvetica, theme::BODY);
        draw::set_draw_color(theme::palette().text);
        draw::draw_text(&text.lock().expect("sound"), 27, 362);
    });
    window.end();
    window.show();
    app::awake_callback(|| {});
    while !window.shown() {
        let _ = app::wait_for(0.02);
    }
    println!("{} {}", socket.local_addr().expect("bound"), window.raw_handle());
    thread::spawn(move || {
        let mut buffer = [0; 2048];
        while let Ok(n) = socket.recv(&mut buffer) {
            *shown.lock().expect("sound") = String::from_utf8_lossy(&buffer[..n]).into_owned();
            let mut frame = frame.clone();
            app::awake_callback(move || frame.redraw());
        }
    });
    let _ = app.run();
}

/// That window on this display, where its datagrams go to, and what sees it drawn.
fn bare_window(desk: &Desk) -> (Process, String, Eye) {
    use std::io::BufRead;
    let mut command = Command::new(std::env::current_exe().expect("this program"));
    let child = command.arg("--bare").env("DISPLAY", &desk.display).stdout(Stdio::piped()).spawn();
    let mut child = child.expect("starts");
    let mut said = String::new();
    let out = child.stdout.take().expect("piped");
    std::io::BufReader::new(out).read_line(&mut said).expect("it says where it is");
    let (at, window) = said.trim().split_once(' ').expect("two words");
    let eye = Eye::new(desk, window);
    (Process(child), at.to_owned(), eye)
}

/// A server that has a message every 100 ms, so that the time of each arrival is known; midway between two of them
/// the bare window gets one.
fn arrival_to_bubble(desk: &Desk, dir: &Path) {
    let socket = UdpSocket::bind("127.0.0.1:0").expect("a socket");
    let at = socket.local_addr().expect("bound");
    let mut buffer = [0; 2048];
    // Logs in and opens the chat while this thread answers; then only takes are answered, in time.
    thread::scope(|scope| {
        let (ready, is_ready) = std::sync::mpsc::channel();
        scope.spawn(move || {
            let me = log_in(desk, at, &dir.join("w"), "me", PLAIN);
            open_chat(&me, "friend");
            let window = me.window("Chatting with friend");
            // What is covered is not drawn.
            me.place(&window, 0, 20);
            ready.send((me, window)).expect("waited for");
        });
        let answer = |request: &str| match request.get(..2) {
            Some("02") => Some("02:01"),
            Some("06") => Some("06:01"),
            Some("08") => Some("08:0"),
            Some("11") => Some("00:00"),
            _ => None,
        };
        socket.set_read_timeout(Some(Duration::from_millis(20))).expect("a timeout");
        let (me, window) = loop {
            if let Ok((n, from)) = socket.recv_from(&mut buffer)
                && let Some(text) = answer(&String::from_utf8_lossy(&buffer[..n]))
            {
                socket.send_to(text.as_bytes(), from).expect("sent");
            }
            if let Ok(ready) = is_ready.try_recv() {
                break ready;
            }
        };
        socket.set_read_timeout(Some(Duration::from_secs(30))).expect("a timeout");
        let eye = Eye::new(desk, &window);
        let (_bare, bare_at, bare_eye) = bare_window(desk);
        let (mut times, mut bare) = (Vec::new(), Vec::new());
        let mut next = Instant::now();
        while times.len() < sized(320, 25) {
            let (n, from) = socket.recv_from(&mut buffer).expect("a request");
            let request = String::from_utf8_lossy(&buffer[..n]).into_owned();
            if request != "09#" {
                let text = if request == "08#" { Some("08:9") } else { answer(&request) };
                socket.send_to(text.unwrap_or("00:00").as_bytes(), from).expect("sent");
                continue;
            }
            thread::sleep(next.saturating_duration_since(Instant::now()));
            next = Instant::now() + Duration::from_millis(100);
            eye.clear();
            let text = format!("09:friend:2026-11-21 12:00:00:message {}", times.len());
            let begun = Instant::now();
            socket.send_to(text.as_bytes(), from).expect("sent");
            eye.wait();
            times.push(begun.elapsed().as_secs_f64() * 1e3);
            thread::sleep(Duration::from_millis(40));
            bare_eye.clear();
            let begun = Instant::now();
            socket.send_to(format!("message {}", bare.len()).as_bytes(), &bare_at).expect("sent");
            bare_eye.wait();
            bare.push(begun.elapsed().as_secs_f64() * 1e3);
        }
        let (mut times, mut bare) = (times.split_off(20), bare.split_off(20));
        let (p50, p99) = (percentile(&mut times, 50), percentile(&mut times, 99));
        let (bare50, bare99) = (percentile(&mut bare, 50), percentile(&mut bare, 99));
        println!("a datagram sent to the bubble drawn, 10 messages a second: p50 {p50:.1} ms, p99 {p99:.1} ms");
        println!(
            "  a bare window that paints one bubble on awake: p50 {bare50:.1} ms, p99 {bare99:.1} ms; ratios {:.1}, {:.1}",
            p50 / bare50,
            p99 / bare99
        );
        drop(me);
    });
}

/// Two people with both windows open, our server.
fn enter_to_bubble(desk: &Desk, dir: &Path, dialect: Option<&str>) {
    let at = free_port();
    let _server = serve(at, &dir.join("server"));
    for name in ["anna", "ben"] {
        ByHand::new(at).ask(&format!("01#{name}#secret#secret#"));
    }
    let anna = log_in(desk, at, &dir.join("anna"), "anna", dialect);
    let ben = log_in(desk, at, &dir.join("ben"), "ben", dialect);
    open_chat(&ben, "anna");
    let window = ben.window("Chatting with anna");
    ben.place(&window, 0, 20);
    open_chat(&anna, "ben");
    // What is covered is not drawn.
    anna.place(&anna.window("Chatting with ben"), 760, 300);
    let eye = Eye::new(desk, &window);
    let mut keyboard = Keyboard::new(desk);
    let (mut times, mut syncs) = (Vec::new(), Vec::new());
    let mut file = std::fs::File::create(dir.join("synced")).expect("a file");
    // In plain, somewhere between two polls.
    let (count, apart) = if dialect.is_some() { (sized(60, 3), 2_000) } else { (sized(200, 3), 200) };
    for i in 0..count {
        anna.write(&format!("m{i}"));
        thread::sleep(Duration::from_millis(i * 97 % apart));
        let begun = Instant::now();
        file.write_all(&[7; 4_096]).and_then(|()| file.sync_data()).expect("written");
        syncs.push(begun.elapsed().as_secs_f64());
        eye.clear();
        let begun = Instant::now();
        keyboard.press("Return");
        eye.wait();
        times.push(begun.elapsed().as_secs_f64());
        until("the message there", || ben.messages("ben").iter().any(|m| m.1 == format!("m{i}")).then_some(()));
    }
    let (p50, p99) = (percentile(&mut times, 50), percentile(&mut times, 99));
    let dialect = dialect.map_or("secure", |_| "plain");
    println!("Enter pressed here to drawn there, {dialect} dialect: p50 {p50:.4} s, p99 {p99:.4} s");
    let (p50, p99) = (percentile(&mut syncs, 50), percentile(&mut syncs, 99));
    println!("  writing and syncing 4 KiB meanwhile: p50 {p50:.4} s, p99 {p99:.4} s");
}
