//! Prometheus' own text format, made of OpenMetrics: the library writes that alone, and not every scraper reads it.
//!
//! The samples are the same. A counter's family is named without `_total` in OpenMetrics and with it here, that of an info
//! likewise, and there are neither units nor an end.
use std::fmt::Write as _;

/// Writes the same samples.
pub(super) fn of_open_metrics(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    // What is said of a family before its type is known.
    let mut help = None;
    for line in text.lines() {
        let Some(comment) = line.strip_prefix("# ") else {
            plain.push_str(line);
            plain.push('\n');
            continue;
        };
        let mut words = comment.splitn(3, ' ');
        match (words.next(), words.next(), words.next()) {
            (Some("HELP"), Some(_), text) => help = text,
            (Some("TYPE"), Some(name), Some(kind)) => {
                let (suffix, kind) = match kind {
                    "counter" => ("_total", "counter"),
                    "info" => ("_info", "gauge"),
                    "unknown" => ("", "untyped"),
                    other => ("", other),
                };
                // Writing to a text does not fail.
                if let Some(help) = help.take() {
                    let _ = writeln!(plain, "# HELP {name}{suffix} {help}");
                }
                let _ = writeln!(plain, "# TYPE {name}{suffix} {kind}");
            }
            _ => {}
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn families_are_named_as_prometheus_names_them() {
        let text = "# HELP a What a is.\n# TYPE a counter\na_total{b=\"# c\"} 1\n# HELP d e\n# TYPE d info\nd_info{f=\"g\"} 1\n\
                    # HELP h i\n# TYPE h_seconds gauge\n# UNIT h_seconds seconds\nh_seconds 1.5\n# TYPE j unknown\nj 1\n# EOF\n";
        let plain = "# HELP a_total What a is.\n# TYPE a_total counter\na_total{b=\"# c\"} 1\n# HELP d_info e\n# TYPE d_info gauge\n\
                     d_info{f=\"g\"} 1\n# HELP h_seconds i\n# TYPE h_seconds gauge\nh_seconds 1.5\n# TYPE j untyped\nj 1\n";
        assert_eq!(of_open_metrics(text), plain);
    }
}
