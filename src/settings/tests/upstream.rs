//! `upstream`: files of certificates, and what every request carries.
use serde_json::{Value, json};
use test_support::certificates::Authority;

use super::super::UpstreamSettings;
use super::{ConfigFile, error_of, load, shown, with};

/// A configuration with these files beside it.
fn beside(upstream: Value, files: &[(&str, &str)]) -> ConfigFile {
    let file = ConfigFile::of(&with(json!({"upstream": upstream})));
    for (name, text) in files {
        std::fs::write(file.folder.path().join(name), text).unwrap();
    }
    file
}

fn upstream(file: &ConfigFile) -> UpstreamSettings {
    file.load(&[]).unwrap().settings.upstream
}

fn line(file: &ConfigFile) -> String {
    shown(file, &file.load(&[]).unwrap_err().to_string())
}

#[test]
fn files_are_read_beside_the_configuration() {
    let authority = Authority::new("Corporate");
    let client = authority.issue("edge.test");
    let (ca, certificate, key) = (authority.pem(), &client.certificate, &client.key);
    let options = json!({"ca_file": "ca.pem", "client_certificate": "tls.crt", "client_key": "tls.key"});
    let file = beside(
        options,
        &[("ca.pem", &ca), ("tls.crt", certificate), ("tls.key", key)],
    );
    let settings = upstream(&file);
    let path = |name: &str| file.folder.path().join(name);
    assert_eq!(settings.ca_file, Some(path("ca.pem")));
    let client = settings.client_certificate.unwrap();
    assert_eq!(
        (client.certificate, client.key),
        (path("tls.crt"), path("tls.key"))
    );

    let effective: Value = serde_json::from_str(&file.load(&[]).unwrap().settings.effective_json()).unwrap();
    assert_eq!(effective["upstream"]["ca_file"], json!(path("ca.pem")));
    assert_eq!(effective["upstream"]["client_key"], json!(path("tls.key")));
}

#[test]
fn files_that_cannot_be_used_end_the_start() {
    let authority = Authority::new("Corporate");
    let (one, other) = (authority.issue("edge.test"), authority.issue("edge.test"));
    for (options, expected) in [
        (
            json!({"ca_file": "none.pem"}),
            "upstream.ca_file (from config.json) names a file that cannot be read (No such file or directory",
        ),
        (
            json!({"ca_file": "tls.key"}),
            "upstream.ca_file (from config.json) names a file that holds no certificate in PEM",
        ),
        (
            json!({"ca_file": 1}),
            "upstream.ca_file (from config.json) is a number; give text",
        ),
        (
            json!({"ca_file": " "}),
            "upstream.ca_file (from config.json) is empty",
        ),
        (
            json!({"client_certificate": "tls.crt"}),
            "upstream.client_certificate (from config.json) is given without upstream.client_key; give both, or none",
        ),
        (
            json!({"client_key": "tls.key"}),
            "upstream.client_key (from config.json) is given without upstream.client_certificate; give both, or none",
        ),
        (
            json!({"client_certificate": "tls.crt", "client_key": "other.key"}),
            "upstream.client_key (from config.json) is not the key of the first certificate in upstream.client_certificate",
        ),
        (
            json!({"client_certificate": "empty", "client_key": "tls.key"}),
            "upstream.client_certificate (from config.json) names a file that is empty; ",
        ),
    ] {
        let files: [(&str, &str); 4] = [
            ("tls.crt", &one.certificate),
            ("tls.key", &one.key),
            ("other.key", &other.key),
            ("empty", ""),
        ];
        let line = line(&beside(options, &files));
        assert!(line.starts_with(expected), "{line}");
    }
    // A key in the place of its path.
    let line = line(&beside(json!({"ca_file": "-----secret"}), &[]));
    assert!(line.contains("cannot be read"), "{line}");
}

#[test]
fn headers_come_from_file_and_variable() {
    let options =
        json!({"upstream": {"headers": {"X-One": "secret 1", "X.Two": " secret 2 ", "X-Three": "secret"}}});
    let variables = [(
        "UPSTREAM",
        r#"{"headers":{"X-Three":null,"Authorization":"Basic secret"}}"#,
    )];
    let headers = load(options, &variables).settings.upstream.headers;
    let mut names: Vec<_> = headers.names().collect();
    names.sort_unstable();
    assert_eq!(names, ["authorization", "x-one", "x.two"]);
    assert!(!format!("{headers:?}").contains("secret"));
}

#[test]
fn headers_that_cannot_be_sent_end_the_start() {
    for (headers, expected) in [
        (
            json!("X-Key: secret"),
            "upstream.headers (from config.json) is text; give an object",
        ),
        (
            json!({"X-Key": ["secret"]}),
            "upstream.headers.X-Key (from config.json) is a list; give text",
        ),
        (
            json!({"X-Key": ""}),
            "upstream.headers.X-Key (from config.json) is empty",
        ),
        (
            json!({"X-Key": "secret\nHost: x"}),
            "upstream.headers.X-Key (from config.json) has a value that no header field can carry; ",
        ),
        (
            json!({"a secret": "x"}),
            "upstream.headers (from config.json) is no name of a header field; ",
        ),
        (
            json!({"Host": "secret"}),
            "upstream.headers.Host (from config.json) cannot be set: ",
        ),
        (
            json!({"x-environment-key": "secret"}),
            "upstream.headers.x-environment-key (from config.json) cannot be set: ",
        ),
        (
            json!({"X-Key": "secret", "x-key": "secret"}),
            "upstream.headers.x-key (from config.json) is given twice",
        ),
    ] {
        let line = error_of(json!({"upstream": {"headers": headers}}), &[]);
        assert!(line.starts_with(expected), "{line}");
    }
    let line = error_of(json!({}), &[("UPSTREAM", r#"{"headers":{"TE":"secret"}}"#)]);
    assert!(
        line.starts_with("upstream.headers.TE (from environment variable UPSTREAM) cannot be set: "),
        "{line}"
    );
}
