//! TLS to upstream: only those roots are trusted that the system, or `SSL_CERT_FILE`, gives.
use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;
use std::{env, fs, thread};

use actors::keys::EnvironmentKey;
use actors::upstream::{Fault, FetchFailure, FetchOutcome, RootCertificates, Upstream, UpstreamOptions};
use rustls::pki_types::PrivatePkcs8KeyDer;
use rustls::{ServerConfig, ServerConnection, StreamOwned, crypto};

const API_URL: &str = "EDGE_PROXY_TEST_API_URL";

/// What a certificate says.
#[derive(Debug, Clone)]
pub(crate) struct Certificate {
    pub(crate) host: &'static str,
    /// The years in which it is valid.
    pub(crate) from: i32,
    pub(crate) until: i32,
    pub(crate) is_of_authority: bool,
}

impl Certificate {
    pub(crate) fn of(host: &'static str) -> Self {
        Self {
            host,
            from: 2000,
            until: 4000,
            is_of_authority: false,
        }
    }
}

/// How an answer's connection ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ending {
    /// With TLS's own word for it.
    Told,
    Untold,
}

/// An upstream on TLS, whose certificate is its own root.
pub(crate) struct TlsUpstream {
    port: u16,
    /// As PEM.
    certificate: String,
}

impl TlsUpstream {
    /// Answers `[]` to everything.
    pub(crate) fn start(certificate: &Certificate) -> Self {
        let answer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n[]";
        Self::answering(certificate, answer, Ending::Untold)
    }

    fn answering(certificate: &Certificate, answer: &'static str, ending: Ending) -> Self {
        let key = rcgen::KeyPair::generate().unwrap();
        let mut params = rcgen::CertificateParams::new([certificate.host.to_owned()]).unwrap();
        params.not_before = rcgen::date_time_ymd(certificate.from, 1, 1);
        params.not_after = rcgen::date_time_ymd(certificate.until, 1, 1);
        if certificate.is_of_authority {
            params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        }
        let issued = params.self_signed(&key).unwrap();
        let key = PrivatePkcs8KeyDer::from(key.serialize_der());
        let config = ServerConfig::builder_with_provider(Arc::new(crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![issued.der().clone()], key.into())
            .unwrap();
        let config = Arc::new(config);
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let connection = ServerConnection::new(Arc::clone(&config)).unwrap();
                let mut reader = BufReader::new(StreamOwned::new(connection, stream));
                let mut line = String::new();
                // A client that does not trust the certificate ends the handshake: no line is read.
                while reader.read_line(&mut line).is_ok_and(|bytes| bytes > 2) {
                    line.clear();
                }
                let stream = reader.get_mut();
                let _ = stream.write_all(answer.as_bytes());
                if ending == Ending::Told {
                    stream.conn.send_close_notify();
                }
                let _ = stream.flush();
            }
        });
        Self {
            port,
            certificate: issued.pem(),
        }
    }

    pub(crate) fn api_url(&self) -> String {
        format!("https://localhost:{}/api/v1", self.port)
    }

    /// Options that trust its certificate.
    pub(crate) fn trusting(&self) -> UpstreamOptions {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("roots.pem");
        fs::write(&path, &self.certificate).unwrap();
        let roots = RootCertificates {
            file: Some(path),
            directories: Vec::new(),
        };
        let options = UpstreamOptions::new(self.api_url()).with_roots(roots);
        // The file is read by the first client, which is soon gone.
        drop(Upstream::new(&options, Duration::from_secs(20)).unwrap());
        options
    }
}

/// Its `api_url` and its certificate as PEM.
fn tls_upstream() -> (String, String) {
    let upstream = TlsUpstream::start(&Certificate::of("localhost"));
    (upstream.api_url(), upstream.certificate)
}

#[actix_rt::test]
async fn a_body_that_ends_with_the_connection_ends_with_tlss_word_for_it() {
    let answer = "HTTP/1.1 200 OK\r\n\r\n[]";
    for (ending, is_whole) in [(Ending::Told, true), (Ending::Untold, false)] {
        let upstream = TlsUpstream::answering(&Certificate::of("localhost"), answer, ending);
        let client = Upstream::new(&upstream.trusting(), Duration::from_secs(20)).unwrap();
        let outcome = client.fetch(&EnvironmentKey::new("ser.secret"), None).await;
        let is_cut = matches!(
            &outcome,
            FetchOutcome::Failure(FetchFailure::NoAnswer(Fault::Cut))
        );
        let is_read = matches!(&outcome, FetchOutcome::Document { pages, .. } if pages[0].as_ref() == b"[]");
        assert_eq!(
            (is_read, is_cut),
            (is_whole, !is_whole),
            "{ending:?}: {outcome:?}"
        );
    }
}

async fn fetch(api_url: &str) -> FetchOutcome {
    fetch_trusting(api_url, RootCertificates::default()).await
}

async fn fetch_trusting(api_url: &str, roots: RootCertificates) -> FetchOutcome {
    let options = UpstreamOptions::new(api_url).with_roots(roots);
    let upstream = Upstream::new(&options, Duration::from_secs(20)).unwrap();
    upstream.fetch(&EnvironmentKey::new("ser.secret"), None).await
}

#[actix_rt::test]
async fn an_unknown_certificate_is_refused() {
    let (api_url, _) = tls_upstream();
    let outcome = fetch(&api_url).await;
    assert!(
        matches!(
            outcome,
            FetchOutcome::Failure(FetchFailure::NoAnswer(Fault::CertificateAuthorityUnknown))
        ),
        "{outcome:?}"
    );
}

#[actix_rt::test]
async fn certificates_of_a_file_or_a_folder_are_trusted() {
    let (api_url, certificate) = tls_upstream();
    let (folder, empty) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let path = folder.path().join("roots.pem");
    fs::write(&path, certificate).unwrap();
    let file = RootCertificates {
        file: Some(path),
        directories: Vec::new(),
    };
    let directories = RootCertificates {
        file: None,
        directories: vec![empty.path().to_owned(), folder.path().to_owned()],
    };
    for roots in [file, directories] {
        let outcome = fetch_trusting(&api_url, roots).await;
        assert!(matches!(outcome, FetchOutcome::Document { .. }), "{outcome:?}");
    }
}

#[test]
fn certificates_of_ssl_cert_file_are_trusted() {
    let (api_url, certificate) = tls_upstream();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("roots.pem");
    fs::write(&path, certificate).unwrap();
    // The variable is the process's, hence another process.
    let status = Command::new(env::current_exe().unwrap())
        .args(["--exact", "tls::fetches_in_a_process_of_its_own", "--ignored"])
        .env("SSL_CERT_FILE", path)
        .env(API_URL, api_url)
        .output()
        .unwrap();
    let output = String::from_utf8_lossy(&status.stdout);
    assert!(status.status.success() && output.contains("1 passed"), "{output}");
}

#[actix_rt::test]
#[ignore = "run by certificates_of_ssl_cert_file_are_trusted"]
async fn fetches_in_a_process_of_its_own() {
    let Ok(api_url) = env::var(API_URL) else {
        eprintln!("skipped: {API_URL} is set by the test that runs this one");
        return;
    };
    let outcome = fetch(&api_url).await;
    assert!(matches!(outcome, FetchOutcome::Document { .. }), "{outcome:?}");
}
