//! A defect: an actor panics while the process holds every secret. The test starts itself again, since a process has one
//! logger, and only tests can break an actor.
use std::process::Command;

use edge_proxy::application::{Application, Limits, Outcome};
use edge_proxy::logging;
use edge_proxy::settings::Settings;
use futures::channel::mpsc;
use test_support::http::ask;
use test_support::program::Program;

use super::marks::{self, assert_shows_nothing};
use super::{configuration, folder, session, upstream};
use crate::harness::Request;

const ITSELF: &str = "secrets::panics::the_process_that_panics";
const CONFIGURATION: &str = "TEST_CONFIGURATION";
const ACTOR: &str = "TEST_ACTOR";

/// Serves until it is asked something in a way that the test has chosen, then an actor panics.
#[test]
#[ignore = "started by the test below"]
fn the_process_that_panics() {
    let path = std::env::var(CONFIGURATION).unwrap();
    let loaded = Settings::load(Some(path.as_ref()), []).unwrap();
    logging::init(&loaded.settings.logging).unwrap();
    let outcome = actix::System::new().block_on(async move {
        let application = Application::build(&loaded.settings, Limits::default()).unwrap();
        let (environments, hub) = (application.environments().clone(), application.hub().clone());
        let actor = std::env::var(ACTOR).unwrap();
        let mut acknowledged = environments.acknowledged();
        actix_rt::spawn(async move {
            acknowledged.wait_for(|version| *version > 0).await.unwrap();
            // Standard input ends when the test has said all that it wants the process to know.
            let line = actix_rt::task::spawn_blocking(|| std::io::stdin().read_line(&mut String::new()));
            line.await.unwrap().unwrap();
            match actor.as_str() {
                "hub" => hub.inject_panic(),
                _ => environments.inject_panic(),
            }
        });
        let (_asks, signals) = mpsc::unbounded();
        application.run_until_stopped(signals).await.unwrap()
    });
    assert!(matches!(outcome, Outcome::ActorDied(_)), "{outcome:?}");
    logging::flush();
}

#[test]
fn a_panic_shows_no_secret() {
    for actor in ["hub", "environments"] {
        let upstream = upstream::Echo::start();
        let folder = folder(&configuration(&upstream, "DEBUG", "generic"));
        let mut command = Command::new(std::env::current_exe().unwrap());
        command
            .args(["--ignored", "--exact", ITSELF, "--nocapture"])
            .env(CONFIGURATION, folder.path().join("config.json"))
            .env(ACTOR, actor)
            .env("RUST_BACKTRACE", "1");
        let (mut program, input) = Program::start_with_input(&mut command);
        let address = program.find_line(|line| line.split_once("listening on http://")?.1.parse().ok());
        session::wait_until_all_has_failed(address);
        for path in [
            "/api/v1/flags/".to_owned(),
            format!("/api/v1/identities/?identifier={}", marks::IDENTIFIER),
        ] {
            let request = Request::get(&path).key(&upstream::client_key(upstream::SERVED));
            assert_eq!(ask(address, &request).unwrap().status, 200);
        }
        drop(input);
        let (status, log) = program.wait();
        assert!(status.success(), "{log}");
        assert!(
            log.contains("panicked at") && log.contains("stack backtrace"),
            "{log}"
        );
        assert_shows_nothing("the log of a panic", &log);
    }
}
