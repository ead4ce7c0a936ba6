//! What a new configuration changes of the one in force. Pure.
//!
//! Every option is either live or needs a restart. What is built here names every field of every section, so an option that
//! is new does not compile before it is one of the two. A live option is also to be followed: see `application::running`.
use super::{
    DoorSettings, HealthCheckSettings, LoggingSettings, PersistenceSettings, RealtimeSettings,
    ServerSettings, Settings, TlsSettings, UpstreamSettings,
};

/// What [`Settings::follow`] gives.
#[derive(Debug, Clone)]
pub struct Followed {
    /// What is to be in force: the new configuration, but for what a restart alone can change, which stays as it is.
    pub settings: Settings,
    /// The options that change while the process runs.
    pub live: Vec<&'static str>,
    /// The options whose new values need a restart.
    pub restart: Vec<&'static str>,
}

/// Compares options, and notes which of them change.
#[derive(Debug, Default)]
pub(super) struct Options {
    live: Vec<&'static str>,
    restart: Vec<&'static str>,
    #[cfg(test)]
    compared: Vec<&'static str>,
}

impl Options {
    /// An option that the running process can follow: the new value counts.
    pub(super) fn live<T: PartialEq>(&mut self, option: &'static str, before: &T, asked: T) -> T {
        self.compare(option);
        if *before != asked {
            self.live.push(option);
        }
        asked
    }

    /// An option that a restart alone can change: the value in force stays.
    fn restart<T: PartialEq + Clone>(&mut self, option: &'static str, before: &T, asked: T) -> T {
        self.compare(option);
        if *before != asked {
            self.restart.push(option);
        }
        before.clone()
    }

    #[cfg(test)]
    fn compare(&mut self, option: &'static str) {
        self.compared.push(option);
    }

    #[cfg(not(test))]
    fn compare(&mut self, _option: &'static str) {}
}

impl Settings {
    /// Decides what of a new configuration comes into force in a process that runs on this one.
    pub fn follow(&self, asked: Self) -> Followed {
        let mut options = Options::default();
        let settings = self.compared(asked, &mut options);
        Followed {
            settings,
            live: options.live,
            restart: options.restart,
        }
    }

    fn compared(&self, asked: Self, options: &mut Options) -> Self {
        Self {
            environments: options.live("environment_key_pairs", &self.environments, asked.environments),
            api_url: options.live("api_url", &self.api_url, asked.api_url),
            api_poll_frequency: options.live(
                "api_poll_frequency_seconds",
                &self.api_poll_frequency,
                asked.api_poll_frequency,
            ),
            api_poll_timeout: options.live(
                "api_poll_timeout_seconds",
                &self.api_poll_timeout,
                asked.api_poll_timeout,
            ),
            api_poll_unconditional: options.live(
                "api_poll_unconditional_seconds",
                &self.api_poll_unconditional,
                asked.api_poll_unconditional,
            ),
            allow_origins: options.live("allow_origins", &self.allow_origins, asked.allow_origins),
            forward_identities: options.live(
                "forward_identities",
                &self.forward_identities,
                asked.forward_identities,
            ),
            logging: self.logging.compared(asked.logging, options),
            server: self.server.compared(asked.server, options),
            health_check: self.health_check.compared(asked.health_check, options),
            realtime: self.realtime.compared(asked.realtime, options),
            analytics: options.live("analytics", &self.analytics, asked.analytics),
            upstream: self.upstream.compared(asked.upstream, options),
            persistence: self.persistence.compared(asked.persistence, options),
            admin: self.admin.compared(asked.admin, options),
            // They come from the environment variables alone, and those of a process never change.
            process: self.process.clone(),
        }
    }
}

impl LoggingSettings {
    fn compared(&self, asked: Self, options: &mut Options) -> Self {
        Self {
            level: options.live("logging.log_level", &self.level, asked.level),
            format: options.live("logging.log_format", &self.format, asked.format),
            event_field_name: options.live(
                "logging.log_event_field_name",
                &self.event_field_name,
                asked.event_field_name,
            ),
            access_log: options.live("logging.enable_access_log", &self.access_log, asked.access_log),
            colours: options.live("logging.colours", &self.colours, asked.colours),
        }
    }
}

impl ServerSettings {
    fn compared(&self, asked: Self, options: &mut Options) -> Self {
        Self {
            host: options.restart("server.host", &self.host, asked.host),
            port: options.restart("server.port", &self.port, asked.port),
            // The table of routes is built with it, once for each worker.
            path_prefix: options.restart("server.path_prefix", &self.path_prefix, asked.path_prefix),
            proxy_headers: options.live("server.proxy_headers", &self.proxy_headers, asked.proxy_headers),
            // What is in front begins to send such headers, or ends it, with its own restart.
            proxy_protocol: options.restart(
                "server.proxy_protocol",
                &self.proxy_protocol,
                asked.proxy_protocol,
            ),
            tls: self.compared_tls(asked.tls.as_ref(), options),
            h2c: options.restart("server.h2c", &self.h2c, asked.h2c),
            // actix-http takes it when a worker starts.
            timeout_keep_alive: options.restart(
                "server.timeout_keep_alive",
                &self.timeout_keep_alive,
                asked.timeout_keep_alive,
            ),
            door: self.door.compared(asked.door, options),
            shutdown_timeout: options.live(
                "server.shutdown_timeout_seconds",
                &self.shutdown_timeout,
                asked.shutdown_timeout,
            ),
            drain: options.live("server.drain_seconds", &self.drain, asked.drain),
        }
    }

    /// What the files hold is followed by itself. Where they are decides whether the listener speaks TLS at all.
    fn compared_tls(&self, asked: Option<&TlsSettings>, options: &mut Options) -> Option<TlsSettings> {
        let before = self.tls.as_ref();
        let certificate = |tls: Option<&TlsSettings>| tls.map(|tls| tls.certificate.clone());
        let key = |tls: Option<&TlsSettings>| tls.map(|tls| tls.key.clone());
        options.restart("server.tls.certificate", &certificate(before), certificate(asked));
        options.restart("server.tls.key", &key(before), key(asked));
        self.tls.clone()
    }
}

impl DoorSettings {
    fn compared(&self, asked: Self, options: &mut Options) -> Self {
        Self {
            // The workers tick by it.
            request_head_timeout: options.restart(
                "server.request_head_timeout_seconds",
                &self.request_head_timeout,
                asked.request_head_timeout,
            ),
            request_body_timeout: options.live(
                "server.request_body_timeout_seconds",
                &self.request_body_timeout,
                asked.request_body_timeout,
            ),
            max_body_bytes: options.live(
                "server.max_body_bytes",
                &self.max_body_bytes,
                asked.max_body_bytes,
            ),
            max_body_bytes_in_flight: options.live(
                "server.max_body_bytes_in_flight",
                &self.max_body_bytes_in_flight,
                asked.max_body_bytes_in_flight,
            ),
            max_answer_bytes_in_flight: options.live(
                "server.max_answer_bytes_in_flight",
                &self.max_answer_bytes_in_flight,
                asked.max_answer_bytes_in_flight,
            ),
            max_requests_in_flight: options.live(
                "server.max_requests_in_flight",
                &self.max_requests_in_flight,
                asked.max_requests_in_flight,
            ),
            max_connections: options.live(
                "server.max_connections",
                &self.max_connections,
                asked.max_connections,
            ),
            max_connection_age: options.live(
                "server.max_connection_age_seconds",
                &self.max_connection_age,
                asked.max_connection_age,
            ),
            max_requests_per_connection: options.live(
                "server.max_requests_per_connection",
                &self.max_requests_per_connection,
                asked.max_requests_per_connection,
            ),
        }
    }
}

impl HealthCheckSettings {
    fn compared(&self, asked: Self, options: &mut Options) -> Self {
        Self {
            grace_period: options.live(
                "health_check.environment_update_grace_period_seconds",
                &self.grace_period,
                asked.grace_period,
            ),
            stale_is_unready: options.live(
                "health_check.stale_is_unready",
                &self.stale_is_unready,
                asked.stale_is_unready,
            ),
        }
    }
}

impl RealtimeSettings {
    fn compared(&self, asked: Self, options: &mut Options) -> Self {
        Self {
            authentication_token: options.live(
                "realtime.authentication_token",
                &self.authentication_token,
                asked.authentication_token,
            ),
            upstream_url: options.live("realtime.upstream_url", &self.upstream_url, asked.upstream_url),
            max_stream_age: options.live(
                "realtime.max_stream_age_seconds",
                &self.max_stream_age,
                asked.max_stream_age,
            ),
            notify_spread: options.live(
                "realtime.notify_spread_ms",
                &self.notify_spread,
                asked.notify_spread,
            ),
            max_subscribers: options.live(
                "realtime.max_subscribers",
                &self.max_subscribers,
                asked.max_subscribers,
            ),
        }
    }
}

impl UpstreamSettings {
    fn compared(&self, asked: Self, options: &mut Options) -> Self {
        let before = self.client_certificate.as_ref();
        let client = asked.client_certificate.as_ref();
        // What the files hold is followed by itself.
        options.live(
            "upstream.client_certificate",
            &before.map(|files| &files.certificate),
            client.map(|files| &files.certificate),
        );
        options.live(
            "upstream.client_key",
            &before.map(|files| &files.key),
            client.map(|files| &files.key),
        );
        Self {
            document_memory: options.live(
                "upstream.document_memory_bytes",
                &self.document_memory,
                asked.document_memory,
            ),
            ca_file: options.live("upstream.ca_file", &self.ca_file, asked.ca_file),
            client_certificate: asked.client_certificate,
            headers: options.live("upstream.headers", &self.headers, asked.headers),
        }
    }
}

impl PersistenceSettings {
    fn compared(&self, asked: Self, options: &mut Options) -> Self {
        Self {
            directory: options.restart("persistence.directory", &self.directory, asked.directory),
        }
    }
}

#[cfg(test)]
impl Settings {
    /// Every option that is compared.
    pub(super) fn compared_options(&self) -> Vec<&'static str> {
        let mut options = Options::default();
        self.compared(self.clone(), &mut options);
        options.compared
    }
}
