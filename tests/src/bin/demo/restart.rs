//! The row that only Spin has: a changed policy is met after a restart.

use std::io::Write;

use anyhow::{Result, bail};
use e2e::http1;

use crate::gate::{Gate, Verdict};
use crate::rows;

/// What is changed: the public route becomes one that wants a token.
const LENIENT: &str = "{ path: /healthz, public: true }";
const STRICT: &str = "{ path: /healthz, authenticated: true }";

const EXPECTED: &str = "401 Missing or invalid token";

/// Restarts the gate with a stricter policy, asks for what was public, and restarts it with the policy that it had. Returns how many rows
/// are not as they should be.
pub(crate) fn row(out: &mut impl Write, gate: &mut dyn Gate, policy: &str) -> Result<usize> {
    writeln!(
        out,
        "\nSpin reads the policy when it starts. Restarted with one in which nothing is public:"
    )?;
    if !policy.contains(LENIENT) {
        writeln!(
            out,
            "(Left out: this policy has no route `{LENIENT}` to change.)"
        )?;
        return Ok(0);
    }
    let got = match gate.offer(&policy.replace(LENIENT, STRICT))? {
        Verdict::Accepted => rows::describe(&http1::fetch(gate.address(), "/healthz")?),
        Verdict::Refused(why) => format!("the policy was refused: {}", why.join("; ")),
    };
    let right = rows::judged(out, "no longer public, no token", EXPECTED, &got)?;
    if let Verdict::Refused(why) = gate.offer(policy)? {
        bail!("the policy that it had was refused: {}", why.join("; "));
    }
    Ok(usize::from(!right))
}
