//! The manifests in `deploy/` say what the program has: its port, the paths of its probes, variables that have an effect, times
//! that its stop fits into. That they are manifests at all is what `make manifests` checks.
use std::path::{Path, PathBuf};
use std::time::Duration;

use edge_proxy::cli;
use edge_proxy::settings::Settings;
use serde_json::Value;

use crate::harness::{Options, Request, spawn_app};

const KEY_PAIRS: [&str; 2] = [
    "ENVIRONMENT_KEY_PAIRS",
    r#"[{"server_side_key":"ser.a","client_side_key":"b"}]"#,
];

const DEPLOYMENTS: [&str; 2] = [
    "kubernetes/deployment.yaml",
    "helm/edge-proxy/templates/deployment.yaml",
];
const ADMIN_PORT: &str = "kubernetes/components/admin/admin-port.yaml";
const COMPOSE: &str = "compose/compose.yaml";
const UNIT: &str = "systemd/edge-proxy.service";

fn read(file: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy").join(file);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Every `key: value` and `- key: value` of a file, in order, quotes taken off.
fn pairs(text: &str) -> Vec<(&str, &str)> {
    let lines = text.lines().map(|line| line.trim().trim_start_matches("- "));
    let pairs = lines
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| line.split_once(": "));
    pairs
        .map(|(key, value)| (key, value.trim_matches(['\'', '"'])))
        .collect()
}

fn values<'a>(text: &'a str, wanted: &str) -> Vec<&'a str> {
    let pairs = pairs(text).into_iter();
    pairs
        .filter(|(key, _)| *key == wanted)
        .map(|(_, value)| value)
        .collect()
}

fn defaults() -> Settings {
    load([KEY_PAIRS.map(str::to_owned).into()]).expect("it is sound")
}

/// By variables alone.
fn load(variables: impl IntoIterator<Item = (String, String)>) -> Option<Settings> {
    let nowhere = PathBuf::from("/nonexistent/config.json");
    Settings::load(Some(&nowhere), variables)
        .ok()
        .map(|loaded| loaded.settings)
}

#[test]
fn ports_are_the_one_that_it_listens_on() {
    let port = defaults().server.port.to_string();
    for file in DEPLOYMENTS {
        let text = read(file);
        match values(&text, "containerPort")[0] {
            r#"{{ include "edge-proxy.port" . }}"# => {
                let helpers = read("helm/edge-proxy/templates/_helpers.tpl");
                assert!(
                    helpers.contains(&format!(r#"(dig "server" "port" {port} "#)),
                    "{helpers}"
                );
            }
            named => assert_eq!(named, port, "{file}"),
        }
    }
    let compose = read(COMPOSE);
    let (_, proxy) = compose.split_once("  edge-proxy:\n").unwrap();
    assert!(proxy.contains(&format!("\"127.0.0.1:8001:{port}\"")), "{proxy}");
    let dockerfile = Path::new(env!("CARGO_MANIFEST_DIR")).join("Dockerfile");
    let dockerfile = std::fs::read_to_string(dockerfile).unwrap();
    assert!(dockerfile.contains(&format!("EXPOSE {port}\n")));
}

#[test]
fn probes_ask_what_is_served() {
    let app = spawn_app(Options::default());
    for file in DEPLOYMENTS {
        let text = read(file);
        let of = |probe: &str| {
            let (_, after) = text.split_once(&format!("{probe}:\n")).expect(probe);
            values(after, "path")[0].to_owned()
        };
        // A document that is missing must not start the process again.
        assert_eq!(of("startupProbe"), "/proxy/health/liveness", "{file}");
        assert_eq!(of("livenessProbe"), "/proxy/health/liveness", "{file}");
        assert_eq!(of("readinessProbe"), "/proxy/health/readiness", "{file}");
        for path in values(&text, "path") {
            let answer = app.connect().send(&Request::get(path));
            assert_eq!(answer.status, 200, "{file}: {path}");
        }
    }
}

/// Names and values of the proxy's variables in all manifests.
fn variables() -> Vec<(&'static str, String, String)> {
    let mut found = Vec::new();
    for file in DEPLOYMENTS.into_iter().chain([ADMIN_PORT]) {
        let text = read(file);
        let pairs = pairs(&text);
        let named = pairs.windows(2).filter_map(|pair| match pair {
            [("name", name), ("value", value)] => Some((file, (*name).to_owned(), (*value).to_owned())),
            _ => None,
        });
        let named = named.filter(|(_, name, _)| !name.contains("{{"));
        // As the chart's own value.
        found.extend(named.map(|(file, name, value)| (file, name, filled_as_in_chart(&value))));
    }
    for file in ["helm/edge-proxy/values.yaml", "checks/values-full.yaml"] {
        let text = read(file);
        let (_, environment) = text.split_once("\nenv:\n").unwrap();
        let lines = environment.lines().take_while(|line| line.starts_with("  "));
        for line in lines {
            let (name, value) = pairs(line)[0];
            found.push((file, name.to_owned(), value.to_owned()));
        }
    }
    let kustomization = "kubernetes/kustomization.yaml";
    for line in read(kustomization).lines() {
        let literal = line
            .trim()
            .strip_prefix("- ")
            .and_then(|literal| literal.split_once('='));
        if let Some((name, value)) = literal {
            found.push((kustomization, name.to_owned(), value.to_owned()));
        }
    }
    let compose = read(COMPOSE);
    let (_, proxy) = compose.split_once("  edge-proxy:\n").unwrap();
    let (_, environment) = proxy.split_once("environment:\n").unwrap();
    for line in environment.lines().take_while(|line| line.starts_with("      ")) {
        let (name, value) = pairs(line)[0];
        found.push((COMPOSE, name.to_owned(), filled_in(value)));
    }
    for line in read(UNIT).lines() {
        if let Some((name, value)) = line
            .strip_prefix("Environment='")
            .and_then(|rest| rest.split_once('='))
        {
            found.push((UNIT, name.to_owned(), value.trim_end_matches('\'').to_owned()));
        }
    }
    found
}

/// With the chart's own values.
fn filled_as_in_chart(value: &str) -> String {
    value
        .replace("{{ .Values.admin.port }}", "8001")
        .replace("{{ .Values.workers | quote }}", "2")
}

/// With each `${NAME:-default}` as its default.
fn filled_in(value: &str) -> String {
    let mut parts = value.split("${");
    let mut filled = parts.next().unwrap().to_owned();
    for part in parts {
        let (variable, rest) = part.split_once('}').unwrap();
        filled += variable.split_once(":-").unwrap().1;
        filled += rest;
    }
    filled
}

#[test]
fn every_variable_has_an_effect() {
    let plain = defaults();
    let found = variables();
    for (file, name, value) in &found {
        match name.as_str() {
            // Of which nothing shows but that there is a configuration.
            "ENVIRONMENT_KEY_PAIRS" => {
                assert!(load([(name.clone(), value.clone())]).is_some(), "{file}: {value}");
            }
            // Which may be the number of cores here.
            "WEB_CONCURRENCY" => {
                let settings = load([KEY_PAIRS.map(str::to_owned).into(), (name.clone(), value.clone())]);
                assert_eq!(settings.unwrap().process.workers.to_string(), *value, "{file}");
            }
            "CONFIG_PATH" => assert_eq!(value, "/app/config.json", "{file}"),
            _ => {
                let settings = load([KEY_PAIRS.map(str::to_owned).into(), (name.clone(), value.clone())]);
                let settings = settings.unwrap_or_else(|| panic!("{file}: {name}={value}"));
                assert_ne!(
                    settings.effective_json(),
                    plain.effective_json(),
                    "{file}: {name}={value}"
                );
            }
        }
    }
    for file in DEPLOYMENTS.iter().chain([&ADMIN_PORT, &COMPOSE, &UNIT]) {
        assert!(found.iter().any(|(found, ..)| found == file), "{file}");
    }
}

#[test]
fn the_store_and_the_configuration_are_mounted_where_they_are_looked_for() {
    for file in DEPLOYMENTS {
        let text = read(file);
        let variables = variables();
        let of = |wanted: &str| {
            let found = variables
                .iter()
                .find(|(found, name, _)| *found == file && name == wanted);
            found.unwrap().2.clone()
        };
        let store: Value = serde_json::from_str(&of("PERSISTENCE")).unwrap();
        let mounts = values(&text, "mountPath");
        assert!(
            mounts.contains(&store["directory"].as_str().unwrap()),
            "{file}: {mounts:?}"
        );
        let folder = Path::new(&of("CONFIG_PATH")).parent().unwrap().to_owned();
        assert!(mounts.contains(&folder.to_str().unwrap()), "{file}: {mounts:?}");
    }
    let text = read("kubernetes/config.json");
    let read: Value = serde_json::from_str(&text).unwrap();
    assert!(read["environment_key_pairs"].is_array());
    assert!(
        load([(
            "ENVIRONMENT_KEY_PAIRS".to_owned(),
            read["environment_key_pairs"].to_string()
        )])
        .is_some()
    );
}

#[test]
fn a_stop_has_the_time_that_it_takes() {
    let stop = defaults().server.shutdown_timeout;
    let seconds = |text: &str| Duration::from_secs(text.trim_end_matches('s').parse().unwrap());
    let mut times = vec![seconds(
        values(
            &read("kubernetes/deployment.yaml"),
            "terminationGracePeriodSeconds",
        )[0],
    )];
    times.push(seconds(
        values(
            &read("helm/edge-proxy/values.yaml"),
            "terminationGracePeriodSeconds",
        )[0],
    ));
    times.push(seconds(values(&read(COMPOSE), "stop_grace_period")[0]));
    let unit = read(UNIT);
    times.push(seconds(
        unit.lines()
            .find_map(|line| line.strip_prefix("TimeoutStopSec="))
            .unwrap(),
    ));
    for time in times {
        assert!(time > stop, "{time:?}");
    }
}

#[test]
fn the_unit_starts_it_with_a_command_line_that_it_knows() {
    let unit = read(UNIT);
    let start = unit
        .lines()
        .find_map(|line| line.strip_prefix("ExecStart="))
        .unwrap();
    let arguments = start.split(' ').skip(1).map(std::ffi::OsString::from);
    assert!(cli::parse(arguments).is_ok(), "{start}");
    assert!(unit.contains("ExecReload=/bin/kill -HUP $MAINPID\n"));
    let ends = format!(
        "RestartPreventExitStatus={} {}\n",
        cli::EXIT_USAGE,
        cli::EXIT_CONFIGURATION
    );
    assert!(unit.contains(&ends));
    // Whatever else ends it may pass by itself, and is not to count against it.
    assert!(unit.contains("StartLimitIntervalSec=0\n"));
}

/// It is in a guide alone.
#[test]
fn the_task_definition_of_the_guide_is_of_this_program() {
    let guide = read("../docs/ecs-fargate.md");
    let (_, after) = guide.split_once("```json\n").unwrap();
    let task: Value = serde_json::from_str(after.split_once("```").unwrap().0).unwrap();
    let container = &task["containerDefinitions"][0];
    let plain = defaults();
    assert_eq!(container["portMappings"][0]["containerPort"], plain.server.port);
    assert_eq!(container["secrets"][0]["name"], "ENVIRONMENT_KEY_PAIRS");
    let health = container["healthCheck"]["command"].as_array().unwrap();
    let arguments = health.iter().skip(2).map(|word| word.as_str().unwrap().into());
    assert!(cli::parse(arguments).is_ok(), "{health:?}");

    let given = container["environment"].as_array().unwrap().iter();
    let given =
        given.map(|variable| ["name", "value"].map(|part| variable[part].as_str().unwrap().to_owned()));
    let variables: Vec<_> = given.map(|[name, value]| (name, value)).collect();
    for variable in &variables {
        let settings = load([KEY_PAIRS.map(str::to_owned).into(), variable.clone()]).unwrap();
        assert_ne!(settings.effective_json(), plain.effective_json(), "{variable:?}");
    }
    let all = variables.into_iter().chain([KEY_PAIRS.map(str::to_owned).into()]);
    let stop = load(all).unwrap().server.shutdown_timeout;
    assert!(Duration::from_secs(container["stopTimeout"].as_u64().unwrap()) > stop);
}
