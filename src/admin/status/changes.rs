//! Which parts of a page have changed since they were sent last.
use std::collections::HashMap;
use std::hash::{BuildHasher as _, BuildHasherDefault, DefaultHasher};

use askama::Template;
use serde::Serialize;

use super::page::{Process, Row, Summary, rows};
use super::report::Report;

/// The parts of a page as it has them, each by a hash of its text: hundreds of environments are hundreds of kilobytes.
#[derive(Debug, Default)]
pub(super) struct Shown {
    summary: Option<u64>,
    process: Option<u64>,
    /// By the environment's number.
    environments: HashMap<String, ShownRow>,
    order: Vec<String>,
}

/// An environment as a page has it.
#[derive(Debug, Default)]
struct ShownRow {
    row: Option<u64>,
    rate: String,
}

/// What a page is to show in the place of what it has; a part that is not there stays.
#[derive(Debug, Default, PartialEq, Eq, Serialize)]
pub(super) struct Changes {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) summary: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) process: Option<String>,
    /// Environments that are new or have changed, each with its number.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) environments: Vec<(String, String)>,
    /// Requests a second that have changed, each with its environment's number. After the rows: those come without.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) rates: Vec<(String, String)>,
    /// The numbers of all of them, where others are there than before, or in another order.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) order: Option<Vec<String>>,
}

impl Changes {
    pub(super) fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

impl Shown {
    /// Takes what is to be shown from now on, and gives what that changes.
    pub(super) fn take(&mut self, report: &Report) -> Changes {
        let mut changes = Changes {
            summary: changed(&mut self.summary, &Summary::of(report)),
            process: changed(&mut self.process, &Process::of(report)),
            ..Changes::default()
        };
        let mut order = Vec::with_capacity(self.order.len());
        let mut before = std::mem::take(&mut self.environments);
        for environment in rows(report) {
            let number = environment.number.clone();
            let mut shown = before.remove(&number).unwrap_or_default();
            let row = changed(&mut shown.row, &Row::without_rate(environment));
            let rate = environment.rate();
            if row.is_some() || shown.rate != rate {
                changes.rates.push((number.clone(), rate.clone()));
                shown.rate = rate;
            }
            changes.environments.extend(row.map(|row| (number.clone(), row)));
            self.environments.insert(number.clone(), shown);
            order.push(number);
        }
        if order != self.order {
            self.order.clone_from(&order);
            changes.order = Some(order);
        }
        changes
    }
}

/// Writes a part; `None`: it is shown already.
fn changed(shown: &mut Option<u64>, part: &impl Template) -> Option<String> {
    // A mistake in a template alone can bring an error about; the part stays then.
    let part = part.render().ok()?;
    let hash = BuildHasherDefault::<DefaultHasher>::default().hash_one(&part);
    let is_known = shown.replace(hash) == Some(hash);
    (!is_known).then_some(part)
}
