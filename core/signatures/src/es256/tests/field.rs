use super::*;

/// What the digits say, whatever their spelling.
fn value(number: FieldElement) -> Reference {
    let radix = Reference::from(1_u64 << 29);
    number
        .digits()
        .iter()
        .rev()
        .fold(Reference::ZERO, |value, &digit| {
            let magnitude = Reference::from(u64::from(digit.unsigned_abs()));
            value * radix + if digit < 0 { -magnitude } else { magnitude }
        })
}

/// 2^261, the factor of Montgomery's form.
fn radix() -> Reference {
    Field::pow_vartime(&Reference::from(2_u64), [261_u64])
}

fn is_tight(number: FieldElement) -> bool {
    let digits = number.digits();
    let range = -(1 << 28)..=1 << 28;
    digits.iter().all(|digit| range.contains(digit)) && digits[8].abs() <= 1 << 27
}

/// A sum of that many tight numbers, its digits often the largest that there can be.
fn sum_of(count: i32) -> impl Strategy<Value = FieldElement> {
    any::<([i32; 9], [u8; 9], bool)>().prop_map(move |(any, kinds, all_at_the_bound)| {
        let mut digits = [0; 9];
        for (at, digit) in digits.iter_mut().enumerate() {
            let bound = if at == 8 {
                (count * 3) << 23
            } else {
                count << 28
            };
            *digit = match kinds[at] % 4 {
                _ if all_at_the_bound => bound,
                0 => bound,
                1 => -bound,
                2 => 0,
                _ => any[at] % (bound + 1),
            };
        }
        FieldElement::from_digits(digits)
    })
}

#[test]
fn the_constants_are_what_their_names_say() {
    let generator = coordinates(ProjectivePoint::GENERATOR).unwrap();
    let order_less_one = reference(bytes(-Scalar::ONE));
    for (name, number, expected) in [
        ("zero", FieldElement::ZERO, Reference::ZERO),
        ("one", FieldElement::ONE, Reference::ONE),
        (
            "the order",
            FieldElement::ORDER,
            order_less_one + Reference::ONE,
        ),
        (
            "x of the base point",
            FieldElement::BASE_X,
            reference(generator.0),
        ),
        (
            "y of the base point",
            FieldElement::BASE_Y,
            reference(generator.1),
        ),
    ] {
        assert_eq!(value(number), expected * radix(), "{name}");
        assert!(is_tight(number), "{name}");
    }
    // p − n, from p − 1 and n − 1.
    let difference = -Reference::ONE - order_less_one;
    let spelt: [u8; 32] = difference.to_repr().into();
    assert_eq!(spelt, PRIME_MINUS_ORDER);
}

#[test]
fn zero_and_one_are_inverted_as_fermat_has_it() {
    assert!(FieldElement::ZERO.inverted().is_tight_zero());
    assert_eq!(value(FieldElement::ONE.inverted()), radix());
}

proptest! {
    #[test]
    fn bytes_are_numbers(bytes in any::<[u8; 32]>()) {
        if let Some(expected) = Reference::from_repr(bytes.into()).into_option() {
            let number = FieldElement::from_bytes(&bytes);
            prop_assert_eq!(value(number), expected * radix());
            prop_assert!(is_tight(number));
            prop_assert_eq!(number.is_tight_zero(), bytes == [0; 32]);
        }
    }

    #[test]
    fn operations_are_those_of_the_field(
        (a, b) in prop_oneof![
            (sum_of(1), sum_of(1)), (sum_of(3), sum_of(5)), (sum_of(2), sum_of(7)), (sum_of(7), sum_of(2)),
        ],
        three in sum_of(3),
        (two, four) in (sum_of(2), sum_of(4)),
        other in sum_of(3),
    ) {
        let product = a.times(b);
        prop_assert_eq!(value(product) * radix(), value(a) * value(b));
        let square = three.squared();
        prop_assert_eq!(value(square) * radix(), value(three).square());
        let less = three.squared_minus(other);
        prop_assert_eq!(value(less) * radix(), value(three).square() - value(other) * radix());
        let difference = three.times_minus(two, two, four);
        prop_assert_eq!(value(difference) * radix(), value(three) * value(two) - value(two) * value(four));
        prop_assert_eq!(value(two.plus(four)), value(two) + value(four));
        prop_assert_eq!(value(two.minus(four)), value(two) - value(four));
        for tight in [product, square, less, difference] {
            prop_assert!(is_tight(tight));
        }
        if value(product) != Reference::ZERO {
            prop_assert_eq!(value(product) * value(product.inverted()), radix().square());
        }
    }

    /// Zero is seen in whatever spelling it comes.
    #[test]
    fn a_difference_of_equals_is_zero(a in sum_of(1), b in sum_of(1), c in sum_of(1)) {
        let one = a.times(b.plus(c));
        let other = a.times(b).plus(a.times(c));
        prop_assert!(one.minus(other).squared().is_tight_zero());
        let off = one.plus(FieldElement::ONE).minus(other);
        prop_assert!(!off.squared().is_tight_zero());
    }
}
