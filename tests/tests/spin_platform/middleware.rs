//! The gate as middleware, before a component that says what it saw.

use std::time::Duration;

use e2e::http1::{self, Answer};
use e2e::spin::application::Running;
use e2e::{sample, tools};
use serde_json::Value;

use crate::{Platform, exchange, is_problem};

/// The sample's policy, and a route for content.
fn guarded(platform: &Platform) -> Option<Running> {
    let (middleware, guest) = tools::find_middleware().unwrap()?;
    let policy = format!(
        "{}  - {{ path: /stream, authenticated: true }}\n",
        sample::POLICY
    );
    let sets = sample::key_sets(sample::GOOD_KEYS).unwrap();
    let gateway = platform
        .surroundings
        .gateway(&policy, &sets, Duration::ZERO);
    let (mut application, _) = gateway.unwrap();
    application.component = middleware;
    application.guards = Some(guest);
    Some(platform.start(&application.with("upstream", "")))
}

/// The values of a field that the component saw.
fn seen(answer: &Answer, name: &str) -> Vec<String> {
    let said: Value = serde_json::from_slice(&answer.body).unwrap();
    let fields = said["headers"].as_array().unwrap().iter();
    fields
        .filter(|field| field[0] == name)
        .map(|field| field[1].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn a_guarded_component_sees_who_asks_and_nobody_else_asks() {
    let Some(platform) = Platform::find() else {
        return;
    };
    let Some(running) = guarded(&platform) else {
        return;
    };
    let bare = "GET /timesheets HTTP/1.1\r\nhost: api.example.com\r\n\r\n";
    is_problem(&exchange(&running, bare), 401);
    is_problem(
        &exchange(&running, &bare.replace("/timesheets", "/nowhere")),
        403,
    );

    let fields = "x-auth-sub: eve\r\nX_Auth_Sub: eve\r\nspin-client-addr: 203.0.113.9:1\r\nspin-made-up: x\r\nx-stays: 1\r\n";
    let answer = exchange(&running, &platform.head("GET", fields));
    assert_eq!(answer.status, 200, "{}", running.spin.explain("refused"));
    assert_eq!(seen(&answer, "x-auth-sub"), ["alice"]);
    assert_eq!(seen(&answer, "x_auth_sub"), Vec::<String>::new());
    assert_eq!(seen(&answer, "x-stays"), ["1"]);
    assert_eq!(seen(&answer, "spin-made-up"), Vec::<String>::new());
    // Spin's own word stays, since the component may want it, and no client's stands before it.
    let [address] = seen(&answer, "spin-client-addr").try_into().unwrap();
    assert!(address.starts_with("127.0.0.1:"), "{address}");
    assert_eq!(seen(&answer, "spin-path-info"), ["/timesheets"]);
}

#[test]
fn bodies_pass_middleware_both_ways() {
    let Some(platform) = Platform::find() else {
        return;
    };
    let Some(running) = guarded(&platform) else {
        return;
    };
    let content = "abcdefgh".repeat(100_000);
    for (fields, body) in [
        (
            format!("content-length: {}\r\n", content.len()),
            content.clone(),
        ),
        (
            "transfer-encoding: chunked\r\n".to_owned(),
            format!("{:x}\r\n{content}\r\n0\r\n\r\n", content.len()),
        ),
    ] {
        let head = platform
            .head("POST", &fields)
            .replace("/timesheets", "/stream");
        let answer = http1::exchange(running.spin.address(), (head + &body).as_bytes()).unwrap();
        assert_eq!(answer.status, 200);
        assert!(
            answer.text() == content,
            "{} octets came back",
            answer.body.len()
        );
    }
}
