//! libFuzzer's door to [`scopegate_fuzz::openapi`].

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| scopegate_fuzz::openapi::check(input));
