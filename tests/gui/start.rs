//! What the program asks of the display before its first window is there, beside what an empty FLTK window asks, and
//! whether the first picture is the right one. Counted by a proxy before the display; no clock.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixListener, UnixStream};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use fltk::prelude::*;
use fltk::{app, window::Window};
use x11rb::protocol::xproto::{ConnectionExt as _, ImageFormat};

use super::process::Process;

/// Makes this program an empty window.
pub const BARE: &str = "HONGYAN_TEST_BARE";

const MAP_WINDOW: u8 = 8;
const LIST_FONTS: u8 = 49;
const COPY_AREA: u8 = 62;
/// Requests of the core protocol that are waited for.
const ANSWERED: [u8; 19] = [3, 14, 15, 16, 17, 20, 21, 23, 38, 40, 43, 47, 49, 52, 84, 97, 98, 101, 119];

/// What FLTK needs for a window without anything.
pub fn bare() {
    let app = app::App::default();
    let mut window = Window::new(0, 0, 320, 400, "empty");
    window.end();
    window.show();
    let _ = app.run();
}

/// What one program has sent on one connection, as far as it was let through.
#[derive(Default)]
struct Sent {
    /// Each request: what it is, and the window it is about.
    requests: Vec<(u8, u32)>,
    /// Nothing after the first copy into the window that was mapped goes through.
    held: bool,
}

type Shared = Arc<(Mutex<Vec<Sent>>, Condvar)>;

/// A display before the real one, and what goes through it.
struct Recorder {
    name: String,
    sent: Shared,
}

impl Recorder {
    /// `holds` if the first picture is to stay for a while.
    fn new(real: &str, holds: bool) -> Self {
        let real = PathBuf::from(format!("/tmp/.X11-unix/X{}", real.trim_start_matches(':')));
        let listen = |n: u32| {
            let name = format!("/tmp/.X11-unix/X{n}");
            let hidden = UnixListener::bind_addr(&SocketAddr::from_abstract_name(&name).ok()?).ok()?;
            Some((n, [hidden, UnixListener::bind(&name).ok()?]))
        };
        let (number, listeners) = (400..600).find_map(listen).expect("a free display number");
        let sent = Shared::default();
        for listener in listeners {
            let (real, sent) = (real.clone(), Arc::clone(&sent));
            std::thread::spawn(move || {
                for client in listener.incoming().flatten() {
                    let server = UnixStream::connect(&real).expect("the display");
                    let mut all = sent.0.lock().expect("sound");
                    all.push(Sent::default());
                    let (n, sent) = (all.len() - 1, Arc::clone(&sent));
                    let (mut from, mut to) =
                        (server.try_clone().expect("a handle"), client.try_clone().expect("a handle"));
                    std::thread::spawn(move || std::io::copy(&mut from, &mut to));
                    std::thread::spawn(move || forward(client, server, n, &sent, holds));
                }
            });
        }
        Self { name: format!(":{number}"), sent }
    }

    /// Waits until it is so of a connection.
    fn until<R>(&self, what: &str, is_so: impl Fn(&[Sent]) -> Option<R>) -> R {
        let mut sent = self.sent.0.lock().expect("sound");
        loop {
            if let Some(so) = is_so(&sent) {
                return so;
            }
            let (next, late) = self.sent.1.wait_timeout(sent, Duration::from_secs(20)).expect("sound");
            assert!(!late.timed_out(), "{what} did not come");
            sent = next;
        }
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(format!("/tmp/.X11-unix/X{}", self.name.trim_start_matches(':')));
    }
}

/// Passes requests on, one by one.
fn forward(mut from: UnixStream, mut to: UnixStream, n: usize, sent: &Shared, holds: bool) -> Option<()> {
    let number = |bytes: &[u8]| bytes.try_into().map_or(0, u32::from_le_bytes);
    let mut begin = [0; 12];
    from.read_exact(&mut begin).ok()?;
    let padded = |at: usize| usize::from(u16::from_le_bytes([begin[at], begin[at + 1]])).next_multiple_of(4);
    let mut rest = vec![0; padded(6) + padded(8)];
    from.read_exact(&mut rest).ok()?;
    to.write_all(&begin).and_then(|()| to.write_all(&rest)).ok()?;
    let mut mapped = None;
    loop {
        let mut request = vec![0; 4];
        from.read_exact(&mut request).ok()?;
        let mut size = usize::from(u16::from_le_bytes([request[2], request[3]])) * 4;
        if size == 0 {
            // A long one.
            request.resize(8, 0);
            from.read_exact(&mut request[4..]).ok()?;
            size = number(&request[4..8]) as usize * 4;
        }
        let have = request.len();
        request.resize(size.max(have), 0);
        from.read_exact(&mut request[have..]).ok()?;
        to.write_all(&request).ok()?;
        let about = request.get(if request[0] == COPY_AREA { 8..12 } else { 4..8 }).map_or(0, number);
        let mut all = sent.0.lock().expect("sound");
        all[n].requests.push((request[0], about));
        if request[0] == MAP_WINDOW {
            mapped = Some(about);
        }
        all[n].held = holds && request[0] == COPY_AREA && mapped == Some(about);
        sent.1.notify_all();
        while all[n].held {
            all = sent.1.wait(all).expect("sound");
        }
    }
}

/// The requests before the first window is mapped, on its connection, and how many connections there were by then.
fn before_the_window(recorder: &Recorder) -> (BTreeMap<u8, usize>, usize) {
    recorder.until("a window", |all| {
        let of = all.iter().find(|sent| sent.requests.iter().any(|(request, _)| *request == MAP_WINDOW))?;
        let mut counts = BTreeMap::new();
        for (request, _) in of.requests.iter().take_while(|(request, _)| *request != MAP_WINDOW) {
            *counts.entry(*request).or_default() += 1;
        }
        Some((counts, all.len()))
    })
}

fn program(display: &str, data: &std::path::Path) -> Process {
    let mut command = Command::new(env!("CARGO_BIN_EXE_hongyan"));
    command.args(["--server", "127.0.0.1:9", "--lang", "zh", "--data"]).arg(data);
    let child = command.env("DISPLAY", display).stderr(Stdio::null()).current_dir(data).spawn();
    Process(child.expect("starts"))
}

pub fn little_is_asked_before_the_first_window() {
    let real = super::real_display();
    let (of_bare, of_ours) = (Recorder::new(&real, false), Recorder::new(&real, false));
    let mut command = Command::new(std::env::current_exe().expect("this program"));
    let _bare = Process(command.env("DISPLAY", &of_bare.name).env(BARE, "1").spawn().expect("starts"));
    let (bare, _) = before_the_window(&of_bare);
    let data = tempfile::tempdir().expect("a folder");
    let _ours = program(&of_ours.name, data.path());
    let (ours, connections) = before_the_window(&of_ours);
    let waited = |counts: &BTreeMap<u8, usize>| -> usize { ANSWERED.iter().filter_map(|n| counts.get(n)).sum() };
    println!("questions before the first window: {}; an empty one: {}", waited(&ours), waited(&bare));
    // The input method, which FLTK opens first, is asked for when the window has been drawn: half of all questions.
    assert!(waited(&ours) < waited(&bare), "{ours:?} beside {bare:?}");
    assert_eq!(ours.get(&LIST_FONTS), None, "fonts of an input method");
    assert!(connections <= 2, "FLTK's, and one that asks whether there is a display: {connections}");
    // And it is opened, by itself.
    if bare.contains_key(&LIST_FONTS) {
        of_ours.until("the input method", |all| {
            let asks = |sent: &Sent| sent.requests.iter().any(|(request, _)| *request == LIST_FONTS);
            all.iter().any(asks).then_some(())
        });
    }
}

pub fn the_first_picture_is_whole_and_stays() {
    let real = super::real_display();
    let (display, screen) = x11rb::connect(Some(&real)).expect("the display");
    let root = x11rb::connection::Connection::setup(&display).roots[screen].root;
    // Where no window is: what is under the pointer may look otherwise.
    display.warp_pointer(x11rb::NONE, root, 0, 0, 0, 0, 0, 0).expect("sent").check().expect("taken");
    let recorder = Recorder::new(&real, true);
    let data = tempfile::tempdir().expect("a folder");
    let _ours = program(&recorder.name, data.path());
    let (n, window) = recorder.until("a picture", |all| {
        let held = all.iter().position(|sent| sent.held)?;
        all[held].requests.last().map(|(_, window)| (held, *window))
    });
    let picture = || {
        let size = display.get_geometry(window).expect("sent").reply().expect("a window");
        let at = (size.width, size.height);
        let image = display.get_image(ImageFormat::Z_PIXMAP, window, 0, 0, at.0, at.1, !0).expect("sent");
        (at, image.reply().expect("a picture").data)
    };
    let first = picture();
    let colours: std::collections::BTreeSet<&[u8]> = first.1.chunks(4).collect();
    assert!(colours.len() > 50, "texts, fields and a button: {}", colours.len());
    recorder.sent.0.lock().expect("sound")[n].held = false;
    recorder.sent.1.notify_all();
    // What comes next comes soon: the answer of the server, the settings, the input method.
    for _ in 0..5 {
        std::thread::sleep(Duration::from_millis(200));
        let later = picture();
        assert_eq!(first.0, later.0, "the window's size");
        let apart = first.1.chunks(4).zip(later.1.chunks(4)).filter(|(a, b)| a != b).count();
        assert_eq!(apart, 0, "pixels that changed after the first picture");
        recorder.sent.0.lock().expect("sound").iter_mut().for_each(|sent| sent.held = false);
        recorder.sent.1.notify_all();
    }
}
