//! The settings that the Envoy filter alone reads.

use std::collections::BTreeMap;

use super::EnvoySettings;
use super::error::Problems;
use super::file::EnvoyFile;
use super::names::IssuerNames;
use super::setting::{non_empty, truth};

/// The settings. An issuer without a cluster is for the filter to refuse: other hosts need none.
pub(super) fn settings(
    file: EnvoyFile,
    issuers: &IssuerNames,
    problems: &mut Problems<'_>,
) -> Option<EnvoySettings> {
    let EnvoyFile {
        clusters: file,
        log_subject,
    } = file;
    let mut clusters = BTreeMap::new();
    let mut all_fit = true;
    for (issuer, cluster) in file.map(|clusters| clusters.value.0).unwrap_or_default() {
        if let Err(kind) = issuers.find(&issuer.value) {
            problems.report(issuer.place, kind);
            all_fit = false;
        }
        match non_empty(cluster, "clusters", problems) {
            Some(cluster) => drop(clusters.insert(issuer.value, cluster)),
            None => all_fit = false,
        }
    }
    let log_subject = truth(log_subject, problems)?;
    all_fit.then_some(EnvoySettings {
        clusters,
        log_subject,
    })
}
