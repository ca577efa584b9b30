//! One decision, over and over: to be counted, since on a busy machine instructions can be told apart where times cannot.
//!
//! ```text
//! cargo build --release -p scopegate-core --example decision
//! valgrind --tool=callgrind --callgrind-out-file=/dev/null target/release/examples/decision new 1000
//! ```
//!
//! The kind is one of `new`, `known`, `expired`, `issuer` (an unknown one), `none` and `garbage`. What two thousand take more than one thousand,
//! divided by a thousand, is what a request takes. No signature is verified, and `new` finds no token cache.

use std::hint::black_box;
use std::process::ExitCode;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use scopegate_core::{
    Algorithm, Decision, InvalidSignature, KeyCache, Policy, PublicKey, Request, Timestamp,
    TokenCache, Verifier, decide,
};

const KINDS: [&str; 6] = ["new", "known", "expired", "issuer", "none", "garbage"];
const NOW: Timestamp = Timestamp::from_millis(1_800_000_000_000);

/// Takes every signature for a good one.
struct AcceptAll;

impl Verifier for AcceptAll {
    fn verify(
        &self,
        _: Algorithm,
        _: &PublicKey,
        _: &[u8],
        _: &[u8],
    ) -> Result<(), InvalidSignature> {
        Ok(())
    }
}

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let (kind, times) = (arguments.next(), arguments.next());
    let times = times.and_then(|times| times.parse::<u32>().ok());
    let (Some(kind), Some(times)) = (kind.filter(|kind| KINDS.contains(&kind.as_str())), times)
    else {
        eprintln!("usage: decision {} NUMBER", KINDS.join("|"));
        return ExitCode::from(2);
    };
    match run(&kind, times) {
        Ok((allowed, cached)) => {
            println!("{allowed} of {times} allowed, {cached} octets in the token cache");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

/// Decides so many times, writes the answers of refusals, and returns how many were allowed, and the octets of the token cache at the end.
fn run(kind: &str, times: u32) -> Result<(u32, usize), Box<dyn std::error::Error>> {
    let policy = Policy::parse(&policy(if kind == "new" { "0KiB" } else { "4MiB" }))?;
    let (keys, mut tokens) = (KeyCache::new(&policy), TokenCache::new(&policy, 7));
    let credential = match kind {
        "none" => None,
        "garbage" => Some("Bearer garbage".to_owned()),
        "expired" => Some(token("tenant", 1_700_000_000)),
        "issuer" => Some(token("other", 1_900_000_000)),
        _ => Some(token("tenant", 1_900_000_000)),
    };
    let authorization = credential.iter().map(|value| ("authorization", &**value));
    let fields = [("user-agent", "curl/8.14.1"), ("accept", "*/*")];
    let fields: Vec<(&str, &str)> = fields.into_iter().chain(authorization).collect();
    let mut allowed: u32 = 0;
    for _ in 0..times {
        let request = Request::new(b"GET", Some(b"/timesheets"), fields.iter().copied());
        let request = black_box(request);
        match decide(&policy, &request, &keys, &mut tokens, &AcceptAll, NOW) {
            Decision::Allow(allow) => {
                black_box(allow);
                allowed = allowed.saturating_add(1);
            }
            Decision::Deny(deny) => drop(black_box(deny.response(&policy, &request))),
            Decision::NeedKeys(_) => return Err("the keys stand in the policy".into()),
        }
    }
    Ok((allowed, tokens.used_bytes()))
}

fn policy(token_cache: &str) -> String {
    let modulus = URL_SAFE_NO_PAD.encode([0xb5; 256]);
    format!(
        r#"
version: 1
realm: timesheets
token_cache: {token_cache}
issuers:
  auth0:
    issuer: https://tenant.example/
    audiences: [https://timesheets.example.com/api]
    jwks: {{ keys: [{{ kty: RSA, kid: key-of-the-tenant, use: sig, alg: RS256, n: "{modulus}", e: AQAB }}] }}
forward: {{ sub: x-auth-sub }}
routes:
  - {{ path: /timesheets, methods: [GET], scopes: ["read:timesheets"] }}
"#
    )
}

/// A credential of 900 octets, as an Auth0 tenant makes them.
fn token(tenant: &str, expires: u32) -> String {
    let header = r#"{"alg":"RS256","typ":"at+jwt","kid":"key-of-the-tenant"}"#;
    let claims = format!(
        r#"{{"iss":"https://{tenant}.example/","sub":"auth0|507f1f77bcf86cd799439011","aud":["https://timesheets.example.com/api","https://tenant.example/userinfo"],"iat":1790000000,"exp":{expires},"azp":"client0123456789abcdef","gty":"client-credentials","scope":"openid profile read:timesheets create:timesheets"}}"#
    );
    let [header, claims, signature] = [header.as_bytes(), claims.as_bytes(), &[7; 256]]
        .map(|part: &[u8]| URL_SAFE_NO_PAD.encode(part));
    format!("Bearer {header}.{claims}.{signature}")
}
