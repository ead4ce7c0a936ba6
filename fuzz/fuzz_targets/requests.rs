//! See `edge_proxy::fuzz::requests`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| edge_proxy::fuzz::requests(data));
