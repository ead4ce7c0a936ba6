//! What is refused.
use super::*;

#[test]
fn refuses_what_breaks_the_rules() {
    let deep = format!("{}{}", "[".repeat(10_000), "]".repeat(10_000));
    let digits = "1".repeat(4301);
    let values = [
        ("1e400".to_owned(), IdentityError::Number),
        ("-1e400".to_owned(), IdentityError::Number),
        (digits, IdentityError::Number),
        (r#""\udc00""#.to_owned(), IdentityError::Unicode),
        (
            format!("\"{}\"", "é".repeat(2001)),
            IdentityError::TraitValueLength,
        ),
        (
            format!("[\"{}\"]", "é".repeat(1997)),
            IdentityError::TraitValueLength,
        ),
        (deep, IdentityError::TraitValueDepth),
        ("NaN".to_owned(), IdentityError::NotJson),
    ];
    for (value, error) in values {
        assert_eq!(read(&sent(&value)).unwrap_err(), error, "{error}");
    }
    let longest = "é".repeat(200);
    let traits = [
        (r#"{"trait_value":1}"#.to_owned(), IdentityError::TraitKey),
        (
            r#"{"trait_key":true,"trait_value":1}"#.to_owned(),
            IdentityError::TraitKey,
        ),
        (
            r#"{"trait_key":[7],"trait_value":1}"#.to_owned(),
            IdentityError::TraitKey,
        ),
        (
            r#"{"trait_key":1e400,"trait_value":1}"#.to_owned(),
            IdentityError::Number,
        ),
        (
            r#"{"trait_key":null,"trait_value":1}"#.to_owned(),
            IdentityError::TraitKey,
        ),
        (
            r#"{"trait_key":"\ud800","trait_value":1}"#.to_owned(),
            IdentityError::Unicode,
        ),
        (
            format!(r#"{{"trait_key":"{longest}x","trait_value":1}}"#),
            IdentityError::TraitKeyLength,
        ),
        (
            r#"{"trait_key":"k","trait_value":1,"transient":2}"#.to_owned(),
            IdentityError::TraitTransient,
        ),
        (
            r#"{"trait_key":"k","trait_value":null,"transient":"x"}"#.to_owned(),
            IdentityError::TraitTransient,
        ),
        (r#"["k",1]"#.to_owned(), IdentityError::Form),
        ("null".to_owned(), IdentityError::Form),
    ];
    for (sent, error) in traits {
        let body = format!(r#"{{"identifier":"i","traits":[{sent}]}}"#);
        assert_eq!(read(&body).unwrap_err(), error, "{body}");
    }
    assert!(read(&sent(&format!("\"{}\"", "é".repeat(2000)))).is_ok());
    assert!(
        read(&format!(
            r#"{{"traits":[{{"trait_key":"{longest}","trait_value":1}}]}}"#
        ))
        .is_ok()
    );
    let bodies = [
        (" ", IdentityError::NotJson),
        ("{", IdentityError::NotJson),
        (r#"{"identifier":NaN}"#, IdentityError::NotJson),
        ("[]", IdentityError::Form),
        ("null", IdentityError::Form),
        (r#"["i",[]]"#, IdentityError::Form),
        (r#"{"traits":{}}"#, IdentityError::Form),
        (r#"{"traits":"x"}"#, IdentityError::Form),
        (r#"{"transient":"yeah"}"#, IdentityError::Transient),
    ];
    for (body, error) in bodies {
        assert_eq!(read(body).unwrap_err(), error, "{body}");
    }
    assert_eq!(
        Identity::from_json(b"\"\xff\"", || [0; 16]).unwrap_err(),
        IdentityError::NotJson
    );
}

#[test]
fn refuses_what_is_no_json() {
    let trait_values = [
        "01",
        "-",
        "1.",
        ".5",
        "+1",
        "nul",
        "truex",
        "1e",
        r#""unfinished"#,
        "\"a\nb\"",
        r#""\x""#,
        "",
    ];
    let bodies = [
        "{}x",
        r#"{"identifier":"a",}"#,
        r#"{"traits":[,]}"#,
        r#"{"identifier" "a"}"#,
        "\u{feff}{}",
    ];
    for body in trait_values.map(sent).iter().map(String::as_str).chain(bodies) {
        assert_eq!(read(body).unwrap_err(), IdentityError::NotJson, "{body}");
    }
}

/// The form of the whole body counts first, then the traits in their order, then `transient`, then the identifier.
#[test]
fn of_several_faults_tells_one() {
    let fault = r#"{"trait_key":true,"trait_value":1}"#;
    let other = r#"{"trait_key":"k","trait_value":1e400}"#;
    let good = r#"{"trait_key":"k","trait_value":1}"#;
    for (body, error) in [
        (
            format!(r#"{{"traits":[{fault}],"identifier":nan}}"#),
            IdentityError::NotJson,
        ),
        (format!(r#"{{"traits":[{fault},1]}}"#), IdentityError::Form),
        (
            format!(r#"{{"traits":[{fault}],"traits":1}}"#),
            IdentityError::Form,
        ),
        (
            format!(r#"{{"traits":[{good},{other},{fault}]}}"#),
            IdentityError::Number,
        ),
        (
            format!(r#"{{"traits":[{fault}],"traits":[{other}]}}"#),
            IdentityError::Number,
        ),
        (
            format!(r#"{{"identifier":true,"transient":2,"traits":[{fault}]}}"#),
            IdentityError::TraitKey,
        ),
        (
            r#"{"identifier":true,"transient":2}"#.to_owned(),
            IdentityError::Transient,
        ),
    ] {
        assert_eq!(read(&body).unwrap_err(), error, "{body}");
    }
    for last in [format!("[{good}]"), "null".to_owned()] {
        assert!(
            read(&format!(
                r#"{{"traits":[{fault}],"traits":{last},"identifier":true,"identifier":"i"}}"#
            ))
            .is_ok()
        );
    }
}
