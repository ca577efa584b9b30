//! What does not change during a history: the policy, in its own words and as the oracle reads it.

use scopegate_core::{IssuerId, Policy, Request};

use crate::token::Token;

/// The rules of freshness, in milliseconds.
#[derive(Clone, Copy, Debug)]
pub struct Rules {
    pub ttl: u64,
    pub max_stale: u64,
    pub cooldown: u64,
    /// `on_empty: refuse`.
    pub empty_means_nobody: bool,
    /// No `jwks_uri`: metadata says where the keys are.
    pub discovers: bool,
}

impl Rules {
    /// Numbers whose edges are apart from one another.
    pub const SMALL: Self = Self {
        ttl: 10_000,
        max_stale: 20_000,
        cooldown: 3_000,
        empty_means_nobody: false,
        discovers: false,
    };
}

/// `clock_skew`, in seconds.
pub const SKEW: u64 = 10;

/// However short its `max-age`, a set is good for that long (DESIGN: max(60 s, `max-age`)).
const SHORTEST_AGE: u64 = 60_000;

impl Rules {
    /// How old a set may become for which the issuer sent that `max-age`, in seconds.
    pub fn age_allowed(&self, max_age: Option<u64>) -> u64 {
        max_age.map_or(self.ttl, |sent| self.ttl.min(SHORTEST_AGE.max(sent * 1000)))
    }

    /// The least time between the end of one round of fetches and the beginning of the next, whatever happens.
    pub fn least_pause(&self) -> u64 {
        self.cooldown.min(self.age_allowed(Some(0)) * 4 / 5)
    }

    fn policy(&self) -> String {
        let issuer = |name: &str| {
            let address = match self.discovers {
                true => String::new(),
                false => format!("jwks_uri: https://{name}.example/keys/0\n    "),
            };
            let on_empty = match self.empty_means_nobody {
                true => "refuse",
                false => "keep",
            };
            format!(
                "
  {name}:
    issuer: https://{name}.example/
    audiences: [api]
    {address}algorithms: [EdDSA]
    clock_skew: {SKEW}s
    keys: {{ ttl: {}s, max_stale: {}s, cooldown: {}s, timeout: 1s, on_empty: {on_empty} }}",
                self.ttl / 1000,
                self.max_stale / 1000,
                self.cooldown / 1000
            )
        };
        format!(
            "version: 1\nrealm: test\nissuers:{}{}\nroutes: [{{ path: /any, authenticated: true }}]\n",
            issuer("one"),
            issuer("two")
        )
    }
}

pub struct Setting {
    pub rules: Rules,
    pub policy: Policy,
    pub ids: Vec<IssuerId>,
    /// How many instances of the gate there are.
    pub instances: usize,
    /// Whether they leave records for each other, and look for one before they fetch.
    pub shares: bool,
    /// Whether a fetch ends at once, or when a step says so.
    pub is_instant: bool,
}

impl Setting {
    /// One instance alone, whose fetches end at once.
    pub fn new(rules: Rules) -> Self {
        let policy = Policy::parse(&rules.policy()).unwrap();
        let ids: Vec<_> = policy.issuer_ids().collect();
        Self {
            rules,
            policy,
            ids,
            instances: 1,
            shares: false,
            is_instant: true,
        }
    }

    /// Two instances that share what they know.
    pub fn shared(self) -> Self {
        Self {
            instances: 2,
            shares: true,
            ..self
        }
    }

    /// Fetches take their time.
    pub fn slow(self) -> Self {
        Self {
            is_instant: false,
            ..self
        }
    }
}

/// The value of `Authorization` with that token.
pub fn credential(token: &Token) -> String {
    format!("Bearer {}", token.text())
}

pub fn request(credential: &str) -> Request<'_> {
    Request::new(b"GET", Some(b"/any"), [("authorization", credential)])
}
