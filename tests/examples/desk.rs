//! The display of the end to end tests, and an example's windows on it.

#[allow(dead_code, reason = "there it serves the product's windows too")]
#[path = "../e2e/desk.rs"]
mod e2e;

use std::time::Duration;

pub use e2e::{Desk, until};
use x11rb::connection::Connection;
use x11rb::protocol::Event;
use x11rb::protocol::damage::{ConnectionExt as _, ReportLevel};
use x11rb::rust_connection::RustConnection;

use crate::program::Program;

/// A running example with windows, and the keyboard.
pub struct Face<'a> {
    pub desk: &'a Desk,
    pub program: Program,
}

/// What is only put into words when it is shown.
struct Lazily<F: Fn() -> String>(F);

impl<F: Fn() -> String> std::fmt::Display for Lazily<F> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&(self.0)())
    }
}

impl<'a> Face<'a> {
    pub fn open(desk: &'a Desk, name: &str, args: &[&str]) -> Self {
        Self { desk, program: Program::start(name, args, Some(&desk.display)) }
    }

    /// Waits for the window with this in its title and gives it the keyboard.
    #[track_caller]
    pub fn window(&self, title: &str) -> u32 {
        // What it has printed by then, not when the waiting begins.
        let what = Lazily(|| format!("a window {title:?}; printed was {:#?}", self.program.said()));
        let id = until(&what, || self.find(title));
        until(&format!("the keyboard for {title:?}"), || {
            self.desk.xdotool(&["windowactivate", &id]);
            (self.said(&["getactivewindow"]) == id).then_some(())
        });
        id.parse().expect("a number")
    }

    /// Waits until there is no window with this in its title.
    #[track_caller]
    pub fn no_window(&self, title: &str) {
        until(&format!("no window {title:?}"), || self.find(title).is_none().then_some(()));
    }

    /// Closes a window by the window manager's key.
    #[track_caller]
    pub fn close(&self, title: &str) {
        self.window(title);
        until(&format!("the end of {title:?}"), || {
            self.keys(&["alt+F4"]);
            self.find(title).is_none().then_some(())
        });
    }

    fn find(&self, title: &str) -> Option<String> {
        let all = self.said(&["search", "--onlyvisible", "--pid", &self.program.pid().to_string()]);
        all.lines().find(|id| self.said(&["getwindowname", id]).contains(title)).map(str::to_owned)
    }

    fn said(&self, args: &[&str]) -> String {
        String::from_utf8_lossy(&self.desk.xdotool(args).stdout).trim().to_owned()
    }

    /// Presses keys, by xdotool's names.
    pub fn keys(&self, keys: &[&str]) {
        for key in keys {
            self.desk.xdotool(&["key", "--clearmodifiers", key]);
        }
    }

    /// Types a text and Enter.
    pub fn enters(&self, text: &str) {
        self.types(text);
        self.keys(&["Return"]);
    }

    /// Types a text.
    pub fn types(&self, text: &str) {
        self.desk.xdotool(&["type", "--clearmodifiers", "--delay", if text.is_ascii() { "8" } else { "60" }, text]);
    }
}

/// Sees whether a window is drawn into.
pub struct Eye {
    x: RustConnection,
}

impl Eye {
    pub fn new(desk: &Desk, window: u32) -> Self {
        let (x, _) = x11rb::connect(Some(&desk.display)).expect("connected");
        x.damage_query_version(1, 1).expect("asked").reply().expect("the damage extension");
        let damage = x.generate_id().expect("an id");
        x.damage_create(damage, window, ReportLevel::RAW_RECTANGLES).expect("asked").check().expect("watching");
        Self { x }
    }

    /// Returns how often something was drawn since the last call; waits at most this long for the first.
    pub fn drawn(&self, wait: Duration) -> usize {
        let end = std::time::Instant::now() + wait;
        loop {
            let events = std::iter::from_fn(|| self.x.poll_for_event().expect("connected"));
            let drawn = events.filter(|event| matches!(event, Event::DamageNotify(_))).count();
            if drawn > 0 || std::time::Instant::now() >= end {
                return drawn;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}
