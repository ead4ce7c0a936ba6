//! What operators see of one environment.
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use engine::UpdatedAt;

use crate::keys::EnvironmentId;

/// How one environment fares.
#[derive(Debug, Clone)]
pub struct EnvironmentStatus {
    /// Which environment.
    pub environment: EnvironmentId,
    /// Name from the document; `None` before the first.
    pub name: Option<String>,
    /// Id from the document as JSON text.
    pub id: Option<String>,
    /// `ok`, `stale`, `not updated`, `key rejected`, `fallback`.
    pub status: &'static str,
    /// Why the last fetch failed, and whether what is served is another environment's; what to do about it. `None` where all
    /// is well.
    pub detail: Option<String>,
    /// Whether a document is served.
    pub is_served: bool,
    /// Whether its last successful poll is within the period and the grace period.
    pub is_fresh: bool,
    /// When upstream last answered well.
    pub last_successful_update: Option<SystemTime>,
    /// How long ago that was, whatever the clock has been set to since.
    pub age: Option<Duration>,
    /// The served `updated_at`.
    pub updated_at: Option<UpdatedAt>,
    /// The last time that it got other content in this process, the first included.
    pub last_change: Option<LastChange>,
    /// The last fetch that failed, whether others have succeeded since or not.
    pub last_failure: Option<LastFailure>,
    /// The server-side key that it is fetched with; `None`: its source asks for none.
    pub key: Option<KeyInUse>,
    /// What of its document could not be understood.
    pub warnings: Warnings,
    /// How its fetches ended so far.
    pub fetches: FetchCounts,
}

/// When an environment got other content, and how.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LastChange {
    /// How it came.
    pub source: ChangeSource,
    /// When it was applied.
    pub at: SystemTime,
}

/// How content came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChangeSource {
    /// A poll found it.
    Poll,
    /// Flagsmith announced it (`queue-change`).
    Push,
    /// Flagsmith's realtime service announced it.
    Stream,
    /// Its file holds it.
    File,
    /// It was stored before the start.
    Store,
    /// Its fallback document is it.
    Seed,
}

impl ChangeSource {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::Poll,
        Self::Push,
        Self::Stream,
        Self::File,
        Self::Store,
        Self::Seed,
    ];

    /// Names it in a word.
    pub fn name(self) -> &'static str {
        match self {
            Self::Poll => "poll",
            Self::Push => "push",
            Self::Stream => "stream",
            Self::File => "file",
            Self::Store => "store",
            Self::Seed => "seed",
        }
    }
}

/// A fetch that failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LastFailure {
    /// Why, and what to do about it; never a key.
    pub reason: String,
    /// When it ended.
    pub at: SystemTime,
    /// Whether a fetch has succeeded since.
    pub is_over: bool,
}

/// Which of an environment's server-side keys is in use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyInUse {
    /// Its place among them, from 1.
    pub place: usize,
    /// How many there are.
    pub of: usize,
}

/// What of a document could not be understood.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Warnings {
    /// How many different warnings there are.
    pub count: usize,
    /// The first of them; a generated document can have one a segment.
    pub first: Arc<[String]>,
}

/// How fetches ended. Those that were given up because something else was due are not among them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct FetchCounts {
    /// Other content came, and is served.
    pub changed: u64,
    /// The content was the same, or upstream said that nothing has changed (304).
    pub unchanged: u64,
    /// Upstream rejected the key (401, 403).
    pub rejected: u64,
    /// Upstream limits the rate (429).
    pub limited: u64,
    /// Nothing came in time.
    pub late: u64,
    /// Upstream was not reached, or the connection broke.
    pub unreachable: u64,
    /// What upstream answered is no document.
    pub bad_answer: u64,
    /// What was asked for cannot be had: the URL or the file cannot be used, or there is no memory for the document.
    pub unusable: u64,
}

impl FetchCounts {
    /// All of them, each with the word for how they ended.
    pub fn by_outcome(&self) -> [(&'static str, u64); 8] {
        [
            ("changed", self.changed),
            ("unchanged", self.unchanged),
            ("key_rejected", self.rejected),
            ("rate_limited", self.limited),
            ("timeout", self.late),
            ("unreachable", self.unreachable),
            ("bad_answer", self.bad_answer),
            ("unusable", self.unusable),
        ]
    }

    /// Those that failed in another way than by the key or the rate.
    pub fn failed(&self) -> u64 {
        let failed = [self.late, self.unreachable, self.bad_answer, self.unusable];
        failed.into_iter().fold(0, u64::saturating_add)
    }
}
