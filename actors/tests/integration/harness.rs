//! An EnvironmentActor on a scripted upstream, and what it told.
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use actix::{Actor, Addr, Arbiter, Context, Handler};
use actors::environment::{
    ActorOptions, DocumentSource, EnvironmentEvent, EnvironmentHandle, EnvironmentOptions, EnvironmentStatus,
    Patience, PollingOptions, UnconditionalFetches,
};
use actors::keys::{EnvironmentId, EnvironmentKey};
use actors::lifeline::Lifelines;
use actors::replica::{EnvironmentReplica, Resolution, Resolve};
use actors::served::{ServedEnvironment, Snapshot};
use actors::upstream::UpstreamOptions;
use awc::http::header::HeaderValue;
use engine::{KeyKind, UpdatedAt};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

/// For what must happen; generous, because slow machines are no defect.
pub(crate) const SOON: Duration = Duration::from_secs(30);

/// Long enough that no poll comes by itself within a test.
pub(crate) const NEVER: Duration = Duration::from_secs(100_000);

/// Polls that follow one another quickly.
pub(crate) fn quick() -> PollingOptions {
    PollingOptions {
        period: Duration::from_millis(50),
        timeout: Duration::from_secs(10),
        unconditional: UnconditionalFetches::Every(NEVER),
        file_period: Duration::from_millis(10),
        grace_period: None,
    }
}

/// What is next best is served where it is known that nothing better comes, however slow the machine is.
pub(crate) const UNHURRIED: Patience = Patience {
    stored: NEVER,
    answer: NEVER,
};

/// One polled environment with the keys `client{n}` and `ser.{n}`.
pub(crate) fn polled(number: usize) -> EnvironmentOptions {
    EnvironmentOptions {
        client_side_key: EnvironmentKey::new(format!("client{number}")),
        server_side_keys: vec![EnvironmentKey::new(format!("ser.{number}"))],
        source: DocumentSource::Upstream,
        fallback: None,
    }
}

/// One environment from a file, with the key `client0`.
pub(crate) fn from_file(path: PathBuf) -> EnvironmentOptions {
    EnvironmentOptions {
        client_side_key: EnvironmentKey::new("client0"),
        server_side_keys: Vec::new(),
        source: DocumentSource::File(path),
        fallback: None,
    }
}

/// A document as that of the environment with the key `client0`: the smallest ones are of another's.
pub(crate) fn of_client0(document: &str) -> String {
    document.replace("client-key", "client0")
}

struct Listener(UnboundedSender<EnvironmentEvent>);

impl Actor for Listener {
    type Context = Context<Self>;
}

impl Handler<EnvironmentEvent> for Listener {
    type Result = ();
    fn handle(&mut self, event: EnvironmentEvent, _ctx: &mut Self::Context) {
        let _ = self.0.send(event);
    }
}

/// The actor under test.
pub(crate) struct Harness {
    pub handle: EnvironmentHandle,
    pub lifelines: Lifelines,
    events: UnboundedReceiver<EnvironmentEvent>,
}

impl Harness {
    pub(crate) fn start(
        environments: Vec<EnvironmentOptions>,
        api_url: String,
        polling: PollingOptions,
    ) -> Self {
        Self::start_with(
            environments,
            ActorOptions::new(polling, UpstreamOptions::new(api_url)),
        )
    }

    /// One that serves nothing that is next best before it is known that nothing better comes.
    pub(crate) fn start_unhurried(environments: Vec<EnvironmentOptions>, api_url: String) -> Self {
        let options = ActorOptions::new(quick(), UpstreamOptions::new(api_url));
        let patience = UNHURRIED;
        Self::start_with(environments, ActorOptions { patience, ..options })
    }

    /// With all options.
    pub(crate) fn start_with(environments: Vec<EnvironmentOptions>, options: ActorOptions) -> Self {
        let (sender, events) = unbounded_channel();
        let listener = Listener::start_in_arbiter(&Arbiter::new().handle(), |_| Listener(sender));
        let lifelines = Lifelines::new();
        let listeners = vec![listener.recipient()];
        let handle = EnvironmentHandle::start(environments, options, listeners, &lifelines).unwrap();
        Self {
            handle,
            lifelines,
            events,
        }
    }

    /// The id of the environment in this place.
    pub(crate) fn id(&self, place: usize) -> EnvironmentId {
        self.handle.configured().borrow()[place].id
    }

    /// Waits for what a snapshot shows.
    pub(crate) async fn wait_for<T>(&self, mut condition: impl FnMut(&Snapshot) -> Option<T>) -> T {
        let mut acknowledged = self.handle.acknowledged();
        let waiting = async {
            loop {
                if let Some(found) = condition(&self.handle.newest()) {
                    return found;
                }
                acknowledged.changed().await.expect("the actor lives");
            }
        };
        tokio::time::timeout(SOON, waiting)
            .await
            .expect("the snapshot in time")
    }

    /// Waits until the feature of the first environment has this value.
    pub(crate) async fn wait_for_value(&self, value: &str) -> Arc<ServedEnvironment> {
        self.wait_for_value_of(0, value).await
    }

    pub(crate) async fn wait_for_value_of(&self, index: usize, value: &str) -> Arc<ServedEnvironment> {
        self.wait_for(|snapshot| {
            let served = snapshot.environment(self.id(index))?;
            has_value(served, value).then(|| Arc::clone(served))
        })
        .await
    }

    /// The next event.
    pub(crate) async fn event(&mut self) -> EnvironmentEvent {
        tokio::time::timeout(SOON, self.events.recv())
            .await
            .expect("an event in time")
            .expect("the listener")
    }

    /// The number of the next change of content.
    pub(crate) async fn update(&mut self) -> UpdatedAt {
        loop {
            if let EnvironmentEvent::Updated(_, updated_at) = self.event().await {
                return updated_at;
            }
        }
    }

    /// The changes of content that were told and not looked at.
    pub(crate) fn pending_updates(&mut self) -> usize {
        std::iter::from_fn(|| self.events.try_recv().ok())
            .filter(|event| matches!(event, EnvironmentEvent::Updated(..)))
            .count()
    }

    /// Waits until the environment's health says this.
    pub(crate) async fn wait_for_status(&self, index: usize, status: &str) {
        let waiting = async { while self.status(index).await.status != status {} };
        tokio::time::timeout(SOON, waiting)
            .await
            .unwrap_or_else(|_| panic!("{status} in time"));
    }

    /// Waits until the reason in the environment's health is like this.
    pub(crate) async fn wait_for_detail(
        &self,
        index: usize,
        is_like: impl Fn(&Option<String>) -> bool,
    ) -> Option<String> {
        let waiting = async {
            loop {
                let detail = self.status(index).await.detail;
                if is_like(&detail) {
                    return detail;
                }
            }
        };
        tokio::time::timeout(SOON, waiting)
            .await
            .expect("the reason in time")
    }

    pub(crate) async fn status(&self, index: usize) -> EnvironmentStatus {
        self.statuses().await.swap_remove(index)
    }

    /// Of an actor that lives: on a slow machine it may be later than its handle waits for it.
    pub(crate) async fn statuses(&self) -> Vec<EnvironmentStatus> {
        let asking = async {
            loop {
                if let Ok(statuses) = self.handle.statuses().await {
                    return statuses;
                }
                assert!(self.lifelines.is_alive(), "the actor lives");
            }
        };
        tokio::time::timeout(SOON, asking)
            .await
            .expect("statuses in time")
    }
}

pub(crate) fn has_value(served: &ServedEnvironment, value: &str) -> bool {
    let flags = &served.flags(KeyKind::Client).plain;
    let expected = format!(r#""feature_state_value":"{value}""#);
    String::from_utf8_lossy(flags).contains(&expected)
}

/// What a replica serves for a key.
pub(crate) async fn resolve(replica: &Addr<EnvironmentReplica>, key: &str) -> Resolution {
    replica
        .send(Resolve {
            key: HeaderValue::from_str(key).unwrap(),
        })
        .await
        .expect("a replica that lives")
}

/// The environment a replica serves for a key.
pub(crate) async fn served(replica: &Addr<EnvironmentReplica>, key: &str) -> Option<Arc<ServedEnvironment>> {
    match resolve(replica, key).await {
        Resolution::Ready { environment, .. } => Some(environment),
        _ => None,
    }
}
