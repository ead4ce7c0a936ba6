//! One EnvironmentReplica a HTTP worker, on the worker's own thread.
use std::sync::Arc;
use std::time::Duration;

use actix::prelude::*;
use awc::http::header::HeaderValue;
use engine::KeyKind;

use crate::keys::EnvironmentId;
use crate::lifeline::Lifeline;
use crate::served::{Newest, ServedEnvironment, Snapshot};

mod beat;
mod requests;

pub(crate) use beat::{Beat, Pulse};
pub use requests::RequestTotals;
pub(crate) use requests::{Reader, RequestCounts};

/// Asks what an environment key opens. Outer blanks of the key are ignored.
#[derive(Message)]
#[rtype(result = "Resolution")]
pub struct Resolve {
    /// The value of `X-Environment-Key`.
    pub key: HeaderValue,
}

/// Asks what a client-side key in a path opens. A server-side key opens nothing there: paths end up in logs.
#[derive(Message)]
#[rtype(result = "Resolution")]
pub struct ResolveClientSide {
    /// The path's segment, percent-decoded.
    pub client_side_key: String,
}

/// The answer to [`Resolve`].
#[derive(Debug, Clone, MessageResponse)]
pub enum Resolution {
    /// No configured environment has this key.
    Unknown,
    /// Known, but no document has been applied yet.
    NotReady {
        /// Which environment.
        id: EnvironmentId,
        /// What the key may see.
        kind: KeyKind,
    },
    /// Known and served.
    Ready {
        /// Which environment.
        id: EnvironmentId,
        /// What the key may see.
        kind: KeyKind,
        /// The environment as it is served now.
        environment: Arc<ServedEnvironment>,
    },
}

/// There is a newer snapshot: the replica takes the newest there is, so that messages which wait for a busy worker hold
/// none. The reply is the acknowledgement: every later [`Resolve`] is answered from that snapshot or from a newer one.
#[derive(Debug, Clone, Message)]
#[rtype(result = "()")]
pub(crate) struct Publish(pub(crate) Arc<Newest>);

/// Holds the newest snapshot for the routes of one worker.
#[derive(Debug)]
pub struct EnvironmentReplica {
    snapshot: Arc<Snapshot>,
    beat: Arc<Beat>,
    requests: RequestCounts,
    /// Between two beats.
    period: Duration,
    _lifeline: Lifeline,
}

impl EnvironmentReplica {
    pub(crate) fn new(
        snapshot: Arc<Snapshot>,
        beat: Arc<Beat>,
        requests: RequestCounts,
        period: Duration,
        lifeline: Lifeline,
    ) -> Self {
        Self {
            snapshot,
            beat,
            requests,
            period,
            _lifeline: lifeline,
        }
    }

    fn resolve(&mut self, key: &[u8]) -> Resolution {
        let Some((id, kind)) = self.snapshot.keys.resolve(key) else {
            return Resolution::Unknown;
        };
        self.requests.count(id);
        match self.snapshot.environment(id) {
            None => Resolution::NotReady { id, kind },
            Some(environment) => Resolution::Ready {
                id,
                kind,
                environment: Arc::clone(environment),
            },
        }
    }

    fn beat(&mut self, ctx: &mut Context<Self>) {
        self.beat.beat();
        ctx.run_later(self.period, Self::beat);
    }

    /// Keeps the newer one.
    fn apply(&mut self, snapshot: Arc<Snapshot>) {
        if snapshot.version > self.snapshot.version {
            self.snapshot = snapshot;
        }
    }
}

impl Actor for EnvironmentReplica {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        self.beat(ctx);
    }
}

impl Handler<Resolve> for EnvironmentReplica {
    type Result = Resolution;
    fn handle(&mut self, msg: Resolve, _ctx: &mut Self::Context) -> Resolution {
        self.resolve(msg.key.as_bytes())
    }
}

impl Handler<ResolveClientSide> for EnvironmentReplica {
    type Result = Resolution;
    fn handle(&mut self, msg: ResolveClientSide, _ctx: &mut Self::Context) -> Resolution {
        match self.resolve(msg.client_side_key.as_bytes()) {
            Resolution::NotReady {
                kind: KeyKind::Server,
                ..
            }
            | Resolution::Ready {
                kind: KeyKind::Server,
                ..
            } => Resolution::Unknown,
            resolution => resolution,
        }
    }
}

impl Handler<Publish> for EnvironmentReplica {
    type Result = ();
    fn handle(&mut self, Publish(newest): Publish, _ctx: &mut Self::Context) {
        self.apply(newest.get());
    }
}

#[cfg(feature = "fault-injection")]
impl Handler<crate::fault::Panic> for EnvironmentReplica {
    type Result = ();
    #[expect(clippy::panic, reason = "fault injection is what this message is for")]
    fn handle(&mut self, _msg: crate::fault::Panic, _ctx: &mut Self::Context) {
        panic!("injected into an EnvironmentReplica");
    }
}
