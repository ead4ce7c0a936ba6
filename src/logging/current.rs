//! The logger of the process, which another one may replace while lines are written.
use std::cell::OnceCell;
use std::sync::{Arc, OnceLock};

use env_logger::Logger;
use log::{Log, Metadata, Record, SetLoggerError};

use crate::live::{Live, Reader};

/// What lines are written by.
static LOGGER: OnceLock<Live<Arc<Logger>>> = OnceLock::new();

thread_local! {
    /// The thread's own, so that those who log do not get in each other's way.
    static OWN: OnceCell<Reader<Arc<Logger>>> = const { OnceCell::new() };
}

/// Passes every line to the logger that is in force.
struct Current;

/// Writes by this logger from now on.
///
/// # Errors
/// Where the process has another logger, or this was called before: nothing changes then.
pub(super) fn start(logger: Logger) -> Result<(), SetLoggerError> {
    log::set_logger(&Current)?;
    let level = logger.filter();
    LOGGER.get_or_init(|| Live::new(Arc::new(logger)));
    log::set_max_level(level);
    Ok(())
}

/// Writes by this logger from now on, where [`start`] has started with another.
pub(super) fn replace(logger: Logger) {
    if let Some(current) = LOGGER.get() {
        let level = logger.filter();
        current.replace(Arc::new(logger));
        log::set_max_level(level);
    }
}

fn with_logger<T>(look: impl FnOnce(&Logger) -> T) -> Option<T> {
    let current = LOGGER.get()?;
    // What is logged may log in turn, so the thread's own is not borrowed meanwhile. At the end of a thread it is gone.
    match OWN.try_with(|own| own.get_or_init(|| current.reader()).get()) {
        Ok(own) => Some(look(&own)),
        Err(_) => Some(look(&current.newest())),
    }
}

impl Log for Current {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        with_logger(|logger| logger.enabled(metadata)).unwrap_or(false)
    }

    fn log(&self, record: &Record<'_>) {
        with_logger(|logger| logger.log(record));
    }

    fn flush(&self) {
        with_logger(Log::flush);
    }
}
