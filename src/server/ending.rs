//! How the server ends, step by step. Whoever asks for the stop decides when.
use std::time::Duration;

use actix_web::dev::ServerHandle;
use tokio::time::{sleep, timeout};

use super::door::Door;
use super::places::Places;
use super::stop_signal::ServerStop;

/// How often a queue of connections that were not accepted yet is looked at: nothing tells when it is empty.
const LOOK_AT_QUEUE: Duration = Duration::from_millis(10);

/// Ends the server.
#[derive(Debug)]
pub(crate) struct Ending {
    handle: ServerHandle,
    doors: Vec<Door>,
    stop: ServerStop,
    places: Places,
}

impl Ending {
    pub(super) fn new(handle: ServerHandle, doors: Vec<Door>, stop: ServerStop, places: Places) -> Self {
        Self {
            handle,
            doors,
            stop,
            places,
        }
    }

    /// Resolves when the workers have started; until then connections wait, and they are to be answered too.
    pub(crate) async fn started(&self) {
        // It takes commands in their order, the first one after the start; this one changes nothing.
        self.handle.resume().await;
    }

    /// Resolves when there has been no connection for this long.
    pub(crate) async fn none_for(&self, quiet: Duration) {
        self.places.none_open_for(quiet).await;
    }

    /// Whether a connection is opened within this time, all of which it takes.
    pub(crate) async fn one_comes_within(&self, time: Duration) -> bool {
        self.places.one_comes_within(time).await
    }

    /// Closes the listeners. Connections that were begun are accepted first: those that are half open have `settle` to
    /// complete, and all together have `patience` to be taken by the workers, which are behind when they are full.
    pub(crate) async fn close_the_doors(&self, settle: Duration, patience: Duration) {
        self.doors.iter().for_each(Door::let_nobody_begin);
        sleep(settle).await;
        let taken = async {
            loop {
                // The acceptor has to leave the listener before it closes, or it takes that for a failure.
                self.handle.pause().await;
                sleep(LOOK_AT_QUEUE).await;
                if !self.doors.iter().any(Door::has_waiting) {
                    break;
                }
                self.handle.resume().await;
                sleep(LOOK_AT_QUEUE).await;
            }
            self.stop.all_taken().await;
        };
        if timeout(patience, taken).await.is_err() {
            log::warn!("connections that no worker took are reset");
        }
        self.doors.iter().for_each(Door::close);
    }

    /// Tells each connection that it ends: an idle one does so at once, one in use after its answer.
    pub(crate) fn tell(&self) {
        self.stop.begin();
    }

    /// Resolves when there is no connection.
    pub(crate) async fn none_open(&self) {
        self.places.none_open().await;
    }

    /// How many requests have crossed the end of their connection so far: they came over a kept one that was idle, when its end had been
    /// announced. Clients send them again (RFC 9112, 9.3.1 and 9.6).
    pub(crate) fn crossed(&self) -> usize {
        self.places.crossed()
    }

    /// Resolves when each client has its answer, and the end of its connection has been announced to it.
    pub(crate) async fn none_unfinished(&self) {
        self.places.none_taken().await;
    }

    /// Ends the workers. Connections that they still have are cut; whoever waits for [`Ending::none_open`] first cuts none.
    pub(crate) async fn stop(&self, is_graceful: bool) {
        self.handle.stop(is_graceful).await;
    }
}
