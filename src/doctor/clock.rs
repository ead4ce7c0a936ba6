//! This machine's clock beside upstream's; pure.
use std::time::{Duration, SystemTime};

use actors::upstream::AnswerHead;

use super::finding::{Finding, Subject};

/// More says that the clock is not kept right.
const TOLERATED: Duration = Duration::from_secs(5);
/// More makes certificates that have just been issued, or are about to end, invalid.
const HARMFUL: Duration = Duration::from_secs(300);
/// `Date` has whole seconds, rounded down.
const RESOLUTION: Duration = Duration::from_secs(1);

const ADVICE: &str =
    "set this machine's clock right, by NTP (chronyd, systemd-timesyncd) or the hypervisor's";

/// Compares the clocks by the answers that name a time; `None`: none of them does.
pub(super) fn examine(subject: &Subject, heads: &[AnswerHead]) -> Option<Finding> {
    let differences = heads
        .iter()
        .filter_map(|head| Some(difference(head.date?, head.received)));
    // What an answer took on its way makes it more.
    let (difference, is_ahead) = differences.min_by_key(|(difference, _)| *difference)?;
    if difference <= TOLERATED {
        return Some(subject.ok("clock", format!("within {} s of upstream's", TOLERATED.as_secs())));
    }
    let side = if is_ahead { "ahead of" } else { "behind" };
    let detail = format!(
        "this machine's clock is {} s {side} upstream's",
        difference.as_secs()
    );
    Some(if difference > HARMFUL {
        let detail = format!("{detail}, with which valid certificates count as expired, or as not valid yet");
        subject.failure("clock", detail, ADVICE)
    } else {
        subject.warning("clock", detail, ADVICE)
    })
}

/// By how much this machine's clock is certainly off, and whether it is ahead.
fn difference(upstream: SystemTime, own: SystemTime) -> (Duration, bool) {
    match own.duration_since(upstream) {
        Ok(ahead) => (ahead.saturating_sub(RESOLUTION), true),
        Err(behind) => (behind.duration(), false),
    }
}

#[cfg(test)]
mod tests {
    use std::time::UNIX_EPOCH;

    use actors::upstream::Content;

    use super::super::finding::Verdict;
    use super::*;

    fn verdict(own: u64, upstream: &[Option<u64>]) -> Option<(Verdict, String)> {
        let at = |seconds: u64| UNIX_EPOCH + Duration::from_secs(seconds);
        let heads: Vec<_> = upstream
            .iter()
            .map(|date| AnswerHead {
                status: 200,
                content: Content::Json,
                gateway: None,
                redirect: None,
                date: date.map(at),
                received: at(own),
            })
            .collect();
        examine(&Subject::new("upstream"), &heads).map(|finding| (finding.verdict, finding.detail))
    }

    #[test]
    fn a_clock_is_wrong_by_what_no_answer_explains() {
        let of = |own, upstream: &[Option<u64>]| verdict(own, upstream).map(|(verdict, _)| verdict);
        assert_eq!(of(1_000, &[]), None);
        assert_eq!(of(1_000, &[None]), None);
        assert_eq!(of(1_000, &[Some(994)]), Some(Verdict::Ok));
        assert_eq!(of(1_000, &[Some(993)]), Some(Verdict::Warning));
        assert_eq!(of(1_000, &[Some(1_006)]), Some(Verdict::Warning));
        assert_eq!(of(1_000, &[Some(1_301)]), Some(Verdict::Failure));
        assert_eq!(of(1_000, &[Some(600)]), Some(Verdict::Failure));
        assert_eq!(of(1_000, &[Some(600), None, Some(1_000)]), Some(Verdict::Ok));
        let (_, ahead) = verdict(1_000, &[Some(600)]).unwrap();
        assert!(ahead.contains("399 s ahead of upstream's"), "{ahead}");
    }
}
