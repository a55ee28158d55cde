//! The messages of a chat as bubbles: a widget that only lays out and draws the rows in sight, so a hundred thousand
//! messages cost as much as a hundred. It shows and asks; its owner provides the texts by pages.
//!
//! Its parts:
//!
//! - `rows`: what is known of each row, and the texts by pages. Pure.
//! - `heights`: heights in a Fenwick tree. Pure.
//! - `reading`: what was looked at, and the line "new messages". Pure.
//! - `layout`: the height of each row.
//! - `scrolling`: which rows are in sight. Pure.
//! - `sight`: what is in sight and can be pressed. Pure.
//! - `view`: all of these together.
//! - `paint`: draws the rows in sight.
//! - `bubble`: one message.
//! - `wrap`: breaks text into lines. Pure.
//! - `captions`: days, times and states above and below the bubbles.
//! - `pill`: the button to the end.

mod bubble;
mod captions;
pub mod heights;
mod layout;
mod paint;
mod pill;
mod reading;
pub mod rows;
mod scrolling;
mod sight;
mod view;
pub mod wrap;

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use fltk::app;
use fltk::draw;
use fltk::enums::{Align, Cursor, Event, FrameType};
use fltk::prelude::*;
use fltk::widget::Widget;

use super::actions::{Action, Press, choose, pressed};
use crate::base::model::{MessageId, SendState};
use crate::client::history::{Row, RowMeta};
pub use captions::Earlier;
use sight::Target;
use view::View;

/// The chosen message: its number, its text, and whether it can be sent again.
type Chosen = (MessageId, String, bool);

/// Something done with the chosen message, if there is one, and with the function that asks the window; returns whether
/// the key was used.
type MessageAction = Action<fn(Option<&Chosen>, &dyn Fn(Ask)) -> bool, bool>;

/// The menu of a message, which depends on whether it can be sent again, and its keys.
pub(super) const ACTIONS: &[MessageAction] = &[
    MessageAction::new(&[Press::Ctrl('c')], "keys.copy", |chosen, _| {
        chosen.into_iter().for_each(|(_, text, _)| copy(text));
        true
    })
    .named("chat.copy", |_| true),
    MessageAction::new(&[Press::AnyEnter], "keys.copy", |chosen, ask| {
        let again = chosen.filter(|(_, _, resend)| *resend);
        again.inspect(|(id, ..)| ask(Ask::Resend(*id))).is_some()
    })
    .named("chat.resend", |resend| *resend),
];

/// What a key does in the transcript.
type TranscriptKey = Action<fn(&KeyTarget<'_>)>;

/// The keys that work in the transcript, whatever message is chosen.
pub(super) const KEYS: &[TranscriptKey] = &[
    TranscriptKey::new(&[Press::Up], "keys.choose", |here| here.view.borrow_mut().choose(-1, here.h)),
    TranscriptKey::new(&[Press::Down], "keys.choose", |here| here.view.borrow_mut().choose(1, here.h)),
    TranscriptKey::new(&[Press::PageUp], "keys.scroll", |here| here.scroll(-here.page())),
    TranscriptKey::new(&[Press::PageDown], "keys.scroll", |here| here.scroll(here.page())),
    TranscriptKey::new(&[Press::CtrlHome], "keys.earlier", |here| {
        here.scroll(i64::MIN / 4);
        (here.ask)(Ask::Earlier);
    }),
    TranscriptKey::new(&[Press::Home], "keys.ends", |here| here.scroll(i64::MIN / 4)),
    TranscriptKey::new(&[Press::End], "keys.ends", |here| here.view.borrow_mut().go_to_end()),
    TranscriptKey::new(&[Press::Menu], "keys.row_menu", |here| {
        let at = here.view.borrow().ringed();
        menu(here.view, here.ask, at);
    }),
    TranscriptKey::new(&[Press::Escape], "keys.leave", |here| (here.ask)(Ask::Leave)),
    TranscriptKey::new(&[Press::Ctrl('v')], "keys.leave", |here| (here.ask)(Ask::Paste)),
    // Typing goes to the composer, wherever the focus is.
    TranscriptKey::new(&[Press::Text], "keys.leave", |here| (here.ask)(Ask::Compose)),
];

/// What a key works on: the view, its height `h`, and the function that asks its window.
pub(super) struct KeyTarget<'a> {
    view: &'a RefCell<View>,
    ask: &'a dyn Fn(Ask),
    h: i32,
}

impl KeyTarget<'_> {
    fn scroll(&self, by: i64) {
        self.view.borrow_mut().scroll(by, self.h);
    }

    /// Returns how far a page scrolls: a little of the last page stays in sight.
    fn page(&self) -> i64 {
        i64::from(self.h) * 9 / 10
    }
}

/// What a transcript asks of its window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ask {
    /// The texts of rows that are in sight are needed.
    Page {
        /// The index of the first row.
        first: u32,
        /// The number of rows.
        count: u32,
    },
    /// The list of rows is needed again, as it is no longer that of the history.
    Index,
    /// The server is to be asked for what was said before the first row.
    Earlier,
    /// A message is to be sent again.
    Resend(MessageId),
    /// What was just typed here belongs into the composer.
    Compose,
    /// The text of the clipboard belongs into the composer.
    Paste,
    /// The composer is to get the keyboard.
    Leave,
    /// New messages came into sight while somebody looks.
    Looked,
}

/// The widget of the transcript.
#[derive(Clone)]
pub struct Transcript {
    widget: Widget,
    view: Rc<RefCell<View>>,
    ask: Rc<dyn Fn(Ask)>,
}

impl Transcript {
    /// Makes an empty transcript; `room` says that others' messages begin with their writer's name. `ask` is called
    /// from inside callbacks and drawing, so it must not touch the transcript at once.
    #[must_use]
    pub fn new(x: i32, y: i32, w: i32, h: i32, room: bool, ask: Rc<dyn Fn(Ask)>) -> Self {
        let mut widget = Widget::new(x, y, w, h, None);
        widget.set_frame(FrameType::FlatBox);
        widget.super_handle_first(false);
        widget.set_align(Align::Inside);
        let view = Rc::new(RefCell::new(View::new(room)));
        {
            let (view, ask) = (Rc::clone(&view), Rc::clone(&ask));
            widget.draw(move |w| {
                let mut view = view.borrow_mut();
                draw::push_clip(w.x(), w.y(), w.w(), w.h());
                let pages = view.draw([w.x(), w.y(), w.w(), w.h()], w.has_focus(), screen_of(w));
                let news = view.has_newly_in_sight(w.h());
                draw::pop_clip();
                drop(view);
                if news && is_looked_at(w) {
                    ask(Ask::Looked);
                }
                for page in pages {
                    let first = u32::try_from(page * rows::PAGE).unwrap_or(u32::MAX);
                    ask(Ask::Page { first, count: rows::PAGE as u32 });
                }
            });
        }
        let mut transcript = Self { widget, view, ask };
        transcript.listen();
        transcript
    }

    /// Returns the widget itself, for its window's layout.
    #[must_use]
    pub fn widget(&self) -> &Widget {
        &self.widget
    }

    /// Sets all rows of the history; stays at the end, or where it was if possible.
    pub fn set_index(&mut self, metas: Vec<RowMeta>) {
        self.view.borrow_mut().set_index(metas);
        self.widget.redraw();
    }

    /// Takes over everything from another transcript, which shows nothing from then on; for a rebuilt window.
    pub fn take_over(&mut self, other: &Self) {
        self.view.borrow_mut().take_over(&mut other.view.borrow_mut());
        self.widget.redraw();
    }

    /// Empties the transcript.
    pub fn empty(&mut self, room: bool) {
        let mut nothing = View::new(room);
        nothing.set_foreign(self.view.borrow().layout.foreign());
        self.view.borrow_mut().take_over(&mut nothing);
        self.widget.redraw();
    }

    /// Shows the rows of a page that was asked for.
    pub fn fill(&mut self, first: u32, rows: Vec<Row>) {
        let fits = self.view.borrow_mut().fill(usize::try_from(first).unwrap_or(usize::MAX), rows);
        if !fits {
            (self.ask)(Ask::Index);
        }
        self.widget.redraw();
    }

    /// Returns whether the texts of all rows in sight are here.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.view.borrow().is_whole()
    }

    /// Forgets which pages were asked for, so that they are asked for again at the next drawing.
    pub fn expect_nothing(&mut self) {
        self.view.borrow_mut().rows.expect_nothing();
    }

    /// Adds a message that was just stored.
    pub fn push(&mut self, row: Row) {
        self.view.borrow_mut().push(row);
        self.widget.redraw();
    }

    /// Shows how far a sent message has come.
    pub fn set_state(&mut self, id: MessageId, state: SendState) {
        let new = self.view.borrow_mut().set_state(id, state);
        self.redraw_if(new);
    }

    /// Sets what is shown above the first row.
    pub fn set_earlier(&mut self, earlier: Earlier) {
        let new = self.view.borrow_mut().set_earlier(earlier);
        self.redraw_if(new);
    }

    /// Returns what is shown above the first row.
    #[must_use]
    pub fn earlier(&self) -> Earlier {
        self.view.borrow().layout.earlier()
    }

    /// Scrolls to the first row, and asks for what came before it.
    pub fn go_to_begin(&mut self) {
        let h = self.widget.h();
        self.view.borrow_mut().scroll(i64::MIN / 4, h);
        (self.ask)(Ask::Earlier);
        self.widget.redraw();
    }

    /// Sets whether the server may cut sent texts at `#`.
    pub fn set_foreign(&mut self, foreign: bool) {
        let new = self.view.borrow_mut().set_foreign(foreign);
        self.redraw_if(new);
    }

    /// Puts the line "new messages" above the last `count` rows of others; 0 removes it.
    pub fn mark_new(&mut self, count: u64) {
        self.view.borrow_mut().mark_new(count);
        self.widget.redraw();
    }

    /// Scrolls to the line "new messages", if there is one.
    pub fn go_to_new(&mut self) {
        self.view.borrow_mut().go_to_new();
        self.widget.redraw();
    }

    /// Sets the names of a room's writers, by account.
    pub fn set_names(&mut self, names: HashMap<String, String>) {
        let new = self.view.borrow_mut().set_names(names);
        self.redraw_if(new);
    }

    /// Puts the line "new messages" above the next row that comes, if there is no such line yet.
    pub fn mark_next(&mut self) {
        self.view.borrow_mut().mark_next();
    }

    /// Scrolls to the newest message.
    pub fn go_to_end(&mut self) {
        self.view.borrow_mut().go_to_end();
        self.widget.redraw();
    }

    /// Returns whether the newest message is in sight.
    #[must_use]
    pub fn is_at_end(&self) -> bool {
        self.view.borrow().is_at_end()
    }

    /// Returns the newest message.
    #[must_use]
    pub fn newest(&self) -> Option<MessageId> {
        self.view.borrow().newest()
    }

    /// Returns the number on the button to the end, for tests.
    #[must_use]
    pub fn below(&self) -> usize {
        self.view.borrow().new_below()
    }

    /// Returns how many messages of others were not looked at.
    #[must_use]
    pub fn unread(&self) -> u64 {
        self.view.borrow().unread()
    }

    /// Marks what is in sight as looked at; returns the last message of it, if some were new.
    pub fn look_at(&mut self) -> Option<MessageId> {
        let h = self.widget.h();
        self.view.borrow_mut().look_at(h)
    }

    /// Scrolls by pages, for the composer's keys.
    pub fn page(&mut self, pages: i32) {
        let h = self.widget.h();
        self.view.borrow_mut().scroll(i64::from(pages) * i64::from(h) * 9 / 10, h);
        self.widget.redraw();
    }

    /// Returns a message's text, if it is in sight.
    #[must_use]
    pub fn text_of(&self, id: MessageId) -> Option<String> {
        self.view.borrow().text_of(id)
    }

    /// Moves the choice by this many rows, for tests.
    pub fn choose(&mut self, by: isize) {
        let h = self.widget.h();
        self.view.borrow_mut().choose(by, h);
        self.widget.redraw();
    }

    /// Returns the chosen message, for tests.
    #[must_use]
    pub fn chosen(&self) -> Option<MessageId> {
        self.view.borrow().chosen().map(|(id, ..)| id)
    }

    /// Returns the texts in sight from top to bottom, for tests.
    #[must_use]
    pub fn texts_in_sight(&self) -> Vec<String> {
        self.view.borrow().texts_in_sight()
    }

    fn redraw_if(&mut self, new: bool) {
        if new {
            self.widget.redraw();
        }
    }

    fn listen(&mut self) {
        let (view, ask) = (Rc::clone(&self.view), Rc::clone(&self.ask));
        self.widget.handle(move |w, event| {
            let used = match event {
                Event::Focus => {
                    // Somebody who came here by keys needs to see where they are; under the pointer nothing may move.
                    if app::event() == Event::KeyDown {
                        view.borrow_mut().choose_any(w.h());
                    }
                    true
                }
                Event::Unfocus | Event::Enter => true,
                Event::Leave => {
                    draw::set_cursor(Cursor::Default);
                    true
                }
                Event::Move => {
                    let (x, y) = (app::event_x(), app::event_y());
                    let over = view.borrow().target(x, y);
                    draw::set_cursor(if over.is_some() { Cursor::Hand } else { Cursor::Default });
                    return true;
                }
                Event::MouseWheel => {
                    let by = i64::from(app::event_dy_value()) * 60;
                    view.borrow_mut().scroll(by, w.h());
                    true
                }
                Event::Push => {
                    let _ = w.take_focus();
                    if app::event_mouse_button() == app::MouseButton::Right {
                        view.borrow_mut().choose_at(app::event_y() - w.y());
                        w.redraw();
                        menu(&view, &*ask, None);
                    } else {
                        pushed(&view, &ask, w);
                    }
                    true
                }
                Event::Drag => view.borrow_mut().drag_to(app::event_y() - w.y(), w.h()),
                Event::Released => view.borrow_mut().drop_thumb(),
                Event::KeyDown => key(&KeyTarget { view: &view, ask: &*ask, h: w.h() }),
                _ => return false,
            };
            if used {
                w.redraw();
            }
            used
        });
    }
}

/// Returns whether its window has the keyboard.
fn is_looked_at(widget: &Widget) -> bool {
    let (focus, window) = (app::focus().and_then(|w| w.top_window()), widget.top_window());
    focus.zip(window).is_some_and(|(focus, window)| focus.as_widget_ptr() == window.as_widget_ptr())
}

/// Returns the number of the screen it is on.
fn screen_of(w: &Widget) -> i32 {
    w.window().map_or(0, |window| window.screen_num())
}

fn pushed(view: &Rc<RefCell<View>>, ask: &Rc<dyn Fn(Ask)>, w: &Widget) {
    let wanted = pushed_at(&mut view.borrow_mut(), w);
    // What is asked may lead back here, so nothing may be borrowed.
    wanted.into_iter().for_each(|wanted| ask(wanted));
}

fn pushed_at(view: &mut View, w: &Widget) -> Option<Ask> {
    let (x, y) = (app::event_x(), app::event_y());
    match view.target(x, y) {
        Some(Target::End) => view.go_to_end(),
        Some(Target::Earlier) => return Some(Ask::Earlier),
        Some(Target::Resend(id)) => return Some(Ask::Resend(id)),
        None if view.take_thumb(x - w.x(), y - w.y(), w.w(), w.h()) => {}
        None => view.choose_at(y - w.y()),
    }
    None
}

fn key(here: &KeyTarget<'_>) -> bool {
    if let Some(does) = pressed(ACTIONS, false) {
        let chosen = here.view.borrow().chosen();
        return does(chosen.as_ref(), here.ask);
    }
    pressed(KEYS, false).inspect(|does| does(here)).is_some()
}

fn menu(view: &RefCell<View>, ask: &dyn Fn(Ask), at: Option<(i32, i32)>) {
    let Some(chosen) = view.borrow().chosen() else { return };
    let (_, _, resend) = &chosen;
    if let Some(does) = choose(ACTIONS, resend, at) {
        does(Some(&chosen), ask);
    }
}

fn copy(text: &str) {
    // FLTK would otherwise read past a NUL.
    let text = text.replace('\0', "");
    app::copy(&text);
    app::copy2(&text);
}
