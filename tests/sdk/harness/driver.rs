//! The programs that drive the SDKs.
use std::cell::{Cell, RefCell};
use std::env;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{ChildStdin, Command};

use serde_json::{Value, json};
use test_support::program::Program;
use test_support::wait::PATIENCE;

use super::Edge;

/// One of the SDKs, with its OpenFeature provider if it has one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sdk {
    /// `flagsmith` of Python.
    Python,
    /// `flagsmith-nodejs`.
    Node,
    /// `@flagsmith/flagsmith`, the one for browsers, outside of one.
    JavaScript,
    /// `flagsmith` of Rust.
    Rust,
}

impl Sdk {
    /// All of them.
    pub(crate) const ALL: [Self; 4] = [Self::Python, Self::Node, Self::JavaScript, Self::Rust];

    /// Those that evaluate by themselves with the whole document.
    pub(crate) const EVALUATING: [Self; 3] = [Self::Python, Self::Node, Self::Rust];

    /// What runs its driver; `None`, with a notice: it is not installed.
    fn command(self) -> Option<Command> {
        let here = repository().join("tests/sdk");
        match self {
            Self::Python => {
                let python = installed(repository().join("target/sdk/python/bin/python"))?;
                let mut command = Command::new(python);
                command.arg(here.join("python/driver.py"));
                Some(command)
            }
            Self::Node => node("server_side.mjs"),
            Self::JavaScript => node("client_side.mjs"),
            Self::Rust => Some(Command::new(installed(
                repository().join("target/sdk/rust/debug/sdk-driver"),
            )?)),
        }
    }
}

/// What runs a program of `tests/sdk/node/`; `None`, with a notice: its packages are not installed.
pub(super) fn node(program: &str) -> Option<Command> {
    let here = repository().join("tests/sdk/node");
    installed(here.join("node_modules"))?;
    let mut command = Command::new("node");
    command.arg(here.join(program));
    Some(command)
}

/// The root of the repository.
pub(super) fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The path, if there is something; else `None`, with a notice on standard error: the test is to be skipped.
///
/// # Panics
/// Where there is nothing and `CI` is set.
pub(super) fn installed(path: PathBuf) -> Option<PathBuf> {
    if path.exists() {
        return Some(path);
    }
    let notice = format!("there is no {}: make test-sdk installs it", path.display());
    assert!(env::var_os("CI").is_none(), "{notice}");
    eprintln!("skipped: {notice}");
    None
}

/// A driver that runs; it ends with this.
pub(crate) struct Driver {
    program: Program,
    input: RefCell<ChildStdin>,
    asked: Cell<u64>,
}

impl Driver {
    /// Starts the driver of an SDK; `None`: it is not installed.
    pub(crate) fn start(sdk: Sdk) -> Option<Self> {
        Some(Self::run(sdk.command()?))
    }

    /// Starts a driver.
    pub(crate) fn run(mut command: Command) -> Self {
        let (program, input) = Program::start_with_input(&mut command);
        Self {
            program,
            input: RefCell::new(input),
            asked: Cell::default(),
        }
    }

    /// Opens the client `client` of this key; `options` are those of the driver's `open`.
    pub(crate) fn open(&self, client: &str, edge: &Edge, key: &str, mut options: Value) {
        options["key"] = key.into();
        options["api_url"] = edge.api_url().into();
        self.ask(client, "open", options);
    }

    /// What the driver makes of an action.
    ///
    /// # Panics
    /// Where it fails.
    pub(crate) fn ask(&self, client: &str, action: &str, given: Value) -> Value {
        let said = format!("{action} {given}");
        self.try_ask(client, action, given)
            .unwrap_or_else(|error| panic!("{said}: {error}\n{}", self.program.written()))
    }

    /// What the driver makes of an action, or the SDK's error.
    pub(crate) fn try_ask(&self, client: &str, action: &str, mut given: Value) -> Result<Value, String> {
        self.asked.set(self.asked.get() + 1);
        given["id"] = self.asked.get().into();
        given["do"] = action.into();
        given["client"] = client.into();
        // One write: it is one line.
        let line = format!("{given}\n");
        self.input.borrow_mut().write_all(line.as_bytes()).unwrap();
        // The first answer of some comes when a browser has started.
        let mut answer = self.program.find_line_within(PATIENCE * 3, |line| {
            let answer: Value = serde_json::from_str(line).ok()?;
            (answer["id"] == self.asked.get()).then_some(answer)
        });
        match answer["error"].take() {
            Value::String(error) => Err(error),
            _ => Ok(answer["ok"].take()),
        }
    }

    /// The environment's flags.
    pub(crate) fn environment_flags(&self, client: &str) -> Value {
        self.ask(client, "environment_flags", json!({}))
    }

    /// The flags of an identity: `identifier`, `traits`, `transient`.
    pub(crate) fn identity_flags(&self, client: &str, identity: Value) -> Value {
        self.ask(client, "identity_flags", identity)
    }

    /// All that it has written so far.
    pub(crate) fn written(&self) -> String {
        self.program.written()
    }
}
