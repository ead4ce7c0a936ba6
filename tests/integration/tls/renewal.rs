//! Certificates that change while the proxy serves.
use std::os::unix::fs::symlink;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Instant;
use std::{fs, thread};

use rustls::client::Resumption;
use rustls::pki_types::CertificateDer;
use serde_json::{Value, json};
use tempfile::TempDir;
use test_support::pem::assert_holds_nothing_of;
use test_support::program::Program;
use test_support::tls::{Certificate, client};
use test_support::wait::PATIENCE;

use super::start::{Folder, address};
use super::{Secured, flags, secured};
use crate::harness::{App, Connection, Options, Request, spawn_app};

/// The certificate that a new connection gets.
fn shown(app: &App, known: &[&Certificate]) -> CertificateDer<'static> {
    let connection = Connection::open_tls(app.address, &Arc::new(client(known.iter().copied())));
    connection.session().peer_certificates().unwrap()[0]
        .clone()
        .into_owned()
}

fn until_shown(app: &App, known: &[&Certificate], expected: &Certificate) {
    let begun = Instant::now();
    while shown(app, known) != *expected.der() {
        assert!(begun.elapsed() < PATIENCE, "the certificate is renewed");
    }
}

fn health(secured: &Secured, known: &[&Certificate]) -> Value {
    let terms = Arc::new(client(known.iter().copied()));
    let mut connection = Connection::open_tls(secured.app.address, &terms);
    connection.send(&Request::get("/proxy/health")).json()["certificate"].clone()
}

#[test]
fn changed_files_are_served_and_open_connections_go_on() {
    let secured = secured(Options::default());
    let next = Certificate::valid_until(2090);
    let mut kept = secured.connect();
    assert_eq!(kept.send(&flags()).status, 200);
    secured.files.replace_certificate(&next.certificate);
    secured.files.replace_key(&next.key);
    until_shown(&secured.app, &[&secured.certificate, &next], &next);
    assert_eq!(kept.send(&flags()).status, 200);
    let expected = json!({"status": "ok", "expires": "2090-01-01T00:00:00Z"});
    assert_eq!(health(&secured, &[&next]), expected);
}

#[test]
fn a_secret_that_comes_to_lead_elsewhere_is_followed() {
    // As Kubernetes mounts one: the files lead to a folder's, and the folder is a link that is replaced.
    let folder = TempDir::new().unwrap();
    let at = |name: &str| folder.path().join(name);
    let pairs = [Certificate::valid(), Certificate::valid()];
    for (name, pair) in ["first", "second"].iter().zip(&pairs) {
        fs::create_dir(at(name)).unwrap();
        fs::write(at(name).join("tls.crt"), &pair.certificate).unwrap();
        fs::write(at(name).join("tls.key"), &pair.key).unwrap();
    }
    symlink("first", at("..data")).unwrap();
    for file in ["tls.crt", "tls.key"] {
        symlink(format!("..data/{file}"), at(file)).unwrap();
    }
    let app = spawn_app(Options {
        config: json!({"server": {"tls": {"certificate": at("tls.crt"), "key": at("tls.key")}}}),
        ..Options::default()
    });
    let known = [&pairs[0], &pairs[1]];
    assert_eq!(shown(&app, &known), *pairs[0].der());
    symlink("second", at("..next")).unwrap();
    fs::rename(at("..next"), at("..data")).unwrap();
    until_shown(&app, &known, &pairs[1]);
}

#[test]
fn renewals_under_load_fail_nobody() {
    let secured = secured(Options::default());
    let pairs: Vec<_> = (0..8).map(|_| Certificate::valid()).collect();
    let mut terms = client(pairs.iter().chain([&secured.certificate]));
    terms.resumption = Resumption::disabled();
    let (terms, is_over, answered) = (Arc::new(terms), AtomicBool::new(false), AtomicUsize::new(0));
    thread::scope(|scope| {
        let clients: Vec<_> = (0..4)
            .map(|_| {
                scope.spawn(|| {
                    let mut kept = Connection::open_tls(secured.app.address, &terms);
                    while !is_over.load(Ordering::Relaxed) {
                        let mut new = Connection::open_tls(secured.app.address, &terms);
                        assert_eq!(
                            (new.send(&flags()).status, kept.send(&flags()).status),
                            (200, 200)
                        );
                        answered.fetch_add(2, Ordering::Relaxed);
                    }
                })
            })
            .collect();
        let known: Vec<_> = pairs.iter().chain([&secured.certificate]).collect();
        for pair in &pairs {
            // One after the other: in between they do not match.
            secured.files.replace_certificate(&pair.certificate);
            secured.files.replace_key(&pair.key);
            until_shown(&secured.app, &known, pair);
        }
        is_over.store(true, Ordering::Relaxed);
        for client in clients {
            client.join().expect("no request fails");
        }
    });
    assert!(answered.load(Ordering::Relaxed) > 0);
}

#[test]
fn a_key_that_does_not_match_is_told_once_and_the_pair_before_is_served() {
    let (first, second) = (Certificate::valid(), Certificate::valid_until(2090));
    let folder = Folder::with(&first);
    let mut program = Program::start(&mut folder.command(&json!({})));
    let address = address(&program);
    let terms = Arc::new(client([&first]));
    folder.files.replace_certificate(&second.certificate);
    let is_refusal = |line: &str| line.contains("server.tls have changed") && line.contains("does not match");
    program.wait_for_lines(1, is_refusal);
    let mut connection = Connection::open_tls(address, &terms);
    let health = connection.send(&Request::get("/proxy/health")).json();
    assert_eq!(
        health["certificate"]["status"],
        "not renewed: the files cannot be used"
    );
    folder.files.replace_key("no key at all");
    let is_second =
        |line: &str| line.contains("server.tls have changed") && line.contains("holds no private key");
    program.wait_for_lines(1, is_second);
    // Both in one file, whose line breaks are lost.
    let flat = format!("{}{}", second.key, second.certificate).replace('\n', "\\n");
    folder.files.replace_certificate(&flat);
    let is_third = |line: &str| line.contains("server.tls have changed") && line.contains("is no right PEM");
    program.wait_for_lines(1, is_third);
    folder.files.replace_certificate(&second.certificate);
    folder.files.replace_key(&second.key);
    program.wait_for_lines(1, |line| line.contains("valid until 2090-01-01T00:00:00Z"));
    Connection::open_tls(address, &Arc::new(client([&second])));
    program.signal("INT");
    let (status, log) = program.wait();
    assert!(status.success(), "{log}");
    assert_eq!(
        log.lines()
            .filter(|line| is_refusal(line) || is_second(line) || is_third(line))
            .count(),
        3,
        "{log}"
    );
    assert_holds_nothing_of(&log, &second.key);
}

#[test]
fn an_end_that_is_near_or_past_is_told_once() {
    let folder = Folder::with(&Certificate::valid_until(2021));
    let mut program = Program::start(&mut folder.command(&json!({})));
    address(&program);
    let is_warning = |line: &str| line.contains("was valid until 2021-01-01T00:00:00Z");
    program.wait_for_lines(1, is_warning);
    // Another one, which is no better: that is news again.
    let next = Certificate::valid_until(2022);
    folder.files.replace_certificate(&next.certificate);
    folder.files.replace_key(&next.key);
    program.wait_for_lines(1, |line| line.contains("was valid until 2022-01-01T00:00:00Z"));
    program.signal("INT");
    let (status, log) = program.wait();
    assert!(status.success(), "{log}");
    assert_eq!(log.lines().filter(|line| is_warning(line)).count(), 1, "{log}");
}
