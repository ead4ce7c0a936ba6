//! What environments' sources give, for those who look for a fault. It is asked and read as the EnvironmentActor does it, within the
//! same bounds, and nothing is served of it.
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use engine::{Document, Environment, UpdatedAt, Warning};
use tokio::time::timeout_at;

use super::apply::{Workshop, read, refused};
use super::file::{FileOutcome, FileSource};
use super::options::EnvironmentOptions;
use super::ownership::{Foreign, Places};
use super::source::of_file;
use crate::keys::EnvironmentKey;
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
    /// Further keys, which upstream takes as those of another environment.
    pub foreign: Vec<(usize, Foreign)>,
    /// Further keys of which it is not known whether upstream takes them: why the fetch failed, or `None` where no time was left.
    pub unknown: Vec<(usize, Option<FetchFailure>)>,
    /// How long the fetch took that gave the document, or ended in something else than a refused key.
    pub took: Duration,
    /// The document, by the first key that upstream takes.
    pub document: Result<DocumentReport, Unexamined>,
}

/// Why there is no report of a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unexamined {
    /// It cannot be had, or cannot be used.
    Failure(FetchFailure),
    /// It was there, and no time was left to read and compile it.
    NoTime,
}

impl From<FetchFailure> for Unexamined {
    fn from(failure: FetchFailure) -> Self {
        Self::Failure(failure)
    }
}

impl PolledReport {
    /// That there is no document.
    pub const fn without(failure: FetchFailure) -> Self {
        Self {
            refused: Vec::new(),
            foreign: Vec::new(),
            unknown: Vec::new(),
            took: Duration::ZERO,
            document: Err(Unexamined::Failure(failure)),
        }
    }
}

impl Examiner {
    /// For these environments; `memory`: what their documents may take together meanwhile.
    pub fn new(environments: &[EnvironmentOptions], memory: DocumentMemory) -> Self {
        Self {
            workshop: Workshop::new(memory, std::sync::Arc::default()),
            environments: environments.into(),
        }
    }

    /// Fetches the document of the environment at this place, from 0, and those of the keys that were not needed for it, for a
    /// further key may be another environment's, or not be taken. `until`: when what comes after the first fetch ends.
    pub async fn polled(
        &self,
        place: usize,
        upstream: &Upstream,
        until: tokio::time::Instant,
    ) -> PolledReport {
        let mut report = PolledReport::without(FetchFailure::UnusableKey);
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
                    let examined = self.workshop.compile(bytes, memory, examine);
                    in_time(until, examined).await
                }
                // Nobody asked for it.
                FetchOutcome::NotModified { .. } => Err(FetchFailure::Status(304).into()),
                FetchOutcome::Failure(failure) => Err(failure.into()),
            };
            match &report.document {
                Err(Unexamined::Failure(failure)) if is_of_key(failure) => {
                    report.refused.push((number, failure.clone()));
                }
                _ => break,
            }
        }
        for (number, key) in keys {
            // An upstream that fails one key fails the others, and a limit of its rate is not to be reached by looking for it.
            if let Err(Unexamined::Failure(failure)) = &report.document {
                report.unknown.push((number, Some(failure.clone())));
                continue;
            }
            let further = timeout_at(until, self.further(place, upstream, key)).await;
            match further {
                Ok(Ok(foreign)) => report.foreign.extend(foreign.map(|foreign| (number, foreign))),
                Ok(Err(failure)) if is_of_key(&failure) => report.refused.push((number, failure)),
                Ok(Err(failure)) => report.unknown.push((number, Some(failure))),
                Err(_) => report.unknown.push((number, None)),
            }
        }
        report
    }

    /// Whose document upstream gives for a further key.
    async fn further(
        &self,
        place: usize,
        upstream: &Upstream,
        key: &EnvironmentKey,
    ) -> Result<Option<Foreign>, FetchFailure> {
        let (pages, memory) = match upstream.fetch(key, None).await {
            FetchOutcome::Document { pages, memory, .. } => (pages, memory),
            FetchOutcome::NotModified { .. } => return Err(FetchFailure::Status(304)),
            FetchOutcome::Failure(failure) => return Err(failure),
        };
        let bytes = pages.iter().map(Bytes::len).sum();
        let environments = Arc::clone(&self.environments);
        let look = move || Ok(foreign(&environments, place, &read(pages)?));
        self.workshop.compile(bytes, memory, look).await
    }

    /// Reads the document of the environment at this place, from 0, from a file. `until`: when it ends once the file is read.
    ///
    /// # Errors
    /// Where it cannot be used: why.
    pub async fn file(
        &self,
        place: usize,
        path: &Path,
        until: tokio::time::Instant,
    ) -> Result<DocumentReport, Unexamined> {
        let mut file = FileSource::new(PathBuf::from(path));
        let looked = self.workshop.look(path, move || file.look(true)).await;
        let FileOutcome::Changed(bytes) = looked.unwrap_or(Err(FetchFailure::Apply))? else {
            // A first look finds a change.
            return Err(FetchFailure::Apply.into());
        };
        let length = bytes.len();
        let examined = async {
            let memory = self.workshop.claim(length).await?;
            let examine = self.examine(place, vec![bytes]);
            let examined = self.workshop.compile(length, memory, examine).await;
            examined.map_err(of_file)
        };
        in_time(until, examined).await
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

async fn in_time(
    until: tokio::time::Instant,
    examined: impl Future<Output = Result<DocumentReport, FetchFailure>>,
) -> Result<DocumentReport, Unexamined> {
    let examined = timeout_at(until, examined).await;
    examined
        .map_err(|_| Unexamined::NoTime)?
        .map_err(Unexamined::Failure)
}

fn foreign(environments: &[EnvironmentOptions], place: usize, document: &Document) -> Option<Foreign> {
    let named = document.client_side_key().unwrap_or_default();
    Places::of(environments).foreign(environments.get(place)?, &named)
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
        foreign: foreign(environments, place, &document),
    })
}

#[cfg(test)]
mod tests;
