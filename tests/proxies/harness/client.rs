//! Asking through a program in front.
use std::io;
use std::net::SocketAddr;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use serde_json::json;
use test_support::http::{Connection, Request, Response, ask};

use super::ONE;

/// A connection on which answers may be chunked, as programs in front make them.
pub(crate) struct Line(Connection);

impl Line {
    /// Connects.
    pub(crate) fn open(address: SocketAddr) -> Self {
        Self(Connection::open(address))
    }

    /// Sends a request and reads the whole answer.
    pub(crate) fn ask(&mut self, request: &Request) -> Response {
        let mut answer = self.ask_head(request);
        if answer.header("transfer-encoding").is_some() && !request.is_head() {
            while let Some(chunk) = self.0.chunk() {
                answer.body.extend(chunk.into_bytes());
            }
        } else {
            let length = answer.body_length(request.is_head()).unwrap();
            answer.body = self.0.read_exact(length);
        }
        answer
    }

    /// Sends a request and reads the head of the answer.
    pub(crate) fn ask_head(&mut self, request: &Request) -> Response {
        self.0.write_request(request);
        self.0.read_head()
    }

    /// The next chunk; `None`: it was the last one.
    pub(crate) fn chunk(&mut self) -> Option<String> {
        self.0.chunk()
    }
}

/// A request, and the status that it must have.
pub(crate) struct Expected {
    /// What is sent.
    pub request: Request,
    /// What must come.
    pub status: u16,
}

/// One request of each sort, for the environment [`ONE`]; `edge` is asked for the `ETag` of the flags.
pub(crate) fn mixed_requests(edge: SocketAddr) -> Vec<Expected> {
    let etag = ask(edge, &get(FLAGS)).unwrap();
    let etag = etag.header("etag").unwrap().to_owned();
    let document = Request::get("/api/v1/environment-document/").key(ONE.server_side_key);
    expected([
        (get(FLAGS), 200),
        (identify(3), 200),
        (get("/api/v1/identities/?identifier=bob"), 200),
        (document, 200),
        (get(FLAGS).header("If-None-Match", &etag), 304),
        // More than nginx keeps in memory.
        (identify(300), 200),
        (Request::new("HEAD", FLAGS).key(ONE.client_side_key), 200),
        (post("{\"identifier\": ".to_owned()), 400),
        (Request::get(FLAGS).key("unknown"), 401),
        (get("/api/v1/nowhere/"), 404),
        (Request::new("DELETE", FLAGS).key(ONE.client_side_key), 405),
    ])
}

/// Requests that offer to go on in another protocol, as browsers and Java do.
pub(crate) fn offers() -> Vec<Expected> {
    let websocket = |request: Request| {
        request
            .header("Connection", "Upgrade")
            .header("Upgrade", "websocket")
            .header("Sec-WebSocket-Version", "13")
            .header("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==")
    };
    let h2c = |request: Request| {
        request
            .header("Connection", "Upgrade, HTTP2-Settings")
            .header("Upgrade", "h2c")
            .header("HTTP2-Settings", "AAMAAABkAAQCAAAAAAIAAAAA")
    };
    expected([
        (websocket(get(FLAGS)), 200),
        (websocket(identify(3)), 200),
        (h2c(get(FLAGS)), 200),
        (h2c(identify(300)), 200),
    ])
}

const FLAGS: &str = "/api/v1/flags/";

fn get(path: &str) -> Request {
    Request::get(path).key(ONE.client_side_key)
}

fn post(body: String) -> Request {
    Request::post("/api/v1/identities/", body).key(ONE.client_side_key)
}

/// An identity with so many traits.
fn identify(traits: usize) -> Request {
    let traits =
        (0..traits).map(|number| json!({"trait_key": format!("t{number}"), "trait_value": "v".repeat(100)}));
    post(json!({"identifier": "alice", "traits": traits.collect::<Vec<_>>()}).to_string())
}

fn expected<const N: usize>(requests: [(Request, u16); N]) -> Vec<Expected> {
    requests
        .into_iter()
        .map(|(request, status)| Expected { request, status })
        .collect()
}

/// What many clients saw.
#[derive(Default)]
pub(crate) struct Tally {
    answered: AtomicUsize,
    wrong: Mutex<Vec<String>>,
}

impl Tally {
    /// How many requests were answered as they must be.
    pub(crate) fn answered(&self) -> usize {
        self.answered.load(Ordering::Relaxed)
    }

    /// Whether so much is lost that there is no point in going on.
    pub(crate) fn is_bad(&self) -> bool {
        self.wrong.lock().unwrap().len() >= 20
    }

    /// What was lost or wrong.
    pub(crate) fn wrong(&self) -> Vec<String> {
        self.wrong.lock().unwrap().clone()
    }

    fn note(&self, expected: &Expected, outcome: &io::Result<Response>) {
        let seen = match outcome {
            Ok(answer) if answer.status == expected.status => {
                self.answered.fetch_add(1, Ordering::Relaxed);
                return;
            }
            Ok(answer) => answer.status.to_string(),
            Err(error) => error.to_string(),
        };
        let head = expected.request.bytes();
        let head = String::from_utf8_lossy(&head[..head.len().min(100)]).into_owned();
        self.wrong
            .lock()
            .unwrap()
            .push(format!("{seen} instead of {}: {head:?}", expected.status));
    }
}

/// So many clients send these requests in turn, each on a connection that it keeps as long as it may, while `goes_on` (which
/// is given the number of requests that were begun before).
pub(crate) fn ask_all(
    address: SocketAddr,
    clients: usize,
    requests: &[Expected],
    tally: &Tally,
    goes_on: impl Fn(usize) -> bool + Sync,
) {
    let begun = AtomicUsize::new(0);
    thread::scope(|scope| {
        for _ in 0..clients {
            scope.spawn(|| {
                let mut kept: Option<Connection> = None;
                loop {
                    let number = begun.fetch_add(1, Ordering::Relaxed);
                    if !goes_on(number) {
                        return;
                    }
                    let expected = &requests[number % requests.len()];
                    let outcome = kept.take().map_or_else(|| Connection::try_open(address), Ok);
                    let outcome = outcome.and_then(|mut connection| {
                        let answer = connection.try_send(&expected.request)?;
                        if answer.header("connection") != Some("close") {
                            kept = Some(connection);
                        }
                        Ok(answer)
                    });
                    tally.note(expected, &outcome);
                }
            });
        }
    });
}
