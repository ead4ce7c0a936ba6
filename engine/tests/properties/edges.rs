//! Particular inputs that break evaluation engines.

use super::documents::with_rules;
use super::{bounded, compiled, exercise_body, exercise_document};

const DEPTH: usize = 10_000;

fn nested(open: &str, inner: &str, close: &str) -> String {
    format!("{}{inner}{}", open.repeat(DEPTH), close.repeat(DEPTH))
}

fn condition(operator: &str, property: &str, value: &str) -> String {
    let condition = format!(r#"{{"operator":"{operator}","property_":"{property}","value":{value}}}"#);
    format!(r#"{{"type":"ALL","conditions":[{condition}]}}"#)
}

/// Which segments match: the one of [`with_rules`], or none.
fn matches(rules: &str, body: &str) -> bool {
    let environment = compiled(with_rules(rules).as_bytes()).expect("the rules are part of a good document");
    exercise_body(&environment, body.as_bytes());
    let identity = engine::Identity::from_json(body.as_bytes(), || [0; 16]).expect("the body is good");
    !environment.matching_segments(Some(&identity)).is_empty()
}

fn with_trait(value: &str) -> String {
    format!(r#"{{"identifier":"alice","traits":[{{"trait_key":"t","trait_value":{value}}}]}}"#)
}

#[test]
fn deep_nesting() {
    bounded(|| {
        for deep in [
            nested("[", "", "]"),
            nested(r#"{"a":"#, "1", "}"),
            "[".repeat(DEPTH),
        ] {
            exercise_document(deep.as_bytes());
            exercise_document(with_rules(&deep).as_bytes());
            exercise_document(with_rules(&condition("IN", "t", &deep)).as_bytes());
            let environment = compiled(with_rules("").as_bytes()).unwrap();
            exercise_body(&environment, deep.as_bytes());
            exercise_body(&environment, with_trait(&deep).as_bytes());
            let quoted = serde_json::to_string(&deep).unwrap();
            exercise_document(with_rules(&condition("IN", "t", &quoted)).as_bytes());
        }
        let rules = nested(r#"{"type":"ALL","rules":["#, "", "]}");
        exercise_document(with_rules(&rules).as_bytes());
        for quoted in [
            nested("(", "a", ")"),
            nested("[", "a", "]"),
            nested("$.a[?@", "", "]"),
            format!("$.{}", "a.".repeat(DEPTH)),
        ] {
            exercise_document(with_rules(&condition("REGEX", "t", &format!("\"{quoted}\""))).as_bytes());
            exercise_document(with_rules(&condition("EQUAL", &quoted, "\"1\"")).as_bytes());
            exercise_document(with_rules(&condition("EQUAL", &format!("$.{quoted}"), "\"1\"")).as_bytes());
        }
    });
}

#[test]
fn catastrophic_regexes_are_bounded_and_do_not_match() {
    bounded(|| {
        let long = format!("\"{}!\"", "a".repeat(1900));
        let patterns = [
            r"(a+)+$",
            r"(a|a)*$",
            r"(a|aa)+$",
            r"(.*a){20}$",
            r"([a-z]+)*\\d",
            r"(?=(a+)+$)a",
            r"(a+)\\1+$",
            r"(a*)*b(?!c)",
            r"(?<!b)(a+)+$",
            r"(x+x+)+y|(a+)+(?=b)",
            r"(a?){60}a{60}(?=c)",
        ];
        for pattern in patterns {
            assert!(
                !matches(
                    &condition("REGEX", "t", &format!("\"{pattern}\"")),
                    &with_trait(&long)
                ),
                "{pattern}"
            );
        }
        // Not one condition alone: the bound is the request's.
        let rules: Vec<_> = (0..200)
            .map(|_| condition("REGEX", "t", r#""(?=(a+)+$)a|b""#))
            .collect();
        assert!(!matches(&rules.join(","), &with_trait(&long)));
    });
}

#[test]
fn enormous_regexes_are_bounded() {
    bounded(|| {
        for pattern in [
            r"((a{1000}){1000}){1000}",
            r"a{2147483647}",
            r"(?:a{0,65535}){0,65535}",
            r"\\w{5000}\\w{5000}",
            r"a{99999999999999999999}",
            r"(?=a{1000}{1000})",
            r"((((a?){30}){30}){30}){30}(?=b)",
        ] {
            exercise_document(with_rules(&condition("REGEX", "t", &format!("\"{pattern}\""))).as_bytes());
        }
        let alternatives = (0..20_000)
            .map(|number| number.to_string())
            .collect::<Vec<_>>()
            .join("|");
        exercise_document(with_rules(&condition("REGEX", "t", &format!("\"{alternatives}\""))).as_bytes());
    });
}

#[test]
fn enormous_numbers_are_bounded() {
    bounded(|| {
        let digits = "9".repeat(200_000);
        for json in [
            &digits,
            &format!("-{digits}"),
            &format!("{digits}.5"),
            &format!("1e{digits}"),
            &format!("0.{digits}"),
        ] {
            for text in [json.to_string(), format!("\"{json}\"")] {
                for operator in [
                    "EQUAL",
                    "GREATER_THAN",
                    "MODULO",
                    "IN",
                    "PERCENTAGE_SPLIT",
                    "REGEX",
                ] {
                    exercise_document(with_rules(&condition(operator, "t", &text)).as_bytes());
                }
                let environment =
                    compiled(with_rules(&condition("LESS_THAN", "t", "\"10\"")).as_bytes()).unwrap();
                exercise_body(&environment, with_trait(&text).as_bytes());
                exercise_body(&environment, format!(r#"{{"identifier":{text}}}"#).as_bytes());
            }
        }
        assert!(matches(
            &condition("GREATER_THAN", "t", "\"9223372036854775807\""),
            &with_trait("\"9223372036854775808\"")
        ));
        assert!(!matches(
            &condition("LESS_THAN", "t", "\"9223372036854775807\""),
            &with_trait("\"9223372036854775808\"")
        ));
    });
}

#[test]
fn modulo_by_zero_does_not_match() {
    for value in ["\"0|0\"", "\"0.0|1\"", "\"-0|0\""] {
        for sent in ["0", "7", "1.5", "true", "\"7\""] {
            assert!(
                !matches(&condition("MODULO", "t", value), &with_trait(sent)),
                "{value} {sent}"
            );
        }
        // A condition that is false instead would turn this on.
        let none = condition("MODULO", "t", value).replace("ALL", "NONE");
        assert!(!matches(&none, &with_trait("7")), "{value}");
    }
    assert!(matches(&condition("MODULO", "t", "\"2|1\""), &with_trait("7")));
}

#[test]
fn unknown_rule_types_do_not_match() {
    for rule_type in ["\"XOR\"", "\"all\"", "null", "7", "[]", "{}"] {
        let rule = |content: &str| format!(r#"{{"type":{rule_type},{content}}}"#);
        let holds = r#"{"operator":"IS_SET","property_":"t","value":""}"#;
        assert!(
            !matches(&rule(&format!(r#""conditions":[{holds}]"#)), &with_trait("1")),
            "{rule_type}"
        );
    }
}

#[test]
fn lone_surrogates_and_literals_of_python() {
    let environment = compiled(with_rules(&condition("EQUAL", "t", r#""\ud800""#)).as_bytes());
    for value in [
        r#""\ud800""#,
        r#""\udfff\ud800""#,
        "NaN",
        "Infinity",
        "-Infinity",
        "1e400",
        "-0",
        "[NaN]",
        r#"["\ud800"]"#,
    ] {
        exercise_document(with_rules(&condition("EQUAL", "t", value)).as_bytes());
        exercise_document(with_rules(&condition("IN", "t", value)).as_bytes());
        if let Some(environment) = &environment {
            exercise_body(environment, with_trait(value).as_bytes());
            exercise_body(
                environment,
                format!(r#"{{"identifier":{value},"traits":[]}}"#).as_bytes(),
            );
        }
    }
}
