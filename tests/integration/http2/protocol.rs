//! Both protocols on one port, told apart by how a connection begins, however its bytes come.
use edge_proxy::application::Limits;
use serde_json::json;
use test_support::http2::{Frame, FrameConnection, PREFACE, kind};

use super::client::{Client, get};
use super::{spawn, with};
use crate::harness::{CLIENT_KEY, Options, Proxy, ProxyOptions, Request, spawn_app};

const FLAGS: &str = "/api/v1/flags/";

#[test]
fn http_1_is_answered_beside_it() {
    let app = spawn();
    let body = app.get(FLAGS).body;
    let mut connection = FrameConnection::silent(app.address);
    let begin = [
        PREFACE,
        &Frame::new(kind::SETTINGS, 0, 0, Vec::new()).bytes(),
        &Frame::get(1, FLAGS, CLIENT_KEY).bytes(),
    ]
    .concat();
    for byte in begin {
        connection.write(&[byte]);
    }
    let data = connection.find(|frame| frame.kind == kind::DATA);
    assert_eq!(data.payload, body);
    for method in ["GET", "POST", "PUT", "OPTIONS", "PRI", "P"] {
        let mut connection = app.connect();
        let request = Request::new(method, FLAGS).key(CLIENT_KEY).bytes();
        for byte in request {
            connection.write(&[byte]);
        }
        let status = connection.read(false).status;
        assert!([200, 405].contains(&status), "{method}: {status}");
    }
    // An offer is ignored, and what follows it is HTTP/1.
    let offer = Request::get(FLAGS)
        .key(CLIENT_KEY)
        .header("Connection", "Upgrade, HTTP2-Settings")
        .header("HTTP2-Settings", "AAEAAEAAAAIAAAAB")
        .header("Upgrade", "h2c");
    let mut connection = app.connect();
    for _ in 0..2 {
        let answer = connection.send(&offer);
        assert_eq!((answer.status, answer.body), (200, body.clone()));
    }
}

#[test]
fn what_only_begins_like_it_is_http_1() {
    let app = spawn();
    for begin in [
        &b"PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n"[..],
        b"PRI * HTTP/1.1\r\n\r\n",
        b"PRI\r\n\r\n",
    ] {
        let mut connection = app.connect();
        connection.write(begin);
        assert_eq!(connection.read(false).status, 400);
    }
    let mut connection = app.connect();
    connection.write(b"PR");
    connection.finish();
    assert!(connection.rest().is_empty() || connection.is_closed());
}

#[tokio::test]
async fn the_access_log_and_the_proxy_protocol_mean_the_same() {
    let mut proxy = Proxy::start(ProxyOptions {
        logging: json!({"log_level": "INFO", "log_format": "json", "enable_access_log": true}),
        config: json!({"server": {"h2c": true, "proxy_protocol": "on"}}),
        variables: vec![("FORWARDED_ALLOW_IPS", "127.0.0.1".to_owned())],
    });
    let client = Client::open(proxy.address).await;
    let path = "/api/v1/identities/?identifier=somebody";
    assert_eq!(client.send(get(path), None).await.status, 200);
    let mut behind = FrameConnection::silent(proxy.address);
    let begin = [
        b"PROXY TCP4 192.0.2.1 127.0.0.1 12345 8000\r\n",
        PREFACE,
        &Frame::new(kind::SETTINGS, 0, 0, Vec::new()).bytes(),
        &Frame::get(1, FLAGS, CLIENT_KEY).bytes(),
    ]
    .concat();
    behind.write(&begin);
    behind.find(|frame| frame.kind == kind::DATA);
    drop((client, behind));
    proxy.signal("TERM");
    let (status, log) = proxy.wait();
    assert!(status.success(), "{log}");
    let lines: Vec<serde_json::Value> = log
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let of = |route: &str| {
        lines
            .iter()
            .find(|line| line["route"] == route)
            .unwrap_or_else(|| panic!("{log}"))
    };
    assert_eq!(of("/api/v1/identities/")["remote_ip"], "127.0.0.1");
    assert_eq!(of(FLAGS)["remote_ip"], "192.0.2.1");
    assert!(!log.contains("somebody") && !log.contains(CLIENT_KEY), "{log}");
}

#[tokio::test]
async fn a_worker_with_too_much_in_hand_refuses_requests_of_it_too() {
    let app = spawn_app(Options {
        adjust: |settings| settings.server.door.max_requests_in_flight = 0,
        ..with(json!({}))
    });
    let client = Client::open(app.address).await;
    let refused = client.send(get(FLAGS), None).await;
    assert_eq!(refused.status, 503);
    assert!(refused.header("retry-after").is_some());
    assert_eq!(client.send(get("/proxy/health/liveness"), None).await.status, 200);
}

#[tokio::test]
async fn a_connection_without_a_place_is_told_so_and_ends() {
    let options = with(json!({}));
    let app = spawn_app(Options {
        limits: Limits {
            open_files: Some(64),
            ..options.limits.clone()
        },
        ..options
    });
    let fields = [
        (":method", "POST"),
        (":scheme", "http"),
        (":authority", "proxy"),
        (":path", "/api/v1/identities/"),
        ("x-environment-key", CLIENT_KEY),
        ("expect", "100-continue"),
    ];
    // 28 places, see `places`; each with a request in progress.
    let in_use: Vec<_> = (0..28)
        .map(|_| {
            let mut connection = FrameConnection::open(app.address, &[]);
            connection.send(&Frame::request(1, 0, &fields));
            connection.find(|frame| frame.kind == kind::HEADERS);
            connection
        })
        .collect();
    let client = Client::open(app.address).await;
    let refused = client.send(get(FLAGS), None).await;
    assert_eq!(refused.status, 503);
    test_support::wait::in_time(client.connection)
        .await
        .unwrap()
        .unwrap();
    drop(in_use);
    app.wait_until_answered(|app| app.get(FLAGS).status == 200);
}
