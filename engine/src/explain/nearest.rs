//! Names that are nearly another one, as a person may have meant.
use std::cell::Cell;

use strsim::osa_distance;

/// Longer names are compared in case and blanks alone.
const LONGEST: usize = 100;
/// The steps that names are compared with: some 50 ms letter by letter, some tenths of a second in any other way.
const MOST_STEPS: usize = 20_000_000;
/// So many bytes of two names are compared in one step, where that is not done letter by letter.
const BYTES_A_STEP: usize = 4;

/// The work that may still be done to compare names. Whoever looks for many names shares one among all.
#[derive(Debug)]
pub(super) struct Effort {
    steps_left: Cell<usize>,
}

impl Effort {
    pub(super) fn new() -> Self {
        Self {
            steps_left: Cell::new(MOST_STEPS),
        }
    }

    /// Whether so many steps are left, which are taken; if not, none is left.
    fn takes(&self, steps: usize) -> bool {
        let left = self.steps_left.get().checked_sub(steps);
        self.steps_left.set(left.unwrap_or(0));
        left.is_some()
    }

    fn is_spent(&self) -> bool {
        self.steps_left.get() == 0
    }
}

/// How two names differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Difference {
    Case,
    Blanks,
    /// Blanks, hyphens, underscores or case.
    Separators,
    /// So many letters.
    Letters(usize),
}

impl Difference {
    /// In words that follow "it differs in".
    pub(super) fn words(self) -> &'static str {
        match self {
            Self::Case => "upper and lower case",
            Self::Blanks => "blanks around it",
            Self::Separators => "case, blanks, hyphens or underscores",
            Self::Letters(1) => "one letter",
            Self::Letters(_) => "two letters",
        }
    }
}

/// The candidate that is nearest to a name, where one is near, as far as the `effort` goes. The name itself is none.
pub(super) fn nearest<'n>(
    name: &str,
    candidates: impl Iterator<Item = &'n str>,
    effort: &Effort,
) -> Option<(&'n str, Difference)> {
    if effort.is_spent() {
        return None;
    }
    let wanted = Wanted::new(name);
    let mut nearest: Option<(&'n str, Difference)> = None;
    for candidate in candidates {
        let Some(difference) = wanted.difference(candidate, effort) else {
            continue;
        };
        if nearest.is_none_or(|(_, least)| difference < least) {
            nearest = Some((candidate, difference));
        }
        if difference == Difference::Case {
            break;
        }
    }
    nearest
}

/// A name, prepared.
struct Wanted<'n> {
    name: &'n str,
    lowercase: String,
    plain: String,
    letters: [u8; LETTERS],
}

/// How many kinds of bytes are counted apart.
const LETTERS: usize = 64;

impl<'n> Wanted<'n> {
    fn new(name: &'n str) -> Self {
        Self {
            name,
            lowercase: name.to_lowercase(),
            plain: plain(name),
            letters: count(name),
        }
    }

    fn difference(&self, candidate: &str, effort: &Effort) -> Option<Difference> {
        if candidate == self.name {
            return None;
        }
        let (longer, shorter) = (
            self.name.len().max(candidate.len()),
            self.name.len().min(candidate.len()),
        );
        // Lower case changes lengths by little, and rarely; whatever blanks are around, the rest is as long.
        if longer > shorter * 2 + 8 || !effort.takes(longer.div_ceil(BYTES_A_STEP)) {
            return None;
        }
        if candidate.to_lowercase() == self.lowercase {
            return Some(Difference::Case);
        }
        if candidate.trim() == self.name.trim() {
            return Some(Difference::Blanks);
        }
        if !self.plain.is_empty() && plain(candidate) == self.plain {
            return Some(Difference::Separators);
        }
        self.letters(candidate, longer, shorter, effort)
            .map(Difference::Letters)
    }

    /// By how many letters they differ, where by few.
    fn letters(&self, candidate: &str, longer: usize, shorter: usize, effort: &Effort) -> Option<usize> {
        // Of a short name a letter is much of it.
        let most = match shorter {
            0..=3 => return None,
            4..=7 => 1,
            _ => 2,
        };
        // Each other letter changes two counts.
        if longer > LONGEST
            || longer - shorter > most
            || distance(&self.letters, &count(candidate)) > 2 * most
        {
            return None;
        }
        // `user-17` is no misspelling of `user-18`: numbers tell identities apart.
        if digits(self.name).ne(digits(candidate)) {
            return None;
        }
        if !effort.takes(longer * longer) {
            return None;
        }
        Some(osa_distance(self.name, candidate)).filter(|letters| *letters <= most)
    }
}

/// Lower-case letters and digits alone.
fn plain(name: &str) -> String {
    let characters = name.chars().filter(|character| character.is_alphanumeric());
    characters.flat_map(char::to_lowercase).collect()
}

fn digits(name: &str) -> impl Iterator<Item = u8> {
    name.bytes().filter(u8::is_ascii_digit)
}

/// How often each kind of byte occurs.
fn count(name: &str) -> [u8; LETTERS] {
    let mut counts = [0_u8; LETTERS];
    for byte in name.bytes() {
        if let Some(count) = counts.get_mut(usize::from(byte) % LETTERS) {
            *count = count.saturating_add(1);
        }
    }
    counts
}

fn distance(one: &[u8; LETTERS], other: &[u8; LETTERS]) -> usize {
    let pairs = one.iter().zip(other);
    pairs.map(|(one, other)| usize::from(one.abs_diff(*other))).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(name: &str, candidates: &[&str]) -> Option<(String, Difference)> {
        nearest(name, candidates.iter().copied(), &Effort::new())
            .map(|(candidate, difference)| (candidate.to_owned(), difference))
    }

    #[test]
    fn what_a_person_may_have_meant_is_near() {
        for (name, candidate, difference) in [
            ("alice", "Alice", Difference::Case),
            ("ALICE@EXAMPLE.ORG", "alice@example.org", Difference::Case),
            ("alice", " alice ", Difference::Blanks),
            ("plan_type", "planType", Difference::Separators),
            ("plan type", "plan-type", Difference::Separators),
            ("plna", "plan", Difference::Letters(1)),
            ("subscription", "subscribtions", Difference::Letters(2)),
            ("alice@example.com", "alice@exmaple.com", Difference::Letters(1)),
        ] {
            let expected = Some((candidate.to_owned(), difference));
            assert_eq!(found(name, &["other", candidate, "another"]), expected, "{name}");
        }
        assert_eq!(
            found("alice", &["alicf", "alixe", "ALICE"]),
            Some(("ALICE".to_owned(), Difference::Case)),
            "the nearest, wherever it stands"
        );
    }

    #[test]
    fn what_is_another_one_is_not() {
        for (name, candidate) in [
            ("alice", "alice"),
            ("age", "ago"),
            ("user-17", "user-18"),
            ("1234567", "1234568"),
            ("plan", "region"),
            ("", "a"),
            ("alice@example.com", "alice@example.org"),
        ] {
            assert_eq!(found(name, &[candidate]), None, "{name} {candidate}");
        }
        assert_eq!(found("a", &[]), None);
    }

    #[test]
    fn the_work_is_bounded() {
        let names: Vec<String> = (0..20_000)
            .map(|number| format!("{:a>80}{}", "", number % 10 / 10))
            .collect();
        let wanted = format!("{:a>79}b0", "");
        let effort = Effort::new();
        let wanted = Wanted::new(&wanted);
        let near = names
            .iter()
            .filter(|name| wanted.difference(name, &effort).is_some())
            .count();
        assert!(near < 5_000, "{near}");
    }
}
