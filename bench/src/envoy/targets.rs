//! What the gate is meant to reach: ratios of requests per second, each of two measurements of the same round.

use crate::envoy::floor::Floor;
use crate::envoy::rounds::{Measured, Row};
use crate::envoy::setup::Setup;
use crate::envoy::workload::Load;
use crate::statistics::Figure;

/// The gate under one load, against something in one as good.
#[derive(Debug, PartialEq)]
pub(crate) struct Target {
    pub(crate) load: Load,
    pub(crate) against: (Load, Setup),
    pub(crate) least: f64,
}

/// All of them. The figures are the project's promise: they are never lowered to what was measured.
pub(crate) const TARGETS: [Target; 12] = [
    same(Load::Rs256Distinct, Setup::JwtAuthnRbac, 1.25),
    same(Load::Es256Distinct, Setup::JwtAuthnRbac, 1.1),
    same(Load::Rs256Distinct, Setup::JwtAuthn, 1.15),
    same(Load::Es256Distinct, Setup::JwtAuthn, 1.03),
    same(Load::Rs256Zipf, Setup::JwtAuthnRbac, 1.1),
    same(Load::Rs256One, Setup::WasmHostcalls, 0.95),
    same(Load::Rs256One, Setup::WasmHeader, 0.80),
    same(Load::Rs256One, Setup::JwtAuthnCache, 0.72),
    same(Load::EdDsaDistinct, Setup::JwtAuthn, 0.70),
    same(Load::Ps256Distinct, Setup::JwtAuthn, 0.45),
    same(Load::Refused, Setup::WasmHeader, 0.85),
    Target {
        load: Load::Routes1000,
        against: (Load::Rs256One, Setup::Scopegate),
        least: 0.97,
    },
];

const fn same(load: Load, setup: Setup, least: f64) -> Target {
    Target {
        load,
        against: (load, setup),
        least,
    }
}

/// What became of a target.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) target: &'static Target,
    /// Of requests per second.
    pub(crate) ratio: Figure,
    /// The same by the processor time of Envoy's worker, which other programs on the machine disturb less.
    pub(crate) by_cpu: Option<Figure>,
    /// The ratio of a gate without a token cache: what it is when every token is verified.
    pub(crate) uncached: Option<Figure>,
    /// What the load's floor reaches against the same: more is beyond the platform, unless a token cache gives it.
    pub(crate) allowed: Option<Figure>,
    /// The gate against that floor; where the load has distinct tokens the one without a token cache, which does the floor's work each time.
    pub(crate) of_floor: Option<Figure>,
}

impl Outcome {
    pub(crate) fn is_met(&self) -> bool {
        self.ratio.median >= self.target.least
    }
}

/// The targets of which both sides were measured.
pub(crate) fn judge(rows: &[Row]) -> Vec<Outcome> {
    TARGETS
        .iter()
        .filter_map(|target| outcome(target, rows))
        .collect()
}

fn outcome(target: &'static Target, rows: &[Row]) -> Option<Outcome> {
    let gate = find(rows, target.load, Setup::Scopegate)?;
    let other = find(rows, target.against.0, target.against.1)?;
    let floor = Floor::of(target.load);
    let floor = floor.and_then(|_| find(rows, target.load, Setup::WasmFloor));
    let uncached = find(rows, target.load, Setup::ScopegateUncached);
    let rps: Compared = |one, other| one.rps / other.rps;
    Some(Outcome {
        target,
        ratio: compared(gate, other, rps)?,
        by_cpu: compared(gate, other, |gate, other| other.cpu_us / gate.cpu_us)
            .filter(|figure| figure.median.is_finite()),
        uncached: uncached.and_then(|gate| compared(gate, other, rps)),
        allowed: floor.and_then(|floor| compared(floor, other, rps)),
        of_floor: floor.and_then(|floor| compared(uncached.unwrap_or(gate), floor, rps)),
    })
}

type Compared = fn(&Measured, &Measured) -> f64;

/// Round by round.
fn compared(one: &Row, other: &Row, of: Compared) -> Option<Figure> {
    let rounds = one.rounds.iter().zip(&other.rounds);
    Figure::of(rounds.map(|(one, other)| of(one, other)))
}

fn find(rows: &[Row], load: Load, setup: Setup) -> Option<&Row> {
    rows.iter()
        .find(|row| (row.load, row.setup) == (load, setup))
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A row whose rounds had so many requests per second.
    pub(crate) fn row(load: Load, setup: Setup, rps: &[f64]) -> Row {
        let measured = |rps: &f64| Measured {
            rps: *rps,
            cpu_us: 1e6 / rps,
            busy: 1.0,
            p50: 100.0,
            p99: 200.0,
            hits: None,
        };
        Row {
            load,
            setup,
            rounds: rps.iter().map(measured).collect(),
        }
    }

    #[test]
    fn what_is_compared_is_of_the_same_round() {
        // The machine is ten times slower in the second round, which is no fault of either.
        let rows = [
            row(Load::Rs256Distinct, Setup::JwtAuthn, &[100.0, 10.0, 100.0]),
            row(Load::Rs256Distinct, Setup::Scopegate, &[120.0, 11.0, 130.0]),
        ];
        let outcomes = judge(&rows);
        let [outcome] = outcomes.as_slice() else {
            panic!("{outcomes:?}");
        };
        assert_eq!(outcome.target.least, 1.15);
        let figure = Figure {
            median: 1.2,
            least: 1.1,
            most: 1.3,
        };
        assert_eq!(outcome.ratio, figure);
        let by_cpu = outcome.by_cpu.unwrap();
        assert!((by_cpu.median - 1.2).abs() < 1e-9);
        assert!(outcome.is_met());
    }

    #[test]
    fn many_routes_are_compared_with_few() {
        let rows = [
            row(Load::Rs256One, Setup::Scopegate, &[100.0]),
            row(Load::Routes1000, Setup::Scopegate, &[96.0]),
        ];
        let outcomes = judge(&rows);
        assert_eq!(outcomes.len(), 1);
        assert!(!outcomes[0].is_met());
    }

    #[test]
    fn what_was_not_measured_is_not_judged() {
        assert!(judge(&[row(Load::Refused, Setup::Scopegate, &[1.0])]).is_empty());
    }
}
