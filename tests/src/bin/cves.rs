//! Writes the last column of `docs/cves.md` as the corpus has it: `cargo run -p e2e --bin cves`, after a change of the cases.

use anyhow::{Context as _, Result};
use e2e::{corpus, cves};

fn main() -> Result<()> {
    let path = cves::path();
    let text =
        std::fs::read_to_string(&path).with_context(|| format!("reading {}", path.display()))?;
    let filled = cves::filled(&text, &corpus::load()?)?;
    std::fs::write(&path, filled).with_context(|| format!("writing {}", path.display()))
}
