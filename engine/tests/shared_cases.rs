//! Flagsmith's own cases for evaluation engines (`engine-test-data`), each a named test.
//!
//! They lie beside the repository, in `../shared` or where `EDGE_PROXY_SHARED_DIR` says; without them one test says so (and
//! fails in CI). A case holds an evaluation context and its result. Compared are the flags' names, enabled, values,
//! variants, feature ids and reasons (of identities as the answer has them), and the names of the matching segments.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unreachable,
    clippy::unwrap_used
)] // A test fails by panicking.

mod adapt;
mod explained;
#[allow(dead_code, reason = "the other test binary uses the rest")]
mod tree;

use std::path::{Path, PathBuf};

use bytes::Bytes;
use engine::{Document, Environment, Identity, KeyKind};
use explained::explained;
use libtest_mimic::{Arguments, Failed, Trial};
use tree::Tree;

/// As many as `engine-test-data` had when this was written.
const LEAST_CASES: usize = 199;

fn main() {
    let arguments = Arguments::from_args();
    let trials = match case_files() {
        Ok(files) => trials(files),
        Err(problem) if std::env::var_os("CI").is_some() && !are_left_out() => {
            vec![Trial::test("shared_cases", || Err(problem.into()))]
        }
        Err(notice) => {
            eprintln!("skipped: {notice}");
            vec![Trial::test("shared_cases_are_absent", || Ok(())).with_ignored_flag(true)]
        }
    };
    libtest_mimic::run(&arguments, trials).exit();
}

fn trials(files: Vec<PathBuf>) -> Vec<Trial> {
    let count = files.len();
    let none_is_missing = Trial::test("all_cases_are_there", move || {
        if count < LEAST_CASES {
            Err(format!("{count} cases, expected {LEAST_CASES}").into())
        } else {
            Ok(())
        }
    });
    let cases = files.into_iter().map(|file| {
        let name = file
            .file_stem()
            .map(|name| name.to_string_lossy().into_owned())
            .unwrap_or_default();
        Trial::test(name, move || run(&file))
    });
    std::iter::once(none_is_missing).chain(cases).collect()
}

/// `EDGE_PROXY_WITHOUT_SHARED=1` leaves the cases out, in CI too.
fn are_left_out() -> bool {
    std::env::var_os("EDGE_PROXY_WITHOUT_SHARED").is_some_and(|value| !value.is_empty() && value != "0")
}

/// The files of all cases, or why there are none.
fn case_files() -> Result<Vec<PathBuf>, String> {
    if are_left_out() {
        return Err("EDGE_PROXY_WITHOUT_SHARED is set".to_owned());
    }
    let shared = std::env::var_os("EDGE_PROXY_SHARED_DIR").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared"),
        PathBuf::from,
    );
    let folder = shared.join("engine-test-data/test_cases");
    let entries = folder
        .read_dir()
        .map_err(|error| format!("{}: {error}", folder.display()))?;
    let mut files: Vec<_> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    files.retain(|file| {
        file.extension()
            .is_some_and(|extension| extension == "json" || extension == "jsonc")
    });
    files.sort();
    Ok(files)
}

fn run(file: &Path) -> Result<(), Failed> {
    let text = std::fs::read_to_string(file)?;
    let case = Tree::parse(&without_comments(&text));
    let (context, result) = (
        case.get("context").ok_or("no context")?,
        case.get("result").ok_or("no result")?,
    );
    let document = adapt::document(context).to_json();
    let document = Document::from_pages(vec![Bytes::from(document)]).map_err(|error| format!("{error:?}"))?;
    let (environment, _) = Environment::compile(&document).map_err(|error| format!("{error:?}"))?;
    let mut reasons = Vec::new();
    let (flags, segments) = match context.get("identity") {
        None => {
            if let (_, Some(difference)) = explained(&environment, &document, KeyKind::Server, None) {
                return Err(difference.into());
            }
            environment.evaluate(KeyKind::Server, None, |flag| {
                reasons.push((flag.feature.name.to_string(), flag.reason.to_string()));
            });
            (
                Tree::parse(&String::from_utf8(environment.flags(KeyKind::Server))?),
                Vec::new(),
            )
        }
        Some(identity) => {
            let body = adapt::identity(identity).to_json();
            let key = identity
                .get("key")
                .and_then(Tree::string)
                .filter(|key| !key.is_empty());
            let mut identity =
                Identity::from_json(body.as_bytes(), || [0; 16]).map_err(|error| format!("{error:?}"))?;
            if let Some(key) = key {
                identity = identity.with_key(key);
            }
            if let (_, Some(difference)) =
                explained(&environment, &document, KeyKind::Server, Some(&identity))
            {
                return Err(difference.into());
            }
            let answer = Tree::parse(&String::from_utf8(
                environment.identity_answer(KeyKind::Server, &identity),
            )?);
            let segments = environment
                .matching_segments(Some(&identity))
                .into_iter()
                .map(str::to_owned)
                .collect();
            let flags = answer.get("flags").ok_or("no flags")?;
            reasons.extend(flags.elements().iter().filter_map(named_reason));
            (flags.clone(), segments)
        }
    };
    let expected: Vec<String> = result
        .get("segments")
        .map_or(&[][..], Tree::elements)
        .iter()
        .filter_map(|segment| segment.get("name")?.string())
        .collect();
    if segments != expected {
        return Err(format!("segments {segments:?}, expected {expected:?}").into());
    }
    compare_flags(context, &flags, result)?;
    compare_reasons(&reasons, result)
}

/// The flags come in the order of the context's features; the result is an object, which has none.
fn compare_flags(context: &Tree, flags: &Tree, result: &Tree) -> Result<(), Failed> {
    let features = context.get("features").map_or(&[][..], Tree::members);
    let expected = result.get("flags").ok_or("no flags in the result")?;
    if flags.elements().len() != features.len() || expected.members().len() != features.len() {
        return Err(format!("flags {}, expected {}", flags.to_json(), expected.to_json()).into());
    }
    for (flag, (name, _)) in flags.elements().iter().zip(features) {
        let expected = expected
            .get(name)
            .ok_or_else(|| format!("no result for {name}"))?;
        let id = expected.get("metadata").and_then(|metadata| metadata.get("id"));
        let pairs = [
            (
                flag.get("feature").and_then(|feature| feature.get("name")),
                expected.get("name"),
            ),
            (flag.get("enabled"), expected.get("enabled")),
            (flag.get("feature_state_value"), expected.get("value")),
            (flag.get("variant"), expected.get("variant")),
            (
                flag.get("feature")
                    .and_then(|feature| feature.get("id"))
                    .filter(|_| id.is_some()),
                id,
            ),
        ];
        if pairs
            .iter()
            .any(|(ours, theirs)| ours.map(Tree::to_json) != theirs.map(Tree::to_json))
        {
            return Err(format!("{name} is {}, expected {}", flag.to_json(), expected.to_json()).into());
        }
    }
    Ok(())
}

/// A flag's name and reason, as it was answered.
fn named_reason(flag: &Tree) -> Option<(String, String)> {
    Some((
        flag.get("feature")?.get("name")?.string()?,
        flag.get("reason")?.string()?,
    ))
}

/// The cases are older than the reason `STATIC` and say `DEFAULT` in its place.
fn compare_reasons(reasons: &[(String, String)], result: &Tree) -> Result<(), Failed> {
    let flags = result.get("flags").ok_or("no flags in the result")?;
    if reasons.len() != flags.members().len() {
        return Err(format!("{} reasons of {} flags", reasons.len(), flags.members().len()).into());
    }
    for (name, reason) in reasons {
        let reason = if reason == "STATIC" { "DEFAULT" } else { reason };
        let expected = flags.get(name).and_then(|flag| flag.get("reason")?.string());
        if expected.as_deref() != Some(reason) {
            return Err(format!("{name} is what it is by {reason:?}, expected {expected:?}").into());
        }
    }
    Ok(())
}

/// JSON with comments (`//` and `/* */`, not inside strings) as JSON.
fn without_comments(text: &str) -> String {
    let mut json = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(next) = rest.chars().next() {
        let length = if next == '"' {
            let length = string_length(rest);
            json.push_str(&rest[..length]);
            length
        } else if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with("/*") {
            rest.find("*/").map_or(rest.len(), |end| end + 2)
        } else {
            json.push(next);
            next.len_utf8()
        };
        rest = &rest[length..];
    }
    json
}

/// The length in bytes of the JSON string at the start of the text, quotes included.
fn string_length(text: &str) -> usize {
    let mut escaped = true; // The opening quote ends nothing.
    for (position, byte) in text.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => return position + 1,
            _ => {}
        }
    }
    text.len()
}
