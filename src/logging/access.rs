//! The access log: one line a request, which never holds a path or a query (keys and identifiers are in them).
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use log::kv::{Error, Key, Source, Value, VisitSource};
use log::{Level, Record};

use crate::settings::{ProcessSettings, ServerSettings, TrustedProxies};

/// The log target of the access log.
pub(crate) const ACCESS: &str = "access";

/// One answered request.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Access<'a> {
    /// The request's method; `OTHER` where no specification names it.
    pub method: &'a str,
    /// The route's pattern, as metrics call it; `None` where no route matched.
    pub route: Option<&'a str>,
    /// The status code of the answer.
    pub status: u16,
    /// The bytes of the body, where they are known.
    pub bytes: Option<u64>,
    /// From the request's head to the answer's head.
    pub duration: Duration,
    /// The client, see [`RemoteAddress`].
    pub remote: Option<IpAddr>,
}

/// Writes the line. While the access log is off it does nothing.
pub(crate) fn log_access(access: &Access<'_>) {
    if log::log_enabled!(target: ACCESS, Level::Info) {
        log::logger().log(
            &Record::builder()
                .target(ACCESS)
                .level(Level::Info)
                .args(format_args!("request"))
                .key_values(access)
                .build(),
        );
    }
}

/// The line's fields: `duration_us` is in microseconds; the line leaves out what is not known.
impl Source for Access<'_> {
    fn visit<'kvs>(&'kvs self, visitor: &mut dyn VisitSource<'kvs>) -> Result<(), Error> {
        visitor.visit_pair(Key::from("method"), Value::from(self.method))?;
        visitor.visit_pair(Key::from("route"), Value::from(self.route.unwrap_or("-")))?;
        visitor.visit_pair(Key::from("status"), Value::from(self.status))?;
        if let Some(bytes) = self.bytes {
            visitor.visit_pair(Key::from("bytes"), Value::from(bytes))?;
        }
        let microseconds = u64::try_from(self.duration.as_micros()).unwrap_or(u64::MAX);
        visitor.visit_pair(Key::from("duration_us"), Value::from(microseconds))?;
        match &self.remote {
            Some(remote) => visitor.visit_pair(Key::from("remote_ip"), Value::from_display(remote)),
            None => Ok(()),
        }
    }
}

/// Tells which client a request came from: the peer, or whom a trusted proxy says it speaks for.
#[derive(Debug, Clone)]
pub(crate) struct RemoteAddress {
    /// `None` while `server.proxy_headers` is off.
    trusted: Option<TrustedProxies>,
}

impl RemoteAddress {
    /// Takes `server.proxy_headers` and `FORWARDED_ALLOW_IPS`.
    pub(crate) fn new(server: &ServerSettings, process: &ProcessSettings) -> Self {
        Self {
            trusted: server.proxy_headers.then(|| process.trusted_proxies.clone()),
        }
    }

    /// Finds the client of a request from `peer` with these `X-Forwarded-For` headers, in their order.
    ///
    /// Each proxy appends the address of its caller. So the list is read from its end, for as long as its writer is
    /// trusted (uvicorn does the same). A client can put anything before that.
    ///
    /// An IPv4 address is shown as one, also where a listener of both families or a proxy gives it mapped to IPv6.
    pub(crate) fn of<'a>(
        &self,
        peer: Option<IpAddr>,
        forwarded_for: impl IntoIterator<Item = &'a str>,
    ) -> Option<IpAddr> {
        let peer = peer.map(|peer| peer.to_canonical());
        let (Some(trusted), Some(mut client)) = (&self.trusted, peer) else {
            return peer;
        };
        let headers: Vec<&str> = forwarded_for.into_iter().collect();
        let hops = headers.iter().rev().flat_map(|header| header.rsplit(','));
        for hop in hops {
            match address(hop.trim()) {
                Some(next) if trusted.trusts(client) => client = next,
                _ => break,
            }
        }
        Some(client)
    }
}

/// Reads an address, with or without a port.
fn address(hop: &str) -> Option<IpAddr> {
    let bare = hop
        .strip_prefix('[')
        .and_then(|hop| hop.strip_suffix(']'))
        .unwrap_or(hop);
    let address: Option<IpAddr> = bare
        .parse()
        .ok()
        .or_else(|| hop.parse::<SocketAddr>().ok().map(|socket| socket.ip()));
    address.map(|address| address.to_canonical())
}
