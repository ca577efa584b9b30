//! Telling the root contexts of one VM apart when a request comes.
//!
//! Envoy tells a module which root a request belongs to by a callback of its own, before each request. Entering the VM for that takes as long as
//! a good part of the decision, and nearly every VM has one root. So the filter does without, and every root leaves a mark when it is
//! configured, which is read where there are several: Envoy keeps the expressions that `expr_create` makes for each root by itself,
//! under numbers that begin at 0, so that the expression 0 gives the number of its root to all requests of it, and to no others.

use crate::contexts::Marks;
use crate::host::{self, HostError};

/// The number that Envoy gives to the first expression of a root.
const FIRST: [u8; 4] = 0_u32.to_ne_bytes();

/// The status of a call for something that is not there.
const NOT_FOUND: u32 = 1;

/// The marks in Envoy.
pub(crate) struct RootMarks;

impl Marks for RootMarks {
    type Error = HostError;

    fn leave(&self, root: u32) -> Result<(), HostError> {
        let literal = format!("'{root}'");
        let number = host::call_foreign_function("expr_create", literal.as_bytes())?;
        if number != FIRST || self.read()? != Some(root) {
            return Err(HostError::malformed("expr_create"));
        }
        Ok(())
    }

    fn read(&self) -> Result<Option<u32>, HostError> {
        match host::call_foreign_function("expr_evaluate", &FIRST) {
            Ok(digits) => number(&digits).map(Some),
            Err(HostError {
                status: NOT_FOUND, ..
            }) => Ok(None),
            Err(error) => Err(error),
        }
    }
}

fn number(digits: &[u8]) -> Result<u32, HostError> {
    let number = str::from_utf8(digits).ok();
    let number = number.and_then(|digits| digits.parse().ok());
    number.ok_or(HostError::malformed("expr_evaluate"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_is_a_number_and_nothing_else() {
        assert_eq!(number(b"17"), Ok(17));
        for other in [&b""[..], b"x", b"-1", b"4294967296", b"\xff"] {
            assert!(number(other).is_err());
        }
    }

    #[test]
    fn a_host_that_knows_no_expressions_marks_nothing() {
        assert!(RootMarks.leave(1).is_err());
        assert!(RootMarks.read().is_err());
    }
}
