//! README and guides name options and variables that there are, the README names all of them, and the help what is no option.
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::super::schema::{KEY_PAIR, Known, OPTIONS};

/// Variables that are no options.
const VARIABLES: &[&str] = &[
    "CONFIG_PATH",
    "WEB_CONCURRENCY",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "FORWARDED_ALLOW_IPS",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "ALL_PROXY",
    "NO_PROXY",
    "OTEL_EXPORTER_OTLP_ENDPOINT",
];

/// What else the guides write in upper case: variables of Flagsmith's own, of the compose file,
/// of builds and of tests, a right, and errors of HTTP/2.
const OTHER_VARIABLES: &[&str] = &[
    "SSE_SERVER_BASE_URL",
    "SSE_AUTHENTICATION_TOKEN",
    "FLAGSMITH_VERSION",
    "CI_COMMIT_SHA",
    "CAP_NET_BIND_SERVICE",
    "EDGE_PROXY_SHARED_DIR",
    "EDGE_PROXY_WITHOUT_SHARED",
    "PROPTEST_CASES",
    "SOAK_SECONDS",
    "REFUSED_STREAM",
    "ENHANCE_YOUR_CALM",
];

/// Guides that name the fields of an output, the labels of metrics, or values of variables.
const OF_OUTPUT: &[&str] = &["explain.md", "monitoring.md", "tracing.md"];

/// What else the guides call by a name with an underscore: of compose files, of environment documents, of TLS.
const OTHER_NAMES: &[&str] = &[
    "depends_on",
    "stop_grace_period",
    "updated_at",
    "api_key",
    "allow_client_traits",
    "close_notify",
];

/// How the names of metrics begin.
const METRICS: [&str; 2] = ["flagsmith_", "process_"];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn guides() -> Vec<PathBuf> {
    let files = std::fs::read_dir(root().join("docs")).unwrap();
    let files: Vec<PathBuf> = files.map(|file| file.unwrap().path()).collect();
    assert!(files.len() >= 7, "{files:?}");
    files
}

/// What stands between backticks, outside of blocks of code.
fn quoted(path: &Path) -> Vec<String> {
    let text = std::fs::read_to_string(path).unwrap();
    let outside = text.split("```").step_by(2).collect::<String>();
    outside.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

fn is_of(text: &str, allowed: fn(char) -> bool) -> bool {
    text.starts_with(|first: char| first.is_ascii_alphabetic() && allowed(first)) && text.chars().all(allowed)
}

/// Whether there is an option of this path, as `server.tls.key`.
fn is_option(path: &str, options: &'static [Known]) -> bool {
    let (first, rest) = path
        .split_once('.')
        .map_or((path, None), |(first, rest)| (first, Some(rest)));
    let Some(known) = options.iter().find(|known| known.is_spelt(first)) else {
        return false;
    };
    rest.is_none_or(|rest| known.children.is_empty() || is_option(rest, known.children))
}

#[test]
fn every_option_that_is_named_is_one() {
    let mut named = 0;
    for path in guides().into_iter().chain([root().join("README.md")]) {
        let file = path.file_name().unwrap().to_str().unwrap();
        let is_guide = file != "README.md" && !OF_OUTPUT.contains(&file);
        for name in quoted(&path) {
            let is_lower = |letter: char| letter.is_ascii_lowercase() || "_.0123456789".contains(letter);
            if !is_of(&name, is_lower) {
                continue;
            }
            let of_a_section = name.split_once('.').is_some_and(|(section, _)| {
                OPTIONS
                    .iter()
                    .any(|known| known.name == section && !known.children.is_empty())
            });
            let is_metric = METRICS.iter().any(|start| name.starts_with(start));
            let alone = is_guide && !is_metric && name.contains('_') && !name.contains('.');
            if of_a_section || (alone && !OTHER_NAMES.contains(&name.as_str())) {
                named += 1;
                let is_known = is_option(&name, OPTIONS) || is_option(&name, KEY_PAIR);
                assert!(is_known, "{}: {name}", path.display());
            }
        }
    }
    assert!(named > 100, "{named}");
}

/// `metrics` has a test that its guide's table is all there is.
#[test]
fn every_metric_that_is_named_is_in_the_guide_of_metrics() {
    let is_metric = |name: &String| METRICS.iter().any(|start| name.starts_with(start));
    let of = |path: &Path| {
        quoted(path)
            .into_iter()
            .filter(is_metric)
            .collect::<BTreeSet<_>>()
    };
    let known = of(&root().join("docs/monitoring.md"));
    assert!(known.len() > 30, "{known:?}");
    for path in guides().into_iter().chain([root().join("README.md")]) {
        let named = of(&path);
        let unknown: Vec<_> = named.difference(&known).collect();
        assert!(unknown.is_empty(), "{}: {unknown:?}", path.display());
    }
}

#[test]
fn every_variable_that_is_named_is_one() {
    let telemetry = of_telemetry();
    for path in guides() {
        for name in quoted(&path) {
            let name = name.split('=').next().unwrap();
            let is_upper = |letter: char| letter.is_ascii_uppercase() || letter == '_';
            if is_of(name, is_upper) && name.contains('_') {
                let is_known = VARIABLES.contains(&name)
                    || OTHER_VARIABLES.contains(&name)
                    || telemetry.contains(&general(name))
                    || telemetry.contains(&name.to_lowercase())
                    || is_option(&name.to_lowercase(), OPTIONS);
                assert!(is_known, "{}: {name}", path.display());
            }
        }
    }
}

/// What stands between quotation marks in the code that reads OpenTelemetry's variables.
fn of_telemetry() -> BTreeSet<String> {
    let folder = root().join("src/settings/telemetry");
    let files = std::fs::read_dir(folder).unwrap();
    let texts = files.map(|file| std::fs::read_to_string(file.unwrap().path()).unwrap());
    let texts: Vec<String> = texts.collect();
    let literals = texts.iter().flat_map(|text| text.split('"').skip(1).step_by(2));
    literals.map(str::to_owned).collect()
}

/// A variable as that code names it: what each signal has of its own without the signal, and what is of OTLP by its last words.
fn general(name: &str) -> String {
    let name = name.to_lowercase();
    for signal in ["traces", "metrics"] {
        if name == format!("otel_{signal}_exporter") {
            return "otel_{}_exporter".to_owned();
        }
    }
    let Some(of_otlp) = name.strip_prefix("otel_exporter_otlp_") else {
        return name;
    };
    let own = ["traces_", "metrics_"]
        .iter()
        .find_map(|signal| of_otlp.strip_prefix(signal));
    own.unwrap_or(of_otlp).to_owned()
}

#[test]
fn the_guide_names_every_variable_of_telemetry() {
    let guide = quoted(&root().join("docs/tracing.md"));
    let named: BTreeSet<_> = guide.iter().map(|name| general(name)).collect();
    let read = of_telemetry().into_iter().filter(|literal| {
        let is_name = |letter: char| letter.is_ascii_lowercase() || letter == '_';
        literal.starts_with("otel_") && is_of(literal, is_name)
    });
    let missing: Vec<_> = read.filter(|name| !named.contains(&general(name))).collect();
    assert!(missing.is_empty(), "{missing:?}");
}

#[test]
fn the_readme_names_every_option_and_variable() {
    let readme = quoted(&root().join("README.md"));
    let has = |name: &str| readme.iter().any(|quoted| quoted == name);
    let mut missing = Vec::new();
    look(OPTIONS, "", &mut |path| {
        if !has(path) {
            missing.push(path.to_owned());
        }
    });
    missing.extend(
        VARIABLES
            .iter()
            .filter(|name| !has(name))
            .map(|&name| name.to_owned()),
    );
    assert!(missing.is_empty(), "{missing:?}");
}

#[test]
fn the_help_names_every_variable_that_is_no_option() {
    let help = format!("{:?}", crate::cli::parse(["--help".into()]));
    for name in VARIABLES {
        assert!(help.contains(name), "{name}: {help}");
    }
}

fn look(options: &[Known], section: &str, found: &mut impl FnMut(&str)) {
    for known in options {
        let path = format!("{section}{}", known.name);
        // What is in it has no effect.
        if known.children.is_empty() || path == "endpoint_caches" {
            found(&path);
        } else {
            look(known.children, &format!("{path}."), found);
        }
    }
}
