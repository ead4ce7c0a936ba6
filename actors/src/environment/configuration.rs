//! Which environments are configured, under which ids. Pure.
use std::collections::HashMap;
use std::sync::Arc;

use engine::KeyKind;

use super::options::{ConfiguredEnvironment, DocumentSource, EnvironmentOptions};
use super::ownership::{Foreign, foreign};
use crate::keys::{ById, EnvironmentId, EnvironmentKey, KeyTable};

/// The environments in the order of the configuration.
#[derive(Debug, Default)]
pub(super) struct Configuration {
    environments: Vec<ConfiguredEnvironment>,
    /// Where each of them stands in that order.
    places: ById<usize>,
    /// The first environment with each client-side key.
    by_client_side_key: HashMap<EnvironmentKey, EnvironmentId>,
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
        for ConfiguredEnvironment { id, options } in &configuration.environments {
            let is_known = self.added.contains(id) || self.moved.contains(id);
            if options.source == DocumentSource::Upstream && !is_known {
                self.moved.push(*id);
            }
        }
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
        let mut before: Vec<Option<ConfiguredEnvironment>> = std::mem::take(&mut self.environments)
            .into_iter()
            .map(Some)
            .collect();
        let mut matched: Vec<Option<ConfiguredEnvironment>> = list.iter().map(|_| None).collect();
        for is_same in [has_same_client_side_key, has_same_source] {
            for (options, matched) in list.iter().zip(&mut matched) {
                if matched.is_none() {
                    *matched = take_first(&mut before, |known| is_same(&known.options, options));
                }
            }
        }
        let mut changes = Changes {
            removed: before.into_iter().flatten().map(|known| known.id).collect(),
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
        for (place, ConfiguredEnvironment { id, options }) in self.environments.iter().enumerate() {
            self.places.insert(*id, place);
            let key = options.client_side_key.clone();
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

fn take_first(
    known: &mut [Option<ConfiguredEnvironment>],
    is_it: impl Fn(&ConfiguredEnvironment) -> bool,
) -> Option<ConfiguredEnvironment> {
    known
        .iter_mut()
        .find(|known| known.as_ref().is_some_and(&is_it))
        .and_then(Option::take)
}

fn has_same_client_side_key(known: &EnvironmentOptions, options: &EnvironmentOptions) -> bool {
    known.client_side_key == options.client_side_key
}

fn has_same_source(known: &EnvironmentOptions, options: &EnvironmentOptions) -> bool {
    let is_known = |key: &EnvironmentKey| known.server_side_keys.contains(key);
    match (&known.source, &options.source) {
        (DocumentSource::File(known), DocumentSource::File(path)) => known == path,
        _ => options.server_side_keys.iter().any(is_known),
    }
}

/// Whether documents come from the same place, asked for with the same keys. A file is read without any.
fn is_fetched_alike(known: &EnvironmentOptions, options: &EnvironmentOptions) -> bool {
    known.source == options.source
        && (known.server_side_keys == options.server_side_keys
            || matches!(options.source, DocumentSource::File(_)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn polled(client_side_key: &str, server_side_keys: &[&str]) -> EnvironmentOptions {
        EnvironmentOptions {
            client_side_key: EnvironmentKey::new(client_side_key),
            server_side_keys: server_side_keys
                .iter()
                .map(|key| EnvironmentKey::new(*key))
                .collect(),
            source: DocumentSource::Upstream,
            fallback: None,
        }
    }

    fn from_file(client_side_key: &str, path: &str) -> EnvironmentOptions {
        EnvironmentOptions {
            source: DocumentSource::File(path.into()),
            ..polled(client_side_key, &[])
        }
    }

    fn ids(configuration: &Configuration) -> Vec<String> {
        let environments = configuration.environments().iter();
        environments
            .map(|environment| environment.id.to_string())
            .collect()
    }

    /// Replaces, and shows what was added, moved and removed.
    fn replace(configuration: &mut Configuration, list: Vec<EnvironmentOptions>) -> [Vec<String>; 3] {
        let Changes {
            added,
            moved,
            removed,
        } = configuration.replace(list);
        [added, moved, removed].map(|ids| ids.iter().map(ToString::to_string).collect())
    }

    fn none() -> Vec<String> {
        Vec::new()
    }

    #[test]
    fn an_environment_keeps_its_id_wherever_it_stands_and_no_id_comes_twice() {
        let mut configuration = Configuration::default();
        let (a, b, c) = (
            polled("a", &["ser.a"]),
            polled("b", &["ser.b"]),
            polled("c", &["ser.c"]),
        );
        let first = replace(&mut configuration, vec![a.clone(), b.clone()]);
        assert_eq!(first, [vec!["1".to_owned(), "2".to_owned()], none(), none()]);
        let swapped = replace(&mut configuration, vec![c.clone(), b.clone(), a.clone()]);
        assert_eq!(swapped, [vec!["3".to_owned()], none(), none()]);
        assert_eq!(ids(&configuration), ["3", "2", "1"]);
        let shorter = replace(&mut configuration, vec![a.clone()]);
        assert_eq!(shorter, [none(), none(), vec!["3".to_owned(), "2".to_owned()]]);
        let again = replace(&mut configuration, vec![b, a, c]);
        assert_eq!(again, [vec!["4".to_owned(), "5".to_owned()], none(), none()]);
        assert_eq!(ids(&configuration), ["4", "1", "5"]);
        assert_eq!(replace(&mut configuration, Vec::new())[2].len(), 3);
    }

    #[test]
    fn other_keys_or_another_source_move_an_environment() {
        let mut configuration = Configuration::default();
        replace(&mut configuration, vec![polled("a", &["ser.a"])]);
        for (options, is_moved) in [
            (polled("a", &["ser.a", "ser.next"]), true),
            (polled("a", &["ser.a", "ser.next"]), false),
            // A corrected client-side key opens the same documents.
            (polled("corrected", &["ser.next", "ser.a"]), true),
            (polled("again", &["ser.next", "ser.a"]), false),
            (from_file("again", "document.json"), true),
            (from_file("by file", "document.json"), false),
            (from_file("by file", "other.json"), true),
            (polled("by file", &["ser.new"]), true),
        ] {
            let [added, moved, removed] = replace(&mut configuration, vec![options.clone()]);
            assert_eq!((added, removed), (none(), none()), "{options:?}");
            assert_eq!(moved.len(), usize::from(is_moved), "{options:?}");
        }
        assert_eq!(ids(&configuration), ["1"]);
        let [added, _, removed] = replace(&mut configuration, vec![polled("other", &["ser.other"])]);
        assert_eq!((added, removed), (vec!["2".to_owned()], vec!["1".to_owned()]));
    }

    #[test]
    fn another_upstream_moves_what_is_polled_and_stays() {
        let mut configuration = Configuration::default();
        let first = vec![
            polled("a", &["ser.a"]),
            polled("b", &["ser.b"]),
            from_file("c", "c.json"),
        ];
        configuration.replace(first);
        let rotated = polled("b", &["ser.rotated"]);
        let list = vec![
            polled("a", &["ser.a"]),
            rotated,
            from_file("c", "c.json"),
            polled("d", &["ser.d"]),
        ];
        let mut changes = configuration.replace(list);
        changes.move_polled(&configuration);
        let ids: Vec<_> = changes.moved.iter().map(ToString::to_string).collect();
        assert_eq!(
            ids,
            ["2", "1"],
            "each once, no file, and none that is fetched anyway"
        );
    }

    #[test]
    fn the_client_side_key_says_which_environment_it_is() {
        let mut configuration = Configuration::default();
        replace(
            &mut configuration,
            vec![polled("a", &["ser.1"]), polled("b", &["ser.2"])],
        );
        // The pairs' server-side keys were mixed up.
        let [added, moved, removed] = replace(
            &mut configuration,
            vec![polled("b", &["ser.1"]), polled("a", &["ser.2"])],
        );
        assert_eq!((added, removed), (none(), none()));
        assert_eq!(moved, ["2", "1"]);
        assert_eq!(ids(&configuration), ["2", "1"]);
    }

    #[test]
    fn whose_a_document_is_follows_the_configuration() {
        let mut configuration = Configuration::default();
        let (a, b) = (polled("a", &["ser.a"]), polled("b", &["ser.b"]));
        let ids = configuration.replace(vec![a.clone(), b.clone(), a]).added;
        let told = |configuration: &Configuration, id: usize, named: &str| {
            let foreign = configuration.foreign(ids[id], named);
            foreign.map(|foreign| foreign.to_string())
        };
        let told_of_a = told(&configuration, 1, "a").unwrap();
        assert!(told_of_a.contains("that of environment 1,"), "{told_of_a}");
        assert_eq!(told(&configuration, 1, "b"), None);
        configuration.replace(vec![polled("c", &["ser.c"]), b]);
        assert!(
            told(&configuration, 1, "c")
                .unwrap()
                .contains("that of environment 4,")
        );
        let told_of_a = told(&configuration, 1, "a").unwrap();
        assert!(!told_of_a.contains("that of"), "{told_of_a}");
        assert_eq!(told(&configuration, 0, "b"), None, "it is configured no longer");
    }

    #[test]
    fn a_key_that_is_given_twice_opens_the_first() {
        let mut configuration = Configuration::default();
        let twice = polled("a", &["ser.a"]);
        let changes = configuration.replace(vec![twice.clone(), twice]);
        assert_eq!(changes.added.len(), 2);
        let first = changes.added.first().copied();
        let opened = configuration.key_table().resolve(b"ser.a");
        assert_eq!(opened.map(|(id, _)| id), first);
        assert!(
            configuration
                .options(EnvironmentId::after(changes.added.last().copied()))
                .is_none()
        );
    }
}
