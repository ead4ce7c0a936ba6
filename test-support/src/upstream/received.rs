//! What the upstream was asked.
use std::io::BufRead;
use std::time::Instant;

use serde_json::Value;

/// One request as it came.
#[derive(Debug, Clone)]
pub struct ReceivedRequest {
    /// `GET` and the like.
    pub method: String,
    /// Path and query.
    pub target: String,
    /// Header lines in their order.
    pub headers: Vec<(String, String)>,
    /// The body, of a length that was said in advance.
    pub body: Vec<u8>,
    /// When its head had come.
    pub at: Instant,
}

impl ReceivedRequest {
    /// A header by name, any case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    /// The body as JSON.
    ///
    /// # Panics
    /// Where it is none.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("{error}: {:?}", String::from_utf8_lossy(&self.body)))
    }

    /// Reads a request with its body; `None`: the connection ends, or what comes is no request.
    pub(super) fn read(reader: &mut impl BufRead) -> Option<Self> {
        let mut line = || {
            let mut line = String::new();
            let bytes = reader.read_line(&mut line).ok()?;
            (bytes > 0).then(|| line.trim_end().to_owned())
        };
        let start = line()?;
        let mut parts = start.split(' ');
        let (method, target) = (parts.next()?.to_owned(), parts.next()?.to_owned());
        let mut headers = Vec::new();
        loop {
            let header = line()?;
            if header.is_empty() {
                break;
            }
            let (name, value) = header.split_once(':')?;
            headers.push((name.to_owned(), value.trim().to_owned()));
        }
        let mut request = Self {
            method,
            target,
            headers,
            body: Vec::new(),
            at: Instant::now(),
        };
        if let Some(length) = request.header("content-length") {
            request.body = vec![0; length.parse().ok()?];
            reader.read_exact(&mut request.body).ok()?;
        }
        Some(request)
    }
}
