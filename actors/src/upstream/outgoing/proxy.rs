use std::fmt;
use std::net::Ipv6Addr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use percent_encoding::percent_decode_str;

/// A proxy that CONNECT goes through. Neither format shows its credentials.
#[derive(Clone, PartialEq, Eq)]
pub struct OutgoingProxy {
    is_tls: bool,
    /// As a URL has it: an IPv6 address in brackets.
    host: String,
    port: u16,
    /// The value of `Proxy-Authorization`.
    authorization: Option<String>,
}

/// Why a text names no proxy that can be used. The messages follow the option's name, and hold nothing of the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotAProxy {
    /// It is a SOCKS proxy.
    Socks,
    /// Its scheme is none of http and https.
    Scheme,
    /// User or password holds what ends the host in a URL.
    Credentials,
    /// It names no host, or what cannot be one.
    Host,
    /// What follows the host is no port.
    Port,
}

impl OutgoingProxy {
    /// Reads `http://user:password@host:port`. Without a scheme it is `http`, as everywhere; without a port it is the scheme's
    /// own, as in other URLs; user and password are percent-encoded; a path has no meaning.
    ///
    /// # Errors
    /// Why it names none.
    pub fn parse(text: &str) -> Result<Self, NotAProxy> {
        let (scheme, rest) = match text.trim().split_once("://") {
            Some((scheme, rest)) => (scheme.to_ascii_lowercase(), rest),
            None => ("http".to_owned(), text.trim()),
        };
        let (is_tls, own_port) = match scheme.as_str() {
            "http" => (false, 80),
            "https" => (true, 443),
            socks if socks.starts_with("socks") => return Err(NotAProxy::Socks),
            _ => return Err(NotAProxy::Scheme),
        };
        let (authority, path) = match rest.find(['/', '?', '#']) {
            Some(end) => rest.split_at_checked(end).unwrap_or((rest, "")),
            None => (rest, ""),
        };
        if path.contains('@') {
            return Err(NotAProxy::Credentials);
        }
        let (credentials, address) = match authority.rsplit_once('@') {
            Some((credentials, address)) => (credentials, address),
            None => ("", authority),
        };
        let (host, port) = host_and_port(address)?;
        Ok(Self {
            is_tls,
            host,
            port: port.unwrap_or(own_port),
            authorization: authorization(credentials),
        })
    }

    /// Whether TLS is spoken with it.
    pub fn is_tls(&self) -> bool {
        self.is_tls
    }

    /// Its host, as a URL has it.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// Its port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Whether it is given any credentials.
    pub(crate) fn has_credentials(&self) -> bool {
        self.authorization.is_some()
    }

    /// The value of `Proxy-Authorization`, for the proxy and never for a log.
    pub(crate) fn authorization(&self) -> Option<&[u8]> {
        self.authorization.as_deref().map(str::as_bytes)
    }
}

/// RFC 7617: user and password, decoded, with a colon between, in base64.
fn authorization(credentials: &str) -> Option<String> {
    if credentials.is_empty() {
        return None;
    }
    let (name, password) = credentials.split_once(':').unwrap_or((credentials, ""));
    let mut pair: Vec<u8> = percent_decode_str(name).collect();
    pair.push(b':');
    pair.extend(percent_decode_str(password));
    Some(format!("Basic {}", STANDARD.encode(pair)))
}

fn host_and_port(address: &str) -> Result<(String, Option<u16>), NotAProxy> {
    let (host, rest) = match address.strip_prefix('[') {
        Some(bracketed) => {
            let (inner, rest) = bracketed.split_once(']').ok_or(NotAProxy::Host)?;
            let ip: Ipv6Addr = inner.parse().map_err(|_| NotAProxy::Host)?;
            (format!("[{ip}]"), rest)
        }
        None => {
            let end = address.find(':').unwrap_or(address.len());
            let (host, rest) = address.split_at_checked(end).unwrap_or((address, ""));
            (host.to_ascii_lowercase(), rest)
        }
    };
    let is_of_name = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
    if host.is_empty() || !(host.starts_with('[') || host.bytes().all(is_of_name)) {
        return Err(NotAProxy::Host);
    }
    match rest.strip_prefix(':') {
        None if rest.is_empty() => Ok((host, None)),
        Some("") => Ok((host, None)),
        Some(digits) if digits.bytes().all(|byte| byte.is_ascii_digit()) => match digits.parse() {
            Ok(0) | Err(_) => Err(NotAProxy::Port),
            Ok(port) => Ok((host, Some(port))),
        },
        _ => Err(NotAProxy::Port),
    }
}

impl std::error::Error for NotAProxy {}

impl fmt::Display for NotAProxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Socks => {
                "is a SOCKS proxy, which is not supported; give an HTTP proxy (http://host:port) or unset it"
            }
            Self::Scheme => "is no HTTP proxy; give a URL as http://proxy.example.com:3128",
            Self::Credentials => {
                "has a user or a password that ends the URL's host; write its / as %2F, ? as %3F, # as %23, @ as %40"
            }
            Self::Host => {
                "names no host; give a URL as http://proxy.example.com:3128, an IPv6 address in brackets"
            }
            Self::Port => {
                "has no port from 1 to 65535 after its host; give a URL as http://proxy.example.com:3128, an IPv6 address in \
                 brackets, user and password percent-encoded"
            }
        })
    }
}

/// The URL, with whatever credentials there are as `****`.
impl fmt::Display for OutgoingProxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.is_tls { "https" } else { "http" };
        let credentials = if self.has_credentials() { "****@" } else { "" };
        write!(f, "{scheme}://{credentials}{}:{}", self.host, self.port)
    }
}

impl fmt::Debug for OutgoingProxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "OutgoingProxy({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_name_a_proxy_and_its_credentials() {
        for (text, shown, pair) in [
            ("proxy", "http://proxy:80", None),
            (" Proxy.Example.com:3128 ", "http://proxy.example.com:3128", None),
            ("http://10.0.0.1:3128/path?query", "http://10.0.0.1:3128", None),
            ("HTTPS://proxy", "https://proxy:443", None),
            ("https://[2001:DB8::1]:8443", "https://[2001:db8::1]:8443", None),
            ("http://[::1]", "http://[::1]:80", None),
            ("http://proxy:/", "http://proxy:80", None),
            ("http://@proxy:1", "http://proxy:1", None),
            ("http://name@proxy:1", "http://****@proxy:1", Some("name:")),
            ("name:secret@proxy:1", "http://****@proxy:1", Some("name:secret")),
            ("http://:secret@proxy:1", "http://****@proxy:1", Some(":secret")),
            (
                "http://a%40b:s%3Aec%2Fret%25@proxy:1",
                "http://****@proxy:1",
                Some("a@b:s:ec/ret%"),
            ),
            (
                "http://name:s@cr:et@proxy:1",
                "http://****@proxy:1",
                Some("name:s@cr:et"),
            ),
            (
                "http://näme:100%@proxy:1",
                "http://****@proxy:1",
                Some("näme:100%"),
            ),
        ] {
            let proxy = OutgoingProxy::parse(text).unwrap_or_else(|error| panic!("{text} {error}"));
            assert_eq!(proxy.to_string(), shown);
            assert!(!format!("{proxy:?}").contains("secret"));
            let expected = pair.map(|pair| format!("Basic {}", STANDARD.encode(pair)));
            assert_eq!(proxy.authorization, expected, "{text}");
        }
    }

    #[test]
    fn what_names_no_proxy_is_told_without_its_text() {
        for (text, expected) in [
            ("socks5h://secret:1080", NotAProxy::Socks),
            ("SOCKS://secret", NotAProxy::Socks),
            ("ftp://secret", NotAProxy::Scheme),
            ("://secret", NotAProxy::Scheme),
            ("http://", NotAProxy::Host),
            ("http://name:secret@", NotAProxy::Host),
            ("http://:3128", NotAProxy::Host),
            ("http://sec ret:3128", NotAProxy::Host),
            ("http://[secret]:1", NotAProxy::Host),
            ("http://[::1", NotAProxy::Host),
            ("http://[::1]1", NotAProxy::Port),
            ("http://::1:3128", NotAProxy::Host),
            ("http://2001:db8::1", NotAProxy::Port),
            ("http://secret:0", NotAProxy::Port),
            ("http://secret:+80", NotAProxy::Port),
            ("http://secret:65536", NotAProxy::Port),
            ("http://name:sec/ret@proxy:1", NotAProxy::Credentials),
            ("http://name:12#3@proxy:1", NotAProxy::Credentials),
            ("http://name:12?3@proxy:1", NotAProxy::Credentials),
        ] {
            let error = OutgoingProxy::parse(text).unwrap_err();
            assert_eq!(error, expected, "{text}");
            assert!(error.to_string().contains("; ") && !error.to_string().contains("secret"));
        }
    }
}
