use serde_json::json;

use super::*;
use crate::hashing::hashed_percentage;

#[test]
fn are_answered_with_identifier_traits_and_flags() {
    let features = json!([
        state(1, "a", json!("x")),
        multivariate(
            2,
            "b",
            json!("control"),
            json!([option(1, json!(true), json!("yes"), json!(100.0))])
        ),
        state(3, "c", json!(null)),
    ]);
    let environment = compile(&document(features, json!([])));
    let body = r#"{"identifier":"al\"ice","traits":[{"trait_key":"k","trait_value":1.50,"transient":true},{"trait_key":"n","trait_value":null}]}"#;
    let identity = Identity::from_json(body.as_bytes(), || [0; 16]).unwrap();
    let a = r#"{"feature":{"id":1,"name":"a","type":"STANDARD"},"enabled":true,"feature_state_value":"x","reason":"STATIC"}"#;
    let b = concat!(
        r#"{"feature":{"id":2,"name":"b","type":"STANDARD"},"enabled":true,"feature_state_value":true,"variant":"yes","#,
        r#""reason":"SPLIT; weight=100.0"}"#
    );
    let c = r#"{"feature":{"id":3,"name":"c","type":"STANDARD"},"enabled":true,"feature_state_value":null,"reason":"STATIC"}"#;
    let traits = r#"[{"trait_key":"k","trait_value":1.50,"transient":true}]"#;
    assert_eq!(
        text(environment.identity_answer(KeyKind::Client, &identity)),
        format!(r#"{{"identifier":"al\"ice","traits":{traits},"flags":[{a},{b},{c}]}}"#)
    );
    for (name, flag) in [
        ("a", Some(a)),
        ("b", Some(b)),
        ("c", Some(c)),
        ("A", None),
        ("d", None),
    ] {
        let answer = environment
            .identity_flag(KeyKind::Client, &identity, name)
            .map(text);
        assert_eq!(answer.as_deref(), flag, "{name}");
    }
    let none = compile(&document(json!([]), json!([])));
    let anonymous = Identity::from_query(None, || [0; 16]).unwrap();
    assert_eq!(
        text(none.identity_answer(KeyKind::Client, &anonymous)),
        r#"{"identifier":"00000000000000000000000000000000","traits":[],"flags":[]}"#
    );
}

#[test]
fn may_not_send_traits_by_client_side_key_where_the_environment_forbids_it() {
    let features = json!([state(1, "a", json!("default"))]);
    let segments = json!([segment(
        1,
        "s",
        "t",
        "yes",
        json!([state(1, "a", json!("segment"))])
    )]);
    let body = identity("i", &[("t", json!("yes"))]);
    for (allowed, kind, used) in [
        (json!(true), KeyKind::Client, true),
        (json!(null), KeyKind::Client, true),
        (json!(false), KeyKind::Client, false),
        (json!(false), KeyKind::Server, true),
    ] {
        let document = with(
            document(features.clone(), segments.clone()),
            "allow_client_traits",
            allowed,
        );
        let answer = answer(&compile(&document), kind, &body);
        assert_eq!(answer["traits"].as_array().unwrap().len(), usize::from(used));
        assert_eq!(
            answer["flags"][0]["feature_state_value"],
            if used { "segment" } else { "default" }
        );
    }
}

/// Percentages that put the identity in the first, the second and no option.
#[test]
fn get_the_option_whose_range_holds_their_percentage() {
    let percentage = hashed_percentage("100", "key_i");
    let ranges = [
        (json!([percentage + 0.1, 5]), "first", json!("one")),
        (json!([percentage, 100]), "second", json!(null)),
        (
            json!([percentage / 2.0, percentage / 2.0]),
            "control",
            json!("control"),
        ),
        (json!([0, 0]), "control", json!("control")),
    ];
    for (allocations, value, variant) in ranges {
        // In the order of their ids, not of the document.
        let options = json!([
            option(8, json!("second"), json!(null), allocations[1].clone()),
            option(7, json!("first"), json!("one"), allocations[0].clone()),
        ]);
        let environment = compile(&document(
            json!([multivariate(1, "a", json!("control"), options)]),
            json!([]),
        ));
        let flag = &answer(&environment, KeyKind::Server, &identity("i", &[]))["flags"][0];
        assert_eq!(
            (&flag["feature_state_value"], &flag["variant"]),
            (&json!(value), &variant),
            "{allocations}"
        );
        assert!(text(environment.flags(KeyKind::Server)).contains("control"));
        assert!(!text(environment.flags(KeyKind::Server)).contains("variant"));
    }
}

#[test]
fn try_options_in_the_order_of_their_ids_or_uuids() {
    let uuid = |end: &str| json!(format!("00000000-0000-0000-0000-0000000000{end}"));
    let everyone = |id: Value, uuid: Value, value: &str| {
        json!({"id": id, "mv_fs_value_uuid": uuid, "percentage_allocation": 100,
            "multivariate_feature_option": {"value": value}})
    };
    let cases = [
        (
            [
                everyone(json!(2), json!(null), "a"),
                everyone(json!(1), json!(null), "b"),
            ],
            "b",
        ),
        (
            [
                everyone(json!(1), json!(null), "a"),
                everyone(json!(1), json!(null), "b"),
            ],
            "a",
        ),
        (
            [
                everyone(json!(null), uuid("0a"), "a"),
                everyone(json!(0), uuid("09"), "b"),
            ],
            "b",
        ),
        (
            [
                everyone(json!(null), uuid("02"), "a"),
                everyone(json!(1), uuid("09"), "b"),
            ],
            "b",
        ),
        (
            [
                everyone(json!(9), json!(null), "a"),
                everyone(json!(-3), json!(null), "b"),
            ],
            "b",
        ),
        (
            [
                everyone(json!(-3), json!(null), "a"),
                everyone(json!(-4), json!(null), "b"),
            ],
            "b",
        ),
        (
            [
                everyone(json!(null), json!("{URN:0}"), "a"),
                everyone(json!(1), json!(null), "b"),
            ],
            "a",
        ),
    ];
    for (options, value) in cases {
        let document = document(json!([multivariate(1, "a", json!(0), json!(options))]), json!([]));
        assert_eq!(
            values(&compile_with_warnings(&document).0, &identity("i", &[])),
            [json!(value)],
            "{options:?}"
        );
    }
}

#[test]
fn are_hashed_with_the_key_of_the_feature_state() {
    let uuid = "11111111-2222-3333-4444-555555555555";
    for (django_id, key) in [
        (json!(7), "7"),
        (json!("x"), "x"),
        (json!(0), uuid),
        (json!(null), uuid),
    ] {
        let percentage = hashed_percentage(key, "key_i");
        for (allocation, value) in [(percentage, "control"), (percentage + 0.01, "option")] {
            let options = json!([option(1, json!("option"), json!(null), json!(allocation))]);
            let mut feature = multivariate(1, "a", json!("control"), options);
            feature["django_id"] = django_id.clone();
            feature["featurestate_uuid"] = json!(uuid);
            assert_eq!(
                values(
                    &compile(&document(json!([feature]), json!([]))),
                    &identity("i", &[])
                ),
                [json!(value)]
            );
        }
    }
}

#[test]
fn may_have_a_key_of_their_own() {
    let percentage = hashed_percentage("100", "another");
    let options = json!([option(1, json!("option"), json!(null), json!(percentage + 0.01))]);
    let before = json!([option(1, json!("option"), json!(null), json!(percentage))]);
    for (options, value) in [(options, r#""option""#), (before, r#""control""#)] {
        let environment = compile(&document(
            json!([multivariate(1, "a", json!("control"), options)]),
            json!([]),
        ));
        let identity = Identity::from_query(Some("i"), || [0; 16])
            .unwrap()
            .with_key("another");
        assert_eq!(evaluated(&environment, &identity)[0].value, value);
        assert_eq!(evaluated(&environment, None)[0].value, r#""control""#);
        assert_eq!(evaluated(&environment, None)[0].variant, None);
    }
}

#[test]
fn of_duplicate_traits_the_last_counts() {
    let environment = compile(&document(
        json!([]),
        json!([segment(1, "s", "t", "2", json!([]))]),
    ));
    let cases = [
        (vec![json!(1), json!(2)], true),
        (vec![json!(2), json!(1)], false),
        // One that is null is none.
        (vec![json!(2), json!(null)], true),
        (vec![json!(2), json!(1), json!(null)], false),
        (vec![json!(null), json!("2")], true),
    ];
    for (sent, matches) in cases {
        let traits: Vec<_> = sent.iter().map(|value| ("t", value.clone())).collect();
        assert_eq!(
            matching(&environment, &identity("i", &traits)).len(),
            usize::from(matches),
            "{sent:?}"
        );
    }
}
