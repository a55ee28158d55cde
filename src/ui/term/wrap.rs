//! Breaks the program's own sentences and tables between words, so that a narrow terminal does not break them inside a
//! word. Messages of people are left to the terminal, so that they can be copied as they were sent. Pure.

use unicode_linebreak::linebreaks;
use unicode_width::UnicodeWidthStr;

/// How many cells the further rows of a paragraph are indented.
const HANG: usize = 2;

/// Breaks the lines of a text to `columns` cells. A word that is wider than a row is left whole.
#[must_use]
pub fn wrap(text: &str, columns: usize) -> String {
    let mut out = String::with_capacity(text.len());
    for line in text.split_inclusive('\n') {
        let (body, end) = line.strip_suffix('\n').map_or((line, ""), |body| (body, "\n"));
        // This counts the bytes of colours too, which only costs a closer look.
        if body.width() <= columns {
            out.push_str(body)
        } else {
            wrap_line(body, columns, &mut out)
        }
        out.push_str(end);
    }
    out
}

fn wrap_line(line: &str, columns: usize, out: &mut String) {
    let (plain, colours) = without_colours(line);
    if plain.width() <= columns {
        return out.push_str(line);
    }
    let (hang, column) = hanging(&plain, columns);
    let mut colours = colours.into_iter().peekable();
    let (mut used, mut from) = (0, 0);
    let mut row = String::new();
    for (to, _) in linebreaks(&plain) {
        let piece = plain.get(from..to).unwrap_or_default();
        let begins =
            !row.trim_start().is_empty() && (used + piece.trim_end().width() > columns || column == Some(from));
        if begins {
            out.push_str(row.trim_end());
            out.push('\n');
            row = " ".repeat(hang);
            used = hang;
        }
        for (i, c) in piece.char_indices() {
            while let Some((_, colour)) = colours.next_if(|(at, _)| *at <= from + i) {
                row.push_str(colour);
            }
            row.push(c);
        }
        used += piece.width();
        from = to;
    }
    out.push_str(row.trim_end());
    out.extend(colours.map(|(_, colour)| colour));
}

/// Returns the text without colours, and the colours with the byte of the text before which each stands.
fn without_colours(line: &str) -> (String, Vec<(usize, &str)>) {
    let (mut plain, mut colours) = (String::with_capacity(line.len()), Vec::new());
    let mut rest = line;
    while let Some((before, after)) = rest.split_once("\x1b[") {
        plain.push_str(before);
        let end = after.find('m').map_or(after.len(), |m| m + 1);
        colours.push((plain.len(), rest.get(before.len()..before.len() + 2 + end).unwrap_or_default()));
        rest = after.get(end..).unwrap_or_default();
    }
    plain.push_str(rest);
    (plain, colours)
}

/// Returns how far further rows are indented: to the last column of a table, if that leaves two fifths of the row. Else
/// that column begins a row of its own, and its byte is returned too.
fn hanging(plain: &str, columns: usize) -> (usize, Option<usize>) {
    let indent = plain.len() - plain.trim_start().len();
    let second = plain.trim_start().find("  ").and_then(|gap| {
        let gap = plain.get(indent + gap..)?;
        Some(plain.len() - gap.trim_start().len()).filter(|at| *at < plain.len())
    });
    let below = (indent + HANG).min(columns / 2);
    match second {
        Some(at) => match plain.get(..at).map_or(0, UnicodeWidthStr::width) {
            width if width <= columns * 3 / 5 => (width, None),
            _ => (below, Some(at)),
        },
        None => (below, None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_broken_between_words() {
        let cases: &[(&str, usize, &[&str])] = &[
            ("short", 20, &["short"]),
            ("", 20, &[""]),
            (
                "Type login or register; help lists all commands.",
                40,
                &["Type login or register; help lists all", "  commands."],
            ),
            ("a\nb c", 3, &["a", "b c"]),
            ("one two three", 8, &["one two", "  three"]),
            // A table: below its last column, or in a row of its own.
            ("  quit    go offline and end", 20, &["  quit    go offline", "          and end"]),
            ("  register [ACCOUNT]     make one", 30, &["  register [ACCOUNT]", "    make one"]),
            // Chinese can be broken anywhere except before punctuation.
            ("请输入账号，再登录。", 12, &["请输入账号，", "  再登录。"]),
            ("请输入账号，再登录。", 11, &["请输入账", "  号，再登", "  录。"]),
            // A word that is too wide is left to the terminal.
            ("see averyveryverylongword now", 10, &["see", "  averyveryverylongword", "  now"]),
            // Colours take no room, and stay where they were.
            ("\x1b[2mone two\x1b[0m", 7, &["\x1b[2mone two\x1b[0m"]),
            ("\x1b[33mone two\x1b[0m \x1b[1mthree\x1b[0m", 8, &["\x1b[33mone two\x1b[0m", "  \x1b[1mthree\x1b[0m"]),
        ];
        for (text, columns, rows) in cases {
            assert_eq!(wrap(text, *columns).split('\n').collect::<Vec<_>>(), *rows, "{text:?} in {columns}");
        }
    }

    #[test]
    fn nothing_is_lost() {
        let text = "\x1b[2m  a b  c\x1b[0m 鸿雁 传书\x1b[31m\n\x1b[0m  x\x1b[";
        for columns in 0..30 {
            let kept = |text: &str| text.replace([' ', '\n'], "");
            assert_eq!(kept(&wrap(text, columns)), kept(text), "{columns}");
        }
    }
}
