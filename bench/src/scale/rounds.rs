//! Rounds: everything is measured in each, in turn, so that a machine that is busy for a while is so for all.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use bench::options::Options;

use super::scene::Scene;
use super::series::{Dimension, Series, Token};
use crate::growth;
use crate::statistics::Figure;

/// What became of a series.
pub(crate) struct Outcome {
    pub(crate) dimension: Dimension,
    pub(crate) token: Token,
    /// Sizes, and nanoseconds for each decision.
    pub(crate) points: Vec<(usize, Figure)>,
    /// The exponent of its growth, fitted in each round.
    pub(crate) exponent: Figure,
}

/// Measures all of them.
pub(crate) fn measure(all: &mut [Series], options: &Options) -> Result<Vec<Outcome>> {
    // Of each series, of each point, of each round.
    let mut figures: Vec<Vec<Vec<f64>>> = all
        .iter()
        .map(|series| vec![Vec::new(); series.points.len()])
        .collect();
    for round in 0..options.rounds {
        eprintln!("round {} of {}", round + 1, options.rounds);
        let count = all.len();
        for turn in 0..count {
            // Each round begins elsewhere, so that nobody always comes after the same neighbour's heat.
            let index = (turn + round) % count;
            for (point, figures) in all[index].points.iter_mut().zip(&mut figures[index]) {
                figures.push(measure_one(&mut point.scene, options.time)?);
            }
        }
    }
    let outcomes = all.iter().zip(&figures);
    outcomes
        .map(|(series, figures)| outcome(series, figures).context("no round"))
        .collect()
}

/// A measurement consists of slices of about this many nanoseconds, and its figure is their median: where other programs compete for the
/// processor, most slices are over before the system turns to those, and the few that are interrupted do not count.
const SLICE: f64 = 500_000.0;

/// Nanoseconds for each decision.
fn measure_one(scene: &mut Scene, time: Duration) -> Result<f64> {
    // Some first, which bring back into the processor's caches what the neighbours have pushed out, and say how long one takes.
    const FIRST: u32 = 50;
    timed(scene, FIRST)?;
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "within the numbers by then"
    )]
    let times = (SLICE / timed(scene, FIRST)?).clamp(1.0, 1e9) as u32;
    let (mut slices, mut spent) = (Vec::new(), 0.0);
    while spent < time.as_nanos() as f64 {
        let nanoseconds = timed(scene, times)?;
        spent += nanoseconds * f64::from(times);
        slices.push(nanoseconds);
    }
    Ok(Figure::of(slices).context("no slice")?.median)
}

fn timed(scene: &mut Scene, times: u32) -> Result<f64> {
    let started = Instant::now();
    let good = scene.run(times);
    let time = started.elapsed();
    ensure!(
        good == times,
        "{good} of {times} decisions are as they should be"
    );
    Ok(time.as_nanos() as f64 / f64::from(times))
}

fn outcome(series: &Series, figures: &[Vec<f64>]) -> Option<Outcome> {
    let sizes = || series.points.iter().map(|point| point.size);
    let points = sizes().zip(figures);
    let points = points.map(|(size, rounds)| Some((size, Figure::of(rounds.iter().copied())?)));
    let rounds = figures.first()?.len();
    let exponents = (0..rounds).map(|round| {
        let points = sizes().zip(figures);
        let points = points.map(|(size, rounds)| (size as f64, rounds[round]));
        growth::exponent(&points.collect::<Vec<_>>())
    });
    Some(Outcome {
        dimension: series.dimension,
        token: series.token,
        points: points.collect::<Option<_>>()?,
        exponent: Figure::of(exponents.collect::<Option<Vec<_>>>()?)?,
    })
}
