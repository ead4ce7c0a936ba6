//! Spans out of their queue, one batch at a time. While the collector takes none, the queue fills, and what finds no room there
//! is counted: nobody waits.
use std::sync::Arc;
use std::time::Duration;

use actors::trace::SpanQueue;
use bytes::Bytes;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceResponse;
use prost::Message as _;
use tokio::sync::watch;
use tokio::time::{Instant, sleep, sleep_until};

use super::pace::Pace;
use super::standing::{Line, PERIOD, Standing};
use super::{Connected, GrpcMethod, Refusal};
use crate::telemetry::messages::{self, Resource};

/// Where spans come from, and how long they wait.
#[derive(Debug)]
pub(in crate::telemetry) struct Batches {
    pub(in crate::telemetry) queue: Arc<SpanQueue>,
    /// The longest that a span waits for others.
    pub(in crate::telemetry) schedule_delay: Duration,
    /// How long one batch is tried.
    pub(in crate::telemetry) export_timeout: Duration,
    pub(in crate::telemetry) resource: Arc<Resource>,
}

/// Until when what waits may still be sent, once the end has begun.
type End = watch::Receiver<Option<Instant>>;

/// A batch that was taken out.
struct Batch {
    message: Bytes,
    spans: u64,
    /// After this it is not tried any more.
    until: Instant,
}

struct Sending {
    batches: Batches,
    connected: Connected,
    pace: Pace,
    standing: Standing,
    /// A batch that was not taken and is tried again.
    held: Option<Batch>,
    /// Before this nothing is sent.
    not_before: Instant,
}

impl Batches {
    /// Sends all that comes until the end, and then what waits.
    pub(in crate::telemetry) async fn send_all(self, connected: Connected, mut end: End) {
        let mut sending = Sending {
            batches: self,
            connected,
            pace: Pace::default(),
            standing: Standing::new("spans"),
            held: None,
            not_before: Instant::now(),
        };
        loop {
            tokio::select! {
                () = sending.next_is_due() => {}
                _ = end.wait_for(Option::is_some) => break,
            }
            tokio::select! {
                () = sending.send_what_is_due() => {}
                () = is_over(&mut end) => break,
            }
        }
        tokio::select! {
            () = sending.send_the_rest() => {}
            () = is_over(&mut end) => {}
        }
        sending.tell_of_the_rest();
    }

    fn take(&self) -> Option<Batch> {
        let spans = self.queue.take();
        (!spans.is_empty()).then(|| Batch {
            spans: u64::try_from(spans.len()).unwrap_or(u64::MAX),
            message: messages::of_spans(&self.resource, spans).into(),
            until: Instant::now() + self.export_timeout,
        })
    }
}

impl Sending {
    /// Resolves when there is something to be sent, and it may be, or something to be told.
    async fn next_is_due(&self) {
        if self.held.is_none() {
            // Where nothing is traced nothing wakes, however short the delay is.
            tokio::select! {
                () = self.batches.queue.any() => {}
                () = sleep(PERIOD), if self.standing.has_untold() => return,
            }
            if !self.batches.queue.has_batch() {
                tokio::select! {
                    () = self.batches.queue.batch() => {}
                    () = sleep(self.batches.schedule_delay) => {}
                }
            }
        }
        sleep_until(self.not_before).await;
    }

    /// Sends what waits, up to the first batch that is not taken. Of what comes meanwhile whole batches go along: a few spans
    /// would be a request of their own as often as the collector answers.
    async fn send_what_is_due(&mut self) {
        let mut due = self.waiting();
        while due > 0 || self.batches.queue.has_batch() {
            let Some(batch) = self.next() else { break };
            due = due.saturating_sub(batch.spans);
            if !self.attempt(batch).await {
                break;
            }
        }
        self.note_lost(0);
    }

    /// How many wait, those included that are tried again.
    fn waiting(&self) -> u64 {
        let waiting = u64::try_from(self.batches.queue.waiting()).unwrap_or(u64::MAX);
        let held = self.held.as_ref().map_or(0, |batch| batch.spans);
        waiting.saturating_add(held)
    }

    fn next(&mut self) -> Option<Batch> {
        self.held.take().or_else(|| self.batches.take())
    }

    /// Whether it was taken, or is not to be tried again.
    async fn attempt(&mut self, batch: Batch) -> bool {
        let (message, until) = (batch.message.clone(), batch.until);
        // Here it is counted where the end comes before the answer.
        self.held = Some(batch);
        let sent = self.connected.send(GrpcMethod::Traces, &message, until).await;
        let batch = self.held.take();
        // After each attempt: where all are taken, and more come than that, there is no end of them.
        let dropped = self.batches.queue.take_dropped();
        self.note_lost(dropped);
        match sent {
            Ok(answer) => {
                self.pace.succeeded();
                self.standing.succeeded().into_iter().for_each(Line::log);
                self.note_lost(rejected(&answer));
                true
            }
            Err(refusal) => {
                batch.into_iter().for_each(|batch| self.refused(batch, &refusal));
                false
            }
        }
    }

    fn refused(&mut self, batch: Batch, refusal: &Refusal) {
        let wait = self.pace.failed(refusal.wait, rand::random());
        self.not_before = Instant::now() + wait;
        let failed = self.standing.failed(&refusal.why, Instant::now().into_std());
        failed.into_iter().for_each(Line::log);
        if refusal.may_be_retried && self.not_before < batch.until {
            self.held = Some(batch);
        } else {
            self.note_lost(batch.spans);
        }
    }

    fn note_lost(&mut self, count: u64) {
        let told = self.standing.lost(count, Instant::now().into_std());
        told.into_iter().for_each(Line::log);
    }

    /// Tries each batch that is left once, up to the first that is not taken.
    async fn send_the_rest(&mut self) {
        while let Some(batch) = self.next() {
            if !self.attempt(batch).await {
                break;
            }
        }
    }

    /// Counts what is left behind, and tells of it at once.
    fn tell_of_the_rest(mut self) {
        let dropped = self.batches.queue.take_dropped();
        let lost = self.waiting().saturating_add(dropped);
        let now = Instant::now().into_std();
        let told = self.standing.lost(lost, now).or_else(|| self.standing.last());
        told.into_iter().for_each(Line::log);
    }
}

/// Resolves when the end has begun and its time is over.
async fn is_over(end: &mut End) {
    let until = end.wait_for(Option::is_some).await.ok().and_then(|until| *until);
    // Else whoever could end it is gone, and so is the process.
    if let Some(until) = until {
        sleep_until(until).await;
    }
}

/// How many spans a collector has not taken of a batch that it took.
fn rejected(answer: &[u8]) -> u64 {
    // Collectors that answer something else have taken all of it: the status says so.
    let answer = ExportTraceServiceResponse::decode(answer).unwrap_or_default();
    let rejected = answer.partial_success.map_or(0, |partial| partial.rejected_spans);
    u64::try_from(rejected).unwrap_or(0)
}
