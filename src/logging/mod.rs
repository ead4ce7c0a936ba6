//! Log lines: formats, levels, panics, the access log.
//!
//! Everything goes to standard error, as with the official proxy, by way of a bounded queue and a thread that writes: who
//! logs never waits for the reader. Messages never hold a key, a trait value or an identifier; a line break in one cannot
//! make a second line.
//!
//! # Layout
//! - `format`: how a line looks, as pure functions.
//! - `current`: the logger in force, which a new configuration replaces; `level`: its level, which an operator can change too.
//! - `queue`: lines on their way to the thread that writes; `standard_error`: where that thread writes them.
//! - `repeated`: a dependency's lines that would fill the log.
//! - `access`: the access log, and which client a request came from.
use std::backtrace::Backtrace;
use std::cell::Cell;
use std::io::{self, Write};
use std::panic::PanicHookInfo;
use std::time::Duration;

use env_logger::{Logger, Target, WriteStyle};
use log::LevelFilter;

use crate::settings::{LogFormat, LogLevel, LoggingSettings};

mod access;
mod current;
mod format;
mod level;
mod queue;
mod repeated;
mod standard_error;

use queue::Queue;
use standard_error::StandardError;

pub(crate) use access::{ACCESS, Access, RemoteAddress, log_access};
pub(crate) use level::{Level, change_level, level};
pub(crate) use repeated::Repeated;

/// Our own crates; all others are dependencies.
const OWN_CRATES: &[&str] = &["edge_proxy", "actors", "engine"];

/// What dependencies tell at any level, unless they are named: that they failed. Below that they write what peers send:
/// actix-web the paths of requests that it refuses, h2 targets that it cannot read and acknowledgements that nobody asked
/// for, rustls names of servers. Those hold keys and identifiers, and any peer could fill the log with them.
const DEPENDENCIES: LevelFilter = LevelFilter::Error;

/// Dependencies whose lines hold nothing that peers send: addresses that are listened on, workers and signals.
const OF_NO_PEER: &[&str] = &["actix_server"];

/// What every thread of the process logs.
static QUEUE: Queue = Queue::new();

/// How long the end of the process waits for a reader of standard error.
const FLUSH_PATIENCE: Duration = Duration::from_millis(500);

/// How long a panic waits for it: where the process aborts, nothing else flushes the log.
const PANIC_PATIENCE: Duration = Duration::from_millis(100);

/// Starts logging, panics included. A second call in a process changes nothing, which tests need.
///
/// # Errors
/// Where the system allows no thread or descriptor for it.
pub fn init(settings: &LoggingSettings) -> io::Result<()> {
    start_writer()?;
    if current::start(logger(settings)).is_ok() {
        level::start(settings);
        log_panics();
    }
    Ok(())
}

/// Logs by other settings from now on, at their level whatever an operator has set. Changes nothing where [`init`] has not
/// started logging.
pub(crate) fn reconfigure(settings: &LoggingSettings) {
    level::reconfigure(settings);
}

fn logger(settings: &LoggingSettings) -> Logger {
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
    builder.target(Target::Pipe(Box::new(ToQueue)));
    builder.format(move |out, record| {
        if repeated::is_repeated(record) {
            return Ok(());
        }
        let timestamp = out.timestamp_micros();
        with_line(|line| {
            match format {
                LogFormat::Generic => format::generic(line, timestamp, record, colours),
                LogFormat::Json => format::json(line, timestamp, record, &event_field_name),
            }
            out.write_all(line.as_bytes())
        })
    });
    builder.build()
}

/// How many lines of the process were lost, because standard error was not read fast enough or could not be written.
pub(crate) fn lost_lines() -> u64 {
    QUEUE.lost()
}

/// Waits until what was logged is written, at most half a second: the last thing that a process does.
pub fn flush() {
    QUEUE.flush(FLUSH_PATIENCE);
}

/// Writes a line as it is, outside of the log's format, and flushes. Does not wait for a reader that stalls.
pub fn write_last(line: &str) {
    let line = format!("{line}\n");
    if start_writer().is_ok() {
        QUEUE.push(line.as_bytes());
        flush();
    } else {
        let _ = io::stderr().write_all(line.as_bytes());
    }
}

/// How many bytes of lines wait for the reader of standard error.
pub(crate) fn waiting_bytes() -> usize {
    QUEUE.waiting()
}

fn start_writer() -> io::Result<()> {
    QUEUE.start_writer(StandardError::open, |lost| {
        // An error, so that it is told at every level.
        log::error!(
            "{lost} log lines were lost: standard error was not read fast enough, or could not be written"
        );
    })
}

/// Where `env_logger` writes: it gives whole records, each in one call.
struct ToQueue;

impl Write for ToQueue {
    fn write(&mut self, record: &[u8]) -> io::Result<usize> {
        QUEUE.push(record);
        Ok(record.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Lends the thread's buffer for a line. It is taken out meanwhile, since what is logged may log in turn.
fn with_line<T>(write: impl FnOnce(&mut String) -> T) -> T {
    thread_local! {
        static LINE: Cell<String> = const { Cell::new(String::new()) };
    }
    let mut line = LINE.take();
    line.clear();
    let outcome = write(&mut line);
    LINE.set(line);
    outcome
}

/// Gives the level of each target; `None` stands for every target that is not named.
fn level_filters(settings: &LoggingSettings) -> Vec<(Option<&'static str>, LevelFilter)> {
    let own = level_filter(settings.level);
    // Below a warning, they tell what helps only those who look into them.
    let of_no_peer = if own >= LevelFilter::Debug {
        own
    } else {
        own.min(LevelFilter::Warn)
    };
    let access = if settings.access_log {
        own
    } else {
        LevelFilter::Off
    };
    // actix-http reports each malformed request as an error, so any peer could fill the log; and each answer of upstream
    // whose head does not end, which the environment's own line tells once.
    let malformed_requests = if own >= LevelFilter::Debug {
        DEPENDENCIES
    } else {
        LevelFilter::Off
    };
    let mut filters = vec![
        (None, DEPENDENCIES),
        (Some("actix_http::h1::dispatcher"), malformed_requests),
        // It tells as an error too what a peer alone has done.
        (Some("actix_http::h1::decoder"), LevelFilter::Off),
        (Some(ACCESS), access),
    ];
    filters.extend(OF_NO_PEER.iter().map(|name| (Some(*name), of_no_peer)));
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

/// Logs a panic in one line; with `RUST_BACKTRACE` set, the backtrace follows it.
fn log_panics() {
    std::panic::set_hook(Box::new(|info| {
        log::error!("{}", panic_message(info));
        if std::env::var_os("RUST_BACKTRACE").is_some_and(|value| value != "0") {
            let backtrace = Backtrace::force_capture();
            QUEUE.push(format!("stack backtrace:\n{backtrace}\n").as_bytes());
        }
        QUEUE.flush(PANIC_PATIENCE);
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
