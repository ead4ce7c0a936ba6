use std::collections::BTreeMap;

use bytes::Bytes;
use proptest::prelude::*;

use super::*;
use crate::store::format::read;
use crate::store::format::tests::{environment, file, stored};

/// The files of one environment, on a disk that is none.
#[derive(Debug, Clone, Default)]
struct Disk {
    files: BTreeMap<&'static str, Bytes>,
    set_aside: Vec<Bytes>,
    unfinished: Option<Bytes>,
}

fn name(generation: Generation) -> &'static str {
    match generation {
        Generation::Current => "current",
        Generation::Previous => "previous",
    }
}

impl Disk {
    fn look(&self, generation: Generation) -> Look {
        match self.files.get(name(generation)) {
            None => Look::Missing,
            Some(file) => read(file, environment()).map_or_else(Look::Unusable, Look::Whole),
        }
    }

    fn recover(&self) -> Recovered {
        recover(|generation| self.look(generation))
    }

    /// What a restart serves.
    fn served(&self) -> Option<i64> {
        self.recover().stored.map(|stored| stored.served.as_micros())
    }

    fn run(&mut self, step: Step, new: &Bytes) {
        match step {
            Step::WriteUnfinished => self.unfinished = Some(new.clone()),
            Step::SetAside => self.set_aside.extend(self.files.remove("current")),
            Step::KeepAsPrevious => {
                let current = self.files.remove("current").unwrap();
                self.files.insert("previous", current);
            }
            Step::Name => {
                let unfinished = self.unfinished.take().unwrap();
                self.files.insert("current", unfinished);
            }
            Step::SyncFolder => {}
        }
    }

    fn store(&mut self, served: i64) {
        let new = file(&stored(served, b"{}"));
        for step in steps(self.recover().occupant) {
            self.run(*step, &new);
        }
    }
}

fn whole(served: i64) -> Bytes {
    file(&stored(served, b"{}"))
}

fn disk(current: Option<Bytes>, previous: Option<Bytes>) -> Disk {
    let files = [("current", current), ("previous", previous)];
    Disk {
        files: files
            .into_iter()
            .filter_map(|(name, file)| Some((name, file?)))
            .collect(),
        ..Disk::default()
    }
}

fn torn(served: i64) -> Bytes {
    let whole = whole(served);
    whole.slice(..whole.len() - 1)
}

#[test]
fn the_newest_whole_document_is_taken_and_the_rest_is_named() {
    let foreign = || Some(Bytes::from_static(b"notes"));
    let older = || Some(Bytes::from_static(b"edge-proxy document 0\nrest"));
    for (disk, served, says) in [
        (disk(None, None), None, ""),
        (disk(Some(whole(2)), Some(whole(1))), Some(2), ""),
        (disk(None, Some(whole(1))), Some(1), ""),
        (
            disk(Some(torn(2)), Some(whole(1))),
            Some(1),
            "the stored document is torn or damaged and is skipped",
        ),
        (disk(foreign(), Some(whole(1))), Some(1), "is no stored document"),
        (disk(older(), None), None, "is of version 0"),
        (
            disk(Some(torn(2)), Some(torn(1))),
            None,
            "the stored previous is torn",
        ),
    ] {
        let recovered = disk.recover();
        let complaints = recovered.complaints.join("; ");
        assert_eq!(disk.served(), served, "{complaints}");
        assert!(complaints.contains(says), "{complaints}");
        assert_eq!(complaints.is_empty(), says.is_empty(), "{complaints}");
    }
}

#[test]
fn what_is_not_ours_is_never_lost() {
    for file in [
        "notes",
        "edge-proxy document 0\nrest",
        "edge-proxy document 2\nrest",
    ] {
        let mut disk = disk(Some(Bytes::from_static(file.as_bytes())), None);
        disk.store(1);
        disk.store(2);
        assert_eq!(disk.served(), Some(2));
        assert_eq!(disk.set_aside, [file.as_bytes()]);
    }
}

proptest! {
    /// Documents are stored one after the other; in one of them the process ends after some step.
    #[test]
    fn wherever_a_process_ends_its_last_stored_document_is_there(
        stored_before in 0_i64..4,
        first_is in 0..4,
        ends_after in 0_usize..5,
    ) {
        let mut disk = match first_is {
            0 => disk(None, None),
            1 => disk(Some(torn(-5)), Some(whole(-6))),
            2 => disk(Some(Bytes::from_static(b"notes")), Some(whole(-6))),
            _ => disk(None, Some(whole(-6))),
        };
        for number in 1..=stored_before {
            disk.store(number);
        }
        let acknowledged = disk.served();
        let new = whole(100);
        for step in steps(disk.recover().occupant).iter().take(ends_after) {
            disk.run(*step, &new);
        }
        let served = disk.served();
        prop_assert!(served == acknowledged || served == Some(100), "{served:?} after {acknowledged:?}");
        // And the next process goes on.
        disk.store(200);
        prop_assert_eq!(disk.served(), Some(200));
    }

    /// The disk loses one of the two files that it was handed.
    #[test]
    fn with_one_file_damaged_the_other_is_served(count in 2_i64..5, is_current: bool, place: prop::sample::Index, bit in 0..8) {
        let mut disk = Disk::default();
        for number in 1..=count {
            disk.store(number);
        }
        let damaged = if is_current { "current" } else { "previous" };
        let mut bytes = disk.files[damaged].to_vec();
        let place = place.index(bytes.len());
        bytes[place] ^= 1_u8 << bit;
        disk.files.insert(damaged, bytes.into());
        prop_assert_eq!(disk.served(), Some(if is_current { count - 1 } else { count }));
        // A damaged one never takes the place of the whole one.
        disk.store(count + 1);
        prop_assert_eq!(disk.served(), Some(count + 1));
        if is_current {
            disk.files.remove("current");
            prop_assert_eq!(disk.served(), Some(count - 1));
        }
    }
}
