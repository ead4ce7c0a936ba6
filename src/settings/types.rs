//! The types of the configuration, one for each section.
use std::fmt;
use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use actors::environment::EnvironmentOptions;
use actors::upstream::{ClientCertificateFiles, ExtraHeaders, OutgoingProxies, RootCertificates};

use super::{AdminSettings, DoorSettings, Secret, TelemetrySettings, TrustedProxies};

/// The whole configuration, read and checked.
#[derive(Debug, Clone)]
pub struct Settings {
    /// `environment_key_pairs`, in their order; never empty, no client-side key twice.
    pub environments: Vec<EnvironmentOptions>,
    /// `api_url` without a trailing slash.
    pub api_url: String,
    /// `api_poll_frequency_seconds`; at least one second.
    pub api_poll_frequency: Duration,
    /// `api_poll_timeout_seconds`: the whole fetch, body included.
    pub api_poll_timeout: Duration,
    /// `api_poll_unconditional_seconds`: longest time between unconditional fetches; zero: always; `None`: `auto`.
    pub api_poll_unconditional: Option<Duration>,
    /// `allow_origins`.
    pub allow_origins: AllowedOrigins,
    /// `forward_identities`: identities that requests carry are written to upstream.
    pub forward_identities: bool,
    /// `logging`.
    pub logging: LoggingSettings,
    /// `server`.
    pub server: ServerSettings,
    /// `health_check`.
    pub health_check: HealthCheckSettings,
    /// `realtime`.
    pub realtime: RealtimeSettings,
    /// `analytics` (ours): whether evaluations are counted and sent on to upstream.
    pub analytics: bool,
    /// `upstream`.
    pub upstream: UpstreamSettings,
    /// `persistence`.
    pub persistence: PersistenceSettings,
    /// `admin`.
    pub admin: AdminSettings,
    /// What only environment variables can set.
    pub process: ProcessSettings,
}

/// `allow_origins`: who may read answers in a browser.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AllowedOrigins {
    /// `*` is among them.
    Any,
    /// These alone, as a browser sends them (`https://www.example.com`, no trailing slash).
    Listed(Vec<String>),
}

/// `logging`: level, format and the access log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoggingSettings {
    /// `log_level`.
    pub level: LogLevel,
    /// `log_format`.
    pub format: LogFormat,
    /// `log_event_field_name`: the field of the message in the json format.
    pub event_field_name: String,
    /// `enable_access_log`.
    pub access_log: bool,
    /// `colours` (also `colors`): in the generic format; never in json.
    pub colours: bool,
}

/// JSON log lines have these fields, so the message cannot have one of these names.
pub(crate) const LOG_LINE_FIELDS: &[&str] = &[
    "timestamp",
    "level",
    "logger",
    "method",
    "route",
    "status",
    "bytes",
    "duration_us",
    "remote_ip",
    "trace_id",
    "span_id",
];

/// The level names of Python's logging, which the official configuration uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogLevel {
    /// Errors alone: Rust's `log` knows no level above.
    Critical,
    /// Errors.
    Error,
    /// Warnings and above.
    Warning,
    /// The default.
    Info,
    /// Dependencies included.
    Debug,
    /// Everything.
    NotSet,
}

/// How a log line looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    Generic,
    /// One JSON object a line.
    Json,
}

/// `server`: the listening socket and its connections.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerSettings {
    /// `host`.
    pub host: ListenHost,
    /// `port`; 0 lets the system choose.
    pub port: u16,
    /// `path_prefix` (ours): what comes before every path but those of probes, which are there without it too; empty, or a
    /// slash and more, without one at its end.
    pub path_prefix: String,
    /// `proxy_headers`: whether `X-Forwarded-For` of a trusted peer names the client in the access log.
    pub proxy_headers: bool,
    /// `proxy_protocol` (ours): whether a trusted peer's connection begins with the client's address.
    pub proxy_protocol: ProxyProtocol,
    /// `tls` (ours): what TLS is spoken with; `None`: plain HTTP is spoken.
    pub tls: Option<TlsSettings>,
    /// `h2c` (ours): whether a client may begin with HTTP/2 over plain TCP, with prior knowledge.
    pub h2c: bool,
    /// `timeout_keep_alive`; 75 s: SDKs poll every 60 s, and a connection closed under them loses POSTs.
    pub timeout_keep_alive: Duration,
    /// What connections and their requests may take (ours).
    pub door: DoorSettings,
    /// `shutdown_timeout_seconds` (ours): how long a stop may take, requests in flight included; 10 s is Docker's patience.
    pub shutdown_timeout: Duration,
    /// `drain_seconds` (ours): how long everything is still served after SIGTERM, within `shutdown_timeout`.
    pub drain: Duration,
}

/// `server.tls` (ours): PEM files, whose content is looked at again while the server runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsSettings {
    /// `certificate`: the server's own certificate, and those between it and a root.
    pub certificate: PathBuf,
    /// `key` of the certificate: PKCS#8, PKCS#1 or SEC1, not encrypted.
    pub key: PathBuf,
}

/// `server.proxy_protocol`: what is made of PROXY protocol headers, which peers in `FORWARDED_ALLOW_IPS` alone may send.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProxyProtocol {
    /// Nothing.
    Off,
    /// A connection may begin with one. Probes of a balancer or an orchestrator mostly have none.
    On,
    /// A connection that does not begin with one is closed.
    Required,
}

impl ProxyProtocol {
    /// Gives the value in the configuration.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::On => "on",
            Self::Required => "required",
        }
    }
}

/// `server.host`: where the server listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ListenHost {
    /// One address. `::`, the default, is any: of both families where the system has IPv6, else of IPv4 alone.
    Address(IpAddr),
    /// A name, which is looked up when the server starts: it listens on all its addresses that this machine has.
    Name(String),
}

/// Writes it as the configuration has it.
impl fmt::Display for ListenHost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address(address) => address.fmt(f),
            Self::Name(name) => f.write_str(name),
        }
    }
}

/// `health_check`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HealthCheckSettings {
    /// `environment_update_grace_period_seconds`, on top of the poll period; `None`: never stale.
    pub grace_period: Option<Duration>,
    /// `stale_is_unready` (ours): readiness fails while a document is stale, as in Edge Proxy 2.23.
    pub stale_is_unready: bool,
}

/// `realtime` (ours).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RealtimeSettings {
    /// `authentication_token` that `queue-change` asks for; without it the route does not exist.
    pub authentication_token: Option<Secret>,
    /// `upstream_url` of Flagsmith's realtime service, without a trailing slash.
    pub upstream_url: Option<String>,
    /// `max_stream_age_seconds`; `None`: never (a negative number).
    pub max_stream_age: Option<Duration>,
    /// `notify_spread_ms`.
    pub notify_spread: NotifySpread,
    /// `max_subscribers`; `None`: half the limit of open files.
    pub max_subscribers: Option<usize>,
}

/// `realtime.notify_spread_ms`: the window over which the subscribers hear of one change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotifySpread {
    /// It grows with the number of subscribers of the environment.
    Auto,
    /// It is always this long; zero: at once.
    Fixed(Duration),
}

/// `upstream` (ours).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UpstreamSettings {
    /// `document_memory_bytes`: what all documents together may take while they are fetched and applied.
    pub document_memory: usize,
    /// `ca_file`: root certificates to trust beside the system's.
    pub ca_file: Option<PathBuf>,
    /// `client_certificate` and `client_key`: how upstream knows this proxy.
    pub client_certificate: Option<ClientCertificateFiles>,
    /// `headers` that every request to upstream carries.
    pub headers: ExtraHeaders,
}

/// `persistence` (ours).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PersistenceSettings {
    /// `directory` of the last good documents; `None`: memory alone keeps them.
    pub directory: Option<PathBuf>,
}

/// What only environment variables can set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProcessSettings {
    /// `WEB_CONCURRENCY`: HTTP workers; default: the cores.
    pub workers: usize,
    /// `FORWARDED_ALLOW_IPS`: peers whose `X-Forwarded-For` is believed.
    pub trusted_proxies: TrustedProxies,
    /// `SSL_CERT_FILE`, `SSL_CERT_DIR`: root certificates to trust instead of the system's.
    pub roots: RootCertificates,
    /// `HTTP_PROXY`, `HTTPS_PROXY`, `ALL_PROXY`, `NO_PROXY`.
    pub outgoing: OutgoingProxies,
    /// `OTEL_…`: what is sent to a collector.
    pub telemetry: TelemetrySettings,
}
