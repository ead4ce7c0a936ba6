//! A client that shows exactly what was sent and received.
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use serde_json::Value;

/// Longer than anything the proxy may take to answer; a read past it fails the test instead of hanging it.
const PATIENCE: Duration = Duration::from_secs(20);

/// A request to be written as it stands.
#[derive(Debug, Clone)]
pub struct Request {
    method: String,
    path: String,
    headers: Vec<(String, String)>,
    body: Option<Vec<u8>>,
}

impl Request {
    /// A request without a body.
    pub fn new(method: &str, path: &str) -> Self {
        Self {
            method: method.to_owned(),
            path: path.to_owned(),
            headers: Vec::new(),
            body: None,
        }
    }

    /// `GET`.
    pub fn get(path: &str) -> Self {
        Self::new("GET", path)
    }

    /// `POST` with a body and its length.
    pub fn post(path: &str, body: impl Into<Vec<u8>>) -> Self {
        Self {
            body: Some(body.into()),
            ..Self::new("POST", path)
        }
    }

    /// Adds a header.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Adds the environment key.
    #[must_use]
    pub fn key(self, key: &str) -> Self {
        self.header("X-Environment-Key", key)
    }

    fn bytes(&self) -> Vec<u8> {
        let mut bytes = format!("{} {} HTTP/1.1\r\nHost: proxy\r\n", self.method, self.path).into_bytes();
        for (name, value) in &self.headers {
            bytes.extend(format!("{name}: {value}\r\n").bytes());
        }
        if let Some(body) = &self.body {
            bytes.extend(format!("Content-Length: {}\r\n", body.len()).bytes());
        }
        bytes.extend(b"\r\n");
        bytes.extend(self.body.iter().flatten());
        bytes
    }
}

/// A response as it came.
#[derive(Debug, Clone)]
pub struct Response {
    /// Status code.
    pub status: u16,
    /// Header lines in their order, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body, content coding untouched.
    pub body: Vec<u8>,
}

impl Response {
    /// The value of a header that comes once at most.
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
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("{error}: {:?}", String::from_utf8_lossy(&self.body)))
    }

    /// The body as text.
    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }
}

/// One connection, kept alive between requests.
pub struct Connection {
    stream: BufReader<TcpStream>,
}

impl Connection {
    /// Connects.
    pub fn open(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.set_write_timeout(Some(PATIENCE)).unwrap();
        stream.set_nodelay(true).unwrap();
        Self {
            stream: BufReader::new(stream),
        }
    }

    /// Sends a request and reads its response.
    pub fn send(&mut self, request: &Request) -> Response {
        self.write_request(request);
        self.read(request.method == "HEAD")
    }

    /// Sends a request without reading its response.
    pub fn write_request(&mut self, request: &Request) {
        self.write(&request.bytes());
    }

    /// Writes bytes as they are.
    pub fn write(&mut self, bytes: &[u8]) {
        self.stream.get_mut().write_all(bytes).unwrap();
    }

    /// Writes bytes that the proxy may refuse to read to their end.
    pub fn try_write(&mut self, bytes: &[u8]) {
        let _ = self.stream.get_mut().write_all(bytes);
    }

    /// Says that nothing more will be sent.
    pub fn finish(&mut self) {
        self.stream.get_mut().shutdown(std::net::Shutdown::Write).unwrap();
    }

    /// The same on a connection that the proxy may have ended.
    pub fn try_finish(&mut self) {
        let _ = self.stream.get_mut().shutdown(std::net::Shutdown::Write);
    }

    /// Reads one response.
    pub fn read(&mut self, is_head: bool) -> Response {
        let mut response = self.read_head();
        if !is_head && response.status != 304 && response.status != 204 {
            response.body = self.body(&response);
        }
        response
    }

    /// Reads the head of a response.
    pub fn read_head(&mut self) -> Response {
        let status_line = self.line();
        let status = status_line
            .split(' ')
            .nth(1)
            .and_then(|status| status.parse().ok());
        let status = status.unwrap_or_else(|| panic!("no status line: {status_line:?}"));
        let mut headers = Vec::new();
        loop {
            let line = self.line();
            if line.is_empty() {
                break;
            }
            let (name, value) = line.split_once(':').unwrap();
            headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
        }
        Response {
            status,
            headers,
            body: Vec::new(),
        }
    }

    /// Reads one chunk of a chunked body; `None`: it was the last one.
    pub fn chunk(&mut self) -> Option<String> {
        let length = usize::from_str_radix(&self.line(), 16).unwrap();
        let mut chunk = vec![0; length + 2];
        self.stream.read_exact(&mut chunk).unwrap();
        let text = String::from_utf8(chunk).unwrap();
        let text = text.strip_suffix("\r\n").expect("the end of a chunk");
        (length > 0).then(|| text.to_owned())
    }

    /// What the proxy writes next, as one write.
    pub fn read_once(&mut self) -> Vec<u8> {
        let read = self.stream.fill_buf().unwrap().to_vec();
        self.stream.consume(read.len());
        read
    }

    fn body(&mut self, head: &Response) -> Vec<u8> {
        assert_eq!(
            head.header("transfer-encoding"),
            None,
            "no answer here is chunked"
        );
        let length = head.header("content-length").expect("a length").parse().unwrap();
        let mut body = vec![0; length];
        self.stream.read_exact(&mut body).unwrap();
        body
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.stream.read_line(&mut line).unwrap();
        assert!(
            line.ends_with("\r\n"),
            "the connection ended within a head: {line:?}"
        );
        line.truncate(line.len() - 2);
        line
    }

    /// Whether the proxy has closed the connection, with nothing left to read. Waits for it.
    pub fn is_closed(&mut self) -> bool {
        match self.stream.read(&mut [0; 1]) {
            Ok(read) => read == 0,
            Err(error) => error.kind() == std::io::ErrorKind::ConnectionReset,
        }
    }

    /// Everything until the proxy closes the connection.
    pub fn rest(&mut self) -> Vec<u8> {
        let mut rest = Vec::new();
        // A reset after the last byte is an end as well.
        let _ = self.stream.read_to_end(&mut rest);
        rest
    }
}
