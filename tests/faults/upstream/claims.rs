//! What must hold of every fault of upstream, and the cells of its row.
use std::ops::RangeInclusive;

use test_support::findings::{Findings, grouped};

use crate::harness::Seen;
use crate::harness::environments::{ENVIRONMENTS, KEY_MARK, value};

/// What clients are to have seen.
pub(crate) struct Expected<'e> {
    /// The versions that were served, in their order.
    pub(crate) versions: &'e [u32],
    /// Whether there was no document at first.
    pub(crate) is_without_at_first: bool,
    /// Whether a document may come again under another number.
    pub(crate) is_renumbered: bool,
}

/// Every answer was what it should be, and nothing was lost.
pub(crate) fn of_clients(
    seen: &Seen,
    expected: &Expected<'_>,
    findings: &mut Findings,
) -> Result<(), String> {
    let mut wrong = Vec::new();
    let (mut refusals, mut answers, mut not_modified) = (0, 0, 0);
    for course in &seen.courses {
        findings.lost(course.lost.len() as u64);
        wrong.extend(
            course
                .lost
                .iter()
                .chain(&course.wrong)
                .map(|what| (&course.what, what.clone())),
        );
        let (before, after): (Vec<_>, Vec<_>) = course
            .sightings
            .iter()
            .partition(|sighting| sighting.status == 503);
        // Of one kind after the other, and never back.
        let is_in_order = course
            .sightings
            .iter()
            .take(before.len())
            .all(|sighting| sighting.status == 503);
        let mut values: Vec<_> = after.iter().map(|sighting| sighting.value.clone()).collect();
        if expected.is_renumbered {
            values.dedup();
        }
        let served: Vec<_> = expected
            .versions
            .iter()
            .map(|version| Some(value(*version)))
            .collect();
        if !is_in_order || (expected.is_without_at_first && before.is_empty()) || values != served {
            let course_of = |sighting: &crate::harness::Sighting| {
                (sighting.status, sighting.value.clone(), sighting.answers)
            };
            let all: Vec<_> = course.sightings.iter().map(course_of).collect();
            wrong.push((&course.what, format!("{all:?} in place of {served:?}")));
            findings.lost(
                after
                    .iter()
                    .filter(|sighting| sighting.status != 200)
                    .map(|sighting| sighting.answers)
                    .sum(),
            );
        }
        refusals += before.iter().map(|sighting| sighting.answers).sum::<u64>();
        answers += after.iter().map(|sighting| sighting.answers).sum::<u64>();
        not_modified += course.not_modified;
    }
    of_streams(seen, expected, findings)?;
    if !wrong.is_empty() {
        return Err(format!("{wrong:?}"));
    }
    if refusals > 0 {
        findings.clients(format!(
            "no document yet: {} × 503 with Retry-After",
            grouped(refusals)
        ));
    }
    let then = if refusals > 0 { "then " } else { "" };
    findings.clients(format!(
        "{then}{} × 200 or 304 ({}), the last good content in each; {} streams open throughout",
        grouped(answers),
        grouped(not_modified),
        seen.streams.len()
    ));
    Ok(())
}

/// They were open all the time, and heard of each change once.
fn of_streams(seen: &Seen, expected: &Expected<'_>, findings: &mut Findings) -> Result<(), String> {
    let changes = expected.versions.len();
    // One that is there before a stream is no news to it.
    let least = if expected.is_without_at_first {
        changes
    } else {
        changes - 1
    };
    for heard in &seen.streams {
        if let Some(why) = &heard.lost {
            findings.lost(1);
            return Err(format!("a stream ended: {why}"));
        }
        let is_rising = heard.events.is_sorted_by(|one, other| one < other);
        if !is_rising || !(least..=changes).contains(&heard.events.len()) {
            return Err(format!("{changes} changes, and events {:?}", heard.events));
        }
    }
    Ok(())
}

/// Ready from the first document on, and alive throughout.
pub(crate) fn of_probes(
    seen: &Seen,
    is_without_at_first: bool,
    findings: &mut Findings,
) -> Result<(), String> {
    let probes = &seen.probes;
    let readiness: Vec<_> = probes.readiness.iter().map(u16::to_string).collect();
    findings.readiness(readiness.join(", then "));
    findings.readiness(format!("liveness {:?}", probes.liveness));
    findings.lost(probes.lost);
    let is_ready = match probes.readiness[..] {
        [503, 200] => true,
        [200] => !is_without_at_first,
        _ => false,
    };
    if is_ready && probes.liveness == [200] && probes.lost == 0 {
        Ok(())
    } else {
        Err(format!("{probes:?}"))
    }
}

/// What an operator is to read.
pub(crate) struct Told<'t> {
    /// Each line says one of these.
    pub(crate) says: &'t [&'t str],
    /// Spells of the fault.
    pub(crate) spells: usize,
    /// Lines of each spell, for each environment that is concerned.
    pub(crate) lines: RangeInclusive<usize>,
    /// The environments that are concerned.
    pub(crate) environments: usize,
    /// Whether the end of each spell is told as well.
    pub(crate) is_recovery_told: bool,
}

/// The log says what is wrong once, and that it is over; nothing else, and no key.
pub(crate) fn of_log(written: &str, told: &Told<'_>, findings: &mut Findings) -> Result<(), String> {
    if written.contains(KEY_MARK) {
        return Err(format!("a key is in the log: {written}"));
    }
    let of_level = |level: &str| {
        let lines = written.lines().filter(move |line| line.contains(level));
        lines.collect::<Vec<_>>()
    };
    let warnings = [of_level(" WARNING "), of_level(" ERROR ")].concat();
    let stray = warnings
        .iter()
        .find(|line| !told.says.iter().any(|says| line.contains(says)));
    if let Some(stray) = stray {
        return Err(format!("the log has {stray:?}"));
    }
    for environment in ENVIRONMENTS.iter().take(told.environments) {
        let is_its = |line: &&&str| {
            line.contains(&format!("environment {}:", environment.id))
                || line.contains(&format!("environment {} (", environment.id))
        };
        let lines = warnings.iter().filter(is_its).count();
        if !(told.lines.start() * told.spells..=told.lines.end() * told.spells).contains(&lines) {
            return Err(format!("{lines} lines of {} spells: {written}", told.spells));
        }
        let recoveries = of_level(" INFO ");
        let recoveries = recoveries
            .iter()
            .filter(is_its)
            .filter(|line| line.contains("arrive again"));
        if told.is_recovery_told && recoveries.count() != told.spells {
            return Err(format!("not {} recoveries: {written}", told.spells));
        }
    }
    let last = warnings.last().and_then(|line| line.split_once(": environment "));
    if let Some((_, line)) = last {
        findings.log(line.split_once(": ").map_or(line, |(_, text)| text));
    }
    Ok(())
}
