//! See `edge_proxy::fuzz::proxy_header`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| edge_proxy::fuzz::proxy_header(data));
