//! The npm packages of `tests/upstreams/package-lock.json`, in `target/tools/node-packages`.

use std::fs;
use std::process::Command;

use anyhow::{Context, Result};

use crate::layout::{self, Layout};
use crate::process;

const FOLDER: &str = "node-packages";
const FILES: [&str; 2] = ["package.json", "package-lock.json"];

/// Has npm fetch them (20 MB), unless those of the same lock file are there.
pub fn get(layout: &Layout) -> Result<()> {
    let wanted = layout.root.join("tests/upstreams");
    let folder = layout.tools.join(FOLDER);
    let is_current = FILES.iter().all(|file| {
        let there = fs::read(folder.join(file)).ok();
        there.is_some() && there == fs::read(wanted.join(file)).ok()
    });
    if is_current {
        return Ok(());
    }
    for program in ["node", "npm"] {
        process::read(Command::new(program).arg("--version"))
            .with_context(|| format!("this machine has no {program}"))?;
    }
    eprintln!("fetching Express and Fastify with npm into target/tools");
    let _lock = layout.lock_tools()?;
    let partial = layout.partial(FOLDER)?;
    for file in FILES {
        fs::copy(wanted.join(file), partial.join(file)).with_context(|| file.to_owned())?;
    }
    let mut npm = Command::new("npm");
    npm.current_dir(&partial)
        // Nothing of a package runs while it is fetched.
        .args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"])
        .args(["--fetch-retries=1", "--fetch-timeout=20000"]);
    process::run(&mut npm)?;
    layout::remove(&folder)?;
    fs::rename(&partial, &folder).with_context(|| format!("cannot create `{}`", folder.display()))
}
