//! The protocol window: every datagram, the threads, and a line to send a datagram by hand. Shows and
//! emits; what is shown comes as values from the tap.

mod table;

use std::cell::Cell;
use std::path::PathBuf;
use std::rc::Rc;

use fltk::app;
use fltk::button::Button;
use fltk::draw;
use fltk::enums::{CallbackTrigger, Event, Font, Key, Shortcut};
use fltk::frame::Frame;
use fltk::input::Input;
use fltk::prelude::*;
use fltk::window::Window;
use rust_i18n::t;

use super::login::Emit;
use super::widgets::{self, Style};
use super::{UiEvent, theme};
use crate::net::{ThreadFigures, WaitsFor};
use crate::tap::Record;
use table::Table;

const BAR: i32 = 44;
const FOOT: i32 = 44;
const ROW: i32 = 26;

/// The window.
pub struct WireWindow {
    window: Window,
    table: Table,
    threads: Frame,
    figures: Rc<std::cell::RefCell<Vec<ThreadFigures>>>,
    message: Frame,
}

impl WireWindow {
    /// Opens the window with what was seen lately.
    #[must_use]
    pub fn new(server: &str, records: Vec<Record>, place: Option<[i32; 4]>, emit: Emit) -> Self {
        let palette = theme::palette();
        let mut window = widgets::window(place, 940, 460);
        window.set_label(&t!("wirewin.title", server = server));
        window.set_color(palette.bg);
        window.size_range(560, 240, 0, 0);
        let page = Rc::new(Cell::new(0_usize));
        let mut datagrams = widgets::segment(10, 5, 110, &t!("wirewin.datagrams"), 0, &page);
        let mut workers = widgets::segment(124, 5, 110, &t!("wirewin.threads"), 1, &page);
        let mut filter = widgets::field(250, 4, 250, &t!("wirewin.filter"));
        let mut pause = widgets::button(510, 4, 96, &t!("wirewin.pause"), Style::Ghost);
        let mut copy = widgets::button(610, 4, 80, &t!("wirewin.copy"), Style::Ghost);
        let mut save = widgets::button(694, 4, 80, &t!("wirewin.save"), Style::Ghost);
        let table = Table::new(0, BAR, 940, 460 - BAR - FOOT, records);
        let mut threads = Frame::new(0, BAR, 940, 460 - BAR - FOOT, None);
        threads.hide();
        let figures: Rc<std::cell::RefCell<Vec<ThreadFigures>>> = Rc::default();
        threads.draw({
            let figures = Rc::clone(&figures);
            move |f| draw_threads(f, &figures.borrow())
        });
        let mut hand = widgets::field(10, 460 - FOOT + 4, 520, &t!("wirewin.by_hand"));
        let message = widgets::note(540, 460 - FOOT + 4, 390, 36);
        window.end();
        let lay_out = {
            let (table, threads, hand, message) =
                (table.widget().clone(), threads.clone(), hand.clone(), message.clone());
            move |w: i32, h: i32| {
                table.clone().resize(0, BAR, w, h - BAR - FOOT);
                threads.clone().resize(0, BAR, w, h - BAR - FOOT);
                if let Some(mut around) = hand.parent() {
                    around.resize(10, h - FOOT + 4, w * 3 / 5 - 20, theme::CONTROL);
                }
                message.clone().resize(w * 3 / 5, h - FOOT + 4, w * 2 / 5 - 10, theme::CONTROL);
            }
        };
        lay_out(window.w(), window.h());
        window.resize_callback(move |_, _, _, w, h| lay_out(w, h));
        filter.set_trigger(CallbackTrigger::Changed);
        filter.set_callback({
            let mut table = table.clone();
            move |f| table.set_filter(&f.value())
        });
        let toggle: Rc<dyn Fn()> = {
            let (table, pause) = (table.clone(), pause.clone());
            Rc::new(move || {
                let (mut table, mut pause) = (table.clone(), pause.clone());
                let paused = table.toggle_pause();
                pause.set_label(&if paused { t!("wirewin.go_on") } else { t!("wirewin.pause") });
                pause.redraw();
            })
        };
        pause.set_callback({
            let toggle = Rc::clone(&toggle);
            move |_| toggle()
        });
        copy.set_callback({
            let table = table.clone();
            move |_| table.copy()
        });
        let saving: Rc<dyn Fn()> = {
            let (table, emit) = (table.clone(), Rc::clone(&emit));
            Rc::new(move || emit(UiEvent::SaveWire(table.text())))
        };
        save.set_callback({
            let saving = Rc::clone(&saving);
            move |_| saving()
        });
        let show: Rc<dyn Fn(usize)> = {
            let (table, threads, page) = (table.clone(), threads.clone(), Rc::clone(&page));
            let (emit, buttons) = (Rc::clone(&emit), [datagrams.clone(), workers.clone()]);
            Rc::new(move |number| {
                page.set(number);
                let (mut table, mut threads) = (table.widget().clone(), threads.clone());
                if number == 0 {
                    threads.hide();
                    table.show();
                } else {
                    table.hide();
                    threads.show();
                    refresh(threads, &page, &emit);
                }
                buttons.clone().iter_mut().for_each(Button::redraw);
            })
        };
        datagrams.set_callback({
            let show = Rc::clone(&show);
            move |_| show(0)
        });
        workers.set_callback({
            let show = Rc::clone(&show);
            move |_| show(1)
        });
        by_hand(&mut hand, &message, &emit);
        keys(&mut window, &table, &hand, &filter, [toggle, saving], show, &emit);
        window.set_callback(move |_| emit(UiEvent::WireClosed));
        window.show();
        let _ = hand.take_focus();
        Self { window, table, threads, figures, message }
    }

    /// One more datagram.
    pub fn push(&mut self, record: Record) {
        self.table.push(record);
    }

    /// How the threads are doing.
    pub fn set_threads(&mut self, figures: Vec<ThreadFigures>) {
        *self.figures.borrow_mut() = figures;
        self.threads.redraw();
    }

    /// Says something at the foot.
    pub fn say(&mut self, text: &str, wrong: bool) {
        say(&mut self.message, text, wrong);
    }

    /// Where it stands: x, y, width, height.
    #[must_use]
    pub fn place(&self) -> [i32; 4] {
        [self.window.x(), self.window.y(), self.window.w(), self.window.h()]
    }

    /// Brings the window to the front.
    pub fn raise(&mut self) {
        self.window.show();
    }

    /// Closes the window for good.
    pub fn close(self) {
        Window::delete(self.window);
    }
}

fn say(message: &mut Frame, text: &str, wrong: bool) {
    let colours = theme::palette();
    message.set_label_color(if wrong { colours.error } else { colours.dim });
    message.set_label(&widgets::escape(text));
    if let Some(window) = message.window() {
        window.as_group().into_iter().for_each(|mut group| group.redraw());
    }
}

/// The line at the foot: Enter sends, Up and Down bring back what was sent.
fn by_hand(hand: &mut Input, message: &Frame, emit: &Emit) {
    let (emit, mut message) = (Rc::clone(emit), message.clone());
    let (mut sent, mut at): (Vec<String>, usize) = (Vec::new(), 0);
    hand.super_handle_first(false);
    hand.handle(move |hand, event| {
        if event != Event::KeyDown {
            return false;
        }
        match app::event_key() {
            Key::Enter | Key::KPEnter => match unescape(&hand.value()) {
                Ok(bytes) if bytes.is_empty() => {}
                Ok(bytes) => {
                    say(&mut message, "", false);
                    emit(UiEvent::ByHand(bytes));
                    sent.retain(|line| *line != hand.value());
                    sent.push(hand.value());
                    at = sent.len();
                    hand.set_value("");
                }
                Err(bad) => say(&mut message, &t!("wirewin.bad_escape", escape = bad), true),
            },
            Key::Up | Key::Down => {
                let up = app::event_key() == Key::Up;
                at = if up { at.saturating_sub(1) } else { (at + 1).min(sent.len()) };
                hand.set_value(sent.get(at).map_or("", String::as_str));
            }
            _ => return false,
        }
        true
    });
}

fn keys(
    window: &mut Window,
    table: &Table,
    hand: &Input,
    filter: &Input,
    [toggle, saving]: [Rc<dyn Fn()>; 2],
    show: Rc<dyn Fn(usize)>,
    emit: &Emit,
) {
    let (table, mut hand, mut filter, emit) = (table.clone(), hand.clone(), filter.clone(), Rc::clone(emit));
    window.handle(move |_, event| {
        if !matches!(event, Event::Shortcut | Event::KeyDown) {
            return false;
        }
        let state = app::event_state();
        let (control, alt) = (state.contains(Shortcut::Ctrl), state.contains(Shortcut::Alt));
        let key = app::event_key();
        let is = |c: char| key == Key::from_char(c);
        if key == Key::Escape {
            emit(UiEvent::WireClosed);
        } else if alt && is('1') {
            show(0);
        } else if alt && is('2') {
            show(1);
        } else if control && is('f') {
            let _ = filter.take_focus();
        } else if control && is('s') {
            saving();
        } else if control && is('p') {
            toggle();
        } else if control && is('c') {
            table.copy();
        } else if control && is('d') {
            let _ = hand.take_focus();
        } else {
            return false;
        }
        true
    });
}

/// Asks for the threads' figures once a second while their page is shown.
fn refresh(threads: Frame, page: &Rc<Cell<usize>>, emit: &Emit) {
    if threads.was_deleted() || page.get() != 1 {
        return;
    }
    emit(UiEvent::ThreadsWanted);
    let (page, emit) = (Rc::clone(page), Rc::clone(emit));
    app::add_timeout3(1.0, move |_| refresh(threads.clone(), &page, &emit));
}

fn draw_threads(f: &Frame, figures: &[ThreadFigures]) {
    let colours = theme::palette();
    draw::draw_rect_fill(f.x(), f.y(), f.w(), f.h(), colours.surface);
    let heads = [
        t!("wirewin.thread"),
        t!("wirewin.waits_for"),
        t!("wirewin.queued"),
        t!("wirewin.handled"),
        t!("wirewin.dropped"),
    ];
    let columns = [14, f.w() * 18 / 100, f.w() * 58 / 100, f.w() * 72 / 100, f.w() * 86 / 100];
    let line = |cells: [&str; 5], y: i32, ink| {
        draw::set_font(Font::Helvetica, theme::SMALL);
        draw::set_draw_color(ink);
        for (cell, x) in cells.iter().zip(columns) {
            draw::draw_text(cell, f.x() + x, y + 17);
        }
    };
    line([&*heads[0], &*heads[1], &*heads[2], &*heads[3], &*heads[4]], f.y(), colours.dim);
    draw::set_draw_color(colours.line);
    draw::draw_xyline(f.x(), f.y() + ROW, f.x() + f.w());
    let mut y = f.y() + ROW;
    for thread in figures {
        let waits_for = match thread.waits_for {
            WaitsFor::Bell => t!("wirewin.waits_bell"),
            WaitsFor::Datagram => t!("wirewin.waits_datagram"),
            WaitsFor::Deadline => t!("wirewin.waits_deadline"),
            WaitsFor::Operation => t!("wirewin.waits_operation"),
        };
        let (queued, handled) = (thread.queued.to_string(), thread.handled.to_string());
        line([thread.name, &waits_for, &queued, &handled, &thread.dropped.to_string()], y, colours.text);
        y += ROW;
    }
    draw::set_font(Font::Helvetica, theme::TINY);
    draw::set_draw_color(colours.dim);
    draw::draw_text(&t!("wirewin.threads_hint"), f.x() + 14, y + 24);
}

/// `\n`, `\r`, `\t`, `\\` and `\xNN`; the rest as it is. `Err` with what is no such thing.
fn unescape(text: &str) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        if c != '\\' {
            bytes.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
            continue;
        }
        match chars.next() {
            Some('n') => bytes.push(b'\n'),
            Some('r') => bytes.push(b'\r'),
            Some('t') => bytes.push(b'\t'),
            Some('\\') => bytes.push(b'\\'),
            Some('x') => {
                let digits: String = chars.by_ref().take(2).collect();
                bytes.push(u8::from_str_radix(&digits, 16).map_err(|_| format!("\\x{digits}"))?);
            }
            other => return Err(format!("\\{}", other.map_or_else(String::new, String::from))),
        }
    }
    Ok(bytes)
}

/// Where a saved view goes if nobody says otherwise.
#[must_use]
pub fn default_file(now: &str) -> PathBuf {
    let home = directories::UserDirs::new();
    let folder = home.as_ref().map(|h| h.document_dir().unwrap_or_else(|| h.home_dir()).to_owned());
    folder.unwrap_or_default().join(format!("hongyan-{now}.txt"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes() {
        assert_eq!(unescape(r"03#b#hi\n#\xff\\"), Ok(b"03#b#hi\n#\xff\\".to_vec()));
        assert_eq!(unescape("09#你"), Ok("09#你".as_bytes().to_vec()));
        assert_eq!(unescape(r"\xzz"), Err(r"\xzz".to_owned()));
        assert_eq!(unescape(r"a\"), Err(r"\".to_owned()));
    }
}
