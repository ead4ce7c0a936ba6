//! The real proxy between real ones: nginx, HAProxy and Varnish in front of it, and the client of the JDK.
//!
//! A test whose program is not installed says so and is skipped; with `CI` set it fails (`make test-proxies` sets it).
//!
//! # Layout
//! - `harness`: the programs, and what they are asked; the configurations (`nginx.conf`, `haproxy.cfg`, `default.vcl`) and
//!   `Client.java` lie beside this file.
//! - `nginx`, `haproxy`, `varnish`, `jdk`: what each of them must not lose or mix up.
//! - `event_streams`: server-sent events through nginx and HAProxy.
#![cfg(target_os = "linux")]
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

mod event_streams;
mod haproxy;
mod harness;
mod jdk;
mod nginx;
mod varnish;
