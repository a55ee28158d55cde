//! Where windows stand, and how large they are: the one place that decides both, for every window, from what the
//! screen has room for. All in FLTK's units, which a zoom makes larger, but for places that are kept: those are
//! a screen's pixels, and stay where they are when the zoom changes.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::ops::{Deref, DerefMut};
use std::rc::{Rc, Weak};

use fltk::app;
use fltk::enums::{Event, Key, Shortcut};
use fltk::image::{RgbImage, SvgImage};
use fltk::prelude::*;
use fltk::window::Window;

/// What a window manager adds above a window, at most.
const TITLE: i32 = 40;
/// And below it.
const BELOW: i32 = 6;
/// From one window to the next that would stand over it.
const STEP: i32 = 28;
/// Zooms, in percent of what the desktop asks for.
const ZOOMS: [u16; 13] = [50, 67, 80, 90, 100, 110, 120, 133, 150, 170, 200, 240, 300];

/// A change of the zoom.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Zoom {
    /// Everything larger.
    In,
    /// Everything smaller.
    Out,
    /// As the desktop asks for.
    Reset,
}

/// What is known of a window that FLTK does not keep.
struct Standing {
    window: Window,
    /// Gone with the window.
    life: Rc<()>,
    /// The size it has where there is room.
    wanted: [i32; 2],
    /// It is made smaller by nobody.
    least: [i32; 2],
    /// Its owner decides how large it is.
    free: bool,
    /// Where it stood before zooms moved it, as places are kept, and where the last of them put it, in units.
    moved: Option<Moved>,
}

type Moved = ([i32; 4], [i32; 4]);

thread_local! {
    /// What a zoom is asked of.
    static ZOOMER: Cell<fn(Zoom)> = const { Cell::new(|change| drop(zoom(change))) };
    static STANDING: RefCell<Vec<Standing>> = const { RefCell::new(Vec::new()) };
    /// How large each screen's desktop wants everything, and the name its zoom is kept under.
    static DESKTOP: RefCell<Vec<(f32, String)>> = const { RefCell::new(Vec::new()) };
    /// Drawn once; every window shares it.
    static ICON: Option<RgbImage> = {
        let drawing = SvgImage::from_data(include_str!("../../../assets/hongyan.svg")).ok();
        drawing.and_then(|mut svg| {
            svg.normalize();
            svg.to_rgb().ok()
        })
    };
}

/// Takes over the zoom from FLTK, whose own is forgotten at the end and leaves windows beyond the screen, and sets
/// what was kept for these screens. Before the first window.
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

/// What a zoom is kept under: the screen's size, and how large its desktop wants everything. Asked before any zoom,
/// as FLTK tells a size in whole units alone.
fn name_of(screen: i32) -> String {
    let (_, _, w, h) = app::screen_xywh(screen);
    let scale = app::screen_scale(screen);
    let pixels = |units: i32| (units as f32 * scale).round() as i32;
    format!("{}x{} {}%", pixels(w), pixels(h), (scale * 100.0).round() as i32)
}

/// Has a zoom asked of somebody who keeps it as well.
pub fn on_zoom(zoomer: fn(Zoom)) {
    ZOOMER.set(zoomer);
}

/// Zooms at the next turn if the event asks for it. Every window does from its beginning, questions too; a handler of
/// its own takes the place of that, and asks here as well.
pub fn zooms(event: Event) -> bool {
    let Some(change) = asked().filter(|_| event == Event::KeyDown) else { return false };
    app::add_timeout3(0.0, move |_| ZOOMER.get()(change));
    true
}

/// The change that the key asks for: Ctrl with +, - or 0, on whichever key a keyboard has them.
#[must_use]
fn asked() -> Option<Zoom> {
    let state = app::event_state();
    if !state.contains(Shortcut::Ctrl) || state.intersects(Shortcut::Alt | Shortcut::Meta) {
        return None;
    }
    let (key, text) = (app::event_key(), app::event_text());
    // The keys of the number pad have the code of their character and more.
    let is = |c: char| key == Key::from_char(c) || key == Key::from_i32(0xff80 + c as i32) || text == c.to_string();
    if is('+') || is('=') {
        Some(Zoom::In)
    } else if is('-') {
        Some(Zoom::Out)
    } else {
        is('0').then_some(Zoom::Reset)
    }
}

/// Zooms the screen of the window that has the keys, and every window there; the name it is kept under, and how
/// much it is in percent. Waits in FLTK's loop, so no borrow may be held.
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

/// Draws everything of a screen at another scale: windows stay where they are, as far as there is room for them. How
/// large a maximised one is, and what it will be afterwards, the window manager knows.
pub fn scale(screen: i32, old: f32, new: f32) {
    // FLTK moves what would have its middle beyond the screen.
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

/// The place, as places are kept, that a zoom begins at: that of before the last one if the window still stands where
/// that put it, so that what there was no room for comes back; else where its owner has put it since.
fn began(moved: Option<Moved>, spot: [i32; 4], scale: f32) -> [i32; 4] {
    // Of what does not divide, a unit may be lost.
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

/// Whether a window is still there, for what comes later. FLTK's bindings cannot tell: what they call a tracker
/// never learns that its widget is gone.
#[derive(Debug, Clone)]
pub struct Life(Weak<()>);

impl Life {
    /// Of this window, which was made here.
    #[must_use]
    pub fn of(window: &Window) -> Self {
        Self(with(window, |one| Rc::downgrade(&one.life)).unwrap_or_default())
    }

    /// Whether the window is not closed yet.
    #[must_use]
    pub fn is_on(&self) -> bool {
        self.0.strong_count() > 0
    }
}

/// A window that is closed for good when whoever has it is dropped.
#[derive(Debug)]
pub struct Owned(Window);

impl Owned {
    /// Of this window, which was made here and nobody else closes.
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

/// Takes a window from the screen whose place another one takes; it is closed when it is dropped.
pub fn hide(window: &Window) {
    window.clone().hide();
}

/// Closes a window for good.
pub fn close(window: Window) {
    STANDING.with_borrow_mut(|all| all.retain(|one| one.window.as_widget_ptr() != window.as_widget_ptr()));
    Window::delete(window);
}

/// The windows on a screen, menus and tooltips left out.
fn shown_on(screen: i32) -> Vec<Window> {
    STANDING.with_borrow(|all| {
        let here = |one: &&Standing| one.window.shown() && one.window.screen_num() == screen;
        all.iter().filter(here).map(|one| one.window.clone()).collect()
    })
}

/// The screen where a new window belongs: that of the window with the keys, else where the pointer is.
fn here() -> i32 {
    match app::focus().and_then(|widget| widget.top_window()) {
        Some(window) => window.screen_num(),
        None => {
            let (x, y) = app::get_mouse();
            app::screen_num(x, y)
        }
    }
}

/// Where a window stands, to be kept: x and y in pixels, width and height in units.
pub fn position_of(window: &Window) -> [i32; 4] {
    kept(spot_of(window), app::screen_scale(window.screen_num()))
}

/// Where a window stands, in units.
pub fn spot_of(window: &Window) -> [i32; 4] {
    [window.x(), window.y(), window.w(), window.h()]
}

/// A place in units as it is kept.
pub fn kept([x, y, w, h]: [i32; 4], scale: f32) -> [i32; 4] {
    let pixels = |units: i32| (units as f32 * scale).round() as i32;
    [pixels(x), pixels(y), w, h]
}

/// A kept place in units, and its screen.
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

/// Where windows may stand on a screen, with their frames around them.
pub fn room(screen: i32) -> [i32; 4] {
    let (x, y, w, h) = app::screen_work_area(screen);
    room_in([x, y, w, h])
}

fn room_in([x, y, w, h]: [i32; 4]) -> [i32; 4] {
    [x, y + TITLE, w.max(1), (h - TITLE - BELOW).max(1)]
}

/// A place as near as there is room: all of the window is on the screen, its title too.
pub fn fit([x, y, w, h]: [i32; 4], [left, top, wide, high]: [i32; 4]) -> [i32; 4] {
    let (w, h) = (w.clamp(1, wide), h.clamp(1, high));
    [x.clamp(left, left + wide - w), y.clamp(top, top + high - h), w, h]
}

/// The same, and not over one of `taken`, whose corners stand there, as long as there is another place.
pub fn beside(wanted: [i32; 4], taken: &[[i32; 2]], room: [i32; 4]) -> [i32; 4] {
    let over = |[x, y, ..]: [i32; 4]| {
        taken.iter().any(|[other_x, other_y]| (x - other_x).abs() < STEP && (y - other_y).abs() < STEP)
    };
    let [x, y, w, h] = wanted;
    // Down to the right as long as that goes, then wherever there is room.
    let ways = [(1, 1), (-1, 1), (0, 1), (1, 0), (-1, 0), (1, -1), (0, -1), (-1, -1)];
    let steps = (0..64).map(|n| n * STEP);
    let ends = |[x, y, w, h]: [i32; 4]| x + w > room[0] + room[2] || y + h > room[1] + room[3];
    let first = steps.clone().map(|by| [x + by, y + by, w, h]).take_while(|place| !ends(*place));
    let others =
        ways.into_iter().flat_map(|(right, down)| steps.clone().map(move |by| [x + right * by, y + down * by, w, h]));
    let mut places = first.chain(others).map(|place| fit(place, room));
    places.find(|place| !over(*place)).unwrap_or_else(|| fit(wanted, room))
}

/// A window at a kept place as far as that is on the screen, else in the middle and not over another one.
pub fn window(place: Option<[i32; 4]>, w: i32, h: i32) -> Window {
    let others: Vec<[i32; 2]> = match place {
        Some(_) => Vec::new(),
        None => (0..app::screen_count()).flat_map(shown_on).map(|window| [window.x(), window.y()]).collect(),
    };
    window_beside(place, [w, h], 0, &others)
}

/// The middle of a screen's room for a window of this size and what will open to its right, so wide.
pub fn middle([left, top, wide, high]: [i32; 4], [w, h]: [i32; 2], beside: i32) -> [i32; 4] {
    [left + (wide - w - beside).max(0) / 2, top + (high - h).max(0) / 2, w, h]
}

/// A window for a question, in the middle of the window with the keys as far as that is on the screen: it is asked there.
pub fn window_over(w: i32, h: i32) -> Window {
    let asking = app::focus().and_then(|widget| widget.top_window()).filter(|window| window.shown());
    let place = asking.map(|asking| {
        let [x, y, wide, high] = [asking.x(), asking.y(), asking.w(), asking.h()];
        kept([x + (wide - w) / 2, y + (high - h) / 2, w, h], app::screen_scale(asking.screen_num()))
    });
    window(place, w, h)
}

/// A window as by [`window`], with room to its right where it has no place yet, and with the corners of windows it must
/// not stand over, also at a kept place.
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

/// Lets its owner make a window as small as that, or larger.
pub fn least(window: &mut Window, w: i32, h: i32) {
    with(window, |one| (one.least, one.free) = ([w, h], true));
    limit(window);
}

/// A window wants to be so high now, and is where there is room.
pub fn wants(window: &mut Window, h: i32) {
    with(window, |one| one.wanted[1] = h);
    refit(window, spot_of(window));
}

/// No window manager may make it as large as there is no room for.
fn limit(window: &mut Window) {
    let Some(([w, h], true)) = with(window, |one| (one.least, one.free)) else { return };
    let [_, _, wide, high] = room(window.screen_num());
    window.size_range(w.min(wide), h.min(high), 0, 0);
}

/// As near to a place as there is room now.
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

/// Gives a window the program's picture.
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
        // As many as somebody may have open, on a screen where each is moved to be on it at all.
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
