//! A response as it came.
use std::io;

use serde_json::Value;

/// A response as it came.
#[derive(Debug, Clone)]
pub struct Response {
    /// Status code.
    pub status: u16,
    /// Header lines in their order, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body, content coding untouched.
    pub body: Vec<u8>,
    head: Vec<u8>,
}

impl Response {
    /// Reads a head, which is given with its empty line; the body is still to come.
    ///
    /// # Errors
    /// Where this is no head of an HTTP/1 response.
    pub fn parse_head(head: Vec<u8>) -> io::Result<Self> {
        let no_head =
            |what: &str| io::Error::other(format!("{what} in {:?}", String::from_utf8_lossy(&head)));
        let text = head
            .strip_suffix(b"\r\n\r\n")
            .and_then(|head| std::str::from_utf8(head).ok())
            .ok_or_else(|| no_head("no whole head"))?;
        let mut lines = text.split("\r\n");
        let status = lines
            .next()
            .and_then(|line| line.strip_prefix("HTTP/1."))
            .and_then(|line| line.split(' ').nth(1)?.parse().ok())
            .ok_or_else(|| no_head("no status line"))?;
        let mut headers = Vec::new();
        for line in lines {
            let (name, value) = line.split_once(':').ok_or_else(|| no_head("no header"))?;
            headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
        }
        Ok(Self {
            status,
            headers,
            body: Vec::new(),
            head,
        })
    }

    /// How many bytes of body belong to this head; `is_head`: it answers a `HEAD`.
    ///
    /// # Errors
    /// Where its length is not told in advance: no answer but a stream is chunked.
    pub fn body_length(&self, is_head: bool) -> io::Result<usize> {
        if is_head || self.status == 304 || self.status == 204 {
            return Ok(0);
        }
        if self.header("transfer-encoding").is_some() {
            return Err(io::Error::other("an answer that should not be chunked"));
        }
        self.header("content-length")
            .and_then(|length| length.parse().ok())
            .ok_or_else(|| io::Error::other("an answer without its length"))
    }

    /// The value of a header, by its name in lower case, that comes once at most.
    ///
    /// # Panics
    /// Where it comes more than once.
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut values = self
            .headers
            .iter()
            .filter(|(found, _)| found == name)
            .map(|(_, value)| value.as_str());
        let first = values.next();
        assert_eq!(values.next(), None, "{name} comes more than once");
        first
    }

    /// The body as JSON.
    ///
    /// # Panics
    /// Where it is none.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("{error}: {:?}", String::from_utf8_lossy(&self.body)))
    }

    /// The body as text.
    ///
    /// # Panics
    /// Where it is not UTF-8.
    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    /// Head and body as they came over the wire.
    pub fn bytes(&self) -> Vec<u8> {
        [self.head.as_slice(), &self.body].concat()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_is_read_as_it_came() {
        let head = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-Twice: a\r\nx-twice:  b \r\n\r\n";
        let mut response = Response::parse_head(head.to_vec()).unwrap();
        assert_eq!(response.status, 200);
        assert_eq!(response.headers[2], ("x-twice".to_owned(), "b".to_owned()));
        assert_eq!(response.body_length(false).unwrap(), 2);
        assert_eq!(response.body_length(true).unwrap(), 0);
        response.body = b"[]".to_vec();
        assert_eq!(response.bytes(), [head.as_slice(), b"[]"].concat());
    }

    #[test]
    fn what_is_no_head_of_a_response_is_an_error() {
        for head in [
            "",
            "HTTP/1.1 200 OK\r\n",
            "GET / HTTP/1.1\r\n\r\n",
            "HTTP/1.1 ok\r\n\r\n",
            "HTTP/1.1 200 OK\r\nnonsense\r\n\r\n",
        ] {
            assert!(Response::parse_head(head.into()).is_err(), "{head:?}");
        }
        let chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
        let chunked = Response::parse_head(chunked.to_vec()).unwrap();
        assert!(chunked.body_length(false).is_err());
    }
}
