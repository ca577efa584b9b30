//! `cargo xtask fuzz`: the core's promises, put to libFuzzer.
//!
//! The programs are built as cargo-fuzz builds them, so that nothing but a nightly compiler has to be there.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::arguments::{Fuzzing, TARGETS};
use crate::layout::Layout;
use crate::process;

/// What makes the compiler count edges and note comparisons for libFuzzer, and check what the core asserts of itself.
///
/// No sanitizer: the core has no `unsafe`, and without one there are several times more executions.
const FLAGS: &str = "--cfg fuzzing -Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
    -Cllvm-args=-sanitizer-coverage-trace-compares -Ccodegen-units=1";

/// How long one input may take, in seconds. The slowest honest one takes milliseconds.
const SLOWEST_INPUT: u32 = 10;

/// The memory one target may take, in MiB. The budgets of the inputs leave all of them below a tenth of that.
const MOST_MEMORY: u32 = 1024;

/// Runs the targets, one after the other, and stops at the first find.
pub fn run(layout: &Layout, fuzzing: &Fuzzing) -> Result<()> {
    let Some(host) = nightly_host(layout) else {
        eprintln!("skipped: fuzzing needs a nightly toolchain (rustup toolchain install nightly)");
        return Ok(());
    };
    let fuzz = Folders::of(layout);
    let programs = build(layout, &fuzz, &host)?;
    let targets = match fuzzing.targets.as_slice() {
        [] => TARGETS.as_slice(),
        chosen => chosen,
    };
    for target in targets {
        fuzz_one(&fuzz, &programs, target, fuzzing.seconds)?;
    }
    eprintln!(
        "== nothing found in {} s each: {}",
        fuzzing.seconds,
        targets.join(", ")
    );
    Ok(())
}

/// Where the fuzz workspace lies, and where all that grows goes.
struct Folders {
    workspace: PathBuf,
    grown: PathBuf,
}

impl Folders {
    fn of(layout: &Layout) -> Self {
        Self {
            workspace: layout.root.join("fuzz"),
            grown: layout.root.join("target/fuzz"),
        }
    }

    fn manifest(&self) -> PathBuf {
        self.workspace.join("Cargo.toml")
    }
}

/// The platform that nightly compiles for by itself; nothing where there is no nightly.
fn nightly_host(layout: &Layout) -> Option<String> {
    process::read(nightly(layout).arg("--version")).ok()?;
    let mut rustc = Command::new("rustc");
    let version = process::read(rustc.args(["+nightly", "-vV"])).ok()?;
    let host = version.lines().find_map(|line| line.strip_prefix("host: "));
    host.map(str::to_owned)
}

/// The cargo of rustup, which knows what `+nightly` means; the one that runs us does not.
fn nightly(layout: &Layout) -> Command {
    let mut command = Command::new("cargo");
    command.current_dir(&layout.root).arg("+nightly");
    for (name, _) in std::env::vars_os() {
        if name
            .to_str()
            .is_some_and(|name| name == "CARGO" || name.starts_with("CARGO_PKG_"))
        {
            command.env_remove(name);
        }
    }
    command
}

/// Builds every target, and returns the folder that they are in.
///
/// The platform is named, or cargo would give the flags to build scripts and macros too, which then lack libFuzzer.
fn build(layout: &Layout, fuzz: &Folders, host: &str) -> Result<PathBuf> {
    eprintln!("== build the targets");
    let built = layout.built.join("fuzz/build");
    let mut cargo = nightly(layout);
    cargo.args(["build", "--release", "--locked", "--target", host]);
    cargo.args(["--features", "libfuzzer"]);
    cargo.arg("--manifest-path").arg(fuzz.manifest());
    cargo.arg("--target-dir").arg(&built);
    for target in TARGETS {
        cargo.args(["--bin", target]);
    }
    cargo
        .env("RUSTFLAGS", FLAGS)
        .env_remove("CARGO_ENCODED_RUSTFLAGS");
    process::run(&mut cargo).context("the targets do not build; libFuzzer needs a C++ compiler")?;
    Ok(built.join(host).join("release"))
}

fn fuzz_one(fuzz: &Folders, programs: &Path, target: &str, seconds: u32) -> Result<()> {
    eprintln!("== {target}: {seconds} s");
    let corpus = fuzz.grown.join("corpus").join(target);
    let artefacts = fuzz.grown.join("artefacts").join(target);
    for folder in [&corpus, &artefacts] {
        fs::create_dir_all(folder)
            .with_context(|| format!("cannot create `{}`", folder.display()))?;
    }
    let before = files(&artefacts)?;
    let mut program = Command::new(programs.join(target));
    // libFuzzer adds to the first folder, and only reads the second.
    program
        .arg(&corpus)
        .arg(fuzz.workspace.join("corpus").join(target));
    program.arg(format!("-max_total_time={seconds}"));
    program.arg(format!("-timeout={SLOWEST_INPUT}"));
    program.arg(format!("-rss_limit_mb={MOST_MEMORY}"));
    program.arg(format!("-artifact_prefix={}/", artefacts.display()));
    let dictionary = fuzz
        .workspace
        .join("dictionaries")
        .join(format!("{target}.dict"));
    program.arg(format!("-dict={}", dictionary.display()));
    program.arg("-print_final_stats=1");
    let Err(error) = process::run(&mut program) else {
        return Ok(());
    };
    let found = files(&artefacts)?
        .into_iter()
        .find(|file| !before.contains(file));
    let Some(found) = found else {
        return Err(error.context(format!("{target} failed, and left no input")));
    };
    bail!(
        "{target} found an input that breaks a promise: {}\n\
         replay it: {} {0}\n\
         make it smaller: {1} -minimize_crash=1 -runs=100000 {0}\n\
         fuzz/README.md says how it becomes a case",
        found.display(),
        programs.join(target).display(),
    )
}

fn files(folder: &Path) -> Result<Vec<PathBuf>> {
    let entries = fs::read_dir(folder)?.map(|entry| Ok(entry?.path()));
    entries.collect()
}
