//! See `engine::fuzz::semver`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| engine::fuzz::semver(data));
