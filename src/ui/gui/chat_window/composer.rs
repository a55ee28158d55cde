//! The field to write in, and sending its text.

use std::cell::RefCell;
use std::rc::Rc;

use fltk::enums::{Align, Font, FrameType};
use fltk::prelude::*;
use fltk::text::{TextBuffer, TextEditor, WrapMode};
use fltk::valuator::Scrollbar;
use rust_i18n::t;

use super::Event;
use super::head::Head;
use crate::base::model::{Account, MessageText};
use crate::ui::gui::screen::Life;
use crate::ui::gui::{Emit, UiEvent, theme, widgets};

/// Puts the keyboard into the composer, and adds this text.
pub(super) fn compose(writer: &RefCell<Option<TextEditor>>, text: &str) {
    let composer = writer.borrow().clone();
    if let Some(mut composer) = composer.filter(TextEditor::active) {
        let _ = composer.take_focus();
        composer.insert(text);
        composer.show_insert_position();
    }
}

pub(super) fn composer() -> TextEditor {
    let palette = theme::palette();
    let mut composer = TextEditor::new(0, 0, 100, 60, None);
    composer.set_buffer(TextBuffer::default());
    composer.set_frame(FrameType::FlatBox);
    composer.set_color(palette.surface);
    composer.set_text_color(palette.text);
    composer.set_cursor_color(palette.accent);
    composer.set_cursor_style(fltk::text::Cursor::Simple);
    composer.set_selection_color(palette.selected);
    composer.set_text_font(Font::Helvetica);
    composer.set_text_size(theme::BODY);
    composer.wrap_mode(WrapMode::AtBounds, 0);
    // Three lines and the cursor keys need no scroll bar, and FLTK's looks old-fashioned.
    composer.set_scrollbar_align(Align::Center);
    // With more lines than fit FLTK shows it all the same.
    composer.set_scrollbar_size(1);
    if let Some(group) = composer.as_group() {
        for mut bar in group.into_iter().filter_map(|bar| Scrollbar::from_dyn_widget(&bar)) {
            bar.set_slider_frame(FrameType::FlatBox);
            bar.set_frame(FrameType::FlatBox);
            bar.set_color(palette.surface);
            bar.set_selection_color(palette.surface);
            bar.set_label_color(palette.surface);
        }
    }
    composer
}

/// Returns the function that sends the text; if it makes many messages, as a pasted file does, the person is asked
/// first.
pub(super) fn sending(
    composer: &TextEditor,
    window: Life,
    peer: &Account,
    head: &Rc<RefCell<Head>>,
    emit: &Emit,
) -> Rc<dyn Fn()> {
    let (composer, peer, head, emit) = (composer.clone(), peer.clone(), Rc::clone(head), Rc::clone(emit));
    Rc::new(move || {
        let Some(mut buffer) = composer.buffer().filter(|_| composer.active()) else { return };
        let text = buffer.text();
        let parts = MessageText::split(&text).len();
        if parts > MessageText::UNASKED {
            let question = t!("chat.many_parts", n = parts, name = head.borrow().header.name);
            let sends = widgets::ask(&question, &t!("chat.many_send", n = parts), &t!("chat.many_keep"));
            // The chat may have been closed meanwhile.
            if !sends || !window.is_on() {
                return;
            }
        }
        if parts > 0 {
            buffer.set_text("");
            emit(UiEvent::Chat(peer.clone(), Event::Send(text)));
        }
    })
}
