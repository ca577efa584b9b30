//! Rounds: everything is measured in each, so that a machine that is busy for a while is so for all.

use anyhow::{Context, Result};

use crate::load;
use crate::spin::applications::Instances;
use crate::spin::arguments::Options;
use crate::spin::subject::Subject;
use crate::statistics::{Figure, percentile};

/// How many connections at once: one, for latency; as many as an instance takes requests, for throughput.
const CONNECTIONS: [usize; 2] = [1, 16];

/// What became of a subject with so many connections.
pub(crate) struct Outcome<'a> {
    pub(crate) subject: &'a Subject,
    pub(crate) connections: usize,
    pub(crate) requests_per_second: Figure,
    /// In microseconds, as those below.
    pub(crate) p50: Figure,
    pub(crate) p99: Figure,
    /// Requests per second, divided by those of the plain application in the same round.
    pub(crate) ratio: Figure,
    /// The median latency, less that of the plain application in the same round.
    pub(crate) added: Figure,
}

/// One measurement.
#[derive(Clone, Copy)]
struct Measured {
    requests_per_second: f64,
    p50: f64,
    p99: f64,
}

/// Measures all of them, and compares.
pub(crate) fn measure<'a>(subjects: &'a [Subject], options: &Options) -> Result<Vec<Outcome<'a>>> {
    let mut all = Vec::new();
    for connections in CONNECTIONS {
        let mut of_subjects = vec![Vec::new(); subjects.len()];
        for round in 0..options.rounds {
            eprintln!(
                "{connections} at once: round {} of {}",
                round + 1,
                options.rounds
            );
            // Each round begins elsewhere, so that nobody always comes after the same neighbour's heat.
            for turn in 0..subjects.len() {
                let index = (turn + round * 5) % subjects.len();
                let subject = &subjects[index];
                let measured = measure_one(subject, connections, options);
                let measured = measured.with_context(|| {
                    let instances = subject.instances.map_or("", Instances::name);
                    format!("{} ({instances}, {connections} at once)", subject.name)
                })?;
                of_subjects[index].push(measured);
            }
        }
        for (subject, rounds) in subjects.iter().zip(&of_subjects) {
            let baseline = baseline(subjects, subject).context("nothing to compare with")?;
            let outcome = compare(subject, connections, rounds, &of_subjects[baseline]);
            all.push(outcome.context("no round")?);
        }
    }
    Ok(all)
}

fn measure_one(subject: &Subject, connections: usize, options: &Options) -> Result<Measured> {
    let sample = load::put(
        subject.address,
        &subject.requests,
        subject.expected,
        connections,
        options.time,
    )?;
    let microseconds = |percent| {
        let nanoseconds = percentile(&sample.latencies, percent);
        let nanoseconds = nanoseconds.context("no answer in the time of a measurement")?;
        #[expect(clippy::cast_precision_loss, reason = "below 2^52 ns, which are weeks")]
        anyhow::Ok(nanoseconds as f64 / 1000.0)
    };
    Ok(Measured {
        requests_per_second: sample.requests_per_second,
        p50: microseconds(50)?,
        p99: microseconds(99)?,
    })
}

/// The plain application with such instances; for what has none, that with warm ones.
fn baseline(subjects: &[Subject], subject: &Subject) -> Option<usize> {
    let instances = subject.instances.unwrap_or(Instances::Warm);
    subjects
        .iter()
        .position(|other| other.is_baseline && other.instances == Some(instances))
}

fn compare<'a>(
    subject: &'a Subject,
    connections: usize,
    rounds: &[Measured],
    baseline: &[Measured],
) -> Option<Outcome<'a>> {
    let figure = |of: fn(&Measured) -> f64| Figure::of(rounds.iter().map(of));
    let compared =
        |of: fn((&Measured, &Measured)) -> f64| Figure::of(rounds.iter().zip(baseline).map(of));
    Some(Outcome {
        subject,
        connections,
        requests_per_second: figure(|one| one.requests_per_second)?,
        p50: figure(|one| one.p50)?,
        p99: figure(|one| one.p99)?,
        ratio: compared(|(one, plain)| one.requests_per_second / plain.requests_per_second)?,
        added: compared(|(one, plain)| one.p50 - plain.p50)?,
    })
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use super::*;
    use crate::load::{Expected, Requests};

    fn subject(instances: Option<Instances>, is_baseline: bool) -> Subject {
        Subject {
            name: String::new(),
            instances,
            address: SocketAddr::from(([127, 0, 0, 1], 1)),
            requests: Requests::new(Vec::new()),
            expected: Expected {
                status: 200,
                content: "",
            },
            is_baseline,
        }
    }

    fn measured(requests_per_second: f64, p50: f64) -> Measured {
        Measured {
            requests_per_second,
            p50,
            p99: 2.0 * p50,
        }
    }

    #[test]
    fn what_is_compared_is_of_the_same_round() {
        // The machine is ten times slower in the second round, which is no fault of either.
        let plain = [
            measured(100.0, 10.0),
            measured(10.0, 100.0),
            measured(100.0, 10.0),
        ];
        let gate = [
            measured(50.0, 15.0),
            measured(5.0, 150.0),
            measured(40.0, 20.0),
        ];
        let subject = subject(Some(Instances::Warm), false);
        let outcome = compare(&subject, 1, &gate, &plain).unwrap();
        let figure = |median, least, most| Figure {
            median,
            least,
            most,
        };
        assert_eq!(outcome.ratio, figure(0.5, 0.4, 0.5));
        assert_eq!(outcome.added, figure(10.0, 5.0, 50.0));
        assert_eq!(outcome.requests_per_second, figure(40.0, 5.0, 50.0));
        assert_eq!(outcome.p99, figure(40.0, 30.0, 300.0));
    }

    #[test]
    fn cold_is_compared_with_cold() {
        let subjects = [
            subject(None, false),
            subject(Some(Instances::Warm), true),
            subject(Some(Instances::Warm), false),
            subject(Some(Instances::Cold), true),
            subject(Some(Instances::Cold), false),
        ];
        let baselines = subjects.each_ref().map(|one| baseline(&subjects, one));
        assert_eq!(baselines, [Some(1), Some(1), Some(1), Some(3), Some(3)]);
    }
}
