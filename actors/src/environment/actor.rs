//! The shell.
use std::sync::Arc;

use actix::prelude::*;
use engine::UpdatedAt;
use tokio::sync::watch;

use super::options::{EnvironmentOptions, EnvironmentStatus, EnvironmentUpdated, PollingOptions};
use super::registry::Registry;
use crate::keys::EnvironmentIndex;
use crate::lifeline::Lifelines;
use crate::replica::Panic;

pub(super) struct Parts {
    pub(super) environments: Vec<EnvironmentOptions>,
    pub(super) polling: PollingOptions,
    pub(super) listener: Option<Recipient<EnvironmentUpdated>>,
    pub(super) registry: Arc<Registry>,
    pub(super) acknowledged: watch::Sender<u64>,
    pub(super) lifelines: Lifelines,
}

#[derive(Message)]
#[rtype(result = "()")]
pub(super) struct Refresh {
    pub(super) index: EnvironmentIndex,
    pub(super) announced: Option<UpdatedAt>,
}

#[derive(Message)]
#[rtype(result = "Vec<EnvironmentStatus>")]
pub(super) struct Statuses;

#[derive(Message)]
#[rtype(result = "()")]
pub(super) struct Stop;

#[derive(Debug)]
pub struct EnvironmentActor {}

impl EnvironmentActor {
    pub(super) fn new(_parts: Parts) -> Self {
        todo!()
    }
}
impl Actor for EnvironmentActor {
    type Context = Context<Self>;
}
impl Handler<Refresh> for EnvironmentActor {
    type Result = ();
    fn handle(&mut self, _msg: Refresh, _ctx: &mut Self::Context) {
        todo!()
    }
}
impl Handler<Statuses> for EnvironmentActor {
    type Result = MessageResult<Statuses>;
    fn handle(&mut self, _msg: Statuses, _ctx: &mut Self::Context) -> Self::Result {
        todo!()
    }
}
impl Handler<Stop> for EnvironmentActor {
    type Result = ();
    fn handle(&mut self, _msg: Stop, _ctx: &mut Self::Context) {
        todo!()
    }
}
impl Handler<Panic> for EnvironmentActor {
    type Result = ();
    fn handle(&mut self, _msg: Panic, _ctx: &mut Self::Context) {
        todo!()
    }
}
