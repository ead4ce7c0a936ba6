//! An evaluation context as the environment document and the request that it stands for.

use super::tree::Tree;

fn leaf(json: impl Into<String>) -> Tree {
    Tree::Leaf(json.into())
}

fn string(text: &str) -> Tree {
    leaf(serde_json::to_string(text).expect("strings are JSON"))
}

fn object<const N: usize>(members: [(&str, Tree); N]) -> Tree {
    Tree::Object(
        members
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value))
            .collect(),
    )
}

fn list(elements: impl Iterator<Item = Tree>) -> Tree {
    Tree::List(elements.collect())
}

/// A member as it is; null where missing.
fn member(tree: &Tree, name: &str) -> Tree {
    tree.get(name).cloned().unwrap_or_else(|| leaf("null"))
}

fn members<'a>(tree: &'a Tree, name: &str) -> &'a [(String, Tree)] {
    tree.get(name).map_or(&[], Tree::members)
}

fn elements<'a>(tree: &'a Tree, name: &str) -> &'a [Tree] {
    tree.get(name).map_or(&[], Tree::elements)
}

/// The environment document of a context.
pub(crate) fn document(context: &Tree) -> Tree {
    let environment = member(context, "environment");
    let features = members(context, "features");
    let segments = members(context, "segments")
        .iter()
        .map(|(_, segment)| self::segment(segment, features));
    object([
        ("id", leaf("1")),
        ("api_key", member(&environment, "key")),
        ("name", member(&environment, "name")),
        (
            "feature_states",
            list(
                features
                    .iter()
                    .map(|(_, feature)| feature_state(feature, features)),
            ),
        ),
        ("identity_overrides", list(std::iter::empty())),
        (
            "project",
            object([
                ("id", leaf("1")),
                ("name", string("project")),
                ("hide_disabled_flags", leaf("false")),
                ("segments", list(segments)),
            ]),
        ),
    ])
}

fn segment(segment: &Tree, features: &[(String, Tree)]) -> Tree {
    let key = segment.get("key").and_then(Tree::string).unwrap_or_default();
    // Ids of documents are numbers; a context's key may be any text.
    let id = if key.parse::<u64>().is_ok() {
        leaf(key)
    } else {
        string(&key)
    };
    let overrides = elements(segment, "overrides").iter().map(|state| {
        let Tree::Object(mut members) = feature_state(state, features) else {
            unreachable!("feature states are objects")
        };
        if let Some(priority) = state.get("priority") {
            members.push((
                "feature_segment".to_owned(),
                object([("priority", priority.clone())]),
            ));
        }
        Tree::Object(members)
    });
    object([
        ("id", id),
        ("name", member(segment, "name")),
        ("rules", list(elements(segment, "rules").iter().map(rule))),
        ("feature_states", list(overrides)),
    ])
}

fn rule(rule: &Tree) -> Tree {
    let conditions = elements(rule, "conditions").iter().map(|condition| {
        object([
            ("operator", member(condition, "operator")),
            ("value", member(condition, "value")),
            ("property_", member(condition, "property")),
        ])
    });
    object([
        ("type", member(rule, "type")),
        ("conditions", list(conditions)),
        ("rules", list(elements(rule, "rules").iter().map(self::rule))),
    ])
}

fn feature_state(feature: &Tree, features: &[(String, Tree)]) -> Tree {
    let name = member(feature, "name");
    // A few have no id: their place among the features, which no other id of the case equals.
    let place = features
        .iter()
        .position(|(_, other)| other.get("name").map(Tree::to_json) == Some(name.to_json()));
    let id = feature
        .get("metadata")
        .and_then(|metadata| metadata.get("id"))
        .cloned();
    let variants = elements(feature, "variants").iter().map(|variant| {
        object([
            ("id", member(variant, "priority")),
            ("percentage_allocation", member(variant, "weight")),
            (
                "multivariate_feature_option",
                object([
                    ("value", member(variant, "value")),
                    ("key", member(variant, "key")),
                ]),
            ),
        ])
    });
    let key = feature.get("key").and_then(Tree::string).unwrap_or_default();
    object([
        (
            "feature",
            object([
                (
                    "id",
                    id.unwrap_or_else(|| leaf(format!("{}", place.unwrap_or(features.len())))),
                ),
                ("name", name),
                ("type", string("STANDARD")),
            ]),
        ),
        ("enabled", member(feature, "enabled")),
        ("feature_state_value", member(feature, "value")),
        ("featurestate_uuid", string(&key)),
        ("multivariate_feature_state_values", list(variants)),
    ])
}

/// The body of `POST identities/` of a context's identity.
pub(crate) fn identity(identity: &Tree) -> Tree {
    let traits = members(identity, "traits")
        .iter()
        .map(|(key, value)| object([("trait_key", string(key)), ("trait_value", value.clone())]));
    object([
        ("identifier", member(identity, "identifier")),
        ("traits", list(traits)),
    ])
}
