//! Small histories, all of them.

use std::collections::{BTreeSet, HashSet};

use crate::essence::essence;
use crate::issuer::Health::{Errs, Hangs, Redirects, Well};
use crate::issuer::Metadata::{Nowhere, OAuth, OpenId};
use crate::knowledge::Edge::{Age, Cooldown, Metadata, Stale, Young};
use crate::setting::{Rules, Setting};
use crate::step::Event::{self, Empty, Health, Move, Replace, Retire, Rotate};
use crate::step::Step::{self, Arrive, Ask, Before, Issuer, Past, Restart, Tick};
use crate::step::Who::{self, Ahead, Early, Forger, New, Old, Stranger};
use crate::world::World;

/// Histories up to this length are gone on with in any case: two of them may be the same to the oracle alone.
const SHORT: usize = 2;

/// Goes through every history of at most `depth` of these steps. Where two of them come to the same, only one is gone on with.
///
/// `expected` are the answers that they bring about, and the states of the keys in which they are given: no other, and each of them.
fn explore(setting: &Setting, steps: &[Step], depth: usize, expected: &[&str]) {
    let mut known = HashSet::new();
    let mut seen = BTreeSet::new();
    let mut histories: Vec<Vec<Step>> = vec![Vec::new()];
    for length in 1..=depth {
        let mut longer = Vec::new();
        for history in &histories {
            for step in steps {
                let history: Vec<Step> = history.iter().chain([step]).copied().collect();
                let mut world = World::new(setting);
                world.run(&history);
                seen.append(&mut world.seen);
                if known.insert(essence(&world)) || length <= SHORT {
                    longer.push(history);
                }
            }
        }
        println!(
            "{length} steps: {} histories tried",
            histories.len() * steps.len()
        );
        histories = longer;
    }
    let seen: Vec<&str> = seen.iter().map(String::as_str).collect();
    assert_eq!(seen, expected);
}

const fn ask(who: Who) -> Step {
    ask_of(0, who)
}

const fn ask_of(issuer: usize, who: Who) -> Step {
    Ask { at: 0, issuer, who }
}

const fn issuer(event: Event) -> Step {
    Issuer(0, event)
}

#[test]
fn outages() {
    let steps = [
        Past(Young),
        Past(Age),
        Before(Stale),
        Past(Stale),
        Before(Cooldown),
        Past(Cooldown),
        Tick(0),
        ask(Old),
        ask(Stranger),
        issuer(Health(Hangs)),
        issuer(Health(Well)),
    ];
    explore(
        &Setting::new(Rules::SMALL),
        &steps,
        7,
        &[
            "awaited: waits",
            "fresh: allowed",
            "fresh: keys_unavailable",
            "fresh: kid_unknown",
            "fresh: waits",
            "refreshing: allowed",
            "refreshing: allowed, and asked for behind it",
            "refreshing: keys_unavailable",
            "refreshing: waits",
            "stale: allowed",
            "stale: allowed, and asked for behind it",
            "stale: keys_unavailable",
            "stale: waits",
            "unavailable: keys_unavailable",
            "unavailable: waits",
        ],
    );
}

#[test]
fn rotations() {
    let steps = [
        Past(Age),
        Before(Cooldown),
        Past(Cooldown),
        ask(Old),
        ask(Early),
        ask(New),
        issuer(Rotate),
        issuer(Replace),
        issuer(Retire),
        issuer(Empty),
        issuer(Health(Redirects)),
        issuer(Health(Well)),
    ];
    explore(
        &Setting::new(Rules::SMALL),
        &steps,
        6,
        &[
            "awaited: waits",
            "fresh: allowed",
            "fresh: keys_unavailable",
            "fresh: kid_awaited",
            "fresh: kid_unknown",
            "fresh: waits",
            "stale: allowed",
            "stale: allowed, and asked for behind it",
            "stale: keys_unavailable",
            "unavailable: keys_unavailable",
            "unavailable: waits",
        ],
    );
}

#[test]
fn sets_that_are_emptied_on_purpose() {
    let steps = [
        Past(Age),
        Past(Stale),
        Past(Cooldown),
        ask(Old),
        ask(New),
        Tick(0),
        issuer(Replace),
        issuer(Empty),
        issuer(Health(Errs)),
        issuer(Health(Well)),
    ];
    let rules = Rules {
        empty_means_nobody: true,
        ..Rules::SMALL
    };
    explore(
        &Setting::new(rules),
        &steps,
        6,
        &[
            "awaited: waits",
            "fresh: allowed",
            "fresh: keys_unavailable",
            "fresh: kid_awaited",
            "fresh: kid_unknown",
            "fresh: waits",
            "stale: allowed",
            "stale: allowed, and asked for behind it",
            "stale: keys_unavailable",
            "unavailable: keys_unavailable",
            "unavailable: waits",
        ],
    );
}

#[test]
fn discoveries() {
    let steps = [
        Past(Cooldown),
        Past(Metadata),
        ask(Old),
        ask(New),
        Tick(0),
        issuer(Replace),
        issuer(Move { leaves_old: false }),
        issuer(Move { leaves_old: true }),
        issuer(Event::Metadata(OAuth)),
        issuer(Event::Metadata(Nowhere)),
        issuer(Event::Metadata(OpenId)),
        issuer(Health(Hangs)),
        issuer(Health(Well)),
    ];
    let rules = Rules {
        discovers: true,
        ..Rules::SMALL
    };
    explore(
        &Setting::new(rules),
        &steps,
        6,
        &[
            "awaited: waits",
            "fresh: allowed",
            "fresh: keys_unavailable",
            "fresh: kid_awaited",
            "fresh: kid_unknown",
            "fresh: waits",
            "unavailable: keys_unavailable",
            "unavailable: waits",
        ],
    );
}

#[test]
fn two_instances() {
    let at = |at, who| Ask { at, issuer: 0, who };
    let steps = [
        Past(Young),
        Past(Age),
        Past(Stale),
        Past(Cooldown),
        at(0, Old),
        at(1, Old),
        at(1, New),
        Tick(1),
        Restart(0),
        issuer(Replace),
        issuer(Health(Hangs)),
        issuer(Health(Well)),
    ];
    explore(
        &Setting::new(Rules::SMALL).shared(),
        &steps,
        5,
        &[
            "awaited: waits",
            "fresh: allowed",
            "fresh: keys_unavailable",
            "fresh: kid_awaited",
            "fresh: kid_unknown",
            "fresh: waits",
            "refreshing: allowed",
            "refreshing: allowed, and asked for behind it",
            "refreshing: keys_unavailable",
            "refreshing: waits",
            "stale: allowed",
            "stale: keys_unavailable",
            "unavailable: keys_unavailable",
            "unavailable: waits",
        ],
    );
}

#[test]
fn two_issuers() {
    let steps = [
        Past(Age),
        Past(Cooldown),
        ask(Old),
        ask(Forger),
        ask_of(1, New),
        ask_of(1, Forger),
        Tick(0),
        issuer(Replace),
        Issuer(1, Replace),
        issuer(Health(Hangs)),
        issuer(Health(Well)),
        Issuer(1, Health(Hangs)),
    ];
    explore(
        &Setting::new(Rules::SMALL),
        &steps,
        5,
        &[
            "awaited: waits",
            "fresh: allowed",
            "fresh: keys_unavailable",
            "fresh: kid_awaited",
            "fresh: kid_unknown",
            "fresh: signature_invalid",
            "fresh: waits",
            "stale: allowed",
            "stale: keys_unavailable",
            "stale: signature_invalid",
            "unavailable: keys_unavailable",
            "unavailable: waits",
        ],
    );
}

#[test]
fn answers_that_take_their_time() {
    let steps = [
        Past(Young),
        Past(Age),
        Past(Cooldown),
        ask(Old),
        ask(New),
        ask(Ahead),
        Tick(0),
        Arrive(0),
        issuer(Replace),
        issuer(Health(Hangs)),
        issuer(Health(Well)),
    ];
    let rules = Rules {
        discovers: true,
        ..Rules::SMALL
    };
    explore(
        &Setting::new(rules).slow(),
        &steps,
        9,
        &[
            "awaited: waits",
            "fresh: allowed",
            "fresh: keys_unavailable",
            "fresh: kid_awaited",
            "fresh: kid_unknown",
            "fresh: waits",
            "refreshing: allowed",
            "refreshing: allowed, and asked for behind it",
            "refreshing: keys_unavailable",
            "refreshing: waits",
            "stale: allowed",
            "stale: allowed, and asked for behind it",
            "stale: keys_unavailable",
            "unavailable: keys_unavailable",
            "unavailable: waits",
        ],
    );
}
