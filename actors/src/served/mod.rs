//! What is published: immutable snapshots of all environments, with their ready bodies.
//!
//! - [`ServedEnvironment`]: one compiled document and what is answered from it ready-made.
//! - [`ReadyBody`]: bytes, entity tags and compressed forms of one answer.
mod build;
mod encoding;
mod kept_encoders;
mod ready_body;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use awc::http::header::HeaderValue;
use engine::{Environment, KeyKind, UpdatedAt};

pub use encoding::Encoding;
pub use ready_body::ReadyBody;

use crate::keys::{ById, EnvironmentId, KeyTable};

/// One environment as it is served: the compiled document and what is answered from it ready-made.
#[derive(Debug)]
pub struct ServedEnvironment {
    /// The compiled document.
    pub environment: Arc<Environment>,
    /// The served `updated_at`: header, event and document field.
    pub updated_at: UpdatedAt,
    /// The value of `X-Flagsmith-Document-Updated-At`.
    pub updated_at_header: HeaderValue,
    /// The value of `Last-Modified`.
    pub last_modified: HeaderValue,
    /// Whether no other content was served under this `last_modified`, which has whole seconds: who holds that date
    /// then holds this content.
    pub is_date_exact: bool,
    /// The served environment document.
    pub document: Arc<ReadyBody>,
    client_flags: Arc<ReadyBody>,
    server_flags: Arc<ReadyBody>,
    client_flag_count: usize,
    server_flag_count: usize,
}

impl ServedEnvironment {
    /// The body of `flags/` for a kind of key.
    pub fn flags(&self, kind: KeyKind) -> &Arc<ReadyBody> {
        match kind {
            KeyKind::Client => &self.client_flags,
            KeyKind::Server => &self.server_flags,
        }
    }

    /// How many flags that body has.
    pub fn flag_count(&self, kind: KeyKind) -> usize {
        match kind {
            KeyKind::Client => self.client_flag_count,
            KeyKind::Server => self.server_flag_count,
        }
    }
}

/// All environments at one moment; a replica holds one.
#[derive(Debug)]
pub struct Snapshot {
    /// Grows with every publish.
    pub version: u64,
    /// Those that have a document.
    environments: ById<Arc<ServedEnvironment>>,
    /// Who may ask for which.
    pub keys: Arc<KeyTable>,
}

impl Snapshot {
    /// Before any document: version 0.
    pub fn empty(keys: Arc<KeyTable>) -> Self {
        Self {
            version: 0,
            environments: ById::default(),
            keys,
        }
    }

    /// The environment as it is served; `None` before its first document.
    pub fn environment(&self, id: EnvironmentId) -> Option<&Arc<ServedEnvironment>> {
        self.environments.get(&id)
    }

    /// The next snapshot, in which one environment is replaced.
    #[must_use]
    pub fn with(&self, id: EnvironmentId, served: Arc<ServedEnvironment>) -> Self {
        let mut environments = self.environments.clone();
        environments.insert(id, served);
        Self {
            version: self.version.saturating_add(1),
            environments,
            keys: Arc::clone(&self.keys),
        }
    }

    /// The next snapshot, with other keys and without the environments that `removed` names.
    #[must_use]
    pub fn configured(&self, keys: Arc<KeyTable>, removed: &[EnvironmentId]) -> Self {
        let mut environments = self.environments.clone();
        for id in removed {
            environments.remove(id);
        }
        Self {
            version: self.version.saturating_add(1),
            environments,
            keys,
        }
    }
}

/// The newest snapshot there is.
#[derive(Debug)]
pub(crate) struct Newest(Mutex<Arc<Snapshot>>);

impl Newest {
    pub(crate) fn new(snapshot: Snapshot) -> Self {
        Self(Mutex::new(Arc::new(snapshot)))
    }

    pub(crate) fn get(&self) -> Arc<Snapshot> {
        Arc::clone(&self.lock())
    }

    /// Gives the one before.
    pub(crate) fn replace(&self, newest: Arc<Snapshot>) -> Arc<Snapshot> {
        std::mem::replace(&mut self.lock(), newest)
    }

    fn lock(&self) -> MutexGuard<'_, Arc<Snapshot>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
