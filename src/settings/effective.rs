//! The configuration as `--check` prints it: the shape of `config.json`, secrets masked.
use actors::environment::{DocumentSource, EnvironmentOptions};
use actors::upstream::{OutgoingProxies, OutgoingProxy};
use serde_json::{Map, Value, json};

use super::{AllowedOrigins, NotifySpread, Settings};

pub(super) const MASK: &str = "****";

impl Settings {
    /// The configuration in the shape of `config.json`, pretty-printed, keys, tokens and passwords masked.
    pub fn effective_json(&self) -> String {
        let mut value = json!({
            "environment_key_pairs": self.environments.iter().map(key_pair).collect::<Vec<_>>(),
            "api_url": self.api_url,
            "api_poll_frequency_seconds": self.api_poll_frequency.as_secs_f64(),
            "api_poll_timeout_seconds": self.api_poll_timeout.as_secs_f64(),
            "api_poll_unconditional_seconds": self
                .api_poll_unconditional
                .map_or_else(|| json!("auto"), |period| json!(period.as_secs_f64())),
            "allow_origins": match &self.allow_origins {
                AllowedOrigins::Any => json!(["*"]),
                AllowedOrigins::Listed(origins) => json!(origins),
            },
            "forward_identities": self.forward_identities,
            "logging": {
                "log_level": self.logging.level.name(),
                "log_format": self.logging.format.name(),
                "log_event_field_name": self.logging.event_field_name,
                "enable_access_log": self.logging.access_log,
                "colours": self.logging.colours,
            },
            "server": {
                "host": self.server.host.to_string(),
                "port": self.server.port,
                "path_prefix": self.server.path_prefix,
                "proxy_headers": self.server.proxy_headers,
                "proxy_protocol": self.server.proxy_protocol.name(),
                "tls": self.server.tls.as_ref().map(|tls| json!({"certificate": tls.certificate, "key": tls.key})),
                "h2c": self.server.h2c,
                "timeout_keep_alive": self.server.timeout_keep_alive.as_secs_f64(),
                "shutdown_timeout_seconds": self.server.shutdown_timeout.as_secs_f64(),
                "drain_seconds": self.server.drain.as_secs_f64(),
            },
            "health_check": {
                "environment_update_grace_period_seconds":
                    self.health_check.grace_period.map(|grace| grace.as_secs_f64()),
                "stale_is_unready": self.health_check.stale_is_unready,
            },
            "realtime": self.realtime_json(),
            "analytics": self.analytics,
            "upstream": self.upstream_json(),
            "persistence": { "directory": self.persistence.directory },
            "admin": self.admin.printed(MASK),
            "environment variables": self.process_json(),
        });
        if let Some(server) = value.get_mut("server") {
            self.server.door.print_into(server);
        }
        format!("{value:#}")
    }

    fn realtime_json(&self) -> Value {
        json!({
            "authentication_token": self.realtime.authentication_token.as_ref().map(|_| MASK),
            "upstream_url": self.realtime.upstream_url,
            "max_stream_age_seconds": self.realtime.max_stream_age.map_or(-1.0, |age| age.as_secs_f64()),
            "notify_spread_ms": match self.realtime.notify_spread {
                NotifySpread::Auto => json!("auto"),
                NotifySpread::Fixed(spread) => json!(spread.as_secs_f64() * 1000.0),
            },
            "max_subscribers": self.realtime.max_subscribers,
        })
    }

    fn upstream_json(&self) -> Value {
        let client = self.upstream.client_certificate.as_ref();
        let headers = self.upstream.headers.names();
        json!({
            "document_memory_bytes": self.upstream.document_memory,
            "ca_file": self.upstream.ca_file,
            "client_certificate": client.map(|client| &client.certificate),
            "client_key": client.map(|client| &client.key),
            "headers": headers.map(|name| (name.to_owned(), json!(MASK))).collect::<Map<_, _>>(),
        })
    }

    fn process_json(&self) -> Value {
        let OutgoingProxies {
            http,
            https,
            all,
            exempt,
        } = &self.process.outgoing;
        let proxy = |proxy: &Option<OutgoingProxy>| proxy.as_ref().map(ToString::to_string);
        json!({
            "WEB_CONCURRENCY": self.process.workers,
            "FORWARDED_ALLOW_IPS": self.process.trusted_proxies.to_string(),
            "SSL_CERT_FILE": self.process.roots.file,
            "SSL_CERT_DIR": self.process.roots.directories,
            "HTTP_PROXY": proxy(http),
            "HTTPS_PROXY": proxy(https),
            "ALL_PROXY": proxy(all),
            "NO_PROXY": exempt.to_string(),
            "OTEL": self.process.telemetry.printed(),
        })
    }
}

fn key_pair(environment: &EnvironmentOptions) -> Value {
    let mut pair = Map::from_iter([
        ("client_side_key".to_owned(), json!(MASK)),
        (
            "server_side_keys".to_owned(),
            environment
                .server_side_keys
                .iter()
                .map(|_| format!("ser.{MASK}"))
                .collect(),
        ),
    ]);
    if let DocumentSource::File(path) = &environment.source {
        pair.insert("document_path".to_owned(), json!(path));
    }
    if let Some(path) = &environment.fallback {
        pair.insert("fallback_document_path".to_owned(), json!(path));
    }
    Value::Object(pair)
}
