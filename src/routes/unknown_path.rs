//! Paths that are not in the table. Most of them come from an SDK with a wrong base URL, and the answer names the right
//! one.
use actix_web::Error;
use actix_web::dev::{ServiceRequest, ServiceResponse, fn_service};
use actix_web::http::Method;
use actix_web::web::ServiceConfig;
use tokio::time::Instant;

use crate::error::ApiError;
use crate::routes::resource::parts;
use crate::routes::{answer, body, refuse_stream};

/// What SDKs ask for below their API URL, whether it is served or not.
const OF_SDKS: [&str; 8] = [
    "flags",
    "identities",
    "environment-document",
    "analytics/flags",
    "traits",
    "traits/bulk",
    "traits/increment-value",
    "bulk-identities",
];

/// What is asked for below the realtime URL, behind an environment's key.
const OF_STREAMS: [&str; 2] = ["stream", "queue-change"];

/// Answers every path that is not in the table; `prefix`: `server.path_prefix`.
pub(super) fn no_other_path(table: &mut ServiceConfig, prefix: &str) {
    let prefix = prefix.to_owned();
    table.default_service(fn_service(move |request: ServiceRequest| {
        let error = refusal(request.path(), &prefix);
        async move {
            let (request, payload) = parts(request);
            body::discard(payload?).await;
            let is_stream = matches!(error, ApiError::WrongRealtimeUrl(_))
                && matches!(*request.method(), Method::GET | Method::HEAD);
            let answer = if is_stream {
                // Who listens at a wrong URL comes back as often as at a wrong key.
                refuse_stream(&request, &error, Instant::now()).await
            } else {
                answer::refused(request.path(), &error)
            };
            Ok::<_, Error>(ServiceResponse::new(request, answer))
        }
    }));
}

/// Finds what may be wrong with a path that has no doubled slashes.
fn refusal(path: &str, prefix: &str) -> ApiError {
    let path = path.trim_end_matches('/');
    if path.strip_prefix(prefix).is_some_and(is_right) {
        return ApiError::UnknownPath;
    }
    let path = path.to_ascii_lowercase();
    let ends_with = |ends: &[&str]| ends.iter().any(|end| path.ends_with(end));
    if ends_with(&OF_STREAMS) && (path.contains("sse") || path.contains("environments")) {
        return ApiError::WrongRealtimeUrl(prefix.to_owned());
    }
    if ends_with(&OF_SDKS) || is_base(&path) {
        return ApiError::WrongApiUrl(prefix.to_owned());
    }
    ApiError::UnknownPath
}

/// Whether a path below the prefix is where it belongs, so that its base URL is right, though it is not served.
fn is_right(path: &str) -> bool {
    let below_api = path.strip_prefix("/api/v1");
    if below_api
        .and_then(|path| path.strip_prefix('/'))
        .is_some_and(|path| OF_SDKS.contains(&path))
    {
        return true;
    }
    let environment = below_api.unwrap_or(path).strip_prefix("/sse/environments/");
    environment
        .and_then(|path| path.split_once('/'))
        .is_some_and(|(_, end)| OF_STREAMS.contains(&end))
}

/// Whether a path, in lower case, is that of an API URL alone: its last segment is `api`, or a version.
fn is_base(path: &str) -> bool {
    let last = path.rsplit('/').next().unwrap_or(path);
    let rest = last.strip_prefix("api").unwrap_or(last);
    match rest.strip_prefix('v') {
        Some(version) => !version.is_empty() && version.bytes().all(|digit| digit.is_ascii_digit()),
        None => last == "api",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_api_url_is_told_the_right_one() {
        for path in [
            "/flags/",
            "/flags",
            "/identities/",
            "/environment-document/",
            "/analytics/flags/",
            "/traits/bulk/",
            "/api/flags/",
            "/v1/flags/",
            "/api/v1flags/",
            "/api/v1identities/",
            "/apiv1/flags/",
            "/api/v2/flags/",
            "/api/v1/api/v1/flags/",
            "/api/v1/v1/flags/",
            "/api/v1/flags/flags",
            "/edge/api/v1/flags/",
            "/API/V1/Flags/",
            "/api",
            "/api/",
            "/api/v1",
            "/api/v1/",
            "/api/v2/",
            "/v1/",
            "/api/v1/api/v1/",
        ] {
            assert_eq!(refusal(path, ""), ApiError::WrongApiUrl(String::new()), "{path}");
        }
        for path in ["/api/v1/flags/", "/flags", "/pre/flags/", "/prefix/api/v1/flags/"] {
            let expected = ApiError::WrongApiUrl("/pre".to_owned());
            assert_eq!(refusal(path, "/pre"), expected, "{path}");
        }
    }

    #[test]
    fn a_wrong_realtime_url_is_told_the_right_one() {
        for path in [
            "/environments/key/stream",
            "/api/v1/environments/key/stream/",
            "/sse/sse/environments/key/stream",
            "/api/v1sse/environments/key/stream",
            "/sse/api/v1/sse/environments/key/stream",
            "/api/v2/sse/environments/key/queue-change",
            "/sse/environments/stream",
            "/ssestream",
        ] {
            assert_eq!(
                refusal(path, ""),
                ApiError::WrongRealtimeUrl(String::new()),
                "{path}"
            );
        }
    }

    #[test]
    fn another_path_is_not_found_and_no_more() {
        for path in [
            "/",
            "/favicon.ico",
            "/api/v1/flag/",
            "/api/v1/projects/",
            "/stream",
            "/v",
            "/vendor",
            // These are right, though not served, or not without a token.
            "/api/v1/bulk-identities/",
            "/sse/environments/key/queue-change",
            "/api/v1/sse/environments/key/queue-change/",
        ] {
            assert_eq!(refusal(path, ""), ApiError::UnknownPath, "{path}");
        }
        assert_eq!(refusal("/pre/api/v1/traits", "/pre"), ApiError::UnknownPath);
    }
}
