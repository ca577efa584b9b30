//! What is different in the settings of issuers, and of the whole policy.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use scopegate_core::Policy;
use scopegate_core::outline::{Issuer, KeySource, Mode, OnEmpty, Preflight, TokenType};

use super::change::Direction;

/// A setting that is different.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct SettingChange {
    /// In which way.
    pub direction: Direction,
    /// Which setting: what `--allow` takes.
    pub subject: String,
    /// What stood there.
    pub was: String,
    /// What stands there.
    pub now: String,
}

/// Every setting that is different. Issuers that only one of the policies has are seen in the regions where their tokens count.
pub(super) fn setting_changes(old: &Policy, new: &Policy) -> Vec<SettingChange> {
    let mut found = Vec::new();
    policy_wide(old, new, &mut found);
    forwards(old, new, &mut found);
    for issuer in new.issuers() {
        // By `iss`, as tokens name them: a name of the policy may be given to another one.
        let mut known = old.issuers().iter();
        let before = known.find(|before| before.issuer == issuer.issuer);
        let was = before.and_then(|before| old.cluster(&before.name));
        cluster(issuer, was, new.cluster(&issuer.name), &mut found);
        if let Some(before) = before {
            issuer_changes(before, issuer, &mut found);
        }
    }
    found.sort();
    found
}

fn note(
    found: &mut Vec<SettingChange>,
    direction: Option<Direction>,
    subject: impl Into<String>,
    (was, now): (String, String),
) {
    if was != now {
        found.push(SettingChange {
            direction: direction.unwrap_or(Direction::Otherwise),
            subject: subject.into(),
            was,
            now,
        });
    }
}

fn policy_wide(old: &Policy, new: &Policy, found: &mut Vec<SettingChange>) {
    let texts = |was: &dyn ToString, now: &dyn ToString| (was.to_string(), now.to_string());
    note(found, None, "realm", texts(&old.realm(), &new.realm()));
    let bytes = texts(&old.token_cache_bytes(), &new.token_cache_bytes());
    note(found, None, "token_cache", bytes);
    // Paths that can be read in two ways are no region, and pass in shadow mode.
    let watches = |policy: &Policy| policy.mode() == Mode::Shadow;
    let direction = at_least(watches(old), watches(new));
    let words = |watches: bool| if watches { "shadow" } else { "enforce" };
    let modes = texts(&words(watches(old)), &words(watches(new)));
    note(found, direction, "mode", modes);
    let passes = |policy: &Policy| policy.preflight() == Preflight::Pass;
    let direction = at_least(passes(old), passes(new));
    let words = |passes: bool| if passes { "pass" } else { "refuse" };
    note(
        found,
        direction,
        "preflight",
        texts(&words(passes(old)), &words(passes(new))),
    );
    let logs = texts(&old.envoy().log_subject, &new.envoy().log_subject);
    note(found, None, "envoy.log_subject", logs);
}

/// A header that is no identity any more is no longer taken away from what clients send.
fn forwards(old: &Policy, new: &Policy, found: &mut Vec<SettingChange>) {
    let headers = |policy: &Policy| -> BTreeMap<String, String> {
        let forward = policy.forward().iter();
        forward
            .map(|one| (one.header.clone(), one.claim.clone()))
            .collect()
    };
    let (old, new) = (headers(old), headers(new));
    let names: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
    for name in names {
        let (direction, was, now) = match (old.get(name), new.get(name)) {
            (Some(was), None) => (
                Direction::MorePermissive,
                was.as_str(),
                "clients may send it",
            ),
            (None, Some(now)) => (Direction::Stricter, "clients may send it", now.as_str()),
            // The upstream believes another claim.
            (Some(was), Some(now)) => (Direction::Both, was.as_str(), now.as_str()),
            (None, None) => continue,
        };
        let texts = (was.to_owned(), now.to_owned());
        note(found, Some(direction), format!("forward {name}"), texts);
    }
}

/// Through which cluster keys come decides whose they are.
fn cluster(issuer: &Issuer, was: Option<&str>, now: Option<&str>, found: &mut Vec<SettingChange>) {
    let direction = match (was, now) {
        (Some(_), Some(_)) => Direction::Both,
        _ => Direction::Otherwise,
    };
    let text = |cluster: Option<&str>| cluster.unwrap_or("none").to_owned();
    let subject = format!("envoy.clusters {}", issuer.name);
    note(found, Some(direction), subject, (text(was), text(now)));
}

fn issuer_changes(old: &Issuer, new: &Issuer, found: &mut Vec<SettingChange>) {
    let subject = |setting: &str| format!("issuer {} {setting}", new.name);
    let pair = |was: &str, now: &str| (was.to_owned(), now.to_owned());
    note(found, None, subject("name"), pair(&old.name, &new.name));

    let algorithms = |issuer: &Issuer| -> BTreeSet<&'static str> {
        issuer.algorithms.iter().map(|one| one.name()).collect()
    };
    let (was, now) = (algorithms(old), algorithms(new));
    let direction = Direction::of(was.is_subset(&now), now.is_subset(&was));
    let list = |names: &BTreeSet<&str>| names.iter().copied().collect::<Vec<_>>().join(" ");
    note(
        found,
        direction,
        subject("algorithms"),
        (list(&was), list(&now)),
    );

    let takes_any = |issuer: &Issuer| issuer.token_type == TokenType::Any;
    let words = |takes_any: bool| if takes_any { "any" } else { "at+jwt" };
    let direction = at_least(takes_any(old), takes_any(new));
    let types = pair(words(takes_any(old)), words(takes_any(new)));
    note(found, direction, subject("token_type"), types);

    let both = Some(Direction::Both);
    let claims = pair(&old.audience_claim, &new.audience_claim);
    note(found, both, subject("audience_claim"), claims);
    let list = |issuer: &Issuer| format!("{:?}", issuer.scope_claims);
    let claims = (list(old), list(new));
    note(found, both, subject("scope_claims"), claims);
    if !old.has_keys_of(new) {
        let (was, now) = (source(old), source(new));
        found.push(SettingChange {
            direction: Direction::Both,
            subject: subject("keys"),
            was,
            now,
        });
    }

    let times: [(&str, Duration, Duration); 3] = [
        ("clock_skew", old.clock_skew, new.clock_skew),
        // A key that its issuer took back serves as long.
        ("keys.ttl", old.keys.ttl, new.keys.ttl),
        ("keys.max_stale", old.keys.max_stale, new.keys.max_stale),
    ];
    for (setting, was, now) in times {
        let direction = Direction::of(was <= now, now <= was);
        note(
            found,
            direction,
            subject(setting),
            (seconds(was), seconds(now)),
        );
    }
    for (setting, was, now) in [
        ("keys.cooldown", old.keys.cooldown, new.keys.cooldown),
        ("keys.timeout", old.keys.timeout, new.keys.timeout),
    ] {
        note(found, None, subject(setting), (seconds(was), seconds(now)));
    }
    let keeps = |issuer: &Issuer| issuer.keys.on_empty == OnEmpty::Keep;
    let words = |keeps: bool| if keeps { "keep" } else { "refuse" };
    let direction = at_least(keeps(old), keeps(new));
    let on_empty = pair(words(keeps(old)), words(keeps(new)));
    note(found, direction, subject("keys.on_empty"), on_empty);
}

/// The direction of a setting that lets more in when it is true.
fn at_least(was: bool, now: bool) -> Option<Direction> {
    Direction::of(!was || now, !now || was)
}

fn source(issuer: &Issuer) -> String {
    match issuer.key_source() {
        KeySource::Address(url) => format!("from {url}"),
        KeySource::Metadata { openid, .. } => format!("from where {openid} says"),
        KeySource::File(path) => format!("in the file {path}"),
        KeySource::Inline { keys } => format!("{keys} in the policy"),
    }
}

fn seconds(duration: Duration) -> String {
    match duration.subsec_millis() {
        0 => format!("{} s", duration.as_secs()),
        _ => format!("{} ms", duration.as_millis()),
    }
}
