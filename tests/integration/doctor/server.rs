//! Where the server listens, and its certificate.
use std::net::TcpListener;

use edge_proxy::serving_record::{Serving, ServingRecord};
use edge_proxy::settings::ConfigurationSource;
use serde_json::json;
use test_support::certificates::Authority;
use test_support::reserved_port::ReservedPort;
use test_support::tls::{Certificate, Files};
use test_support::tls_front::TlsFront;
use test_support::upstream::{Answer, ScriptedUpstream};

use super::{answering, at, document, examine, examine_in, folder};
use crate::harness::{Proxy, ProxyOptions, merge};

#[test]
fn a_port_that_another_program_holds() {
    let upstream = ScriptedUpstream::serving(&document());
    let holder = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut config = at(&upstream.api_url());
    merge(
        &mut config,
        &json!({"server": {"port": holder.local_addr().unwrap().port()}}),
    );
    let begun = std::time::Instant::now();
    examine(&config).assert_fails(("server", "port"), "another program");
    assert!(begun.elapsed() < edge_proxy::doctor::PATIENCE);
}

#[test]
fn a_port_that_another_proxy_holds() {
    let upstream = ScriptedUpstream::serving(&document());
    let other = Proxy::start(ProxyOptions::default());
    let mut config = at(&upstream.api_url());
    merge(&mut config, &json!({"server": {"port": other.address.port()}}));
    examine(&config).assert_warns(("server", "port"), "has left no word");
}

/// Many servers answer 200 to any path, or 503 with words of their own.
#[test]
fn a_port_that_a_program_holds_which_answers_everything() {
    let upstream = ScriptedUpstream::serving(&document());
    let json = |answer: Answer| answer.header("Content-Type", "application/json");
    let endless = format!("HTTP/1.1 200 OK\r\n\r\n{}", "x".repeat(1_000_000));
    for answer in [
        Answer::ok("<!doctype html><title>Welcome</title>").header("Content-Type", "text/html"),
        Answer::ok(""),
        Answer::status(204),
        Answer::raw(endless).stalling(),
        Answer::ok("x").stalling(),
        json(Answer::ok(r#"{"status":"ok"}"#)),
        json(Answer::refusal(503, r#"{"message":"busy"}"#)),
    ] {
        let holder = answering(answer);
        let mut config = at(&upstream.api_url());
        merge(&mut config, &json!({"server": {"port": holder.address().port()}}));
        examine(&config).assert_fails(("server", "port"), "held by another program");
    }
    let holder = answering(Answer::ok("hello"));
    let certificate = Authority::new("Another").issue("127.0.0.1");
    let front = TlsFront::start(certificate.server(), holder.address());
    let mut config = at(&upstream.api_url());
    merge(&mut config, &json!({"server": {"port": front.port()}}));
    examine(&config).assert_fails(("server", "port"), "held by another program");
}

#[test]
fn a_port_that_another_proxy_holds_which_has_no_document() {
    let upstream = ScriptedUpstream::serving(&document());
    let unready = r#"{"status":"error","reason":"environment document(s) not updated."}"#;
    let other = answering(Answer::refusal(503, unready));
    let mut config = at(&upstream.api_url());
    merge(&mut config, &json!({"server": {"port": other.address().port()}}));
    examine(&config).assert_warns(("server", "port"), "not updated");
}

/// Its record says where it is, which is not where the file has it by now.
#[test]
fn a_port_that_another_program_holds_is_not_the_proxy_s_for_its_number() {
    let (proxy, holder) = loop {
        let proxy = Proxy::start(ProxyOptions::default());
        // Another test may have that one.
        if let Ok(holder) = TcpListener::bind(("127.0.0.2", proxy.address.port())) {
            break (proxy, holder);
        }
    };
    let config = std::fs::read_to_string(proxy.folder().join("config.json")).unwrap();
    let mut config: serde_json::Value = serde_json::from_str(&config).unwrap();
    merge(
        &mut config,
        &json!({"server": {"host": "127.0.0.2", "port": proxy.address.port()}}),
    );
    proxy.write_config(config.to_string().as_bytes());
    let port = ("server", "port");
    let diagnosis = examine_in(proxy.folder(), &[]);
    assert_eq!(diagnosis.of_verdict("failure"), [port], "{:#}", diagnosis.report);
    let told = diagnosis.says(port);
    assert!(told.contains("held by another program"), "{told}");
    drop(holder);
    let moved = examine_in(proxy.folder(), &[]);
    moved.assert_warns(
        port,
        &format!("listens at {} until it is restarted", proxy.address),
    );
}

#[test]
fn addresses_that_cannot_be_listened_on() {
    let upstream = ScriptedUpstream::serving(&document());
    for (host, says) in [
        ("192.0.2.1", "cannot listen on 192.0.2.1"),
        ("nowhere.invalid", "has no address"),
    ] {
        let mut config = at(&upstream.api_url());
        merge(&mut config, &json!({"server": {"host": host, "port": 8}}));
        examine(&config).assert_fails(("server", "port"), says);
    }
}

#[test]
fn an_admin_port_that_is_held_or_open_to_others() {
    let upstream = ScriptedUpstream::serving(&document());
    let with = |admin: serde_json::Value| {
        let mut config = at(&upstream.api_url());
        merge(&mut config, &json!({ "admin": admin }));
        examine(&config)
    };
    let holder = TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = holder.local_addr().unwrap().port();
    with(json!({"port": taken})).assert_fails(("admin", "port"), "another program");
    with(json!({"port": 0, "host": "0.0.0.0"})).assert_warns(("admin", "exposed"), "admin.token");
    with(json!({"port": 0, "host": "0.0.0.0", "token": "s3cret"})).assert_is_sound();
    with(json!({"port": 0})).assert_is_sound();
    with(json!({"port": 0, "token": "change-me"})).assert_warns(("configuration", "secrets"), "admin.token");
}

/// Its admin port is where its file says, unless that was changed since, or the port was not free.
#[test]
fn an_admin_port_is_asked_who_it_is() {
    let proxy = Proxy::start(ProxyOptions {
        config: json!({"admin": {"port": 0, "token": "s3cret-of-operators"}}),
        ..ProxyOptions::default()
    });
    let holder = TcpListener::bind("127.0.0.1:0").unwrap();
    let admin = |port: u16| json!({"port": port, "token": "s3cret-of-operators"}).to_string();
    let own = examine_in(proxy.folder(), &[("ADMIN", &admin(proxy.admin().port()))]);
    own.assert_is_sound();
    assert!(own.says(("admin", "port")).contains("a proxy's admin port"));
    let other = holder.local_addr().unwrap().port();
    let other = examine_in(proxy.folder(), &[("ADMIN", &admin(other))]);
    other.assert_fails(("admin", "port"), "another program");
}

/// As in a container without IPv6, where nobody is at `::1`.
#[test]
fn an_admin_port_on_any_address_is_asked_over_both_families() {
    let proxy = Proxy::start(ProxyOptions {
        config: json!({"admin": {"port": 0, "token": "s3cret-of-operators"}}),
        ..ProxyOptions::default()
    });
    let admin = json!({"host": "::", "port": proxy.admin().port()}).to_string();
    let diagnosis = examine_in(proxy.folder(), &[("ADMIN", &admin)]);
    diagnosis.assert_is_sound();
    let told = diagnosis.says(("admin", "port"));
    assert!(told.contains("a proxy's admin port"), "{told}");
}

/// Its record is in the directory, which several containers may have.
#[test]
fn a_proxy_that_runs_in_another_container_is_none_here() {
    let upstream = ScriptedUpstream::serving(&document());
    let mut config = at(&upstream.api_url());
    merge(&mut config, &json!({"persistence": {"directory": "store"}}));
    let folder = folder(&config);
    let store = folder.path().join("store");
    std::fs::create_dir(&store).unwrap();
    let nobody = ReservedPort::any();
    let serving = Serving {
        addresses: vec![nobody.address()],
        certificate: None,
        needs_header: false,
    };
    let source = ConfigurationSource::new(Some(&folder.path().join("config.json")), []);
    let _record = ServingRecord::leave(&source, Some(&store), &serving).unwrap();
    let elsewhere = tempfile::tempdir().unwrap();
    let diagnosis = examine_in(folder.path(), &[("TMPDIR", elsewhere.path().to_str().unwrap())]);
    diagnosis.assert_is_sound();
    assert!(diagnosis.says(("server", "health")).contains("another container"));
}

#[test]
fn certificates_of_the_server_itself() {
    let upstream = ScriptedUpstream::serving(&document());
    let mut config = at(&upstream.api_url());
    let tls = json!({"certificate": "server.pem", "key": "server.key"});
    merge(&mut config, &json!({"server": {"tls": tls}}));
    let valid = Certificate::valid();
    let other = Certificate::valid();
    for (certificate, key, verdict, says) in [
        (&valid.certificate, &valid.key, "ok", ""),
        (
            &Certificate::valid_until(2021).certificate,
            &valid.key,
            "failure",
            "does not match",
        ),
        (&valid.certificate, &other.key, "failure", "does not match"),
    ] {
        let folder = folder(&config);
        let files = Files::write(folder.path(), &valid);
        files.replace_certificate(certificate);
        files.replace_key(key);
        let diagnosis = examine_in(folder.path(), &[]);
        match verdict {
            "ok" => {
                diagnosis.assert_is_sound();
                assert!(diagnosis.says(("server", "tls")).contains("for localhost"));
            }
            verdict => diagnosis.assert(verdict, ("server", "tls"), says),
        }
    }
    let folder = folder(&config);
    Files::write(folder.path(), &Certificate::valid_until(2021));
    examine_in(folder.path(), &[]).assert_fails(("server", "tls"), "2021-01-01");
    let missing = examine(&config);
    missing.assert_fails(("server", "tls"), "server.tls.certificate cannot be read");
}

#[test]
fn a_certificate_that_is_for_another_host_than_the_server_s() {
    let upstream = ScriptedUpstream::serving(&document());
    let authority = Authority::new("Corporate");
    let other = authority.issue("flags.test");
    let mut config = at(&upstream.api_url());
    let tls = json!({"certificate": "server.pem", "key": "server.key"});
    merge(&mut config, &json!({"server": {"host": "localhost", "tls": tls}}));
    let folder = folder(&config);
    std::fs::write(folder.path().join("server.pem"), &other.certificate).unwrap();
    std::fs::write(folder.path().join("server.key"), &other.key).unwrap();
    let diagnosis = examine_in(folder.path(), &[]);
    diagnosis.assert_is_sound();
    let told = diagnosis.says(("server", "tls"));
    assert!(told.contains("localhost (server.host) is none of them"), "{told}");
}
