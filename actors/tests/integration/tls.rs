//! TLS to upstream: only those roots are trusted that the system, or `SSL_CERT_FILE`, gives.
use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;
use std::{env, fs, thread};

use actors::keys::EnvironmentKey;
use actors::upstream::{FetchFailure, FetchOutcome, RootCertificates, Upstream, UpstreamOptions};
use rustls::pki_types::PrivatePkcs8KeyDer;
use rustls::{ServerConfig, ServerConnection, StreamOwned, crypto};

const API_URL: &str = "EDGE_PROXY_TEST_API_URL";

/// An upstream on TLS that answers `[]` to everything; gives its `api_url` and its certificate as PEM.
fn tls_upstream() -> (String, String) {
    let issued = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let key = PrivatePkcs8KeyDer::from(issued.signing_key.serialize_der());
    let config = ServerConfig::builder_with_provider(Arc::new(crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![issued.cert.der().clone()], key.into())
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
            let _ = reader
                .get_mut()
                .write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n[]");
        }
    });
    (format!("https://localhost:{port}/api/v1"), issued.cert.pem())
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
        matches!(outcome, FetchOutcome::Failure(FetchFailure::Connect)),
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
