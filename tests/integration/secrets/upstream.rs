//! A Flagsmith that fails in every way, and repeats what it was asked where it can.
use serde_json::{Value, json};
use test_support::upstream::{Answer, ReceivedRequest, ScriptedUpstream};

use super::marks;
use crate::harness::fixture;

/// How it answers the environment of this name.
type Fetch = fn(&Asked<'_>) -> Answer;

/// What it was asked.
struct Asked<'a> {
    request: &'a ReceivedRequest,
    key: &'a str,
}

impl Asked<'_> {
    /// All of it, as an unwary gateway repeats it.
    fn echo(&self) -> String {
        let ReceivedRequest { target, body, .. } = self.request;
        let (key, body) = (self.key, String::from_utf8_lossy(body));
        format!("no {target} for {key}, nor for {}: {body}", key.to_uppercase())
    }
}

/// The name of the environment that is served.
pub(super) const SERVED: &str = "Served";
/// The one whose every fetch fails, and whose writes and streams are answered all the same.
pub(super) const AWAY: &str = "Away";

const FETCHES: &[(&str, Fetch)] = &[
    (SERVED, |_| Answer::ok(document().to_string())),
    (AWAY, |asked| Answer::refusal(500, asked.echo())),
    ("Rejected", |asked| {
        Answer::refusal(
            401,
            json!({"detail": format!("Invalid key {}", asked.key)}).to_string(),
        )
    }),
    ("Forbidden", |asked| {
        let bare = asked.key.trim_start_matches("ser.").to_uppercase();
        Answer::refusal(
            403,
            json!({"detail": format!("No environment is {bare}.")}).to_string(),
        )
    }),
    ("HeaderPart", |asked| {
        let sent = asked.request.header("Authorization").unwrap_or_default();
        let token = sent.trim_start_matches("Bearer ");
        Answer::refusal(
            403,
            json!({"detail": format!("Invalid token {token}")}).to_string(),
        )
    }),
    ("HeaderCase", |asked| {
        let sent = asked.request.header("X-Gateway-Key").unwrap_or_default();
        let said = format!("No consumer is {}.", sent.to_uppercase());
        Answer::refusal(401, json!({"detail": said}).to_string())
    }),
    ("HeaderCut", |asked| {
        let sent = asked.request.header("X-Gateway-Key").unwrap_or_default();
        let cut: String = sent.chars().take(15).collect();
        Answer::refusal(403, json!({"detail": format!("{cut}… is no key.")}).to_string())
    }),
    ("Html", |asked| {
        Answer::refusal(403, format!("<html>{}</html>", asked.echo())).header("Content-Type", "text/html")
    }),
    ("Missing", |asked| Answer::refusal(404, asked.echo())),
    ("Limited", |asked| {
        Answer::refusal(429, asked.echo()).header("Retry-After", asked.key)
    }),
    ("Gateway", |asked| {
        Answer::refusal(502, asked.echo()).header("Server", asked.key)
    }),
    ("Truncated", |_| Answer::ok(document().to_string()).truncated()),
    ("HeadBroken", |asked| {
        Answer::raw(format!("HTTP/1.1 200 OK\r\n{} {}\r\n\r\n", asked.key, asked.key)).closing()
    }),
    ("NoHttp", |asked| Answer::raw(asked.echo()).closing()),
    ("BadLength", |asked| {
        Answer::raw(format!(
            "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n",
            asked.key
        ))
        .closing()
    }),
    ("NoJson", |asked| Answer::ok(asked.echo())),
    ("CutJson", |asked| {
        Answer::ok(format!(r#"{{"api_key": "{}", "#, asked.key))
    }),
    ("NoDocument", |asked| {
        Answer::ok(json!({"detail": asked.echo()}).to_string())
    }),
    ("WrongTypes", |asked| {
        let mut document = document();
        document["feature_states"] = json!(asked.key);
        Answer::ok(document.to_string())
    }),
    ("BadOverride", |_| {
        let mut document = document();
        document["identity_overrides"][0]["identity_features"] = json!(marks::OVERRIDDEN);
        let broken = json!({"identifier": {"of": marks::OVERRIDDEN}});
        document["identity_overrides"]
            .as_array_mut()
            .unwrap()
            .push(broken);
        document["updated_at"] = json!(marks::OVERRIDDEN);
        Answer::ok(document.to_string())
    }),
    ("Elsewhere", |asked| {
        let location = format!("http://elsewhere.invalid/{}?key={}", asked.key, asked.key);
        Answer::status(302).header("Location", location)
    }),
    ("InCircles", |asked| {
        Answer::status(307).header("Location", format!("/{}", asked.key))
    }),
    ("Unasked", |_| Answer::status(304)),
    ("NoGzip", |asked| {
        Answer::ok(asked.echo()).header("Content-Encoding", "gzip")
    }),
    ("BadCoding", |asked| {
        Answer::ok(asked.echo()).header("Content-Encoding", asked.key)
    }),
    ("BadPages", |asked| {
        let next = format!("<http://elsewhere.invalid/{}>; rel=\"next\"", asked.key);
        Answer::ok(document().to_string()).header("Link", next)
    }),
    ("Silent", |_| Answer::hang()),
];

/// The document that is served. It is another environment's than its pair says, and some of it cannot be understood.
pub(super) fn document() -> Value {
    let mut document = fixture();
    document["api_key"] = json!(format!("{}Other", marks::CLIENT_KEY));
    document["identity_overrides"][0]["identifier"] = json!(marks::OVERRIDDEN);
    let segments = document["project"]["segments"].as_array_mut().unwrap();
    let mut broken = segments[0].clone();
    broken["id"] = json!(99);
    broken["name"] = json!("broken");
    broken["rules"] = json!([{"type": "ALL", "rules": [], "conditions": [
        {"operator": "REGEX", "property_": "plan", "value": "("},
        {"operator": "NO_OPERATOR", "property_": "plan", "value": "1"},
    ]}]);
    segments.push(broken);
    document
}

/// All key pairs: one for each way to fail, and files.
pub(super) fn key_pairs() -> Value {
    let polled = FETCHES.iter().map(|(name, _)| {
        json!({
            "client_side_key": client_key(name),
            // The one that is rotated to is rejected likewise.
            "server_side_keys": [server_key(name), format!("{}New", server_key(name))],
        })
    });
    let files = ["served", "no-json", "no-document", "missing"]
        .map(|name| json!({"client_side_key": client_key(name), "document_path": format!("{name}.json")}));
    polled.chain(files).collect()
}

/// How many environments have a document that can be served.
pub(super) const SERVING: usize = 2;

pub(super) fn client_key(name: &str) -> String {
    format!("{}{name}", marks::CLIENT_KEY)
}

pub(super) fn server_key(name: &str) -> String {
    format!("{}{name}", marks::SERVER_KEY)
}

/// It, running.
pub(super) struct Echo(ScriptedUpstream);

impl Echo {
    pub(super) fn start() -> Self {
        Self(ScriptedUpstream::start(answer))
    }

    pub(super) fn api_url(&self) -> String {
        self.0.api_url()
    }

    pub(super) fn origin(&self) -> String {
        self.0.origin()
    }

    /// What it was asked so far.
    pub(super) fn requests(&self) -> Vec<ReceivedRequest> {
        self.0.requests()
    }
}

fn answer(request: &ReceivedRequest) -> Answer {
    let key = request.header("X-Environment-Key").unwrap_or_default();
    let asked = Asked { request, key };
    if request.target.starts_with("/sse/") {
        return event_stream(&asked);
    }
    let name = key.trim_end_matches("New").trim_start_matches(marks::SERVER_KEY);
    let fetch = FETCHES.iter().find(|(known, _)| *known == name);
    match fetch {
        Some((_, fetch))
            if request.target.contains("environment-document") || request.target.starts_with("/ser.") =>
        {
            fetch(&asked)
        }
        _ => write(&asked),
    }
}

/// What follows a change of the environment in the path.
fn event_stream(asked: &Asked<'_>) -> Answer {
    let target = &asked.request.target;
    if target.contains(SERVED) {
        Answer::event_stream()
    } else if target.contains(AWAY) {
        Answer::ok(format!("event: {target}\ndata: {target}\n\n")).header("Content-Type", "text/event-stream")
    } else if target.contains("Rejected") {
        Answer::refusal(401, asked.echo())
    } else if target.contains("Elsewhere") {
        Answer::status(302).header("Location", format!("http://elsewhere.invalid{target}"))
    } else if target.contains("NoHttp") {
        Answer::raw(asked.echo()).closing()
    } else {
        Answer::refusal(404, asked.echo())
    }
}

/// Writes of traits, identities and evaluations.
fn write(asked: &Asked<'_>) -> Answer {
    let status = match asked.request.target.as_str() {
        target if target.contains("bulk-identities") => 400,
        target if target.contains("v2/analytics") => 413,
        target if target.contains("analytics") => 403,
        target if target.contains("increment") => return Answer::raw(asked.echo()).closing(),
        target if target.contains("traits/bulk") => {
            return Answer::status(302).header("Location", format!("http://elsewhere.invalid/{}", asked.key));
        }
        target if target.contains("traits") => 400,
        _ => 500,
    };
    Answer::refusal(status, asked.echo())
}
