//! Bytes as a request, against every reader of JSON, forms, queries and answers: no panic, and twice the same.

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| checks::parse(input));
