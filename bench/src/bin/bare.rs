//! The bare handler that the proxy is compared with: an actix-web app of the same build settings and as many workers,
//! without middleware, that answers every request with a ready body and constant headers.
//!
//! `bare SERVER METHOD PATH FILE CERTIFICATE KEY`: SERVER is `actix` (actix-web's own `HttpServer`), `actix-http2` (the same
//! with HTTP/2), `actix-tls` (the same over TLS, with this certificate and key) or `proxy` (the proxy's server), FILE holds an
//! answer as it came over the wire, whose status, headers and body are given.
#![allow(
    clippy::expect_used,
    reason = "a benchmark that cannot run has nothing to go on with"
)]
use std::io;
use std::sync::Arc;

use actix_web::dev::{ServiceFactory, ServiceRequest, ServiceResponse};
use actix_web::http::StatusCode;
use actix_web::http::header::{HeaderName, HeaderValue};
use actix_web::web::{self, Bytes, Data};
use actix_web::{App, Error, HttpResponse, HttpServer};
// Its allocator comes with it: all servers have the same one.
use edge_proxy::application::{BareServer, Limits};
use edge_proxy::settings::Settings;
use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use serde_json::json;

/// What the server writes itself.
const OF_THE_SERVER: [&str; 3] = ["content-length", "date", "connection"];

struct Ready {
    status: StatusCode,
    headers: Vec<(HeaderName, HeaderValue)>,
    body: Bytes,
}

impl Ready {
    /// Leaks the answer, because the handler of a real service has its constants for as long as it runs.
    fn parse(answer: Vec<u8>) -> Option<Self> {
        let answer: &'static [u8] = answer.leak();
        let end = answer.windows(4).position(|window| window == b"\r\n\r\n")?;
        let (head, body) = answer.split_at_checked(end)?;
        let mut lines = std::str::from_utf8(head).ok()?.split("\r\n");
        let status = lines.next()?.split(' ').nth(1)?.parse().ok()?;
        let headers = lines.filter_map(|line| {
            let (name, value) = line.split_once(": ")?;
            let name: &'static str = name.to_ascii_lowercase().leak();
            let is_own = !OF_THE_SERVER.contains(&name);
            is_own.then(|| (HeaderName::from_static(name), HeaderValue::from_static(value)))
        });
        Some(Self {
            status,
            headers: headers.collect(),
            body: Bytes::from_static(body.get(4..)?),
        })
    }

    fn answer(&self) -> HttpResponse {
        let mut answer = HttpResponse::build(self.status);
        for (name, value) in &self.headers {
            answer.insert_header((name.clone(), value.clone()));
        }
        answer.body(self.body.clone())
    }
}

async fn get(ready: Data<Ready>) -> HttpResponse {
    ready.answer()
}

async fn post(ready: Data<Ready>, body: Bytes) -> HttpResponse {
    // The extractor has read the body to its end; using it keeps the compiler from leaving that out.
    if body.is_empty() {
        HttpResponse::BadRequest().finish()
    } else {
        ready.answer()
    }
}

/// What both servers serve.
fn app(
    ready: Data<Ready>,
    method: &str,
    path: &str,
) -> App<
    impl ServiceFactory<ServiceRequest, Config = (), Response = ServiceResponse, Error = Error, InitError = ()>
    + use<>,
> {
    let route = match method {
        "POST" => web::post().to(post),
        _ => web::get().to(get),
    };
    App::new()
        .app_data(ready)
        .service(web::resource(path).route(route))
}

/// The settings that the benchmark gives the proxy, with an environment that nobody reads.
fn settings() -> io::Result<Settings> {
    let variables = [
        ("SERVER", json!({"host": "127.0.0.1", "port": 0})),
        (
            "ENVIRONMENT_KEY_PAIRS",
            json!([{"client_side_key": "none", "document_path": "none.json"}]),
        ),
    ];
    let variables = variables.map(|(name, value)| (name.to_owned(), value.to_string()));
    let loaded = Settings::load(None, variables).map_err(io::Error::other)?;
    Ok(loaded.settings)
}

/// TLS as rustls does it unless told otherwise.
fn tls(certificate: &str, key: &str) -> io::Result<ServerConfig> {
    let chain: Result<Vec<_>, _> = CertificateDer::pem_file_iter(certificate)
        .map_err(io::Error::other)?
        .collect();
    let key = PrivateKeyDer::from_pem_file(key).map_err(io::Error::other)?;
    ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(io::Error::other)?
        .with_no_client_auth()
        .with_single_cert(chain.map_err(io::Error::other)?, key)
        .map_err(io::Error::other)
}

#[actix_web::main]
async fn main() -> io::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [server, method, path, file, certificate, key] = arguments.as_slice() else {
        return Err(io::Error::other(
            "usage: bare actix|actix-http2|actix-tls|proxy METHOD PATH FILE CERTIFICATE KEY",
        ));
    };
    let ready = Data::new(Ready::parse(std::fs::read(file)?).expect("FILE holds an answer"));
    let (method, path) = (method.clone(), path.clone());
    let app = move || app(ready.clone(), &method, &path);
    let server_of = server.as_str();
    match server_of {
        "actix" | "actix-tls" => {
            let workers = std::thread::available_parallelism()?.get();
            let server = HttpServer::new(app).workers(workers);
            let address = ("127.0.0.1", 0);
            let server = match server_of {
                "actix" => server.bind(address)?,
                _ => server.bind_rustls_0_23(address, tls(certificate, key)?)?,
            };
            println!("{}", server.addrs().first().expect("an address"));
            server.run().await
        }
        "actix-http2" => {
            let workers = std::thread::available_parallelism()?.get();
            let server = HttpServer::new(app)
                .workers(workers)
                .bind_auto_h2c(("127.0.0.1", 0))?;
            println!("{}", server.addrs().first().expect("an address"));
            server.run().await
        }
        "proxy" => {
            let server =
                BareServer::build(&settings()?, &Limits::default(), app).map_err(io::Error::other)?;
            println!("{}", server.addresses().first().expect("an address"));
            server.run().await
        }
        other => Err(io::Error::other(format!("no such server: {other}"))),
    }
}
