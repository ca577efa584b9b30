//! `cargo xtask drill`: build the filter, get Envoy, and put both through rotations, outages and new configurations.

use std::ffi::OsString;

use anyhow::Result;

use crate::layout::Layout;
use crate::{envoy, process, wasm};

/// Hands the arguments to the drill of package `e2e`; where it does not pass, that is a failure.
pub fn run(layout: &Layout, arguments: &[OsString]) -> Result<()> {
    let filter = wasm::build_filter(layout)?;
    let envoy = envoy::get(layout)?;
    eprintln!("building the drill");
    let mut cargo = layout.cargo();
    cargo.args(["run", "--quiet", "--package", "e2e", "--bin", "drill", "--"]);
    cargo
        .args(arguments)
        .env("SCOPEGATE_FILTER", filter)
        .env("ENVOY_BIN", envoy);
    process::run_with_output(&mut cargo)
}
