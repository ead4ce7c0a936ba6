//! Flags with their parts.
use super::*;
use crate::Reason;

/// Six features: one for each reason.
fn environment() -> Environment {
    let option = |percentage| json!([option(1, json!({"a": 1}), json!("blue"), json!(percentage))]);
    let mut document = document(
        json!([
            state(1, "static", json!(" s ")),
            state(2, "default", json!(1.50)),
            state(3, "segment", json!(null)),
            multivariate(4, "split", json!("control"), option(100)),
            multivariate(5, "control", json!("control"), option(0)),
            state(6, "own", json!(true)),
        ]),
        json!([
            segment(
                1,
                "in",
                "plan",
                "pro",
                json!([state(3, "segment", json!("s")), state(6, "own", json!("s"))])
            ),
            segment(
                2,
                "not in",
                "plan",
                "free",
                json!([state(2, "default", json!(0))])
            ),
        ]),
    );
    document["identity_overrides"] =
        json!([identity_override("i", json!([state(66, "own", json!("mine"))]))]);
    compile(&document)
}

#[test]
fn tell_why_they_are_what_they_are() {
    let (environment, body) = (
        environment(),
        identity("i", &[("plan", json!("pro"))]).to_string(),
    );
    let identity = Identity::from_json(body.as_bytes(), || [0; 16]).unwrap();
    let flags = evaluated(&environment, &identity);
    let reasons: Vec<_> = flags.iter().map(|flag| flag.reason).collect();
    assert_eq!(
        reasons,
        [
            Reason::Static,
            Reason::Default,
            Reason::Segment("in"),
            Reason::Split { weight: "100" },
            Reason::Static,
            Reason::IdentityOverride,
        ]
    );
    let parts: Vec<_> = flags.iter().map(|flag| (flag.value, flag.variant)).collect();
    assert_eq!(
        parts,
        [
            (r#"" s ""#, None),
            ("1.5", None),
            (r#""s""#, None),
            (r#"{"a":1}"#, Some(r#""blue""#)),
            (r#""control""#, Some(r#""control""#)),
            (r#""mine""#, None),
        ]
    );
    let ids: Vec<_> = flags.iter().map(|flag| &*flag.feature.id).collect();
    assert_eq!(ids, ["1", "2", "3", "4", "5", "66"]);
}

#[test]
fn have_ready_bytes_unless_they_are_put_together_for_the_identity() {
    let (environment, body) = (environment(), identity("i", &[]));
    let answer = answer(&environment, KeyKind::Server, &body);
    let identity = Identity::from_query(Some("i"), || [0; 16]).unwrap();
    let flags = evaluated(&environment, &identity);
    for (flag, answered) in flags.iter().zip(answer["flags"].as_array().unwrap()) {
        let ready = flag
            .ready
            .map(|ready| serde_json::from_slice::<Value>(ready).unwrap());
        let is_put_together = matches!(&*flag.feature.name, "split" | "control" | "own");
        assert_eq!(ready.as_ref(), Some(answered).filter(|_| !is_put_together));
    }
}

#[test]
fn are_hidden_as_in_answers() {
    let mut document = document(
        json!([
            state(1, "a", json!(1)),
            with(state(2, "off", json!(2)), "enabled", json!(false)),
            state(3, "b", json!(3))
        ]),
        json!([]),
    );
    document["project"]["hide_disabled_flags"] = json!(true);
    document["project"]["server_key_only_feature_ids"] = json!([3]);
    let environment = compile(&document);
    let names = |kind| {
        let mut names = Vec::new();
        environment.evaluate(kind, None, |flag| names.push(flag.feature.name.to_string()));
        names
    };
    assert_eq!(names(KeyKind::Server), ["a", "b"]);
    assert_eq!(names(KeyKind::Client), ["a"]);
}
