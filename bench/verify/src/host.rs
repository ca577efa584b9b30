//! Where verifications run: natively, in wasmtime, and in V8.

mod in_wasmtime;
mod program;

use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use bench_verify_guest::Order;

use in_wasmtime::InWasmtime;
use program::Program;

/// The script that runs the module in Node.
const SCRIPT: &str = include_str!("host/node.js");

/// Runs verifications.
pub(crate) trait Host {
    /// Has a verification made ready and tried; what it returns stands for it from then on.
    fn prepare(&mut self, order: &Order) -> Result<usize>;

    /// Verifies so many times, and returns how long that took and how often the signature was good.
    fn run(&mut self, number: usize, times: u32) -> Result<(Duration, u32)>;
}

/// A place, with its name in the tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    Native,
    Wasmtime,
    V8,
}

impl Place {
    pub(crate) const ALL: [Self; 3] = [Self::Native, Self::Wasmtime, Self::V8];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Native => "native",
            Self::Wasmtime => "wasmtime",
            Self::V8 => "V8",
        }
    }
}

/// A host that runs.
pub(crate) struct Running {
    pub(crate) place: Place,
    /// What exactly it is.
    pub(crate) description: String,
    pub(crate) host: Box<dyn Host>,
}

/// Starts all that there are on this machine, and says which are left out.
pub(crate) fn all() -> Result<Vec<Running>> {
    let native = named("SCOPEGATE_VERIFY_NATIVE")?;
    let guest = named("SCOPEGATE_VERIFY_GUEST")?;
    let mut hosts = vec![
        Running {
            place: Place::Native,
            description: format!("native: {}", std::env::consts::ARCH),
            host: Box::new(Program::start(&mut Command::new(native))?),
        },
        Running {
            place: Place::Wasmtime,
            description: format!("wasmtime: {}, Cranelift for speed", in_wasmtime::VERSION),
            host: Box::new(InWasmtime::start(&guest)?),
        },
    ];
    let node = std::env::var_os("NODE_BIN").unwrap_or_else(|| "node".into());
    match version(&mut Command::new(&node)) {
        Ok(version) => hosts.push(Running {
            place: Place::V8,
            description: format!("V8: {version}"),
            host: Box::new(Program::start(
                Command::new(&node).args(["-e", SCRIPT]).arg(&guest),
            )?),
        }),
        Err(error) => eprintln!("skipped: V8, as there is no Node here: {error:#}"),
    }
    Ok(hosts)
}

fn named(variable: &str) -> Result<PathBuf> {
    let file = std::env::var_os(variable).map(PathBuf::from);
    file.with_context(|| {
        format!("`{variable}` does not say where it is; `cargo xtask bench verify` does")
    })
}

/// Which V8 it is, in which Node.
fn version(node: &mut Command) -> Result<String> {
    let script = "`${process.versions.v8} in Node ${process.versions.node}`";
    let output = node.args(["-p", script]).output().context("node")?;
    ensure!(output.status.success(), "node says {}", output.status);
    Ok(String::from_utf8(output.stdout)?.trim().to_owned())
}
