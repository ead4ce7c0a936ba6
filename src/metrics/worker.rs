//! Where one worker counts its requests.
use std::cell::RefCell;
use std::sync::Arc;

use actix_web::http::StatusCode;

use super::labels::MethodNumber;
use super::requests::{RequestCounts, Series};

/// Where one worker counts.
#[derive(Debug)]
pub(crate) struct WorkerCounts {
    counts: Arc<RequestCounts>,
    recent: RefCell<Recent>,
}

impl WorkerCounts {
    /// In what this worker alone writes to.
    pub(super) fn new(counts: Arc<RequestCounts>) -> Self {
        Self {
            counts,
            recent: RefCell::default(),
        }
    }

    /// Counts a request; `path` as the router read it, `bytes` of the answer's body where they are known.
    pub(crate) fn count(
        &self,
        path: &str,
        method: MethodNumber,
        status: StatusCode,
        nanoseconds: u64,
        bytes: Option<u64>,
    ) {
        let mut recent = self.recent.borrow_mut();
        if let Some(series) = recent.series(path, method, status) {
            return series.count(nanoseconds, bytes);
        }
        let patterns = &self.counts.patterns;
        let route = patterns.find(path);
        if let Some(series) = self.counts.series(route, method, status) {
            series.count(nanoseconds, bytes);
            // A parameter may be a key, and what is of no pattern is a client's own text.
            if patterns.is_fixed(route) {
                recent.keep(path, method, status, series);
            }
        }
    }
}

/// The series of requests like the last ones. The next ones are likely like them, and each finds its series by one comparison.
#[derive(Debug, Default)]
struct Recent([RecentSeries; 16]);

/// What such requests have in common. All of it is in one cache line.
#[derive(Debug, Default)]
#[repr(align(64))]
struct RecentSeries {
    path: ShortPath,
    method: MethodNumber,
    status: StatusCode,
    /// `None`: there was no such request.
    series: Option<Arc<Series>>,
}

impl Recent {
    /// That of requests like this one; `None`: there was none of late.
    fn series(&mut self, path: &str, method: MethodNumber, status: StatusCode) -> Option<&Series> {
        let recent = self.place(path, method, status)?;
        let is_same = recent.path.is(path) && recent.method == method && recent.status == status;
        recent.series.as_deref().filter(|_| is_same)
    }

    /// Remembers it, where the path is not longer than those of the routes are by default.
    fn keep(&mut self, path: &str, method: MethodNumber, status: StatusCode, series: Arc<Series>) {
        if let (Some(path), Some(recent)) = (ShortPath::new(path), self.place(path, method, status)) {
            *recent = RecentSeries {
                path,
                method,
                status,
                series: Some(series),
            };
        }
    }

    /// What is asked for often differs in its path's length, method or status, and so in its place.
    fn place(&mut self, path: &str, method: MethodNumber, status: StatusCode) -> Option<&mut RecentSeries> {
        let sum = path.len() + 4 * method.place() + 3 * usize::from(status.as_u16());
        let place = sum % self.0.len();
        self.0.get_mut(place)
    }
}

/// A path with no allocation of its own, which would be another cache line.
#[derive(Debug, Clone, Copy)]
struct ShortPath {
    length: u8,
    bytes: [u8; Self::LONGEST],
}

impl ShortPath {
    const LONGEST: usize = 48;

    /// `None`: it is too long.
    fn new(path: &str) -> Option<Self> {
        let length = u8::try_from(path.len()).ok()?;
        let mut bytes = [0; Self::LONGEST];
        bytes.get_mut(..path.len())?.copy_from_slice(path.as_bytes());
        Some(Self { length, bytes })
    }

    fn is(&self, path: &str) -> bool {
        self.bytes.get(..usize::from(self.length)) == Some(path.as_bytes())
    }
}

impl Default for ShortPath {
    /// The empty one.
    fn default() -> Self {
        Self {
            length: 0,
            bytes: [0; Self::LONGEST],
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::routes::Patterns;

    use super::*;

    /// How many series are remembered after one request to each path.
    fn remembered(paths: &[&str]) -> usize {
        let mut patterns = Patterns::default();
        let long = format!("/{}/flags", "prefix".repeat(10));
        for pattern in [
            "",
            "/api/v1/flags",
            "/sse/environments/{client_side_key}/stream",
            &long,
        ] {
            patterns.add(pattern);
        }
        let counts = WorkerCounts::new(Arc::new(RequestCounts::new(Arc::new(patterns))));
        for path in paths {
            counts.count(path, MethodNumber::GET, StatusCode::OK, 1, Some(1));
        }
        let recent = counts.recent.borrow();
        recent.0.iter().filter(|recent| recent.series.is_some()).count()
    }

    #[test]
    fn requests_to_the_same_route_are_remembered_once() {
        assert_eq!(remembered(&["/api/v1/flags/", "/api/v1/flags/"]), 1);
        assert_eq!(remembered(&["/api/v1/flags/", "/api/v1/flags", "/"]), 3);
    }

    #[test]
    fn no_path_that_a_client_chooses_is_remembered() {
        let long = format!("/{}/flags/", "prefix".repeat(10));
        for path in [
            "/sse/environments/client-key/stream",
            "/sse/environments/k/stream/",
            "/client-key",
            "*",
            "/api/v1/flags//",
            &long,
        ] {
            assert_eq!(remembered(&[path]), 0, "{path}");
        }
    }

    #[test]
    fn frequent_requests_have_places_of_their_own() {
        let frequent = [
            ("/api/v1/flags/", MethodNumber::GET, 200),
            ("/api/v1/flags/", MethodNumber::GET, 304),
            ("/api/v1/identities/", MethodNumber::POST, 200),
            ("/api/v1/identities/", MethodNumber::GET, 200),
            ("/api/v1/environment-document/", MethodNumber::GET, 200),
            ("/api/v1/environment-document/", MethodNumber::GET, 304),
            ("/api/v1/analytics/flags/", MethodNumber::POST, 200),
            ("/api/v2/analytics/flags/", MethodNumber::POST, 204),
            ("/proxy/health/readiness/", MethodNumber::GET, 200),
        ];
        let mut recent = Recent::default();
        for (path, method, status) in frequent {
            let status = StatusCode::from_u16(status).unwrap();
            recent.keep(path, method, status, Arc::default());
        }
        for (path, method, status) in frequent {
            let status = StatusCode::from_u16(status).unwrap();
            assert!(recent.series(path, method, status).is_some(), "{path} {status}");
        }
    }

    #[test]
    fn what_requests_have_in_common_is_in_one_cache_line() {
        assert_eq!(size_of::<RecentSeries>(), 64);
    }

    #[test]
    fn a_short_path_is_the_one_that_it_was_made_of() {
        let longest = "/".repeat(ShortPath::LONGEST);
        for path in ["", "/", "/api/v1/flags/", &longest] {
            let short = ShortPath::new(path).unwrap();
            assert!(short.is(path));
            assert!(!short.is(&format!("{path}/")));
            assert_eq!(short.is(path.strip_suffix('/').unwrap_or(path)), path.is_empty());
        }
        assert!(ShortPath::new(&format!("{longest}/")).is_none());
        assert!(ShortPath::new(&"/".repeat(1_000)).is_none());
    }
}
