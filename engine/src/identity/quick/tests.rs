use proptest::prelude::*;

use super::*;
use crate::Identity;

/// Everything that is made of an identity.
fn seen(identity: &Identity<'_>) -> String {
    let mut echo = Vec::new();
    identity.write_identifier(&mut echo);
    identity.write_traits(&mut echo);
    let traits = identity.traits().iter();
    let traits: Vec<_> = traits
        .map(|sent| (sent.key.clone(), sent.value.to_python()))
        .collect();
    format!("{} {traits:?}", String::from_utf8(echo).unwrap())
}

fn agrees(body: &str) -> bool {
    let quick = read(body.as_bytes()).map(|quick| Identity::from_quick(quick, || [7; 16]));
    if let Some(quick) = &quick {
        let general = Identity::from_json_generally(body.as_bytes(), || [7; 16]);
        let general = general.unwrap_or_else(|error| panic!("{body}: {error}"));
        assert_eq!(seen(quick), seen(&general), "{body}");
    }
    quick.is_some()
}

#[test]
fn reads_what_sdks_write() {
    for body in [
        r#"{"identifier":"i","traits":[]}"#,
        r#"{"identifier":" i ","traits":[{"trait_key":"k","trait_value":"v"}]}"#,
        r#"{"identifier": "größe", "traits": [{"trait_key": "k", "trait_value": 1.5}, {"trait_key": "l", "trait_value": -7}]}"#,
        r#"{"traits":[{"trait_value":true,"trait_key":"k","transient":true},{"trait_key":"","trait_value":null}],"transient":false}"#,
        "{}",
        " {\n} ",
    ] {
        assert!(agrees(body), "{body}");
    }
}

#[test]
fn leaves_the_rest_to_the_general_reader() {
    let trait_of = |value: &str| format!(r#"{{"traits":[{{"trait_key":"k","trait_value":{value}}}]}}"#);
    let long_key = format!(
        r#"{{"traits":[{{"trait_key":"{}","trait_value":1}}]}}"#,
        "k".repeat(201)
    );
    for body in [
        "".to_owned(),
        "{".to_owned(),
        "[]".to_owned(),
        "{}x".to_owned(),
        r#"{"identifier":1}"#.to_owned(),
        r#"{"identifier":"a\u0020"}"#.to_owned(),
        "{\"identifier\":\"a\nb\"}".to_owned(),
        r#"{"identifier":"a","identifier":"b"}"#.to_owned(),
        r#"{"identifier":"a",}"#.to_owned(),
        r#"{"traits":[,]}"#.to_owned(),
        r#"{"traits":[{"trait_key":"k"}]}"#.to_owned(),
        r#"{"traits":[{}]}"#.to_owned(),
        long_key,
        trait_of("01"),
        trait_of("1e5"),
        trait_of("-"),
        trait_of("1."),
        trait_of(".5"),
        trait_of("+1"),
        trait_of("1234567890123456789"),
        trait_of("[]"),
        trait_of("nul"),
        trait_of("truex"),
        trait_of(r#""unfinished"#),
        trait_of(&format!("\"{}\"", "v".repeat(2001))),
    ] {
        assert!(!agrees(&body), "{body}");
    }
}

proptest! {
    #[test]
    fn plain_parts_end_where_they_should(text in "[ -~\n\"\\\\é\u{80}-\u{ff}]{0,40}") {
        let special = |byte: u8| byte < b' ' || byte == b'"' || byte == b'\\';
        let expected = text.bytes().position(special).unwrap_or(text.len());
        prop_assert_eq!(plain_length(text.as_bytes()), expected);
    }

    #[test]
    fn both_readers_agree(
        identifier in r#"(\"[a-zé ]{0,12}\")|null|7|(\"\\\\n\")"#,
        traits in proptest::collection::vec(
            (r#"[a-c"\\]{0,3}"#, r#"(\"[0-9a.-]{0,9}\")|true|null|-?[0-9]{1,20}(\.[0-9]{1,3})?|\[1\]"#, ",? ?(\"transient\": ?true)?"),
            0..5,
        ),
        cut in 0_usize..40,
    ) {
        let traits: Vec<_> = traits
            .iter()
            .map(|(key, value, rest)| format!(r#"{{"trait_key": "{key}","trait_value":{value}{rest}}}"#))
            .collect();
        let body = format!(r#"{{"identifier":{identifier}, "traits":[{}]}}"#, traits.join(","));
        agrees(&body);
        let end = body.floor_char_boundary(body.len().saturating_sub(cut));
        agrees(&body[..end]);
    }
}
