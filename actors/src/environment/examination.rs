//! What environments' sources give, for those who look for a fault. It is asked and read as the EnvironmentActor does it, within the
//! same bounds, and nothing is served of it.
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use engine::{Environment, UpdatedAt, Warning};

use super::apply::{Workshop, read, refused};
use super::file::{FileOutcome, FileSource};
use super::options::EnvironmentOptions;
use super::ownership::{Foreign, Places};
use super::source::of_file;
use crate::upstream::{DocumentMemory, FetchFailure, FetchOutcome, Upstream};

/// Looks at the sources of a configuration's environments.
#[derive(Debug, Clone)]
pub struct Examiner {
    workshop: Workshop,
    environments: Arc<[EnvironmentOptions]>,
}

/// What an environment document is like.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DocumentReport {
    /// The environment's name.
    pub name: String,
    /// Its id, as JSON text.
    pub id: String,
    /// When it last changed, as the document says.
    pub updated_at: Option<UpdatedAt>,
    /// Its size, all pages together.
    pub bytes: usize,
    /// How many pages it came in.
    pub pages: usize,
    /// How many identities have overrides.
    pub identity_overrides: usize,
    /// Whether upstream puts overrides into documents; `None`: it does not say.
    pub gives_identity_overrides: Option<bool>,
    /// Whether Flagsmith's realtime service tells of changes; `None`: the document does not say.
    pub has_realtime_updates: Option<bool>,
    /// Whether the organisation has stopped serving flags.
    pub stops_serving_flags: bool,
    /// What of it is not understood.
    pub warnings: Vec<Warning>,
    /// Whether it is another environment's.
    pub foreign: Option<Foreign>,
}

/// What upstream gives for an environment.
#[derive(Debug, Clone)]
pub struct PolledReport {
    /// The server-side keys that upstream does not take, by their place from 0, and why.
    pub refused: Vec<(usize, FetchFailure)>,
    /// How long the fetch took that gave the document, or ended in something else than a refused key.
    pub took: Duration,
    /// The document, by the first key that upstream takes.
    pub document: Result<DocumentReport, FetchFailure>,
}

impl Examiner {
    /// For these environments; `memory`: what their documents may take together meanwhile.
    pub fn new(environments: &[EnvironmentOptions], memory: DocumentMemory) -> Self {
        Self {
            workshop: Workshop::new(memory, std::sync::Arc::default()),
            environments: environments.into(),
        }
    }

    /// Fetches the document of the environment at this place, from 0, and asks about the keys that were not needed for it.
    pub async fn polled(&self, place: usize, upstream: &Upstream) -> PolledReport {
        let mut report = PolledReport {
            refused: Vec::new(),
            took: Duration::ZERO,
            document: Err(FetchFailure::UnusableKey),
        };
        let Some(environment) = self.environments.get(place) else {
            return report;
        };
        let mut keys = environment.server_side_keys.iter().enumerate();
        for (number, key) in keys.by_ref() {
            let begun = Instant::now();
            let outcome = upstream.fetch(key, None).await;
            report.took = begun.elapsed();
            report.document = match outcome {
                FetchOutcome::Document { pages, memory, .. } => {
                    let bytes = pages.iter().map(Bytes::len).sum();
                    let examine = self.examine(place, pages);
                    self.workshop.compile(bytes, memory, examine).await
                }
                // Nobody asked for it.
                FetchOutcome::NotModified { .. } => Err(FetchFailure::Status(304)),
                FetchOutcome::Failure(failure) => Err(failure),
            };
            match &report.document {
                Err(failure) if is_of_key(failure) => report.refused.push((number, failure.clone())),
                _ => break,
            }
        }
        let updated_at = report
            .document
            .as_ref()
            .ok()
            .and_then(|document| document.updated_at);
        if let Some(updated_at) = updated_at {
            for (number, key) in keys {
                match upstream.fetch(key, Some(updated_at)).await {
                    FetchOutcome::Failure(failure) if is_of_key(&failure) => {
                        report.refused.push((number, failure));
                    }
                    _ => {}
                }
            }
        }
        report
    }

    /// Reads the document of the environment at this place, from 0, from a file.
    ///
    /// # Errors
    /// Where it cannot be used: why.
    pub async fn file(&self, place: usize, path: &Path) -> Result<DocumentReport, FetchFailure> {
        let mut file = FileSource::new(PathBuf::from(path));
        let looked = self.workshop.look(path, move || file.look(true)).await;
        let FileOutcome::Changed(bytes) = looked.unwrap_or(Err(FetchFailure::Apply))? else {
            // A first look finds a change.
            return Err(FetchFailure::Apply);
        };
        let length = bytes.len();
        let memory = self.workshop.claim(length).await?;
        let examine = self.examine(place, vec![bytes]);
        let examined = self.workshop.compile(length, memory, examine).await;
        examined.map_err(of_file)
    }

    fn examine(
        &self,
        place: usize,
        pages: Vec<Bytes>,
    ) -> impl FnOnce() -> Result<DocumentReport, FetchFailure> + Send + use<> {
        let environments = Arc::clone(&self.environments);
        move || examine(&environments, place, pages)
    }
}

fn is_of_key(failure: &FetchFailure) -> bool {
    matches!(failure, FetchFailure::KeyRejected(..) | FetchFailure::UnusableKey)
}

/// Takes its time.
fn examine(
    environments: &[EnvironmentOptions],
    place: usize,
    pages: Vec<Bytes>,
) -> Result<DocumentReport, FetchFailure> {
    let (bytes, count) = (pages.iter().map(Bytes::len).sum(), pages.len());
    let document = read(pages)?;
    let (environment, warnings) = Environment::compile(&document).map_err(refused)?;
    let named = document.client_side_key().unwrap_or_default();
    let own = environments.get(place);
    Ok(DocumentReport {
        name: environment.name().to_owned(),
        id: environment.id().to_owned(),
        updated_at: document.updated_at(),
        bytes,
        pages: count,
        identity_overrides: document.identity_override_count(),
        gives_identity_overrides: document.gives_identity_overrides(),
        has_realtime_updates: document.has_realtime_updates(),
        stops_serving_flags: environment.stops_serving_flags(),
        warnings,
        foreign: own.and_then(|own| Places::of(environments).foreign(own, &named)),
    })
}
