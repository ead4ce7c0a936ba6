//! What the store has of one environment, and what it is to have; pure.
use engine::{ContentDigest, UpdatedAt};

use super::options::{DocumentSource, EnvironmentOptions};
use super::source::Client;
use super::state::EnvironmentState;
use super::versions::Record;
use crate::keys::KeyDigest;
use crate::served::ServedEnvironment;
use crate::store::{SourceDigest, Stored};

/// What is stored of one environment.
#[derive(Debug)]
pub(super) struct Keeping {
    /// `None`: it has a file of its own.
    environment: Option<KeyDigest>,
    source: SourceDigest,
    /// What the store was given last.
    kept: Option<Kept>,
}

/// Everything that a restart must know, the document by its digest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Kept {
    record: Record<ContentDigest>,
    told: Option<UpdatedAt>,
}

impl Keeping {
    pub(super) fn new(options: &EnvironmentOptions, client: &Client) -> Self {
        Self {
            environment: stored_as(options),
            source: client.digest(&options.server_side_keys),
            kept: None,
        }
    }

    pub(super) fn environment(&self) -> Option<KeyDigest> {
        self.environment
    }

    /// From now on it is stored under the name of the key that `options` have; what is there by that name is another's, or older.
    /// Whether that is another name.
    pub(super) fn rename(&mut self, options: &EnvironmentOptions) -> bool {
        let environment = stored_as(options);
        let is_renamed = self.environment != environment;
        if is_renamed {
            self.environment = environment;
            self.kept = None;
        }
        is_renamed
    }

    pub(super) fn is_of(&self, source: SourceDigest) -> bool {
        self.source == source
    }

    /// The store has given this, and it is what `state` has.
    pub(super) fn restored(&mut self, state: &EnvironmentState<ContentDigest>, stored: &Stored) {
        // That of another source is stored anew once this one has confirmed it, and that under another name at once.
        let is_all_there = self.is_of(stored.source) && self.environment == Some(stored.environment);
        self.kept = state.record().filter(|_| is_all_there).map(|record| Kept {
            record,
            told: stored.told,
        });
    }

    /// What the store is to be given now, where that is news.
    pub(super) fn next(
        &mut self,
        state: &EnvironmentState<ContentDigest>,
        served: &ServedEnvironment,
    ) -> Option<Stored> {
        let (environment, record, told) = (self.environment?, state.record()?, state.told());
        let kept = Some(Kept { record, told });
        // Where the numbers differ, the document is being made that has the new one; it comes by here, too.
        if record.served != served.updated_at || self.kept == kept {
            return None;
        }
        self.kept = kept;
        Some(Stored {
            environment,
            source: self.source,
            served: record.served,
            upstream: record.upstream,
            told,
            is_unsettled: record.is_unsettled,
            is_date_exact: served.is_date_exact,
            document: served.document.plain.clone(),
        })
    }
}

/// Whose documents the store has of an environment with these options.
fn stored_as(options: &EnvironmentOptions) -> Option<KeyDigest> {
    let is_stored = options.source == DocumentSource::Upstream;
    is_stored.then(|| KeyDigest::of(&options.client_side_key))
}
