//! The engine alone: evaluating an identity with its answer's bytes, the request parsed.
use std::hint::black_box;
use std::time::{Duration, Instant};

use bench::documents::{self, Profile, SIMPLE, SIZING};
use bench::statistics::Sample;
use bench::{cpu, hostile};
use engine::{Body, Document, Environment, Identity, KeyKind, MOST_STEPS};

use super::options::Options;
use super::report::Report;

/// Measures every row that is wanted.
pub(crate) fn measure(options: &Options, report: &mut Report) {
    let no_match = documents::identity_without_match();
    let segment_7 = documents::identity_of_segment_7();
    for (name, what, profile, body) in [
        ("evaluate-simple", "simple", SIMPLE, &no_match),
        ("evaluate-sizing", "sizing, in no segment", SIZING, &no_match),
        (
            "evaluate-segment",
            "sizing, 15 traits, in segment 7",
            SIZING,
            &segment_7,
        ),
    ] {
        if options.wants(name) {
            let environment = compile(profile);
            let times = evaluate(&environment, body, options);
            report.measured(name, &format!("evaluation and answer: {what}"), &times, "µs");
            for (coding, count) in [
                (
                    "plain",
                    whole_path(body, |identity| plain(&environment, identity)),
                ),
                ("gzip", whole_path(body, |identity| gzip(&environment, identity))),
            ] {
                let what = format!("allocations of reading, evaluating and answering in {coding}: {what}");
                report.measured(
                    &format!("{name}-{coding}-path-allocations"),
                    &what,
                    &Sample::new([count]),
                    "",
                );
            }
            let allocations = allocations(&environment, body);
            let what = format!("allocations of the same: {what}");
            report.measured(
                &format!("{name}-allocations"),
                &what,
                &Sample::new([allocations]),
                "",
            );
            let what = format!("reading the request's body: {what}", what = body_of(body));
            report.measured(&format!("{name}-parse"), &what, &parse(body, options), "µs");
        }
    }
    if options.wants("evaluate-worst") {
        worst(options, report);
    }
    if options.wants("growth") {
        growth(options, report);
    }
}

/// The identity that takes most of all that the limits accept, each with the document that lets it.
fn worst(options: &Options, report: &mut Report) {
    let measured = hostile::all().into_iter().map(|pair| {
        let document = Document::from_pages(vec![pair.document.into()]).expect("our documents are documents");
        let environment = compiled(&document);
        let identity = identity(&pair.body);
        let (_, steps) = environment.identity_answer_counted(KeyKind::Client, &identity);
        let times = cpu_time(options, || {
            black_box(environment.identity_answer(KeyKind::Client, black_box(&identity)));
        });
        let what = format!("{}, {steps} of {MOST_STEPS} steps", pair.name);
        eprintln!("{:.0} µs of CPU: {what}", times.median());
        (what, times)
    });
    let worst = measured.max_by(|(_, one), (_, other)| one.median().total_cmp(&other.median()));
    if let Some((what, times)) = worst {
        let what = format!("CPU of the worst accepted identity: {what}");
        report.measured("evaluate-worst", &what, &times, "µs");
    }
}

/// Microseconds of CPU a call, of rounds that are long beside the scheduler's ticks.
fn cpu_time(options: &Options, mut call: impl FnMut()) -> Sample {
    let round = Duration::from_millis(if options.quick { 50 } else { 200 });
    let mut once = || {
        let (start, mut calls) = (cpu::time_of_this_thread(), 0_u32);
        loop {
            call();
            calls += 1;
            let taken = cpu::time_of_this_thread().saturating_sub(start);
            if taken >= round {
                return taken.as_secs_f64() * 1e6 / f64::from(calls);
            }
        }
    };
    Sample::new((0..options.repetitions(5)).map(|_| once()))
}

fn body_of(body: &str) -> String {
    format!("{} bytes", body.len())
}

fn growth(options: &Options, report: &mut Report) {
    let no_match = documents::identity_without_match();
    let over = |sizes: &[usize], profile: &dyn Fn(usize) -> Profile| -> Vec<(usize, f64)> {
        sizes
            .iter()
            .map(|size| {
                (
                    *size,
                    evaluate(&compile(profile(*size)), &no_match, options).median(),
                )
            })
            .collect()
    };
    let sizing = SIZING;
    report.grows(
        "features, no segments",
        &over(&[10, 100, 1000], &|features| Profile { features, ..SIMPLE }),
        "defaults are one run of ready bytes, which is copied; linear in the answer's bytes",
    );
    report.grows(
        "features, 15 segments, none matching",
        &over(&[10, 100, 1000], &|features| Profile { features, ..sizing }),
        "as above; what a segment overrides is looked at only where it matches",
    );
    report.grows(
        "segments, none matching",
        &over(&[0, 15, 50, 150, 500], &|segments| Profile { segments, ..sizing }),
        "each is asked until a condition fails, here the first or second",
    );
    report.grows(
        "segments, all matching",
        &over(&[0, 1, 15, 50, 150], &|segments| Profile {
            segments,
            conditions: 0,
            ..sizing
        }),
        "of one its overrides are a run of ready bytes; of more, each override is compared with the feature's so far",
    );
    report.grows(
        "conditions of each segment",
        &over(&[1, 15, 50, 150], &|conditions| Profile { conditions, ..sizing }),
        "the first that fails ends a rule of type ALL; a slot for each trait that is read is cleared",
    );
    report.grows(
        "identity overrides",
        &over(&[0, 1_000, 10_000, 100_000], &|identity_overrides| Profile {
            identity_overrides,
            ..sizing
        }),
        "one look-up by hash, whatever their number",
    );
    let environment = compile(sizing);
    let traits: Vec<(usize, f64)> = [0, 10, 30, 100]
        .into_iter()
        .map(|count| {
            (
                count,
                evaluate(&environment, &documents::identity_with_traits(count), options).median(),
            )
        })
        .collect();
    report.grows(
        "traits of the request",
        &traits,
        "one look-up of the trait's name, and its echo",
    );
}

fn compile(profile: Profile) -> Environment {
    let document =
        Document::from_pages(vec![profile.document(0).into()]).expect("our documents are documents");
    compiled(&document)
}

fn compiled(document: &Document) -> Environment {
    Environment::compile(document).expect("our documents compile").0
}

fn identity(body: &str) -> Identity<'_> {
    Identity::from_json(body.as_bytes(), || [0; 16]).expect("our identities are identities")
}

fn evaluate(environment: &Environment, body: &str, options: &Options) -> Sample {
    let identity = identity(body);
    timed(options, || {
        black_box(environment.identity_answer(KeyKind::Client, black_box(&identity)));
    })
}

fn parse(body: &str, options: &Options) -> Sample {
    timed(options, || {
        black_box(identity(black_box(body)));
    })
}

fn allocations(environment: &Environment, body: &str) -> f64 {
    let identity = identity(body);
    allocations_of(|| {
        black_box(plain(environment, &identity));
    })
}

fn plain(environment: &Environment, identity: &Identity<'_>) -> Body {
    Body::Plain(environment.identity_answer(KeyKind::Client, identity))
}

fn gzip(environment: &Environment, identity: &Identity<'_>) -> Body {
    environment.identity_answer_gzip(KeyKind::Client, identity, 0)
}

/// How often reading a request's body and answering it allocates, the answer's body counted.
fn whole_path(body: &str, answer: impl Fn(&Identity<'_>) -> Body) -> f64 {
    let once = || {
        black_box(answer(&identity(black_box(body))));
    };
    // A thread keeps what composing takes from one answer to the next.
    once();
    allocations_of(once)
}

fn allocations_of(call: impl FnOnce()) -> f64 {
    let counted = allocation_counter::measure(call);
    // Far below 2^52 allocations.
    #[allow(clippy::cast_precision_loss)]
    let count = counted.count_total as f64;
    count
}

/// Microseconds a call, of rounds that each take a while.
fn timed(options: &Options, mut call: impl FnMut()) -> Sample {
    let round = Duration::from_millis(if options.quick { 20 } else { 100 });
    let mut once = || {
        let (start, mut calls) = (Instant::now(), 0_u32);
        while start.elapsed() < round {
            (0..64).for_each(|_| call());
            calls += 64;
        }
        start.elapsed().as_secs_f64() * 1e6 / f64::from(calls)
    };
    once();
    Sample::new((0..options.repetitions(15)).map(|_| once()))
}
