//! The smallest documents: one feature, `banner`.
use serde_json::{Value, json};

use super::parts::{environment, feature_state, identity_override};

/// The key pair of most tests that serve them.
const CLIENT_SIDE_KEY: &str = "client-key";

/// An environment document with one feature, `banner`, of this value.
pub fn document(value: &str, updated_at: &str) -> String {
    page(value, updated_at, &[])
}

/// The same with overrides of these identities, who all see `overridden`.
pub fn page(value: &str, updated_at: &str, identifiers: &[&str]) -> String {
    let overridden = [banner("overridden")];
    let overrides: Vec<_> = identifiers
        .iter()
        .map(|identifier| identity_override(CLIENT_SIDE_KEY, identifier, &overridden))
        .collect();
    let mut document = environment(CLIENT_SIDE_KEY, updated_at, vec![banner(value)]);
    document["identity_overrides"] = json!(overrides);
    document.to_string()
}

/// A later page: identity overrides and nothing else of interest.
pub fn later_page(identifiers: &[&str]) -> String {
    page("ignored", "2024-01-01T00:00:00+00:00", identifiers)
}

fn banner(value: &str) -> Value {
    feature_state(1, "banner", value)
}
