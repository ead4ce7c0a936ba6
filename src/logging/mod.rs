//! Log lines: formats, levels, panics, the access log.
//!
//! Everything goes to standard error, as with the official proxy. Messages never hold a key, a trait value or
//! an identifier; a line break in one cannot make a second line.
//!
//! # Layout
//! - `format`: how a line looks, as pure functions.
//! - `access`: the access log, and which client a request came from.
use std::io::Write;
use std::panic::PanicHookInfo;

use env_logger::WriteStyle;
use log::LevelFilter;

use crate::settings::{LogFormat, LogLevel, LoggingSettings};

mod access;
mod format;

pub(crate) use access::{ACCESS, Access, RemoteAddress, log_access};

/// Our own crates; all others are dependencies.
const OWN_CRATES: &[&str] = &["edge_proxy", "actors", "engine"];

/// Starts logging, panics included. A second call in a process changes nothing, which tests need.
pub fn init(settings: &LoggingSettings) {
    let event_field_name = settings.event_field_name.clone();
    let (format, colours) = (settings.format, settings.colours);
    let mut builder = env_logger::Builder::new();
    for (target, level) in level_filters(settings) {
        builder.filter(target, level);
    }
    // The configuration decides on colours, not the terminal.
    builder.write_style(if colours {
        WriteStyle::Always
    } else {
        WriteStyle::Never
    });
    builder.format(move |out, record| {
        let timestamp = out.timestamp_micros().to_string();
        let line = match format {
            LogFormat::Generic => format::generic(&timestamp, record, colours),
            LogFormat::Json => format::json(&timestamp, record, &event_field_name),
        };
        out.write_all(line.as_bytes())
    });
    if builder.try_init().is_ok() {
        log_panics();
    }
}

/// Gives the level of each target; `None` stands for every target that is not named.
fn level_filters(settings: &LoggingSettings) -> Vec<(Option<&'static str>, LevelFilter)> {
    let own = level_filter(settings.level);
    // Below a warning, dependencies tell what helps only those who look into them.
    let others = if own >= LevelFilter::Debug {
        own
    } else {
        own.min(LevelFilter::Warn)
    };
    let access = if settings.access_log {
        own
    } else {
        LevelFilter::Off
    };
    // At debug actix-web writes the paths of requests it refuses, and those hold keys and identifiers.
    let actix_web = if own == LevelFilter::Debug {
        LevelFilter::Info
    } else {
        others
    };
    // actix-http reports each malformed request as an error: any peer could fill the log.
    let malformed_requests = if own >= LevelFilter::Debug {
        own
    } else {
        LevelFilter::Off
    };
    let mut filters = vec![
        (None, others),
        (Some("actix_web"), actix_web),
        (Some("actix_http::h1::dispatcher"), malformed_requests),
        (Some(ACCESS), access),
    ];
    filters.extend(OWN_CRATES.iter().map(|name| (Some(*name), own)));
    filters
}

fn level_filter(level: LogLevel) -> LevelFilter {
    match level {
        LogLevel::Critical | LogLevel::Error => LevelFilter::Error,
        LogLevel::Warning => LevelFilter::Warn,
        LogLevel::Info => LevelFilter::Info,
        LogLevel::Debug => LevelFilter::Debug,
        LogLevel::NotSet => LevelFilter::Trace,
    }
}

/// Logs a panic in one line; with `RUST_BACKTRACE` set, what Rust prints follows it.
fn log_panics() {
    let rusts_own = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        log::error!("{}", panic_message(info));
        if std::env::var_os("RUST_BACKTRACE").is_some_and(|value| value != "0") {
            rusts_own(info);
        }
    }));
}

fn panic_message(info: &PanicHookInfo<'_>) -> String {
    let payload = info.payload();
    let text = payload.downcast_ref::<&str>().copied();
    let what = text
        .or_else(|| payload.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("no message");
    let place = info
        .location()
        .map_or_else(|| "an unknown place".to_owned(), ToString::to_string);
    let thread = std::thread::current();
    format!(
        "thread {:?} panicked at {place}: {what}",
        thread.name().unwrap_or("unnamed")
    )
}

#[cfg(test)]
mod tests;
