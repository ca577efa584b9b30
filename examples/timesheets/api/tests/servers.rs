//! The API over real sockets: what a gate finds there.

#![expect(
    clippy::unwrap_used,
    reason = "a test stops where its ground is missing"
)]

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};

use serde_json::{Value, json};
use timesheets::api::Api;

const ENTRY: &str = r#"{"date":"2026-03-02","project":"apollo","hours":7.5}"#;

/// Status and JSON body (null when there is none).
fn send(address: SocketAddr, line: &str, headers: &str, body: &str) -> (u16, Value) {
    let mut stream = TcpStream::connect(address).unwrap();
    let length = body.len();
    write!(
        stream,
        "{line} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\ncontent-length: {length}\r\n{headers}\r\n{body}"
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let status = answer.split(' ').nth(1).unwrap().parse().unwrap();
    let (_, body) = answer.split_once("\r\n\r\n").unwrap();
    (status, serde_json::from_str(body).unwrap_or_default())
}

#[test]
fn everyone_sees_their_own_entries() {
    let api = Api::start(0).unwrap();
    let at = api.address();
    let (alice, bob) = ("x-auth-sub: alice\r\n", "x-auth-sub: bob\r\n");
    let (status, entry) = send(at, "POST /timesheets", alice, ENTRY);
    assert_eq!((status, &entry["employee"]), (201, &json!("alice")));
    let entries = |who| send(at, "GET /timesheets", who, "").1["entries"].clone();
    assert_eq!(entries(alice), json!([entry]));
    assert_eq!(entries(bob), json!([]));
    assert_eq!(
        send(at, "GET /reports/hours", bob, "").1["hours"],
        json!({ "apollo": 7.5 })
    );
    let line = format!("DELETE /timesheets/{}", entry["id"]);
    assert_eq!(send(at, &line, bob, "").0, 204);
    assert_eq!(send(at, &line, bob, "").0, 404);
    assert_eq!(api.served(), 6);
}

#[test]
fn a_request_that_did_not_come_through_the_gate_is_refused() {
    let api = Api::start(0).unwrap();
    for headers in ["", "x-auth-sub: alice\r\nx-auth-sub: mallory\r\n"] {
        for line in [
            "GET /timesheets",
            "POST /timesheets",
            "DELETE /timesheets/1",
            "GET /reports/hours",
        ] {
            assert_eq!(
                send(api.address(), line, headers, ENTRY).0,
                401,
                "{line} {headers}"
            );
        }
    }
}

#[test]
fn what_is_wrong_with_an_entry_is_told_in_json() {
    let api = Api::start(0).unwrap();
    let post = |body: &str| {
        send(
            api.address(),
            "POST /timesheets",
            "x-auth-sub: alice\r\n",
            body,
        )
    };
    for (body, status) in [
        ("", 400),
        (r#"{"date":"2026-03-02","project":"apollo"}"#, 400),
        (
            r#"{"date":"2026-03-02","project":"apollo","hours":7.5,"employee":"bob"}"#,
            400,
        ),
        (
            r#"{"date":"2026-03-02","project":"apollo","hours":25}"#,
            422,
        ),
        (r#"{"date":"2026-03-02","project":"","hours":1}"#, 422),
        (&" ".repeat(5_000), 413),
    ] {
        let (found, answer) = post(body);
        assert_eq!(
            (found, &answer["status"]),
            (status, &json!(status)),
            "{body}"
        );
    }
    assert_eq!(send(api.address(), "GET /nothing", "", "").0, 404);
    assert_eq!(send(api.address(), "PUT /timesheets", "", "").0, 405);
}

#[test]
fn a_taken_port_is_named_and_a_dropped_server_frees_its_port() {
    let api = Api::start(0).unwrap();
    let port = api.address().port();
    let error = format!("{:#}", Api::start(port).unwrap_err());
    assert!(
        error.starts_with(&format!("the timesheets API cannot listen on port {port}")),
        "{error}"
    );
    drop(api);
    Api::start(port).unwrap();
}
