//! What one process leaves to the next.
use super::AnalyticsActor;
use crate::analytics::entry::Entry;
use crate::analytics::record;

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

    /// Hands over what is unsent.
    pub(super) fn hand_over(&mut self) {
        for taken in self.tallies.take() {
            self.merge(taken);
        }
        self.tell_losses();
        let why = self
            .entries
            .values()
            .find_map(Entry::failure)
            .map(ToString::to_string);
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
                let why = why.unwrap_or_else(|| "there was no time for them; upstream is slow".to_owned());
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
