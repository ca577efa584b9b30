//! The queue as plain data: who waits, who is answered, and when.

use super::*;
use crate::samples::{NOW, asked, wanted};

fn waiter(context: u32) -> Waiter {
    Waiter {
        context,
        asked: asked("first"),
        progress: Rc::new(Cell::new(Progress::Held)),
        deadline: None,
    }
}

fn join(waiting: &mut Waiting, context: u32, wanted: KeyRequest) -> bool {
    let is_new = waiting.want(wanted.clone());
    let joined = waiting.join(waiter(context), &wanted, NOW);
    joined.unwrap_or_else(|Full(_)| panic!("no place for {context}"));
    is_new
}

/// Those who are answered in one call.
fn answered(waiting: &mut Waiting) -> Vec<u32> {
    waiting
        .take_ready()
        .iter()
        .map(|waiter| waiter.context)
        .collect()
}

fn after(milliseconds: u64) -> Timestamp {
    Timestamp::from_millis(NOW.millis().saturating_add(milliseconds))
}

#[test]
fn six_requests_make_one_fetch_and_are_answered_together() {
    let mut waiting = Waiting::new(1);
    assert!(
        join(&mut waiting, 1, wanted("first")),
        "the first wakes the root"
    );
    for context in 2..=4 {
        assert!(!join(&mut waiting, context, wanted("first")), "{context}");
    }
    assert_eq!(waiting.next_tick(NOW), Some(1));
    let fetches: Vec<_> = waiting.take_wanted().collect();
    assert_eq!(fetches, [wanted("first")]);
    waiting.began(wanted("first"), 77, NOW);
    for context in 5..=6 {
        assert!(
            !join(&mut waiting, context, wanted("first")),
            "{context}, while it is under way"
        );
    }
    assert_eq!(waiting.take_wanted().count(), 0);
    assert_eq!(
        waiting.ended(77).map(|fetch| fetch.request),
        Some(wanted("first"))
    );
    waiting.release(wanted("first").issuer);
    assert_eq!(answered(&mut waiting), [1, 2, 3, 4, 5, 6]);
    assert_eq!(waiting.next_tick(NOW), None, "nothing is left to do");
}

#[test]
fn issuers_do_not_wait_for_each_other() {
    let mut waiting = Waiting::new(1);
    assert!(join(&mut waiting, 1, wanted("first")));
    assert!(join(&mut waiting, 2, wanted("second")));
    assert_eq!(waiting.take_wanted().count(), 2);
    waiting.release(wanted("second").issuer);
    assert_eq!(answered(&mut waiting), [2]);
    waiting.release(wanted("first").issuer);
    assert_eq!(answered(&mut waiting), [1]);
}

#[test]
fn a_client_that_leaves_is_forgotten_and_its_fetch_goes_on() {
    let mut waiting = Waiting::new(1);
    join(&mut waiting, 1, wanted("first"));
    join(&mut waiting, 2, wanted("first"));
    join(&mut waiting, 3, wanted("first"));
    waiting.leave(1);
    waiting.leave(99);
    assert_eq!(waiting.take_wanted().count(), 1);
    waiting.release(wanted("first").issuer);
    waiting.leave(3);
    assert_eq!(answered(&mut waiting), [2]);
}

#[test]
fn many_are_answered_a_batch_at_a_time() {
    let mut waiting = Waiting::new(1);
    for context in 0..70 {
        join(&mut waiting, context, wanted("first"));
    }
    assert_eq!(waiting.take_wanted().count(), 1);
    waiting.release(wanted("first").issuer);
    let mut batches = Vec::new();
    while waiting.next_tick(NOW) == Some(1) {
        batches.push(answered(&mut waiting).len());
    }
    assert_eq!(batches, [32, 32, 6]);
}

#[test]
fn a_fetch_that_envoy_forgot_is_given_up_and_its_late_answer_is_nobodys() {
    let mut waiting = Waiting::new(1);
    waiting.began(wanted("second"), 5, NOW);
    assert!(waiting.take_overdue_fetches(after(2_099)).is_empty());
    let given_up = waiting.take_overdue_fetches(after(2_100));
    assert_eq!(given_up.len(), 1);
    assert_eq!(given_up[0].request, wanted("second"));
    assert!(waiting.ended(5).is_none());
    assert!(waiting.want(wanted("second")), "it can be fetched again");
}

#[test]
fn a_request_that_waits_for_a_second_fetch_keeps_its_deadline() {
    let mut waiting = Waiting::new(1);
    join(&mut waiting, 1, wanted("second"));
    waiting.release_overdue(after(2_099));
    assert!(answered(&mut waiting).is_empty());
    waiting.release(wanted("second").issuer);
    let first = waiting.take_ready().remove(0);
    assert!(waiting.join(first, &wanted("second"), after(1_000)).is_ok());
    waiting.release_overdue(after(2_100));
    assert_eq!(answered(&mut waiting), [1]);
}

#[test]
fn the_next_tick_is_the_first_deadline() {
    let mut waiting = Waiting::new(1);
    join(&mut waiting, 1, wanted("first"));
    assert_eq!(waiting.take_wanted().count(), 1);
    waiting.began(wanted("first"), 1, after(1));
    assert_eq!(
        waiting.next_tick(after(1)),
        Some(5_099),
        "the request's own"
    );
    waiting.leave(1);
    assert_eq!(waiting.next_tick(after(1)), Some(5_100), "the fetch's");
    assert_eq!(
        waiting.next_tick(after(9_000)),
        Some(1),
        "one that has passed comes at once"
    );
}

#[test]
fn the_queue_is_bounded() {
    let mut waiting = Waiting::new(1);
    for context in 0..1_000 {
        join(&mut waiting, context, wanted("first"));
    }
    let Err(Full(refused)) = waiting.join(waiter(1_000), &wanted("first"), NOW) else {
        panic!("there was a place for one more");
    };
    assert_eq!(refused.progress.get(), Progress::Held);
    waiting.leave(3);
    assert!(waiting.join(refused, &wanted("first"), NOW).is_ok());
}

#[test]
fn whoever_waits_for_one_issuer_takes_no_place_from_another() {
    let mut waiting = Waiting::new(2);
    for context in 0..500 {
        join(&mut waiting, context, wanted("first"));
    }
    assert!(waiting.join(waiter(500), &wanted("first"), NOW).is_err());
    assert!(
        join(&mut waiting, 501, wanted("second")),
        "it waits, and its fetch is wanted"
    );
}

#[test]
fn what_could_not_be_asked_for_is_new_again() {
    let mut waiting = Waiting::new(2);
    assert!(waiting.want(wanted("first")));
    assert!(!waiting.want(wanted("first")));
    waiting.unwant_all();
    assert!(waiting.want(wanted("first")));
}

#[test]
fn a_share_is_never_too_small_to_be_of_use() {
    for (issuers, share) in [(0, 1_000), (1, 1_000), (3, 333), (20, 50), (500, 50)] {
        assert_eq!(Waiting::new(issuers).share, share, "{issuers} issuers");
    }
}

#[test]
fn whoever_waits_for_another_workers_fetch_looks_often_and_nobody_else_does() {
    let mut waiting = Waiting::new(1);
    join(&mut waiting, 1, wanted("first"));
    for _ in 0..3 {
        let tried: Vec<_> = waiting.take_wanted().collect();
        assert_eq!(tried, [wanted("first")]);
        waiting.hold_back(wanted("first"));
        assert_eq!(waiting.next_tick(NOW), Some(LOOK));
        assert!(!waiting.want(wanted("first")), "the root is awake");
    }
    // The last one who waits leaves.
    waiting.leave(1);
    assert_eq!(waiting.take_wanted().count(), 0);
    waiting.hold_back(wanted("first"));
    assert_eq!(waiting.next_tick(NOW), None);
    assert!(join(&mut waiting, 2, wanted("first")), "it wakes the root");
    // The other's fetch has ended: what it brought may be enough.
    assert_eq!(waiting.take_wanted().count(), 1);
    waiting.hold_back(wanted("first"));
    waiting.release(wanted("first").issuer);
    assert_eq!(waiting.take_wanted().count(), 0);
    assert_eq!(answered(&mut waiting), [2]);
}

#[test]
fn those_who_wait_are_counted_until_they_have_their_answer() {
    let mut waiting = Waiting::new(2);
    let issuer = wanted("first").issuer;
    join(&mut waiting, 1, wanted("first"));
    join(&mut waiting, 2, wanted("first"));
    join(&mut waiting, 3, wanted("second"));
    waiting.release(issuer);
    assert_eq!(waiting.count(issuer), 2);
    waiting.leave(1);
    assert_eq!(waiting.count(issuer), 1);
    assert_eq!(answered(&mut waiting), [2]);
    assert_eq!(waiting.count(issuer), 0);
}
