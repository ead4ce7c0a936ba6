//! The events of one subscriber: changes from the hub, comments as heartbeats, and an end after a while.
use std::future::Future as _;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use actix_web_lab::sse;
use actors::sse_hub::Subscription;
use bytestring::ByteString;
use futures::Stream;
use pin_project_lite::pin_project;
use tokio::time::{Instant, Sleep, sleep_until};

use crate::routes::StreamOptions;

/// The name of the only event (<https://docs.flagsmith.com/performance/real-time-flags>).
const EVENT: ByteString = ByteString::from_static("environment_updated");

/// Keeps a stream alive, and shows a vanished client. It is a comment, because SDKs take any event with data for a
/// change.
const HEARTBEAT: sse::Event = sse::Event::Comment(ByteString::from_static("heartbeat"));

pin_project! {
    /// Thousands of these are held at a time, so it is small: heartbeats and the end share one timer.
    #[derive(Debug)]
    pub(crate) struct EventStream {
        subscription: Subscription,
        // Whether the first event, or the comment in its place, is still due.
        is_new: bool,
        heartbeat: Duration,
        next_heartbeat: Instant,
        ends_at: Option<Instant>,
        #[pin]
        timer: Sleep,
    }
}

impl EventStream {
    /// Starts the stream's times now.
    pub(super) fn new(subscription: Subscription, options: &StreamOptions) -> Self {
        let now = Instant::now();
        let ends_at = options.max_age.and_then(|age| now.checked_add(end_after(age)));
        // The first heartbeat may come at any moment of the first period, so that streams which opened together do not
        // beat together.
        let next_heartbeat = now + options.heartbeat.mul_f64(rand::random_range(0.0..=1.0));
        Self {
            subscription,
            is_new: true,
            heartbeat: options.heartbeat,
            next_heartbeat,
            ends_at,
            timer: sleep_until(earlier(next_heartbeat, ends_at)),
        }
    }
}

impl Stream for EventStream {
    type Item = sse::Event;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<sse::Event>> {
        let mut this = self.project();
        let is_new = std::mem::take(this.is_new);
        if let Poll::Ready(change) = this.subscription.poll_change(cx) {
            return Poll::Ready(change.map(|data| sse::Data::new(data).event(EVENT).into()));
        }
        if is_new {
            return Poll::Ready(Some(HEARTBEAT));
        }
        ready!(this.timer.as_mut().poll(cx));
        let now = Instant::now();
        if this.ends_at.is_some_and(|ends_at| ends_at <= now) {
            return Poll::Ready(None);
        }
        *this.next_heartbeat = now + until_next_heartbeat(*this.heartbeat);
        this.timer.reset(earlier(*this.next_heartbeat, *this.ends_at));
        Poll::Ready(Some(HEARTBEAT))
    }
}

fn earlier(heartbeat: Instant, end: Option<Instant>) -> Instant {
    end.map_or(heartbeat, |end| end.min(heartbeat))
}

/// Spreads the age, × 0.9 to 1.1, so that streams which opened together do not end together.
fn end_after(age: Duration) -> Duration {
    age.mul_f64(rand::random_range(0.9..=1.1))
}

/// Spreads the period, × 0.9 to 1: a heartbeat never comes later than promised.
fn until_next_heartbeat(heartbeat: Duration) -> Duration {
    heartbeat.mul_f64(rand::random_range(0.9..=1.0))
}
