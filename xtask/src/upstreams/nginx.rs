//! The nginx of the machine's own Debian, unpacked into `target/tools/nginx`.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};

use crate::apt::{self, Apt};
use crate::layout::{self, Layout, names_in};
use crate::process;

const FOLDER: &str = "nginx";

/// Finds nginx where `NGINX_BIN` says, on the PATH or among the tools; else fetches it (3 MB, and 9 MB of package lists).
pub fn get(layout: &Layout) -> Result<()> {
    if std::env::var_os("NGINX_BIN").is_some_and(|name| !name.is_empty()) {
        return Ok(());
    }
    let folder = layout.tools.join(FOLDER);
    if runs(Path::new("nginx")).is_ok() || runs(&folder.join("nginx")).is_ok() {
        return Ok(());
    }
    let suite = apt::codename()?;
    let mirrors = apt::mirrors()?;
    process::read(Command::new("dpkg").arg("--version")).context("this machine has no dpkg")?;
    let mirror = mirrors.first().context("no mirror of Debian")?;
    eprintln!("fetching nginx of Debian {suite} from {mirror} into target/tools");
    let _lock = layout.lock_tools()?;
    let partial = layout.partial(FOLDER)?;
    let fetched = fetch(layout, mirror, &suite, &partial);
    layout::remove(&layout.partial(apt::FOLDER)?)?;
    fetched?;
    write_script(&partial)?;
    runs(&partial.join("nginx")).context("Debian's nginx does not run on this machine")?;
    layout::remove(&folder)?;
    fs::rename(&partial, &folder).with_context(|| format!("cannot create `{}`", folder.display()))
}

/// The package and the libraries that it names, of the same release as the machine's C library.
fn fetch(layout: &Layout, mirror: &str, suite: &str, folder: &Path) -> Result<()> {
    let apt = Apt::open(&layout.partial(apt::FOLDER)?, mirror, suite)?;
    let depends = apt.field("nginx", "Depends")?;
    let mut packages = vec!["nginx"];
    packages.extend(libraries(&depends));
    apt::unpack(&apt.download(&packages)?, folder)
}

/// `libssl3 (>= 3.0.0), zlib1g (>= 1:1.1.4), iproute2`: the libraries among them, less the C library.
fn libraries(depends: &str) -> Vec<&str> {
    depends
        .split(", ")
        .filter_map(|package| package.split(' ').next())
        .filter(|name| name.starts_with("lib") || name.starts_with("zlib"))
        .filter(|name| *name != "libc6")
        .collect()
}

/// Writes the script that starts it with its libraries. It finds the folder from where it lies, so that the tree can be moved.
fn write_script(folder: &Path) -> Result<()> {
    let mut libraries = Vec::new();
    for above in ["lib", "usr/lib"] {
        let names = names_in(&folder.join(above)).unwrap_or_default();
        let found = names.iter().filter(|name| name.contains("-linux-gnu"));
        libraries.extend(found.map(|name| format!("$here/{above}/{name}")));
    }
    ensure!(
        !libraries.is_empty(),
        "there are no libraries in the packages"
    );
    let script = folder.join("nginx");
    let text = format!(
        "#!/bin/sh\n\
         here=$(dirname \"$(readlink -f \"$0\")\")\n\
         LD_LIBRARY_PATH=\"{}\" exec \"$here/usr/sbin/nginx\" \"$@\"\n",
        libraries.join(":")
    );
    fs::write(&script, text)?;
    process::run(Command::new("chmod").arg("755").arg(&script))
}

fn runs(nginx: &Path) -> Result<()> {
    process::read(Command::new(nginx).arg("-v")).map(|_| ())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn libraries_are_told_from_other_packages() {
        let depends = "libc6 (>= 2.34), libcrypt1 (>= 1:4.1.0), libssl3 (>= 3.0.0), zlib1g (>= 1:1.1.4), iproute2, nginx-common (<< 1.22.1-9.1~)";
        assert_eq!(libraries(depends), ["libcrypt1", "libssl3", "zlib1g"]);
    }
}
