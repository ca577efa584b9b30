//! What runs a Spin application here: the real thing, or the project's own test host.

use std::env;
use std::fmt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Result, bail};

/// The first that runs components of WASI 0.3, which the gate's are.
const OLDEST_SPIN: u32 = 4;

/// A program that takes `up --from spin.toml`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Program {
    /// Spin itself, and the version that it says it is.
    Spin(PathBuf, String),
    /// The project's own test host, package `spin-host`.
    TestHost(PathBuf),
}

impl Program {
    /// Spin where it can be had (`SPIN_BIN`, else `spin` on the PATH), else the test host. Where `SPIN_HOST_BIN` names that and
    /// nothing names a Spin, it is meant.
    ///
    /// # Errors
    /// A variable names a file that is not there or that is no Spin, or there is neither.
    pub fn find() -> Result<Self> {
        if named("SPIN_BIN")?.is_none()
            && let Some(path) = named("SPIN_HOST_BIN")?
        {
            return Ok(Self::TestHost(path));
        }
        match Self::real()? {
            Some(spin) => Ok(spin),
            None => Self::test_host(),
        }
    }

    /// Whether a variable says which it is to be.
    pub fn is_named() -> bool {
        ["SPIN_BIN", "SPIN_HOST_BIN"]
            .iter()
            .any(|variable| env::var_os(variable).is_some_and(|value| !value.is_empty()))
    }

    /// Spin itself; `None` where neither `SPIN_BIN` is set nor a `spin` that will do is on the PATH.
    ///
    /// # Errors
    /// `SPIN_BIN` names what is no Spin, or one that is too old.
    pub fn real() -> Result<Option<Self>> {
        if let Some(path) = named("SPIN_BIN")? {
            return match version(&path) {
                Some(version) => Ok(Some(Self::Spin(path, version))),
                None => bail!(
                    "SPIN_BIN names {}, which does not say that it is Spin {OLDEST_SPIN} or later",
                    path.display()
                ),
            };
        }
        let path = env::var_os("PATH").unwrap_or_default();
        Ok(env::split_paths(&path)
            .map(|folder| folder.join("spin"))
            .filter(|candidate| candidate.is_file())
            .find_map(|candidate| version(&candidate).map(|said| Self::Spin(candidate, said))))
    }

    /// The test host: `SPIN_HOST_BIN`, else where cargo leaves it.
    ///
    /// # Errors
    /// There is none.
    pub fn test_host() -> Result<Self> {
        if let Some(path) = named("SPIN_HOST_BIN")? {
            return Ok(Self::TestHost(path));
        }
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/debug");
        let path = folder.join(format!("spin-host{}", env::consts::EXE_SUFFIX));
        if !path.is_file() {
            bail!(
                "there is no Spin {OLDEST_SPIN} on the PATH, SPIN_BIN names none, and the project's test host is not built \
                 (`cargo build -p spin-host` does that)"
            );
        }
        Ok(Self::TestHost(path))
    }

    /// Whether tests can steer its clock, its instances and its stores.
    pub fn has_control(&self) -> bool {
        matches!(self, Self::TestHost(_))
    }

    /// The file to start.
    pub fn path(&self) -> &Path {
        match self {
            Self::Spin(path, _) | Self::TestHost(path) => path,
        }
    }
}

impl fmt::Display for Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Spin(path, version) => write!(f, "Spin {version} ({})", path.display()),
            Self::TestHost(_) => {
                f.write_str("the project's test host on wasmtime, not Spin itself")
            }
        }
    }
}

fn named(variable: &str) -> Result<Option<PathBuf>> {
    let Some(path) = env::var_os(variable).filter(|value| !value.is_empty()) else {
        return Ok(None);
    };
    let path = PathBuf::from(path);
    if !path.is_file() {
        bail!("{variable} names {}, which is not a file", path.display());
    }
    Ok(Some(std::path::absolute(path)?))
}

/// Asked, since `spin` on the PATH may also be the model checker of that name.
fn version(program: &Path) -> Option<String> {
    let output = Command::new(program)
        .arg("--version")
        .stdin(Stdio::null())
        .output()
        .ok()?;
    said_version(&String::from_utf8_lossy(&output.stdout))
}

/// The version in `spin 4.1.0 (aabbccd 2026-10-01)`, if it is not too old.
fn said_version(words: &str) -> Option<String> {
    let version = words.strip_prefix("spin ")?.split_whitespace().next()?;
    let (major, _) = version.split_once('.')?;
    let new_enough = major.parse::<u32>().is_ok_and(|major| major >= OLDEST_SPIN);
    new_enough.then(|| version.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spin_is_told_from_what_bears_its_name() {
        for (words, version) in [
            ("spin 4.1.0 (aabbccd 2026-10-01)\n", Some("4.1.0")),
            ("spin 10.0.0\n", Some("10.0.0")),
            ("spin 3.6.2 (aabbccd 2026-03-03)\n", None),
            ("Spin Version 6.5.2 -- 6 December 2019\n", None),
            ("spin\n", None),
            ("", None),
        ] {
            assert_eq!(said_version(words).as_deref(), version, "{words:?}");
        }
    }

    #[test]
    fn the_two_are_told_apart_in_words() {
        let spin = Program::Spin("/usr/bin/spin".into(), "4.1.0".to_owned());
        assert_eq!(spin.to_string(), "Spin 4.1.0 (/usr/bin/spin)");
        let host = Program::TestHost("target/debug/spin-host".into());
        assert!(host.to_string().contains("not Spin itself"), "{host}");
    }
}
