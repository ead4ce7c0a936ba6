//! Names from outside that hold what marks where a line says what to do: nothing of them is taken for that.
use std::fs;
use std::path::Path;

use serde_json::{Value, json};
use tempfile::TempDir;

use super::{Diagnosis, Place, at};
use crate::harness::command;

/// Within a line, in brackets or not, each would end what is wrong.
const NAMES: [&str; 4] = ["a; b.json", "a: give b.json", "a); b.json", "\"; b.json"];

/// What a file of this name is called in a line.
fn called(path: &Path) -> String {
    format!("{:?}", path.display().to_string())
}

/// What is said of this configuration, in a file of this name.
fn examined(path: &Path, config: &str, variables: &[(&str, &Path)]) -> Diagnosis {
    fs::write(path, config).unwrap();
    let mut command = command(path.parent().unwrap());
    command.env("CONFIG_PATH", path).envs(variables.iter().copied());
    Diagnosis::of(&mut command)
}

fn parts(diagnosis: &Diagnosis, place: Place<'_>) -> (String, String) {
    let told = diagnosis.says(place);
    let (detail, advice) = told.split_once(" \u{2192} ").unwrap();
    (detail.to_owned(), advice.to_owned())
}

#[test]
fn of_the_configuration() {
    let folder = TempDir::new().unwrap();
    for name in NAMES {
        let path = folder.path().join(name);
        let place = ("configuration", "file");
        let (detail, advice) = parts(&examined(&path, "{ broken", &[]), place);
        assert!(
            detail.starts_with(&format!("{} is not valid JSON: key must be", called(&path))),
            "{detail}"
        );
        assert!(advice.starts_with("correct it; README"), "{advice}");

        let wrong = json!({"server": 7}).to_string();
        let (detail, advice) = parts(&examined(&path, &wrong, &[]), place);
        assert_eq!(detail, format!("server (from {}) is a number", called(&path)));
        assert_eq!(advice, "give an object");

        fs::remove_file(&path).unwrap();
        let missing = Diagnosis::of(command(folder.path()).env("CONFIG_PATH", &path));
        let (detail, advice) = parts(&missing, place);
        let expected = format!("configuration file {} does not exist", called(&path));
        assert!(detail.starts_with(&expected), "{detail}");
        assert!(advice.starts_with("give one of them"), "{advice}");
    }
}

#[test]
fn of_options_and_of_what_they_name() {
    for name in NAMES {
        let folder = TempDir::new().unwrap();
        let mut config = at("https://127.0.0.1:1/api/v1");
        config[name] = Value::Null;
        config["server"]["tls"] = json!({"certificate": name, "key": name});
        let (certificate, gone) = (folder.path().join(name), folder.path().join(format!("no {name}")));
        fs::write(&certificate, "no PEM").unwrap();
        let path = folder.path().join("config.json");
        let diagnosis = examined(&path, &config.to_string(), &[("SSL_CERT_FILE", &gone)]);

        let (detail, advice) = parts(&diagnosis, ("configuration", "options"));
        assert_eq!(
            detail,
            format!("unknown option {name:?} (from {})", path.display())
        );
        assert!(advice.starts_with("correct it, or take it out"), "{advice}");

        let (detail, advice) = parts(&diagnosis, ("server", "tls"));
        let expected = format!(
            "server.tls.certificate ({}) holds no certificate",
            called(&certificate)
        );
        assert_eq!(detail, expected);
        assert!(advice.starts_with("give a PEM file"), "{advice}");

        let (detail, advice) = parts(&diagnosis, ("upstream", "certificates"));
        assert!(
            detail.starts_with("some root certificates cannot be read ("),
            "{detail}"
        );
        assert!(detail.ends_with(&format!("at {})", called(&gone))), "{detail}");
        assert_eq!(advice, "check SSL_CERT_FILE and SSL_CERT_DIR");
    }
}
