//! Which environment of a new list is which of the list before; in steps that grow with their number.
use std::collections::{HashMap, VecDeque};
use std::hash::Hash;
use std::path::Path;

use super::{ConfiguredEnvironment, DocumentSource, EnvironmentOptions};
use crate::keys::{EnvironmentId, EnvironmentKey};

/// Finds for each of `list` the environment that it was, and what is in the list no more.
///
/// It is the same environment where its client-side key is: in Flagsmith that key is the environment's own and does not
/// change. Else where it shares a server-side key, or reads the same file: then the client-side key was corrected. Where there are
/// several it is the first that is no other's.
pub(super) fn matched(
    before: Vec<ConfiguredEnvironment>,
    list: &[EnvironmentOptions],
) -> (Vec<Option<ConfiguredEnvironment>>, Vec<EnvironmentId>) {
    let mut places: Vec<_> = Vec::with_capacity(list.len());
    let mut free = vec![true; before.len()];
    {
        let mut by_client_side_key = Places::default();
        for (place, known) in before.iter().enumerate() {
            by_client_side_key.add(&known.options.client_side_key, place);
        }
        for options in list {
            let place = by_client_side_key.first(&options.client_side_key, &free);
            take(&mut free, place);
            places.push(place);
        }
        let mut by_source = BySource::of(&before);
        for (options, place) in list.iter().zip(&mut places) {
            if place.is_none() {
                *place = by_source.first(options, &free);
                take(&mut free, *place);
            }
        }
    }
    let mut before: Vec<_> = before.into_iter().map(Some).collect();
    let matched = places.into_iter().map(|place| before.get_mut(place?)?.take());
    let matched = matched.collect();
    let removed = before.into_iter().flatten().map(|known| known.id).collect();
    (matched, removed)
}

fn take(free: &mut [bool], place: Option<usize>) {
    if let Some(free) = place.and_then(|place| free.get_mut(place)) {
        *free = false;
    }
}

/// Where each of these stands in the list before, in its order.
struct Places<K>(HashMap<K, VecDeque<usize>>);

impl<K> Default for Places<K> {
    fn default() -> Self {
        Self(HashMap::new())
    }
}

impl<K: Eq + Hash> Places<K> {
    fn add(&mut self, key: K, place: usize) {
        self.0.entry(key).or_default().push_back(place);
    }

    /// The first of them that is free; forgets those before it.
    fn first(&mut self, key: K, free: &[bool]) -> Option<usize> {
        let places = self.0.get_mut(&key)?;
        while let Some(place) = places.front() {
            if free.get(*place).is_some_and(|is_free| *is_free) {
                return Some(*place);
            }
            places.pop_front();
        }
        None
    }
}

/// Where each source stands.
struct BySource<'b> {
    /// Polled environments, by their keys.
    polled: Places<&'b EnvironmentKey>,
    /// Environments that read files, by their keys.
    with_files: Places<&'b EnvironmentKey>,
    files: Places<&'b Path>,
}

impl<'b> BySource<'b> {
    fn of(before: &'b [ConfiguredEnvironment]) -> Self {
        let mut all = Self {
            polled: Places::default(),
            with_files: Places::default(),
            files: Places::default(),
        };
        for (place, known) in before.iter().enumerate() {
            let keyed = match &known.options.source {
                DocumentSource::Upstream => &mut all.polled,
                DocumentSource::File(path) => {
                    all.files.add(path, place);
                    &mut all.with_files
                }
            };
            for key in &known.options.server_side_keys {
                keyed.add(key, place);
            }
        }
        all
    }

    /// Keys say which environment it is, but between two files.
    fn first(&mut self, options: &'b EnvironmentOptions, free: &[bool]) -> Option<usize> {
        let mut firsts = Vec::new();
        let is_polled = options.source == DocumentSource::Upstream;
        if let DocumentSource::File(path) = &options.source {
            firsts.extend(self.files.first(path, free));
        }
        for key in &options.server_side_keys {
            firsts.extend(self.polled.first(key, free));
            if is_polled {
                firsts.extend(self.with_files.first(key, free));
            }
        }
        firsts.into_iter().min()
    }
}
