//! Who is let in.
use super::*;

fn headers(fields: &[(&str, &str)]) -> HeaderMap {
    fields
        .iter()
        .map(|(name, value)| {
            (
                name.parse::<HeaderName>().unwrap(),
                HeaderValue::from_str(value).unwrap(),
            )
        })
        .collect()
}

fn access(host: &str, token: Option<&str>) -> Access {
    let host = host
        .parse()
        .map_or_else(|_| ListenHost::Name(host.to_owned()), ListenHost::Address);
    Access {
        host,
        token: token.map(Secret::new),
    }
}

fn fault_of(fields: &[(&str, &str)], access: &Access) -> Option<AdminFault> {
    fault(&Uri::from_static("/log-level"), &headers(fields), access)
}

#[test]
fn names_that_a_stranger_can_own_are_refused_without_a_token() {
    let open = access("admin.internal", None);
    for host in [
        "127.0.0.1:8001",
        "127.0.0.1",
        "10.1.2.3:8001",
        "[::1]:8001",
        "[::1]",
        "localhost:8001",
        "LOCALHOST",
        "localhost.:8001",
        "admin.internal:8001",
        "Admin.Internal",
    ] {
        assert_eq!(fault_of(&[("host", host)], &open), None, "{host}");
    }
    for host in [
        "evil.example:8001",
        "127.0.0.1.evil.example",
        "localhost.evil.example",
        "evil.example",
        "xadmin.internal",
        "[evil]",
        "[::1",
        "::1",
        "127.0.0.1:80:80",
        "",
    ] {
        assert_eq!(
            fault_of(&[("host", host)], &open),
            Some(AdminFault::Host),
            "{host}"
        );
    }
    assert_eq!(fault_of(&[], &open), Some(AdminFault::Host));
    let twice = [("host", "127.0.0.1"), ("host", "evil.example")];
    assert_eq!(fault_of(&twice, &open), Some(AdminFault::Host));
}

#[test]
fn a_page_of_another_origin_is_refused_with_and_without_a_token() {
    let bearer = ("authorization", "Bearer sesame");
    for (fields, expected) in [
        (&[("origin", "http://127.0.0.1:8001")][..], None),
        (&[("origin", "https://127.0.0.1:8001")], None),
        (&[("origin", "http://127.0.0.1:3000")], Some(AdminFault::Origin)),
        (&[("origin", "http://evil.example")], Some(AdminFault::Origin)),
        (&[("origin", "null")], Some(AdminFault::Origin)),
        (&[("sec-fetch-site", "same-origin")], None),
        (&[("sec-fetch-site", "none")], None),
        (&[("sec-fetch-site", "cross-site")], Some(AdminFault::Origin)),
        (&[("sec-fetch-site", "same-site")], Some(AdminFault::Origin)),
        (
            &[("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "navigate")],
            None,
        ),
        (
            &[
                ("sec-fetch-site", "cross-site"),
                ("sec-fetch-mode", "navigate"),
                ("origin", "http://evil.example"),
            ],
            Some(AdminFault::Origin),
        ),
    ] {
        for token in [None, Some("sesame")] {
            let mut given = vec![("host", "127.0.0.1:8001"), bearer];
            given.extend(fields);
            assert_eq!(
                fault_of(&given, &access("127.0.0.1", token)),
                expected,
                "{given:?}"
            );
        }
    }
}

#[test]
fn the_token_comes_as_bearer_or_as_a_password() {
    let basic = |text: &str| format!("Basic {}", BASE64_STANDARD.encode(text));
    for (authorization, is_admitted) in [
        ("Bearer sesame".to_owned(), true),
        ("bearer  sesame ".to_owned(), true),
        (basic("anybody:sesame"), true),
        (basic(":sesame"), true),
        (basic("sesame:"), false),
        (basic("sesame"), false),
        (basic("a:b:sesame"), false),
        ("Basic !".to_owned(), false),
        ("Bearer sesam".to_owned(), false),
        ("Bearer sesame2".to_owned(), false),
        ("Bearer".to_owned(), false),
        ("Token sesame".to_owned(), false),
        ("sesame".to_owned(), false),
    ] {
        // The name does not count where the token does.
        let given = [
            ("host", "admin.example"),
            ("authorization", authorization.as_str()),
        ];
        let expected = (!is_admitted).then_some(AdminFault::Token);
        assert_eq!(
            fault_of(&given, &access("::", Some("sesame"))),
            expected,
            "{authorization}"
        );
    }
    let without = [("host", "127.0.0.1")];
    assert_eq!(
        fault_of(&without, &access("::", Some("sesame"))),
        Some(AdminFault::Token)
    );
}

#[test]
fn a_head_has_its_limit() {
    let open = access("127.0.0.1", None);
    let cookie = |length: usize| "x".repeat(length);
    let of = |length: usize| fault_of(&[("host", "127.0.0.1"), ("cookie", &cookie(length))], &open);
    assert_eq!(of(LARGEST_HEAD / 2), None);
    assert_eq!(of(LARGEST_HEAD), Some(AdminFault::Head));
}
