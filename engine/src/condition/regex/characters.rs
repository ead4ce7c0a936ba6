//! Sets of characters: `\d`, `\s`, `\w`, and letter case.
use std::collections::BTreeMap;
use std::sync::LazyLock;

use regex_syntax::hir::{ClassUnicode, ClassUnicodeRange};

use super::syntax::Case;
use crate::python::classes::{Class, unicode};

/// Python's `\w`: what `str.isalnum` accepts, and `_`. (The `regex` crate's has marks besides.)
pub(super) static WORD: LazyLock<ClassUnicode> = LazyLock::new(|| unicode(r"[\p{L}\p{N}_]"));
/// [`WORD`], to ask for characters.
pub(super) static WORD_CLASS: LazyLock<Class> = LazyLock::new(|| Class::from(&*WORD));
pub(super) static DIGIT: LazyLock<ClassUnicode> = LazyLock::new(|| unicode(r"\p{Nd}"));
/// Python's `\s`: what `str.isspace` accepts, four control characters more than the `regex` crate's.
pub(super) static SPACE: LazyLock<ClassUnicode> =
    LazyLock::new(|| unicode(r"[\t-\r\x1c-\x20\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]"));
pub(super) static ASCII_WORD: LazyLock<ClassUnicode> = LazyLock::new(|| unicode("[0-9A-Za-z_]"));
pub(super) static ASCII_DIGIT: LazyLock<ClassUnicode> = LazyLock::new(|| unicode("[0-9]"));
pub(super) static ASCII_SPACE: LazyLock<ClassUnicode> = LazyLock::new(|| unicode(r"[ \t\n\r\x0b\x0c]"));

/// The one lower-case character that Python's `re` takes for a character.
pub(super) fn lower(character: char, case: Case) -> char {
    match case {
        Case::Exact => character,
        Case::IgnoredInAscii => character.to_ascii_lowercase(),
        // Only U+0130 has a longer lower case; its first character is the simple one.
        Case::Ignored => character.to_lowercase().next().unwrap_or(character),
    }
}

/// Characters that have another lower case, with that; and lower-case ones that share an upper case.
struct CaseTable {
    lowered: Vec<(char, char)>,
    siblings: Vec<Vec<char>>,
}

static CASES: LazyLock<CaseTable> = LazyLock::new(|| {
    let mut lowered = Vec::new();
    let mut by_upper: BTreeMap<String, Vec<char>> = BTreeMap::new();
    // No letter past the supplementary multilingual plane has a case.
    for character in '\0'..='\u{1ffff}' {
        let lower = lower(character, Case::Ignored);
        if lower != character {
            lowered.push((character, lower));
        } else if character.to_uppercase().next() != Some(character) {
            by_upper
                .entry(character.to_uppercase().collect())
                .or_default()
                .push(character);
        }
    }
    CaseTable {
        lowered,
        siblings: by_upper.into_values().filter(|group| group.len() > 1).collect(),
    }
});

/// Every character that equals one of the set when case is ignored as Python's `re` does it: by lower case, and by the
/// lower cases that share an upper case.
pub(super) fn fold(set: &mut ClassUnicode, case: Case) {
    match case {
        Case::Exact => {}
        Case::IgnoredInAscii => {
            let pairs = ('A'..='Z').map(|upper| (upper, upper.to_ascii_lowercase()));
            add_case(set, pairs, &[]);
        }
        Case::Ignored => add_case(set, CASES.lowered.iter().copied(), &CASES.siblings),
    }
}

fn add_case(
    set: &mut ClassUnicode,
    pairs: impl Iterator<Item = (char, char)> + Clone,
    siblings: &[Vec<char>],
) {
    let given = Class::from(&*set);
    let mut added: Vec<char> = pairs
        .clone()
        .filter(|(upper, _)| given.contains(*upper))
        .map(|(_, lower)| lower)
        .collect();
    added.sort_unstable();
    let is_in = |character: &char, added: &[char]| {
        given.contains(*character) || added.binary_search(character).is_ok()
    };
    let related: Vec<char> = siblings
        .iter()
        .filter(|group| group.iter().any(|lower| is_in(lower, &added)))
        .flatten()
        .copied()
        .collect();
    added.extend(related);
    added.sort_unstable();
    let uppers: Vec<char> = pairs
        .filter(|(_, lower)| is_in(lower, &added))
        .map(|(upper, _)| upper)
        .collect();
    added.extend(uppers);
    set.union(&ClassUnicode::new(
        added
            .into_iter()
            .map(|character| ClassUnicodeRange::new(character, character)),
    ));
}

/// A set of the code points from one to another. Surrogates, which no text here holds, are left out.
pub(super) fn range(start: u32, end: u32) -> ClassUnicode {
    let parts = [(start, end.min(0xd7ff)), (start.max(0xe000), end)];
    let ranges = parts.into_iter().filter(|(start, end)| start <= end);
    let as_chars = |(start, end)| {
        Some(ClassUnicodeRange::new(
            char::from_u32(start)?,
            char::from_u32(end)?,
        ))
    };
    ClassUnicode::new(ranges.filter_map(as_chars))
}
