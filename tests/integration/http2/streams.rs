//! Event streams: many of them share one connection, and each ends by itself.
use std::time::Duration;

use edge_proxy::routes::StreamOptions;
use futures::future::join_all;

use super::client::{Client, get, keyed};
use super::{h2c, publish, spawn, until_subscribers};
use crate::harness::{CLIENT_KEY, EVENT_STREAM, Options, event, spawn_app};
use crate::realtime::changed;

/// Streams of one connection: as many as a connection has at a time but for one.
const STREAMS: usize = 99;

#[tokio::test]
async fn many_streams_of_one_connection_are_told_at_once_and_requests_go_on_beside_them() {
    let app = spawn();
    let client = Client::open(app.address).await;
    let (head, first) = client.subscribe(get(EVENT_STREAM)).await;
    assert_eq!(head.status(), 200);
    assert_eq!(head.headers()["content-type"], "text/event-stream");
    assert_eq!(head.headers()["cache-control"], "no-cache, no-transform");
    for of_a_connection in ["connection", "content-encoding", "content-length"] {
        assert!(!head.headers().contains_key(of_a_connection));
    }
    let mut streams = vec![first];
    for number in 1..=STREAMS {
        let stream = streams.last_mut().unwrap();
        assert!(stream.frame().await.unwrap().contains("retry: "));
        stream.frame().await.expect("the newest change or a comment");
        if number < STREAMS {
            streams.push(client.subscribe(get(EVENT_STREAM)).await.1);
        }
    }
    until_subscribers(&app, STREAMS).await;
    publish(&app, &changed("2026-11-21T19:23:51.258311+00:00")).await;
    let flags = client.send(get("/api/v1/flags/"), None).await;
    assert_eq!(flags.status, 200);
    let told = join_all(streams.iter_mut().map(|stream| stream.event())).await;
    let updated_at = flags.header("x-flagsmith-document-updated-at").unwrap();
    assert!(
        told.iter()
            .all(|told| told.as_deref() == Some(&event(updated_at)[..])),
        "{told:?}"
    );
}

#[tokio::test]
async fn a_stream_that_its_client_gives_up_is_gone_at_once_and_the_others_go_on() {
    let app = spawn();
    let client = Client::open(app.address).await;
    let mut streams = Vec::new();
    for _ in 0..10 {
        let (_, mut stream) = client.subscribe(get(EVENT_STREAM)).await;
        stream.frame().await.expect("retry");
        stream.frame().await.expect("the newest change or a comment");
        streams.push(stream);
    }
    until_subscribers(&app, 10).await;
    for (left, mut given_up) in (1..10).rev().zip(streams.split_off(1)) {
        given_up.cancel();
        until_subscribers(&app, left).await;
    }
    publish(&app, &changed("2026-11-21T19:23:51.258311+00:00")).await;
    assert!(streams[0].event().await.unwrap().contains("updated_at"));
    assert_eq!(client.send(get("/api/v1/flags/"), None).await.status, 200);
    drop(client);
    drop(streams);
    until_subscribers(&app, 0).await;
}

#[tokio::test]
async fn a_stream_ends_cleanly_at_its_age_and_the_connection_goes_on() {
    let options = h2c();
    let app = spawn_app(Options {
        adjust: |settings| settings.realtime.max_stream_age = Some(Duration::from_millis(200)),
        ..options
    });
    let client = Client::open(app.address).await;
    for _ in 0..2 {
        let (_, mut stream) = client.subscribe(get(EVENT_STREAM)).await;
        // A reset would fail this.
        while stream.frame().await.is_some() {}
        assert_eq!(client.send(get("/api/v1/flags/"), None).await.status, 200);
    }
}

#[tokio::test]
async fn heartbeats_come() {
    let options = h2c();
    let app = spawn_app(Options {
        limits: edge_proxy::application::Limits {
            streams: StreamOptions {
                heartbeat: Duration::from_millis(20),
                ..StreamOptions::default()
            },
            ..options.limits.clone()
        },
        ..options
    });
    let client = Client::open(app.address).await;
    let (_, mut stream) = client.subscribe(get(EVENT_STREAM)).await;
    for _ in 0..6 {
        stream.frame().await.unwrap();
    }
}

#[tokio::test]
async fn an_unknown_environment_is_refused_slowly_and_nobody_else_waits_for_that() {
    let app = spawn();
    let client = Client::open(app.address).await;
    let unknown = "/sse/environments/unknown/stream";
    let (refused, _) = client.begin(get(unknown), false).await.unwrap();
    assert_eq!(client.send(get("/api/v1/flags/"), None).await.status, 200);
    let answer = super::client::read(refused).await.unwrap();
    assert_eq!(answer.status, 404);
    let head = client.send(keyed("HEAD", EVENT_STREAM, CLIENT_KEY), None).await;
    assert_eq!((head.status, head.body.len()), (200, 0));
    until_subscribers(&app, 0).await;
}
