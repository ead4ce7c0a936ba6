//! HTTP/2, with prior knowledge (`server.h2c`) for the most part: what is the same as over HTTP/1, and what it has of its own.
mod answers;
mod client;
mod ends;
mod floods;
mod heads;
mod lives;
mod over_tls;
mod protocol;
mod streams;
mod windows;

use serde_json::{Value, json};
use test_support::wait::in_time;

use crate::harness::{App, Options, spawn_app};

/// Options with `server.h2c`.
fn h2c() -> Options {
    with(json!({}))
}

/// The same with further options of `config.json`.
fn with(mut config: Value) -> Options {
    crate::harness::merge(&mut config, &json!({"server": {"h2c": true}}));
    Options {
        config,
        ..Options::default()
    }
}

/// Waits until so many are subscribed, while this thread's own connections go on.
async fn until_subscribers(app: &App, expected: usize) {
    let are_so_many = async || {
        let counts = app.hub.counts().await.unwrap();
        counts.by_environment.values().sum::<usize>() == expected
    };
    in_time(async {
        while !are_so_many().await {
            tokio::task::yield_now().await;
        }
    })
    .await;
}

/// Replaces the document and waits until every worker serves it and the hub has heard of it.
async fn publish(app: &App, document: &Value) {
    let mut acknowledged = app.environments.acknowledged();
    let before = *acknowledged.borrow_and_update();
    app.replace_document(document);
    in_time(acknowledged.wait_for(|version| *version > before))
        .await
        .unwrap();
    app.environments.statuses().await.unwrap();
    app.hub.counts().await.unwrap();
}

/// Starts it so.
fn spawn() -> App {
    spawn_app(h2c())
}
