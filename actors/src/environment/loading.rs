//! Documents that no fetch gave: what was stored before the start, and fallback documents.
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use engine::{ContentDigest, Document, Environment, UpdatedAt, Warning};

use super::apply::{read, refused};
use super::events::Moment;
use super::file::{FileOutcome, FileSource};
use super::source::of_file;
use super::versions::{Record, Versions};
use crate::served::ServedEnvironment;
use crate::store::Stored;
use crate::upstream::FetchFailure;

/// What is to be read and compiled.
pub(super) enum Loading {
    /// What was stored.
    Stored {
        stored: Stored,
        /// Whether the source that gave it is asked from now on: its numbers hold for that one.
        is_of_this_source: bool,
    },
    /// A fallback document.
    Fallback {
        document: Bytes,
        /// The number that is served until now.
        served: Option<UpdatedAt>,
    },
}

/// What came of it.
pub(super) struct Loaded {
    pub(super) versions: Versions<ContentDigest>,
    pub(super) served: Arc<ServedEnvironment>,
    pub(super) warnings: Vec<Warning>,
}

impl Loading {
    /// Of the document.
    pub(super) fn bytes(&self) -> usize {
        match self {
            Self::Stored { stored, .. } => stored.document.len(),
            Self::Fallback { document, .. } => document.len(),
        }
    }

    /// Takes its time.
    pub(super) fn load(self) -> Result<Loaded, FetchFailure> {
        match self {
            Self::Stored {
                stored,
                is_of_this_source,
            } => load_stored(stored, is_of_this_source),
            Self::Fallback { document, served } => {
                let document = read(vec![document])?;
                let (content, own) = (document.content(), document.updated_at());
                let versions = Versions::fallback(content, own, served, Moment::now().updated_at());
                loaded(&document, versions, true)
            }
        }
    }
}

fn load_stored(stored: Stored, is_of_this_source: bool) -> Result<Loaded, FetchFailure> {
    let Stored {
        served,
        upstream,
        is_unsettled,
        is_date_exact,
        document,
        ..
    } = stored;
    let document = read(vec![document])?;
    let versions = Versions::of_record(Record {
        content: document.content(),
        upstream: upstream.filter(|_| is_of_this_source),
        served,
        is_unsettled,
    });
    loaded(&document, versions, is_date_exact)
}

fn loaded(
    document: &Document,
    versions: Versions<ContentDigest>,
    is_date_exact: bool,
) -> Result<Loaded, FetchFailure> {
    let (environment, warnings) = Environment::compile(document).map_err(refused)?;
    let record = versions.record().ok_or(FetchFailure::Apply)?;
    let mut served = ServedEnvironment::new(document, environment, record.served, None);
    served.is_date_exact = is_date_exact;
    Ok(Loaded {
        versions,
        served: Arc::new(served),
        warnings,
    })
}

/// Reads a fallback document's file. Blocks.
pub(super) fn read_fallback(path: &Path) -> Result<Bytes, FetchFailure> {
    match FileSource::new(path.to_owned()).look(true)? {
        FileOutcome::Changed(document) => Ok(document),
        // A first look finds a change.
        FileOutcome::Unchanged => Err(FetchFailure::Apply),
    }
}

/// What is wrong with a fallback document, in words that follow its name.
pub(super) fn fallback_problem(failure: FetchFailure) -> String {
    match of_file(failure) {
        FetchFailure::File(why) => format!("cannot be used ({why})"),
        other => format!("cannot be used ({other})"),
    }
}

/// Checks that a file can serve as a `document_path` or a `fallback_document_path`. Blocks.
///
/// # Errors
/// Where it cannot: why, in words that follow its name.
pub fn check_document(path: &Path) -> Result<(), String> {
    let loaded = read_fallback(path).and_then(|document| {
        let loading = Loading::Fallback {
            document,
            served: None,
        };
        loading.load()
    });
    loaded.map(drop).map_err(fallback_problem)
}

#[cfg(test)]
mod tests {
    use engine::KeyKind;
    use test_support::documents::FIXTURE;

    use super::*;
    use crate::keys::{EnvironmentKey, KeyDigest};
    use crate::store::SourceDigest;

    fn stored(served: &ServedEnvironment, is_unsettled: bool) -> Stored {
        Stored {
            environment: KeyDigest::of(&EnvironmentKey::new("client-key")),
            source: SourceDigest::of("http://a", &[]),
            served: served.updated_at,
            upstream: Some(UpdatedAt::from_micros(5)),
            told: None,
            is_unsettled,
            is_date_exact: false,
            document: served.document.plain.clone(),
        }
    }

    #[test]
    fn a_restart_changes_no_answer_and_no_tag() {
        let pages = vec![
            Bytes::from(FIXTURE),
            Bytes::from_static(br#"{"identity_overrides":[]}"#),
        ];
        let document = read(pages).unwrap();
        let (environment, _) = Environment::compile(&document).unwrap();
        let number = UpdatedAt::from_micros(1_735_229_888_760_001);
        let before = ServedEnvironment::new(&document, environment, number, None);
        for is_of_this_source in [true, false] {
            let loading = Loading::Stored {
                stored: stored(&before, true),
                is_of_this_source,
            };
            let Loaded { versions, served, .. } = loading.load().unwrap();
            for kind in [KeyKind::Client, KeyKind::Server] {
                assert_eq!(served.flags(kind).etag, before.flags(kind).etag);
                assert_eq!(served.flags(kind).plain, before.flags(kind).plain);
            }
            assert_eq!(served.document.plain, before.document.plain);
            assert_eq!(served.document.etag, before.document.etag);
            assert_eq!(served.updated_at_header, before.updated_at_header);
            assert_eq!(served.last_modified, before.last_modified);
            assert!(!served.is_date_exact);
            let expected = Record {
                content: document.content(),
                upstream: is_of_this_source.then_some(UpdatedAt::from_micros(5)),
                served: number,
                is_unsettled: true,
            };
            assert_eq!(versions.record(), Some(expected));
        }
    }

    #[test]
    fn a_document_is_checked_as_it_will_be_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("seed.json");
        let problem = check_document(&path).unwrap_err();
        assert!(problem.starts_with("cannot be used (No such file"), "{problem}");
        for (content, says) in [("{", "it is not JSON"), ("{}", "it is no environment document")] {
            std::fs::write(&path, content).unwrap();
            let problem = check_document(&path).unwrap_err();
            assert!(problem.contains(says), "{problem}");
        }
        std::fs::write(&path, FIXTURE).unwrap();
        assert_eq!(check_document(&path), Ok(()));
    }
}
