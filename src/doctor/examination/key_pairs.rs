//! All key pairs: the API's address once, then each of them.
use std::path::Path;

use actors::environment::{DocumentReport, DocumentSource};
use futures::{StreamExt as _, stream};
use tokio::time::{Instant, timeout_at};

use super::{Examination, called};
use crate::doctor::address::Reached;
use crate::doctor::environment::{self, Examined, Question};
use crate::doctor::finding::Finding;
use crate::doctor::{clock, file, is_polled, late};

/// Key pairs that are examined at once.
/// Their documents are held meanwhile, beside those of a proxy that runs.
const AT_ONCE: usize = 8;

/// What was found of all key pairs.
#[derive(Default)]
pub(in crate::doctor) struct Environments {
    pub(in crate::doctor) findings: Vec<Finding>,
    /// By the place of their key pair; `None`: it is not known.
    pub(in crate::doctor) documents: Vec<Option<DocumentReport>>,
}

impl Examination {
    /// The API's address once, then every key pair; `obstacle`: what is in the way where certificates are needed.
    pub(in crate::doctor) async fn environments(&self, obstacle: Option<&str>) -> Environments {
        let is_any_polled = self.settings.environments.iter().any(is_polled);
        let reached = match is_any_polled {
            true => self.reached("upstream", &self.settings.api_url, obstacle).await,
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
            all.documents.push(one.document);
        }
        all
    }

    async fn environment(&self, place: usize, obstacle: Option<&str>) -> Examined {
        let Some(pair) = self.settings.environments.get(place) else {
            return Examined::default();
        };
        let mut examined = match (&pair.source, obstacle) {
            (DocumentSource::File(path), _) => self.served(place, path).await,
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
            (DocumentSource::Upstream, None) => self.polled(place).await,
        };
        if let Some(path) = &pair.fallback {
            let begun = Instant::now();
            let upstream = examined.document.as_ref();
            let fallback = file::fallback(&self.examiner, place, path, upstream, self.until);
            let late = |_| late(&environment::subject(place, None), "fallback", begun.elapsed());
            let fallback = timeout_at(self.until, fallback).await.unwrap_or_else(late);
            examined.findings.push(fallback);
        }
        examined
    }

    /// It may be on a network that hangs.
    async fn served(&self, place: usize, path: &Path) -> Examined {
        let begun = Instant::now();
        let served = file::served(&self.settings, &self.examiner, place, path, self.until);
        let late = |_| {
            let finding = late(&environment::subject(place, None), "file", begun.elapsed());
            (vec![finding], None)
        };
        let (findings, document) = timeout_at(self.until, served).await.unwrap_or_else(late);
        Examined {
            findings,
            document,
            heads: Vec::new(),
        }
    }

    async fn polled(&self, place: usize) -> Examined {
        let begun = Instant::now();
        let question = Question {
            settings: &self.settings,
            examiner: &self.examiner,
            options: &self.options,
            is_short_of_memory: self.is_short_of_memory,
            until: self.until,
        };
        timeout_at(self.until, question.ask(place))
            .await
            .unwrap_or_else(|_| {
                let subject = environment::subject(place, None);
                let [http, rest @ ..] = environment::CHECKS;
                let mut findings = vec![late(&subject, http, begun.elapsed())];
                findings.extend(rest.map(|check| subject.skipped(check, "see http")));
                Examined {
                    findings,
                    ..Examined::default()
                }
            })
    }
}
