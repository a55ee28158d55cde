//! Colours, measures and the font: the one place that decides how windows look.

use std::sync::atomic::{AtomicBool, Ordering};

use fltk::app;
use fltk::enums::{Color, Font};
use fltk::misc::Tooltip;

/// The size of body text, in pixels.
pub const BODY: i32 = 14;
/// The size of hints, times and labels of fields.
pub const SMALL: i32 = 12;
/// The size of section headings and badges.
pub const TINY: i32 = 11;
/// The height of fields and buttons.
pub const CONTROL: i32 = 36;
/// The corner radius of fields and buttons.
pub const RADIUS: i32 = 6;
/// The height of a friend's row.
pub const ROW: i32 = 56;
/// The diameter of the disc in a friend's row.
pub const DISC: i32 = 40;
/// The distance between the entries of a menu.
pub const MENU_GAP: i32 = 12;
/// The width of the focus ring.
pub const RING: i32 = 2;

/// A colour theme.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Theme {
    /// Dark text on a light background.
    Light,
    /// Light text on a dark background.
    Dark,
}

/// The colours of a theme, named by what they are for.
#[derive(Debug)]
#[allow(missing_docs, reason = "the names say it")]
pub struct Palette {
    pub bg: Color,
    pub surface: Color,
    pub hover: Color,
    pub selected: Color,
    pub line: Color,
    pub text: Color,
    pub dim: Color,
    pub accent: Color,
    pub on_accent: Color,
    pub own_bubble: Color,
    pub own_text: Color,
    pub other_bubble: Color,
    pub ok: Color,
    pub warn: Color,
    pub error: Color,
    pub online: Color,
    pub away: Color,
    pub busy: Color,
    pub offline: Color,
}

static LIGHT: Palette = Palette {
    bg: Color::from_hex(0xF3F5F8),
    surface: Color::from_hex(0xFFFFFF),
    hover: Color::from_hex(0xEAF0F7),
    selected: Color::from_hex(0xDCEBFB),
    line: Color::from_hex(0xDDE3EA),
    text: Color::from_hex(0x1B2430),
    dim: Color::from_hex(0x5B6775),
    accent: Color::from_hex(0x1476D4),
    on_accent: Color::from_hex(0xFFFFFF),
    own_bubble: Color::from_hex(0xD6EBFF),
    own_text: Color::from_hex(0x0E2A47),
    other_bubble: Color::from_hex(0xFFFFFF),
    ok: Color::from_hex(0x1E8E4E),
    warn: Color::from_hex(0x8F5B00),
    error: Color::from_hex(0xC5303A),
    online: Color::from_hex(0x27AE60),
    away: Color::from_hex(0xE2A03F),
    busy: Color::from_hex(0xD64550),
    offline: Color::from_hex(0xA9B3BF),
};

static DARK: Palette = Palette {
    bg: Color::from_hex(0x171B21),
    surface: Color::from_hex(0x1F252D),
    hover: Color::from_hex(0x29313B),
    selected: Color::from_hex(0x24405E),
    line: Color::from_hex(0x303944),
    text: Color::from_hex(0xE6EBF1),
    dim: Color::from_hex(0xA3AFBD),
    accent: Color::from_hex(0x5AAEF5),
    on_accent: Color::from_hex(0x0B1B2B),
    own_bubble: Color::from_hex(0x1F4E79),
    own_text: Color::from_hex(0xEAF4FF),
    other_bubble: Color::from_hex(0x29313B),
    ok: Color::from_hex(0x5CC98A),
    warn: Color::from_hex(0xE8B45A),
    error: Color::from_hex(0xF0777F),
    online: Color::from_hex(0x27AE60),
    away: Color::from_hex(0xE2A03F),
    busy: Color::from_hex(0xD64550),
    offline: Color::from_hex(0xA9B3BF),
};

static IS_DARK: AtomicBool = AtomicBool::new(false);

/// Returns the theme in use.
pub fn theme() -> Theme {
    if IS_DARK.load(Ordering::Relaxed) { Theme::Dark } else { Theme::Light }
}

/// Returns the colours in use. Drawing functions ask each time, so a change of theme only needs a redraw.
pub fn palette() -> &'static Palette {
    match theme() {
        Theme::Light => &LIGHT,
        Theme::Dark => &DARK,
    }
}

/// Changes the theme; the caller redraws its windows.
pub fn set(theme: Theme) {
    IS_DARK.store(theme == Theme::Dark, Ordering::Relaxed);
    let colours = palette();
    let rgb = |colour: Color| colour.to_rgb();
    let (r, g, b) = rgb(colours.bg);
    app::background(r, g, b);
    let (r, g, b) = rgb(colours.surface);
    app::background2(r, g, b);
    let (r, g, b) = rgb(colours.text);
    app::foreground(r, g, b);
    Tooltip::set_color(colours.surface);
    Tooltip::set_text_color(colours.text);
    Tooltip::set_font_size(SMALL);
    Tooltip::set_margin_width(8);
    Tooltip::set_margin_height(5);
}

/// Chooses the font. Called before any widget is made or text measured.
pub fn set_up_font() {
    // FLTK's own choice cuts off the descenders of Chinese text.
    if cfg!(target_os = "linux") {
        Font::set_font(Font::Helvetica, "Noto Sans CJK SC");
        Font::set_font(Font::Courier, "Noto Sans Mono CJK SC");
    }
    app::set_font_size(BODY);
    app::set_menu_linespacing(MENU_GAP);
}
