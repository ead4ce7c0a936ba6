//! What an explanation says. Its JSON is stable: members may be added, none is renamed or taken away (`docs/explain.md`).
//!
//! It holds identifiers and traits, so nothing here shows itself in a debug format.
use std::fmt;

use serde::Serialize;
use serde_json::value::RawValue;

/// Why each flag of one answer is what it is.
#[derive(Clone, Serialize)]
pub struct Explanation {
    /// The environment's name.
    pub environment: String,
    /// For which kind of key: `client-side` or `server-side`.
    pub key: &'static str,
    /// Who was asked about; `None`: nobody, as `flags/` answers.
    pub identity: Option<ExplainedIdentity>,
    /// What holds for the whole answer, in sentences.
    pub notes: Vec<String>,
    /// In document order.
    pub features: Vec<ExplainedFeature>,
    /// In document order: all, or, where one feature was asked for, those that override it.
    pub segments: Vec<ExplainedSegment>,
    /// How many segments are beyond what is told.
    pub segments_left_out: usize,
}

impl fmt::Debug for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Explanation")
            .field("features", &self.features.len())
            .field("segments", &self.segments.len())
            .finish_non_exhaustive()
    }
}

/// The identity of an answer.
#[derive(Clone, Serialize)]
pub struct ExplainedIdentity {
    /// As it was asked, or the one made for an anonymous identity.
    pub identifier: String,
    /// Whether nothing of it lasts: it came without an identifier, or says so itself.
    pub is_transient: bool,
    /// In the order sent, those that are null behind; of several with one key the last counts that is not null.
    pub traits: Vec<ExplainedTrait>,
    /// Whether the environment takes traits that come with this kind of key.
    pub traits_count: bool,
    /// The features that it overrides itself.
    pub overrides: Vec<String>,
    /// An identifier that has overrides and is nearly this one.
    pub nearest: Option<NearestIdentifier>,
}

/// An identifier that has overrides and is nearly the one that was asked about.
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct NearestIdentifier {
    /// As the document has it.
    pub identifier: String,
    /// How they differ, in words.
    pub difference: &'static str,
}

/// A trait as it was sent and as conditions see it.
#[derive(Clone, Serialize)]
pub struct ExplainedTrait {
    /// Its key.
    pub key: String,
    /// As it was sent; what is long is cut.
    pub value: Box<RawValue>,
    /// `text`, `number`, `decimal number`, `boolean`, or `null`.
    pub r#type: &'static str,
    /// What conditions see, where that is not the same: the number that a text is read as. JSON.
    pub read_as: Option<Box<RawValue>>,
    /// Whether conditions see it: it is the one of its key that counts, and traits count.
    pub counts: bool,
}

/// A flag, and why it is what it is.
#[derive(Clone, Serialize)]
pub struct ExplainedFeature {
    /// The feature's name.
    pub name: String,
    /// Its id, JSON.
    pub id: Box<RawValue>,
    /// Whether the flag is on.
    pub enabled: bool,
    /// The flag's value, JSON.
    pub value: Box<RawValue>,
    /// The key of the multivariate option, or `control`; `None`: it has none.
    pub variant: Option<Box<RawValue>>,
    /// Flagsmith's reason, as `identities/` answers it.
    pub reason: String,
    /// The same in a sentence.
    pub because: String,
    /// Why the answer lacks it: `server_key_only`, `disabled`, or both; empty: it is in the answer.
    pub hidden: Vec<&'static str>,
    /// The segments that override it, in order of priority.
    pub segments: Vec<Candidate>,
    /// How many of them are beyond what is told; none of these wins.
    pub segments_left_out: usize,
    /// Where the identity falls among the options, where the feature state that holds is multivariate.
    pub split: Option<ExplainedSplit>,
}

/// A segment that overrides a feature.
#[derive(Clone, Serialize)]
pub struct Candidate {
    /// The segment's id.
    pub id: String,
    /// The segment's name; what is long is cut.
    pub name: String,
    /// The lowest number goes first; `None`: the override has none, and is the weakest.
    pub priority: Option<f64>,
    /// What came of it.
    pub outcome: Outcome,
    /// What goes before it, where it matches and does not win: the segment's name, or that it is the identity's own override.
    pub lost_to: Option<String>,
}

/// What came of a segment that overrides a feature.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It matches, and its override holds.
    Wins,
    /// It matches, and another override goes before its own.
    Loses,
    /// It does not match.
    DoesNotMatch,
    /// It was not found out.
    Unknown,
}

/// Where an identity falls among the options of a feature.
#[derive(Clone, Serialize)]
pub struct ExplainedSplit {
    /// Its place between 0 and 100 %; `None`: there is no identity, and the control value holds.
    pub bucket: Option<f64>,
    /// In the order in which they are tried.
    pub options: Vec<ExplainedOption>,
    /// Whether none of them is chosen, but the control value.
    pub is_control: bool,
}

/// A multivariate option.
#[derive(Clone, Serialize)]
pub struct ExplainedOption {
    /// Its key, JSON.
    pub variant: Box<RawValue>,
    /// Its value, JSON.
    pub value: Box<RawValue>,
    /// Its share, in percent.
    pub weight: String,
    /// The first bucket that gets it, in percent.
    pub from: f64,
    /// The first bucket behind it, in percent.
    pub below: f64,
    /// Whether this is the one.
    pub is_chosen: bool,
}

/// A segment, and why it matches or not.
#[derive(Clone, Serialize)]
pub struct ExplainedSegment {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Whether it matches; `None`: it was not found out.
    pub matches: Option<bool>,
    /// How many features it overrides.
    pub overrides: usize,
    /// What makes it match, where it does: conditions, or rules, of each of its rules; not all of them where there are many.
    pub held: Vec<ExplainedCondition>,
    /// What keeps it from matching, the first first: conditions, or rules.
    pub failed: Vec<ExplainedCondition>,
    /// How many more do.
    pub failed_left_out: usize,
    /// What keeps it from matching that is no condition, or what else is to be known of it, in a sentence.
    pub note: Option<String>,
    /// The percentage splits among its conditions, whether they hold or not.
    pub splits: Vec<SegmentSplit>,
}

/// A condition, or a rule, that keeps a segment from matching, or makes it match.
#[derive(Clone, Serialize)]
pub struct ExplainedCondition {
    /// The rule's place in the segment, from 1, outermost first: `1.2`.
    pub rule: String,
    /// The types of the rules on the way there: `ALL`, `ANY`, `NONE`.
    pub rule_types: Vec<String>,
    /// The condition's place in the rule, from 1; `None`: the rule itself is meant.
    pub condition: Option<u32>,
    /// What the condition asks for: a trait's name, or a path.
    pub property: Option<String>,
    /// The condition's operator.
    pub operator: Option<String>,
    /// The condition's value, JSON; what is long is cut.
    pub value: Option<Box<RawValue>>,
    /// What came of it: `holds`, `does_not_hold`, `cannot_be_evaluated`, or, of a rule, `empty_rule_holds`, `rule_of_unknown_type`,
    /// `nested_too_deep`.
    pub outcome: &'static str,
    /// What the condition was asked about; `None`: nothing is set.
    pub found: Option<FoundValue>,
    /// Where that falls, where the condition is a percentage split.
    pub split: Option<Bucket>,
    /// All that in a sentence.
    pub says: String,
}

/// What a condition was asked about.
#[derive(Clone, Serialize)]
pub struct FoundValue {
    /// JSON; what is long is cut.
    pub value: Box<RawValue>,
    /// `text`, `number`, `decimal number` or `boolean`.
    pub r#type: &'static str,
    /// Whether it was sent as text, and is read as the number that it looks like.
    pub is_text_read_as_number: bool,
}

/// Where a value falls in a percentage split, in percent.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Bucket {
    /// Its place between 0 and 100.
    pub bucket: f64,
    /// The condition holds up to here; in JSON null where that is no finite number: nan and what is infinite take in nobody, or
    /// everybody.
    pub limit: f64,
}

/// A percentage split among a segment's conditions.
#[derive(Clone, Serialize)]
pub struct SegmentSplit {
    /// The rule's place in the segment, from 1, outermost first.
    pub rule: String,
    /// The condition's place in the rule, from 1.
    pub condition: u32,
    /// What it splits by: a trait's name or a path; empty: the identity.
    pub property: String,
    /// `None`: there is nothing to split by.
    pub split: Option<Bucket>,
}
