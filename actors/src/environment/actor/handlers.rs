//! What the actor does with each message.
use actix::prelude::*;
use tokio::sync::oneshot;

use super::EnvironmentActor;
use crate::environment::events::Moment;
use crate::environment::messages::{Configure, Refresh, Statuses, Stop};
use crate::environment::options::ConfiguredEnvironment;
use crate::environment::source::Reached;

impl Handler<Configure> for EnvironmentActor {
    type Result = ResponseFuture<()>;
    fn handle(&mut self, configure: Configure, ctx: &mut Self::Context) -> Self::Result {
        let Configure {
            environments,
            polling,
            upstream,
        } = configure;
        let has_other_rules = polling.is_some();
        self.polling = polling.unwrap_or_else(|| self.polling.clone());
        let reached = self.client.change(upstream, self.polling.timeout);
        let mut changes = self.configuration.replace(environments);
        if reached == Reached::Elsewhere {
            changes.move_polled(&self.configuration);
        }
        if has_other_rules || reached != Reached::AsBefore {
            self.adjust(&changes, reached, ctx);
        }
        if let Some(store) = &self.store {
            let environments = self.configuration.environments().iter();
            store.configured(environments.map(|environment| &environment.options.client_side_key));
        }
        let removed = self.follow(changes, ctx);
        self.configured
            .send_replace(self.configuration.environments().into());
        let acknowledged = self
            .publisher
            .configure(self.configuration.key_table(), removed.clone());
        let (listeners, (done, is_done)) = (self.listeners.clone(), oneshot::channel());
        let known_everywhere = async move {
            let replaced = acknowledged.await;
            listeners.tell_of_removed(&removed).await;
            // Whoever asked may have given up waiting.
            let _ = done.send(());
            replaced
        };
        // The actor's own future, so that it goes on where the asker is gone.
        ctx.spawn(
            known_everywhere
                .into_actor(self)
                .map(|replaced, actor, ctx| actor.release(replaced, ctx)),
        );
        Box::pin(async move {
            let _ = is_done.await;
        })
    }
}

impl Handler<Refresh> for EnvironmentActor {
    type Result = ();
    fn handle(&mut self, Refresh { id, announced, by }: Refresh, ctx: &mut Self::Context) {
        if let Some(entry) = self.entries.get_mut(&id) {
            entry.history.announced(by);
            entry.state.announce(Moment::now(), announced);
            self.advance(id, ctx);
        }
    }
}

impl Handler<Statuses> for EnvironmentActor {
    type Result = MessageResult<Statuses>;
    fn handle(&mut self, _msg: Statuses, _ctx: &mut Self::Context) -> Self::Result {
        let now = Moment::now();
        let environments = self.configuration.environments().iter();
        let statuses = environments.filter_map(|ConfiguredEnvironment { id, .. }| {
            let served = self.publisher.served(*id);
            let named = served.as_ref().map(|served| served.environment.client_side_key());
            let foreign = named.and_then(|named| self.configuration.foreign(*id, named));
            let entry = self.entries.get(id)?;
            Some(entry.status(*id, served.as_deref(), foreign.as_ref(), now))
        });
        MessageResult(statuses.collect())
    }
}

impl Handler<Stop> for EnvironmentActor {
    type Result = ();
    fn handle(&mut self, _msg: Stop, ctx: &mut Self::Context) {
        self.lifeline.disarm();
        ctx.stop();
    }
}

#[cfg(feature = "fault-injection")]
impl Handler<crate::fault::Panic> for EnvironmentActor {
    type Result = ();
    #[expect(clippy::panic, reason = "fault injection is what this message is for")]
    fn handle(&mut self, _msg: crate::fault::Panic, _ctx: &mut Self::Context) {
        panic!("injected into the EnvironmentActor");
    }
}
