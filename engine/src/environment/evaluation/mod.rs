//! One evaluation: which segments match, which feature states are chosen, and why.
//!
//! # Layout
//! - `segments`: [`Evaluation`], which tells whether segments match. `subject`: one identity as conditions see it.
//!   `found`: what paths find in it. `dependencies`: the flags that segments read.
//! - `winners`: the segment overrides that hold. `choice`: a chosen feature state. `choices`: those of all features.
mod choice;
mod choices;
mod dependencies;
mod found;
mod segments;
mod subject;
mod winners;

pub(super) use choice::{Choice, ChosenBy};
pub(super) use choices::{Choices, Writer};
pub(super) use segments::Evaluation;
