//! What the SDKs write, byte by byte.
//!
//! The header fields and the lengths of heads and bodies are those that were recorded from the SDKs in November 2026; the
//! order of the fields is that of each SDK's HTTP client. The address is that of the server asked, the keys are as long as
//! the recorded ones. All identities are the same, some with the first of its traits alone.
use std::net::SocketAddr;

use test_support::http::Request;

use crate::documents::{CLIENT_KEY, SERVER_KEY};

/// An SDK and its requests.
#[derive(Debug, Clone, Copy)]
pub struct Client {
    /// Its name in the names of rows.
    pub name: &'static str,
    /// Its name and version.
    pub title: &'static str,
    /// Whether each request comes over a connection of its own.
    pub connects_anew: bool,
    key: &'static str,
    flags: &'static str,
    identity: &'static str,
    body: &'static str,
}

impl Client {
    /// `GET flags/` of the server at this address.
    pub fn flags(&self, address: SocketAddr) -> Request {
        self.written(self.flags, address, "")
    }

    /// `POST identities/` of the server at this address.
    pub fn identity(&self, address: SocketAddr) -> Request {
        self.written(self.identity, address, self.body)
    }

    fn written(&self, head: &str, address: SocketAddr, body: &str) -> Request {
        let head = head
            .replace("{address}", &address.to_string())
            .replace("{key}", self.key)
            .replace("{length}", &body.len().to_string())
            .replace('\n', "\r\n");
        Request::recorded(format!("{head}\r\n\r\n{body}"))
    }
}

/// The identity with the first of its traits.
const ONE_TRAIT: &str = r#"{"identifier":"somebody","traits":[{"trait_key":"plan","trait_value":"pro"}]}"#;

/// Those that are measured.
pub const ALL: [Client; 6] = [PYTHON, NODE, BROWSER, GO, JAVA, RUBY];

const PYTHON: Client = Client {
    name: "python",
    title: "Python 6.3",
    connects_anew: false,
    key: CLIENT_KEY,
    flags: "\
GET /api/v1/flags/ HTTP/1.1
Host: {address}
User-Agent: flagsmith-python-sdk/6.3.0
Accept-Encoding: gzip, deflate
Accept: */*
Connection: keep-alive
X-Environment-Key: {key}
Flagsmith-Application-Name: shop
Flagsmith-Application-Version: 1.0",
    identity: "\
POST /api/v1/identities/ HTTP/1.1
Host: {address}
User-Agent: flagsmith-python-sdk/6.3.0
Accept-Encoding: gzip, deflate
Accept: */*
Connection: keep-alive
X-Environment-Key: {key}
Flagsmith-Application-Name: shop
Flagsmith-Application-Version: 1.0
Content-Length: {length}
Content-Type: application/json",
    body: r#"{"identifier": "somebody", "traits": [{"trait_key": "plan", "trait_value": "pro"}, {"trait_key": "age", "trait_value": 31}, {"trait_key": "vip", "trait_value": true}]}"#,
};

const NODE: Client = Client {
    name: "node",
    title: "Node 8.1",
    connects_anew: false,
    key: CLIENT_KEY,
    flags: "\
GET /api/v1/flags/ HTTP/1.1
host: {address}
connection: keep-alive
Content-Type: application/json
X-Environment-Key: {key}
User-Agent: unknown
accept: */*
accept-language: *
sec-fetch-mode: cors
accept-encoding: gzip, deflate",
    identity: "\
POST /api/v1/identities/ HTTP/1.1
host: {address}
connection: keep-alive
Content-Type: application/json
X-Environment-Key: {key}
User-Agent: unknown
accept: */*
accept-language: *
sec-fetch-mode: cors
accept-encoding: gzip, deflate
content-length: {length}",
    body: r#"{"identifier":"somebody","traits":[{"trait_key":"plan","trait_value":"pro"},{"trait_key":"age","trait_value":31},{"trait_key":"vip","trait_value":true}]}"#,
};

/// Chromium with the JavaScript SDK, on a page of another port of the same host.
const BROWSER: Client = Client {
    name: "browser",
    title: "Chromium, JavaScript 12.4",
    connects_anew: false,
    key: CLIENT_KEY,
    flags: "\
GET /api/v1/flags/ HTTP/1.1
Host: {address}
Connection: keep-alive
sec-ch-ua-platform: \"Linux\"
Flagsmith-SDK-User-Agent: flagsmith-js-sdk/12.4.0
User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) HeadlessChrome/156.0.0.0 Safari/537.36
sec-ch-ua: \"Not:A-Brand\";v=\"8\", \"Chromium\";v=\"156\"
sec-ch-ua-mobile: ?0
X-Environment-Key: {key}
Accept: */*
Origin: http://127.0.0.1:54321
Sec-Fetch-Site: same-site
Sec-Fetch-Mode: cors
Sec-Fetch-Dest: empty
Referer: http://127.0.0.1:54321/
Accept-Encoding: gzip, deflate, br, zstd
Accept-Language: en-US,en;q=0.9",
    identity: "\
POST /api/v1/identities/ HTTP/1.1
Host: {address}
Connection: keep-alive
Content-Length: {length}
sec-ch-ua-platform: \"Linux\"
Flagsmith-SDK-User-Agent: flagsmith-js-sdk/12.4.0
User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) HeadlessChrome/156.0.0.0 Safari/537.36
sec-ch-ua: \"Not:A-Brand\";v=\"8\", \"Chromium\";v=\"156\"
Content-Type: application/json; charset=UTF-8
X-Environment-Key: {key}
sec-ch-ua-mobile: ?0
Accept: */*
Origin: http://127.0.0.1:54321
Sec-Fetch-Site: same-site
Sec-Fetch-Mode: cors
Sec-Fetch-Dest: empty
Referer: http://127.0.0.1:54321/
Accept-Encoding: gzip, deflate, br, zstd
Accept-Language: en-US,en;q=0.9",
    body: ONE_TRAIT,
};

const GO: Client = Client {
    name: "go",
    title: "Go 5.1",
    connects_anew: false,
    key: CLIENT_KEY,
    flags: "\
GET /api/v1/flags/ HTTP/1.1
Host: {address}
User-Agent: flagsmith-go-sdk/v5.1.0
Accept: application/json
X-Environment-Key: {key}
Accept-Encoding: gzip",
    identity: "\
POST /api/v1/identities/ HTTP/1.1
Host: {address}
User-Agent: flagsmith-go-sdk/v5.1.0
Content-Length: {length}
Accept: application/json
Content-Type: application/json
X-Environment-Key: {key}
Accept-Encoding: gzip",
    body: ONE_TRAIT,
};

const JAVA: Client = Client {
    name: "java",
    title: "Java 8.1",
    connects_anew: false,
    key: SERVER_KEY,
    flags: "\
GET /api/v1/flags/ HTTP/1.1
X-Environment-Key: {key}
User-Agent: flagsmith-java-sdk/8.1.0
Accept: application/json
Host: {address}
Connection: Keep-Alive
Accept-Encoding: gzip",
    identity: "\
POST /api/v1/identities/ HTTP/1.1
X-Environment-Key: {key}
User-Agent: flagsmith-java-sdk/8.1.0
Accept: application/json
Content-Type: application/json; charset=utf-8
Content-Length: {length}
Host: {address}
Connection: Keep-Alive
Accept-Encoding: gzip",
    body: ONE_TRAIT,
};

const RUBY: Client = Client {
    name: "ruby",
    title: "Ruby 4.3, each over a new connection",
    connects_anew: true,
    key: CLIENT_KEY,
    flags: "\
GET /api/v1/flags/ HTTP/1.1
User-Agent: flagsmith-ruby-sdk/4.3.0
Accept: application/json
Content-Type: application/json
X-Environment-Key: {key}
Accept-Encoding: gzip;q=1.0,deflate;q=0.6,identity;q=0.3
Host: {address}",
    identity: "\
POST /api/v1/identities/ HTTP/1.1
User-Agent: flagsmith-ruby-sdk/4.3.0
Accept: application/json
Content-Type: application/json
X-Environment-Key: {key}
Accept-Encoding: gzip;q=1.0,deflate;q=0.6,identity;q=0.3
Host: {address}
Content-Length: {length}",
    body: r#"{"identifier":"somebody","transient":false,"traits":[{"trait_key":"plan","trait_value":"pro"},{"trait_key":"age","trait_value":31},{"trait_key":"vip","trait_value":true}]}"#,
};

#[cfg(test)]
mod tests {
    use super::*;

    /// Bytes of the two heads and of the body.
    #[test]
    fn heads_and_bodies_are_as_long_as_the_recorded_ones() {
        let recorded = [
            ("python", 266, 325, 167),
            ("node", 251, 278, 153),
            ("browser", 614, 687, 77),
            ("go", 173, 231, 77),
            ("java", 200, 273, 77),
            ("ruby", 241, 268, 171),
        ];
        // The ports that systems choose have five digits.
        let address = SocketAddr::from(([127, 0, 0, 1], 54321));
        assert_eq!(ALL.map(|client| client.name), recorded.map(|(name, ..)| name));
        for (client, (name, flags, identity, body)) in ALL.iter().zip(recorded) {
            let head = client.flags(address).bytes().len();
            assert_eq!(head, flags, "{name}");
            let head = client.identity(address).bytes().len() - client.body.len();
            assert_eq!(head, identity, "{name}");
            assert_eq!(client.body.len(), body, "{name}");
        }
    }

    #[test]
    fn each_head_is_whole_and_tells_the_length_of_its_body() {
        let address = SocketAddr::from(([127, 0, 0, 1], 54321));
        for client in ALL {
            for (request, body) in [
                (client.flags(address), ""),
                (client.identity(address), client.body),
            ] {
                let text = String::from_utf8(request.bytes()).unwrap();
                let (head, rest) = text.split_once("\r\n\r\n").unwrap();
                assert_eq!(rest, body);
                assert!(!head.contains(['{', '}']), "{head}");
                let fields: Vec<_> = head
                    .split("\r\n")
                    .skip(1)
                    .map(|line| line.split_once(": ").unwrap())
                    .collect();
                let value = |name: &str| {
                    let mut found = fields
                        .iter()
                        .filter(|(found, _)| found.eq_ignore_ascii_case(name));
                    let value = found.next().map(|(_, value)| *value);
                    assert_eq!(found.next(), None, "{name} comes once");
                    value
                };
                assert_eq!(value("host"), Some("127.0.0.1:54321"));
                assert!(value("accept-encoding").unwrap().contains("gzip"));
                assert!(value("x-environment-key").is_some());
                let length = (!body.is_empty()).then(|| body.len().to_string());
                assert_eq!(value("content-length"), length.as_deref());
            }
        }
    }
}
