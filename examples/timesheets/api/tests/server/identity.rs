//! Requests that did not come through the gate.

use timesheets::api::Api;

use crate::client::{ENTRY, JSON, send};

#[test]
fn a_request_that_did_not_come_through_the_gate_is_refused() {
    let api = Api::start(0).unwrap();
    for headers in [
        "",
        "x-auth-sub:\r\n",
        "x-auth-sub: alice\r\nx-auth-sub: mallory\r\n",
        "x-auth-sub: alice\r\nX-Auth-Sub: alice\r\n",
        "x_auth_sub: alice\r\n",
        "authorization: Bearer alice\r\n",
        &format!("x-auth-sub: {}\r\n", "x".repeat(2_000)),
    ] {
        for line in [
            "GET /timesheets",
            "POST /timesheets",
            "DELETE /timesheets/1",
            "GET /reports/hours",
        ] {
            let headers = format!("{headers}{JSON}");
            let answer = send(api.address(), line, &headers, ENTRY);
            assert_eq!(answer.status, 401, "{line} {headers}");
        }
    }
}

#[test]
fn what_is_not_there_and_what_is_not_done_are_told_apart() {
    let api = Api::start(0).unwrap();
    for (line, status, allow) in [
        ("GET /nothing", 404, ""),
        ("GET /", 404, ""),
        ("GET /app/index.html", 404, ""),
        ("GET /timesheets/1/2", 404, ""),
        ("PUT /timesheets", 405, "GET,HEAD,POST"),
        ("GET /timesheets/1", 405, "DELETE"),
        ("POST /healthz", 405, "GET,HEAD"),
        ("GET /healthz", 200, ""),
    ] {
        let answer = send(api.address(), line, "", "");
        assert_eq!(
            (answer.status, answer.header("allow")),
            (status, allow),
            "{line}"
        );
    }
}
