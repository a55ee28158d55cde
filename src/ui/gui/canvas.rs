//! Pictures of what was painted last. FLTK redraws a whole window whenever anything in it has changed. So large views
//! paint into a picture of their own and copy that: what is there is moved, and only what has changed is painted.

use std::cell::Cell;
use std::rc::Rc;

use fltk::app;
use fltk::draw::{self, Offscreen};
use fltk::prelude::*;

use super::bar::{self, Bar};
use super::theme::{self, Theme, theme};

/// A piece of a picture, from its left to its right edge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Painted<L> {
    /// Everything that decides how the piece looks.
    pub look: L,
    pub y: i32,
    pub height: i32,
    /// The area in it that can be pressed, relative to its top.
    pub link: Option<[i32; 4]>,
}

thread_local! {
    /// The scale of the picture that is being painted.
    static PAINTED: Cell<Option<f32>> = const { Cell::new(None) };
    static GENERATION: Cell<u64> = const { Cell::new(0) };
}

/// Makes everything be painted anew in all windows. For tests, which check that what is painted piece by piece looks
/// the same as when painted at once.
pub fn forget_all() {
    GENERATION.set(GENERATION.get() + 1);
    super::shape::forget_all();
}

/// Returns the scale of the picture that is being painted, if there is one.
pub fn scale() -> Option<f32> {
    PAINTED.get()
}

/// A picture to paint into, at the scale of its screen.
#[derive(Clone)]
pub struct Picture {
    pixels: Rc<Offscreen>,
    scale: f32,
}

impl Picture {
    /// Directs what is drawn from now on into the picture.
    pub fn begin(&self) {
        self.pixels.begin();
        PAINTED.set(Some(self.scale));
    }

    /// Ends that.
    pub fn end(&self) {
        PAINTED.set(None);
        self.pixels.end();
    }

    /// Copies a part of the picture, from its `left` and `top` on.
    pub fn copy(&self, x: i32, y: i32, w: i32, h: i32, left: i32, top: i32) {
        self.pixels.copy(x, y, w, h, left, top);
    }
}

/// Returns whether an area is not clipped at all. Copying a picture ignores clipping.
pub fn is_whole(x: i32, y: i32, w: i32, h: i32) -> bool {
    draw::not_clipped(x, y, 1, 1) && draw::not_clipped(x + w - 1, y + h - 1, 1, 1)
}

/// What the look of all rows depends on.
#[derive(Debug, Clone, PartialEq)]
struct Ground {
    size: [i32; 2],
    scale: f32,
    theme: Theme,
    locale: String,
    generation: u64,
}

/// A picture of a view, and what is in it.
pub struct Canvas<L> {
    picture: Option<Picture>,
    ground: Option<Ground>,
    pub rows: Vec<Painted<L>>,
    /// The scroll bar in the picture, and whether it is being dragged.
    bar: Option<(Bar, bool)>,
}

impl<L> Default for Canvas<L> {
    fn default() -> Self {
        Self { picture: None, ground: None, rows: Vec::new(), bar: None }
    }
}

/// The painting of a view, from [`Canvas::begin`] to [`Canvas::end`].
pub struct PaintPass {
    picture: Option<Picture>,
    /// The view's left and top, in what is painted now.
    pub left: i32,
    pub top: i32,
    /// How far what was there has moved down.
    pub shift: i32,
    /// The bands that are to be painted, as top and bottom.
    pub bands: Vec<[i32; 2]>,
    /// Whether nothing of what was painted before is left.
    pub is_new: bool,
}

/// What is to be done with a picture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// How far what is there moves down; upwards if negative.
    pub shift: i32,
    /// The bands that are painted then, as top and bottom, in order.
    pub bands: Vec<[i32; 2]>,
}

impl<L> Canvas<L> {
    /// Makes everything be painted anew.
    pub fn forget(&mut self) {
        self.ground = None;
    }

    /// Returns the picture for a view of this size, and whether its content is of use.
    fn picture(&mut self, w: i32, h: i32, screen: i32) -> (Option<Picture>, bool) {
        let locale = rust_i18n::locale().to_string();
        let (scale, generation) = (app::screen_scale(screen), GENERATION.get());
        let ground = Ground { size: [w, h], scale, theme: theme(), locale, generation };
        let old = self.ground.as_ref();
        let fits = old.is_some_and(|old| old.size == ground.size && old.scale == ground.scale);
        let known = old == Some(&ground) && self.picture.is_some();
        if !fits || self.picture.is_none() {
            let scale = ground.scale;
            self.picture = Offscreen::new(w.max(1), h.max(1)).map(|pixels| Picture { pixels: Rc::new(pixels), scale });
        }
        self.ground = Some(ground);
        if !known {
            self.rows.clear();
        }
        (self.picture.clone(), known)
    }

    /// Returns whether `shift` moves by whole pixels; else moving would blur.
    fn is_sharp(&self, shift: i32) -> bool {
        let scale = self.ground.as_ref().map_or(1.0, |ground| ground.scale);
        (shift as f32 * scale).fract() == 0.0
    }
}

impl<L: PartialEq> Canvas<L> {
    /// Begins to show rows in a view at this place, on the screen of this number: what is painted until [`Canvas::end`]
    /// goes there. What was there has been moved, this wide from the left edge, unless everything is wanted `anew`.
    pub fn begin(
        &mut self,
        [x, y, w, h]: [i32; 4],
        screen: i32,
        moves: i32,
        rows: &[Painted<L>],
        anew: bool,
    ) -> PaintPass {
        let (picture, known) = self.picture(w, h, screen);
        let is_new = !known || picture.is_none();
        let Plan { mut shift, mut bands } = plan(if known { &self.rows } else { &[] }, rows, h);
        // What would be blurred is not moved.
        if anew || is_new || !self.is_sharp(shift) {
            (shift, bands) = (0, vec![[0, h]]);
        }
        // Without a picture, everything is painted where it is to be.
        let (left, top) = if picture.is_some() { (0, 0) } else { (x, y) };
        if let Some(picture) = &picture {
            picture.begin();
            if shift != 0 {
                let (to, from) = (shift.max(0), (-shift).max(0));
                picture.copy(0, to, moves, h - shift.abs(), 0, from);
            }
        }
        PaintPass { picture, left, top, shift, bands, is_new }
    }

    /// Paints the scroll bar at the right edge of a view of this size, or clears its place, if it has changed.
    pub fn bar(&mut self, begun: &PaintPass, [w, h]: [i32; 2], bar: Option<(Bar, bool)>) {
        if begun.is_new || self.bar != bar {
            draw::draw_rect_fill(begun.left + w - bar::WIDTH, begun.top, bar::WIDTH, h, theme::palette().bg);
            if let Some((bar, held)) = bar {
                bar.draw([begun.left, begun.top, w], held);
            }
        }
        self.bar = bar;
    }

    /// Shows what was painted, whose content is now `rows`.
    pub fn end(&mut self, begun: &PaintPass, [x, y, w, h]: [i32; 4], rows: Vec<Painted<L>>) {
        if let Some(picture) = &begun.picture {
            picture.end();
            picture.copy(x, y, w, h, 0, 0);
        }
        self.rows = rows;
    }

    /// Shows a widget that looks like this. It is painted at the x and y given to `paint`, but only if its look has
    /// changed or a part of it is clipped.
    pub fn show(&mut self, widget: &impl WidgetExt, look: L, paint: impl FnOnce(i32, i32)) {
        let (x, y, w, h) = (widget.x(), widget.y(), widget.w(), widget.h());
        if !is_whole(x, y, w, h) {
            return paint(x, y);
        }
        let screen = widget.window().map_or(0, |window| window.screen_num());
        let (picture, known) = self.picture(w, h, screen);
        let Some(picture) = picture else { return paint(x, y) };
        if !known || self.rows.first().is_none_or(|old| old.look != look) {
            picture.begin();
            paint(0, 0);
            picture.end();
            self.rows = vec![Painted { look, y: 0, height: h, link: None }];
        }
        picture.copy(x, y, w, h, 0, 0);
    }
}

/// Returns how a picture of `old` becomes one of `new`, in a view of height `h`.
fn plan<L: PartialEq>(old: &[Painted<L>], new: &[Painted<L>], h: i32) -> Plan {
    let before = |row: &Painted<L>| {
        let same = |other: &&Painted<L>| other.height == row.height && other.look == row.look;
        old.iter().find(same).map(|other| row.y - other.y)
    };
    let shift = new.iter().rev().find_map(before).unwrap_or(h);
    if shift.abs() >= h {
        return Plan { shift: 0, bands: vec![[0, h]] };
    }
    // Nothing has been painted of what has moved into the view.
    let (top, bottom) = (shift.max(0), h + shift.min(0));
    let kept = new.iter().filter(|row| before(row) == Some(shift));
    let kept = kept.map(|row| [row.y.max(top), (row.y + row.height).min(bottom)]);
    let mut bands = Vec::new();
    let mut at = 0;
    for [from, to] in kept.filter(|[from, to]| from < to) {
        if from > at {
            bands.push([at, from]);
        }
        at = to;
    }
    if at < h {
        bands.push([at, h]);
    }
    Plan { shift, bands }
}

/// Returns the pressable area that a piece had when it was painted.
pub fn link_of<L: PartialEq>(old: &[Painted<L>], look: &L) -> Option<[i32; 4]> {
    old.iter().find(|other| other.look == *look).and_then(|other| other.link)
}

/// Sorts bands, and joins those that touch.
pub fn joined(mut bands: Vec<[i32; 2]>) -> Vec<[i32; 2]> {
    bands.sort_unstable();
    let mut all: Vec<[i32; 2]> = Vec::new();
    for [from, to] in bands {
        match all.last_mut().filter(|last| last[1] >= from) {
            Some(last) => last[1] = last[1].max(to),
            None => all.push([from, to]),
        }
    }
    all
}

#[cfg(test)]
mod tests;
