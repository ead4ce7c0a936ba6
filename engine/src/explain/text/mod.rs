//! An explanation for people: a short line for each feature, with its details below. `identity`: who is asked about. `split`: the
//! options of a feature.
mod identity;
mod split;

use std::fmt::{self, Write as _};

use hashbrown::HashMap;

use super::report::{
    Bucket, Candidate, ExplainedCondition, ExplainedFeature, ExplainedSegment, Explanation, Outcome,
};
use super::words::{falls, shortened, visible};
use identity::write_identity;
use split::write_split;

/// What is wider does not widen its column, in characters.
const WIDEST_NAME: usize = 40;
/// The same of values.
const WIDEST_VALUE: usize = 24;

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = Text {
            explanation: self,
            segments: self.segments.iter().map(|own| (&*own.id, own)).collect(),
            is_of_one: self.features.len() == 1,
        };
        text.write(f)
    }
}

struct Text<'x> {
    explanation: &'x Explanation,
    /// By id.
    segments: HashMap<&'x str, &'x ExplainedSegment>,
    is_of_one: bool,
}

impl Text<'_> {
    fn write(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Explanation {
            environment,
            key,
            identity,
            notes,
            features,
            ..
        } = self.explanation;
        let environment = match environment.trim() {
            "" => "an environment without a name",
            _ => environment,
        };
        line(f, 0, &format!("{environment}, as a {key} key sees it"))?;
        match identity {
            Some(identity) => write_identity(f, identity)?,
            None => line(f, 0, "without an identity")?,
        }
        for note in notes {
            line(f, 0, &format!("note: {note}"))?;
        }
        let width = |text: fn(&ExplainedFeature) -> String, widest: usize| {
            let widths = features.iter().map(|own| text(own).chars().count());
            widths.filter(|width| *width <= widest).max().unwrap_or(0)
        };
        let widths = (width(name, WIDEST_NAME), width(value, WIDEST_VALUE));
        f.write_char('\n')?;
        for own in features {
            self.write_feature(f, own, widths)?;
        }
        Ok(())
    }

    fn write_feature(
        &self,
        f: &mut fmt::Formatter<'_>,
        own: &ExplainedFeature,
        (name_width, value_width): (usize, usize),
    ) -> fmt::Result {
        let state = if own.enabled { "on" } else { "off" };
        let (name, value) = (name(own), value(own));
        let hidden = own.hidden.iter().map(|hidden| match *hidden {
            "disabled" => "disabled, and the environment hides what is",
            _ => "for server-side keys only",
        });
        let hidden: Vec<_> = hidden.collect();
        let hidden = match &*hidden {
            [] => String::new(),
            reasons => format!("  [not in the answer: {}]", reasons.join("; ")),
        };
        let reason = &own.reason;
        line(
            f,
            0,
            &format!("{name:name_width$}  {state:3}  {value:value_width$}  {reason}{hidden}"),
        )?;
        if own.segments.is_empty() && own.split.is_none() && own.reason == "STATIC" && !self.is_of_one {
            return Ok(());
        }
        line(f, 4, &own.because)?;
        if let Some(split) = &own.split {
            write_split(f, split)?;
        }
        let places = own.segments.iter().map(|segment| priority(segment).len());
        let priority_width = places.max().unwrap_or(0);
        let names = own.segments.iter().map(|segment| segment.name.chars().count());
        let names = names.filter(|width| *width <= WIDEST_NAME);
        let widths = (priority_width, names.max().unwrap_or(0));
        for segment in &own.segments {
            self.write_candidate(f, segment, widths)?;
        }
        match own.segments_left_out {
            0 => Ok(()),
            more => line(
                f,
                6,
                &format!("and {more} more segments that do not win; ask for this feature to see them"),
            ),
        }
    }

    fn write_candidate(
        &self,
        f: &mut fmt::Formatter<'_>,
        own: &Candidate,
        (priority_width, name_width): (usize, usize),
    ) -> fmt::Result {
        let outcome = match (own.outcome, &own.lost_to) {
            (Outcome::Wins, _) => "matches and wins".to_owned(),
            (Outcome::Loses, Some(holder)) => format!("matches, and loses to {holder}"),
            (Outcome::Loses, None) => "matches, and loses".to_owned(),
            (Outcome::DoesNotMatch, _) => format!("does not match{}", self.reason_without_condition(own)),
            (Outcome::Unknown, _) => format!("is not known{}", self.reason_without_condition(own)),
        };
        let (priority, name) = (priority(own), shortened(&own.name));
        line(
            f,
            6,
            &format!("{priority:>priority_width$}  {name:name_width$}  {outcome}"),
        )?;
        match self.segments.get(&*own.id) {
            Some(segment) => self.write_segment(f, segment, 6 + priority_width + 4),
            None => Ok(()),
        }
    }

    /// Why a segment does not match, where that is no condition.
    fn reason_without_condition(&self, own: &Candidate) -> String {
        let segment = self.segments.get(&*own.id);
        let note = segment.filter(|segment| segment.failed.is_empty());
        let note = note.and_then(|segment| segment.note.as_deref());
        note.map_or_else(String::new, |note| format!(": {note}"))
    }

    fn write_segment(
        &self,
        f: &mut fmt::Formatter<'_>,
        own: &ExplainedSegment,
        indent: usize,
    ) -> fmt::Result {
        let shown = if self.is_of_one { own.failed.len() } else { 1 };
        for failure in own.failed.iter().take(shown) {
            write_condition(f, failure, indent)?;
        }
        for ground in own.held.iter().filter(|_| self.is_of_one) {
            write_condition(f, ground, indent)?;
        }
        let left_out = own.failed_left_out + own.failed.len().saturating_sub(shown);
        if left_out > 0 {
            let alike = if left_out == 1 { "condition" } else { "conditions" };
            line(f, indent, &format!("and {left_out} more {alike} likewise"))?;
        }
        for split in &own.splits {
            // One that was told has said so.
            let mut told = own.failed.iter().take(shown);
            let mut grounds = own.held.iter().filter(|_| self.is_of_one);
            let is_it = |told: &ExplainedCondition| {
                told.rule == split.rule && told.condition == Some(split.condition)
            };
            let is_told = told.any(is_it) || grounds.any(is_it);
            if let (Some(Bucket { bucket, limit }), false) = (split.split, is_told) {
                line(f, indent, &falls(&split.property, bucket, limit))?;
            }
        }
        match &own.note {
            Some(note) if !own.failed.is_empty() || own.matches == Some(true) => line(f, indent, note),
            _ => Ok(()),
        }
    }
}

fn write_condition(f: &mut fmt::Formatter<'_>, own: &ExplainedCondition, indent: usize) -> fmt::Result {
    let place = match &*own.rule_types {
        [] => format!("rule {}", own.rule),
        types => format!("rule {} ({})", own.rule, types.join(" > ")),
    };
    let asked = match (&own.property, &own.operator, &own.value) {
        (Some(property), Some(operator), Some(value)) => {
            let property = shortened(property);
            let value = match value.get() {
                "null" => String::new(),
                value => format!(" {value}"),
            };
            let gap = if property.is_empty() { "" } else { " " };
            format!("{property}{gap}{operator}{value}, in {place}")
        }
        _ => place,
    };
    line(f, indent, &asked)?;
    line(f, indent + 2, &own.says)
}

fn name(own: &ExplainedFeature) -> String {
    shortened(&own.name).into_owned()
}

fn value(own: &ExplainedFeature) -> String {
    shortened(own.value.get()).into_owned()
}

fn priority(own: &Candidate) -> String {
    own.priority
        .map_or_else(|| "-".to_owned(), |priority| priority.to_string())
}

fn line(f: &mut fmt::Formatter<'_>, indent: usize, text: &str) -> fmt::Result {
    writeln!(f, "{:indent$}{}", "", visible(text.trim_end()))
}
