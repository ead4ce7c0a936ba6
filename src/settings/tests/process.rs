//! What environment variables alone can set.
use std::net::IpAddr;

use actors::upstream::{OutgoingProxies, OutgoingProxy, RootCertificates};
use serde_json::json;

use super::super::{ProcessSettings, TrustedProxies};
use super::{error_of, load};

fn process(variables: &[(&str, &str)]) -> ProcessSettings {
    load(json!({}), variables).settings.process
}

#[test]
fn workers() {
    let cores = std::thread::available_parallelism().unwrap().get().min(512);
    assert_eq!(process(&[]).workers, cores);
    assert_eq!(process(&[("WEB_CONCURRENCY", "")]).workers, cores);
    assert_eq!(process(&[("WEB_CONCURRENCY", "3")]).workers, 3);
    assert_eq!(process(&[("WEB_CONCURRENCY", "512")]).workers, 512);
    for wrong in ["0", "-1", "1.5", "auto", "513", "99999999999"] {
        let line = error_of(json!({}), &[("WEB_CONCURRENCY", wrong)]);
        assert!(
            line.starts_with("WEB_CONCURRENCY (from environment variable WEB_CONCURRENCY) "),
            "{line}"
        );
    }
}

#[test]
fn outgoing_proxies() {
    let outgoing = process(&[
        ("HTTP_PROXY", "http://upper:1"),
        ("http_proxy", "http://lower:1"),
        ("HTTPS_PROXY", " https://u:p@proxy:2 "),
        ("ALL_PROXY", "proxy:3128"),
        ("NO_PROXY", "localhost, .example.com,,10.0.0.0/8"),
    ])
    .outgoing;
    let shown = |proxy: Option<OutgoingProxy>| proxy.map(|proxy| proxy.to_string());
    assert_eq!(shown(outgoing.http).as_deref(), Some("http://lower:1"));
    assert_eq!(shown(outgoing.https).as_deref(), Some("https://****@proxy:2"));
    assert_eq!(shown(outgoing.all).as_deref(), Some("http://proxy:3128"));
    assert_eq!(outgoing.exempt.to_string(), "localhost,.example.com,10.0.0.0/8");
    assert!(outgoing.exempt.covers("www.example.com", 443));
    let none = process(&[("HTTPS_PROXY", ""), ("https_proxy", " "), ("NO_PROXY", "")]).outgoing;
    assert_eq!(none, OutgoingProxies::default());
    // In some other case, as every option.
    let mixed = process(&[("Https_Proxy", "a"), ("HTTPS_PROXY", "b")]).outgoing;
    assert_eq!(shown(mixed.https).as_deref(), Some("http://a:80"));
}

#[test]
fn proxies_that_cannot_be_used() {
    for scheme in ["socks", "socks4", "socks5", "SOCKS5h"] {
        for (name, api_url) in [
            ("HTTP_PROXY", "http://upstream.test"),
            ("https_proxy", "https://upstream.test"),
            ("All_Proxy", "https://upstream.test"),
        ] {
            let proxy = format!("{scheme}://u:secret@proxy:1080");
            let line = error_of(json!({"api_url": api_url}), &[(name, &proxy)]);
            let upper = name.to_uppercase();
            assert_eq!(
                line,
                format!(
                    "{upper} (from environment variable {name}) is a SOCKS proxy, which is not supported; give an HTTP \
                     proxy (http://host:port) or unset it"
                )
            );
        }
    }
    for (url, problem) in [
        ("ftp://secret", "is no HTTP proxy; give"),
        ("http://u:secret@", "names no host; give"),
        (
            "http://u:sec#ret@proxy:1",
            "has a user or a password that ends the URL's host; write",
        ),
        ("http://secret:99999", "has no port from 1 to 65535"),
    ] {
        let line = error_of(json!({}), &[("ALL_PROXY", url)]);
        let expected = format!("ALL_PROXY (from environment variable ALL_PROXY) {problem}");
        assert!(line.starts_with(&expected), "{line}");
    }
}

#[test]
fn proxies_that_nothing_goes_through_need_not_be_usable() {
    let socks = "socks5://u:secret@proxy:1080";
    let http = "http://proxy:3128";
    let [plain, tls] = ["http://upstream.test", "https://upstream.test"];
    for (api_url, streams_url, variables, is_refused) in [
        (tls, tls, vec![("HTTPS_PROXY", http), ("ALL_PROXY", socks)], false),
        (
            plain,
            tls,
            vec![("HTTPS_PROXY", http), ("ALL_PROXY", socks)],
            true,
        ),
        (
            tls,
            plain,
            vec![("HTTPS_PROXY", http), ("ALL_PROXY", socks)],
            true,
        ),
        (tls, tls, vec![("HTTP_PROXY", "ftp://u:secret@")], false),
        (tls, plain, vec![("HTTP_PROXY", "ftp://u:secret@")], true),
        (tls, tls, vec![("ALL_PROXY", socks), ("NO_PROXY", "*")], false),
        (
            tls,
            tls,
            vec![("HTTPS_PROXY", socks), ("NO_PROXY", ".test")],
            false,
        ),
        // The scheme's own goes before the one for all, and is not passed over.
        (tls, tls, vec![("HTTPS_PROXY", socks), ("ALL_PROXY", http)], true),
    ] {
        let options = json!({"api_url": api_url, "realtime": {"upstream_url": streams_url}});
        if is_refused {
            assert!(
                error_of(options, &variables).contains("_PROXY (from"),
                "{variables:?}"
            );
            continue;
        }
        let loaded = load(options, &variables);
        let told = &loaded.notices[0].message;
        assert!(
            told.ends_with("; it is left out, because no request goes through it")
                && !told.contains("secret"),
            "{told}"
        );
        let outgoing = loaded.settings.process.outgoing;
        assert_eq!((outgoing.http, outgoing.all), (None, None));
    }
}

#[test]
fn certificates_in_any_case() {
    assert_eq!(process(&[]).roots, RootCertificates::default());
    assert_eq!(
        process(&[("SSL_CERT_FILE", " "), ("SSL_CERT_DIR", "")]).roots,
        RootCertificates::default()
    );
    for names in [
        ["SSL_CERT_FILE", "SSL_CERT_DIR"],
        ["ssl_cert_file", "Ssl_Cert_Dir"],
    ] {
        let roots = process(&[(names[0], "/etc/ca.pem"), (names[1], "/etc/a::/etc/b")]).roots;
        let expected = RootCertificates {
            file: Some("/etc/ca.pem".into()),
            directories: vec!["/etc/a".into(), "/etc/b".into()],
        };
        assert_eq!(roots, expected);
    }
}

#[test]
fn trusted_proxies() {
    let cases = [
        ("*", "8.8.8.8", true),
        ("10.0.0.1", "10.0.0.1", true),
        ("10.0.0.1", "10.0.0.2", false),
        ("10.0.0.0/8", "10.200.0.2", true),
        ("10.0.0.0/8", "11.0.0.0", false),
        ("10.0.0.0/8", "::ffff:10.0.0.2", true),
        ("::ffff:10.0.0.0/104", "10.200.0.2", true),
        ("::ffff:10.0.0.0/104", "::ffff:10.200.0.2", true),
        ("::ffff:10.0.0.0/104", "11.0.0.0", false),
        ("::ffff:10.0.0.1/128", "10.0.0.1", true),
        ("::ffff:10.0.0.1/8", "10.0.0.1", false),
        ("::ffff:10.0.0.1", "10.0.0.1", true),
        ("192.168.1.128/25", "192.168.1.127", false),
        ("192.168.1.128/25", "192.168.1.255", true),
        ("0.0.0.0/0", "8.8.8.8", true),
        ("0.0.0.0/0", "::1", false),
        ("::/0", "::1", true),
        ("2001:db8::/32", "2001:db8:ffff::1", true),
        ("2001:db8::/32", "2001:db9::1", false),
        (" 1.1.1.1 , 2.2.2.2 ", "2.2.2.2", true),
        ("nonsense", "127.0.0.1", false),
        ("10.0.0.0/33", "10.0.0.0", false),
        ("10.0.0.0/", "10.0.0.0", false),
    ];
    for (allowed, peer, expected) in cases {
        let (trusted, _) = TrustedProxies::parse(allowed);
        assert_eq!(
            trusted.trusts(peer.parse::<IpAddr>().unwrap()),
            expected,
            "{allowed} {peer}"
        );
    }
}

#[test]
fn only_this_machine_is_trusted_unless_told() {
    let trusted = process(&[]).trusted_proxies;
    for (peer, expected) in [
        ("127.0.0.1", true),
        ("127.1.2.3", true),
        ("::1", true),
        ("10.0.0.1", false),
    ] {
        assert_eq!(trusted.trusts(peer.parse().unwrap()), expected, "{peer}");
    }
}
