//! `admin`: the port for operators. The Edge Proxy 2.23 has nothing of it.
use std::net::{IpAddr, Ipv4Addr};

use serde_json::{Value, json};

use super::super::changes::Options;
use super::super::sources::Sources;
use super::super::{ListenHost, Notice, Secret};
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

impl Sources {
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
                 what the environments are called and how they fare, and may change the level of the log",
            ));
        }
        Ok(settings)
    }
}
