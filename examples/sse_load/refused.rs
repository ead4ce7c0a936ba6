//! What refused streams cost, by the way in which they are refused. Their clients come back at once, as Python's SDK does.
use std::cell::Cell;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::{Duration, Instant};

use tokio::io::AsyncReadExt as _;
use tokio::task::JoinHandle;

use super::arguments::Arguments;
use super::figures::{processor_time, resident_kib};
use super::fleet::{self, Fleet, Manner};
use super::modes::{judge, start};
use super::server::{Options, Server};

/// Clients of a process whose one place for a stream is taken.
struct Refused {
    asked: Rc<Cell<usize>>,
    clients: Vec<JoinHandle<()>>,
}

impl Refused {
    fn start(server: SocketAddr, count: usize) -> Self {
        let asked = Rc::new(Cell::new(0));
        let clients = (0..count).map(|place| {
            let asked = Rc::clone(&asked);
            tokio::task::spawn_local(async move {
                loop {
                    asked.set(asked.get() + 1);
                    let mut answer = Vec::new();
                    match fleet::connect(server, place, 4096).await {
                        // However it ends.
                        Ok(mut connection) => drop(connection.read_to_end(&mut answer).await),
                        // All ports are taken by those that were.
                        Err(_) => tokio::time::sleep(Duration::from_millis(1)).await,
                    }
                }
            })
        });
        Self {
            clients: clients.collect(),
            asked,
        }
    }
}

impl Drop for Refused {
    fn drop(&mut self) {
        self.clients.iter().for_each(JoinHandle::abort);
    }
}

/// Refuses so many clients in one way, and prints what each of them costs; the requests a second of a client.
async fn measure(arguments: &Arguments, way: &str, clients: usize, options: Options) -> f64 {
    let (_upstream, server): (_, Server) = start(arguments, options).await;
    let _admitted = Fleet::open(server.address, 1, Manner::Once).await;
    let before = resident_kib(server.pid());
    let refused = Refused::start(server.address, clients);
    // The first ones all connect at once, which is no measure.
    tokio::time::sleep(Duration::from_secs(2)).await;
    let (from, used, asked) = (Instant::now(), processor_time(server.pid()), refused.asked.get());
    tokio::time::sleep(Duration::from_secs(arguments.number("seconds", 10) as u64)).await;
    let seconds = from.elapsed().as_secs_f64();
    let busy = (processor_time(server.pid()) - used).as_secs_f64();
    let requests = (refused.asked.get() - asked) as f64 / seconds / clients as f64;
    let kib = resident_kib(server.pid()).saturating_sub(before) as f64;
    println!(
        "     {way}: {clients} clients, {requests:.2} requests a second each, {:.3} % of one core each, {:.1} KiB each",
        busy / seconds * 100.0 / clients as f64,
        kib / clients as f64
    );
    requests
}

/// At once, held, put off.
pub(crate) async fn refused(arguments: &Arguments) -> bool {
    let many = arguments.number("clients", 2_000);
    let ways = [
        ("at once", 1, 0, 0),
        ("held", many, many, 0),
        ("put off", many, 0, many),
    ];
    let mut holds = true;
    for (way, clients, held_refusals, put_offs) in ways {
        let options = Options {
            max_subscribers: 1,
            held_refusals,
            put_offs,
            ..Options::default()
        };
        let requests = measure(arguments, way, clients, options).await;
        if way != "at once" {
            holds &= judge("requests a second of a client", requests, 2.0);
        }
    }
    holds
}
