//! TLS with upstream.
use std::fs;
use std::net::TcpListener;
use std::sync::Arc;

use rustls::ServerConfig;
use serde_json::json;
use tempfile::TempDir;
use test_support::certificates::Authority;
use test_support::tls_front::TlsFront;
use test_support::upstream::ScriptedUpstream;

use super::{Diagnosis, at, document, examine, examine_in, folder, write};
use crate::harness::merge;

/// A Flagsmith behind this TLS, and a configuration that trusts this authority.
struct Secured {
    _upstream: ScriptedUpstream,
    front: TlsFront,
    folder: TempDir,
}

impl Secured {
    fn start(trusted: &Authority, server: Arc<ServerConfig>) -> Self {
        let upstream = ScriptedUpstream::serving(&document());
        let front = TlsFront::start(server, upstream.address());
        let folder = folder(&json!({}));
        fs::write(folder.path().join("ca.pem"), trusted.pem()).unwrap();
        Self {
            _upstream: upstream,
            front,
            folder,
        }
    }

    fn examine(&self, over: &serde_json::Value) -> Diagnosis {
        let mut config = at(&format!("https://127.0.0.1:{}/api/v1", self.front.port()));
        merge(&mut config, &json!({"upstream": {"ca_file": "ca.pem"}}));
        merge(&mut config, over);
        write(self.folder.path(), &config);
        examine_in(self.folder.path(), &[])
    }
}

#[test]
fn a_trusted_certificate_is_told_with_its_issuer_and_time() {
    let authority = Authority::new("Corporate Root");
    let secured = Secured::start(&authority, authority.issue("127.0.0.1").server());
    let diagnosis = secured.examine(&json!({}));
    diagnosis.assert_is_sound();
    let told = diagnosis.says(("upstream", "tls"));
    for part in ["TLS 1.3", "\"Corporate Root\"", "127.0.0.1", "4000-01-01"] {
        assert!(told.contains(part), "{part} is not in {told}");
    }
}

/// Nothing of upstream's is trusted then, and no line about its certificate says why.
#[test]
fn files_of_root_certificates_that_hold_none() {
    let authority = Authority::new("Corporate");
    let server = authority.issue("127.0.0.1");
    let secured = Secured::start(&authority, server.server());
    secured.examine(&json!({})).assert_is_sound();
    let named = |name: &str| secured.folder.path().join(name);
    fs::create_dir(named("certificates")).unwrap();
    for content in ["", &server.key] {
        for (variable, name, file) in [
            ("SSL_CERT_FILE", "roots.pem", "roots.pem"),
            ("SSL_CERT_DIR", "certificates", "certificates/1.pem"),
        ] {
            fs::write(named(file), content).unwrap();
            let place = named(name);
            let diagnosis = examine_in(secured.folder.path(), &[(variable, place.to_str().unwrap())]);
            diagnosis.assert_warns(("upstream", "certificates"), "no certificate in PEM");
            assert!(diagnosis.says(("upstream", "certificates")).contains(variable));
        }
    }
}

#[test]
fn certificates_that_are_not_taken_are_told_as_they_were_seen() {
    let (authority, zscaler) = (
        Authority::new("Corporate"),
        Authority::new("Zscaler Intermediate Root CA"),
    );
    for (server, says) in [
        (
            authority.issue_between("127.0.0.1", 2000, 2001),
            "until 2001-01-01",
        ),
        (
            authority.issue_between("127.0.0.1", 3000, 4000),
            "from 3000-01-01 on",
        ),
        (authority.issue("flagsmith.test"), "it is for flagsmith.test"),
        (Authority::new("Another").issue("127.0.0.1"), "by \"Another\""),
        (
            zscaler.issue("127.0.0.1"),
            "\"Zscaler Intermediate Root CA\" looks into TLS",
        ),
    ] {
        let secured = Secured::start(&authority, server.server());
        let diagnosis = secured.examine(&json!({}));
        diagnosis.assert_fails(("upstream", "tls"), says);
        diagnosis.says(("upstream", "connect"));
    }
}

#[test]
fn a_client_certificate_that_is_wanted() {
    let (authority, staff) = (Authority::new("Corporate"), Authority::new("Staff"));
    let server = authority.issue("127.0.0.1");
    for versions in [rustls::DEFAULT_VERSIONS, &[&rustls::version::TLS12]] {
        let secured = Secured::start(&authority, server.server_of(Some(&staff), versions));
        let diagnosis = secured.examine(&json!({}));
        let failures = diagnosis.of_verdict("failure");
        assert_eq!(failures.len(), 1, "{:#}", diagnosis.report);
        // TLS 1.3 says so with the first answer.
        let told = diagnosis.says(failures[0]);
        assert!(told.contains("upstream.client_certificate"), "{told}");
    }
    let secured = Secured::start(
        &authority,
        server.server_of(Some(&staff), rustls::DEFAULT_VERSIONS),
    );
    let files = json!({"upstream": {"client_certificate": "tls.crt", "client_key": "tls.key"}});
    let write_client = |from: i32, until: i32| {
        let client = staff.issue_between("edge.test", from, until);
        fs::write(secured.folder.path().join("tls.crt"), &client.certificate).unwrap();
        fs::write(secured.folder.path().join("tls.key"), &client.key).unwrap();
    };
    write_client(2000, 4000);
    secured.examine(&files).assert_is_sound();
    write_client(2000, 2001);
    let expired = secured.examine(&files);
    assert!(
        expired
            .of_verdict("failure")
            .contains(&("upstream", "client certificate"))
    );
    assert!(
        expired
            .says(("upstream", "client certificate"))
            .contains("2001-01-01")
    );
}

#[test]
fn https_to_a_port_without_and_the_other_way_round() {
    let upstream = ScriptedUpstream::serving(&document());
    let https = upstream.api_url().replace("http://", "https://");
    examine(&at(&https)).assert_fails(("upstream", "tls"), "port speaks https");
    let authority = Authority::new("Corporate");
    let front = TlsFront::start(authority.issue("127.0.0.1").server(), upstream.address());
    let diagnosis = examine(&at(&format!("http://127.0.0.1:{}/api/v1", front.port())));
    diagnosis.assert_fails(("key pair 1", "http"), "write https://");
}

#[test]
fn a_handshake_that_nobody_answers() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut config = at(&format!("https://{}/api/v1", silent.local_addr().unwrap()));
    merge(&mut config, &json!({"api_poll_timeout_seconds": 3}));
    examine(&config).assert_fails(("upstream", "tls"), "handshake does not end in time");
}
