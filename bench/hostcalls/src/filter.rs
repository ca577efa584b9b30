//! The entry points, and the calls.
#![allow(unsafe_code)]

mod abi;

use std::sync::OnceLock;

use abi::{HeaderMap, Metric};

/// The counters that an allowed request increments.
static COUNTERS: OnceLock<[Metric; 2]> = OnceLock::new();

const CONTINUE: u32 = 0;

#[unsafe(no_mangle)]
extern "C" fn proxy_on_configure(_: u32, _: u32) -> u32 {
    COUNTERS.get_or_init(|| {
        ["hostcalls.token_cache.hit", "hostcalls.allowed"].map(abi::define_counter)
    });
    1
}

/// The list. Another order, another call or another value here has to be one in the gate too.
#[unsafe(no_mangle)]
extern "C" fn proxy_on_request_headers(_: u32, _: u32, _: u32) -> u32 {
    drop(abi::header_map_pairs(HeaderMap::Request));
    abi::current_time();
    abi::replace_header("x-auth-sub", "auth0|507f1f77bcf86cd799439011");
    for counter in COUNTERS.get().into_iter().flatten() {
        abi::increment(*counter);
    }
    abi::set_property("scopegate_decision", "allow");
    abi::set_property("scopegate_route", "/timesheets");
    abi::set_property("scopegate_issuer", "auth0");
    CONTINUE
}
