use super::super::line::Key;
use super::*;

/// Shows what a terminal with this number of columns displays after this output: enough of a terminal for these tests.
fn terminal(columns: usize, out: &str) -> (Vec<String>, (usize, usize)) {
    let mut cells: Vec<Vec<String>> = vec![Vec::new()];
    let (mut row, mut column) = (0_usize, 0_usize);
    let mut rest = out;
    while !rest.is_empty() {
        if let Some(sequence) = rest.strip_prefix("\x1b[") {
            let end = sequence.find(|c: char| c.is_ascii_alphabetic()).expect("complete");
            let n: usize = sequence[..end].parse().unwrap_or(0);
            match &sequence[end..=end] {
                "A" => row -= n,
                "C" => column += n,
                "J" => {
                    cells.truncate(row + 1);
                    cells[row].truncate(column);
                }
                "m" => {}
                other => panic!("{other}"),
            }
            rest = &sequence[end + 1..];
            continue;
        }
        let grapheme = match rest.chars().next() {
            Some('\r') => "\r",
            Some('\n') => "\n",
            _ => rest.graphemes(true).next().expect("not empty"),
        };
        rest = &rest[grapheme.len()..];
        match grapheme {
            "\r" => column = 0,
            "\n" => row += 1,
            g => {
                assert!(column + g.width() <= columns, "the terminal must never wrap by itself: {out:?}");
                cells[row].resize(column, " ".to_owned());
                cells[row].push(g.to_owned());
                cells[row].extend(std::iter::repeat_n(String::new(), g.width() - 1));
                column += g.width();
            }
        }
        if cells.len() <= row {
            cells.resize(row + 1, Vec::new());
        }
    }
    while cells.len() > row + 1 && cells.last().is_some_and(Vec::is_empty) {
        cells.pop();
    }
    (cells.iter().map(|row| row.concat()).collect(), (row, column))
}

fn prompt(text: &str) -> Prompt {
    Prompt { plain: text.into(), painted: format!("\x1b[1m{text}\x1b[0m") }
}

#[test]
fn what_comes_is_printed_above_the_line() {
    let (mut screen, mut line, mut out) = (Screen::new(10, 24), Line::default(), String::new());
    line.key(Key::Paste("你好吗我很好的一天".into()));
    line.key(Key::Left);
    screen.draw(&prompt("> "), &line, &mut out);
    assert_eq!(terminal(10, &out), (vec!["> 你好吗我".into(), "很好的一天".into()], (1, 8)));
    screen.print("a: hi\nb: ho\n", &mut out);
    screen.draw(&prompt("> "), &line, &mut out);
    let rows = ["a: hi", "b: ho", "> 你好吗我", "很好的一天"].map(str::to_owned).to_vec();
    assert_eq!(terminal(10, &out), (rows, (3, 8)));
    // At the edge the cursor stands at the beginning of the next row.
    line.key(Key::End);
    screen.draw(&prompt("> "), &line, &mut out);
    assert_eq!(terminal(10, &out).1, (4, 0));
    line.begin(true);
    line.key(Key::Paste("secret".into()));
    screen.draw(&prompt("> "), &line, &mut out);
    assert_eq!(terminal(10, &out), (vec!["a: hi".into(), "b: ho".into(), "> ".into()], (2, 2)));
}

#[test]
fn a_long_line_shows_its_part_around_the_cursor() {
    let (mut screen, mut line) = (Screen::new(20, 6), Line::default());
    line.key(Key::Paste("0123456789".repeat(1000)));
    let mut out = String::new();
    screen.draw(&prompt("> "), &line, &mut out);
    let (rows, cursor) = terminal(20, &out);
    assert_eq!((rows.len(), cursor), (5, (4, 2)));
    line.key(Key::Home);
    screen.draw(&prompt("> "), &line, &mut out);
    let (rows, cursor) = terminal(20, &out);
    assert_eq!((rows.len(), rows[0].as_str(), cursor), (5, "> 012345678901234567", (0, 2)));
}

#[test]
fn a_narrower_window_is_counted_as_it_reflows() {
    let (mut screen, mut line, mut out) = (Screen::new(20, 24), Line::default(), String::new());
    line.key(Key::Paste("0123456789012345".into()));
    screen.draw(&prompt("> "), &line, &mut out);
    screen.resize(10, 24);
    let mut out = String::new();
    screen.draw(&prompt("> "), &line, &mut out);
    assert!(out.starts_with("\r\x1b[1A\x1b[J"), "{out:?}");
}

#[test]
fn nothing_that_comes_commands_the_terminal() {
    assert_eq!(harmless("a\x1b]0;x\x07\u{9b}2J\u{202e}b\r\n"), "a·]0;x··2J·b·\n");
    assert_eq!(column("鸿雁", 6), "鸿雁  ");
    assert_eq!(column("鸿雁传书", 6), "鸿雁… ");
    assert_eq!(fit("abc", 3), "abc");
}
