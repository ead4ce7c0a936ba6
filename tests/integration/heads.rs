//! Heads that ask for what the proxy does not do, or that are odd: over raw sockets, however their bytes come.
use crate::harness::{App, CLIENT_KEY, Connection, Options, Request, Response, spawn_app};

const FLAGS: &str = "GET /api/v1/flags/ HTTP/1.1\r\nHost: p\r\nX-Environment-Key: client-key\r\n";
const BODY: &str =
    r#"{"identifier":"bob","traits":[{"trait_key":"upgrade","trait_value":"Connection: upgrade"}]}"#;

fn identities() -> String {
    format!(
        "POST /api/v1/identities/ HTTP/1.1\r\nHost: p\r\nX-Environment-Key: client-key\r\nContent-Length: {}\r\n",
        BODY.len()
    )
}

/// The ways in which clients and proxies offer an upgrade.
const OFFERS: [&str; 9] = [
    "Connection: Upgrade, HTTP2-Settings\r\nHTTP2-Settings: AAEAAEAAAAIAAAAB\r\nUpgrade: h2c\r\n",
    "Connection: upgrade\r\nUpgrade: websocket\r\n",
    "Connection: upgrade\r\n",
    "Upgrade: websocket\r\n",
    "upgrade: h2c\r\nconnection: keep-alive, upgrade\r\n",
    "CONNECTION: UPGRADE\r\nUPGRADE: WEBSOCKET\r\n",
    "Connection: keep-alive\r\nConnection: uPgRaDe\r\nUpgrade: WebSocket, h2c\r\n",
    "Connection: Upgrade,keep-alive\r\nUpgrade: TLS/1.2\r\n",
    "Upgrade: h2c\r\nConnection:upgrade\r\nSec-WebSocket-Key: eA==\r\nSec-WebSocket-Version: 13\r\n",
];

/// Answers never take an offer, and the connection goes on.
fn assert_ignored(answer: &Response, case: &str) {
    assert_eq!(answer.status, 200, "{case}");
    assert_eq!(
        (answer.header("connection"), answer.header("upgrade")),
        (None, None),
        "{case}"
    );
}

fn is_kept(app: &App, mut connection: Connection, case: &str) {
    let answer = connection.send(&Request::get("/api/v1/flags/").key(CLIENT_KEY));
    assert_eq!(
        (answer.status, &answer.body),
        (200, &app.get("/api/v1/flags/").body),
        "{case}"
    );
}

#[test]
fn offers_to_upgrade_are_ignored() {
    let app = spawn_app(Options::default());
    let plain = app
        .connect()
        .send(&Request::post("/api/v1/identities/", BODY).key(CLIENT_KEY));
    for offer in OFFERS {
        let mut connection = app.connect();
        for _ in 0..2 {
            connection.write(format!("{FLAGS}{offer}\r\n").as_bytes());
            assert_ignored(&connection.read(false), offer);
            let post = format!("{}{offer}\r\n{BODY}", identities());
            connection.write(post.as_bytes());
            let answer = connection.read(false);
            assert_ignored(&answer, offer);
            assert_eq!(answer.body, plain.body, "{offer}");
        }
        is_kept(&app, connection, offer);
    }
}

#[test]
fn offers_are_ignored_however_their_bytes_come() {
    let app = spawn_app(Options::default());
    let post = format!("{}{}\r\n{BODY}", identities(), OFFERS[1]);
    let chunked = format!(
        "POST /api/v1/identities/ HTTP/1.1\r\nHost: p\r\nX-Environment-Key: client-key\r\nTransfer-Encoding: chunked\r\n{}\r\n\
         {:x}\r\n{BODY}\r\n0\r\n\r\n",
        OFFERS[0],
        BODY.len()
    );
    for request in [format!("{FLAGS}{}\r\n", OFFERS[0]), post, chunked] {
        for size in [1, 7, 60, 200] {
            let mut connection = app.connect();
            for part in request.as_bytes().chunks(size) {
                connection.write(part);
            }
            assert_ignored(&connection.read(false), &request);
            is_kept(&app, connection, &request);
        }
    }
}

#[test]
fn what_is_pipelined_behind_an_offer_is_answered() {
    let app = spawn_app(Options::default());
    let (get, post) = (
        format!("{FLAGS}{}\r\n", OFFERS[0]),
        format!("{}{}\r\n{BODY}", identities(), OFFERS[1]),
    );
    let (plain_get, plain_post) = (format!("{FLAGS}\r\n"), format!("{}\r\n{BODY}", identities()));
    let all = [
        &get,
        &post,
        &plain_get,
        &post,
        &plain_post,
        &get,
        &get,
        &plain_get,
        &plain_post,
    ];
    let bytes = all.map(String::as_str).concat();
    for size in [1, 100, 150, bytes.len()] {
        let mut connection = app.connect();
        for part in bytes.as_bytes().chunks(size) {
            connection.write(part);
        }
        connection.try_finish();
        for request in all {
            assert_ignored(&connection.read(false), request);
        }
        assert!(connection.is_closed());
    }
}

#[test]
fn whoever_closes_says_so() {
    let app = spawn_app(Options::default());
    let mut connection = app.connect();
    connection.write(b"CONNECT example.com:443 HTTP/1.1\r\nHost: example.com\r\n\r\n");
    let answer = connection.read(false);
    assert_eq!((answer.status, answer.header("connection")), (404, Some("close")));
    assert!(connection.is_closed());
    for offer in [
        "Connection: upgrade, close\r\n",
        "Connection: close\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n",
    ] {
        let mut connection = app.connect();
        connection.write(format!("{FLAGS}{offer}\r\n").as_bytes());
        let answer = connection.read(false);
        assert_eq!((answer.status, answer.header("connection")), (200, Some("close")));
        assert!(connection.is_closed());
    }
}

#[test]
fn each_of_pipelined_answers_is_framed_as_its_request_asks() {
    let app = spawn_app(Options::default());
    let get = format!("{FLAGS}\r\n");
    let head = get.replace("GET", "HEAD");
    let (old, last) = (
        get.replace("1.1\r\n", "1.0\r\nConnection: keep-alive\r\n"),
        format!("{FLAGS}Connection: close\r\n\r\n"),
    );
    let mut connection = app.connect();
    connection.write(
        [&get, &head, &get, &old, &head, &head, &get, &last, &get]
            .map(String::as_str)
            .concat()
            .as_bytes(),
    );
    let whole = app.get("/api/v1/flags/").body;
    for is_head in [false, true, false, false, true, true, false, false] {
        let answer = connection.read(is_head);
        assert_eq!(
            (answer.status, answer.body.len()),
            (200, if is_head { 0 } else { whole.len() })
        );
        assert_eq!(
            answer.header("content-length"),
            Some(whole.len().to_string().as_str())
        );
    }
    assert!(connection.is_closed(), "the client has said that nothing follows");
}

#[test]
fn odd_bytes_of_a_query_are_read_as_what_they_are() {
    let app = spawn_app(Options::default());
    let identity = |query: &str| {
        let target = format!("GET /api/v1/identities/?identifier={query}");
        [
            target.as_bytes(),
            b" HTTP/1.1\r\nHost: p\r\nX-Environment-Key: client-key\r\n\r\n",
        ]
        .concat()
    };
    for (raw, expected) in [
        ("\u{e9}t\u{e9}", "\u{e9}t\u{e9}"),
        ("\"a\"<b>", "\"a\"<b>"),
        ("a\\^`{|}", "a\\^`{|}"),
        ("%C3%A9\u{e9}", "\u{e9}\u{e9}"),
    ] {
        let request = identity(raw);
        for size in [1, 45, request.len()] {
            let mut connection = app.connect();
            for part in request.chunks(size) {
                connection.write(part);
            }
            let answer = connection.read(false);
            assert_eq!(
                (answer.status, answer.json()["identifier"].as_str()),
                (200, Some(expected)),
                "{raw}"
            );
            is_kept(&app, connection, raw);
        }
    }
    // Those of a body and of a field are nobody's business here.
    let body = "{\"identifier\":\"\u{e9}<\\\"\"}";
    let answer = app.connect().send(
        &Request::post("/api/v1/identities/", body)
            .key(CLIENT_KEY)
            .header("If-None-Match", "\"\u{e9}<>`\""),
    );
    assert_eq!(answer.json()["identifier"].as_str(), Some("\u{e9}<\""));
}

/// A request and what its answer must be alone: status, whether it is that of a HEAD, body.
type Exchange = (Vec<u8>, u16, bool, Vec<u8>);

/// Requests of many framings, each with its answer. Those with bodies that nobody reads end their connections.
fn exchanges(app: &App) -> Vec<Exchange> {
    let (get, post) = (format!("{FLAGS}\r\n"), format!("{}\r\n{BODY}", identities()));
    let chunked = |head: &str, chunks: &str| {
        let head = head.split("Content-Length").next().unwrap().to_owned();
        format!("{head}Transfer-Encoding: chunked\r\n\r\n{chunks}")
    };
    let (left, right) = BODY.split_at(BODY.len() / 2);
    let chunks = format!(
        "{:x};x\r\n{left}\r\n{:X}\r\n{right}\r\n0\r\nT: x\r\n\r\n",
        left.len(),
        right.len()
    );
    let requests = [
        get.clone(),
        get.replace("GET", "HEAD"),
        post.clone(),
        chunked(&post, &chunks),
        format!("{FLAGS}{}\r\n", OFFERS[0]),
        format!("{}{}\r\n{BODY}", identities(), OFFERS[1]),
        format!("\r\n{get}"),
        get.replace("flags/", "flags/?feature=\u{e9}\""),
        get.replace("\r\n", "\n"),
        get.replace("client-key", "unknown"),
    ];
    let answered = requests.into_iter().map(|request| {
        let is_head = request.starts_with("HEAD");
        let mut connection = app.connect();
        connection.write(request.as_bytes());
        let answer = connection.read(is_head);
        (request.into_bytes(), answer.status, is_head, answer.body)
    });
    answered.collect()
}

#[test]
fn requests_in_any_order_and_any_pieces_are_answered_as_alone() {
    let app = spawn_app(Options::default());
    let exchanges = exchanges(&app);
    for seed in 0..60 {
        let mut random = fastrand::Rng::with_seed(seed);
        let chosen: Vec<&Exchange> = (0..10)
            .map(|_| &exchanges[random.usize(..exchanges.len())])
            .collect();
        let bytes: Vec<u8> = chosen.iter().flat_map(|exchange| exchange.0.clone()).collect();
        let mut connection = app.connect();
        let mut writer = connection.duplicate();
        std::thread::scope(|scope| {
            scope.spawn(move || {
                let mut rest = &bytes[..];
                let most = [1, 5, 50, 400, 3_000][random.usize(..5)];
                while !rest.is_empty() {
                    let (part, behind) = rest.split_at(random.usize(1..=most.min(rest.len())));
                    writer.try_write(part).unwrap();
                    rest = behind;
                }
            });
            for (request, status, is_head, body) in chosen {
                let answer = connection.read(*is_head);
                let case = format!("{seed}: {}", String::from_utf8_lossy(request));
                assert_eq!(
                    (answer.status, &answer.body, answer.header("connection")),
                    (*status, body, None),
                    "{case}"
                );
            }
        });
    }
}

#[test]
fn refusals_of_what_is_asked_with_an_offer_keep_the_connection_too() {
    let app = spawn_app(Options::default());
    let length = BODY.len();
    let line_feeds =
        format!("POST /api/v1/flags/ HTTP/1.1\nHost: p\nContent-Length: {length}\nX: y\n\n{BODY}");
    let with = |request: &str, offer: &str| {
        format!(
            "{request} HTTP/1.1\r\nHost: p\r\nX-Environment-Key: client-key\r\n{offer}Content-Length: {length}\r\n\r\n{BODY}"
        )
    };
    for (request, status) in [
        (with("POST /nope", OFFERS[0]), 404),
        (with("POST /api/v1/flags/", OFFERS[0]), 405),
        (with("POST /api/v1/flags/?q=\"", ""), 405),
        (with("GET /api/v1/flags/", OFFERS[1]), 200),
        (line_feeds, 405),
    ] {
        let mut connection = app.connect();
        // Both in one packet.
        connection.write(format!("{request}{FLAGS}\r\n").as_bytes());
        let answer = connection.read(false);
        assert_eq!(
            (answer.status, answer.header("connection")),
            (status, None),
            "{request}"
        );
        assert_eq!(connection.read(false).status, 200, "{request}");
    }
}

#[test]
fn a_head_that_is_too_large_is_so_however_it_is_cut() {
    let app = spawn_app(Options::default());
    let padding = "a".repeat(128 * 1024);
    let quotes = "\"".repeat(60_000);
    for (head, status) in [
        (format!("{FLAGS}X: {padding}\r\n\r\n"), 431),
        (
            format!("GET /api/v1/flags/?{padding} HTTP/1.1\r\nHost: p\r\n\r\n"),
            414,
        ),
        // It grows where these are written as a URL has them.
        (
            format!("GET /api/v1/flags/?{quotes} HTTP/1.1\r\nHost: p\r\n\r\n"),
            414,
        ),
    ] {
        for size in [head.len(), 1024 * 128, 10_000] {
            let mut connection = app.connect();
            for part in head.as_bytes().chunks(size) {
                connection.try_write(part);
            }
            assert_eq!(connection.read(false).status, status, "{size}");
        }
    }
}
