//! Bytes as a request, against the proof of its provider: accepted exactly when the signature was made with the secret.

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| checks::verify(input));
