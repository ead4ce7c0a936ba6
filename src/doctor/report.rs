//! All findings, as lines and as JSON; pure.
use std::fmt;

use serde::Serialize;

use super::finding::{Finding, Verdict};

/// All findings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// In the order in which they are written.
    pub findings: Vec<Finding>,
}

/// How many there are of each verdict.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
struct Sum {
    ok: usize,
    warning: usize,
    failure: usize,
    skipped: usize,
}

impl Report {
    /// Whether nothing fails.
    pub fn is_sound(&self) -> bool {
        self.sum().failure == 0
    }

    /// One JSON object.
    pub fn to_json(&self) -> String {
        #[derive(Serialize)]
        struct Json<'r> {
            status: Verdict,
            version: &'static str,
            sum: Sum,
            checks: &'r [Finding],
        }
        let sum = self.sum();
        let status = match sum {
            Sum { failure: 1.., .. } => Verdict::Failure,
            Sum { warning: 1.., .. } => Verdict::Warning,
            _ => Verdict::Ok,
        };
        let json = Json {
            status,
            version: env!("CARGO_PKG_VERSION"),
            sum,
            checks: &self.findings,
        };
        // Nothing of it can fail.
        serde_json::to_string_pretty(&json).unwrap_or_default()
    }

    fn sum(&self) -> Sum {
        let count = |verdict| {
            self.findings
                .iter()
                .filter(|finding| finding.verdict == verdict)
                .count()
        };
        Sum {
            ok: count(Verdict::Ok),
            warning: count(Verdict::Warning),
            failure: count(Verdict::Failure),
            skipped: count(Verdict::Skipped),
        }
    }
}

/// A line each, what to do below it, and the sum at the end.
impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for finding in &self.findings {
            writeln!(f, "{finding}")?;
        }
        let Sum {
            ok,
            warning,
            failure,
            skipped,
        } = self.sum();
        let several = |count: usize| if count == 1 { "" } else { "s" };
        write!(
            f,
            "{failure} failure{}, {warning} warning{}, {ok} ok, {skipped} not tried",
            several(failure),
            several(warning)
        )
    }
}

#[cfg(test)]
mod tests {
    use super::super::finding::Subject;
    use super::*;

    fn report() -> Report {
        let subject = Subject::key_pair(1, Some("a\nb\u{1b}[1m".to_owned()));
        Report {
            findings: vec![
                subject.ok("http", "200"),
                subject.told("key", Verdict::Failure, "it is refused; correct it"),
                subject.warning("clock", "late", "set it"),
                subject.skipped("document", "the key is refused"),
            ],
        }
    }

    #[test]
    fn a_check_is_a_line_and_what_to_do_is_below_it() {
        assert_eq!(
            report().to_string(),
            "ok   key pair 1 (a\\nb\\u{1b}[1m): http: 200\n\
             FAIL key pair 1 (a\\nb\\u{1b}[1m): key: it is refused\n     \u{2192} correct it\n\
             warn key pair 1 (a\\nb\\u{1b}[1m): clock: late\n     \u{2192} set it\n\
             skip key pair 1 (a\\nb\\u{1b}[1m): document: not tried: the key is refused\n\
             1 failure, 1 warning, 1 ok, 1 not tried"
        );
    }

    #[test]
    fn json_has_the_sum_and_every_check() {
        let json: serde_json::Value = serde_json::from_str(&report().to_json()).unwrap();
        assert_eq!(json["status"], "failure");
        assert_eq!(
            json["sum"],
            serde_json::json!({"ok": 1, "warning": 1, "failure": 1, "skipped": 1})
        );
        assert_eq!(json["checks"][1]["kind"], "key_pair");
        assert_eq!(json["checks"][1]["number"], 1);
        assert_eq!(json["checks"][1]["check"], "key");
        assert_eq!(json["checks"][1]["verdict"], "failure");
        assert_eq!(json["checks"][1]["advice"], "correct it");
        assert_eq!(json["checks"][0]["advice"], serde_json::Value::Null);
        let sound = Report { findings: Vec::new() };
        assert!(sound.is_sound() && !report().is_sound());
    }
}
