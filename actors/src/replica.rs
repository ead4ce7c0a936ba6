//! One EnvironmentReplica a HTTP worker, on the worker's own thread.
use std::sync::Arc;

use actix::prelude::*;
use awc::http::header::HeaderValue;
use engine::KeyKind;

use crate::keys::EnvironmentIndex;
use crate::served::{ServedEnvironment, Snapshot};

/// Asks what an environment key opens. Outer blanks of the key are ignored.
#[derive(Message)]
#[rtype(result = "Resolution")]
pub struct Resolve {
    /// The value of `X-Environment-Key`, or of the key in a path.
    pub key: HeaderValue,
}

/// The answer to [`Resolve`].
#[derive(Debug, Clone, MessageResponse)]
pub enum Resolution {
    /// No configured environment has this key.
    Unknown,
    /// Known, but no document has been applied yet.
    NotReady {
        /// Which environment.
        index: EnvironmentIndex,
        /// What the key may see.
        kind: KeyKind,
    },
    /// Known and served.
    Ready {
        /// Which environment.
        index: EnvironmentIndex,
        /// What the key may see.
        kind: KeyKind,
        /// The environment as it is served now.
        environment: Arc<ServedEnvironment>,
    },
}

/// Holds the newest snapshot for the routes of one worker.
#[derive(Debug)]
pub struct EnvironmentReplica {
    snapshot: Arc<Snapshot>,
}

impl Actor for EnvironmentReplica {
    type Context = Context<Self>;
}

impl Handler<Resolve> for EnvironmentReplica {
    type Result = Resolution;
    fn handle(&mut self, _msg: Resolve, _ctx: &mut Self::Context) -> Resolution {
        todo!()
    }
}
