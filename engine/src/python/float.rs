//! Python's `float`.
use super::digits;

/// Python's `float(text)`: outer blanks, underscores between digits, `nan`, `inf` and `infinity` in any case.
///
/// `None`: Python raises ValueError. Too large a number is infinite.
pub(crate) fn parse_float(text: &str) -> Option<f64> {
    digits::plain(text)?.parse().ok()
}

/// Python's `repr()` of a float: `1.0`, `1e+16`, `1e-05`, `nan`, `inf`; the shortest text that reads back the same.
pub(crate) fn float_text(number: f64) -> String {
    if number.is_nan() {
        return "nan".to_owned();
    }
    if number.is_infinite() {
        return if number > 0.0 { "inf" } else { "-inf" }.to_owned();
    }
    let scientific = format!("{number:e}");
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    // The bounds at which Python's `repr` turns to an exponent.
    if (-4..16).contains(&exponent) {
        return format!("{number:?}");
    }
    format!(
        "{mantissa}e{}{:02}",
        if exponent < 0 { '-' } else { '+' },
        exponent.unsigned_abs()
    )
}
