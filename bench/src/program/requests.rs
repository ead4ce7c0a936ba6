//! What requests cost beside a bare handler, or beside the same proxy without the part in question.
use std::io::{self, Write as _};
use std::rc::Rc;
use std::thread;
use std::time::{Duration, Instant};

use bench::child::{BareOn, Server, Start};
use bench::comparison::{Cost, Plan, Subject, measure as measure_subjects};
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
            Ok(ratio) => ratios.push(ratio),
            // What one row cannot have is no reason to lose the others.
            Err(error) => report.failed(case.name, &error),
        }
    }
    // What is said of all requests is measured of all.
    if options.metrics && options.only.is_none() {
        let what = "all requests with metrics on, beside the same without: medians of their ratios";
        report.ratio("metrics-table", what, &Sample::new(ratios));
    }
}

/// Gives how many times the other's cost this one's is.
fn measure_case(case: &Case, options: &Options, report: &mut Report) -> io::Result<f64> {
    let is_of_proxies = options.compares_proxies() || case.against.is_a_proxy();
    let pairs = if is_of_proxies { options.plan.rounds } else { 1 };
    let plan = Plan {
        rounds: options.plan.rounds / pairs,
        ..options.plan
    };
    let (mut own, mut other) = (Cost::default(), Cost::default());
    for number in 1..=pairs {
        let pair = Pair::start(case, options)?;
        pair.measure(&plan, number, &mut own, &mut other)?;
        if number == pairs {
            report.compare(case.name, case.what, &own, pair.against, &other);
            pair.check(case, report)?;
        }
    }
    Ok(own.ratio_to(&other).median())
}

/// The servers of a case. Where they are two proxies each round has its own: two processes of one program differ by up to 3 %, by
/// where their memory came to lie.
struct Pair {
    own: Subject,
    other: Subject,
    /// What the other one is.
    against: &'static str,
    /// What the first one answers.
    answer: Response,
    upstream: Option<ScriptedUpstream>,
}

impl Pair {
    fn start(case: &Case, options: &Options) -> io::Result<Self> {
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
        Ok(Self {
            own,
            other,
            against,
            answer,
            upstream,
        })
    }

    /// Adds what they cost; the one comes first by turns.
    fn measure(&self, plan: &Plan, number: usize, own: &mut Cost, other: &mut Cost) -> io::Result<()> {
        let is_first = !number.is_multiple_of(2);
        let subjects = match is_first {
            true => [&self.own, &self.other],
            false => [&self.other, &self.own],
        };
        if let [one, two] = measure_subjects(&subjects, plan)?.as_slice() {
            let (one, two) = if is_first { (one, two) } else { (two, one) };
            own.add(one);
            other.add(two);
        }
        Ok(())
    }

    /// What is to be seen besides what it costs.
    fn check(&self, case: &Case, report: &mut Report) -> io::Result<()> {
        if let Some(upstream) = &self.upstream {
            wait_for_a_post(upstream)?;
        }
        if case.against == Against::Uncompressed {
            size(case, &self.own.server, &self.answer, report)?;
        }
        Ok(())
    }
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
    // When one worker answers with flags another may not yet have the document; from when it is ready all do.
    server.wait_for(&Request::get("/proxy/health/readiness"), 200)?;
    Ok(server)
}

/// `GET flags/` with the client-side key.
pub(crate) fn flags_request() -> Request {
    Request::get(cases::FLAGS).key(CLIENT_KEY)
}
