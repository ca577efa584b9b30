//! A text that the command line names: a file, or standard input for `-`.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use anyhow::{Context as _, bail};

use crate::streams::Streams;

/// A text, and the name under which it is spoken of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    /// The path as it was given; `<stdin>` for standard input.
    pub name: String,
    /// What stands in it, without the byte order mark that some editors put first.
    pub text: String,
}

/// What `path` names in messages.
pub fn name_of(path: &Path) -> String {
    match is_standard_input(path) {
        true => "<stdin>".into(),
        false => path.display().to_string(),
    }
}

/// Whether it is `-`.
pub fn is_standard_input(path: &Path) -> bool {
    path.as_os_str() == "-"
}

impl Document {
    /// Reads a text of at most `limit` octets.
    ///
    /// # Errors
    /// It cannot be read, is longer, or is not UTF-8.
    pub fn read(path: &Path, limit: usize, streams: &mut Streams) -> anyhow::Result<Self> {
        let name = name_of(path);
        let octets = octets(path, limit, streams)?;
        let text = String::from_utf8(octets).map_err(|error| {
            let valid = error.utf8_error().valid_up_to();
            let before = error.as_bytes().get(..valid).unwrap_or_default();
            let line = before.split(|octet| *octet == b'\n').count();
            anyhow::anyhow!("{name} is not UTF-8, in line {line}; save it as UTF-8")
        })?;
        let text = match text.strip_prefix('\u{feff}') {
            Some(text) => text.to_owned(),
            None => text,
        };
        Ok(Self { name, text })
    }
}

/// The octets of a file, or of standard input; at most `limit`.
///
/// # Errors
/// They cannot be read, or are more.
pub fn octets(path: &Path, limit: usize, streams: &mut Streams) -> anyhow::Result<Vec<u8>> {
    let name = name_of(path);
    let mut octets = Vec::new();
    // One more than the limit tells that there are more.
    let most = u64::try_from(limit).unwrap_or(u64::MAX).saturating_add(1);
    let read = match is_standard_input(path) {
        true => streams.input().take(most).read_to_end(&mut octets),
        false => File::open(path).and_then(|file| file.take(most).read_to_end(&mut octets)),
    };
    read.with_context(|| format!("cannot read {name}"))?;
    if octets.len() > limit {
        bail!("{name} is larger than {} KiB", limit / 1024);
    }
    Ok(octets)
}
