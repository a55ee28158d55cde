//! One chat: its messages, and a field to write in. Shows and emits; knows nothing of the network.
//!
//! Its parts:
//!
//! - `head`: what is shown above the messages.
//! - `composer`: the field, and sending its text.

mod composer;
mod head;

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;

use fltk::app;
use fltk::button::Button;
use fltk::draw;
use fltk::enums::{self, Key};
use fltk::frame::Frame;
use fltk::prelude::*;
use fltk::text::TextEditor;
use fltk::window::Window;
use rust_i18n::t;

use super::actions::{Action, Press, pressed};
use super::canvas::Canvas;
use super::field_menu;
use super::keys_window::listen;
use super::screen::Life;
use super::transcript::{Ask, Earlier, Transcript};
use super::widgets::{self, Style};
use super::{Emit, UiEvent, screen, theme};
use crate::base::model::{Account, MessageId, SendState};
use crate::base::shown;
use crate::client::history::{Row, RowMeta};
use composer::{compose, composer, sending};
use head::{HEAD, Head, draw_head};
pub use head::{Header, OwnState, Trouble};

const FOOT: i32 = 128;
/// In a window lower than this the field has one line less, to leave room for the messages.
const LOW: i32 = 420;

type Writing = Action<fn(&mut Transcript, &dyn Fn())>;

/// What keys do in the composer, with the messages above and the function that sends.
pub(super) const WRITING: &[Writing] = &[
    Writing::new(&[Press::Enter], "keys.send", |_, send| send()),
    Writing::told(&[Press::Elsewhere("Shift+Enter")], "keys.send"),
    Writing::new(&[Press::PageUp], "keys.scroll", |transcript, _| transcript.page(-1)),
    Writing::new(&[Press::PageDown], "keys.scroll", |transcript, _| transcript.page(1)),
    Writing::new(&[Press::CtrlEnd], "keys.scroll", |transcript, _| transcript.go_to_end()),
    Writing::new(&[Press::CtrlHome], "keys.earlier", |transcript, _| transcript.go_to_begin()),
    // Leaves the editor, in which Tab would be a character.
    Writing::new(&[Press::Tab], "keys.choose", |transcript, _| drop(transcript.widget().clone().take_focus())),
];

/// What a chat window asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs, reason = "fields are named by what they hold")]
pub enum Event {
    /// The chat is to be opened.
    Open,
    /// The person looks at the window, or new messages came into sight in it.
    Looked,
    /// The transcript needs its list of rows again.
    IndexWanted,
    /// The server is to be asked for what was said before the first message.
    EarlierWanted,
    /// The transcript needs the texts of these rows.
    PageWanted { first: u32, count: u32 },
    /// A text is to be sent.
    Send(String),
    /// A message is to be sent again.
    Resend(MessageId),
    /// Something was typed but not sent yet.
    Typed,
    /// What is known of the other person is to be shown.
    Card,
    /// The window was closed.
    Closed,
}

type WindowKey = Action<fn() -> Event>;

/// The keys that work anywhere in the window.
pub(super) const ACTIONS: &[WindowKey] = &[
    WindowKey::new(&[Press::Ctrl('w')], "keys.close", || Event::Closed),
    WindowKey::new(&[Press::Ctrl('i')], "keys.card", || Event::Card),
];

/// The window of one conversation.
pub struct ChatWindow {
    window: screen::Owned,
    head: Frame,
    /// What the head shows.
    over: Rc<RefCell<Head>>,
    transcript: Transcript,
    composer: TextEditor,
    /// Whether the program itself is putting text into the composer, which is not typing.
    given: Rc<Cell<bool>>,
    button: Button,
    /// The text beside the button: which keys send, or why nothing can be sent.
    hint: Frame,
    peer: Account,
    /// Whether it has been given its rows.
    indexed: bool,
}

impl ChatWindow {
    /// The width and height of a chat window without a saved place.
    pub const SIZE: [i32; 2] = [740, 620];
    /// The distance between a chat and the list of friends, including frames.
    pub const GAP: i32 = 12;
    /// The width that the first chat beside the list needs.
    pub const BESIDE: i32 = Self::GAP + Self::SIZE[0];

    /// Opens the window at this place, or in the middle of the screen.
    #[must_use]
    pub fn new(peer: &Account, header: Header, place: Option<[i32; 4]>, emit: Emit) -> Self {
        let palette = theme::palette();
        let mut window = screen::window(place, Self::SIZE[0], Self::SIZE[1]);
        window.set_color(palette.bg);
        screen::least(&mut window, 360, 320);
        let over = Rc::new(RefCell::new(Head { header, trouble: None }));
        let mut head = Frame::new(0, 0, 740, HEAD, None);
        {
            let (over, peer) = (Rc::clone(&over), peer.clone());
            let mut canvas = Canvas::default();
            head.draw(move |f| {
                let over = over.borrow();
                canvas.show(f, over.clone(), |x, y| draw_head(x, y, f.w(), &peer, &over));
            });
        }
        // Set below, since what is made later is drawn above earlier widgets.
        let writer: Rc<RefCell<Option<TextEditor>>> = Rc::default();
        let ask: Rc<dyn Fn(Ask)> = {
            let (peer, emit, writer) = (peer.clone(), Rc::clone(&emit), Rc::clone(&writer));
            Rc::new(move |ask| {
                let peer = peer.clone();
                emit(match ask {
                    Ask::Page { first, count } => UiEvent::Chat(peer, Event::PageWanted { first, count }),
                    Ask::Index => UiEvent::Chat(peer, Event::IndexWanted),
                    Ask::Earlier => UiEvent::Chat(peer, Event::EarlierWanted),
                    Ask::Resend(id) => UiEvent::Chat(peer, Event::Resend(id)),
                    Ask::Looked => UiEvent::Chat(peer, Event::Looked),
                    // Done at once, since the next key may already be there.
                    Ask::Compose => return compose(&writer, &app::event_text()),
                    Ask::Leave => return compose(&writer, ""),
                    Ask::Paste => {
                        compose(&writer, "");
                        let composer = writer.borrow().clone();
                        return composer.iter().filter(|composer| composer.active()).for_each(app::paste_text);
                    }
                });
            })
        };
        let transcript = Transcript::new(0, HEAD, 740, 620 - HEAD - FOOT, peer.is_room(), ask);
        let mut foot = Frame::new(0, 620 - FOOT, 740, FOOT, None);
        foot.draw(draw_foot);
        let composer = composer();
        *writer.borrow_mut() = Some(composer.clone());
        let mut button = widgets::button_on(0, 0, 92, &t!("chat.send"), Style::Primary, |p| p.surface);
        let hint = widgets::label(0, 0, 300, &t!("chat.hint"), palette.dim);
        window.end();
        let lay_out = {
            let (mut head, mut body, mut composer) = (head.clone(), transcript.widget().clone(), composer.clone());
            let (mut button, mut hint) = (button.clone(), hint.clone());
            move |w: i32, h: i32| {
                head.resize(0, 0, w, HEAD);
                let below = if h < LOW { FOOT - 20 } else { FOOT };
                body.resize(0, HEAD, w, h - HEAD - below);
                foot.resize(0, h - below, w, below);
                composer.resize(10, h - below + 9, w - 20, below - 62);
                button.resize(w - 12 - 92, h - 46, 92, theme::CONTROL - 2);
                hint.resize(12, h - 47, w - 130, 36);
            }
        };
        {
            let mut lay_out = lay_out;
            lay_out(window.w(), window.h());
            window.resize_callback(move |_, _, _, w, h| lay_out(w, h));
        }
        let send = sending(&composer, Life::of(&window), peer, &over, &emit);
        button.set_callback({
            let send = Rc::clone(&send);
            move |_| send()
        });
        let (window, peer, indexed) = (screen::Owned::of(&window), peer.clone(), false);
        let given = Rc::default();
        let mut chat = Self { window, head, over, transcript, composer, given, button, hint, peer, indexed };
        chat.note_typing(&emit);
        chat.listen(send, emit);
        chat.hint();
        chat.entitle();
        chat.raise();
        chat
    }

    fn note_typing(&mut self, emit: &Emit) {
        let (peer, emit, given) = (self.peer.clone(), Rc::clone(emit), Rc::clone(&self.given));
        let (over, head) = (Rc::clone(&self.over), self.head.clone());
        if let Some(mut buffer) = self.composer.buffer() {
            buffer.add_modify_callback(move |_, inserted, deleted, _, _| {
                if (inserted > 0 || deleted > 0) && !given.get() {
                    // A person who goes on writing has read it.
                    if over.borrow_mut().trouble.take().is_some() {
                        head.clone().redraw();
                    }
                    emit(UiEvent::Chat(peer.clone(), Event::Typed));
                }
            });
        }
    }

    fn listen(&mut self, send: Rc<dyn Fn()>, emit: Emit) {
        let mut transcript = self.transcript.clone();
        let (peer, out) = (self.peer.clone(), Rc::clone(&emit));
        // Otherwise the editor would see Enter first, and break the line.
        self.composer.super_handle_first(false);
        self.composer.handle(move |composer, event| match event {
            enums::Event::Focus => {
                out(UiEvent::Chat(peer.clone(), Event::Looked));
                false
            }
            enums::Event::KeyDown => {
                let Some(does) = pressed(WRITING, false) else { return field_menu::handles(composer, event) };
                does(&mut transcript, &*send);
                composer.redraw();
                true
            }
            _ => field_menu::handles(composer, event),
        });
        let (peer, out) = (self.peer.clone(), Rc::clone(&emit));
        listen(&mut self.window, &emit, move |event| {
            if event == enums::Event::Focus {
                out(UiEvent::Chat(peer.clone(), Event::Looked));
            }
            let does = if event == enums::Event::KeyDown { pressed(ACTIONS, false) } else { None };
            does.inspect(|does| out(UiEvent::Chat(peer.clone(), does()))).is_some()
        });
        let peer = self.peer.clone();
        self.window.set_callback(move |_| {
            // Escape ends an input method's suggestions, but does not close a chat.
            if app::event_key() != Key::Escape || app::event() == enums::Event::Close {
                emit(UiEvent::Chat(peer.clone(), Event::Closed));
            }
        });
    }

    /// Brings the window to the front.
    pub fn raise(&mut self) {
        self.window.show();
        if self.composer.take_focus().is_err() {
            let _ = self.transcript.widget().clone().take_focus();
        }
    }

    /// Returns whether the window has the keyboard.
    #[must_use]
    pub fn focused(&self) -> bool {
        let focus = app::focus().and_then(|w| w.window());
        self.window.shown() && focus.is_some_and(|w| w.as_widget_ptr() == self.window.as_widget_ptr())
    }

    /// Returns whether the window can be seen.
    #[must_use]
    pub fn visible(&self) -> bool {
        self.window.shown() && self.window.visible()
    }

    /// Returns the window's place, to be saved.
    #[must_use]
    pub fn position(&self) -> [i32; 4] {
        screen::position_of(&self.window)
    }

    /// Returns the text that was typed but not sent.
    #[must_use]
    pub fn draft(&self) -> String {
        self.composer.buffer().map(|b| b.text()).unwrap_or_default()
    }

    /// Returns the transcript, for tests.
    #[must_use]
    pub fn transcript(&self) -> Transcript {
        self.transcript.clone()
    }

    /// Returns the field to write in, for tests.
    #[must_use]
    pub fn composer(&self) -> TextEditor {
        self.composer.clone()
    }

    /// Puts a text back into the composer, before what is typed; this does not count as typing.
    pub fn give_back(&mut self, text: &str) {
        if let Some(mut buffer) = self.composer.buffer() {
            self.given.set(true);
            buffer.insert(0, text);
            self.given.set(false);
            self.composer.set_insert_position(buffer.length());
        }
    }

    /// Changes what is shown above the chat.
    pub fn set_header(&mut self, header: Header) {
        if self.over.borrow().header != header {
            if !matches!(header.own, OwnState::Offline | OwnState::Deleted) {
                self.is_over(|trouble| *trouble == Trouble::NotLoggedIn);
            }
            self.over.borrow_mut().header = header;
            self.hint();
            self.entitle();
            self.head.redraw();
        }
    }

    /// Shows that something went wrong, until the person goes on writing or it is over.
    pub fn say(&mut self, trouble: Trouble) {
        if matches!(trouble, Trouble::NotRead(_)) {
            self.transcript.expect_nothing();
        }
        self.set_trouble(Some(trouble));
    }

    /// Removes what went wrong, if it is one of `these`.
    pub fn is_over(&mut self, these: impl Fn(&Trouble) -> bool) {
        if self.trouble().is_some_and(|trouble| these(&trouble)) {
            self.set_trouble(None);
        }
    }

    /// Returns what went wrong, as it is shown.
    #[must_use]
    pub fn trouble(&self) -> Option<Trouble> {
        self.over.borrow().trouble.clone()
    }

    fn set_trouble(&mut self, trouble: Option<Trouble>) {
        if self.over.borrow().trouble != trouble {
            self.over.borrow_mut().trouble = trouble;
            self.head.redraw();
        }
    }

    /// Sets the history's rows; the first time, `unread` of them are new.
    pub fn set_index(&mut self, rows: Vec<RowMeta>, unread: u64) {
        self.is_over(|trouble| matches!(trouble, Trouble::NotRead(_)));
        self.transcript.set_index(rows);
        if !std::mem::replace(&mut self.indexed, true) {
            self.transcript.mark_new(unread);
            self.transcript.go_to_new();
        }
        self.entitle();
    }

    /// Sets the names of a room's writers, by account.
    pub fn set_names(&mut self, names: HashMap<String, String>) {
        self.transcript.set_names(names);
    }

    /// Shows texts that were asked for.
    pub fn fill(&mut self, first: u32, rows: Vec<Row>) {
        self.transcript.fill(first, rows);
        if self.transcript.is_whole() {
            self.is_over(|trouble| matches!(trouble, Trouble::NotRead(_)));
        }
    }

    /// Returns whether the server may have earlier messages, and was asked.
    #[must_use]
    pub fn earlier(&self) -> Earlier {
        self.transcript.earlier()
    }

    /// Sets that.
    pub fn set_earlier(&mut self, earlier: Earlier) {
        self.transcript.set_earlier(earlier);
    }

    /// Sets whether the server may cut texts at `#`, as one not known to be ours may; the bubbles hint at it.
    pub fn set_foreign(&mut self, foreign: bool) {
        if !foreign {
            self.is_over(|trouble| matches!(trouble, Trouble::NoLobby { .. }));
        }
        self.transcript.set_foreign(foreign);
    }

    /// Adds a message; returns true if it is another person's and nobody is looking. If somebody looks, the window says
    /// so when it draws it.
    pub fn append(&mut self, row: Row) -> bool {
        // The disk works again if it accepts what is written here, which begins by waiting, unlike what another device
        // has sent; and somebody who writes has an account.
        self.is_over(|trouble| match row.state {
            Some(state) => *trouble == Trouble::NotKept && state == SendState::Waiting,
            None => *trouble == Trouble::Nobody && !row.note,
        });
        let looks = self.focused() && self.transcript.is_at_end();
        let unseen = row.state.is_none() && !row.note && !looks;
        if unseen && self.transcript.unread() == 0 {
            self.transcript.mark_next();
        }
        self.transcript.push(row);
        if unseen {
            self.entitle();
        }
        unseen
    }

    /// Marks what is in sight as read, because the person looks; returns the last message of it, if some were new.
    pub fn looked(&mut self) -> Option<MessageId> {
        if !self.focused() {
            return None;
        }
        super::x11::ask_for_attention(&self.window, false);
        let to = self.transcript.look_at();
        if to.is_some() {
            self.entitle();
        }
        to
    }

    /// Returns the newest message, if all have been looked at.
    #[must_use]
    pub fn all_looked_at(&self) -> Option<MessageId> {
        self.transcript.newest().filter(|_| self.focused() && self.transcript.unread() == 0)
    }

    /// Returns how many unread messages are below what is in sight, for tests.
    #[must_use]
    pub fn below(&self) -> usize {
        self.transcript.below()
    }

    /// Scrolls by pages, for tests.
    pub fn page(&mut self, pages: i32) {
        self.transcript.page(pages);
    }

    /// Shows how far a sent message has come.
    pub fn set_state(&mut self, id: MessageId, state: SendState) {
        self.transcript.set_state(id, state);
    }

    /// Returns a message's text, if it is in sight.
    #[must_use]
    pub fn text_of(&self, id: MessageId) -> Option<String> {
        self.transcript.text_of(id)
    }

    /// Returns the texts in sight, for tests.
    #[must_use]
    pub fn texts_in_sight(&self) -> Vec<String> {
        self.transcript.texts_in_sight()
    }

    /// Returns the window itself, for the urgency hint.
    #[must_use]
    pub fn window(&self) -> &Window {
        &self.window
    }

    /// Rebuilds the chat in a new window, in another language or theme, with what is typed, how far it was read and
    /// scrolled, the chosen message, and what went wrong. This window shows nothing any more.
    #[must_use]
    pub fn renewed(&self, header: Header, emit: Emit) -> Self {
        let mut new = Self::new(&self.peer, header, Some(self.position()), emit);
        new.give_back(&self.draft());
        new.transcript.take_over(&self.transcript);
        new.indexed = self.indexed;
        new.set_trouble(self.trouble());
        new.entitle();
        // Otherwise the composer gets the keyboard.
        if self.transcript.widget().has_focus() {
            let _ = new.transcript.widget().clone().take_focus();
        }
        screen::hide(&self.window);
        new
    }

    /// Empties the chat, because the account was deleted and made anew. The window stays where it is, with what is
    /// typed.
    pub fn begin_anew(&mut self) {
        self.transcript.empty(self.peer.is_room());
        self.indexed = false;
        self.set_trouble(None);
        self.entitle();
    }

    /// Returns whether one can write here; not after the account was deleted.
    #[must_use]
    pub fn takes_text(&self) -> bool {
        self.composer.active()
    }

    /// Shows which keys send, or why nothing can be sent, in which case nothing can be typed either.
    fn hint(&mut self) {
        let palette = theme::palette();
        let own = self.over.borrow().header.own;
        let (text, ink) = match own {
            OwnState::Deleted => ("".into(), palette.dim),
            OwnState::Lost => (t!("chat.hint_lost"), palette.warn),
            OwnState::Connected | OwnState::Unsure | OwnState::Offline => (t!("chat.hint"), palette.dim),
        };
        self.hint.set_label_color(ink);
        self.hint.set_label(&text);
        self.hint.redraw_label();
        let writes = own != OwnState::Deleted;
        if writes == self.takes_text() {
            return;
        }
        if writes {
            self.composer.activate();
            self.button.activate();
        } else {
            let had_keys = self.composer.has_focus();
            self.composer.deactivate();
            self.button.deactivate();
            // Otherwise the window's own keys would not work.
            if had_keys {
                let _ = self.transcript.widget().clone().take_focus();
            }
        }
    }

    fn entitle(&mut self) {
        let name = self.over.borrow().header.name.clone();
        let plain = self.peer.is_room() || name == self.peer.shown();
        let title = if plain {
            t!("chat.title_plain", name = shown::within(&name))
        } else {
            t!("chat.title", name = shown::within(&name), account = shown::within(&self.peer.shown()))
        };
        let unread = self.transcript.unread();
        let title = if unread > 0 { format!("({unread}) {title}") } else { title.into_owned() };
        if self.window.label() != title {
            self.window.set_label(&title);
        }
    }
}

fn draw_foot(f: &mut Frame) {
    let colours = theme::palette();
    draw::draw_rect_fill(f.x(), f.y(), f.w(), f.h(), colours.surface);
    draw::set_draw_color(colours.line);
    draw::draw_xyline(f.x(), f.y(), f.x() + f.w());
}
