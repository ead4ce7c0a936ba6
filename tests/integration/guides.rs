//! README and guides: links lead somewhere, files and paths are there, commands are understood, JSON is JSON.
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use edge_proxy::cli;
use serde_json::{Value, json};

use crate::harness::{CLIENT_KEY, Options, Request, spawn_app};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The README, and what is in `docs/`.
fn texts() -> Vec<(PathBuf, String)> {
    let docs = std::fs::read_dir(root().join("docs")).unwrap();
    let paths = docs.map(|file| file.unwrap().path());
    let paths = std::iter::once(root().join("README.md")).chain(paths);
    let texts: Vec<_> = paths
        .map(|path| (path.clone(), std::fs::read_to_string(path).unwrap()))
        .collect();
    assert!(texts.len() >= 8);
    texts
}

/// Blocks of code, with what they say they are.
fn blocks(text: &str) -> impl Iterator<Item = (&str, &str)> {
    let blocks = text.split("```").skip(1).step_by(2);
    blocks.map(|block| block.split_once('\n').unwrap())
}

/// What stands between backticks.
fn quoted(text: &str) -> Vec<String> {
    let outside = text.split("```").step_by(2).collect::<String>();
    let quoted = outside.split('`').skip(1).step_by(2);
    quoted.map(|quoted| quoted.replace('\n', " ")).collect()
}

/// Of a heading, as links name it.
fn anchor(heading: &str) -> String {
    let kept = heading.to_lowercase();
    let kept = kept
        .chars()
        .filter(|letter| letter.is_alphanumeric() || " -_".contains(*letter));
    kept.map(|letter| if letter == ' ' { '-' } else { letter })
        .collect()
}

#[test]
fn links_lead_somewhere() {
    let mut links = 0;
    for (path, text) in texts() {
        for after in text.split("](").skip(1) {
            let target = after.split(')').next().unwrap().replace('\n', "");
            if target.contains("://") {
                continue;
            }
            let (file, heading) = target
                .split_once('#')
                .map_or((target.as_str(), None), |(file, heading)| (file, Some(heading)));
            let file = if file.is_empty() {
                path.clone()
            } else {
                path.parent().unwrap().join(file)
            };
            assert!(file.exists(), "{}: {target}", path.display());
            if let Some(heading) = heading {
                let linked = std::fs::read_to_string(&file).unwrap();
                let headings = linked.lines().filter(|line| line.starts_with('#'));
                let mut headings = headings.map(|line| anchor(line.trim_start_matches('#').trim()));
                assert!(
                    headings.any(|found| found == heading),
                    "{}: {target}",
                    path.display()
                );
            }
            links += 1;
        }
    }
    assert!(links > 10, "{links}");
}

#[test]
fn files_that_are_named_are_there() {
    for (path, text) in texts() {
        for name in quoted(&text) {
            let is_ours = [
                "deploy/",
                "tests/",
                "examples/",
                "docs/",
                "fuzz/",
                "src/",
                "bench/",
                ".ci/",
            ]
            .iter()
            .any(|folder| name.starts_with(folder));
            // Another checkout's, or what a build makes.
            if is_ours && !name.contains("node_modules") && !name.contains("…") && !name.ends_with("/.env")
            {
                assert!(root().join(&name).exists(), "{}: {name}", path.display());
            }
        }
    }
}

/// The first number after a text.
fn number_after(text: &str, before: &str) -> u64 {
    let (_, after) = text.split_once(before).expect(before);
    let end = after
        .find(|letter: char| !letter.is_ascii_digit())
        .unwrap_or(after.len());
    after[..end].parse().expect(before)
}

/// A browser that has both open must not take one for the other.
#[test]
fn the_demonstration_page_has_a_port_of_its_own() {
    let read = |name: &str| std::fs::read_to_string(root().join(name)).unwrap();
    let arguments = read("examples/browser/arguments.rs");
    let (_, defaults) = arguments.split_once("= Self {").expect("the defaults");
    let page = number_after(defaults, "page_port: ");
    let configuration: Value = serde_json::from_str(&read("config/config.json")).unwrap();
    for section in ["server", "admin"] {
        assert_ne!(configuration[section]["port"], json!(page), "{section}");
    }
    let readme = read("README.md");
    let (_, told) = readme.split_once("`make demo`").unwrap();
    assert_eq!(number_after(told, "<http://127.0.0.1:"), page);
    let head = read("examples/browser/main.rs");
    assert_eq!(number_after(&head, "--page-port "), page);
}

#[test]
fn json_is_json() {
    for (path, text) in texts() {
        for (_, block) in blocks(&text).filter(|(kind, _)| *kind == "json") {
            let read: Result<Value, _> = serde_json::from_str(block);
            assert!(read.is_ok(), "{}: {read:?}", path.display());
        }
    }
}

/// The command line of ours that begins here, without what a shell does with it.
fn command_line(text: &str) -> Option<Vec<OsString>> {
    let arguments = text.strip_prefix("edge-proxy ")?;
    let end = [" > ", " | ", " \\| ", "#"]
        .iter()
        .filter_map(|end| arguments.find(end))
        .min();
    let words = arguments[..end.unwrap_or(arguments.len())].split_whitespace();
    let words = words.map(|word| match word {
        "COMMAND" | "[COMMAND]" => "health",
        "SHELL" => "bash",
        word => word,
    });
    Some(words.map(OsString::from).collect())
}

#[test]
fn commands_are_understood() {
    let mut commands = 0;
    for (path, text) in texts() {
        let lines = blocks(&text).flat_map(|(_, block)| block.lines().map(str::to_owned));
        for line in lines.chain(quoted(&text)) {
            let Some(arguments) = command_line(line.trim()) else {
                continue;
            };
            let read = cli::parse(arguments);
            assert!(read.is_ok(), "{}: {line}: {read:?}", path.display());
            commands += 1;
        }
    }
    assert!(commands > 10, "{commands}");
}

/// Every path knows which methods it has, and says so of one that none has.
#[test]
fn paths_that_are_named_are_served() {
    let app = spawn_app(Options {
        config: json!({"realtime": {"authentication_token": "s3cret"}}),
        ..Options::default()
    });
    let mut asked = 0;
    for (path, text) in texts().into_iter().skip(1) {
        for name in quoted(&text) {
            let target = name.trim_start_matches("GET ").split(['?', ' ']).next().unwrap();
            let is_path = ["/api/v1/", "/proxy/", "/sse/"]
                .iter()
                .any(|start| target.starts_with(start));
            if !is_path || target == "/api/v1/" {
                continue;
            }
            let target = target.replace("{key}", CLIENT_KEY);
            let answer = app.connect().send(&Request::new("DELETE", &target));
            assert_eq!(answer.status, 405, "{}: {name}", path.display());
            asked += 1;
        }
    }
    assert!(asked > 10, "{asked}");
}

/// What the guide has systemd run the doctor with is what the unit has: a directory's mode, too, which systemd changes.
#[test]
fn the_doctor_runs_as_the_unit_does() {
    let read = |name: &str| std::fs::read_to_string(root().join(name)).unwrap();
    let guide = read("docs/doctor.md");
    let (_, run) = guide.split_once("systemd-run").unwrap();
    let (run, _) = run.split_once("```").unwrap();
    let words: Vec<&str> = run.split_whitespace().collect();
    let given = words
        .windows(2)
        .filter(|pair| pair[0] == "-p")
        .map(|pair| pair[1]);
    let given: Vec<&str> = given.collect();
    let unit = read("deploy/systemd/edge-proxy.service");
    let lines: Vec<&str> = unit.lines().collect();
    for property in &given {
        assert!(lines.contains(property), "{property}");
    }
    for name in ["User", "StateDirectory", "StateDirectoryMode", "LimitNOFILE"] {
        assert!(
            given
                .iter()
                .any(|property| property.split('=').next() == Some(name)),
            "{name}"
        );
    }
}
