//! See `engine::fuzz::updated_at`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| engine::fuzz::updated_at(data));
