//! The same vectors in a VM of a real Envoy: put to the verifier that the filter uses there, and to the portable one as it
//! is compiled for WebAssembly.

#![expect(
    clippy::unwrap_used,
    reason = "a test stops where its ground is missing"
)]

use std::net::SocketAddr;

use e2e::gate::{Gate, Plan};
use e2e::vectors::{Exceptions, Group, differences, wycheproof};
use e2e::{config, http1, test_key, tools};
use serde::Deserialize;
use serde_json::json;
use vector_probe::{Question, Verdicts};

/// Vectors in one request: Envoy keeps no more than 1 MiB of a body for a filter, and the slowest take milliseconds each.
const PORTION: usize = 40;

/// What the probe answers.
#[derive(Deserialize)]
struct Answer {
    host: Verdicts,
    portable: Verdicts,
}

#[test]
fn wycheproof_is_right_in_envoy_but_for_the_same_exceptions() {
    let Some(tools) = tools::find_for_vectors().unwrap() else {
        return;
    };
    let keys = test_key::load().unwrap();
    let mut plan = Plan::new(&tools, &keys).unwrap();
    let mut filter = config::gate(&tools.filter, "");
    // The probe answers when it has read the body: stopping at the headers must not keep the body from it.
    filter["typed_config"]["config"]["allow_on_headers_stop_iteration"] = json!(true);
    plan.filtered_listener("probe", &filter);
    let gate = plan.start().unwrap();
    let address = gate.address("probe").unwrap();

    let groups = wycheproof().unwrap();
    let exceptions = Exceptions::load().unwrap();
    let (mut by_host, mut portable, mut asked_of_host) = (Vec::new(), Vec::new(), 0);
    for group in &groups {
        let answer = ask(address, group);
        by_host.extend(differences(group, &answer.host).unwrap());
        portable.extend(differences(group, &answer.portable).unwrap());
        let is_for_host = ["RS", "ES"].contains(&&group.question.algorithm[..2]);
        if let (true, Some(verdicts)) = (is_for_host, &answer.host) {
            asked_of_host += verdicts.len();
        }
    }
    for (verifier, seen) in [("the host's", by_host), ("the portable", portable)] {
        let complaints = exceptions.complaints(&groups, &seen);
        assert!(
            complaints.is_empty(),
            "{verifier} verifier:\n{}",
            complaints.join("\n")
        );
    }
    // It was the host that answered, and not the portable verifier in its place.
    assert!(asked_of_host > 5_000, "{asked_of_host}");
    assert_eq!(counted(&gate, "host"), asked_of_host as u64);
}

fn counted(gate: &Gate, verifier: &str) -> u64 {
    let name = format!("wasmcustom.scopegate.verify.{verifier}");
    gate.envoy.stat(&name).unwrap().unwrap()
}

fn ask(address: SocketAddr, group: &Group) -> Answer {
    let mut whole = Answer {
        host: None,
        portable: None,
    };
    for portion in group.portions(PORTION) {
        let Answer { host, portable } = ask_once(address, &portion);
        for (known, more) in [(&mut whole.host, host), (&mut whole.portable, portable)] {
            if let Some(more) = more {
                known.get_or_insert_default().extend(more);
            }
        }
    }
    whole
}

fn ask_once(address: SocketAddr, question: &Question) -> Answer {
    let body = serde_json::to_vec(question).unwrap();
    let head = format!(
        "POST / HTTP/1.1\r\nhost: probe\r\nconnection: close\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    let answer = http1::exchange(address, &[head.as_bytes(), &body].concat()).unwrap();
    assert_eq!(answer.status, 200, "{}", answer.text());
    serde_json::from_slice(&answer.body).unwrap()
}
