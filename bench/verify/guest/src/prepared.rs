//! A verification that has been tried, and can be repeated.

use std::hint::black_box;

use serde::{Deserialize, Serialize};

use crate::case::{Case, Signed};
use crate::{libraries, portable};

/// One way to verify a signature, with one key.
pub trait Way {
    /// Whether it takes the signature for a good one.
    fn verifies(&self, signed: &Signed) -> bool;
}

/// What a host asks for: this case, in that way.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Order {
    /// The name of the way: `portable` and `first` are the core's, the others are called as their crates.
    pub way: String,
    /// What is verified.
    pub case: Case,
}

/// A verification that is right, and can be repeated.
pub struct Prepared {
    way: Box<dyn Way>,
    genuine: Signed,
}

/// The ways that are the same natively and in WebAssembly.
///
/// # Errors
/// There is none of that name for the case's algorithm, or it gives a wrong answer.
pub fn prepare(order: &Order) -> Result<Prepared, String> {
    let case = &order.case;
    let way = match order.way.as_str() {
        "portable" => portable::imported(case)?,
        "first" => portable::first(case)?,
        name => libraries::of_name(name, case)?,
    };
    Prepared::new(way, case)
}

impl Prepared {
    /// Tries it first: a verification that is wrong is not worth measuring.
    ///
    /// # Errors
    /// It refuses the case's token, or takes a forged one.
    pub fn new(way: Box<dyn Way>, case: &Case) -> Result<Self, String> {
        let genuine = Signed::genuine(case)?;
        if !way.verifies(&genuine) {
            return Err("the genuine signature is refused".to_owned());
        }
        if way.verifies(&Signed::forged(case)?) {
            return Err("the forged signature is taken for a good one".to_owned());
        }
        Ok(Self { way, genuine })
    }

    /// Verifies so many times, and returns how often the signature was good.
    pub fn run(&self, times: u32) -> u32 {
        let good = (0..times).filter(|_| black_box(&self.way).verifies(black_box(&self.genuine)));
        // At most as many as there were.
        u32::try_from(good.count()).unwrap_or(u32::MAX)
    }
}
