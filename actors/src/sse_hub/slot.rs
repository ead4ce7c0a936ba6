//! What lies between the hub and one stream: a place for the latest change, never a queue.
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Instant;

use actix::prelude::*;
use bytestring::ByteString;
use futures::task::AtomicWaker;

use super::counts::StreamCounts;
use super::options::Change;
use super::topics::{Subscriber, SubscriberKey};
use super::{SseHub, Unsubscribe};
use crate::keys::EnvironmentId;

/// Written by the hub, read by the stream of one subscriber on its worker's thread.
///
/// An event says only "newer than this", so a change that was not taken yet is replaced by the next: a slow reader
/// costs one slot and delays nobody.
#[derive(Debug, Default)]
pub(super) struct Slot {
    waker: AtomicWaker,
    contents: Mutex<Contents>,
}

#[derive(Debug, Default)]
struct Contents {
    change: Option<Untaken>,
    is_ended: bool,
}

/// A change that the stream has not taken.
#[derive(Debug)]
struct Untaken {
    data: ByteString,
    /// When the hub heard of it; `None`: it is no news.
    since: Option<Instant>,
}

impl Slot {
    fn contents(&self) -> MutexGuard<'_, Contents> {
        self.contents.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take(&self) -> Poll<Option<Untaken>> {
        let mut contents = self.contents();
        match contents.change.take() {
            Some(change) => Poll::Ready(Some(change)),
            None if contents.is_ended => Poll::Ready(None),
            None => Poll::Pending,
        }
    }
}

impl Slot {
    fn put(&self, change: &Change, since: Option<Instant>) {
        let data = change.data.clone();
        self.contents().change = Some(Untaken { data, since });
        self.waker.wake();
    }
}

impl Subscriber for Arc<Slot> {
    fn tell(&self, change: &Change) {
        self.put(change, Some(change.since));
    }

    fn replay(&self, change: &Change) {
        self.put(change, None);
    }

    fn end(&self) {
        self.contents().is_ended = true;
        self.waker.wake();
    }
}

/// One subscription to an environment's changes. Dropping it unsubscribes.
#[derive(Debug)]
pub struct Subscription {
    slot: Arc<Slot>,
    hub: Addr<SseHub>,
    counts: Arc<StreamCounts>,
    id: EnvironmentId,
    key: SubscriberKey,
}

impl Subscription {
    pub(super) fn new(
        slot: Arc<Slot>,
        hub: Addr<SseHub>,
        counts: Arc<StreamCounts>,
        (id, key): (EnvironmentId, SubscriberKey),
    ) -> Self {
        Self {
            slot,
            hub,
            counts,
            id,
            key,
        }
    }

    /// The data of the latest change that has not been taken yet; `None`: the stream is to end.
    pub fn poll_change(&mut self, cx: &mut Context<'_>) -> Poll<Option<ByteString>> {
        let taken = match self.slot.take() {
            Poll::Ready(taken) => taken,
            Poll::Pending => {
                self.slot.waker.register(cx.waker());
                // Once more: the hub may have written between the look and the registration.
                ready!(self.slot.take())
            }
        };
        Poll::Ready(taken.map(|Untaken { data, since }| {
            match since {
                Some(since) => self.counts.deliveries.observe_duration(since.elapsed()),
                None => self.counts.replays.add(1),
            }
            data
        }))
    }
}

impl Drop for Subscription {
    #[expect(
        clippy::disallowed_methods,
        reason = "one message a subscription, so that new connections bound the rate"
    )]
    fn drop(&mut self) {
        self.hub.do_send(Unsubscribe {
            id: self.id,
            key: self.key,
        });
    }
}
