//! The parts of a document as upstream writes them, borrowed. The engine cannot understand a part that does not fit its
//! type. Fields that may hold anything stay text.
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::json::{Text, present};

/// A feature state: of the environment, of a segment override or of an identity override.
#[derive(Deserialize)]
pub(crate) struct FeatureState<'a> {
    #[serde(borrow)]
    pub feature: Feature<'a>,
    pub enabled: bool,
    #[serde(borrow, default)]
    pub feature_state_value: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub django_id: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub featurestate_uuid: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub multivariate_feature_state_values: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub feature_segment: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub metadata: Option<&'a RawValue>,
}

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

#[derive(Deserialize)]
pub(crate) struct Feature<'a> {
    #[serde(borrow)]
    pub id: &'a RawValue,
    #[serde(borrow)]
    pub name: Text<'a>,
    #[serde(borrow, default)]
    pub r#type: Option<&'a RawValue>,
}

/// How a feature is overridden by a segment.
#[derive(Deserialize)]
pub(crate) struct FeatureSegment<'a> {
    #[serde(borrow, default)]
    pub priority: Option<&'a RawValue>,
}

/// The share of identities that get a multivariate option.
#[derive(Deserialize)]
pub(crate) struct MultivariateValue<'a> {
    #[serde(borrow, default)]
    pub id: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub mv_fs_value_uuid: Option<&'a RawValue>,
    #[serde(borrow)]
    pub percentage_allocation: &'a RawValue,
    #[serde(borrow)]
    pub multivariate_feature_option: MultivariateOption<'a>,
}

#[derive(Deserialize)]
pub(crate) struct MultivariateOption<'a> {
    #[serde(borrow, default)]
    pub key: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub value: Option<&'a RawValue>,
}

#[derive(Deserialize)]
pub(crate) struct Segment<'a> {
    #[serde(borrow)]
    pub id: &'a RawValue,
    #[serde(borrow, default)]
    pub name: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub rules: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub feature_states: Option<&'a RawValue>,
}

#[derive(Deserialize)]
pub(crate) struct Rule<'a> {
    #[serde(borrow, default)]
    pub r#type: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub conditions: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub rules: Option<&'a RawValue>,
}

#[derive(Deserialize)]
pub(crate) struct Condition<'a> {
    #[serde(borrow, default)]
    pub property_: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub property: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "present")]
    pub operator: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "present")]
    pub value: Option<&'a RawValue>,
}

#[derive(Deserialize)]
pub(crate) struct IdentityOverride<'a> {
    #[serde(borrow)]
    pub identifier: &'a RawValue,
    #[serde(borrow, default)]
    pub identity_features: Option<Vec<&'a RawValue>>,
}
