//! What one process leaves to the next.
use super::{AnalyticsActor, label};
use crate::analytics::entry::Entry;
use crate::analytics::record;
use crate::keys::EnvironmentId;

impl AnalyticsActor {
    /// Takes what a process before has left.
    pub(super) fn take_over(&mut self) {
        let Some(store) = &mut self.store else { return };
        let file = store.take();
        match record::read(&file) {
            Ok(kept) => {
                if kept.is_damaged {
                    log::warn!("some evaluation counts that were kept on disk cannot be read; they are lost");
                }
                self.kept = kept;
            }
            Err(record::Foreign) => log::warn!(
                "the evaluation counts that were kept on disk are of another version, or no such file; they are left out"
            ),
        }
    }

    /// Why counts are unsent.
    fn why_unsent(&self) -> String {
        if let Some(failure) = self.entries.values().find_map(Entry::failure) {
            return failure.to_string();
        }
        let newest = self.environments.newest();
        let is_unknown = |id: &EnvironmentId, entry: &Entry| {
            let has_counts = entry.queue.as_ref().is_some_and(|queue| !queue.is_empty());
            has_counts && newest.environment(*id).is_none()
        };
        if self.entries.iter().any(|(id, entry)| is_unknown(id, entry)) {
            "no document of their environment has come, which says what features there are".to_owned()
        } else {
            "there was no time for them; upstream is slow".to_owned()
        }
    }

    /// Hands over what is unsent.
    pub(super) fn hand_over(&mut self) {
        for taken in self.tallies.take() {
            self.merge(taken);
        }
        self.tell_losses();
        for (id, entry) in &mut self.entries {
            entry.report.end(&label(&self.environments, *id));
        }
        self.report.end("analytics");
        let why = self.why_unsent();
        let unsent: Vec<_> = std::mem::take(&mut self.entries)
            .into_values()
            .filter_map(|entry| Some((entry.digest(), entry.queue?.into_unsent())))
            .chain(std::mem::take(&mut self.kept.environments))
            .collect();
        let sum = unsent
            .iter()
            .fold(0_u64, |sum, (_, counts)| sum.saturating_add(counts.sum()));
        let Some(store) = &mut self.store else {
            if sum > 0 {
                log::warn!(
                    "{sum} evaluation counts end with the process, because they could not be sent: {why}"
                );
            }
            return;
        };
        let file = if sum > 0 {
            record::write(unsent.iter().map(|(digest, counts)| (*digest, counts)))
        } else {
            Vec::new()
        };
        if !store.keep(&file) && sum > 0 {
            log::warn!("{sum} evaluation counts end with the process: they could be neither sent nor kept");
        }
    }
}
