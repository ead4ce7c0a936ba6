//! Where a server of this machine is asked that listens at any address.
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Where to ask a server that listens at this address, the likeliest first. Those that mean any address are asked on loopback.
pub(crate) fn reachable(address: IpAddr) -> Vec<IpAddr> {
    match address {
        IpAddr::V4(Ipv4Addr::UNSPECIFIED) => vec![Ipv4Addr::LOCALHOST.into()],
        // The second where the machine has no IPv6 on loopback, as many containers, and a listener of both families.
        IpAddr::V6(Ipv6Addr::UNSPECIFIED) => vec![Ipv6Addr::LOCALHOST.into(), Ipv4Addr::LOCALHOST.into()],
        one => vec![one],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_that_mean_any_are_asked_on_loopback() {
        let asked = |address: &str| {
            let addresses = reachable(address.parse().unwrap());
            addresses.iter().map(ToString::to_string).collect::<Vec<_>>()
        };
        assert_eq!(asked("0.0.0.0"), ["127.0.0.1"]);
        assert_eq!(asked("::"), ["::1", "127.0.0.1"]);
        assert_eq!(asked("192.0.2.1"), ["192.0.2.1"]);
        assert_eq!(asked("::1"), ["::1"]);
    }
}
