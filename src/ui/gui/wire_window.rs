//! The protocol window: every datagram, the threads, and a field to send a datagram by hand. Shows and emits; what it
//! shows comes as values from the tap.
//!
//! Its parts:
//!
//! - `line`: the texts of one row. Pure.
//! - `rows`: which rows are shown, chosen and in sight. Pure.
//! - `table`: draws the rows.
//! - `threads`: the page of the threads.
//! - `foot`: sending by hand, and the test document.

mod foot;
mod line;
mod rows;
mod table;
mod threads;

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use fltk::app;
use fltk::button::Button;
use fltk::enums::{self, CallbackTrigger};
use fltk::frame::Frame;
use fltk::input::Input;
use fltk::prelude::*;
use fltk::window::Window;
use rust_i18n::t;

use super::actions::{Action, Press, pressed};
use super::keys_window::listen;
use super::widgets::{self, Style};
use super::{Emit, UiEvent, screen, theme};
use crate::client::net::ThreadFigures;
use crate::client::tap::Record;
use crate::probe::hand::Expectation;
use crate::probe::{CaseReport, Unclear, Verdict, printable};
use foot::Foot;
pub(super) use table::KEYS;
use table::Table;

const WIDTH: i32 = 940;
const HEIGHT: i32 = 480;
const BAR: i32 = 44;
const ROW: i32 = 26;
/// A window narrower than this has its fields in lines of their own.
const NARROW: i32 = 640;

/// What the protocol window asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs, reason = "fields are named by what they hold")]
pub enum Event {
    /// The window is to be opened.
    Open,
    /// A datagram was typed, and what is expected of its reply.
    ByHand { bytes: Vec<u8>, expectation: Expectation },
    /// This text of the datagrams shown is to be written into a file, which is asked for.
    Save(String),
    /// The requests sent by hand are to be written into a file as a test document; the file is asked for.
    SaveTrials,
    /// The threads' page is shown, and needs their figures.
    ThreadsWanted,
    /// The window was closed.
    Closed,
}

/// The protocol window.
pub struct WireWindow {
    window: screen::Owned,
    pages: Pages,
    filter: Input,
    pause: Button,
    figures: Rc<RefCell<Vec<ThreadFigures>>>,
    foot: Foot,
}

/// Which page is in front, and what is on the pages.
#[derive(Clone)]
struct Pages {
    number: Rc<Cell<usize>>,
    tabs: [Button; 2],
    table: Table,
    threads: Frame,
    /// Whether the timer for the threads' figures is running.
    ticking: Rc<Cell<bool>>,
    window: screen::Life,
    emit: Emit,
}

impl WireWindow {
    /// Opens the window with the latest datagrams.
    #[must_use]
    pub fn new(server: &str, records: &[Record], place: Option<[i32; 4]>, emit: Emit) -> Self {
        let palette = theme::palette();
        let mut window = screen::window(place, WIDTH, HEIGHT);
        window.set_label(&t!("wirewin.title", server = server));
        window.set_color(palette.bg);
        screen::least(&mut window, 480, 280);
        let number = Rc::new(Cell::new(0_usize));
        let tabs = [
            widgets::segment(10, 4, 86, &t!("wirewin.datagrams"), 0, &number),
            widgets::segment(100, 4, 86, &t!("wirewin.threads"), 1, &number),
        ];
        let mut filter = widgets::field(196, 4, 250, &t!("wirewin.filter"));
        let mut pause = widgets::button(0, 4, 84, &t!("wirewin.pause"), Style::Ghost);
        let mut copy = widgets::button(0, 4, 64, &t!("wirewin.copy"), Style::Ghost);
        let mut save = widgets::button(0, 4, 72, &t!("wirewin.save"), Style::Ghost);
        let table = Table::new(0, BAR, WIDTH, HEIGHT - BAR - foot::height(WIDTH), records);
        let figures: Rc<RefCell<Vec<ThreadFigures>>> = Rc::default();
        let mut threads = threads::page(&figures);
        threads.resize(0, BAR, WIDTH, HEIGHT - BAR - foot::height(WIDTH));
        threads.hide();
        let mut foot = Foot::new(&emit);
        window.end();
        let lay_out = laying_out(&table, &threads, &foot, &filter, [&pause, &copy, &save]);
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
            let (table, foot) = (table.clone(), foot.clone());
            Rc::new(move || foot.say(&t!("wirewin.copied", n = table.copy()), false))
        };
        let saving: Rc<dyn Fn()> = {
            let (table, emit) = (table.clone(), Rc::clone(&emit));
            Rc::new(move || emit(UiEvent::Wire(Event::Save(table.text()))))
        };
        for (button, action) in [(&mut pause, &toggle), (&mut copy, &copying), (&mut save, &saving)] {
            let action = Rc::clone(action);
            button.set_callback(move |_| action());
        }
        let pages = Pages {
            number,
            tabs,
            table: table.clone(),
            threads: threads.clone(),
            ticking: Rc::default(),
            window: screen::Life::of(&window),
            emit: Rc::clone(&emit),
        };
        for (tab, page) in pages.tabs.clone().iter_mut().zip(0..) {
            let pages = pages.clone();
            tab.set_callback(move |_| pages.show(page));
        }
        let here =
            KeyTarget { pages: pages.clone(), foot: foot.clone(), filter: filter.clone(), toggle, copying, saving };
        let shortcut: Rc<dyn Fn(bool) -> bool> =
            Rc::new(move |editing| pressed(ACTIONS, editing).inspect(|does| does(&here)).is_some());
        foot.listen(&shortcut);
        listen(&mut window, &emit, move |event| event == enums::Event::KeyDown && shortcut(false));
        window.set_callback(move |_| emit(UiEvent::Wire(Event::Closed)));
        window.show();
        foot.focus();
        Self { window: screen::Owned::of(&window), pages, filter, pause, figures, foot }
    }

    /// Adds a datagram.
    pub fn push(&mut self, record: &Record) {
        self.pages.table.push(record);
        if let Some(held) = self.pages.table.held() {
            show_pause(&mut self.pause, Some(held));
        }
    }

    /// Shows the threads' figures.
    pub fn set_threads(&mut self, figures: Vec<ThreadFigures>) {
        *self.figures.borrow_mut() = figures;
        self.pages.threads.redraw();
    }

    /// Shows a text at the foot.
    pub fn say(&mut self, text: &str, wrong: bool) {
        self.foot.say(text, wrong);
    }

    /// Returns the text at the foot, for tests.
    #[must_use]
    pub fn said(&self) -> String {
        self.foot.said()
    }

    /// Shows the outcome of the last request sent by hand.
    pub fn set_trial(&mut self, trial: &CaseReport) {
        self.foot.count(trial.number);
        let (n, locale) = (trial.number, rust_i18n::locale());
        let exchange = trial.exchanges.first();
        let time = exchange.and_then(|exchange| exchange.time);
        let text = match &trial.verdict {
            Verdict::Unclear(Unclear::Waiting) => t!("wirewin.trial_waits", n = n),
            Verdict::Unclear(why) => t!("wirewin.trial_unclear", n = n, reason = why.text(&trial.exchanges, &locale)),
            Verdict::Failed(finding) => {
                let got = exchange.and_then(|exchange| exchange.got.as_deref()).map(printable).unwrap_or_default();
                let rule = finding.rule.map(|rule| rule.text(&locale)).unwrap_or_default();
                t!("wirewin.trial_failed", n = n, expected = trial.expected(&locale), got = got, rule = rule)
            }
            Verdict::Passed => match time {
                Some(time) => t!("wirewin.trial_passed", n = n, time = line::milliseconds(time)),
                None => t!("wirewin.trial_silent", n = n),
            },
        };
        self.foot.say(&text, matches!(trial.verdict, Verdict::Failed(_)));
    }

    /// Returns the datagrams' widget, for tests.
    #[must_use]
    pub fn table(&self) -> &fltk::widget::Widget {
        self.pages.table.widget()
    }

    /// Rebuilds the window in another language or theme: the datagrams as they were shown, the page in front, and what
    /// is typed. The caller shows the outcome of the last request sent by hand again.
    #[must_use]
    pub fn renewed(&self, server: &str, emit: Emit) -> Self {
        let mut new = Self::new(server, &[], Some(self.position()), emit);
        new.filter.set_value(&self.filter.value());
        new.pages.table.take_over(&self.pages.table);
        show_pause(&mut new.pause, new.pages.table.held());
        new.foot.take_over(&self.foot);
        new.figures.swap(&self.figures);
        new.pages.show(self.pages.number.get());
        screen::hide(&self.window);
        new
    }

    /// Returns the fields, for tests: the filter, the datagram, and what is expected of it.
    #[must_use]
    pub fn fields(&self) -> [&Input; 3] {
        let [hand, expected] = self.foot.fields();
        [&self.filter, hand, expected]
    }

    /// Returns the window's place, to be saved.
    #[must_use]
    pub fn position(&self) -> [i32; 4] {
        screen::position_of(&self.window)
    }

    /// Returns the window itself.
    #[must_use]
    pub fn window(&self) -> &Window {
        &self.window
    }

    /// Brings the window to the front.
    pub fn raise(&mut self) {
        self.window.show();
    }
}

/// Sets the label of the pause button, with the number of datagrams it holds back.
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

/// Lays the window out at this size.
fn laying_out(
    table: &Table,
    threads: &Frame,
    foot: &Foot,
    filter: &Input,
    buttons: [&Button; 3],
) -> impl Fn(i32, i32) + use<> {
    let (table, threads, foot) = (table.widget().clone(), threads.clone(), foot.clone());
    let (around, buttons) = (filter.parent(), buttons.map(Button::clone));
    move |w: i32, h: i32| {
        let mut right = w - 10;
        for button in buttons.iter().rev() {
            let wide = button.w();
            button.clone().resize(right - wide, 4, wide, theme::CONTROL);
            right -= wide + 4;
        }
        // Without room beside them, the filter is below the buttons.
        let (bar, filter) = match w < NARROW {
            true => (BAR + theme::CONTROL + 4, [10, BAR, w - 20]),
            false => (BAR, [196, 4, (right - 202).min(300)]),
        };
        let high = (h - bar - foot::height(w)).max(0);
        table.clone().resize(0, bar, w, high);
        threads.clone().resize(0, bar, w, high);
        let mut around = around.clone();
        around.iter_mut().for_each(|f| f.resize(filter[0], filter[1], filter[2], theme::CONTROL));
        foot.lay_out(w, h);
    }
}

/// What the window's keys work on.
pub(super) struct KeyTarget {
    pages: Pages,
    foot: Foot,
    filter: Input,
    /// Holds new datagrams back, or shows them again.
    toggle: Rc<dyn Fn()>,
    copying: Rc<dyn Fn()>,
    saving: Rc<dyn Fn()>,
}

type WindowKey = Action<fn(&KeyTarget)>;

/// The window's keys. The field at the foot handles its own keys first, as some of these would edit it.
pub(super) const ACTIONS: &[WindowKey] = &[
    WindowKey::new(&[Press::Escape, Press::Ctrl('w')], "keys.close", |here| {
        (here.pages.emit)(UiEvent::Wire(Event::Closed))
    }),
    WindowKey::new(&[Press::Alt('1')], "keys.pages", |here| here.pages.show(0)),
    WindowKey::new(&[Press::Alt('2')], "keys.pages", |here| here.pages.show(1)),
    WindowKey::new(&[Press::Ctrl('f')], "keys.filter", |here| drop(here.filter.clone().take_focus())),
    WindowKey::new(&[Press::Space], "keys.pause", |here| (here.toggle)()).outside_fields(),
    WindowKey::new(&[Press::Ctrl('p')], "keys.pause", |here| (here.toggle)()),
    WindowKey::new(&[Press::Ctrl('t')], "keys.hand", KeyTarget::go_to_table),
    WindowKey::new(&[Press::Ctrl('d')], "keys.hand", |here| here.foot.focus()),
    WindowKey::new(&[Press::Ctrl('c')], "keys.keep", |here| (here.copying)()).outside_fields(),
    WindowKey::new(&[Press::Ctrl('s')], "keys.keep", |here| (here.saving)()),
    WindowKey::new(&[Press::CtrlShift('s')], "keys.document", |here| {
        (here.pages.emit)(UiEvent::Wire(Event::SaveTrials))
    }),
    WindowKey::told(&[Press::Elsewhere("↑ ↓")], "keys.history"),
];

impl KeyTarget {
    fn go_to_table(&self) {
        self.pages.show(0);
        let _ = self.pages.table.widget().clone().take_focus();
    }
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
            (self.emit)(UiEvent::Wire(Event::ThreadsWanted));
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
            if pages.window.is_on() && pages.number.get() == 1 {
                (pages.emit)(UiEvent::Wire(Event::ThreadsWanted));
                pages.tick();
            }
        });
    }
}
