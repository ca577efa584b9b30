//! Where rendered configuration goes.

use std::path::Path;

use crate::document;
use crate::replacement::replace;
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
    replace(path, text)
}
