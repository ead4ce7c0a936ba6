//! Semantic versions, strictly as semver.org 2.0.0 has them, with numbers of any size.
use std::cmp::Ordering;

use crate::python::MAX_DIGITS;

/// A version's parts. The numbers are digits without leading zeros, so that their length orders them first.
#[derive(Debug, Clone)]
pub(super) struct Version<S> {
    numbers: [S; 3],
    prerelease: Option<S>,
    build: Option<S>,
}

impl<'t> Version<&'t str> {
    /// Three numbers, a prerelease after `-`, a build after `+`. `None`: the text is no version.
    pub(super) fn parse(text: &'t str) -> Option<Self> {
        // Most strings are no versions, and their first byte shows it.
        if !text.starts_with(|first: char| first.is_ascii_digit()) {
            return None;
        }
        let (text, build) = split_off(text, '+');
        let (numbers, prerelease) = split_off(text, '-');
        let mut parts = numbers.split('.');
        let version = Self {
            numbers: [parts.next()?, parts.next()?, parts.next()?],
            prerelease,
            build,
        };
        let is_valid = parts.next().is_none()
            // The reference reads the numbers by `int()`, which refuses longer ones.
            && version.numbers.iter().all(|number| is_number(number) && number.len() <= MAX_DIGITS)
            && prerelease.is_none_or(|parts| parts.split('.').all(is_prerelease_part))
            && build.is_none_or(|parts| parts.split('.').all(is_part));
        is_valid.then_some(version)
    }

    pub(super) fn into_owned(self) -> Version<Box<str>> {
        Version {
            numbers: self.numbers.map(Box::from),
            prerelease: self.prerelease.map(Box::from),
            build: self.build.map(Box::from),
        }
    }
}

impl<S: AsRef<str>> Version<S> {
    /// Its text.
    #[cfg(any(test, feature = "fuzzing"))]
    pub(super) fn written(&self) -> String {
        let numbers = self.numbers.each_ref().map(AsRef::as_ref).join(".");
        let part = |sign, part: &Option<S>| {
            part.as_ref()
                .map_or_else(String::new, |part| format!("{sign}{}", part.as_ref()))
        };
        format!(
            "{numbers}{}{}",
            part('-', &self.prerelease),
            part('+', &self.build)
        )
    }

    /// The order of semver.org, 11: a build counts for nothing, also where equality is asked.
    pub(super) fn compare<T: AsRef<str>>(&self, other: &Version<T>) -> Ordering {
        let numbers = self.numbers.iter().zip(&other.numbers);
        let by_numbers = numbers.map(|(one, two)| compare_numbers(one.as_ref(), two.as_ref()));
        by_numbers.fold(Ordering::Equal, Ordering::then).then_with(|| {
            match (&self.prerelease, &other.prerelease) {
                (None, None) => Ordering::Equal,
                (None, Some(_)) => Ordering::Greater,
                (Some(_), None) => Ordering::Less,
                (Some(one), Some(two)) => one
                    .as_ref()
                    .split('.')
                    .map(Part)
                    .cmp(two.as_ref().split('.').map(Part)),
            }
        })
    }

    /// Whether the whole prerelease or the whole build is this text.
    pub(super) fn has_part(&self, text: &str) -> bool {
        [&self.prerelease, &self.build]
            .into_iter()
            .flatten()
            .any(|part| part.as_ref() == text)
    }
}

/// A part of a prerelease between dots.
#[derive(PartialEq, Eq)]
struct Part<'t>(&'t str);

impl Ord for Part<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        match (is_digits(self.0), is_digits(other.0)) {
            (true, true) => compare_numbers(self.0, other.0),
            (true, false) => Ordering::Less,
            (false, true) => Ordering::Greater,
            (false, false) => self.0.cmp(other.0),
        }
    }
}

impl PartialOrd for Part<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

fn split_off(text: &str, separator: char) -> (&str, Option<&str>) {
    text.split_once(separator)
        .map_or((text, None), |(before, after)| (before, Some(after)))
}

fn compare_numbers(one: &str, two: &str) -> Ordering {
    one.len().cmp(&two.len()).then_with(|| one.cmp(two))
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn is_number(text: &str) -> bool {
    is_digits(text) && (text == "0" || !text.starts_with('0'))
}

fn is_part(text: &str) -> bool {
    !text.is_empty()
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

fn is_prerelease_part(text: &str) -> bool {
    is_part(text) && (!is_digits(text) || is_number(text))
}
