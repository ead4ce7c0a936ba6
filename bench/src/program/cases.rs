//! The requests of the first table.
use bench::documents::{self, CLIENT_KEY, HUGE, LARGE, Overrides, Profile, SERVER_KEY, SIMPLE, SIZING};
use test_support::http::Request;

/// The path of all flags.
pub(super) const FLAGS: &str = "/api/v1/flags/";
const IDENTITIES: &str = "/api/v1/identities/";
const ANALYTICS: &str = "/api/v1/analytics/flags/";
const DOCUMENT: &str = "/api/v1/environment-document/";

/// What the proxy is compared with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Against {
    /// A bare handler that answers the same, to GET.
    BareGet,
    /// The same to POST, whose body it reads to its end.
    BarePost,
    /// The proxy with another document.
    Document(Profile),
    /// The same proxy, asked the same without `Accept-Encoding`.
    Uncompressed,
    /// The proxy without its access log, which it writes for the case.
    WithoutAccessLog,
    /// The proxy that does not forward identities, as it does for the case.
    WithoutForwarding,
    /// The proxy that makes no spans, as it does for the case.
    WithoutSpans,
    /// The proxy without an admin port, which it has for the case.
    WithoutMetrics,
}

impl Against {
    /// Whether it is another process of the proxy.
    pub(super) fn is_a_proxy(self) -> bool {
        !matches!(self, Self::BareGet | Self::BarePost | Self::Uncompressed)
    }
}

/// A row of the table of requests.
pub(super) struct Case {
    pub name: &'static str,
    pub what: &'static str,
    pub profile: Profile,
    pub path: &'static str,
    pub against: Against,
    /// Whether the document comes from an upstream, which is sent something in turn, and not from a file.
    pub has_upstream: bool,
    key: &'static str,
    /// Further header lines.
    headers: Vec<(&'static str, String)>,
    /// The body; a request with one is a `POST`.
    body: String,
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
            has_upstream: false,
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

    fn at(self, path: &'static str) -> Self {
        Self { path, ..self }
    }

    fn with_upstream(self) -> Self {
        Self {
            has_upstream: true,
            ..self
        }
    }

    fn against(self, against: Against) -> Self {
        Self { against, ..self }
    }

    pub(super) fn request(&self, etag: Option<&str>) -> Request {
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

    pub(super) fn has_body(&self) -> bool {
        !self.body.is_empty()
    }

    /// The request without its body.
    pub(super) fn get_request(&self) -> Request {
        self.with_headers(Request::get(self.path))
    }

    fn with_headers(&self, request: Request) -> Request {
        let headers = self.headers.iter();
        headers.fold(request.key(self.key), |request, (name, value)| {
            request.header(name, value)
        })
    }

    /// The request without `Accept-Encoding`.
    pub(super) fn uncompressed_request(&self) -> Request {
        Self {
            headers: Vec::new(),
            body: self.body.clone(),
            ..*self
        }
        .request(None)
    }
}

/// The rows of the first table, save those of clients.
pub(super) fn all() -> Vec<Case> {
    let mut cases = plain();
    cases.extend(compressed());
    cases
}

fn plain() -> Vec<Case> {
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
        .against(Against::Document(SIZING)),
        Case::get(
            "environment-document",
            "GET environment-document, 5 MB",
            LARGE,
            DOCUMENT,
        )
        .with_key(SERVER_KEY),
        Case::get(UNKNOWN_KEY, "unknown key → 401", SIMPLE, FLAGS).with_key("unknown"),
        Case::get("access-log", "GET flags, simple, access log on", SIMPLE, FLAGS)
            .against(Against::WithoutAccessLog),
        Case::get(
            "traced",
            "GET flags, simple, each with its spans sent",
            SIMPLE,
            FLAGS,
        )
        .against(Against::WithoutSpans),
        Case::get("metrics-flags", "GET flags, simple, metrics on", SIMPLE, FLAGS)
            .against(Against::WithoutMetrics),
        Case::post(
            "metrics-identities",
            "POST identities, sizing, metrics on",
            SIZING,
            no_match(),
        )
        .against(Against::WithoutMetrics),
        Case::post(
            "analytics-flags",
            "POST analytics/flags, of 3 features",
            SIMPLE,
            r#"{"feature_1":3,"feature_2":1,"feature_7":12}"#.to_owned(),
        )
        .at(ANALYTICS)
        .with_header("User-Agent", "python-requests/2.34.2")
        .with_upstream()
        .against(Against::BarePost),
        Case::post(
            "forward-identities",
            "POST identities, sizing, forwarded to upstream",
            SIZING,
            no_match(),
        )
        .with_upstream()
        .against(Against::WithoutForwarding),
    ]
}

/// Identities whose flags come from ever more places, compressed beside the same uncompressed.
fn compressed() -> Vec<Case> {
    let few = Overrides::Few(3);
    let mixed = Profile {
        segments: 2,
        overrides: Overrides::Alternating,
        conditions: 0,
        ..SIZING
    };
    let own = Profile {
        identity_overrides: 1,
        own_features: SIZING.features,
        ..SIZING
    };
    let one_segment = Profile {
        segments: 1,
        overrides: few,
        ..SIMPLE
    };
    let (no_match, segment_7) = (
        documents::identity_without_match,
        documents::identity_of_segment_7,
    );
    [
        ("gzip-simple", "POST identities, simple, gzip", SIMPLE, no_match()),
        (
            "gzip-simple-3",
            "POST identities, simple, 3 overridden by a segment, gzip",
            one_segment,
            no_match(),
        ),
        (
            "gzip-sizing",
            "POST identities, sizing, in no segment, gzip",
            SIZING,
            no_match(),
        ),
        (
            "gzip-sizing-3",
            "POST identities, sizing, 3 overridden by a segment, gzip",
            Profile {
                overrides: few,
                ..SIZING
            },
            segment_7(),
        ),
        (
            "gzip-sizing-50",
            "POST identities, sizing, all 50 overridden by a segment, gzip",
            SIZING,
            segment_7(),
        ),
        (
            "gzip-sizing-50-mixed",
            "POST identities, sizing, all 50 overridden by two segments by turns, gzip",
            mixed,
            no_match(),
        ),
        (
            "gzip-sizing-50-own",
            "POST identities, sizing, all 50 overridden by the identity, gzip",
            own,
            documents::identity_with_overrides(),
        ),
    ]
    .map(|(name, what, profile, body)| {
        Case::post(name, what, profile, body)
            .with_header("Accept-Encoding", "gzip, deflate, br")
            .against(Against::Uncompressed)
    })
    .into()
}

/// The row whose request names the answer's own ETag.
pub(super) const NOT_MODIFIED: &str = "flags-not-modified";
/// The row whose request is refused.
pub(super) const UNKNOWN_KEY: &str = "unknown-key";
