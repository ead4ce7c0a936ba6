use std::collections::BTreeMap;

use actix_web::http::{Method, StatusCode};

use super::*;

fn patterns() -> Arc<Patterns> {
    Arc::default()
}

fn count(counts: &WorkerCounts, times: usize) {
    for _ in 0..times {
        let method = MethodNumber::of(&Method::GET);
        counts.count("/", method, StatusCode::OK, 3_000, Some(10));
    }
}

/// Requests, and the bytes of their answers.
fn sums(metrics: &Metrics) -> (u64, u64) {
    let totals = metrics.totals();
    totals.series().fold((0, 0), |(requests, bytes), (_, sums)| {
        (
            requests + sums.durations.count(),
            bytes.wrapping_add(sums.sizes.sum),
        )
    })
}

#[test]
fn what_workers_count_is_added_up_and_outlives_them() {
    let (metrics, patterns) = (Metrics::default(), patterns());
    let (one, other) = (metrics.register(&patterns), metrics.register(&patterns));
    count(&one, 2);
    count(&other, 3);
    assert_eq!(sums(&metrics), (5, 50));
    drop(one);
    assert_eq!(sums(&metrics), (5, 50));
    // Its place is taken by the next worker, and no list grows.
    let next = metrics.register(&patterns);
    count(&next, 1);
    assert_eq!(sums(&metrics), (6, 60));
    assert_eq!(metrics.workers().len(), 2);
    drop((other, next));
    assert_eq!(sums(&metrics), (6, 60));
}

#[test]
fn a_scrape_while_workers_count_sees_numbers_that_only_grow() {
    let (metrics, patterns) = (Metrics::default(), patterns());
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..2)
            .map(|_| scope.spawn(|| count(&metrics.register(&patterns), 20_000)))
            .collect();
        let mut last = (0, 0);
        while !workers.iter().all(|worker| worker.is_finished()) {
            let now = sums(&metrics);
            assert!(now.0 >= last.0 && now.1 >= last.1, "{now:?} after {last:?}");
            last = now;
        }
    });
    assert_eq!(sums(&metrics), (40_000, 400_000));
}

#[test]
fn each_refusal_is_counted_by_its_reason() {
    let metrics = Metrics::default();
    metrics.refused(Reason::SlowHead);
    metrics.refused(Reason::SlowHead);
    metrics.refused(Reason::StreamsEnding);
    let counted: Vec<_> = metrics
        .refusals()
        .into_iter()
        .filter(|(_, count)| *count > 0)
        .collect();
    assert_eq!(counted, [(Reason::SlowHead, 2), (Reason::StreamsEnding, 1)]);
}

#[test]
fn a_hundred_thousand_random_requests_make_as_many_series_as_there_are_labels() {
    let mut patterns = Patterns::default();
    for pattern in ["/api/v1/flags", "/sse/environments/{client_side_key}/stream"] {
        patterns.add(pattern);
    }
    let (metrics, count) = (Metrics::default(), patterns.count());
    let counts = metrics.register(&Arc::new(patterns));
    let mut random = fastrand::Rng::with_seed(7);
    let most = count * labels::METHODS.len() * labels::STATUSES.len();
    for _ in 0..100_000 {
        let word: String = std::iter::repeat_with(|| random.alphabetic()).take(8).collect();
        let path = match random.usize(..3) {
            0 => "/api/v1/flags/".to_owned(),
            1 => format!("/sse/environments/{word}/stream"),
            _ => format!("/{word}"),
        };
        let method = match random.usize(..3) {
            0 => word,
            _ => labels::METHODS[random.usize(..labels::METHODS.len())].to_owned(),
        };
        let method = MethodNumber::of(&Method::from_bytes(method.as_bytes()).unwrap());
        let status = StatusCode::from_u16(random.u16(100..1_000)).unwrap();
        let bytes = random.bool().then(|| random.u64(..));
        counts.count(&path, method, status, random.u64(..), bytes);
    }
    let series = metrics.series();
    assert!(series <= most, "{series} of {most}");
    assert_eq!(sums(&metrics).0, 100_000);
}

#[test]
fn each_request_is_counted_with_its_own_labels_whatever_came_before() {
    let mut patterns = Patterns::default();
    for pattern in [
        "",
        "/api/v1/flags",
        "/api/v1/traits",
        "/sse/environments/{client_side_key}/stream",
    ] {
        patterns.add(pattern);
    }
    let metrics = Metrics::default();
    let counts = metrics.register(&Arc::new(patterns));
    // Lengths, methods and statuses that fall together, and a path that is longer than any that is kept.
    let long = format!("/{}", "long/".repeat(400));
    let paths = [
        ("", "/"),
        ("/", "/"),
        ("/api/v1/flags", "/api/v1/flags/"),
        ("/api/v1/flags/", "/api/v1/flags/"),
        ("/api/v1/traits", "/api/v1/traits/"),
        ("/api/v1/other", "unmatched"),
        (
            "/sse/environments/a/stream",
            "/sse/environments/{client_side_key}/stream/",
        ),
        (&long, "unmatched"),
    ];
    let (methods, statuses) = (["GET", "POST", "HEAD"], ["200", "205", "304", "404"]);
    let mut expected = BTreeMap::new();
    let mut random = fastrand::Rng::with_seed(13);
    for _ in 0..20_000 {
        let (path, route) = paths[random.usize(..paths.len())];
        let method = methods[random.usize(..methods.len())];
        let status = statuses[random.usize(..statuses.len())];
        let bytes = random.u64(..20_000_000);
        counts.count(
            path,
            MethodNumber::of(&Method::from_bytes(method.as_bytes()).unwrap()),
            StatusCode::from_bytes(status.as_bytes()).unwrap(),
            bytes + 1,
            Some(bytes),
        );
        // What is not answered here has the name of its class.
        let status = if status == "205" { "2xx" } else { status };
        let sums = expected.entry([route, method, status]).or_insert((0, 0));
        *sums = (sums.0 + 1, sums.1 + bytes);
    }
    let totals = metrics.totals();
    let counted: BTreeMap<_, _> = totals
        .series()
        .map(|(labels, sums)| {
            assert_eq!(sums.durations.sum, sums.sizes.sum + sums.sizes.count());
            (labels, (sums.durations.count(), sums.sizes.sum))
        })
        .collect();
    assert_eq!(counted, expected);
}
