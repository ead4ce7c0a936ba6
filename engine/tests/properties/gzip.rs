//! Answers in gzip say what the plain ones do, to Python's decoder too.
use std::io::{ErrorKind, Write as _};
use std::process::{Command, Stdio};

use engine::{Body, Environment, Identity, KeyKind};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;
use serde_json::json;

use super::{BODIES, compiled, documents, gunzipped};

/// Reads pairs of gzip and what it stands for, each with its length before it, and says how many there are.
const PYTHON: &str = r#"
import gzip, struct, sys
pairs = 0
def text():
    length = sys.stdin.buffer.read(4)
    return sys.stdin.buffer.read(struct.unpack("<I", length)[0]) if length else None
while (packed := text()) is not None:
    assert gzip.decompress(packed) == text(), f"another body, pair {pairs}"
    pairs += 1
print(pairs)
"#;

/// Answers, in gzip and plain.
#[derive(Default)]
struct Pairs(Vec<(Vec<u8>, Vec<u8>)>);

impl Pairs {
    fn add(&mut self, environment: &Environment, body: &[u8]) {
        let identity = Identity::from_json(body, || [7; 16]).expect("an identity");
        for kind in [KeyKind::Client, KeyKind::Server] {
            let plain = environment.identity_answer(kind, &identity);
            match environment.identity_answer_gzip(kind, &identity, 0) {
                Body::Gzip(gzip) => {
                    assert!(gunzipped(&gzip) == plain, "another body in gzip");
                    self.0.push((gzip, plain));
                }
                Body::Plain(body) => assert!(body == plain, "another body"),
            }
        }
    }

    /// Whether Python is here and reads all of them.
    fn python_reads(self) -> bool {
        let python = Command::new("python3")
            .args(["-c", PYTHON])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn();
        let mut python = match python {
            Ok(python) => python,
            Err(error) if error.kind() == ErrorKind::NotFound && std::env::var_os("CI").is_none() => {
                eprintln!("skipped: there is no python3");
                return false;
            }
            Err(error) => panic!("python3: {error}"),
        };
        let mut input = python.stdin.take().expect("a pipe");
        let count = self.0.len();
        for text in self.0.into_iter().flat_map(<[_; 2]>::from) {
            let length = u32::try_from(text.len()).expect("short");
            let sent = input
                .write_all(&length.to_le_bytes())
                .and_then(|()| input.write_all(&text));
            sent.expect("python3 reads");
        }
        drop(input);
        let output = python.wait_with_output().expect("python3 ends");
        assert!(output.status.success());
        assert_eq!(String::from_utf8_lossy(&output.stdout).trim(), count.to_string());
        true
    }
}

#[test]
fn python_reads_the_answers_of_every_document() {
    let mut pairs = Pairs::default();
    for document in documents() {
        let environment = compiled(document.to_json().as_bytes()).expect("a document");
        BODIES
            .iter()
            .for_each(|body| pairs.add(&environment, body.as_bytes()));
    }
    assert!(pairs.0.len() > 100);
    pairs.python_reads();
}

/// Identities that send up to a megabyte, in any alphabet.
fn sent() -> impl Strategy<Value = String> {
    let key = prop_oneof!["[a-z_]{1,12}", "\\PC{1,20}"];
    let value = prop_oneof!["[a-z ]{0,40}", "\\PC{0,60}", "(ab|[0-9]){0,900}", "\\PC{400,500}"];
    let ordinary = prop_oneof!["[a-z ]{0,40}", "\\PC{0,20}", "[0-9]{1,9}"];
    let ordinary = vec((key.clone(), ordinary), 0..10);
    let few = vec((key.clone(), value.clone()), 0..12);
    let many = vec((key, value), 0..600);
    let traits = prop_oneof![8 => ordinary, 4 => few, 1 => many];
    let identifier = prop_oneof!["[a-z0-9-]{1,40}", "\\PC{1,100}"];
    (identifier, traits).prop_map(|(identifier, traits)| {
        let traits: Vec<_> = traits
            .into_iter()
            .map(|(key, value)| json!({"trait_key": format!("k{key}"), "trait_value": value}))
            .collect();
        json!({"identifier": identifier, "traits": traits}).to_string()
    })
}

#[test]
fn python_reads_the_answers_to_whatever_is_sent() {
    let documents: Vec<_> = documents().into_iter().take(5).collect();
    let environments: Vec<_> = documents
        .iter()
        .map(|document| compiled(document.to_json().as_bytes()).expect("a document"))
        .collect();
    let mut runner = TestRunner::deterministic();
    let mut pairs = Pairs::default();
    for _ in 0..400 {
        let body = sent().new_tree(&mut runner).expect("a body").current();
        environments
            .iter()
            .for_each(|environment| pairs.add(environment, body.as_bytes()));
    }
    assert!(pairs.0.len() > 300, "{}", pairs.0.len());
    pairs.python_reads();
}
