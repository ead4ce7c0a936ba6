//! The start: what happens before anything is served.
use std::net::TcpListener;
use std::time::Duration;

use edge_proxy::application::{Application, Limits, Outcome, StopSignal};
use edge_proxy::settings::Settings;
use serde_json::json;

use crate::harness::{CLIENT_KEY, Connection, Options, Request, SERVER_KEY, spawn_app};
use test_support::documents::document;
use test_support::upstream::{Answer, ScriptedUpstream};

const PERIOD: Duration = Duration::from_millis(10);

#[test]
fn a_taken_port_ends_the_start_before_upstream_is_asked() {
    let upstream = ScriptedUpstream::start(|_| Answer::ok(document("one", "2024-12-26T16:18:08.5+00:00")));
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    let settings = settings(&upstream, address.port(), "ser.refused");

    actix::System::new().block_on(async {
        let refused = Application::build(&settings, Limits::default()).err().unwrap();
        let line = refused.to_string();
        assert!(
            line.starts_with(&format!("cannot listen on {address}: ")),
            "{line}"
        );

        // The refused one began first, so its fetches would be among these.
        let _other = spawn_app(Options {
            document: None,
            config: json!({
                "environment_key_pairs": [{"client_side_key": CLIENT_KEY, "server_side_key": SERVER_KEY}],
                "api_url": upstream.api_url(),
            }),
            adjust: |settings| settings.api_poll_frequency = PERIOD,
            ..Options::default()
        });
        upstream.wait_for(20).await;
    });
    for request in upstream.requests() {
        assert_eq!(request.header("X-Environment-Key"), Some(SERVER_KEY));
    }
}

#[test]
fn a_signal_before_the_workers_are_up_answers_who_has_come_and_ends_in_good_order() {
    let upstream = ScriptedUpstream::start(|_| Answer::ok(document("one", "2024-12-26T16:18:08.5+00:00")));
    let settings = settings(&upstream, 0, "ser.early");
    let outcome = actix::System::new().block_on(async {
        let application = Application::build(&settings, Limits::default()).unwrap();
        let mut early = Connection::open(application.addresses()[0]);
        early.write_request(&Request::get("/proxy/health/liveness"));
        let client = std::thread::spawn(move || early.read(false));
        let signals = futures::stream::iter([StopSignal::Terminate]);
        let outcome = application.run_until_stopped(signals).await.unwrap();
        let answer = client.join().unwrap();
        assert_eq!((answer.status, answer.header("connection")), (200, Some("close")));
        outcome
    });
    assert_eq!(outcome, Outcome::Stopped);
}

fn settings(upstream: &ScriptedUpstream, port: u16, server_side_key: &str) -> Settings {
    let variables = [
        (
            "ENVIRONMENT_KEY_PAIRS",
            json!([{"client_side_key": "refused", "server_side_key": server_side_key}]),
        ),
        ("API_URL", json!(upstream.api_url())),
        ("SERVER", json!({"host": "127.0.0.1", "port": port})),
        ("CONFIG_PATH", json!("/nonexistent/config.json")),
    ];
    let variables = variables.map(|(name, value)| {
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        (name.to_owned(), text)
    });
    let mut settings = Settings::load(None, variables).unwrap().settings;
    settings.api_poll_frequency = PERIOD;
    settings
}
