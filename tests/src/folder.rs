//! The folder of one process that a test started: removed at the end, kept when the test is failing.

use std::path::Path;

use anyhow::{Context, Result};

/// A folder under the system's temporary one. On drop it is removed, unless the thread is panicking: then it is kept, and its
/// place is printed.
#[derive(Debug)]
pub(crate) struct Folder {
    whose: &'static str,
    // Taken out when it is to be kept.
    place: Option<tempfile::TempDir>,
}

impl Folder {
    /// `whose` stands in messages ("Envoy"), `prefix` in the folder's name.
    pub(crate) fn of(whose: &'static str, prefix: &str) -> Result<Self> {
        let place = tempfile::Builder::new()
            .prefix(prefix)
            .tempdir()
            .with_context(|| format!("making a folder for {whose}"))?;
        Ok(Self {
            whose,
            place: Some(place),
        })
    }

    pub(crate) fn path(&self) -> &Path {
        self.place
            .as_ref()
            .map_or(Path::new(""), |place| place.path())
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if let Some(place) = self.place.take()
            && std::thread::panicking()
        {
            eprintln!(
                "what {} was given and what it logged is kept in {}",
                self.whose,
                place.keep().display()
            );
        }
    }
}
