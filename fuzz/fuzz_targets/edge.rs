//! Bytes on a socket of the whole program: no 5xx but 503, and nothing unproven in the store.

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| checks::edge(input));
