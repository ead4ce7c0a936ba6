//! Which peers may say whom they speak for (`FORWARDED_ALLOW_IPS`).
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Peers whose `X-Forwarded-For` is believed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrustedProxies {
    any: bool,
    networks: Vec<Network>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Network {
    address: IpAddr,
    prefix: u8,
}

impl TrustedProxies {
    /// The default: this machine alone.
    pub fn loopback() -> Self {
        let v4 = Network {
            address: IpAddr::V4(Ipv4Addr::LOCALHOST),
            prefix: 8,
        };
        let v6 = Network {
            address: IpAddr::V6(Ipv6Addr::LOCALHOST),
            prefix: 128,
        };
        Self {
            any: false,
            networks: vec![v4, v6],
        }
    }

    /// Reads uvicorn's form: `*`, or addresses and networks with commas between. Gives the number of entries
    /// that are neither, too.
    pub fn parse(text: &str) -> (Self, usize) {
        let mut trusted = Self {
            any: false,
            networks: Vec::new(),
        };
        let mut left_out = 0;
        for entry in text.split(',').map(str::trim).filter(|entry| !entry.is_empty()) {
            match Network::parse(entry) {
                _ if entry == "*" => trusted.any = true,
                Some(network) => trusted.networks.push(network),
                None => left_out += 1,
            }
        }
        (trusted, left_out)
    }

    /// Whether this peer is believed.
    pub fn trusts(&self, peer: IpAddr) -> bool {
        self.any
            || self
                .networks
                .iter()
                .any(|network| network.contains(peer.to_canonical()))
    }
}

/// As written in `FORWARDED_ALLOW_IPS`.
impl fmt::Display for TrustedProxies {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.any {
            return f.write_str("*");
        }
        for (index, Network { address, prefix }) in self.networks.iter().enumerate() {
            let comma = if index == 0 { "" } else { "," };
            write!(f, "{comma}{address}/{prefix}")?;
        }
        Ok(())
    }
}

impl Network {
    fn parse(entry: &str) -> Option<Self> {
        let (address, prefix) = entry
            .split_once('/')
            .map_or((entry, None), |(address, prefix)| (address, Some(prefix)));
        let address = address.parse::<IpAddr>().ok()?.to_canonical();
        let longest = if address.is_ipv4() { 32 } else { 128 };
        let prefix = prefix.map_or(Some(longest), |prefix| prefix.parse().ok())?;
        (prefix <= longest).then_some(Self { address, prefix })
    }

    fn contains(self, peer: IpAddr) -> bool {
        match (self.address, peer) {
            (IpAddr::V4(own), IpAddr::V4(peer)) => {
                let differing = own.to_bits() ^ peer.to_bits();
                differing.leading_zeros() >= u32::from(self.prefix)
            }
            (IpAddr::V6(own), IpAddr::V6(peer)) => {
                let differing = own.to_bits() ^ peer.to_bits();
                differing.leading_zeros() >= u32::from(self.prefix)
            }
            _ => false,
        }
    }
}
