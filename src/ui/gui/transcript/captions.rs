//! What is shown around the bubbles: days, times, how far a message has come, and whether the server may have earlier
//! messages.

use chrono::{DateTime, Datelike, Local, TimeZone};
use fltk::draw;
use fltk::enums::{Color, Font};
use rust_i18n::t;

use crate::base::model::{MessageText, SendState};
use crate::client::history::Row;
use crate::ui::gui::theme;

/// The distance between bubbles and a view's edges.
pub const MARGIN: i32 = 16;
/// The height of the line with a day, or of the line "new messages".
pub const DAY: i32 = 34;
/// The height of the time below a run of messages.
pub const FOOT: i32 = 20;
/// The height of what is shown above the first message.
pub const HEAD: i32 = 34;

/// Whether the server has messages from before the first one here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Earlier {
    /// The server keeps none, or that is unknown.
    #[default]
    No,
    /// The server may have some, and can be asked.
    Offered,
    /// The server was asked.
    Asked,
    /// The server has none, so this is where the conversation began.
    NoneLeft,
}

/// Draws that above the first message; returns where it can be pressed.
pub fn earlier(earlier: Earlier, x: i32, y: i32, w: i32) -> Option<[i32; 4]> {
    let colours = theme::palette();
    let (text, ink) = match earlier {
        Earlier::No => return None,
        Earlier::Offered => (t!("chat.earlier"), colours.accent),
        Earlier::Asked => (t!("chat.earlier_asked"), colours.dim),
        Earlier::NoneLeft => (t!("chat.earlier_none"), colours.dim),
    };
    draw::set_font(Font::Helvetica, theme::SMALL);
    let wide = draw::width(&text).ceil() as i32;
    let left = x + (w - wide) / 2;
    draw::set_draw_color(ink);
    draw::draw_text(&text, left, y + HEAD / 2 + 4);
    (earlier == Earlier::Offered).then_some([left - 8, y, wide + 16, HEAD])
}

/// Draws a text in the middle, between two rules if there is a colour for them.
pub fn centred_line(text: &str, x: i32, y: i32, w: i32, ink: Color, rule: Option<Color>) {
    draw::set_font(Font::Helvetica, theme::TINY);
    let width = draw::width(text).ceil() as i32;
    let left = x + (w - width) / 2;
    if let Some(rule) = rule {
        draw::set_draw_color(rule);
        draw::draw_xyline(x + MARGIN, y + DAY / 2, left - 10);
        draw::draw_xyline(left + width + 10, y + DAY / 2, x + w - MARGIN);
    }
    draw::set_draw_color(ink);
    draw::draw_text(text, left, y + DAY / 2 + 4);
}

/// Returns whether a server of that kind may have cut a sent message at a `#`.
pub fn may_be_cut(row: &Row, foreign: bool) -> bool {
    row.state.is_some() && MessageText::may_be_cut(&row.text, foreign)
}

/// Draws the time below a run and how far a sent message has come; returns where "resend" was drawn.
pub fn foot(row: &Row, foreign: bool, x: i32, y: i32, w: i32) -> Option<[i32; 4]> {
    let colours = theme::palette();
    draw::set_font(Font::Helvetica, theme::TINY);
    let baseline = y + 14;
    let Some(state) = row.state else {
        draw::set_draw_color(colours.dim);
        let mut time = time(row);
        if row.repeat {
            time = format!("{time} · {}", t!("chat.repeat"));
        }
        draw::draw_text(&time, x + MARGIN, baseline);
        return None;
    };
    let word = state.word();
    let ink = match state {
        SendState::Waiting | SendState::Sending | SendState::Sent | SendState::Kept | SendState::Delivered => {
            colours.dim
        }
        SendState::OfflineOrUnknown
        | SendState::Unknown
        | SendState::MadeAnew
        | SendState::MaybeSentTwice
        | SendState::MaybeSent
        | SendState::NoAnswer => colours.warn,
        SendState::Failed => colours.error,
    };
    let mut text = format!("{} · {word}", time(row));
    let cut = may_be_cut(row, foreign).then(|| t!("chat.maybe_cut"));
    if let Some(cut) = &cut {
        text = format!("{text} · {cut}");
    }
    let link = if state.can_resend() { format!("  ↻ {}", t!("chat.resend")) } else { String::new() };
    let room = f64::from(w - 2 * MARGIN);
    if draw::width(&text) + draw::width(&link) > room {
        // The time can be seen elsewhere, but a possible loss cannot.
        text = cut.map_or_else(|| word.clone().into_owned(), |cut| format!("{word} · {cut}"));
    }
    let (wide, link_wide) = (draw::width(&text).ceil() as i32, draw::width(&link).ceil() as i32);
    draw::set_draw_color(ink);
    draw::draw_text(&text, x + w - MARGIN - link_wide - wide, baseline);
    if link.is_empty() {
        return None;
    }
    draw::set_draw_color(colours.accent);
    draw::draw_text(&link, x + w - MARGIN - link_wide, baseline);
    Some([x + w - MARGIN - link_wide, y, link_wide, FOOT])
}

/// Returns hours and minutes; of a time whose zone is unknown, also that it is the server's.
fn time(row: &Row) -> String {
    let time = row.written("%H:%M");
    row.clock_mark().map_or_else(|| time.clone(), |mark| format!("{time} · {mark}"))
}

/// Returns a day as it is shown above its first message.
pub fn day(unix_ms: i64) -> String {
    let Some(day): Option<DateTime<Local>> = Local.timestamp_millis_opt(unix_ms).earliest() else {
        return String::new();
    };
    let weekday = t!(format!("chat.weekday_{}", day.weekday().num_days_from_monday()));
    t!("chat.day", year = day.year(), month = day.month(), name = day.format("%B"), day = day.day(), weekday = weekday)
        .into_owned()
}

#[cfg(test)]
mod tests;
