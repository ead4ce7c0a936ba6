//! Settings from files and variables, as tables.
use std::path::PathBuf;

use serde_json::{Value, json};
use tempfile::TempDir;

use super::{Loaded, Settings, SettingsError};

mod changes;
mod effective;
mod errors;
mod guides;
mod key_pairs;
mod notices;
mod odd;
mod process;
mod sources;
mod telemetry;
mod upstream;
mod urls;
mod values;

/// Keys that no output may show. Every configuration of these tests uses them.
const CLIENT_SIDE_KEY: &str = "CLIENTsecretKEY";
const SERVER_SIDE_KEY: &str = "ser.SERVERsecretKEY";

/// Environment variables of one case.
type Given = &'static [(&'static str, &'static str)];

/// A configuration file in a folder of its own.
struct ConfigFile {
    folder: TempDir,
}

impl ConfigFile {
    fn of_bytes(bytes: &[u8]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("config.json"), bytes).unwrap();
        Self { folder }
    }

    fn of(value: &Value) -> Self {
        Self::of_bytes(value.to_string().as_bytes())
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("config.json")
    }

    fn load(&self, variables: &[(&str, &str)]) -> Result<Loaded, SettingsError> {
        Settings::load(Some(&self.path()), owned(variables))
    }
}

fn owned(variables: &[(&str, &str)]) -> Vec<(String, String)> {
    variables
        .iter()
        .map(|(name, text)| ((*name).to_owned(), (*text).to_owned()))
        .collect()
}

/// A working configuration with these options in it.
fn with(options: Value) -> Value {
    let mut value = json!({"environment_key_pairs": [
        {"client_side_key": CLIENT_SIDE_KEY, "server_side_key": SERVER_SIDE_KEY}
    ]});
    let (Value::Object(all), Value::Object(options)) = (&mut value, options) else {
        panic!("not an object")
    };
    all.extend(options);
    value
}

/// Loads a working configuration with these options in the file and these variables.
fn load(options: Value, variables: &[(&str, &str)]) -> Loaded {
    let loaded = ConfigFile::of(&with(options.clone())).load(variables);
    loaded.unwrap_or_else(|error| panic!("{options} {variables:?}: {error}"))
}

/// The error of a file with these options and these variables; one line that shows no key.
fn error_of(options: Value, variables: &[(&str, &str)]) -> String {
    let file = ConfigFile::of(&with(options.clone()));
    match file.load(variables) {
        Ok(_) => panic!("accepted: {options} {variables:?}"),
        Err(error) => shown(&file, &error.to_string()),
    }
}

/// The line with the file's folder taken out.
fn shown(file: &ConfigFile, line: &str) -> String {
    assert_is_discreet(line);
    line.replace(&format!("{}/", file.folder.path().display()), "")
}

fn assert_is_discreet(text: &str) {
    assert!(!text.contains('\n'), "more than one line: {text}");
    assert!(!text.contains("secret"), "shows a secret: {text}");
}

fn messages(loaded: &Loaded) -> Vec<String> {
    loaded
        .notices
        .iter()
        .map(|notice| notice.message.clone())
        .inspect(|line| assert_is_discreet(line))
        .collect()
}
