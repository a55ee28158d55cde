//! Compares Chinese names with what is typed for them: pinyin in full, in part or by its initials alone, also mixed
//! with characters. Pure. The sounds of each character, of which many have several, stand in a table that `build.rs`
//! makes from the crate `pinyin`.

/// The table: of the character `FIRST` + n the sounds stand in `SOUNDS` from `PLACES[n]` to the end of the line.
mod table {
    include!(concat!(env!("OUT_DIR"), "/sounds.rs"));

    /// Returns where a character's sounds begin in `SOUNDS`; 0 if it has none.
    pub(super) fn place(c: char) -> usize {
        let at = u32::from(c).checked_sub(FIRST).and_then(|n| PLACES.get(usize::try_from(n).ok()?));
        at.map_or(0, |at| usize::from(*at))
    }

    /// Returns the sounds of a character in ASCII letters; ü is written as v, as it is typed.
    pub(super) fn sounds(c: char) -> impl Iterator<Item = &'static [u8]> {
        let rest = SOUNDS.as_bytes().get(place(c)..).unwrap_or_default();
        let line = rest.split(|b| *b == b'\n').next().unwrap_or_default();
        line.split(|b| *b == b' ').filter(|sound| !sound.is_empty())
    }
}

use self::table::{place, sounds};

/// The most characters that are compared as pinyin; their places are bits of a number.
const MOST: usize = 63;

/// Where in a name a match begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// At the beginning of the name.
    Start,
    /// At another character.
    Within,
}

/// A text that was typed to find a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Typed {
    chars: Vec<char>,
}

impl Typed {
    /// Takes a folded text ([`fold`](super::fold::fold)) such as "zhangsan", "zhang s", "zs", "张s" or "xi'an". Returns
    /// `None` if it has no letter, so that it can only match literally, or if it is too long.
    #[must_use]
    pub fn new(folded: &str) -> Option<Self> {
        let chars: Vec<char> = folded.chars().filter(|c| !is_between(*c)).take(MOST + 1).collect();
        (chars.len() <= MOST && chars.iter().any(|c| letter(*c) > 0)).then_some(Self { chars })
    }

    /// Returns false if a name with these [`letters`] cannot match.
    #[must_use]
    pub fn may_match(&self, letters: u32) -> bool {
        let first = self.chars.first().map_or(0, |c| letter(*c));
        letters > 0 && (first == 0 || letters & first > 0)
    }

    /// Returns where a folded name first matches this text, which may be the beginning of its pinyin only. A character
    /// that has several sounds matches by each. `None` if the name does not match.
    #[must_use]
    pub fn place(&self, name: &str) -> Option<Place> {
        let first = *self.chars.first()?;
        let mut before = None;
        for (at, c) in name.char_indices() {
            let found = may_be(c, first) && {
                // Within a word of letters nothing begins.
                let begins = |before: char| is_chinese(c) || is_chinese(before) || !before.is_alphanumeric();
                before.is_none_or(begins) && name.get(at..).is_some_and(|rest| self.begins(rest))
            };
            if found {
                return Some(if at == 0 { Place::Start } else { Place::Within });
            }
            before = Some(c);
        }
        None
    }

    /// Returns whether a name begins like this text. Bit n of `reached` says that the characters read so far can stand
    /// for the first n that were typed.
    fn begins(&self, name: &str) -> bool {
        let end = 1_u64 << self.chars.len();
        let mut reached = 1_u64;
        for c in name.chars().filter(|c| !is_between(*c)) {
            let mut next = 0;
            for at in (0..self.chars.len()).filter(|at| reached & (1 << at) > 0) {
                let rest = self.chars.get(at..).unwrap_or_default();
                next |= steps(c, rest) << at;
            }
            if next & end > 0 {
                return true;
            }
            if next == 0 {
                return false;
            }
            reached = next;
        }
        false
    }
}

/// Returns how many of the typed characters this character can stand for: bit n is set for n of them.
fn steps(c: char, typed: &[char]) -> u64 {
    let mut steps = u64::from(typed.first() == Some(&c)) << 1;
    for sound in sounds(c) {
        let same = sound.iter().zip(typed).take_while(|(sound, typed)| is_typed(**sound, **typed)).count();
        if same == 0 {
            continue;
        }
        // The initial, which has one letter or two.
        steps |= 1 << 1;
        if same > 1 && matches!(sound, [b'z' | b'c' | b's', b'h', ..]) {
            steps |= 1 << 2;
        }
        // The whole sound, or its beginning where nothing else was typed.
        if same == typed.len() || same == sound.len() {
            steps |= 1 << same;
        }
    }
    steps
}

/// Returns whether a letter of a sound is typed like this. For ü, which is v here, people also type u.
fn is_typed(sound: u8, typed: char) -> bool {
    char::from(sound) == typed || sound == b'v' && matches!(typed, 'ü' | 'u')
}

/// Returns whether a character may be left out, such as a blank or an apostrophe between syllables.
fn is_between(c: char) -> bool {
    c.is_whitespace() || matches!(c, '\'' | '’' | '-' | '·')
}

fn is_chinese(c: char) -> bool {
    place(c) > 0
}

/// Returns whether what is typed for this character can begin with `first`.
fn may_be(c: char, first: char) -> bool {
    c == first
        || first.is_ascii() && sounds(c).any(|sound| sound.first().is_some_and(|sound| char::from(*sound) == first))
}

/// Returns the letters with which a match of a folded name can begin, bit 0 being `a`; 0 if the name has no Chinese
/// character and so can only match literally. It is computed once for each name and spares most comparisons.
#[must_use]
pub fn letters(name: &str) -> u32 {
    let (mut letters, mut chinese) = (0, false);
    for c in name.chars() {
        letters |= letter(c);
        chinese |= is_chinese(c);
        for sound in sounds(c) {
            letters |= sound.first().map_or(0, |first| letter(char::from(*first)));
        }
    }
    if chinese { letters } else { 0 }
}

/// Returns the bit of a letter; 0 for other characters.
fn letter(c: char) -> u32 {
    if c.is_ascii_lowercase() { 1 << (u32::from(c) - u32::from('a')) } else { 0 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::fold::fold;

    fn place(name: &str, typed: &str) -> Option<Place> {
        let typed = Typed::new(&fold(typed))?;
        let found = typed.place(&fold(name));
        let letters = letters(&fold(name));
        assert!(found.is_none() || letters == 0 || typed.may_match(letters), "{name} {typed:?}");
        found.filter(|_| letters > 0)
    }

    #[test]
    fn a_name_is_found_by_what_is_typed_for_it() {
        for (name, typed) in [
            ("张三", "zhangsan"),
            ("张三", "ZHANG SAN"),
            ("张三", "zs"),
            ("张三", "zhs"),
            ("张三", "z"),
            ("张三", "zha"),
            ("张三", "zhangs"),
            ("张三", "ｚｈａｎｇｓａ"),
            ("张三", "zsan"),
            ("张三", "张s"),
            ("张三", "z三"),
            ("西安", "xi'an"),
            ("西安", "xian"),
            ("重庆", "cq"),
            ("重庆", "zhongqing"),
            ("重庆", "chongqing"),
            ("单雄信", "shanxx"),
            ("单雄信", "danxiongxin"),
            ("吕布", "lvbu"),
            ("吕布", "lubu"),
            ("吕布", "lübu"),
            ("欧阳 娜娜", "ouyangnana"),
            ("阿卜杜拉·买买提", "abdlmmt"),
            ("Amy张", "amyz"),
            ("龑䶮〇", "yany"),
            ("〇一", "lingyi"),
        ] {
            assert_eq!(place(name, typed), Some(Place::Start), "{name} {typed}");
        }
        for (name, typed) in [("王小明", "xm"), ("王小明", "ming"), ("Amy张三", "zs"), ("欧阳 娜娜", "nana")]
        {
            assert_eq!(place(name, typed), Some(Place::Within), "{name} {typed}");
        }
        for (name, typed) in [
            ("张三", "zw"),
            ("张三", "zhangsi"),
            ("张三", "zhansan"),
            ("张三", "hs"),
            ("张三", "zhangsans"),
            ("张三", "三"),
            ("Amy张", "yz"),
            ("Amy", "amy"),
            ("李", ""),
            ("李", " "),
        ] {
            assert_eq!(place(name, typed), None, "{name} {typed}");
        }
        assert_eq!((letters("amy"), letters("李a"), letters("")), (0, (1 << 11) | 1, 0));
        assert_eq!(Typed::new(&"z".repeat(MOST + 1)), None);
    }

    proptest::proptest! {
        /// The first letters of a name find it, whatever sounds it has; and nothing takes long or panics.
        #[test]
        fn every_name_is_found_by_its_initials(name in "[一-龥]{1,32}", other in "\\PC{0,70}", which in 0_usize..9) {
            let sound = |c: char| {
                let all: Vec<_> = sounds(c).filter_map(|sound| std::str::from_utf8(sound).ok()).collect();
                all.get(which % all.len().max(1)).copied()
            };
            let sounds: Vec<&str> = name.chars().filter_map(sound).collect();
            if sounds.len() == name.chars().count() {
                let initials: String = sounds.iter().filter_map(|sound| sound.chars().next()).collect();
                proptest::prop_assert_eq!(place(&name, &initials), Some(Place::Start));
                let whole: String = sounds.concat().chars().take(MOST).collect();
                proptest::prop_assert_eq!(place(&name, &whole), Some(Place::Start));
            }
            place(&other, &name);
            place(&name, &other);
        }
    }
}
