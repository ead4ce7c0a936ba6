//! Clients that ask throughout a fault, and all that they are answered.
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use test_support::http::{Connection, Request, Response};

use super::course::Course;
use super::environments::{ENVIRONMENTS, Environment};
use super::stream::Stream;

/// Between two rounds of requests.
const PAUSE: Duration = Duration::from_millis(80);
/// What a round may take on a machine that has nothing else to do, in a build that is not optimised.
const ROUND: Duration = Duration::from_millis(50);

/// The clients of all environments: each environment has one that asks everything in turn, on a kept connection, and one that
/// listens; one more asks the health paths.
pub(crate) struct Clients {
    shared: Arc<Shared>,
    threads: Vec<JoinHandle<()>>,
    standstill: Arc<AtomicU64>,
    streams: Vec<Stream>,
}

struct Shared {
    address: SocketAddr,
    is_ended: AtomicBool,
    /// Rounds of the first client.
    rounds: AtomicU64,
    /// How much longer they took in all than [`ROUND`] each, in microseconds.
    late: AtomicU64,
    courses: Mutex<Vec<Course>>,
    probes: Mutex<Probes>,
}

/// What the health paths said, each status once in a row.
#[derive(Debug, Default)]
pub(crate) struct Probes {
    pub(crate) readiness: Vec<u16>,
    pub(crate) liveness: Vec<u16>,
    /// Probes without an answer.
    pub(crate) lost: u64,
}

/// All that the clients saw.
pub(crate) struct Seen {
    pub(crate) courses: Vec<Course>,
    pub(crate) probes: Probes,
    pub(crate) streams: Vec<super::stream::Heard>,
}

/// What is asked of one environment: its name, and the request to it.
fn requests(of: &Environment) -> [(&'static str, Request); 5] {
    let (client, server) = (of.client_side_key, of.server_side_key);
    let identity = r#"{"identifier":"bob","traits":[{"trait_key":"age","trait_value":31}]}"#;
    [
        ("flags, client-side", Request::get("/api/v1/flags/").key(client)),
        ("flags, server-side", Request::get("/api/v1/flags/").key(server)),
        (
            "identity, client-side",
            Request::post("/api/v1/identities/", identity).key(client),
        ),
        (
            "identity, server-side",
            Request::get("/api/v1/identities/?identifier=bob").key(server),
        ),
        (
            "document, server-side",
            Request::get("/api/v1/environment-document/").key(server),
        ),
    ]
}

impl Clients {
    /// Begins to ask.
    pub(crate) fn of(address: SocketAddr) -> Self {
        let shared = Arc::new(Shared {
            address,
            is_ended: AtomicBool::new(false),
            rounds: AtomicU64::new(0),
            late: AtomicU64::new(0),
            courses: Mutex::default(),
            probes: Mutex::default(),
        });
        let mut threads = Vec::new();
        for environment in &ENVIRONMENTS {
            let mut courses = shared.courses();
            let first = courses.len();
            let requests = requests(environment);
            courses.extend(requests.iter().map(|(what, _)| {
                let name = environment.name;
                Course::of(format!("{what}, of {name}"))
            }));
            drop(courses);
            let shared = Arc::clone(&shared);
            threads.push(thread::spawn(move || shared.ask(first, &requests)));
        }
        let probing = Arc::clone(&shared);
        threads.push(thread::spawn(move || probing.probe()));
        let standstill = Arc::new(AtomicU64::new(0));
        let (measuring, counted) = (Arc::clone(&shared), Arc::clone(&standstill));
        threads.push(thread::spawn(move || measuring.measure_standstill(&counted)));
        let streams = ENVIRONMENTS.iter().map(|each| Stream::open(address, each));
        let streams = streams.collect();
        Self {
            shared,
            threads,
            standstill,
            streams,
        }
    }

    /// For how long in all this machine has let threads wait that had something to do, because others have it: one that sleeps for
    /// a moment again and again, or those that ask and answer the first client's rounds, as work goes from thread to thread on
    /// the way of a document too.
    pub(crate) fn standstill(&self) -> Duration {
        let (slept, asked) = (&self.standstill, &self.shared.late);
        Duration::from_micros(slept.load(Ordering::Relaxed).max(asked.load(Ordering::Relaxed)))
    }

    /// Waits until so many more rounds have been asked, some 12 a second.
    pub(crate) fn wait_for_rounds(&self, rounds: u64) {
        let until = self.shared.rounds.load(Ordering::Relaxed) + rounds;
        while self.shared.rounds.load(Ordering::Relaxed) < until {
            thread::sleep(PAUSE);
        }
    }

    /// Waits until every answer has this value, and gives when the last of them first had; `None`: not within this time.
    pub(crate) fn wait_for_value(&self, value: &str, patience: Duration) -> Option<Instant> {
        let begun = Instant::now();
        while begun.elapsed() < patience {
            let since = self
                .shared
                .courses()
                .iter()
                .map(|course| course.since(value))
                .collect::<Option<Vec<_>>>();
            if let Some(last) = since.and_then(|since| since.into_iter().max()) {
                return Some(last);
            }
            thread::sleep(Duration::from_millis(5));
        }
        None
    }

    /// Waits until every stream has so many events, which follow what is served.
    pub(crate) fn wait_for_events(&self, events: usize, patience: Duration) {
        let begun = Instant::now();
        while begun.elapsed() < patience && self.streams.iter().any(|stream| stream.events() < events) {
            thread::sleep(Duration::from_millis(5));
        }
    }

    /// The statuses that clients have just now.
    pub(crate) fn newest(&self) -> String {
        let courses = self.shared.courses();
        let newest = courses.iter().map(|course| {
            let last = course.sightings.last();
            let last = last.map(|last| (last.status, last.value.clone()));
            format!("{}: {last:?}", course.what)
        });
        newest.collect::<Vec<_>>().join("; ")
    }

    /// Asks no more.
    pub(crate) fn end(self) -> Seen {
        self.shared.is_ended.store(true, Ordering::Relaxed);
        let streams = self.streams.into_iter().map(Stream::end).collect();
        for thread in self.threads {
            thread.join().expect("a client without a panic");
        }
        Seen {
            courses: std::mem::take(&mut *self.shared.courses()),
            probes: std::mem::take(&mut *self.shared.probes.lock().unwrap()),
            streams,
        }
    }
}

impl Shared {
    fn courses(&self) -> MutexGuard<'_, Vec<Course>> {
        self.courses.lock().unwrap()
    }

    /// Asks everything in turn; the answers go to the courses from `first` on.
    fn ask(&self, first: usize, requests: &[(&'static str, Request)]) {
        let mut kept = None;
        let mut etags = vec![None::<String>; requests.len()];
        while !self.is_ended.load(Ordering::Relaxed) {
            let begun = Instant::now();
            for (place, (_, request)) in requests.iter().enumerate() {
                let request = match &etags[place] {
                    Some(etag) => request.clone().header("If-None-Match", etag),
                    None => request.clone(),
                };
                let answer = self.send(&mut kept, &request);
                let course = &mut self.courses()[first + place];
                match answer {
                    Ok(answer) => {
                        // Every other request of those that have one is conditional.
                        let etag = answer.header("etag").filter(|_| answer.status == 200);
                        etags[place] = etag.map(str::to_owned);
                        course.answered(answer);
                    }
                    Err(error) => course.lost.push(error.to_string()),
                }
            }
            if first == 0 {
                let late = begun.elapsed().saturating_sub(ROUND);
                self.late.fetch_add(late.as_micros() as u64, Ordering::Relaxed);
                self.rounds.fetch_add(1, Ordering::Relaxed);
            }
            thread::sleep(PAUSE);
        }
    }

    fn send(&self, kept: &mut Option<Connection>, request: &Request) -> std::io::Result<Response> {
        let mut connection = match kept.take() {
            Some(connection) => connection,
            None => Connection::try_open(self.address)?,
        };
        let answer = connection.try_send(request)?;
        if answer.header("connection") != Some("close") {
            *kept = Some(connection);
        }
        Ok(answer)
    }

    fn measure_standstill(&self, counted: &AtomicU64) {
        const BEAT: Duration = Duration::from_millis(10);
        while !self.is_ended.load(Ordering::Relaxed) {
            let begun = Instant::now();
            thread::sleep(BEAT);
            let late = begun.elapsed().saturating_sub(BEAT * 2);
            counted.fetch_add(late.as_micros() as u64, Ordering::Relaxed);
        }
    }

    fn probe(&self) {
        let mut kept = None;
        while !self.is_ended.load(Ordering::Relaxed) {
            let mut status = |path: &str| {
                let answer = self.send(&mut kept, &Request::get(path));
                answer.map(|answer| answer.status)
            };
            let (readiness, liveness) = (
                status("/proxy/health/readiness"),
                status("/proxy/health/liveness"),
            );
            let mut probes = self.probes.lock().unwrap();
            let Probes {
                readiness: ready,
                liveness: live,
                lost,
            } = &mut *probes;
            for (answer, statuses) in [(readiness, ready), (liveness, live)] {
                match answer {
                    Ok(status) if statuses.last() == Some(&status) => {}
                    Ok(status) => statuses.push(status),
                    Err(_) => *lost += 1,
                }
            }
            drop(probes);
            thread::sleep(PAUSE);
        }
    }
}
