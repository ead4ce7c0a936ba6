//! What the operator hears of one environment: once per change of state, what to do about it, never a key.
use std::collections::HashSet;

use engine::{UpdatedAt, Warning};

use super::entry::Origin;
use super::events::Change;
use super::ownership::Foreign;
use super::status::Warnings;
use crate::keys::EnvironmentId;
use crate::upstream::FetchFailure;

/// Warnings about one document that are written out; a generated document can have one a segment.
const MAX_WARNINGS: usize = 20;

/// The log of one environment.
#[derive(Debug)]
pub(super) struct Report {
    id: EnvironmentId,
    known_warnings: HashSet<String>,
    /// Those of the document that is served.
    in_force: Warnings,
    /// Whose documents it has, as the operator has heard; `None`: its own.
    foreign: Option<Foreign>,
}

impl Report {
    pub(super) fn new(id: EnvironmentId) -> Self {
        Self {
            id,
            known_warnings: HashSet::new(),
            in_force: Warnings::default(),
            foreign: None,
        }
    }

    /// Tells a change of state; `name` is the environment's where a document is served.
    pub(super) fn change(&self, change: &Change, name: Option<&str>) {
        let label = self.label(name);
        match change {
            Change::Failed(failure) if name.is_some() => {
                log::warn!("{label}: {failure}. The last good document stays served.");
            }
            Change::Failed(failure) => log::warn!("{label}: {failure}. It has no document to serve yet."),
            Change::Recovered => log::info!("{label}: its documents arrive again."),
            Change::NextKey(Some(said)) => log::warn!(
                "{label}: upstream refuses a server-side key and says {said:?}; the next of server_side_keys is tried."
            ),
            Change::NextKey(None) => log::warn!(
                "{label}: upstream rejects a server-side key; the next of server_side_keys is tried. \
                 Take the rejected one out of the configuration."
            ),
            Change::Lagging => log::info!(
                "{label}: upstream gave an older document, perhaps from a worker that lags; \
                 it is applied if the next fetches give it too."
            ),
        }
    }

    /// Tells that a document with new content is applied.
    pub(super) fn serves(&self, updated_at: UpdatedAt, name: Option<&str>) {
        log::info!(
            "{}: a new document, of {}",
            self.label(name),
            updated_at.to_rfc3339()
        );
    }

    /// Tells what of a new document could not be understood, as far as it was not told of the one before.
    pub(super) fn warnings(&mut self, warnings: &[Warning], name: Option<&str>) {
        let texts: HashSet<String> = warnings.iter().map(ToString::to_string).collect();
        let mut new: Vec<&String> = texts.difference(&self.known_warnings).collect();
        new.sort();
        for text in new.iter().take(MAX_WARNINGS) {
            log::warn!("{}: {text}", self.label(name));
        }
        if new.len() > MAX_WARNINGS {
            log::warn!(
                "{}: {} further warnings like these",
                self.label(name),
                new.len() - MAX_WARNINGS
            );
        }
        let mut all: Vec<&String> = texts.iter().collect();
        all.sort();
        self.in_force = Warnings {
            count: all.len(),
            first: all.into_iter().take(MAX_WARNINGS).cloned().collect(),
        };
        self.known_warnings = texts;
    }

    /// What of the document that is served could not be understood.
    pub(super) fn warnings_in_force(&self) -> Warnings {
        self.in_force.clone()
    }

    /// Tells that its documents are another environment's, or its own again.
    pub(super) fn belongs(&mut self, foreign: Option<Foreign>, name: &str) {
        if self.foreign == foreign {
            return;
        }
        let label = self.label(Some(name));
        match &foreign {
            Some(foreign) => log::warn!("{label}: {foreign}"),
            None => log::info!("{label}: its documents are its own again."),
        }
        self.foreign = foreign;
    }

    /// Tells that a document is served which no fetch gave.
    pub(super) fn falls_back_on(&self, origin: Origin, updated_at: UpdatedAt, name: &str) {
        let (label, updated_at) = (self.label(Some(name)), updated_at.to_rfc3339());
        match origin {
            Origin::Fallback => log::warn!(
                "{label}: upstream has given no document and none is stored: its fallback document is served, of {updated_at}"
            ),
            _ => log::info!(
                "{label}: the document that was stored before the start, or by another process, is served, of {updated_at}, until \
                 upstream answers"
            ),
        }
    }

    /// Tells that what was stored is of no use.
    pub(super) fn cannot_restore(&self, failure: &FetchFailure) {
        log::warn!(
            "{}: its stored document cannot be served: {failure}",
            self.label(None)
        );
    }

    /// Tells that what was stored is another environment's.
    pub(super) fn restores_none_of_another(&self) {
        log::warn!(
            "{}: the document that was stored for its client_side_key came from elsewhere or with other server-side keys, and is \
             another environment's: it is not served",
            self.label(None)
        );
    }

    /// Tells that its fallback document is of no use.
    pub(super) fn cannot_fall_back(&self, problem: &str) {
        log::warn!(
            "{}: its fallback_document_path {problem}: an outage before the first answer finds nothing to serve",
            self.label(None)
        );
    }

    /// Tells that it is of use again.
    pub(super) fn can_fall_back(&self) {
        log::info!("{}: its fallback_document_path can be used", self.label(None));
    }

    /// What logs call it.
    pub(super) fn label(&self, name: Option<&str>) -> String {
        let id = self.id;
        name.map_or_else(
            || format!("environment {id}"),
            |name| format!("environment {id} ({name:?})"),
        )
    }
}
