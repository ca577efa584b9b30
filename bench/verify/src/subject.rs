//! What is measured: one case, verified in one way, in one place.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use bench::statistics::Figure;
use bench_verify_guest::Order;

use crate::cases::Named;
use crate::host::{Host, Place, Running};

/// One cell of the table.
#[derive(Debug)]
pub(crate) struct Subject {
    /// The case's name.
    pub(crate) case: &'static str,
    pub(crate) way: &'static str,
    pub(crate) place: Place,
    /// Its number in that place.
    number: usize,
    /// How often one slice of a measurement verifies.
    times: u32,
}

/// A measurement consists of slices of about this length, and its figure is their median: where other programs compete for the processor, most
/// slices are over before the system turns to those, and the few that are interrupted do not count.
const SLICE: Duration = Duration::from_millis(1);

/// The ways that are the core's own: with a key in use, and with a new one.
const OWN: [&str; 2] = ["portable", "first"];

impl Subject {
    /// All of them, prepared, tried, and run for as long as one measurement takes.
    pub(crate) fn all(cases: &[Named], hosts: &mut [Running], time: Duration) -> Result<Vec<Self>> {
        let mut subjects = Vec::new();
        for named in cases {
            eprintln!("preparing {}", named.name);
            for running in &mut *hosts {
                // It is assembly for this processor, and has no place in WebAssembly.
                let ring = (running.place == Place::Native).then_some("ring");
                for way in OWN
                    .into_iter()
                    .chain(ring)
                    .chain(named.libraries.iter().copied())
                {
                    let subject = Self::one(named, way, running, time).with_context(|| {
                        format!("{} by {way} ({})", named.name, running.place.name())
                    })?;
                    subjects.push(subject);
                }
            }
        }
        Ok(subjects)
    }

    fn one(
        named: &Named,
        way: &'static str,
        running: &mut Running,
        time: Duration,
    ) -> Result<Self> {
        let number = running.host.prepare(&Order {
            way: way.to_owned(),
            case: named.case.clone(),
        })?;
        let mut subject = Self {
            case: named.name,
            way,
            place: running.place,
            number,
            times: 1,
        };
        subject.times = times_in(SLICE, subject.measure_on(&mut *running.host, time)?);
        // Once more: V8 has compiled it a second time meanwhile.
        subject.times = times_in(SLICE, subject.measure_on(&mut *running.host, time)?);
        Ok(subject)
    }

    /// Measures it once: nanoseconds for each verification, every one of which has to be right.
    pub(crate) fn measure(&self, hosts: &mut [Running], time: Duration) -> Result<f64> {
        let running = hosts.iter_mut().find(|running| running.place == self.place);
        let host = &mut running.context("a place that does not run")?.host;
        self.measure_on(&mut **host, time)
            .with_context(|| format!("{} by {} ({})", self.case, self.way, self.place.name()))
    }

    fn measure_on(&self, host: &mut dyn Host, time: Duration) -> Result<f64> {
        let time = time.as_nanos() as f64;
        let (mut slices, mut spent) = (Vec::new(), 0.0);
        while spent < time {
            let nanoseconds = self.run(host)?;
            spent += nanoseconds * f64::from(self.times);
            slices.push(nanoseconds);
        }
        Ok(Figure::of(slices).context("no slice")?.median)
    }

    fn run(&self, host: &mut dyn Host) -> Result<f64> {
        let (time, good) = host.run(self.number, self.times)?;
        ensure!(
            good == self.times,
            "{good} of {} good signatures were taken",
            self.times
        );
        Ok(time.as_nanos() as f64 / f64::from(self.times))
    }
}

/// How often something can be done in that time, and at least once.
fn times_in(time: Duration, nanoseconds_each: f64) -> u32 {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "between 1 and the greatest number by then"
    )]
    let times = (time.as_nanos() as f64 / nanoseconds_each).clamp(1.0, f64::from(u32::MAX)) as u32;
    times
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Takes a microsecond for each, and refuses every signature from a number on.
    struct Fake {
        good: u32,
    }

    impl Host for Fake {
        fn prepare(&mut self, _: &Order) -> Result<usize> {
            Ok(7)
        }

        fn run(&mut self, number: usize, times: u32) -> Result<(Duration, u32)> {
            assert_eq!(number, 7);
            Ok((Duration::from_micros(times.into()), times.min(self.good)))
        }
    }

    fn one(good: u32) -> Result<Subject> {
        let mut running = Running {
            place: Place::Native,
            description: String::new(),
            host: Box::new(Fake { good }),
        };
        let named = crate::cases::make(&["EdDSA"])?.remove(0);
        Subject::one(&named, "portable", &mut running, Duration::from_millis(3))
    }

    #[test]
    fn a_slice_is_as_long_as_it_should_be() {
        assert_eq!(one(u32::MAX).unwrap().times, 1000);
    }

    #[test]
    fn a_refused_signature_ends_it() {
        let error = one(3).unwrap_err().to_string();
        assert_eq!(error, "3 of 1000 good signatures were taken");
    }

    #[test]
    fn what_takes_longer_than_the_time_is_done_once() {
        let time = Duration::from_micros(1);
        for (nanoseconds, times) in [(1.0, 1000), (600.0, 1), (5000.0, 1), (0.0, u32::MAX)] {
            assert_eq!(times_in(time, nanoseconds), times, "{nanoseconds}");
        }
    }
}
