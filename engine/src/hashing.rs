//! Percentage hashes: which bucket an identity falls in.

/// The percentage of two ids, 0 to below 100.
pub fn hashed_percentage(_first: &str, _second: &str) -> f64 {
    todo!()
}
