//! `server.tls`: HTTP over TLS, and what must not differ by it.
use std::sync::Arc;

use rustls::ClientConfig;
use serde_json::json;
use tempfile::TempDir;
use test_support::tls::{self, Certificate, Files};

use crate::harness::{App, CLIENT_KEY, Connection, Options, Request, merge, spawn_app};

mod handshakes;
mod renewal;
mod start;
mod stop;
mod streams;
mod versions;

/// A proxy that speaks TLS.
pub(crate) struct Secured {
    pub(crate) app: App,
    files: Files,
    certificate: Certificate,
    /// Terms of a client that trusts it.
    pub(crate) terms: Arc<ClientConfig>,
    _folder: TempDir,
}

/// Starts one.
pub(crate) fn secured(mut options: Options) -> Secured {
    let folder = TempDir::new().unwrap();
    let certificate = Certificate::valid();
    let files = Files::write(folder.path(), &certificate);
    merge(
        &mut options.config,
        &json!({"server": {"tls": {"certificate": files.certificate, "key": files.key}}}),
    );
    Secured {
        app: spawn_app(options),
        files,
        terms: Arc::new(tls::client([&certificate])),
        certificate,
        _folder: folder,
    }
}

impl Secured {
    fn connect(&self) -> Connection {
        Connection::open_tls(self.app.address, &self.terms)
    }
}

fn flags() -> Request {
    Request::get("/api/v1/flags/").key(CLIENT_KEY)
}
