//! The servers that the end-to-end tests put behind the gate, where the machine lacks them: nginx, and npm's packages for Node.
//!
//! The tests look for them where they are left here, in `target/tools`.

mod nginx;

use anyhow::{Result, bail};

use crate::layout::Layout;
use crate::npm::Packages;

/// Frameworks of Node that serve behind the gate.
const PACKAGES: Packages = Packages {
    name: "Express and Fastify (20 MB)",
    wanted: "tests/upstreams",
    beside: &[],
    folder: "node-packages",
};

type Attempt = fn(&Layout) -> Result<()>;

/// Gets what can be had here. A machine without Debian's packages, or without Node, goes without the tests that need them, and is
/// told so; `SCOPEGATE_REQUIRE_UPSTREAMS=1` makes that a failure.
pub fn get(layout: &Layout) -> Result<()> {
    let required = std::env::var("SCOPEGATE_REQUIRE_UPSTREAMS").is_ok_and(|value| value == "1");
    let attempts: [(&str, Attempt); 2] = [("nginx", nginx::get), ("npm packages", packages)];
    for (name, attempt) in attempts {
        match attempt(layout) {
            Ok(()) => {}
            Err(error) if required => bail!("no {name} to be had here: {error:#}"),
            Err(error) => eprintln!("SKIPPED: the tests that need {name}: {error:#}"),
        }
    }
    Ok(())
}

fn packages(layout: &Layout) -> Result<()> {
    PACKAGES.get(layout).map(drop)
}
