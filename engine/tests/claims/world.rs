//! Documents and identities that explanations are made of.
use bytes::Bytes;
use engine::{Document, Environment, Identity, KeyKind};
use serde_json::{Value, json};

/// An environment with one identity.
#[derive(Debug, Clone)]
pub(super) struct World {
    pub segments: Vec<Value>,
    pub features: Vec<Value>,
    pub identifier: String,
    pub traits: Vec<(String, Value)>,
    pub name: Value,
    pub overrides: Vec<Value>,
    pub hides_disabled: bool,
    pub takes_traits: bool,
}

impl World {
    /// One identity of an environment of these features, whose segments have these rules.
    pub(super) fn plain(identifier: &str, features: Vec<Value>, rules: &[Value]) -> Self {
        let segment = |(id, rules): (i32, &Value)| json!({"id": id, "name": format!("segment {id}"), "rules": [rules], "feature_states": []});
        Self {
            segments: (1..).zip(rules).map(segment).collect(),
            features,
            identifier: identifier.to_owned(),
            traits: Vec::new(),
            name: json!("Plain"),
            overrides: Vec::new(),
            hides_disabled: false,
            takes_traits: true,
        }
    }

    /// The document, of these features and segments.
    pub(super) fn document(&self, features: &[Value], segments: &[Value]) -> Value {
        json!({
            "id": 1, "api_key": "key", "name": self.name, "feature_states": features, "identity_overrides": self.overrides,
            "allow_client_traits": self.takes_traits,
            "project": {
                "id": 1, "name": "p", "hide_disabled_flags": self.hides_disabled, "segments": segments,
                "organisation": {"id": 1, "name": "o", "stop_serving_flags": false},
                "server_key_only_feature_ids": [3],
            },
        })
    }

    pub(super) fn compile(&self) -> (Document, Environment) {
        compile(&self.document(&self.features, &self.segments))
    }

    /// The identity, as `identities/` takes it.
    pub(super) fn body(&self) -> String {
        let traits = self.traits.iter();
        let traits: Vec<Value> = traits
            .map(|(key, value)| json!({"trait_key": key, "trait_value": value}))
            .collect();
        json!({"identifier": self.identifier, "traits": traits}).to_string()
    }

    /// The feature states that identities override themselves.
    pub(super) fn own_states(&self) -> Vec<&Value> {
        let states = self.overrides.iter();
        states.map(|own| &own["identity_features"][0]).collect()
    }

    /// The same world as conditions see it when this kind of key asks.
    pub(super) fn as_seen_by(&self, kind: KeyKind) -> Self {
        let mut world = self.clone();
        if kind == KeyKind::Client && !self.takes_traits {
            world.traits.clear();
        }
        world
    }

    /// The same world, where the identity has this trait alone of its key.
    pub(super) fn with_trait(&self, key: &str, value: Value) -> Self {
        let mut world = self.clone();
        world.traits.retain(|(own, _)| own.trim() != key);
        world.traits.push((key.to_owned(), value));
        world
    }
}

pub(super) fn compile(document: &Value) -> (Document, Environment) {
    let page = Bytes::from(document.to_string());
    let document = Document::from_pages(vec![page]).expect("a document");
    let environment = Environment::compile(&document).expect("it compiles").0;
    (document, environment)
}

pub(super) fn identity(body: &str) -> Identity<'_> {
    Identity::from_json(body.as_bytes(), || [0; 16]).expect("an identity")
}
