//! `GET /sse/environments/{client-side key}/stream`: tells of changes as Flagsmith's own realtime service does.
//!
//! Eight SDKs listen. What each of them needs stands where the code does it.
use std::time::Duration;

use actix_web::http::{ConnectionType, Version};
use actix_web::{HttpRequest, HttpResponse, Responder};
use actix_web_lab::sse::{self, Sse};
use actors::keys::EnvironmentId;
use actors::sse_hub::{Admitted, Refusal};
use tokio::time::Instant;

use crate::error::ApiError;
use crate::routes::event_stream::EventStream;
use crate::routes::refused_streams::refuse;
use crate::routes::resolve::environment_of_path;
use crate::routes::{Services, SharedServices, answer};
use crate::server::wait_aside;

/// The shortest time after which a client comes back to a stream that ended.
const RETRY: Duration = Duration::from_secs(1);
/// The most that is added to it: SDKs give up on more than 3 s in all.
pub(super) const LONGEST_RETRY_SPREAD: Duration = Duration::from_secs(2);

/// Subscribes to an environment. It needs neither `?lastEventId=` nor `Last-Event-ID`: a client has missed one event at
/// most, and that one comes first.
///
/// Whoever is refused waits for it: 404 for an unknown environment, 503 where the process is full, ending or broken.
pub(super) async fn get(request: HttpRequest) -> Result<HttpResponse, ApiError> {
    let asked = Instant::now();
    match subscribe(&request).await {
        Ok(Admitted { subscription, spread }) => {
            let options = &Services::of(&request)?.options;
            let events = options.with(|options| EventStream::new(subscription, &options.streams));
            let sse = Sse::from_infallible_stream(events).with_retry_duration(retry_after(spread));
            Ok(respond(sse, &request))
        }
        Err(error) => Ok(Box::pin(refuse(&request, &error, asked)).await),
    }
}

/// Answers as [`get`] would, without a subscription.
pub(super) async fn head(request: HttpRequest) -> Result<HttpResponse, ApiError> {
    let asked = Instant::now();
    match admits(&request).await {
        Ok(()) => Ok(respond(
            Sse::from_infallible_stream(futures::stream::empty::<sse::Event>()),
            &request,
        )),
        Err(error) => Ok(Box::pin(refuse(&request, &error, asked)).await),
    }
}

async fn subscribe(request: &HttpRequest) -> Result<Admitted, ApiError> {
    let (id, shared) = environment(request).await?;
    // Thousands may come at once, when a balancer sends them elsewhere: flags do not queue behind their subscriptions.
    let _aside = wait_aside(request);
    shared.hub.subscribe(id).await.map_err(error)
}

async fn admits(request: &HttpRequest) -> Result<(), ApiError> {
    let (id, shared) = environment(request).await?;
    let _aside = wait_aside(request);
    shared.hub.admits(id).await.map_err(error)
}

async fn environment(request: &HttpRequest) -> Result<(EnvironmentId, &SharedServices), ApiError> {
    let id = environment_of_path(request)
        .await?
        .ok_or(ApiError::UnknownEnvironment)?;
    Ok((id, &Services::of(request)?.shared))
}

fn error(refusal: Refusal) -> ApiError {
    match refusal {
        Refusal::Unknown => ApiError::UnknownEnvironment,
        Refusal::Full => ApiError::TooManySubscribers,
        Refusal::Draining | Refusal::Unavailable => ApiError::Unavailable,
    }
}

/// Answers with a stream that ends its connection.
pub(super) fn respond<S>(sse: Sse<S>, request: &HttpRequest) -> HttpResponse
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

/// Spreads the clients of a process that went away over the window in which they would hear of a change.
pub(super) fn retry_after(spread: Duration) -> Duration {
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
