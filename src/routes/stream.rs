//! `GET /sse/environments/{client-side key}/stream`: tells of changes as Flagsmith's own realtime service does.
//!
//! Eight SDKs listen; what each of them needs is why this is as it is, and said where it is done.
use std::time::Duration;

use actix_web::http::header::{CONTENT_ENCODING, HeaderName, HeaderValue};
use actix_web::http::{ConnectionType, Version};
use actix_web::web::Path;
use actix_web::{FromRequest as _, HttpRequest, HttpResponse, Responder};
use actix_web_lab::sse::{self, Sse};
use actors::keys::EnvironmentId;
use actors::replica::{Resolution, ResolveClientSide};
use actors::sse_hub::{Admitted, Refusal};
use tokio::time::sleep;

use crate::error::ApiError;
use crate::routes::event_stream::EventStream;
use crate::routes::{Services, answer};

/// Shortest time after which a client comes back to a stream that ended.
const RETRY: Duration = Duration::from_secs(1);
/// What is added to it at most: SDKs give up on more than 3 s in all.
const LONGEST_RETRY_SPREAD: Duration = Duration::from_secs(2);

const X_ACCEL_BUFFERING: HeaderName = HeaderName::from_static("x-accel-buffering");

/// Subscribes to an environment. `?lastEventId=` and `Last-Event-ID` are accepted and not needed: what was missed is
/// one event at most, and comes first.
///
/// # Errors
/// 404 for an unknown environment, 503 where the process is full, ending or broken.
pub(super) async fn get(request: HttpRequest) -> Result<HttpResponse, ApiError> {
    let Some(id) = known_environment(&request).await? else {
        return refuse_slowly(&request).await;
    };
    let shared = &Services::of(&request)?.shared;
    let Admitted { subscription, spread } = match shared.hub.subscribe(id).await {
        Ok(admitted) => admitted,
        Err(Refusal::Unknown) => return refuse_slowly(&request).await,
        Err(Refusal::Full) => return Err(ApiError::TooManySubscribers),
        Err(Refusal::Draining | Refusal::Unavailable) => return Err(ApiError::Unavailable),
    };
    let events = EventStream::new(subscription, &shared.streams);
    let sse = Sse::from_infallible_stream(events).with_retry_duration(retry_after(spread));
    Ok(respond(sse, &request))
}

/// The headers of [`get`], without a subscription.
///
/// # Errors
/// As [`get`], where that does not take a subscription to know.
pub(super) async fn head(request: HttpRequest) -> Result<HttpResponse, ApiError> {
    match known_environment(&request).await? {
        Some(_) => Ok(respond(
            Sse::from_infallible_stream(futures::stream::empty::<sse::Event>()),
            &request,
        )),
        None => refuse_slowly(&request).await,
    }
}

/// The environment whose client-side key the path names.
pub(super) async fn known_environment(request: &HttpRequest) -> Result<Option<EnvironmentId>, ApiError> {
    // Decoded by the extractor: what is no text names no environment.
    let Ok(client_side_key) = Path::<String>::extract(request).await else {
        return Ok(None);
    };
    let client_side_key = client_side_key.into_inner();
    match Services::of(request)?
        .replica
        .send(ResolveClientSide { client_side_key })
        .await
    {
        Ok(Resolution::Ready { id, .. } | Resolution::NotReady { id, .. }) => Ok(Some(id)),
        Ok(Resolution::Unknown) => Ok(None),
        Err(_) => Err(ApiError::Unavailable),
    }
}

fn respond<S>(sse: Sse<S>, request: &HttpRequest) -> HttpResponse
where
    Sse<S>: Responder<Body = actix_web::body::BoxBody>,
{
    let mut response = sse.respond_to(request);
    let headers = response.headers_mut();
    // actix-web-lab says `identity`, which is no coding to name in an answer and which some clients refuse.
    headers.remove(CONTENT_ENCODING);
    headers.insert(X_ACCEL_BUFFERING, HeaderValue::from_static("no"));
    // A finished stream would else idle for the keep-alive time and hold a file descriptor.
    response.head_mut().set_connection_type(ConnectionType::Close);
    // HTTP/1.0 knows no chunks (RFC 9112 6.1): there the connection's end is the stream's.
    response
        .head_mut()
        .no_chunking(request.version() < Version::HTTP_11);
    response
}

/// Python's and iOS's SDKs retry a refusal at once and for ever: 2,303 requests in 3 s from one client. How many are
/// held is bounded; past that they are answered at once.
async fn refuse_slowly(request: &HttpRequest) -> Result<HttpResponse, ApiError> {
    let shared = &Services::of(request)?.shared;
    if let Ok(_held) = shared.refusals.try_acquire() {
        let hold = shared.streams.refusal_hold;
        sleep(hold.mul_f64(rand::random_range(1.0..=2.0))).await;
    }
    let mut response = answer::refused(&ApiError::UnknownEnvironment);
    response.head_mut().set_connection_type(ConnectionType::Close);
    Ok(response)
}

/// Clients of a process that went away come back spread over the window in which they would be told of a change.
fn retry_after(spread: Duration) -> Duration {
    let retry = RETRY
        + spread
            .min(LONGEST_RETRY_SPREAD)
            .mul_f64(rand::random_range(0.0..=1.0));
    Duration::from_millis(u64::try_from(retry.as_millis()).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rule_9_retry_is_three_seconds_or_less() {
        for spread in [0, 100, 1_000, 10_000, 1_000_000] {
            for _ in 0..100 {
                let retry = retry_after(Duration::from_millis(spread));
                assert!(
                    (RETRY..=Duration::from_secs(3)).contains(&retry),
                    "{retry:?} for a spread of {spread} ms"
                );
            }
        }
        let few = std::iter::repeat_with(|| retry_after(Duration::from_secs(3))).take(100);
        assert!(
            few.collect::<std::collections::HashSet<_>>().len() > 10,
            "not spread"
        );
    }
}
