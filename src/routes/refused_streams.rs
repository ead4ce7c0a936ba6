//! Refusing event streams, which takes its time: the SDKs for Python and iOS come back to a refusal at once and for ever.
use std::sync::Arc;
use std::time::Duration;

use actix_web::http::{ConnectionType, Method};
use actix_web::{HttpRequest, HttpResponse};
use actix_web_lab::sse::{self, Sse};
use bytestring::ByteString;
use futures::{FutureExt as _, StreamExt as _, stream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, sleep_until};

use crate::error::{ApiError, Reason};
use crate::routes::stream::{LONGEST_RETRY_SPREAD, respond, retry_after};
use crate::routes::{Services, SharedServices, StreamOptions, answer};
use crate::server::wait_aside;
use crate::service_state::ServiceState;

/// What the stream of a client that is put off says.
const PUT_OFF: sse::Event = sse::Event::Comment(ByteString::from_static("not admitted, come back"));

/// Refused event streams that wait on purpose.
#[derive(Debug)]
pub(crate) struct RefusedStreams {
    hold: Duration,
    put_off: Duration,
    /// One permit for each refusal that may be held.
    held: Semaphore,
    /// One permit for each client that may be put off.
    put_offs: Arc<Semaphore>,
}

impl RefusedStreams {
    /// Starts with none.
    pub(crate) fn new(options: &StreamOptions) -> Self {
        let permits = |most: usize| Semaphore::new(most.min(Semaphore::MAX_PERMITS));
        Self {
            hold: options.refusal_hold,
            put_off: options.put_off,
            held: permits(options.held_refusals),
            put_offs: Arc::new(permits(options.put_offs)),
        }
    }
}

/// Tells whether this is the path of an event stream.
pub(crate) fn is_of_a_stream(path: &str) -> bool {
    path.contains("/sse/environments/") && path.trim_end_matches('/').ends_with("/stream")
}

/// Refuses a stream one to two seconds after it was asked for, so that no client asks more than once a second.
///
/// How many are held is bounded. Past that a client whose refusal would pass by itself is put off: 200, a comment and a
/// clean end after some seconds; it has a bound as well. Past both, and for what does not pass, the refusal comes at once.
/// When the listeners have closed nothing waits any more.
///
/// Of the ways to refuse, being put off costs least. For each client that comes back at once, with a build that is not
/// optimised (`sse_load refused` in `examples/`): refused at once 581 requests a second and 30 % of a core; held 0.4, 0.011 %
/// and 27 KiB; put off 0.2, 0.009 % and 16 KiB. It is the second choice all the same, because it looks like a good stream.
pub(crate) async fn refuse(request: &HttpRequest, error: &ApiError, asked: Instant) -> HttpResponse {
    let mut answer = refusal(request, error, asked).await;
    answer::note(&mut answer, Reason::of_stream(error));
    answer
}

async fn refusal(request: &HttpRequest, error: &ApiError, asked: Instant) -> HttpResponse {
    if let Ok(Services { shared, options, .. }) = Services::of(request) {
        let refused = options.with(|options| Arc::clone(&options.refused_streams));
        if let Ok(_held) = refused.held.try_acquire() {
            let _aside = wait_aside(request);
            wait(asked + spread(refused.hold), &shared.state).await;
        } else if passes(request, error)
            && !shared.state.have_waits_ended()
            && let Ok(permit) = Arc::clone(&refused.put_offs).try_acquire_owned()
        {
            return put_off(request, shared, refused.put_off, permit);
        }
    }
    let mut response = answer::refused(request.path(), error);
    response.head_mut().set_connection_type(ConnectionType::Close);
    response
}

/// Whether the client may be told to come back. What HEAD asks for has no end to wait for.
fn passes(request: &HttpRequest, error: &ApiError) -> bool {
    request.method() == Method::GET && error.retry_after().is_some()
}

/// Answers with a stream that tells nothing, ends cleanly, and asks to come back.
fn put_off(
    request: &HttpRequest,
    shared: &Arc<SharedServices>,
    wait_for: Duration,
    permit: OwnedSemaphorePermit,
) -> HttpResponse {
    let until = Instant::now() + spread(wait_for);
    let shared = Arc::clone(shared);
    let end = async move {
        wait(until, &shared.state).await;
        drop(permit);
        stream::empty()
    };
    let events = stream::iter([PUT_OFF]).chain(end.flatten_stream());
    let retry = retry_after(LONGEST_RETRY_SPREAD);
    respond(
        Sse::from_infallible_stream(events).with_retry_duration(retry),
        request,
    )
}

/// Waits until this moment, or until nothing is to wait any more.
async fn wait(until: Instant, state: &ServiceState) {
    tokio::select! {
        () = sleep_until(until) => {}
        () = state.waits_end() => {}
    }
}

/// Spreads a wait, × 1 to 2: clients that were refused together do not come back together.
fn spread(wait: Duration) -> Duration {
    wait.mul_f64(rand::random_range(1.0..=2.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_held_refusal_comes_within_the_4_s_that_kotlin_gives_a_call() {
        assert!(2 * StreamOptions::default().refusal_hold < Duration::from_secs(4));
    }

    #[test]
    fn a_stream_is_known_by_its_path() {
        for path in [
            "/sse/environments/key/stream",
            "/api/v1/sse/environments/key/stream/",
            "/prefix/sse/environments/key/stream",
        ] {
            assert!(is_of_a_stream(path), "{path}");
        }
        for path in [
            "/sse/environments/key/queue-change",
            "/api/v1/flags/",
            "/stream",
            "/sse/health",
        ] {
            assert!(!is_of_a_stream(path), "{path}");
        }
    }
}
