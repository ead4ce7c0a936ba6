use std::net::SocketAddr;

/// The order in which addresses are tried (RFC 8305, 4): the resolver's, which knows the machine's routes (RFC 6724), with
/// the two families by turns, the first address's family first.
pub(super) fn interleaved(addresses: Vec<SocketAddr>) -> Vec<SocketAddr> {
    let is_first_ipv6 = addresses.first().is_some_and(SocketAddr::is_ipv6);
    let all = addresses.len();
    let (first, second): (Vec<_>, Vec<_>) = addresses
        .into_iter()
        .partition(|address| address.is_ipv6() == is_first_ipv6);
    let (mut first, mut second) = (first.into_iter(), second.into_iter());
    let mut ordered = Vec::with_capacity(all);
    while ordered.len() < all {
        ordered.extend(first.next());
        ordered.extend(second.next());
    }
    ordered
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order(addresses: &[&str]) -> Vec<String> {
        let addresses = addresses
            .iter()
            .map(|address| SocketAddr::new(address.parse().unwrap(), 1));
        let ordered = interleaved(addresses.collect());
        ordered.iter().map(|address| address.ip().to_string()).collect()
    }

    #[test]
    fn families_take_turns_in_the_resolvers_order() {
        for (given, expected) in [
            (&[][..], &[][..]),
            (&["::1"], &["::1"]),
            (
                &["::1", "::2", "::3", "10.0.0.1"],
                &["::1", "10.0.0.1", "::2", "::3"],
            ),
            (
                &["10.0.0.1", "10.0.0.2", "::1", "::2", "::3"],
                &["10.0.0.1", "::1", "10.0.0.2", "::2", "::3"],
            ),
            (&["10.0.0.2", "10.0.0.1"], &["10.0.0.2", "10.0.0.1"]),
        ] {
            assert_eq!(order(given), expected, "{given:?}");
        }
    }
}
