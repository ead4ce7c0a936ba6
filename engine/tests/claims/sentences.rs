//! What is said of a condition: each sentence that claims something is asked of the engine, by the condition or by another one.
use engine::explain::{ExplainedCondition, Explanation};
use serde_json::{Value, json};

use super::alone::{Alone, alone};
use super::rules::condition;
use super::world::World;

pub(super) fn check(world: &World, explanation: &Explanation) {
    for (segment, own) in world.segments.iter().zip(&explanation.segments) {
        for said in own.failed.iter().chain(&own.held) {
            let Some(condition) = condition(segment, said) else {
                assert_eq!(said.property, None, "{}", said.says);
                continue;
            };
            let claims = Claims {
                world,
                segment,
                condition,
                said,
            };
            claims.check();
        }
    }
}

struct Claims<'c> {
    world: &'c World,
    segment: &'c Value,
    condition: &'c Value,
    said: &'c ExplainedCondition,
}

impl Claims<'_> {
    fn check(&self) {
        if self.said.property.is_none() {
            assert!(self.said.says.contains("cannot be read"), "{}", self.said.says);
            assert_eq!(self.ask(self.condition.clone()), Alone::Raises);
            return;
        }
        self.check_found();
        self.check_split();
        self.check_counts();
        self.check_remark();
    }

    fn says(&self, what: &str) -> bool {
        self.said.says.contains(what)
    }

    /// The text between two others, or from one to the end where the second is empty.
    fn between(&self, before: &str, behind: &str) -> Option<&str> {
        let (_, rest) = self.said.says.split_once(before)?;
        match behind {
            "" => Some(rest),
            behind => rest.split_once(behind).map(|(text, _)| text),
        }
    }

    fn ask(&self, condition: Value) -> Alone {
        alone(self.world, self.segment, &condition)
    }

    /// Asks the condition with another operator and value.
    fn ask_with(&self, operator: &str, value: Value) -> Alone {
        let mut condition = self.condition.clone();
        condition["operator"] = operator.into();
        condition["value"] = value;
        self.ask(condition)
    }

    /// The trait that the property names plainly.
    fn plain_key(&self) -> Option<&str> {
        let key = self.said.property.as_deref()?;
        let is_plain = !key.starts_with("$.") && !key.trim().is_empty() && !key.starts_with("flagsmith");
        is_plain.then_some(key)
    }

    /// Asks this operator and value of an identity with another value of the trait; `None`: no trait is named.
    fn ask_of(&self, trait_value: Value, operator: &str, value: &Value) -> Option<Alone> {
        let world = self.world.with_trait(self.plain_key()?, trait_value);
        let condition = json!({"property_": self.plain_key()?, "operator": operator, "value": value});
        Some(alone(&world, self.segment, &condition))
    }

    /// What was found: that something is set, and its text.
    fn check_found(&self) {
        let says = &self.said.says;
        if says.contains(" cannot be read; ") {
            return;
        }
        if self.said.property.as_deref() == Some("") && self.said.split.is_some() {
            return;
        }
        let is_set = match self.ask_with("IS_SET", json!("")) {
            Alone::Holds => true,
            Alone::DoesNotHold => false,
            Alone::Raises => return assert!(self.said.found.is_none(), "{says}"),
        };
        let is_by_identity = self.said.property.as_deref() == Some("")
            && self.said.operator.as_deref() == Some("PERCENTAGE_SPLIT");
        assert!(is_by_identity || self.said.found.is_some() == is_set, "{says}");
        for unset in [" is not set", " finds nothing", "is sent as null", "to split by"] {
            assert!(!is_set || !says.contains(unset), "{says}");
        }
        let Some(found) = &self.said.found else { return };
        let value: Value = serde_json::from_str(found.value.get()).expect("JSON");
        let key = self.plain_key();
        let sent = self.world.traits.iter().rev();
        let sent = sent
            .filter(|(_, value)| !value.is_null())
            .find(|(own, _)| Some(own.trim()) == key);
        if let Some((_, sent)) = sent {
            let is_text = sent.is_string() && value.is_number();
            assert_eq!(found.is_text_read_as_number, is_text, "{says}");
            assert!(sent.is_string() || !value.is_number() || *sent == value, "{says}");
        }
        // Every text, and every whole number as its text, is in the list of itself.
        let listed = match (found.r#type, &value) {
            ("text", Value::String(text)) if text.chars().count() < 100 => text.clone(),
            ("number", _) => found.value.get().trim_matches('"').to_owned(),
            _ => return,
        };
        if !is_by_identity {
            assert_eq!(self.ask_with("IN", json!([listed])), Alone::Holds, "{says}");
        }
        if let Some(text) = self.between("read as the number ", ";") {
            assert!(text.starts_with(found.value.get()), "{says}");
        }
    }

    /// Where something falls: the place is what the engine hashes, and the sentence says what it leads to.
    fn check_split(&self) {
        let Some(split) = self.said.split else { return };
        let holds = split.bucket <= split.limit;
        assert_eq!(self.said.outcome == "holds", holds, "{}", self.said.says);
        let at = |limit: f64| self.ask_with("PERCENTAGE_SPLIT", json!(limit));
        assert_eq!(at(split.bucket), Alone::Holds, "{}", self.said.says);
        assert_eq!(
            at(split.bucket.next_down()),
            Alone::DoesNotHold,
            "{}",
            self.said.says
        );
        let shown = |text: Option<&str>| text.expect("it is said").parse::<f64>().expect("a number");
        let place = shown(self.between(" falls at ", " %"));
        match self.between(" the first ", " %") {
            Some(limit) => {
                let limit = shown(Some(limit));
                assert_eq!(place <= limit, holds, "{}", self.said.says);
                assert_eq!(self.says(" within the first "), holds, "{}", self.said.says);
                assert!((limit - split.limit).abs() < 1e-4, "{}", self.said.says);
            }
            None => assert_eq!(self.says(" takes everybody in"), holds, "{}", self.said.says),
        }
        assert!((place - split.bucket).abs() < 0.01, "{}", self.said.says);
    }

    /// What is claimed of whoever asks.
    fn check_counts(&self) {
        if self.says("NOT_EQUAL neither") {
            for operator in [
                "EQUAL",
                "NOT_EQUAL",
                "GREATER_THAN",
                "GREATER_THAN_INCLUSIVE",
                "LESS_THAN",
                "LESS_THAN_INCLUSIVE",
            ] {
                let asked = self.ask_with(operator, self.condition["value"].clone());
                assert_eq!(asked, Alone::DoesNotHold, "{operator}: {}", self.said.says);
            }
        }
        if self.says("never holds") || self.says("holds for nobody") {
            let operator = self.said.operator.as_deref().unwrap_or_default();
            for sent in [json!("a"), json!(1), json!(2.5), json!(true), json!("")] {
                let asked = self.ask_of(sent, operator, &self.condition["value"]);
                assert_ne!(asked, Some(Alone::Holds), "{}", self.said.says);
            }
        }
        if let Some(near) = self.between(" is not set; ", " is: misspelt?") {
            let near: String = serde_json::from_str(near).expect("a name");
            let mut sent = self.world.traits.iter();
            assert!(sent.any(|(key, value)| key.trim() == near && !value.is_null()));
        }
    }

    /// What surprises people.
    fn check_remark(&self) {
        let value = &self.condition["value"];
        let says = &self.said.says;
        for read_as in [true, false] {
            if self.says(&format!(" as {read_as}")) && self.says("a boolean is compared") {
                for sent in [true, false] {
                    let asked = self.ask_of(json!(sent), "EQUAL", value);
                    let expected = if sent == read_as {
                        Alone::Holds
                    } else {
                        Alone::DoesNotHold
                    };
                    assert!(asked.is_none_or(|asked| asked == expected), "{says}");
                }
            }
        }
        if let Some(text) = self.between(" is compared as the text ", "") {
            let text: Value = serde_json::from_str(text).expect("a text");
            let (operator, expected) = match self.said.operator.as_deref() {
                Some("CONTAINS") => ("CONTAINS", Alone::Holds),
                Some("NOT_CONTAINS") => ("NOT_CONTAINS", Alone::DoesNotHold),
                _ => ("EQUAL", Alone::Holds),
            };
            let asked = self.ask_of(text, operator, value);
            assert!(asked.is_none_or(|asked| asked == expected), "{says}");
        }
        if self.says("they differ in ") {
            let asked = self.ask_of(value.clone(), "EQUAL", value);
            assert!(asked.is_none_or(|asked| asked == Alone::Holds), "{says}");
        }
        if let Some(text) = self.between("the list has ", ",") {
            // A comma may be in the text.
            if let Ok(listed) = serde_json::from_str::<Value>(text)
                && self.says(" alone")
            {
                let asked = self.ask_of(listed, "IN", value);
                assert!(asked.is_none_or(|asked| asked == Alone::Holds), "{says}");
            }
        }
        if let Some((version, _)) = says.split_once(" is no semantic version") {
            let version = version.rsplit("; ").next().unwrap_or_default();
            let version = version.strip_prefix("the condition's ").unwrap_or(version);
            if let Ok(Value::String(version)) = serde_json::from_str(version) {
                let versions = json!(format!("{version}:semver"));
                let asked = self.ask_of(json!(version), "EQUAL", &versions);
                assert!(asked.is_none_or(|asked| asked != Alone::Holds), "{says}");
            }
        }
        for what in ["read as the whole number ", " is read as the number "] {
            if let Some(number) = self.between(what, "")
                && !self.says("text that conditions")
            {
                let number: Value = serde_json::from_str(number).expect("a number");
                let asked = self.ask_of(number, "EQUAL", value);
                assert!(asked.is_none_or(|asked| asked == Alone::Holds), "{says}");
            }
        }
        if self.says("letter by letter") {
            assert!(
                self.said
                    .found
                    .as_ref()
                    .is_some_and(|found| found.r#type == "text")
            );
            assert!(value.is_string());
        }
        if self.says("it does in other upper and lower case") {
            let lower = |value: &Value| json!(value.as_str().unwrap_or_default().to_lowercase());
            let found: Value =
                serde_json::from_str(self.said.found.as_ref().expect("text").value.get()).expect("JSON");
            let asked = self.ask_of(lower(&found), "CONTAINS", &lower(value));
            assert!(asked.is_none_or(|asked| asked == Alone::Holds), "{says}");
        }
    }
}
