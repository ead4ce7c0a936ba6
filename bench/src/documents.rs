//! Environment documents to serve, in the shapes of Flagsmith's own sizing profile.
#![allow(
    clippy::indexing_slicing,
    reason = "a JSON object takes whatever field is assigned to it"
)]
use std::fmt::Write;

use serde_json::{Value, json};
use test_support::documents as parts;

/// The client-side key of every document here, as long as the one that SDKs were recorded with.
pub const CLIENT_KEY: &str = "bench_client";

/// The server-side key that opens it, likewise.
pub const SERVER_KEY: &str = "ser.bench_main";

/// How large a document is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Profile {
    /// Features.
    pub features: usize,
    /// Segments.
    pub segments: usize,
    /// The features that each of them overrides.
    pub overrides: Overrides,
    /// Conditions of each segment, each on a trait of its own; all must hold.
    pub conditions: usize,
    /// Identities that have overrides.
    pub identity_overrides: usize,
    /// How many features each of them overrides.
    pub own_features: usize,
}

/// Which features a segment overrides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Overrides {
    /// Every one.
    All,
    /// So many, far from each other.
    Few(usize),
    /// Every second one; the next segment overrides the others.
    Alternating,
}

impl Overrides {
    /// Whether a segment overrides a feature, both counted from 1.
    fn have(self, segment: usize, feature: usize, features: usize) -> bool {
        match self {
            Self::All => true,
            // In the middle of each of so many equal parts.
            Self::Few(count) => {
                (0..count).any(|part| ((2 * part + 1) * features).div_ceil(2 * count) == feature)
            }
            Self::Alternating => feature % 2 == segment % 2,
        }
    }
}

/// Ten features, no segment.
pub const SIMPLE: Profile = Profile {
    features: 10,
    segments: 0,
    overrides: Overrides::All,
    conditions: 0,
    identity_overrides: 0,
    own_features: 1,
};

/// Flagsmith's sizing profile: 50 features, 15 segments, 750 segment overrides, 15 conditions a segment; some 250 kB.
pub const SIZING: Profile = Profile {
    features: 50,
    segments: 15,
    overrides: Overrides::All,
    conditions: 15,
    identity_overrides: 0,
    own_features: 1,
};

/// Some 5 MB.
pub const LARGE: Profile = Profile {
    identity_overrides: 9_000,
    ..SIZING
};

/// Some 50 MB.
pub const HUGE: Profile = Profile {
    identity_overrides: 100_000,
    ..SIZING
};

impl Profile {
    /// The document. Another `edition` is another content of the same size.
    pub fn document(&self, edition: u32) -> Vec<u8> {
        let segments: Vec<Value> = (1..=self.segments).map(|segment| self.segment(segment)).collect();
        let mut features: Vec<Value> = (1..=self.features)
            .map(|feature| feature_state(feature, value(feature), None))
            .collect();
        if let Some(first) = features
            .first_mut()
            .and_then(|first| first.get_mut("feature_state_value"))
        {
            *first = json!(format!("edition {edition:010}"));
        }
        let mut environment = parts::environment(CLIENT_KEY, "2026-11-20T10:00:00.123456+00:00", features);
        environment["project"]["segments"] = json!(segments);
        if let Some(fields) = environment.as_object_mut() {
            fields.remove("identity_overrides");
        }
        // The identity overrides are written one by one: as values they would take ten times their text.
        let mut text = environment.to_string();
        text.pop();
        text.push_str(r#","identity_overrides":["#);
        for identity in 0..self.identity_overrides {
            if identity > 0 {
                text.push(',');
            }
            // Writing to memory does not fail.
            let _ = write!(text, "{}", self.identity_override(identity));
        }
        text.push_str("]}");
        text.into_bytes()
    }

    fn segment(&self, segment: usize) -> Value {
        let conditions: Vec<Value> = (0..self.conditions)
            .map(|condition| match condition % 3 {
                0 => {
                    json!({"operator": "GREATER_THAN", "property_": trait_key(condition), "value": (segment * 10).to_string()})
                }
                _ => json!({"operator": "EQUAL", "property_": trait_key(condition), "value": segment.to_string()}),
            })
            .collect();
        let overrides: Vec<Value> = (1..=self.features)
            .filter(|feature| self.overrides.have(segment, *feature, self.features))
            .map(|feature| {
                let value = json!(format!("segment_{segment}_value_{feature}"));
                feature_state(feature, value, Some(segment))
            })
            .collect();
        json!({
            "id": segment,
            "name": format!("segment_{segment}"),
            "rules": [{"type": "ALL", "conditions": [], "rules": [{"type": "ALL", "conditions": conditions, "rules": []}]}],
            "feature_states": overrides,
        })
    }

    fn identity_override(&self, identity: usize) -> Value {
        let own: Vec<Value> = (identity..identity + self.own_features)
            .map(|place| feature_state(1 + place % self.features, json!(format!("own_{place}")), None))
            .collect();
        let mut seen = parts::identity_override(CLIENT_KEY, &identifier(identity), &own);
        seen["identity_uuid"] = json!(parts::uuid(identity));
        seen
    }
}

fn identifier(identity: usize) -> String {
    format!("identity_{identity}")
}

fn value(feature: usize) -> Value {
    match feature % 5 {
        0 => json!("on"),
        1 => json!(42),
        2 => json!(true),
        3 => json!("a longer value of a feature flag"),
        _ => Value::Null,
    }
}

fn feature_state(feature: usize, value: Value, segment: Option<usize>) -> Value {
    let mut state = parts::feature_state(feature, &format!("feature_{feature}"), value);
    state["django_id"] = json!(feature * 1000 + segment.unwrap_or(0));
    state["feature_segment"] = json!(segment.map(|segment| json!({"priority": segment})));
    state
}

fn trait_key(condition: usize) -> String {
    format!("trait_{condition}")
}

/// The body of an identity that is in no segment: five traits, three of which the sizing profile's segments read.
pub fn identity_without_match() -> String {
    identity(&[
        ("trait_0", json!(15)),
        ("trait_1", json!("3")),
        ("trait_2", json!("3")),
        ("trait_3", json!(31)),
        ("plan", json!("pro")),
    ])
}

/// The body of an identity whose traits all match segment 7 of the sizing profile, and no other.
pub fn identity_of_segment_7() -> String {
    let traits: Vec<_> = (0..15)
        .map(|number| (trait_key(number), json!(if number % 3 == 0 { 71 } else { 7 })))
        .collect();
    let traits: Vec<_> = traits
        .iter()
        .map(|(key, value)| (key.as_str(), value.clone()))
        .collect();
    identity(&traits)
}

/// The body of the first identity that has overrides of its own.
pub fn identity_with_overrides() -> String {
    json!({"identifier": identifier(0), "traits": []}).to_string()
}

/// The body of an identity with so many traits, `trait_0` and on, which match nothing.
pub fn identity_with_traits(count: usize) -> String {
    let traits: Vec<_> = (0..count).map(|number| (trait_key(number), json!(0))).collect();
    let traits: Vec<_> = traits
        .iter()
        .map(|(key, value)| (key.as_str(), value.clone()))
        .collect();
    identity(&traits)
}

fn identity(traits: &[(&str, Value)]) -> String {
    let traits: Vec<Value> = traits
        .iter()
        .map(|(key, value)| json!({"trait_key": key, "trait_value": value}))
        .collect();
    json!({"identifier": "somebody_else", "traits": traits}).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn overridden(overrides: Overrides, segment: usize, features: usize) -> Vec<usize> {
        let is_overridden = |feature: &usize| overrides.have(segment, *feature, features);
        (1..=features).filter(is_overridden).collect()
    }

    #[test]
    fn a_segment_overrides_as_many_features_as_its_profile_says() {
        assert_eq!(overridden(Overrides::All, 1, 3), [1, 2, 3]);
        assert_eq!(overridden(Overrides::Few(3), 7, 50), [9, 25, 42]);
        assert_eq!(overridden(Overrides::Few(3), 7, 10), [2, 5, 9]);
        assert_eq!(overridden(Overrides::Alternating, 1, 5), [1, 3, 5]);
        assert_eq!(overridden(Overrides::Alternating, 2, 5), [2, 4]);
    }
}
