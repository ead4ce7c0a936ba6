use std::time::{Duration, SystemTime};

use actors::upstream::Content;

use super::*;

fn settings(keys: &str) -> Settings {
    let pairs = format!(r#"[{{"client_side_key": "client", "server_side_keys": [{keys}]}}]"#);
    let variables = [("ENVIRONMENT_KEY_PAIRS".to_owned(), pairs)];
    Settings::load(Some(std::path::Path::new("/nonexistent")), variables)
        .unwrap()
        .settings
}

fn found(settings: &Settings, report: PolledReport, is_short_of_memory: bool) -> Vec<Finding> {
    let head = AnswerHead {
        status: 200,
        content: Content::Json,
        gateway: None,
        redirect: None,
        date: None,
        received: SystemTime::now(),
    };
    let answers = Answers {
        heads: vec![head],
        is_refused_by_flagsmith: true,
        is_short_of_memory,
        keys: settings.environments[0].server_side_keys.len(),
    };
    told(settings, 0, report, answers).findings
}

fn verdicts(findings: &[Finding]) -> Vec<(&'static str, Verdict)> {
    findings
        .iter()
        .map(|finding| (finding.check, finding.verdict))
        .collect()
}

fn without(document: Unexamined) -> PolledReport {
    PolledReport {
        took: Duration::from_millis(10),
        document: Err(document),
        ..PolledReport::without(FetchFailure::UnusableKey)
    }
}

#[test]
fn what_was_fetched_is_told_where_no_time_or_memory_is_left_to_compile_it() {
    use Verdict::{Ok, Skipped, Warning};
    let settings = settings(r#""ser.one""#);
    let fetched = [
        ("http", Ok),
        ("key", Ok),
        ("document", Warning),
        ("overrides", Skipped),
    ];
    let late = found(&settings, without(Unexamined::NoTime), false);
    assert_eq!(verdicts(&late), fetched);
    assert!(late[2].advice.as_ref().unwrap().contains("processors"));
    let large = || without(FetchFailure::TooMuchMemory.into());
    let short = found(&settings, large(), true);
    assert_eq!(verdicts(&short), fetched);
    assert!(short[2].detail.contains("half of what is left"), "{short:?}");
    // Where it has what a proxy has, a proxy cannot take it either.
    let failed = found(&settings, large(), false);
    assert_eq!(verdicts(&failed)[2], ("document", Verdict::Failure));
}

#[test]
fn of_several_keys_none_is_said_to_be_taken_where_none_is() {
    let settings = settings(r#""ser.one", "ser.two""#);
    let refusal = |words: &str| FetchFailure::KeyRejected(403, Some(words.to_owned()));
    let refused = |first: &str, second: &str| PolledReport {
        refused: vec![(0, refusal(first)), (1, refusal(second))],
        ..without(refusal(second).into())
    };
    let told = |findings: Vec<Finding>| {
        let texts = findings.iter().filter(|finding| finding.check == "key");
        let texts: Vec<String> = texts.map(ToString::to_string).collect();
        texts.join(" ")
    };
    let alike = told(found(&settings, refused("no", "no"), false));
    assert!(
        alike.contains("refuses each of the 2 server-side keys (403, \"no\")"),
        "{alike}"
    );
    let different = told(found(&settings, refused("gone", "no"), false));
    assert!(different.contains("key 1 of 2 (403, \"gone\")"), "{different}");
    for text in [alike, different] {
        assert!(
            !text.contains("is taken meanwhile") && !text.contains("upstream takes"),
            "{text}"
        );
    }
    let other = PolledReport {
        refused: vec![(0, refusal("gone"))],
        ..without(FetchFailure::RateLimited(None).into())
    };
    let other = told(found(&settings, other, false));
    assert!(!other.contains("is taken meanwhile"), "{other}");
}
