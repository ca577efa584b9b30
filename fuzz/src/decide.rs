//! Whatever is asked in whatever order: who passes a protected route has one token, signed by the key that the gate holds
//! for its issuer, in time, with the scope of the very route that a second matcher finds.
//!
//! An input is a sequence of steps with empty lines between them. A step is one of `wait SECONDS`, `keys ISSUER SIGNER`,
//! `fail ISSUER`, or a request: `METHOD PATH`, and a line `name: value` for each field, with `${read}` for a token.

use scopegate_core::FetchFailure;

use crate::authorization::{known_token, only_bearer};
use crate::gate::{Asked, Demand, Gate, Passed, RULES, Verdict, demand, timesheets};
use crate::issuer::{self, MAIN, OTHER, Signer};
use crate::routes;

/// The most steps that are taken: enough to fetch, ask, wait, rotate and ask again.
const MAX_STEPS: usize = 24;
/// How long keys serve at the most: `ttl` and `max_stale` of the policy, in milliseconds.
const KEYS_SERVE: u64 = (10 * 60 + 60 * 60) * 1000;

/// What the second reader knows of an issuer's keys.
#[derive(Clone, Copy, Default)]
struct Held {
    /// Whose key the gate has, and since when.
    key: Option<(Signer, u64)>,
    /// When it was last asked for.
    attempted: Option<u64>,
}

/// The two issuers' keys: of the main one, and of the other one.
#[derive(Default)]
struct Model {
    main: Held,
    other: Held,
}

/// The promise, for one input.
pub fn check(input: &[u8]) {
    let mut gate = Gate::new(timesheets());
    let mut model = Model::default();
    let mut lines = input.split(|octet| *octet == b'\n').peekable();
    for _ in 0..MAX_STEPS {
        while lines.next_if(|line| line.is_empty()).is_some() {}
        let Some(first) = lines.next() else {
            return;
        };
        let fields = std::iter::from_fn(|| lines.next_if(|line| !line.is_empty()));
        let fields: Vec<&[u8]> = fields.collect();
        step(&mut gate, &mut model, first, &fields);
    }
}

fn step(gate: &mut Gate, model: &mut Model, first: &[u8], fields: &[&[u8]]) {
    let text = String::from_utf8_lossy(first);
    match *text.split(' ').collect::<Vec<_>>() {
        ["wait", seconds] => {
            let millis = seconds.parse::<u64>().unwrap_or(0).saturating_mul(1000);
            gate.now = gate.now.saturating_add(millis);
        }
        ["keys", issuer, signer] => {
            let (iss, held) = model.of(issuer);
            let signer = match signer {
                "main" => Signer::Main,
                "other" => Signer::Other,
                _ => Signer::Stranger,
            };
            gate.install_set(iss, &issuer::key_set(signer));
            *held = Held {
                key: Some((signer, gate.now)),
                attempted: Some(gate.now),
            };
        }
        ["fail", issuer] => {
            let (iss, held) = model.of(issuer);
            gate.install(iss, Err(FetchFailure::Timeout));
            held.attempted = Some(gate.now);
        }
        _ => ask(gate, model, &request(first, fields)),
    }
}

fn request(first: &[u8], fields: &[&[u8]]) -> Asked {
    let mut words = first.splitn(2, |octet| *octet == b' ');
    let fields = fields.iter().map(|line| {
        let mut halves = line.splitn(2, |octet| *octet == b':');
        let name = halves.next().unwrap_or_default();
        (
            name.to_vec(),
            issuer::fill(halves.next().unwrap_or_default()),
        )
    });
    Asked {
        method: words.next().unwrap_or_default().to_vec(),
        path: words.next().unwrap_or_default().to_vec(),
        fields: fields.collect(),
    }
}

fn ask(gate: &mut Gate, model: &Model, asked: &Asked) {
    let wanted = match gate.ask(asked) {
        Verdict::Deny(..) => None,
        Verdict::NeedKeys(keys) => Some(keys),
        Verdict::Allow(passed) => {
            check_passed(gate, model, asked, &passed);
            passed.fetch
        }
    };
    if let Some(keys) = wanted {
        let held = match keys.location.to_string().as_str() {
            "https://tenant.example/jwks.json" => model.main,
            _ => model.other,
        };
        assert_ne!(
            held.attempted,
            Some(gate.now),
            "asked twice for {} at one moment",
            keys.location
        );
    }
}

fn check_passed(gate: &Gate, model: &Model, asked: &Asked, passed: &Passed) {
    assert_ne!(asked.method, b"CONNECT");
    let path = routes::without_query(&asked.path);
    assert!(
        !routes::leads_out(path),
        "{} leads out",
        path.escape_ascii()
    );
    let strips = |name: &[u8]| {
        passed
            .strip
            .iter()
            .any(|field| field.eq_ignore_ascii_case(name))
    };
    if let Some(requested) = preflight(asked) {
        let rule = routes::find(&RULES, path, requested);
        if let Some(rule) = rule {
            // The browser asks first. Nothing of the client's goes on that is one request and says it is another.
            assert_eq!(passed.route.as_deref(), Some(rule.pattern));
            assert!(passed.set.is_empty() && passed.fetch.is_none());
            for name in [
                "authorization",
                "x-http-method",
                "x-http-method-override",
                "x-method-override",
            ] {
                assert!(
                    asked.values(name).is_empty() || strips(name.as_bytes()),
                    "{name} goes on"
                );
            }
            return;
        }
    }
    let rule = routes::find(&RULES, path, &asked.method).expect("a route where there is none");
    assert_eq!(passed.route.as_deref(), Some(rule.pattern));
    for reading in routes::readings(rule, path) {
        assert_eq!(routes::find(&RULES, &reading, &asked.method), Some(rule));
    }
    let demand = demand(rule);
    assert!(
        passed.shadowed.is_none() || demand == Demand::Shadow,
        "{} in shadow",
        rule.pattern
    );
    match demand {
        Demand::Nothing => {
            assert!(passed.set.is_empty() && passed.fetch.is_none());
            assert!(asked.values("authorization").is_empty() || strips(b"authorization"));
        }
        Demand::Scope(scope) => check_token(gate, model, asked, passed, scope),
        Demand::MainIssuer => {
            check_token(gate, model, asked, passed, "");
            assert_eq!(passed.issuer.as_deref(), Some("main"));
        }
        Demand::Shadow if passed.shadowed.is_some() => {}
        Demand::Shadow => check_token(gate, model, asked, passed, issuer::READ),
    }
}

/// One credential, a token that an issuer signed with the key that the gate holds, in time, and with that scope.
fn check_token(gate: &Gate, model: &Model, asked: &Asked, passed: &Passed, scope: &str) {
    let credential = only_bearer(&asked.values("authorization")).expect("one credential");
    let known = known_token(credential).expect("a token that was signed");
    let (held, name) = match known.issuer {
        MAIN => (model.main, "main"),
        OTHER => (model.other, "other"),
        other => panic!("a token of {other} passes"),
    };
    let (signer, since) = held.key.expect("keys of the issuer");
    assert_eq!(
        known.signer, signer,
        "{}: signed with another key",
        known.name
    );
    assert!(
        gate.now - since <= KEYS_SERVE,
        "keys of {} s ago",
        (gate.now - since) / 1000
    );
    assert!(known.is_valid_at(gate.now), "{}: out of time", known.name);
    assert!(known.holds(scope), "{}: no {scope}", known.name);
    assert_eq!(passed.issuer.as_deref(), Some(name));
    assert_eq!(
        passed.set,
        [("x-auth-sub".to_owned(), known.name.to_owned())]
    );
}

/// The method that a browser asks about, if it does.
fn preflight(asked: &Asked) -> Option<&[u8]> {
    let only = |name| match *asked.values(name) {
        [value] if !value.is_empty() => Some(value),
        _ => None,
    };
    let is_one_origin = only("origin").is_some_and(|origin| !origin.contains(&b','));
    let upgrades = !asked.values("upgrade").is_empty();
    let is_preflight = asked.method == b"OPTIONS" && is_one_origin && !upgrades;
    // RFC 9110 section 5.6.2: what is not made of these is no method, but perhaps a list of them.
    let sign = |octet: &u8| octet.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(octet);
    let requested = only("access-control-request-method")?;
    (is_preflight && requested.iter().all(sign)).then_some(requested)
}

impl Model {
    fn of(&mut self, issuer: &str) -> (&'static str, &mut Held) {
        match issuer {
            "main" => (MAIN, &mut self.main),
            _ => (OTHER, &mut self.other),
        }
    }
}
