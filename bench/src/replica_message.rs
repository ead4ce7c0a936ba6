//! The same handler with and without asking its worker's replica: what the message costs.
use std::process::ExitCode;
use std::sync::Arc;

use actix_web::{App, HttpRequest, HttpResponse, HttpServer, web};
use actors::environment::{DocumentSource, EnvironmentHandle, EnvironmentOptions, PollingOptions};
use actors::keys::{EnvironmentIndex, EnvironmentKey};
use actors::lifeline::Lifelines;
use actors::replica::{EnvironmentReplica, Resolution, Resolve};
use actors::served::ServedEnvironment;
use edge_proxy::routes::answer;
use engine::KeyKind;

use crate::child::Server;
use crate::comparison::{Plan, Subject, measure, print};
use crate::documents;

const WITHOUT: &str = "without";
const ASKING: &str = "asking";

/// At most this much more server CPU per request than without the message.
const LIMIT: f64 = 1.15;

/// Measures, prints, and fails past the limit.
pub fn run(plan: &Plan) -> ExitCode {
    let request = format!(
        "GET /api/v1/flags/ HTTP/1.1\r\nHost: proxy\r\nX-Environment-Key: {}\r\n\r\n",
        documents::CLIENT_KEY
    );
    let subject = |name, server| Subject {
        name,
        server: Server::start(server),
        request: request.clone().into_bytes(),
    };
    let subjects = [
        subject("the handler alone", WITHOUT),
        subject("the handler, asking its worker's replica", ASKING),
    ];
    let costs = match measure(&subjects, plan) {
        Ok(costs) => costs,
        Err(error) => {
            eprintln!("the comparison failed: {error}");
            return ExitCode::FAILURE;
        }
    };
    print(&costs);
    match costs.as_slice() {
        [without, asking] if asking.quantile(0.5) <= without.quantile(0.5) * LIMIT => ExitCode::SUCCESS,
        _ => {
            eprintln!("asking the replica costs more than {LIMIT} times the handler alone");
            ExitCode::FAILURE
        }
    }
}

/// Serves one of the two until it is killed, after printing its address.
pub fn serve(server: &str) -> ExitCode {
    let asking = match server {
        ASKING => true,
        WITHOUT => false,
        _ => return ExitCode::from(64),
    };
    actix::System::new().block_on(async move {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let document_path = directory.path().join("environment.json");
        std::fs::write(&document_path, documents::simple().to_string()).expect("a temporary file");
        let environments = start_environment(document_path);
        environments
            .acknowledged()
            .wait_for(|version| *version > 0)
            .await
            .expect("the document is applied");
        let newest = environments.newest();
        let served = newest
            .environment(EnvironmentIndex(0))
            .expect("the document is applied")
            .clone();

        let app = move || {
            let route = if asking {
                web::get().to(ask)
            } else {
                web::get().to(answer_alone)
            };
            App::new()
                .app_data(environments.start_replica())
                .app_data(Arc::clone(&served))
                .service(web::resource("/api/v1/flags/").route(route))
        };
        let server = HttpServer::new(app).bind(("127.0.0.1", 0)).expect("a free port");
        println!("{}", server.addrs().first().expect("an address"));
        server.run().await.expect("the server runs");
        ExitCode::SUCCESS
    })
}

fn start_environment(document_path: std::path::PathBuf) -> EnvironmentHandle {
    let environment = EnvironmentOptions {
        client_side_key: EnvironmentKey::new(documents::CLIENT_KEY),
        server_side_keys: Vec::new(),
        source: DocumentSource::File(document_path),
    };
    EnvironmentHandle::start(
        vec![environment],
        PollingOptions::default(),
        None,
        &Lifelines::new(),
    )
}

/// What both do once they hold the environment: a ready body and its headers.
async fn respond(request: &HttpRequest, served: &ServedEnvironment) -> HttpResponse {
    answer::ready(request, served, served.flags(KeyKind::Client), None).await
}

async fn answer_alone(request: HttpRequest) -> HttpResponse {
    // Read the key as the other does, so that the message alone is the difference.
    let key = request.headers().get("x-environment-key").cloned();
    match (key, request.app_data::<Arc<ServedEnvironment>>().cloned()) {
        (Some(_), Some(served)) => respond(&request, &served).await,
        _ => HttpResponse::InternalServerError().finish(),
    }
}

async fn ask(request: HttpRequest) -> HttpResponse {
    let key = request.headers().get("x-environment-key").cloned();
    let (Some(key), Some(replica)) = (key, request.app_data::<actix::Addr<EnvironmentReplica>>()) else {
        return HttpResponse::InternalServerError().finish();
    };
    match replica.send(Resolve { key }).await {
        Ok(Resolution::Ready { environment, .. }) => respond(&request, &environment).await,
        _ => HttpResponse::InternalServerError().finish(),
    }
}
