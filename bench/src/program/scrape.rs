//! How long a scrape of metrics takes, with many environments.
use std::fs;
use std::io;
use std::time::Instant;

use bench::child::{Server, Start};
use bench::documents::SIMPLE;
use bench::statistics::Sample;
use serde_json::{Value, json};
use tempfile::TempDir;
use test_support::http::{Request, ask};

use super::cases::FLAGS;
use super::options::Options;
use super::report::Report;

const NAME: &str = "scrape-100";

const ENVIRONMENTS: usize = 100;

/// Paths that are asked for before, so that there are series of requests.
const ASKED: [&str; 6] = [
    FLAGS,
    "/api/v1/identities/?identifier=a",
    "/api/v1/environment-document/",
    "/proxy/health",
    "/proxy/health/readiness",
    "/nowhere",
];

/// Measures the row where it is wanted.
pub(crate) fn measure(options: &Options, report: &mut Report) -> io::Result<()> {
    if !options.wants(NAME) {
        return Ok(());
    }
    let folder = TempDir::new()?;
    fs::write(folder.path().join("environment.json"), SIMPLE.document(0))?;
    let config = folder.path().join("config.json");
    fs::write(&config, configuration().to_string())?;
    let start = Start {
        has_admin: true,
        ..Start::default()
    };
    let server = Server::start_proxy_with(&config, start)?;
    for environment in 0..ENVIRONMENTS {
        server.wait_for(&Request::get(FLAGS).key(&client_key(environment)), 200)?;
    }
    for path in ASKED {
        server.ask(&Request::get(path).key(&client_key(0)))?;
    }
    let admin = server.admin.ok_or_else(|| io::Error::other("no admin port"))?;
    let request = Request::get("/metrics").header("Host", &admin.to_string());
    let (mut milliseconds, mut bytes) = (Vec::new(), 0);
    for _ in 0..options.repetitions(101) {
        let begun = Instant::now();
        let answer = ask(admin, &request)?;
        milliseconds.push(begun.elapsed().as_secs_f64() * 1e3);
        bytes = answer.body.len();
        if answer.status != 200 {
            return Err(io::Error::other(format!(
                "a scrape is answered {}",
                answer.status
            )));
        }
    }
    let what = format!("a scrape with {ENVIRONMENTS} environments, {bytes} bytes, connection included");
    report.measured(NAME, &what, &Sample::new(milliseconds), "ms");
    Ok(())
}

fn client_key(environment: usize) -> String {
    format!("client-{environment}")
}

fn configuration() -> Value {
    let pair = |environment| json!({"client_side_key": client_key(environment), "document_path": "environment.json"});
    json!({"environment_key_pairs": (0..ENVIRONMENTS).map(pair).collect::<Vec<_>>()})
}
