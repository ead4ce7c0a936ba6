//! The benchmark program: see `main.rs`.
pub mod disturbance;
pub mod evaluation;
pub mod footprint;
pub mod limits;
pub mod machine;
pub mod options;
pub mod report;
pub mod requests;
