use std::fmt;
use std::net::IpAddr;

use ipnet::IpNet;

/// What is reached without a proxy, as `NO_PROXY` lists it.
///
/// It is read as curl and Go do, and where they differ, as the one that takes more: commas or blanks between the entries;
/// `*` is everything; a domain is itself and what is below it, with a dot before it or not (`*.example.com` likewise); an
/// address is itself, in brackets or not; a network in CIDR notation is its addresses; with `:port` an entry holds for
/// that port alone. Names are not looked up: a network covers no name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ExemptHosts {
    entries: Vec<Entry>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Entry {
    text: String,
    hosts: Hosts,
    port: Option<u16>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Hosts {
    All,
    /// In lower case, without a dot at either end.
    Domain(String),
    Network(IpNet),
}

impl ExemptHosts {
    /// Reads the list. Also counts the entries that cannot be understood, which are left out.
    pub fn parse(text: &str) -> (Self, usize) {
        let texts = text
            .split(|character: char| character == ',' || character.is_whitespace())
            .filter(|entry| !entry.is_empty());
        let mut left_out = 0;
        let entries = texts.filter_map(|text| {
            let entry = Entry::parse(text);
            left_out += usize::from(entry.is_none());
            entry
        });
        let entries = entries.collect();
        (Self { entries }, left_out)
    }

    /// Whether a URL's host, an IPv6 address in brackets, is reached directly at this port.
    pub fn covers(&self, host: &str, port: u16) -> bool {
        let address = address(host);
        let name = host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase();
        self.entries.iter().any(|entry| {
            let is_port = entry.port.is_none_or(|only| only == port);
            is_port
                && match (&entry.hosts, address) {
                    (Hosts::All, _) => true,
                    (Hosts::Network(network), Some(address)) => network.contains(&address),
                    (Hosts::Domain(domain), None) => is_within(&name, domain),
                    (Hosts::Network(_), None) | (Hosts::Domain(_), Some(_)) => false,
                }
        })
    }
}

impl Entry {
    fn parse(text: &str) -> Option<Self> {
        let (host, port) = host_and_port(text)?;
        let hosts = if host == "*" {
            Hosts::All
        } else if let Some(address) = address(host) {
            Hosts::Network(address.into())
        } else if host.contains('/') {
            Hosts::Network(host.parse().ok()?)
        } else {
            let domain = host.strip_prefix('*').unwrap_or(host).trim_matches('.');
            if domain.is_empty() || domain.contains([':', '[', ']', '*']) {
                return None;
            }
            Hosts::Domain(domain.to_ascii_lowercase())
        };
        Some(Self {
            text: text.to_owned(),
            hosts,
            port,
        })
    }
}

/// Takes a port off, which follows a single colon or a bracket.
fn host_and_port(text: &str) -> Option<(&str, Option<u16>)> {
    match text.rsplit_once(':') {
        Some((host, port)) if !host.contains(':') || host.ends_with(']') => {
            Some((host, Some(port.parse().ok()?)))
        }
        _ => Some((text, None)),
    }
}

/// An address in a URL's or in the common notation; a mapped IPv4 address is the IPv4 address.
fn address(host: &str) -> Option<IpAddr> {
    let bare = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    let address: IpAddr = bare.unwrap_or(host).parse().ok()?;
    Some(address.to_canonical())
}

fn is_within(name: &str, domain: &str) -> bool {
    name.strip_suffix(domain)
        .is_some_and(|before| before.is_empty() || before.ends_with('.'))
}

/// The entries as they were written.
impl fmt::Display for ExemptHosts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, entry) in self.entries.iter().enumerate() {
            let comma = if index == 0 { "" } else { "," };
            write!(f, "{comma}{}", entry.text)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_exempt_as_curl_and_go_read_the_list() {
        for (list, host, port, expected) in [
            ("", "a.test", 80, false),
            ("*", "a.test", 80, true),
            ("*", "[::1]", 80, true),
            ("x.test, *", "a.test", 80, true),
            ("example.com", "example.com", 443, true),
            ("example.com", "EXAMPLE.com.", 443, true),
            ("Example.COM.", "www.example.com", 443, true),
            ("example.com", "notexample.com", 443, false),
            ("example.com", "example.com.evil.test", 443, false),
            (".example.com", "www.example.com", 443, true),
            (".example.com", "example.com", 443, true),
            ("*.example.com", "a.b.example.com", 443, true),
            ("*.example.com", "notexample.com", 443, false),
            ("example.com:443", "www.example.com", 443, true),
            ("example.com:443", "example.com", 80, false),
            ("a.test b.test", "b.test", 80, true),
            ("a.test,\tb.test\n,c.test,,", "c.test", 80, true),
            ("localhost", "localhost", 8000, true),
            ("localhost", "localhost.evil.test", 8000, false),
            ("localhost", "127.0.0.1", 8000, false),
            ("127.0.0.1", "127.0.0.1", 8000, true),
            ("127.0.0.1:8000", "127.0.0.1", 8000, true),
            ("127.0.0.1:8000", "127.0.0.1", 8001, false),
            ("27.0.0.1", "127.0.0.1", 80, false),
            ("0.0.1", "127.0.0.1", 80, false),
            ("10.0.0.0/8", "10.200.0.2", 80, true),
            ("10.0.0.0/8", "11.0.0.0", 80, false),
            ("10.0.0.7/8", "10.1.1.1", 80, true),
            ("10.0.0.0/8", "ten.test", 80, false),
            ("10.0.0.0/8", "[::ffff:10.0.0.1]", 80, true),
            ("::1", "[::1]", 80, true),
            ("[::1]", "[::1]", 80, true),
            ("[::1]:8000", "[::1]", 8000, true),
            ("[::1]:8000", "[::1]", 80, false),
            ("2001:DB8::/32", "[2001:db8:ffff::1]", 80, true),
            ("2001:db8::/32", "[2001:db9::1]", 80, false),
            ("0:0:0:0:0:0:0:1", "[::1]", 80, true),
        ] {
            let (exempt, left_out) = ExemptHosts::parse(list);
            assert_eq!(
                (exempt.covers(host, port), left_out),
                (expected, 0),
                "{list:?} {host} {port}"
            );
        }
    }

    #[test]
    fn what_cannot_be_understood_is_counted_and_covers_nothing() {
        let (exempt, left_out) = ExemptHosts::parse("10.0.0.0/33 a/b,host:port,.,*., [x],a:b:c, ok.test");
        assert_eq!((exempt.to_string().as_str(), left_out), ("ok.test", 7));
        assert!(exempt.covers("ok.test", 80) && !exempt.covers("host", 80));
    }

    #[test]
    fn it_is_shown_as_it_was_written() {
        let (exempt, _) = ExemptHosts::parse("localhost, .example.com,,10.0.0.0/8");
        assert_eq!(exempt.to_string(), "localhost,.example.com,10.0.0.0/8");
    }
}
