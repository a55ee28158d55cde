//! What a field does with keys and the pointer before FLTK sees them: shortcuts, and our menu in place of FLTK's, which
//! is in English only and looks old-fashioned.

use fltk::app;
use fltk::enums::Event;
use rust_i18n::t;

use super::latin::{self, Edit};
use super::{menu, x11};

/// A command in the menu of a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum FieldCommand {
    Undo,
    Cut,
    Copy,
    Paste,
    All,
}

/// Handles an event for a field or an editor whose handler has not used it, before FLTK sees it; returns true if it was
/// used. May block in FLTK's loop while the menu is open, so no borrow may be held.
pub fn handles<W: Edit>(field: &mut W, event: Event) -> bool {
    match event {
        Event::KeyDown if menu::is_menu_key() => {
            let under = field.menu_place();
            open(field, Some(under));
            true
        }
        Event::KeyDown => latin::edits(field),
        Event::Push if app::event_mouse_button() == app::MouseButton::Right => {
            let _ = field.take_focus();
            open(field, None);
            true
        }
        _ => false,
    }
}

/// Opens the menu. The cursor and the selection stay, since the command is about them.
fn open<W: Edit>(field: &W, at: Option<(i32, i32)>) {
    // The window may close while its menu is open, and the field with it.
    let mut field = field.clone();
    let commands = offered(&field.state(), x11::is_clipboard_owned());
    let names = commands.iter().map(|(command, can)| (command.name(), *can)).collect::<Vec<_>>();
    let entries: Vec<(&str, bool)> = names.iter().map(|(name, can)| (&**name, *can)).collect();
    let Some(chosen) = menu::popup_of(&entries, at) else { return };
    let Some((command, true)) = commands.get(chosen) else { return };
    if field.was_deleted() {
        return;
    }
    match command {
        FieldCommand::Undo => field.take_back(false),
        FieldCommand::Cut => field.cut_out(),
        FieldCommand::Copy => field.copy_out(),
        FieldCommand::Paste => app::paste_text(&field),
        FieldCommand::All => field.select_all(),
    }
    field.redraw();
}

/// The state of a field, as far as its menu depends on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct State {
    /// Whether it is empty.
    pub empty: bool,
    /// Whether text is selected.
    pub chosen: bool,
    /// Whether its text is hidden, and must not get into the clipboard.
    pub secret: bool,
    /// Whether there may be a change to undo.
    pub changed: bool,
}

/// Returns the commands of the menu, and whether each can be used now.
fn offered(state: &State, clipboard: bool) -> Vec<(FieldCommand, bool)> {
    let mut commands = vec![(FieldCommand::Undo, state.changed)];
    if !state.secret {
        commands.extend([(FieldCommand::Cut, state.chosen), (FieldCommand::Copy, state.chosen)]);
    }
    commands.extend([(FieldCommand::Paste, clipboard), (FieldCommand::All, !state.empty)]);
    commands
}

impl FieldCommand {
    fn name(self) -> String {
        match self {
            Self::Undo => t!("gui.undo"),
            Self::Cut => t!("gui.cut"),
            Self::Copy => t!("chat.copy"),
            Self::Paste => t!("gui.paste"),
            Self::All => t!("gui.select_all"),
        }
        .into_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EMPTY: State = State { empty: true, chosen: false, secret: false, changed: false };

    fn possible(state: State, clipboard: bool) -> Vec<FieldCommand> {
        offered(&state, clipboard).into_iter().filter_map(|(command, can)| can.then_some(command)).collect()
    }

    #[test]
    fn only_what_can_be_done_can_be_chosen() {
        assert_eq!(possible(EMPTY, false), []);
        assert_eq!(possible(EMPTY, true), [FieldCommand::Paste]);
        let written = State { empty: false, changed: true, ..EMPTY };
        assert_eq!(possible(written, false), [FieldCommand::Undo, FieldCommand::All]);
        let chosen = State { chosen: true, ..written };
        assert_eq!(
            possible(chosen, true),
            [FieldCommand::Undo, FieldCommand::Cut, FieldCommand::Copy, FieldCommand::Paste, FieldCommand::All]
        );
    }

    #[test]
    fn a_password_goes_into_no_clipboard() {
        let secret = State { empty: false, chosen: true, secret: true, changed: true };
        let all: Vec<FieldCommand> = offered(&secret, true).into_iter().map(|(command, _)| command).collect();
        assert_eq!(all, [FieldCommand::Undo, FieldCommand::Paste, FieldCommand::All]);
    }
}
