//! The parts of a document as upstream writes them, borrowed. The engine cannot understand a part that does not fit its
//! type. Members that may hold anything stay text; those that it does not know are passed over.
use serde_json::value::RawValue;

use super::members::{Present, reads_members};
use crate::json::Text;

/// A feature state: of the environment, of a segment override or of an identity override.
pub(crate) struct FeatureState<'a> {
    pub feature: Feature<'a>,
    pub enabled: bool,
    pub feature_state_value: Option<&'a RawValue>,
    pub django_id: Option<&'a RawValue>,
    pub featurestate_uuid: Option<&'a RawValue>,
    pub multivariate_feature_state_values: Option<&'a RawValue>,
    pub feature_segment: Option<&'a RawValue>,
    pub metadata: Option<&'a RawValue>,
}

reads_members!(FeatureState {
    feature: "feature",
    enabled: "enabled",
    feature_state_value: "feature_state_value",
    django_id: "django_id",
    featurestate_uuid: "featurestate_uuid",
    multivariate_feature_state_values: "multivariate_feature_state_values",
    feature_segment: "feature_segment",
    metadata: "metadata"
});

impl<'a> FeatureState<'a> {
    /// The value, JSON.
    pub(crate) fn value(&self) -> &'a str {
        self.feature_state_value.map_or("null", RawValue::get)
    }

    /// Whether it surely answers the same as another one of its feature.
    pub(crate) fn answers_as(&self, other: &Self) -> bool {
        let plain = |state: &Self| {
            let options = state
                .multivariate_feature_state_values
                .map_or("[]", RawValue::get);
            let metadata = state.metadata.map_or("null", RawValue::get);
            (state.enabled, state.value(), metadata, options == "[]")
        };
        plain(self) == plain(other) && plain(self).3
    }
}

pub(crate) struct Feature<'a> {
    pub id: &'a RawValue,
    pub name: Text<'a>,
    pub r#type: Option<&'a RawValue>,
}

reads_members!(Feature {
    id: "id",
    name: "name",
    r#type: "type"
});

/// How a feature is overridden by a segment.
pub(crate) struct FeatureSegment<'a> {
    pub priority: Option<&'a RawValue>,
}

reads_members!(FeatureSegment { priority: "priority" });

/// The share of identities that get a multivariate option.
pub(crate) struct MultivariateValue<'a> {
    pub id: Option<&'a RawValue>,
    pub mv_fs_value_uuid: Option<&'a RawValue>,
    pub percentage_allocation: &'a RawValue,
    pub multivariate_feature_option: MultivariateOption<'a>,
}

reads_members!(MultivariateValue {
    id: "id",
    mv_fs_value_uuid: "mv_fs_value_uuid",
    percentage_allocation: "percentage_allocation",
    multivariate_feature_option: "multivariate_feature_option"
});

pub(crate) struct MultivariateOption<'a> {
    pub key: Option<&'a RawValue>,
    pub value: Option<&'a RawValue>,
}

reads_members!(MultivariateOption {
    key: "key",
    value: "value"
});

pub(crate) struct Segment<'a> {
    pub id: &'a RawValue,
    pub name: Option<&'a RawValue>,
    pub rules: Option<&'a RawValue>,
    pub feature_states: Option<&'a RawValue>,
}

reads_members!(Segment {
    id: "id",
    name: "name",
    rules: "rules",
    feature_states: "feature_states"
});

pub(crate) struct Rule<'a> {
    pub r#type: Option<&'a RawValue>,
    pub conditions: Option<&'a RawValue>,
    pub rules: Option<&'a RawValue>,
}

reads_members!(Rule {
    r#type: "type",
    conditions: "conditions",
    rules: "rules"
});

pub(crate) struct Condition<'a> {
    pub property_: Option<&'a RawValue>,
    pub property: Option<&'a RawValue>,
    pub operator: Present<'a>,
    pub value: Present<'a>,
}

reads_members!(Condition {
    property_: "property_",
    property: "property",
    operator: "operator",
    value: "value"
});

pub(crate) struct IdentityOverride<'a> {
    pub identifier: &'a RawValue,
    pub identity_features: Option<Vec<&'a RawValue>>,
}

reads_members!(IdentityOverride {
    identifier: "identifier",
    identity_features: "identity_features"
});
