//! Running an application in this process, one at a time.
use std::net::SocketAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};

use actors::environment::EnvironmentHandle;
use edge_proxy::application::{Application, Limits, Outcome, StopSignal};
use edge_proxy::settings::Settings;
use futures::FutureExt as _;
use serde_json::Value;
use tempfile::TempDir;
use tokio::sync::oneshot;

/// What is counted is the whole process's: only its holder runs anything.
pub(crate) fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Settings from this configuration, with two workers on a port of the system's choice.
pub(crate) fn settings(folder: &TempDir, mut config: Value) -> Settings {
    config["server"]["host"] = "127.0.0.1".into();
    config["server"]["port"] = 0.into();
    config["server"]["drain_seconds"] = 0.into();
    let path = folder.path().join("config.json");
    std::fs::write(&path, config.to_string()).unwrap();
    Settings::load(Some(&path), [("WEB_CONCURRENCY".to_owned(), "2".to_owned())])
        .unwrap()
        .settings
}

/// Serves, is used on another thread, and stops.
pub(crate) fn serve(settings: &Settings, used: impl FnOnce(SocketAddr, EnvironmentHandle) + Send + 'static) {
    serve_within(Limits::default(), settings, used);
}

/// The same within other limits.
pub(crate) fn serve_within(
    limits: Limits,
    settings: &Settings,
    used: impl FnOnce(SocketAddr, EnvironmentHandle) + Send + 'static,
) {
    let outcome = actix::System::new().block_on(async {
        let application = Application::build(settings, limits).unwrap();
        let (address, environments) = (application.addresses()[0], application.environments().clone());
        let (used_up, use_ends) = oneshot::channel::<()>();
        let user = std::thread::spawn(move || {
            used(address, environments);
            drop(used_up);
        });
        // A thread that panics drops its end too; its join tells.
        let stop = Box::pin(use_ends.map(|_| StopSignal::Terminate).into_stream());
        let outcome = application.run_until_stopped(stop).await;
        user.join().unwrap();
        outcome
    });
    assert_eq!(outcome.unwrap(), Outcome::Stopped);
}
