use std::cmp::Ordering;

use proptest::prelude::*;

use super::*;

fn int(text: &str) -> Integer {
    Integer::from_ascii(text).unwrap()
}

#[test]
fn reads_integers_as_python() {
    for (text, expected) in [
        ("7", Some("7")),
        (" \t\n7\u{b}\u{c}\r", Some("7")),
        ("\u{a0}5\u{2003}\u{85}", Some("5")),
        ("+1", Some("1")),
        ("-0", Some("0")),
        ("007", Some("7")),
        ("1_000", Some("1000")),
        ("１２", Some("12")),
        ("٣", Some("3")),
        (
            "123456789012345678901234567890",
            Some("123456789012345678901234567890"),
        ),
        ("-9223372036854775809", Some("-9223372036854775809")),
        ("", None),
        (" ", None),
        ("1__0", None),
        ("_1", None),
        ("1_", None),
        ("+ 1", None),
        ("+_1", None),
        ("1.5", None),
        ("1e3", None),
        ("0x1", None),
        ("\u{1c}5", None),
        ("5\u{1f}", None),
        ("¹", None),
        ("5\0", None),
    ] {
        assert_eq!(
            parse_int(text).map(|integer| integer.to_string()).as_deref(),
            expected,
            "{text:?}"
        );
    }
}

#[test]
fn refuses_more_digits_than_python_converts() {
    assert!(parse_int(&"1".repeat(4300)).is_some());
    assert!(parse_int(&"1".repeat(4301)).is_none());
    assert!(parse_int(&format!("-{}", "1".repeat(4300))).is_some());
    assert!(parse_int(&"0".repeat(4301)).is_none());
}

#[test]
fn reads_floats_as_python() {
    for (text, expected) in [
        ("1.5", Some("1.5")),
        (" 1e1 ", Some("10.0")),
        ("１.５", Some("1.5")),
        ("1_0.5_0", Some("10.5")),
        (".5", Some("0.5")),
        ("5.", Some("5.0")),
        ("-0", Some("-0.0")),
        ("+nan", Some("nan")),
        ("-iNf", Some("-inf")),
        ("Infinity", Some("inf")),
        ("1e400", Some("inf")),
        ("1_0e1_0", Some("100000000000.0")),
        ("1_.5", None),
        ("1._5", None),
        ("1e_5", None),
        ("in_f", None),
        ("1e", None),
        (".", None),
        ("", None),
        ("0x1p3", None),
    ] {
        assert_eq!(parse_float(text).map(float_text).as_deref(), expected, "{text:?}");
    }
}

#[test]
fn writes_floats_as_python() {
    for (number, expected) in [
        (1.0, "1.0"),
        (0.1, "0.1"),
        (-2.5, "-2.5"),
        (1e16, "1e+16"),
        (9999999999999998.0, "9999999999999998.0"),
        (1.5e16, "1.5e+16"),
        (1e22, "1e+22"),
        (1e-4, "0.0001"),
        (1e-5, "1e-05"),
        (1.25e-7, "1.25e-07"),
        (1e100, "1e+100"),
        (5e-324, "5e-324"),
        (0.0, "0.0"),
        (-0.0, "-0.0"),
        (f64::NAN, "nan"),
        (f64::NEG_INFINITY, "-inf"),
    ] {
        assert_eq!(float_text(number), expected);
    }
}

#[test]
fn compares_integers_with_floats_exactly() {
    let large = int("9007199254740993");
    assert_eq!(
        large.partial_cmp_float(9007199254740992.0),
        Some(Ordering::Greater)
    );
    assert_eq!(int("3").partial_cmp_float(3.5), Some(Ordering::Less));
    assert_eq!(int("-3").partial_cmp_float(-3.5), Some(Ordering::Greater));
    assert_eq!(int("3").partial_cmp_float(3.0), Some(Ordering::Equal));
    assert_eq!(
        int(&"9".repeat(400)).partial_cmp_float(f64::INFINITY),
        Some(Ordering::Less)
    );
    assert_eq!(int("1").partial_cmp_float(f64::NAN), None);
    assert_eq!(
        int("100000000000000000000").partial_cmp_float(1e20),
        Some(Ordering::Equal)
    );
}

#[test]
fn orders_integers_of_any_size() {
    let ascending = [
        "-99999999999999999999",
        "-9223372036854775808",
        "-1",
        "0",
        "9223372036854775807",
        "9223372036854775808",
    ];
    for (one, two) in ascending.iter().zip(ascending.iter().skip(1)) {
        assert!(int(one) < int(two), "{one} {two}");
        assert!(int(two) > int(one), "{two} {one}");
    }
}

#[test]
fn rounds_large_integers_to_the_nearest_float() {
    assert_eq!(int("9007199254740993").to_float(), Some(9007199254740992.0));
    assert_eq!(
        int("36893488147419111424").to_float(),
        Some(36893488147419111424.0)
    );
    assert_eq!(
        int("36893488147419107329").to_float(),
        Some(36893488147419111424.0)
    );
    assert_eq!(int(&"9".repeat(309)).to_float(), None);
}

#[test]
fn writes_containers_as_python() {
    for (json, expected) in [
        (r#"null"#, "None"),
        (r#"true"#, "True"),
        (r#""it's""#, "it's"),
        (r#"["a", 1, 2.50, null, false]"#, "['a', 1, 2.5, None, False]"),
        (r#"{"k": "v", "n": {}}"#, "{'k': 'v', 'n': {}}"),
        (r#"{"a": 1, "b": 2, "a": 3}"#, "{'a': 3, 'b': 2}"),
        (r#"["it's", "\"", "'\""]"#, r#"["it's", '"', '\'"']"#),
        (
            r#"["\n\r\t\\\u0000\u007f\u00a0\u2028é\ud83d\ude00\u200b"]"#,
            r"['\n\r\t\\\x00\x7f\xa0\u2028é😀\u200b']",
        ),
        (
            r#"[NaN, Infinity, -Infinity, 1e400, 1E5, -0, -0.0]"#,
            "[nan, inf, -inf, inf, 100000.0, 0, -0.0]",
        ),
        (r#"[12345678901234567890123]"#, "[12345678901234567890123]"),
        (
            r#"["\ud800x", "\udc00", "\ud800\u0041"]"#,
            "['\u{fffd}x', '\u{fffd}', '\u{fffd}A']",
        ),
    ] {
        assert_eq!(PyValue::from_json_text(json).unwrap().text(), expected, "{json}");
    }
}

#[test]
fn refuses_what_python_refuses() {
    for json in [
        "",
        "[",
        "[1,]",
        "[1 2]",
        "{",
        "{1:2}",
        r#"{"a"}"#,
        "01",
        "1.",
        ".5",
        "+1",
        "1e",
        "nul",
        "nan",
        "\"a",
        "\"\\x\"",
        "\"\\u12\"",
        "\"\\u12é4\"",
        "\"\u{1}\"",
        "[1] x",
        "-",
        "\u{a0}1",
    ] {
        assert_eq!(
            PyValue::from_json_text(json).err(),
            Some(PyValueError::NotJson),
            "{json}"
        );
    }
    let long = "1".repeat(4301);
    assert_eq!(PyValue::from_json_text(&long).err(), Some(PyValueError::NotJson));
    let deep = "[".repeat(10_000);
    assert_eq!(PyValue::from_json_text(&deep).err(), Some(PyValueError::TooDeep));
    let deep = format!("{}{}", "[".repeat(500), "]".repeat(500));
    assert_eq!(PyValue::from_json_text(&deep).unwrap().text(), deep);
}

#[test]
fn shows_no_values_in_debug_formats() {
    let value = PyValue::from_json_text(r#"["secret", 123456]"#).unwrap();
    assert_eq!(format!("{value:?} {:?}", int("123456")), "List Integer");
}

proptest! {
    #[test]
    fn reads_back_every_float(bits: u64) {
        let number = f64::from_bits(bits);
        prop_assume!(!number.is_nan());
        prop_assert_eq!(parse_float(&float_text(number)).map(f64::to_bits), Some(bits));
    }

    #[test]
    fn no_text_panics(text in ".*") {
        let _ = (parse_int(&text), parse_float(&text), PyValue::from_json_text(&text));
    }
}
