use bytes::Bytes;

use super::{Document, DocumentError};
use crate::UpdatedAt;

const MINIMAL: &str = r#"{"api_key":"key","project":{},"feature_states":[]}"#;

fn document(page: &str) -> Result<Document, DocumentError> {
    Document::from_pages(vec![Bytes::copy_from_slice(page.as_bytes())])
}

fn pages(pages: &[&str]) -> Document {
    let pages = pages
        .iter()
        .map(|page| Bytes::copy_from_slice(page.as_bytes()))
        .collect();
    Document::from_pages(pages).unwrap()
}

/// The minimal document with more members.
fn with(members: &str) -> String {
    format!("{},{members}}}", MINIMAL.strip_suffix('}').unwrap())
}

fn served(pages_given: &[&str]) -> String {
    String::from_utf8(pages(pages_given).to_json(UpdatedAt::from_micros(1_735_229_888_760_000))).unwrap()
}

#[test]
fn refuses_what_is_no_json() {
    let deep = format!(
        r#"{{"api_key":"key","project":{{}},"feature_states":[],"x":{}1{}}}"#,
        "[".repeat(9),
        "]".repeat(8)
    );
    for page in [
        "",
        " ",
        "{",
        "<html>",
        "{'a':1}",
        r#"{"a":NaN}"#,
        r#"{"a":Infinity}"#,
        "{}{}",
        "\u{feff}{}",
        &deep,
    ] {
        assert!(
            matches!(document(page), Err(DocumentError::NotJson(_))),
            "{page}: {:?}",
            document(page)
        );
    }
    assert!(matches!(
        Document::from_pages(vec![Bytes::from_static(b"{\"\xff\":1}")]),
        Err(DocumentError::NotJson(_))
    ));
}

#[test]
fn refuses_nesting_that_is_too_deep() {
    let nested = |levels: usize| {
        let (open, close) = ("[".repeat(levels), "]".repeat(levels));
        document(&format!(
            r#"{{"api_key":"key","project":{{}},"feature_states":[],"x":{open}{close}}}"#
        ))
    };
    assert!(nested(128).is_ok());
    for levels in [129, 10_000, 500_000] {
        assert!(
            matches!(nested(levels), Err(DocumentError::NotJson(_))),
            "{levels}"
        );
    }
}

#[test]
fn refuses_what_is_no_environment_document() {
    let cases = [
        ("null", "JSON object"),
        ("[]", "JSON object"),
        ("\"text\"", "JSON object"),
        ("{}", "`feature_states` is missing"),
        (r#"{"api_key":"key","project":{}}"#, "`feature_states` is missing"),
        (
            r#"{"api_key":"key","project":{},"feature_states":null}"#,
            "`feature_states` is not a list",
        ),
        (
            r#"{"api_key":"key","project":{},"feature_states":{}}"#,
            "`feature_states` is not a list",
        ),
        (r#"{"project":{},"feature_states":[]}"#, "`api_key` is missing"),
        (
            r#"{"api_key":7,"project":{},"feature_states":[]}"#,
            "`api_key` is not a string",
        ),
        (r#"{"api_key":"key","feature_states":[]}"#, "`project` is missing"),
        (
            r#"{"api_key":"key","project":[],"feature_states":[]}"#,
            "`project` is not an object",
        ),
        (
            r#"{"api_key":"key","project":{"segments":{}},"feature_states":[]}"#,
            "`project.segments` is not a list",
        ),
        (
            r#"{"api_key":"key","project":{"server_key_only_feature_ids":"secret"},"feature_states":[]}"#,
            "`project.server_key_only_feature_ids` is not a list",
        ),
        (
            r#"{"api_key":"key","project":{},"feature_states":[],"hide_disabled_flags":"secret"}"#,
            "`hide_disabled_flags` is not a boolean",
        ),
        (
            r#"{"api_key":"key","project":{},"feature_states":[],"identity_overrides":{"a":"secret"}}"#,
            "`identity_overrides` is not a list",
        ),
    ];
    for (page, problem) in cases {
        let Err(error @ DocumentError::NotADocument(_)) = document(page) else {
            panic!("{page} is taken")
        };
        assert!(error.to_string().contains(problem), "{page}: {error}");
        assert!(!error.to_string().contains("secret"), "{error}");
    }
    assert!(Document::from_pages(Vec::new()).is_err());
}

#[test]
fn a_later_page_must_be_one_too() {
    for page in ["[]", "{", r#"{"identity_overrides":7}"#] {
        let pages = [MINIMAL, page].map(|page| Bytes::copy_from_slice(page.as_bytes()));
        assert!(Document::from_pages(pages.to_vec()).is_err(), "{page}");
    }
}

#[test]
fn content_is_what_the_document_says() {
    let base = r#"{"api_key":"key","project":{},"feature_states":[1,2],"name":"a\u00e9\"","updated_at":"x","big":1.0,
        "identity_overrides":[{"identifier":"i","identity_uuid":"u","identity_features":[]}]}"#;
    let same = [
        r#"{"feature_states":[1,2],"api_key":"key","project":{},"updated_at":"y","name":"aé\u0022","big":1.0,"identity_overrides":[{"identity_uuid":"v","identifier":"i","identity_features":[ ]}]}"#,
        r#"{"name":"other","feature_states":[1,2],"api_key":"key","project":{},"name":"aé\"","big":1.0,"identity_overrides":[{"identity_features":[],"identifier":"j","identifier":"i"}]}"#,
    ];
    let other = [
        ("order of lists", "[1,2]", "[2,1]"),
        ("a number's text", "1.0", "1"),
        ("a string", r#"\u00e9"#, "e"),
        ("an identifier", r#""identifier":"i""#, r#""identifier":"k""#),
        ("a type", "[1,2]", r#"["1",2]"#),
        ("a member", r#""project":{}"#, r#""project":{"x":null}"#),
        ("nesting", "[1,2]", "[[1,2]]"),
        ("nesting of strings", "[1,2]", r#"["1,2"]"#),
        ("an empty object", "[1,2]", "[1,2,{}]"),
    ];
    let content = document(base).unwrap().content();
    for page in same {
        assert_eq!(document(page).unwrap().content(), content, "{page}");
    }
    for (what, from, to) in other {
        assert!(base.contains(from), "{what}");
        assert_ne!(
            document(&base.replacen(from, to, 1)).unwrap().content(),
            content,
            "{what}"
        );
    }
}

#[test]
fn content_does_not_depend_on_the_pages() {
    let with = |overrides: &str| with(&format!(r#""identity_overrides":{overrides}"#));
    let (first, second) = (r#"{"identifier":"a"}"#, r#"{"identifier":"b"}"#);
    let one = pages(&[&with(&format!("[{first},{second}]"))]);
    let page = |overrides: &str| format!(r#"{{"identity_overrides":{overrides},"feature_states":[7]}}"#);
    let two = pages(&[
        &with(&format!("[{first}]")),
        &page(&format!("[{second}]")),
        &page("[]"),
        &page("null"),
    ]);
    let swapped = pages(&[&with(&format!("[{second}]")), &page(&format!("[{first}]"))]);
    assert_eq!(one.content(), two.content());
    assert_ne!(one.content(), swapped.content());
    let at = UpdatedAt::from_micros(0);
    assert_eq!(one.to_json(at), two.to_json(at));
    for empty in ["[]", "null"] {
        assert_eq!(pages(&[&with(empty)]).content(), pages(&[MINIMAL]).content());
    }
}

#[test]
fn lone_surrogates_are_content_like_any_other() {
    let named = |name: &str| document(&with(&format!(r#""name":"{name}""#))).unwrap().content();
    let contents = [
        r"\ud800",
        r"\ud801",
        r"\udc00\ud800",
        r"\ud800\udc00",
        "\u{10000}x",
        r"\ufffd",
    ]
    .map(named);
    for (index, content) in contents.iter().enumerate() {
        assert!(!contents[..index].contains(content), "{index}");
    }
    assert_eq!(named(r"\ud83d\ude00"), named("😀"));
}

#[test]
fn is_served_as_it_came() {
    let page = r#" { "b" : [ 1.50 , 1e400, "a \" b\\" ] , "api_key" : "key" , "updated_at":"2020-01-01T00:00:00Z",
        "identity_overrides" : [ {"identifier" : "a"} ] , "project" : { "z": null , "a":{ } }, "feature_states" : [ ],
        "b" : "é\u00e9\ud800" , "123456789012345678901234567890": -0 } "#;
    let expected = concat!(
        r#"{"b":"é\u00e9\ud800","api_key":"key","updated_at":"2024-12-26T16:18:08.760000+00:00","#,
        r#""identity_overrides":[{"identifier":"a"},{"identifier":"b c"}],"project":{"z":null,"a":{}},"#,
        r#""feature_states":[],"123456789012345678901234567890":-0}"#
    );
    assert_eq!(
        served(&[
            page,
            r#"{"identity_overrides": [ {"identifier": "b c"} ], "x": 1}"#
        ]),
        expected
    );
}

#[test]
fn is_served_with_a_date_and_a_list_of_identity_overrides_always() {
    let dated = r#""updated_at":"2024-12-26T16:18:08.760000+00:00""#;
    assert_eq!(
        served(&[MINIMAL]),
        format!(r#"{{"api_key":"key","project":{{}},"feature_states":[],{dated},"identity_overrides":[]}}"#)
    );
    let null = with(r#""identity_overrides":null,"updated_at":null"#);
    assert!(
        served(&[&null]).ends_with(&format!(r#""identity_overrides":[],{dated}}}"#)),
        "{}",
        served(&[&null])
    );
}

#[test]
fn knows_its_date() {
    let dated = |json: &str| {
        document(&with(&format!(r#""updated_at":{json}"#)))
            .unwrap()
            .updated_at()
    };
    assert_eq!(
        dated(r#""2024-12-26T16:18:08.76""#),
        Some(UpdatedAt::from_micros(1_735_229_888_760_000))
    );
    for unreadable in ["null", "7", r#""yesterday""#, r#""\ud800""#] {
        assert_eq!(dated(unreadable), None, "{unreadable}");
    }
    assert_eq!(document(MINIMAL).unwrap().updated_at(), None);
}

#[test]
fn shows_nothing_of_what_it_holds() {
    let document = document(r#"{"api_key":"secret","project":{},"feature_states":[]}"#).unwrap();
    assert!(
        !format!(
            "{document:?} {:?}",
            crate::Environment::compile(&document).unwrap().0
        )
        .contains("secret")
    );
}
