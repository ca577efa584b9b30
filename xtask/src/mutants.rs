//! `cargo xtask mutants`: whether the tests notice when the core is wrong.
//!
//! cargo-mutants makes the mistakes, one at a time, in a copy of the tree. What no test notices must stand in `core/mutants.txt`
//! with its reason, and what stands there must go unnoticed: a reason that no longer holds is found out.

mod accepted;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};

use crate::layout::Layout;
use crate::process;
use accepted::Accepted;

/// The edition whose words for a mistake `core/mutants.txt` uses.
const VERSION: &str = "27.1.0";

/// What is asked of each mistake: all that tests the core without a host. A mistake is built and tested in seconds.
const TESTS: [&str; 12] = [
    "--package=scopegate-core",
    "--package=scopegate-signatures",
    "--package=scopegate-yaml",
    "--package=e2e",
    "--lib",
    "--test=core",
    "--test=discovery",
    "--test=freshness",
    "--test=properties",
    "--test=reasons",
    "--test=records",
    "--test=states",
];

/// How long the tests may take, in seconds, before a mistake counts as noticed: they take less than ten.
const TOO_LONG: &str = "90";

/// Where the mistakes are made when no file is named.
const EVERYWHERE: [&str; 3] = ["core/src", "core/signatures/src", "core/yaml/src"];

/// Makes every mistake in these files or folders, of which there is none for all of the core.
pub fn run(layout: &Layout, places: &[PathBuf]) -> Result<()> {
    for place in places {
        let is_core = EVERYWHERE.iter().any(|folder| place.starts_with(folder));
        ensure!(
            is_core && layout.root.join(place).exists(),
            "`{}` is nothing below {}",
            place.display(),
            EVERYWHERE.join(", ")
        );
    }
    let accepted = Accepted::read(&layout.root.join("core/mutants.txt"))?;
    eprintln!("== the tests as they are");
    let mut tests = layout.cargo();
    tests.arg("test").args(TESTS).arg("--quiet");
    process::run(&mut tests).context("the tests must pass before mistakes are made")?;

    let unnoticed = unnoticed(layout, places)?;
    let names_all = places.is_empty();
    let complaints = accepted.complaints(&unnoticed, |known| {
        names_all
            || places
                .iter()
                .any(|place| Path::new(known).starts_with(place))
    });
    if !complaints.is_empty() {
        bail!("{}", complaints.join("\n"));
    }
    eprintln!(
        "== every mistake is noticed, but for {} that core/mutants.txt explains",
        unnoticed.len()
    );
    Ok(())
}

/// The mistakes that no test noticed, in cargo-mutants' words.
fn unnoticed(layout: &Layout, places: &[PathBuf]) -> Result<Vec<String>> {
    let program = program(layout)?;
    let folder = layout.root.join("target/mutants");
    fs::create_dir_all(&folder)?;
    let mut mutants = layout.command(&program);
    mutants.args([
        "mutants",
        "--no-shuffle",
        "--colors=never",
        "--baseline=skip",
    ]);
    mutants.args(["--timeout", TOO_LONG]);
    mutants.arg("--output").arg(&folder);
    mutants.args(["--test-package=scopegate-core,scopegate-signatures,scopegate-yaml,e2e"]);
    for place in globs(layout, places) {
        mutants.arg("--file").arg(place);
    }
    // The packages stand in --test-package.
    for test in TESTS.iter().filter(|test| !test.starts_with("--package")) {
        mutants.arg(format!("--cargo-arg={test}"));
    }
    // The same random inputs for each mistake, or which are noticed would be luck.
    mutants.env("PROPTEST_RNG_SEED", "1");
    // Nobody looks at these programs with a debugger, and there are many.
    mutants
        .env("CARGO_TARGET_DIR", folder.join("build"))
        .env("CARGO_PROFILE_DEV_DEBUG", "0");
    // 2 and 3 mean mistakes that went unnoticed or took too long; what they are stands in files.
    let status = mutants.status().context("cannot start cargo-mutants")?;
    ensure!(
        matches!(status.code(), Some(0 | 2 | 3)),
        "cargo-mutants failed ({status})"
    );
    let told = |name: &str| fs::read_to_string(folder.join("mutants.out").join(name));
    for mutant in told("timeout.txt")?.lines() {
        eprintln!("took longer than {TOO_LONG} s, which counts as noticed: {mutant}");
    }
    Ok(told("missed.txt")?.lines().map(without_place).collect())
}

fn globs(layout: &Layout, places: &[PathBuf]) -> Vec<String> {
    let all = EVERYWHERE.map(PathBuf::from);
    let places = if places.is_empty() { &all } else { places };
    let glob = |place: &PathBuf| match layout.root.join(place).is_dir() {
        true => format!("{}/**", place.display()),
        false => place.display().to_string(),
    };
    places.iter().map(glob).collect()
}

/// `file:line:column: words` without line and column, which move with every edit.
fn without_place(mutant: &str) -> String {
    let mut parts = mutant.splitn(4, ':');
    match (parts.next(), parts.nth(2)) {
        (Some(file), Some(words)) => format!("{file}:{words}"),
        _ => mutant.to_owned(),
    }
}

/// cargo-mutants of the right edition: the user's own, or one that is compiled into `target/tools`.
fn program(layout: &Layout) -> Result<PathBuf> {
    let folder = layout.tools.join(format!("cargo-mutants-{VERSION}"));
    let ours = folder
        .join("bin")
        .join(format!("cargo-mutants{}", std::env::consts::EXE_SUFFIX));
    for candidate in [PathBuf::from("cargo-mutants"), ours.clone()] {
        let version = process::read(Command::new(&candidate).args(["mutants", "--version"]));
        if version.is_ok_and(|said| said == format!("cargo-mutants {VERSION}")) {
            return Ok(candidate);
        }
    }
    eprintln!("== get cargo-mutants {VERSION}");
    let mut cargo = layout.cargo();
    cargo.args(["install", "cargo-mutants", "--locked", "--version", VERSION]);
    cargo.arg("--root").arg(&folder);
    process::run(&mut cargo)?;
    Ok(ours)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_and_columns_are_left_out() {
        for (said, expected) in [
            (
                "core/src/time.rs:35:9: replace Timestamp::after -> Self with Default::default()",
                "core/src/time.rs: replace Timestamp::after -> Self with Default::default()",
            ),
            (
                "core/src/a.rs:1:2: replace <T as U>::f -> Result<A, B> with Ok(c::d())",
                "core/src/a.rs: replace <T as U>::f -> Result<A, B> with Ok(c::d())",
            ),
        ] {
            assert_eq!(without_place(said), expected);
        }
    }
}
