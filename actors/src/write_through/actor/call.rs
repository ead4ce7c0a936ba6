//! The next call, and how a call is made.
use std::hash::BuildHasher as _;
use std::sync::atomic::Ordering;
use std::time::Instant;

use awc::http::Method;
use awc::http::header::{CONTENT_TYPE, HeaderValue};
use engine::KeyKind;
use foldhash::quality::RandomState;

use super::{Outcome, WriteThrough};
use crate::keys::{EnvironmentId, EnvironmentKey};
use crate::upstream::{ForwardFailure, ForwardRequest, Forwarder};
use crate::write_through::batch::{Batch, Entry, Trait};
use crate::write_through::doubts::Doubts;
use crate::write_through::pending::{BatchLimits, End};
use crate::write_through::place_of_trait;
use crate::write_through::seen::{Content, Seen};
use crate::write_through::sighting::Target;

/// Bytes of one call's identities, after which no further one is added: a quarter of what servers take by default.
const BATCH_BYTES: usize = 256 * 1024;

/// A batch under way.
pub(super) struct Call {
    pub(super) batch: Batch,
    pub(super) is_bulk: bool,
    /// Which of the environment's server-side keys was in use when it began.
    pub(super) place: usize,
    /// How often somebody else had written when it began.
    pub(super) elsewhere: u64,
}

impl WriteThrough {
    /// The next call that may begin: parts of batches that were refused come first.
    pub(super) fn next_call(&mut self) -> Option<Call> {
        let now = Instant::now();
        let is_bulk = self.without_bulk_until.is_none_or(|until| now >= until);
        while let Some(batch) = self.halves.pop_front() {
            if is_bulk || batch.len() == 1 {
                return Some(self.call(batch, is_bulk));
            }
            self.pending.put_back(batch, End::Front);
        }
        let (written, hashes, doubts) = (&self.shared.written, &self.shared.hashes, &self.doubts);
        let most = self.options.batch_identities;
        let limits = |target: Target| {
            let doubts = doubts.get(&target);
            if doubts.is_some_and(|doubts| doubts.is_waiting(now)) {
                return None;
            }
            let is_one = !is_bulk || doubts.is_some_and(Doubts::is_probing);
            Some(BatchLimits {
                identities: if is_one { 1 } else { most },
                bytes: BATCH_BYTES,
            })
        };
        let batch = self
            .pending
            .next_batch(limits, |entry| leave_news(entry, written, hashes));
        batch.map(|batch| self.call(batch, is_bulk))
    }

    fn call(&self, batch: Batch, is_bulk: bool) -> Call {
        let place = self.place(batch.target.environment);
        Call {
            batch,
            is_bulk,
            place,
            elsewhere: self.shared.elsewhere.load(Ordering::SeqCst),
        }
    }

    /// Which of an environment's server-side keys is in use.
    pub(super) fn place(&self, environment: EnvironmentId) -> usize {
        self.server_side_keys
            .get(&environment)
            .map_or(0, |keys| keys.place)
    }

    /// The call of a batch, which does nothing before it is awaited.
    pub(super) fn sent(&mut self, call: &Call) -> impl Future<Output = Outcome> + use<> {
        let (upstream, call_timeout) = (&self.upstream, self.options.call_timeout);
        let forwarder = self
            .forwarder
            .get_or_insert_with(|| Forwarder::new(upstream, call_timeout))
            .clone();
        let key = self.key(call.batch.target);
        let (path, body) = if call.is_bulk {
            ("bulk-identities/", call.batch.bulk_body())
        } else {
            ("identities/", call.batch.single_body())
        };
        async move {
            let request = ForwardRequest {
                method: Method::POST,
                path,
                key: key.ok_or(ForwardFailure::UnusableKey)?,
                headers: vec![(CONTENT_TYPE, HeaderValue::from_static("application/json"))],
                body,
                is_repeatable: true,
            };
            forwarder?.status(&request).await
        }
    }

    /// The key to write a target with; `None`: the environment is gone.
    fn key(&self, target: Target) -> Option<EnvironmentKey> {
        let configured = self.configured.borrow();
        let mut environments = configured.iter();
        let options = &environments
            .find(|environment| environment.id == target.environment)?
            .options;
        if target.kind == KeyKind::Client {
            return Some(options.client_side_key.clone());
        }
        let place = self
            .place(target.environment)
            .checked_rem(options.server_side_keys.len())?;
        options.server_side_keys.get(place).cloned()
    }
}

/// Takes off the traits that upstream has, and tells whether anything is left to be written.
fn leave_news(entry: &mut Entry, written: &Seen, hashes: &RandomState) -> bool {
    let subject = entry.subject;
    entry.retain(|sent| {
        let (place, content) = of_trait(hashes, subject, sent);
        !written.holds(place, content)
    });
    !entry.traits().is_empty() || !written.holds(subject, Content::PRESENCE)
}

/// A trait's place among those that are written, and its value in short.
pub(super) fn of_trait(hashes: &RandomState, subject: u64, sent: &Trait) -> (u64, Content) {
    let place = place_of_trait(hashes, subject, &sent.key);
    (place, Content::of(hashes.hash_one(&sent.value)))
}
