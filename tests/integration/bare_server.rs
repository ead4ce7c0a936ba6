//! The proxy's server around another App than the proxy's, which the benchmark compares with.
use std::net::SocketAddr;
use std::sync::mpsc;

use actix_web::dev::{ServiceFactory, ServiceRequest, ServiceResponse};
use actix_web::{App, Error, HttpResponse, web};
use edge_proxy::application::{BareServer, Limits};
use edge_proxy::settings::Settings;
use serde_json::json;
use test_support::http::{Connection, Request};

#[test]
fn another_app_is_served_with_the_proxys_server_and_without_its_layers() {
    let address =
        serve(|| App::new().service(web::resource("/").to(|| async { HttpResponse::Ok().body("bare") })));
    let mut connection = Connection::open(address);
    let answer = connection.send(&Request::get("/").header("Origin", "http://page"));
    assert_eq!((answer.status, answer.text()), (200, "bare"));
    assert_eq!(answer.header("access-control-allow-origin"), None, "no layer");

    connection.write(b"nonsense\r\n\r\n");
    let refused = connection.read(false);
    assert_eq!(
        (refused.status, &refused.json()["status"]),
        (400, &json!("bad_request")),
        "its refusals"
    );
}

/// Serves on a thread that ends with the process.
fn serve<T>(app: fn() -> App<T>) -> SocketAddr
where
    T: ServiceFactory<ServiceRequest, Config = (), Response = ServiceResponse, Error = Error, InitError = ()>
        + 'static,
{
    let variables = [
        ("SERVER", json!({"host": "127.0.0.1", "port": 0}).to_string()),
        (
            "ENVIRONMENT_KEY_PAIRS",
            json!([{"client_side_key": "none", "document_path": "none.json"}]).to_string(),
        ),
        ("WEB_CONCURRENCY", "1".to_owned()),
    ];
    let variables = variables.map(|(name, value)| (name.to_owned(), value));
    let settings = Settings::load(None, variables).unwrap().settings;
    let (started, address) = mpsc::channel();
    std::thread::spawn(move || {
        actix::System::new().block_on(async move {
            let server = BareServer::build(&settings, &Limits::default(), app).unwrap();
            started.send(server.addresses()[0]).unwrap();
            server.run().await.unwrap();
        });
    });
    address.recv().unwrap()
}
