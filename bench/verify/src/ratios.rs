//! What is compared with what, and how far it may lie above.

use bench::statistics::Figure;

use crate::cases::Named;
use crate::host::Place;
use crate::rounds::Measured;

/// A verification in a place, compared with another of the same case.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Ratio {
    pub(crate) case: &'static str,
    pub(crate) one: (&'static str, Place),
    pub(crate) other: (&'static str, Place),
    /// Of the same round each.
    pub(crate) ratio: Figure,
    pub(crate) targets: &'static [f64],
}

impl Ratio {
    /// Whether the median is no greater than each of the targets.
    pub(crate) fn met(&self) -> impl Iterator<Item = (f64, bool)> {
        let median = self.ratio.median;
        self.targets
            .iter()
            .map(move |target| (*target, median <= *target))
    }
}

/// All comparisons of which both sides were measured.
pub(crate) fn all(cases: &[Named], measured: &[Measured]) -> Vec<Ratio> {
    let mut ratios = Vec::new();
    for named in cases {
        let wanted = |place| ("portable", place);
        let mut pairs = vec![(wanted(Place::Native), ("ring", Place::Native))];
        for place in [Place::Wasmtime, Place::V8] {
            pairs.push((wanted(place), ("ring", Place::Native)));
            for &library in named.libraries {
                pairs.push((wanted(place), (library, Place::Native)));
                pairs.push((wanted(place), (library, place)));
            }
        }
        for place in Place::ALL {
            pairs.push((("first", place), wanted(place)));
        }
        for (one, other) in pairs {
            if let Some(ratio) = compare(named.name, one, other, measured) {
                ratios.push(Ratio {
                    case: named.name,
                    one,
                    other,
                    ratio,
                    targets: targets(named.name, one, other),
                });
            }
        }
    }
    ratios
}

type Side = (&'static str, Place);

/// What the project wants of itself: for each comparison what has to be, then what would be a first.
fn targets(case: &str, one: Side, other: Side) -> &'static [f64] {
    match (case, one, other) {
        ("RS256", ("portable", Place::Wasmtime), ("ring", Place::Native)) => &[4.0, 3.0],
        ("ES256", ("portable", Place::Wasmtime), ("p256", Place::Native)) => &[2.0],
        _ => &[],
    }
}

/// `None` where one of them was not measured.
fn compare(case: &str, one: Side, other: Side, measured: &[Measured]) -> Option<Figure> {
    let rounds = |side: Side| {
        let found = measured
            .iter()
            .find(|measured| measured.case == case && (measured.way, measured.place) == side);
        found.map(|measured| &measured.rounds)
    };
    let pairs = rounds(one)?.iter().zip(rounds(other)?);
    Figure::of(pairs.map(|(one, other)| one / other))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn measured(way: &'static str, place: Place, rounds: &[f64]) -> Measured {
        Measured {
            case: "RS256",
            way,
            place,
            rounds: rounds.to_vec(),
        }
    }

    #[test]
    fn what_is_compared_is_of_the_same_round_and_held_to_its_target() {
        let cases = crate::cases::make(&["RS256"]).unwrap();
        // The machine is ten times slower in the second round, which is no fault of either.
        let measured = [
            measured("portable", Place::Wasmtime, &[70.0, 700.0, 80.0]),
            measured("ring", Place::Native, &[20.0, 200.0, 20.0]),
        ];
        let [ratio] = &all(&cases, &measured)[..] else {
            panic!("what was not measured is not compared");
        };
        assert_eq!(ratio.one, ("portable", Place::Wasmtime));
        assert_eq!(ratio.other, ("ring", Place::Native));
        let (median, least, most) = (3.5, 3.5, 4.0);
        assert_eq!(
            ratio.ratio,
            Figure {
                median,
                least,
                most
            }
        );
        assert_eq!(ratio.met().collect::<Vec<_>>(), [(4.0, true), (3.0, false)]);
    }
}
