//! The EnvironmentActor: owns the documents, polls upstream or watches files, publishes to the replicas.
//!
//! # Layout
//! - [`EnvironmentHandle`] (`handle`): what routes and main hold.
//! - `configuration`: which environments are configured, under which ids; pure.
//! - [`EnvironmentStatus`] (`status`): what operators see; `history`: what it knows of the past.
//! - `report`: what the operator hears; `ownership`: whether a document is its key pair's own.
//! - `options`: what it is started with and what it answers.
//! - `actor`: the thin shell: fetches, timers, `messages`; an `entry` for each environment; the `listeners` it tells.
//! - `publisher`: snapshots to replicas, acknowledged; `registry`: the replicas and the newest snapshot;
//!   `worker_watch`: which HTTP worker is dead and which is busy.
//! - `state`: the decisions of one environment, pure: (state, event, now) → next action, both in `events`. Its parts:
//!   `versions` (content and the two `updated_at`), `schedule` (periods and backoff), `push` (announced changes).
//! - `polls`: polls as spans.
//! - `source`: one fetch from wherever; `file`: documents read from files.
//! - `keeping`: what the store has of one environment; pure. `loading`: documents that no fetch gave: stored ones and fallbacks.
//! - [`Examiner`] (`examination`): what sources give, for those who look for a fault.
//! - [`DocumentSnapshot`] (`snapshot`): what an environment holds now, for a file.
//! - [`DocumentCounts`] (`counts`): how long documents took.
//! - `apply`: parse, compare, compile, build bodies; on [`threads`](crate::threads) of their own, as are `looks` at files.
mod actor;
mod apply;
mod configuration;
mod counts;
mod entry;
mod events;
mod examination;
mod file;
mod handle;
mod history;
mod keeping;
mod listeners;
mod loading;
mod looks;
mod messages;
mod options;
mod ownership;
mod polls;
mod publisher;
mod push;
mod registry;
mod report;
mod schedule;
mod snapshot;
mod source;
mod state;
mod status;
mod versions;
mod worker_watch;

pub use counts::DocumentCounts;
pub use examination::{DocumentReport, Examiner, PolledReport, Unexamined};
pub use handle::{EnvironmentHandle, Unavailable};
pub use loading::check_document;
pub use options::{
    ActorOptions, ConfiguredEnvironment, DocumentSource, EnvironmentEvent, EnvironmentOptions, Patience,
    PollingOptions, ReplicaOptions, UnconditionalFetches,
};
pub use ownership::{Foreign, ForeignFile, foreign_files};
pub use snapshot::DocumentSnapshot;
pub use status::{ChangeSource, EnvironmentStatus, FetchCounts, KeyInUse, LastChange, LastFailure, Warnings};
