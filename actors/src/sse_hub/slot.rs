//! What lies between the hub and one stream: a place for the latest change, never a queue.
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use actix::prelude::*;
use bytestring::ByteString;
use futures::task::AtomicWaker;

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
    change: Option<ByteString>,
    is_ended: bool,
}

impl Slot {
    fn contents(&self) -> MutexGuard<'_, Contents> {
        self.contents.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take(&self) -> Poll<Option<ByteString>> {
        let mut contents = self.contents();
        match contents.change.take() {
            Some(data) => Poll::Ready(Some(data)),
            None if contents.is_ended => Poll::Ready(None),
            None => Poll::Pending,
        }
    }
}

impl Subscriber for Arc<Slot> {
    fn tell(&self, change: &Change) {
        self.contents().change = Some(change.data.clone());
        self.waker.wake();
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
    id: EnvironmentId,
    key: SubscriberKey,
}

impl Subscription {
    pub(super) fn new(slot: Arc<Slot>, hub: Addr<SseHub>, id: EnvironmentId, key: SubscriberKey) -> Self {
        Self { slot, hub, id, key }
    }

    /// The data of the latest change that has not been taken yet; `None`: the stream is to end.
    pub fn poll_change(&mut self, cx: &mut Context<'_>) -> Poll<Option<ByteString>> {
        if let Poll::Ready(taken) = self.slot.take() {
            return Poll::Ready(taken);
        }
        self.slot.waker.register(cx.waker());
        // Once more: the hub may have written between the look and the registration.
        self.slot.take()
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
