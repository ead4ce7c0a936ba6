//! The oracle as a running process.

use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use super::Answer;

/// Names the python that has the packages of `engine/oracle/requirements.txt`; `make oracle` installs them.
const PYTHON_VARIABLE: &str = "EDGE_PROXY_ORACLE_PYTHON";

/// Flagsmith's Python pipeline, answering one case after the other.
pub(crate) struct Oracle {
    process: Child,
    questions: ChildStdin,
    answers: BufReader<ChildStdout>,
}

/// The python to run, or `None` where the test is to be skipped, after saying so.
///
/// # Panics
/// Where it is not set in CI: there the comparison is not optional.
pub(crate) fn python() -> Option<PathBuf> {
    let python = std::env::var_os(PYTHON_VARIABLE).filter(|python| !python.is_empty());
    if python.is_none() {
        assert!(
            std::env::var_os("CI").is_none(),
            "{PYTHON_VARIABLE} must be set in CI: `make oracle`"
        );
        eprintln!("skipped: {PYTHON_VARIABLE} is not set; `make oracle` makes target/oracle-venv/bin/python");
    }
    python.map(PathBuf::from)
}

fn script(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("oracle")
        .join(name)
}

impl Oracle {
    pub(crate) fn start(python: &PathBuf) -> Self {
        let mut process = Command::new(python)
            .args(["-B", "-W", "ignore"])
            .arg(script("oracle.py"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the oracle starts");
        let questions = process.stdin.take().expect("a pipe to the oracle");
        let answers = BufReader::new(process.stdout.take().expect("a pipe from the oracle"));
        Self {
            process,
            questions,
            answers,
        }
    }

    /// The oracle's answer to a case.
    pub(crate) fn ask(&mut self, case: &str) -> Answer {
        writeln!(self.questions, "{case}").expect("the oracle reads");
        let mut line = String::new();
        self.answers.read_line(&mut line).expect("the oracle answers");
        serde_json::from_str(&line)
            .unwrap_or_else(|error| panic!("{error} in the oracle's answer {line:?} to {case}"))
    }
}

impl Drop for Oracle {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Calls `each` with every line that `generate.py` prints for these arguments.
pub(crate) fn generate(python: &PathBuf, arguments: &[&str], mut each: impl FnMut(&str)) {
    let mut process = Command::new(python)
        .arg("-B")
        .arg(script("generate.py"))
        .args(arguments)
        .stdout(Stdio::piped())
        .spawn()
        .expect("the generator starts");
    let lines = BufReader::new(process.stdout.take().expect("a pipe from the generator"));
    for line in lines.lines() {
        each(&line.expect("the generator writes UTF-8"));
    }
    assert!(
        process.wait().expect("the generator ends").success(),
        "the generator failed"
    );
}
