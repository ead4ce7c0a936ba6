//! What survives a restart.
use std::fs;
use std::path::Path;
use std::sync::mpsc;
use std::time::Duration;

use actors::environment::{ActorOptions, EnvironmentEvent, EnvironmentOptions, PollingOptions};
use actors::lifeline::Lifelines;
use actors::store::{StoreHandle, StoreOptions};
use actors::upstream::UpstreamOptions;
use engine::UpdatedAt;
use tempfile::TempDir;
use test_support::documents::document;
use test_support::upstream::{Answer, ScriptedUpstream};
use test_support::wait::in_time;

use crate::harness::{Harness, SOON, UNHURRIED, of_client0, polled, quick};

mod directories;
mod numbers;
mod pairs;
mod restarts;

const T1: &str = "2024-12-26T16:18:08.760000+00:00";
const T2: &str = "2024-12-26T16:18:20.000000+00:00";

fn at(text: &str) -> UpdatedAt {
    UpdatedAt::parse(text).unwrap()
}

/// Polls that come when the first is over and no more, of an environment that goes stale at once.
fn polling() -> PollingOptions {
    PollingOptions {
        grace_period: Some(SOON),
        ..quick()
    }
}

/// One process's life on a directory.
struct Life {
    harness: Harness,
    store: StoreHandle,
}

impl Life {
    fn begin(directory: &Path, upstream: &ScriptedUpstream, environments: Vec<EnvironmentOptions>) -> Self {
        Self::begin_on(directory, upstream, environments, None)
    }

    /// On a disk that hangs until the sender has gone.
    fn begin_on(
        directory: &Path,
        upstream: &ScriptedUpstream,
        environments: Vec<EnvironmentOptions>,
        hangs: Option<mpsc::Receiver<()>>,
    ) -> Self {
        let keys = environments.iter().map(|options| options.client_side_key.clone());
        let options = StoreOptions {
            retry: Duration::from_millis(20),
            look: Duration::from_millis(20),
            ..StoreOptions::new(directory.to_owned(), keys.collect())
        };
        let store = StoreHandle::start(options, &Lifelines::new()).unwrap();
        let mut options = ActorOptions::new(polling(), UpstreamOptions::new(upstream.api_url()));
        match hangs {
            Some(until) => store.inject_hang(until),
            // A slow disk is none that hangs.
            None => options.patience = UNHURRIED,
        }
        options.store = Some(store.clone());
        Self {
            harness: Harness::start_with(environments, options),
            store,
        }
    }

    /// Resolves when it has the directory at this path.
    async fn has(&self, directory: &Path) {
        let has_lock = async {
            while !directory.join("lock").exists() {
                actix_rt::task::yield_now().await;
            }
        };
        in_time(has_lock).await;
    }

    /// Stops it in good order: all that it told is stored.
    async fn end(self) {
        assert!(self.harness.handle.stop(SOON).await);
        assert!(self.store.stop(SOON).await);
    }

    /// The next event but additions.
    async fn event(&mut self) -> EnvironmentEvent {
        loop {
            match self.harness.event().await {
                EnvironmentEvent::Added(_) => {}
                event => return event,
            }
        }
    }
}

/// An upstream that gives nothing.
fn silent() -> ScriptedUpstream {
    ScriptedUpstream::start(|_| Answer::status(503))
}

/// One that gives this document.
fn giving(value: &str, updated_at: &str) -> ScriptedUpstream {
    let upstream = silent();
    give(&upstream, value, updated_at);
    upstream
}

/// Has upstream give this document from now on.
fn give(upstream: &ScriptedUpstream, value: &str, updated_at: &str) {
    let document = of_client0(&document(value, updated_at));
    upstream.script(move |_| Answer::ok(document.clone()));
}

/// A folder in which a process has stored this document, which upstream gives from now on.
async fn folder_with(upstream: &ScriptedUpstream, value: &str, updated_at: &str) -> TempDir {
    let folder = TempDir::new().unwrap();
    give(upstream, value, updated_at);
    let mut life = Life::begin(folder.path(), upstream, vec![polled(0)]);
    let told = EnvironmentEvent::Updated(life.harness.id(0), at(updated_at));
    assert_eq!(life.event().await, told);
    life.end().await;
    folder
}

/// Holds a directory, as another process does that writes nothing.
fn hold(directory: &Path) -> fs::File {
    let lock = directory.join("lock");
    let holder = fs::File::options().create(true).append(true).open(lock).unwrap();
    holder.lock().unwrap();
    holder
}

/// Leads a path to another directory in one step, as where a volume is mounted.
fn lead(path: &Path, to: &Path) {
    let next = path.with_extension("next");
    std::os::unix::fs::symlink(to, &next).unwrap();
    fs::rename(next, path).unwrap();
}

fn names(directory: &Path) -> Vec<String> {
    let entries = fs::read_dir(directory).unwrap();
    let mut names: Vec<_> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}
