//! The proxy inside the test's process, on a thread and a port of its own.
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::mpsc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use actors::environment::EnvironmentHandle;
use actors::sse_hub::SseHubHandle;
use edge_proxy::application::{Application, Limits, Outcome, StopLimits, StopSignal};
use edge_proxy::settings::Settings;
use futures::channel::mpsc as signals;
use serde_json::{Value, json};
use tempfile::TempDir;
use test_support::documents::FIXTURE;
use test_support::http::{Connection, Request, Response};
use test_support::wait::{PATIENCE, wait};

/// The environment's client-side key in tests.
pub(crate) const CLIENT_KEY: &str = "client-key";

/// The environment's server-side key in tests.
pub(crate) const SERVER_KEY: &str = "ser.server-key";

/// What an [`App`] is started with.
pub(crate) struct Options {
    /// The environment document; `None`: the file does not exist yet.
    pub document: Option<String>,
    /// Options of `config.json`, put over the test's own.
    pub config: Value,
    /// HTTP workers.
    pub workers: usize,
    /// Further environment variables.
    pub variables: Vec<(&'static str, String)>,
    /// Durations and limits.
    pub limits: Limits,
    /// Changes settings past what a configuration may say, such as a poll period under a second.
    pub adjust: fn(&mut Settings),
}

impl Default for Options {
    fn default() -> Self {
        Self {
            document: Some(FIXTURE.to_owned()),
            config: json!({}),
            workers: 2,
            variables: Vec::new(),
            limits: Limits {
                file_period: Duration::from_millis(20),
                stop: StopLimits {
                    quiet: Some(Duration::ZERO),
                    handshake: Duration::ZERO,
                    young: Duration::from_millis(50),
                    ..StopLimits::default()
                },
                ..Limits::default()
            },
            adjust: |_| (),
        }
    }
}

/// A running proxy; it stops when this is dropped.
pub(crate) struct App {
    /// Where it listens.
    pub address: SocketAddr,
    /// Where its admin port is, where it has one.
    pub admin: Option<SocketAddr>,
    /// The owner of its environments.
    pub environments: EnvironmentHandle,
    /// Its hub.
    pub hub: SseHubHandle,
    directory: TempDir,
    signals: signals::UnboundedSender<StopSignal>,
    thread: Option<JoinHandle<Outcome>>,
}

/// Starts a proxy and waits until it serves its document, if it is given one.
pub(crate) fn spawn_app(options: Options) -> App {
    let directory = TempDir::new().unwrap();
    if let Some(document) = &options.document {
        std::fs::write(directory.path().join("environment.json"), document).unwrap();
    }
    let config_path = directory.path().join("config.json");
    std::fs::write(&config_path, configuration(&options.config).to_string()).unwrap();
    let own = [("WEB_CONCURRENCY", options.workers.to_string())];
    let variables = own.into_iter().chain(options.variables);
    let variables = variables.map(|(name, value)| (name.to_owned(), value));
    let mut settings = Settings::load(Some(&config_path), variables).unwrap().settings;
    (options.adjust)(&mut settings);

    let (started_sender, started) = mpsc::channel();
    let (signals, received) = signals::unbounded();
    let has_document = options.document.is_some();
    let thread = std::thread::spawn(move || {
        actix::System::new().block_on(async move {
            let application = Application::build(&settings, options.limits).unwrap();
            let address = application.addresses()[0];
            let admin = application.admin_addresses().first().copied();
            let environments = application.environments().clone();
            let hub = application.hub().clone();
            let mut acknowledged = environments.acknowledged();
            actix_rt::spawn(async move {
                if has_document {
                    acknowledged.wait_for(|version| *version > 0).await.unwrap();
                    // When both have answered, the hub has heard of it.
                    environments.statuses().await.unwrap();
                    hub.counts().await.unwrap();
                }
                started_sender.send((address, admin, environments, hub)).unwrap();
            });
            application.run_until_stopped(received).await.unwrap()
        })
    });
    let (address, admin, environments, hub) = started.recv().unwrap();
    App {
        address,
        admin,
        environments,
        hub,
        directory,
        signals,
        thread: Some(thread),
    }
}

fn configuration(over: &Value) -> Value {
    let mut config = json!({
        "environment_key_pairs": [{
            "client_side_key": CLIENT_KEY,
            "server_side_key": SERVER_KEY,
            "document_path": "environment.json",
        }],
        "server": {"host": "127.0.0.1", "port": 0, "drain_seconds": 0},
    });
    merge(&mut config, over);
    config
}

/// Lays one configuration over another: objects are merged, everything else is replaced.
pub(crate) fn merge(into: &mut Value, over: &Value) {
    match (into, over) {
        (Value::Object(into), Value::Object(over)) => {
            for (key, value) in over {
                merge(into.entry(key).or_insert(Value::Null), value);
            }
        }
        (into, over) => *into = over.clone(),
    }
}

impl App {
    /// Opens a connection.
    pub(crate) fn connect(&self) -> Connection {
        Connection::open(self.address)
    }

    /// Sends one request to the admin port.
    pub(crate) fn ask_admin(&self, request: Request) -> Response {
        let admin = self.admin.expect("an admin port");
        Connection::open(admin).send(&request.header("Host", &admin.to_string()))
    }

    /// Sends one request on a connection of its own.
    pub(crate) fn send(&self, request: Request) -> Response {
        self.connect().send(&request)
    }

    /// `GET` with the client-side key.
    pub(crate) fn get(&self, path: &str) -> Response {
        self.send(Request::get(path).key(CLIENT_KEY))
    }

    /// The file that the environment is read from.
    pub(crate) fn document_path(&self) -> PathBuf {
        self.directory.path().join("environment.json")
    }

    /// Replaces the document at once, as an editor or a deployment does.
    pub(crate) fn replace_document(&self, document: &Value) {
        let next = self.directory.path().join("next.json");
        std::fs::write(&next, document.to_string()).unwrap();
        std::fs::rename(next, self.document_path()).unwrap();
    }

    /// Replaces the document and waits until every worker serves it.
    pub(crate) fn publish(&self, document: &Value) {
        self.until_published(|| self.replace_document(document));
    }

    /// Waits until every worker serves the first document, which comes by itself.
    pub(crate) fn wait_for_first_document(&self) {
        self.wait_for_version_after(0);
    }

    /// Causes a change and waits until every worker serves it.
    pub(crate) fn until_published(&self, cause: impl FnOnce()) {
        let before = *self.environments.acknowledged().borrow();
        cause();
        self.wait_for_version_after(before);
    }

    fn wait_for_version_after(&self, before: u64) {
        let mut acknowledged = self.environments.acknowledged();
        wait(async {
            acknowledged.wait_for(|version| *version > before).await.unwrap();
            // When both have answered, the hub has heard of it.
            self.environments.statuses().await.unwrap();
            self.hub.counts().await.unwrap();
        });
    }

    /// Waits until every worker serves a document that makes this true.
    pub(crate) fn wait_until_published(&self, mut is_so: impl FnMut(&Self) -> bool) {
        let mut acknowledged = self.environments.acknowledged();
        wait(async {
            while !is_so(self) {
                acknowledged.changed().await.unwrap();
            }
        });
    }

    /// Waits until the source of the first environment has given its document so many more times, changed or not, and
    /// the hub has heard of what came.
    pub(crate) fn until_fetched_again(&self, times: usize) {
        for _ in 0..times {
            self.until_fetched_after(|| ());
        }
    }

    /// Causes fetches and waits until one of them has given the document, changed or not, and the hub has heard of what came.
    pub(crate) fn until_fetched_after(&self, cause: impl FnOnce()) {
        let last_success = async || self.environments.statuses().await.unwrap()[0].last_successful_update;
        // Before they are caused: nothing else may follow the last of them.
        let before = wait(last_success());
        cause();
        wait(async {
            while last_success().await == before {
                tokio::task::yield_now().await;
            }
            self.hub.counts().await.unwrap();
        });
    }

    /// Asks again and again until this is true: for what no event tells, such as a document that goes stale.
    pub(crate) fn wait_until_answered(&self, mut is_so: impl FnMut(&Self) -> bool) {
        let started = Instant::now();
        while !is_so(self) {
            assert!(started.elapsed() < PATIENCE, "it comes about in time");
        }
    }

    /// Asks it to stop, without waiting.
    pub(crate) fn ask_to_stop(&self) {
        self.signal(StopSignal::Terminate);
    }

    /// Sends a signal, as if the process got it.
    pub(crate) fn signal(&self, signal: StopSignal) {
        // An error: it has stopped.
        let _ = self.signals.unbounded_send(signal);
    }

    /// Waits until it has stopped by itself or as asked.
    pub(crate) fn wait(&mut self) -> Outcome {
        self.thread.take().unwrap().join().unwrap()
    }
}

impl Drop for App {
    fn drop(&mut self) {
        self.signal(StopSignal::Interrupt);
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
            && !std::thread::panicking()
        {
            panic!("the proxy's thread panicked");
        }
    }
}
