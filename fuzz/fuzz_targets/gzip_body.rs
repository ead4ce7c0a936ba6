//! See `edge_proxy::fuzz::gzip_body`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| edge_proxy::fuzz::gzip_body(data));
