//! Known tokens in a real Envoy: WebAssembly compares octets with instructions of its own, which the unit tests do not run.
//!
//! Before its last 64 octets a changed token has the same hash as the known one, and only the comparison tells them apart.

use std::time::Duration;

use e2e::corpus::Runner;
use e2e::gate::Plan;
use e2e::judge::Prepared;
use e2e::{sample, test_key, tools};

const RUNNER: Runner = Runner::EnvoyHttp1;

#[test]
fn what_differs_from_a_known_token_in_any_octet_does_not_pass() {
    let Some(tools) = tools::find().unwrap() else {
        return;
    };
    let keys = test_key::load().unwrap();
    let mut plan = Plan::new(&tools, &keys).unwrap();
    sample::listener(&mut plan, "one", sample::GOOD_KEYS, Duration::ZERO).unwrap();
    let gate = plan.start().unwrap();
    let passes = |token: &str| {
        let request = Prepared::get("/timesheets").bearer(token);
        let answer = gate.send("one", RUNNER, &request, &gate.fresh_id());
        answer.unwrap().status == 200
    };
    let hits = || {
        let name = "wasmcustom.scopegate.token_cache.hit";
        gate.envoy.stat(name).unwrap()
    };
    for subject in ["alice", "bob"] {
        let token = sample::token(&keys, subject).unwrap();
        assert!(passes(&token));
        let before = hits();
        assert!(passes(&token));
        assert_ne!(hits(), before, "it is known");
        for place in 0..token.len() {
            let (start, rest) = token.split_at(place);
            let (octet, end) = rest.split_at(1);
            let other = if octet == "A" { "B" } else { "A" };
            assert!(!passes(&format!("{start}{other}{end}")), "octet {place}");
            assert!(!passes(start), "{place} octets");
        }
        assert!(!passes(&format!("{token}A")), "an octet more");
        assert!(passes(&token));
    }
}
