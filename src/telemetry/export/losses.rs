//! What the operator hears of spans that nobody gets.
use std::convert::Infallible;
use std::time::Duration;

use actors::trace::SpanQueue;
use tokio::time::sleep;

/// Between two times that they hear of it.
const PERIOD: Duration = Duration::from_secs(60);

/// Tells of the first losses at once, and of what comes after them once a minute, for as long as it is polled. It waits for
/// nothing else: neither a collector that hangs nor one that asks for patience keeps it from telling.
pub(super) async fn tell(queue: &SpanQueue, mut tell: impl FnMut(u64)) -> Infallible {
    loop {
        queue.any_lost().await;
        tell(queue.take_lost());
        sleep(PERIOD).await;
    }
}

/// Tells of so many, where there are any.
pub(super) fn log(lost: u64) {
    if lost > 0 {
        log::warn!(
            "{lost} spans were lost: the collector did not take them, or there were more than OTEL_BSP_MAX_QUEUE_SIZE holds"
        );
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use actors::trace::QueueOptions;
    use tokio::time::timeout;

    use super::*;

    /// What is told within this time.
    async fn told(within: Duration, work: &mut (impl Future<Output = Infallible> + Unpin)) {
        let _ = timeout(within, work).await;
    }

    #[tokio::test(start_paused = true)]
    async fn losses_are_told_at_once_and_then_once_a_minute() {
        let queue = SpanQueue::new(QueueOptions {
            capacity: 1,
            batch: 1,
        });
        let lines = RefCell::new(Vec::new());
        let mut telling = Box::pin(tell(&queue, |lost| lines.borrow_mut().push(lost)));
        let moment = Duration::from_millis(1);
        told(10 * PERIOD, &mut telling).await;
        assert_eq!(*lines.borrow(), [0; 0], "nothing is lost");
        queue.lose(2);
        told(moment, &mut telling).await;
        assert_eq!(*lines.borrow(), [2]);
        queue.lose(3);
        queue.lose(4);
        told(PERIOD - 2 * moment, &mut telling).await;
        assert_eq!(*lines.borrow(), [2]);
        told(2 * moment, &mut telling).await;
        assert_eq!(*lines.borrow(), [2, 7]);
        told(10 * PERIOD, &mut telling).await;
        assert_eq!(*lines.borrow(), [2, 7], "nothing more is lost");
        queue.lose(1);
        told(moment, &mut telling).await;
        assert_eq!(*lines.borrow(), [2, 7, 1]);
    }
}
