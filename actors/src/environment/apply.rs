//! From fetched bytes to what is served, on threads of its own: 50 MB take seconds and must delay nothing, and nothing that
//! blocks elsewhere (a network file system, a name service) must delay a document.
//!
//! Everything large that is no longer needed is freed here as well.
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use engine::{ContentDigest, Document, DocumentError, Environment, UpdatedAt, Warning};

use super::counts::DocumentCounts;
use super::events::Moment;
use super::loading::{Loaded, Loading};
use super::looks::Looks;
use super::versions::{Trust, Verdict, Versions};
use crate::served::ServedEnvironment;
use crate::threads::Threads;
use crate::upstream::{Claim, DocumentMemory, FetchFailure};

/// Small documents that are worked on at once; large ones are one after the other, for each takes several times its size in
/// memory.
const SMALL_AT_ONCE: usize = 2;
/// What compiling a document takes beside its bytes, in halves of them: 1.5 times as much was measured with 47.6 MB, what
/// stays included.
const COMPILING_HALVES: usize = 3;
/// Bytes from which on a document is large: work that takes some 10 ms and more, up to seconds, which no small one is
/// to wait for.
const LARGE: usize = 1024 * 1024;

/// The bounded blocking work of one EnvironmentActor.
#[derive(Debug, Clone)]
pub(super) struct Workshop {
    large: Arc<Threads>,
    small: Arc<Threads>,
    looks: Arc<Looks>,
    memory: DocumentMemory,
    counts: Arc<DocumentCounts>,
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
    pub(super) fn new(memory: DocumentMemory, counts: Arc<DocumentCounts>) -> Self {
        Self {
            memory,
            counts,
            large: Arc::new(Threads::new("documents", 1)),
            small: Arc::new(Threads::new("documents", SMALL_AT_ONCE)),
            looks: Arc::new(Looks::new()),
        }
    }

    /// The claim of a document that did not come from upstream, of so many bytes.
    pub(super) async fn claim(&self, bytes: usize) -> Result<Claim, FetchFailure> {
        let mut claim = self.memory.claim();
        let grown = claim.grow(bytes).await;
        grown.map(|()| claim).map_err(|_| FetchFailure::TooMuchMemory)
    }

    /// Reads, compares and, where its content is new, compiles the document of one fetch. `memory` is what it takes already.
    pub(super) async fn apply(
        &self,
        pages: Vec<Bytes>,
        memory: Claim,
        context: Context,
    ) -> Result<Applied, FetchFailure> {
        let (arrived, bytes) = (Instant::now(), pages.iter().map(Bytes::len).sum());
        let applied = self.compile(bytes, memory, || apply(pages, context)).await?;
        if applied.served.is_some() {
            self.counts.applied.observe_duration(arrived.elapsed());
        }
        Ok(applied)
    }

    /// Reads and compiles a document that no fetch gave.
    pub(super) async fn load(&self, loading: Loading) -> Result<Loaded, FetchFailure> {
        let bytes = loading.bytes();
        let memory = self.claim(bytes).await?;
        self.compile(bytes, memory, || loading.load()).await
    }

    /// Runs work that compiles a document of so many bytes, once there is memory for it. `memory` is what it takes already.
    pub(super) async fn compile<T: Send + 'static>(
        &self,
        bytes: usize,
        mut memory: Claim,
        compile: impl FnOnce() -> Result<T, FetchFailure> + Send + 'static,
    ) -> Result<T, FetchFailure> {
        let grown = memory.grow(bytes.saturating_mul(COMPILING_HALVES) / 2).await;
        grown.map_err(|_| FetchFailure::TooMuchMemory)?;
        let work = move || {
            let compiled = compile();
            drop(memory);
            compiled
        };
        self.run(bytes, work).await.unwrap_or(Err(FetchFailure::Apply))
    }

    /// The same content under another number.
    pub(super) async fn restamp(
        &self,
        served: Arc<ServedEnvironment>,
        updated_at: UpdatedAt,
    ) -> Result<Arc<ServedEnvironment>, FetchFailure> {
        let bytes = served.document.plain.len();
        let restamp = move || {
            // The served document is itself one page of a document.
            let document = read(vec![served.document.plain.clone()])?;
            Ok(Arc::new(served.restamped(&document, updated_at)))
        };
        self.run(bytes, restamp).await.unwrap_or(Err(FetchFailure::Apply))
    }

    /// Looks at a file, outside the bound on documents: a network file system that hangs must not hold up other environments.
    /// `None` where the look panicked, or where the system gives no thread.
    pub(super) async fn look<T: Send + 'static>(
        &self,
        path: &Path,
        look: impl FnOnce() -> T + Send + 'static,
    ) -> Option<T> {
        self.looks.run(path, look).await
    }

    /// Frees what is served no longer.
    pub(super) async fn free(&self, served: Arc<ServedEnvironment>) {
        self.run(served.document.plain.len(), move || drop(served)).await;
    }

    /// Runs blocking work on a document of so many bytes within the bound; `None` where it panicked, or where the system gives
    /// no thread.
    async fn run<T: Send + 'static>(
        &self,
        bytes: usize,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Option<T> {
        let threads = if bytes < LARGE { &self.small } else { &self.large };
        threads.run(work).await
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
            let (environment, warnings) = Environment::compile(&document).map_err(refused)?;
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

/// Reads the pages of a document, byte order marks before them or not.
pub(super) fn read(pages: Vec<Bytes>) -> Result<Document, FetchFailure> {
    let pages = pages.into_iter().map(after_mark).collect::<Result<_, _>>()?;
    Document::from_pages(pages).map_err(refused)
}

/// JSON is UTF-8, and may be read from after a byte order mark (RFC 8259, 8.1), which editors and gateways put before it.
fn after_mark(page: Bytes) -> Result<Bytes, FetchFailure> {
    match page.as_ref() {
        [0xEF, 0xBB, 0xBF, ..] => Ok(page.slice(3..)),
        [0xFF, 0xFE, ..] | [0xFE, 0xFF, ..] => Err(FetchFailure::NotJson(
            "it is UTF-16, and JSON is UTF-8".to_owned(),
        )),
        _ => Ok(page),
    }
}

pub(super) fn refused(error: DocumentError) -> FetchFailure {
    match error {
        DocumentError::NotJson(why) => FetchFailure::NotJson(why),
        DocumentError::NotADocument(why) => FetchFailure::NotADocument(why),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;
    use std::time::Duration;

    use super::*;

    #[actix_rt::test]
    async fn small_documents_wait_for_no_large_one() {
        let workshop = Workshop::new(DocumentMemory::default(), Arc::default());
        let (release, blocked) = mpsc::channel::<()>();
        let blocked = Arc::new(std::sync::Mutex::new(blocked));
        let (started, mut starts) = tokio::sync::mpsc::unbounded_channel();
        let large: Vec<_> = (0..3)
            .map(|_| {
                let (workshop, blocked, started) = (workshop.clone(), Arc::clone(&blocked), started.clone());
                actix_rt::spawn(async move {
                    let work = move || {
                        started.send(()).expect("a receiver");
                        let _ = blocked.lock().expect("no panic").recv();
                    };
                    workshop.run(LARGE, work).await
                })
            })
            .collect();
        starts.recv().await.expect("large work begins");
        let small = workshop.run(LARGE - 1, || "done");
        let small = actix_rt::time::timeout(Duration::from_secs(20), small).await;
        assert_eq!(small, Ok(Some("done")));
        assert!(starts.try_recv().is_err(), "large work is bounded");

        drop(release);
        for work in large {
            assert_eq!(work.await.expect("no panic"), Some(()));
        }
    }

    #[test]
    fn documents_wait_for_no_other_blocking_work() {
        // As where each thread of the runtime looks up a name, and the name service hangs.
        let runtime = tokio::runtime::Builder::new_current_thread()
            .max_blocking_threads(1)
            .build()
            .expect("a runtime");
        let (release, blocked) = mpsc::channel::<()>();
        let hanging = runtime.spawn_blocking(move || blocked.recv().is_ok());
        let done =
            runtime.block_on(Workshop::new(DocumentMemory::default(), Arc::default()).run(1, || "done"));
        assert_eq!(done, Some("done"));
        release.send(()).expect("it hangs");
        assert!(runtime.block_on(hanging).expect("no panic"));
    }
}
