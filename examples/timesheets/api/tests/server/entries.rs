//! Entries of two employees, good ones and bad ones.

use serde_json::{Value, json};
use timesheets::api::Api;

use crate::client::{ALICE, BOB, ENTRY, JSON, post, send};

#[test]
fn everyone_sees_and_removes_their_own_entries() {
    let api = Api::start(0).unwrap();
    let at = api.address();
    let added = post(at, ENTRY);
    let entry = added.json();
    assert_eq!((added.status, &entry["employee"]), (201, &json!("alice")));
    let path = format!("/timesheets/{}", entry["id"]);
    assert_eq!(added.header("location"), path);
    assert_eq!(added.header("cache-control"), "no-store");
    let entries = |who| send(at, "GET /timesheets", who, "").json()["entries"].clone();
    assert_eq!(entries(ALICE), json!([entry]));
    assert_eq!(entries(BOB), json!([]));
    assert_eq!(
        send(at, "GET /reports/hours", BOB, "").json()["hours"],
        json!({ "apollo": 7.5 })
    );

    // What another may not remove is answered as what is not there, to the last octet.
    let remove = |who, path: &str| send(at, &format!("DELETE {path}"), who, "");
    let (others, none) = (remove(BOB, &path), remove(BOB, "/timesheets/4711"));
    assert_eq!((others.status, &others.text), (404, &none.text));
    assert_eq!(none.status, 404);
    assert_eq!(entries(ALICE), json!([entry]));

    assert_eq!(remove(ALICE, &path).status, 204);
    assert_eq!(remove(ALICE, &path).status, 404);
    assert_eq!(entries(ALICE), json!([]));
    assert_eq!(api.served(), 10);
}

#[test]
fn a_number_is_not_given_twice() {
    let api = Api::start(0).unwrap();
    let at = api.address();
    let first = post(at, ENTRY).json()["id"].clone();
    let line = format!("DELETE /timesheets/{first}");
    assert_eq!(send(at, &line, ALICE, "").status, 204);
    assert_ne!(post(at, ENTRY).json()["id"], first);
}

#[test]
fn what_is_no_entry_is_told_in_a_sentence() {
    let api = Api::start(0).unwrap();
    let shape = "An entry is a JSON object with date, project and hours, and nothing else";
    let syntax = "The body is not JSON";
    for (body, status, title, detail) in [
        ("", 400, syntax, "EOF"),
        ("{", 400, syntax, "EOF"),
        ("date=2026-03-02", 400, syntax, "line 1 column 1"),
        ("{}{}", 400, shape, "missing field `date`"),
        (
            r#"{"date":"2026-03-02","project":"apollo"}"#,
            400,
            shape,
            "missing field `hours`",
        ),
        (
            r#"{"date":"2026-03-02","project":"apollo","hours":7.5,"employee":"bob"}"#,
            400,
            shape,
            "unknown field `employee`",
        ),
        (
            r#"{"date":"2026-03-02","project":"apollo","hours":7.5,"hours":8}"#,
            400,
            shape,
            "duplicate field `hours`",
        ),
        (
            r#"{"date":"2026-03-02","project":"apollo","hours":"7.5"}"#,
            400,
            shape,
            "invalid type",
        ),
        (
            r#"{"date":"2026-03-02","project":"apollo","hours":1e999}"#,
            400,
            syntax,
            "number out of range",
        ),
        (&" ".repeat(5_000), 413, "The body cannot be read", ""),
    ] {
        let answer = post(api.address(), body);
        let problem = answer.json();
        assert_eq!(answer.status, status, "{body}");
        assert_eq!(answer.header("content-type"), "application/problem+json");
        assert_eq!(problem["status"], json!(status), "{body}");
        assert_eq!(problem["title"], json!(title), "{body}");
        let found = problem["detail"].as_str().unwrap_or_default();
        assert!(found.contains(detail), "{body}: {found}");
    }
}

#[test]
fn what_is_wrong_with_an_entry_is_told_for_each_field() {
    let api = Api::start(0).unwrap();
    for (body, expected) in [
        (
            r#"{"date":"2026-02-29","project":"apollo","hours":1}"#,
            json!([{ "field": "date", "message": "must be a day of the calendar, written as in 2026-03-02" }]),
        ),
        (
            r#"{"date":"2026-03-02","project":" apollo","hours":1}"#,
            json!([{ "field": "project", "message": "must not begin or end with white space" }]),
        ),
        (
            r#"{"date":"2026-03-02","project":"apollo","hours":7.3}"#,
            json!([{ "field": "hours", "message": "must be a multiple of 0.25" }]),
        ),
        (
            r#"{"date":"","project":"","hours":25}"#,
            json!([
                { "field": "date", "message": "must be a day of the calendar, written as in 2026-03-02" },
                { "field": "project", "message": "must not be empty" },
                { "field": "hours", "message": "must be more than 0 and at most 24" },
            ]),
        ),
    ] {
        let answer = post(api.address(), body);
        assert_eq!(answer.status, 422, "{body}");
        assert_eq!(answer.header("content-type"), "application/problem+json");
        assert_eq!(
            answer.json(),
            json!({ "title": "The entry cannot be taken as it is", "status": 422, "errors": expected }),
            "{body}"
        );
    }
    let left = send(api.address(), "GET /timesheets", ALICE, "").json();
    assert_eq!(left["entries"], json!([]));
}

#[test]
fn an_entry_in_another_form_is_not_looked_at() {
    let api = Api::start(0).unwrap();
    for kind in [
        "",
        "content-type: text/plain\r\n",
        "content-type: application/x-www-form-urlencoded\r\n",
        &format!("{JSON}content-type: text/plain\r\n"),
    ] {
        let headers = format!("{ALICE}{kind}");
        let answer = send(api.address(), "POST /timesheets", &headers, ENTRY);
        assert_eq!(answer.status, 415, "{kind}");
    }
    let headers = format!("{ALICE}content-type: application/json; charset=utf-8\r\n");
    let answer = send(api.address(), "POST /timesheets", &headers, ENTRY);
    assert_eq!(answer.status, 201);
}

#[test]
fn a_text_of_any_language_comes_back_as_it_was() {
    let api = Api::start(0).unwrap();
    let project = "Größe'); DROP TABLE entries; --\u{1f680}";
    let body = json!({ "date": "2024-02-29", "project": project, "hours": 0.25 }).to_string();
    let headers = format!("x-auth-sub: Jürgen' OR '1'='1\r\n{JSON}");
    let added = send(api.address(), "POST /timesheets", &headers, &body);
    assert_eq!(added.status, 201);
    assert_eq!(added.json()["project"], json!(project));
    let list: Value = send(api.address(), "GET /timesheets", &headers, "").json();
    assert_eq!(list["entries"], json!([added.json()]));
    assert_eq!(list["employee"], json!("Jürgen' OR '1'='1"));
    let others = send(api.address(), "GET /timesheets", ALICE, "").json();
    assert_eq!(others["entries"], json!([]));
}
