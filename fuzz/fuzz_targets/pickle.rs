//! Any bytes for `targets::pickle`.
#![no_main]
#![allow(dead_code, reason = "the other targets")]

#[path = "../../tests/fuzz/targets.rs"]
mod targets;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    targets::pickle(bytes);
});
