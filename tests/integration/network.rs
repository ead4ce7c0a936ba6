//! The whole program in a corporate network: a proxy that wants credentials, and an upstream on TLS that wants a certificate and a
//! header of its own.
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use serde_json::{Value, json};
use tempfile::TempDir;
use test_support::certificates::Authority;
use test_support::documents::document;
use test_support::tls_front::TlsFront;
use test_support::upstream::{Answer, ReceivedRequest, ScriptedUpstream};

use crate::harness::{CLIENT_KEY, Proxy, ProxyOptions, Request, SERVER_KEY, command, wait};

const SECRETS: [&str; 4] = ["s3cret-gateway", "s3cret-proxy", "s3cret%2Dproxy", "ZWRnZTpzM2Ny"];
/// The path at the end of what is asked, and what it is.
const ASKED: [&str; 5] = [
    "/environment-document/",
    "/traits/",
    "/analytics/flags/",
    "identities/",
    "/stream",
];

/// A Flagsmith that no name service knows, and the only way to it.
struct Network {
    flagsmith: ScriptedUpstream,
    _front: TlsFront,
    way_out: ScriptedUpstream,
    files: TempDir,
}

impl Network {
    fn start() -> Self {
        let (authority, staff) = (Authority::new("Corporate"), Authority::new("Staff"));
        let flagsmith = ScriptedUpstream::start(flagsmith);
        let server = authority.issue("flagsmith.internal.test");
        let server = server.server_of(Some(&staff), rustls::DEFAULT_VERSIONS);
        let front = TlsFront::start(server, flagsmith.address());
        let to = front.address();
        let way_out = ScriptedUpstream::start(move |request| {
            // edge:s3cret-proxy
            match (request.method.as_str(), request.header("Proxy-Authorization")) {
                ("CONNECT", Some("Basic ZWRnZTpzM2NyZXQtcHJveHk=")) => Answer::tunnel(to),
                _ => Answer::status(407),
            }
        });
        let files = tempfile::tempdir().unwrap();
        let client = staff.issue("edge.test");
        let write = |name: &str, text: &str| fs::write(files.path().join(name), text).unwrap();
        write("ca.pem", &authority.pem());
        write("tls.crt", &client.certificate);
        write("tls.key", &client.key);
        Self {
            flagsmith,
            _front: front,
            way_out,
            files,
        }
    }

    fn config(&self) -> Value {
        let path = |name: &str| self.files.path().join(name);
        json!({
            "environment_key_pairs": [{"client_side_key": CLIENT_KEY, "server_side_key": SERVER_KEY}],
            "api_url": "https://flagsmith.internal.test/api/v1",
            "api_poll_frequency_seconds": 1,
            "forward_identities": true,
            "realtime": {"upstream_url": "https://flagsmith.internal.test"},
            "upstream": {
                "ca_file": path("ca.pem"),
                "client_certificate": path("tls.crt"),
                "client_key": path("tls.key"),
                "headers": {"X-Gateway-Key": "s3cret-gateway"},
            },
        })
    }

    /// The program behind it all, which tells all that it has to tell.
    fn proxy(&self) -> Proxy {
        Proxy::start(ProxyOptions {
            config: without_file(self.config()),
            variables: self.variables(),
            logging: json!({"log_level": "DEBUG"}),
        })
    }

    fn variables(&self) -> Vec<(&'static str, String)> {
        let url = format!("http://edge:s3cret%2Dproxy@{}", self.way_out.address());
        vec![
            ("HTTPS_PROXY", url),
            ("NO_PROXY", "localhost,127.0.0.0/8".to_owned()),
        ]
    }

    /// Waits until Flagsmith has been asked for each of these.
    fn wait_until_asked(&self, paths: &[&str]) {
        let mut count = self.flagsmith.count();
        let is_asked = |path: &&str| {
            let requests = self.flagsmith.requests();
            requests.iter().any(|request| path_of(request).ends_with(path))
        };
        wait(count.wait_for(|_| paths.iter().all(is_asked))).unwrap();
    }
}

fn flagsmith(request: &ReceivedRequest) -> Answer {
    match path_of(request) {
        path if path.ends_with("/environment-document/") => {
            Answer::ok(document("one", "2024-12-26T16:18:08+00:00"))
        }
        path if path.ends_with("/stream") => Answer::event_stream(),
        _ => Answer::ok("{}"),
    }
}

fn path_of(request: &ReceivedRequest) -> &str {
    request.target.split('?').next().unwrap()
}

fn assert_is_discreet(text: &str) {
    for secret in SECRETS.iter().chain(&[CLIENT_KEY, SERVER_KEY]) {
        assert!(!text.contains(secret), "{secret} in {text}");
    }
}

#[test]
fn everything_goes_through_the_proxy_with_certificate_and_headers() {
    let network = Network::start();
    let mut proxy = network.proxy();
    let trait_write = r#"{"identity":{"identifier":"bob"},"trait_key":"age","trait_value":1}"#;
    let identity = r#"{"identifier":"bob","traits":[{"trait_key":"age","trait_value":31}]}"#;
    for (path, body) in [
        ("/api/v1/traits/", trait_write),
        ("/api/v1/identities/", identity),
        ("/api/v1/analytics/flags/", r#"{"banner":1}"#),
    ] {
        let answer = proxy.connect().send(&Request::post(path, body).key(CLIENT_KEY));
        assert_eq!(answer.status, 200, "{path}");
    }
    network.wait_until_asked(&["/environment-document/", "/traits/", "identities/", "/stream"]);
    proxy.signal("TERM");
    let (status, written) = proxy.wait();
    assert!(status.success(), "{written}");

    let requests = network.flagsmith.requests();
    for path in ASKED {
        let asked = requests.iter().find(|request| path_of(request).ends_with(path));
        let asked = asked.unwrap_or_else(|| panic!("{path} is not asked: {written}"));
        assert_eq!(asked.header("X-Gateway-Key"), Some("s3cret-gateway"), "{path}");
        assert_eq!(asked.header("Host"), Some("flagsmith.internal.test"));
        let leaked = asked
            .headers
            .iter()
            .find(|(name, _)| name.to_lowercase().starts_with("proxy"));
        assert_eq!(leaked, None);
    }
    let asked = network.way_out.requests();
    let targets: BTreeSet<_> = asked.iter().map(|request| request.target.as_str()).collect();
    assert_eq!(targets, BTreeSet::from(["flagsmith.internal.test:443"]));
    for request in &asked {
        assert_eq!(request.header("X-Gateway-Key"), None);
        assert_eq!(request.header("X-Environment-Key"), None);
    }
    let told = "https://flagsmith.internal.test/api/v1 is reached through the proxy http://****@127.0.0.1:";
    assert!(written.contains(told), "{written}");
    assert_is_discreet(&written);
}

#[test]
fn headers_change_with_the_configuration_and_reach_everything() {
    let network = Network::start();
    let mut proxy = network.proxy();
    network.wait_until_asked(&["/environment-document/", "/stream"]);
    let next = "s3cret-gateway-next";
    proxy.reload(&json!({"upstream": {"headers": {"X-Gateway-Key": next}}}));
    let trait_write = r#"{"identity":{"identifier":"bob"},"trait_key":"age","trait_value":1}"#;
    let write = Request::post("/api/v1/traits/", trait_write).key(CLIENT_KEY);
    assert_eq!(proxy.connect().send(&write).status, 200);
    let is_renewed = |path: &str| {
        let requests = network.flagsmith.requests();
        let mut of_path = requests.iter().filter(|request| path_of(request).ends_with(path));
        of_path.any(|request| request.header("X-Gateway-Key") == Some(next))
    };
    let mut count = network.flagsmith.count();
    let paths = ["/environment-document/", "/traits/", "/stream"];
    wait(count.wait_for(|_| paths.into_iter().all(is_renewed))).unwrap();
    proxy.signal("TERM");
    let (status, written) = proxy.wait();
    assert!(status.success(), "{written}");
    assert!(written.contains("upstream.headers"), "{written}");
    assert_is_discreet(&written);
}

/// The harness serves a file unless it is told otherwise.
fn without_file(mut config: Value) -> Value {
    config["environment_key_pairs"][0]["document_path"] = Value::Null;
    config
}

#[test]
fn check_shows_what_is_in_force_and_no_secret() {
    let network = Network::start();
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("config.json"), network.config().to_string()).unwrap();
    let (code, output, error) = check(folder.path(), network.variables());
    assert_eq!((code, error.as_str()), (0, ""));
    let shown: Value = serde_json::from_str(&output).unwrap();
    assert_eq!(shown["upstream"]["headers"], json!({"x-gateway-key": "****"}));
    let proxy = shown["environment variables"]["HTTPS_PROXY"].as_str().unwrap();
    assert!(proxy.starts_with("http://****@127.0.0.1:"), "{proxy}");
    assert_is_discreet(&output);

    let socks = vec![(
        "ALL_PROXY",
        "socks5://edge:s3cret-proxy@127.0.0.1:1080".to_owned(),
    )];
    let (code, _, error) = check(folder.path(), socks);
    assert!(
        code == 78 && error.contains("ALL_PROXY") && error.contains("SOCKS"),
        "{error}"
    );
    assert_is_discreet(&error);

    fs::write(network.files.path().join("tls.key"), "s3cret-gateway").unwrap();
    let (code, _, error) = check(folder.path(), network.variables());
    assert_eq!(code, 78);
    assert!(error.contains("upstream.client_key (from config.json) names a file that holds no private key"));
    assert!(error.lines().count() == 1, "{error}");
    assert_is_discreet(&error);
}

fn check(folder: &Path, variables: Vec<(&'static str, String)>) -> (i32, String, String) {
    let output = command(folder).arg("--check").envs(variables).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (
        output.status.code().unwrap(),
        text(output.stdout),
        text(output.stderr),
    )
}
