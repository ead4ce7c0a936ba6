//! Waiting for what must happen.
use std::time::Duration;

/// Longer than anything that is awaited takes, on a slow and busy machine.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// The future's output; one that takes longer than [`PATIENCE`] fails the test.
pub async fn in_time<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, future)
        .await
        .expect("it comes about in time")
}

/// Runs a future to its end on this thread, for tests that are not async themselves, as [`in_time`] does.
pub fn wait<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .unwrap();
    runtime.block_on(in_time(future))
}
