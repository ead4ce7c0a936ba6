//! Whose documents a key pair's source gives: they name their environment's client-side key, `api_key`.
//!
//! With two pairs' server-side keys mixed up, one environment's clients get the other's flags, and nothing else shows it.
//! SDKs that evaluate locally (Go, Python, Ruby) listen to the key that the document names.
use std::collections::HashMap;
use std::fmt;
use std::path::Path;

use super::apply::read;
use super::file::{FileOutcome, FileSource};
use super::options::{DocumentSource, EnvironmentOptions};

/// A source gives another environment's documents.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Foreign {
    /// What to call the environment that they are of, such as `environment 2`, where it is configured.
    of: Option<String>,
}

impl fmt::Display for Foreign {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.of {
            Some(of) => write!(
                f,
                "its document is that of {of}, whose client_side_key it names as api_key: the server-side keys or the \
                 document_path of the two pairs seem to be swapped"
            ),
            None => f.write_str(
                "its document is another environment's: the api_key in it is not the pair's client_side_key, so that \
                 clients with that key get the other one's flags, and SDKs that evaluate locally listen to a key that is \
                 unknown here; check the pair",
            ),
        }
    }
}

/// Finds out whether a document that names this client-side key is another environment's. One that names none is taken for
/// its own. `call`: what to call the configured environment with a client-side key.
pub(super) fn foreign(
    own: &EnvironmentOptions,
    named: &str,
    call: impl FnOnce(&str) -> Option<String>,
) -> Option<Foreign> {
    if named.is_empty() || named == own.client_side_key.reveal() {
        return None;
    }
    Some(Foreign { of: call(named) })
}

/// Where each client-side key stands in the list of key pairs, from 1.
pub(super) struct Places<'e>(HashMap<&'e str, usize>);

impl<'e> Places<'e> {
    pub(super) fn of(environments: &'e [EnvironmentOptions]) -> Self {
        let mut places = HashMap::new();
        for (place, pair) in (1..).zip(environments) {
            places.entry(pair.client_side_key.reveal()).or_insert(place);
        }
        Self(places)
    }

    /// As [`foreign`], with the environments called by their key pairs.
    pub(super) fn foreign(&self, own: &EnvironmentOptions, named: &str) -> Option<Foreign> {
        let call = |named: &str| Some(format!("key pair {}", self.0.get(named)?));
        foreign(own, named, call)
    }
}

/// A file of a key pair that holds another environment's document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ForeignFile {
    /// Of which key pair, from 1.
    pub place: usize,
    /// Whether it is the pair's fallback document.
    pub is_fallback: bool,
    /// Whose it is.
    pub foreign: Foreign,
}

impl fmt::Display for ForeignFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let of = if self.is_fallback {
            "fallback_document_path: "
        } else {
            ""
        };
        write!(f, "key pair {}: {of}{}", self.place, self.foreign)
    }
}

/// Reads the documents that are files, fallback documents among them, and gives those that are another environment's. What cannot be
/// read is left to those who serve it. Blocks.
pub fn foreign_files(environments: &[EnvironmentOptions]) -> Vec<ForeignFile> {
    let places = Places::of(environments);
    let mut found = Vec::new();
    for (place, own) in (1..).zip(environments) {
        let served = match &own.source {
            DocumentSource::File(path) => Some((path, false)),
            DocumentSource::Upstream => None,
        };
        let fallback = own.fallback.as_ref().map(|path| (path, true));
        for (path, is_fallback) in served.into_iter().chain(fallback) {
            let foreign = named_in(path).and_then(|named| places.foreign(own, &named));
            found.extend(foreign.map(|foreign| ForeignFile {
                place,
                is_fallback,
                foreign,
            }));
        }
    }
    found
}

/// The client-side key that the document of a file names.
fn named_in(path: &Path) -> Option<String> {
    let Ok(FileOutcome::Changed(bytes)) = FileSource::new(path.to_owned()).look(true) else {
        return None;
    };
    let document = read(vec![bytes]).ok()?;
    document.client_side_key().map(|key| key.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::EnvironmentKey;

    fn pair(client_side_key: &str) -> EnvironmentOptions {
        EnvironmentOptions {
            client_side_key: EnvironmentKey::new(client_side_key),
            server_side_keys: Vec::new(),
            source: DocumentSource::Upstream,
            fallback: None,
        }
    }

    #[test]
    fn a_document_is_its_pair_s_own_unless_it_names_another_key() {
        let own = pair("s3cret-own");
        let of = |named: &str| {
            let call = |named: &str| (named == "s3cret-other").then(|| "key pair 2".to_owned());
            foreign(&own, named, call).map(|foreign| foreign.to_string())
        };
        assert_eq!(of("s3cret-own"), None);
        assert_eq!(of(""), None);
        for (named, says) in [
            ("s3cret-other", "that of key pair 2"),
            ("s3cret-third", "another environment's"),
            ("S3CRET-OWN", "another environment's"),
        ] {
            let told = of(named).unwrap();
            assert!(told.contains(says), "{told}");
            assert!(!told.to_ascii_lowercase().contains("s3cret"), "{told}");
        }
    }
}
