//! What is told and does not stop the start.
use log::Level;
use serde_json::{Value, json};

use super::{Given, load, messages};

#[test]
fn unknown_options_with_the_nearest_known_name() {
    let cases: &[(Value, &str)] = &[
        (
            json!({"api_ulr": "x"}),
            r#"unknown option "api_ulr" (from config.json): did you mean "api_url"?"#,
        ),
        (
            json!({"API_URL": "x"}),
            r#"unknown option "API_URL" (from config.json): did you mean "api_url"?"#,
        ),
        (
            json!({"api_poll_freqency": 3}),
            r#"unknown option "api_poll_freqency" (from config.json): did you mean "api_poll_frequency"?"#,
        ),
        (
            json!({"server": {"prot": 1}}),
            r#"unknown option "prot" in server (from config.json): did you mean "port"?"#,
        ),
        (
            json!({"endpoint_caches": {"flags": {"use_caches": 1}}}),
            r#"unknown option "use_caches" in endpoint_caches.flags (from config.json): did you mean "use_cache"?"#,
        ),
        (json!({"ser.secret": true}), "unknown option (from config.json)"),
        (
            json!({"debug": true}),
            r#"unknown option "debug" (from config.json)"#,
        ),
        (
            json!({"a\nb": true}),
            r#"unknown option "a\nb" (from config.json)"#,
        ),
    ];
    for (options, expected) in cases {
        let loaded = load(options.clone(), &[]);
        let folder_free: Vec<String> = messages(&loaded)
            .iter()
            .map(|line| without_folder(line))
            .collect();
        assert_eq!(folder_free, [*expected]);
        assert_eq!(loaded.notices[0].level, Level::Warn);
    }
}

/// Takes the path in `(from /etc/x/config.json)` down to the file's name.
fn without_folder(line: &str) -> String {
    match (line.find("(from /"), line.find("config.json")) {
        (Some(start), Some(end)) => format!("{}(from {}", &line[..start], &line[end..]),
        _ => line.to_owned(),
    }
}

#[test]
fn an_unknown_option_of_a_key_pair_is_shown_only_where_a_known_one_is_near() {
    let pair = |name: &str| {
        json!({"environment_key_pairs": [
            {"client_side_key": "c", "server_side_key": "ser.s", name: "x"}
        ]})
    };
    let told = messages(&load(pair("server_key"), &[]));
    assert_eq!(
        without_folder(&told[0]),
        "unknown option \"server_key\" in environment_key_pairs[0] (from config.json): did you mean \"server_side_key\"?"
    );
    let told = messages(&load(pair("ser.secret"), &[]));
    assert_eq!(
        without_folder(&told[0]),
        "unknown option in environment_key_pairs[0] (from config.json)"
    );
}

#[test]
fn variables_of_other_programs_do_not_stop_the_start() {
    for (name, text) in [
        ("SERVER", "web1"),
        ("LOGGING", "true"),
        ("Realtime", "[1]"),
        ("PERSISTENCE", "/data"),
    ] {
        let loaded = load(json!({"server": {"port": 9}}), &[(name, text)]);
        let told = messages(&loaded);
        assert_eq!(loaded.settings.server.port, 9);
        assert!(
            told.len() == 1 && told[0].starts_with(&format!("environment variable {name} is no JSON object"))
        );
    }
    let unrelated = [
        ("PATH", "/bin"),
        ("HOME", "/"),
        ("PORT", "1"),
        ("API", "x"),
        ("KUBERNETES_PORT", "tcp://x"),
    ];
    assert_eq!(messages(&load(json!({}), &unrelated)), Vec::<String>::new());
}

#[test]
fn misspelt_variables_are_told() {
    let variables = [("ENVIROMENT_KEY_PAIRS", "[]"), ("API_POLL_FREQUENCY_SECOND", "3")];
    assert_eq!(
        messages(&load(json!({}), &variables)),
        [
            "environment variable API_POLL_FREQUENCY_SECOND is not known: did you mean API_POLL_FREQUENCY_SECONDS?",
            "environment variable ENVIROMENT_KEY_PAIRS is not known: did you mean ENVIRONMENT_KEY_PAIRS?",
        ]
    );
}

#[test]
fn options_without_effect_are_told() {
    let cases: &[(Value, Given, &str)] = &[
        (json!({"server": {"reload": true}}), &[], "server.reload"),
        (
            json!({"logging": {"override": {"handlers": {}}}}),
            &[],
            "logging.override",
        ),
        (
            json!({"endpoint_caches": {"flags": {"use_cache": true}}}),
            &[],
            "endpoint_caches",
        ),
        (
            json!({}),
            &[("no_proxy", "localhost,10.0.0.0/99,[secret]")],
            "2 of the entries of environment variable no_proxy are neither hosts nor networks",
        ),
        (
            json!({"allow_origins": "secret.example.com"}),
            &[],
            "allow_origins[0]",
        ),
        (
            json!({"allow_origins": ["https://a.b/path"]}),
            &[],
            "allow_origins[0]",
        ),
        (
            json!({"allow_origins": ["https://*.secret"]}),
            &[],
            "allow_origins[0]",
        ),
        (
            json!({}),
            &[("FORWARDED_ALLOW_IPS", "10.0.0.1,nonsense,10.0.0.0/99")],
            "2 of the entries",
        ),
    ];
    for (options, variables, start) in cases {
        let told = messages(&load(options.clone(), variables));
        assert!(
            told.len() == 1 && told[0].starts_with(start),
            "{options}: {told:?}"
        );
    }
}

#[test]
fn a_drain_that_does_not_fit_into_the_stop_is_told_where_it_is_asked_for() {
    let told = |server: Value| messages(&load(json!({"server": server}), &[]));
    for server in [
        json!({"drain_seconds": 30}),
        json!({"drain_seconds": 3, "shutdown_timeout_seconds": 3}),
    ] {
        let told = told(server);
        assert!(
            told.len() == 1 && told[0].starts_with("server.drain_seconds is not below"),
            "{told:?}"
        );
    }
    for server in [
        json!({"shutdown_timeout_seconds": 3}),
        json!({"drain_seconds": 0, "shutdown_timeout_seconds": 0}),
        json!({"drain_seconds": 9}),
    ] {
        assert_eq!(told(server), Vec::<String>::new());
    }
}

#[test]
fn options_at_rest_are_not_told() {
    let options = json!({
        "server": {"reload": false},
        "endpoint_caches": {"flags": {"use_cache": false, "cache_max_size": 128}, "identities": {"use_cache": false}}
    });
    assert_eq!(
        messages(&load(
            options,
            &[
                ("NO_PROXY", "localhost"),
                ("HTTPS_PROXY", "http://u:secret@p:3128")
            ]
        )),
        Vec::<String>::new()
    );
}

#[test]
fn an_admin_port_that_others_reach_without_a_token_is_told() {
    for (admin, is_told) in [
        (json!({"port": 8001}), false),
        (json!({"port": 8001, "host": "localhost"}), false),
        (json!({"port": 8001, "host": "::1"}), false),
        (json!({"port": 8001, "host": "::"}), true),
        (json!({"port": 8001, "host": "10.0.0.7"}), true),
        (json!({"port": 8001, "host": "admin.internal"}), true),
        (json!({"port": 8001, "host": "::", "token": "secret"}), false),
        (json!({"host": "::"}), false),
    ] {
        let loaded = load(json!({"admin": admin}), &[]);
        let told = messages(&loaded);
        assert_eq!(told.len(), usize::from(is_told), "{admin}: {told:?}");
        assert!(
            told.iter().all(|line| line.contains("no admin.token")),
            "{told:?}"
        );
        assert!(loaded.notices.iter().all(|notice| notice.level == Level::Info));
    }
}
