//! SDKs that are not run here: what each writes, byte by byte, and what it needs in the answer.
//!
//! Heads and bodies are as recorded from the SDKs, or as their sources and their HTTP clients write them. What an SDK needs
//! is what its source does with the answer; the sentence beside a need says which.
//!
//! # Layout
//! - `compiled`: Go, Java, .NET. `scripting`: Ruby, PHP, Elixir. `mobile`: iOS, Kotlin, Flutter, React Native.
//! - `streams`: those of them that listen. `writes`: those that write traits or identities. `analytics`: counts, of all.
use std::io::Read as _;

use serde_json::{Value, json};

use crate::harness::{
    App, CLIENT_KEY, Connection, Options, Response, SERVER_KEY, spawn_app, with_many_features,
};

mod analytics;
mod compiled;
mod mobile;
mod scripting;
mod streams;
mod writes;

/// How an SDK's HTTP client writes a request.
struct Sdk {
    name: &'static str,
    /// The head's lines after the first; `{key}` stands for the key.
    head: &'static [&'static str],
    /// Further lines of a request that has a body; its length comes by itself.
    head_with_body: &'static [&'static str],
}

/// What an SDK needs in a body, in words and as a look at it.
type Need = (&'static str, fn(&Value) -> bool);

/// One request of an SDK, and what it needs.
struct Exchange {
    does: &'static str,
    request: (&'static str, &'static str),
    key: &'static str,
    body: Option<Value>,
    needs: &'static [Need],
}

impl Exchange {
    const fn get(does: &'static str, path: &'static str) -> Self {
        Self {
            does,
            request: ("GET", path),
            key: CLIENT_KEY,
            body: None,
            needs: &[],
        }
    }

    fn post(does: &'static str, path: &'static str, body: Value) -> Self {
        Self {
            request: ("POST", path),
            body: Some(body),
            ..Self::get(does, path)
        }
    }

    /// With the server-side key.
    fn by_server(self) -> Self {
        Self {
            key: SERVER_KEY,
            ..self
        }
    }

    fn needs(self, needs: &'static [Need]) -> Self {
        Self { needs, ..self }
    }
}

impl Sdk {
    fn bytes(&self, method: &str, path: &str, key: &str, body: Option<&str>) -> Vec<u8> {
        let mut head = format!("{method} {path} HTTP/1.1\r\n");
        let with_body = if body.is_some() { self.head_with_body } else { &[] };
        for line in self.head.iter().chain(with_body) {
            head.push_str(&line.replace("{key}", key));
            head.push_str("\r\n");
        }
        if let Some(body) = body {
            head.push_str(&format!("Content-Length: {}\r\n", body.len()));
        }
        format!("{head}\r\n{}", body.unwrap_or_default()).into_bytes()
    }

    fn offers_gzip(&self) -> bool {
        self.head
            .iter()
            .any(|line| line.to_ascii_lowercase().starts_with("accept-encoding:") && line.contains("gzip"))
    }

    fn keeps_connections(&self) -> bool {
        !self.head.contains(&"Connection: close")
    }

    fn ask(&self, connection: &mut Connection, exchange: &Exchange) -> Response {
        let (method, path) = exchange.request;
        let body = exchange.body.as_ref().map(Value::to_string);
        connection.write(&self.bytes(method, path, exchange.key, body.as_deref()));
        connection.read(false)
    }

    /// What all of them need: exactly 200 (PHP, Flutter and React Native look for no other), no redirect, JSON with its
    /// length, in a coding that was offered, and the connection as they treat it.
    fn check(&self, connection: &mut Connection, exchange: &Exchange) -> Response {
        let response = self.ask(connection, exchange);
        let what = format!("{}: {}", self.name, exchange.does);
        assert_eq!(
            response.status,
            200,
            "{what}: {}",
            String::from_utf8_lossy(&response.body)
        );
        assert_eq!(
            response.header("content-type"),
            Some("application/json"),
            "{what}"
        );
        assert_eq!(response.header("location"), None, "{what}");
        assert_eq!(response.header("transfer-encoding"), None, "{what}");
        if !self.offers_gzip() {
            assert_eq!(response.header("content-encoding"), None, "{what}");
        }
        let body = decoded(&response);
        for (need, is_met) in exchange.needs {
            assert!(is_met(&body), "{what}: {need}: {body}");
        }
        if !self.keeps_connections() {
            assert_eq!(response.header("connection"), Some("close"), "{what}");
            assert!(connection.is_closed(), "{what}");
        }
        response
    }

    /// Runs its exchanges, over one connection where it keeps them.
    fn run(&self, app: &App, exchanges: &[Exchange]) {
        let mut connection = app.connect();
        for exchange in exchanges {
            if !self.keeps_connections() {
                connection = app.connect();
            }
            self.check(&mut connection, exchange);
        }
        self.is_refused_in_words(app);
        if self.offers_gzip() {
            self.gets_gzip(app);
        }
    }

    /// A wrong key is 401 at once, with the message where PHP and Go look for it, and without the key.
    fn is_refused_in_words(&self, app: &App) {
        let wrong = Exchange {
            key: "s3cret-wrong",
            ..Exchange::get("a wrong key", "/api/v1/flags/")
        };
        let refusal = self.ask(&mut app.connect(), &wrong);
        assert_eq!(refusal.status, 401, "{}", self.name);
        let body = decoded(&refusal);
        assert_eq!(body["detail"], "unknown environment key", "{}", self.name);
        assert_eq!(body["message"], body["detail"], "{}", self.name);
        assert!(!body.to_string().contains("s3cret"), "{}", self.name);
    }

    /// Large answers come as gzip, and are the same as without.
    fn gets_gzip(&self, app: &App) {
        let flags = Exchange::get("flags", "/api/v1/flags/");
        let response = self.ask(&mut app.connect(), &flags);
        assert_eq!(response.header("content-encoding"), Some("gzip"), "{}", self.name);
        assert_eq!(
            decoded(&response),
            app.get("/api/v1/flags/").json(),
            "{}",
            self.name
        );
    }
}

fn decoded(response: &Response) -> Value {
    if response.header("content-encoding") != Some("gzip") {
        return response.json();
    }
    let mut plain = Vec::new();
    flate2::read::GzDecoder::new(&response.body[..])
        .read_to_end(&mut plain)
        .unwrap();
    serde_json::from_slice(&plain).unwrap()
}

/// The fixture with so many features that answers are compressed for those who offer it.
fn app() -> App {
    spawn_app(Options {
        document: Some(with_many_features(40).to_string()),
        ..Options::default()
    })
}

/// Whether this is a list of flags as every SDK reads them: the feature with a whole number, a name and a type, a boolean,
/// and a value of any type, all of them there.
fn are_flags(flags: &Value) -> bool {
    let flags = flags.as_array();
    flags.is_some_and(|flags| !flags.is_empty() && flags.iter().all(is_flag))
}

fn is_flag(flag: &Value) -> bool {
    let feature = &flag["feature"];
    feature["id"].is_u64()
        && feature["name"].is_string()
        && feature["type"].is_string()
        && flag["enabled"].is_boolean()
        && flag.get("feature_state_value").is_some()
}

/// Whether this is an identity: all three parts always, no trait without a value.
fn is_identity(identity: &Value) -> bool {
    let traits = identity["traits"].as_array();
    identity["identifier"].is_string()
        && are_flags(&identity["flags"])
        && traits.is_some_and(|traits| {
            traits
                .iter()
                .all(|each| each["trait_key"].is_string() && !each["trait_value"].is_null())
        })
}

/// Whether an environment document is one for evaluation in the SDK: the key to listen to, lists that are lists, and a time
/// with its zone.
fn is_document(document: &Value) -> bool {
    let updated_at = document["updated_at"].as_str().unwrap_or_default();
    document["api_key"] == json!(CLIENT_KEY)
        && document["identity_overrides"].is_array()
        && document["feature_states"].is_array()
        && document["project"]["segments"].is_array()
        && updated_at.ends_with("+00:00")
}

const FLAGS: &[Need] = &[("flags", are_flags)];
const IDENTITY: &[Need] = &[("an identity", is_identity)];
const DOCUMENT: &[Need] = &[("a document", is_document)];

/// The value of a flag of an identity.
fn value<'a>(identity: &'a Value, name: &str) -> &'a Value {
    let flags = identity["flags"].as_array();
    let mut flags = flags.into_iter().flatten();
    flags
        .find(|flag| flag["feature"]["name"] == name)
        .map_or(&Value::Null, |flag| &flag["feature_state_value"])
}

fn is_premium(identity: &Value) -> bool {
    value(identity, "banner") == "premium banner"
}
