//! The group of P-256, for points that everybody may know.

use super::field::FieldElement;

/// A point other than the one at infinity.
#[derive(Clone, Copy)]
pub(super) struct Affine {
    pub(super) x: FieldElement,
    pub(super) y: FieldElement,
}

/// G, the base point (NIST SP 800-186 section 3.2.1.3).
pub(super) const BASE: Affine = Affine {
    x: FieldElement::BASE_X,
    y: FieldElement::BASE_Y,
};

/// The b of the curve's equation (NIST SP 800-186 section 3.2.1.3), the most significant byte first.
const B: [u8; 32] = [
    0x5a, 0xc6, 0x35, 0xd8, 0xaa, 0x3a, 0x93, 0xe7, 0xb3, 0xeb, 0xbd, 0x55, 0x76, 0x98, 0x86, 0xbc,
    0x65, 0x1d, 0x06, 0xb0, 0xcc, 0x53, 0xb0, 0xf6, 0x3b, 0xce, 0x3c, 0x3e, 0x27, 0xd2, 0x60, 0x4b,
];

impl Affine {
    /// Whether y² = x³ − 3x + b.
    pub(super) fn is_on_curve(self) -> bool {
        let mut three = [0; 32];
        three[31] = 3;
        let three = FieldElement::from_bytes(&three);
        let right = self.x.squared().minus(three).times(self.x);
        let right = right.plus(FieldElement::from_bytes(&B));
        let difference = self.y.squared().minus(right);
        difference.times(FieldElement::ONE).is_tight_zero()
    }

    pub(super) const fn negated(self) -> Self {
        Self {
            x: self.x,
            y: self.y.negated(),
        }
    }
}

/// A point in Jacobian coordinates: x = X/Z², y = Y/Z³; infinity is where Z = 0.
///
/// Between operations, X and Y are tight and Z is a sum of two tight numbers.
#[derive(Clone, Copy)]
pub(super) struct Jacobian {
    pub(super) x: FieldElement,
    pub(super) y: FieldElement,
    pub(super) z: FieldElement,
    /// Z = 0, which many digits may spell.
    pub(super) is_infinity: bool,
}

impl Jacobian {
    pub(super) const INFINITY: Self = Self {
        x: FieldElement::ONE,
        y: FieldElement::ONE,
        z: FieldElement::ZERO,
        is_infinity: true,
    };

    pub(super) const fn from_affine(point: Affine) -> Self {
        Self {
            x: point.x,
            y: point.y,
            z: FieldElement::ONE,
            is_infinity: false,
        }
    }

    /// Twice the point (the formulas dbl-2001-b for a = −3). The order of the group is odd, so that no point has y = 0
    /// and only infinity is doubled to infinity.
    pub(super) const fn doubled(self) -> Self {
        if self.is_infinity {
            return self;
        }
        let delta = self.z.squared();
        let gamma = self.y.squared();
        let two_gamma = gamma.doubled();
        let four_gamma = two_gamma.doubled();
        let four_beta = self.x.times(four_gamma);
        let third = self.x.minus(delta).times(self.x.plus(delta));
        let alpha = third.doubled().plus(third);
        let x = alpha.squared_minus(four_beta.doubled());
        Self {
            x,
            // α·(4β − X) − 8γ²: three times two and two times four tight numbers.
            y: alpha.times_minus(four_beta.minus(x), two_gamma, four_gamma),
            z: self.y.times(self.z).doubled(),
            is_infinity: false,
        }
    }

    /// The sum with a point that is in affine coordinates.
    pub(super) const fn plus(self, other: Affine) -> Self {
        if self.is_infinity {
            return Self::from_affine(other);
        }
        let zz = self.z.squared();
        let height = other.x.times(zz).minus(self.x);
        let rise = other.y.times(self.z.times(zz)).minus(self.y);
        let hh = height.squared();
        if hh.is_tight_zero() {
            // The same x: the same point, or the one opposite.
            return if rise.squared().is_tight_zero() {
                self.doubled()
            } else {
                Self::INFINITY
            };
        }
        let hhh = height.times(hh);
        let v = self.x.times(hh);
        let x = rise.squared_minus(hhh.plus(v.doubled()));
        Self {
            x,
            y: rise.times_minus(v.minus(x), self.y, hhh),
            z: self.z.times(height),
            is_infinity: false,
        }
    }
}
