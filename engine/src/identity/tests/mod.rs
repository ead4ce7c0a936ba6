mod faults;
mod fields;
mod lasting;

use super::{Identity, IdentityError};

fn read(body: &str) -> Result<Identity<'_>, IdentityError> {
    Identity::from_json(body.as_bytes(), || [0xab; 16])
}

fn echo(body: &str) -> String {
    let identity = read(body).unwrap();
    let mut out = Vec::new();
    identity.write_traits(&mut out);
    assert!(out.len() <= identity.traits_length(), "{body}");
    String::from_utf8(out).unwrap()
}

fn sent(value: &str) -> String {
    format!(r#"{{"identifier":"i","traits":[{{"trait_key":"k","trait_value":{value}}}]}}"#)
}

#[test]
fn identifiers() {
    let cases = [
        (r#""alice""#, "alice"),
        (r#""  a b\t""#, "a b"),
        (r#""007""#, "007"),
        (r#""\u00e9""#, "é"),
        ("7", "7"),
        ("1.50", "1.5"),
        ("123456789012345678901234567890", "123456789012345678901234567890"),
    ];
    for (json, identifier) in cases {
        let body = format!(r#"{{"identifier":{json}}}"#);
        let identity = read(&body).unwrap();
        assert_eq!(
            (identity.identifier(), identity.transient),
            (identifier, false),
            "{json}"
        );
    }
    for json in ["true", "[]", "{}", r#"["a"]"#] {
        assert_eq!(
            read(&format!(r#"{{"identifier":{json}}}"#)).unwrap_err(),
            IdentityError::Identifier,
            "{json}"
        );
    }
    assert_eq!(
        read(r#"{"identifier":1e400}"#).unwrap_err(),
        IdentityError::Number
    );
    assert_eq!(
        read(r#"{"identifier":"\ud800"}"#).unwrap_err(),
        IdentityError::Unicode
    );
}

#[test]
fn anonymous_identities() {
    for body in [
        "",
        "{}",
        r#"{"identifier":null}"#,
        r#"{"identifier":""}"#,
        r#"{"identifier":"  ","traits":[]}"#,
    ] {
        let identity = read(body).unwrap();
        assert_eq!(identity.identifier(), "ab".repeat(16), "{body}");
        assert!(identity.transient);
    }
    // sha256 of "aTrueb1.0cxcy": sorted by key, null skipped, duplicates in their order.
    let body = r#"{"traits":[{"trait_key":"b","trait_value":1.0},{"trait_key":"c","trait_value":"x"},
        {"trait_key":"n","trait_value":null},{"trait_key":"c","trait_value":"y"},{"trait_key":"a","trait_value":true}]}"#;
    let hash = "795d69ed835a46a56590c1e0527c187a2cbc4e2ea624a06983e823ffb74dcf76";
    assert_eq!(read(body).unwrap().identifier(), hash);
    // Without any set there is nothing to hash, but traits were sent: the identifier is no random one.
    let of_nothing = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    let unset = r#"{"traits":[{"trait_key":"n","trait_value":null}]}"#;
    assert_eq!(read(unset).unwrap().identifier(), of_nothing);
    assert_eq!(
        echo(r#"{"traits":[{"trait_key":"a","trait_value":1,"transient":false}]}"#),
        r#"[{"trait_key":"a","trait_value":1,"transient":true}]"#
    );
}

#[test]
fn identifiers_of_queries() {
    let read = |identifier| {
        Identity::from_query(identifier, || [1; 16])
            .unwrap()
            .identifier()
            .to_owned()
    };
    for as_it_is in ["alice", " alice ", " ", "\u{a0}"] {
        assert_eq!(read(Some(as_it_is)), as_it_is);
    }
    for none in [None, Some("")] {
        assert_eq!(read(none), "01".repeat(16));
    }
    let (longest, longer) = (" ".repeat(2000), " ".repeat(2001));
    assert_eq!(read(Some(&longest)), longest);
    let refused = Identity::from_query(Some(&longer), || [0; 16]).unwrap_err();
    assert_eq!(refused, IdentityError::IdentifierLength);
}

#[test]
fn trait_values_are_echoed_as_they_came() {
    let unchanged = [
        r#""text""#,
        r#""007""#,
        r#""\u00e9\n""#,
        "7",
        "-0",
        "1.50",
        "1E2",
        "true",
        "false",
        r#""""#,
    ];
    for value in unchanged.into_iter().chain([
        "123456789012345678901234567890",
        "0.1000000000000000055511151231257827",
    ]) {
        assert_eq!(
            echo(&sent(value)),
            format!(r#"[{{"trait_key":"k","trait_value":{value}}}]"#)
        );
    }
    let converted = [
        ("[ ]", r#""[]""#),
        (r#"["a", 1]"#, r#""['a', 1]""#),
        (r#"{"a":true}"#, r#""{'a': True}""#),
        (r#"{"value":1}"#, r#""{'value': 1}""#),
        (r#"{"value":1.50,"type":"float"}"#, "1.50"),
        (r#"{"type":"str","value":"a"}"#, r#""a""#),
        (r#"{"value":[1],"type":"list"}"#, r#""[1]""#),
        (
            r#"{"value":{"value":1,"type":"int"},"type":"dict"}"#,
            r#""{'value': 1, 'type': 'int'}""#,
        ),
        (
            r#"{"value":1,"type":"int","more":1}"#,
            r#""{'value': 1, 'type': 'int', 'more': 1}""#,
        ),
    ];
    for (value, echoed) in converted {
        assert_eq!(
            echo(&sent(value)),
            format!(r#"[{{"trait_key":"k","trait_value":{echoed}}}]"#),
            "{value}"
        );
    }
    for unset in ["null", r#"{"value":null,"type":"none"}"#] {
        assert_eq!(echo(&sent(unset)), "[]");
    }
}

#[test]
fn traits_keep_their_order_and_duplicates() {
    let body = r#"{"identifier":"i","transient":null,"unknown":{"a":[1]},"traits":[
        {"trait_key":"b","trait_value":1,"transient":true,"unknown":[]}, {"trait_value":null,"trait_key":"n"},
        {"transient":null,"trait_key":"a","trait_value":"\"","trait_value":"x"},
        {"trait_key":"b","trait_value":2,"transient":false}]}"#;
    assert_eq!(
        echo(body),
        concat!(
            r#"[{"trait_key":"b","trait_value":1,"transient":true},{"trait_key":"a","trait_value":"x"},"#,
            r#"{"trait_key":"b","trait_value":2}]"#
        )
    );
    for none in [
        r#"{"identifier":"i"}"#,
        r#"{"identifier":"i","traits":null}"#,
        r#"{"identifier":"i","traits":[]}"#,
    ] {
        assert_eq!(echo(none), "[]");
    }
}

#[test]
fn reads_what_sdks_write() {
    for (body, echoed) in [
        (r#"{"identifier":"i","traits":[]}"#, "[]"),
        (
            r#"{"identifier": "größe", "traits": [{"trait_key": "k", "trait_value": 1.5}, {"trait_key": "l", "trait_value": -7}]}"#,
            r#"[{"trait_key":"k","trait_value":1.5},{"trait_key":"l","trait_value":-7}]"#,
        ),
        (
            r#"{"identifier":"i","traits":[{"trait_value":true,"trait_key":"k","transient":true},{"trait_key":"","trait_value":null}],"transient":false}"#,
            r#"[{"trait_key":"k","trait_value":true,"transient":true}]"#,
        ),
        (" {\n} ", "[]"),
    ] {
        assert_eq!(echo(body), echoed, "{body}");
    }
}

#[test]
fn shows_nothing_of_what_was_sent() {
    let body = r#"{"identifier":"secret","traits":[{"trait_key":"secret","trait_value":"secret"}]}"#;
    assert!(!format!("{:?}", read(body).unwrap()).contains("secret"));
}

fn of_traits(count: usize) -> String {
    let sent = (0..count).map(|index| format!(r#"{{"trait_key":"{}","trait_value":1}}"#, index % 7));
    format!(r#"{{"traits":[{}]}}"#, sent.collect::<Vec<_>>().join(","))
}

#[test]
fn a_thousand_traits_are_the_most() {
    assert_eq!(read(&of_traits(1000)).unwrap().traits().len(), 1000);
    for count in [1001, 100_000] {
        assert_eq!(read(&of_traits(count)).unwrap_err(), IdentityError::TraitCount);
    }
    // The form of the rest counts first, and the last of two lists counts.
    let broken = of_traits(1001).replace("]}", ",7]}");
    assert_eq!(read(&broken).unwrap_err(), IdentityError::Form);
    let replaced = of_traits(1001).replace("]}", r#"],"traits":[]}"#);
    assert!(read(&replaced).is_ok());
    assert!(IdentityError::TraitCount.to_string().contains("1000"));
}

#[test]
fn two_thousand_characters_are_the_longest_identifier() {
    for (character, count, fits) in [
        ("é", 2000, true),
        ("é", 2001, false),
        ("x", 1 << 20, false),
        ("😀", 2000, true),
    ] {
        let identifier = format!(" {}\u{a0}", character.repeat(count));
        let expected = if fits {
            Ok(())
        } else {
            Err(IdentityError::IdentifierLength)
        };
        let sent = serde_json::json!({"identifier": identifier}).to_string();
        assert_eq!(read(&sent).map(|_| ()), expected, "{character} {count}");
        let queried = Identity::from_query(Some(identifier.trim()), || [0; 16]);
        assert_eq!(queried.map(|_| ()), expected, "{character} {count}");
    }
    let number = format!(r#"{{"identifier":{}}}"#, "9".repeat(2001));
    assert_eq!(read(&number).unwrap_err(), IdentityError::IdentifierLength);
    assert!(IdentityError::IdentifierLength.to_string().contains("2000"));
}

#[test]
fn integers_of_anonymous_identities_are_hashed_as_python_writes_them() {
    let of = |value: &str| {
        read(&format!(
            r#"{{"traits":[{{"trait_key":"k","trait_value":{value}}}]}}"#
        ))
        .unwrap()
        .identifier()
        .to_owned()
    };
    assert_eq!(of("-0"), of("0"));
    assert_eq!(
        of("123456789012345678901234567890"),
        of(r#""123456789012345678901234567890""#)
    );
    assert_ne!(of("1e0"), of("1"));
}

#[test]
fn large_integers_in_lists_are_bounded_together() {
    let of = |count: usize, digits: usize| {
        let value = format!("[{}]", "7".repeat(digits));
        let sent = (0..count).map(|index| format!(r#"{{"trait_key":"k{index}","trait_value":{value}}}"#));
        format!(r#"{{"traits":[{}]}}"#, sent.collect::<Vec<_>>().join(","))
    };
    assert!(read(&of(100, 1000)).is_ok());
    assert_eq!(read(&of(101, 1000)).unwrap_err(), IdentityError::Number);
    assert!(read(&of(1000, 18)).is_ok());
    let one = format!(
        r#"{{"traits":[{{"trait_key":"k","trait_value":[{}]}}]}}"#,
        vec!["7".repeat(4300); 200].join(",")
    );
    assert_eq!(read(&one).unwrap_err(), IdentityError::Number);
}
