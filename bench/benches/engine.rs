//! Micro-benchmarks of the engine: compiling a document, reading a request, evaluating an identity, with allocations.
//!
//! `cargo bench -p bench --bench engine -- [FILTER]`
#![allow(
    clippy::expect_used,
    reason = "a benchmark that cannot run has nothing to go on with"
)]
use bench::documents::{self, HUGE, LARGE, Profile, SIMPLE, SIZING};
use bytes::Bytes;
use divan::{AllocProfiler, Bencher};
use engine::{Document, Environment, Identity, KeyKind};

#[global_allocator]
static ALLOCATOR: AllocProfiler = AllocProfiler::system();

fn main() {
    divan::main();
}

fn read(profile: Profile) -> Document {
    Document::from_pages(vec![Bytes::from(profile.document(0))]).expect("our documents are documents")
}

fn environment(profile: Profile) -> Environment {
    Environment::compile(&read(profile))
        .expect("our documents compile")
        .0
}

fn identity(body: &str) -> Identity<'_> {
    Identity::from_json(body.as_bytes(), || [0; 16]).expect("our identities are identities")
}

/// Documents by name.
const DOCUMENTS: [(&str, Profile); 4] = [
    ("simple", SIMPLE),
    ("sizing", SIZING),
    ("large", LARGE),
    ("huge", HUGE),
];

fn named(name: &str) -> Profile {
    DOCUMENTS
        .iter()
        .find(|(known, _)| *known == name)
        .map_or(SIMPLE, |(_, profile)| *profile)
}

/// Checks, finds the parts of and digests a document.
#[divan::bench(args = ["simple", "sizing", "large", "huge"], max_time = 5)]
fn read_document(bencher: Bencher<'_, '_>, name: &str) {
    let page = named(name).document(0);
    bencher
        .with_inputs(|| vec![Bytes::from(page.clone())])
        .bench_values(Document::from_pages);
}

#[divan::bench(args = ["simple", "sizing", "large", "huge"], max_time = 5)]
fn compile(bencher: Bencher<'_, '_>, name: &str) {
    let document = read(named(name));
    bencher.bench(|| Environment::compile(&document));
}

#[divan::bench]
fn read_identity_of_5_traits(bencher: Bencher<'_, '_>) {
    let body = documents::identity_without_match();
    bencher.bench(|| identity(&body).identifier().len());
}

#[divan::bench]
fn read_identity_of_15_traits(bencher: Bencher<'_, '_>) {
    let body = documents::identity_of_segment_7();
    bencher.bench(|| identity(&body).identifier().len());
}

/// With the answer's bytes.
#[divan::bench(args = ["simple", "sizing", "huge"])]
fn evaluate_in_no_segment(bencher: Bencher<'_, '_>, name: &str) {
    let (environment, body) = (environment(named(name)), documents::identity_without_match());
    let identity = identity(&body);
    bencher.bench(|| environment.identity_answer(KeyKind::Client, &identity));
}

#[divan::bench]
fn evaluate_in_segment_7(bencher: Bencher<'_, '_>) {
    let (environment, body) = (environment(SIZING), documents::identity_of_segment_7());
    let identity = identity(&body);
    bencher.bench(|| environment.identity_answer(KeyKind::Client, &identity));
}
