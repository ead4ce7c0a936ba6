//! What the EnvironmentActor is sent.
use actix::prelude::*;
use engine::UpdatedAt;

use super::history::Announcer;
use super::options::{EnvironmentOptions, PollingOptions};
use super::status::EnvironmentStatus;
use crate::keys::EnvironmentId;
use crate::upstream::UpstreamOptions;

/// Puts a whole new list of environments in force. The reply comes when every replica and every listener knows.
#[derive(Message)]
#[rtype(result = "()")]
pub(super) struct Configure {
    pub(super) environments: Vec<EnvironmentOptions>,
    /// How they are polled; `None`: as before.
    pub(super) polling: Option<PollingOptions>,
    /// How upstream is reached; `None`: as before.
    pub(super) upstream: Option<UpstreamOptions>,
}

/// A change was announced: fetch now, unconditionally.
#[derive(Message)]
#[rtype(result = "()")]
pub(super) struct Refresh {
    pub(super) id: EnvironmentId,
    pub(super) announced: Option<UpdatedAt>,
    pub(super) by: Announcer,
}

/// Asks for each environment's health.
#[derive(Message)]
#[rtype(result = "Vec<EnvironmentStatus>")]
pub(super) struct Statuses;

/// An orderly stop.
#[derive(Message)]
#[rtype(result = "()")]
pub(super) struct Stop;
