//! Both families of addresses, which is the default.
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener};

use serde_json::{Value, json};

use crate::harness::{Connection, Proxy, ProxyOptions, Request};

/// Starts the proxy with its default host; its port, and whether the system has IPv6.
fn with_the_default_host(proxy_headers: bool) -> (Proxy, bool) {
    let proxy = Proxy::start(ProxyOptions {
        logging: json!({"log_level": "INFO", "log_format": "json", "enable_access_log": true}),
        // Null: as if it were not given.
        config: json!({"server": {"host": null, "proxy_headers": proxy_headers}}),
        ..ProxyOptions::default()
    });
    let has_ipv6 = TcpListener::bind((Ipv6Addr::LOCALHOST, 0)).is_ok();
    if !has_ipv6 {
        println!("this system has no IPv6: IPv4 alone is tried");
    }
    (proxy, has_ipv6)
}

/// The addresses that the access log shows for flags, in the order of the requests.
fn remote_addresses(mut proxy: Proxy) -> Vec<Value> {
    proxy.signal("TERM");
    let (status, log) = proxy.wait();
    assert_eq!(status.code(), Some(0), "{log}");
    log.lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap())
        .filter(|line| line["route"] == "/api/v1/flags/")
        .map(|line| line["remote_ip"].clone())
        .collect()
}

#[test]
fn clients_of_both_families_are_answered_and_logged_by_their_own_address() {
    let (proxy, has_ipv6) = with_the_default_host(false);
    let port = proxy.address.port();
    let mut addresses = vec![SocketAddr::from((Ipv4Addr::LOCALHOST, port))];
    if has_ipv6 {
        assert!(proxy.address.is_ipv6(), "{}", proxy.address);
        addresses.push((Ipv6Addr::LOCALHOST, port).into());
    }
    let flags = Request::get("/api/v1/flags/").key("client-key");
    for address in &addresses {
        assert_eq!(Connection::open(*address).send(&flags).status, 200, "{address}");
    }
    let expected: Vec<_> = addresses.iter().map(|address| address.ip().to_string()).collect();
    assert_eq!(remote_addresses(proxy), expected);
}

#[test]
fn a_trusted_proxy_of_ipv4_is_known_on_a_listener_of_both() {
    let (proxy, _) = with_the_default_host(true);
    let flags = Request::get("/api/v1/flags/").key("client-key");
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, proxy.address.port()));
    let mut connection = Connection::open(address);
    for client in ["192.0.2.7", "::ffff:192.0.2.7"] {
        let forwarded = flags.clone().header("X-Forwarded-For", client);
        assert_eq!(connection.send(&forwarded).status, 200);
    }
    assert_eq!(remote_addresses(proxy), ["192.0.2.7", "192.0.2.7"]);
}
