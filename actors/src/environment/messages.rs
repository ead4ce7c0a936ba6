//! What the EnvironmentActor is sent, besides [`Panic`](crate::replica::Panic).
use actix::prelude::*;
use engine::UpdatedAt;

use super::options::EnvironmentStatus;
use crate::keys::EnvironmentIndex;

/// A change was announced: fetch now, unconditionally.
#[derive(Message)]
#[rtype(result = "()")]
pub(super) struct Refresh {
    pub(super) index: EnvironmentIndex,
    pub(super) announced: Option<UpdatedAt>,
}

/// Asks for each environment's health.
#[derive(Message)]
#[rtype(result = "Vec<EnvironmentStatus>")]
pub(super) struct Statuses;

/// An orderly stop.
#[derive(Message)]
#[rtype(result = "()")]
pub(super) struct Stop;
