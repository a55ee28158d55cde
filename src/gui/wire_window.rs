//! The protocol window: every datagram, the threads, and a line to send a datagram by hand. Shows and
//! emits; what is shown comes as values from the tap.

mod line;
mod rows;
mod table;
mod threads;

use std::cell::{Cell, RefCell};
use std::path::PathBuf;
use std::rc::Rc;

use fltk::app;
use fltk::button::Button;
use fltk::enums::{CallbackTrigger, Event, Font, Key, Shortcut};
use fltk::frame::Frame;
use fltk::input::Input;
use fltk::prelude::*;
use fltk::window::Window;
use rust_i18n::t;

use super::keys_window::listen;
use super::login::Emit;
use super::widgets::{self, Style};
use super::{UiEvent, theme};
use crate::net::ThreadFigures;
use crate::tap::Record;
use crate::wire::show::unescape;
use line::without_password;
use table::Table;

const WIDTH: i32 = 940;
const HEIGHT: i32 = 480;
const BAR: i32 = 44;
const FOOT: i32 = 44;
const ROW: i32 = 26;
/// Lines typed by hand that Up brings back.
const REMEMBERED: usize = 100;

/// The window.
pub struct WireWindow {
    window: Window,
    table: Table,
    pause: Button,
    threads: Frame,
    figures: Rc<RefCell<Vec<ThreadFigures>>>,
    message: Frame,
}

/// Which page is in front, and what stands in it.
#[derive(Clone)]
struct Pages {
    number: Rc<Cell<usize>>,
    tabs: [Button; 2],
    table: Table,
    threads: Frame,
    /// Whether the threads' next second is already on its way.
    ticking: Rc<Cell<bool>>,
    emit: Emit,
}

impl WireWindow {
    /// Opens the window with what was seen lately.
    #[must_use]
    pub fn new(server: &str, records: &[Record], place: Option<[i32; 4]>, emit: Emit) -> Self {
        let palette = theme::palette();
        let mut window = widgets::window(place, WIDTH, HEIGHT);
        window.set_label(&t!("wirewin.title", server = server));
        window.set_color(palette.bg);
        window.size_range(560, 200, 0, 0);
        let number = Rc::new(Cell::new(0_usize));
        let tabs = [
            widgets::segment(10, 4, 86, &t!("wirewin.datagrams"), 0, &number),
            widgets::segment(100, 4, 86, &t!("wirewin.threads"), 1, &number),
        ];
        let mut filter = widgets::field(196, 4, 250, &t!("wirewin.filter"));
        let mut pause = widgets::button(0, 4, 84, &t!("wirewin.pause"), Style::Ghost);
        let mut copy = widgets::button(0, 4, 64, &t!("wirewin.copy"), Style::Ghost);
        let mut save = widgets::button(0, 4, 72, &t!("wirewin.save"), Style::Ghost);
        let table = Table::new(0, BAR, WIDTH, HEIGHT - BAR - FOOT, records);
        let mut threads = Frame::new(0, BAR, WIDTH, HEIGHT - BAR - FOOT, None);
        threads.hide();
        let figures: Rc<RefCell<Vec<ThreadFigures>>> = Rc::default();
        threads.draw({
            let figures = Rc::clone(&figures);
            move |f| threads::draw(f, &figures.borrow())
        });
        let mut prompt = widgets::label(12, 0, 16, "›", palette.accent);
        prompt.set_label_size(theme::BODY + 4);
        let mut hand = widgets::field(28, 4, 520, &t!("wirewin.by_hand"));
        hand.set_text_font(Font::Courier);
        let message = widgets::note(0, 4, 390, 36);
        window.end();
        let lay_out = {
            let (table, threads, message) = (table.widget().clone(), threads.clone(), message.clone());
            let (fields, buttons) = ([filter.parent(), hand.parent()], [pause.clone(), copy.clone(), save.clone()]);
            move |w: i32, h: i32| {
                let mut right = w - 10;
                for button in buttons.iter().rev() {
                    let wide = button.w();
                    button.clone().resize(right - wide, 4, wide, theme::CONTROL);
                    right -= wide + 4;
                }
                let foot = h - FOOT + 4;
                table.clone().resize(0, BAR, w, h - BAR - FOOT);
                threads.clone().resize(0, BAR, w, h - BAR - FOOT);
                prompt.clone().resize(12, foot - 1, 16, theme::CONTROL);
                message.clone().resize(w * 3 / 5, foot, w * 2 / 5 - 10, theme::CONTROL);
                let [filter, hand] = fields.clone();
                filter.into_iter().for_each(|mut f| f.resize(196, 4, (right - 202).min(300), theme::CONTROL));
                hand.into_iter().for_each(|mut f| f.resize(28, foot, w * 3 / 5 - 38, theme::CONTROL));
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
                table.clone().toggle_pause();
                show_pause(&mut pause.clone(), table.held());
            })
        };
        let copying: Rc<dyn Fn()> = {
            let (table, message) = (table.clone(), message.clone());
            Rc::new(move || say(&mut message.clone(), &t!("wirewin.copied", n = table.copy()), false))
        };
        let saving: Rc<dyn Fn()> = {
            let (table, emit) = (table.clone(), Rc::clone(&emit));
            Rc::new(move || emit(UiEvent::SaveWire(table.text())))
        };
        for (button, action) in [(&mut pause, &toggle), (&mut copy, &copying), (&mut save, &saving)] {
            let action = Rc::clone(action);
            button.set_callback(move |_| action());
        }
        let ticking = Rc::default();
        let pages =
            Pages { number, tabs, table: table.clone(), threads: threads.clone(), ticking, emit: Rc::clone(&emit) };
        for (tab, page) in pages.tabs.clone().iter_mut().zip(0..) {
            let pages = pages.clone();
            tab.set_callback(move |_| pages.show(page));
        }
        let shortcut = shortcuts(&pages, &hand, &filter, [toggle, copying, saving]);
        by_hand(&mut hand, &message, &shortcut, &emit);
        listen(&mut window, &emit, move |event| event == Event::KeyDown && shortcut(true));
        window.set_callback(move |_| emit(UiEvent::WireClosed));
        window.show();
        let _ = hand.take_focus();
        Self { window, table, pause, threads, figures, message }
    }

    /// One more datagram.
    pub fn push(&mut self, record: &Record) {
        self.table.push(record);
        if let Some(held) = self.table.held() {
            show_pause(&mut self.pause, Some(held));
        }
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

    /// The datagrams' widget, for tests.
    #[must_use]
    pub fn table(&self) -> &fltk::widget::Widget {
        self.table.widget()
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

/// The pause's button, and how many datagrams it holds back.
fn show_pause(button: &mut Button, held: Option<usize>) {
    let label = match held {
        None => t!("wirewin.pause"),
        Some(0) => t!("wirewin.go_on"),
        Some(held) => t!("wirewin.go_on_held", n = held),
    };
    if button.label() != label {
        button.set_label(&label);
        button.redraw();
    }
}

/// The line at the foot: Enter sends, Up and Down bring back what was sent.
fn by_hand(hand: &mut Input, message: &Frame, shortcut: &Rc<dyn Fn(bool) -> bool>, emit: &Emit) {
    let (emit, mut message, shortcut) = (Rc::clone(emit), message.clone(), Rc::clone(shortcut));
    let (mut sent, mut at): (Vec<String>, usize) = (Vec::new(), 0);
    let mut draft = String::new();
    hand.super_handle_first(false);
    hand.handle(move |hand, event| {
        if matches!(event, Event::Focus | Event::Unfocus) {
            hand.parent().into_iter().for_each(|mut around| around.redraw());
        }
        if event != Event::KeyDown {
            return false;
        }
        match app::event_key() {
            Key::Enter | Key::KPEnter => match unescape(&hand.value()) {
                Ok(bytes) if bytes.is_empty() => {}
                Ok(bytes) => {
                    say(&mut message, "", false);
                    let line = without_password(&hand.value(), &bytes);
                    emit(UiEvent::ByHand(bytes));
                    sent.retain(|old| *old != line);
                    if sent.len() == REMEMBERED {
                        sent.remove(0);
                    }
                    sent.push(line);
                    at = sent.len();
                    hand.set_value("");
                }
                Err(bad) => say(&mut message, &t!("wirewin.bad_escape", escape = bad), true),
            },
            Key::Up | Key::Down => {
                if at == sent.len() {
                    draft = hand.value();
                }
                at = if app::event_key() == Key::Up { at.saturating_sub(1) } else { (at + 1).min(sent.len()) };
                hand.set_value(sent.get(at).unwrap_or(&draft));
                let _ = hand.set_position(i32::try_from(hand.value().len()).unwrap_or(0));
            }
            _ => return shortcut(false) || widgets::for_the_window(hand),
        }
        true
    });
}

/// The window's keys. The line at the foot asks first, with `false`: some of them would edit it.
fn shortcuts(
    pages: &Pages,
    hand: &Input,
    filter: &Input,
    [toggle, copying, saving]: [Rc<dyn Fn()>; 3],
) -> Rc<dyn Fn(bool) -> bool> {
    let (pages, hand, filter) = (pages.clone(), hand.clone(), filter.clone());
    Rc::new(move |all| {
        let state = app::event_state();
        let (control, alt) = (state.contains(Shortcut::Ctrl), state.contains(Shortcut::Alt));
        let key = app::event_key();
        let is = |c: char| key == Key::from_char(c);
        if key == Key::Escape || control && is('w') {
            (pages.emit)(UiEvent::WireClosed);
        } else if alt && is('1') {
            pages.show(0);
        } else if alt && is('2') {
            pages.show(1);
        } else if control && is('f') {
            let _ = filter.clone().take_focus();
        } else if control && is('s') {
            saving();
        } else if control && is('p') || all && !control && !alt && is(' ') {
            toggle();
        } else if all && control && is('c') {
            copying();
        } else if control && is('d') {
            let _ = hand.clone().take_focus();
        } else if control && is('t') {
            pages.show(0);
            let _ = pages.table.widget().clone().take_focus();
        } else {
            return false;
        }
        true
    })
}

impl Pages {
    fn show(&self, number: usize) {
        self.number.set(number);
        let (mut table, mut threads) = (self.table.widget().clone(), self.threads.clone());
        if number == 0 {
            threads.hide();
            table.show();
        } else {
            table.hide();
            threads.show();
            (self.emit)(UiEvent::ThreadsWanted);
            self.tick();
        }
        self.tabs.clone().iter_mut().for_each(Button::redraw);
    }

    /// Asks for the threads' figures once a second while their page is shown.
    fn tick(&self) {
        if self.ticking.replace(true) {
            return;
        }
        let pages = self.clone();
        app::add_timeout3(1.0, move |_| {
            pages.ticking.set(false);
            if !pages.threads.was_deleted() && pages.number.get() == 1 {
                (pages.emit)(UiEvent::ThreadsWanted);
                pages.tick();
            }
        });
    }
}

/// Where a saved view goes if nobody says otherwise.
#[must_use]
pub fn default_file(now: &str) -> PathBuf {
    let home = directories::UserDirs::new();
    let folder = home.as_ref().map(|h| h.document_dir().unwrap_or_else(|| h.home_dir()).to_owned());
    folder.unwrap_or_default().join(format!("hongyan-{now}.txt"))
}
