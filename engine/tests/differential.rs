//! The engine against Flagsmith's own Python pipeline, live, on generated documents and on a grid of conditions.
//!
//! Needs the python that `make oracle` installs, named by `EDGE_PROXY_ORACLE_PYTHON`; skipped without it, save in CI.
//! `recorded.rs` runs cases recorded from the same pipeline without Python.

use super::oracle::live::{Oracle, generate, python};
use super::oracle::shrink::shrink;
use super::oracle::{Case, SAID, Tally, compare};

/// `EDGE_PROXY_ORACLE_SEED` chooses other documents.
const SEED: &str = "1";
const DOCUMENTS: usize = 4000;
const IDENTITIES_PER_DOCUMENT: usize = 8;
/// How many differences are shrunk and printed before the test ends.
const MOST_REPROS: usize = 5;

fn seed() -> String {
    std::env::var("EDGE_PROXY_ORACLE_SEED").unwrap_or_else(|_| SEED.to_owned())
}

/// Compares all cases that `generate.py` makes of these arguments; `None` where skipped.
fn agree(arguments: &[&str]) -> Option<Tally> {
    let python = python()?;
    let mut oracle = Oracle::start(&python);
    let (mut tally, mut repros, mut differing) = (Tally::default(), Vec::new(), 0);
    generate(&python, arguments, |line| {
        let answer = oracle.ask(line);
        let case: Case<'_> = serde_json::from_str(line).expect("a case is JSON");
        let differences = compare(&case, &answer);
        tally.add(&answer);
        differing += differences.len();
        if let Some(difference) = differences
            .into_iter()
            .next()
            .filter(|_| repros.len() < MOST_REPROS)
        {
            repros.push(shrink(&mut oracle, &case, difference));
        }
    });
    for repro in &repros {
        eprintln!("--- {repro}");
    }
    assert!(
        differing == 0,
        "{differing} answers of {} pairs differ; the first are above",
        tally.pairs
    );
    println!("{tally}");
    Some(tally)
}

#[test]
fn generated_pairs_agree() {
    let arguments = [seed(), DOCUMENTS.to_string(), IDENTITIES_PER_DOCUMENT.to_string()];
    if let Some(tally) = agree(&arguments.each_ref().map(String::as_str)) {
        assert!(tally.pairs >= 20_000, "{} pairs are too few", tally.pairs);
        for rule in [
            "null priority is the weakest",
            "a raising segment does not match",
            "outer blanks of identifiers",
            "$. trait names",
            "identity overrides merged by hash",
            "numeric-looking identifiers",
            "multivariate identity overrides",
            "without an identity: flags/ without segments that need an identity",
        ] {
            assert!(
                tally.count(rule) > 0,
                "no generated pair meets the difference {rule:?}"
            );
        }
        for said in SAID {
            assert!(tally.said(said) > 0, "no generated flag says {said:?}");
        }
    }
}

#[test]
fn every_operator_agrees_on_every_trait_and_value() {
    agree(&["grid"]);
}

#[test]
fn random_regexes_agree_on_random_texts() {
    agree(&["regexes", &seed(), "60"]);
}

#[test]
fn percentages_agree_at_their_limits() {
    agree(&["boundaries"]);
}
