//! The patterns of all routes, and which of them a path is of: what metrics and spans need to know of each request.
//!
//! actix-web tells too (`match_pattern`), by a walk through its table and a new text each time, which costs as much as the
//! rest of what metrics do.
/// What metrics call a path that is of no route.
const UNMATCHED: &str = "unmatched";

/// The patterns, each with a number from 0. The last number is that of paths that are of none.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Patterns {
    names: Vec<String>,
    /// Those without a parameter, with and without their trailing slash, by their length: few have the same, so that a look-up is a
    /// comparison or two and costs less than a hash.
    exact: Vec<Vec<(String, usize)>>,
    /// Those with one: what comes before and after it.
    with_parameter: Vec<(String, String, usize)>,
}

impl Patterns {
    /// Adds one without its trailing slash, and with one parameter at most.
    pub(crate) fn add(&mut self, pattern: &str) {
        let (number, name) = (self.names.len(), format!("{pattern}/"));
        match (pattern.find('{'), pattern.find('}')) {
            (Some(start), Some(end)) => {
                let before = pattern.get(..start).unwrap_or_default();
                let after = pattern.get(end + 1..).unwrap_or_default();
                self.with_parameter
                    .push((before.to_owned(), after.to_owned(), number));
            }
            _ => {
                self.add_exact(pattern, number);
                self.add_exact(&name, number);
            }
        }
        self.names.push(name);
    }

    fn add_exact(&mut self, path: &str, number: usize) {
        if self.exact.len() <= path.len() {
            self.exact.resize_with(path.len() + 1, Vec::new);
        }
        if let Some(of_length) = self.exact.get_mut(path.len()) {
            of_length.push((path.to_owned(), number));
        }
    }

    /// How many numbers there are.
    pub(crate) fn count(&self) -> usize {
        self.names.len() + 1
    }

    /// The pattern with this number, with its trailing slash; `None`: there is none, as for paths that are of none.
    pub(crate) fn pattern(&self, number: usize) -> Option<&str> {
        self.names.get(number).map(String::as_str)
    }

    /// The same, as metrics call it.
    pub(crate) fn name(&self, number: usize) -> &str {
        self.pattern(number).unwrap_or(UNMATCHED)
    }

    /// Whether this is the number of a pattern without a parameter, so that its paths hold nothing of a client's.
    pub(crate) fn is_fixed(&self, number: usize) -> bool {
        self.pattern(number).is_some_and(|pattern| !pattern.contains('{'))
    }

    /// The number of the pattern that a path is of; `path` as the router read it.
    pub(crate) fn find(&self, path: &str) -> usize {
        let mut of_length = self.exact.get(path.len()).into_iter().flatten();
        if let Some((_, number)) = of_length.find(|(known, _)| known == path) {
            return *number;
        }
        let path = path.strip_suffix('/').unwrap_or(path);
        let found = self.with_parameter.iter().find(|(before, after, _)| {
            let parameter = path
                .strip_prefix(before.as_str())
                .and_then(|rest| rest.strip_suffix(after.as_str()));
            parameter.is_some_and(|parameter| !parameter.is_empty() && !parameter.contains('/'))
        });
        found.map_or(self.names.len(), |(_, _, number)| *number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_of_the_pattern_that_the_router_would_find() {
        let mut patterns = Patterns::default();
        for pattern in [
            "",
            "/api/v1/flags",
            "/sse/environments/{client_side_key}/stream",
            "/sse/environments/{client_side_key}/queue-change",
        ] {
            patterns.add(pattern);
        }
        for (path, name) in [
            ("/", "/"),
            ("/api/v1/flags", "/api/v1/flags/"),
            ("/api/v1/flags/", "/api/v1/flags/"),
            ("/api/v1/flags//", "unmatched"),
            ("/api/v1/flag", "unmatched"),
            (
                "/sse/environments/a b/stream",
                "/sse/environments/{client_side_key}/stream/",
            ),
            (
                "/sse/environments/a/queue-change/",
                "/sse/environments/{client_side_key}/queue-change/",
            ),
            ("/sse/environments//stream", "unmatched"),
            ("/sse/environments/stream", "unmatched"),
            ("/sse/environments/a/b/stream", "unmatched"),
            ("*", "unmatched"),
        ] {
            let number = patterns.find(path);
            assert!(number < patterns.count());
            assert_eq!(patterns.name(number), name, "{path}");
        }
    }
}
