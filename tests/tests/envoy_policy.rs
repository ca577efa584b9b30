//! Policies in a real Envoy: one that does not parse never serves, two do not mix, and a new one takes over without a restart.

#![expect(
    clippy::unwrap_used,
    reason = "a test stops where its ground is missing"
)]

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use e2e::corpus::Runner;
use e2e::corpus::policy::complete;
use e2e::gate::{Gate, Plan};
use e2e::judge::Prepared;
use e2e::test_key::{self, TestKey};
use e2e::tools::{self, Tools};
use e2e::{config, sample, wait};

const RUNNER: Runner = Runner::EnvoyHttp1;

fn plan<'a>(tools: &'a Tools, keys: &'a BTreeMap<String, TestKey>) -> Plan<'a> {
    Plan::new(tools, keys).unwrap()
}

/// Why Envoy does not start with this policy.
fn refusal(tools: &Tools, policy: &str) -> String {
    let keys = test_key::load().unwrap();
    let mut plan = plan(tools, &keys);
    plan.filtered_listener("one", &config::gate(&tools.filter, policy));
    start(plan)
}

fn start(plan: Plan<'_>) -> String {
    match plan.start() {
        Ok(_) => "it serves".to_owned(),
        Err(error) => format!("{error:#}"),
    }
}

#[test]
fn a_policy_that_does_not_parse_never_serves_and_says_where_it_is_wrong() {
    let Some(tools) = tools::find().unwrap() else {
        return;
    };
    let policy = "version: 1\nrealm: timesheets\nroutes:\n  - { path: /healthz, pubic: true }\n";
    let said = refusal(&tools, policy);
    assert!(
        said.contains("line 4, column ") && said.contains("pubic"),
        "{said}"
    );
}

/// The filter could not tell the requests of two policies apart, and would find that out in the middle of an update.
#[test]
fn a_vm_that_may_not_call_expressions_never_serves() {
    let Some(tools) = tools::find().unwrap() else {
        return;
    };
    let keys = test_key::load().unwrap();
    let mut plan = plan(&tools, &keys);
    let policy = "{ version: 1, realm: timesheets, routes: [{ path: /healthz, public: true }] }";
    let mut filter = config::gate(&tools.filter, policy);
    let allowed = CAPABILITIES.map(|name| (name.to_owned(), serde_json::json!({})));
    filter["typed_config"]["config"]["capability_restriction_config"] =
        serde_json::json!({ "allowed_capabilities": serde_json::Map::from_iter(allowed) });
    plan.filtered_listener("one", &filter);
    let said = start(plan);
    assert!(
        said.contains("needs Envoy's functions `expr_create`"),
        "{said}"
    );
}

/// All that it takes to be configured, but `proxy_call_foreign_function`.
const CAPABILITIES: [&str; 12] = [
    "proxy_on_memory_allocate",
    "proxy_on_configure",
    "proxy_on_request_headers",
    "proxy_get_buffer_bytes",
    "proxy_log",
    "proxy_define_metric",
    "proxy_get_current_time_nanoseconds",
    "proxy_set_effective_context",
    "proxy_set_tick_period_milliseconds",
    "random_get",
    "environ_get",
    "environ_sizes_get",
];

#[test]
fn an_issuer_without_a_cluster_never_serves() {
    let Some(tools) = tools::find().unwrap() else {
        return;
    };
    let policy = sample::POLICY
        .replace("${jwks:main}", "https://tenant.example/jwks")
        .replace("${jwks:partner}", "https://partner.example/jwks");
    let said = refusal(&tools, &policy);
    assert!(
        said.contains("auth0") && said.contains("partner") && said.contains("clusters"),
        "{said}"
    );
}

#[test]
fn an_empty_policy_never_serves() {
    let Some(tools) = tools::find().unwrap() else {
        return;
    };
    let said = refusal(&tools, "");
    assert!(said.contains("StringValue"), "{said}");
}

#[test]
fn a_struct_is_refused_with_the_way_out() {
    let Some(tools) = tools::find().unwrap() else {
        return;
    };
    let keys = test_key::load().unwrap();
    let mut plan = plan(&tools, &keys);
    let mut filter = config::gate(&tools.filter, "");
    filter["typed_config"]["config"]["configuration"] = serde_json::json!({
        "@type": "type.googleapis.com/google.protobuf.Struct",
        "value": { "version": 1, "realm": "timesheets", "routes": [{ "path": "/healthz", "public": true }] },
    });
    plan.filtered_listener("one", &filter);
    let said = plan
        .start()
        .err()
        .map_or("it serves".to_owned(), |error| format!("{error:#}"));
    assert!(said.contains("google.protobuf.StringValue"), "{said}");
}

#[test]
fn a_policy_in_json_serves() {
    let Some(tools) = tools::find().unwrap() else {
        return;
    };
    let keys = test_key::load().unwrap();
    let mut plan = plan(&tools, &keys);
    let policy = r#"{ "version": 1, "realm": "timesheets", "routes": [{ "path": "/healthz", "public": true }] }"#;
    plan.filtered_listener("one", &config::gate(&tools.filter, policy));
    let gate = plan.start().unwrap();
    assert_eq!(status(&gate, "one", &Prepared::get("/healthz")), Some(200));
    assert_eq!(
        status(&gate, "one", &Prepared::get("/timesheets")),
        Some(403)
    );
}

#[test]
fn two_listeners_with_two_policies_do_not_mix() {
    let Some(tools) = tools::find().unwrap() else {
        return;
    };
    let keys = test_key::load().unwrap();
    let mut plan = plan(&tools, &keys);
    // The same names throughout, and another key, another realm, another header.
    sample::listener(&mut plan, "one", sample::GOOD_KEYS, Duration::ZERO).unwrap();
    let places = sample::places(
        &plan,
        "two",
        "{ keys: [{ key: ed25519, kid: e1 }] }",
        Duration::ZERO,
    )
    .unwrap();
    let other = sample::POLICY
        .replace("realm: timesheets", "realm: payroll")
        .replace("sub: x-auth-sub", "sub: x-payroll-user");
    plan.listener("two", &other, &places).unwrap();
    let gate = plan.start().unwrap();

    let request = Prepared::get("/timesheets")
        .bearer(&sample::token(&keys, "alice").unwrap())
        .with("x-payroll-user", "admin");
    for _ in 0..2 {
        let one = gate.ask("one", RUNNER, &request).unwrap();
        let upstream = one.upstream.unwrap();
        assert_eq!(
            (
                upstream.header("x-auth-sub"),
                upstream.header("x-payroll-user")
            ),
            (vec!["alice".to_owned()], vec!["admin".to_owned()])
        );
        // What the first listener verified, and has in its cache, is nothing to the second.
        let two = gate.ask("two", RUNNER, &request).unwrap();
        assert_eq!(
            (two.status, two.reason.as_deref()),
            (Some(401), Some("key_unusable"))
        );
        assert!(
            two.headers
                .iter()
                .any(|(name, value)| name == "www-authenticate" && value.contains("payroll"))
        );
    }
}

#[test]
fn a_good_update_takes_over_and_a_bad_one_changes_nothing() {
    let Some(tools) = tools::find().unwrap() else {
        return;
    };
    let keys = test_key::load().unwrap();
    let mut plan = plan(&tools, &keys);
    let places = sample::places(&plan, "one", sample::GOOD_KEYS, Duration::ZERO).unwrap();
    let first = complete(sample::POLICY, &places).unwrap();
    let file = plan.folder().join("filter.json");
    write(&file, &config::discovery_file(&tools.filter, &first));
    plan.filtered_listener("one", &config::discovered_gate(&file));
    let gate = plan.start().unwrap();
    let health = Prepared::get("/healthz");
    wait::until("the first policy serves", || {
        status(&gate, "one", &health) == Some(200)
    });
    let admin = Prepared::get("/admin").bearer(&sample::token(&keys, "alice").unwrap());
    assert_eq!(status(&gate, "one", &admin), Some(403));

    // A bad one: the old policy goes on to serve, and the log says why.
    write(
        &file,
        &config::discovery_file(
            &tools.filter,
            &first.replace("scopes: [admin]", "scopes: [\"*\"]"),
        ),
    );
    wait::until("the log says why", || gate.envoy.log().contains("column "));
    assert_eq!(status(&gate, "one", &health), Some(200));
    assert_eq!(status(&gate, "one", &admin), Some(403));

    // A good one: the same token now may, and a route is gone.
    let second = first
        .replace("scopes: [admin]", "authenticated: true")
        .replace("path: /healthz", "path: /livez");
    write(&file, &config::discovery_file(&tools.filter, &second));
    wait::until("the second policy serves", || {
        status(&gate, "one", &health) == Some(403)
    });
    assert_eq!(status(&gate, "one", &admin), Some(200));
    assert_eq!(status(&gate, "one", &Prepared::get("/livez")), Some(200));
}

/// Envoy looks at a watched file when it is moved into place.
fn write(file: &Path, text: &str) {
    let partial = file.with_extension("partial");
    std::fs::write(&partial, text).unwrap();
    std::fs::rename(&partial, file).unwrap();
}

fn status(gate: &Gate, listener: &str, request: &Prepared) -> Option<u16> {
    let answer = gate
        .send(listener, RUNNER, request, &gate.fresh_id())
        .unwrap();
    Some(answer.status)
}
