//! Phases with one thing wrong with them.

use super::*;
use crate::evidence::Wanted;
use crate::record::Version;
use crate::times::TIMES;

const KEY: Brought = Brought::Sound(Issuer::Tenant, 1);
const OTHER: Brought = Brought::Sound(Issuer::Partner, 1);

fn asked(brought: Brought, answer: Answer) -> Asked {
    Asked {
        connection: 0,
        brought,
        sent: Duration::from_secs(5),
        answered: Duration::from_millis(5_003),
        answer,
    }
}

fn record() -> Record {
    Record {
        answers: vec![Version {
            at: Duration::from_secs(1),
            kids: [1].into(),
        }],
        ..Record::new([1].into())
    }
}

fn good() -> Observed {
    Observed {
        phase: "a test",
        lasted: Duration::from_secs(7),
        asked: vec![
            asked(KEY, Answer::Allowed),
            asked(OTHER, Answer::Allowed),
            asked(Brought::Forged(1), Answer::Status(401)),
        ],
        fetches: 2,
        pace: TIMES.refresh(),
        partner_fetches: 2,
        evidence: vec![Evidence {
            about: "of the key",
            brought: Wanted::Key(1),
            owed: Owed::Pass,
            since: Duration::from_secs(5),
        }],
        faults: Vec::new(),
    }
}

fn row(observed: Observed) -> Row {
    Row::of(observed, &record(), &record(), &TIMES, 1)
}

#[test]
fn a_good_phase_is_counted_and_passes() {
    let row = row(good());
    assert!(row.has_passed(), "{:?}", row.faults);
    assert_eq!(
        (row.requests, row.allowed, row.most_fetches, row.p99),
        (3, 2, 2, 3)
    );
}

#[test]
fn one_thing_wrong_is_one_fault() {
    type Spoil = fn(&mut Observed);
    let spoilt: [(Spoil, &str); 8] = [
        (
            |phase| phase.asked.push(asked(KEY, Answer::Status(503))),
            "requests wrongly refused: 1",
        ),
        (
            |phase| phase.asked.push(asked(Brought::Forged(1), Answer::Allowed)),
            "requests wrongly allowed: 1",
        ),
        (|phase| phase.fetches = 3, "fetches of the tenant's keys: 3"),
        (
            |phase| phase.partner_fetches = 5,
            "fetches of the partner's keys: 5",
        ),
        (
            |phase| phase.asked.retain(|asked| asked.brought != KEY),
            "nothing was shown of the key",
        ),
        (
            |phase| phase.evidence[0].owed = Owed::Refusal,
            "nothing was shown of the key",
        ),
        (|phase| phase.asked.clear(), "nothing was shown of the key"),
        (
            |phase| phase.faults.push("the sky fell".to_owned()),
            "the sky fell",
        ),
    ];
    for (spoil, expected) in spoilt {
        let mut phase = good();
        spoil(&mut phase);
        let row = row(phase);
        assert!(!row.has_passed(), "{expected}");
        assert_eq!(row.faults.len(), 1, "{:?}", row.faults);
        assert!(row.faults[0].starts_with(expected), "{:?}", row.faults);
    }
}

#[test]
fn the_other_issuer_is_excused_nothing() {
    // Where the tenant would be, after an outage.
    let out = Record {
        outages: vec![(Duration::from_secs(2), None)],
        ..Record::new([1].into())
    };
    let mut phase = good();
    phase.evidence.clear();
    phase.asked = vec![asked(OTHER, Answer::Status(503))];
    let row = Row::of(phase, &record(), &out, &TIMES, 1);
    assert_eq!(
        (row.wrongly_refused, row.excused, row.unavailable),
        (0, 1, 1)
    );
    assert_eq!(
        row.faults,
        ["requests that did not pass though their issuer never failed: 1"]
    );
}

#[test]
fn a_fault_of_any_round_stays() {
    let mut sum = row(good());
    let mut bad = good();
    bad.fetches = 3;
    sum.add(row(good()), 2);
    assert!(sum.has_passed());
    sum.add(row(bad), 3);
    // The sum of what is allowed would hide it.
    assert_eq!((sum.requests, sum.fetches, sum.most_fetches), (9, 7, 6));
    assert_eq!(sum.faults.len(), 1);
    assert!(
        sum.faults[0].starts_with("round 3: fetches of the tenant's"),
        "{:?}",
        sum.faults
    );
}

#[test]
fn the_99th_of_100_is_the_p99() {
    let ms = |count: u64| (1..=count).map(Duration::from_millis);
    for (count, expected) in [(0, 0), (1, 1), (100, 99), (101, 100), (1_000, 990)] {
        assert_eq!(p99(ms(count)), expected, "of {count}");
    }
}
