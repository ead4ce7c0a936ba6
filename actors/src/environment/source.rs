//! One environment's source, behind one fetch.
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use engine::{ContentDigest, Warning};
use tokio::time::timeout_at;

use super::apply::{Context, Workshop};
use super::events::{FetchCost, FetchEnd, FetchPlan};
use super::file::{FileOutcome, FileSource};
use super::options::DocumentSource;
use super::polls;
use crate::keys::EnvironmentKey;
use crate::served::ServedEnvironment;
use crate::store::SourceDigest;
use crate::upstream::{FetchFailure, FetchOutcome, Upstream, UpstreamOptions};

/// The client for documents, made when the first environment needs it: it belongs to the actor's thread, and may read
/// files.
pub(super) struct Client {
    options: UpstreamOptions,
    timeout: Duration,
    upstream: Option<Result<Upstream, FetchFailure>>,
}

impl Client {
    pub(super) fn new(options: UpstreamOptions, timeout: Duration) -> Self {
        Self {
            options,
            timeout,
            upstream: None,
        }
    }

    /// Tells apart what this client fetches with these keys.
    pub(super) fn digest(&self, server_side_keys: &[EnvironmentKey]) -> SourceDigest {
        SourceDigest::of(&self.options.api_url, server_side_keys)
    }

    /// Documents are fetched in this way from now on, within this time. Gives what that changes.
    pub(super) fn change(&mut self, options: Option<UpstreamOptions>, timeout: Duration) -> Reached {
        let is_moved = options
            .as_ref()
            .is_some_and(|options| options.api_url != self.options.api_url);
        let reached = match &options {
            Some(_) if is_moved => Reached::Elsewhere,
            Some(_) => Reached::Otherwise,
            None if timeout != self.timeout => Reached::Within,
            None => return Reached::AsBefore,
        };
        self.options = options.unwrap_or_else(|| self.options.clone());
        self.timeout = timeout;
        self.upstream = None;
        reached
    }

    /// The client that a source needs; a file needs none.
    pub(super) fn of(&mut self, source: &DocumentSource) -> Result<Upstream, FetchFailure> {
        match source {
            DocumentSource::File(_) => Err(FetchFailure::Unusable),
            DocumentSource::Upstream => self
                .upstream
                .get_or_insert_with(|| Upstream::new(&self.options, self.timeout))
                .clone(),
        }
    }
}

/// What other ways to upstream change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reached {
    /// Nothing.
    AsBefore,
    /// How long a fetch may take.
    Within,
    /// How it is reached.
    Otherwise,
    /// Where it is.
    Elsewhere,
}

/// Where the documents of one environment come from, ready to be asked.
#[derive(Clone)]
pub(super) enum Source {
    Upstream {
        upstream: Result<Upstream, FetchFailure>,
        keys: Vec<EnvironmentKey>,
    },
    File(FileSource),
}

/// What a fetch and the work on its document gave.
pub(super) struct Fetched {
    /// The source with what it has learnt.
    pub(super) source: Source,
    pub(super) end: FetchEnd<ContentDigest>,
    pub(super) served: Option<Arc<ServedEnvironment>>,
    pub(super) warnings: Vec<Warning>,
}

impl Source {
    /// Takes over what a fetch has learnt. The way to upstream is no part of that: it may have changed meanwhile.
    pub(super) fn learn(&mut self, of_fetch: Self) {
        if let (Self::File(file), Self::File(of_fetch)) = (self, of_fetch) {
            *file = of_fetch;
        }
    }

    /// Fetches as planned and applies what came.
    pub(super) async fn fetch(mut self, plan: FetchPlan, context: Context, workshop: Workshop) -> Fetched {
        let begun = Instant::now();
        let Some(outcome) = by(plan.until, self.outcome(plan, &workshop)).await else {
            return self.fetched(FetchEnd::Abandoned);
        };
        let (pages, date, memory) = match outcome {
            FetchOutcome::NotModified { date } => return self.fetched(FetchEnd::NotModified { date }),
            FetchOutcome::Failure(failure) => return self.fetched(FetchEnd::Failure(failure)),
            FetchOutcome::Document { pages, date, memory } => (pages, date, memory),
        };
        let cost = FetchCost {
            bytes: pages.iter().map(Bytes::len).sum(),
            time: begun.elapsed(),
        };
        match workshop.apply(pages, memory, context).await {
            Err(failure) => {
                let failure = match &mut self {
                    Self::Upstream { .. } => failure,
                    Self::File(file) => {
                        let failure = of_file(failure);
                        file.refused(&failure);
                        failure
                    }
                };
                self.fetched(FetchEnd::Failure(failure))
            }
            Ok(applied) => Fetched {
                source: self,
                end: FetchEnd::Document {
                    date,
                    cost,
                    versions: applied.versions,
                    verdict: applied.verdict,
                },
                served: applied.served,
                warnings: applied.warnings,
            },
        }
    }

    async fn outcome(&mut self, plan: FetchPlan, workshop: &Workshop) -> FetchOutcome {
        match self {
            Self::Upstream { upstream, keys } => match (upstream, keys.get(plan.key)) {
                (Ok(upstream), Some(key)) => polls::fetch(upstream, key, plan.if_modified_since).await,
                (Ok(_), None) => FetchOutcome::Failure(FetchFailure::UnusableKey),
                (Err(failure), _) => FetchOutcome::Failure(failure.clone()),
            },
            Self::File(file) => {
                let mut looking = file.clone();
                let look = move || {
                    let outcome = looking.look(plan.is_forced);
                    (looking, outcome)
                };
                let Some((looking, outcome)) = workshop.look(file.path(), look).await else {
                    return FetchOutcome::Failure(FetchFailure::Apply);
                };
                *file = looking;
                match outcome {
                    Ok(FileOutcome::Unchanged) => FetchOutcome::NotModified { date: None },
                    Ok(FileOutcome::Changed(bytes)) => match workshop.claim(bytes.len()).await {
                        Ok(memory) => FetchOutcome::Document {
                            pages: Vec::<Bytes>::from([bytes]),
                            date: None,
                            memory,
                        },
                        Err(failure) => FetchOutcome::Failure(failure),
                    },
                    Err(failure) => FetchOutcome::Failure(failure),
                }
            }
        }
    }

    fn fetched(self, end: FetchEnd<ContentDigest>) -> Fetched {
        Fetched {
            source: self,
            end,
            served: None,
            warnings: Vec::new(),
        }
    }
}

/// What comes by then, if anything does.
async fn by<T>(until: Option<Instant>, work: impl Future<Output = T>) -> Option<T> {
    match until {
        Some(until) => timeout_at(until.into(), work).await.ok(),
        None => Some(work.await),
    }
}

/// What is wrong with a file's content has nothing to do with upstream.
pub(super) fn of_file(failure: FetchFailure) -> FetchFailure {
    match failure {
        FetchFailure::NotJson(why) => FetchFailure::File(format!("it is not JSON: {why}")),
        FetchFailure::NotADocument(why) => {
            FetchFailure::File(format!("it is no environment document: {why}"))
        }
        other => other,
    }
}
