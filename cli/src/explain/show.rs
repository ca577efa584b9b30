//! An explanation in words, and as JSON.

use std::fmt::Write as _;

use anstyle::{AnsiColor, Style};
use scopegate_core::explain::{Check, Step, StepOutcome};
use scopegate_core::{Policy, Reason};
use serde_json::{Value, json};

use super::answer::{Asked, Explanation, Verdict};
use super::others::{Other, WhyNot};
use crate::streams::one_line;

const GOOD: Style = AnsiColor::Green.on_default().bold();
const BAD: Style = AnsiColor::Red.on_default().bold();
const OPEN: Style = AnsiColor::Yellow.on_default().bold();
const DIM: Style = Style::new().dimmed();

/// For people.
pub(super) fn text(
    policy: &Policy,
    lines: &[u32],
    asked: &Asked,
    explanation: &Explanation,
) -> String {
    let mut shown = String::new();
    headline(&mut shown, explanation);
    for step in &explanation.steps {
        one_step(&mut shown, step);
        if step.check == Check::Route {
            let lines = Lines { policy, lines };
            routes(&mut shown, &lines, asked, explanation);
        }
    }
    outcome(&mut shown, asked, explanation);
    shown
}

fn headline(shown: &mut String, explanation: &Explanation) {
    let line = match &explanation.verdict {
        Verdict::Allowed => format!("{GOOD}allowed{GOOD:#}"),
        Verdict::Shadowed(reason) => format!(
            "{OPEN}allowed in shadow mode{OPEN:#}: it would be refused, {}",
            reason.code()
        ),
        Verdict::Refused(reason) => {
            let status = explanation
                .client
                .as_ref()
                .map_or(0, |answer| answer.status);
            format!("{BAD}refused{BAD:#} with {status}: {}", reason.code())
        }
        Verdict::NeedsKeys { issuer, location } => format!(
            "{OPEN}undecided{OPEN:#}: the keys of `{issuer}` are needed (from {location}); hand them over with `--jwks FILE`"
        ),
    };
    let _ = writeln!(shown, "{line}\n");
}

fn one_step(shown: &mut String, step: &Step) {
    let mark = match step.outcome {
        StepOutcome::Holds => format!("{GOOD}ok{GOOD:#}  "),
        StepOutcome::Refuses(_) => format!("{BAD}no{BAD:#}  "),
        StepOutcome::NeedsKeys => format!("{OPEN}open{OPEN:#}"),
    };
    let _ = writeln!(
        shown,
        "  {mark}  {:<12} {}",
        step.check.name(),
        sentence(step)
    );
}

/// What was wanted and what was found, in the words of that check.
fn sentence(step: &Step) -> String {
    let wanted = step.wanted.join(", ");
    let found = step.found.join(", ");
    let holds = step.outcome == StepOutcome::Holds;
    match step.check {
        Check::Path if holds && found.is_empty() => "the root".into(),
        Check::Path if holds => format!("segments {found}"),
        Check::Path => "two readers may read it in two ways, or there is none".into(),
        Check::Route if holds && wanted.is_empty() => found,
        Check::Route if holds => format!("{found}: {wanted}"),
        Check::Route => match step.outcome {
            StepOutcome::Refuses(Reason::ConnectRefused) => "CONNECT is always refused".into(),
            StepOutcome::Refuses(Reason::PathAmbiguous) => {
                format!(
                    "a router of another kind would take the path for another route than {found}"
                )
            }
            StepOutcome::Refuses(Reason::MethodUnmatched) => {
                format!("{found} has no route for this method")
            }
            _ => "no route matches".into(),
        },
        Check::Preflight => "a CORS preflight passes without a token".into(),
        Check::Public => "the route is public: no token is asked for".into(),
        Check::Credential if holds => format!("one bearer token of {found}"),
        Check::Credential => "there is no single bearer token".into(),
        Check::Token => found,
        Check::Key if holds => format!("{wanted}: found"),
        Check::Key if step.outcome == StepOutcome::NeedsKeys => {
            format!("{wanted}: {found}; what follows is said as if the signature held")
        }
        Check::Key => {
            format!("{wanted}: the issuer's set has no usable key for it, or more than one")
        }
        Check::Signature if holds => "made with that key".into(),
        Check::Signature => "not made with that key".into(),
        Check::Expiry | Check::NotBefore => format!("{found} ({wanted})"),
        Check::Identity if holds => format!("{wanted} can be header values"),
        Check::Identity => format!("{wanted} cannot be a header value"),
        Check::Issuer
        | Check::IssuerTaken
        | Check::Algorithm
        | Check::Type
        | Check::Audience
        | Check::Claim
        | Check::Scopes => {
            let found = if found.is_empty() { "absent" } else { &found };
            format!("wanted: {wanted}; found: {found}")
        }
    }
}

/// Where routes stand.
struct Lines<'a> {
    policy: &'a Policy,
    lines: &'a [u32],
}

impl Lines<'_> {
    fn of(&self, route: usize) -> String {
        let line = self.lines.get(route).copied().unwrap_or_default();
        let path = self
            .policy
            .routes()
            .get(route)
            .map_or("", |route| &route.path);
        format!("{path} (line {line})")
    }
}

fn routes(shown: &mut String, lines: &Lines<'_>, asked: &Asked, explanation: &Explanation) {
    for other in &explanation.others {
        let route = lines.of(other.route);
        let why = why_not(lines.policy, asked, other);
        let _ = writeln!(shown, "        {DIM}not {route}: {why}{DIM:#}");
    }
}

fn why_not(policy: &Policy, asked: &Asked, other: &Other) -> String {
    let route = policy.routes().get(other.route);
    match &other.why {
        WhyNot::Method => match route.map(|route| route.methods.as_slice()) {
            None | Some([]) => "a route for the method itself comes first".into(),
            Some(methods) => format!("it is for {}, not {}", methods.join(", "), asked.method),
        },
        WhyNot::Ambiguous => {
            "it matches, but a router of another kind would take the path for another route".into()
        }
        WhyNot::LessSpecific => "it matches, but a more specific pattern does too".into(),
        WhyNot::Segment { place, wanted } => format!("segment {place} would have to be `{wanted}`"),
        WhyNot::TooShort => "the path has too few segments".into(),
        WhyNot::TooLong => "the path goes on".into(),
    }
}

fn outcome(shown: &mut String, asked: &Asked, explanation: &Explanation) {
    if let Some(answer) = &explanation.client {
        let _ = writeln!(shown, "\nthe client gets\n  HTTP {}", answer.status);
        for (name, value) in &answer.headers {
            let _ = writeln!(shown, "  {name}: {value}");
        }
        let _ = writeln!(shown, "  {}\nthe upstream gets nothing", answer.body);
    }
    if let Some(upstream) = &explanation.upstream {
        let _ = writeln!(
            shown,
            "\nthe upstream gets\n  {} {}",
            asked.method, asked.path
        );
        let is_stripped = |name: &str| {
            upstream
                .strip
                .iter()
                .any(|other| other.eq_ignore_ascii_case(name))
        };
        for (name, value) in &upstream.set {
            let _ = writeln!(shown, "  {name}: {}", one_line(value));
        }
        let kept = asked.headers.iter();
        let is_set = |name: &str| upstream.set.iter().any(|(other, _)| other == name);
        for (name, value) in kept.filter(|(name, _)| !is_stripped(name) && !is_set(name)) {
            let _ = writeln!(shown, "  {name}: {value}");
        }
        if asked.token.is_some() && !is_stripped("authorization") {
            let _ = writeln!(shown, "  authorization: Bearer (the token)");
        }
        if !upstream.strip.is_empty() {
            let _ = writeln!(shown, "  and not: {}", upstream.strip.join(", "));
        }
    }
}

/// For programs.
pub(super) fn json(policy: &Policy, explanation: &Explanation) -> Value {
    let (verdict, reason) = match &explanation.verdict {
        Verdict::Allowed => ("allowed", None),
        Verdict::Shadowed(reason) => ("shadowed", Some(reason.code())),
        Verdict::Refused(reason) => ("refused", Some(reason.code())),
        Verdict::NeedsKeys { .. } => ("needs-keys", None),
    };
    let steps: Vec<Value> = explanation.steps.iter().map(step_json).collect();
    let others = explanation.others.iter().map(|other| {
        let route = policy.routes().get(other.route);
        json!({
            "route": route.map(|route| &route.path),
            "methods": route.map(|route| &route.methods),
            "why_not": why_not_word(&other.why),
        })
    });
    json!({
        "verdict": verdict,
        "reason": reason,
        "route": explanation.route,
        "issuer": explanation.issuer,
        "kid": explanation.kid,
        "steps": steps,
        "other_routes": others.collect::<Vec<_>>(),
        "client": explanation.client.as_ref().map(|answer| json!({
            "status": answer.status,
            "headers": answer.headers,
            "body": answer.body,
        })),
        "upstream": explanation.upstream.as_ref().map(|upstream| json!({
            "set": upstream.set,
            "strip": upstream.strip,
        })),
    })
}

fn step_json(step: &Step) -> Value {
    let (outcome, reason) = match step.outcome {
        StepOutcome::Holds => ("holds", None),
        StepOutcome::Refuses(reason) => ("refuses", Some(reason.code())),
        StepOutcome::NeedsKeys => ("needs-keys", None),
    };
    json!({
        "check": step.check.name(),
        "outcome": outcome,
        "reason": reason,
        "wanted": step.wanted,
        "found": step.found,
    })
}

fn why_not_word(why: &WhyNot) -> &'static str {
    match why {
        WhyNot::Method => "method",
        WhyNot::Ambiguous => "ambiguous",
        WhyNot::LessSpecific => "less-specific",
        WhyNot::Segment { .. } => "segment",
        WhyNot::TooShort => "too-short",
        WhyNot::TooLong => "too-long",
    }
}
