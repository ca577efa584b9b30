//! `scopegate issuer` as a user runs it: the real program, its documents over HTTP, and its tokens before the gate's own decision.

#![expect(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test stops where its ground is missing"
)]

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{SystemTime, UNIX_EPOCH};

use scopegate_core::{
    Decision, KeyAnswer, KeyCache, KeyLocation, Policy, Portable, Request, Timestamp, TokenCache,
    decide,
};
use serde_json::{Value, json};
use url::Url;

/// The running program, ended with the test.
struct Running {
    child: Child,
    lines: BufReader<std::process::ChildStdout>,
}

impl Running {
    fn start(arguments: &[&str]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_scopegate"));
        command
            .args(["issuer", "--listen", "127.0.0.1:0"])
            .args(arguments);
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap());
        Self { child, lines }
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.lines.read_line(&mut line).unwrap();
        line.trim_end().to_owned()
    }

    /// What is said with `--format json`.
    fn said(&mut self) -> Value {
        serde_json::from_str(&self.line()).unwrap()
    }

    /// As Ctrl-C does.
    #[cfg(unix)]
    fn interrupt(&mut self) -> ExitStatus {
        let id = self.child.id().to_string();
        let told = Command::new("kill").args(["-INT", &id]).status().unwrap();
        assert!(told.success());
        self.child.wait().unwrap()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Status and content of an answer.
fn send(url: &str, method: &str, host: Option<&str>, kind: &str, body: &str) -> (u16, Vec<u8>) {
    let url = Url::parse(url).unwrap();
    let address = url.socket_addrs(|| None).unwrap()[0];
    let mut stream = TcpStream::connect(address).unwrap();
    let host = host.map_or(address.to_string(), str::to_owned);
    let target = &url[url::Position::BeforePath..];
    let length = body.len();
    write!(
        stream,
        "{method} {target} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\ncontent-type: {kind}\r\ncontent-length: {length}\r\n\r\n{body}"
    )
    .unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    let end = answer.windows(4).position(|four| four == b"\r\n\r\n");
    let body = answer.split_off(end.unwrap() + 4);
    let head = String::from_utf8(answer).unwrap();
    (head.split(' ').nth(1).unwrap().parse().unwrap(), body)
}

fn get(url: &str) -> Value {
    let (status, body) = send(url, "GET", None, "text/plain", "");
    assert_eq!(status, 200, "{url}");
    serde_json::from_slice(&body).unwrap()
}

fn post(url: &str, kind: &str, body: &str) -> (u16, Value) {
    let (status, body) = send(url, "POST", None, kind, body);
    (status, serde_json::from_slice(&body).unwrap_or_default())
}

const FORM: &str = "application/x-www-form-urlencoded";

fn token(endpoint: &Value, form: &str) -> String {
    let (status, answer) = post(endpoint.as_str().unwrap(), FORM, form);
    assert_eq!(status, 200, "{answer}");
    answer["access_token"].as_str().unwrap().to_owned()
}

/// The time of the gate. Tokens tell seconds, so that one of the second in which the keys were asked for might be newer than they are; with
/// the gate's clock two seconds ahead none is.
fn now() -> Timestamp {
    #[expect(clippy::disallowed_methods, reason = "the program mints by this clock")]
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    Timestamp::from_millis(u64::try_from(now.as_millis()).unwrap() + 2_000)
}

/// A gate with that policy and no keys yet: why it refuses the token, or nothing.
fn refused(policy: &str, token: &str) -> Option<&'static str> {
    let policy = Policy::parse(policy).unwrap();
    let mut keys = KeyCache::new(&policy);
    let mut tokens = TokenCache::new(&policy, 0x5eed);
    let authorization = format!("Bearer {token}");
    let headers = [("authorization", authorization.as_bytes())];
    let request = Request::new(b"GET", Some(b"/reports"), headers);
    // Metadata, its other place, keys: no round has more.
    for _ in 0..4 {
        let now = now();
        let wanted = match decide(&policy, &request, &keys, &mut tokens, &Portable, now) {
            Decision::Allow(_) => return None,
            Decision::Deny(deny) => return Some(deny.reason.code()),
            Decision::NeedKeys(wanted) => wanted.keys,
        };
        let KeyLocation::Url(url) = &wanted.location else {
            panic!("keys that are not at a URL");
        };
        let (status, body) = send(&url.to_string(), "GET", None, "text/plain", "");
        let answer = KeyAnswer::new(status, std::iter::empty::<(&str, &[u8])>(), body);
        keys.install(&mut tokens, &wanted, Ok(answer), now);
    }
    panic!("the keys are not to be had");
}

const ROUTES: &str = "routes: [{ path: /reports, scopes: [read] }]\n";

#[test]
fn a_gate_with_the_printed_lines_takes_its_tokens_through_a_rotation() {
    let mut issuer = Running::start(&["--audience", "https://api.example.com", "--alg", "ES256"]);
    let name = issuer.line();
    assert!(
        name.starts_with("http://127.0.0.1:") && name.ends_with('/'),
        "{name}"
    );
    let mut lines = String::from("version: 1\nrealm: test\n");
    // The empty line, three comments, and six lines of YAML.
    for _ in 0..10 {
        lines.push_str(&issuer.line());
        lines.push('\n');
    }
    let policy = lines + ROUTES;

    let metadata = get(&format!("{name}.well-known/openid-configuration"));
    assert_eq!(
        metadata,
        get(&format!("{name}.well-known/oauth-authorization-server"))
    );
    assert_eq!(metadata["issuer"], json!(name));
    let keys = || {
        get(metadata["jwks_uri"].as_str().unwrap())["keys"]
            .as_array()
            .unwrap()
            .len()
    };
    assert_eq!(keys(), 1);

    let first = token(
        &metadata["token_endpoint"],
        "grant_type=client_credentials&scope=read",
    );
    assert_eq!(refused(&policy, &first), None);
    let other = token(&metadata["token_endpoint"], "scope=write");
    assert_eq!(refused(&policy, &other), Some("scope_missing"));

    let (status, made) = post(&format!("{name}rotate"), FORM, "");
    assert_eq!(status, 200);
    let second = token(&metadata["token_endpoint"], "scope=read");
    assert_ne!(kid(&first), kid(&second));
    assert_eq!(made["kids"], json!([kid(&second)]));
    assert_eq!(keys(), 2);
    assert_eq!(refused(&policy, &first), None);
    assert_eq!(refused(&policy, &second), None);

    let (status, _) = post(&format!("{name}rotate?drop=1"), FORM, "");
    assert_eq!(status, 200);
    let third = token(&metadata["token_endpoint"], "scope=read");
    assert_eq!(refused(&policy, &third), None);
    // Without it both would have an hour.
    assert_eq!(refused(&policy, &second), Some("kid_unknown"));
    assert_eq!(refused(&policy, &first), Some("kid_unknown"));
}

/// The name of the key that signed.
fn kid(token: &str) -> String {
    let header = jwt_simple::token::Token::decode_metadata(token).unwrap();
    header.key_id().unwrap().to_owned()
}

#[test]
fn a_gate_finds_the_keys_through_the_metadata_alone() {
    let mut issuer = Running::start(&["--format", "json", "--print-token", "--scope", "read"]);
    let said = issuer.said();
    let name = &said["issuer"];
    let policy = format!(
        "version: 1\nrealm: test\nissuers: {{ local: {{ issuer: {name}, audiences: [local] }} }}\n{ROUTES}"
    );
    assert_eq!(
        refused(&policy, said["access_token"].as_str().unwrap()),
        None
    );
    let policy = json!({
        "version": 1,
        "realm": "test",
        "issuers": said["policy"]["issuers"],
        "routes": [{ "path": "/reports", "scopes": ["read"] }],
    });
    let token = token(&said["token_endpoint"], "");
    assert_eq!(refused(&policy.to_string(), &token), None);
}

#[test]
fn a_request_says_more_than_the_command_line() {
    let mut issuer = Running::start(&[
        "--format",
        "json",
        "--alg",
        "EdDSA,ES256",
        "--scope",
        "read",
        "--expires-in",
        "60",
        "--claim",
        "roles=[\"auditor\"]",
    ]);
    let said = issuer.said();
    let endpoint = said["token_endpoint"].as_str().unwrap();
    let (_, answer) = post(endpoint, FORM, "");
    assert_eq!(
        (
            &answer["token_type"],
            &answer["expires_in"],
            &answer["scope"]
        ),
        (&json!("Bearer"), &json!(60), &json!("read"))
    );
    let claims = claims(answer["access_token"].as_str().unwrap());
    assert_eq!(
        (&claims["sub"], &claims["aud"], &claims["roles"]),
        (&json!("local"), &json!("local"), &json!(["auditor"]))
    );

    let wanted = r#"{"sub":"alice","scope":null,"roles":null,"exp":4000000000.5}"#;
    let (_, answer) = post(&format!("{endpoint}?alg=ES256"), "application/json", wanted);
    assert_eq!(
        (answer.get("scope"), answer.get("expires_in")),
        (None, None)
    );
    let claims = self::claims(answer["access_token"].as_str().unwrap());
    assert_eq!(
        (&claims["sub"], &claims["exp"]),
        (&json!("alice"), &json!(4_000_000_000.5))
    );
    assert_eq!((claims.get("scope"), claims.get("roles")), (None, None));
    assert!(claims["jti"].is_string() && claims["iat"].is_number());
}

fn claims(token: &str) -> Value {
    use base64::Engine as _;
    let payload = token.split('.').nth(1).unwrap();
    let payload = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(payload);
    serde_json::from_slice(&payload.unwrap()).unwrap()
}

#[test]
fn what_it_does_not_do_it_says() {
    let mut issuer = Running::start(&["--format", "json", "--alg", "ES256"]);
    let said = issuer.said();
    let endpoint = said["token_endpoint"].as_str().unwrap();
    for (body, error) in [
        ("grant_type=password", "unsupported_grant_type"),
        ("alg=RS256", "invalid_request"),
        ("scope=a&scope=b", "invalid_request"),
        ("{]", "invalid_request"),
    ] {
        let (status, answer) = post(endpoint, FORM, body);
        assert_eq!((status, &answer["error"]), (400, &json!(error)), "{body}");
    }
    let large = " ".repeat(64 * 1024 + 1);
    assert_eq!(post(endpoint, FORM, &large).0, 413);
    let (status, _) = send(endpoint, "GET", None, FORM, "");
    assert_eq!(status, 405);
    let name = said["issuer"].as_str().unwrap();
    let (status, _) = send(&format!("{name}nothing"), "GET", None, FORM, "");
    assert_eq!(status, 404);
    let (status, _) = post(&format!("{name}rotate?drop=2"), FORM, "");
    assert_eq!(status, 400);
    // A head without an end is not read for ever. The rest of it may be told to be unwanted before the answer is read.
    let mut stream =
        TcpStream::connect(Url::parse(name).unwrap().socket_addrs(|| None).unwrap()[0]).unwrap();
    let _ = write!(
        stream,
        "GET / HTTP/1.1\r\nhost: localhost\r\nx: {}",
        "a".repeat(64 * 1024)
    );
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    assert!(
        answer.is_empty() || answer.starts_with(b"HTTP/1.1 431 "),
        "{answer:?}"
    );
}

#[test]
fn a_page_that_points_its_own_name_here_gets_nothing() {
    let mut issuer = Running::start(&["--format", "json", "--alg", "ES256"]);
    let said = issuer.said();
    let endpoint = said["token_endpoint"].as_str().unwrap();
    for (host, expected) in [
        ("evil.example:80", 421),
        ("", 421),
        ("localhost:1", 200),
        ("[::1]", 200),
    ] {
        let (status, _) = send(endpoint, "POST", Some(host), FORM, "");
        assert_eq!(status, expected, "{host}");
    }
}

/// A page cannot read the answer, and new keys do their harm without one.
#[test]
fn a_page_of_another_site_makes_no_new_keys() {
    let mut issuer = Running::start(&["--format", "json", "--alg", "ES256"]);
    let said = issuer.said();
    let address = said["jwks_uri"]
        .as_str()
        .unwrap()
        .split('/')
        .nth(2)
        .unwrap()
        .to_owned();
    for (origin, status) in [
        ("https://evil.example", "403"),
        ("null", "403"),
        ("http://localhost:3000", "200"),
    ] {
        let mut stream = TcpStream::connect(&address).unwrap();
        let request = format!(
            "POST /rotate?drop=1 HTTP/1.1\r\nhost: {address}\r\norigin: {origin}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
        );
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert_eq!(answer.split(' ').nth(1), Some(status), "{origin}: {answer}");
    }
}

#[test]
fn saved_keys_sign_in_the_next_run_and_without_one() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("keys.json");
    let file = file.to_str().unwrap();
    let arguments = ["--format", "json", "--alg", "ES256", "--keys", file];
    let mut first = Running::start(&arguments);
    let said = first.said();
    post(said["rotate_endpoint"].as_str().unwrap(), FORM, "");
    let before = token(&said["token_endpoint"], "");
    drop(first);
    let mut second = Running::start(&arguments);
    let after = token(&second.said()["token_endpoint"], "");
    assert_eq!(kid(&before), kid(&after));

    let once = Command::new(env!("CARGO_BIN_EXE_scopegate"))
        .args([
            "issuer",
            "token",
            "--keys",
            file,
            "--issuer",
            "urn:me",
            "--subject",
            "alice",
        ])
        .output()
        .unwrap();
    let once = String::from_utf8(once.stdout).unwrap();
    assert_eq!(kid(&before), kid(once.trim_end()));
    let claims = claims(once.trim_end());
    assert_eq!(
        (&claims["iss"], &claims["sub"]),
        (&json!("urn:me"), &json!("alice"))
    );
}

#[test]
fn the_clock_makes_new_keys_too() {
    let mut issuer = Running::start(&[
        "--format",
        "json",
        "--alg",
        "ES256",
        "--rotate-every",
        "1s",
        "--overlap",
        "0s",
    ]);
    let said = issuer.said();
    let keys = said["jwks_uri"].as_str().unwrap();
    let first = get(keys);
    let waited = std::iter::repeat_with(|| get(keys)).take(100_000);
    // Each question is asked when the one before is answered: no fixed time passes on a slow machine.
    assert!(
        waited.into_iter().any(|keys| keys != first),
        "the keys stay the same"
    );
}

#[cfg(unix)]
#[test]
fn ctrl_c_ends_it_with_status_0() {
    let mut issuer = Running::start(&["--alg", "ES256"]);
    issuer.line();
    assert_eq!(issuer.interrupt().code(), Some(0));
}

#[test]
fn a_taken_port_is_told() {
    let mut first = Running::start(&["--alg", "ES256"]);
    let name = first.line();
    let address = name.trim_start_matches("http://").trim_end_matches('/');
    let mut second = Command::new(env!("CARGO_BIN_EXE_scopegate"));
    let second = second
        .args(["issuer", "--listen", address])
        .output()
        .unwrap();
    let told = String::from_utf8(second.stderr).unwrap();
    assert_eq!(second.status.code(), Some(2));
    assert!(
        told.starts_with("error: the issuer cannot listen on port "),
        "{told}"
    );
}
