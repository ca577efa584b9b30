//! `cargo xtask example`: the timesheets example with its authorization server, API, gate and app; and its tests in a browser.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::hosted::{self, Environment};
use crate::layout::Layout;
use crate::{npm, process};

/// Where its parts are that are written for Node and the browser.
const FOLDER: &str = "examples/timesheets";

/// The oldest that the packages run on.
const OLDEST_NODE: [u32; 2] = [20, 19];

/// Where the browser comes to lie, among the tools.
const CHROMIUM: &str = "chromium";

/// What the program that looks for a browser ends with where there is none.
const NO_BROWSER: i32 = 77;

/// Builds all of it, gets what hosts the gate, and hands over to the program `example` of package `e2e`.
pub fn run(layout: &Layout, arguments: &[OsString]) -> Result<()> {
    let only_help = arguments
        .iter()
        .any(|word| word == "--help" || word == "-h");
    if only_help {
        let program = hosted::program(layout, "example")?;
        return hosted::hand_over(&program, arguments, Vec::new());
    }
    check_node()?;
    packages(layout)?;
    build_app(layout)?;
    let environment = match hosted::names_spin(arguments) {
        true => hosted::on_spin(layout)?,
        false => hosted::on_envoy(layout)?,
    };
    let program = hosted::program(layout, "example")?;
    hosted::hand_over(&program, arguments, environment)
}

/// The tests of the parts that run on Node, and whether there is a browser for the others. A machine without Node goes without, and is told so.
///
/// # Errors
/// A test fails, or Node or the browser is missing where `SCOPEGATE_REQUIRE_NODE=1` asks for it.
pub fn test_parts(layout: &Layout) -> Result<bool> {
    if let Err(error) = check_node() {
        return skip(&format!("{error:#}"));
    }
    packages(layout)?;
    build_app(layout)?;
    for (part, script) in [
        ("authorization-server", "check"),
        ("authorization-server", "test"),
        ("spa", "check"),
        ("spa", "test"),
        ("browser", "check"),
    ] {
        process::run(&mut script_of(layout, part, script))?;
    }
    let mut look = Command::new("node");
    look.arg("available.js")
        .current_dir(layout.root.join(FOLDER).join("browser"))
        .envs(places(layout));
    let status = look.status().context("cannot start node")?;
    match status.code() {
        Some(0) => Ok(true),
        Some(NO_BROWSER) => skip("no browser can be had here"),
        _ => bail!("the program that looks for a browser ended with {status}"),
    }
}

/// Drives the app in a headless browser, with the gate in that host.
pub fn test_in_browser(
    layout: &Layout,
    host: &'static str,
    environment: Environment,
) -> Result<()> {
    let program = layout
        .built
        .join("debug")
        .join(format!("example{}", std::env::consts::EXE_SUFFIX));
    let mut tests = script_of(layout, "browser", "test");
    tests
        .envs(environment)
        .envs(places(layout))
        .env("EXAMPLE_HOST", host)
        .env("EXAMPLE_PROGRAM", program);
    process::run_with_output(&mut tests)
}

fn skip(why: &str) -> Result<bool> {
    if npm::is_required() {
        bail!("{why}, and SCOPEGATE_REQUIRE_NODE=1 asks for it");
    }
    eprintln!("SKIPPED: the tests of the example: {why}");
    Ok(false)
}

/// A Node and an npm that the packages run on.
fn check_node() -> Result<()> {
    npm::check()?;
    let said = process::read(Command::new("node").arg("--version"))?;
    let mut numbers = said.trim().trim_start_matches('v').split('.');
    let mut number = || numbers.next().and_then(|number| number.parse().ok());
    match (number(), number()) {
        (Some(major), Some(minor)) if [major, minor] >= OLDEST_NODE => Ok(()),
        _ => bail!(
            "the example needs Node 20.19 or later, and this one is {}",
            said.trim()
        ),
    }
}

/// The packages of all parts, beside them: Node looks for them there.
fn packages(layout: &Layout) -> Result<()> {
    const STAMP: &str = "node_modules/.of-this-lock-file";
    let folder = layout.root.join(FOLDER);
    let wanted = fs::read(folder.join("package-lock.json")).context("package-lock.json")?;
    let are_there = || fs::read(folder.join(STAMP)).is_ok_and(|there| there == wanted);
    if are_there() {
        return Ok(());
    }
    let _lock = layout.lock_tools()?;
    // Whoever had the lock may have fetched them.
    if are_there() {
        return Ok(());
    }
    eprintln!(
        "fetching the example's packages and a browser (90 MB) with npm into {FOLDER}/node_modules"
    );
    process::run(&mut npm::ci(&folder))?;
    Ok(fs::write(folder.join(STAMP), wanted)?)
}

fn build_app(layout: &Layout) -> Result<()> {
    eprintln!("building the app");
    process::run(&mut script_of(layout, "spa", "build"))
}

fn script_of(layout: &Layout, part: &str, script: &str) -> Command {
    let mut npm = Command::new("npm");
    npm.current_dir(layout.root.join(FOLDER)).args([
        "run",
        "--silent",
        script,
        "--workspace",
        part,
    ]);
    npm
}

/// Where the tests put what they fetch and what they see.
fn places(layout: &Layout) -> Vec<(&'static str, PathBuf)> {
    let seen = Path::new("target/example/screenshots");
    vec![
        ("EXAMPLE_CHROMIUM_FOLDER", layout.tools.join(CHROMIUM)),
        ("EXAMPLE_SCREENSHOTS", layout.root.join(seen)),
    ]
}
