use std::fmt;

/// `OTEL_TRACING_EXCLUDED_URL_PATHS`: paths that are not traced, divided by commas.
///
/// The official Edge Proxy looks for each entry anywhere in the URL, as a pattern. Here it is found wherever its segments
/// stand: `health` excludes `/health` and `/proxy/health/liveness`, and not `/healthy`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ExcludedPaths(Vec<Vec<String>>);

impl ExcludedPaths {
    /// Reads the list.
    pub(crate) fn parse(list: &str) -> Self {
        let entries = list.split(',').map(|entry| {
            let segments = segments(entry.trim());
            segments.map(str::to_owned).collect::<Vec<_>>()
        });
        Self(entries.filter(|segments| !segments.is_empty()).collect())
    }

    /// Whether an entry has what paths have not, and patterns have.
    pub(crate) fn has_pattern(&self) -> bool {
        let is_of_a_pattern = |letter: char| r"^$*+?()[]{}|\".contains(letter);
        self.0
            .iter()
            .flatten()
            .any(|segment| segment.contains(is_of_a_pattern))
    }

    /// Whether a path is excluded.
    pub(crate) fn cover(&self, path: &str) -> bool {
        !self.0.is_empty() && self.0.iter().any(|entry| is_in(entry, path))
    }
}

/// Writes it as it is given.
impl fmt::Display for ExcludedPaths {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let entries: Vec<_> = self.0.iter().map(|entry| entry.join("/")).collect();
        f.write_str(&entries.join(","))
    }
}

fn segments(path: &str) -> impl Iterator<Item = &str> + Clone {
    path.split('/').filter(|segment| !segment.is_empty())
}

fn is_in(entry: &[String], path: &str) -> bool {
    let mut rest = segments(path);
    loop {
        let mut here = rest.clone();
        if entry.iter().all(|segment| here.next() == Some(segment)) {
            return true;
        }
        if rest.next().is_none() {
            return false;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_are_found_by_their_segments() {
        let excluded = ExcludedPaths::parse(" health/liveness, /sse/health/ ,,flags");
        assert_eq!(excluded.to_string(), "health/liveness,sse/health,flags");
        for (path, expected) in [
            ("/proxy/health/liveness", true),
            ("/proxy/health/liveness/", true),
            ("//health//liveness", true),
            ("/proxy/health/readiness", false),
            ("/health", false),
            ("/api/v1/sse/health", true),
            ("/api/v1/flags/", true),
            ("/api/v1/flagsmith", false),
            ("/", false),
        ] {
            assert_eq!(excluded.cover(path), expected, "{path}");
        }
        for nothing in ["", " , /"] {
            assert!(!ExcludedPaths::parse(nothing).cover("/"), "{nothing}");
        }
    }
}
