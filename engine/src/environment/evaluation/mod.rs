//! One evaluation: which segments match, which feature states are chosen, and why.
//!
//! # Layout
//! - `segments`: [`Evaluation`], which tells whether segments match. `subject`: one identity as conditions see it.
//!   `found`: what paths find in it. `dependencies`: the flags that segments read; `flag_results`: what they read of them.
//! - `blame`: why a segment does not match. `culprit`: the conditions that are to blame, and what they were asked about.
//! - `winners`: the segment overrides that hold. `choice`: a chosen feature state. `choices`: those of all features.
mod blame;
mod choice;
mod choices;
mod culprit;
mod dependencies;
mod flag_results;
mod found;
mod segments;
mod subject;
mod winners;

pub(super) use choice::Choice;
pub(crate) use choice::ChosenBy;
pub(super) use choices::{Choices, Writer};
pub(crate) use culprit::{Blame, Culprit, Fault, Found, Origin, Place, PlacedSplit};
pub(super) use segments::Evaluation;
