//! `GET /sse/environments/{client-side key}/stream`: tells of changes as Flagsmith's own realtime service does.
//!
//! Eight SDKs listen. What each of them needs stands where the code does it.
use std::time::Duration;

use actix_web::http::{ConnectionType, Version};
use actix_web::{HttpRequest, HttpResponse, Responder};
use actix_web_lab::sse::{self, Sse};
use actors::sse_hub::{Admitted, Refusal};
use tokio::time::sleep;

use crate::error::ApiError;
use crate::routes::event_stream::EventStream;
use crate::routes::resolve::environment_of_path;
use crate::routes::{Services, answer};
use crate::server::wait_aside;

/// The shortest time after which a client comes back to a stream that ended.
const RETRY: Duration = Duration::from_secs(1);
/// The most that is added to it: SDKs give up on more than 3 s in all.
const LONGEST_RETRY_SPREAD: Duration = Duration::from_secs(2);

/// Subscribes to an environment. It needs neither `?lastEventId=` nor `Last-Event-ID`: a client has missed one event at
/// most, and that one comes first.
///
/// # Errors
/// 404 for an unknown environment, 503 where the process is full, ending or broken.
pub(super) async fn get(request: HttpRequest) -> Result<HttpResponse, ApiError> {
    let Some(id) = environment_of_path(&request).await? else {
        return Ok(refuse_slowly(&request, &ApiError::UnknownEnvironment).await);
    };
    let shared = &Services::of(&request)?.shared;
    let Admitted { subscription, spread } = match shared.hub.subscribe(id).await {
        Ok(admitted) => admitted,
        Err(Refusal::Unknown) => {
            return Ok(refuse_slowly(&request, &ApiError::UnknownEnvironment).await);
        }
        Err(Refusal::Full) => return Err(ApiError::TooManySubscribers),
        Err(Refusal::Draining | Refusal::Unavailable) => return Err(ApiError::Unavailable),
    };
    let events = EventStream::new(subscription, &shared.streams);
    let sse = Sse::from_infallible_stream(events).with_retry_duration(retry_after(spread));
    Ok(respond(sse, &request))
}

/// Answers with the headers of [`get`], without a subscription.
///
/// # Errors
/// Those of [`get`] that need no subscription.
pub(super) async fn head(request: HttpRequest) -> Result<HttpResponse, ApiError> {
    match environment_of_path(&request).await? {
        Some(_) => Ok(respond(
            Sse::from_infallible_stream(futures::stream::empty::<sse::Event>()),
            &request,
        )),
        None => Ok(refuse_slowly(&request, &ApiError::UnknownEnvironment).await),
    }
}

fn respond<S>(sse: Sse<S>, request: &HttpRequest) -> HttpResponse
where
    Sse<S>: Responder<Body = actix_web::body::BoxBody>,
{
    let mut response = answer::stream(request.path(), sse.respond_to(request));
    // A finished stream would else idle for the keep-alive time and hold a file descriptor.
    response.head_mut().set_connection_type(ConnectionType::Close);
    // HTTP/1.0 knows no chunks (RFC 9112, 6.1): there the end of the connection is the end of the stream.
    response
        .head_mut()
        .no_chunking(request.version() < Version::HTTP_11);
    response
}

/// Refuses after a while: the SDKs for Python and iOS retry a refusal at once and for ever, 2,303 requests in 3 s from
/// one client. The number of held refusals is bounded; past it the refusal comes at once.
pub(super) async fn refuse_slowly(request: &HttpRequest, error: &ApiError) -> HttpResponse {
    let shared = Services::of(request).ok().map(|services| &services.shared);
    if let Some(shared) = shared
        && let Ok(_held) = shared.refusals.try_acquire()
    {
        let hold = shared.streams.refusal_hold;
        let _aside = wait_aside(request);
        sleep(hold.mul_f64(rand::random_range(1.0..=2.0))).await;
    }
    let mut response = answer::refused(request.path(), error);
    response.head_mut().set_connection_type(ConnectionType::Close);
    response
}

/// Spreads the clients of a process that went away over the window in which they would hear of a change.
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
