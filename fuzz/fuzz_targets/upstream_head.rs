//! See `actors::fuzz::upstream_head`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| actors::fuzz::upstream_head(data));
