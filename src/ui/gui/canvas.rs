//! What was painted last. FLTK draws a window anew, all of it, whenever anything in it has changed. So what is large
//! paints into a picture of its own and copies that: what is there is moved, and only what has changed is painted.

use std::cell::Cell;
use std::rc::Rc;

use fltk::app;
use fltk::draw::{self, Offscreen};
use fltk::prelude::*;

use super::bar::{self, Bar};
use super::theme::{self, Theme, theme};

/// A piece of a picture, from the left to the right edge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Painted<L> {
    /// Everything that decides how it looks.
    pub look: L,
    pub y: i32,
    pub height: i32,
    /// What can be pressed in it, from its top.
    pub link: Option<[i32; 4]>,
}

thread_local! {
    /// The scale of the picture that is painted now.
    static PAINTED: Cell<Option<f32>> = const { Cell::new(None) };
    static GENERATION: Cell<u64> = const { Cell::new(0) };
}

/// Nothing that was painted is of use any more, in any window. For tests: what is painted piece by piece looks as if
/// all of it had been painted at once.
pub fn forget_all() {
    GENERATION.set(GENERATION.get() + 1);
    super::shape::forget_all();
}

/// The scale of the picture that is painted now, if one is.
pub fn scale() -> Option<f32> {
    PAINTED.get()
}

/// A picture that is painted into, at the scale of its screen.
#[derive(Clone)]
pub struct Picture {
    pixels: Rc<Offscreen>,
    scale: f32,
}

impl Picture {
    /// What is drawn from now on is drawn into it.
    pub fn begin(&self) {
        self.pixels.begin();
        PAINTED.set(Some(self.scale));
    }

    /// No more.
    pub fn end(&self) {
        PAINTED.set(None);
        self.pixels.end();
    }

    /// Copies a part of it, from its `left` and `top` on.
    pub fn copy(&self, x: i32, y: i32, w: i32, h: i32, left: i32, top: i32) {
        self.pixels.copy(x, y, w, h, left, top);
    }
}

/// Whether nothing of a place is clipped. A copied picture knows no clip.
pub fn is_whole(x: i32, y: i32, w: i32, h: i32) -> bool {
    draw::not_clipped(x, y, 1, 1) && draw::not_clipped(x + w - 1, y + h - 1, 1, 1)
}

/// What all rows depend on.
#[derive(Debug, Clone, PartialEq)]
struct Ground {
    size: [i32; 2],
    scale: f32,
    theme: Theme,
    locale: String,
    generation: u64,
}

/// The picture, and what is in it.
pub struct Canvas<L> {
    picture: Option<Picture>,
    ground: Option<Ground>,
    pub rows: Vec<Painted<L>>,
    /// The scroll bar in the picture, and whether it is held.
    bar: Option<(Bar, bool)>,
}

impl<L> Default for Canvas<L> {
    fn default() -> Self {
        Self { picture: None, ground: None, rows: Vec::new(), bar: None }
    }
}

/// A view that is being shown, from [`Canvas::begin`] to [`Canvas::end`].
pub struct PaintPass {
    picture: Option<Picture>,
    /// Where the view begins, for what is painted now.
    pub left: i32,
    pub top: i32,
    /// What was there has moved down by this.
    pub shift: i32,
    /// What is to be painted.
    pub bands: Vec<[i32; 2]>,
    /// Nothing of what was painted before is there.
    pub is_new: bool,
}

/// What to do to a picture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// What is there moves down by this, up where it is negative.
    pub shift: i32,
    /// What is painted then: from and to, from the top on.
    pub bands: Vec<[i32; 2]>,
}

impl<L> Canvas<L> {
    /// Everything is to be painted anew.
    pub fn forget(&mut self) {
        self.ground = None;
    }

    /// The picture for a view of this size, and whether what is in it is of use.
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

    /// Whether `shift` moves by whole pixels: else it would blur what it moves.
    fn is_sharp(&self, shift: i32) -> bool {
        let scale = self.ground.as_ref().map_or(1.0, |ground| ground.scale);
        (shift as f32 * scale).fract() == 0.0
    }
}

impl<L: PartialEq> Canvas<L> {
    /// Begins to show rows in a view of this place, on a screen of that number: what is painted until [`Canvas::end`] stands
    /// in it. What is there has moved by then, so wide from the left edge on, unless all is wanted `anew`.
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
        // Without a picture of its own it is painted where it is to be.
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

    /// Paints the scroll bar, or clears its place, at the right edge of a view so large, where it is another one than before.
    pub fn bar(&mut self, begun: &PaintPass, [w, h]: [i32; 2], bar: Option<(Bar, bool)>) {
        if begun.is_new || self.bar != bar {
            draw::draw_rect_fill(begun.left + w - bar::WIDTH, begun.top, bar::WIDTH, h, theme::palette().bg);
            if let Some((bar, held)) = bar {
                bar.draw([begun.left, begun.top, w], held);
            }
        }
        self.bar = bar;
    }

    /// Shows what was painted, which is `rows` now.
    pub fn end(&mut self, begun: &PaintPass, [x, y, w, h]: [i32; 4], rows: Vec<Painted<L>>) {
        if let Some(picture) = &begun.picture {
            picture.end();
            picture.copy(x, y, w, h, 0, 0);
        }
        self.rows = rows;
    }

    /// Shows a widget that looks like this; it is painted, at the x and y that are given for it, only when it looks
    /// otherwise than before, or where a part of it is clipped.
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

/// How a picture of `old` becomes one of `new`, in a view so high.
fn plan<L: PartialEq>(old: &[Painted<L>], new: &[Painted<L>], h: i32) -> Plan {
    let before = |row: &Painted<L>| {
        let same = |other: &&Painted<L>| other.height == row.height && other.look == row.look;
        old.iter().find(same).map(|other| row.y - other.y)
    };
    let shift = new.iter().rev().find_map(before).unwrap_or(h);
    if shift.abs() >= h {
        return Plan { shift: 0, bands: vec![[0, h]] };
    }
    // Of what has moved into the view nothing was painted.
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

/// What was known of a piece when it was painted.
pub fn link_of<L: PartialEq>(old: &[Painted<L>], look: &L) -> Option<[i32; 4]> {
    old.iter().find(|other| other.look == *look).and_then(|other| other.link)
}

/// Bands in order, those that touch as one.
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
