//! `cargo xtask versus`: the corpus, put to Envoy's own filters, and the page that tells how they answer.

use std::path::Path;

use anyhow::Result;

use crate::arguments::Comparison;
use crate::layout::Layout;
use crate::{envoy, process};

/// Gets Envoy, and does what is wanted. Scopegate's filter has no part in it.
pub fn run(layout: &Layout, wanted: &Comparison) -> Result<()> {
    let envoy = envoy::get(layout)?;
    run_in(layout, wanted, &envoy)
}

/// The same in that Envoy.
pub fn run_in(layout: &Layout, wanted: &Comparison, envoy: &Path) -> Result<()> {
    let mut cargo = layout.cargo();
    cargo.args([
        "run",
        "--quiet",
        "--package",
        "e2e",
        "--bin",
        "versus",
        "--",
    ]);
    match wanted {
        Comparison::Write => {}
        Comparison::Check => drop(cargo.arg("--check")),
        Comparison::Show(case) => drop(cargo.arg("--show").arg(case)),
    }
    process::run_with_output(cargo.env("ENVOY_BIN", envoy))
}
