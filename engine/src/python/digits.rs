//! What Python's `int()` and `float()` do to a text before they read it as a number.
use std::borrow::Cow;
use std::sync::LazyLock;

use crate::python::classes::{self, Class};

/// The decimal digits of every script (Unicode category Nd), which come in runs of ten from 0 to 9.
static DECIMAL_DIGITS: LazyLock<Class> = LazyLock::new(|| classes::named(r"\p{Nd}"));

/// Without outer blanks and underscores between digits, digits of other scripts as ASCII ones.
///
/// `None`: an underscore stands elsewhere, or it holds other characters than ASCII, so it is no number.
pub(super) fn plain(text: &str) -> Option<Cow<'_, str>> {
    let text = text.trim_matches(is_blank);
    let ascii = if text.is_ascii() {
        Cow::Borrowed(text)
    } else {
        Cow::Owned(to_ascii(text)?)
    };
    if !ascii.contains('_') {
        return Some(ascii);
    }
    let bytes = ascii.as_bytes();
    let is_digit = |index: Option<usize>| {
        index
            .and_then(|index| bytes.get(index))
            .is_some_and(|byte| byte.is_ascii_digit())
    };
    let between_digits =
        |(index, _): (usize, &str)| is_digit(index.checked_sub(1)) && is_digit(Some(index + 1));
    if !ascii.match_indices('_').all(between_digits) {
        return None;
    }
    Some(Cow::Owned(ascii.replace('_', "")))
}

/// The blanks that Python's number parsers strip: not U+001C to U+001F, which `str.isspace` has besides.
fn is_blank(character: char) -> bool {
    character.is_whitespace()
}

fn to_ascii(text: &str) -> Option<String> {
    text.chars()
        .map(|character| {
            if character.is_ascii() {
                Some(character)
            } else {
                digit(character)
            }
        })
        .collect()
}

fn digit(character: char) -> Option<char> {
    let (start, _) = DECIMAL_DIGITS.range_of(character)?;
    // Neighbouring runs of ten merge into one range.
    char::from_digit((u32::from(character) - u32::from(start)) % 10, 10)
}
