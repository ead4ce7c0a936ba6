//! What all checks share, and those that are asked for together.
use std::sync::Arc;
use std::time::Duration;

use actix_web::http::Uri;
use actors::environment::{DocumentReport, Examiner};
use actors::keys::EnvironmentKey;
use actors::upstream::{DocumentMemory, UpstreamOptions};
use tokio::time::{Instant, timeout_at};

use super::address::{self, Reached, Target, Whose};
use super::admin::{self, Occupant};
use super::finding::{Finding, Subject, Verdict};
use super::listening::{self, Running};
use super::telemetry::{Collector, collectors};
use super::{Unended, aside, client_certificate, is_polled, late, realtime, server_certificate, store};
use crate::application::upstream_options;
use crate::settings::Settings;

mod key_pairs;
mod telemetry;

/// The part of a fetch's time that connecting may take, as in a fetch.
const CONNECTING: f64 = 0.8;
/// More would leave no time to say at which step it hangs.
const LONGEST_CONNECTING: Duration = Duration::from_secs(15);
/// How long files of root certificates may take, before anything else: those of a network that hangs are waited for no longer.
const CERTIFICATES_PATIENCE: Duration = Duration::from_secs(5);
/// What documents may take of a container's memory, however little it has left: a small document.
const LEAST_DOCUMENT_MEMORY: usize = 8 * 1024 * 1024;
/// How long a stream's head may take.
const STREAM_PATIENCE: Duration = Duration::from_secs(10);

/// What all checks share.
pub(super) struct Examination {
    settings: Arc<Settings>,
    options: UpstreamOptions,
    examiner: Examiner,
    collectors: Vec<Collector>,
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
            collectors: collectors(&settings.process),
            settings: Arc::clone(settings),
            is_short_of_memory: half < most,
            until,
        }
    }

    /// Reads the files of certificates, where any way needs them; gives what is wrong with them, which is a failure where that does not
    /// end. Such ways are not to be taken then, for they would wait for the same.
    pub(super) async fn certificates(&self) -> Option<Finding> {
        let api_url = self.settings.environments.iter().any(is_polled);
        let api_url = api_url.then_some(&self.settings.api_url);
        let urls = api_url.into_iter().chain(&self.settings.realtime.upstream_url);
        let mut urls = urls.filter_map(|url| url.parse().ok());
        let needs = |url| self.options.needs_certificates(&url);
        let of_flagsmith = urls.any(needs).then(|| self.options.clone());
        let of_collectors = self.collectors.iter().flat_map(Collector::needing_certificates);
        let needing: Vec<UpstreamOptions> = of_flagsmith.into_iter().chain(of_collectors).collect();
        if needing.is_empty() {
            return None;
        }
        let begun = Instant::now();
        let read = aside(begun + CERTIFICATES_PATIENCE, move || {
            let problems = needing.iter().map(UpstreamOptions::read_certificates);
            // Each is read, also behind one that has a problem.
            problems.fold(None, Option::or)
        });
        of_certificates(read.await, begun)
    }

    /// The way to a URL's origin; `obstacle`: what is in the way where certificates are needed.
    async fn reached(&self, what: &'static str, url: &str, obstacle: Option<&str>) -> Reached {
        let Ok(url) = url.parse::<Uri>() else {
            return Reached::default();
        };
        let subject = called(what, &url);
        let target = Target {
            url: &url,
            whose: Whose::Flagsmith,
        };
        let way = (&self.options, self.connecting());
        self.reached_by(&subject, target, way, obstacle).await
    }

    /// The same with these options, and so long for the connection.
    async fn reached_by(
        &self,
        subject: &Subject,
        target: Target<'_>,
        (options, connecting): (&UpstreamOptions, Duration),
        obstacle: Option<&str>,
    ) -> Reached {
        if let Some(obstacle) = obstacle.filter(|_| options.needs_certificates(target.url)) {
            return Reached {
                findings: vec![subject.skipped("connect", obstacle)],
                obstacle: Some(obstacle.to_owned()),
            };
        }
        let begun = Instant::now();
        let examined = address::examine(subject, target, options, connecting);
        match timeout_at(self.until, examined).await {
            Ok(reached) => reached,
            Err(_) => Reached {
                findings: vec![late(subject, "connect", begun.elapsed())],
                obstacle: Some("out of time".to_owned()),
            },
        }
    }

    fn connecting(&self) -> Duration {
        let allowed = self.settings.api_poll_timeout.mul_f64(CONNECTING);
        allowed.min(LONGEST_CONNECTING)
    }

    /// Gives what is found once it is known what documents say.
    pub(super) async fn realtime(
        &self,
        obstacle: Option<&str>,
    ) -> Option<impl FnOnce(&[Option<DocumentReport>]) -> Vec<Finding> + use<>> {
        let url = self.settings.realtime.upstream_url.as_ref()?;
        let subject = called("realtime", &url.parse().ok()?);
        let mut reached = self.reached("realtime", url, obstacle).await;
        let polled = self.settings.environments.iter().find(|pair| is_polled(pair));
        reached.findings.extend(match (&reached.obstacle, polled) {
            (Some(obstacle), _) => Some(subject.skipped("stream", obstacle)),
            (None, None) => Some(subject.ok("stream", "no environment is polled, so none is listened for")),
            (None, Some(pair)) => {
                let begun = Instant::now();
                let stream = realtime::stream(
                    &subject,
                    url,
                    &self.options,
                    &pair.client_side_key,
                    STREAM_PATIENCE,
                );
                let stream = timeout_at(self.until, stream).await;
                Some(stream.unwrap_or_else(|_| late(&subject, "stream", begun.elapsed())))
            }
        });
        Some(move |documents: &[Option<DocumentReport>]| {
            let told = realtime::told(&subject, documents.iter().flatten());
            reached.findings.into_iter().chain(told).collect()
        })
    }

    /// Gives what is found once it is known what is to be stored.
    pub(super) async fn store(
        &self,
    ) -> Option<impl FnOnce(&[Option<DocumentReport>]) -> Vec<Finding> + use<>> {
        let directory = self.settings.persistence.directory.clone()?;
        let environments: Vec<EnvironmentKey> = self
            .settings
            .environments
            .iter()
            .map(|pair| pair.client_side_key.clone())
            .collect();
        let (looking, begun) = (directory.clone(), Instant::now());
        let looked = aside(self.until, move || store::look(&looking, &environments)).await;
        Some(move |documents: &[Option<DocumentReport>]| match looked {
            Ok(looked) => store::told(&looked, documents),
            Err(Unended::Late) => vec![store::hangs(&directory)],
            Err(unended) => vec![unended.told(&Subject::new("store"), "directory", begun)],
        })
    }

    /// The ports, and the server's certificate.
    pub(super) async fn server(&self, running: Running) -> Vec<Finding> {
        let (ports, certificate) = futures::join!(self.ports(running), self.server_certificate());
        ports.into_iter().chain(certificate).collect()
    }

    async fn ports(&self, running: Running) -> Vec<Finding> {
        let (settings, begun) = (Arc::clone(&self.settings), Instant::now());
        let looked = aside(self.until, move || listening::look(&settings, running)).await;
        match looked {
            Ok(looked) => {
                let at_admin = match looked.admin_address() {
                    Some(address) => {
                        let asked = timeout_at(self.until, admin::ask(address)).await;
                        asked.unwrap_or(Occupant::Silent)
                    }
                    None => Occupant::Silent,
                };
                listening::told(&self.settings, &looked, at_admin)
            }
            Err(unended) => vec![unended.told(&Subject::new("server"), "port", begun)],
        }
    }

    async fn server_certificate(&self) -> Option<Finding> {
        self.settings.server.tls.as_ref()?;
        let (settings, begun) = (Arc::clone(&self.settings), Instant::now());
        let examined = aside(self.until, move || {
            let tls = settings.server.tls.as_ref()?;
            Some(server_certificate::examine(&settings, tls))
        });
        examined
            .await
            .unwrap_or_else(|unended| Some(unended.told(&Subject::new("server"), "tls", begun)))
    }

    pub(super) async fn client_certificate(&self) -> Option<Finding> {
        let (settings, begun) = (Arc::clone(&self.settings), Instant::now());
        let examined = aside(self.until, move || client_certificate::examine(&settings)).await;
        let told = |unended: Unended| unended.told(&Subject::new("upstream"), "client certificate", begun);
        examined.unwrap_or_else(|unended| Some(told(unended)))
    }
}

/// What came of reading the files of certificates.
fn of_certificates(read: Result<Option<String>, Unended>, begun: Instant) -> Option<Finding> {
    let subject = Subject::new("upstream");
    match read {
        Ok(problem) => problem.map(|problem| subject.told("certificates", Verdict::Warning, &problem)),
        Err(Unended::Late) => Some(subject.failure(
            "certificates",
            "the files of root certificates do not answer (upstream.ca_file, SSL_CERT_FILE, SSL_CERT_DIR, the system's own)",
            "check the file system of each: a network that hangs",
        )),
        Err(unended) => Some(unended.told(&subject, "certificates", begun)),
    }
}

fn called(what: &'static str, url: &Uri) -> Subject {
    Subject::of_url(what, &address::origin(url))
}

#[cfg(test)]
mod tests {
    use super::super::PATIENCE;
    use super::*;

    /// As where they are on a network that hangs: whoever connects would wait for them.
    #[actix_web::test]
    async fn nothing_waits_for_certificates_that_do_not_answer() {
        let begun = Instant::now();
        let hanging = of_certificates(Err(Unended::Late), begun).unwrap();
        assert_eq!(
            (hanging.check, hanging.verdict),
            ("certificates", Verdict::Failure)
        );
        assert_eq!(of_certificates(Ok(None), begun), None);
        let pairs = r#"[{"client_side_key": "client", "server_side_key": "ser.server"}]"#;
        let url = "https://127.0.0.1:1/api/v1";
        let variables = [
            ("ENVIRONMENT_KEY_PAIRS", pairs),
            ("API_URL", url),
            ("OTEL_EXPORTER_OTLP_ENDPOINT", "https://127.0.0.1:1"),
        ];
        let variables = variables.map(|(name, text)| (name.to_owned(), text.to_owned()));
        let settings = Settings::load(Some(std::path::Path::new("/nonexistent")), variables).unwrap();
        let examination = Examination::new(&Arc::new(settings.settings), None, begun + PATIENCE);
        let found = examination.environments(Some("see certificates")).await;
        let verdicts = |findings: &[Finding]| -> Vec<_> {
            let of_each = findings.iter();
            of_each.map(|finding| (finding.check, finding.verdict)).collect()
        };
        let skipped = ["connect", "http", "key", "document", "overrides"];
        assert_eq!(
            verdicts(&found.findings),
            skipped.map(|check| (check, Verdict::Skipped))
        );
        let of_collector = examination.telemetry(Some("see certificates")).await;
        let skipped = ["connect", "traces", "metrics"];
        assert_eq!(
            verdicts(&of_collector),
            skipped.map(|check| (check, Verdict::Skipped))
        );
        let told = &found.findings[0].detail;
        assert!(told.contains("see certificates"), "{told}");
    }
}
