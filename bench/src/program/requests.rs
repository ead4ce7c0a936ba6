//! What requests cost beside a bare handler.
use std::io;

use bench::child::Server;
use bench::comparison::{Subject, measure as measure_subjects};
use bench::documents::{self, CLIENT_KEY, HUGE, LARGE, Profile, SERVER_KEY, SIMPLE, SIZING};
use test_support::http::{Request, Response, ask};

use super::options::Options;
use super::report::Report;

const FLAGS: &str = "/api/v1/flags/";
const IDENTITIES: &str = "/api/v1/identities/";
const DOCUMENT: &str = "/api/v1/environment-document/";

/// What the proxy is compared with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Against {
    /// A bare handler that answers the same, to GET.
    BareGet,
    /// The same to POST, whose body it reads to its end.
    BarePost,
    /// The proxy with another document.
    Proxy(Profile),
}

struct Case {
    name: &'static str,
    what: &'static str,
    profile: Profile,
    path: &'static str,
    key: &'static str,
    /// Further header lines.
    headers: Vec<(&'static str, String)>,
    /// The body; a request with one is a `POST`.
    body: String,
    against: Against,
}

impl Case {
    fn get(name: &'static str, what: &'static str, profile: Profile, path: &'static str) -> Self {
        Self {
            name,
            what,
            profile,
            path,
            key: CLIENT_KEY,
            headers: Vec::new(),
            body: String::new(),
            against: Against::BareGet,
        }
    }

    fn post(name: &'static str, what: &'static str, profile: Profile, body: String) -> Self {
        Self {
            body,
            ..Self::get(name, what, profile, IDENTITIES)
        }
    }

    fn with_key(self, key: &'static str) -> Self {
        Self { key, ..self }
    }

    fn with_header(mut self, name: &'static str, value: &str) -> Self {
        self.headers.push((name, value.to_owned()));
        self
    }

    fn against(self, against: Against) -> Self {
        Self { against, ..self }
    }

    fn request(&self, etag: Option<&str>) -> Request {
        let request = match self.body.as_str() {
            "" => self.get_request(),
            body => self
                .with_headers(Request::post(self.path, body))
                .header("Content-Type", "application/json"),
        };
        match etag {
            Some(etag) => request.header("If-None-Match", etag),
            None => request,
        }
    }

    /// The request with its headers and without its body.
    fn get_request(&self) -> Request {
        self.with_headers(Request::get(self.path))
    }

    fn with_headers(&self, request: Request) -> Request {
        let headers = self.headers.iter();
        headers.fold(request.key(self.key), |request, (name, value)| {
            request.header(name, value)
        })
    }
}

fn cases() -> Vec<Case> {
    let no_match = documents::identity_without_match;
    vec![
        Case::get(
            "flags-simple-client",
            "GET flags, simple, client-side key",
            SIMPLE,
            FLAGS,
        ),
        Case::get(
            "flags-simple-server",
            "GET flags, simple, server-side key",
            SIMPLE,
            FLAGS,
        )
        .with_key(SERVER_KEY),
        Case::get(
            "flags-sizing-client",
            "GET flags, sizing, client-side key",
            SIZING,
            FLAGS,
        ),
        Case::get(
            "flags-sizing-server",
            "GET flags, sizing, server-side key",
            SIZING,
            FLAGS,
        )
        .with_key(SERVER_KEY),
        Case::get(
            NOT_MODIFIED,
            "GET flags, sizing, If-None-Match → 304",
            SIZING,
            FLAGS,
        ),
        Case::get("flags-sizing-gzip", "GET flags, sizing, gzip", SIZING, FLAGS)
            .with_header("Accept-Encoding", "gzip"),
        Case::post("identities-simple", "POST identities, simple", SIMPLE, no_match()),
        Case::post(
            "identities-sizing",
            "POST identities, sizing, in no segment",
            SIZING,
            no_match(),
        ),
        Case::post(
            "identities-segment",
            "POST identities, sizing, 15 traits, in segment 7",
            SIZING,
            documents::identity_of_segment_7(),
        ),
        Case::post(
            "identities-post-sizing",
            "POST identities, sizing, in no segment",
            SIZING,
            no_match(),
        )
        .against(Against::BarePost),
        Case::post(
            "identities-overrides",
            "POST identities, sizing + 100,000 identity overrides",
            HUGE,
            no_match(),
        )
        .against(Against::Proxy(SIZING)),
        Case::get(
            "environment-document",
            "GET environment-document, 5 MB",
            LARGE,
            DOCUMENT,
        )
        .with_key(SERVER_KEY),
        Case::get(UNKNOWN_KEY, "unknown key → 401", SIMPLE, FLAGS).with_key("unknown"),
    ]
}

const NOT_MODIFIED: &str = "flags-not-modified";
const UNKNOWN_KEY: &str = "unknown-key";

/// Measures every case that is wanted.
pub(crate) fn measure(options: &Options, report: &mut Report) -> io::Result<()> {
    for case in cases().iter().filter(|case| options.wants(case.name)) {
        let own = start_proxy(case.profile)?;
        let etag = match case.name {
            NOT_MODIFIED => ask(own.address, &case.request(None))?
                .header("etag")
                .map(str::to_owned),
            _ => None,
        };
        let request = case.request(etag.as_deref());
        let answer = ask(own.address, &request)?;
        check(case, answer.status, answer.body.len())?;
        let (against, other) = other(case, &request, &answer, options)?;
        let own = Subject { server: own, request };
        if let [own, other] = measure_subjects(&[&own, &other], &options.plan)?.as_slice() {
            report.compare(case.name, case.what, own, against, other);
        }
    }
    Ok(())
}

/// What a case is compared with, by name.
fn other(
    case: &Case,
    request: &Request,
    answer: &Response,
    options: &Options,
) -> io::Result<(&'static str, Subject)> {
    let request = request.clone();
    if let Some(build) = &options.beside {
        let server = Server::start_build(build, &case.profile.document(0))?;
        server.wait_for(&flags_request(), 200)?;
        return Ok(("the other build", Subject { server, request }));
    }
    Ok(match case.against {
        Against::BareGet => {
            let server = Server::start_bare("GET", case.path, &answer.bytes())?;
            // The request is the same, save a body.
            let request = match case.body.is_empty() {
                true => request,
                false => case.get_request(),
            };
            ("bare GET", Subject { server, request })
        }
        Against::BarePost => {
            let server = Server::start_bare("POST", case.path, &answer.bytes())?;
            ("bare POST", Subject { server, request })
        }
        Against::Proxy(profile) => {
            let server = start_proxy(profile)?;
            ("the same without", Subject { server, request })
        }
    })
}

/// Fails where the answer is not the one that the case is about.
fn check(case: &Case, status: u16, body: usize) -> io::Result<()> {
    let expected = match case.name {
        NOT_MODIFIED => 304,
        UNKNOWN_KEY => 401,
        _ => 200,
    };
    if status == expected && (body > 0) == (expected != 304) {
        return Ok(());
    }
    Err(io::Error::other(format!(
        "{}: answered {status} with {body} bytes",
        case.name
    )))
}

/// The proxy with this document applied.
pub(crate) fn start_proxy(profile: Profile) -> io::Result<Server> {
    let server = Server::start_proxy(&profile.document(0))?;
    server.wait_for(&flags_request(), 200)?;
    Ok(server)
}

/// `GET flags/` with the client-side key.
pub(crate) fn flags_request() -> Request {
    Request::get(FLAGS).key(CLIENT_KEY)
}
