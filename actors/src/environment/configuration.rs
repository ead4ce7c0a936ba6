//! Which environments are configured, under which ids. Pure.
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use engine::KeyKind;

use super::options::{ConfiguredEnvironment, DocumentSource, EnvironmentOptions};
use super::ownership::{Foreign, foreign};
use crate::keys::{ById, EnvironmentId, EnvironmentKey, KeyDigest, KeyTable};

mod matching;

/// The environments in the order of the configuration.
#[derive(Debug, Default)]
pub(super) struct Configuration {
    environments: Vec<ConfiguredEnvironment>,
    /// Where each of them stands in that order.
    places: ById<usize>,
    /// The first environment with each client-side key.
    by_client_side_key: HashMap<EnvironmentKey, EnvironmentId>,
    /// The same, by what the store calls it.
    by_digest: HashMap<KeyDigest, EnvironmentId>,
    /// The newest id that was given.
    last: Option<EnvironmentId>,
}

/// What a new list of environments changes.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Changes {
    /// Environments that were not configured before.
    pub(super) added: Vec<EnvironmentId>,
    /// Environments whose documents are fetched with other keys or from elsewhere than before.
    pub(super) moved: Vec<EnvironmentId>,
    /// Environments that are configured no longer.
    pub(super) removed: Vec<EnvironmentId>,
}

impl Changes {
    /// Counts every environment that is polled, and was before, among those that are fetched from elsewhere.
    pub(super) fn move_polled(&mut self, configuration: &Configuration) {
        let known: HashSet<_> = self.added.iter().chain(&self.moved).copied().collect();
        let environments = configuration.environments.iter();
        let moved = environments
            .filter(|each| each.options.source == DocumentSource::Upstream && !known.contains(&each.id));
        self.moved.extend(moved.map(|each| each.id));
    }
}

impl Configuration {
    /// The environments in force, in order.
    pub(super) fn environments(&self) -> &[ConfiguredEnvironment] {
        &self.environments
    }

    /// What one environment is configured to.
    pub(super) fn options(&self, id: EnvironmentId) -> Option<&EnvironmentOptions> {
        let environment = self.environments.get(*self.places.get(&id)?)?;
        Some(&environment.options)
    }

    /// The environment that the store calls so.
    pub(super) fn stored_as(&self, environment: KeyDigest) -> Option<EnvironmentId> {
        self.by_digest.get(&environment).copied()
    }

    /// Finds out whether a document that names this client-side key is another environment's than this one's.
    pub(super) fn foreign(&self, id: EnvironmentId, named: &str) -> Option<Foreign> {
        foreign(self.options(id)?, named, |named| {
            let of = self.by_client_side_key.get(&EnvironmentKey::new(named))?;
            Some(format!("environment {of}"))
        })
    }

    /// Puts a new list in force. An environment of the list that was configured before keeps its id.
    ///
    /// It is the same environment where its client-side key is: in Flagsmith that key is the environment's own and does not
    /// change. Else where it shares a server-side key, or reads the same file: then the client-side key was corrected.
    pub(super) fn replace(&mut self, list: Vec<EnvironmentOptions>) -> Changes {
        let (matched, removed) = matching::matched(std::mem::take(&mut self.environments), &list);
        let mut changes = Changes {
            removed,
            ..Changes::default()
        };
        for (options, known) in list.into_iter().zip(matched) {
            let id = match known {
                Some(known) => {
                    if !is_fetched_alike(&known.options, &options) {
                        changes.moved.push(known.id);
                    }
                    known.id
                }
                None => {
                    let id = EnvironmentId::after(self.last);
                    self.last = Some(id);
                    changes.added.push(id);
                    id
                }
            };
            self.environments.push(ConfiguredEnvironment { id, options });
        }
        self.index();
        changes
    }

    fn index(&mut self) {
        self.places.clear();
        self.by_client_side_key.clear();
        self.by_digest.clear();
        for (place, ConfiguredEnvironment { id, options }) in self.environments.iter().enumerate() {
            self.places.insert(*id, place);
            let key = options.client_side_key.clone();
            self.by_digest.entry(KeyDigest::of(&key)).or_insert(*id);
            self.by_client_side_key.entry(key).or_insert(*id);
        }
    }

    /// What each key opens; of a key that is given twice, the first environment.
    pub(super) fn key_table(&self) -> Arc<KeyTable> {
        let mut table = KeyTable::default();
        for (place, ConfiguredEnvironment { id, options }) in self.environments.iter().enumerate() {
            let client_side = std::iter::once((&options.client_side_key, KeyKind::Client));
            let server_side = options.server_side_keys.iter().map(|key| (key, KeyKind::Server));
            for (key, kind) in client_side.chain(server_side) {
                if !table.insert(key, *id, kind) {
                    log::warn!(
                        "key pair {}: one of its keys was given before and opens the earlier pair's environment; \
                         give every key once",
                        place + 1
                    );
                }
            }
        }
        Arc::new(table)
    }
}

/// Whether documents come from the same place, asked for with the same keys. A file is read without any.
fn is_fetched_alike(known: &EnvironmentOptions, options: &EnvironmentOptions) -> bool {
    known.source == options.source
        && (known.server_side_keys == options.server_side_keys
            || matches!(options.source, DocumentSource::File(_)))
}

#[cfg(test)]
mod tests;
