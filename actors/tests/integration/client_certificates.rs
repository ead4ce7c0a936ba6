//! An upstream that wants to know who asks, and files of certificates that change.
use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use actors::keys::EnvironmentKey;
use actors::upstream::{
    ClientCertificateFiles, ExtraHeaders, Fault, FetchFailure, FetchOutcome, ForwardFailure, ForwardRequest,
    Forwarder, TlsFiles, Upstream, UpstreamOptions,
};
use awc::http::Method;
use bytes::Bytes;
use rustls::SupportedProtocolVersion;
use rustls::version::{TLS12, TLS13};
use tempfile::TempDir;
use test_support::certificates::{Authority, Issued};
use test_support::tls_front::TlsFront;
use test_support::upstream::{Answer, ScriptedUpstream};
use test_support::wait::in_time;

use crate::fetch::{failure, no_answer};

const TIMEOUT: Duration = Duration::from_secs(20);

/// An upstream on TLS, and a folder of the files that a proxy needs for it.
struct Network {
    authority: Authority,
    upstream: ScriptedUpstream,
    front: TlsFront,
    folder: TempDir,
}

impl Network {
    /// Clients must have a certificate of this authority, if there is any.
    fn requiring(clients: Option<&Authority>, versions: &[&'static SupportedProtocolVersion]) -> Self {
        let authority = Authority::new("Corporate");
        let upstream = ScriptedUpstream::start(|_| Answer::ok("[]"));
        let server = authority.issue("localhost").server_of(clients, versions);
        let network = Self {
            front: TlsFront::start(server, upstream.address()),
            folder: tempfile::tempdir().unwrap(),
            authority,
            upstream,
        };
        network.write("ca.pem", &network.authority.pem());
        network
    }

    fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.folder.path().join(name);
        fs::write(&path, text).unwrap();
        path
    }

    fn write_client(&self, client: &Issued) -> ClientCertificateFiles {
        ClientCertificateFiles {
            certificate: self.write("client.pem", &client.certificate),
            key: self.write("client.key", &client.key),
        }
    }

    fn options(&self, client: Option<ClientCertificateFiles>) -> UpstreamOptions {
        let files = TlsFiles {
            ca_file: Some(self.folder.path().join("ca.pem")),
            client,
            ..TlsFiles::default()
        };
        let mut options = UpstreamOptions::new(format!("https://localhost:{}/api/v1", self.front.port()))
            .with_tls_files(files);
        // Each request has a handshake of its own.
        options.connection_lifetime = Duration::ZERO;
        options
    }
}

async fn fetch(upstream: &Upstream) -> FetchOutcome {
    upstream.fetch(&EnvironmentKey::new("ser.secret"), None).await
}

#[actix_rt::test]
async fn upstream_knows_this_proxy_by_its_certificate() {
    let staff = Authority::new("Staff");
    for version in [&TLS12, &TLS13] {
        let network = Network::requiring(Some(&staff), &[version]);
        let options = network.options(Some(network.write_client(&staff.issue("edge.test"))));
        let outcome = fetch(&Upstream::new(&options, TIMEOUT).unwrap()).await;
        assert!(
            matches!(outcome, FetchOutcome::Document { .. }),
            "{version:?}: {outcome:?}"
        );

        let without = network.options(None);
        let required = no_answer(Fault::ClientCertificateRequired);
        let outcome = fetch(&Upstream::new(&without, TIMEOUT).unwrap()).await;
        assert_eq!(failure(outcome), required, "{version:?}");

        let stranger = Authority::new("Other").issue("edge.test");
        let refused = network.options(Some(network.write_client(&stranger)));
        let outcome = fetch(&Upstream::new(&refused, TIMEOUT).unwrap()).await;
        let refusal = Fault::ClientCertificateRefused("UnknownCA".to_owned());
        assert_eq!(failure(outcome), no_answer(refusal), "{version:?}");
        assert_eq!(network.upstream.requests().len(), 1);
    }
}

#[actix_rt::test]
async fn a_page_that_says_so_is_as_good_as_an_alert() {
    let network = Network::requiring(None, rustls::DEFAULT_VERSIONS);
    let upstream = Upstream::new(&network.options(None), TIMEOUT).unwrap();
    for (page, expected) in [
        (
            "<center>No required SSL certificate was sent</center>",
            no_answer(Fault::ClientCertificateRequired),
        ),
        (
            "<center>The SSL certificate error</center>",
            no_answer(Fault::ClientCertificateRefused("400 of nginx".to_owned())),
        ),
        ("malformed", FetchFailure::Status(400)),
    ] {
        network.upstream.script(move |_| Answer::refusal(400, page));
        assert_eq!(failure(fetch(&upstream).await), expected);
    }
}

#[actix_rt::test]
async fn a_write_that_is_refused_for_want_of_a_certificate_is_not_done() {
    let staff = Authority::new("Staff");
    let network = Network::requiring(Some(&staff), &[&TLS13]);
    let forwarder = Forwarder::new(&network.options(None), TIMEOUT).unwrap();
    let request = ForwardRequest {
        method: Method::POST,
        path: "traits/",
        key: EnvironmentKey::new("client-key"),
        headers: Vec::new(),
        // More than the system takes at once: the server has ended the connection before it is sent.
        body: Bytes::from(vec![b' '; 8 * 1024 * 1024]),
        is_repeatable: false,
    };
    let failure = forwarder.forward(&request).await.unwrap_err();
    assert_eq!(
        failure,
        ForwardFailure::NoAnswer(Fault::ClientCertificateRequired)
    );
    assert!(!failure.may_be_done());
}

#[actix_rt::test]
async fn certificates_are_taken_anew_when_their_files_change() {
    let staff = Authority::new("Staff");
    let network = Network::requiring(None, rustls::DEFAULT_VERSIONS);
    let options = network.options(Some(network.write_client(&staff.issue("edge.test"))));
    let upstream = Upstream::new(&options, TIMEOUT).unwrap();
    let works = async || matches!(fetch(&upstream).await, FetchOutcome::Document { .. });
    assert!(works().await);

    // Upstream's authority changes, and then the one of clients.
    let (next, next_staff) = (Authority::new("Corporate II"), Authority::new("Staff II"));
    network.front.present(next.issue("localhost").server());
    assert_eq!(
        failure(fetch(&upstream).await),
        no_answer(Fault::CertificateAuthorityUnknown)
    );
    let bundle = format!("{}{}", network.authority.pem(), next.pem());
    network.write("ca.pem", &bundle);
    in_time(async { while !works().await {} }).await;

    let server = next
        .issue("localhost")
        .server_of(Some(&next_staff), rustls::DEFAULT_VERSIONS);
    network.front.present(Arc::clone(&server));
    assert!(!works().await);
    // One after the other, as they come: in between they do not belong together.
    network.write_client(&next_staff.issue("edge.test"));
    in_time(async { while !works().await {} }).await;
}

#[actix_rt::test]
async fn a_file_that_cannot_be_used_is_named_and_tried_again() {
    let network = Network::requiring(None, rustls::DEFAULT_VERSIONS);
    network.write("ca.pem", "");
    let upstream = Upstream::new(&network.options(None), TIMEOUT).unwrap();
    let text = failure(fetch(&upstream).await).to_string();
    assert!(
        text.contains("upstream.ca_file names a file that is empty; "),
        "{text}"
    );
    network.write("ca.pem", &network.authority.pem());
    let outcome = fetch(&upstream).await;
    assert!(matches!(outcome, FetchOutcome::Document { .. }), "{outcome:?}");
}

#[actix_rt::test]
async fn what_the_configuration_adds_goes_with_every_request_and_what_it_says_of_itself_does_not() {
    let upstream = ScriptedUpstream::start(|_| Answer::ok("[]"));
    let mut options = UpstreamOptions::new(upstream.api_url());
    let mut headers = ExtraHeaders::default();
    headers.add("X-Gateway-Key", "the secret").unwrap();
    headers.add("authorization", "Basic abc").unwrap();
    options.headers = headers;
    let client = Upstream::new(&options, TIMEOUT).unwrap();
    assert!(matches!(fetch(&client).await, FetchOutcome::Document { .. }));
    let received = upstream.requests().remove(0);
    assert_eq!(received.header("x-gateway-key"), Some("the secret"));
    assert_eq!(received.header("authorization"), Some("Basic abc"));
    assert_eq!(received.header("x-environment-key"), Some("ser.secret"));

    upstream.script(|_| Answer::refusal(403, r#"{"detail":"no gateway takes the secret"}"#));
    let text = failure(fetch(&client).await).to_string();
    assert!(!text.contains("the secret"), "{text}");
    upstream.script(|_| Answer::refusal(403, r#"{"detail":"Organisation is disabled."}"#));
    let text = failure(fetch(&client).await).to_string();
    assert!(text.contains("Organisation is disabled."), "{text}");
}
