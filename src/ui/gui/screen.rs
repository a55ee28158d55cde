//! The places and sizes of windows: this module alone decides both, for every window, from what the screen has room
//! for. All measures are FLTK's units, which a zoom makes larger, except saved places: these are pixels of a screen,
//! and stay the same when the zoom changes.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::ops::{Deref, DerefMut};
use std::rc::{Rc, Weak};

use fltk::app;
use fltk::enums::{Event, Key, Shortcut};
use fltk::image::{RgbImage, SvgImage};
use fltk::prelude::*;
use fltk::window::Window;

/// The most that a window manager adds above a window.
const TITLE: i32 = 40;
/// The most that a window manager adds below a window.
const BELOW: i32 = 6;
/// How far a window is moved that would otherwise be over another one.
const STEP: i32 = 28;
/// The zooms, in percent of the desktop's own scale.
const ZOOMS: [u16; 13] = [50, 67, 80, 90, 100, 110, 120, 133, 150, 170, 200, 240, 300];

/// A change of the zoom.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Zoom {
    /// Makes everything larger.
    In,
    /// Makes everything smaller.
    Out,
    /// Goes back to the desktop's own scale.
    Reset,
}

/// What is known about a window beyond what FLTK keeps.
struct Standing {
    window: Window,
    /// Dropped with the window.
    life: Rc<()>,
    /// The size that the window has if there is room.
    wanted: [i32; 2],
    /// The size below which nobody can make it.
    least: [i32; 2],
    /// Whether the person decides how large it is.
    free: bool,
    /// The place where it was before zooms moved it, as it is saved, and where the last of them put it, in units.
    moved: Option<Moved>,
}

type Moved = ([i32; 4], [i32; 4]);

thread_local! {
    /// The function that carries out a zoom.
    static ZOOMER: Cell<fn(Zoom)> = const { Cell::new(|change| drop(zoom(change))) };
    static STANDING: RefCell<Vec<Standing>> = const { RefCell::new(Vec::new()) };
    /// The scale of each screen's desktop, and the name under which its zoom is saved.
    static DESKTOP: RefCell<Vec<(f32, String)>> = const { RefCell::new(Vec::new()) };
    /// The icon, drawn once and shared by all windows.
    static ICON: Option<RgbImage> = {
        let drawing = SvgImage::from_data(include_str!("../../../assets/hongyan.svg")).ok();
        drawing.and_then(|mut svg| {
            svg.normalize();
            svg.to_rgb().ok()
        })
    };
}

/// Takes the zoom over from FLTK, which forgets it at the end and leaves windows off the screen, and sets the saved
/// zooms. Called before the first window.
pub fn begin(kept: &BTreeMap<String, u16>) {
    app::keyboard_screen_scaling(false);
    let desktop: Vec<_> = (0..app::screen_count()).map(|n| (app::screen_scale(n), name_of(n))).collect();
    for (n, (scale, name)) in (0..).zip(&desktop) {
        if let Some(percent) = kept.get(name) {
            app::set_screen_scale(n, scale * f32::from(*percent) / 100.0);
        }
    }
    DESKTOP.set(desktop);
}

/// Returns the name under which a screen's zoom is saved: its size and its desktop's scale. Called before any zoom, as
/// FLTK only tells a size in whole units.
fn name_of(screen: i32) -> String {
    let (_, _, w, h) = app::screen_xywh(screen);
    let scale = app::screen_scale(screen);
    let pixels = |units: i32| (units as f32 * scale).round() as i32;
    format!("{}x{} {}%", pixels(w), pixels(h), (scale * 100.0).round() as i32)
}

/// Sets the function that carries out a zoom and saves it.
pub fn on_zoom(zoomer: fn(Zoom)) {
    ZOOMER.set(zoomer);
}

/// Zooms at the next turn of the loop if the event asks for it. Every window does this from its beginning, questions
/// too; a window with a handler of its own has to call this from it.
pub fn zooms(event: Event) -> bool {
    let Some(change) = asked().filter(|_| event == Event::KeyDown) else { return false };
    app::add_timeout3(0.0, move |_| ZOOMER.get()(change));
    true
}

/// Returns the zoom that a key asks for: Ctrl with +, - or 0, on whichever key a keyboard has these.
#[must_use]
fn asked() -> Option<Zoom> {
    let state = app::event_state();
    if !state.contains(Shortcut::Ctrl) || state.intersects(Shortcut::Alt | Shortcut::Meta) {
        return None;
    }
    let (key, text) = (app::event_key(), app::event_text());
    // The keys of the number pad have the code of their character plus an offset.
    let is = |c: char| key == Key::from_char(c) || key == Key::from_i32(0xff80 + c as i32) || text == c.to_string();
    if is('+') || is('=') {
        Some(Zoom::In)
    } else if is('-') {
        Some(Zoom::Out)
    } else {
        is('0').then_some(Zoom::Reset)
    }
}

/// Zooms the screen of the window with the keyboard, and every window there. Returns the name under which the zoom is
/// saved, and its percentage. Waits in FLTK's loop, so no borrow may be held.
pub fn zoom(change: Zoom) -> Option<(String, u16)> {
    let screen = here();
    let (desktop, name) = DESKTOP.with_borrow(|all| usize::try_from(screen).ok().and_then(|n| all.get(n).cloned()))?;
    let old = app::screen_scale(screen);
    let now = (old / desktop * 100.0).round() as u16;
    let percent = zoomed(now, change);
    if percent != now {
        scale(screen, old, desktop * f32::from(percent) / 100.0);
    }
    Some((name, percent))
}

/// Draws everything on a screen at another scale; windows stay where they are as far as there is room. The window
/// manager decides the size of a maximised window, now and later.
pub fn scale(screen: i32, old: f32, new: f32) {
    // FLTK moves windows whose middle would be off the screen.
    let mut windows: Vec<_> = shown_on(screen).into_iter().map(|window| (spot_of(&window), window)).collect();
    app::set_screen_scale(screen, new);
    let units = |pixels: i32| (pixels as f32 / new).round() as i32;
    for (spot, window) in &mut windows {
        if window.maximize_active() || window.fullscreen_active() {
            limit(window);
        } else {
            let from = began(with(window, |one| one.moved).flatten(), *spot, old);
            let [x, y, w, h] = from;
            refit(window, [units(x), units(y), w, h]);
            with(window, |one| one.moved = Some((from, spot_of(window))));
        }
        window.redraw();
    }
}

/// Returns the place from which a zoom begins, as it is saved: the one before the last zoom if the window is still
/// where that put it, so that what there was no room for comes back; else its present place.
fn began(moved: Option<Moved>, spot: [i32; 4], scale: f32) -> [i32; 4] {
    // Rounding may lose a unit.
    let same = |to: &[i32; 4]| to.iter().zip(spot).all(|(to, at)| (to - at).abs() <= 2);
    moved.filter(|(_, to)| same(to)).map_or_else(|| kept(spot, scale), |(before, _)| before)
}

fn zoomed(now: u16, change: Zoom) -> u16 {
    match change {
        Zoom::Reset => 100,
        Zoom::In => ZOOMS.into_iter().find(|zoom| *zoom > now).unwrap_or(now),
        Zoom::Out => ZOOMS.into_iter().rev().find(|zoom| *zoom < now).unwrap_or(now),
    }
}

/// Tells whether a window still exists, for code that runs later. FLTK's bindings cannot tell: their tracker never
/// learns that its widget has been deleted.
#[derive(Debug, Clone)]
pub struct Life(Weak<()>);

impl Life {
    /// Makes this for a window that was made by this module.
    #[must_use]
    pub fn of(window: &Window) -> Self {
        Self(with(window, |one| Rc::downgrade(&one.life)).unwrap_or_default())
    }

    /// Returns whether the window still exists.
    #[must_use]
    pub fn is_on(&self) -> bool {
        self.0.strong_count() > 0
    }
}

/// A window that is deleted when this is dropped.
#[derive(Debug)]
pub struct Owned(Window);

impl Owned {
    /// Takes ownership of a window that was made by this module.
    #[must_use]
    pub fn of(window: &Window) -> Self {
        Self(window.clone())
    }
}

impl Drop for Owned {
    fn drop(&mut self) {
        close(self.0.clone());
    }
}

impl Deref for Owned {
    type Target = Window;

    fn deref(&self) -> &Window {
        &self.0
    }
}

impl DerefMut for Owned {
    fn deref_mut(&mut self) -> &mut Window {
        &mut self.0
    }
}

/// Hides a window whose place another one takes; it is deleted when it is dropped.
pub fn hide(window: &Window) {
    window.clone().hide();
}

/// Deletes a window.
pub fn close(window: Window) {
    STANDING.with_borrow_mut(|all| all.retain(|one| one.window.as_widget_ptr() != window.as_widget_ptr()));
    Window::delete(window);
}

/// Returns the windows on a screen, without menus and tooltips.
fn shown_on(screen: i32) -> Vec<Window> {
    STANDING.with_borrow(|all| {
        let here = |one: &&Standing| one.window.shown() && one.window.screen_num() == screen;
        all.iter().filter(here).map(|one| one.window.clone()).collect()
    })
}

/// Returns the screen for a new window: that of the window with the keyboard, else that of the pointer.
fn here() -> i32 {
    match app::focus().and_then(|widget| widget.top_window()) {
        Some(window) => window.screen_num(),
        None => {
            let (x, y) = app::get_mouse();
            app::screen_num(x, y)
        }
    }
}

/// Returns a window's place, to be saved: x and y in pixels, width and height in units.
pub fn position_of(window: &Window) -> [i32; 4] {
    kept(spot_of(window), app::screen_scale(window.screen_num()))
}

/// Returns a window's place in units.
pub fn spot_of(window: &Window) -> [i32; 4] {
    [window.x(), window.y(), window.w(), window.h()]
}

/// Converts a place in units to its saved form.
pub fn kept([x, y, w, h]: [i32; 4], scale: f32) -> [i32; 4] {
    let pixels = |units: i32| (units as f32 * scale).round() as i32;
    [pixels(x), pixels(y), w, h]
}

/// Converts a saved place to units, and finds its screen.
fn spot([x, y, w, h]: [i32; 4]) -> ([i32; 4], i32) {
    let units = |at: i32, scale: f32| (at as f32 / scale).round() as i32;
    let on = |screen: &i32| {
        let scale = app::screen_scale(*screen);
        let (left, top, wide, high) = app::screen_xywh(*screen);
        let (x, y) = (units(x, scale) + w / 2, units(y, scale) + h / 2);
        (left..left + wide).contains(&x) && (top..top + high).contains(&y)
    };
    let screen = (0..app::screen_count()).find(on).unwrap_or(0);
    let scale = app::screen_scale(screen);
    ([units(x, scale), units(y, scale), w, h], screen)
}

/// Returns the area in which windows may be on a screen, without the room for their frames.
pub fn room(screen: i32) -> [i32; 4] {
    let (x, y, w, h) = app::screen_work_area(screen);
    room_in([x, y, w, h])
}

fn room_in([x, y, w, h]: [i32; 4]) -> [i32; 4] {
    [x, y + TITLE, w.max(1), (h - TITLE - BELOW).max(1)]
}

/// Moves and shrinks a place as little as needed to be fully on the screen, with its title.
pub fn fit([x, y, w, h]: [i32; 4], [left, top, wide, high]: [i32; 4]) -> [i32; 4] {
    let (w, h) = (w.clamp(1, wide), h.clamp(1, high));
    [x.clamp(left, left + wide - w), y.clamp(top, top + high - h), w, h]
}

/// As [`fit`], and not over one of the windows whose corners are `taken`, as long as there is another place.
pub fn beside(wanted: [i32; 4], taken: &[[i32; 2]], room: [i32; 4]) -> [i32; 4] {
    let over = |[x, y, ..]: [i32; 4]| {
        taken.iter().any(|[other_x, other_y]| (x - other_x).abs() < STEP && (y - other_y).abs() < STEP)
    };
    let [x, y, w, h] = wanted;
    // Down to the right as long as that works, then wherever there is room.
    let ways = [(1, 1), (-1, 1), (0, 1), (1, 0), (-1, 0), (1, -1), (0, -1), (-1, -1)];
    let steps = (0..64).map(|n| n * STEP);
    let ends = |[x, y, w, h]: [i32; 4]| x + w > room[0] + room[2] || y + h > room[1] + room[3];
    let first = steps.clone().map(|by| [x + by, y + by, w, h]).take_while(|place| !ends(*place));
    let others =
        ways.into_iter().flat_map(|(right, down)| steps.clone().map(move |by| [x + right * by, y + down * by, w, h]));
    let mut places = first.chain(others).map(|place| fit(place, room));
    places.find(|place| !over(*place)).unwrap_or_else(|| fit(wanted, room))
}

/// Makes a window at a saved place, as far as that is on the screen; else in the middle and not over another one.
pub fn window(place: Option<[i32; 4]>, w: i32, h: i32) -> Window {
    let others: Vec<[i32; 2]> = match place {
        Some(_) => Vec::new(),
        None => (0..app::screen_count()).flat_map(shown_on).map(|window| [window.x(), window.y()]).collect(),
    };
    window_beside(place, [w, h], 0, &others)
}

/// Returns the middle of a screen for a window of this size, with room for what will open to its right, `beside` wide.
pub fn middle([left, top, wide, high]: [i32; 4], [w, h]: [i32; 2], beside: i32) -> [i32; 4] {
    [left + (wide - w - beside).max(0) / 2, top + (high - h).max(0) / 2, w, h]
}

/// Makes a window for a question, in the middle of the window with the keyboard, as far as that is on the screen.
pub fn window_over(w: i32, h: i32) -> Window {
    let asking = app::focus().and_then(|widget| widget.top_window()).filter(|window| window.shown());
    let place = asking.map(|asking| {
        let [x, y, wide, high] = [asking.x(), asking.y(), asking.w(), asking.h()];
        kept([x + (wide - w) / 2, y + (high - h) / 2, w, h], app::screen_scale(asking.screen_num()))
    });
    window(place, w, h)
}

/// Makes a window as [`window`] does, but leaves room to its right if it has no saved place, and keeps clear of the
/// windows with these corners even at a saved place.
pub fn window_beside(place: Option<[i32; 4]>, wanted: [i32; 2], right: i32, others: &[[i32; 2]]) -> Window {
    let (spot, screen) = match place {
        Some(place) => spot(place),
        None => {
            let screen = here();
            (middle(room(screen), wanted, right), screen)
        }
    };
    let [x, y, w, h] = beside(spot, others, room(screen));
    let mut window = Window::new(x, y, w, h, None);
    window.force_position(true);
    window.handle(|_, event| zooms(event));
    let standing =
        Standing { window: window.clone(), life: Rc::new(()), wanted, least: [0, 0], free: false, moved: None };
    STANDING.with_borrow_mut(|all| all.push(standing));
    iconed(window)
}

/// Lets the person resize a window, down to this size.
pub fn least(window: &mut Window, w: i32, h: i32) {
    with(window, |one| (one.least, one.free) = ([w, h], true));
    limit(window);
}

/// Sets the height that a window wants now, which it gets if there is room.
pub fn wants(window: &mut Window, h: i32) {
    with(window, |one| one.wanted[1] = h);
    refit(window, spot_of(window));
}

/// Keeps the window manager from making it larger than the screen has room for.
fn limit(window: &mut Window) {
    let Some(([w, h], true)) = with(window, |one| (one.least, one.free)) else { return };
    let [_, _, wide, high] = room(window.screen_num());
    window.size_range(w.min(wide), h.min(high), 0, 0);
}

/// Moves and resizes a window to a place, as near as there is room now.
fn refit(window: &mut Window, [x, y, w, h]: [i32; 4]) {
    let size = match with(window, |one| (one.wanted, one.free)) {
        Some((wanted, false)) => wanted,
        _ => [w, h],
    };
    limit(window);
    let place = fit([x, y, size[0], size[1]], room(window.screen_num()));
    if place != spot_of(window) {
        window.resize(place[0], place[1], place[2], place[3]);
    }
}

fn with<R>(window: &Window, f: impl FnOnce(&mut Standing) -> R) -> Option<R> {
    STANDING.with_borrow_mut(|all| {
        let is_it = |one: &&mut Standing| one.window.as_widget_ptr() == window.as_widget_ptr();
        all.iter_mut().find(is_it).map(f)
    })
}

/// Gives a window the program's icon.
fn iconed(mut window: Window) -> Window {
    window.set_icon(ICON.with(Clone::clone));
    window
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_of_a_window_and_its_title_are_on_the_screen() {
        let room = room_in([0, 0, 1_280, 900]);
        assert_eq!(room, [0, 40, 1_280, 854]);
        let cases = [
            ("as it was", [100, 100, 300, 720], [100, 100, 300, 720]),
            ("saved on a second screen", [2_600, 100, 300, 1_300], [980, 40, 300, 854]),
            ("above the edge", [0, -20, 300, 400], [0, 40, 300, 400]),
            ("larger than the screen", [-50, 900, 4_000, 2_000], [0, 40, 1_280, 854]),
        ];
        for (what, saved, place) in cases {
            assert_eq!(fit(saved, room), place, "{what}");
        }
    }

    #[test]
    fn windows_do_not_open_over_each_other() {
        // As many windows as somebody may have open, on screens where each has to be moved to fit.
        for (wide, high) in [(1_280, 800), (1_366, 768), (512, 384)] {
            let room = room_in([0, 0, wide, high]);
            let mut taken: Vec<[i32; 2]> = Vec::new();
            for _ in 0..8 {
                let [x, y, w, h] = beside([wide - 200, 120, 480, 300], &taken, room);
                assert!(x >= room[0] && y >= room[1] && x + w <= room[0] + room[2] && y + h <= room[1] + room[3]);
                let near = |[left, top]: &[i32; 2]| (x - left).abs() < STEP && (y - top).abs() < STEP;
                assert!(!taken.iter().any(near) || high == 384, "{x} {y} of {taken:?} on {wide}");
                taken.push([x, y]);
            }
        }
        let full = [0, 40, 1_280, 854];
        assert_eq!(beside(full, &[[0, 40]], full), full, "there is no other place");
    }

    #[test]
    fn a_zoom_goes_by_steps_and_back() {
        assert_eq!([zoomed(100, Zoom::In), zoomed(100, Zoom::Out), zoomed(133, Zoom::Reset)], [110, 90, 100]);
        assert_eq!([zoomed(300, Zoom::In), zoomed(50, Zoom::Out), zoomed(125, Zoom::In)], [300, 50, 133]);
    }

    #[test]
    fn a_zoom_begins_where_the_window_stood_unless_its_owner_moved_it() {
        let (before, to) = ([800, 300, 740, 620], [30, 40, 740, 454]);
        assert_eq!(began(None, to, 2.0), [60, 80, 740, 454]);
        assert_eq!(began(Some((before, to)), to, 2.0), before);
        assert_eq!(began(Some((before, to)), [31, 40, 739, 454], 2.0), before);
        assert_eq!(began(Some((before, to)), [10, 40, 740, 454], 2.0), [20, 80, 740, 454]);
        assert_eq!(began(Some((before, to)), [30, 40, 600, 454], 2.0), [60, 80, 600, 454]);
    }

    #[test]
    fn a_kept_place_is_one_of_pixels() {
        assert_eq!(kept([440, 100, 300, 720], 1.2), [528, 120, 300, 720]);
    }
}
