use super::super::sum::sum as combined;
use super::*;

/// u1·G + u2·Q as we compute it, and as `p256` does.
fn check(u1: Scalar, u2: Scalar, q: ProjectivePoint) -> Result<(), TestCaseError> {
    let ours = combined(
        (BASE, &bytes(u1)),
        (&Multiples::<8>::new(affine(q)), &bytes(u2)),
    );
    prop_assert!(same(ours, ProjectivePoint::GENERATOR * u1 + q * u2));
    Ok(())
}

fn check_multiples<const N: usize>(multiples: &Multiples<N>, point: ProjectivePoint) {
    for (part, odd) in (0_u64..).zip(&multiples.0) {
        for (step, multiple) in (0_u64..).zip(odd) {
            let factor = power_of_two(64 * part) * Scalar::from(2 * step + 1);
            let ours = Jacobian::from_affine(*multiple);
            assert!(same(ours, point * factor), "part {part}, step {step}");
        }
    }
}

#[test]
fn the_multiples_of_the_base_point_are_its_multiples() {
    check_multiples(BASE, ProjectivePoint::GENERATOR);
}

#[test]
fn sums_that_meet_the_exceptions_of_addition() {
    let g = ProjectivePoint::GENERATOR;
    // The base point and its negative, and the points in the table of the base point itself.
    let mut factors = vec![Scalar::ONE, -Scalar::ONE];
    for exponent in [1, 2, 63, 64, 65, 128, 192, 255] {
        factors.extend([power_of_two(exponent), -power_of_two(exponent)]);
    }
    for factor in factors {
        for (u1, u2) in [
            // Nothing at all, and one side alone.
            (Scalar::ZERO, Scalar::ZERO),
            (Scalar::ONE, Scalar::ZERO),
            (Scalar::ZERO, Scalar::ONE),
            // Opposite points: infinity, at the end and, with a part more, on the way.
            (-factor, Scalar::ONE),
            (factor, -Scalar::ONE),
            (-factor + Scalar::ONE, Scalar::ONE),
            (-factor * power_of_two(70), power_of_two(70) + Scalar::ONE),
            // The same point twice.
            (factor, Scalar::ONE),
            (-factor, -Scalar::ONE),
            (factor * power_of_two(70), power_of_two(70) + Scalar::ONE),
        ] {
            check(u1, u2, g * factor).unwrap();
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn the_multiples_of_a_point_are_its_multiples(factor in scalar()) {
        prop_assume!(factor != Scalar::ZERO);
        let point = ProjectivePoint::GENERATOR * factor;
        check_multiples(&Multiples::<8>::new(affine(point)), point);
    }

    #[test]
    fn sums_are_those_of_p256(u1 in scalar(), u2 in scalar(), factor in scalar()) {
        prop_assume!(factor != Scalar::ZERO);
        check(u1, u2, ProjectivePoint::GENERATOR * factor)?;
        // Where both sides are the same point or opposite ones.
        check(factor * u2, u2, ProjectivePoint::GENERATOR * factor)?;
        check(-factor * u2, u2, ProjectivePoint::GENERATOR * factor)?;
    }

    /// Sums on the way that are the very point that is added, its opposite, or infinity.
    #[test]
    fn points_are_added_whatever_they_are(one in scalar(), other in scalar()) {
        prop_assume!(other != Scalar::ZERO);
        let g = ProjectivePoint::GENERATOR;
        for one in [one, other, -other, Scalar::ZERO] {
            let left = Scalar::from(3_u64).invert_vartime().unwrap() * one;
            // A point whose Z is not one.
            let sum = combined((BASE, &bytes(left)), (BASE, &bytes(left.double())));
            prop_assert!(same(sum, g * one));
            prop_assert!(same(sum.plus(affine(g * other)), g * (one + other)));
            prop_assert!(same(sum.plus(affine(g * other).negated()), g * (one - other)));
            prop_assert!(same(sum.doubled(), g * one.double()));
        }
    }
}
