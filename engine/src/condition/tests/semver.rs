//! Versions: the strict grammar and the order of semver.org.

use super::holds;

fn quoted(text: &str) -> String {
    serde_json::to_string(text).unwrap()
}

#[test]
fn orders_versions() {
    // The order of semver.org, 11, and numbers past 64 bits.
    let ascending = [
        "0.0.0",
        "1.0.0-0",
        "1.0.0-1",
        "1.0.0-10",
        "1.0.0-99999999999999999999",
        "1.0.0-100000000000000000000",
        "1.0.0--",
        "1.0.0-Alpha",
        "1.0.0-alpha",
        "1.0.0-alpha.1",
        "1.0.0-alpha.beta",
        "1.0.0-beta",
        "1.0.0-beta.2",
        "1.0.0-beta.11",
        "1.0.0-rc.1",
        "1.0.0",
        "1.0.1",
        "1.9.0",
        "1.10.0",
        "10.0.0",
        "99999999999999999999.0.0",
        "100000000000000000000.0.0",
    ];
    for (index, given) in ascending.iter().enumerate() {
        for (other_index, other) in ascending.iter().enumerate() {
            let value = quoted(&format!("{other}:semver"));
            for (operator, expected) in [
                ("EQUAL", index == other_index),
                ("NOT_EQUAL", index != other_index),
                ("LESS_THAN", index < other_index),
                ("LESS_THAN_INCLUSIVE", index <= other_index),
                ("GREATER_THAN", index > other_index),
                ("GREATER_THAN_INCLUSIVE", index >= other_index),
            ] {
                let expected = if expected { 'T' } else { 'F' };
                assert_eq!(
                    holds(operator, &value, &quoted(given)),
                    expected,
                    "{given} {operator} {other}"
                );
            }
        }
    }
}

#[test]
fn a_build_counts_for_nothing() {
    assert_eq!(holds("EQUAL", r#""1.2.3+one:semver""#, r#""1.2.3+two""#), 'T');
    assert_eq!(holds("NOT_EQUAL", r#""1.2.3+one:semver""#, r#""1.2.3""#), 'F');
}

#[test]
fn nothing_holds_for_what_is_no_version() {
    let too_long = format!("{}.0.0", "9".repeat(4301));
    for given in [
        "1",
        "1.2",
        "1.2.3.4",
        "v1.2.3",
        "01.2.3",
        "1.02.3",
        "1.2.3-",
        "1.2.3-01",
        "1.2.3-a..b",
        "1.2.3+",
        "1.2.3+a_b",
        "1.2.3 ",
        "1.2.3\n",
        "１.2.3",
        "1.2.3-é",
        "",
        "abc",
        &too_long,
    ] {
        for operator in ["EQUAL", "NOT_EQUAL", "GREATER_THAN", "LESS_THAN", "CONTAINS"] {
            assert_eq!(
                holds(operator, r#""1.2.3:semver""#, &quoted(given)),
                'F',
                "{given} {operator}"
            );
        }
    }
    assert_eq!(holds("NOT_EQUAL", r#""1.2:semver""#, r#""1.2.3""#), 'F');
}

#[test]
fn containment_asks_for_the_whole_prerelease_or_build() {
    let given = r#""1.2.3-rc.1+build.5""#;
    for (value, expected) in [
        ("rc.1", 'T'),
        ("build.5", 'T'),
        ("rc", 'F'),
        ("1", 'F'),
        ("", 'F'),
        ("1.2.3", 'F'),
    ] {
        assert_eq!(
            holds("CONTAINS", &quoted(&format!("{value}:semver")), given),
            expected,
            "{value}"
        );
    }
    // NOT_CONTAINS knows no versions: the value is plain text.
    assert_eq!(holds("NOT_CONTAINS", r#""rc.1:semver""#, given), 'T');
    assert_eq!(holds("NOT_CONTAINS", r#""rc.1""#, given), 'F');
}
