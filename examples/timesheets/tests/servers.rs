//! Issuer and API over real sockets: what a gate and its clients find there.

#![expect(
    clippy::unwrap_used,
    reason = "a test stops where its ground is missing"
)]

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::SystemTime;

use jwt_simple::algorithms::{
    ECDSAP256PublicKeyLike, ES256PublicKey, RS256PublicKey, RSAPublicKeyLike,
};
use jwt_simple::claims::JWTClaims;
use serde_json::{Map, Value, json};
use timesheets::api::Api;
use timesheets::issuer::{Grant, Issuer, SigningKey};

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

fn grant(key: SigningKey, expires_in: i64) -> Grant {
    Grant {
        subject: "alice".to_owned(),
        audience: "https://timesheets.example.com/api".to_owned(),
        scope: "read:timesheets".to_owned(),
        expires_in,
        key,
        claims: Map::new(),
    }
}

#[test]
fn the_tokens_verify_with_the_keys_that_are_published() {
    let issuer = Issuer::generate("http://127.0.0.1:9101/").unwrap();
    let server = issuer.serve(0).unwrap();
    let get = |path: &str| send(server.address(), &format!("GET {path}"), "", "");
    let (status, metadata) = get("/.well-known/openid-configuration");
    assert_eq!(
        (status, &metadata["issuer"]),
        (200, &json!("http://127.0.0.1:9101/"))
    );
    assert_eq!(
        metadata["jwks_uri"],
        "http://127.0.0.1:9101/.well-known/jwks.json"
    );
    let (_, keys) = get("/.well-known/jwks.json");
    let [rsa, ec] = [0, 1].map(|index| keys["keys"][index].to_string());
    assert!(
        !rsa.contains("\"d\"") && !ec.contains("\"d\""),
        "a private key is served"
    );

    let mint = |key, expires_in| {
        issuer
            .mint(&grant(key, expires_in), SystemTime::now())
            .unwrap()
    };
    let rsa = RS256PublicKey::from_jwk(&rsa).unwrap();
    let ec = ES256PublicKey::from_jwk(&ec).unwrap();
    let by_rsa: JWTClaims<Map<String, Value>> = rsa
        .verify_token(&mint(SigningKey::Rs256, 60), None)
        .unwrap();
    let by_ec: JWTClaims<Map<String, Value>> =
        ec.verify_token(&mint(SigningKey::Es256, 60), None).unwrap();
    for claims in [&by_rsa, &by_ec] {
        assert_eq!(claims.subject.as_deref(), Some("alice"));
        assert_eq!(claims.custom["scope"], "read:timesheets");
        assert_eq!(claims.custom["client_id"], "timesheets-app");
    }
    assert!(by_rsa.jwt_id.is_some() && by_rsa.jwt_id != by_ec.jwt_id);
    // jwt-simple lets 15 minutes pass; an hour is too long for it as well.
    assert!(
        rsa.verify_token::<Map<String, Value>>(&mint(SigningKey::Rs256, -3600), None)
            .is_err()
    );
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
