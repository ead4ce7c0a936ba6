//! A reading as text. The names of metrics are told to operators (docs/monitoring.md, dashboards, alert rules), so none is changed lightly.
//!
//! # Layout
//! - `format`: which format a scraper takes; `plain`: Prometheus' own, made of OpenMetrics.
//! - `families`: writing one family of samples. What is written: `requests`, `environments`, `parts`, `process`.
mod environments;
mod families;
mod format;
mod parts;
mod plain;
mod process;
mod requests;

use std::fmt;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, text};
use prometheus_client::registry::Registry;

use super::reading::Reading;
use families::Families;

pub(crate) use format::Format;

/// Writes a reading in a format.
pub(super) fn encode(reading: Reading, format: Format) -> String {
    let mut registry = Registry::default();
    registry.register_collector(Box::new(Exposition(reading)));
    let mut text = String::new();
    if let Err(error) = text::encode(&mut text, &registry) {
        // Only a writer that fails can bring it about, and a text does not.
        log::error!("metrics cannot be written: {error}; please report this as a defect");
    }
    match format {
        Format::OpenMetrics => text,
        Format::Plain => plain::of_open_metrics(&text),
    }
}

/// A reading that is written once.
#[derive(Debug)]
struct Exposition(Reading);

impl Collector for Exposition {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        let Self(reading) = self;
        let mut families = Families::new(&mut encoder);
        requests::write(&mut families, reading)?;
        environments::write(&mut families, reading)?;
        parts::write(&mut families, reading)?;
        process::write(&mut families, reading)
    }
}

#[cfg(test)]
mod tests;
