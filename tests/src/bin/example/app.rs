//! The app's files, with the addresses of this run.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use serde_json::json;

use crate::addresses::Addresses;

/// Copies what was built into a folder of this run, and writes its `config.json`. Returns the folder.
pub(crate) fn place(built: &Path, folder: &Path, addresses: Addresses) -> Result<PathBuf> {
    if !built.join("index.html").is_file() {
        bail!(
            "the app is not built: there is no index.html in {} (`cargo xtask example` builds it)",
            built.display()
        );
    }
    let app = folder.join("app");
    copy(built, &app)?;
    let mut apis = json!({ "same-origin": "" });
    if let Some(second) = addresses.second_origin() {
        apis["two-origins"] = json!(second);
    }
    let configuration = json!({
        "issuer": format!("http://127.0.0.1:{}/", addresses.issuer),
        "client_id": "timesheets-spa",
        "audience": "https://timesheets.example.com/api",
        "apis": apis,
    });
    fs::write(app.join("config.json"), format!("{configuration:#}\n"))?;
    Ok(app)
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to).with_context(|| format!("making {}", to.display()))?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), &target)
                .with_context(|| format!("writing {}", target.display()))?;
        }
    }
    Ok(())
}
