//! libFuzzer's door to [`scopegate_fuzz::rsa`].

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| scopegate_fuzz::rsa::check(input));
