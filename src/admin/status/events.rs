//! `GET /status/events`: what has changed since, for pages that are open.
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use actix_web::{HttpRequest, HttpResponse, Responder as _};
use actix_web_lab::sse::{self, Sse};
use futures::{Stream, StreamExt as _, stream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::time::{Instant, Interval, MissedTickBehavior, interval, sleep};

use super::changes::Shown;
use super::report::Report;
use crate::admin::AdminContext;
use crate::error::{AdminFault, ApiError};
use crate::routes::answer;

/// Between two looks at what has changed.
const PERIOD: Duration = Duration::from_secs(1);

/// What another page was told is told once more so long after: each page looks once in a period.
const SHARED_FOR: Duration = Duration::from_millis(750);

/// A stream ends then, and its page comes back: a place is not held for ever by a page that nobody looks at.
const LONGEST: Duration = Duration::from_secs(300);

/// A comment shows that the stream lives, and finds out whose page has gone.
const KEEP_ALIVE: Duration = Duration::from_secs(10);

/// When a page comes back whose stream has ended.
const RETRY: Duration = Duration::from_secs(2);

/// The pages that may follow at a time: they leave half of the connections to everything else.
const MOST: usize = 16;

/// The places of pages that follow; clones share them.
#[derive(Debug, Clone)]
pub(crate) struct Viewers(Arc<Semaphore>);

impl Default for Viewers {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(MOST)))
    }
}

/// One page that follows.
struct Viewer {
    context: AdminContext,
    shown: Shown,
    is_new: bool,
    looks: Interval,
    server_ends: watch::Receiver<()>,
    _place: OwnedSemaphorePermit,
}

/// Tells at once what there is, and once a second what has changed.
///
/// # Errors
/// 503 where as many pages follow as may.
pub(super) async fn get(request: HttpRequest) -> Result<HttpResponse, ApiError> {
    let context = AdminContext::of(&request)?;
    let place = Arc::clone(&context.viewers.0).try_acquire_owned();
    let place = place.map_err(|_| ApiError::Admin(AdminFault::Viewers))?;
    let mut looks = interval(PERIOD);
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let viewer = Viewer {
        server_ends: context.server_ends.clone(),
        context: context.clone(),
        shown: Shown::default(),
        is_new: true,
        looks,
        _place: place,
    };
    Ok(respond(&request, bounded(stream::unfold(viewer, Viewer::next))))
}

/// Ends a stream that is open for long.
fn bounded<E>(events: impl Stream<Item = E>) -> impl Stream<Item = E> {
    events.take_until(sleep(LONGEST))
}

/// Answers as [`get`] would, without a stream.
pub(super) async fn head(request: HttpRequest) -> Result<HttpResponse, ApiError> {
    Ok(respond(&request, stream::empty()))
}

fn respond(
    request: &HttpRequest,
    events: impl Stream<Item = Result<sse::Event, Infallible>> + 'static,
) -> HttpResponse {
    let sse = Sse::from_stream(events)
        .with_keep_alive(KEEP_ALIVE)
        .with_retry_duration(RETRY);
    answer::stream(request.path(), sse.respond_to(request))
}

impl Viewer {
    /// Waits for a change; `None`: the server ends.
    async fn next(mut self) -> Option<(Result<sse::Event, Infallible>, Self)> {
        loop {
            tokio::select! {
                // Nothing is ever sent: it is the end of the sender that is waited for.
                _ = self.server_ends.changed() => return None,
                _ = self.looks.tick() => {}
            }
            let now = Instant::now();
            // A page that is new is not told what is older than itself.
            let is_new = std::mem::take(&mut self.is_new);
            let shared = now.checked_sub(SHARED_FOR).filter(|_| !is_new);
            let report = Report::since(shared.unwrap_or(now), &self.context).await;
            let changes = self.shown.take(&report);
            if !changes.is_empty()
                && let Ok(data) = sse::Data::new_json(&changes)
            {
                return Some((Ok(data.event("changes").into()), self));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_stream_ends_after_minutes() {
        let begun = Instant::now();
        let mut events = std::pin::pin!(bounded(stream::pending::<()>()));
        assert_eq!(events.next().await, None);
        assert_eq!(begun.elapsed().as_secs(), LONGEST.as_secs());
    }
}
