//! Colours that are legible on their background.

use fltk::enums::Color;

use super::widgets::mix;

/// The lowest contrast of text in the windows.
const CONTRAST: f64 = 4.5;

/// Returns the colour, moved as far towards the text's colour as is needed to be legible on the background.
#[must_use]
pub fn legible(colour: Color, text: Color, ground: Color) -> Color {
    let nearer = (0..100).step_by(10).map(|percent| mix(colour, text, percent));
    nearer.into_iter().find(|ink| contrast(*ink, ground) >= CONTRAST).unwrap_or(text)
}

/// Returns the contrast from 1 to 21, as defined by the web's accessibility guidelines.
fn contrast(a: Color, b: Color) -> f64 {
    let (a, b) = (luminance(a), luminance(b));
    (a.max(b) + 0.05) / (a.min(b) + 0.05)
}

fn luminance(colour: Color) -> f64 {
    let (r, g, b) = colour.to_rgb();
    let linear = |part: u8| {
        let part = f64::from(part) / 255.0;
        if part <= 0.04045 { part / 12.92 } else { ((part + 0.055) / 1.055).powf(2.4) }
    };
    0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b)
}

#[cfg(test)]
mod tests {
    use super::super::widgets::DISCS;
    use super::*;

    #[test]
    fn every_writers_name_can_be_read_in_both_themes() {
        assert!((contrast(Color::from_hex(0), Color::from_hex(0xFF_FFFF)) - 21.0).abs() < 1e-9);
        for (ground, text) in
            [(0xF3_F5F8, 0x1B_2430), (0x17_1B21, 0xE6_EBF1)].map(|(g, t)| (Color::from_hex(g), Color::from_hex(t)))
        {
            for disc in DISCS {
                let ink = legible(Color::from_hex(disc), text, ground);
                assert!(contrast(ink, ground) >= CONTRAST && ink != text, "{disc:06x} on {ground:?}: {ink:?}");
            }
        }
        let readable = Color::from_hex(0x0080);
        assert_eq!(legible(readable, Color::from_hex(0), Color::from_hex(0xFF_FFFF)), readable, "left as it is");
    }
}
