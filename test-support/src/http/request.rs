//! A request to be written.

/// A request to be written as it stands: nothing is added but `Host`, where it has none, and a body's length.
#[derive(Debug, Clone)]
pub struct Request {
    /// All of it, where it was given so.
    recorded: Option<Vec<u8>>,
    method: String,
    path: String,
    headers: Vec<(String, String)>,
    body: Option<Vec<u8>>,
}

impl Request {
    /// A request without a body.
    pub fn new(method: &str, path: &str) -> Self {
        Self {
            recorded: None,
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

    /// `PUT` with a body and its length.
    pub fn put(path: &str, body: impl Into<Vec<u8>>) -> Self {
        Self {
            body: Some(body.into()),
            ..Self::new("PUT", path)
        }
    }

    /// What a client was seen to write, head and body; nothing can be added.
    pub fn recorded(bytes: impl Into<Vec<u8>>) -> Self {
        let bytes = bytes.into();
        let text = String::from_utf8_lossy(&bytes);
        let mut words = text.split(' ');
        let (method, path) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        Self {
            recorded: Some(bytes.clone()),
            ..Self::new(method, path)
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

    /// Whether its answer has no body.
    pub fn is_head(&self) -> bool {
        self.method == "HEAD"
    }

    /// What is written to the socket.
    pub fn bytes(&self) -> Vec<u8> {
        if let Some(recorded) = &self.recorded {
            return recorded.clone();
        }
        let mut bytes = format!("{} {} HTTP/1.1\r\n", self.method, self.path).into_bytes();
        if !self
            .headers
            .iter()
            .any(|(name, _)| name.eq_ignore_ascii_case("Host"))
        {
            bytes.extend(b"Host: proxy\r\n");
        }
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
