//! A program in front of the proxy.
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use tempfile::TempDir;
use test_support::program::Program;
use test_support::wait::PATIENCE;

/// How often another port is tried, where somebody else took the one that was free a moment ago.
const ATTEMPTS: usize = 8;

/// A program that listens; killed when this is dropped.
pub(crate) struct Front {
    /// Where it listens.
    pub address: SocketAddr,
    _program: Program,
}

impl Front {
    /// Starts what `command` gives for a port, and waits until it takes connections.
    pub(crate) fn start(command: impl Fn(u16) -> Command) -> Self {
        let mut written = String::new();
        for _ in 0..ATTEMPTS {
            let address = free_address();
            let mut program = Program::start(&mut command(address.port()));
            if listens(&mut program, address) {
                return Self {
                    address,
                    _program: program,
                };
            }
            written = program.written();
        }
        panic!("it does not start: {written}");
    }
}

/// These programs cannot say which port the system chose, so it is asked for one, which is given back.
fn free_address() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

/// Waits until it takes connections; not, where it ends before.
fn listens(program: &mut Program, address: SocketAddr) -> bool {
    let begun = Instant::now();
    while program.is_running() {
        if TcpStream::connect(address).is_ok() {
            return true;
        }
        assert!(begun.elapsed() < PATIENCE, "{}", program.written());
        std::thread::yield_now();
    }
    false
}

/// A folder for what one program writes and reads.
pub(crate) struct TempFolder(TempDir);

impl TempFolder {
    /// Makes one.
    pub(crate) fn new() -> Self {
        Self(TempDir::new().unwrap())
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    /// Writes a file with `@NAME@` replaced for each of `values`.
    pub(crate) fn fill(&self, name: &str, template: &str, values: &[(&str, String)]) -> PathBuf {
        let mut text = template.to_owned();
        for (name, value) in values {
            text = text.replace(&format!("@{name}@"), value);
        }
        assert!(!text.contains('@'), "everything is filled in: {text}");
        let path = self.0.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    }
}
