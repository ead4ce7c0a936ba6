//! The engine against cases that were recorded from Flagsmith's Python pipeline: needs nothing but the repository.
//!
//! `engine/oracle/README.md` says how to record again; `differential.rs` compares far more cases, live.

use super::oracle::{Answer, CASES, Case, Tally, compare};
use serde::Deserialize;

#[derive(Deserialize)]
struct Recorded {
    answer: Answer,
}

#[test]
fn recorded_cases_agree() {
    let (mut tally, mut differing) = (Tally::default(), 0);
    for (number, line) in CASES.lines().enumerate() {
        let case: Case<'_> = serde_json::from_str(line).expect("a case is JSON");
        let Recorded { answer } = serde_json::from_str(line).expect("an answer is JSON");
        for difference in compare(&case, &answer) {
            differing += 1;
            let identity = difference
                .identity
                .map_or("no identity", |identity| case.identities[identity].get());
            let (what, ours, theirs) = (difference.what, difference.ours, difference.theirs);
            eprintln!(
                "--- line {}, {identity}: {what}\nours:\n{ours}\ntheirs:\n{theirs}",
                number + 1
            );
        }
        tally.add(&answer);
    }
    assert!(
        differing == 0,
        "{differing} answers differ from what was recorded"
    );
    assert!(tally.pairs >= 300, "{} pairs are too few", tally.pairs);
    println!("{tally}");
}
