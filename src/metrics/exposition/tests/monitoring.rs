//! What operators are told of the metrics: guide, alert rules and dashboard.
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::{Format, families, names, text};

fn read(path: &str) -> String {
    let path: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The names of metrics in a text that is about them.
fn named(text: &str) -> BTreeSet<&str> {
    text.split(|character: char| !(character.is_ascii_alphanumeric() || character == '_'))
        .filter(|word| word.starts_with("flagsmith_") || word.starts_with("process_"))
        // Beginnings of names, and Flagsmith's own image.
        .filter(|word| !word.ends_with('_'))
        .collect()
}

#[test]
fn rules_and_dashboard_use_metrics_that_there_are() {
    let text = text(Format::Plain);
    let exposed = names(&text);
    for file in ["alerts.yml", "alerts.test.yml", "dashboard.json"] {
        let file = read(&format!("deploy/monitoring/{file}"));
        let named = named(&file);
        assert!(named.len() > 10, "{named:?}");
        let unknown: Vec<_> = named.difference(&exposed).collect();
        assert!(unknown.is_empty(), "{unknown:?}");
    }
}

#[test]
fn the_guide_names_every_family_and_no_other() {
    let guide = read("docs/monitoring.md");
    let (_, table) = guide.split_once("| metric |").expect("the table of metrics");
    let text = text(Format::Plain);
    let exposed: BTreeSet<_> = families(&text).into_keys().collect();
    let told = named(table);
    assert_eq!(told, exposed);
}

/// Asserts that no two panels cover each other, and each has what Grafana needs.
fn check_panels(panels: &[Value]) {
    let (mut ids, mut covered) = (BTreeSet::new(), BTreeSet::new());
    for panel in panels {
        let title = panel["title"].as_str().expect("a title");
        assert!(
            ids.insert(panel["id"].as_u64().unwrap()),
            "{title}: its id is another's"
        );
        let [x, y, w, h] = ["x", "y", "w", "h"].map(|side| panel["gridPos"][side].as_u64().expect(title));
        assert!(w > 0 && h > 0 && x + w <= 24, "{title}");
        for place in (x..x + w).flat_map(|x| (y..y + h).map(move |y| (x, y))) {
            assert!(covered.insert(place), "{title} covers another panel");
        }
        if panel["type"] == "row" {
            continue;
        }
        let targets = panel["targets"].as_array().expect(title);
        let references: BTreeSet<_> = targets
            .iter()
            .map(|target| target["refId"].as_str().unwrap())
            .collect();
        assert!(
            !targets.is_empty() && references.len() == targets.len(),
            "{title}"
        );
        for target in targets {
            let query = target["expr"].as_str().expect(title);
            assert!(
                !named(query).is_empty() && query.contains("$instance"),
                "{title}: {query}"
            );
            assert_eq!(target["datasource"]["uid"], "${datasource}", "{title}");
        }
        assert!(panel["fieldConfig"]["defaults"]["unit"].is_string(), "{title}");
    }
}

#[test]
fn the_dashboard_is_one_that_grafana_reads() {
    let dashboard: Value = serde_json::from_str(&read("deploy/monitoring/dashboard.json")).unwrap();
    assert!(dashboard["title"].is_string() && dashboard["uid"].is_string());
    assert!(dashboard["schemaVersion"].as_u64().unwrap() >= 36);
    let panels = dashboard["panels"].as_array().unwrap();
    check_panels(panels);
    let rows: Vec<_> = panels
        .iter()
        .filter(|panel| panel["type"] == "row")
        .map(|row| row["title"].as_str().unwrap())
        .collect();
    assert_eq!(rows, ["Requests", "Documents", "Realtime", "Upstream", "Process"]);
    let variables = dashboard["templating"]["list"].as_array().unwrap();
    let names: Vec<_> = variables
        .iter()
        .map(|each| each["name"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["datasource", "job", "instance", "environment"]);
    // Each family is seen somewhere.
    let shown = dashboard.to_string();
    let text = text(Format::Plain);
    let not_shown: Vec<_> = families(&text)
        .into_keys()
        .filter(|family| !shown.contains(*family))
        .collect();
    assert_eq!(
        not_shown,
        [
            "flagsmith_edge_proxy_certificate_expiry_timestamp_seconds",
            "process_threads",
            "process_virtual_memory_bytes"
        ]
    );
}
