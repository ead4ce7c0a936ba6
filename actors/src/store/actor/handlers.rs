//! What the actor does with each message.
use std::collections::HashSet;

use actix::prelude::*;
use tokio::sync::oneshot;

use super::StoreActor;
use crate::keys::KeyDigest;
use crate::store::format::Stored;
use crate::store::pending::Item;
use crate::store::recovery::Occupant;

/// Asks for what is stored of an environment.
#[derive(Message)]
#[rtype(result = "Option<Stored>")]
pub(in crate::store) struct Restore {
    pub(in crate::store) environment: KeyDigest,
    pub(in crate::store) label: String,
}

impl Handler<Restore> for StoreActor {
    type Result = ResponseActFuture<Self, Option<Stored>>;

    fn handle(&mut self, Restore { environment, label }: Restore, _: &mut Self::Context) -> Self::Result {
        if let Some(newest) = self.pending.newest(environment) {
            // It is on its way to the disk.
            return Box::pin(actix::fut::ready(Some(newest.stored.clone())));
        }
        let recovered = self.on_disk(move |folder| folder.restore(environment));
        Box::pin(recovered.into_actor(self).map(move |recovered, actor, ctx| {
            let recovered = recovered?;
            let told = actor.complaints.entry(environment).or_default();
            for complaint in recovered.complaints.iter().filter(|each| !told.contains(each)) {
                log::warn!("{label}: {complaint}");
            }
            *told = recovered.complaints;
            let stored = recovered.stored?;
            if recovered.occupant != Occupant::Whole {
                // The previous document is the only one, until it is the current one, too.
                let stored = stored.clone();
                actor.pending.put(Item { stored, label });
                actor.write(ctx);
            }
            Some(stored)
        }))
    }
}

/// Stores a document.
#[derive(Message)]
#[rtype(result = "()")]
pub(in crate::store) struct Keep(pub(in crate::store) Item);

impl Handler<Keep> for StoreActor {
    type Result = ();

    fn handle(&mut self, Keep(item): Keep, ctx: &mut Self::Context) {
        self.pending.put(item);
        self.write(ctx);
    }
}

/// Asks how many documents are still to be written.
#[derive(Message)]
#[rtype(result = "usize")]
pub(in crate::store) struct AskWaiting;

impl Handler<AskWaiting> for StoreActor {
    type Result = usize;

    fn handle(&mut self, _: AskWaiting, _: &mut Self::Context) -> usize {
        self.pending.unwritten()
    }
}

/// An orderly stop; the reply comes when all is written, or cannot be.
#[derive(Message)]
#[rtype(result = "()")]
pub(in crate::store) struct Stop;

impl Handler<Stop> for StoreActor {
    type Result = ResponseActFuture<Self, ()>;

    fn handle(&mut self, _: Stop, ctx: &mut Self::Context) -> Self::Result {
        self.lifeline.disarm();
        let (stop, stopped) = oneshot::channel();
        self.stops.push(stop);
        // A last attempt.
        self.pending.again();
        self.write(ctx);
        self.tell_stops();
        let stopped = async move {
            let _ = stopped.await;
        };
        Box::pin(
            stopped
                .into_actor(self)
                .map(|(), _, ctx: &mut Context<Self>| ctx.stop()),
        )
    }
}

/// These environments are configured from now on.
#[derive(Message)]
#[rtype(result = "()")]
pub(in crate::store) struct Configured(pub(in crate::store) HashSet<KeyDigest>);

impl Handler<Configured> for StoreActor {
    type Result = ();

    fn handle(&mut self, Configured(configured): Configured, _: &mut Self::Context) {
        self.written
            .retain(|environment, _| configured.contains(environment));
        self.configured = configured;
    }
}

#[cfg(feature = "fault-injection")]
impl Handler<crate::fault::Hang> for StoreActor {
    type Result = ();

    fn handle(&mut self, crate::fault::Hang(until): crate::fault::Hang, ctx: &mut Self::Context) {
        let hanging = self.on_disk(move |_| until.recv().is_ok());
        ctx.spawn(hanging.into_actor(self).map(|_, _, _| ()));
    }
}
