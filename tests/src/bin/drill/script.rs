//! The phases of the drill, in their order.

use std::collections::BTreeSet;
use std::time::Duration;

use anyhow::{Context, Result};

use crate::drill::{Drill, Outcome, Pace, Vms};
use crate::evidence::{Evidence, Wanted};
use crate::house::{self, WORKERS};
use crate::record::Kid;
use crate::times::Moment;
use crate::verdict::Owed;

/// How long traffic goes on after what a phase is about has happened: every connection sends each kind of request several times.
const LOOK: Duration = Duration::from_secs(2);

/// Plays them all once: a round.
///
/// # Errors
/// See [`Drill::phase`].
pub(crate) fn play(drill: &mut Drill) -> Result<()> {
    use Pace::{Cooldown, Refresh};
    drill.round += 1;
    drill.send_known_keys();
    drill.phase("steady", Refresh, steady)?;
    drill.phase("tokens with unknown keys", Cooldown, unknown_keys)?;
    drill.phase("rotation with overlap", Cooldown, rotation_with_overlap)?;
    drill.phase(
        "rotation without overlap",
        Cooldown,
        rotation_without_overlap,
    )?;
    drill.send_known_keys();
    drill.phase("short outage", Cooldown, short_outage)?;
    drill.phase("after the short outage", Cooldown, back)?;
    drill.phase("long outage", Cooldown, long_outage)?;
    drill.phase("after the long outage", Cooldown, back)?;
    drill.phase("outage, new policy", Cooldown, new_policy)?;
    drill.phase("outage, new VMs", Cooldown, new_vms)?;
    drill.phase("after both", Cooldown, back)
}

/// Nothing happens but what happens every day: keys are refreshed.
fn steady(drill: &mut Drill) -> Result<Outcome> {
    let begun = drill.clock.now();
    drill.wait(drill.times.ttl + LOOK)?;
    let about = "of traffic when nothing happens";
    Ok(evidence([
        key(drill, about, Owed::Pass, begun),
        Evidence {
            about: "of forged tokens",
            brought: Wanted::Forged,
            owed: Owed::Refusal,
            since: begun,
        },
    ]))
}

/// Whoever sends those makes nobody else wait, and the issuer is asked once per cool-down.
fn unknown_keys(drill: &mut Drill) -> Result<Outcome> {
    drill.send_strangers()?;
    let begun = drill.clock.now();
    drill.wait(drill.times.cooldown * 3)?;
    drill.send_known_keys();
    Ok(evidence([
        key(drill, "of traffic beside unknown keys", Owed::Pass, begun),
        Evidence {
            about: "of unknown keys",
            brought: Wanted::Stranger,
            owed: Owed::Refusal,
            since: begun,
        },
    ]))
}

/// The new key is published beside the old, tokens change to it when the gate knows it, and the old key goes.
fn rotation_with_overlap(drill: &mut Drill) -> Result<Outcome> {
    let (old, new) = (drill.kid, drill.kid + 1);
    let Some(_) = publish(drill, [old, new].into(), new, true)? else {
        return Ok(fault("the gate did not fetch the new key in time"));
    };
    drill.wait(drill.times.spread)?;
    drill.switch(new)?;
    let switched = drill.clock.now();
    drill.wait(LOOK / 2)?;
    let Some(removed) = publish(drill, [new].into(), old, false)? else {
        return Ok(fault(
            "the gate did not fetch the set without the old key in time",
        ));
    };
    let end = removed + drill.times.spread;
    drill.wait_until(end + LOOK)?;
    Ok(evidence([
        key(drill, "of the new key", Owed::Pass, switched),
        retired("of the removed key", old, end),
    ]))
}

/// Tokens have a key that nobody could know yet, and the old one has gone.
fn rotation_without_overlap(drill: &mut Drill) -> Result<Outcome> {
    let (old, new) = (drill.kid, drill.kid + 1);
    drill.tenant.publish(&drill.mint, [new].into())?;
    drill.switch(new)?;
    let end = drill.clock.now() + drill.times.recovery();
    drill.wait_until(end + LOOK)?;
    Ok(evidence([
        key(drill, "of the new key after a cool-down", Owed::Pass, end),
        retired("of the removed key", old, end),
    ]))
}

/// The issuer's server dies, until keys are older than their `ttl`: nobody notices.
fn short_outage(drill: &mut Drill) -> Result<Outcome> {
    drill.tenant.die();
    let stale = last_answer(drill)? + drill.times.ttl;
    drill.wait_until(stale + LOOK)?;
    Ok(evidence([key(drill, "of stale keys", Owed::Pass, stale)]))
}

/// It dies for longer than its keys may be trusted.
fn long_outage(drill: &mut Drill) -> Result<Outcome> {
    drill.tenant.die();
    let last = last_answer(drill)?;
    let over = last + drill.times.trust() + drill.times.spread;
    drill.wait_until(over + LOOK)?;
    let stale = last + drill.times.ttl;
    Ok(evidence([
        key(drill, "of stale keys", Owed::Pass, stale),
        key(drill, "of keys past max_stale", Owed::Refusal, over),
    ]))
}

/// The issuer's server comes back: within a cool-down all is well, without a restart.
fn back(drill: &mut Drill) -> Result<Outcome> {
    drill.tenant.come_back()?;
    let settled = drill.clock.now() + drill.times.recovery();
    drill.wait_until(settled + LOOK)?;
    Ok(evidence([key(
        drill,
        "of traffic after an outage",
        Owed::Pass,
        settled,
    )]))
}

/// A new policy comes while the issuer's server is dead: it has to start with the keys that the old one had.
fn new_policy(drill: &mut Drill) -> Result<Outcome> {
    // With keys as young as can be, since they must last until new VMs have been compiled, too.
    let now = drill.clock.now();
    let end = now + drill.times.ttl + drill.times.timeout;
    let fresh = drill.wait_for(end, |drill| {
        let last = drill.tenant.record().last_answer();
        last.filter(|last| *last > now)
    })?;
    if fresh.is_none() {
        return Ok(fault("the gate did not refresh its keys in time"));
    }
    configured_anew(drill, Vms::Same)
}

/// The same in new VMs, which have nothing of the old ones' memory. The server is still dead.
fn new_vms(drill: &mut Drill) -> Result<Outcome> {
    let before = house::vms_made(&drill.house.stats()?)?;
    let mut outcome = configured_anew(drill, Vms::New)?;
    let made = house::vms_made(&drill.house.stats()?)? - before;
    if made < u64::from(WORKERS) {
        outcome.faults.push(format!(
            "Envoy made {made} new VMs for {WORKERS} workers: nothing was restarted"
        ));
    }
    Ok(outcome)
}

fn configured_anew(drill: &mut Drill, vms: Vms) -> Result<Outcome> {
    drill.tenant.die();
    let Some(()) = drill.configure_anew(vms)? else {
        return Ok(fault("the new configuration was not in force in time"));
    };
    let in_force = drill.clock.now();
    drill.wait_until(in_force + LOOK)?;
    let about = match vms {
        Vms::Same => "of keys that outlive a policy",
        Vms::New => "of keys that outlive a VM",
    };
    Ok(evidence([key(drill, about, Owed::Pass, in_force)]))
}

/// Publishes these keys, and waits until an answer has, or has not, that one: for as long as a refresh may take.
fn publish(
    drill: &mut Drill,
    kids: BTreeSet<Kid>,
    kid: Kid,
    has_it: bool,
) -> Result<Option<Moment>> {
    let now = drill.clock.now();
    drill.tenant.publish(&drill.mint, kids)?;
    let end = now + drill.times.ttl + drill.times.timeout;
    drill.wait_for(end, |drill| {
        drill.tenant.record().first_answer(now, kid, has_it)
    })
}

fn last_answer(drill: &Drill) -> Result<Moment> {
    let last = drill.tenant.record().last_answer();
    last.context("the gate never asked for keys")
}

fn key(drill: &Drill, about: &'static str, owed: Owed, since: Moment) -> Evidence {
    Evidence {
        about,
        brought: Wanted::Key(drill.kid),
        owed,
        since,
    }
}

fn retired(about: &'static str, kid: Kid, since: Moment) -> Evidence {
    Evidence {
        about,
        brought: Wanted::Key(kid),
        owed: Owed::Refusal,
        since,
    }
}

fn evidence(evidence: impl Into<Vec<Evidence>>) -> Outcome {
    Outcome {
        evidence: evidence.into(),
        ..Outcome::default()
    }
}

fn fault(sentence: &str) -> Outcome {
    Outcome {
        faults: vec![sentence.to_owned()],
        ..Outcome::default()
    }
}
