//! The mode `herd`: do other requests suffer while thousands refetch?
use std::cell::Cell;
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use tokio::task::{JoinHandle, spawn_local};

use super::arguments::Arguments;
use super::figures::{median, millis, percentile};
use super::fleet::{Fleet, Manner};
use super::http::Connection;
use super::modes::{judge, start, tell};
use super::server::Options;

/// Flag requests at an even rate over a few connections, on a thread of their own, so that what else this program does
/// is not taken for the server's delay.
struct Asking {
    latencies: Arc<Mutex<Vec<Duration>>>,
    is_over: Arc<AtomicBool>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Asking {
    fn start(server: SocketAddr, per_second: u32) -> Self {
        const CONNECTIONS: u32 = 8;
        let mut asking = Self {
            latencies: Arc::default(),
            is_over: Arc::default(),
            thread: None,
        };
        let (latencies, is_over) = (Arc::clone(&asking.latencies), Arc::clone(&asking.is_over));
        let period = Duration::from_secs(1) * CONNECTIONS / per_second;
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .expect("a runtime");
            let start = Instant::now();
            let ask = |place: u32| {
                let (latencies, is_over) = (Arc::clone(&latencies), Arc::clone(&is_over));
                async move {
                    let mut connection = Connection::open(server).await;
                    let mut due = start + period * place / CONNECTIONS;
                    while !is_over.load(Ordering::Relaxed) {
                        tokio::time::sleep_until(due.into()).await;
                        let asked = Instant::now();
                        connection.flags().await;
                        latencies
                            .lock()
                            .expect("no panic while held")
                            .push(asked.elapsed());
                        due += period;
                    }
                }
            };
            runtime.block_on(futures::future::join_all((0..CONNECTIONS).map(ask)));
        });
        asking.thread = Some(thread);
        asking
    }

    fn take(&self) -> Vec<Duration> {
        std::mem::take(&mut *self.latencies.lock().expect("no panic while held"))
    }
}

impl Drop for Asking {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::Relaxed);
        // The thread asks the server, which stops after this.
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// Each delivery of a change asks for flags, over a pool of connections.
fn refetch(server: SocketAddr, fleet: &Fleet, pool: usize) -> (Rc<Cell<usize>>, Vec<JoinHandle<()>>) {
    let done = Rc::new(Cell::new(0));
    let tasks = (0..pool).map(|_| {
        let (done, board) = (Rc::clone(&done), Rc::clone(&fleet.board));
        spawn_local(async move {
            let mut connection = Connection::open(server).await;
            loop {
                board.deliveries.acquire().await.expect("never closed").forget();
                connection.flags().await;
                done.set(done.get() + 1);
            }
        })
    });
    let tasks = tasks.collect();
    (done, tasks)
}

/// With the automatic spread, which must keep its promise, and with none.
pub(crate) async fn herd(arguments: &Arguments) -> bool {
    let mut holds = true;
    for spread in ["auto", "0"] {
        let count = arguments.number("streams", 15_000);
        let (upstream, server) = start(
            arguments,
            Options {
                spread: spread.to_owned(),
                ..Options::default()
            },
        )
        .await;
        let fleet = Fleet::open(server.address, count, Manner::Once).await;
        let mut ratios = Vec::new();
        for _ in 0..arguments.number("runs", 5) {
            let asking = Asking::start(server.address, 500);
            tokio::time::sleep(Duration::from_secs(4)).await;
            let alone = percentile(&asking.take(), 0.99);

            fleet.board.deliveries.forget_permits(usize::MAX);
            let (done, refetching) = refetch(server.address, &fleet, 200);
            tokio::time::sleep(Duration::from_millis(300)).await;
            asking.take();
            tell(&upstream, &server, &fleet).await;
            while done.get() < count {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            let beside = percentile(&asking.take(), 0.99);
            ratios.push(beside.as_secs_f64() / alone.as_secs_f64());
            println!(
                "     spread {spread}: p99 {:.2} ms alone, {:.2} ms beside",
                millis(alone),
                millis(beside)
            );
            refetching.iter().for_each(JoinHandle::abort);
        }
        if spread == "auto" {
            holds = judge(
                "p99 of flags beside the herd, of that alone, median",
                median(ratios),
                3.0,
            );
        } else {
            println!("     the same with the spread off: {:.2}", median(ratios));
        }
    }
    holds
}
