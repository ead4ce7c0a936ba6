//! The same handler with and without asking its worker's replica: what the message costs.
#![allow(
    clippy::expect_used,
    reason = "a benchmark that cannot run has nothing to go on with"
)]
use std::process::ExitCode;
use std::sync::Arc;

use actix_web::{App, HttpRequest, HttpResponse, HttpServer, web};
use actors::environment::{
    ActorOptions, DocumentSource, EnvironmentHandle, EnvironmentOptions, PollingOptions,
};
use actors::keys::EnvironmentKey;
use actors::lifeline::Lifelines;
use actors::replica::{EnvironmentReplica, Resolution, Resolve};
use actors::served::ServedEnvironment;
use actors::upstream::UpstreamOptions;
use edge_proxy::routes::answer;
use engine::KeyKind;

use bench::child::Server;
use bench::comparison::{Plan, Subject, measure};
use bench::documents;
use test_support::http::Request;

const WITHOUT: &str = "without";
const ASKING: &str = "asking";

/// The argument that makes this program one of the servers.
const SERVE: &str = "--serve";

/// At most this much more server CPU per request than without the message.
const LIMIT: f64 = 1.15;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words.as_slice() {
        [SERVE, server] => serve(server),
        [] => run(&Plan::default()),
        _ => {
            eprintln!("usage: replica-message");
            ExitCode::from(64)
        }
    }
}

/// Measures, prints, and fails past the limit.
fn run(plan: &Plan) -> ExitCode {
    let request = Request::get("/api/v1/flags/").key(documents::CLIENT_KEY);
    let subject = |name| Subject::new(Server::start_self(&[SERVE, name]), request.clone());
    let (without, asking) = (subject(WITHOUT), subject(ASKING));
    let costs = match measure(&[&without, &asking], plan) {
        Ok(costs) => costs,
        Err(error) => {
            eprintln!("the comparison failed: {error}");
            return ExitCode::FAILURE;
        }
    };
    let [without, asking] = costs.as_slice() else {
        return ExitCode::FAILURE;
    };
    let ratio = asking.ratio_to(without);
    println!(
        "the handler alone: {:.2} µs of server CPU a request",
        without.cpu().median()
    );
    println!("asking its worker's replica: {:.2} µs", asking.cpu().median());
    println!(
        "ratio, round by round: {:.3} ({:.3} to {:.3}); at most {LIMIT}",
        ratio.median(),
        ratio.quantile(0.25),
        ratio.quantile(0.75)
    );
    if ratio.median() <= LIMIT {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

/// Serves one of the two until it is killed, after printing its address.
fn serve(server: &str) -> ExitCode {
    let asking = match server {
        ASKING => true,
        WITHOUT => false,
        _ => return ExitCode::from(64),
    };
    actix::System::new().block_on(async move {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let document_path = directory.path().join("environment.json");
        std::fs::write(&document_path, documents::SIMPLE.document(0)).expect("a temporary file");
        let environments = start_environment(document_path);
        environments
            .acknowledged()
            .wait_for(|version| *version > 0)
            .await
            .expect("the document is applied");
        let newest = environments.newest();
        let (id, _) = newest
            .keys
            .resolve(documents::CLIENT_KEY.as_bytes())
            .expect("the key is configured");
        let served = newest.environment(id).expect("the document is applied").clone();

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
        fallback: None,
    };
    EnvironmentHandle::start(
        vec![environment],
        ActorOptions::new(PollingOptions::default(), UpstreamOptions::new("")),
        Vec::new(),
        &Lifelines::new(),
    )
    .expect("a thread for the actor")
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
