//! Private keys in a file, so that tokens of one run verify in the next.

use std::fs::File;
use std::io::{ErrorKind, Read as _, Write as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use scopegate_core::Algorithm;
use serde_json::{Value, json};
use tempfile::NamedTempFile;

use super::key_pair::KeyPair;
use super::local_issuer::Issuer;

/// As much as a gate reads of a set of public keys.
const MAX_BYTES: usize = scopegate_core::MAX_KEY_SET_BYTES;

/// A file with a set of private JSON Web Keys (RFC 7517).
#[derive(Clone, Debug)]
pub(super) struct SavedKeys {
    path: PathBuf,
}

impl SavedKeys {
    pub(super) fn at(path: &Path) -> Self {
        let path = path.to_owned();
        Self { path }
    }

    /// The keys in the file, those for `wanted` first and in that order; nothing where there is no file.
    ///
    /// # Errors
    /// It cannot be read, others may read it, it holds something else, or no key for what is wanted.
    pub(super) fn read(&self, wanted: &[Algorithm]) -> anyhow::Result<Option<Vec<KeyPair>>> {
        let name = self.path.display();
        let file = match File::open(&self.path) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error).with_context(|| format!("cannot read {name}")),
        };
        refuse_if_shared(&file, &self.path)?;
        let mut text = Vec::new();
        let most = u64::try_from(MAX_BYTES).unwrap_or(u64::MAX);
        file.take(most.saturating_add(1))
            .read_to_end(&mut text)
            .with_context(|| format!("cannot read {name}"))?;
        if text.len() > MAX_BYTES {
            bail!("{name} is larger than {} KiB", MAX_BYTES / 1024);
        }
        let set: Value =
            serde_json::from_slice(&text).with_context(|| format!("{name} is no JSON"))?;
        let Some(jwks) = set.get("keys").and_then(Value::as_array) else {
            bail!("{name} is no set of JSON Web Keys: `keys` is no list");
        };
        let keys = jwks.iter().map(KeyPair::from_jwk);
        let keys: anyhow::Result<Vec<_>> = keys.collect();
        let mut keys = keys.with_context(|| format!("cannot use {name}"))?;
        for algorithm in wanted {
            if !keys.iter().any(|key| key.algorithm() == *algorithm) {
                let wanted = algorithm.name();
                bail!(
                    "{name} holds no key for {wanted}: leave out `--alg {wanted}`, or name another file"
                );
            }
        }
        let place = |key: &KeyPair| wanted.iter().position(|one| *one == key.algorithm());
        keys.sort_by_key(|key| place(key).unwrap_or(usize::MAX));
        Ok(Some(keys))
    }

    /// Saves the keys that sign, in one step and for the owner alone.
    ///
    /// # Errors
    /// The folder cannot be written to.
    pub(super) fn write(&self, issuer: &Issuer) -> anyhow::Result<()> {
        let set = json!({ "keys": issuer.private_keys()? });
        let folder = match self.path.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            _ => Path::new("."),
        };
        let write = || -> std::io::Result<()> {
            // Of mode 0600.
            let mut file = NamedTempFile::new_in(folder)?;
            writeln!(file, "{set:#}")?;
            file.as_file().sync_all()?;
            file.persist(&self.path)?;
            Ok(())
        };
        write().with_context(|| format!("cannot write {}", self.path.display()))
    }
}

#[cfg(unix)]
fn refuse_if_shared(file: &File, path: &Path) -> anyhow::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = file.metadata()?.permissions().mode();
    if mode & 0o077 != 0 {
        let name = path.display();
        bail!("others may read the private keys in {name}: `chmod 600 {name}`");
    }
    Ok(())
}

#[cfg(not(unix))]
fn refuse_if_shared(_file: &File, _path: &Path) -> anyhow::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn issuer(algorithms: &[Algorithm]) -> Issuer {
        Issuer::generate("urn:i", algorithms).unwrap()
    }

    fn ids(keys: &[KeyPair]) -> Vec<String> {
        keys.iter().map(KeyPair::id).collect()
    }

    #[test]
    fn keys_are_the_same_when_they_are_read_again() {
        let folder = tempfile::tempdir().unwrap();
        let saved = SavedKeys::at(&folder.path().join("keys.json"));
        assert!(saved.read(&[]).unwrap().is_none());
        let before = issuer(&[Algorithm::Es256, Algorithm::Ed25519]);
        saved.write(&before).unwrap();
        let again = saved.read(&[]).unwrap().unwrap();
        let again = Issuer::with_keys("urn:i", again).unwrap();
        let now = std::time::UNIX_EPOCH;
        assert_eq!(again.key_set(now).unwrap(), before.key_set(now).unwrap());
    }

    #[test]
    fn what_is_wanted_comes_first() {
        let folder = tempfile::tempdir().unwrap();
        let saved = SavedKeys::at(&folder.path().join("keys.json"));
        saved
            .write(&issuer(&[Algorithm::Es256, Algorithm::Ed25519]))
            .unwrap();
        let usual = ids(&saved.read(&[]).unwrap().unwrap());
        let other = ids(&saved.read(&[Algorithm::Ed25519]).unwrap().unwrap());
        assert_eq!([&usual[1], &usual[0]], [&other[0], &other[1]]);
        let refused = saved.read(&[Algorithm::Rs256]).err().unwrap().to_string();
        assert!(
            refused
                .ends_with("holds no key for RS256: leave out `--alg RS256`, or name another file"),
            "{refused}"
        );
    }

    #[cfg(unix)]
    #[test]
    fn the_file_is_for_its_owner_alone() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keys.json");
        let saved = SavedKeys::at(&path);
        saved.write(&issuer(&[Algorithm::Ed25519])).unwrap();
        assert_eq!(
            fs::metadata(&path).unwrap().permissions().mode() & 0o777,
            0o600
        );
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        let refused = saved.read(&[]).err().unwrap().to_string();
        assert!(
            refused.starts_with("others may read the private keys"),
            "{refused}"
        );
    }

    #[test]
    fn something_else_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keys.json");
        let saved = SavedKeys::at(&path);
        saved.write(&issuer(&[Algorithm::Ed25519])).unwrap();
        let public = r#"{"keys":[{"kty":"OKP","crv":"Ed25519","alg":"EdDSA","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}"#;
        let large = " ".repeat(MAX_BYTES + 1);
        for (text, says) in [
            ("", "is no JSON"),
            ("[]", "is no set of JSON Web Keys: `keys` is no list"),
            (r#"{"keys":[{"kty":"oct"}]}"#, "a key has no `alg`"),
            (
                r#"{"keys":[{"kty":"oct","alg":"HS256"}]}"#,
                "which no policy allows",
            ),
            (public, "is no private JSON Web Key of that kind"),
            (&large, "is larger than 64 KiB"),
        ] {
            fs::write(&path, text).unwrap();
            let refused = format!("{:#}", saved.read(&[]).err().unwrap());
            assert!(refused.contains(says), "{refused}");
        }
    }
}
