//! The names of all options: aliases, which take objects, and how a variable gives them.
use serde_json::Value;

/// How an environment variable gives an option.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// The text itself; numbers and booleans are read from it.
    Text,
    /// JSON, as `ENVIRONMENT_KEY_PAIRS=[{…}]`.
    Json,
    /// A JSON list, else the text itself.
    ListOrText,
    /// A JSON object, merged over the file's; anything else belongs to another program (`SERVER=web1`).
    Object,
}

/// A known option.
#[derive(Debug)]
pub(super) struct Known {
    /// Its name in the configuration file; in upper case, the variable's.
    pub name: &'static str,
    /// Older or other spellings.
    pub aliases: &'static [&'static str],
    /// How a variable gives it.
    pub form: Form,
    /// The options inside of an object; empty: not looked into.
    pub children: &'static [Known],
}

impl Known {
    const fn of(form: Form, name: &'static str) -> Self {
        Self {
            name,
            aliases: &[],
            form,
            children: &[],
        }
    }

    const fn text(name: &'static str) -> Self {
        Self::of(Form::Text, name)
    }

    const fn object(name: &'static str, children: &'static [Known]) -> Self {
        Self {
            name,
            aliases: &[],
            form: Form::Object,
            children,
        }
    }

    const fn or(self, aliases: &'static [&'static str]) -> Self {
        Self { aliases, ..self }
    }

    /// Tells whether the option is spelt so, in the file's (lower) case.
    pub(super) fn is_spelt(&self, name: &str) -> bool {
        self.name == name || self.aliases.contains(&name)
    }

    /// The option's name first, then its aliases.
    pub(super) fn spellings(&self) -> impl DoubleEndedIterator<Item = &'static str> {
        std::iter::once(self.name).chain(self.aliases.iter().copied())
    }
}

const ENDPOINT_CACHE: &[Known] = &[Known::text("use_cache"), Known::text("cache_max_size")];

/// Every option, in the order of the documentation.
pub(super) const OPTIONS: &[Known] = &[
    Known::of(Form::Json, "environment_key_pairs"),
    Known::text("api_url"),
    Known::text("api_poll_frequency_seconds").or(&["api_poll_frequency"]),
    Known::text("api_poll_timeout_seconds").or(&["api_poll_timeout"]),
    Known::text("api_poll_unconditional_seconds"),
    Known::object(
        "endpoint_caches",
        &[
            Known::object("flags", ENDPOINT_CACHE),
            Known::object("identities", ENDPOINT_CACHE),
        ],
    ),
    Known::of(Form::ListOrText, "allow_origins"),
    Known::text("forward_identities"),
    Known::object(
        "logging",
        &[
            Known::text("log_level"),
            Known::text("log_format"),
            Known::text("log_event_field_name"),
            Known::text("enable_access_log"),
            // 2.23 reads the plurals; its documentation writes the singular.
            Known::text("colours").or(&["colors", "colour", "color"]),
            Known::object("override", &[]),
        ],
    ),
    Known::object(
        "server",
        &[
            Known::text("host"),
            Known::text("port"),
            Known::text("path_prefix"),
            Known::text("proxy_headers"),
            Known::text("proxy_protocol"),
            Known::object("tls", &[Known::text("certificate"), Known::text("key")]),
            Known::text("h2c"),
            Known::text("timeout_keep_alive"),
            Known::text("request_head_timeout_seconds"),
            Known::text("request_body_timeout_seconds"),
            Known::text("max_body_bytes"),
            Known::text("max_body_bytes_in_flight"),
            Known::text("max_answer_bytes_in_flight"),
            Known::text("max_requests_in_flight"),
            Known::text("max_connections"),
            Known::text("max_connection_age_seconds"),
            Known::text("max_requests_per_connection"),
            Known::text("shutdown_timeout_seconds"),
            Known::text("drain_seconds"),
            Known::text("reload"),
        ],
    ),
    Known::object(
        "health_check",
        &[
            Known::text("environment_update_grace_period_seconds"),
            Known::text("stale_is_unready"),
        ],
    ),
    Known::object(
        "realtime",
        &[
            Known::text("authentication_token"),
            Known::text("upstream_url"),
            Known::text("max_stream_age_seconds"),
            Known::text("notify_spread_ms"),
            Known::text("max_subscribers"),
        ],
    ),
    Known::text("analytics"),
    Known::object(
        "upstream",
        &[
            Known::text("document_memory_bytes"),
            Known::text("ca_file"),
            Known::text("client_certificate"),
            Known::text("client_key"),
            // Their names are the operator's.
            Known::object("headers", &[]),
        ],
    ),
    Known::object("persistence", &[Known::text("directory")]),
    Known::object(
        "admin",
        &[Known::text("host"), Known::text("port"), Known::text("token")],
    ),
];

/// The options of one entry of `environment_key_pairs`.
pub(super) const KEY_PAIR: &[Known] = &[
    Known::text("client_side_key"),
    Known::text("server_side_key"),
    Known::text("server_side_keys"),
    Known::text("document_path"),
    Known::text("fallback_document_path"),
];

/// The official documentation has `SERVER_PROXY_HEADERS=true`: this is the one option inside of an object that has a
/// variable of its own.
pub(super) const SERVER_PROXY_HEADERS: (&str, [&str; 2]) =
    ("server_proxy_headers", ["server", "proxy_headers"]);

/// Finds the known name nearest to a misspelt one, where one is near enough to be meant.
pub(super) fn nearest<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    // The distance takes memory by the product of both lengths.
    if name.len() > 64 {
        return None;
    }
    let name = name.to_lowercase();
    known
        .map(|candidate| (strsim::damerau_levenshtein(&name, candidate), candidate))
        .filter(|(distance, candidate)| distance * 3 <= candidate.len())
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// Names the kind of a value, for messages that must not show it.
pub(super) fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}
