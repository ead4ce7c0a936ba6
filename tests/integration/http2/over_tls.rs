//! HTTP/2 over TLS, where both ends have agreed on it (ALPN).
use std::sync::Arc;
use std::time::Duration;

use edge_proxy::application::Outcome;
use futures::future::join_all;
use h2::client::Builder;
use rustls::ClientConfig;
use test_support::wait::in_time;
use tokio_rustls::TlsConnector;

use super::client::{Client, connect, get, keyed};
use super::{publish, until_subscribers};
use crate::harness::{EVENT_STREAM, Options, SERVER_KEY, event, with_many_features};
use crate::realtime::changed;
use crate::tls::{Secured, secured};

/// A client that offers both protocols.
async fn client(secured: &Secured) -> Client {
    let mut terms = ClientConfig::clone(&secured.terms);
    terms.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    let connector = TlsConnector::from(Arc::new(terms));
    let name = "localhost".try_into().unwrap();
    let stream = in_time(connector.connect(name, connect(secured.app.address).await))
        .await
        .unwrap();
    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
    Client::over(stream, &Builder::new()).await
}

#[tokio::test]
async fn answers_are_the_same_a_hundred_at_a_time() {
    let secured = secured(Options {
        document: Some(with_many_features(2_000).to_string()),
        ..Options::default()
    });
    let client = client(&secured).await;
    let document = || keyed("GET", "/api/v1/environment-document/", SERVER_KEY);
    let first = client.send(document(), None).await;
    assert_eq!(first.status, 200);
    assert!(first.body.len() > 500_000, "more than windows and buffers hold");
    let answers = join_all((0..100).map(|_| client.send(document(), None))).await;
    assert!(answers.iter().all(|answer| answer.body == first.body));
    let identity = br#"{"identifier":"somebody","traits":[]}"#;
    let identities = keyed("POST", "/api/v1/identities/", SERVER_KEY);
    assert_eq!(client.send(identities, Some(identity)).await.status, 200);
}

#[tokio::test]
async fn event_streams_share_it_and_end_cleanly_in_a_stop() {
    let mut secured = secured(Options {
        adjust: |settings| settings.server.drain = Duration::from_millis(500),
        ..Options::default()
    });
    let client = client(&secured).await;
    let mut streams = Vec::new();
    for _ in 0..20 {
        let (_, mut stream) = client.subscribe(get(EVENT_STREAM)).await;
        stream.frame().await.expect("retry");
        stream.frame().await.expect("the newest change or a comment");
        streams.push(stream);
    }
    until_subscribers(&secured.app, 20).await;
    publish(&secured.app, &changed("2026-11-21T19:23:51.258311+00:00")).await;
    let flags = client.send(get("/api/v1/flags/"), None).await;
    let updated_at = flags
        .header("x-flagsmith-document-updated-at")
        .unwrap()
        .to_owned();
    for stream in &mut streams {
        assert_eq!(stream.event().await, Some(event(&updated_at)));
    }
    streams.pop().unwrap().cancel();
    until_subscribers(&secured.app, 19).await;
    secured.app.ask_to_stop();
    for stream in &mut streams {
        while stream.frame().await.is_some() {}
    }
    drop(streams);
    in_time(client.connection).await.unwrap().expect("a clean end");
    let stopped = tokio::task::spawn_blocking(move || secured.app.wait());
    assert_eq!(stopped.await.unwrap(), Outcome::Stopped);
}
