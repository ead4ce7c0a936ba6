//! Which of an environment's files is to be believed, and in which steps they are replaced; pure.
//!
//! Wherever a process ends between two steps, or the disk tears what is not handed to it yet, one of the two files is whole,
//! and holds what was stored last or what was about to be.
use super::format::{Stored, Unreadable};
use super::names::Generation;

/// What is known of the file under [`Generation::Current`]'s name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Occupant {
    /// Nothing.
    Nobody,
    /// A whole document.
    Whole,
    /// One of ours that nobody can use.
    Damaged,
    /// Something that is not ours, or of another version: it must not be lost.
    Foreign,
}

/// One file, looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Look {
    Missing,
    Whole(Stored),
    Unusable(Unreadable),
    /// The disk gives an error; its text.
    Failed(String),
}

impl Look {
    fn occupant(&self) -> Occupant {
        match self {
            Self::Missing => Occupant::Nobody,
            Self::Whole(_) => Occupant::Whole,
            Self::Unusable(Unreadable::Damaged) => Occupant::Damaged,
            // What cannot be read may be anybody's.
            Self::Unusable(_) | Self::Failed(_) => Occupant::Foreign,
        }
    }
}

/// What came of an environment's files.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Recovered {
    pub(super) stored: Option<Stored>,
    pub(super) occupant: Occupant,
    /// For the operator, about files that were skipped.
    pub(super) complaints: Vec<String>,
}

/// Takes the newest whole document there is.
pub(super) fn recover(mut look: impl FnMut(Generation) -> Look) -> Recovered {
    let mut complaints = Vec::new();
    let mut take = |generation, look: Look| match look {
        Look::Whole(stored) => Some(stored),
        Look::Missing => None,
        Look::Unusable(unreadable) => {
            complaints.push(complaint(generation, unreadable));
            None
        }
        Look::Failed(why) => {
            complaints.push(format!(
                "the stored {generation} cannot be read ({why}) and is skipped"
            ));
            None
        }
    };
    let current = look(Generation::Current);
    let occupant = current.occupant();
    let stored =
        take(Generation::Current, current).or_else(|| take(Generation::Previous, look(Generation::Previous)));
    Recovered {
        stored,
        occupant,
        complaints,
    }
}

fn complaint(generation: Generation, unreadable: Unreadable) -> String {
    let what = match unreadable {
        Unreadable::Foreign => "is no stored document of this environment".to_owned(),
        Unreadable::Version(version) => format!("is of version {version} of the format"),
        Unreadable::Damaged => "is torn or damaged".to_owned(),
    };
    format!("the stored {generation} {what} and is skipped")
}

/// One step of replacing a document. Each is whole for every other process, and for the next one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// The new document, under a name of its own, handed to the disk.
    WriteUnfinished,
    /// What is not ours gets another name.
    SetAside,
    /// The current document becomes the previous one.
    KeepAsPrevious,
    /// The new document gets its name.
    Name,
    /// The names are handed to the disk.
    SyncFolder,
}

/// The steps that store a document. What cannot be used never takes the place of the previous document, which is the last
/// whole one then.
pub(super) fn steps(occupant: Occupant) -> &'static [Step] {
    match occupant {
        Occupant::Nobody | Occupant::Damaged => &[Step::WriteUnfinished, Step::Name, Step::SyncFolder],
        Occupant::Whole => &[
            Step::WriteUnfinished,
            Step::KeepAsPrevious,
            Step::Name,
            Step::SyncFolder,
        ],
        Occupant::Foreign => &[
            Step::WriteUnfinished,
            Step::SetAside,
            Step::Name,
            Step::SyncFolder,
        ],
    }
}

/// Whether a document is to be stored where this process has just found another one.
///
/// Of one source upstream's number says which is newer, and of one number the served one does: it is raised where content changes
/// under an unmoved one, after a time in which it is unsettled. Numbers of different sources say nothing of each other.
pub(super) fn is_news(stored: &Stored, there: &Stored) -> bool {
    stored.source != there.source
        || age(stored) > age(there)
        || (age(stored) == age(there) && stored.document != there.document)
}

/// What says which of two documents of one source is newer.
pub(super) fn age(stored: &Stored) -> impl PartialOrd + use<> {
    (stored.upstream, stored.served, stored.is_unsettled, stored.told)
}

#[cfg(test)]
mod tests;
