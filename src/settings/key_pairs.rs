//! `environment_key_pairs`: which environments are served, by which keys, from where.
use std::collections::HashMap;

use actors::environment::{DocumentSource, EnvironmentOptions};
use actors::keys::EnvironmentKey;
use serde_json::{Map, Value};

use super::field::Field;
use super::schema::{KEY_PAIR, Known, kind};
use super::sources::{Sources, unknown_option};
use super::{Notice, SettingsError};

/// Server-side keys start with this; client-side keys do not.
const SERVER_SIDE_PREFIX: &str = "ser.";

/// Reads all pairs. Errors name a pair by its place in the list, counted from 0, never by its key.
pub(super) fn read(
    sources: &Sources,
    notices: &mut Vec<Notice>,
) -> Result<Vec<EnvironmentOptions>, SettingsError> {
    let Some(field) = sources.field("environment_key_pairs") else {
        return Err(SettingsError::NoKeyPairs {
            path: sources.path().to_owned(),
        });
    };
    let Value::Array(pairs) = field.value() else {
        return Err(field.invalid(format!("is {}; give a list of objects", kind(field.value()))));
    };
    if pairs.is_empty() {
        return Err(field.invalid("is an empty list; give at least one pair"));
    }
    let mut environments: Vec<EnvironmentOptions> = Vec::with_capacity(pairs.len());
    let mut places = Places::default();
    for (index, value) in pairs.iter().enumerate() {
        let pair = Pair::new(field.part(&format!("[{index}]"), value), notices)?;
        let environment = pair.read(sources)?;
        places.take(index, &environment, &pair, notices)?;
        environments.push(environment);
    }
    Ok(environments)
}

/// Remembers at which place of the list a key came first.
#[derive(Default)]
struct Places {
    client_side: HashMap<EnvironmentKey, usize>,
    server_side: HashMap<EnvironmentKey, usize>,
}

impl Places {
    fn take(
        &mut self,
        index: usize,
        environment: &EnvironmentOptions,
        pair: &Pair<'_>,
        notices: &mut Vec<Notice>,
    ) -> Result<(), SettingsError> {
        if let Some(first) = self
            .client_side
            .insert(environment.client_side_key.clone(), index)
        {
            return Err(pair.invalid(
                "client_side_key",
                format!(
                    "is the same key as in environment_key_pairs[{first}]; give each client-side key once"
                ),
            ));
        }
        for key in &environment.server_side_keys {
            let first = *self.server_side.entry(key.clone()).or_insert(index);
            if first != index {
                notices.push(Notice::warning(format!(
                    "environment_key_pairs[{index}] has a server-side key that environment_key_pairs[{first}] has too: \
                     requests with that key get the environment of the first"
                )));
            }
        }
        Ok(())
    }
}

/// One entry of the list.
struct Pair<'a> {
    field: Field<'a>,
    object: &'a Map<String, Value>,
}

impl<'a> Pair<'a> {
    fn new(field: Field<'a>, notices: &mut Vec<Notice>) -> Result<Self, SettingsError> {
        let Value::Object(object) = field.value() else {
            let problem = format!(
                "is {}; give an object with client_side_key and server_side_key",
                kind(field.value())
            );
            return Err(field.invalid(problem));
        };
        let strange = object
            .keys()
            .filter(|name| !KEY_PAIR.iter().any(|known: &Known| known.is_spelt(name)));
        notices.extend(strange.map(|name| unknown_option(name, KEY_PAIR, field.option(), field.origin())));
        Ok(Self { field, object })
    }

    fn read(&self, sources: &Sources) -> Result<EnvironmentOptions, SettingsError> {
        let client_side_key = self.client_side_key()?;
        let server_side_keys = self.server_side_keys()?;
        let source = match self.get("document_path") {
            Some(path) => DocumentSource::File(sources.resolve_path(path.text()?)),
            None => DocumentSource::Upstream,
        };
        if matches!(source, DocumentSource::Upstream) && server_side_keys.is_empty() {
            return Err(self.invalid(
                "server_side_key",
                "is missing; give the environment's server-side key, or a document_path to serve a file",
            ));
        }
        let fallback = match (self.get("fallback_document_path"), &source) {
            (None, _) => None,
            (Some(path), DocumentSource::Upstream) => Some(sources.resolve_path(path.text()?)),
            (Some(path), DocumentSource::File(_)) => {
                return Err(path.invalid(
                    "is given beside document_path, which reads a file instead of upstream; give one of the two",
                ));
            }
        };
        Ok(EnvironmentOptions {
            client_side_key,
            server_side_keys,
            source,
            fallback,
        })
    }

    fn client_side_key(&self) -> Result<EnvironmentKey, SettingsError> {
        let Some(field) = self.get("client_side_key") else {
            return Err(self.invalid(
                "client_side_key",
                "is missing; give the environment's client-side key",
            ));
        };
        let key = sendable(&field)?;
        if key.starts_with(SERVER_SIDE_PREFIX) {
            return Err(field.invalid(
                "is a server-side key (it starts with \"ser.\"); give the client-side key, which may be public",
            ));
        }
        Ok(EnvironmentKey::new(key))
    }

    /// Reads `server_side_key` first, then `server_side_keys`; each key counts once.
    fn server_side_keys(&self) -> Result<Vec<EnvironmentKey>, SettingsError> {
        let mut fields: Vec<Field<'_>> = self.get("server_side_key").into_iter().collect();
        if let Some(several) = self.get("server_side_keys") {
            match several.value() {
                Value::Array(keys) => fields.extend(
                    keys.iter()
                        .enumerate()
                        .map(|(index, key)| several.part(&format!("[{index}]"), key)),
                ),
                _ => fields.push(several),
            }
        }
        let mut keys = Vec::new();
        for field in &fields {
            let key = sendable(field)?;
            if key.strip_prefix(SERVER_SIDE_PREFIX).is_none_or(str::is_empty) {
                return Err(field.invalid(
                    "is no server-side key: those start with \"ser.\" (Flagsmith: Environment settings, SDK Keys)",
                ));
            }
            let key = EnvironmentKey::new(key);
            if !keys.contains(&key) {
                keys.push(key);
            }
        }
        Ok(keys)
    }

    fn get(&self, name: &str) -> Option<Field<'a>> {
        let value = self.object.get(name).filter(|value| !value.is_null())?;
        Some(self.field.part(&format!(".{name}"), value))
    }

    fn invalid(&self, name: &str, problem: impl Into<String>) -> SettingsError {
        self.field
            .part(&format!(".{name}"), self.field.value())
            .invalid(problem)
    }
}

/// Reads a key, strips its outer blanks, and checks that it fits into a header.
fn sendable<'a>(field: &Field<'a>) -> Result<&'a str, SettingsError> {
    let key = field.text()?;
    if key.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Ok(key);
    }
    Err(field.invalid("holds a blank or a character that no HTTP header carries; copy the key again"))
}
