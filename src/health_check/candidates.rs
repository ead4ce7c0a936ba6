//! Where the server of a configuration may be. What is in force is not always what the file says by now: a process keeps the
//! configuration before where the file cannot be used, and its address until it is restarted. It serves all the same, so
//! whoever replaces unhealthy containers must not hear that it is gone.
use std::net::{IpAddr, Ipv4Addr, SocketAddr, ToSocketAddrs as _};
use std::path::PathBuf;

use actix_web::http::Uri;

use super::{OwnCertificate, Unhealthy};
use crate::loopback::reachable;
use crate::server::tls::leaf_certificate;
use crate::serving_record::{self, Serving};
use crate::settings::{ConfigurationSource, ListenHost, ProxyProtocol, Settings, TrustedProxies};

/// A PROXY header that names nobody, as a balancer's own checks have it
/// (<https://www.haproxy.org/download/3.2/doc/proxy-protocol.txt>, 2.1).
const HEADER: &[u8] = b"PROXY UNKNOWN\r\n";

/// A place where the server may be, and how it is asked there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Candidate {
    host: ListenHost,
    port: u16,
    scheme: Scheme,
    needs_header: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Scheme {
    Http,
    /// With the file of the certificate that it has to show, where that is known.
    Https(Option<PathBuf>),
}

/// All places where the server of a configuration may be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidates {
    /// The likeliest first.
    pub(super) candidates: Vec<Candidate>,
    /// Why the configuration cannot be used.
    pub(super) problem: Option<String>,
}

impl Candidates {
    /// What a process with this configuration has left word of in the directory for temporary files.
    pub(super) fn known_without(source: &ConfigurationSource) -> Self {
        let serving = serving_record::read(source, None, None);
        Self {
            candidates: serving.iter().flat_map(recorded).collect(),
            problem: None,
        }
    }

    /// First what a process with this configuration has left word of; then what the configuration says, or what can be read
    /// of it, by the scheme that it names and by the other; at last the only process with this file, wherever it listens. Blocks
    /// as [`ConfigurationSource::load`] does.
    pub fn of(source: &ConfigurationSource) -> Self {
        let record = |directory: Option<&PathBuf>, at| {
            let records = serving_record::read_all(source, directory.map(PathBuf::as_path), at);
            [records.meant, records.only].map(|serving| serving.iter().flat_map(recorded).collect::<Vec<_>>())
        };
        match source.load() {
            Ok(loaded) => {
                let settings = &loaded.settings;
                let at = (&settings.server.host, settings.server.port);
                let [meant, only] = record(settings.persistence.directory.as_ref(), Some(at));
                let mut found = Self::after(meant, settings);
                found.candidates.extend(only);
                found
            }
            Err(error) => {
                let remains = source.remains();
                let at = remains.listens.as_ref().map(|(host, port)| (host, *port));
                let [mut candidates, only] = record(remains.directory.as_ref(), at);
                if let Some(place) = remains.listens {
                    let needs_header =
                        needs_header(remains.proxy_protocol, &remains.trusted_proxies, &place.0);
                    candidates.extend(by_both(place, Scheme::of(remains.certificate), needs_header));
                }
                candidates.extend(only);
                Self {
                    candidates,
                    problem: Some(error.to_string()),
                }
            }
        }
    }

    /// First what a process has left word of, where one has; then what these settings say.
    pub(crate) fn of_settings(settings: &Settings, serving: Option<&Serving>) -> Self {
        Self::after(serving.into_iter().flat_map(recorded).collect(), settings)
    }

    fn after(mut candidates: Vec<Candidate>, settings: &Settings) -> Self {
        let server = &settings.server;
        let scheme = Scheme::of(server.tls.as_ref().map(|tls| tls.certificate.clone()));
        let place = (server.host.clone(), server.port);
        let needs_header = needs_header(
            server.proxy_protocol,
            &settings.process.trusted_proxies,
            &server.host,
        );
        candidates.extend(by_both(place, scheme, needs_header));
        Self {
            candidates,
            problem: None,
        }
    }
}

/// What a process of these settings that listens at these addresses says of itself.
pub fn serving(settings: &Settings, addresses: &[SocketAddr]) -> Serving {
    let server = &settings.server;
    Serving {
        addresses: addresses.to_vec(),
        certificate: server.tls.as_ref().map(|tls| tls.certificate.clone()),
        needs_header: needs_header(
            server.proxy_protocol,
            &settings.process.trusted_proxies,
            &server.host,
        ),
    }
}

fn recorded(serving: &Serving) -> impl Iterator<Item = Candidate> {
    serving.addresses.iter().map(|address| Candidate {
        host: ListenHost::Address(address.ip()),
        port: address.port(),
        scheme: Scheme::of(serving.certificate.clone()),
        needs_header: serving.needs_header,
    })
}

fn by_both((host, port): (ListenHost, u16), scheme: Scheme, needs_header: bool) -> [Candidate; 2] {
    let other = match scheme {
        Scheme::Http => Scheme::Https(None),
        Scheme::Https(_) => Scheme::Http,
    };
    [scheme, other].map(|scheme| Candidate {
        host: host.clone(),
        port,
        scheme,
        needs_header,
    })
}

/// Whether a connection from this machine has to begin with a PROXY header.
fn needs_header(protocol: ProxyProtocol, trusted: &TrustedProxies, host: &ListenHost) -> bool {
    let loopback = Ipv4Addr::LOCALHOST.into();
    protocol == ProxyProtocol::Required
        && match host {
            // Who connects to an address of the own machine comes from it.
            ListenHost::Address(address) => reachable(*address)
                .into_iter()
                .all(|address| trusted.trusts(address)),
            ListenHost::Name(_) => trusted.trusts(loopback),
        }
}

impl Scheme {
    fn of(certificate: Option<PathBuf>) -> Self {
        certificate.map_or(Self::Http, |certificate| Self::Https(Some(certificate)))
    }
}

impl Candidate {
    /// The URLs of a path there: the first one that gives an answer counts.
    pub(super) fn urls(&self, path: &str) -> Result<Vec<Uri>, Unhealthy> {
        let scheme = match self.scheme {
            Scheme::Http => "http",
            Scheme::Https(_) => "https",
        };
        let url = |address| format!("{scheme}://{address}{path}").parse();
        let addresses = self.addresses()?.into_iter();
        addresses
            .map(|address| url(address).map_err(|_| Unhealthy::Url))
            .collect()
    }

    /// What looks at the certificate that it shows; `None`: it speaks plain HTTP.
    pub(super) fn own_certificate(&self) -> Option<OwnCertificate> {
        match &self.scheme {
            Scheme::Http => None,
            Scheme::Https(path) => {
                let leaf = path.as_deref().and_then(leaf_certificate);
                Some(OwnCertificate(leaf.map(|leaf| leaf.to_vec())))
            }
        }
    }

    /// What a connection to it begins with.
    pub(super) fn preface(&self) -> &'static [u8] {
        if self.needs_header { HEADER } else { b"" }
    }

    fn addresses(&self) -> Result<Vec<SocketAddr>, Unhealthy> {
        let Self { host, port, .. } = self;
        if *port == 0 {
            return Err(Unhealthy::UnknownPort);
        }
        let name = match host {
            ListenHost::Address(address) => {
                let at = |address: &IpAddr| SocketAddr::new(*address, *port);
                return Ok(reachable(*address).iter().map(at).collect());
            }
            ListenHost::Name(name) => name,
        };
        let found = (name.as_str(), *port).to_socket_addrs();
        found
            .map(Iterator::collect)
            .map_err(|error| Unhealthy::Name(error.to_string()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_can_be_read_of_a_configuration_that_cannot_be_used_says_where_to_ask() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config.json");
        let places = |config: &str, variables: &[(&str, &str)]| {
            std::fs::write(&path, config).unwrap();
            let variables = variables
                .iter()
                .map(|(name, text)| ((*name).to_owned(), (*text).to_owned()));
            let candidates = Candidates::of(&ConfigurationSource::new(Some(&path), variables));
            assert!(candidates.problem.is_some(), "{config}");
            let urls = candidates
                .candidates
                .iter()
                .flat_map(|one| one.urls("/").unwrap());
            urls.map(|url| url.to_string()).collect::<Vec<_>>()
        };
        let both = ["http://192.0.2.1:81/", "https://192.0.2.1:81/"];
        let server = r#""server": {"host": "192.0.2.1", "port": 81, "drain_seconds": "x"}"#;
        assert_eq!(places(&format!(r#"{{"logging": 7, {server}}}"#), &[]), both);
        let variable = ("SERVER", r#"{"host": "192.0.2.1", "port": 81}"#);
        assert_eq!(places("{ broken", &[variable]), both);
        let tls = r#"{"server": {"host": "192.0.2.1", "port": 81, "tls": {"certificate": "c", "key": "k"}}}"#;
        assert_eq!(places(tls, &[]), [both[1], both[0]]);
        assert!(places(r#"{"server": {"port": "eight"}}"#, &[]).is_empty());
    }
}
