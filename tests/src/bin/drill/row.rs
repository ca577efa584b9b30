//! One phase in figures, and what is wrong with it.

use std::time::Duration;

use serde_json::{Value, json};

use crate::evidence::Evidence;
use crate::fetches;
use crate::record::Record;
use crate::times::Times;
use crate::verdict::{Answer, Asked, Brought, Issuer, Owed, Verdict, judge, owed};

/// What was seen in a phase.
pub(crate) struct Observed {
    pub(crate) phase: &'static str,
    pub(crate) lasted: Duration,
    pub(crate) asked: Vec<Asked>,
    /// How often the tenant was asked for its keys, and how far apart two of these had to be.
    pub(crate) fetches: u64,
    pub(crate) pace: Duration,
    /// The same of the partner, whose keys are only ever refreshed.
    pub(crate) partner_fetches: u64,
    pub(crate) evidence: Vec<Evidence>,
    /// What did not happen that had to.
    pub(crate) faults: Vec<String>,
}

/// A line of the table.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Row {
    pub(crate) phase: &'static str,
    pub(crate) requests: usize,
    pub(crate) allowed: usize,
    pub(crate) wrongly_refused: usize,
    pub(crate) wrongly_allowed: usize,
    /// Refusals that the policy's times excuse.
    pub(crate) excused: usize,
    pub(crate) unavailable: usize,
    pub(crate) fetches: u64,
    pub(crate) most_fetches: u64,
    pub(crate) partner_fetches: u64,
    pub(crate) most_partner_fetches: u64,
    /// In milliseconds.
    pub(crate) p99: u128,
    /// In sentences.
    pub(crate) faults: Vec<String>,
}

impl Row {
    /// Judges every request of a phase.
    pub(crate) fn of(
        observed: Observed,
        tenant: &Record,
        partner: &Record,
        times: &Times,
        connections: usize,
    ) -> Self {
        let Observed {
            phase,
            lasted,
            asked,
            fetches,
            pace,
            partner_fetches,
            evidence,
            faults,
        } = observed;
        let mut row = Self {
            phase,
            requests: asked.len(),
            fetches,
            most_fetches: fetches::most(lasted, pace),
            partner_fetches,
            most_partner_fetches: fetches::most(lasted, times.refresh()),
            p99: p99(asked.iter().map(|asked| asked.answered - asked.sent)),
            faults,
            ..Self::default()
        };
        let mut partner_refused = 0;
        let mut judged = Vec::with_capacity(asked.len());
        for asked in asked {
            row.allowed += usize::from(asked.answer == Answer::Allowed);
            row.unavailable += usize::from(asked.answer == Answer::Status(503));
            let verdict = judge(&asked, tenant, partner, times);
            row.wrongly_refused += usize::from(verdict == Verdict::WronglyRefused);
            row.wrongly_allowed += usize::from(verdict == Verdict::WronglyAllowed);
            row.excused += usize::from(verdict == Verdict::Excused);
            let is_partner = matches!(asked.brought, Brought::Sound(Issuer::Partner, _));
            partner_refused += usize::from(is_partner && asked.answer != Answer::Allowed);
            judged.push((asked, owed(&asked, tenant, partner, times)));
        }
        row.add_faults(partner_refused, &evidence, &judged, connections);
        row
    }

    /// Adds the same phase of a later round. The p99 is that of the worst round.
    pub(crate) fn add(&mut self, later: Self, round: usize) {
        let Self {
            phase: _,
            requests,
            allowed,
            wrongly_refused,
            wrongly_allowed,
            excused,
            unavailable,
            fetches,
            most_fetches,
            partner_fetches,
            most_partner_fetches,
            p99,
            faults,
        } = later;
        self.requests += requests;
        self.allowed += allowed;
        self.wrongly_refused += wrongly_refused;
        self.wrongly_allowed += wrongly_allowed;
        self.excused += excused;
        self.unavailable += unavailable;
        self.fetches += fetches;
        self.most_fetches += most_fetches;
        self.partner_fetches += partner_fetches;
        self.most_partner_fetches += most_partner_fetches;
        self.p99 = self.p99.max(p99);
        let in_round = |fault| format!("round {round}: {fault}");
        self.faults.extend(faults.into_iter().map(in_round));
    }

    /// Whether all was as it should be.
    pub(crate) fn has_passed(&self) -> bool {
        self.faults.is_empty()
    }

    fn add_faults(
        &mut self,
        partner_refused: usize,
        evidence: &[Evidence],
        judged: &[(Asked, Owed)],
        connections: usize,
    ) {
        let mut faults = Vec::new();
        for (count, what) in [
            (self.wrongly_refused, "requests wrongly refused"),
            (self.wrongly_allowed, "requests wrongly allowed"),
            (
                partner_refused,
                "requests that did not pass though their issuer never failed",
            ),
        ] {
            if count > 0 {
                faults.push(format!("{what}: {count}"));
            }
        }
        for (count, most, whose) in [
            (self.fetches, self.most_fetches, "the tenant's"),
            (
                self.partner_fetches,
                self.most_partner_fetches,
                "the partner's",
            ),
        ] {
            if count > most {
                faults.push(format!(
                    "fetches of {whose} keys: {count}, and at most {most} are enough for all workers"
                ));
            }
        }
        for wanted in evidence {
            let missing = wanted.missing(judged, connections).len();
            if missing > 0 {
                faults.push(format!(
                    "nothing was shown {}: {missing} of {connections} connections sent no such request",
                    wanted.about
                ));
            }
        }
        self.faults.extend(faults);
    }

    /// For machines.
    pub(crate) fn to_json(&self) -> Value {
        let Self {
            phase,
            requests,
            allowed,
            wrongly_refused,
            wrongly_allowed,
            excused,
            unavailable,
            fetches,
            most_fetches,
            partner_fetches,
            most_partner_fetches,
            p99,
            faults,
        } = self;
        json!({
            "phase": phase,
            "requests": requests,
            "allowed": allowed,
            "wrongly_refused": wrongly_refused,
            "wrongly_allowed": wrongly_allowed,
            "excused": excused,
            "unavailable": unavailable,
            "fetches": fetches,
            "most_fetches": most_fetches,
            "partner_fetches": partner_fetches,
            "most_partner_fetches": most_partner_fetches,
            "p99_ms": p99,
            "faults": faults,
        })
    }
}

/// The time in which 99 of 100 were answered, in milliseconds, rounded up.
fn p99(times: impl Iterator<Item = Duration>) -> u128 {
    let mut times: Vec<Duration> = times.collect();
    times.sort_unstable();
    let place = (times.len() * 99).div_ceil(100).saturating_sub(1);
    times
        .get(place)
        .map_or(0, |time| time.as_micros().div_ceil(1_000))
}

#[cfg(test)]
#[path = "row/tests.rs"]
mod tests;
