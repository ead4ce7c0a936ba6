//! What an environment holds now, for a file.
use std::path::Path;

use engine::{Document, Environment, UpdatedAt};
use tokio::task::spawn_blocking;

use super::apply::{read, refused};
use super::events::Moment;
use super::loading::read_fallback;
use super::source::of_file;
use crate::keys::{EnvironmentKey, KeyDigest};
use crate::store::read_stored;
use crate::upstream::{FetchFailure, FetchOutcome, Upstream};

/// An environment document, all pages in one.
#[derive(Clone, PartialEq, Eq)]
pub struct DocumentSnapshot {
    /// The environment's name.
    pub name: String,
    /// Its id, as JSON text.
    pub id: String,
    /// When it last changed, by the document; the present time where that says nothing.
    pub updated_at: UpdatedAt,
    /// The document. It holds keys and identifiers.
    pub json: Vec<u8>,
}

impl std::fmt::Debug for DocumentSnapshot {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DocumentSnapshot")
            .field("name", &self.name)
            .field("bytes", &self.json.len())
            .finish_non_exhaustive()
    }
}

impl DocumentSnapshot {
    /// Fetches the document with the first of these keys that upstream takes, and checks that it can be served, on a thread for
    /// blocking work: other fetches may be going on. Needs a running tokio runtime.
    ///
    /// # Errors
    /// Where upstream gives no document, or none that can be served.
    pub async fn fetch(
        upstream: &Upstream,
        server_side_keys: &[EnvironmentKey],
    ) -> Result<Self, FetchFailure> {
        let mut failure = FetchFailure::UnusableKey;
        for key in server_side_keys {
            match upstream.fetch(key, None).await {
                FetchOutcome::Document { pages, memory, .. } => {
                    let made = spawn_blocking(move || {
                        let _claimed = memory;
                        Self::of(&read(pages)?)
                    });
                    return made.await.unwrap_or(Err(FetchFailure::Apply));
                }
                // Nobody asked for it.
                FetchOutcome::NotModified { .. } => return Err(FetchFailure::Status(304)),
                FetchOutcome::Failure(
                    rejected @ (FetchFailure::KeyRejected(..) | FetchFailure::UnusableKey),
                ) => {
                    failure = rejected;
                }
                FetchOutcome::Failure(failure) => return Err(failure),
            }
        }
        Err(failure)
    }

    /// Reads the document of a file, and checks that it can be served. Blocks.
    ///
    /// # Errors
    /// Where the file cannot be read, or its document cannot be served.
    pub fn read_file(path: &Path) -> Result<Self, FetchFailure> {
        let document = read_fallback(path).and_then(|document| read(vec![document]));
        document.and_then(|document| Self::of(&document)).map_err(of_file)
    }

    /// Reads the document that a process has stored in this directory for the environment of this client-side key; `None`: there
    /// is none that can be served. Nothing is changed there. Blocks.
    pub fn read_stored(directory: &Path, client_side_key: &EnvironmentKey) -> Option<Self> {
        let stored = read_stored(directory, KeyDigest::of(client_side_key))?;
        let document = read(vec![stored.document]).ok()?;
        Self::of(&document).ok()
    }

    fn of(document: &Document) -> Result<Self, FetchFailure> {
        let (environment, _) = Environment::compile(document).map_err(refused)?;
        let updated_at = document
            .updated_at()
            .unwrap_or_else(|| Moment::now().updated_at());
        Ok(Self {
            name: environment.name().to_owned(),
            id: environment.id().to_owned(),
            updated_at,
            json: document.to_json(updated_at),
        })
    }
}
