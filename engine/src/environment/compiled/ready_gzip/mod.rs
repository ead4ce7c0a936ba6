//! What answers in gzip are put together from.
//!
//! # Layout
//! - `common`: what flags have in common. `examples`: what answers hold beside runs.
mod common;
mod examples;

use super::{Answers, CIRCULAR_DEPENDENCY, Defaults, Features, Segment, offset};
use crate::KeyKind;
use crate::gzip::{Example, GzipCoder, Part, PhraseCollector, Runs, Source};
use common::{Ends, shared_values};
use examples::{answered_alone, references_alone, start_of_answer};

pub(crate) use common::{FeatureGzip, START, SegmentGzip};

/// The ready runs of an environment, and how its answers are coded.
#[derive(Debug)]
pub(crate) struct ReadyGzip {
    pub coder: GzipCoder,
    /// The defaults for server-side keys, then those for client-side keys where they differ.
    defaults: Vec<Runs>,
    /// What segments override.
    pub overrides: Runs,
    pub features: Vec<FeatureGzip>,
    pub segments: Vec<SegmentGzip>,
    pub ends: Ends,
}

impl ReadyGzip {
    /// Codes what is compiled.
    pub(crate) fn new(features: &Features, segments: &[Segment], answers: &Answers) -> Self {
        let mut phrases = PhraseCollector::default();
        let ends = Ends::new(&mut phrases);
        let shared = shared_values(features);
        let of_features: Vec<_> = (0..features.list.len())
            .map(|feature| FeatureGzip::new(features, answers, feature, &ends, &shared, &mut phrases))
            .collect();
        let of_segments: Vec<_> = segments
            .iter()
            .map(|segment| SegmentGzip::new(segment, answers, (&ends, &of_features), &mut phrases))
            .collect();

        // An identity is in no segment, or in one of them, as often.
        let weight = segments.len().max(1) as u64;
        let mut sources: Vec<_> = features
            .defaults
            .iter()
            .map(|defaults| Source {
                bytes: &defaults.bytes,
                parts: default_parts(defaults),
                weight,
            })
            .collect();
        sources.push(Source {
            bytes: &answers.bytes,
            parts: overrides(segments),
            weight: 1,
        });
        let own = [
            // What no buffer has, and seldom an answer.
            Example {
                texts: &[CIRCULAR_DEPENDENCY],
                references: &[],
                weight: 0,
            },
            Example {
                texts: &start_of_answer(features),
                references: &[],
                weight,
            },
            Example {
                texts: &answered_alone(segments, answers),
                references: &references_alone(segments, &of_segments, &phrases),
                weight: 1,
            },
        ];
        let (coder, mut runs) = GzipCoder::new(sources, &own, phrases.finish(), offset(START.len()));
        let overrides = runs.pop().unwrap_or_default();
        Self {
            coder,
            defaults: runs,
            overrides,
            features: of_features,
            segments: of_segments,
            ends,
        }
    }

    /// The runs of the defaults that a kind of key sees.
    pub(crate) fn defaults(&self, kind: KeyKind) -> Option<&Runs> {
        match kind {
            KeyKind::Server => self.defaults.first(),
            KeyKind::Client => self.defaults.last(),
        }
    }

    /// How many bytes of memory it takes.
    pub(crate) fn memory(&self) -> usize {
        let runs = self.defaults.iter().chain([&self.overrides]);
        self.coder.memory()
            + runs.map(Runs::memory).sum::<usize>()
            + size_of_val(&*self.features)
            + size_of_val(&*self.segments)
    }
}

/// Where the defaults are. A hidden one has no bytes, which is no part.
fn default_parts(defaults: &Defaults) -> Vec<Part> {
    let ends = defaults.starts.iter().skip(1);
    let part = |(start, end): (&u32, &u32)| Part {
        start: *start,
        end: *end,
    };
    defaults.starts.iter().zip(ends).map(part).collect()
}

/// Where the answers are of the segments' overrides that do not depend on the identity, in the order of the buffer.
fn overrides(segments: &[Segment]) -> Vec<Part> {
    let overrides = segments.iter().flat_map(|segment| &segment.overrides);
    let plain = overrides.filter(|own| !own.answer.is_multivariate());
    let parts = plain.map(|own| own.answer.json).map(|json| Part {
        start: json.start,
        end: json.end,
    });
    let mut parts: Vec<_> = parts.collect();
    parts.sort_unstable_by_key(|part| part.start);
    parts
}
