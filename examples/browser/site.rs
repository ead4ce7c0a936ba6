//! The page, for browsers on this machine alone: it listens on loopback, answers no name but that of this machine, and takes
//! edits from the page itself only.
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServerHandle, ServiceRequest, ServiceResponse};
use actix_web::http::header::{CACHE_CONTROL, HOST, ORIGIN};
use actix_web::middleware::{DefaultHeaders, Next, from_fn};
use actix_web::web::{self, Bytes, Data, Json, JsonConfig};
use actix_web::{App, HttpRequest, HttpResponse, HttpServer};
use serde_json::json;

use crate::demonstration::{CLIENT_SIDE_KEY, Demonstration, Edit, EditError};

/// No edit is as long, in bytes.
const MAX_EDIT: usize = 16 * 1024;

/// Nothing but this machine's own script, style and requests to this machine.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
                      connect-src 'self' http://127.0.0.1:* http://localhost:*; base-uri 'none'; form-action 'none'";

/// What the handlers share.
struct Site {
    demonstration: Demonstration,
    sdk: Bytes,
    proxy_port: u16,
}

/// A page that is served.
pub(crate) struct Page {
    /// Where it is.
    pub address: SocketAddr,
    server: ServerHandle,
}

impl Page {
    /// Ends it.
    pub(crate) async fn stop(&self) {
        self.server.stop(false).await;
    }
}

/// Reads the JavaScript SDK, which is no part of this repository.
pub(crate) fn read_sdk(path: &Path) -> io::Result<Bytes> {
    let read = std::fs::read(path).map(Bytes::from);
    read.map_err(|error| {
        let told = format!(
            "{}: {error}; `make demo` installs the JavaScript SDK",
            path.display()
        );
        io::Error::new(error.kind(), told)
    })
}

/// Serves the page on loopback; port 0: the system chooses.
pub(crate) fn serve(
    port: u16,
    proxy_port: u16,
    sdk: Bytes,
    demonstration: Demonstration,
) -> io::Result<Page> {
    let site = Data::new(Site {
        demonstration,
        sdk,
        proxy_port,
    });
    let server = HttpServer::new(move || {
        App::new()
            .app_data(site.clone())
            .app_data(JsonConfig::default().limit(MAX_EDIT))
            .wrap(from_fn(for_this_machine))
            .wrap(headers())
            .route(
                "/",
                web::get().to(async || file("text/html; charset=utf-8", include_str!("page/index.html"))),
            )
            .route(
                "/page.css",
                web::get().to(async || file("text/css; charset=utf-8", include_str!("page/page.css"))),
            )
            .route(
                "/page.js",
                web::get().to(async || file(SCRIPT, include_str!("page/page.js"))),
            )
            .route(
                "/sdk.js",
                web::get().to(async |site: Data<Site>| file(SCRIPT, site.sdk.clone())),
            )
            .route("/settings.json", web::get().to(settings))
            .route("/features", web::get().to(features))
            .route("/features", web::post().to(edit))
    })
    .workers(1)
    .disable_signals()
    .bind((Ipv4Addr::LOCALHOST, port))?;
    let address = server
        .addrs()
        .first()
        .copied()
        .ok_or(io::ErrorKind::AddrNotAvailable)?;
    let running = server.run();
    let handle = running.handle();
    actix_web::rt::spawn(running);
    Ok(Page {
        address,
        server: handle,
    })
}

const SCRIPT: &str = "text/javascript; charset=utf-8";

fn headers() -> DefaultHeaders {
    DefaultHeaders::new()
        .add((CACHE_CONTROL, "no-store"))
        .add(("Content-Security-Policy", POLICY))
        .add(("X-Content-Type-Options", "nosniff"))
}

fn file(content_type: &'static str, body: impl MessageBody + 'static) -> HttpResponse {
    HttpResponse::Ok().content_type(content_type).body(body)
}

/// A page elsewhere may have its own name resolve to this machine; it is not answered under that name.
async fn for_this_machine(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, actix_web::Error> {
    if own_origin(request.request()).is_none() {
        let refusal = HttpResponse::Forbidden().body("this page is for 127.0.0.1 and localhost");
        return Ok(request.into_response(refusal));
    }
    Ok(next.call(request).await?.map_into_boxed_body())
}

/// The origin of the page, if this machine is asked by a name of its own.
fn own_origin(request: &HttpRequest) -> Option<String> {
    let host = request.headers().get(HOST)?.to_str().ok()?;
    let port = request.app_config().local_addr().port();
    let is_own = ["127.0.0.1", "localhost"]
        .iter()
        .any(|name| host == format!("{name}:{port}"));
    is_own.then(|| format!("http://{host}"))
}

/// Where the proxy is. Streams have a host name of their own: a browser opens six connections a host, and each open page
/// with a stream holds one.
async fn settings(site: Data<Site>) -> HttpResponse {
    let port = site.proxy_port;
    HttpResponse::Ok().json(json!({
        "environment": CLIENT_SIDE_KEY,
        "api": format!("http://127.0.0.1:{port}/api/v1/"),
        "streams": format!("http://localhost:{port}/"),
    }))
}

async fn features(site: Data<Site>) -> HttpResponse {
    match site.demonstration.features() {
        Ok(features) => HttpResponse::Ok().json(features),
        Err(error) => unreadable(&error),
    }
}

async fn edit(request: HttpRequest, site: Data<Site>, edit: Json<Edit>) -> HttpResponse {
    let origin = request
        .headers()
        .get(ORIGIN)
        .and_then(|origin| origin.to_str().ok());
    if origin.is_none() || origin != own_origin(&request).as_deref() {
        return HttpResponse::Forbidden().json(json!({"message": "only the page itself edits the document"}));
    }
    match site.demonstration.edit(edit.into_inner()) {
        Ok(()) => HttpResponse::NoContent().finish(),
        Err(EditError::Refused(why)) => HttpResponse::BadRequest().json(json!({"message": why})),
        Err(EditError::File(error)) => unreadable(&error),
    }
}

fn unreadable(error: &io::Error) -> HttpResponse {
    let message = format!("the demonstration's document: {error}");
    HttpResponse::InternalServerError().json(json!({"message": message}))
}
