//! What the demo in Envoy needs beside the files of the tree.

use std::path::PathBuf;

use anyhow::{Context, Result, bail};

/// The two things that `cargo xtask demo` makes and gets.
pub(crate) struct Tools {
    pub(super) envoy: PathBuf,
    pub(super) filter: PathBuf,
}

impl Tools {
    pub(crate) fn find() -> Result<Self> {
        let envoy = e2e::tools::envoy()?.context(
            "there is no Envoy: neither does ENVOY_BIN name one, nor is one on the PATH (`cargo xtask demo` gets it)",
        )?;
        let filter = std::env::var_os("SCOPEGATE_FILTER")
            .filter(|value| !value.is_empty())
            .context("SCOPEGATE_FILTER does not name the filter (`cargo xtask demo` builds it and sets the variable)")?;
        let filter = std::path::absolute(PathBuf::from(filter))?;
        if !filter.is_file() {
            bail!(
                "there is no filter at {} (`cargo xtask build` makes it)",
                filter.display()
            );
        }
        Ok(Self { envoy, filter })
    }
}
