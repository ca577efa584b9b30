//! Histories of an issuer, and what a request of some moment is owed. With the drill's times an answer reaches every worker within
//! 1 s, is trusted for 14 s, and a change has to be met after 3 s.

use std::time::Duration;

use super::*;
use crate::times::TIMES;

const fn ms(milliseconds: u64) -> Moment {
    Duration::from_millis(milliseconds)
}

fn version(at: u64, kids: &[Kid]) -> Version {
    Version {
        at: ms(at),
        kids: kids.iter().copied().collect(),
    }
}

fn asked(brought: Brought, sent: u64, answer: Answer) -> Asked {
    Asked {
        connection: 0,
        brought,
        sent: ms(sent),
        answered: ms(sent + 10),
        answer,
    }
}

/// A request with that key of an issuer with that record.
#[track_caller]
fn check(record: &Record, kid: Kid, sent: u64, answer: Answer, expected: Verdict) {
    let never = Record::new([9].into());
    let request = asked(Brought::Sound(Issuer::Tenant, kid), sent, answer);
    assert_eq!(
        judge(&request, record, &never, &TIMES),
        expected,
        "as tenant's"
    );
    let request = asked(Brought::Sound(Issuer::Partner, kid), sent, answer);
    assert_eq!(
        judge(&request, &never, record, &TIMES),
        expected,
        "as partner's"
    );
}

const ALLOWED: Answer = Answer::Allowed;
const UNAUTHORIZED: Answer = Answer::Status(401);
const UNAVAILABLE: Answer = Answer::Status(503);

/// From 1 to 1 and 2 at 10 s, to 2 alone at 20 s; each is fetched 4 s later.
fn overlap() -> Record {
    Record {
        published: vec![
            version(0, &[1]),
            version(10_000, &[1, 2]),
            version(20_000, &[2]),
        ],
        answers: vec![
            version(1_000, &[1]),
            version(14_000, &[1, 2]),
            version(24_000, &[2]),
        ],
        outages: Vec::new(),
    }
}

#[test]
fn a_key_that_everybody_has_passes_and_nothing_else_will_do() {
    for (answer, expected) in [
        (ALLOWED, Verdict::Right),
        (UNAUTHORIZED, Verdict::WronglyRefused),
        (UNAVAILABLE, Verdict::WronglyRefused),
        (Answer::Status(500), Verdict::WronglyRefused),
        (Answer::Broken, Verdict::WronglyRefused),
    ] {
        check(&overlap(), 1, 5_000, answer, expected);
        check(&overlap(), 2, 15_100, answer, expected);
    }
}

#[test]
fn even_the_first_request_waits_for_the_keys() {
    let record = Record::new([1].into());
    check(&record, 1, 0, UNAVAILABLE, Verdict::WronglyRefused);
    // Nobody could have told the gate of this key.
    check(&record, 1, 0, ALLOWED, Verdict::WronglyAllowed);
}

#[test]
fn a_removed_key_passes_until_the_new_set_is_everywhere_and_never_after() {
    for (sent, answer, expected) in [
        (23_900, ALLOWED, Verdict::Right),
        (23_900, UNAUTHORIZED, Verdict::WronglyRefused),
        (24_500, ALLOWED, Verdict::Right),
        (24_500, UNAUTHORIZED, Verdict::Right),
        (24_999, ALLOWED, Verdict::Right),
        (25_000, ALLOWED, Verdict::WronglyAllowed),
        (25_000, UNAUTHORIZED, Verdict::Right),
        // A 503 is no pass; that it says more than it should is not this table's concern.
        (25_000, UNAVAILABLE, Verdict::Right),
        (25_000, Answer::Broken, Verdict::WronglyRefused),
        (60_000, ALLOWED, Verdict::WronglyAllowed),
    ] {
        check(&overlap(), 1, sent, answer, expected);
    }
}

#[test]
fn a_key_without_overlap_is_excused_for_one_cool_down() {
    let record = Record {
        published: vec![version(0, &[1]), version(10_000, &[2])],
        answers: vec![version(9_900, &[1]), version(11_900, &[2])],
        outages: Vec::new(),
    };
    for (sent, answer, expected) in [
        (10_100, UNAUTHORIZED, Verdict::Excused),
        (10_100, UNAVAILABLE, Verdict::Excused),
        (10_100, Answer::Status(500), Verdict::WronglyRefused),
        // Before the issuer told anybody.
        (10_100, ALLOWED, Verdict::WronglyAllowed),
        (12_000, ALLOWED, Verdict::Right),
        (12_000, UNAUTHORIZED, Verdict::Excused),
        (12_900, UNAUTHORIZED, Verdict::WronglyRefused),
        (13_000, UNAVAILABLE, Verdict::WronglyRefused),
    ] {
        check(&record, 2, sent, answer, expected);
    }
    // A gate that never asks again has nothing to say for itself either.
    let deaf = Record {
        answers: vec![version(9_900, &[1])],
        ..record
    };
    check(&deaf, 2, 12_999, UNAUTHORIZED, Verdict::Excused);
    check(&deaf, 2, 13_000, UNAUTHORIZED, Verdict::WronglyRefused);
}

#[test]
fn keys_outlive_their_issuer_by_as_much_as_the_policy_says() {
    let record = Record {
        published: vec![version(0, &[1])],
        answers: vec![version(10_000, &[1]), version(42_000, &[1])],
        outages: vec![(ms(11_000), Some(ms(40_000)))],
    };
    for (sent, answer, expected) in [
        (20_000, ALLOWED, Verdict::Right),
        (20_000, UNAVAILABLE, Verdict::WronglyRefused),
        (23_980, UNAVAILABLE, Verdict::WronglyRefused),
        // A worker may have had them a moment later.
        (24_001, UNAVAILABLE, Verdict::Excused),
        (24_001, ALLOWED, Verdict::Right),
        (25_000, ALLOWED, Verdict::Right),
        (25_001, ALLOWED, Verdict::WronglyAllowed),
        (25_001, UNAVAILABLE, Verdict::Excused),
        // Everyone would log in again.
        (25_001, UNAUTHORIZED, Verdict::WronglyRefused),
        (40_001, UNAVAILABLE, Verdict::Excused),
        (42_100, ALLOWED, Verdict::Right),
        (42_100, UNAVAILABLE, Verdict::Excused),
        (43_000, UNAVAILABLE, Verdict::WronglyRefused),
    ] {
        check(&record, 1, sent, answer, expected);
    }
}

#[test]
fn after_an_outage_the_next_request_is_served_within_one_cool_down() {
    let record = Record {
        published: vec![version(0, &[1])],
        answers: vec![version(10_000, &[1])],
        outages: vec![(ms(11_000), Some(ms(40_000)))],
    };
    check(&record, 1, 42_999, UNAVAILABLE, Verdict::Excused);
    check(&record, 1, 43_000, UNAVAILABLE, Verdict::WronglyRefused);
}

#[test]
fn an_outage_may_begin_while_a_request_waits() {
    let record = Record {
        outages: vec![(ms(5_005), None)],
        ..Record::new([1].into())
    };
    check(&record, 1, 4_990, UNAVAILABLE, Verdict::WronglyRefused);
    check(&record, 1, 5_000, UNAVAILABLE, Verdict::Excused);
}

#[test]
fn what_no_issuer_signed_is_refused_and_answered() {
    let none = Record::new([1].into());
    for (brought, answer, expected) in [
        (Brought::Forged(1), ALLOWED, Verdict::WronglyAllowed),
        (Brought::Forged(1), UNAUTHORIZED, Verdict::Right),
        (Brought::Stranger, UNAVAILABLE, Verdict::Right),
        (Brought::Stranger, Answer::Broken, Verdict::WronglyRefused),
        (Brought::Nothing, UNAUTHORIZED, Verdict::Right),
        (Brought::Nothing, UNAVAILABLE, Verdict::WronglyRefused),
        (Brought::Nothing, ALLOWED, Verdict::WronglyAllowed),
    ] {
        let request = asked(brought, 1_000, answer);
        assert_eq!(
            judge(&request, &none, &none, &TIMES),
            expected,
            "{brought:?} {answer:?}"
        );
        assert_eq!(owed(&request, &none, &none, &TIMES), Owed::Refusal);
    }
}

#[test]
fn what_is_owed_is_said_before_the_answer_is_known() {
    for (kid, sent, expected) in [
        (1, 5_000, Owed::Pass),
        (1, 24_500, Owed::Either),
        (1, 25_000, Owed::Refusal),
        (2, 9_000, Owed::Refusal),
        // Published and not fetched, and the cool-down is not over.
        (2, 12_000, Owed::Refusal),
        (2, 13_000, Owed::Pass),
    ] {
        let request = asked(Brought::Sound(Issuer::Tenant, kid), sent, ALLOWED);
        let other = Record::new([9].into());
        assert_eq!(
            owed(&request, &overlap(), &other, &TIMES),
            expected,
            "{kid} at {sent}"
        );
    }
}

#[test]
fn a_forged_token_is_our_trouble_only_while_its_key_cannot_be_had() {
    let mut record = Record::new([1].into());
    record.answers = vec![version(100, &[1])];
    record.outages = vec![(ms(200), None)];
    let none = Record::new([9].into());
    let forged = |kid, sent, answer| {
        let request = asked(Brought::Forged(kid), sent, answer);
        judge(&request, &record, &none, &TIMES)
    };
    // All have the key, and trust it.
    assert_eq!(forged(1, 5_000, UNAVAILABLE), Verdict::WronglyRefused);
    assert_eq!(forged(1, 5_000, UNAUTHORIZED), Verdict::Right);
    // It is too old by then, and the issuer cannot be reached.
    assert_eq!(forged(1, 60_000, UNAVAILABLE), Verdict::Right);
    // Nobody has had that one, nor can get it.
    assert_eq!(forged(2, 5_000, UNAVAILABLE), Verdict::Right);
}
