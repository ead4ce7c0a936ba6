//! Segments and what they override.
use hashbrown::HashMap;
use serde_json::value::RawValue;

use super::feature_states::{self, FeatureStates};
use super::properties::Properties;
use super::reading::{elements, id_text, problem};
use super::rules::{RuleCompiler, SegmentReads};
use super::warnings::Warnings;
use crate::condition::RegexCache;
use crate::document::Outline;
use crate::document::parts::{self, FeatureSegment, FeatureState};
use crate::environment::compiled::{Features, OverrideRun, Segment, SegmentOverride, offset};
use crate::environment::flag::Reason;
use crate::json::Kind;
use crate::python::PyValue;

/// The longest name of a segment in core, in characters. Each of its overrides repeats it as the reason.
const LONGEST_NAME: usize = 2000;
/// A warning of segments with one priority names so many beside the first.
const MOST_TIED_NAMES: usize = 3;

/// A segment override that is not yet written.
pub(super) struct Pending<'a> {
    segment: usize,
    feature: u32,
    priority: f64,
    /// By priority among the overrides of the feature.
    rank: u32,
    state: FeatureState<'a>,
}

/// A segment of the document.
pub(super) struct Found<'a> {
    pub id: String,
    pub segment: parts::Segment<'a>,
}

/// Compiles the segments, and gathers their overrides, in document order. The last segment of an id counts, at the place of
/// the first.
pub(super) fn compile<'a>(
    outline: &Outline<'a>,
    states: &mut FeatureStates<'a>,
    properties: &mut Properties<'_>,
    warnings: &mut Warnings,
) -> (Vec<Segment>, Vec<Pending<'a>>) {
    let features: HashMap<&str, u32> = (0..)
        .zip(&states.of_environment)
        .map(|(place, state)| (&*state.name, place))
        .collect();
    let (mut segments, mut pending) = (Vec::new(), Vec::new());
    let mut regexes = RegexCache::default();
    for (place, Found { id, segment }) in find(outline, warnings).into_iter().enumerate() {
        let mut name = segment.name.and_then(id_text).unwrap_or_default();
        let cut = name.char_indices().nth(LONGEST_NAME).map(|(end, _)| end);
        name.truncate(cut.unwrap_or(name.len()));
        let part = format!("segment {name:?} (id {id})");
        if cut.is_some() {
            warnings.push(
                &part,
                "its name is longer than Flagsmith allows; the rest of it is left out",
            );
        }
        let mut compiler = RuleCompiler {
            properties,
            regexes: &mut regexes,
            warnings,
            part: &part,
            segment_id: &id,
            reads: SegmentReads::default(),
        };
        let rules = compiler.rules(segment.rules);
        let reads = compiler.reads;
        if rules.is_empty() {
            warnings.push(&part, "it has no rules and never matches");
        }
        if reads.cohorts {
            warnings.push(
                &part,
                "it asks who is in a cohort, which Flagsmith tells nobody; here, nobody is in any",
            );
        }
        segments.push(Segment {
            name: name.into(),
            needs_no_identity: reads.needs_no_identity(),
            asks_for_cohorts: reads.cohorts,
            rules,
            overrides: Box::default(),
            runs: None,
        });
        for json in overrides(segment.feature_states, &part, warnings) {
            let state = match feature_states::read(json) {
                Ok(state) => state,
                Err(problem) => {
                    warnings.push(&part, &format!("a segment override: {problem}; it is left out"));
                    continue;
                }
            };
            // Documents keep overrides of features that were deleted.
            let Some(feature) = features.get(&*state.feature.name.0).copied() else {
                continue;
            };
            let part = format!("{part}, feature {:?}", state.feature.name.0);
            let priority = priority(&state, &part, warnings);
            pending.push(Pending {
                segment: place,
                feature,
                priority,
                rank: 0,
                state,
            });
        }
    }
    (segments, pending)
}

/// The segments in the order in which they are compiled.
pub(super) fn find<'a>(outline: &Outline<'a>, warnings: &mut Warnings) -> Vec<Found<'a>> {
    let mut found: Vec<Found<'a>> = Vec::new();
    let mut places: HashMap<String, usize> = HashMap::new();
    for (number, json) in (1..).zip(elements(outline.segments)) {
        let mut skip = |problem: &str| {
            warnings.push(
                &format!("segment {number} of the list"),
                &format!("{problem}; it is left out"),
            );
        };
        if Kind::of(json.get()) != Kind::Object {
            skip("it is not an object");
            continue;
        }
        let segment: parts::Segment<'a> = match serde_json::from_str(json.get()) {
            Ok(segment) => segment,
            Err(error) => {
                skip(&problem(&error));
                continue;
            }
        };
        let Some(id) = id_text(segment.id) else {
            skip("its id cannot be read");
            continue;
        };
        let place = *places.entry(id.clone()).or_insert(found.len());
        match found.get_mut(place) {
            Some(earlier) => earlier.segment = segment,
            None => found.push(Found { id, segment }),
        }
    }
    found
}

pub(super) fn overrides<'a>(
    json: Option<&'a RawValue>,
    part: &str,
    warnings: &mut Warnings,
) -> Vec<&'a RawValue> {
    match json.map(|json| (Kind::of(json.get()), json.get())) {
        None | Some((Kind::Null, _)) => Vec::new(),
        Some((Kind::List, list)) => elements(list),
        Some(_) => {
            warnings.push(part, "its feature_states are not a list; they are left out");
            Vec::new()
        }
    }
}

/// The priority of a segment override; without one it is the weakest.
pub(super) fn priority(state: &FeatureState<'_>, part: &str, warnings: &mut Warnings) -> f64 {
    let Some(json) = state.feature_segment else {
        return f64::INFINITY;
    };
    let read = serde_json::from_str::<FeatureSegment<'_>>(json.get()).ok();
    let priority = read.map(|read| read.priority.map(PyValue::from_json));
    match priority {
        Some(None) => f64::INFINITY,
        Some(Some(Ok(priority))) if super::multivariate::number(&priority).is_some() => {
            // Adding zero makes -0.0 the 0.0 that it equals.
            super::multivariate::number(&priority).unwrap_or(f64::INFINITY) + 0.0
        }
        _ => {
            warnings.push(part, "its priority is not a number; it is the weakest");
            f64::INFINITY
        }
    }
}

/// The segments that override each feature, in document order, one entry an override.
pub(super) fn dependencies(pending: &[Pending<'_>], features: usize) -> Vec<Vec<u32>> {
    let mut segments = vec![Vec::new(); features];
    for own in pending {
        if let Some(segments) = segments.get_mut(own.feature as usize) {
            segments.push(offset(own.segment));
        }
    }
    segments
}

/// Warns of segments that override a feature with one priority and answer differently. (Core's system segments for the
/// prerequisites of one feature answer the same.) The first of them wins here, as in Flagsmith's engine; its API lets the newest
/// win and calls the order undefined.
pub(super) fn warn_of_ties(pending: &[Pending<'_>], segments: &[Segment], warnings: &mut Warnings) {
    let is_tie = |first: &Pending<'_>, second: &Pending<'_>| {
        first.feature == second.feature && first.priority.total_cmp(&second.priority).is_eq()
    };
    for tied in pending.chunk_by(is_tie) {
        let mut places: Vec<usize> = tied.iter().map(|own| own.segment).collect();
        // Of one segment's own overrides of a feature the first counts everywhere.
        places.dedup();
        if tied
            .windows(2)
            .all(|pair| matches!(pair, [left, right] if left.state.answers_as(&right.state)))
        {
            continue;
        }
        let [first, rest @ ..] = &*places else { continue };
        let name = |place: usize| segments.get(place).map_or("", |segment| &*segment.name);
        let Some(own) = tied.first().filter(|_| !rest.is_empty()) else {
            continue;
        };
        let mut names: Vec<String> = rest
            .iter()
            .take(MOST_TIED_NAMES)
            .map(|place| format!("{:?}", name(*place)))
            .collect();
        if rest.len() > MOST_TIED_NAMES {
            names.push(format!("{} more", rest.len() - MOST_TIED_NAMES));
        }
        warnings.push(
            &format!("feature {:?}", own.state.feature.name.0),
            &format!(
                "segment {:?} overrides it with the same priority as {}; the first in the document wins here, but \
                 Flagsmith itself may choose another",
                name(*first),
                names.join(", ")
            ),
        );
    }
}

/// Ranks the overrides of each feature by priority, ties in document order. They come by feature, then by rank.
pub(super) fn rank(mut pending: Vec<Pending<'_>>) -> Vec<Pending<'_>> {
    pending.sort_by(|left, right| {
        left.feature
            .cmp(&right.feature)
            .then(left.priority.total_cmp(&right.priority))
    });
    let mut last = None;
    let mut rank = 0;
    for own in &mut pending {
        rank = if last == Some(own.feature) { rank + 1 } else { 0 };
        last = Some(own.feature);
        own.rank = rank;
    }
    pending
}

/// Writes the overrides, a segment's side by side and in the order of the features.
pub(super) fn attach_overrides<'a>(
    segments: &mut [Segment],
    mut ranked: Vec<Pending<'a>>,
    features: &Features,
    states: &mut FeatureStates<'a>,
    warnings: &mut Warnings,
) {
    ranked.sort_by_key(|own| (own.segment, own.feature));
    let mut ranked = ranked.into_iter().peekable();
    for (place, segment) in segments.iter_mut().enumerate() {
        let mut overrides: Vec<SegmentOverride> = Vec::new();
        let reason = Reason::Segment(&segment.name);
        while let Some(own) = ranked.next_if(|own| own.segment == place) {
            let Some(feature) = features.get(own.feature) else {
                continue;
            };
            // Only the first by priority of several overrides of a feature can win. The others are not even written: each
            // answer holds the segment's name.
            let is_first = overrides.last().is_none_or(|last| last.feature != own.feature);
            let Some(contested) = feature.contested.filter(|_| is_first) else {
                continue;
            };
            let part = || {
                format!(
                    "segment {:?}, feature {:?}",
                    segment.name, own.state.feature.name.0
                )
            };
            overrides.push(SegmentOverride {
                segment: offset(place),
                feature: own.feature,
                contested,
                rank: own.rank,
                answer: states.override_answer(&own.state, &feature.reported, reason, &part, warnings),
            });
        }
        segment.runs = OverrideRun::join(&overrides);
        segment.overrides = overrides.into();
    }
}
