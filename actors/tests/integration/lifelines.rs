//! lifelines
