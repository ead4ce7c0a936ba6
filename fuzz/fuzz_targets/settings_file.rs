//! See `edge_proxy::fuzz::settings_file`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| edge_proxy::fuzz::settings_file(data));
