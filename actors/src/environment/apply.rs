//! From fetched bytes to what is served, on a blocking thread: 50 MB take seconds and must delay nothing.
//!
//! Everything large that is no longer needed is freed here as well.
use std::sync::Arc;

use bytes::Bytes;
use engine::{ContentDigest, Document, DocumentError, UpdatedAt, Warning};
use tokio::sync::Semaphore;

use super::events::Moment;
use super::versions::{Trust, Verdict, Versions};
use crate::served::ServedEnvironment;
use crate::upstream::FetchFailure;

/// Documents that are worked on at once: each takes a core, and several times its size in memory.
const CONCURRENCY: usize = 2;

/// The bounded blocking work of one EnvironmentActor.
#[derive(Debug, Clone)]
pub(super) struct Workshop {
    permits: Arc<Semaphore>,
}

/// What is needed to decide about a document.
pub(super) struct Context {
    pub(super) versions: Versions<ContentDigest>,
    pub(super) trust: Trust,
    /// What is served now.
    pub(super) served: Option<Arc<ServedEnvironment>>,
}

/// What came of a document.
pub(super) struct Applied {
    pub(super) versions: Versions<ContentDigest>,
    pub(super) verdict: Verdict,
    /// To be published, where the verdict serves anything new.
    pub(super) served: Option<Arc<ServedEnvironment>>,
    pub(super) warnings: Vec<Warning>,
}

impl Workshop {
    pub(super) fn new() -> Self {
        Self {
            permits: Arc::new(Semaphore::new(CONCURRENCY)),
        }
    }

    /// Reads, compares and, where its content is new, compiles the document of one fetch.
    pub(super) async fn apply(&self, pages: Vec<Bytes>, context: Context) -> Result<Applied, FetchFailure> {
        self.run(move || apply(pages, context))
            .await
            .unwrap_or(Err(FetchFailure::Apply))
    }

    /// The same content under another number.
    pub(super) async fn restamp(
        &self,
        served: Arc<ServedEnvironment>,
        updated_at: UpdatedAt,
    ) -> Result<Arc<ServedEnvironment>, FetchFailure> {
        let restamp = move || {
            // The served document is itself one page of a document.
            let document = read(vec![served.document.plain.clone()])?;
            Ok(Arc::new(served.restamped(&document, updated_at)))
        };
        self.run(restamp).await.unwrap_or(Err(FetchFailure::Apply))
    }

    /// Runs blocking work within the bound; `None` where it panicked.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Option<T> {
        // The semaphore is never closed.
        let _permit = self.permits.acquire().await.ok();
        actix_rt::task::spawn_blocking(work).await.ok()
    }
}

fn apply(pages: Vec<Bytes>, context: Context) -> Result<Applied, FetchFailure> {
    let Context {
        mut versions,
        trust,
        served,
    } = context;
    let document = read(pages)?;
    let now = Moment::now().updated_at();
    let verdict = versions.consider(document.content(), document.updated_at(), now, trust);
    let (served, warnings) = match verdict {
        Verdict::Keep | Verdict::Hold => (None, Vec::new()),
        Verdict::Restamp(updated_at) => (
            served.map(|served| Arc::new(served.restamped(&document, updated_at))),
            Vec::new(),
        ),
        Verdict::Serve(updated_at) | Verdict::ServeUnsettled(updated_at) => {
            let (environment, warnings) = document.compile();
            (
                Some(Arc::new(ServedEnvironment::new(
                    &document,
                    environment,
                    updated_at,
                    served.as_deref(),
                ))),
                warnings,
            )
        }
    };
    Ok(Applied {
        versions,
        verdict,
        served,
        warnings,
    })
}

fn read(pages: Vec<Bytes>) -> Result<Document, FetchFailure> {
    Document::from_pages(pages).map_err(|error| match error {
        DocumentError::NotJson(why) => FetchFailure::NotJson(why),
        DocumentError::NotADocument(why) => FetchFailure::NotADocument(why),
    })
}
