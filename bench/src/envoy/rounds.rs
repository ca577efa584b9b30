//! The measuring itself: round after round, every configuration under a load in turn.

use std::time::Duration;

use anyhow::{Context, Result};

use crate::envoy::arguments::Options;
use crate::envoy::client::{self, Sample};
use crate::envoy::setup::Setup;
use crate::envoy::subject::{Bench, Subject};
use crate::envoy::workload::Load;
use crate::statistics::percentile;

/// One measurement.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Measured {
    pub(crate) rps: f64,
    /// The processor time of Envoy's worker for each request, in microseconds. Zero where the system does not say.
    pub(crate) cpu_us: f64,
    /// How much of the time the worker was at work. Well below 1, something else was the bottleneck, or took its processor.
    pub(crate) busy: f64,
    /// In microseconds, as the next.
    pub(crate) p50: f64,
    pub(crate) p99: f64,
    /// The share of tokens that were found in a token cache; nothing where there is none.
    pub(crate) hits: Option<f64>,
}

/// All measurements of one configuration under one load, one for each round.
#[derive(Debug)]
pub(crate) struct Row {
    pub(crate) load: Load,
    pub(crate) setup: Setup,
    pub(crate) rounds: Vec<Measured>,
}

/// Measures all of them.
pub(crate) fn measure(bench: &Bench, options: &Options) -> Result<Vec<Row>> {
    let subjects = &bench.subjects;
    let mut rows: Vec<Row> = subjects
        .iter()
        .map(|subject| Row {
            load: subject.load,
            setup: subject.setup,
            rounds: Vec::new(),
        })
        .collect();
    // Each goes on where it was: a token cache would know again what it has just seen.
    let mut positions = vec![0; subjects.len()];
    let warm_up = warm_up(options);
    for round in 0..warm_up + options.rounds {
        let counted = round.checked_sub(warm_up);
        match counted {
            Some(round) => eprintln!("round {} of {}", round + 1, options.rounds),
            None => eprintln!("round {} of {warm_up} that are not counted", round + 1),
        }
        let mut start = 0;
        for group in subjects.chunk_by(|a, b| together(a.load) == together(b.load)) {
            // Each round begins elsewhere, so that nobody always comes after the same neighbour's heat.
            for turn in 0..group.len() {
                let index = start + (turn + round * 3) % group.len();
                let subject = &subjects[index];
                let measured = one(bench, subject, &mut positions[index], options);
                let measured = measured.with_context(|| {
                    format!("{} under {}", subject.setup.name(), subject.load.name())
                })?;
                if counted.is_some() {
                    rows[index].rounds.push(measured);
                }
            }
            start += group.len();
        }
    }
    Ok(rows)
}

/// How many rounds are not counted: V8 compiles a module's functions again, and better, when they have been called often enough. That is over
/// within a second.
fn warm_up(options: &Options) -> usize {
    let time = Duration::from_millis(if options.is_quick { 300 } else { 1_000 });
    let rounds = time.as_secs_f64() / options.time.as_secs_f64();
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "from 1 to 20: a measurement takes at least 0.05 s"
    )]
    let rounds = rounds.ceil() as usize;
    rounds.max(1)
}

/// The large policy is compared with the small one, right after it.
fn together(load: Load) -> Load {
    match load {
        Load::Routes1000 => Load::Rs256One,
        other => other,
    }
}

fn one(
    bench: &Bench,
    subject: &Subject,
    position: &mut usize,
    options: &Options,
) -> Result<Measured> {
    let before = token_cache(bench, subject)?;
    let sample = client::put(
        subject.address,
        bench.requests(subject.load)?,
        position,
        subject.status,
        options.time,
        || bench.worker.spent(),
    )?;
    let after = token_cache(bench, subject)?;
    measured(&sample, share(before, after)).context("no answer in the time of a measurement")
}

fn measured(sample: &Sample, hits: Option<f64>) -> Option<Measured> {
    #[expect(clippy::cast_precision_loss, reason = "far below 2^52 requests, or ns")]
    let microseconds = |percent| Some(percentile(&sample.latencies, percent)? as f64 / 1000.0);
    #[expect(clippy::cast_precision_loss, reason = "far below 2^52 requests")]
    let answers = sample.answers as f64;
    Some(Measured {
        rps: answers / sample.time.as_secs_f64(),
        cpu_us: sample.spent.as_secs_f64() * 1e6 / answers,
        busy: sample.spent.as_secs_f64() / sample.time.as_secs_f64(),
        p50: microseconds(50)?,
        p99: microseconds(99)?,
        hits,
    })
}

/// Hits and misses so far, of the token cache that the subject has; none and none where it has no token cache.
fn token_cache(bench: &Bench, subject: &Subject) -> Result<(u64, u64)> {
    let prefix = subject.listener.replace([',', ' '], "_");
    let (hit, miss) = match subject.setup {
        Setup::Scopegate | Setup::ScopegateUncached => (
            "wasmcustom.scopegate.token_cache.hit".to_owned(),
            "wasmcustom.scopegate.token_cache.miss".to_owned(),
        ),
        Setup::JwtAuthn | Setup::JwtAuthnCache | Setup::JwtAuthnRbac => (
            format!("http.{prefix}.jwt_authn.jwt_cache_hit"),
            format!("http.{prefix}.jwt_authn.jwt_cache_miss"),
        ),
        Setup::None | Setup::WasmHeader | Setup::WasmHostcalls | Setup::WasmFloor => {
            return Ok((0, 0));
        }
    };
    let stats = bench.envoy.stats()?;
    let count = |name: &String| stats.get(name).copied().unwrap_or(0);
    Ok((count(&hit), count(&miss)))
}

fn share(before: (u64, u64), after: (u64, u64)) -> Option<f64> {
    let hits = after.0.saturating_sub(before.0);
    let all = hits + after.1.saturating_sub(before.1);
    #[expect(clippy::cast_precision_loss, reason = "far below 2^52 requests")]
    let share = hits as f64 / all as f64;
    (all > 0).then_some(share)
}
