//! See `engine::fuzz::identity`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| engine::fuzz::identity(data));
