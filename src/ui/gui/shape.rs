//! Round shapes. They are sent to the display as trapezoids of 40 bytes: about nine for a box with round corners, 32
//! for a disc and a hundred for an outline. So outlines are made of two shapes, one over the other, and shapes that are
//! needed again and again, such as discs and badges, are painted once and copied.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use fltk::draw::{self, Offscreen};
use fltk::enums::Color;

use super::canvas;

/// A shape that is painted often: everything that decides how it looks except its size.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Shape {
    /// A disc, with a dot in its corner.
    Disc(Color, Option<Dot>),
    /// A box with semicircular ends.
    Badge(Color),
}

/// A dot in the corner of a disc: its colour, and what is in it, by which it is told from others without colours.
pub type Dot = (Color, Mark);

/// What is in a dot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Mark {
    /// Nothing: it is filled.
    None,
    /// A hole, so that it is a ring.
    Hole,
    /// A bar from left to right.
    Bar,
}

/// The most painted shapes that are kept: more than two themes need at one zoom.
const KEPT: usize = 512;

/// A shape, its size, the background, and the bits of the scale.
type Stamp = (Shape, [i32; 2], Color, u32);

thread_local! {
    static STAMPS: RefCell<HashMap<Stamp, Rc<Offscreen>>> = RefCell::default();
}

/// Forgets all painted shapes, so that they are painted anew.
pub fn forget_all() {
    STAMPS.take();
}

/// Shows a shape on a background of this colour, at x and y, with this width and height. `paint` paints it at the x and
/// y it is given: once for each look, and again if a part of it is clipped, since copying ignores clipping.
fn stamp(shape: Shape, [x, y, w, h]: [i32; 4], ground: Color, paint: impl Fn(i32, i32)) {
    let Some(scale) = canvas::scale().filter(|_| canvas::is_whole(x - 1, y - 1, w + 2, h + 2)) else {
        return paint(x, y);
    };
    let key = (shape, [w, h], ground, scale.to_bits());
    let known = STAMPS.with_borrow(|stamps| stamps.get(&key).cloned());
    // It includes a margin of background, as an edge between two pixels shades both.
    let (wide, high) = (w + 2, h + 2);
    let stamp = known.or_else(|| {
        let stamp = Rc::new(Offscreen::new(wide, high)?);
        stamp.begin();
        draw::draw_rect_fill(0, 0, wide, high, ground);
        paint(1, 1);
        stamp.end();
        STAMPS.with_borrow_mut(|stamps| {
            if stamps.len() >= KEPT {
                stamps.clear();
            }
            stamps.insert(key, Rc::clone(&stamp));
        });
        Some(stamp)
    });
    match stamp {
        Some(stamp) => stamp.copy(x - 1, y - 1, wide, high, 0, 0),
        None => paint(x, y),
    }
}

/// Draws a disc, with a dot in its corner if there is one.
pub fn disc(x: i32, y: i32, diameter: i32, colour: Color, dot: Option<Dot>, ground: Color) {
    // The edge of the dot reaches out of the disc's corner.
    let whole = diameter + 2;
    stamp(Shape::Disc(colour, dot), [x, y, whole, whole], ground, |x, y| {
        draw::set_draw_color(colour);
        draw::draw_pie(x, y, diameter, diameter, 0.0, 360.0);
        let Some((ink, mark)) = dot else { return };
        let dot = diameter / 4;
        let (left, top) = (x + diameter - dot, y + diameter - dot);
        draw::set_draw_color(ground);
        draw::draw_pie(left - 2, top - 2, dot + 4, dot + 4, 0.0, 360.0);
        draw::set_draw_color(ink);
        draw::draw_pie(left, top, dot, dot, 0.0, 360.0);
        draw::set_draw_color(ground);
        let thin = (dot / 4).max(2);
        match mark {
            Mark::None => {}
            Mark::Hole => draw::draw_pie(left + thin, top + thin, dot - 2 * thin, dot - 2 * thin, 0.0, 360.0),
            Mark::Bar => draw::draw_rectf(left + thin, top + (dot - thin) / 2, dot - 2 * thin, thin),
        }
    });
}

/// Draws the background of a short text: a box with semicircular ends.
pub fn badge(x: i32, y: i32, w: i32, h: i32, colour: Color, ground: Color) {
    stamp(Shape::Badge(colour), [x, y, w, h], ground, |x, y| filled(x, y, w, h, h / 2, colour));
}

/// Draws a box with round corners, completely; FLTK's own covers only half of the pixels at its edges.
pub fn filled(x: i32, y: i32, w: i32, h: i32, radius: i32, colour: Color) {
    // From the corner's side: one minus the cosines of 0, 22.5, 45, 67.5 and 90 degrees.
    const ARC: [f64; 5] = [0.0, 0.076_12, 0.292_89, 0.617_32, 1.0];
    let r = f64::from(radius.min(w / 2).min(h / 2).max(0));
    // FLTK counts from the middle of a pixel.
    let (left, top) = (f64::from(x) - 0.5, f64::from(y) - 0.5);
    let (right, bottom) = (left + f64::from(w), top + f64::from(h));
    let arc = || ARC.into_iter().zip(ARC.into_iter().rev()).map(|(a, b)| (a * r, b * r));
    draw::set_draw_color(colour);
    draw::begin_polygon();
    arc().for_each(|(a, b)| draw::vertex(left + a, top + b));
    arc().for_each(|(a, b)| draw::vertex(right - b, top + a));
    arc().for_each(|(a, b)| draw::vertex(right - a, bottom - b));
    arc().for_each(|(a, b)| draw::vertex(left + b, bottom - a));
    draw::end_polygon();
}

/// Draws a box with round corners and a line of this thickness around it.
pub fn lined(x: i32, y: i32, w: i32, h: i32, radius: i32, thick: i32, [line, ground]: [Color; 2]) {
    filled(x, y, w, h, radius, line);
    filled(x + thick, y + thick, w - 2 * thick, h - 2 * thick, radius - thick, ground);
}
