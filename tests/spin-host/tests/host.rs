//! The host, seen from outside: what Spin does with requests, instances, and what components ask for.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test stops where its ground is missing"
)]

mod support;

use std::path::Path;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::{Value, json};
use support::{App, exchange, fail, manifest, upstream};

fn headers_of(seen: &Value, name: &str) -> Vec<String> {
    let headers = seen["headers"].as_array().unwrap().iter();
    headers
        .filter(|header| header[0] == name)
        .map(|header| header[1].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn spins_own_headers_follow_the_clients() {
    let app = App::start(&manifest(""), &[]);
    let forged = [
        ("spin-client-addr", "10.0.0.1:1"),
        ("X-A", "1"),
        ("x-a", "2"),
    ];
    let seen = app.ask("POST", "/a//b%2Fc/?q=1", &forged, b"").json();
    assert_eq!(seen["method"], "POST");
    assert_eq!(seen["path"], "/a//b%2Fc/?q=1");
    assert_eq!(seen["authority"], app.address.as_str());
    assert_eq!(headers_of(&seen, "x-a"), ["1", "2"]);
    let clients = headers_of(&seen, "spin-client-addr");
    assert_eq!(clients.len(), 2);
    assert_eq!(clients[0], "10.0.0.1:1");
    assert!(clients[1].starts_with("127.0.0.1:"), "{clients:?}");
    for (name, value) in [
        ("spin-path-info", "/a//b%2Fc/"),
        (
            "spin-full-url",
            &format!("http://{}/a//b%2Fc/?q=1", app.address),
        ),
        ("spin-matched-route", "/..."),
        ("spin-base-path", "/"),
        ("spin-raw-component-route", "/..."),
        ("spin-component-route", ""),
    ] {
        assert_eq!(headers_of(&seen, name), [value], "{name}");
    }
}

#[test]
fn routes_choose_by_how_exact_they_are() {
    let app = App::start(
        &manifest("[[trigger.http]]\nroute = '/users/:user_id/x'\ncomponent = 'guest'")
            .replace("\"/...\"", "\"/users/...\""),
        &[],
    );
    let seen = app.get("/users/7/x");
    assert_eq!(headers_of(&seen, "spin-path-match-user-id"), ["7"]);
    assert_eq!(
        headers_of(&seen, "spin-matched-route"),
        ["/users/:user_id/x"]
    );
    assert_eq!(
        headers_of(&app.get("/users/7"), "spin-matched-route"),
        ["/users/..."]
    );
    let missing = app.ask("GET", "/user", &[], b"");
    assert_eq!(
        (missing.status, missing.body.as_slice()),
        (404, b"".as_slice())
    );
}

#[test]
fn well_known_paths_are_spins() {
    let app = App::start(&manifest(""), &[]);
    let health = app.ask("GET", "/.well-known/spin/health", &[], b"");
    assert_eq!(
        (health.status, health.body.as_slice()),
        (200, b"OK".as_slice())
    );
    assert_eq!(app.get("/.well-known/spin/info")["name"], "app");
    assert_eq!(
        app.ask("GET", "/.well-known/spin/other", &[], b"").status,
        404
    );
    assert_eq!(app.instances().0, 0);
}

#[test]
fn what_a_component_cannot_answer_is_an_empty_500() {
    let app = App::start(&manifest(""), &[]);
    for path in ["/fail", "/trap"] {
        let answer = app.ask("GET", path, &[], b"");
        assert_eq!(
            (answer.status, answer.body.as_slice()),
            (500, b"".as_slice()),
            "{path}"
        );
    }
    let head = format!(
        "GET / HTTP/1.1\r\nHost: {}\r\nConnection: close\r\nX: ",
        app.address
    );
    let not_utf8 = [head.as_bytes(), b"\xff\r\n\r\n"].concat();
    assert_eq!(exchange(&app.address, &not_utf8).unwrap().status, 500);
    assert_eq!(app.get("/")["method"], "GET");
}

#[test]
fn a_request_without_one_authority_closes_the_connection() {
    let app = App::start(&manifest(""), &[]);
    for head in [
        "GET / HTTP/1.1\r\n",
        "GET / HTTP/1.1\r\nHost: a b\r\n",
        "GET / HTTP/1.1\r\nHost: gate.spin.internal\r\n",
        "GET http://one/ HTTP/1.1\r\nHost: two\r\n",
    ] {
        let request = format!("{head}Connection: close\r\n\r\n");
        assert!(
            exchange(&app.address, request.as_bytes()).is_none(),
            "{head}"
        );
    }
    let same = "GET http://one/x HTTP/1.1\r\nHost: one\r\nConnection: close\r\n\r\n";
    let seen = exchange(&app.address, same.as_bytes()).unwrap().json();
    assert_eq!(
        (&seen["path"], &seen["authority"]),
        (&json!("/x"), &json!("one"))
    );
}

#[test]
fn an_instance_takes_128_requests() {
    let app = App::start(&manifest(""), &[]);
    let numbers: Vec<u64> = (0..130)
        .map(|_| app.get("/instance")["requests"].as_u64().unwrap())
        .collect();
    let expected: Vec<u64> = (1..=128).chain([1, 2]).collect();
    assert_eq!(numbers, expected);
    assert_eq!(app.instances().0, 2);
}

/// Whether something is so that a busy machine may hide: a request that comes too late finds another instance.
fn in_three_tries(check: impl Fn() -> bool) -> bool {
    (0..3).any(|_| check())
}

#[test]
fn an_instance_works_on_16_requests_at_once() {
    let most_started = |arguments: &[&str], requests: usize| {
        let app = App::start(&manifest(""), arguments);
        app.get("/instance");
        std::thread::scope(|scope| {
            for _ in 0..requests {
                scope.spawn(|| app.get("/slow?1500"));
                // Two requests at the same moment make two instances: one that is computing is not offered another.
                std::thread::sleep(Duration::from_millis(30));
            }
        });
        app.instances().0
    };
    assert!(in_three_tries(|| most_started(&[], 16) == 1));
    assert!(most_started(&[], 17) > 1);
    let two = ["--max-instance-concurrent-reuse-count", "2"];
    assert!(in_three_tries(|| most_started(&two, 4) == 2));
}

#[test]
fn an_idle_instance_ends_after_a_second() {
    let app = App::start(&manifest(""), &[]);
    assert!(in_three_tries(|| {
        let first = app.get("/instance")["requests"].as_u64().unwrap();
        std::thread::sleep(Duration::from_millis(600));
        app.get("/instance")["requests"] == first + 1 && app.instances().1 == 1
    }));
    std::thread::sleep(Duration::from_millis(1800));
    assert_eq!(app.instances().1, 0);
    assert_eq!(app.get("/instance")["requests"], 1);
}

#[test]
fn a_retired_instance_finishes_what_it_has_and_takes_nothing() {
    let app = App::start(&manifest(""), &["--idle-instance-timeout", "1m"]);
    app.get("/instance");
    std::thread::scope(|scope| {
        let slow = scope.spawn(|| app.get("/slow?2000"));
        std::thread::sleep(Duration::from_millis(300));
        app.control("POST", "/instances/retire", "");
        assert_eq!(app.get("/instance")["requests"], 1);
        assert_eq!(app.instances(), (2, 2));
        assert_eq!(slow.join().unwrap()["requests"], 2);
    });
    app.control("POST", "/instances/retire", "");
    std::thread::sleep(Duration::from_millis(300));
    assert_eq!(app.instances(), (2, 0));
}

#[test]
fn a_component_sends_where_it_may() {
    let upstream = upstream::start();
    let hosts = "allowed_outbound_hosts = ['http://127.0.0.1:*', 'http://nowhere.invalid']";
    let app = App::start(&manifest(hosts), &[]);
    let send = |address: &str, headers: &[(&str, &str)]| {
        app.ask("GET", &format!("/send?{address}"), headers, b"")
            .json()
    };
    let seen = send(&format!("http://{upstream}/a?b=c"), &[("x-a", "1")]);
    let head = seen["body"].as_str().unwrap().to_ascii_lowercase();
    assert!(head.starts_with("get /a?b=c http/1.1\r\n"), "{head}");
    assert!(
        head.contains(&format!("\r\nhost: {upstream}\r\n")),
        "{head}"
    );
    assert!(head.contains("\r\nx-a: 1\r\n"), "{head}");
    assert_eq!(headers_of(&seen, "x-twice"), ["1", "2"]);
    assert_eq!(headers_of(&seen, "x-connection"), ["0"]);
    app.control("POST", "/instances/retire", "");
    let again = send(&format!("http://{upstream}/redirect"), &[]);
    assert_eq!(again["status"], 302);
    assert_eq!(headers_of(&again, "x-connection"), ["0"]);
    for (address, headers, error) in [
        (
            "http://localhost:1/".to_owned(),
            [("x", "")],
            "HttpRequestDenied",
        ),
        (
            format!("https://{upstream}/"),
            [("x", "")],
            "HttpRequestDenied",
        ),
        (
            "http://127.0.0.1:1/".to_owned(),
            [("x", "")],
            "ConnectionRefused",
        ),
        (
            "http://nowhere.invalid/".to_owned(),
            [("x", "")],
            "DnsError",
        ),
        (
            format!("http://{upstream}/late"),
            [("x-first-byte-ms", "200")],
            "ConnectionReadTimeout",
        ),
    ] {
        let seen = send(&address, &headers);
        let seen = seen["error"].as_str().unwrap_or_default();
        assert!(seen.contains(error), "{address}: {seen}");
    }
    let paused = send(
        &format!("http://{upstream}/pause"),
        &[("x-between-bytes-ms", "200")],
    );
    assert!(
        paused["body_error"]
            .as_str()
            .unwrap()
            .contains("ConnectionReadTimeout"),
        "{paused}"
    );
}

const TWO: &str = r#"
    spin_manifest_version = 2
    application = { name = "two" }
    [variables]
    inner = { default = "http://inner.spin.internal" }
    [[trigger.http]]
    route = "/..."
    component = "outer"
    [[trigger.http]]
    route = { private = true }
    component = "inner"
    [component.outer]
    source = "SERVICE"
    allowed_outbound_hosts = ["{{ inner }}"]
    [component.inner]
    source = "SERVICE"
"#;

#[test]
fn a_component_sends_to_another_in_memory() {
    let app = App::start(TWO, &[]);
    let headers = [
        ("spin-client-addr", "forged"),
        ("spin-path-info", "/forged"),
    ];
    let seen = app
        .ask(
            "PUT",
            "/send?http://inner.spin.internal/a?b",
            &headers,
            b"text",
        )
        .json();
    let inner: Value = serde_json::from_str(seen["body"].as_str().unwrap()).unwrap();
    assert_eq!(
        (&inner["method"], &inner["path"]),
        (&json!("PUT"), &json!("/a?b"))
    );
    assert_eq!(inner["authority"], "inner.spin.internal");
    // The client's own, those that Spin gave the outer component and that it sent on, and those for the inner one.
    let clients = headers_of(&inner, "spin-client-addr");
    assert_eq!(
        (clients.len(), clients[0].as_str(), clients[2].as_str()),
        (3, "forged", "0.0.0.0:0")
    );
    assert_eq!(headers_of(&inner, "spin-path-info")[2], "/a");
    assert_eq!(
        headers_of(&inner, "spin-full-url")[1],
        "http://localhost/a?b"
    );
    let counts = app.control("GET", "/instances", "");
    assert_eq!(
        counts["components"],
        json!({"inner": {"started": 1, "alive": 1}, "outer": {"started": 1, "alive": 1}})
    );
    let streamed = app.ask(
        "POST",
        "/forward?http://inner.spin.internal/stream",
        &[],
        b"body",
    );
    assert_eq!(
        (streamed.status, streamed.body.as_slice()),
        (200, b"body".as_slice())
    );
    let failed = app.get("/send?http://inner.spin.internal/fail");
    assert_eq!(
        (&failed["status"], &failed["body"]),
        (&json!(500), &json!(""))
    );
    // No route leads to the private component, and no other component may be called.
    assert_eq!(
        headers_of(&app.get("/inner"), "spin-matched-route"),
        ["/..."]
    );
    let denied = app.get("/send?http://outer.spin.internal/");
    assert!(
        denied["error"]
            .as_str()
            .unwrap()
            .contains("HttpRequestDenied"),
        "{denied}"
    );
}

#[test]
fn only_the_pause_between_bytes_counts_in_memory() {
    let app = App::start(TWO, &[]);
    let slow = "/send?http://inner.spin.internal/slow?700";
    let headers = [("x-first-byte-ms", "100"), ("x-connect-ms", "100")];
    assert_eq!(app.ask("GET", slow, &headers, b"").json()["status"], 200);
    let paused = "/send?http://inner.spin.internal/pause?700";
    let seen = app
        .ask("GET", paused, &[("x-between-bytes-ms", "100")], b"")
        .json();
    let error = seen["body_error"].as_str().unwrap_or_default();
    assert!(error.contains("ConnectionReadTimeout"), "{seen}");
    assert_eq!(app.get(paused)["body"], "onetwo");
}

#[test]
fn http_2_is_served_on_the_same_port() {
    let app = App::start(&manifest(""), &[]);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let (seen, version) = runtime.block_on(async {
        let client = hyper_util::client::legacy::Client::builder(TokioExecutor::new())
            .http2_only(true)
            .build(HttpConnector::new());
        let request = http::Request::post(format!("http://{}/a?b", app.address))
            .header("x-a", "1")
            .body(Full::new(Bytes::from_static(b"body")));
        let answer = client.request(request.unwrap()).await.unwrap();
        let version = answer.version();
        let body = answer.into_body().collect().await.unwrap().to_bytes();
        (serde_json::from_slice::<Value>(&body).unwrap(), version)
    });
    assert_eq!(version, http::Version::HTTP_2);
    assert_eq!(
        (&seen["method"], &seen["path"]),
        (&json!("POST"), &json!("/a?b"))
    );
    assert_eq!(seen["authority"], app.address.as_str());
    // HTTP/2 has no `Host`, and Spin looks there alone.
    assert_eq!(headers_of(&seen, "spin-full-url"), ["http://localhost/a?b"]);
}

#[test]
fn bodies_stream_both_ways() {
    let app = App::start(TWO, &[]);
    let body: Vec<u8> = (0..20_000_000_u32).map(|n| n.to_le_bytes()[1]).collect();
    let answer = app.ask(
        "POST",
        "/forward?http://inner.spin.internal/stream",
        &[],
        &body,
    );
    assert!(
        answer.body == body,
        "{} of {}",
        answer.body.len(),
        body.len()
    );
}

#[test]
fn headers_that_spin_keeps_from_components() {
    let upstream = upstream::start();
    let sent = [
        ("Upgrade", "h2c"),
        ("Keep-Alive", "timeout=5"),
        ("X-A", "1"),
    ];
    for (mode, passes) in [("strict", false), ("none", true)] {
        let app = App::start(
            &manifest("allowed_outbound_hosts = ['http://127.0.0.1:*']"),
            &["--forbidden-headers", mode],
        );
        let seen = app.ask("GET", "/", &sent, b"").json();
        for name in ["upgrade", "keep-alive", "connection", "host"] {
            let found = !headers_of(&seen, name).is_empty();
            assert_eq!(found, passes, "{mode}: {name}");
        }
        assert_eq!(headers_of(&seen, "x-a"), ["1"], "{mode}");
        let path = format!("/send?http://{upstream}/");
        let sent_on = app.ask("GET", &path, &sent, b"").json();
        let head = sent_on["body"].as_str().unwrap().to_ascii_lowercase();
        for line in ["upgrade: h2c\r\n", "keep-alive: timeout=5\r\n"] {
            assert_eq!(head.contains(line), passes, "{mode}: {head}");
        }
        let hosts: Vec<&str> = head.lines().filter(|l| l.starts_with("host:")).collect();
        assert_eq!(hosts, [format!("host: {upstream}")], "{mode}");
    }
}

#[test]
fn stores_hold_what_is_put_into_them() {
    let app = App::start(&manifest("key_value_stores = ['default']"), &[]);
    let put = |value: &[u8]| app.ask("PUT", "/store/default/set/k", &[], value).json();
    assert_eq!(app.get("/store/default/get/k"), json!({"ok": null}));
    assert_eq!(put(b"value"), json!({"ok": null}));
    app.control("POST", "/instances/retire", "");
    assert_eq!(app.get("/store/default/get/k"), json!({"ok": "value"}));
    assert_eq!(app.get("/store/default/exists/k"), json!({"ok": true}));
    assert_eq!(
        app.control("GET", "/store", ""),
        json!({"default": {"k": "dmFsdWU="}})
    );
    app.control("PUT", "/store/default/a/b%20c", "planted");
    assert_eq!(
        app.get("/store/default/keys/-"),
        json!({"ok": ["a/b c", "k"]})
    );
    assert_eq!(app.get("/store/default/delete/k"), json!({"ok": null}));
    assert_eq!(app.get("/store/default/exists/k"), json!({"ok": false}));
    app.control("DELETE", "/store", "");
    assert_eq!(app.control("GET", "/store", ""), json!({}));
    assert_eq!(
        app.get("/store/other/get/k"),
        json!({"error": "Error::AccessDenied"})
    );
}

#[test]
fn stores_fail_as_a_test_asks() {
    let app = App::start(&manifest("key_value_stores = ['default']"), &[]);
    let fault = |body: &str| app.control("POST", "/store/faults", body);
    for operation in ["open", "get"] {
        fault(&json!({operation: {"error": "broken"}}).to_string());
        assert_eq!(
            app.get("/store/default/get/k"),
            json!({"error": "Error::Other(\"broken\")"})
        );
        fault(&json!({operation: null}).to_string());
        assert_eq!(app.get("/store/default/get/k"), json!({"ok": null}));
    }
    fault(r#"{"set": {"delay_ms": 500}}"#);
    let start = Instant::now();
    app.ask("PUT", "/store/default/set/k", &[], b"v");
    assert!(start.elapsed() >= Duration::from_millis(500));
    fault(r#"{"get": {"hang": true}}"#);
    let address = app.address.clone();
    let hanging = std::thread::spawn(move || {
        let request = format!("GET /store/default/get/k HTTP/1.1\r\nHost: {address}\r\n\r\n");
        exchange(&address, request.as_bytes())
    });
    std::thread::sleep(Duration::from_millis(500));
    // Others of the same instance go on.
    assert_eq!(app.get("/store/default/exists/k"), json!({"ok": true}));
    assert_eq!(app.instances().0, 1);
    assert!(!hanging.is_finished());
    drop(app);
    assert!(hanging.join().unwrap().is_none());
}

#[test]
fn variables_have_values_from_outside() {
    let variables = r#"
        [component.guest.variables]
        address = "{{ scheme }}://{{ host }}"
        [variables]
        scheme = { default = "http" }
        host = { required = true }
        "#;
    let app = App::start(&manifest(variables), &["--variable", "host=a"]);
    assert_eq!(app.get("/variable?address"), json!({"ok": "http://a"}));
    let error = |name: &str| {
        app.get(&format!("/variable?{name}"))["error"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    assert!(error("host").contains("Undefined"), "{}", error("host"));
    assert!(error("Bad").contains("InvalidName"), "{}", error("Bad"));
    app.control("POST", "/variables/faults", r#"{"get": {"error": "away"}}"#);
    assert_eq!(error("address"), "Error::Provider(\"away\")");
    let failed = fail(&manifest(variables), &[]);
    assert!(String::from_utf8_lossy(&failed.stderr).contains("required variable `host`"));
}

#[test]
fn files_are_mounted_read_only() {
    let folder = support::write(&manifest(
        "files = [{ source = 'f.txt', destination = '/in/f.txt' }]",
    ));
    std::fs::write(folder.path().join("f.txt"), "content").unwrap();
    let app = App::start_in(folder, &[]);
    assert_eq!(app.get("/file?/in/f.txt"), json!({"ok": "content"}));
    assert_eq!(app.get("/file?in/f.txt"), json!({"ok": "content"}));
    for path in [
        "/file?/f.txt",
        "/file?/spin.toml",
        "/write?/in/f.txt",
        "/write?/new",
        "/file?/../etc/hostname",
    ] {
        assert!(app.get(path)["error"].is_string(), "{path}");
    }
    assert!(fail(&manifest("files = ['missing']"), &[]).status.code() == Some(1));
}

#[test]
fn the_wall_clock_can_be_shifted() {
    let app = App::start(&manifest(""), &[]);
    let before = app.get("/clock");
    app.control("POST", "/clock", r#"{"advance_ms": 3600000}"#);
    let after = app.get("/clock");
    for clock in ["wall_0_2", "wall_0_3"] {
        let passed = after[clock].as_u64().unwrap() - before[clock].as_u64().unwrap();
        assert!((3600..3610).contains(&passed), "{clock}: {passed}");
    }
    let passed = after["monotonic_ms"].as_u64().unwrap() - before["monotonic_ms"].as_u64().unwrap();
    assert!(passed < 60_000, "{passed}");
}

fn guarded(first: &str, second: &str) -> String {
    format!(
        r#"
        spin_manifest_version = 2
        application = {{ name = "guarded" }}
        [[trigger.http]]
        route = "/..."
        component = "guest"
        dependencies.middleware = [
            {{ component = "outer", inherit_configuration = {first} }},
            {{ component = "inner", inherit_configuration = {second} }},
        ]
        [component.outer]
        source = "MIDDLEWARE"
        variables = {{ name = "its own" }}
        [component.inner]
        source = "inner.wasm"
        [component.guest]
        source = "SERVICE"
        variables = {{ name = "guarded" }}
        "#
    )
}

#[test]
fn middleware_stands_before_a_component() {
    let folder = support::write(&guarded("['variables']", "true"));
    support::write_inner(folder.path());
    let app = App::start_in(folder, &[]);
    let answer = app.ask("POST", "/a?b", &[], b"");
    // Each reads the variables of the component behind both.
    let outer = "the outer middleware, guarded";
    let inner = "the inner middleware, guarded";
    assert_eq!(answer.header("x-through"), [inner, outer]);
    let seen = answer.json();
    assert_eq!(
        (&seen["method"], &seen["path"]),
        (&json!("POST"), &json!("/a?b"))
    );
    assert_eq!(headers_of(&seen, "x-through"), [outer, inner]);
    assert_eq!(headers_of(&seen, "spin-path-info"), ["/a"]);
    let streamed = app.ask("POST", "/stream", &[], b"body");
    assert_eq!(streamed.body, b"body");
    assert_eq!(app.ask("GET", "/fail", &[], b"").status, 500);
}

#[test]
fn middleware_that_inherits_too_little_is_refused() {
    for (first, second) in [
        ("['variables']", "[]"),
        ("['files']", "true"),
        ("false", "true"),
    ] {
        let manifest = guarded(first, second).replace("inner.wasm", "MIDDLEWARE");
        let failed = fail(&manifest, &[]);
        let said = String::from_utf8_lossy(&failed.stderr).into_owned();
        assert!(
            said.contains("does not name `variables`"),
            "{first} {second}: {said}"
        );
    }
    let failed = fail(&guarded("['everything']", "true"), &[]);
    assert!(String::from_utf8_lossy(&failed.stderr).contains("`everything`"));
}

#[test]
fn output_goes_to_the_log_folder() {
    let logs = tempfile::tempdir().unwrap();
    let app = App::start(&manifest(""), &["--log-dir", logs.path().to_str().unwrap()]);
    app.get("/log?words");
    let read = |name: &str| std::fs::read_to_string(logs.path().join(name)).unwrap();
    assert_eq!(read("guest_stdout.txt"), "out words\n");
    assert_eq!(read("guest_stderr.txt"), "err words\n");
}

#[test]
fn manifests_that_are_refused() {
    for (more, word) in [
        ("unknown_field = 1", "unknown_field"),
        ("key_value_stores = ['entries']", "entries"),
        ("allowed_outbound_hosts = ['example.com']", "example.com"),
        ("allowed_outbound_hosts = ['{{ missing }}']", "missing"),
        (
            "[[trigger.http]]\nroute = '/a'\ncomponent = 'missing'",
            "missing",
        ),
    ] {
        let failed = fail(&manifest(more), &[]);
        assert_eq!(failed.status.code(), Some(1), "{more}");
        let said = String::from_utf8_lossy(&failed.stderr).into_owned();
        assert!(
            said.contains(word) && failed.stdout.is_empty(),
            "{more}: {said}"
        );
    }
}

#[test]
fn stores_of_a_runtime_configuration() {
    let folder = support::write(&manifest("key_value_stores = ['entries']"));
    let configuration = folder.path().join("runtime.toml");
    std::fs::write(&configuration, "[key_value_store.entries]\ntype = 'spin'").unwrap();
    let app = App::start_in(
        folder,
        &["--runtime-config-file", configuration.to_str().unwrap()],
    );
    assert_eq!(app.get("/store/entries/get/k"), json!({"ok": null}));
}

#[test]
fn wrong_control_requests_are_refused() {
    let app = App::start(&manifest(""), &[]);
    for (method, path, body, status) in [
        ("GET", "/nothing", "", 404),
        ("POST", "/clock", "{}", 400),
        ("POST", "/clock", r#"{"advance": 1}"#, 400),
        ("POST", "/store/faults", r#"{"get": {"error": 1}}"#, 400),
        ("POST", "/store/faults", r#"{"put": null}"#, 400),
        ("POST", "/variables/faults", r#"{"set": null}"#, 400),
    ] {
        assert_eq!(
            app.try_control(method, path, body).status,
            status,
            "{path} {body}"
        );
    }
}

#[test]
fn it_ends_at_once_on_a_signal() {
    for signal in ["-TERM", "-INT"] {
        let app = App::start(&manifest(""), &[]);
        let address = app.address.clone();
        let waiting = std::thread::spawn(move || {
            let request = format!("GET /slow?60000 HTTP/1.1\r\nHost: {address}\r\n\r\n");
            exchange(&address, request.as_bytes())
        });
        std::thread::sleep(Duration::from_millis(300));
        let start = Instant::now();
        assert!(app.end_by(signal).success(), "{signal}");
        assert!(start.elapsed() < Duration::from_secs(2), "{signal}");
        assert!(waiting.join().unwrap().is_none());
    }
}

#[test]
fn a_wrong_command_line_is_status_2() {
    let run = |arguments: &[&str]| {
        support::command(Path::new("nowhere"), arguments)
            .output()
            .unwrap()
    };
    let wrong = run(&["--unknown"]);
    assert_eq!(wrong.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&wrong.stderr).contains("Usage: spin-host up"));
    assert_eq!(run(&[]).status.code(), Some(1));
    let help = run(&["--help"]);
    assert!(
        help.status.success()
            && String::from_utf8_lossy(&help.stdout).contains("Usage: spin-host up")
    );
}
