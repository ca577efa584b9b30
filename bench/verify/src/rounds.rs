//! Rounds: everything is measured in each, in turn, so that a machine that is busy for a while is so for all.

use anyhow::Result;
use bench::options::Options;

use crate::host::{Place, Running};
use crate::subject::Subject;

/// What was measured of one subject.
#[derive(Debug)]
pub(crate) struct Measured {
    pub(crate) case: &'static str,
    pub(crate) way: &'static str,
    pub(crate) place: Place,
    /// Nanoseconds for each verification, one figure a round.
    pub(crate) rounds: Vec<f64>,
}

/// Measures all of them so often.
pub(crate) fn measure(
    subjects: &[Subject],
    hosts: &mut [Running],
    options: &Options,
) -> Result<Vec<Measured>> {
    let Options { rounds, time, .. } = *options;
    let mut all: Vec<Measured> = subjects
        .iter()
        .map(|subject| Measured {
            case: subject.case,
            way: subject.way,
            place: subject.place,
            rounds: Vec::with_capacity(rounds),
        })
        .collect();
    for round in 0..rounds {
        eprintln!("round {} of {rounds}", round + 1);
        // Each round begins elsewhere, so that nobody always comes after the same neighbour's heat.
        for turn in 0..subjects.len() {
            let index = (turn + round * 5) % subjects.len();
            let nanoseconds = subjects[index].measure(hosts, time)?;
            all[index].rounds.push(nanoseconds);
        }
    }
    Ok(all)
}
