//! What holds of every document, body, date, pattern, path and version, whatever its bytes are: fuzz targets, which the tests run
//! over a corpus with changes (`test_support::mutation`), and cargo-fuzz without an end (`fuzz/`).
#![expect(clippy::panic, reason = "a target fails by panicking")]
use std::io::Read as _;
use std::sync::LazyLock;

use bytes::Bytes;
use flate2::read::MultiGzDecoder;
use serde::de::IgnoredAny;

use crate::{Body, Document, Environment, Identity, KeyKind, UpdatedAt, condition};

/// Identities that every document is asked for.
const BODIES: [&str; 3] = [
    r#"{"identifier":"alice"}"#,
    r#"{"identifier":"007","traits":[{"trait_key":"age","trait_value":30},{"trait_key":"plan","trait_value":"premium"},
        {"trait_key":"version","trait_value":"1.2.3"},{"trait_key":"beta","trait_value":true}]}"#,
    r#"{"identifier":null,"traits":[{"trait_key":"t","trait_value":1.5},{"trait_key":"email","trait_value":null}]}"#,
];

/// The environment that every body is asked of.
const DOCUMENT: &[u8] = include_bytes!("../../fuzz/corpus/document/all-kinds.json");

/// An environment document: parsed, compiled, evaluated, answered, in gzip too.
pub fn document(data: &[u8]) {
    let Ok(document) = Document::from_pages(vec![Bytes::copy_from_slice(data)]) else {
        return;
    };
    let served = UpdatedAt::from_micros(1_735_229_888_760_000);
    let again = Document::from_pages(vec![document.to_json(served).into()]);
    let again = again.unwrap_or_else(|error| panic!("the served document is none: {error}"));
    assert!(
        again.content() == document.content(),
        "the served document is another one"
    );
    let Ok((environment, warnings)) = Environment::compile(&document) else {
        panic!("a document that is one does not compile");
    };
    for warning in warnings {
        assert!(!warning.to_string().is_empty(), "an empty warning");
    }
    for body in BODIES {
        ask(&environment, body.as_bytes());
    }
}

/// The body of `identities/`.
pub fn identity(data: &[u8]) {
    static ENVIRONMENT: LazyLock<Environment> = LazyLock::new(|| {
        let document = Document::from_pages(vec![Bytes::from_static(DOCUMENT)]);
        let compiled = document.map(|document| Environment::compile(&document));
        let Ok(Ok((environment, _))) = compiled else {
            panic!("the corpus has a document");
        };
        environment
    });
    ask(&ENVIRONMENT, data);
}

/// Asks an environment for what a body says, as both kinds of key. Answers are JSON, and gzip decodes to them.
fn ask(environment: &Environment, body: &[u8]) {
    let identity = match Identity::from_json(body, || [7; 16]) {
        Ok(identity) => identity,
        Err(error) => {
            let text = String::from_utf8_lossy(body);
            let told = error.to_string();
            // A word of the body alone: short ones are ours too.
            let is_repeated = |word: &str| word.len() > 20 && told.contains(word);
            assert!(
                !text.split(['"', ' ']).any(is_repeated),
                "the error repeats the body: {told}"
            );
            return;
        }
    };
    for kind in [KeyKind::Client, KeyKind::Server] {
        is_json(&environment.flags(kind));
        let (answer, steps) = environment.identity_answer_counted(kind, &identity);
        assert!(steps <= crate::MOST_STEPS, "{steps} steps");
        is_json(&answer);
        match environment.identity_answer_gzip(kind, &identity, 0) {
            Body::Plain(plain) => assert!(plain == answer, "another body"),
            Body::Gzip(gzip) => assert!(gunzipped(&gzip) == answer, "another body in gzip"),
        }
        if let Some(flag) = environment.identity_flag(kind, &identity, "banner") {
            is_json(&flag);
        }
    }
}

fn gunzipped(gzip: &[u8]) -> Vec<u8> {
    let mut body = Vec::new();
    if let Err(error) = MultiGzDecoder::new(gzip).read_to_end(&mut body) {
        panic!("no gzip: {error}");
    }
    body
}

fn is_json(bytes: &[u8]) {
    if let Err(error) = serde_json::from_slice::<IgnoredAny>(bytes) {
        panic!("{error} in {}", String::from_utf8_lossy(bytes));
    }
}

/// A time of a document. What is written of it is read as the same time, and so is its date in whole seconds.
pub fn updated_at(data: &[u8]) {
    let Some(time) = UpdatedAt::parse(&String::from_utf8_lossy(data)) else {
        return;
    };
    let written = time.to_rfc3339();
    assert_eq!(
        UpdatedAt::parse(&written),
        Some(time),
        "{written} is another time"
    );
    let served = time.to_string();
    assert!(served.parse::<f64>().is_ok(), "{served} is no number");
    assert!(!time.to_http_date().is_empty());
    assert!(time.next() > time);
}

/// A condition's pattern, and a text.
pub fn regex(data: &[u8]) {
    condition::fuzz::regex(data);
}

/// A condition's path, and what it searches.
pub fn json_path(data: &[u8]) {
    condition::fuzz::json_path(data);
}

/// Two versions.
pub fn semver(data: &[u8]) {
    condition::fuzz::semver(data);
}

#[cfg(test)]
mod tests {
    use test_support::mutation::run;

    #[test]
    fn documents() {
        run("document", super::document);
    }

    #[test]
    fn identities() {
        run("identity", super::identity);
    }

    #[test]
    fn times() {
        run("updated_at", super::updated_at);
    }

    #[test]
    fn regexes() {
        run("regex", super::regex);
    }

    #[test]
    fn json_paths() {
        run("json_path", super::json_path);
    }

    #[test]
    fn versions() {
        run("semver", super::semver);
    }
}
