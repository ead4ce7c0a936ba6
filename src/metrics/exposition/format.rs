//! Which format a scraper takes.

/// A format of metrics.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    /// OpenMetrics 1.0 (<https://prometheus.io/docs/specs/om/open_metrics_spec/>).
    OpenMetrics,
    /// Prometheus' text format 0.0.4 (<https://prometheus.io/docs/instrumenting/exposition_formats/>): what a browser and `curl`
    /// get too.
    Plain,
}

/// What a scraper that wants OpenMetrics accepts.
const OPEN_METRICS: &str = "application/openmetrics-text";

impl Format {
    /// What the values of `Accept` ask for. Prometheus takes both, and OpenMetrics rather.
    pub(crate) fn accepted<'a>(accept: impl IntoIterator<Item = &'a str>) -> Self {
        let mut best = (0.0, Self::Plain);
        for range in accept.into_iter().flat_map(|value| value.split(',')) {
            let mut parts = range.split(';').map(str::trim);
            let format = match parts.next() {
                Some(name) if name.eq_ignore_ascii_case(OPEN_METRICS) => Self::OpenMetrics,
                Some(name) if name.eq_ignore_ascii_case("text/plain") => Self::Plain,
                _ => continue,
            };
            // A version that is not written here is not what is accepted.
            let is_known = |version: &str| format == Self::Plain || matches!(version, "0.0.1" | "1.0.0");
            let mut weight = 1.0;
            for (name, value) in parts.filter_map(|part| part.split_once('=')) {
                match name.trim() {
                    "q" => weight = value.trim().parse().unwrap_or(0.0),
                    "version" if !is_known(value.trim()) => weight = 0.0,
                    _ => {}
                }
            }
            if weight > best.0 {
                best = (weight, format);
            }
        }
        best.1
    }

    /// `Content-Type` of an answer.
    pub(crate) fn content_type(self) -> &'static str {
        match self {
            Self::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
            Self::Plain => "text/plain; version=0.0.4; charset=utf-8",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn open_metrics_is_for_those_who_ask_for_it() {
        for (accept, expected) in [
            (vec![], Format::Plain),
            (vec!["*/*"], Format::Plain),
            (vec!["text/html,application/xhtml+xml,*/*;q=0.8"], Format::Plain),
            (vec!["application/openmetrics-text"], Format::OpenMetrics),
            // Prometheus 2 and 3.
            (
                vec![
                    "application/openmetrics-text;version=1.0.0;q=0.5,application/openmetrics-text;version=0.0.1;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2",
                ],
                Format::OpenMetrics,
            ),
            (
                vec![
                    "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,*/*;q=0.2",
                ],
                Format::OpenMetrics,
            ),
            (
                vec![
                    "text/plain;version=0.0.4;q=0.9",
                    "Application/OpenMetrics-Text; q=0.1",
                ],
                Format::Plain,
            ),
            (vec!["application/openmetrics-text;version=2.0.0"], Format::Plain),
            (vec!["application/openmetrics-text;q=0"], Format::Plain),
            (vec!["application/openmetrics-text;q=x"], Format::Plain),
        ] {
            assert_eq!(Format::accepted(accept.iter().copied()), expected, "{accept:?}");
        }
    }
}
