//! A Rust that compiles to WebAssembly: the one in use, the one in use with rustup's help, or Debian's, unpacked.

mod debian;
mod rustup;

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Result, bail, ensure};

use crate::layout::{Layout, names_in};
use crate::process;
use debian::Unpacked;

/// Which Rust compiles to WebAssembly here.
pub enum Toolchain {
    /// The one that cargo uses anyway.
    InUse,
    /// Another one, which cargo is told of by its environment.
    Unpacked(Unpacked),
}

impl Toolchain {
    /// Has `cargo` compile for `target` with this toolchain.
    pub fn choose_for(&self, cargo: &mut Command, target: &str) {
        let Self::Unpacked(unpacked) = self else {
            return;
        };
        let target = target.to_uppercase().replace('-', "_");
        cargo
            .env("RUSTC", &unpacked.rustc)
            .env(format!("CARGO_TARGET_{target}_LINKER"), &unpacked.linker)
            .envs(
                unpacked
                    .component_linker
                    .iter()
                    .map(|path| (debian::COMPONENT_LINKER, path)),
            )
            // A user's wrapper, such as a compiler cache, is for the compiler in use.
            .env("RUSTC_WRAPPER", "")
            .env("RUSTC_WORKSPACE_WRAPPER", "");
    }
}

/// The ways to come by one.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Way {
    Installed,
    Rustup,
    Debian,
}

type Attempt = fn(&Layout, &str) -> Result<Toolchain>;

/// Finds or fetches a Rust for `target`, saying what is being tried.
pub fn get(layout: &Layout, target: &str) -> Result<Toolchain> {
    let only = only_way(std::env::var("SCOPEGATE_WASM_TOOLCHAIN").ok().as_deref())?;
    let mut reasons = String::new();
    // What was unpacked last time comes before rustup, which without a network may have to wait for its time limit.
    let attempts: [(Way, Attempt); 4] = [
        (Way::Installed, installed),
        (Way::Debian, debian::unpacked_before),
        (Way::Rustup, rustup::get),
        (Way::Debian, debian::get),
    ];
    for (way, attempt) in attempts {
        if only.is_some_and(|only| only != way) {
            continue;
        }
        match attempt(layout, target) {
            Ok(toolchain) => return Ok(toolchain),
            Err(error) => reasons.push_str(&format!("\n  - {error:#}")),
        }
    }
    bail!(
        "no Rust that compiles to {target} is to be had here:{reasons}\n\
         Install the target once, with `rustup target add {target}` or from your system's packages \
         (Debian and Ubuntu call it libstd-rust-dev-wasm32), and call this again"
    )
}

fn only_way(named: Option<&str>) -> Result<Option<Way>> {
    match named {
        None | Some("") => Ok(None),
        Some("installed") => Ok(Some(Way::Installed)),
        Some("rustup") => Ok(Some(Way::Rustup)),
        Some("debian") => Ok(Some(Way::Debian)),
        Some(other) => {
            bail!("SCOPEGATE_WASM_TOOLCHAIN is `{other}`; it can be installed, rustup or debian")
        }
    }
}

/// The Rust in use, if it has the target already.
fn installed(layout: &Layout, target: &str) -> Result<Toolchain> {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let mut rustc = Command::new(rustc);
    rustc.current_dir(&layout.root).args(["--print", "sysroot"]);
    let sysroot = PathBuf::from(process::read(&mut rustc)?);
    ensure!(
        has_target(&sysroot, target),
        "the Rust in `{}` does not have {target}",
        sysroot.display()
    );
    Ok(Toolchain::InUse)
}

/// Whether the standard library for `target` lies in a sysroot.
fn has_target(sysroot: &Path, target: &str) -> bool {
    let folder = sysroot.join("lib/rustlib").join(target).join("lib");
    names_in(&folder).is_ok_and(|names| names.iter().any(|name| name.starts_with("libstd-")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_way_can_be_forced_by_name() {
        for (named, way) in [
            (None, None),
            (Some(""), None),
            (Some("installed"), Some(Way::Installed)),
            (Some("rustup"), Some(Way::Rustup)),
            (Some("debian"), Some(Way::Debian)),
        ] {
            assert_eq!(only_way(named).ok(), Some(way), "{named:?}");
        }
        let refused = only_way(Some("Debian")).expect_err("names are exact");
        assert!(refused.to_string().contains("`Debian`"), "{refused}");
    }
}
