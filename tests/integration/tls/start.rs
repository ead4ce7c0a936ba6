//! The program with `server.tls`: how it starts, and how it is asked whether it is healthy.
use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Command, Output};
use std::sync::Arc;
use std::time::Instant;

use rustls::ClientConfig;
use serde_json::{Value, json};
use tempfile::TempDir;
use test_support::documents::FIXTURE;
use test_support::pem::assert_holds_nothing_of;
use test_support::program::Program;
use test_support::tls::{Certificate, Files, client};
use test_support::wait::PATIENCE;

use crate::harness::{CLIENT_KEY, Connection, Request, SERVER_KEY, command, merge};

/// The folder of a program, with a document and a certificate.
pub(super) struct Folder {
    folder: TempDir,
    pub(super) files: Files,
}

impl Folder {
    pub(super) fn with(certificate: &Certificate) -> Self {
        let folder = TempDir::new().unwrap();
        fs::write(folder.path().join("environment.json"), FIXTURE).unwrap();
        let files = Files::write(folder.path(), certificate);
        Self { folder, files }
    }

    pub(super) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// The program, with these options of `server` over those of TLS. Paths are relative to the configuration.
    pub(super) fn command(&self, server: &Value) -> Command {
        let mut options = json!({
            "host": "127.0.0.1",
            "port": 0,
            "drain_seconds": 0,
            "tls": {"certificate": "server.pem", "key": "server.key"},
        });
        merge(&mut options, server);
        let config = json!({
            "environment_key_pairs": [{
                "client_side_key": CLIENT_KEY,
                "server_side_key": SERVER_KEY,
                "document_path": "environment.json",
            }],
            "server": options,
        });
        fs::write(self.path().join("config.json"), config.to_string()).unwrap();
        let mut command = command(Path::new("/"));
        command
            .env("TMPDIR", self.path())
            .arg("--config")
            .arg(self.path().join("config.json"));
        command
    }
}

/// Where it listens.
pub(super) fn address(program: &Program) -> SocketAddr {
    program.find_line(|line| line.split_once("listening on https://")?.1.trim().parse().ok())
}

/// Waits until it serves its document.
pub(super) fn until_served(address: SocketAddr, terms: &Arc<ClientConfig>) {
    let begun = Instant::now();
    while Connection::open_tls(address, terms)
        .send(&Request::get("/proxy/health/readiness"))
        .status
        != 200
    {
        assert!(begun.elapsed() < PATIENCE, "it serves its document");
    }
}

fn line(output: &Output) -> (Option<i32>, String) {
    let text = [&output.stdout[..], &output.stderr].concat();
    (output.status.code(), String::from_utf8(text).unwrap())
}

#[test]
fn keys_of_all_kinds_are_read() {
    let keys = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/integration/tls/keys");
    let folder = Folder::with(&Certificate::valid());
    for name in ["pkcs1", "sec1"] {
        let certificate = fs::read_to_string(keys.join(format!("{name}.pem"))).unwrap();
        folder.files.replace_certificate(&certificate);
        folder
            .files
            .replace_key(&fs::read_to_string(keys.join(format!("{name}.key"))).unwrap());
        let mut command = folder.command(&json!({}));
        let checked = command.arg("--check").output().unwrap();
        assert_eq!(checked.status.code(), Some(0), "{name}: {}", line(&checked).1);
    }
    // One file with both.
    let both = ["sec1.key", "sec1.pem"].map(|name| fs::read_to_string(keys.join(name)).unwrap());
    folder.files.replace_certificate(&both.concat());
    let mut command = folder.command(&json!({"tls": {"key": "server.pem"}}));
    assert_eq!(command.arg("--check").output().unwrap().status.code(), Some(0));
}

#[test]
fn what_cannot_be_used_ends_the_start_with_the_name_of_the_option() {
    let keys = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/integration/tls/keys");
    let (own, other) = (Certificate::valid(), Certificate::valid());
    let encrypted = fs::read_to_string(keys.join("encrypted.key")).unwrap();
    let half = &own.certificate[..own.certificate.len() / 2];
    let flat = format!("{}{}", own.key, own.certificate).replace('\n', "\\n");
    let cases: [(&str, &str, Value, &str); 12] = [
        (
            &own.certificate,
            &own.key,
            json!({"key": null}),
            "server.tls.certificate (from",
        ),
        (
            &own.certificate,
            &own.key,
            json!({"certificate": null}),
            "server.tls.key (from",
        ),
        (
            &own.certificate,
            &own.key,
            json!({"certificate": "missing"}),
            "server.tls.certificate cannot be read (No such file",
        ),
        (
            &own.certificate,
            &own.key,
            json!({"key": "missing"}),
            "server.tls.key cannot be read (No such file",
        ),
        (
            &own.certificate,
            &own.key,
            json!({"key": "/dev/zero"}),
            "server.tls.key (/dev/zero) is too long",
        ),
        (&own.key, &own.key, json!({}), "holds no certificate"),
        (
            &flat,
            &own.key,
            json!({}),
            "is no right PEM (a section begins with no right line)",
        ),
        (
            &own.certificate,
            &own.key,
            json!({"key": own.key}),
            "server.tls.key cannot be read (",
        ),
        (half, &own.key, json!({}), "server.tls.certificate ("),
        (
            &own.certificate,
            &own.certificate,
            json!({}),
            "holds no private key",
        ),
        (
            &own.certificate,
            &encrypted,
            json!({}),
            "holds an encrypted private key",
        ),
        (
            &own.certificate,
            &other.key,
            json!({}),
            "does not match the first certificate of server.tls.certificate",
        ),
    ];
    for (certificate, key, tls, expected) in cases {
        let folder = Folder::with(&own);
        folder.files.replace_certificate(certificate);
        folder.files.replace_key(key);
        for arguments in [&[][..], &["--check"]] {
            let mut command = folder.command(&json!({"tls": tls}));
            let ended = line(&command.args(arguments).output().unwrap());
            assert_eq!(ended.0, Some(78), "{}", ended.1);
            let last = ended.1.lines().last().unwrap();
            assert!(
                last.starts_with("edge-proxy: server.tls.") && last.contains(expected),
                "{last}"
            );
            assert_holds_nothing_of(&ended.1, key);
        }
    }
}

/// Asks whether the proxy at this address, with the same files, is healthy.
fn health(folder: &Folder, address: SocketAddr) -> (Option<i32>, String) {
    let mut command = folder.command(&json!({"port": address.port()}));
    let config = folder.path().join("config.json");
    let mut health = Command::new(command.get_program());
    health.env_clear().arg("health").arg("--config").arg(config);
    // It is written by now.
    command.stdin(std::process::Stdio::null());
    line(&health.output().unwrap())
}

#[test]
fn the_check_beside_it_knows_its_certificate() {
    let certificate = Certificate::valid();
    let folder = Folder::with(&certificate);
    let program = Program::start(&mut folder.command(&json!({})));
    let address = address(&program);
    until_served(address, &Arc::new(client([&certificate])));
    let expected = format!("healthy: https://{address} answers 200\n");
    assert_eq!(health(&folder, address), (Some(0), expected));
    // A renewal that cannot be used: it serves on, and nobody is to replace it.
    for content in [Certificate::valid().certificate.as_str(), "nothing"] {
        folder.files.replace_certificate(content);
        let (code, line) = health(&folder, address);
        assert!(code == Some(0) && line.contains("another certificate"), "{line}");
    }
}
