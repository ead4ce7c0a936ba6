//! `admin`: the port for operators. The Edge Proxy 2.23 has nothing of it.
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use serde_json::{Value, json};

use super::super::changes::Options;
use super::super::sources::Sources;
use super::super::{ListenHost, Notice, Secret, Settings};
use super::Read;

/// This machine alone.
const DEFAULT_HOST: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

/// `admin` (ours): a port of its own, where operators look into the process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AdminSettings {
    /// `host`.
    pub host: ListenHost,
    /// `port`; 0 lets the system choose; `None`: there is no such port.
    pub port: Option<u16>,
    /// `token` that every request must bring; `None`: whoever reaches the port may ask.
    pub token: Option<Secret>,
}

impl AdminSettings {
    /// Gives the section as `--check` prints it; `mask` stands for the token.
    pub(in crate::settings) fn printed(&self, mask: &str) -> Value {
        json!({
            "host": self.host.to_string(),
            "port": self.port,
            "token": self.token.as_ref().map(|_| mask),
        })
    }

    /// Whether others than this machine reach it, without a token.
    pub(crate) fn is_open_to_others(&self) -> bool {
        let is_local = match &self.host {
            ListenHost::Address(address) => address.is_loopback(),
            ListenHost::Name(name) => name.eq_ignore_ascii_case("localhost"),
        };
        self.port.is_some() && self.token.is_none() && !is_local
    }

    pub(in crate::settings) fn compared(&self, asked: Self, options: &mut Options) -> Self {
        Self {
            host: options.live("admin.host", &self.host, asked.host),
            port: options.live("admin.port", &self.port, asked.port),
            token: options.live("admin.token", &self.token, asked.token),
        }
    }
}

impl ListenHost {
    /// Whether one port cannot be had at both, as far as that is known without a look-up.
    pub(crate) fn shares_addresses_with(&self, other: &Self) -> bool {
        let is_any = |host: &Self| *host == Self::Address(Ipv6Addr::UNSPECIFIED.into());
        let is_any_of_ipv4 = |host: &Self| *host == Self::Address(Ipv4Addr::UNSPECIFIED.into());
        // A name may have addresses of IPv6 alone, but for this one.
        let is_of_ipv4 = |host: &Self| match host {
            Self::Address(address) => address.is_ipv4(),
            Self::Name(name) => name.eq_ignore_ascii_case("localhost"),
        };
        let is_this_machine = |host: &Self| match host {
            Self::Address(address) => *address == IpAddr::V4(Ipv4Addr::LOCALHOST),
            Self::Name(name) => name.eq_ignore_ascii_case("localhost"),
        };
        let either_way =
            |(one, another): (&Self, &Self)| is_any(one) || (is_any_of_ipv4(one) && is_of_ipv4(another));
        self == other
            || (is_this_machine(self) && is_this_machine(other))
            || either_way((self, other))
            || either_way((other, self))
    }
}

impl Sources {
    /// Refuses one port for both servers, which the system would name as taken without a word of who has it.
    pub(in crate::settings) fn check_ports(&self, settings: &Settings) -> Read<()> {
        let Settings { server, admin, .. } = settings;
        let is_one = server.port != 0
            && admin.port == Some(server.port)
            && admin.host.shares_addresses_with(&server.host);
        match self.field("admin.port") {
            Some(field) if is_one => Err(field.invalid("is server.port too; give another one")),
            _ => Ok(()),
        }
    }

    /// Reads `admin`. Who opens it to others than this machine without a token is told what that means: a container's network is
    /// closed by other means, mostly, so nothing is wrong with it.
    pub(in crate::settings) fn admin(&self, notices: &mut Vec<Notice>) -> Read<AdminSettings> {
        let port = self
            .field("admin.port")
            .map(|field| field.integer(0, u16::MAX.into()))
            .transpose()?;
        let token = self.field("admin.token").map(|field| field.text()).transpose()?;
        let settings = AdminSettings {
            host: self.listen_host("admin.host", DEFAULT_HOST)?,
            // It is within these bounds by now.
            port: port.map(|port| u16::try_from(port).unwrap_or(u16::MAX)),
            token: token.map(Secret::new),
        };
        if settings.is_open_to_others() {
            notices.push(Notice::info(
                "admin.host is no address of this machine alone, and there is no admin.token: whoever reaches the admin port sees \
                 how the environments fare, reads their flags, segments and overrides (/explain), and may change the level of the log",
            ));
        }
        Ok(settings)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_that_share_an_address_are_known() {
        let host = |text: &str| {
            let address = text.parse().map(ListenHost::Address);
            address.unwrap_or_else(|_| ListenHost::Name(text.to_owned()))
        };
        for (one, another, expected) in [
            ("127.0.0.1", "127.0.0.1", true),
            ("127.0.0.1", "::", true),
            ("127.0.0.1", "0.0.0.0", true),
            ("127.0.0.1", "localhost", true),
            ("localhost", "0.0.0.0", true),
            ("flags.internal", "::", true),
            ("::1", "::", true),
            ("::1", "0.0.0.0", false),
            ("127.0.0.1", "::1", false),
            ("127.0.0.1", "10.0.0.7", false),
            ("localhost", "10.0.0.7", false),
            ("flags.internal", "127.0.0.1", false),
        ] {
            let (one, another) = (host(one), host(another));
            assert_eq!(one.shares_addresses_with(&another), expected, "{one} {another}");
            assert_eq!(another.shares_addresses_with(&one), expected, "{another} {one}");
        }
    }
}
