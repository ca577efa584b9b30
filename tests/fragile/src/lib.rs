//! The shipped filter, and one thing more: a request with the header `x-trap` takes its VM down.
//!
//! Envoy replaces a VM that died (`FAIL_RELOAD`), and the tests in `envoy_shared_keys` want to see what becomes of keys, of leases
//! and of those who wait. The shipped filter has no way to die on demand, and must not get one. So this compiles its sources as
//! they are, and hands every call of Envoy on to them. Outside of WebAssembly there is nothing of it.

#[cfg(target_family = "wasm")]
mod fragile;

/// Compiles a source of the filter's under the name by which the others know it. A macro, because rustfmt would follow plain
/// declarations to unit tests that are not where it looks for them then.
#[cfg(target_family = "wasm")]
macro_rules! the_filter {
    ($($name:ident = $path:literal;)*) => {
        $(#[path = $path]
        mod $name;)*
    };
}

#[cfg(target_family = "wasm")]
the_filter! {
    answer = "../../../filter/src/answer.rs";
    asked = "../../../filter/src/asked.rs";
    configuration = "../../../filter/src/configuration.rs";
    contexts = "../../../filter/src/contexts.rs";
    counters = "../../../filter/src/counters.rs";
    entry = "../../../filter/src/entry.rs";
    errand = "../../../filter/src/errand.rs";
    gate = "../../../filter/src/gate.rs";
    gauges = "../../../filter/src/gauges.rs";
    header_pairs = "../../../filter/src/header_pairs.rs";
    host = "../../../filter/src/host/mod.rs";
    key_call = "../../../filter/src/key_call.rs";
    known_answers = "../../../filter/src/known_answers.rs";
    resumption = "../../../filter/src/resumption.rs";
    root = "../../../filter/src/root.rs";
    root_mark = "../../../filter/src/root_mark.rs";
    sharing = "../../../filter/src/sharing.rs";
    stream = "../../../filter/src/stream.rs";
    turn = "../../../filter/src/turn.rs";
    upkeep = "../../../filter/src/upkeep.rs";
    verifier = "../../../filter/src/verifier.rs";
    verify_message = "../../../filter/src/verify_message.rs";
    waiting = "../../../filter/src/waiting.rs";
}

#[cfg(target_family = "wasm")]
entry::entry_points!(crate::fragile::FragileRoot);
