//! Scopegate in Envoy: a proxy-wasm HTTP filter around the pure core.
//!
//! The core decides, this crate acts: it reads the request ([`stream`]), asks the core ([`gate`]), carries the
//! answer out ([`answer`]), and fetches keys through the root context ([`root`]) for the requests that wait for them
//! ([`waiting`]). Every host call is in [`host`]. There are no statics: what belongs to one policy belongs to the root
//! context that it was configured for, of which one VM may hold several.

mod answer;
mod asked;
mod configuration;
mod counters;
mod errand;
mod gate;
mod gauges;
mod header_pairs;
mod host;
mod key_call;
mod known_answers;
mod resumption;
mod root;
mod sharing;
mod stream;
mod turn;
mod upkeep;
mod verifier;
mod verify_message;
mod waiting;

/// Where Envoy enters the VM. The SDK's macro exports a function, which counts as unsafe code.
mod entry {
    #![allow(unsafe_code)]

    proxy_wasm::main! {{
        proxy_wasm::set_root_context(|context| Box::new(crate::root::Root::new(context)));
    }}
}

#[cfg(test)]
mod samples;
