//! The way of a log line from the thread that logs it to standard error: a bounded queue and one thread that writes.
//!
//! A reader of standard error that stalls would else stop whoever logs, and with the access log that is every HTTP
//! worker. What does not fit into the queue is dropped and counted; the count is logged when there is room again.
use std::cell::Cell;
use std::io::{self, Write};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Bytes of lines that may wait: some 6,000 lines of the access log. Twice as much is held while the writer has a full
/// queue in hand.
pub(super) const CAPACITY: usize = 1024 * 1024;

/// A pipe takes a write of so many bytes whole or not at all (`PIPE_BUF` of Linux). So no line is cut by the process's end,
/// or mixed with those of another process that writes to the same pipe.
const WHOLE_WRITE: usize = 4096;

thread_local! {
    /// Whether this thread is the one that writes: what it logs always fits, since it tells how much did not.
    static IS_WRITER: Cell<bool> = const { Cell::new(false) };
}

/// Lines on their way to standard error.
#[derive(Debug)]
pub(super) struct Queue {
    state: Mutex<State>,
    /// Lines have come.
    arrived: Condvar,
    /// All that came is written.
    emptied: Condvar,
}

#[derive(Debug)]
struct State {
    pending: Vec<u8>,
    /// Lines that did not fit since the writer last looked.
    dropped: u64,
    /// All that were lost since the start.
    lost: u64,
    is_writing: bool,
    has_writer: bool,
}

impl State {
    fn is_done(&self) -> bool {
        self.pending.is_empty() && self.dropped == 0 && !self.is_writing
    }
}

impl Queue {
    pub(super) const fn new() -> Self {
        Self {
            state: Mutex::new(State {
                pending: Vec::new(),
                dropped: 0,
                lost: 0,
                is_writing: false,
                has_writer: false,
            }),
            arrived: Condvar::new(),
            emptied: Condvar::new(),
        }
    }

    /// Starts the thread that writes to `output`, where none has started yet. It calls `report` with the number of lines
    /// that were lost, when there is room again.
    ///
    /// # Errors
    /// Where the system allows no further thread, or `output` cannot be had.
    pub(super) fn start_writer<W: Write + Send + 'static>(
        &'static self,
        output: impl FnOnce() -> io::Result<W>,
        report: impl Fn(u64) + Send + 'static,
    ) -> io::Result<()> {
        let mut state = self.lock();
        if !state.has_writer {
            let output = output()?;
            std::thread::Builder::new()
                .name("log".to_owned())
                .spawn(move || self.write_for_ever(output, &report))?;
            state.has_writer = true;
        }
        Ok(())
    }

    /// Takes whole lines, or counts them as one that is lost. Never waits for the reader.
    pub(super) fn push(&self, lines: &[u8]) {
        let mut state = self.lock();
        if state.pending.len().saturating_add(lines.len()) > CAPACITY && !IS_WRITER.get() {
            state.dropped = state.dropped.saturating_add(1);
            state.lost = state.lost.saturating_add(1);
            return;
        }
        let was_empty = state.pending.is_empty();
        state.pending.extend_from_slice(lines);
        drop(state);
        if was_empty {
            self.arrived.notify_one();
        }
    }

    /// How many lines were lost since the start.
    pub(super) fn lost(&self) -> u64 {
        self.lock().lost
    }

    /// Waits until all that was pushed is written, at most `patience`. Whether it is.
    pub(super) fn flush(&self, patience: Duration) -> bool {
        let (state, _) = self
            .emptied
            .wait_timeout_while(self.lock(), patience, |state| {
                state.has_writer && !state.is_done()
            })
            .unwrap_or_else(PoisonError::into_inner);
        state.is_done()
    }

    /// How many bytes of lines wait to be written.
    pub(super) fn waiting(&self) -> usize {
        self.lock().pending.len()
    }

    fn write_for_ever(&self, mut output: impl Write, report: &impl Fn(u64)) {
        IS_WRITER.set(true);
        let mut batch = Vec::new();
        let mut lost: u64 = 0;
        loop {
            lost = lost.saturating_add(self.take(&mut batch));
            match write_lines(&mut output, &batch) {
                Ok(()) if lost > 0 => report(std::mem::take(&mut lost)),
                Ok(()) => {}
                // Nobody reads any more, or the disk is full: told once a write succeeds.
                Err(unwritten) => {
                    lost = lost.saturating_add(unwritten);
                    let mut state = self.lock();
                    state.lost = state.lost.saturating_add(unwritten);
                }
            }
        }
    }

    /// Waits for lines and puts them into `batch`. Gives how many were dropped after them.
    fn take(&self, batch: &mut Vec<u8>) -> u64 {
        batch.clear();
        let mut state = self.lock();
        state.is_writing = false;
        if state.is_done() {
            self.emptied.notify_all();
        }
        let mut state = self
            .arrived
            .wait_while(state, |state| state.pending.is_empty())
            .unwrap_or_else(PoisonError::into_inner);
        state.is_writing = true;
        std::mem::swap(&mut state.pending, batch);
        std::mem::take(&mut state.dropped)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Writes all lines, several with each call; the error is the number of those that were not written whole.
fn write_lines(output: &mut impl Write, lines: &[u8]) -> Result<(), u64> {
    let mut rest = lines;
    while !rest.is_empty() {
        let (part, after) = rest.split_at(whole_lines(rest));
        if output.write_all(part).is_err() {
            let unwritten = rest.iter().filter(|byte| **byte == b'\n').count();
            return Err(u64::try_from(unwritten).unwrap_or(u64::MAX));
        }
        rest = after;
    }
    Ok(())
}

/// How many bytes the next write takes: whole lines up to [`WHOLE_WRITE`], or one line that is longer.
fn whole_lines(lines: &[u8]) -> usize {
    let is_end = |byte: &u8| *byte == b'\n';
    let first = lines.get(..WHOLE_WRITE).unwrap_or(lines);
    let end = if first.len() == lines.len() {
        None
    } else {
        first
            .iter()
            .rposition(is_end)
            .or_else(|| lines.iter().position(is_end))
    };
    end.map_or(lines.len(), |end| end.saturating_add(1))
}
