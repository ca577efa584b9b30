//! Rounds: every command on every policy in each, in turn.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use bench::options::Options;

use super::texts::Policy;
use crate::statistics::Figure;

/// What is done with a policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Work {
    Check,
    Explain,
    Diff,
}

impl Work {
    const ALL: [Self; 3] = [Self::Check, Self::Explain, Self::Diff];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Check => "check",
            Self::Explain => "explain",
            Self::Diff => "diff",
        }
    }

    /// The exit status: without a token the request is refused, and the changed policy is more permissive.
    fn status(self) -> i32 {
        match self {
            Self::Check => 0,
            Self::Explain | Self::Diff => 1,
        }
    }

    fn command(self, program: &Path, policy: &Policy) -> Command {
        let mut command = Command::new(program);
        command.arg(self.name()).arg(&policy.file);
        match self {
            Self::Check => {}
            Self::Explain => drop(command.args(["GET", &policy.path])),
            Self::Diff => drop(command.arg(&policy.changed)),
        }
        command.stdout(Stdio::null()).stderr(Stdio::null());
        command
    }
}

/// What became of one command on one policy.
pub(crate) struct Outcome {
    pub(crate) work: Work,
    pub(crate) routes: usize,
    /// Milliseconds, in each round.
    pub(crate) rounds: Vec<f64>,
}

/// Measures all of them.
pub(crate) fn measure(
    program: &Path,
    policies: &[Policy],
    options: &Options,
) -> Result<Vec<Outcome>> {
    let mut outcomes = Vec::new();
    for work in Work::ALL {
        for policy in policies {
            outcomes.push(Outcome {
                work,
                routes: policy.routes,
                rounds: Vec::new(),
            });
        }
    }
    for round in 0..options.rounds {
        eprintln!("round {} of {}", round + 1, options.rounds);
        for outcome in &mut outcomes {
            let policy = policies
                .iter()
                .find(|policy| policy.routes == outcome.routes);
            let policy = policy.context("a policy for each outcome")?;
            let milliseconds = measure_one(program, outcome.work, policy, options)?;
            outcome.rounds.push(milliseconds);
        }
    }
    Ok(outcomes)
}

/// The median of as many runs as fit into the time, at least three.
fn measure_one(program: &Path, work: Work, policy: &Policy, options: &Options) -> Result<f64> {
    const LEAST: usize = 3;
    let (mut runs, begun) = (Vec::new(), Instant::now());
    while runs.len() < LEAST || begun.elapsed() < options.time {
        let started = Instant::now();
        let status = work.command(program, policy).status();
        let status = status.with_context(|| format!("cannot start {}", program.display()))?;
        runs.push(started.elapsed().as_secs_f64() * 1_000.0);
        ensure!(
            status.code() == Some(work.status()),
            "{} of {} routes ended with {status}",
            work.name(),
            policy.routes
        );
    }
    Ok(Figure::of(runs).context("no run")?.median)
}
