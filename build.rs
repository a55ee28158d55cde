//! What is made before the programs are built: how Chinese characters sound, as a small table. And the texts are read
//! by a macro, of which cargo does not know: without this a changed one is not built.

use std::collections::HashMap;
use std::env;
use std::error::Error;
use std::fmt::Write;
use std::fs;
use std::path::Path;

use pinyin::ToPinyinMulti;

/// The characters of the table: the zero, those of extension A, and the common ideographs. The many rare ones beyond
/// have no sound here.
const TABLE: std::ops::RangeInclusive<u32> = 0x3007..=0x9fff;

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=locales");
    let out = env::var_os("OUT_DIR").ok_or("cargo names no folder")?;
    fs::write(Path::new(&out).join("sounds.rs"), sounds()?)?;
    Ok(())
}

/// The table as code: `SOUNDS`, each set of sounds that some character has on a line of its own, and `PLACES`, where in
/// it the line of each character begins, 0 of one that has none. A sixth of what the crate's own tables would add to a
/// program.
fn sounds() -> Result<String, Box<dyn Error>> {
    let (mut sounds, mut known) = (String::from("\n"), HashMap::new());
    let mut places = String::new();
    for c in TABLE {
        let mut set: Vec<String> = Vec::new();
        for sound in char::from_u32(c).and_then(|c| c.to_pinyin_multi()).into_iter().flatten() {
            let sound = sound.plain().replace('ü', "v").replace('ê', "e");
            if !set.contains(&sound) {
                set.push(sound);
            }
        }
        let line = set.join(" ");
        let next = sounds.len();
        let place = if line.is_empty() { 0 } else { *known.entry(line.clone()).or_insert(next) };
        if place == next {
            sounds.push_str(&line);
            sounds.push('\n');
        }
        write!(places, "{},", u16::try_from(place)?)?;
    }
    if !sounds.is_ascii() {
        return Err("a sound that cannot be typed".into());
    }
    let (first, count) = (TABLE.start(), TABLE.count());
    Ok(format!(
        "const FIRST: u32 = {first};\nstatic PLACES: [u16; {count}] = [{places}];\nstatic SOUNDS: &str = {sounds:?};\n"
    ))
}
