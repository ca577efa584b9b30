//! Long histories at random.

use proptest::prelude::*;

use crate::issuer::Health::{Errs, Hangs, Pages, Redirects, Refuses, Well};
use crate::issuer::Metadata::{Foreign, Nowhere, OAuth, OpenId};
use crate::knowledge::Edge::{Age, Cooldown, Metadata, Stale, Young};
use crate::setting::{Rules, Setting};
use crate::step::{Event, Step, Who};
use crate::world::World;

const LONGEST: usize = 300;

fn who() -> impl Strategy<Value = Who> {
    use Who::{Ahead, Early, Forger, New, Old, Stranger};
    proptest::sample::select(vec![Old, Early, New, New, Ahead, Stranger, Forger])
}

fn event() -> impl Strategy<Value = Event> {
    use Event::{Empty, Health, MaxAge, Move, Replace, Retire, Rotate};
    let health = proptest::sample::select(vec![
        Well, Well, Well, Refuses, Hangs, Errs, Pages, Redirects,
    ]);
    let metadata = proptest::sample::select(vec![OpenId, OpenId, OAuth, OAuth, Nowhere, Foreign]);
    let max_age = proptest::sample::select(vec![None, Some(0), Some(61), Some(90), Some(100_000)]);
    prop_oneof![
        4 => health.prop_map(Health),
        3 => proptest::sample::select(vec![Rotate, Rotate, Replace, Retire, Retire, Empty]),
        2 => metadata.prop_map(Event::Metadata),
        1 => any::<bool>().prop_map(|leaves_old| Move { leaves_old }),
        1 => max_age.prop_map(MaxAge),
    ]
}

/// Steps of that many instances.
fn steps(instances: usize) -> impl Strategy<Value = Vec<Step>> {
    let edge = || proptest::sample::select(vec![Young, Age, Stale, Cooldown, Cooldown, Metadata]);
    let step = prop_oneof![
        6 => prop_oneof![
            Just(Step::Approach),
            Just(Step::Millisecond),
            edge().prop_map(Step::Before),
            edge().prop_map(Step::Past),
            prop_oneof![1..2_000_u64, 2_000..60_000_u64, 60_000..10_000_000_u64].prop_map(Step::Wait),
        ],
        10 => (0..instances, 0..2_usize, who())
            .prop_map(|(at, issuer, who)| Step::Ask { at, issuer, who }),
        3 => (0..instances).prop_map(Step::Tick),
        3 => (0..instances).prop_map(Step::Arrive),
        4 => (0..2_usize, event()).prop_map(|(issuer, event)| Step::Issuer(issuer, event)),
    ];
    proptest::collection::vec(step, 1..LONGEST)
}

fn with_restarts(instances: usize) -> impl Strategy<Value = Vec<Step>> {
    let restart = (0..instances).prop_map(Step::Restart);
    let steps = steps(instances);
    (
        steps,
        proptest::collection::vec((0..LONGEST, restart), 0..5),
    )
        .prop_map(insert)
}

/// And with a clock that is set back.
fn with_clocks_set_back() -> impl Strategy<Value = Vec<Step>> {
    let millis = prop_oneof![1..1_001_u64, 1_001..60_000_u64, 60_000..10_000_000_u64];
    let set_back = millis.prop_map(Step::SetBack);
    (
        steps(1),
        proptest::collection::vec((0..LONGEST, set_back), 1..10),
    )
        .prop_map(insert)
}

fn insert((mut steps, more): (Vec<Step>, Vec<(usize, Step)>)) -> Vec<Step> {
    for (place, step) in more {
        steps.insert(place.min(steps.len()), step);
    }
    steps
}

/// Rules of every kind: with rules of the smallest, one thing is otherwise in each.
fn rules() -> impl Strategy<Value = Rules> {
    let small = Rules::SMALL;
    let rules = [
        small,
        // Room for a `max-age`.
        Rules {
            ttl: 100_000,
            ..small
        },
        Rules {
            max_stale: 0,
            ..small
        },
        // The issuer may be asked less often than keys are too old.
        Rules {
            cooldown: 30_000,
            ..small
        },
        Rules {
            ttl: 1_000,
            cooldown: 1_000,
            ..small
        },
        Rules {
            ttl: 100_000,
            cooldown: 60_000,
            max_stale: 3_600_000,
            ..small
        },
        Rules {
            ttl: 86_400_000,
            max_stale: 86_400_000,
            cooldown: 3_600_000,
            ..small
        },
    ];
    (
        proptest::sample::select(rules.to_vec()),
        any::<bool>(),
        any::<bool>(),
    )
        .prop_map(|(rules, empty_means_nobody, discovers)| Rules {
            empty_means_nobody,
            discovers,
            ..rules
        })
}

/// What issuer one's clients got, in a history of these steps.
fn answers_of_one(setting: &Setting, steps: &[Step]) -> Vec<String> {
    let mut world = World::new(setting);
    world.run(steps);
    let answers = world.answers.iter().filter(|(issuer, _)| *issuer == 0);
    answers.map(|(_, outcome)| format!("{outcome:?}")).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, ..ProptestConfig::default() })]

    #[test]
    fn one_instance_whose_fetches_end_at_once(rules in rules(), steps in with_restarts(1)) {
        let setting = Setting::new(rules);
        World::new(&setting).run(&steps);
    }

    #[test]
    fn answers_that_take_their_time(rules in rules(), steps in with_restarts(2)) {
        let setting = Setting { instances: 2, ..Setting::new(rules).slow() };
        World::new(&setting).run(&steps);
    }

    #[test]
    fn instances_that_share_what_they_know(rules in rules(), steps in with_restarts(2)) {
        let setting = Setting::new(rules).shared();
        World::new(&setting).run(&steps);
    }

    #[test]
    fn instances_that_share_and_wait(rules in rules(), steps in with_restarts(2)) {
        let setting = Setting::new(rules).shared().slow();
        World::new(&setting).run(&steps);
    }

    #[test]
    fn a_record_says_what_its_instance_knows(rules in rules(), steps in steps(1)) {
        let setting = Setting::new(rules).slow();
        let mut world = World::new(&setting);
        for step in steps {
            world.go(step);
            world.check_records();
        }
    }

    #[test]
    fn a_clock_that_is_set_back(rules in rules(), steps in with_clocks_set_back()) {
        let setting = Setting::new(rules);
        World::new(&setting).run(&steps);
    }

    /// One issuer's troubles and tokens never change the answers about the other's.
    #[test]
    fn issuers_are_nothing_to_each_other(rules in rules(), steps in steps(1)) {
        let is_of_two = |step: &Step| matches!(
            step, Step::Ask { issuer: 1, .. } | Step::Issuer(1, _)
        );
        // What depends on both by its nature: time up to the next moment at which anything is otherwise.
        let is_of_both = |step: &Step| matches!(
            step, Step::Approach | Step::Before(_) | Step::Past(_)
        );
        let steps: Vec<Step> = steps.into_iter().filter(|step| !is_of_both(step)).collect();
        let mut alone = steps.clone();
        alone.retain(|step| !is_of_two(step));
        let setting = Setting::new(rules);
        prop_assert_eq!(answers_of_one(&setting, &steps), answers_of_one(&setting, &alone));
    }
}
