//! Whatever the path: it is refused, or it falls under the route that a second matcher finds, for the path as it came and
//! for all that upstreams may make of it. And no spelling of an identity header goes on with it.
//!
//! The first line of an input is the method, the second one the path, every other one the name of a header field.

use std::sync::LazyLock;

use scopegate_core::Reason;

use crate::gate::{Asked, Gate, Policies, Verdict};
use crate::routes::{self, Rule};

const POLICY: &str = r#"
version: 1
realm: fuzz
forward: { sub: x-auth-sub, email: mail }
preflight: refuse
routes:
  - { path: /, public: true }
  - { path: /timesheets, public: true }
  - { path: "/timesheets/{id}", public: true }
  - { path: "/timesheets/{id}", methods: [GET, PUT], public: true }
  - { path: /timesheets/own, public: true }
  - { path: "/timesheets/own/{*rest}", methods: [GET], public: true }
  - { path: "/timesheets/{id}/lines/{line}", public: true }
  - { path: "/slash/{name}", public: true, allow_in_path: [encoded-slash] }
  - { path: "/slash/{name}/literal", public: true }
  - { path: "/semicolon/{name}", public: true, allow_in_path: [semicolon] }
  - { path: "/percent/{name}", public: true, allow_in_path: [double-escape] }
  - { path: "/rest/{*rest}", public: true, allow_in_path: [encoded-slash, semicolon] }
  - { path: "/rest/deep/{*rest}", public: true }
  - { path: "/all/{*rest}", public: true, allow_in_path: [encoded-slash, semicolon, double-escape] }
"#;

const RULES: [Rule; 14] = [
    Rule::new("/", &[], ""),
    Rule::new("/timesheets", &[], ""),
    Rule::new("/timesheets/{id}", &[], ""),
    Rule::new("/timesheets/{id}", &["GET", "PUT"], ""),
    Rule::new("/timesheets/own", &[], ""),
    Rule::new("/timesheets/own/{*rest}", &["GET"], ""),
    Rule::new("/timesheets/{id}/lines/{line}", &[], ""),
    Rule::new("/slash/{name}", &[], "/"),
    Rule::new("/slash/{name}/literal", &[], ""),
    Rule::new("/semicolon/{name}", &[], ";"),
    Rule::new("/percent/{name}", &[], "%"),
    Rule::new("/rest/{*rest}", &[], "/;"),
    Rule::new("/rest/deep/{*rest}", &[], ""),
    Rule::new("/all/{*rest}", &[], "/;%"),
];

fn policies() -> &'static Policies {
    static POLICIES: LazyLock<Policies> =
        LazyLock::new(|| Policies::parse(POLICY, &["x-auth-sub", "mail"], &[]));
    &POLICIES
}

/// The promise, for one input.
pub fn check(input: &[u8]) {
    let mut lines = input.split(|octet| *octet == b'\n');
    let (Some(method), Some(path)) = (lines.next(), lines.next()) else {
        return;
    };
    let asked = Asked {
        method: method.to_vec(),
        path: path.to_vec(),
        fields: lines
            .map(|name| (name.to_vec(), b"alice".to_vec()))
            .collect(),
    };
    let raw = routes::without_query(path);
    let found = routes::find(&RULES, raw, method);
    match Gate::new(policies()).ask(&asked) {
        Verdict::NeedKeys(_) => panic!("a path asks for keys"),
        Verdict::Deny(reason, _) => check_refused(reason, &asked, found),
        Verdict::Allow(passed) => {
            let rule = found.expect("a route is found where there is none");
            assert_eq!(
                passed.route.as_deref(),
                Some(rule.pattern),
                "{}",
                raw.escape_ascii()
            );
            assert!(passed.set.is_empty() && passed.fetch.is_none());
            assert!(!routes::leads_out(raw), "{} leads out", raw.escape_ascii());
            assert!(
                !routes::reads_otherwise(&RULES, raw),
                "{} is another path to other routers",
                raw.escape_ascii()
            );
            for reading in routes::readings(rule, raw) {
                let read = routes::find(&RULES, &reading, method);
                assert_eq!(
                    read,
                    Some(rule),
                    "{} reads {}",
                    raw.escape_ascii(),
                    reading.escape_ascii()
                );
            }
        }
    }
}

/// A refusal is about the path or the method, and none befalls a path that nobody could read in two ways.
fn check_refused(reason: Reason, asked: &Asked, found: Option<&Rule>) {
    let about_path = matches!(
        reason,
        Reason::PathAmbiguous
            | Reason::RouteUnmatched
            | Reason::MethodUnmatched
            | Reason::ConnectRefused
    );
    assert!(about_path, "{} for a path", reason.code());
    if asked.method == b"CONNECT" {
        assert_eq!(reason, Reason::ConnectRefused);
    } else if routes::is_plain(&asked.path) && !routes::reads_otherwise(&RULES, &asked.path) {
        assert_ne!(
            reason,
            Reason::PathAmbiguous,
            "{}",
            asked.path.escape_ascii()
        );
        assert_eq!(
            found,
            None,
            "{} for {}",
            reason.code(),
            asked.path.escape_ascii()
        );
    }
}
