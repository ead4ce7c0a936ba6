//! What all checks share, and those that are asked for together.
use std::sync::Arc;
use std::time::Duration;

use actix_web::http::Uri;
use actors::environment::{DocumentReport, Examiner};
use actors::keys::EnvironmentKey;
use actors::upstream::{DocumentMemory, UpstreamOptions};
use tokio::time::{Instant, timeout_at};

use super::address::{self, Reached};
use super::finding::{Finding, Subject};
use super::{
    aside, client_certificate, is_polled, listening, out_of_time, realtime, server_certificate, store,
};
use crate::application::upstream_options;
use crate::settings::{ConfigurationSource, Settings};

mod key_pairs;

/// The part of a fetch's time that connecting may take, as in a fetch.
const CONNECTING: f64 = 0.8;
/// More would leave no time to say at which step it hangs.
const LONGEST_CONNECTING: Duration = Duration::from_secs(15);
/// What documents may take of a container's memory, however little it has left: a small document.
const LEAST_DOCUMENT_MEMORY: usize = 8 * 1024 * 1024;
/// How long a stream's head may take.
const STREAM_PATIENCE: Duration = Duration::from_secs(10);

/// What all checks share.
pub(super) struct Examination {
    settings: Arc<Settings>,
    options: UpstreamOptions,
    examiner: Examiner,
    /// Whether documents have less memory here than in the proxy.
    is_short_of_memory: bool,
    /// When all of it ends.
    until: Instant,
}

impl Examination {
    /// `room`: how much of its memory the container has left.
    pub(super) fn new(settings: &Arc<Settings>, room: Option<u64>, until: Instant) -> Self {
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
    pub(super) async fn realtime(&self) -> Option<impl FnOnce(&[DocumentReport]) -> Vec<Finding> + use<>> {
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
        Some(move |documents: &[DocumentReport]| {
            let told = realtime::told(&subject, documents.iter());
            reached.findings.into_iter().chain(told).collect()
        })
    }

    /// Gives what is found once it is known what is to be stored.
    pub(super) async fn store(&self) -> Option<impl FnOnce(&[usize]) -> Vec<Finding> + use<>> {
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

    pub(super) async fn server(&self, source: &Arc<ConfigurationSource>) -> Vec<Finding> {
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

    pub(super) async fn client_certificate(&self) -> Option<Finding> {
        let settings = Arc::clone(&self.settings);
        let examined = aside(self.until, move || client_certificate::examine(&settings)).await;
        examined.unwrap_or_else(|| Some(out_of_time(&Subject::new("upstream"), "client certificate")))
    }
}

fn called(what: &'static str, url: &Uri) -> Subject {
    Subject::of_url(what, &address::origin(url))
}
