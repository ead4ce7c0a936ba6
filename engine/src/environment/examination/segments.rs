//! Why each segment matches or not.
use crate::environment::compiled::Segment;
use crate::environment::evaluation::{Blame, Evaluation, PlacedSplit};

/// The steps that all segments together are examined with, besides what the document alone decides: some 0.1 s.
const MOST_STEPS: u32 = 60_000_000;

/// A segment, and whether it matches.
#[derive(Debug)]
pub(crate) struct ExaminedSegment<'e> {
    /// Its place among the environment's segments.
    pub place: u32,
    pub segment: &'e Segment,
    pub standing: Standing<'e>,
    /// The percentage splits among its conditions.
    pub splits: Vec<PlacedSplit>,
}

/// Whether a segment matches, and why not.
#[derive(Debug)]
pub(crate) enum Standing<'e> {
    /// By these conditions, as far as they were looked for.
    Matches(Blame<'e>),
    /// Conditions, or rules, keep it from that.
    Fails(Blame<'e>),
    /// It has no rules.
    WithoutRules,
    /// There is no identity, and it does not count without.
    NeedsIdentity,
    /// It takes more work than one evaluation may do.
    CutShort,
    /// It was evaluated by way of a flag that depends on itself.
    Circular,
    /// So much work was done on others that it was not examined; whether it matches, where the evaluation has found out.
    Unexamined(Option<bool>),
}

impl Standing<'_> {
    /// Whether it matches; `None`: nobody has found out.
    pub(crate) fn matches(&self) -> Option<bool> {
        match self {
            Self::Matches(_) => Some(true),
            Self::Unexamined(matches) => *matches,
            _ => Some(false),
        }
    }
}

/// Examines all segments, or those that override one feature. `noted`: whether each matches, as the evaluation has found out.
pub(super) fn examine<'e>(
    evaluation: &Evaluation<'e>,
    noted: &[Option<bool>],
    only: Option<u32>,
) -> Vec<ExaminedSegment<'e>> {
    let overrides_it =
        |segment: &Segment| only.is_none_or(|only| segment.overrides.iter().any(|own| own.feature == only));
    let segments = (0..).zip(&evaluation.environment().segments).zip(noted);
    let (_, was_cut) = evaluation.renew_budget();
    let mut examiner = Examiner {
        evaluation,
        was_cut,
        left: MOST_STEPS,
    };
    segments
        .filter(|((_, segment), _)| overrides_it(segment))
        .map(|((place, segment), noted)| ExaminedSegment {
            place,
            segment,
            standing: examiner.standing(segment, *noted),
            splits: examiner.splits(segment),
        })
        .collect()
}

struct Examiner<'a, 'e> {
    evaluation: &'a Evaluation<'e>,
    /// Whether the evaluation of the request ended before its time.
    was_cut: bool,
    left: u32,
}

impl<'e> Examiner<'_, 'e> {
    fn standing(&mut self, segment: &Segment, noted: Option<bool>) -> Standing<'e> {
        if segment.rules.is_empty() {
            return Standing::WithoutRules;
        }
        if !self.evaluation.counts(segment) {
            return Standing::NeedsIdentity;
        }
        if self.left == 0 {
            return Standing::Unexamined(noted);
        }
        let standing = self.examine(segment, noted);
        let (steps, is_cut) = self.evaluation.renew_budget();
        self.left = self.left.saturating_sub(steps);
        match standing {
            // What the evaluation has found holds, whatever examining it takes.
            Standing::Matches(_) => standing,
            _ if is_cut => Standing::CutShort,
            _ => standing,
        }
    }

    fn examine(&self, segment: &Segment, noted: Option<bool>) -> Standing<'e> {
        let matches = noted.unwrap_or_else(|| self.evaluation.holds(segment));
        if matches {
            return Standing::Matches(self.evaluation.grounds(segment));
        }
        let blame = self.evaluation.blame(segment);
        if !blame.culprits.is_empty() {
            return Standing::Fails(blame);
        }
        // Its rules hold now, and did not while the request was evaluated.
        if self.was_cut {
            Standing::CutShort
        } else {
            Standing::Circular
        }
    }

    fn splits(&mut self, segment: &Segment) -> Vec<PlacedSplit> {
        if self.left == 0 {
            return Vec::new();
        }
        let splits = self.evaluation.splits(segment);
        let (steps, _) = self.evaluation.renew_budget();
        self.left = self.left.saturating_sub(steps);
        splits
    }
}
