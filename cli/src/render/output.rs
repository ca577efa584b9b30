//! Where rendered configuration goes.

use std::fs::File;
use std::io::Write as _;
use std::path::Path;

use anyhow::Context as _;

use crate::document;
use crate::streams::Streams;

/// Writes it to that file in one step, or to standard output. Whoever watches the file, as Envoy does with its own, never reads half of it.
///
/// # Errors
/// It cannot be written.
pub(super) fn write(text: &str, file: Option<&Path>, streams: &mut Streams) -> anyhow::Result<()> {
    let Some(path) = file.filter(|path| !document::is_standard_input(path)) else {
        streams.out().write_all(text.as_bytes())?;
        return Ok(());
    };
    let mut fresh = path.as_os_str().to_owned();
    fresh.push(".new");
    let replace = || {
        let mut file = File::create(&fresh)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        std::fs::rename(&fresh, path)
    };
    replace().with_context(|| format!("cannot write {}", path.display()))
}
