//! The demonstration's folder: the proxy's configuration, and the environment document that the page edits.
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use jiff::Timestamp;
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value, json};

/// What the copy begins as.
const DOCUMENT: &str = include_str!("../../config/environment-document.json");

/// The client-side key of that document's environment.
pub(crate) const CLIENT_SIDE_KEY: &str = "demo_client_side_key";

/// The longest text that a flag may get, in bytes.
const MAX_TEXT: usize = 2000;

/// What the page wants changed, for everybody in the environment.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Edit {
    feature: String,
    enabled: Option<bool>,
    /// `null` is a value, too.
    #[serde(default, deserialize_with = "given")]
    value: Option<Value>,
}

fn given<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(deserializer).map(Some)
}

/// Why an edit is not made.
pub(crate) enum EditError {
    /// The document has no such feature, or it cannot have that value.
    Refused(&'static str),
    /// The document cannot be read or written.
    File(io::Error),
}

impl From<io::Error> for EditError {
    fn from(error: io::Error) -> Self {
        Self::File(error)
    }
}

/// The folder.
pub(crate) struct Demonstration {
    configuration: PathBuf,
    document: PathBuf,
    /// One edit after the other, or one would undo another.
    editing: Mutex<()>,
}

impl Demonstration {
    /// Makes the folder, or makes what is in it anew.
    pub(crate) fn create(folder: &Path, proxy_port: u16) -> io::Result<Self> {
        fs::create_dir_all(folder)?;
        let demonstration = Self {
            configuration: folder.join("config.json"),
            document: folder.join("environment-document.json"),
            editing: Mutex::default(),
        };
        fs::write(&demonstration.document, DOCUMENT)?;
        let configuration = json!({
            "environment_key_pairs": [{
                "client_side_key": CLIENT_SIDE_KEY,
                "server_side_key": "ser.demo_server_side_key",
                "document_path": "environment-document.json",
            }],
            // How often the file is looked at.
            "api_poll_frequency_seconds": 1,
            "server": {"host": "127.0.0.1", "port": proxy_port},
        });
        fs::write(&demonstration.configuration, format!("{configuration:#}\n"))?;
        Ok(demonstration)
    }

    /// The proxy's configuration.
    pub(crate) fn configuration(&self) -> &Path {
        &self.configuration
    }

    /// The features of the environment, as the document has them.
    pub(crate) fn features(&self) -> io::Result<Value> {
        let document = self.read()?;
        let states = document.get("feature_states").and_then(Value::as_array);
        let features = states.into_iter().flatten().map(|state| {
            json!({
                "name": name(state),
                "enabled": state.get("enabled"),
                "value": state.get("feature_state_value"),
            })
        });
        Ok(features.collect())
    }

    /// Changes one feature in the document, which is replaced as a whole: the proxy never sees half of it.
    pub(crate) fn edit(&self, edit: Edit) -> Result<(), EditError> {
        let _editing = self.editing.lock();
        let mut document = self.read()?;
        let states = document.get_mut("feature_states").and_then(Value::as_array_mut);
        let mut named = states
            .into_iter()
            .flatten()
            .filter(|state| name(state) == Some(&edit.feature));
        let state = named.next().and_then(Value::as_object_mut);
        let state = state.ok_or(EditError::Refused("there is no such feature"))?;
        if let Some(enabled) = edit.enabled {
            state.insert("enabled".to_owned(), enabled.into());
        }
        if let Some(value) = edit.value {
            if !is_flag_value(&value) {
                return Err(EditError::Refused(
                    "a value is a short text, a whole number, true, false or null",
                ));
            }
            state.insert("feature_state_value".to_owned(), value);
        }
        document.insert("updated_at".to_owned(), Timestamp::now().to_string().into());
        let unfinished = self.document.with_extension("unfinished");
        fs::write(&unfinished, format!("{:#}\n", Value::Object(document)))?;
        Ok(fs::rename(unfinished, &self.document)?)
    }

    fn read(&self) -> io::Result<Map<String, Value>> {
        Ok(serde_json::from_slice(&fs::read(&self.document)?)?)
    }
}

/// Of a feature state's feature.
fn name(state: &Value) -> Option<&str> {
    state.get("feature")?.get("name")?.as_str()
}

/// Whether Flagsmith knows values of this type.
fn is_flag_value(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(_) => true,
        Value::Number(number) => number.is_i64(),
        Value::String(text) => text.len() <= MAX_TEXT,
        Value::Array(_) | Value::Object(_) => false,
    }
}
