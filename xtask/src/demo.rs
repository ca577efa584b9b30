//! `cargo xtask demo`: get everything ready, then become the demo program.

use std::ffi::OsString;

use anyhow::Result;

use crate::layout::Layout;
use crate::{hosted, wasm};

/// Builds the gate for the host that is asked for, and the demo program of package `e2e`, gets the host, and hands over.
pub fn run(layout: &Layout, arguments: &[OsString]) -> Result<()> {
    let environment = if hosted::names_spin(arguments) {
        wasm::build_timesheets(layout)?;
        hosted::on_spin(layout)?
    } else {
        hosted::on_envoy(layout)?
    };
    let program = hosted::program(layout, "demo")?;
    hosted::hand_over(&program, arguments, environment)
}
