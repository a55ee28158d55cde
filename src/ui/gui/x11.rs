//! What FLTK has no call for on X11: whether there is a display at all, where other programs' windows are, and asking
//! the window manager to mark a window without giving it the keyboard (ICCCM's urgency hint). Does nothing on other
//! systems.

use fltk::prelude::*;
use fltk::window::Window;

use super::screen::Life;

/// Returns why no window can be opened, if so; FLTK itself would end the program.
#[cfg(all(unix, not(target_os = "macos")))]
#[must_use]
pub fn no_display() -> Option<String> {
    let display = std::env::var("DISPLAY").unwrap_or_default();
    if display.is_empty() {
        return Some("there is no display; set DISPLAY, or start it in a graphical session".to_owned());
    }
    x11rb::connect(None).err().map(|error| format!("the display {display} cannot be used: {error}"))
}

/// Returns `None`, since there always is a display here.
#[cfg(not(all(unix, not(target_os = "macos"))))]
#[must_use]
pub fn no_display() -> Option<String> {
    None
}

/// Returns what the keys type now; `None` if that is unknown.
#[cfg(all(unix, not(target_os = "macos")))]
#[must_use]
pub fn keyboard() -> Option<super::latin::Keyboard> {
    use x11rb::connection::Connection;
    use x11rb::protocol::xproto::ConnectionExt;
    // A connection of its own, since FLTK's is not ours to use. It is local, and rarely needed.
    let (connection, _) = x11rb::connect(None).ok()?;
    let first = connection.setup().min_keycode;
    let count = connection.setup().max_keycode.saturating_sub(first).saturating_add(1);
    let mapping = connection.get_keyboard_mapping(first, count).ok()?.reply().ok()?;
    let columns = usize::from(mapping.keysyms_per_keycode);
    Some(super::latin::Keyboard { first, columns, symbols: mapping.keysyms })
}

/// Returns `None`, since on these systems keys are known by their Latin letters anyway.
#[cfg(not(all(unix, not(target_os = "macos"))))]
#[must_use]
pub fn keyboard() -> Option<super::latin::Keyboard> {
    None
}

/// Returns how long no key and no mouse of this display was touched; `None` if it does not say.
#[cfg(all(unix, not(target_os = "macos")))]
#[must_use]
pub fn idle() -> Option<std::time::Duration> {
    use x11rb::connection::Connection;
    use x11rb::protocol::screensaver::ConnectionExt;
    // A connection of its own, since FLTK's is not ours to use. It is local, and needed once in some minutes.
    let (x, screen) = x11rb::connect(None).ok()?;
    let root = x.setup().roots.get(screen)?.root;
    let told = x.screensaver_query_info(root).ok()?.reply().ok()?;
    Some(std::time::Duration::from_millis(told.ms_since_user_input.into()))
}

/// Returns `None`: on these systems only what is done in our windows counts.
#[cfg(not(all(unix, not(target_os = "macos"))))]
#[must_use]
pub fn idle() -> Option<std::time::Duration> {
    None
}

/// Returns whether there is something to paste, as far as that is known at once. FLTK would ask the program that has it
/// what it is, and wait however long that takes.
#[cfg(all(unix, not(target_os = "macos")))]
#[must_use]
pub fn is_clipboard_owned() -> bool {
    use x11rb::protocol::xproto::ConnectionExt;
    // A connection of its own, since FLTK's is not ours to use. It is local, and needed once for a menu.
    let owner = || -> Result<u32, Box<dyn std::error::Error>> {
        let (x, _) = x11rb::connect(None)?;
        let clipboard = x.intern_atom(false, b"CLIPBOARD")?.reply()?.atom;
        Ok(x.get_selection_owner(clipboard)?.reply()?.owner)
    };
    owner().map_or(true, |owner| owner != x11rb::NONE)
}

/// Returns whether there is something to paste; on these systems the answer comes at once.
#[cfg(not(all(unix, not(target_os = "macos"))))]
#[must_use]
pub fn is_clipboard_owned() -> bool {
    fltk::app::clipboard_contains(fltk::app::ClipboardContent::Text)
}

/// After this many seconds what was drawn last is on the screen.
#[cfg(all(unix, not(target_os = "macos")))]
const SOON: f64 = 0.05;

#[cfg(all(unix, not(target_os = "macos")))]
thread_local! {
    static WAITING: std::cell::RefCell<Vec<(Window, Life, bool)>> = const { std::cell::RefCell::new(Vec::new()) };
}

/// Marks the window, or removes the mark when the person looks at it, as some panels would go on blinking. Done a
/// moment later and once for any number of messages, since these are to be drawn first.
#[cfg(all(unix, not(target_os = "macos")))]
pub fn ask_for_attention(window: &Window, urgent: bool) {
    let first = WAITING.with_borrow_mut(|waiting| {
        let first = waiting.is_empty();
        waiting.retain(|(other, ..)| other.as_widget_ptr() != window.as_widget_ptr());
        waiting.push((window.clone(), Life::of(window), urgent));
        first
    });
    if first {
        fltk::app::add_timeout3(SOON, |_| mark(WAITING.take()));
    }
}

#[cfg(all(unix, not(target_os = "macos")))]
fn mark(windows: Vec<(Window, Life, bool)>) {
    use x11rb::properties::WmHints;
    // A window that is not on the screen has no handle.
    let mut shown = windows.into_iter().filter(|(window, life, _)| life.is_on() && window.shown()).peekable();
    if shown.peek().is_none() {
        return;
    }
    // A connection of its own, since FLTK's is not ours to use. It is local, and rarely needed.
    let marked = x11rb::connect(None).map_err(|e| e.to_string()).and_then(|(connection, _)| {
        for (window, _, urgent) in shown {
            let Ok(id) = u32::try_from(window.raw_handle()) else { continue };
            let known = WmHints::get(&connection, id).map_err(|e| e.to_string())?.reply();
            let mut hints = known.ok().flatten().unwrap_or_default();
            hints.urgent = urgent;
            hints.set(&connection, id).map_err(|e| e.to_string())?.check().map_err(|e| e.to_string())?;
        }
        Ok(())
    });
    if let Err(error) = marked {
        log::debug!("no urgency hint: {error}");
    }
}

/// Does nothing on these systems.
#[cfg(not(all(unix, not(target_os = "macos"))))]
pub fn ask_for_attention(_window: &Window, _urgent: bool) {}

/// Returns the corners of the windows of other runs of this program on this display, also other people's, in units.
#[cfg(all(unix, not(target_os = "macos")))]
#[must_use]
pub fn others() -> Vec<[i32; 2]> {
    match corners() {
        Ok(pixels) => {
            let scale = fltk::app::screen_scale(0);
            let units = |at: i16| (f32::from(at) / scale).round() as i32;
            pixels.into_iter().map(|[x, y]| [units(x), units(y)]).collect()
        }
        Err(error) => {
            log::debug!("other windows are not known: {error}");
            Vec::new()
        }
    }
}

/// Returns them in pixels: windows that a window manager manages, or without one those that are directly on the screen.
#[cfg(all(unix, not(target_os = "macos")))]
fn corners() -> Result<Vec<[i16; 2]>, Box<dyn std::error::Error>> {
    use x11rb::connection::Connection;
    use x11rb::protocol::xproto::{AtomEnum, ConnectionExt, MapState};
    // A connection of its own, since FLTK's is not ours to use. It is local, and needed once for a login.
    let (x, screen) = x11rb::connect(None)?;
    let root = x.setup().roots.get(screen).ok_or("no screen")?.root;
    let list = x.intern_atom(false, b"_NET_CLIENT_LIST")?.reply()?.atom;
    let managed = x.get_property(false, root, list, AtomEnum::WINDOW, 0, 4_096)?.reply()?;
    let windows: Vec<u32> = match managed.value32() {
        Some(windows) => windows.collect(),
        None => x.query_tree(root)?.reply()?.children,
    };
    // Everything is asked before the first answer is awaited.
    let asked = windows.into_iter().map(|window| {
        let class = x.get_property(false, window, AtomEnum::WM_CLASS, AtomEnum::STRING, 0, 64)?;
        let corner = x.translate_coordinates(window, root, 0, 0)?;
        Ok((class, corner, x.get_window_attributes(window)?))
    });
    let asked: Vec<_> = asked.collect::<Result<_, x11rb::errors::ConnectionError>>()?;
    let mut corners = Vec::new();
    for (class, corner, attributes) in asked {
        // A window may have gone by now.
        let (Ok(class), Ok(corner), Ok(attributes)) = (class.reply(), corner.reply(), attributes.reply()) else {
            continue;
        };
        let ours = class.value.split(|byte| *byte == 0).any(|name| name == b"hongyan");
        if ours && attributes.map_state == MapState::VIEWABLE && !attributes.override_redirect {
            corners.push([corner.dst_x, corner.dst_y]);
        }
    }
    Ok(corners)
}

/// Returns none, since they are unknown on these systems.
#[cfg(not(all(unix, not(target_os = "macos"))))]
#[must_use]
pub fn others() -> Vec<[i32; 2]> {
    Vec::new()
}

/// Returns the indexes of these windows, from the one at the back to the one in front.
#[must_use]
pub fn from_back(windows: &[Window]) -> Vec<usize> {
    let stacked = stacked().unwrap_or_else(|error| {
        log::debug!("which window is in front is not known: {error}");
        Vec::new()
    });
    let mut numbers: Vec<usize> = (0..windows.len()).collect();
    numbers.sort_by_key(|number| {
        let window = windows.get(*number).map(|window| window.raw_handle());
        stacked.iter().position(|one| Some(*one) == window)
    });
    numbers
}

/// Returns all windows of the display, from the back. Without a window manager they are the screen's own children.
#[cfg(all(unix, not(target_os = "macos")))]
fn stacked() -> Result<Vec<fltk::window::RawHandle>, Box<dyn std::error::Error>> {
    use x11rb::connection::Connection;
    use x11rb::protocol::xproto::{AtomEnum, ConnectionExt};
    // A connection of its own, since FLTK's is not ours to use. It is local, and needed once for another language or
    // theme.
    let (x, screen) = x11rb::connect(None)?;
    let root = x.setup().roots.get(screen).ok_or("no screen")?.root;
    let list = x.intern_atom(false, b"_NET_CLIENT_LIST_STACKING")?.reply()?.atom;
    let managed = x.get_property(false, root, list, AtomEnum::WINDOW, 0, 4_096)?.reply()?;
    let windows: Vec<u32> = match managed.value32() {
        Some(windows) => windows.collect(),
        None => x.query_tree(root)?.reply()?.children,
    };
    Ok(windows.into_iter().map(fltk::window::RawHandle::from).collect())
}

/// FLTK's list begins with the window that was used last.
#[cfg(not(all(unix, not(target_os = "macos"))))]
fn stacked() -> Result<Vec<fltk::window::RawHandle>, Box<dyn std::error::Error>> {
    let windows = fltk::app::windows().unwrap_or_default();
    Ok(windows.iter().rev().filter_map(|window| window.as_window()).map(|window| window.raw_handle()).collect())
}
