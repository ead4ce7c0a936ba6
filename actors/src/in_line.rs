//! Names from outside within a line of the program's own.
use std::fmt;

/// Shows a name as it is where nothing of it can be taken for the line that it stands in, else in quotes, with escapes: paths may
/// hold whatever marks where a line goes on, such as `; ` or a bracket, and what moves a cursor.
pub fn in_line(name: impl fmt::Display) -> String {
    let name = name.to_string();
    let marks = |character: char| character.is_control() || matches!(character, '"' | '`' | '(' | ')' | ';');
    let is_mistakable = name.contains(marks) || name.contains(": ") || name.trim() != name || name.is_empty();
    match is_mistakable {
        true => format!("{name:?}"),
        false => name,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_could_be_mistaken_is_quoted() {
        for name in ["/etc/edge proxy/config.json", "C:\\a", "é", "it's"] {
            assert_eq!(in_line(name), name);
        }
        for (name, shown) in [
            ("a; b", r#""a; b""#),
            ("a) b", r#""a) b""#),
            ("a: give b", r#""a: give b""#),
            ("a\"\u{1b}", r#""a\"\u{1b}""#),
            (" a", r#"" a""#),
            ("", r#""""#),
        ] {
            assert_eq!(in_line(name), shown);
        }
    }
}
