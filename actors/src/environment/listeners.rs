//! Who hears of the environments' events.
use actix::Recipient;
use futures::future::join_all;
use std::time::Duration;

use super::options::EnvironmentEvent;
use crate::keys::EnvironmentId;

/// How long a listener, whose handlers take microseconds, may take to hear of removed environments.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(2);

/// The listeners, in the order in which they are told.
#[derive(Clone)]
pub(super) struct Listeners(pub(super) Vec<Recipient<EnvironmentEvent>>);

impl Listeners {
    /// Tells all of them and waits for none. What is told from one thread arrives in that order.
    #[expect(
        clippy::disallowed_methods,
        reason = "bounded by design: one for each fetch at most, and fetches of one environment never overlap; or one \
                  for each environment that a new configuration adds"
    )]
    pub(super) fn tell(&self, event: EnvironmentEvent) {
        for listener in &self.0 {
            listener.do_send(event);
        }
    }

    /// Tells all of them of removed environments; resolves when they know.
    pub(super) async fn tell_of_removed(&self, removed: &[EnvironmentId]) {
        let told = self.0.iter().flat_map(|listener| {
            let removed = removed.iter().map(|id| EnvironmentEvent::Removed(*id));
            removed.map(|event| listener.send(event).timeout(ANSWER_TIMEOUT))
        });
        if join_all(told).await.iter().any(Result::is_err) {
            log::warn!(
                "a part of the process does not answer; it may go on with environments that were removed"
            );
        }
    }
}
