//! Each section of the configuration read into its type.
use std::net::{IpAddr, Ipv6Addr};
use std::time::Duration;

use super::sources::Sources;
use super::{
    AllowedOrigins, HealthCheckSettings, LOG_LINE_FIELDS, ListenHost, LogFormat, LogLevel, LoggingSettings,
    Notice, PersistenceSettings, ServerSettings, SettingsError,
};

mod admin;
mod door;
mod ours;
mod tls;
mod upstream;

pub use admin::AdminSettings;
pub use door::DoorSettings;

type Read<T> = Result<T, SettingsError>;

impl Sources {
    /// Reads a time in seconds.
    pub(super) fn seconds(&self, option: &str, default: u64, least: f64) -> Read<Duration> {
        self.field(option)
            .map_or(Ok(Duration::from_secs(default)), |field| field.seconds(least))
    }

    /// Reads what is on or off.
    pub(super) fn boolean(&self, option: &str, default: bool) -> Read<bool> {
        self.field(option).map_or(Ok(default), |field| field.boolean())
    }

    /// Reads `logging`.
    pub(super) fn logging(&self, notices: &mut Vec<Notice>) -> Read<LoggingSettings> {
        if self.field("logging.override").is_some() {
            notices.push(Notice::warning(
                "logging.override configures Python's logging and has no effect here; everything is logged to \
                 standard error",
            ));
        }
        Ok(LoggingSettings {
            level: self.log_level()?,
            format: self.log_format()?,
            event_field_name: self.event_field_name()?,
            access_log: self.boolean("logging.enable_access_log", false)?,
            colours: self.boolean("logging.colours", false)?,
        })
    }

    fn log_level(&self) -> Read<LogLevel> {
        let Some(field) = self.field("logging.log_level") else {
            return Ok(LogLevel::Info);
        };
        LogLevel::from_name(field.text()?)
            .ok_or_else(|| field.invalid("is none of CRITICAL, ERROR, WARNING, INFO, DEBUG, NOTSET"))
    }

    fn log_format(&self) -> Read<LogFormat> {
        let Some(field) = self.field("logging.log_format") else {
            return Ok(LogFormat::Generic);
        };
        LogFormat::from_name(field.text()?).ok_or_else(|| field.invalid("is neither generic nor json"))
    }

    fn event_field_name(&self) -> Read<String> {
        let Some(field) = self.field("logging.log_event_field_name") else {
            return Ok("message".to_owned());
        };
        let name = field.text()?;
        if LOG_LINE_FIELDS.contains(&name) {
            return Err(field.invalid("is the name of another field of a log line; choose another"));
        }
        Ok(name.to_owned())
    }

    /// Reads `server`.
    pub(super) fn server(&self, notices: &mut Vec<Notice>) -> Read<ServerSettings> {
        if self.boolean("server.reload", false)? {
            notices.push(Notice::info(
                "server.reload has no effect here: there is no code to reload",
            ));
        }
        let shutdown_timeout = self.seconds("server.shutdown_timeout_seconds", 10, 0.0)?;
        Ok(ServerSettings {
            host: self.host()?,
            port: self.port()?,
            path_prefix: self.path_prefix()?,
            proxy_headers: self.boolean("server.proxy_headers", false)?,
            proxy_protocol: self.proxy_protocol()?,
            tls: self.tls()?,
            h2c: self.boolean("server.h2c", false)?,
            timeout_keep_alive: self.seconds("server.timeout_keep_alive", 75, 0.0)?,
            door: self.door()?,
            shutdown_timeout,
            drain: self.drain(shutdown_timeout, notices)?,
        })
    }

    /// Reads `server.host`.
    pub(super) fn host(&self) -> Read<ListenHost> {
        self.listen_host("server.host", Ipv6Addr::UNSPECIFIED.into())
    }

    /// Reads where a listener is; the option beside it, `port`, has the port.
    fn listen_host(&self, option: &str, default: IpAddr) -> Read<ListenHost> {
        let Some(field) = self.field(option) else {
            return Ok(ListenHost::Address(default));
        };
        ListenHost::parse(field.text()?).ok_or_else(|| {
            let port = option.replace("host", "port");
            field.invalid(format!(
                "is neither an IP address nor a host's name; give one, as :: (any), 0.0.0.0 (any of IPv4), 127.0.0.1 or \
                 localhost (this machine alone), and the port as {port}"
            ))
        })
    }

    /// Reads `server.port`.
    pub(super) fn port(&self) -> Read<u16> {
        let port = self
            .field("server.port")
            .map_or(Ok(8000), |field| field.integer(0, u16::MAX.into()))?;
        // It is within these bounds by now.
        Ok(u16::try_from(port).unwrap_or(u16::MAX))
    }

    /// Reads `server.path_prefix`, and takes its trailing slash off. A slash alone, or nothing, is none.
    fn path_prefix(&self) -> Read<String> {
        let Some(field) = self.field("server.path_prefix") else {
            return Ok(String::new());
        };
        if field
            .value()
            .as_str()
            .is_some_and(|text| matches!(text.trim(), "" | "/"))
        {
            return Ok(String::new());
        }
        let prefix = field.text()?;
        let segments = prefix
            .strip_prefix('/')
            .ok_or_else(|| field.invalid("does not begin with a slash; give a path, as /flagsmith"))?;
        let segments = segments.strip_suffix('/').unwrap_or(segments);
        // These need no escapes (RFC 3986 §2.3), which clients write in several ways.
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
        let is_segment = |segment: &str| !matches!(segment, "" | "." | "..") && segment.bytes().all(is_plain);
        if segments.split('/').all(is_segment) {
            Ok(format!("/{segments}"))
        } else {
            Err(field.invalid(
                "has other parts than letters, digits, and - . _ ~ between single slashes; give a path, as /flagsmith",
            ))
        }
    }

    /// Reads `server.drain_seconds`. Only one that is given is warned of: a short stop alone asks for a short drain.
    fn drain(&self, shutdown_timeout: Duration, notices: &mut Vec<Notice>) -> Read<Duration> {
        const DRAIN: &str = "server.drain_seconds";
        let drain = self.seconds(DRAIN, 5, 0.0)?;
        if self.field(DRAIN).is_some() && drain >= shutdown_timeout && !drain.is_zero() {
            notices.push(Notice::warning(
                "server.drain_seconds is not below server.shutdown_timeout_seconds, which is the time of the whole \
                 stop: the drain ends earlier, to leave some of it for requests in flight",
            ));
        }
        Ok(drain)
    }

    /// Reads `health_check`.
    pub(super) fn health_check(&self) -> Read<HealthCheckSettings> {
        const GRACE: &str = "health_check.environment_update_grace_period_seconds";
        let grace_period = if self.is_null(GRACE) {
            None
        } else {
            Some(self.seconds(GRACE, 30, 0.0)?)
        };
        Ok(HealthCheckSettings {
            grace_period,
            stale_is_unready: self.boolean("health_check.stale_is_unready", false)?,
        })
    }

    /// Reads `persistence`.
    pub(super) fn persistence(&self) -> Read<PersistenceSettings> {
        let directory = self
            .field("persistence.directory")
            .map(|field| field.text())
            .transpose()?;
        Ok(PersistenceSettings {
            directory: directory.map(|path| self.resolve_path(path)),
        })
    }

    /// Checks `endpoint_caches`, so that a slip does not hide; the option has no other effect.
    pub(super) fn endpoint_caches(&self, notices: &mut Vec<Notice>) -> Read<()> {
        let mut is_used = false;
        for endpoint in ["flags", "identities"] {
            is_used |= self.boolean(&format!("endpoint_caches.{endpoint}.use_cache"), false)?;
            if let Some(size) = self.field(&format!("endpoint_caches.{endpoint}.cache_max_size")) {
                size.integer(0, u32::MAX)?;
            }
        }
        if is_used {
            notices.push(Notice::info(
                "endpoint_caches has no effect here: answers are made ready once per document",
            ));
        }
        Ok(())
    }

    /// Reads `allow_origins`: a list, or one text, which commas divide.
    pub(super) fn allow_origins(&self, notices: &mut Vec<Notice>) -> Read<AllowedOrigins> {
        let Some(field) = self.field("allow_origins") else {
            return Ok(AllowedOrigins::Any);
        };
        let wrong =
            || field.invalid("must be a list of origins, as [\"https://www.example.com\"], or one text");
        let given: Vec<&str> = match field.value() {
            serde_json::Value::Array(origins) => origins
                .iter()
                .map(|origin| origin.as_str().ok_or_else(wrong))
                .collect::<Result<_, _>>()?,
            serde_json::Value::String(origins) => origins.split(',').collect(),
            _ => return Err(wrong()),
        };
        let mut origins: Vec<String> = Vec::new();
        for (index, origin) in given.iter().map(|origin| origin.trim()).enumerate() {
            match super::url::origin(origin) {
                _ if origin == "*" => {
                    if given.len() > 1 {
                        notices.push(Notice::warning(format!(
                            "allow_origins (from {}) has * beside others, which counts alone: browsers may read answers on \
                             every site; leave * out where the others are meant",
                            field.origin()
                        )));
                    }
                    return Ok(AllowedOrigins::Any);
                }
                Some(origin) if origins.contains(&origin) => {}
                Some(origin) => origins.push(origin),
                None => notices.push(Notice::warning(format!(
                    "allow_origins[{index}] (from {}) matches no browser's origin, so it is left out: give scheme, host \
                     and port alone, as https://www.example.com, or *",
                    field.origin()
                ))),
            }
        }
        Ok(AllowedOrigins::Listed(origins))
    }
}

impl ListenHost {
    /// Reads an IP address, or what can be a host's name (RFC 1123 §2.1, and the underscore, which container platforms
    /// allow). Whether there is such a host shows when the server starts.
    fn parse(text: &str) -> Option<Self> {
        if let Ok(address) = text.parse() {
            return Some(Self::Address(address));
        }
        let name = text.strip_suffix('.').unwrap_or(text);
        let is_label = |label: &str| {
            (1..=63).contains(&label.len())
                && label
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
        };
        // A last label of digits alone makes it an address with a slip, as 127.0.0.
        let last = name.rsplit('.').next()?;
        let is_name = name.len() <= 253
            && name.split('.').all(is_label)
            && !last.bytes().all(|byte| byte.is_ascii_digit());
        is_name.then(|| Self::Name(text.to_owned()))
    }
}

impl LogLevel {
    /// Finds a level by Python's name, in any case.
    pub(crate) fn from_name(name: &str) -> Option<Self> {
        let all = [
            Self::Critical,
            Self::Error,
            Self::Warning,
            Self::Info,
            Self::Debug,
            Self::NotSet,
        ];
        all.into_iter()
            .find(|level| level.name().eq_ignore_ascii_case(name))
    }

    /// Gives Python's name.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Critical => "CRITICAL",
            Self::Error => "ERROR",
            Self::Warning => "WARNING",
            Self::Info => "INFO",
            Self::Debug => "DEBUG",
            Self::NotSet => "NOTSET",
        }
    }
}

impl LogFormat {
    fn from_name(name: &str) -> Option<Self> {
        [Self::Generic, Self::Json]
            .into_iter()
            .find(|format| format.name().eq_ignore_ascii_case(name))
    }

    /// Gives the name in the configuration.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Generic => "generic",
            Self::Json => "json",
        }
    }
}
