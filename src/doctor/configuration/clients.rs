//! Who may ask: browsers by their sites, and proxies by the addresses that they name; pure.
use crate::doctor::finding::{Finding, Subject};
use crate::settings::{AllowedOrigins, ListenHost, ProxyProtocol, Settings};

pub(super) fn origins(subject: &Subject, origins: &AllowedOrigins) -> Option<Finding> {
    Some(match origins {
        AllowedOrigins::Any => subject.ok("allow_origins", "browsers may read answers on every site (*)"),
        AllowedOrigins::Listed(listed) if listed.is_empty() => subject.warning(
            "allow_origins",
            "no browser may read an answer: no origin is left",
            "give scheme, host and port, as https://www.example.com, or *",
        ),
        AllowedOrigins::Listed(listed) => {
            let plain = listed.iter().find(|origin| {
                let host = origin.strip_prefix("http://");
                host.is_some_and(|host| {
                    !(host.starts_with("localhost") || host.starts_with("127.") || host.starts_with("[::1]"))
                })
            });
            match plain {
                Some(plain) => subject.warning(
                    "allow_origins",
                    format!("{plain} is a site without TLS"),
                    "where the site has moved to https, which is another origin, give that",
                ),
                None => subject.ok(
                    "allow_origins",
                    format!("browsers may read answers on {}", listed.join(", ")),
                ),
            }
        }
    })
}

pub(super) fn trusted_proxies(subject: &Subject, settings: &Settings) -> Option<Finding> {
    let trusted = &settings.process.trusted_proxies;
    let server = &settings.server;
    let is_used = server.proxy_headers || server.proxy_protocol != ProxyProtocol::Off;
    let options = match (server.proxy_headers, server.proxy_protocol) {
        (true, ProxyProtocol::Off) => "server.proxy_headers",
        (true, _) => "server.proxy_headers and server.proxy_protocol",
        (false, _) => "server.proxy_protocol",
    };
    let is_reached = !matches!(&server.host, ListenHost::Address(address) if address.is_loopback());
    if !is_used {
        return (!trusted.is_default()).then(|| {
            subject.ok(
                "forwarded",
                "FORWARDED_ALLOW_IPS has no effect: server.proxy_headers and server.proxy_protocol are off",
            )
        });
    }
    Some(if trusted.trusts_everybody() {
        subject.warning(
            "forwarded",
            format!(
                "every client may say which address it has: FORWARDED_ALLOW_IPS trusts everybody ({options})"
            ),
            "name the balancers alone, as 10.0.0.0/8",
        )
    } else if trusted.is_default() && is_reached {
        subject.warning(
            "forwarded",
            format!("{options} counts for peers on this machine alone: FORWARDED_ALLOW_IPS is not set"),
            "name the balancers in FORWARDED_ALLOW_IPS, as 10.0.0.0/8",
        )
    } else {
        subject.ok("forwarded", format!("{options} counts for {trusted}"))
    })
}
