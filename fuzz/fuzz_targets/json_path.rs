//! See `engine::fuzz::json_path`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| engine::fuzz::json_path(data));
