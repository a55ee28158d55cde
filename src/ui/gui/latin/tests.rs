use super::*;

const US: &str = "qwertyuiop[] asdfghjkl;'` \\zxcvbnm,./";
const FR: &str = "azertyuiop^$ qsdfghjklmù² *wxcvbn,;:!";
const DE: &str = "qwertzuiopü+ asdfghjklöä^ #yxcvbnm,.-";
// Keysyms of these alphabets are not code points, which does not matter here.
const RU: &str = "йцукенгшщзхъ фывапролджэё \\ячсмитьбю.";
const GR: &str = ";ςερτυθιοπ[] ασδφγηξκλ΄'` \\ζχψωβνμ,./";
const IL: &str = "/'קראטוןםפ][ שדגכעיחלךף,; \\זסבהנמצתץ.";
const ARA: &str = "ضصثقفغعهخحجد شسيبلاتنمكطذ \\ئءؤرىةوزظ";

/// Makes a keyboard with keycodes 20 to 61 and one column for each layout.
fn keyboard(layouts: &[&str]) -> Keyboard {
    let mut symbols = vec![0; 42 * layouts.len() * 2];
    for (column, layout) in layouts.iter().enumerate() {
        for (first, row) in [24, 38, 51].into_iter().zip(layout.split(' ')) {
            for (i, c) in row.chars().enumerate() {
                let at = (first - 20 + i) * layouts.len() * 2 + 2 * column;
                symbols[at] = u32::from(c);
                symbols[at + 1] = u32::from(c.to_ascii_uppercase());
            }
        }
    }
    Keyboard { first: 20, columns: layouts.len() * 2, symbols }
}

/// Returns what Ctrl means with the keys that are C, V, W, Q and the comma on an American keyboard.
fn meant(layouts: &[&str]) -> String {
    let keyboard = keyboard(layouts);
    let key = |number: usize| keyboard.symbols[(number - 20) * keyboard.columns];
    let of = |symbol: u32| keyboard.latin(symbol).or(char::from_u32(symbol)).unwrap_or('?');
    [54, 55, 25, 24, 59].map(key).map(of).into_iter().collect()
}

#[test]
fn a_key_means_its_latin_letter() {
    for (layouts, keys) in [
        (&[US][..], "cvwq,"),
        (&[US, RU], "cvwq,"),
        (&[RU], "cvwq,"),
        (&[GR], "cvwq,"),
        // It has punctuation where Q and W are, and no Latin letters either.
        (&[IL], "cvwq,"),
        (&[ARA], "cvwq,"),
        (&[RU, US], "cvwq,"),
        (&[GR, DE], "cvwq,"),
        // With Latin letters, what is written on the key counts.
        (&[FR], "cvza;"),
        (&[RU, FR], "cvza;"),
        (&[DE, US], "cvwq,"),
    ] {
        assert_eq!(meant(layouts), keys, "{layouts:?}");
    }
}

#[test]
fn what_is_no_key_means_nothing() {
    assert_eq!(keyboard(&[RU]).latin(u32::from('@')), None);
    assert_eq!(keyboard(&[]).latin(0x6d), None);
    let broken = Keyboard { first: 255, columns: 1, symbols: vec![0x6d3, 0x6d4] };
    assert_eq!(broken.latin(0x6d4), None);
}
