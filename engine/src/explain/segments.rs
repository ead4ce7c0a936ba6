//! A segment, and why it matches or not.
use super::conditions::{Asked, segment_split};
use super::report::ExplainedSegment;
use crate::environment::compile::DocumentSource;
use crate::environment::evaluation::Culprit;
use crate::environment::examination::{ExaminedSegment, Standing};

/// Explains a segment.
pub(super) fn explain(
    own: &ExaminedSegment<'_>,
    source: &DocumentSource<'_>,
    asked: &Asked<'_>,
) -> ExplainedSegment {
    let source = source.segments.get(own.place as usize);
    let (failed, more, held) = match &own.standing {
        Standing::Fails(blame) => (&*blame.culprits, blame.more, &[][..]),
        Standing::Matches(grounds) => (&[][..], 0, &*grounds.culprits),
        _ => (&[][..], 0, &[][..]),
    };
    let explain = |conditions: &[Culprit<'_>]| {
        source.map_or_else(Vec::new, |source| {
            let conditions = conditions.iter();
            conditions
                .map(|condition| asked.condition(condition, source, own.standing.matches() == Some(true)))
                .collect()
        })
    };
    ExplainedSegment {
        id: source.map_or_else(String::new, |source| source.id.clone()),
        name: own.segment.name.as_ref().to_owned(),
        matches: own.standing.matches(),
        overrides: own.segment.overrides.len(),
        held: explain(held),
        failed: explain(failed),
        failed_left_out: more,
        note: note(own),
        splits: source.map_or_else(Vec::new, |source| {
            own.splits.iter().map(|own| segment_split(own, source)).collect()
        }),
    }
}

fn note(own: &ExaminedSegment<'_>) -> Option<String> {
    let note = match &own.standing {
        Standing::WithoutRules => "it has no rules, and so never matches",
        Standing::NeedsIdentity => "it needs an identity",
        Standing::CutShort => "its conditions take more work than one request may for what was sent",
        Standing::Circular => "it asks for a flag that depends on this segment, so it does not match",
        Standing::Unexamined(_) => {
            "it was not examined, because so much work was done on others; ask for one feature"
        }
        Standing::Matches(_) | Standing::Fails(_) if own.segment.asks_for_cohorts => {
            "it asks who is in a cohort, which Flagsmith tells nobody: whether it matches there cannot be known here"
        }
        Standing::Matches(_) | Standing::Fails(_) => return None,
    };
    Some(note.to_owned())
}
