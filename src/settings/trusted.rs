//! Which peers may say whom they speak for (`FORWARDED_ALLOW_IPS`).
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::IpNet;

const LOOPBACK: [IpNet; 2] = [
    IpNet::new_assert(IpAddr::V4(Ipv4Addr::LOCALHOST), 8),
    IpNet::new_assert(IpAddr::V6(Ipv6Addr::LOCALHOST), 128),
];

/// What comes before a mapped IPv4 address (RFC 4291 §2.5.5.2).
const MAPPED_BITS: u8 = 96;

/// Peers whose `X-Forwarded-For` is believed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrustedProxies {
    any: bool,
    networks: Vec<IpNet>,
}

impl TrustedProxies {
    /// Trusts this machine alone, which is the default.
    pub(crate) fn loopback() -> Self {
        Self {
            any: false,
            networks: LOOPBACK.to_vec(),
        }
    }

    /// Reads uvicorn's form: `*`, or addresses and networks with commas between. Also counts the entries that are
    /// neither.
    pub(crate) fn parse(text: &str) -> (Self, usize) {
        let mut trusted = Self {
            any: false,
            networks: Vec::new(),
        };
        let mut left_out = 0;
        for entry in text.split(',').map(str::trim).filter(|entry| !entry.is_empty()) {
            match network(entry) {
                _ if entry == "*" => trusted.any = true,
                Some(network) => trusted.networks.push(network),
                None => left_out += 1,
            }
        }
        (trusted, left_out)
    }

    /// Whether it is the default, this machine alone.
    pub(crate) fn is_default(&self) -> bool {
        *self == Self::loopback()
    }

    /// Whether it believes everybody, or everybody of IPv4.
    pub(crate) fn trusts_everybody(&self) -> bool {
        self.any || self.networks.iter().any(|network| network.prefix_len() == 0)
    }

    /// Tells whether to believe this peer.
    pub(crate) fn trusts(&self, peer: IpAddr) -> bool {
        let peer = peer.to_canonical();
        self.any || self.networks.iter().any(|network| network.contains(&peer))
    }
}

/// Writes it as `FORWARDED_ALLOW_IPS` has it.
impl fmt::Display for TrustedProxies {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.any {
            return f.write_str("*");
        }
        for (index, network) in self.networks.iter().enumerate() {
            let comma = if index == 0 { "" } else { "," };
            write!(f, "{comma}{network}")?;
        }
        Ok(())
    }
}

/// Reads a network; an address is a network of its own. A mapped IPv4 address means the IPv4 address.
fn network(entry: &str) -> Option<IpNet> {
    let (address, prefix) = entry
        .split_once('/')
        .map_or((entry, None), |(address, prefix)| (address, Some(prefix)));
    let given = address.parse::<IpAddr>().ok()?;
    let address = given.to_canonical();
    let Some(prefix) = prefix else {
        return Some(address.into());
    };
    let prefix: u8 = prefix.parse().ok()?;
    let is_mapped = given.is_ipv6() && address.is_ipv4();
    let prefix = if is_mapped {
        prefix.checked_sub(MAPPED_BITS)?
    } else {
        prefix
    };
    IpNet::new(address, prefix).ok()
}
