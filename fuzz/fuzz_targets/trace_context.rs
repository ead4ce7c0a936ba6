//! See `actors::fuzz::trace_context`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| actors::fuzz::trace_context(data));
