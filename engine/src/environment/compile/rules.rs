//! Segment rules and their conditions.
use serde_json::value::RawValue;

use super::properties::{Properties, Reads};
use super::reading::{elements, problem};
use super::warnings::Warnings;
use crate::condition::{Matcher, RegexCache};
use crate::document::parts;
use crate::environment::compiled::{Condition, Rule, RuleKind, Source};
use crate::json::{Kind, decode_string};
use crate::python::PyValue;

/// Compiles the rules of one segment.
pub(super) struct RuleCompiler<'c, 'p> {
    pub properties: &'c mut Properties<'p>,
    pub regexes: &'c mut RegexCache,
    pub warnings: &'c mut Warnings,
    /// Names the segment in warnings.
    pub part: &'c str,
    /// The segment's id, which percentage splits hash.
    pub segment_id: &'c str,
    /// What the conditions so far read.
    pub reads: SegmentReads,
}

/// What the conditions of one segment read.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct SegmentReads {
    flags: bool,
    /// Anything but flags and the environment.
    others: bool,
    pub cohorts: bool,
}

impl SegmentReads {
    fn note(&mut self, reads: Reads) {
        self.flags |= reads == Reads::Flag;
        self.others |= matches!(reads, Reads::Cohort | Reads::Other);
        self.cohorts |= reads == Reads::Cohort;
    }

    /// Whether the segment depends on other flags, and on nothing that takes an identity. Core writes a feature's
    /// prerequisites as such segments.
    pub(super) fn needs_no_identity(self) -> bool {
        self.flags && !self.others
    }
}

/// What follows from a condition that the reference engine raises on.
const NO_MATCH: &str = "the segment does not match where it is reached";

impl RuleCompiler<'_, '_> {
    pub(super) fn rules(&mut self, json: Option<&RawValue>) -> Box<[Rule]> {
        match json.map(|json| (Kind::of(json.get()), json)) {
            None | Some((Kind::Null, _)) => Box::default(),
            Some((Kind::List, list)) => elements(list.get())
                .into_iter()
                .map(|rule| self.rule(rule))
                .collect(),
            Some(_) => {
                self.warn("rules that are not a list");
                Box::new([raising_rule()])
            }
        }
    }

    fn rule(&mut self, json: &RawValue) -> Rule {
        let rule: parts::Rule<'_> = match serde_json::from_str(json.get()) {
            Ok(rule) if Kind::of(json.get()) == Kind::Object => rule,
            Ok(_) => {
                self.warn("a rule that is not an object");
                return raising_rule();
            }
            Err(error) => {
                self.warn(&format!("a rule: {}", problem(&error)));
                return raising_rule();
            }
        };
        let kind = match rule.r#type.and_then(|json| decode_string(json.get())).as_deref() {
            Some("ALL") => RuleKind::All,
            Some("ANY") => RuleKind::Any,
            Some("NONE") => RuleKind::None,
            _ => RuleKind::Unknown,
        };
        let compiled = Rule {
            kind,
            conditions: self.conditions(rule.conditions),
            rules: self.rules(rule.rules),
        };
        if kind == RuleKind::Unknown && !(compiled.conditions.is_empty() && compiled.rules.is_empty()) {
            self.warn("a rule of unknown type");
        }
        compiled
    }

    fn conditions(&mut self, json: Option<&RawValue>) -> Box<[Condition]> {
        match json.map(|json| (Kind::of(json.get()), json)) {
            None | Some((Kind::Null, _)) => Box::default(),
            Some((Kind::List, list)) => elements(list.get())
                .into_iter()
                .map(|json| self.condition(json))
                .collect(),
            Some(_) => {
                self.warn("conditions that are not a list");
                Box::new([Condition::Raising])
            }
        }
    }

    fn condition(&mut self, json: &RawValue) -> Condition {
        match SaidCondition::read(json) {
            Ok(said) => {
                let (condition, reads) = self.understand(&said);
                self.reads.note(reads);
                condition
            }
            Err(problem) => {
                self.warn(&problem);
                Condition::Raising
            }
        }
    }

    fn understand(&mut self, said: &SaidCondition) -> (Condition, Reads) {
        let (matcher, problem) = Matcher::compile(&said.operator, &said.value, self.segment_id, self.regexes);
        if let Some(problem) = problem {
            self.warnings.push(self.part, &problem);
        }
        let by_identity = said.property.is_empty() && matcher.splits_by_percentage();
        let (source, reads) = if by_identity {
            (Source::IdentityKey, Reads::Other)
        } else {
            self.properties.source(&said.property, &mut self.regexes.room)
        };
        (Condition::Matching { source, matcher }, reads)
    }

    /// Warns of what is not understood: what it would read, nobody knows.
    fn warn(&mut self, problem: &str) {
        self.reads.note(Reads::Other);
        self.warnings.push(self.part, &format!("{problem}; {NO_MATCH}"));
    }
}

/// What a document says of a condition that can be evaluated.
pub(super) struct SaidCondition {
    pub property: String,
    pub operator: String,
    pub value: PyValue,
}

impl SaidCondition {
    /// Reads it. The error says why it cannot be evaluated.
    pub(super) fn read(json: &RawValue) -> Result<Self, String> {
        if Kind::of(json.get()) != Kind::Object {
            return Err("a condition that is not an object".to_owned());
        }
        let condition = serde_json::from_str::<parts::Condition<'_>>(json.get());
        let said = condition.map_err(|error| problem(&error).into_owned());
        said.and_then(|condition| Self::of(&condition))
            .map_err(|problem| format!("a condition: {problem}"))
    }

    fn of(condition: &parts::Condition<'_>) -> Result<Self, String> {
        let operator = condition.operator.0.ok_or("it has no operator")?;
        // The reference knows no operator that is not a string.
        let operator = decode_string(operator.get()).unwrap_or_default();
        let value = match condition.value.0 {
            Some(value) => PyValue::from_json(value).map_err(|_| "its value cannot be read")?,
            None if matches!(&*operator, "IS_SET" | "IS_NOT_SET") => PyValue::None,
            None => return Err("it has no value".to_owned()),
        };
        let property = match property(condition.property_)? {
            property if property.is_empty() => self::property(condition.property)?,
            property => property,
        };
        Ok(Self {
            property,
            operator: operator.into_owned(),
            value,
        })
    }
}

/// A condition's property; null, missing and what Python takes for false are blank.
fn property(json: Option<&RawValue>) -> Result<String, String> {
    match json.map(PyValue::from_json) {
        None => Ok(String::new()),
        Some(Ok(PyValue::String(text))) => Ok(text),
        Some(Ok(other)) if !other.is_truthy() => Ok(String::new()),
        Some(_) => Err("its property is not a string".to_owned()),
    }
}

fn raising_rule() -> Rule {
    Rule {
        kind: RuleKind::All,
        conditions: Box::new([Condition::Raising]),
        rules: Box::default(),
    }
}
