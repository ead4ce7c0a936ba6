//! The fault matrix: each row is a test over real sockets that causes one fault and tells what it observed.
//!
//! `make test` runs the rows with their ordinary volumes, `make faults` with the full ones; both print the table at the end.
//! A row fails where one of its claims does not hold; its cells are what was observed.
//!
//! # Layout
//! - `harness`: the real program, the clients that ask it all the time, and the volumes.
//! - One file or folder a group, each with `rows()`.
#![cfg(target_os = "linux")]
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]
use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;
use std::sync::{Arc, Mutex};

use libtest_mimic::{Arguments, Trial};
use test_support::findings::{FaultTable, Findings};

mod clients;
mod disk;
mod harness;
mod http2;
mod network;
mod reload;
mod soak;
mod stop;
mod tls;
mod upstream;

/// Groups whose rows wait most of their time, so that many are run beside one another. The rows of the others, which load the
/// machine or measure, have it for themselves.
const SIDE_BY_SIDE: [&str; 2] = ["upstream", "network"];
/// How many.
const AT_ONCE: usize = 12;
/// Groups that are run only where they are asked for.
const ASKED_FOR: [&str; 1] = ["soak"];

/// One fault.
pub(crate) struct Row {
    /// Who or what is at fault, such as `upstream`; the same for all rows of a file.
    pub(crate) group: &'static str,
    /// The fault.
    pub(crate) name: &'static str,
    /// Causes it and observes. An error, like a panic, says which claim does not hold.
    pub(crate) run: fn(&mut Findings) -> Result<(), String>,
}

fn rows() -> Vec<Row> {
    let mut rows = upstream::rows();
    rows.extend(network::rows());
    rows.extend(disk::rows());
    rows.extend(http2::rows());
    rows.extend(reload::rows());
    rows.extend(clients::rows());
    rows.extend(stop::rows());
    rows.extend(tls::rows());
    rows.extend(soak::rows());
    rows
}

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let table = Arc::new(Mutex::new(FaultTable::default()));
    let (beside, alone): (Vec<_>, Vec<_>) = rows()
        .into_iter()
        .partition(|row| SIDE_BY_SIDE.contains(&row.group));
    let mut has_failed = false;
    for (rows, at_once) in [(beside, AT_ONCE), (alone, 1)] {
        let trials = rows.into_iter().map(|row| trial(row, &table)).collect();
        let mut arguments = arguments.clone();
        arguments.test_threads.get_or_insert(at_once);
        has_failed |= libtest_mimic::run(&arguments, trials).has_failed();
    }
    let table = table.lock().expect("no row holds it");
    if !table.is_empty() {
        println!("{table}");
    }
    ExitCode::from(if has_failed { 101 } else { 0 })
}

/// The row as a test, which puts what it finds into the table.
fn trial(row: Row, table: &Arc<Mutex<FaultTable>>) -> Trial {
    let table = Arc::clone(table);
    let name = format!("{}: {}", row.group, row.name);
    let is_asked_for = ASKED_FOR.contains(&row.group);
    let trial = Trial::test(name, move || {
        let mut findings = Findings::default();
        let outcome = catch_unwind(AssertUnwindSafe(|| (row.run)(&mut findings)));
        let mut outcome = outcome.unwrap_or_else(|panic| Err(message(panic.as_ref())));
        if outcome.is_ok() && findings.has_lost() {
            outcome = Err("things were lost".to_owned());
        }
        let failure = outcome.as_ref().err().cloned();
        let mut table = table.lock().expect("no row panics while it holds it");
        table.add(row.group, row.name, findings, failure);
        outcome.map_err(Into::into)
    });
    trial.with_ignored_flag(is_asked_for)
}

fn message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
    text.unwrap_or("a panic").to_owned()
}
