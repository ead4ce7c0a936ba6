//! A feature: what it answers, why, and which segments had a say.
use std::borrow::Cow;

use hashbrown::HashMap;

use super::report::{Candidate, ExplainedFeature, ExplainedOption, ExplainedSplit, Outcome};
use super::words::{percent, quoted, raw, share, shortened};
use crate::environment::compile::DocumentSource;
use crate::environment::evaluation::ChosenBy;
use crate::environment::examination::{
    Examination, ExaminedFeature, ExaminedOption, ExaminedSegment, ExaminedSplit, Hidden,
};
use crate::json::write_minified;

/// More segments of one feature are counted, not told, where all features are.
const MOST_CANDIDATES: usize = 20;
/// The same where one feature is.
const MOST_CANDIDATES_OF_ONE: usize = 1000;

/// More segments of all features together are counted, not told.
const MOST_ROWS: usize = 20_000;

/// Explains the features of an examination.
pub(super) fn explain(examination: &Examination<'_>, source: &DocumentSource<'_>) -> Vec<ExplainedFeature> {
    let mut context = Context::new(examination, source);
    let features = examination.features.iter();
    features.map(|own| context.feature(own)).collect()
}

/// What features are explained from.
struct Context<'c, 'd> {
    source: &'c DocumentSource<'d>,
    /// By their places in the environment.
    segments: HashMap<u32, &'c ExaminedSegment<'c>>,
    /// By the places of the segments.
    priorities: HashMap<u32, HashMap<Cow<'d, str>, f64>>,
    /// Where a hidden feature's own value is needed: the values of the document.
    values: Option<HashMap<Cow<'d, str>, &'d str>>,
    most_candidates: usize,
    rows_left: usize,
}

impl<'c, 'd> Context<'c, 'd> {
    fn new(examination: &'c Examination<'_>, source: &'c DocumentSource<'d>) -> Self {
        let segments = &examination.segments;
        let priorities = segments
            .iter()
            .filter(|own| !own.segment.overrides.is_empty())
            .filter_map(|own| Some((own.place, source.segments.get(own.place as usize)?.priorities())));
        let needs_values = examination.features.iter().any(|own| own.flag.is_none());
        Self {
            source,
            segments: segments.iter().map(|own| (own.place, own)).collect(),
            priorities: priorities.collect(),
            values: needs_values.then(|| source.values()),
            most_candidates: match examination.features.len() {
                1 => MOST_CANDIDATES_OF_ONE,
                _ => MOST_CANDIDATES,
            },
            rows_left: MOST_ROWS,
        }
    }

    fn feature(&mut self, own: &ExaminedFeature<'_>) -> ExplainedFeature {
        let reported = own.flag.map_or(&own.feature.reported, |flag| flag.feature);
        let value = match own.flag {
            Some(flag) => flag.value,
            None => self.own_value(&own.feature.reported.name),
        };
        let mut minified = Vec::new();
        write_minified(&mut minified, value);
        let (segments, segments_left_out) = self.candidates(own);
        ExplainedFeature {
            name: own.feature.reported.name.as_ref().to_owned(),
            id: raw(&reported.id),
            enabled: own.is_enabled(),
            value: raw(&String::from_utf8(minified).unwrap_or_default()),
            variant: own.flag.and_then(|flag| flag.variant).map(raw),
            reason: own.reason().to_string(),
            because: self.because(own),
            hidden: own.hidden.iter().map(hidden).collect(),
            segments,
            segments_left_out,
            split: own.split.as_ref().map(split),
        }
    }

    /// The segments that override a feature, and how many are beyond what is told.
    fn candidates(&mut self, own: &ExaminedFeature<'_>) -> (Vec<Candidate>, usize) {
        let mut candidates: Vec<Candidate> = Vec::new();
        let mut left_out = 0;
        for candidate in &own.candidates {
            let has_room = candidates.len() < self.most_candidates && self.rows_left > 0;
            // The winner is told wherever it stands.
            if has_room || own.by == ChosenBy::Segment(candidate.segment) {
                candidates.extend(self.candidate(candidate.segment, own));
                self.rows_left = self.rows_left.saturating_sub(1);
            } else {
                left_out += 1;
            }
        }
        (candidates, left_out)
    }

    fn own_value(&self, feature: &str) -> &'d str {
        let value = self.values.as_ref().and_then(|values| values.get(feature));
        value.copied().unwrap_or("null")
    }

    fn candidate(&self, place: u32, own: &ExaminedFeature<'_>) -> Option<Candidate> {
        let segment = self.segments.get(&place)?;
        let wins = own.by == ChosenBy::Segment(place);
        let outcome = match segment.standing.matches() {
            _ if wins => Outcome::Wins,
            Some(true) => Outcome::Loses,
            Some(false) => Outcome::DoesNotMatch,
            None => Outcome::Unknown,
        };
        let source = self.source.segments.get(place as usize);
        Some(Candidate {
            id: source.map_or_else(String::new, |source| source.id.clone()),
            name: shortened(&segment.segment.name).into_owned(),
            priority: self.priority(place, own),
            lost_to: (outcome == Outcome::Loses).then(|| self.holder(own)),
            outcome,
        })
    }

    /// What holds in place of a segment that matches.
    fn holder(&self, own: &ExaminedFeature<'_>) -> String {
        match own.by {
            ChosenBy::Segment(winner) => {
                let winner = self.segments.get(&winner);
                format!("segment {}", quoted(winner.map_or("", |own| &own.segment.name)))
            }
            ChosenBy::Identity => "the identity's own override".to_owned(),
            ChosenBy::Cycle => "a circular dependency of flags".to_owned(),
            ChosenBy::Default => "the environment's default".to_owned(),
        }
    }

    fn priority(&self, place: u32, own: &ExaminedFeature<'_>) -> Option<f64> {
        let priorities = self.priorities.get(&place)?;
        let priority = priorities.get(&*own.feature.reported.name)?;
        Some(*priority).filter(|priority| priority.is_finite())
    }

    fn because(&self, own: &ExaminedFeature<'_>) -> String {
        let chosen = match own.by {
            ChosenBy::Identity => "the identity has an override of its own".to_owned(),
            ChosenBy::Segment(winner) => self.because_of_segment(winner, own),
            ChosenBy::Cycle => {
                "segments that override it ask for its own flag, or for one that depends on it".to_owned()
            }
            ChosenBy::Default => because_of_default(own),
        };
        match own.split.as_ref() {
            None => chosen,
            Some(split) => format!("{chosen}; {}", in_split(split)),
        }
    }

    fn because_of_segment(&self, winner: u32, own: &ExaminedFeature<'_>) -> String {
        let name = self.segments.get(&winner).map_or("", |own| &own.segment.name);
        let losers = own
            .candidates
            .iter()
            .filter(|candidate| candidate.segment != winner)
            .filter_map(|candidate| self.segments.get(&candidate.segment))
            .filter(|segment| segment.standing.matches() == Some(true))
            .count();
        let others = match losers {
            0 => String::new(),
            1 => " and goes before the other one that matches".to_owned(),
            losers => format!(" and goes before the {losers} others that match"),
        };
        match self.priority(winner, own) {
            Some(priority) => format!("segment {} (priority {priority}) matches{others}", quoted(name)),
            None => format!("segment {} (no priority) matches{others}", quoted(name)),
        }
    }
}

fn hidden(hidden: &Hidden) -> &'static str {
    match hidden {
        Hidden::ServerKeyOnly => "server_key_only",
        Hidden::Disabled => "disabled",
    }
}

fn because_of_default(own: &ExaminedFeature<'_>) -> String {
    match (own.candidates.len(), own.feature.targeted) {
        (0, false) => "nothing overrides it: the environment's default".to_owned(),
        (0, true) => {
            "no segment overrides it, and this identity does not: the environment's default".to_owned()
        }
        (1, _) => "the one segment that overrides it does not match: the environment's default".to_owned(),
        (segments, _) => {
            format!("none of the {segments} segments that override it matches: the environment's default")
        }
    }
}

fn in_split(split: &ExaminedSplit<'_>) -> String {
    let Some(bucket) = split.bucket else {
        return "without an identity the control value".to_owned();
    };
    let end = split.options.last().map_or(0.0, |option| option.range.1);
    match split.options.iter().find(|option| option.is_chosen) {
        Some(option) => {
            let (from, below) = option.range;
            let (place, from_shown) = (percent(bucket, &[from, below]), share(from));
            let option = match option.variant {
                "null" => format!("the option of the value {}", shortened(option.value)),
                variant => format!("option {}", shortened(variant)),
            };
            format!(
                "the identity falls at {place} %, in {option} ({from_shown} up to {} %)",
                share(below)
            )
        }
        None => format!(
            "the identity falls at {} %, beyond the options' {} %: the control value",
            percent(bucket, &[end]),
            share(end)
        ),
    }
}

fn split(split: &ExaminedSplit<'_>) -> ExplainedSplit {
    let option = |option: &ExaminedOption<'_>| ExplainedOption {
        variant: raw(option.variant),
        value: raw(option.value),
        weight: option.weight.to_owned(),
        from: option.range.0,
        below: option.range.1,
        is_chosen: option.is_chosen,
    };
    ExplainedSplit {
        bucket: split.bucket,
        is_control: !split.options.iter().any(|option| option.is_chosen),
        options: split.options.iter().map(option).collect(),
    }
}
