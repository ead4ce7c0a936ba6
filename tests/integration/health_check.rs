//! `edge-proxy health`, beside the proxy of the same configuration.
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::process::Output;

use serde_json::{Value, json};
use tempfile::TempDir;
use test_support::documents::FIXTURE;
use test_support::program::Program;
use test_support::reserved_port::ReservedPort;
use test_support::wait::PATIENCE;

use crate::harness::{CLIENT_KEY, Options, Proxy, ProxyOptions, SERVER_KEY, command, merge, spawn_app};

const NO_SUCH_PORT: &str =
    "--url names a port that there is not; give one as http://127.0.0.1:8000/proxy/health";

/// Runs it on a configuration with this `server`, and with these further arguments.
fn health(server: &Value, arguments: &[&str]) -> Output {
    let directory = TempDir::new().unwrap();
    let config = json!({
        "environment_key_pairs": [{"client_side_key": CLIENT_KEY, "server_side_key": SERVER_KEY}],
        "no_option": "a start warns of it",
    });
    std::fs::write(directory.path().join("config.json"), config.to_string()).unwrap();
    let mut command = command(directory.path());
    // As a container has it: the file, and over it a variable.
    command
        .arg("health")
        .args(arguments)
        .env("SERVER", server.to_string());
    command.output().unwrap()
}

/// The only line, of standard output where it is healthy, else of standard error.
fn line(output: &Output) -> (Option<i32>, String) {
    let (out, error) = (
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    let (written, silent) = if output.status.success() {
        (out, error)
    } else {
        (error, out)
    };
    assert_eq!((written.lines().count(), silent.as_ref()), (1, ""), "{written}");
    (output.status.code(), written.into_owned())
}

fn at(address: SocketAddr) -> Value {
    json!({"host": address.ip().to_string(), "port": address.port()})
}

#[test]
fn a_proxy_that_serves_is_healthy_wherever_it_listens() {
    for host in ["127.0.0.1", "0.0.0.0", "127.0.0.2", "localhost", "::1", "::"] {
        if let Ok(address) = host.parse::<std::net::IpAddr>()
            && TcpListener::bind((address, 0)).is_err()
        {
            eprintln!("skipped: this machine cannot listen on {host}");
            continue;
        }
        let mut proxy = Proxy::start(ProxyOptions {
            config: json!({"server": {"host": host}}),
            ..ProxyOptions::default()
        });
        let server = json!({"host": host, "port": proxy.address.port()});
        let (code, line) = line(&health(&server, &[]));
        assert_eq!(code, Some(0), "{host}: {line}");
        assert!(
            line.starts_with("healthy: http://") && line.contains("200"),
            "{line}"
        );
        proxy.signal("INT");
        proxy.wait();
    }
}

#[test]
fn a_proxy_that_is_not_ready_says_why() {
    let app = spawn_app(Options {
        document: None,
        ..Options::default()
    });
    let (code, said) = line(&health(&at(app.address), &[]));
    assert_eq!(code, Some(1), "{said}");
    assert!(
        said.contains("answers 503: environment document(s) not updated."),
        "{said}"
    );
    // Another path and no configuration.
    let url = format!("http://{}/proxy/health/liveness", app.address);
    let (code, said) = line(&health(&json!({"port": "unusable"}), &["--url", &url]));
    assert_eq!(code, Some(0), "{said}");
}

#[test]
fn what_cannot_be_asked_is_unhealthy() {
    let nobody = ReservedPort::any();
    let cases: [(Value, &[&str], &str); 7] = [
        (at(nobody.address()), &[], "gives no answer"),
        (json!({"port": 0}), &[], "server.port is 0"),
        (json!({"port": "eight"}), &[], "server.port"),
        (
            json!({}),
            &["--url", "s3cret.example.com:80"],
            "no http or https URL",
        ),
        (
            json!({}),
            &["--url", "http://127.0.0.1:99999/s3cret"],
            NO_SUCH_PORT,
        ),
        (json!({}), &["--url", "http://127.0.0.1:0/s3cret"], NO_SUCH_PORT),
        (json!({}), &["--url", "http://[::1]:8s3cret/"], NO_SUCH_PORT),
    ];
    for (server, arguments, named) in cases {
        let (code, said) = line(&health(&server, arguments));
        assert_eq!(code, Some(1), "{said}");
        assert!(said.contains(named) && !said.contains("s3cret"), "{said}");
    }
}

/// Runs it beside a proxy, on its own configuration file.
fn health_beside(folder: &Path, variables: &[(&str, &str)]) -> (Option<i32>, String) {
    let mut command = command(folder);
    line(
        &command
            .arg("health")
            .envs(variables.iter().copied())
            .output()
            .unwrap(),
    )
}

#[test]
fn a_proxy_that_keeps_the_configuration_before_is_healthy() {
    let proxy = Proxy::start(ProxyOptions::default());
    let origin = format!("http://{}", proxy.address);
    let config = std::fs::read_to_string(proxy.folder().join("config.json")).unwrap();
    let over = |server: Value| {
        let mut config: Value = serde_json::from_str(&config).unwrap();
        merge(&mut config, &json!({"server": server}));
        config.to_string()
    };
    let elsewhere = ReservedPort::any();
    for content in [
        "{ broken".to_owned(),
        over(json!({"port": "eight"})),
        over(json!({"port": elsewhere.port()})),
        over(json!({"port": proxy.address.port(), "tls": {"certificate": "c", "key": "k"}})),
    ] {
        proxy.write_config(content.as_bytes());
        let expected = (Some(0), format!("healthy: {origin} answers 200\n"));
        assert_eq!(health_beside(proxy.folder(), &[]), expected, "{content}");
        // Where no word could be left of it, what can be read of the configuration is asked, by either scheme.
        let server = json!({"host": "127.0.0.1", "port": proxy.address.port()}).to_string();
        let variables = [("TMPDIR", "/nonexistent"), ("SERVER", &server)];
        assert_eq!(health_beside(proxy.folder(), &variables), expected, "{content}");
    }
}

#[test]
fn word_is_left_beside_the_stored_documents_where_there_is_no_other_place() {
    let mut proxy = Proxy::start(ProxyOptions {
        config: json!({"persistence": {"directory": "."}}),
        variables: vec![("TMPDIR", "/nonexistent".to_owned())],
        ..ProxyOptions::default()
    });
    let variables = [
        ("TMPDIR", "/nonexistent"),
        ("PERSISTENCE", r#"{"directory": "."}"#),
    ];
    let health = || health_beside(proxy.folder(), &variables).0;
    assert_eq!(health(), Some(0));
    proxy.write_config(b"{ broken");
    assert_eq!(health(), Some(0));
    let left = |proxy: &Proxy| {
        let entries = std::fs::read_dir(proxy.folder()).unwrap();
        let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        names.filter(|name| name.ends_with(".serving")).count()
    };
    assert_eq!(left(&proxy), 1);
    proxy.signal("INT");
    proxy.wait();
    assert_eq!(left(&proxy), 0);
    let (code, said) = health_beside(proxy.folder(), &variables);
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("not valid JSON"), "{said}");
}

#[test]
fn a_proxy_that_asks_for_headers_of_the_proxy_protocol_gets_one() {
    let folder = TempDir::new().unwrap();
    std::fs::write(folder.path().join("environment.json"), FIXTURE).unwrap();
    let config = json!({
        "environment_key_pairs": [{
            "client_side_key": CLIENT_KEY, "server_side_key": SERVER_KEY, "document_path": "environment.json",
        }],
        "server": {"host": "127.0.0.1", "port": 0, "drain_seconds": 0, "proxy_protocol": "required"},
    });
    std::fs::write(folder.path().join("config.json"), config.to_string()).unwrap();
    let program = Program::start(&mut command(folder.path()));
    program.wait_for_lines(1, |line| line.contains("listening on"));
    let begun = std::time::Instant::now();
    // Its document is read meanwhile.
    while health_beside(folder.path(), &[]).0 != Some(0) {
        assert!(begun.elapsed() < PATIENCE, "{}", program.written());
    }
}

/// A file of the configuration that hangs, or a record that somebody else has put there, keeps nobody from asking.
#[test]
fn a_check_waits_for_no_disk() {
    let proxy = Proxy::start(ProxyOptions::default());
    let config = proxy.folder().join("config.json");
    std::fs::remove_file(&config).unwrap();
    let made = std::process::Command::new("mkfifo").arg(&config).status();
    assert!(made.unwrap().success());
    let expected = (
        Some(0),
        format!("healthy: http://{} answers 200\n", proxy.address),
    );
    assert_eq!(health_beside(proxy.folder(), &[]), expected);
    // Nothing is known of it there, and the check ends all the same.
    let (code, said) = health_beside(proxy.folder(), &[("TMPDIR", "/nonexistent")]);
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("within 5 s"), "{said}");
}

/// The check of each finds its own, and none where that has ended.
#[test]
fn proxies_of_one_directory_that_variables_configure_are_told_apart() {
    let folder = TempDir::new().unwrap();
    std::fs::write(folder.path().join("environment.json"), FIXTURE).unwrap();
    let nobody = ReservedPort::at(([127, 0, 0, 3], 0).into());
    let file = json!({"server": {"host": "127.0.0.3", "port": nobody.port()}});
    std::fs::write(folder.path().join("config.json"), file.to_string()).unwrap();
    let pairs = json!([{
        "client_side_key": CLIENT_KEY, "server_side_key": SERVER_KEY, "document_path": "environment.json",
    }]);
    let pairs = pairs.to_string();
    let servers = ["127.0.0.1", "127.0.0.2"]
        .map(|host| json!({"host": host, "port": 0, "drain_seconds": 0}).to_string());
    let variables = |server: usize| {
        [
            ("ENVIRONMENT_KEY_PAIRS", pairs.as_str()),
            ("SERVER", servers[server].as_str()),
        ]
    };
    let programs = [0, 1].map(|server| {
        let program = Program::start(command(folder.path()).envs(variables(server)));
        program.wait_for_lines(1, |line| line.contains("listening on"));
        program
    });
    for (server, host) in ["127.0.0.1", "127.0.0.2"].into_iter().enumerate() {
        let begun = std::time::Instant::now();
        // Its document is read meanwhile.
        let said = loop {
            let (code, said) = health_beside(folder.path(), &variables(server));
            if code == Some(0) {
                break said;
            }
            assert!(begun.elapsed() < PATIENCE, "{said}");
        };
        assert!(said.starts_with(&format!("healthy: http://{host}:")), "{said}");
    }
    // Who has no variables cannot tell which of them is meant.
    let (code, said) = health_beside(folder.path(), &variables(0)[..1]);
    assert_eq!(code, Some(1), "{said}");
    let [_first, second] = programs;
    drop(second);
    let (code, said) = health_beside(folder.path(), &variables(1));
    assert_eq!(code, Some(1), "{said}");
    // An entrypoint may have set what a check lacks, and one process alone is meant.
    let (code, said) = health_beside(folder.path(), &variables(0)[..1]);
    assert_eq!(code, Some(0), "{said}");
    assert!(said.starts_with("healthy: http://127.0.0.1:"), "{said}");
}
