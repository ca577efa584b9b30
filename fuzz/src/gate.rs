//! A gate as a host runs one, and what it promises about every answer, whatever was asked.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use scopegate_core::{
    CacheUse, Decision, Facts, FetchFailure, FetchReport, KeyAnswer, KeyCache, KeyRequest, Policy,
    Portable, Reason, Request, Response, Timestamp, TokenCache, decide,
};

use crate::issuer::{self, AUDIENCE, MAIN, OTHER, START, Signer};
use crate::routes::Rule;

/// Any number will do: no input chooses tokens that an issuer did not sign.
const SEED: u64 = 7;

/// The same policy twice, the second time without a token cache.
pub struct Policies {
    /// As it is.
    pub cached: Policy,
    /// With `token_cache: 0`.
    pub uncached: Policy,
    /// Its identity headers.
    identity: &'static [&'static str],
    /// What is to be fetched for its issuers in both, by `iss`.
    issuers: Vec<(String, KeyRequest, KeyRequest)>,
}

impl Policies {
    /// Reads a policy that says nothing about its token cache, with its identity headers and the `iss` of its issuers.
    ///
    /// # Panics
    /// When it is no policy: it is ours, and not the input.
    pub fn parse(text: &str, identity: &'static [&'static str], issuers: &[&str]) -> Self {
        let parse = |text: &str| Policy::parse(text).expect("the harness has a good policy");
        let cached = parse(text);
        let uncached = parse(&format!("{text}\ntoken_cache: 0\n"));
        Self {
            identity,
            issuers: issuers
                .iter()
                .map(|iss| {
                    (
                        (*iss).to_owned(),
                        wanted(&cached, iss),
                        wanted(&uncached, iss),
                    )
                })
                .collect(),
            cached,
            uncached,
        }
    }
}

/// What is to be fetched for an issuer. Only an answer tells it, so a gate without keys is asked with a token that nobody signed.
fn wanted(policy: &Policy, iss: &str) -> KeyRequest {
    let claims = format!(r#"{{"iss":"{iss}","aud":"{AUDIENCE}","exp":9e9}}"#);
    let token = issuer::sign(br#"{"alg":"EdDSA"}"#, claims.as_bytes(), Signer::Stranger);
    let asked = Asked::with_token(ANY_TOKEN, token.as_bytes());
    let request = asked.request();
    let (keys, mut tokens) = (KeyCache::new(policy), TokenCache::new(policy, SEED));
    let now = Timestamp::from_secs(START);
    match decide(policy, &request, &keys, &mut tokens, &Portable, now) {
        Decision::NeedKeys(needed) => needed.keys,
        other => panic!("a gate without keys does not ask for any: {other:?}"),
    }
}

/// A request, as the second readers see it too.
#[derive(Clone, Debug, Default)]
pub struct Asked {
    /// The method.
    pub method: Vec<u8>,
    /// The path with its query.
    pub path: Vec<u8>,
    /// Names and values of the header fields.
    pub fields: Vec<(Vec<u8>, Vec<u8>)>,
}

impl Asked {
    /// A GET with one credential.
    pub fn with_token(path: &str, token: &[u8]) -> Self {
        let credential = [b"Bearer ", token].concat();
        Self {
            method: b"GET".to_vec(),
            path: path.as_bytes().to_vec(),
            fields: vec![(b"authorization".to_vec(), credential)],
        }
    }

    /// The values of the fields of that name, in any case.
    pub fn values(&self, name: &str) -> Vec<&[u8]> {
        let named = |field: &&(Vec<u8>, Vec<u8>)| field.0.eq_ignore_ascii_case(name.as_bytes());
        let fields = self.fields.iter().filter(named);
        fields.map(|(_, value)| value.as_slice()).collect()
    }

    fn request(&self) -> Request<'_> {
        let fields = self.fields.iter().map(|(name, value)| (name, value));
        Request::new(&self.method, Some(&self.path), fields)
    }
}

/// An answer, less what the token cache may change in it.
#[derive(Clone, Debug, PartialEq)]
pub enum Verdict {
    /// The request passes.
    Allow(Passed),
    /// It is refused, with this answer.
    Deny(Reason, Response<'static>),
    /// It waits for keys.
    NeedKeys(KeyRequest),
}

/// A request that passes.
#[derive(Clone, Debug, PartialEq)]
pub struct Passed {
    /// The pattern of the route.
    pub route: Option<String>,
    /// The issuer of the token, by its name in the policy.
    pub issuer: Option<String>,
    /// The header fields that are set.
    pub set: Vec<(String, String)>,
    /// The header fields that are removed.
    pub strip: Vec<Vec<u8>>,
    /// Why it would not have passed without shadow mode.
    pub shadowed: Option<Reason>,
    /// The keys to fetch behind it.
    pub fetch: Option<KeyRequest>,
}

/// What a route wants of a request, as the second reader knows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Demand {
    /// Nothing.
    Nothing,
    /// A token with this scope; any token for the empty one.
    Scope(&'static str),
    /// A token of the main issuer.
    MainIssuer,
    /// A token with the scope to read, but only in the logs.
    Shadow,
}

/// The route of [`timesheets`] that takes every good token.
pub const ANY_TOKEN: &str = "/timesheets";
/// The route of [`timesheets`] that takes the scope [`issuer::READ`].
pub const TO_READ: &str = "/timesheets/7";

/// The policy of every target that is about tokens.
const POLICY: &str = r#"
version: 1
realm: fuzz
issuers:
  main:
    issuer: https://tenant.example/
    audiences: [https://timesheets.example.com/api]
    jwks_uri: https://tenant.example/jwks.json
    algorithms: [EdDSA]
    clock_skew: 10s
    keys: { ttl: 10m, max_stale: 1h, cooldown: 30s, timeout: 5s }
  other:
    issuer: https://other.example/
    audiences: [https://timesheets.example.com/api]
    jwks_uri: https://other.example/jwks.json
    algorithms: [EdDSA, ES256, RS256]
    clock_skew: 10s
    keys: { ttl: 10m, max_stale: 1h, cooldown: 30s, timeout: 5s }
forward: { sub: x-auth-sub, tenant: x-auth-tenant }
routes:
  - { path: /open, public: true }
  - { path: /timesheets, authenticated: true }
  - { path: "/timesheets/{id}", methods: [GET], scopes: ["read:timesheets"] }
  - { path: "/timesheets/{id}", methods: [DELETE], scopes: ["delete:timesheets"] }
  - { path: "/files/{*rest}", authenticated: true, allow_in_path: [encoded-slash] }
  - { path: /main, authenticated: true, issuers: [main] }
  - { path: /shadow, scopes: ["read:timesheets"], mode: shadow }
"#;

/// The routes of [`timesheets`], for the second reader.
pub const RULES: [Rule; 7] = [
    Rule::new("/open", &[], ""),
    Rule::new(ANY_TOKEN, &[], ""),
    Rule::new("/timesheets/{id}", &["GET"], ""),
    Rule::new("/timesheets/{id}", &["DELETE"], ""),
    Rule::new("/files/{*rest}", &[], "/"),
    Rule::new("/main", &[], ""),
    Rule::new("/shadow", &[], ""),
];

/// What one of [`RULES`] demands.
pub fn demand(rule: &Rule) -> Demand {
    match (rule.pattern, rule.methods) {
        ("/open", _) => Demand::Nothing,
        ("/timesheets/{id}", ["GET"]) => Demand::Scope(issuer::READ),
        ("/timesheets/{id}", _) => Demand::Scope("delete:timesheets"),
        ("/main", _) => Demand::MainIssuer,
        ("/shadow", _) => Demand::Shadow,
        _ => Demand::Scope(""),
    }
}

/// The policy of every target that is about tokens.
pub fn timesheets() -> &'static Policies {
    static POLICIES: LazyLock<Policies> =
        LazyLock::new(|| Policies::parse(POLICY, &["x-auth-sub", "x-auth-tenant"], &[MAIN, OTHER]));
    &POLICIES
}

/// How long before the start the keys of [`Gate::ready`] came, in milliseconds: longer than the cool-down.
const KEYS_CAME_BEFORE: u64 = 60_000;

/// What one worker of a host holds.
pub struct Gate {
    policies: &'static Policies,
    /// The keys held.
    keys: KeyCache,
    /// The same keys, for the policy without a token cache: each key cache belongs to one policy.
    uncached_keys: KeyCache,
    /// The tokens verified before.
    tokens: TokenCache,
    /// Milliseconds since the Unix epoch.
    pub now: u64,
}

impl Gate {
    /// A gate without keys, at the start of time.
    pub fn new(policies: &'static Policies) -> Self {
        Self {
            policies,
            keys: KeyCache::new(&policies.cached),
            uncached_keys: KeyCache::new(&policies.uncached),
            tokens: TokenCache::new(&policies.cached, SEED),
            now: START * 1000,
        }
    }

    /// A gate that has the main issuer's key, and nothing of the other one. It lets the token `read` through.
    pub fn ready() -> Self {
        let mut gate = Self::new(timesheets());
        gate.now -= KEYS_CAME_BEFORE;
        gate.install_set(MAIN, &issuer::key_set(Signer::Main));
        gate.now += KEYS_CAME_BEFORE;
        gate
    }

    /// Asks for keys in vain, at this very moment.
    pub fn fail(&mut self, wanted: &KeyRequest) {
        let iss = match wanted.location.to_string().as_str() {
            "https://tenant.example/jwks.json" => MAIN,
            "https://other.example/jwks.json" => OTHER,
            url => panic!("nobody's keys are at {url}"),
        };
        self.install(iss, Err(FetchFailure::Timeout));
    }

    /// Asks, and if keys are wanted, fetches them in vain: the same keys are not wanted twice at one moment.
    pub fn ask_in_vain(&mut self, asked: &Asked) -> Verdict {
        let verdict = self.ask(asked);
        if let Verdict::NeedKeys(keys) = &verdict {
            self.fail(keys);
            let again = self.ask(asked);
            assert!(
                !matches!(again, Verdict::NeedKeys(_)),
                "asked twice for {}",
                keys.location
            );
        }
        verdict
    }

    /// The time.
    pub fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.now)
    }

    /// Hands over what a fetch for the issuer of that `iss` brought.
    pub fn install(&mut self, iss: &str, outcome: Result<KeyAnswer, FetchFailure>) -> FetchReport {
        let issuers = &self.policies.issuers;
        let (_, wanted, uncached_wanted) = issuers
            .iter()
            .find(|(known, ..)| known == iss)
            .expect("an issuer of the policy");
        let now = self.now();
        let mut none = TokenCache::new(&self.policies.uncached, SEED);
        let uncached = self
            .uncached_keys
            .install(&mut none, uncached_wanted, outcome.clone(), now);
        let report = self.keys.install(&mut self.tokens, wanted, outcome, now);
        assert_eq!(report, uncached, "one answer, two reports");
        report
    }

    /// Hands over a good key set.
    pub fn install_set(&mut self, iss: &str, set: &str) {
        let report = self.install(iss, Ok(KeyAnswer::of_file(set.into())));
        assert_eq!(
            report,
            FetchReport::Installed {
                keys: 1,
                clock: None
            },
            "{set}"
        );
    }

    /// Asks twice, and once without the token cache. The answers must be one, and keep what every answer promises.
    pub fn ask(&mut self, asked: &Asked) -> Verdict {
        let request = asked.request();
        let (policies, now) = (self.policies, self.now());
        let answer = |policy: &Policy, keys: &KeyCache, tokens: &mut TokenCache| {
            let decision = decide(policy, &request, keys, tokens, &Portable, now);
            verdict(decision, policy, &request)
        };
        let first = answer(&policies.cached, &self.keys, &mut self.tokens);
        let second = answer(&policies.cached, &self.keys, &mut self.tokens);
        assert_eq!(first, second, "asked twice: {asked:?}");
        if let Verdict::Deny(reason, _) = &first {
            assert_ne!(
                *reason,
                Reason::HostFailure,
                "the harness gives what belongs together"
            );
        }
        let mut none = TokenCache::new(&policies.uncached, SEED);
        let uncached = answer(&policies.uncached, &self.uncached_keys, &mut none);
        assert!(none.is_empty(), "a token cache of 0 octets holds something");
        assert!(
            first == uncached,
            "with the token cache {first:?}, without it {uncached:?}: {asked:?}"
        );
        match &first {
            Verdict::Allow(passed) => check_passed(policies, asked, passed),
            Verdict::Deny(reason, response) => check_response(*reason, response),
            Verdict::NeedKeys(keys) => check_wanted(&policies.cached, keys),
        }
        first
    }
}

fn verdict(decision: Decision<'_, '_>, policy: &Policy, request: &Request<'_>) -> Verdict {
    match decision {
        Decision::Deny(deny) => Verdict::Deny(deny.reason, owned(deny.response(policy, request))),
        Decision::NeedKeys(needed) => Verdict::NeedKeys(needed.keys),
        Decision::Allow(allow) => {
            let Facts {
                route,
                issuer,
                token_cache,
                ..
            } = allow.facts;
            // Only a token can set headers, and only where one was looked for.
            assert!(allow.set.iter().next().is_none() || token_cache != CacheUse::default());
            Verdict::Allow(Passed {
                route: route.map(str::to_owned),
                issuer: issuer.map(str::to_owned),
                set: allow
                    .set
                    .iter()
                    .map(|(name, value)| (name.to_owned(), value.to_owned()))
                    .collect(),
                strip: allow.strip.into_iter().map(<[u8]>::to_vec).collect(),
                shadowed: allow.shadowed,
                fetch: allow.fetch,
            })
        }
    }
}

/// No spelling of an identity header is left, only fields of the request are removed, and keys come from the policy.
fn check_passed(policies: &Policies, asked: &Asked, passed: &Passed) {
    let strip: BTreeSet<&[u8]> = passed.strip.iter().map(Vec::as_slice).collect();
    for (name, _) in asked
        .fields
        .iter()
        .filter(|(name, _)| !name.starts_with(b":"))
    {
        let as_read = spelling(name);
        let spells = |header: &str| spelling(header.as_bytes()) == as_read;
        if policies.identity.iter().any(|header| spells(header)) {
            assert!(
                strip.contains(name.as_slice()),
                "{} stays",
                name.escape_ascii()
            );
        }
    }
    for name in strip {
        let is_field = asked.fields.iter().any(|(field, _)| field == name);
        assert!(
            is_field,
            "{} is no field of the request",
            name.escape_ascii()
        );
    }
    for (name, value) in &passed.set {
        assert!(policies.identity.contains(&name.as_str()), "{name} is set");
        assert!(
            !value.is_empty() && !value.chars().any(char::is_control),
            "{name}: {value:?}"
        );
    }
    assert!(
        passed.shadowed.is_none() || passed.set.is_empty(),
        "shadow mode believes a token"
    );
    if let Some(keys) = &passed.fetch {
        check_wanted(&policies.cached, keys);
    }
}

/// A field name as a server that speaks CGI reads it: letters and digits, and one sign for all others.
fn spelling(name: &[u8]) -> String {
    let letters = name
        .iter()
        .map(|octet| char::from(*octet).to_ascii_lowercase());
    letters
        .map(|letter| {
            if letter.is_ascii_alphanumeric() {
                letter
            } else {
                '_'
            }
        })
        .collect()
}

/// The answer without the policy that it borrows from.
fn owned(response: Response<'_>) -> Response<'static> {
    let headers = response.headers.into_iter();
    Response {
        status: response.status,
        headers: headers
            .map(|(name, value)| (name, value.into_owned().into()))
            .collect(),
        body: response.body,
        grpc_status: response.grpc_status,
    }
}

/// The answer is one of the contract's.
fn check_response(reason: Reason, response: &Response<'_>) {
    let values = |wanted: &str| -> Vec<&str> {
        let named = response.headers.iter().filter(|(name, _)| *name == wanted);
        named.map(|(_, value)| value.as_ref()).collect()
    };
    let code = reason.code();
    let challenge = values("www-authenticate");
    assert!(challenge.len() <= 1, "{code}");
    match response.status {
        401 => assert_eq!(challenge.len(), 1, "{code}"),
        400 | 403 => {}
        503 => {
            assert!(challenge.is_empty(), "{code}");
            let seconds = values("retry-after")
                .first()
                .and_then(|wait| wait.parse::<u64>().ok());
            assert!(seconds >= Some(1), "{code}");
        }
        other => panic!("{code} answers {other}"),
    }
    for challenge in challenge {
        assert!(
            challenge.starts_with("Bearer realm=\"fuzz\""),
            "{challenge}"
        );
        assert!(
            challenge
                .chars()
                .all(|letter| (' '..='~').contains(&letter)),
            "{challenge}"
        );
    }
    assert_eq!(values("cache-control"), ["no-store"], "{code}");
    let grpc_status = match response.status {
        400 => 13,
        401 => 16,
        403 => 7,
        _ => 14,
    };
    match response.grpc_status {
        Some(status) => assert_eq!(status, grpc_status, "{code}"),
        None => {
            let body: serde_json::Value =
                serde_json::from_str(&response.body).expect("a JSON body");
            assert_eq!(body["status"], response.status, "{code}");
            assert!(body["title"].is_string(), "{code}");
        }
    }
}

/// Keys are asked for where the policy says, and from nowhere else.
fn check_wanted(policy: &Policy, keys: &KeyRequest) {
    let url = match policy.issuer_name(keys.issuer) {
        "main" => "https://tenant.example/jwks.json",
        "other" => "https://other.example/jwks.json",
        name => panic!("keys of the issuer `{name}`"),
    };
    assert_eq!(keys.location.to_string(), url);
    assert_eq!(keys.timeout.as_secs(), 5);
}
