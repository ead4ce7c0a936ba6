//! One evaluation: which segments match, which feature states are chosen, and why.
//!
//! # Layout
//! - `segments`: [`Evaluation`], which tells whether segments match. `subject`: one identity as conditions see it.
//!   `found`: what paths find in it. `dependencies`: the flags that segments read.
//! - `blame`: why a segment does not match.
//! - `winners`: the segment overrides that hold. `choice`: a chosen feature state. `choices`: those of all features.
mod blame;
mod choice;
mod choices;
mod dependencies;
mod found;
mod segments;
mod subject;
mod winners;

pub(crate) use blame::{Blame, Culprit, Fault, Found, Place, PlacedSplit};
pub(super) use choice::Choice;
pub(crate) use choice::ChosenBy;
pub(super) use choices::{Choices, Writer};
pub(super) use segments::Evaluation;
