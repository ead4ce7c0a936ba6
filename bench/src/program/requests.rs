//! What requests cost beside a bare handler, or beside the same proxy without the part in question.
use std::io::{self, Write as _};
use std::rc::Rc;
use std::thread;
use std::time::{Duration, Instant};

use bench::child::{BareOn, Server, Start};
use bench::comparison::{Subject, measure as measure_subjects};
use bench::documents::{CLIENT_KEY, Profile};
use bench::statistics::Sample;
use flate2::Compression;
use flate2::write::GzEncoder;
use test_support::http::{Request, Response, ask};
use test_support::upstream::{Answer, ScriptedUpstream};

use super::cases::{self, Against, Case, NOT_MODIFIED, UNKNOWN_KEY};
use super::options::Options;
use super::report::Report;
use super::telemetry::start_collector;

/// Measures every case that is wanted.
pub(crate) fn measure(options: &Options, report: &mut Report) {
    let mut ratios = Vec::new();
    for case in cases::all().iter().filter(|case| options.wants(case.name)) {
        match measure_case(case, options, report) {
            Ok(ratio) => ratios.extend(ratio),
            // What one row cannot have is no reason to lose the others.
            Err(error) => report.failed(case.name, &error),
        }
    }
    if options.metrics {
        let what = "all requests with metrics on, beside the same without: medians of their ratios";
        report.measured("metrics-table", what, &Sample::new(ratios), "×");
    }
}

/// Gives how many times the other's cost this one's is.
fn measure_case(case: &Case, options: &Options, report: &mut Report) -> io::Result<Option<f64>> {
    let upstream = case.has_upstream.then(|| upstream(case.profile));
    let api_url = upstream.as_ref().map(ScriptedUpstream::api_url);
    let collector = (case.against == Against::WithoutSpans).then(start_collector);
    let start = Start {
        build: None,
        logs_accesses: case.against == Against::WithoutAccessLog,
        upstream: api_url.as_deref(),
        forwards_identities: case.against == Against::WithoutForwarding,
        speaks_tls: false,
        speaks_http2: false,
        collector: collector.transpose()?,
        has_admin: case.against == Against::WithoutMetrics || options.metrics,
    };
    let server = Rc::new(start_proxy_with(case.profile, start)?);
    let etag = match case.name {
        NOT_MODIFIED => ask(server.address, &case.request(None))?
            .header("etag")
            .map(str::to_owned),
        _ => None,
    };
    let own = Subject::new(Rc::clone(&server), case.request(etag.as_deref()));
    let answer = ask(server.address, &own.request)?;
    check(case, &answer)?;
    let (against, other) = other(case, start, &own, &answer, options)?;
    let mut ratio = None;
    if let [own, other] = measure_subjects(&[&own, &other], &options.plan)?.as_slice() {
        report.compare(case.name, case.what, own, against, other);
        ratio = Some(own.ratio_to(other).median());
    }
    if let Some(upstream) = &upstream {
        wait_for_a_post(upstream)?;
    }
    if case.against == Against::Uncompressed {
        size(case, &server, &answer, report)?;
    }
    Ok(ratio)
}

/// What a case is compared with, by name.
fn other(
    case: &Case,
    start: Start<'_>,
    own: &Subject,
    answer: &Response,
    options: &Options,
) -> io::Result<(&'static str, Subject)> {
    let request = own.request.clone();
    if options.beside.is_some() {
        let build = options.beside.as_deref();
        let server = start_proxy_with(case.profile, Start { build, ..start })?;
        return Ok(("the other build", Subject::new(server, request)));
    }
    if options.metrics {
        let start = Start {
            has_admin: false,
            ..start
        };
        let server = start_proxy_with(case.profile, start)?;
        return Ok(("the same without", Subject::new(server, request)));
    }
    Ok(match case.against {
        Against::BareGet => {
            let server = Server::start_bare(BareOn::Actix, "GET", case.path, &answer.bytes())?;
            // The request is the same, save a body.
            let request = match case.has_body() {
                false => request,
                true => case.get_request(),
            };
            ("bare GET", Subject::new(server, request))
        }
        Against::BarePost => {
            let server = Server::start_bare(BareOn::Actix, "POST", case.path, &answer.bytes())?;
            ("bare POST", Subject::new(server, request))
        }
        Against::Document(profile) => ("the same without", Subject::new(start_proxy(profile)?, request)),
        Against::WithoutAccessLog
        | Against::WithoutForwarding
        | Against::WithoutSpans
        | Against::WithoutMetrics => {
            let start = Start {
                upstream: start.upstream,
                ..Start::default()
            };
            let server = start_proxy_with(case.profile, start)?;
            ("the same without", Subject::new(server, request))
        }
        Against::Uncompressed => (
            "the same uncompressed",
            Subject::new(Rc::clone(&own.server), case.uncompressed_request()),
        ),
    })
}

/// Serves a document and takes whatever else it is sent.
fn upstream(profile: Profile) -> ScriptedUpstream {
    let document = profile.document(0);
    ScriptedUpstream::start(move |request| match request.method.as_str() {
        "GET" => Answer::ok(document.clone()).header("Content-Type", "application/json"),
        _ => Answer::ok("{}").header("Content-Type", "application/json"),
    })
}

/// Fails where upstream is sent nothing: what is measured is then not what the row says.
fn wait_for_a_post(upstream: &ScriptedUpstream) -> io::Result<()> {
    // Counts are sent every ten seconds.
    const PATIENCE: Duration = Duration::from_secs(20);
    let deadline = Instant::now() + PATIENCE;
    while Instant::now() < deadline {
        if upstream.requests().iter().any(|request| request.method == "POST") {
            return Ok(());
        }
        thread::sleep(Duration::from_millis(50));
    }
    Err(io::Error::other("upstream was sent nothing"))
}

/// How long a compressed body is beside what `gzip -6` makes of the plain one.
fn size(case: &Case, server: &Server, answer: &Response, report: &mut Report) -> io::Result<()> {
    if answer.header("content-encoding") != Some("gzip") {
        let coding = answer.header("content-encoding").unwrap_or("none");
        return Err(io::Error::other(format!("the content coding is {coding}")));
    }
    let plain = ask(server.address, &case.uncompressed_request())?.body;
    let mut encoder = GzEncoder::new(Vec::new(), Compression::new(6));
    encoder.write_all(&plain)?;
    let usual = encoder.finish()?.len();
    // Far below 2^52 bytes.
    #[allow(clippy::cast_precision_loss)]
    let times = answer.body.len() as f64 / usual as f64;
    let what = format!(
        "size of identities, {}: {} of {} bytes, `gzip -6` {usual}",
        case.what,
        answer.body.len(),
        plain.len(),
    );
    report.measured(&format!("{}-size", case.name), &what, &Sample::new([times]), "×");
    Ok(())
}

/// Fails where the answer is not the one that the case is about.
fn check(case: &Case, answer: &Response) -> io::Result<()> {
    let expected = match case.name {
        NOT_MODIFIED => 304,
        UNKNOWN_KEY => 401,
        _ => 200,
    };
    let (status, length) = (answer.status, answer.body.len());
    if status == expected && (length > 0) == (expected != 304) {
        return Ok(());
    }
    Err(io::Error::other(format!("answered {status} with {length} bytes")))
}

/// The proxy with this document applied.
pub(crate) fn start_proxy(profile: Profile) -> io::Result<Server> {
    start_proxy_with(profile, Start::default())
}

/// The same, started in another way.
pub(crate) fn start_proxy_with(profile: Profile, start: Start<'_>) -> io::Result<Server> {
    let server = Server::start_proxy(&profile.document(0), start)?;
    server.wait_for(&flags_request(), 200)?;
    Ok(server)
}

/// `GET flags/` with the client-side key.
pub(crate) fn flags_request() -> Request {
    Request::get(cases::FLAGS).key(CLIENT_KEY)
}
