//! Inputs with changes: bytes flipped, cut, repeated, put in from elsewhere, beginning with a corpus of valid ones, because random
//! bytes alone are refused before they get anywhere.
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

/// Longer than any input may take in an unoptimised build on a busy machine; what takes exponential time takes longer by far.
const LONGEST: Duration = Duration::from_secs(60);

/// The most changes of one input.
const CHANGES: usize = 8;

/// The most bytes of one input: beyond it bounds are reached that have tests of their own.
const MOST_BYTES: usize = 64 * 1024;

/// What parsers stumble over.
const TOKENS: [&[u8]; 32] = [
    b"\0",
    b"\n",
    b"\r\n",
    b"\r",
    b"\"",
    b"'",
    b"\\",
    b"\\ud800",
    b"\\u0000",
    b"\xff",
    b"\xc3\xa9",
    b"\xe2\x80\xa8",
    b"\xf0\x9f\x98\x80",
    b"[",
    b"]",
    b"{",
    b"}",
    b"[[[[[[[[",
    b"null",
    b"-0",
    b"1e999",
    b"-1",
    b"9223372036854775808",
    b"0.1",
    b"NaN",
    b"%",
    b"%00",
    b"(?=(a|a)*\\1b)",
    b"$..[?@==1]",
    b"\xef\xbb\xbf",
    b",",
    b":",
];

/// The folder of a target's inputs; each file is one.
fn folder(target: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../fuzz/corpus")
        .join(target)
}

/// Runs a target over its corpus, and then over inputs with changes: as many as `PROPTEST_CASES` says, 256 without it.
///
/// # Panics
/// Where the target panics, with the shortest input found that makes it, or takes too long; where there is no corpus.
pub fn run(target: &str, body: impl Fn(&[u8])) {
    let corpus = corpus(target);
    for input in corpus.iter() {
        let begun = Instant::now();
        body(input);
        assert!(begun.elapsed() < LONGEST, "{target} takes {:?}", begun.elapsed());
    }
    let config = Config {
        failure_persistence: None,
        ..Config::default()
    };
    let outcome = TestRunner::new(config).run(&inputs(corpus), |input| {
        let begun = Instant::now();
        body(&input.0);
        prop_assert!(begun.elapsed() < LONGEST, "it takes {:?}", begun.elapsed());
        Ok(())
    });
    if let Err(failure) = outcome {
        panic!("{target}: {failure}");
    }
}

fn corpus(target: &str) -> Arc<Vec<Vec<u8>>> {
    let folder = folder(target);
    let files = fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut files: Vec<PathBuf> = files.map(|file| file.unwrap().path()).collect();
    // So that a failure comes again.
    files.sort();
    assert!(!files.is_empty(), "{} is empty", folder.display());
    Arc::new(files.iter().map(|file| fs::read(file).unwrap()).collect())
}

/// An input, shown with escapes.
#[derive(Clone)]
struct Input(Vec<u8>);

impl fmt::Debug for Input {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "b\"{}\"", self.0.escape_ascii())
    }
}

/// One change. Places are parts of 65,536 of the input, so that they stay in it however long it is.
#[derive(Debug, Clone)]
enum Change {
    Flip(u16, u8),
    Set(u16, u8),
    Insert(u16, Vec<u8>),
    Token(u16, usize),
    Remove(u16, u16),
    Repeat(u16, u16, usize),
    Truncate(u16),
    /// A part of another input goes in the place of what follows.
    Splice(u16, usize, u16),
}

fn change() -> impl Strategy<Value = Change> {
    let place = any::<u16>;
    // Short parts more often than long ones.
    let length = || prop_oneof![4 => 0..=4_000_u16, 1 => any::<u16>()];
    prop_oneof![
        4 => (place(), 0..8_u8).prop_map(|(at, bit)| Change::Flip(at, bit)),
        2 => (place(), any::<u8>()).prop_map(|(at, byte)| Change::Set(at, byte)),
        1 => (place(), prop::collection::vec(any::<u8>(), 1..8)).prop_map(|(at, bytes)| Change::Insert(at, bytes)),
        4 => (place(), 0..TOKENS.len()).prop_map(|(at, token)| Change::Token(at, token)),
        3 => (place(), length()).prop_map(|(at, length)| Change::Remove(at, length)),
        2 => (place(), length(), 2..20_usize).prop_map(|(at, length, times)| Change::Repeat(at, length, times)),
        1 => place().prop_map(Change::Truncate),
        2 => (place(), any::<usize>(), place()).prop_map(|(at, other, from)| Change::Splice(at, other, from)),
    ]
}

fn inputs(corpus: Arc<Vec<Vec<u8>>>) -> impl Strategy<Value = Input> {
    let changes = prop::collection::vec(change(), 0..=CHANGES);
    (0..corpus.len(), changes).prop_map(move |(seed, changes)| {
        let mut bytes = corpus[seed].clone();
        for change in &changes {
            change.apply(&mut bytes, &corpus);
            bytes.truncate(MOST_BYTES);
        }
        Input(bytes)
    })
}

impl Change {
    fn apply(&self, bytes: &mut Vec<u8>, corpus: &[Vec<u8>]) {
        let place = |part: u16, length: usize| usize::from(part) * length / (usize::from(u16::MAX) + 1);
        let part = |at: u16, long: u16, length: usize| {
            let from = place(at, length + 1);
            from..from + place(long, length - from + 1)
        };
        let length = bytes.len();
        match self {
            Self::Flip(at, bit) => {
                if let Some(byte) = bytes.get_mut(place(*at, length)) {
                    *byte ^= 1 << bit;
                }
            }
            Self::Set(at, to) => {
                if let Some(byte) = bytes.get_mut(place(*at, length)) {
                    *byte = *to;
                }
            }
            Self::Insert(at, inserted) => {
                let at = place(*at, length + 1);
                bytes.splice(at..at, inserted.iter().copied());
            }
            Self::Token(at, token) => {
                let at = place(*at, length + 1);
                bytes.splice(at..at, TOKENS[*token].iter().copied());
            }
            Self::Remove(at, long) => drop(bytes.drain(part(*at, *long, length))),
            Self::Repeat(at, long, times) => {
                let range = part(*at, *long, length);
                let times = (*times).min(MOST_BYTES / range.len().max(1));
                let repeated = bytes[range.clone()].repeat(times);
                bytes.splice(range, repeated);
            }
            Self::Truncate(at) => bytes.truncate(place(*at, length + 1)),
            Self::Splice(at, other, from) => {
                let other = &corpus[other % corpus.len()];
                let from = place(*from, other.len() + 1);
                let at = place(*at, length + 1);
                bytes.splice(at.., other[from..].iter().copied());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn inputs_are_many_and_near_the_corpus() {
        let seen = RefCell::new(HashSet::new());
        let near = RefCell::new(0);
        run("updated_at", |input| {
            seen.borrow_mut().insert(input.to_vec());
            *near.borrow_mut() += usize::from(input.starts_with(b"20"));
        });
        assert!(seen.borrow().len() > 100 && *near.borrow() > 50);
    }

    #[test]
    #[should_panic(expected = "b\"")]
    fn a_failing_input_is_shown() {
        run("updated_at", |input| assert!(input.is_ascii(), "not ASCII"));
    }

    #[test]
    fn every_target_has_a_corpus_and_every_corpus_a_target() {
        let names = |folder: PathBuf| {
            let entries = fs::read_dir(&folder).unwrap();
            let names = entries.map(|entry| entry.unwrap().path().file_stem().unwrap().to_owned());
            let mut names: Vec<_> = names.collect();
            names.sort();
            names
        };
        let targets = names(folder("../fuzz_targets"));
        assert_eq!(targets, names(folder("")));
        let manifest = fs::read_to_string(folder("../Cargo.toml")).unwrap();
        for target in targets {
            let path = format!("path = \"fuzz_targets/{}.rs\"", target.display());
            assert!(manifest.contains(&path), "{path}");
        }
    }
}
