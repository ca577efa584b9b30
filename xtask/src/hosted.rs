//! Programs of package `e2e` that a user stays with, and the gate's host that they need: `cargo xtask demo` and `cargo xtask example`.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use crate::layout::Layout;
use crate::{envoy, process, spin, wasm};

/// Variables by which such a program is told where things are.
pub type Environment = Vec<(&'static str, PathBuf)>;

/// Builds the filter, and gets Envoy.
pub fn on_envoy(layout: &Layout) -> Result<Environment> {
    let filter = wasm::build_filter(layout)?;
    Ok(vec![
        ("SCOPEGATE_FILTER", filter),
        ("ENVOY_BIN", envoy::get(layout)?),
    ])
}

/// Builds the component, and gets Spin, or builds the project's test host.
pub fn on_spin(layout: &Layout) -> Result<Environment> {
    wasm::build_spin(layout)?;
    let host = spin::get(layout)?;
    Ok(vec![(host.variable, host.program)])
}

/// Whether `--host` names Spin. What else it may name, the program knows.
pub fn names_spin(arguments: &[OsString]) -> bool {
    let mut words = arguments.iter().map(|word| word.to_string_lossy());
    let mut spin = false;
    while let Some(word) = words.next() {
        let host = match word.strip_prefix("--host") {
            Some("") => words.next().unwrap_or_default().into_owned(),
            Some(rest) => rest.trim_start_matches('=').to_owned(),
            None => continue,
        };
        spin = host.starts_with("spin");
    }
    spin
}

/// Builds the program, and returns where it is.
pub fn program(layout: &Layout, name: &str) -> Result<PathBuf> {
    eprintln!("building the {name}");
    process::run(
        layout
            .cargo()
            .args(["build", "--package", "e2e", "--bin", name]),
    )?;
    let file = format!("{name}{}", std::env::consts::EXE_SUFFIX);
    Ok(layout.built.join("debug").join(file))
}

/// Becomes the program.
pub fn hand_over(program: &Path, arguments: &[OsString], environment: Environment) -> Result<()> {
    let mut command = Command::new(program);
    command.args(arguments).envs(environment);
    become_it(&mut command, program)
}

/// Nothing of ours stays between the user's Ctrl-C and the program, which has an Envoy or a Spin to stop.
#[cfg(unix)]
fn become_it(command: &mut Command, program: &Path) -> Result<()> {
    use std::os::unix::process::CommandExt;
    Err(command.exec()).with_context(|| format!("cannot start `{}`", program.display()))
}

#[cfg(not(unix))]
fn become_it(command: &mut Command, program: &Path) -> Result<()> {
    let status = command
        .status()
        .with_context(|| format!("cannot start `{}`", program.display()))?;
    std::process::exit(status.code().unwrap_or(1));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_host_is_read_in_every_spelling_of_the_programs() {
        for (line, expected) in [
            ("", false),
            ("--check --host spin", true),
            ("--host=spin-middleware --check", true),
            ("--host envoy", false),
            ("--host spin --host envoy", false),
            ("--host", false),
            ("--policy spin", false),
        ] {
            let words: Vec<OsString> = line.split_whitespace().map(OsString::from).collect();
            assert_eq!(names_spin(&words), expected, "{line}");
        }
    }
}
