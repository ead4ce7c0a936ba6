//! Which peers may say whom they speak for (`FORWARDED_ALLOW_IPS`).
use std::net::IpAddr;

/// Peers whose `X-Forwarded-For` is believed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrustedProxies {
    any: bool,
    networks: Vec<(IpAddr, u8)>,
}

impl TrustedProxies {
    /// Whether this peer is believed.
    pub fn trusts(&self, _peer: IpAddr) -> bool {
        todo!()
    }
}
