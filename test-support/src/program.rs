//! A program that a test starts.
use std::io::{BufRead as _, BufReader, Read};
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use crate::wait::PATIENCE;

/// A program of its own process; killed when this is dropped, by a panic too. What it starts itself must end with it.
pub struct Program {
    child: Child,
    written: Arc<Written>,
}

/// What it has written so far.
#[derive(Default)]
struct Written {
    state: Mutex<State>,
    grown: Condvar,
}

#[derive(Default)]
struct State {
    text: String,
    /// How many of its two outputs are closed.
    closed: usize,
}

const OUTPUTS: usize = 2;

/// How many requests have crossed the end of their connection, by what a proxy has written: they came over a kept one that was idle,
/// when its end had been announced. Nothing can keep a client from that, which has to send them again (RFC 9112, 9.3.1).
pub fn crossed_the_end(written: &str) -> u64 {
    let lines = written
        .lines()
        .filter_map(|line| line.split_once(" requests came over idle connections whose end"));
    let count = |(before, _): (&str, &str)| before.rsplit(' ').next()?.parse::<u64>().ok();
    lines.filter_map(count).sum()
}

impl Program {
    /// Starts it without an input.
    ///
    /// # Panics
    /// Where there is no such program.
    pub fn start(command: &mut Command) -> Self {
        Self::spawn(command.stdin(Stdio::null()))
    }

    /// Starts it with an input, which ends when it is dropped.
    ///
    /// # Panics
    /// Where there is no such program.
    pub fn start_with_input(command: &mut Command) -> (Self, ChildStdin) {
        let mut program = Self::spawn(command.stdin(Stdio::piped()));
        let input = program.child.stdin.take().expect("a pipe");
        (program, input)
    }

    fn spawn(command: &mut Command) -> Self {
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command
            .spawn()
            .unwrap_or_else(|error| panic!("{command:?}: {error}"));
        let written = Arc::new(Written::default());
        Written::collect(&written, child.stdout.take().expect("a pipe"));
        Written::collect(&written, child.stderr.take().expect("a pipe"));
        Self { child, written }
    }

    /// The number of its process.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Whether it still runs.
    pub fn is_running(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    /// All that it has written so far.
    pub fn written(&self) -> String {
        self.written.state.lock().unwrap().text.clone()
    }

    /// Waits for a line of which `find` makes something.
    ///
    /// # Panics
    /// Where its outputs end, or [`PATIENCE`] does, without such a line; the panic shows what it wrote.
    pub fn find_line<T>(&self, find: impl Fn(&str) -> Option<T>) -> T {
        self.find_line_within(PATIENCE, find)
    }

    /// The same with another patience: some programs begin slowly, and machines that have more to do than they can.
    ///
    /// # Panics
    /// As [`Program::find_line`].
    pub fn find_line_within<T>(&self, patience: Duration, find: impl Fn(&str) -> Option<T>) -> T {
        self.find_in_written(patience, |text| {
            // The rest after the last line break is no line yet.
            let lines = text.split_inclusive('\n').filter(|line| line.ends_with('\n'));
            lines.map(str::trim_end).find_map(&find)
        })
    }

    /// Waits until it has written so many lines of which this holds.
    ///
    /// # Panics
    /// As [`Program::find_line`].
    pub fn wait_for_lines(&self, count: usize, is_one: impl Fn(&str) -> bool) {
        self.find_in_written(PATIENCE, |text| {
            let lines = text.split_inclusive('\n').filter(|line| line.ends_with('\n'));
            (lines.filter(|line| is_one(line)).count() >= count).then_some(())
        });
    }

    fn find_in_written<T>(&self, patience: Duration, find: impl Fn(&str) -> Option<T>) -> T {
        let begun = Instant::now();
        let mut state = self.written.state.lock().unwrap();
        loop {
            if let Some(found) = find(&state.text) {
                return found;
            }
            let left = patience.saturating_sub(begun.elapsed());
            if state.closed == OUTPUTS || left.is_zero() {
                let text = state.text.clone();
                // Or the threads that collect would panic, too.
                drop(state);
                panic!("no such line: {text}");
            }
            state = self.written.grown.wait_timeout(state, left).unwrap().0;
        }
    }

    /// Waits for its end.
    ///
    /// # Panics
    /// Where that takes longer than [`PATIENCE`].
    pub fn wait(&mut self) -> (ExitStatus, String) {
        self.wait_within(PATIENCE)
    }

    /// The same with another patience.
    ///
    /// # Panics
    /// Where it takes longer.
    pub fn wait_within(&mut self, patience: Duration) -> (ExitStatus, String) {
        let begun = Instant::now();
        let mut state = self.written.state.lock().unwrap();
        while state.closed < OUTPUTS {
            let left = patience.saturating_sub(begun.elapsed());
            assert!(!left.is_zero(), "it does not end: {}", state.text);
            state = self.written.grown.wait_timeout(state, left).unwrap().0;
        }
        let text = state.text.clone();
        drop(state);
        (self.child.wait().unwrap(), text)
    }

    /// Sends it a signal, by the name that a shell's `kill` knows.
    pub fn signal(&self, name: &str) {
        // The shell's own kill: a slim image has no other.
        let kill = format!("kill -s {name} {}", self.id());
        let status = Command::new("sh").args(["-c", &kill]).status().unwrap();
        assert!(status.success());
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Written {
    fn collect(written: &Arc<Self>, output: impl Read + Send + 'static) {
        let written = Arc::clone(written);
        thread::spawn(move || {
            let mut output = BufReader::new(output);
            let mut line = Vec::new();
            while output.read_until(b'\n', &mut line).is_ok_and(|read| read > 0) {
                written.state.lock().unwrap().text += &String::from_utf8_lossy(&line);
                written.grown.notify_all();
                line.clear();
            }
            written.state.lock().unwrap().closed += 1;
            written.grown.notify_all();
        });
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    fn shell(script: &str) -> Program {
        Program::start(Command::new("sh").args(["-c", script]))
    }

    #[test]
    fn its_lines_come_as_it_writes_them_and_its_end_with_all_of_them() {
        let mut program = shell("echo one >&2; echo two; exec sleep 60");
        let two = program.find_line(|line| line.strip_prefix("tw").map(str::to_owned));
        assert_eq!(two, "o");
        program.signal("TERM");
        let (status, text) = program.wait();
        assert_eq!(status.code(), None, "{text}");
        assert!(text.contains("one\n") && text.contains("two\n"), "{text}");
        assert!(!program.is_running());
    }

    #[test]
    fn it_reads_its_input_until_that_is_dropped() {
        let (mut program, mut input) = Program::start_with_input(Command::new("sh").args(["-c", "exec cat"]));
        input.write_all(b"one\n").unwrap();
        program.find_line(|line| (line == "one").then_some(()));
        drop(input);
        assert!(program.wait().0.success());
    }

    #[test]
    #[should_panic(expected = "no such line: one")]
    fn a_line_that_cannot_come_is_not_waited_for() {
        shell("echo one").find_line(|line| (line == "two").then_some(()));
    }

    #[test]
    fn it_ends_with_the_test() {
        let program = shell("exec cat /dev/zero > /dev/null");
        let written = Arc::clone(&program.written);
        drop(program);
        let state = written.state.lock().unwrap();
        let closed = written
            .grown
            .wait_timeout_while(state, PATIENCE, |state| state.closed < OUTPUTS);
        assert_eq!(closed.unwrap().0.closed, OUTPUTS);
    }
}
