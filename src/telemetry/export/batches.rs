//! Spans out of their queue, one batch at a time. While the collector takes none, the queue fills, and what finds no room there
//! is counted: nobody waits. What is lost is told by whoever looks after the losses, whatever the sending waits for.
use std::sync::Arc;
use std::time::Duration;

use actors::trace::SpanQueue;
use bytes::Bytes;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceResponse;
use prost::Message as _;
use tokio::sync::watch;
use tokio::time::{Instant, sleep, sleep_until};

use super::pace::Pace;
use super::standing::{Line, Standing};
use super::{Connected, GrpcMethod, Refusal, losses};
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
    spans: usize,
    /// After this it is not tried any more.
    until: Instant,
}

/// How an attempt ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Attempt {
    Taken,
    /// The batch is lost. Another one may be taken.
    Refused,
    /// Nothing is taken for now.
    PutOff,
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
        let queue = Arc::clone(&self.queue);
        let mut sending = Sending {
            batches: self,
            connected,
            pace: Pace::default(),
            standing: Standing::new("spans"),
            held: None,
            not_before: Instant::now(),
        };
        tokio::select! {
            () = sending.send_until(&mut end) => {}
            never = losses::tell(&queue, losses::log) => match never {},
        }
        sending.tell_of_the_rest();
    }

    fn take(&self) -> Option<Batch> {
        let spans = self.queue.take();
        (!spans.is_empty()).then(|| Batch {
            spans: spans.len(),
            message: messages::of_spans(&self.resource, &spans).into(),
            until: Instant::now() + self.export_timeout,
        })
    }
}

impl Sending {
    async fn send_until(&mut self, end: &mut End) {
        loop {
            tokio::select! {
                () = self.next_is_due() => {}
                _ = end.wait_for(Option::is_some) => break,
            }
            tokio::select! {
                () = self.send_what_is_due() => {}
                () = is_over(end) => break,
            }
        }
        tokio::select! {
            () = self.send_the_rest() => {}
            () = is_over(end) => {}
        }
    }

    /// Resolves when there is something to be sent, and it may be.
    async fn next_is_due(&self) {
        if self.held.is_none() {
            // Where nothing is traced nothing wakes, however short the delay is.
            self.batches.queue.any().await;
            tokio::select! {
                () = self.batches.queue.batch() => {}
                () = sleep(self.batches.schedule_delay) => {}
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
            if self.attempt(batch).await != Attempt::Taken {
                break;
            }
        }
    }

    /// How many wait, those included that are tried again.
    fn waiting(&self) -> usize {
        let held = self.held.as_ref().map_or(0, |batch| batch.spans);
        self.batches.queue.waiting().saturating_add(held)
    }

    fn next(&mut self) -> Option<Batch> {
        self.held.take().or_else(|| self.batches.take())
    }

    async fn attempt(&mut self, batch: Batch) -> Attempt {
        let (message, until) = (batch.message.clone(), batch.until);
        // Here it is counted where the end comes before the answer.
        self.held = Some(batch);
        let sent = self.connected.send(GrpcMethod::Traces, &message, until).await;
        let batch = self.held.take();
        match sent {
            Ok(answer) => {
                self.pace.succeeded();
                self.standing.succeeded().into_iter().for_each(Line::log);
                self.batches.queue.lose(rejected(&answer));
                Attempt::Taken
            }
            Err(refusal) => {
                batch.into_iter().for_each(|batch| self.refused(batch, &refusal));
                match refusal.may_be_retried {
                    true => Attempt::PutOff,
                    false => Attempt::Refused,
                }
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
            self.batches.queue.lose(batch.spans);
        }
    }

    /// Tries each batch that is left once, as long as any may be taken.
    async fn send_the_rest(&mut self) {
        while let Some(batch) = self.next() {
            if self.attempt(batch).await == Attempt::PutOff {
                break;
            }
        }
    }

    /// Counts what is left behind, and tells of it at once.
    fn tell_of_the_rest(self) {
        let queue = &self.batches.queue;
        queue.lose(self.waiting());
        losses::log(queue.take_lost());
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
fn rejected(answer: &[u8]) -> usize {
    // Collectors that answer something else have taken all of it: the status says so.
    let answer = ExportTraceServiceResponse::decode(answer).unwrap_or_default();
    let rejected = answer.partial_success.map_or(0, |partial| partial.rejected_spans);
    usize::try_from(rejected).unwrap_or(0)
}
