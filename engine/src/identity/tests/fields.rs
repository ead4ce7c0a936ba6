//! What core's serializer makes of a trait's fields.
use super::*;

/// As Django REST framework's `CharField` takes them.
#[test]
fn keys_are_trimmed_and_numbers_are_their_text() {
    for (sent, key) in [
        (r#"" k ""#, r#""k""#),
        (r#""\u0020k\t""#, r#""k""#),
        (r#""k\u001f""#, r#""k""#),
        (r#""\u00a0é\u3000""#, r#""é""#),
        (r#""\u00e9 x""#, r#""\u00e9 x""#),
        (r#"" a\"b ""#, r#""a\"b""#),
        (r#""  ""#, r#""""#),
        (r#""""#, r#""""#),
        ("7", r#""7""#),
        ("-0", r#""0""#),
        ("1.50", r#""1.5""#),
        ("1e16", r#""1e+16""#),
    ] {
        let body = format!(r#"{{"identifier":"i","traits":[{{"trait_key":{sent},"trait_value":1}}]}}"#);
        assert_eq!(
            echo(&body),
            format!(r#"[{{"trait_key":{key},"trait_value":1}}]"#),
            "{sent}"
        );
        let identity = read(&body).unwrap();
        let [sent] = identity.traits() else {
            panic!("one trait")
        };
        assert_eq!(*sent.key, serde_json::from_str::<String>(key).unwrap());
    }
    let longest = "é".repeat(200);
    let body =
        |key: &str| format!(r#"{{"identifier":"i","traits":[{{"trait_key":"{key}","trait_value":1}}]}}"#);
    assert!(read(&body(&format!("   {longest} "))).is_ok());
    assert_eq!(
        read(&body(&format!("{longest}x"))).unwrap_err(),
        IdentityError::TraitKeyLength
    );
}

/// As Django REST framework's `BooleanField` takes it; null beside.
#[test]
fn transient_is_what_core_takes_for_a_boolean() {
    let yes = [
        "true",
        r#""true""#,
        r#""TRUE""#,
        r#""tRuE""#,
        r#""t""#,
        r#""Yes""#,
        r#""y""#,
        r#""on""#,
        r#""1""#,
        "1",
        "1.0",
        "1e0",
        r#""\u0074""#,
    ];
    let no = [
        "false",
        r#""False""#,
        r#""f""#,
        r#""NO""#,
        r#""n""#,
        r#""off""#,
        r#""0""#,
        "0",
        "-0",
        "0.0",
        "null",
    ];
    let neither = [
        r#""""#,
        r#""null""#,
        r#"" true""#,
        r#""yess""#,
        "2",
        "-1",
        "0.5",
        "1e400",
        "[]",
        "[true]",
        "{}",
        r#""\ud800""#,
    ];
    let of_trait = |sent: &str| {
        format!(r#"{{"identifier":"i","traits":[{{"trait_key":"k","trait_value":1,"transient":{sent}}}]}}"#)
    };
    let of_identity = |sent: &str| {
        format!(
            r#"{{"identifier":"i","transient":{sent},"traits":[{{"trait_key":"k","trait_value":1,"transient":false}}]}}"#
        )
    };
    for (sent, echoed) in yes
        .map(|sent| (sent, r#","transient":true"#))
        .into_iter()
        .chain(no.map(|sent| (sent, "")))
    {
        let expected = format!(r#"[{{"trait_key":"k","trait_value":1{echoed}}}]"#);
        assert_eq!(echo(&of_trait(sent)), expected, "{sent}");
        assert_eq!(echo(&of_identity(sent)), expected, "{sent}");
    }
    for sent in neither {
        assert_eq!(
            read(&of_trait(sent)).unwrap_err(),
            IdentityError::TraitTransient,
            "{sent}"
        );
        assert_eq!(
            read(&of_identity(sent)).unwrap_err(),
            IdentityError::Transient,
            "{sent}"
        );
    }
}

/// Neither evaluated nor echoed: traits without a value, and those that only core may set.
#[test]
fn traits_that_do_not_count_are_left_out() {
    let body = r#"{"identifier":"i","traits":[{"trait_key":"a","trait_value":1},{"trait_key":"a","trait_value":null},
        {"trait_key":"a"},{"trait_key":"flagsmith_cohort_7","trait_value":true},{"trait_key":" flagsmith_cohort_ ","trait_value":1},
        {"trait_key":"flagsmith_cohort","trait_value":2}]}"#;
    assert_eq!(
        echo(body),
        r#"[{"trait_key":"a","trait_value":1},{"trait_key":"flagsmith_cohort","trait_value":2}]"#
    );
    assert_eq!(read(body).unwrap().traits().len(), 2);
    // They are traits all the same: of so many, and of the right form.
    let many = vec![r#"{"trait_key":"n"}"#; 1001].join(",");
    assert_eq!(
        read(&format!(r#"{{"traits":[{many}]}}"#)).unwrap_err(),
        IdentityError::TraitCount
    );
    let faulty = r#"{"traits":[{"trait_key":"flagsmith_cohort_7","trait_value":1e400}]}"#;
    assert_eq!(read(faulty).unwrap_err(), IdentityError::Number);
}

#[test]
fn of_several_lists_of_traits_the_last_counts_and_those_between_are_not_read() {
    let list = |key: &str| format!(r#""traits":[{{"trait_key":"{key}","trait_value":1}}]"#);
    let between = r#""traits":[{"trait_key":[],"trait_value":1e400}],"traits":7"#;
    let body = format!(r#"{{"identifier":"i",{},{between},{}}}"#, list("a"), list("b"));
    assert_eq!(echo(&body), r#"[{"trait_key":"b","trait_value":1}]"#);
    let body = format!(r#"{{"identifier":"i",{},"traits":null}}"#, list("a"));
    assert_eq!(echo(&body), "[]");
    let body = format!(r#"{{"identifier":"i",{},"traits":7}}"#, list("a"));
    assert_eq!(read(&body).err(), Some(IdentityError::Form));
}
