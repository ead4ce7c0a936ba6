//! `edge-proxy doctor`: examines a configuration and everything around it, step by step, so that the first step which fails names
//! the cause. What is asked, read and compared is what the proxy itself asks, reads and compares. Nothing is changed: a file
//! is written to the store's directory and deleted, and a proxy that runs keeps its port, its lock and its place.
//!
//! # Layout
//! - `mod.rs`: [`examine`]: all checks beside one another, within [`PATIENCE`].
//! - `finding`: [`Finding`] and [`Report`], as lines and as JSON.
//! - `configuration`: options that are not what is meant; pure.
//! - `address`: the way to a URL's origin: name, connection, proxy (`way`), TLS (`certificate`).
//! - `client_certificate`: how upstream knows this proxy.
//! - `environment`: a key pair at upstream: HTTP and key; `file`: a key pair's files; `document`: what either gives; `clock`.
//! - `realtime`: Flagsmith's realtime service.
//! - `store`: `persistence.directory`.
//! - `listening`: the ports, a proxy that runs there; `server_certificate`: the server's own.
//! - `system`: open files, threads; `container`: the limits of cgroups.
mod address;
mod certificate;
mod client_certificate;
mod clock;
mod configuration;
mod container;
mod document;
mod environment;
mod file;
mod finding;
mod listening;
mod realtime;
mod server_certificate;
mod store;
mod system;
mod way;

use std::sync::Arc;
use std::thread;
use std::time::Duration;

use actix_web::http::Uri;
use actors::environment::{DocumentSource, EnvironmentOptions, Examiner};
use actors::keys::EnvironmentKey;
use actors::upstream::{DocumentMemory, UpstreamOptions};
use futures::StreamExt as _;
use futures::stream;
use tokio::sync::oneshot;
use tokio::time::{Instant, timeout_at};

use crate::application::upstream_options;
use crate::settings::{ConfigurationSource, Settings};
use address::Reached;
use container::Container;
use environment::{Examined, Question};
use finding::Subject;

pub use container::CgroupFiles;
pub use finding::{Finding, Report, Verdict};

/// How long all of it may take.
pub const PATIENCE: Duration = Duration::from_secs(30);
/// The part of a fetch's time that connecting may take, as in a fetch.
const CONNECTING: f64 = 0.8;
/// More would leave no time to say at which step it hangs.
const LONGEST_CONNECTING: Duration = Duration::from_secs(15);
/// Key pairs that are examined at once.
/// Their documents are held meanwhile, beside those of a proxy that runs.
const AT_ONCE: usize = 8;
/// What documents may take of a container's memory, however little it has left: a small document.
const LEAST_DOCUMENT_MEMORY: usize = 8 * 1024 * 1024;
/// How long a stream's head may take.
const STREAM_PATIENCE: Duration = Duration::from_secs(10);

/// Examines a configuration. Needs a running actix `System`, on whose thread nothing else is to wait: starts and checks take their
/// moment there.
pub async fn examine(source: &Arc<ConfigurationSource>, cgroups: &CgroupFiles) -> Report {
    let until = Instant::now() + PATIENCE;
    let loading = Arc::clone(source);
    let loaded = match aside(until, move || loading.load()).await {
        None => {
            return Report {
                findings: vec![configuration::hangs(source.path())],
            };
        }
        Some(Err(error)) => {
            return Report {
                findings: vec![configuration::unusable(&error)],
            };
        }
        Some(Ok(loaded)) => loaded,
    };
    let mut findings = configuration::examine(&loaded, source.path());
    // Before there are threads and files of these checks.
    let limits = system::limits(&loaded.settings);
    let settings = Arc::new(loaded.settings);
    let container = Container::read(cgroups);
    let examination = Examination::new(&settings, container.room, until);
    let (environments, realtime, store, server) = futures::join!(
        examination.environments(),
        examination.realtime(),
        examination.store(),
        examination.server(source),
    );
    let sizes: Vec<usize> = environments
        .documents
        .iter()
        .map(|document| document.bytes)
        .collect();
    findings.extend(examination.client_certificate().await);
    findings.extend(environments.findings);
    findings.extend(
        realtime
            .map(|realtime| realtime(&environments.documents))
            .into_iter()
            .flatten(),
    );
    findings.extend(store.map(|store| store(&sizes)).into_iter().flatten());
    findings.extend(server);
    findings.extend(limits);
    findings.extend(system::container(&settings, &container, &sizes));
    Report { findings }
}

/// What all checks share.
struct Examination {
    settings: Arc<Settings>,
    options: UpstreamOptions,
    examiner: Examiner,
    /// Whether documents have less memory here than in the proxy.
    is_short_of_memory: bool,
    /// When all of it ends.
    until: Instant,
}

/// What was found of all key pairs.
#[derive(Default)]
struct Environments {
    findings: Vec<Finding>,
    documents: Vec<actors::environment::DocumentReport>,
}

impl Examination {
    /// `room`: how much of its memory the container has left.
    fn new(settings: &Arc<Settings>, room: Option<u64>, until: Instant) -> Self {
        let most = settings.upstream.document_memory;
        let half = room.map_or(most, |room| usize::try_from(room / 2).unwrap_or(most));
        let memory = DocumentMemory::new(most.min(half.max(LEAST_DOCUMENT_MEMORY)));
        Self {
            options: upstream_options(settings, &memory),
            examiner: Examiner::new(&settings.environments, memory),
            settings: Arc::clone(settings),
            is_short_of_memory: half < most,
            until,
        }
    }

    /// The API's address once, then every key pair.
    async fn environments(&self) -> Environments {
        let is_any_polled = self.settings.environments.iter().any(is_polled);
        let reached = match is_any_polled {
            true => {
                self.reached("upstream", &self.settings.api_url, self.connecting())
                    .await
            }
            false => Reached::default(),
        };
        let obstacle = reached.obstacle.as_deref();
        let places = 0..self.settings.environments.len();
        let examined = stream::iter(places).map(|place| self.environment(place, obstacle));
        let examined: Vec<Examined> = examined.buffered(AT_ONCE).collect().await;
        let mut all = Environments {
            findings: reached.findings,
            documents: Vec::new(),
        };
        let heads: Vec<_> = examined
            .iter()
            .flat_map(|one| one.heads.iter().cloned())
            .collect();
        if let Some(url) = self.settings.api_url.parse().ok().filter(|_| is_any_polled) {
            all.findings
                .extend(clock::examine(&called("upstream", &url), &heads));
        }
        for one in examined {
            all.findings.extend(one.findings);
            all.documents.extend(one.document);
        }
        all
    }

    async fn environment(&self, place: usize, obstacle: Option<&str>) -> Examined {
        let Some(pair) = self.settings.environments.get(place) else {
            return Examined::default();
        };
        let mut examined = match (&pair.source, obstacle) {
            (DocumentSource::File(path), _) => {
                // It may be on a network that hangs.
                let served = file::served(&self.settings, &self.examiner, place, path, self.until);
                let late = |_| {
                    (
                        vec![out_of_time(&environment::subject(place, None), "file")],
                        None,
                    )
                };
                let (findings, document) = timeout_at(self.until, served).await.unwrap_or_else(late);
                Examined {
                    findings,
                    document,
                    heads: Vec::new(),
                }
            }
            (DocumentSource::Upstream, Some(obstacle)) => {
                let subject = environment::subject(place, None);
                let because = format!("upstream is not reached ({obstacle})");
                Examined {
                    findings: environment::CHECKS
                        .map(|check| subject.skipped(check, &because))
                        .into(),
                    ..Examined::default()
                }
            }
            (DocumentSource::Upstream, None) => {
                let question = Question {
                    settings: &self.settings,
                    examiner: &self.examiner,
                    options: &self.options,
                    is_short_of_memory: self.is_short_of_memory,
                    until: self.until,
                };
                match timeout_at(self.until, question.ask(place)).await {
                    Ok(examined) => examined,
                    Err(_) => {
                        let subject = environment::subject(place, None);
                        let [http, rest @ ..] = environment::CHECKS;
                        let mut findings = vec![out_of_time(&subject, http)];
                        findings.extend(rest.map(|check| subject.skipped(check, "see http")));
                        Examined {
                            findings,
                            ..Examined::default()
                        }
                    }
                }
            }
        };
        if let Some(path) = &pair.fallback {
            let fallback = timeout_at(
                self.until,
                file::fallback(&self.examiner, place, path, self.until),
            )
            .await;
            let late = |_| out_of_time(&environment::subject(place, None), "fallback");
            examined.findings.push(fallback.unwrap_or_else(late));
        }
        examined
    }

    /// The way to a URL's origin.
    async fn reached(&self, what: &'static str, url: &str, timeout: Duration) -> Reached {
        let Ok(url) = url.parse::<Uri>() else {
            return Reached::default();
        };
        let subject = called(what, &url);
        let examined = address::examine(&subject, &url, &self.options, timeout);
        match timeout_at(self.until, examined).await {
            Ok(reached) => reached,
            Err(_) => Reached {
                findings: vec![out_of_time(&subject, "connect")],
                obstacle: Some("out of time".to_owned()),
            },
        }
    }

    fn connecting(&self) -> Duration {
        let allowed = self.settings.api_poll_timeout.mul_f64(CONNECTING);
        allowed.min(LONGEST_CONNECTING)
    }

    /// Gives what is found once it is known what documents say.
    async fn realtime(
        &self,
    ) -> Option<impl FnOnce(&[actors::environment::DocumentReport]) -> Vec<Finding> + use<>> {
        let url = self.settings.realtime.upstream_url.as_ref()?;
        let subject = called("realtime", &url.parse().ok()?);
        let mut reached = self.reached("realtime", url, self.connecting()).await;
        let polled = self.settings.environments.iter().find(|pair| is_polled(pair));
        reached.findings.extend(match (&reached.obstacle, polled) {
            (Some(obstacle), _) => Some(subject.skipped("stream", obstacle)),
            (None, None) => Some(subject.ok("stream", "no environment is polled, so none is listened for")),
            (None, Some(pair)) => {
                let stream = realtime::stream(
                    &subject,
                    url,
                    &self.options,
                    &pair.client_side_key,
                    STREAM_PATIENCE,
                );
                let stream = timeout_at(self.until, stream).await;
                Some(stream.unwrap_or_else(|_| out_of_time(&subject, "stream")))
            }
        });
        Some(move |documents: &[actors::environment::DocumentReport]| {
            let told = realtime::told(&subject, documents.iter());
            reached.findings.into_iter().chain(told).collect()
        })
    }

    /// Gives what is found once it is known what is to be stored.
    async fn store(&self) -> Option<impl FnOnce(&[usize]) -> Vec<Finding> + use<>> {
        let directory = self.settings.persistence.directory.clone()?;
        let environments: Vec<EnvironmentKey> = self
            .settings
            .environments
            .iter()
            .map(|pair| pair.client_side_key.clone())
            .collect();
        let looking = directory.clone();
        let looked = aside(self.until, move || store::look(&looking, &environments)).await;
        Some(move |sizes: &[usize]| match looked {
            Some(looked) => {
                let documents = sizes.iter().map(|size| *size as u64).sum();
                store::told(&looked, documents)
            }
            None => vec![store::hangs(&directory)],
        })
    }

    async fn server(&self, source: &Arc<ConfigurationSource>) -> Vec<Finding> {
        let (source, settings) = (Arc::clone(source), Arc::clone(&self.settings));
        let looked = aside(self.until, move || {
            let mut findings = listening::told(&settings, &listening::look(&source, &settings));
            findings.extend(
                settings
                    .server
                    .tls
                    .as_ref()
                    .map(|tls| server_certificate::examine(&settings, tls)),
            );
            findings
        });
        let late = || vec![out_of_time(&Subject::new("server"), "port")];
        looked.await.unwrap_or_else(late)
    }

    async fn client_certificate(&self) -> Option<Finding> {
        let settings = Arc::clone(&self.settings);
        let examined = aside(self.until, move || client_certificate::examine(&settings)).await;
        examined.unwrap_or_else(|| Some(out_of_time(&Subject::new("upstream"), "client certificate")))
    }
}

/// Runs what blocks on a thread of its own, which nothing waits for at the end; `None`: it does not end in time.
async fn aside<T: Send + 'static>(until: Instant, work: impl FnOnce() -> T + Send + 'static) -> Option<T> {
    let (sender, outcome) = oneshot::channel();
    let work = move || {
        // Nobody may wait any more.
        let _ = sender.send(work());
    };
    thread::Builder::new().spawn(work).ok()?;
    timeout_at(until, outcome).await.ok()?.ok()
}

fn is_polled(pair: &EnvironmentOptions) -> bool {
    pair.source == DocumentSource::Upstream
}

fn called(what: &'static str, url: &Uri) -> Subject {
    Subject::of_url(what, &address::origin(url))
}

fn out_of_time(subject: &Subject, check: &'static str) -> Finding {
    subject.failure(
        check,
        format!(
            "it does not end within the {} s that all checks have",
            PATIENCE.as_secs()
        ),
        "see what is slow: upstream, its network, a file system, this machine's processors, or very many key pairs",
    )
}
