//! `rustup target add`, where there is a rustup and a way to its server.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result};

use super::{Toolchain, installed};
use crate::layout::{Layout, bytes_in};
use crate::process::{self, STUCK};

/// Adds `target` to the Rust in use.
pub fn get(layout: &Layout, target: &str) -> Result<Toolchain> {
    let home = process::read(Command::new("rustup").args(["show", "home"]))
        .context("there is no rustup here")?;
    let downloads = PathBuf::from(home).join("downloads");
    eprintln!("trying `rustup target add {target}`");
    let mut rustup = Command::new("rustup");
    rustup
        .current_dir(&layout.root)
        .env("RUST_BACKTRACE", "0")
        .args(["target", "add", target]);
    process::run_while_moving(&mut rustup, STUCK, || bytes_in(&downloads))
        .inspect_err(|error| eprintln!("{error:#}"))?;
    installed(layout, target).context("rustup added the target to another Rust than the one in use")
}
