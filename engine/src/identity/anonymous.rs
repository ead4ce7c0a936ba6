//! Identifiers for identities that come without one.
use std::fmt::Write;

use sha2::{Digest, Sha256};

use super::Trait;

/// The identifier that core gives an anonymous identity with traits (its `get_transient_identifier`): the same traits give the
/// same one, so that percentages are stable. Unset traits are passed over.
pub(super) fn identifier(traits: &[Trait<'_>]) -> String {
    let mut sorted: Vec<&Trait<'_>> = traits.iter().collect();
    sorted.sort_by(|left, right| left.key.cmp(&right.key));
    let mut hash = Sha256::new();
    for sent in sorted {
        hash.update(sent.key.as_bytes());
        hash.update(sent.value.python_text().as_bytes());
    }
    hex(&hash.finalize())
}

/// The identifier of an anonymous identity without traits.
pub(super) fn random_identifier(random: [u8; 16]) -> String {
    hex(&random)
}

fn hex(bytes: &[u8]) -> String {
    bytes
        .iter()
        .fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
            // Writing to memory does not fail.
            let _ = write!(text, "{byte:02x}");
            text
        })
}
