//! What is published: immutable snapshots of all environments, with their ready bodies.
use std::sync::Arc;

use awc::http::header::HeaderValue;
use bytes::Bytes;
use engine::{Environment, KeyKind, UpdatedAt};

use crate::keys::KeyTable;

/// A body made once, when its document is applied, in the forms that clients accept.
#[derive(Debug)]
pub struct ReadyBody {
    /// Uncompressed.
    pub plain: Bytes,
    /// gzip, where it pays.
    pub gzip: Option<Bytes>,
    /// The strong entity tag's opaque part, without quotes: `h`; encodings append `-gzip`, `-br`, `-zstd`.
    pub etag: String,
}

/// One environment as it is served: the compiled document and what is answered from it ready-made.
#[derive(Debug)]
pub struct ServedEnvironment {
    /// The compiled document.
    pub environment: Environment,
    /// The served `updated_at`: header, event and document field.
    pub updated_at: UpdatedAt,
    /// The value of `X-Flagsmith-Document-Updated-At`.
    pub updated_at_header: HeaderValue,
    /// The value of `Last-Modified`.
    pub last_modified: HeaderValue,
    /// The served environment document.
    pub document: ReadyBody,
    client_flags: ReadyBody,
    server_flags: ReadyBody,
}

impl ServedEnvironment {
    /// The body of `flags/` for a kind of key.
    pub fn flags(&self, kind: KeyKind) -> &ReadyBody {
        match kind {
            KeyKind::Client => &self.client_flags,
            KeyKind::Server => &self.server_flags,
        }
    }
}

/// All environments at one moment; a replica holds one.
#[derive(Debug)]
pub struct Snapshot {
    /// Grows with every publish.
    pub version: u64,
    /// By [`EnvironmentIndex`](crate::keys::EnvironmentIndex); `None`: no document yet.
    pub environments: Vec<Option<Arc<ServedEnvironment>>>,
    /// Who may ask for which.
    pub keys: Arc<KeyTable>,
}
