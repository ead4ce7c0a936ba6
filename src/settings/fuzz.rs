//! What holds of whatever a configuration says: settings whose print is JSON, or an error of one line; the same each time.
#![expect(clippy::panic, reason = "a target fails by panicking")]
use std::path::Path;
use std::{env, fs, process, thread};

use serde_json::Value;

use super::Settings;

/// A configuration file.
pub(crate) fn file(data: &[u8]) {
    // A file of this thread's own.
    let name = format!(
        "edge-proxy-fuzz-{}-{:?}.json",
        process::id(),
        thread::current().id()
    );
    let path = env::temp_dir().join(name);
    if let Err(error) = fs::write(&path, data) {
        panic!("{}: {error}", path.display());
    }
    load(&path, &[]);
    let _ = fs::remove_file(&path);
}

/// Environment variables, one a line; there is no file.
pub(crate) fn variables(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let variables: Vec<(String, String)> = text
        .lines()
        .filter_map(|line| line.split_once('='))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    load(Path::new("/nonexistent/config.json"), &variables);
}

fn load(path: &Path, variables: &[(String, String)]) {
    let read = || match Settings::load(Some(path), variables.iter().cloned()) {
        Ok(loaded) => {
            for notice in &loaded.notices {
                is_one_line(&notice.to_string());
            }
            let printed = loaded.settings.effective_json();
            if let Err(error) = serde_json::from_str::<Value>(&printed) {
                panic!("{error} in {printed}");
            }
            printed
        }
        Err(error) => {
            let line = error.to_string();
            is_one_line(&line);
            line
        }
    };
    assert_eq!(read(), read(), "other settings");
}

fn is_one_line(text: &str) {
    assert!(!text.contains(['\n', '\r']), "more than one line: {text:?}");
}
