//! See `edge_proxy::fuzz::http_date`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| edge_proxy::fuzz::http_date(data));
