//! Key sets that a user hands over, in place of those that a gate would fetch.

use std::path::{Path, PathBuf};

use anyhow::bail;
use scopegate_core::{
    FetchReport, IssuerId, KeyAnswer, KeyCache, KeyLocation, KeyRequest, MAX_KEY_SET_BYTES, Policy,
    Timestamp, TokenCache,
};
use serde_json::json;

use crate::document;
use crate::streams::Streams;

/// The keys of a policy's issuers: those that stand in it, and those of these files.
///
/// A file is `PATH`, or `ISSUER=PATH` where the policy has more than one issuer whose keys are fetched.
///
/// # Errors
/// A file cannot be read, holds no keys, or it is open whose they are.
pub fn of_files(
    policy: &Policy,
    files: &[PathBuf],
    now: Timestamp,
    streams: &mut Streams,
) -> anyhow::Result<KeyCache> {
    let mut keys = KeyCache::new(policy);
    for file in files {
        let (issuer, path) = assignment(policy, file)?;
        let octets = document::octets(&path, MAX_KEY_SET_BYTES, streams)?;
        install(policy, &mut keys, issuer, octets, now).map_err(|why| {
            anyhow::anyhow!(
                "{} is no key set that a gate would take: {why}",
                document::name_of(&path)
            )
        })?;
    }
    Ok(keys)
}

/// Hands the keys over as the answer to the fetch that a gate would make.
///
/// # Errors
/// Why a gate would not take them, by the code that its logs have.
pub fn install(
    policy: &Policy,
    keys: &mut KeyCache,
    issuer: IssuerId,
    octets: Vec<u8>,
    now: Timestamp,
) -> Result<(), &'static str> {
    let mut tokens = TokenCache::new(policy, 0);
    let Some(first) = keys.request(issuer, now) else {
        return Err("the issuer's keys stand in the policy");
    };
    let mut request = first;
    let is_discovered = policy
        .issuers()
        .get(
            policy
                .issuer_ids()
                .position(|id| id == issuer)
                .unwrap_or(usize::MAX),
        )
        .and_then(|known| metadata(&known.issuer, &request));
    if let Some(metadata) = is_discovered {
        // Where the keys are is not asked: here they are.
        let answer = KeyAnswer::new::<&str, &str>(200, [], metadata);
        keys.install(&mut tokens, &request, Ok(answer), now);
        request = keys.under_way(issuer, now).unwrap_or(request);
    }
    let answer = match &request.location {
        KeyLocation::Url(_) => KeyAnswer::new::<&str, &str>(200, [], octets),
        KeyLocation::File(_) => KeyAnswer::of_file(octets),
    };
    let report = keys.install(&mut tokens, &request, Ok(answer), now);
    match report {
        FetchReport::Installed { .. } => Ok(()),
        FetchReport::Discovered | FetchReport::Failed(_) => Err(report.code()),
    }
}

/// Metadata with which a discovered issuer says that its keys are at its own address; nothing for one whose keys' address is known.
fn metadata(issuer: &str, request: &KeyRequest) -> Option<Vec<u8>> {
    let KeyLocation::Url(url) = &request.location else {
        return None;
    };
    let (origin, _) = url.split_once("/.well-known/openid-configuration")?;
    let metadata = json!({ "issuer": issuer, "jwks_uri": format!("{origin}/keys") });
    Some(metadata.to_string().into_bytes())
}

/// Whose keys a file has: what stands before `=` if it names an issuer, or the only issuer there is.
fn assignment(policy: &Policy, file: &Path) -> anyhow::Result<(IssuerId, PathBuf)> {
    let ids = || policy.issuer_ids().zip(policy.issuer_names());
    if let Some((name, path)) = file.to_str().and_then(|text| text.split_once('='))
        && let Some((id, _)) = ids().find(|(_, known)| *known == name)
    {
        return Ok((id, path.into()));
    }
    let wanted: Vec<&str> = policy
        .fetched_issuers()
        .chain(policy.key_files().map(|(name, _)| name))
        .collect();
    match wanted.as_slice() {
        [] => bail!("the policy has no issuer whose keys come from outside: leave `--jwks` out"),
        [only] => match ids().find(|(_, name)| name == only) {
            Some((id, _)) => Ok((id, file.to_owned())),
            None => bail!("the policy has no issuer"),
        },
        several => bail!(
            "whose keys are in {}? Write `--jwks ISSUER={}` with one of {}",
            file.display(),
            file.display(),
            several.join(", ")
        ),
    }
}
