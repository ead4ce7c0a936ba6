//! What no document, no request body and no trait may do to the engine, and what always holds of its answers.
//!
//! `PROPTEST_CASES` says how many cases each property is tried with (256 without it).

mod answers;
mod bodies;
mod digests;
mod documents;
mod edges;
mod gzip;
mod invariants;
mod json;
mod work;

use std::io::Read;
use std::time::Duration;

use super::explained::explained;
use super::oracle::CASES;
use super::tree::Tree;
use bytes::Bytes;
use engine::{Body, Document, Environment, Identity, KeyKind, UpdatedAt};
use flate2::read::MultiGzDecoder;
use proptest::test_runner::Config;
use serde::de::IgnoredAny;

/// Bodies that every document is asked with, beside those that a property makes.
const BODIES: [&str; 3] = [
    r#"{"identifier":"alice"}"#,
    r#"{"identifier":"007","traits":[{"trait_key":"age","trait_value":30},{"trait_key":"plan","trait_value":"premium"},
        {"trait_key":"version","trait_value":"1.2.3"},{"trait_key":"beta","trait_value":true}]}"#,
    r#"{"identifier":null,"traits":[{"trait_key":"t","trait_value":1.5},{"trait_key":"email","trait_value":null}]}"#,
];

/// Longer than any set of documents or requests here may take in an unoptimised build on a busy machine: the longest takes 15 s of
/// one processor alone. What is exponential takes longer by far.
const LONGEST: Duration = Duration::from_secs(600);

fn config() -> Config {
    Config {
        failure_persistence: None,
        ..Config::default()
    }
}

/// The documents of the recorded cases, which are rich in every kind of condition; those of the grid left out (they are large, and all alike).
fn documents() -> Vec<Tree> {
    let documents = CASES
        .lines()
        .map(|line| Tree::parse(line).get("document").expect("a document").clone());
    documents
        .filter(|document| {
            !document
                .get("feature_states")
                .expect("feature states")
                .elements()
                .is_empty()
        })
        .collect()
}

fn compiled(document: &[u8]) -> Option<Environment> {
    let document = Document::from_pages(vec![Bytes::copy_from_slice(document)]).ok()?;
    Some(Environment::compile(&document).expect("a document compiles").0)
}

/// Reads, compiles and asks a document in every way there is. Its answers are JSON; errors and warnings can be displayed.
fn exercise_document(document: &[u8]) {
    let document = match Document::from_pages(vec![Bytes::copy_from_slice(document)]) {
        Ok(document) => document,
        Err(error) => {
            let _ = format!("{error:?}");
            return;
        }
    };
    let _ = (document.updated_at(), document.content());
    is_json(&document.to_json(UpdatedAt::from_micros(1_735_229_888_760_000)));
    let (environment, warnings) = Environment::compile(&document).expect("a document compiles");
    for warning in warnings {
        let _ = warning.to_string();
    }
    for body in BODIES {
        exercise_body(&environment, body.as_bytes());
        if let Ok(identity) = Identity::from_json(body.as_bytes(), || [7; 16]) {
            exercise_explanation(&environment, &document, Some(&identity));
        }
    }
    exercise_explanation(&environment, &document, None);
}

/// Asks why, as both kinds of key. The explanation says what is served; it can be displayed, and is JSON.
fn exercise_explanation(environment: &Environment, document: &Document, identity: Option<&Identity<'_>>) {
    for kind in [KeyKind::Client, KeyKind::Server] {
        let (explanation, difference) = explained(environment, document, kind, identity);
        assert_eq!(difference, None);
        is_json(&serde_json::to_vec(&explanation).expect("JSON"));
        let text = explanation.to_string();
        assert!(
            !text
                .chars()
                .any(|character| character.is_control() && character != '\n'),
            "{text:?}"
        );
    }
}

/// Asks an environment with a body, as both kinds of key.
fn exercise_body(environment: &Environment, body: &[u8]) {
    for kind in [KeyKind::Client, KeyKind::Server] {
        is_json(&environment.flags(kind));
    }
    let identity = match Identity::from_json(body, || [7; 16]) {
        Ok(identity) => identity,
        Err(error) => {
            let _ = format!("{error:?}");
            return;
        }
    };
    let _ = environment.matching_segments(Some(&identity));
    for kind in [KeyKind::Client, KeyKind::Server] {
        let answer = environment.identity_answer(kind, &identity);
        is_json(&answer);
        match environment.identity_answer_gzip(kind, &identity, 0) {
            Body::Plain(plain) => assert!(plain == answer, "another body"),
            Body::Gzip(gzip) => assert!(gunzipped(&gzip) == answer, "another body in gzip"),
        }
        for name in ["feature_0", "f1", ""] {
            for answer in [
                environment.identity_flag(kind, &identity, name),
                environment.flag(kind, name),
            ] {
                answer.iter().for_each(|answer| is_json(answer));
            }
        }
    }
}

fn gunzipped(gzip: &[u8]) -> Vec<u8> {
    let mut body = Vec::new();
    MultiGzDecoder::new(gzip).read_to_end(&mut body).expect("gzip");
    body
}

fn is_json(bytes: &[u8]) {
    if let Err(error) = serde_json::from_slice::<IgnoredAny>(bytes) {
        panic!("{error} in {}", String::from_utf8_lossy(bytes));
    }
}

/// Fails, instead of hanging, where the work takes longer than [`LONGEST`]. A panic of the work is the test's own.
fn bounded(work: impl FnOnce() + Send + 'static) {
    let (done, finished) = std::sync::mpsc::channel::<()>();
    let worker = std::thread::spawn(move || {
        let _done = done;
        work();
    });
    let ended = finished.recv_timeout(LONGEST);
    assert!(
        ended != Err(std::sync::mpsc::RecvTimeoutError::Timeout),
        "took longer than {LONGEST:?}"
    );
    if let Err(panic) = worker.join() {
        std::panic::resume_unwind(panic);
    }
}
