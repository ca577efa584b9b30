//! Packages of npm, exactly those of a lock file, in a folder of `target/tools`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use crate::layout::{self, Layout};
use crate::process;

/// Packages that something needs.
pub struct Packages {
    /// What they are, for people, and how much is fetched.
    pub name: &'static str,
    /// Where `package.json` and `package-lock.json` are, in the tree.
    pub wanted: &'static str,
    /// What else of that folder has to lie beside the packages: modules find packages from where they are themselves.
    pub beside: &'static [&'static str],
    /// Where they come to lie, among the tools.
    pub folder: &'static str,
}

/// The schemas of Istio's and Envoy Gateway's resources, for the tests of `scopegate render`.
pub const KUBERNETES: Packages = Packages {
    name: "the schemas of Istio and Envoy Gateway (39 MB)",
    wanted: "cli/tests/kubernetes",
    beside: &["validate.js"],
    folder: "kubernetes-models",
};

const FILES: [&str; 2] = ["package.json", "package-lock.json"];

/// Whether the tests that need Node and npm have to have them.
pub fn is_required() -> bool {
    std::env::var("SCOPEGATE_REQUIRE_NODE").is_ok_and(|value| value == "1")
}

/// Whether there are Node and npm.
///
/// # Errors
/// One is missing.
pub fn check() -> Result<()> {
    for program in ["node", "npm"] {
        process::read(Command::new(program).arg("--version"))
            .with_context(|| format!("this machine has no {program}"))?;
    }
    Ok(())
}

/// Fetches what the lock file of a folder names.
pub fn ci(folder: &Path) -> Command {
    let mut npm = Command::new("npm");
    npm.current_dir(folder)
        // Nothing of a package runs while it is fetched.
        .args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"])
        .args(["--fetch-retries=1", "--fetch-timeout=20000"]);
    npm
}

impl Packages {
    /// Has npm fetch them, unless those of the same lock file are there. Returns their folder.
    pub fn get(&self, layout: &Layout) -> Result<PathBuf> {
        let wanted = layout.root.join(self.wanted);
        let folder = layout.tools.join(self.folder);
        let files = || FILES.iter().chain(self.beside);
        let is_current = files().all(|file| is_same(&wanted.join(file), &folder.join(file)));
        if is_current {
            return Ok(folder);
        }
        check()?;
        eprintln!("fetching {} with npm into target/tools", self.name);
        let _lock = layout.lock_tools()?;
        let partial = layout.partial(self.folder)?;
        for file in files() {
            fs::copy(wanted.join(file), partial.join(file)).with_context(|| (*file).to_owned())?;
        }
        process::run(&mut ci(&partial))?;
        layout::remove(&folder)?;
        fs::rename(&partial, &folder)
            .with_context(|| format!("cannot create `{}`", folder.display()))?;
        Ok(folder)
    }

    /// The same, where a machine without Node goes without; it is told so.
    ///
    /// # Errors
    /// They cannot be had, and `SCOPEGATE_REQUIRE_NODE=1` asks for them.
    pub fn get_if_possible(&self, layout: &Layout) -> Result<Option<PathBuf>> {
        match self.get(layout) {
            Ok(folder) => Ok(Some(folder)),
            Err(error) if is_required() => {
                Err(error).with_context(|| format!("{} cannot be had here", self.name))
            }
            Err(error) => {
                eprintln!("SKIPPED: the tests that need {}: {error:#}", self.name);
                Ok(None)
            }
        }
    }
}

fn is_same(one: &Path, other: &Path) -> bool {
    let there = fs::read(other).ok();
    there.is_some() && there == fs::read(one).ok()
}
