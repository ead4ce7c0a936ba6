//! What the doctor finds, one by one; pure.
use std::fmt;

use serde::Serialize;

/// What is to be thought of what was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// Nothing is wrong.
    Ok,
    /// It works, and may not be what is meant, or not for long.
    Warning,
    /// It does not work.
    Failure,
    /// It was not tried, because something before it failed.
    Skipped,
}

/// What one check found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// What was looked at, as `key pair 1 (Production)`.
    pub subject: String,
    /// Of which kind that is, which stays the same whatever is found: `configuration`, `upstream`, `key_pair`, `realtime`,
    /// `telemetry`, `store`, `server`, `admin`, `system`.
    pub kind: &'static str,
    /// Which key pair, from 1.
    pub number: Option<usize>,
    /// The origin of a URL, or the name of a key pair's environment where it is known.
    pub name: Option<String>,
    /// What of it, as `tls`.
    pub check: &'static str,
    /// What is to be thought of it.
    pub verdict: Verdict,
    /// One line. It never holds a key or the credentials of a proxy.
    pub detail: String,
    /// What to do, one line; `None`: nothing.
    pub advice: Option<String>,
}

/// What is looked at; makes findings about it.
#[derive(Debug, Clone)]
pub(super) struct Subject {
    kind: &'static str,
    number: Option<usize>,
    name: Option<String>,
}

impl Subject {
    /// There is one of it.
    pub(super) const fn new(kind: &'static str) -> Self {
        Self {
            kind,
            number: None,
            name: None,
        }
    }

    /// A URL, by its origin.
    pub(super) fn of_url(kind: &'static str, origin: &str) -> Self {
        Self {
            name: Some(one_line(origin)),
            ..Self::new(kind)
        }
    }

    /// A key pair, from 1, with its environment's name where that is known.
    pub(super) fn key_pair(number: usize, name: Option<String>) -> Self {
        Self {
            number: Some(number),
            name: name.map(|name| one_line(&name)),
            ..Self::new("key_pair")
        }
    }

    fn called(&self) -> String {
        match (self.number, &self.name) {
            (Some(number), Some(name)) => format!("key pair {number} ({name})"),
            (Some(number), None) => format!("key pair {number}"),
            (None, Some(name)) => format!("{} {name}", self.kind),
            (None, None) => self.kind.to_owned(),
        }
    }

    pub(super) fn ok(&self, check: &'static str, detail: impl AsRef<str>) -> Finding {
        self.finding(check, Verdict::Ok, detail.as_ref(), None)
    }

    pub(super) fn warning(
        &self,
        check: &'static str,
        detail: impl AsRef<str>,
        advice: impl AsRef<str>,
    ) -> Finding {
        self.finding(check, Verdict::Warning, detail.as_ref(), Some(advice.as_ref()))
    }

    pub(super) fn failure(
        &self,
        check: &'static str,
        detail: impl AsRef<str>,
        advice: impl AsRef<str>,
    ) -> Finding {
        self.finding(check, Verdict::Failure, detail.as_ref(), Some(advice.as_ref()))
    }

    /// Of a line of the program's own, which says what is wrong and, after a semicolon or a colon, what to do.
    pub(super) fn told(&self, check: &'static str, verdict: Verdict, line: &str) -> Finding {
        let (detail, advice) = divided(line);
        self.finding(check, verdict, detail, advice)
    }

    /// `because`: what was in the way, as `the name is not found`.
    pub(super) fn skipped(&self, check: &'static str, because: &str) -> Finding {
        self.finding(check, Verdict::Skipped, &format!("not tried: {because}"), None)
    }

    fn finding(&self, check: &'static str, verdict: Verdict, detail: &str, advice: Option<&str>) -> Finding {
        Finding {
            subject: self.called(),
            kind: self.kind,
            number: self.number,
            name: self.name.clone(),
            check,
            verdict,
            detail: one_line(detail),
            advice: advice.map(one_line),
        }
    }
}

/// What is wrong, and what to do: what follows the first semicolon, else the first colon before an advice, outside of brackets and
/// quotes. Names from outside are in either where they hold such a mark (`in_line`).
fn divided(line: &str) -> (&str, Option<&str>) {
    const ADVISES: [&str; 2] = [": give ", ": did you mean "];
    let mut after_colon = None;
    for (place, rest) in outside(line) {
        if rest.starts_with("; ") {
            return parted(line, place);
        }
        if after_colon.is_none() && ADVISES.iter().any(|advises| rest.starts_with(advises)) {
            after_colon = Some(place);
        }
    }
    after_colon.map_or((line, None), |place| parted(line, place))
}

/// Before and after the mark of two bytes at this place.
fn parted(line: &str, place: usize) -> (&str, Option<&str>) {
    match (line.get(..place), line.get(place.saturating_add(2)..)) {
        (Some(detail), advice @ Some(_)) => (detail, advice),
        _ => (line, None),
    }
}

/// Each place of a line that is in no brackets and no quotes, with what begins there.
fn outside(line: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut brackets = 0_usize;
    let mut quote = None;
    let mut is_escaped = false;
    line.char_indices().filter_map(move |(place, character)| {
        match (quote, character) {
            _ if is_escaped => is_escaped = false,
            (Some('"'), '\\') => is_escaped = true,
            (Some(open), close) if open == close => quote = None,
            (Some(_), _) => {}
            (None, '"' | '`') => quote = Some(character),
            (None, '(') => brackets = brackets.saturating_add(1),
            (None, ')') => brackets = brackets.saturating_sub(1),
            (None, _) if brackets == 0 => return Some((place, line.get(place..)?)),
            (None, _) => {}
        }
        None
    })
}

/// Characters of a text that are written.
const MOST_CHARACTERS: usize = 1_000;

/// Names of environments and certificates come from elsewhere: no control character of theirs reaches a terminal, and none of them
/// fills it.
fn one_line(text: &str) -> String {
    let mut line = String::new();
    for (place, character) in text.chars().enumerate() {
        if place == MOST_CHARACTERS {
            line.push('\u{2026}');
            break;
        }
        if character.is_control() {
            line.extend(character.escape_default());
        } else {
            line.push(character);
        }
    }
    line
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verdict = match self.verdict {
            Verdict::Ok => "ok",
            Verdict::Warning => "warn",
            Verdict::Failure => "FAIL",
            Verdict::Skipped => "skip",
        };
        let Self {
            subject,
            check,
            detail,
            advice,
            ..
        } = self;
        write!(f, "{verdict:<4} {subject}: {check}: {detail}")?;
        match advice {
            Some(advice) => write!(f, "\n     \u{2192} {advice}"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_the_program_are_divided_where_they_say_what_to_do() {
        for (line, expected) in [
            ("it is refused; correct it", ("it is refused", Some("correct it"))),
            ("a: b: give one of c: d", ("a: b", Some("give one of c: d"))),
            (
                "unknown: did you mean \"c\"?",
                ("unknown", Some("did you mean \"c\"?")),
            ),
            ("nothing: to do", ("nothing: to do", None)),
            ("refused (a; b); do", ("refused (a; b)", Some("do"))),
            ("refused (a (b) c; d)", ("refused (a (b) c; d)", None)),
            (r#"says "no; \"(; "; do"#, (r#"says "no; \"(; ""#, Some("do"))),
            ("expected `; ` or `)`; do", ("expected `; ` or `)`", Some("do"))),
            (r#""a: give b": give c"#, (r#""a: give b""#, Some("give c"))),
            ("a: give b; do", ("a: give b", Some("do"))),
        ] {
            assert_eq!(divided(line), expected, "{line}");
        }
    }

    #[test]
    fn a_text_from_elsewhere_fills_no_terminal() {
        let long = one_line(&"x\u{7}".repeat(100_000));
        assert!(long.ends_with('\u{2026}') && !long.contains('\u{7}') && long.len() < 10_000);
    }
}
