//! See `actors::fuzz::stored_file`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| actors::fuzz::stored_file(data));
