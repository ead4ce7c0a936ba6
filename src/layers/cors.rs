//! CORS: browsers may read every answer, errors and streams included, where their origin is allowed.
//!
//! It is our own, because actix-cors costs 0.8 µs a request. Here the headers of an answer are constants, and the layer
//! looks at the request only where origins are listed.
use actix_web::dev::{Service, ServiceRequest, ServiceResponse};
use actix_web::http::Method;
use actix_web::http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_HEADERS,
    ACCESS_CONTROL_REQUEST_METHOD, HeaderMap, HeaderValue, ORIGIN, VARY,
};
use actix_web::{Error, HttpResponse};
use futures::TryFutureExt as _;
use futures::future::{Either, ready};

use super::LayerOptions;
use crate::live::Reader;
use crate::routes::answer;
use crate::settings::AllowedOrigins;

const ANY_ORIGIN: HeaderValue = HeaderValue::from_static("*");
const EXPOSED_HEADERS: HeaderValue =
    HeaderValue::from_static("X-Flagsmith-Document-Updated-At, ETag, Retry-After, Link");
const METHODS: HeaderValue = HeaderValue::from_static("GET, HEAD, POST, PUT, OPTIONS");
/// How many seconds a browser may keep the answer to a preflight: ten minutes; Chromium's limit is two hours.
const MAX_AGE: HeaderValue = HeaderValue::from_static("600");
const VARY_ORIGIN: HeaderValue = HeaderValue::from_static("Origin");

/// The layer of one worker.
#[derive(Debug)]
pub(super) struct Cors {
    options: Reader<LayerOptions>,
}

/// How an answer is marked.
#[derive(Debug)]
struct Marks {
    /// The origin that may read it; `None`: none may.
    allowed: Option<HeaderValue>,
    /// Whether it would be another one for another origin.
    varies: bool,
}

impl Cors {
    /// Takes `allow_origins` from the options.
    pub(super) fn new(options: Reader<LayerOptions>) -> Self {
        Self { options }
    }

    /// Answers a preflight itself and marks every other answer.
    pub(super) fn apply<S>(
        &self,
        request: ServiceRequest,
        routes: &S,
    ) -> impl Future<Output = Result<ServiceResponse, Error>> + use<S>
    where
        S: Service<ServiceRequest, Response = ServiceResponse, Error = Error>,
    {
        let marks = self
            .options
            .with(|options| Marks::new(&options.origins, request.headers()));
        let answer = if is_preflight(&request) {
            let answer = preflight(&request);
            Either::Left(ready(Ok(request.into_response(answer))))
        } else {
            Either::Right(routes.call(request))
        };
        // No async block: it would have room for the answer to come twice, and move it once more for each request.
        answer.map_ok(move |mut answer| {
            marks.put_on(answer.headers_mut());
            answer
        })
    }
}

/// Marks an answer that no request came to; `fields` is what could be read of one.
pub(super) fn mark_refusal(origins: &AllowedOrigins, fields: &HeaderMap, answer: &mut HeaderMap) {
    Marks::new(origins, fields).put_on(answer);
}

fn allowed(origins: &AllowedOrigins, request: &HeaderMap) -> Option<HeaderValue> {
    match origins {
        AllowedOrigins::Any => Some(ANY_ORIGIN),
        AllowedOrigins::Listed(origins) => {
            let origin = request.get(ORIGIN)?;
            let is_allowed = origins
                .iter()
                .any(|allowed| origin.as_bytes() == allowed.as_bytes());
            is_allowed.then(|| origin.clone())
        }
    }
}

fn is_preflight(request: &ServiceRequest) -> bool {
    *request.method() == Method::OPTIONS && request.headers().contains_key(ACCESS_CONTROL_REQUEST_METHOD)
}

fn preflight(request: &ServiceRequest) -> HttpResponse {
    let mut answer = answer::options(request.path());
    let headers = answer.headers_mut();
    headers.insert(ACCESS_CONTROL_ALLOW_METHODS, METHODS);
    headers.insert(ACCESS_CONTROL_MAX_AGE, MAX_AGE);
    if let Some(requested) = request.headers().get(ACCESS_CONTROL_REQUEST_HEADERS) {
        headers.insert(ACCESS_CONTROL_ALLOW_HEADERS, requested.clone());
    }
    answer
}

impl Marks {
    /// Those of the answer to a request with these headers.
    fn new(origins: &AllowedOrigins, request: &HeaderMap) -> Self {
        Self {
            allowed: allowed(origins, request),
            varies: matches!(origins, AllowedOrigins::Listed(_)),
        }
    }

    fn put_on(self, answer: &mut HeaderMap) {
        if let Some(origin) = self.allowed {
            // Nobody else sets them. `insert` would hand over what it replaced, and every request pays.
            answer.append(ACCESS_CONTROL_ALLOW_ORIGIN, origin);
            answer.append(ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSED_HEADERS);
        }
        if self.varies {
            // `Vary` stays one line: where an answer varies already, the origin joins what it names.
            let vary = match answer.get(VARY).and_then(|vary| vary.to_str().ok()) {
                Some(vary) => HeaderValue::from_str(&format!("{vary}, Origin")).unwrap_or(VARY_ORIGIN),
                None => VARY_ORIGIN,
            };
            answer.insert(VARY, vary);
        }
    }
}
