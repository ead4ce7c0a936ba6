//! How answers may be cached (RFC 9111): every answer says so. A shared cache that is told nothing applies rules of its
//! own, and would serve old flags after a change was told, or one environment's answer to another.
use actix_web::http::header::{HeaderMap, HeaderValue, VARY};

/// For answers that have a 304: the caller may keep them, and asks each time whether they still hold.
pub(super) const ASK_FIRST: HeaderValue = HeaderValue::from_static("no-cache, private");

/// For answers that are made for one request. Flagsmith's core API gives identities these words (Django's
/// `never_cache`).
pub(super) const OF_ONE_REQUEST: HeaderValue =
    HeaderValue::from_static("max-age=0, no-cache, no-store, must-revalidate, private");

/// For health, errors and refusals, which hold for the moment.
pub(super) const NEVER: HeaderValue = HeaderValue::from_static("no-store");

/// For event streams: what a proxy on the way would compress it would also hold back.
pub(super) const OF_A_STREAM: HeaderValue = HeaderValue::from_static("no-cache, no-transform");

/// What answers to SDKs depend on besides the URL. The CORS layer adds the origin where answers depend on it.
pub(super) const BY_KEY_AND_ENCODING: HeaderValue =
    HeaderValue::from_static("X-Environment-Key, Accept-Encoding");

const BY_KEY: HeaderValue = HeaderValue::from_static("X-Environment-Key");

/// What the answers to OPTIONS depend on: whether it is a preflight, whose headers are mirrored.
const OF_OPTIONS: HeaderValue =
    HeaderValue::from_static("Access-Control-Request-Method, Access-Control-Request-Headers");
const OF_OPTIONS_BY_KEY: HeaderValue = HeaderValue::from_static(
    "X-Environment-Key, Access-Control-Request-Method, Access-Control-Request-Headers",
);

/// Says what an answer below this path depends on: with another key the same URL has another answer, of any status.
pub(super) fn vary(path: &str, headers: &mut HeaderMap) {
    if is_of_the_api(path) {
        headers.insert(VARY, BY_KEY);
    }
}

/// The same for OPTIONS.
pub(super) fn vary_options(path: &str, headers: &mut HeaderMap) {
    let by = if is_of_the_api(path) {
        OF_OPTIONS_BY_KEY
    } else {
        OF_OPTIONS
    };
    headers.insert(VARY, by);
}

/// Whatever prefix is before it. That more answers vary than must does no harm.
fn is_of_the_api(path: &str) -> bool {
    path.contains("/api/v1") || path.contains("/api/v2")
}
