//! Variables by the types of the specification
//! (<https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/#configuration-types>): what is not
//! understood is warned of, and counts as not set.
use std::time::Duration;

use super::Signal;
use crate::settings::Notice;
use crate::settings::variables::{Variable, Variables};

/// The longest of all times, a day, in milliseconds. It stands for no limit, too, as the specification allows.
const DAY: u64 = 24 * 60 * 60 * 1000;

/// Reads variables by the types of the specification.
pub(super) struct Reader<'a> {
    pub(super) variables: &'a Variables,
    pub(super) notices: &'a mut Vec<Notice>,
}

impl<'a> Reader<'a> {
    /// A signal's own variable, or the one for all signals.
    pub(super) fn variable_of(&self, signal: Signal, name: &str) -> Option<&'a Variable> {
        self.own_variable_of(signal, name)
            .or_else(|| self.variables.get(&format!("otel_exporter_otlp_{name}")))
    }

    pub(super) fn own_variable_of(&self, signal: Signal, name: &str) -> Option<&'a Variable> {
        self.variables
            .get(&format!("otel_exporter_otlp_{}_{name}", signal.name()))
    }

    /// Whether a signal has an endpoint, and an exporter.
    pub(super) fn is_sent(&mut self, signal: Signal) -> bool {
        if self.variable_of(signal, "endpoint").is_none() {
            return false;
        }
        let Some(variable) = self.variables.get(&format!("otel_{}_exporter", signal.name())) else {
            return true;
        };
        let named = || variable.text.split(',').map(str::trim);
        let is_known = |name: &str| name.eq_ignore_ascii_case("otlp") || name.eq_ignore_ascii_case("none");
        if !named().all(is_known) {
            self.warn(
                variable,
                "names an exporter that there is not; there are otlp and none",
            );
        }
        !named().any(|name| name.eq_ignore_ascii_case("none"))
    }

    /// What the first of a signal's variables says that is understood: its own, or else the one for all signals.
    pub(super) fn understood<T>(
        &mut self,
        signal: Signal,
        name: &str,
        problem: &str,
        read: impl Fn(&str) -> Option<T>,
    ) -> Option<T> {
        let own = self.own_variable_of(signal, name);
        let all = self.variables.get(&format!("otel_exporter_otlp_{name}"));
        for variable in own.into_iter().chain(all) {
            match read(variable.text.trim()) {
                None => self.warn(variable, problem),
                understood => return understood,
            }
        }
        None
    }

    /// `true` in any case is true, everything else is false.
    pub(super) fn truth(&mut self, name: &str) -> bool {
        let variable = self.variables.get(name);
        variable.is_some_and(|variable| self.is_true(variable))
    }

    /// The same of a signal's own variable, or of the one for all signals.
    pub(super) fn truth_of(&mut self, signal: Signal, name: &str) -> bool {
        let variable = self.variable_of(signal, name);
        variable.is_some_and(|variable| self.is_true(variable))
    }

    fn is_true(&mut self, variable: &Variable) -> bool {
        let text = variable.text.trim();
        if !text.eq_ignore_ascii_case("true") && !text.eq_ignore_ascii_case("false") {
            self.warn(variable, "is neither true nor false, so it counts as false");
        }
        text.eq_ignore_ascii_case("true")
    }

    /// A whole number from `least` to `most`.
    pub(super) fn number(&mut self, name: &str, least: u64, most: u64, default: u64) -> u64 {
        let Some(variable) = self.variables.get(name) else {
            return default;
        };
        number(&variable.text, least, most).unwrap_or_else(|| {
            self.warn(
                variable,
                &format!("is no whole number from {least} to {most}, so the default counts, {default}"),
            );
            default
        })
    }

    /// A time in milliseconds.
    pub(super) fn milliseconds(&mut self, name: &str, least: u64, default: u64) -> Duration {
        Duration::from_millis(self.number(name, least, DAY, default))
    }

    /// A time in milliseconds after which something is given up; 0 is no limit.
    pub(super) fn timeout(&mut self, name: &str, default: u64) -> Duration {
        limit(self.number(name, 0, DAY, default))
    }

    /// The same of a signal.
    pub(super) fn timeout_of(&mut self, signal: Signal, name: &str, default: u64) -> Duration {
        let problem = format!("is no whole number from 0 to {DAY}, so it counts as not set");
        let read = self.understood(signal, name, &problem, |text| number(text, 0, DAY));
        limit(read.unwrap_or(default))
    }

    pub(super) fn warn(&mut self, variable: &Variable, problem: &str) {
        let notice = Notice::warning(format!("environment variable {} {problem}", variable.name));
        // One variable is read for both signals.
        if !self.notices.contains(&notice) {
            self.notices.push(notice);
        }
    }

    /// Tells of what other SDKs read, and whoever sets it counts on; `has_metrics`: whether any are sent.
    pub(super) fn tell_of_unsupported(&mut self, has_metrics: bool) {
        for name in ["client_key", "client_certificate"] {
            for signal in [Signal::Traces, Signal::Metrics] {
                if let Some(variable) = self.variable_of(signal, name) {
                    self.warn(variable, "has no effect: no collector is shown a certificate");
                    break;
                }
            }
        }
        for name in ["otel_config_file", "otel_experimental_config_file"] {
            if let Some(variable) = self.variables.get(name) {
                self.warn(
                    variable,
                    "has no effect: no file is read in place of these variables",
                );
            }
        }
        if has_metrics {
            self.tell_of_another(
                "otel_exporter_otlp_metrics_temporality_preference",
                "cumulative",
                "has no effect: metrics add up from the start (cumulative)",
            );
            self.tell_of_another(
                "otel_exporter_otlp_metrics_default_histogram_aggregation",
                "explicit_bucket_histogram",
                "has no effect: histograms have the buckets of /metrics",
            );
        }
    }

    /// Tells of a variable that asks for anything but the one that there is.
    fn tell_of_another(&mut self, name: &str, only: &str, problem: &str) {
        if let Some(variable) = self.variables.get(name)
            && !variable.text.trim().eq_ignore_ascii_case(only)
        {
            self.warn(variable, problem);
        }
    }
}

fn number(text: &str, least: u64, most: u64) -> Option<u64> {
    let number = text.trim().parse().ok();
    number.filter(|number| (least..=most).contains(number))
}

/// A time after which something is given up, in milliseconds.
fn limit(milliseconds: u64) -> Duration {
    Duration::from_millis(if milliseconds == 0 { DAY } else { milliseconds })
}
