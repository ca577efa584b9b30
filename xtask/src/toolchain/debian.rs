//! A newer Debian's Rust, unpacked into `target/tools/debian-rust` and called through that folder's own loader.
//!
//! It needs newer shared libraries than the machine has, the C library among them, so its own loader starts it with
//! its own libraries. What it compiles for the machine itself (build scripts, procedural macros) is linked by the
//! machine's `cc` against the machine's C library, and therefore runs here; and the newer compiler can load macros that
//! ask for an older C library than its own.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, anyhow, ensure};

use super::{Toolchain, has_target};
use crate::apt::{self, Apt};
use crate::layout::{self, Layout, names_in};
use crate::process;

/// Cargo is told of these scripts.
pub struct Unpacked {
    pub rustc: PathBuf,
    pub linker: PathBuf,
    /// What makes a component of a module, where the target asks for one. Debian has no such program; the script calls the one
    /// of the Rust in use, which it is told of by [`COMPONENT_LINKER`].
    pub component_linker: Option<PathBuf>,
}

/// The variable by which the script of the linker finds `wasm-component-ld`.
pub const COMPONENT_LINKER: &str = "SCOPEGATE_WASM_COMPONENT_LD";

const FOLDER: &str = "debian-rust";
const COMPONENT_SCRIPT: &str = "wasm-component-ld";
/// The older one first: its packages are less often caught half-way through a transition.
const SUITES: [&str; 2] = ["testing", "unstable"];
const STD: &str = "libstd-rust-dev";
const STD_WASM: &str = "libstd-rust-dev-wasm32";

/// What an earlier call left, if it is whole, has the target, and is new enough for the workspace.
pub fn unpacked_before(layout: &Layout, target: &str) -> Result<Toolchain> {
    let folder = layout.tools.join(FOLDER);
    ensure!(folder.is_dir(), "Debian's Rust was not unpacked before");
    let unpacked =
        check(&folder, target).with_context(|| format!("`{}` cannot be used", folder.display()))?;
    eprintln!("using Debian's Rust in target/tools/{FOLDER}");
    Ok(Toolchain::Unpacked(unpacked))
}

/// Fetches and unpacks it. About 200 MB, and 800 MB unpacked.
pub fn get(layout: &Layout, target: &str) -> Result<Toolchain> {
    let mirrors = apt::mirrors()?;
    process::read(Command::new("dpkg").arg("--version")).context("this machine has no dpkg")?;
    let _lock = layout.lock_tools()?;
    // Another xtask may have fetched it while this one waited.
    if let Ok(toolchain) = unpacked_before(layout, target) {
        return Ok(toolchain);
    }
    let partial = layout.partial(FOLDER)?;
    let unpacked = fetch(layout, &mirrors).and_then(|packages| apt::unpack(&packages, &partial));
    layout::remove(&layout.partial(apt::FOLDER)?)?;
    unpacked?;
    write_scripts(&partial)?;
    check(&partial, target).context("Debian's Rust does not work on this machine")?;

    let folder = layout.tools.join(FOLDER);
    layout::remove(&folder)?;
    fs::rename(&partial, &folder)
        .with_context(|| format!("cannot create `{}`", folder.display()))?;
    unpacked_before(layout, target)
}

/// Fetches the packages from the first suite of the first mirror whose Rust is new enough.
fn fetch(layout: &Layout, mirrors: &[String]) -> Result<Vec<PathBuf>> {
    let mut last = anyhow!("no mirror");
    for mirror in mirrors {
        for suite in SUITES {
            eprintln!("looking for Rust in Debian {suite} at {mirror}");
            let opened = Apt::open(&layout.partial(apt::FOLDER)?, mirror, suite);
            let silent = opened.is_err();
            match opened.and_then(|apt| fetch_from(&apt)) {
                Ok(packages) => return Ok(packages),
                Err(error) => last = error.context(format!("Debian {suite} at {mirror}")),
            }
            eprintln!("{last:#}");
            // A mirror that does not answer will not for another suite.
            if silent {
                break;
            }
        }
    }
    Err(last)
}

fn fetch_from(apt: &Apt) -> Result<Vec<PathBuf>> {
    let version = apt.field("rustc", "Version")?;
    ensure!(is_new_enough(&version), "its Rust is {version}, too old");
    // The linker of the same LLVM as the compiler; the package recommends it by its number.
    let recommended = apt.field(STD_WASM, "Recommends")?;
    let linker = recommended
        .split(", ")
        .find(|name| name.starts_with("lld-"))
        .context("it recommends no linker")?;
    eprintln!("fetching Rust {version} (about 200 MB)");
    apt.fetch(&[STD, STD_WASM, linker], &format!("rustc={version}"))
}

/// Whether a version such as `1.97.1+dfsg1-1` is at least the workspace's `rust-version`.
fn is_new_enough(version: &str) -> bool {
    numbers(version) >= numbers(env!("CARGO_PKG_RUST_VERSION"))
}

/// Major and minor version.
fn numbers(version: &str) -> Option<(u32, u32)> {
    let mut parts = version.split('.');
    Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
}

/// Writes the two scripts that cargo calls. They find the folder from where they lie, so that the tree can be moved.
fn write_scripts(folder: &Path) -> Result<()> {
    let (libraries, loader) = loader(folder)?;
    let linker = names_in(&folder.join("usr/bin"))?
        .into_iter()
        .find(|name| name.starts_with("wasm-ld"))
        .context("there is no wasm-ld in the packages")?;
    for (script, program, arguments) in [
        ("rustc", "rustc", "--sysroot \"$here/usr\" "),
        ("wasm-ld", linker.as_str(), ""),
    ] {
        let text = format!(
            "#!/bin/sh\n\
             here=$(dirname \"$(readlink -f \"$0\")\")\n\
             exec \"$here/{libraries}/{loader}\" --library-path \"$here/{libraries}\" \
             \"$here/usr/bin/{program}\" {arguments}\"$@\"\n"
        );
        let script = folder.join(script);
        write_script(&script, &text)?;
    }
    let text = format!(
        "#!/bin/sh\n\
         here=$(dirname \"$(readlink -f \"$0\")\")\n\
         exec \"${COMPONENT_LINKER}\" --wasm-ld-path \"$here/wasm-ld\" \"$@\"\n"
    );
    write_script(&folder.join(COMPONENT_SCRIPT), &text)
}

fn write_script(file: &Path, text: &str) -> Result<()> {
    fs::write(file, text)?;
    process::run(Command::new("chmod").arg("755").arg(file))
}

/// Where the C library lies, and the loader beside it: `usr/lib/x86_64-linux-gnu` and `ld-linux-x86-64.so.2`.
fn loader(folder: &Path) -> Result<(String, String)> {
    for architecture in names_in(&folder.join("usr/lib"))? {
        let libraries = format!("usr/lib/{architecture}");
        let names = names_in(&folder.join(&libraries)).unwrap_or_default();
        if let Some(loader) = names.into_iter().find(|name| name.starts_with("ld-linux")) {
            return Ok((libraries, loader));
        }
    }
    Err(anyhow!("there is no loader in the packages"))
}

fn check(folder: &Path, target: &str) -> Result<Unpacked> {
    let (script, component_linker) = match target.ends_with("wasip2") {
        true => (COMPONENT_SCRIPT, Some(component_linker()?)),
        false => ("wasm-ld", None),
    };
    let unpacked = Unpacked {
        rustc: folder.join("rustc"),
        linker: folder.join(script),
        component_linker,
    };
    let version = process::read(Command::new(&unpacked.rustc).arg("--version"))?;
    let number = version.split(' ').nth(1).unwrap_or_default();
    ensure!(is_new_enough(number), "it is {version}, too old");
    let mut linker = Command::new(&unpacked.linker);
    linker.arg("--version");
    linker.envs(
        unpacked
            .component_linker
            .iter()
            .map(|path| (COMPONENT_LINKER, path)),
    );
    process::read(&mut linker)?;
    ensure!(has_target(&folder.join("usr"), target), "it lacks {target}");
    Ok(unpacked)
}

/// `wasm-component-ld` beside the Rust in use, where rustup puts it, else on the PATH.
fn component_linker() -> Result<PathBuf> {
    let sysroot = process::read(Command::new("rustc").args(["--print", "sysroot"]))?;
    let targets = PathBuf::from(sysroot).join("lib/rustlib");
    let names = names_in(&targets).unwrap_or_default().into_iter();
    let beside = names.map(|target| targets.join(target).join("bin"));
    let path = std::env::var_os("PATH").unwrap_or_default();
    let name = format!("{COMPONENT_SCRIPT}{}", std::env::consts::EXE_SUFFIX);
    beside
        .chain(std::env::split_paths(&path))
        .map(|folder| folder.join(&name))
        .find(|file| file.is_file())
        .context(
            "there is no wasm-component-ld, which makes components for Spin, beside this Rust or on the PATH: \
             `cargo install wasm-component-ld` brings it",
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_compare_as_numbers() {
        for (version, enough) in [
            ("1.97.1+dfsg1-1", true),
            ("2.0.0", true),
            ("1.9.0", false),
            ("1.85.1+dfsg1-1+deb13u1", false),
            ("", false),
        ] {
            assert_eq!(is_new_enough(version), enough, "{version}");
        }
    }
}
