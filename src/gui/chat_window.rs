//! One chat: what was said, and a field to go on. Shows and emits; never sees the network.

use std::cell::RefCell;
use std::rc::Rc;

use fltk::app;
use fltk::enums::{Event, FrameType, Key, Shortcut};
use fltk::prelude::*;
use fltk::text::{StyleTableEntryExt, TextAttr, TextBuffer, TextDisplay, TextEditor, WrapMode};
use fltk::window::Window;
use rust_i18n::t;

use super::login::Emit;
use super::widgets::{self, Style};
use super::{UiEvent, theme};
use crate::history::Row;
use crate::model::{Account, MessageId, SendState};

/// The newest rows a window keeps; older ones are in the history.
pub const SHOWN: u32 = 500;

/// The window of one conversation.
pub struct ChatWindow {
    window: Window,
    transcript: TextDisplay,
    text: TextBuffer,
    styles: TextBuffer,
    composer: TextEditor,
    name: String,
    rows: Rc<RefCell<Vec<Row>>>,
}

impl ChatWindow {
    /// Opens the window.
    #[must_use]
    pub fn new(peer: &Account, name: &str, emit: Emit) -> Self {
        let palette = theme::palette();
        let mut window = Window::new(0, 0, 740, 620, None).center_screen();
        window.set_label(&t!("gui.chatting", name = name, account = peer));
        window.set_color(palette.bg);
        window.size_range(360, 320, 0, 0);
        let (text, styles) = (TextBuffer::default(), TextBuffer::default());
        let mut transcript = TextDisplay::new(0, 0, 740, 480, None);
        transcript.set_buffer(text.clone());
        transcript.set_frame(FrameType::FlatBox);
        transcript.set_color(palette.bg);
        transcript.set_text_size(theme::BODY);
        transcript.wrap_mode(WrapMode::AtBounds, 0);
        let entry = |color, size| StyleTableEntryExt {
            color,
            font: fltk::enums::Font::Helvetica,
            size,
            attr: TextAttr::None,
            bgcolor: palette.bg,
        };
        transcript.set_highlight_data_ext(
            styles.clone(),
            vec![
                entry(palette.text, theme::BODY),
                entry(palette.accent, theme::BODY),
                entry(palette.dim, theme::TINY),
                entry(palette.error, theme::TINY),
            ],
        );
        let mut composer = TextEditor::new(12, 490, 620, 90, None);
        composer.set_buffer(TextBuffer::default());
        composer.set_frame(FrameType::FlatBox);
        composer.set_color(palette.surface);
        composer.set_text_color(palette.text);
        composer.set_cursor_color(palette.accent);
        composer.set_text_size(theme::BODY);
        composer.wrap_mode(WrapMode::AtBounds, 0);
        let mut button = widgets::button(644, 544, 84, &t!("gui.send"), Style::Primary);
        widgets::label(12, 590, 600, &t!("gui.send_hint"), palette.dim);
        window.end();
        window.resizable(&transcript);
        let rows: Rc<RefCell<Vec<Row>>> = Rc::default();
        let send: Rc<dyn Fn()> = {
            let (composer, peer, emit) = (composer.clone(), peer.clone(), Rc::clone(&emit));
            Rc::new(move || {
                if let Some(mut buffer) = composer.buffer() {
                    let text = buffer.text();
                    if !text.trim().is_empty() {
                        buffer.set_text("");
                        emit(UiEvent::Send { peer: peer.clone(), text });
                    }
                }
            })
        };
        {
            let send = Rc::clone(&send);
            composer.handle(move |_, event| {
                let plain = !app::event_state().contains(Shortcut::Shift);
                if event == Event::KeyDown && matches!(app::event_key(), Key::Enter | Key::KPEnter) && plain {
                    send();
                    return true;
                }
                false
            });
        }
        button.set_callback(move |_| send());
        {
            let peer = peer.clone();
            window.set_callback(move |_| emit(UiEvent::ChatClosed(peer.clone())));
        }
        window.show();
        let _ = composer.take_focus();
        Self { window, transcript, text, styles, composer, name: name.to_owned(), rows }
    }

    /// Brings the window to the front.
    pub fn raise(&mut self) {
        self.window.show();
        let _ = self.composer.take_focus();
    }

    /// Whether the person looks at it.
    #[must_use]
    pub fn focused(&self) -> bool {
        self.window.visible() && self.composer.has_focus()
    }

    /// The newest page of the history.
    pub fn set_rows(&mut self, rows: Vec<Row>) {
        let mut known = self.rows.borrow_mut();
        let newer: Vec<Row> = known.iter().filter(|k| !rows.iter().any(|r| r.id == k.id)).cloned().collect();
        *known = rows;
        known.extend(newer);
        drop(known);
        self.draw();
    }

    /// One more message.
    pub fn append(&mut self, row: Row) {
        let mut rows = self.rows.borrow_mut();
        if rows.iter().any(|r| r.id == row.id) {
            return;
        }
        rows.push(row.clone());
        drop(rows);
        self.put(&row);
        self.bottom();
    }

    /// One's own message came further.
    pub fn set_state(&mut self, id: MessageId, state: SendState) {
        let mut rows = self.rows.borrow_mut();
        let Some(row) = rows.iter_mut().rev().find(|row| row.id == id) else { return };
        row.state = Some(state);
        drop(rows);
        self.draw();
    }

    /// Closes the window for good.
    pub fn close(self) {
        Window::delete(self.window);
    }

    fn draw(&mut self) {
        self.text.set_text("");
        self.styles.set_text("");
        let rows = self.rows.borrow().clone();
        for row in &rows {
            self.put(row);
        }
        self.bottom();
    }

    fn put(&mut self, row: &Row) {
        use chrono::{Local, TimeZone};
        let time = Local.timestamp_millis_opt(row.unix_ms).earliest();
        let time = time.map_or_else(String::new, |t| t.format("%H:%M").to_string());
        let (style, head, state) = match row.state {
            None => ('A', format!("{}  {}", self.name, row.server_time.clone().unwrap_or(time)), 'C'),
            Some(state) => {
                let (word, wrong) = match state {
                    SendState::Waiting => (t!("gui.state_waiting"), false),
                    SendState::Sending => (t!("gui.state_sending"), false),
                    SendState::Sent => (t!("gui.state_sent"), false),
                    SendState::OfflineOrUnknown => (t!("gui.state_offline"), true),
                    SendState::MaybeSentTwice => (t!("gui.state_twice"), true),
                    SendState::Failed => (t!("gui.state_failed"), true),
                };
                ('B', format!("{time} · {word}"), if wrong { 'D' } else { 'C' })
            }
        };
        let body = row.text.trim_end_matches('\n');
        for (text, style) in [(head.as_str(), state), (body, style)] {
            let line = format!("{text}\n");
            self.text.append(&line);
            self.styles.append(&style.to_string().repeat(line.len()));
        }
        self.text.append("\n");
        self.styles.append("C");
    }

    fn bottom(&mut self) {
        let lines = self.transcript.count_lines(0, self.text.length(), true);
        self.transcript.scroll(lines, 0);
        self.window.redraw();
    }
}
