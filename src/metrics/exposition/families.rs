//! Writing families of samples by the library.
use std::fmt;

use actors::counts::Distribution;
use prometheus_client::encoding::{DescriptorEncoder, EncodeCounterValue, MetricEncoder, NoLabelSet};
use prometheus_client::metrics::MetricType;

/// The labels of a sample. The library escapes what a value must not hold as it is.
pub(super) type Labels<'a> = Vec<(&'static str, &'a str)>;

/// What the units of a distribution are for the text.
#[derive(Debug, Clone, Copy)]
pub(super) enum Unit {
    /// Nanoseconds become seconds.
    Nanoseconds,
    /// They stay what they are.
    Bytes,
}

impl Unit {
    #[expect(
        clippy::cast_precision_loss,
        reason = "a sum is exact up to 104 days or 9 PB, and close enough past that"
    )]
    fn convert(self, value: u64) -> f64 {
        match self {
            Self::Nanoseconds => value as f64 / 1e9,
            Self::Bytes => value as f64,
        }
    }
}

/// Where families are written.
pub(super) struct Families<'a, 'e>(&'a mut DescriptorEncoder<'e>);

impl<'a, 'e> Families<'a, 'e> {
    pub(super) fn new(encoder: &'a mut DescriptorEncoder<'e>) -> Self {
        Self(encoder)
    }

    /// Numbers that only grow; `name` without `_total`.
    pub(super) fn counters<'l>(
        &mut self,
        name: &str,
        help: &str,
        samples: impl IntoIterator<Item = (Labels<'l>, impl EncodeCounterValue)>,
    ) -> fmt::Result {
        let mut family = self.0.encode_descriptor(name, help, None, MetricType::Counter)?;
        for (labels, value) in samples {
            sample(&mut family, &labels, |sample| {
                sample.encode_counter::<NoLabelSet, _, u64>(&value, None)
            })?;
        }
        Ok(())
    }

    /// Numbers that go up and down.
    pub(super) fn gauges<'l>(
        &mut self,
        name: &str,
        help: &str,
        samples: impl IntoIterator<Item = (Labels<'l>, f64)>,
    ) -> fmt::Result {
        let mut family = self.0.encode_descriptor(name, help, None, MetricType::Gauge)?;
        for (labels, value) in samples {
            sample(&mut family, &labels, |sample| sample.encode_gauge(&value))?;
        }
        Ok(())
    }

    /// Distributions.
    pub(super) fn histograms<'l, 'd>(
        &mut self,
        (name, unit): (&str, Unit),
        help: &str,
        samples: impl IntoIterator<Item = (Labels<'l>, &'d Distribution)>,
    ) -> fmt::Result {
        let mut family = self
            .0
            .encode_descriptor(name, help, None, MetricType::Histogram)?;
        for (labels, distribution) in samples {
            let bounds = distribution.bounds.iter().map(|bound| match *bound {
                u64::MAX => f64::INFINITY,
                bound => unit.convert(bound),
            });
            let buckets: Vec<_> = bounds.zip(distribution.counts.iter().copied()).collect();
            let (sum, count) = (unit.convert(distribution.sum), distribution.count());
            sample(&mut family, &labels, |sample| {
                sample.encode_histogram::<NoLabelSet>(sum, count, &buckets, None)
            })?;
        }
        Ok(())
    }

    /// What does not change; `name` without `_info`.
    pub(super) fn info(&mut self, name: &str, help: &str, labels: &Labels<'_>) -> fmt::Result {
        let mut family = self.0.encode_descriptor(name, help, None, MetricType::Info)?;
        family.encode_info(labels)
    }
}

fn sample(
    family: &mut MetricEncoder<'_>,
    labels: &Labels<'_>,
    write: impl FnOnce(&mut MetricEncoder<'_>) -> fmt::Result,
) -> fmt::Result {
    if labels.is_empty() {
        write(family)
    } else {
        write(&mut family.encode_family(labels)?)
    }
}

/// A sample without labels.
pub(super) fn alone<T>(value: T) -> [(Labels<'static>, T); 1] {
    [(Vec::new(), value)]
}

/// One label, whose value is a word of ours.
pub(super) fn label(name: &'static str, value: &'static str) -> Labels<'static> {
    vec![(name, value)]
}

/// A yes or no as a number.
pub(super) fn flag(is_so: bool) -> f64 {
    if is_so { 1.0 } else { 0.0 }
}

/// A count as what gauges are written as.
#[expect(clippy::cast_precision_loss, reason = "exact up to 2^53")]
pub(super) fn number(count: u64) -> f64 {
    count as f64
}

/// The same of a size in memory.
pub(super) fn size(count: usize) -> f64 {
    number(u64::try_from(count).unwrap_or(u64::MAX))
}
