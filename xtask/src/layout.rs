//! Where things lie: the tree, what cargo builds, what users pick up, and the tools fetched for them.

use std::ffi::OsStr;
use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf, absolute};
use std::process::Command;

use anyhow::{Context, Result, ensure};

/// The folders of one checkout.
pub struct Layout {
    /// The workspace.
    pub root: PathBuf,
    /// Where cargo builds: `target`, unless `CARGO_TARGET_DIR` says otherwise.
    pub built: PathBuf,
    /// What users pick up. Always `target/dist`, so that documents can name it.
    pub dist: PathBuf,
    /// Envoy and the unpacked Rust. Always `target/tools`.
    pub tools: PathBuf,
}

impl Layout {
    /// Finds the checkout this program belongs to, wherever it is called from.
    pub fn find() -> Result<Self> {
        // Cargo says at run time where the package lies; the path at compile time serves a program started by hand.
        let package = std::env::var_os("CARGO_MANIFEST_DIR")
            .map(PathBuf::from)
            .filter(|folder| folder.ends_with("xtask"))
            .unwrap_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")));
        let root = package.parent().map(Path::to_path_buf).unwrap_or_default();
        ensure!(
            root.join("Cargo.toml").is_file(),
            "no Cargo.toml in `{}`: the tree has moved, run this through `cargo xtask`",
            root.display()
        );
        let target = root.join("target");
        let built = match std::env::var_os("CARGO_TARGET_DIR") {
            Some(folder) if !folder.is_empty() => absolute(folder)?,
            _ => target.clone(),
        };
        Ok(Self {
            built,
            dist: target.join("dist"),
            tools: target.join("tools"),
            root,
        })
    }

    /// A cargo command in this workspace, of the same toolchain as the cargo that started this program.
    pub fn cargo(&self) -> Command {
        self.command(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
    }

    /// Another program that calls cargo in this workspace.
    pub fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(program);
        command
            .current_dir(&self.root)
            .env("CARGO_TARGET_DIR", &self.built);
        // What `cargo run` says of this package would reach other packages' build scripts, and a plain `cargo test`
        // afterwards would build them again.
        for (name, _) in std::env::vars_os() {
            let about_us = name.to_str().is_some_and(|name| {
                name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_")
            });
            if about_us {
                command.env_remove(name);
            }
        }
        command
    }

    /// Keeps a second xtask out of the tools folder until the returned file is dropped.
    pub fn lock_tools(&self) -> Result<File> {
        fs::create_dir_all(&self.tools)
            .with_context(|| format!("cannot create `{}`", self.tools.display()))?;
        let path = self.tools.join(".lock");
        let lock =
            File::create(&path).with_context(|| format!("cannot write `{}`", path.display()))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                eprintln!("waiting for another xtask that is fetching tools");
                lock.lock()?;
            }
            Err(TryLockError::Error(error)) => {
                return Err(error).with_context(|| format!("cannot lock `{}`", path.display()));
            }
        }
        Ok(lock)
    }

    /// An empty folder to prepare a tool in, which is renamed to its final name only once it is whole. What an
    /// interrupted run left there goes first. Call it with the tools locked.
    pub fn partial(&self, name: &str) -> Result<PathBuf> {
        let folder = self.tools.join(format!("{name}.partial"));
        remove(&folder)?;
        fs::create_dir_all(&folder)
            .with_context(|| format!("cannot create `{}`", folder.display()))?;
        Ok(folder)
    }
}

/// Removes a folder and what is in it; one that does not exist is as good.
pub fn remove(folder: &Path) -> Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("cannot remove `{}`", folder.display()))
        }
        _ => Ok(()),
    }
}

/// The names of what lies in a folder, sorted.
pub fn names_in(folder: &Path) -> Result<Vec<String>> {
    let mut names = Vec::new();
    let entries =
        fs::read_dir(folder).with_context(|| format!("cannot read `{}`", folder.display()))?;
    for entry in entries {
        names.push(entry?.file_name().to_string_lossy().into_owned());
    }
    names.sort();
    Ok(names)
}

/// How much lies in a folder of unfinished downloads.
pub fn bytes_in(folder: &Path) -> u64 {
    let Ok(entries) = fs::read_dir(folder) else {
        return 0;
    };
    entries
        .flatten()
        .filter_map(|entry| entry.metadata().ok())
        .map(|file| file.len())
        .sum()
}
