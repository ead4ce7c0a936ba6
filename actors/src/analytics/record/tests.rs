use super::*;
use crate::analytics::evaluation::EvaluationRef;
use crate::keys::EnvironmentKey;

fn digest(key: &str) -> KeyDigest {
    KeyDigest::of(&EnvironmentKey::new(key))
}

fn counts(features: usize) -> Counts {
    let (mut counts, mut room) = (Counts::default(), Room::new(usize::MAX));
    for labels in [
        LabelsRef::default(),
        LabelsRef([None, Some(b"1.\xff"), None, Some(b"agent")]),
    ] {
        let mut counting = counts.counting(labels, &mut room);
        for number in 0..features {
            counting.feature(&format!("feature {number}"), 1_000_000_007, |_| true);
        }
        for (identity, enabled) in [(Some("bob"), true), (None, false)] {
            let evaluation = EvaluationRef {
                feature: "\u{e4}",
                identity,
                enabled,
            };
            counting.evaluation(evaluation, 3, |_| true);
        }
    }
    counts
}

/// All of it in an order of its own.
fn content(counts: &Counts) -> Vec<String> {
    let mut lines: Vec<_> = counts
        .sheets()
        .flat_map(|(labels, sheet)| {
            let labels = format!("{:?}", labels.0);
            let features = sheet
                .features
                .iter()
                .map(|(feature, count)| format!("{feature} {count}"));
            let evaluations = sheet.evaluations.iter().map(|(evaluation, count)| {
                format!(
                    "{} {:?} {} {count}",
                    evaluation.feature, evaluation.identity, evaluation.enabled
                )
            });
            let lines = features
                .chain(evaluations)
                .map(move |line| format!("{labels} {line}"));
            lines.collect::<Vec<_>>()
        })
        .collect();
    lines.sort();
    lines
}

#[test]
fn what_is_written_is_read() {
    for features in [0, 1, ENTRIES, 2 * ENTRIES + 1] {
        let (one, two) = (counts(features), counts(1));
        let file = write([(digest("one"), &one), (digest("two"), &two)]);
        let kept = read(&file).unwrap();
        assert!(!kept.is_damaged);
        assert_eq!(kept.environments.len(), 2);
        assert_eq!(
            content(&kept.environments[&digest("one")]),
            content(&one),
            "{features}"
        );
        assert_eq!(
            content(&kept.environments[&digest("two")]),
            content(&two),
            "{features}"
        );
    }
    for nothing in [
        write([]),
        write([(digest("one"), &Counts::default())]),
        Vec::new(),
    ] {
        let kept = read(&nothing).unwrap();
        assert!(kept.environments.is_empty() && !kept.is_damaged);
    }
}

#[test]
fn records_that_are_appended_are_summed() {
    let one = counts(1);
    let file = write([(digest("one"), &one)]);
    let appended = [file.as_slice(), &file[BEGINNING.len()..]].concat();
    let kept = read(&appended).unwrap();
    assert_eq!(kept.environments[&digest("one")].sum(), 2 * one.sum());
}

#[test]
fn a_torn_tail_costs_no_more_than_its_record() {
    let one = counts(1);
    let file = write([(digest("one"), &one)]);
    let mut sums = Vec::new();
    for length in BEGINNING.len()..=file.len() {
        let kept = read(&file[..length]).unwrap();
        let sum = kept.environments.get(&digest("one")).map_or(0, Counts::sum);
        if sums.last() != Some(&sum) {
            // A whole number of records.
            assert!(!kept.is_damaged, "{length}");
            sums.push(sum);
        }
    }
    assert_eq!(sums, [0, one.sum() / 2, one.sum()]);
}

#[test]
fn a_damaged_byte_is_noticed() {
    let one = counts(1);
    let file = write([(digest("one"), &one)]);
    for place in BEGINNING.len()..file.len() {
        let mut damaged = file.clone();
        damaged[place] ^= 0x10;
        let kept = read(&damaged).unwrap();
        assert!(kept.is_damaged, "{place}");
        let sum = kept.environments.values().map(Counts::sum).sum::<u64>();
        assert!(sum == 0 || sum == one.sum() / 2, "{place}");
    }
}

#[test]
fn another_file_is_foreign() {
    for file in [&b"edge-proxy analytics 2\n"[..], b"{}", b"edge-proxy", b"\0"] {
        assert_eq!(read(file).err(), Some(Foreign));
    }
}

#[test]
fn nothing_shows_a_key() {
    let file = write([(digest("secret"), &counts(1))]);
    assert!(!file.windows(6).any(|bytes| bytes == b"secret"));
}
