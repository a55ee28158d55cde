//! Where windows stand, and how large they are.

use fltk::app;
use fltk::image::{RgbImage, SvgImage};
use fltk::prelude::*;
use fltk::window::Window;

/// What a window manager adds above a window, at most.
const TITLE: i32 = 40;

/// Where a window stands: x, y, width, height.
pub fn place_of(window: &Window) -> [i32; 4] {
    [window.x(), window.y(), window.w(), window.h()]
}

/// A window at its place of last time, as far as that is on the screen, else in the middle.
pub fn window(place: Option<[i32; 4]>, w: i32, h: i32) -> Window {
    let Some([x, y, w, h]) = place else {
        // Its title too has to fit on a small screen.
        let (_, _, wide, high) = app::screen_work_area(app::screen_num(0, 0));
        let (w, h) = (w.min(wide), h.min((high - TITLE).max(320)));
        return iconed(Window::new(0, 0, w, h, None).center_screen());
    };
    let (left, top, wide, high) = app::screen_work_area(app::screen_num(x + w / 2, y + h / 2));
    let (w, h) = (w.clamp(120, wide.max(120)), h.clamp(120, high.max(120)));
    let x = x.clamp(left, (left + wide - w).max(left));
    let y = y.clamp(top, (top + high - h).max(top));
    let mut window = Window::new(x, y, w, h, None);
    window.force_position(true);
    iconed(window)
}

thread_local! {
    /// Drawn once; every window shares it.
    static ICON: Option<RgbImage> = {
        let drawing = SvgImage::from_data(include_str!("../../assets/hongyan.svg")).ok();
        drawing.and_then(|mut svg| {
            svg.normalize();
            svg.to_rgb().ok()
        })
    };
}

/// Gives a window the program's picture.
pub(super) fn iconed(mut window: Window) -> Window {
    window.set_icon(ICON.with(Clone::clone));
    window
}
