//! Does with Flagsmith's Rust SDK what standard input says.
//!
//! Each line is a JSON object: `id`, `do` (a function below) and its arguments. Each is answered by a line of its own with
//! the same `id`: what came of it as `ok`, or else `error`.
use std::collections::HashMap;
use std::error::Error;
use std::io::{self, BufRead as _, Write as _};

use flagsmith::flagsmith::models::{Flag, Flags, SDKTrait};
use flagsmith::{Flagsmith, FlagsmithOptions};
use flagsmith_flag_engine::types::{FlagsmithValue, FlagsmithValueType};
use reqwest::header::{HeaderMap, HeaderValue};
use serde::Deserialize;
use serde_json::{Map, Value, json};

type Outcome = Result<Value, Box<dyn Error>>;

#[derive(Deserialize)]
struct Command {
    id: u64,
    #[serde(rename = "do")]
    action: String,
    client: String,
    #[serde(flatten)]
    given: Value,
}

#[derive(Deserialize)]
struct Open {
    key: String,
    api_url: String,
    #[serde(default)]
    local: bool,
    #[serde(default = "a_minute")]
    refresh_seconds: f64,
    #[serde(default)]
    analytics: bool,
    application: Option<Application>,
}

#[derive(Deserialize)]
struct Application {
    name: String,
    version: String,
}

#[derive(Deserialize)]
struct Identity {
    identifier: Option<String>,
    #[serde(default)]
    traits: Map<String, Value>,
    #[serde(default)]
    transient: bool,
}

fn a_minute() -> f64 {
    60.0
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut clients = HashMap::new();
    let mut output = io::stdout();
    for line in io::stdin().lock().lines() {
        let command: Command = serde_json::from_str(&line?)?;
        let id = command.id;
        let answer = match act(&mut clients, command) {
            Ok(value) => json!({"id": id, "ok": value}),
            Err(error) => json!({"id": id, "error": error.to_string()}),
        };
        writeln!(output, "{answer}")?;
        output.flush()?;
    }
    Ok(())
}

fn act(clients: &mut HashMap<String, Flagsmith>, command: Command) -> Outcome {
    if command.action == "open" {
        let client = open(serde_json::from_value(command.given)?)?;
        clients.insert(command.client, client);
        return Ok(Value::Null);
    }
    if command.action == "send_analytics" {
        // The SDK sends what it has counted every ten seconds, and when the client goes.
        clients.remove(&command.client);
        return Ok(Value::Null);
    }
    let client = clients.get(&command.client).ok_or("no such client")?;
    let given = command.given;
    match command.action.as_str() {
        "environment_flags" | "identity_flags" => {
            Ok(shown(&flags_of(client, serde_json::from_value(given)?)?))
        }
        "flags_of_identities" => flags_of_identities(client, given),
        "one_flag" => {
            let feature = given["feature"].as_str().ok_or("no feature")?.to_owned();
            let flags = flags_of(client, serde_json::from_value(given)?)?;
            Ok(flag_shown(&flags.get_flag(&feature)?))
        }
        other => Err(format!("no action {other}").into()),
    }
}

fn open(given: Open) -> Result<Flagsmith, Box<dyn Error>> {
    let mut labels = HeaderMap::new();
    if let Some(application) = given.application {
        labels.insert(
            "Flagsmith-Application-Name",
            HeaderValue::from_str(&application.name)?,
        );
        labels.insert(
            "Flagsmith-Application-Version",
            HeaderValue::from_str(&application.version)?,
        );
    }
    let options = FlagsmithOptions {
        api_url: given.api_url,
        custom_headers: labels,
        enable_local_evaluation: given.local,
        environment_refresh_interval_mills: (given.refresh_seconds * 1000.0) as u64,
        enable_analytics: given.analytics,
        ..FlagsmithOptions::default()
    };
    Ok(Flagsmith::new(given.key, options))
}

fn flags_of_identities(client: &Flagsmith, mut given: Value) -> Outcome {
    let identities: Vec<Identity> = serde_json::from_value(given["identities"].take())?;
    let flags = identities
        .into_iter()
        .map(|identity| Ok(shown(&flags_of(client, identity)?)));
    flags.collect()
}

fn flags_of(client: &Flagsmith, identity: Identity) -> Result<Flags, Box<dyn Error>> {
    let Some(identifier) = identity.identifier else {
        return Ok(client.get_environment_flags()?);
    };
    let traits = identity.traits.into_iter().map(trait_of).collect();
    Ok(client.get_identity_flags(&identifier, Some(traits), Some(identity.transient))?)
}

/// A trait as `value` or as `{"value", "transient"}`. What is missing elsewhere (`{"undefined": true}`) is null here.
fn trait_of((key, value): (String, Value)) -> SDKTrait {
    let transient = value["transient"].as_bool().unwrap_or_default();
    let plain = match value {
        Value::Object(mut parts) => parts.remove("value").unwrap_or_default(),
        plain => plain,
    };
    SDKTrait::new_with_transient(key, sdk_value(&plain), transient)
}

fn sdk_value(value: &Value) -> FlagsmithValue {
    let (value_type, value) = match value {
        Value::Bool(value) => (FlagsmithValueType::Bool, value.to_string()),
        Value::Number(value) if value.is_f64() => (FlagsmithValueType::Float, value.to_string()),
        Value::Number(value) => (FlagsmithValueType::Integer, value.to_string()),
        Value::String(value) => (FlagsmithValueType::String, value.clone()),
        _ => (FlagsmithValueType::None, String::new()),
    };
    FlagsmithValue { value_type, value }
}

fn shown(flags: &Flags) -> Value {
    let flags = flags.all_flags();
    let shown = flags
        .iter()
        .map(|flag| (flag.feature_name.clone(), flag_shown(flag)));
    Value::Object(shown.collect())
}

fn flag_shown(flag: &Flag) -> Value {
    json!({"enabled": flag.enabled, "value": flag.value})
}
