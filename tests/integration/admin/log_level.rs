//! The level of the log, changed while the process runs.
use serde_json::{Value, json};

use crate::harness::{CLIENT_KEY, Proxy, ProxyOptions, Request};

fn start() -> Proxy {
    Proxy::start(ProxyOptions {
        logging: json!({"log_level": "INFO", "enable_access_log": true}),
        config: json!({"admin": {"port": 0}}),
        ..ProxyOptions::default()
    })
}

fn level(proxy: &Proxy) -> Value {
    proxy.ask_admin(Request::get("/log-level")).json()
}

fn change(proxy: &Proxy, body: &str) -> (u16, Value) {
    let answer = proxy.ask_admin(Request::put("/log-level", body));
    (answer.status, answer.json())
}

/// Lines of the access log.
fn requests(proxy: &Proxy) -> usize {
    proxy.written().matches("access: request").count()
}

fn ask(proxy: &Proxy) {
    let flags = Request::get("/api/v1/flags/").key(CLIENT_KEY);
    assert_eq!(proxy.connect().send(&flags).status, 200);
}

#[test]
fn it_lasts_until_the_configuration_is_read_again() {
    let mut proxy = start();
    let configured = json!({"level": "INFO", "configured_level": "INFO", "until": null});
    assert_eq!(level(&proxy), configured);

    let (status, answer) = change(&proxy, r#"{"level": "ERROR"}"#);
    assert_eq!(status, 200);
    assert_eq!(
        (&answer["level"], &answer["configured_level"]),
        (&json!("ERROR"), &json!("INFO"))
    );
    assert!(
        answer["until"].as_str().unwrap().contains("read again"),
        "{answer}"
    );
    assert_eq!(level(&proxy), answer);
    proxy
        .program()
        .wait_for_lines(1, |line| line.contains("the level of the log is ERROR"));
    let before = requests(&proxy);
    ask(&proxy);

    let (status, answer) = change(&proxy, r#"{"level": "DEBUG"}"#);
    assert_eq!((status, &answer["level"]), (200, &json!("DEBUG")));
    ask(&proxy);
    proxy
        .program()
        .wait_for_lines(before + 1, |line| line.contains("access: request"));
    assert_eq!(
        requests(&proxy),
        before + 1,
        "that of the level ERROR was not written"
    );

    // Nothing of it has changed, and the level is its own again.
    proxy.reload(&json!({}));
    assert_eq!(level(&proxy), configured);
}

#[test]
fn what_names_no_level_is_refused_in_words() {
    let proxy = start();
    for body in [r#"{"level": "LOUD"}"#, "DEBUG", "", "{}"] {
        let (status, answer) = change(&proxy, body);
        assert_eq!(status, 400, "{body}");
        let message = answer["message"].as_str().unwrap();
        assert!(message.contains("NOTSET"), "{message}");
    }
    let long = format!(r#"{{"level": "{}"}}"#, "x".repeat(2_000));
    assert_eq!(change(&proxy, &long).0, 413);
    assert_eq!(level(&proxy)["level"], "INFO");
}
