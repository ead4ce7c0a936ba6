//! What would be stored of an identity.
use super::{Identity, read};

/// Its traits to be stored, as `key=value`; `None`: nothing is.
fn lasting(body: &str) -> Option<Vec<String>> {
    let identity = read(body).unwrap();
    let traits = identity.lasting_traits().map(|stored| match stored.value {
        Some(value) => format!("{}={value}", stored.key),
        None => format!("{} is unset", stored.key),
    });
    let traits: Vec<_> = traits.collect();
    assert_eq!(identity.has_lasting_traits(), !traits.is_empty(), "{body}");
    (!identity.is_transient()).then_some(traits)
}

#[test]
fn traits_last_unless_they_or_their_identity_are_transient() {
    let traits = r#"[{"trait_key":" a ","trait_value":"\u00e9"},{"trait_key":"b","trait_value":1.50},
        {"trait_key":"c","trait_value":true,"transient":true},{"trait_key":"d","trait_value":[true,"x"]},
        {"trait_key":"e","trait_value":{"value":7,"type":"integer"}},{"trait_key":"a","trait_value":false}]"#;
    let expected = [r#"a="\u00e9""#, "b=1.50", r#"d="[True, 'x']""#, "e=7", "a=false"];
    let identified = format!(r#"{{"identifier":"i","traits":{traits}}}"#);
    assert_eq!(lasting(&identified).unwrap(), expected);
    for transient in [
        format!(r#"{{"identifier":"i","transient":true,"traits":{traits}}}"#),
        format!(r#"{{"traits":{traits}}}"#),
        format!(r#"{{"identifier":" ","traits":{traits}}}"#),
    ] {
        assert_eq!(lasting(&transient), None, "{transient}");
    }
    assert_eq!(lasting(r#"{"identifier":"i"}"#).unwrap(), [""; 0]);
}

#[test]
fn null_unsets_a_trait_and_a_missing_value_does_not() {
    for (sent, expected) in [
        (r#"{"trait_key":"k","trait_value":null}"#, Some("k is unset")),
        (
            r#"{"trait_key":"k","trait_value":{"value":null,"type":"string"}}"#,
            Some("k is unset"),
        ),
        (r#"{"trait_key":"k"}"#, None),
        (r#"{"trait_key":"k","trait_value":null,"transient":true}"#, None),
        (r#"{"trait_key":"flagsmith_cohort_1","trait_value":null}"#, None),
        (r#"{"trait_key":"flagsmith_cohort_1","trait_value":true}"#, None),
    ] {
        let body = format!(r#"{{"identifier":"i","traits":[{sent}]}}"#);
        let expected: Vec<_> = expected.into_iter().map(str::to_owned).collect();
        assert_eq!(lasting(&body).unwrap(), expected, "{sent}");
    }
    let both = r#"{"identifier":"i","traits":[{"trait_key":"k","trait_value":1},{"trait_key":"k","trait_value":null}]}"#;
    assert_eq!(lasting(both).unwrap(), ["k is unset", "k=1"], "as it evaluates");
}

#[test]
fn an_identity_of_a_query_lasts_where_it_has_an_identifier() {
    let of = |identifier| Identity::from_query(identifier, || [0; 16]).unwrap();
    assert!(!of(Some("i")).is_transient());
    assert!(of(None).is_transient());
    assert!(!of(Some("i")).has_lasting_traits());
}
