//! `scopegate check`: every error of a policy, and what looks like a mistake though it is none.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use scopegate_core::Policy;
use scopegate_yaml::Node;
use serde_json::Value;

use crate::Outcome;
use crate::diagnostic::{Diagnostic, Severity, json, sarif, text};
use crate::document::Document;
use crate::lint::{self, SpinManifest, Subject};
use crate::place::Places;
use crate::policy_file;
use crate::streams::Streams;

/// Check policies: every error, and lints for what is most likely a mistake
///
/// Nothing is printed when all is well. Errors are what no gate takes; warnings are what it takes and what is most likely not meant.
///
/// Exit status: 0 without errors, 1 with errors (with `--deny-warnings` also with warnings), 2 for a policy that cannot be read.
///
/// Examples: `scopegate check policy.yaml`, `scopegate check --format sarif policies/*.yaml > scopegate.sarif`
#[derive(Debug, Args)]
pub(crate) struct CheckArguments {
    /// The policies; `-` is standard input
    #[arg(required = true, value_name = "POLICY")]
    policies: Vec<PathBuf>,
    /// How they are told
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    /// The spin.toml of the application that is to use the policies: may it reach their issuers?
    #[arg(long, value_name = "FILE")]
    spin_manifest: Option<PathBuf>,
    /// Count warnings as errors in the exit status
    #[arg(long)]
    deny_warnings: bool,
}

/// A manifest names components and files; those of Spin's own templates have 1 KiB.
const MAX_MANIFEST_BYTES: usize = 256 * 1024;

/// How diagnostics are told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people: the line, underlined, and the remedy
    Text,
    /// A JSON list with an object for each policy
    Json,
    /// SARIF 2.1.0, which forges show beside the change
    Sarif,
}

pub(crate) fn run(arguments: &CheckArguments, streams: &mut Streams) -> anyhow::Result<Outcome> {
    let manifest = match &arguments.spin_manifest {
        None => None,
        Some(path) => {
            let document = Document::read(path, MAX_MANIFEST_BYTES, streams)?;
            Some(SpinManifest::parse(&document)?)
        }
    };
    let mut reports = Vec::new();
    for path in &arguments.policies {
        let document = policy_file::read(path, streams)?;
        let host = match &manifest {
            None => Host::Any,
            Some(manifest) => Host::Spin(manifest),
        };
        let found = diagnostics(&document, host);
        reports.push((document, found));
    }
    match arguments.format {
        Format::Text => {
            for (document, found) in &reports {
                let shown = text::render(document, found);
                streams.out().write_all(shown.as_bytes())?;
            }
        }
        Format::Json => {
            let all = reports.iter();
            let all: Value = all
                .map(|(document, found)| json::report(&document.name, found))
                .collect();
            writeln!(streams.out(), "{all:#}")?;
        }
        Format::Sarif => {
            let all = reports.iter();
            let all = all.map(|(document, found)| (document.name.as_str(), found.as_slice()));
            writeln!(streams.out(), "{:#}", sarif::log(all))?;
        }
    }
    let fails =
        |diagnostic: &Diagnostic| diagnostic.severity == Severity::Error || arguments.deny_warnings;
    let mut all = reports.iter().flat_map(|(_, found)| found);
    Ok(match all.any(fails) {
        true => Outcome::Wrong,
        false => Outcome::Well,
    })
}

/// Where a policy is to serve.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Host<'m> {
    /// Nobody said.
    Any,
    /// In Envoy.
    Envoy,
    /// In the Spin application of that manifest.
    Spin(&'m SpinManifest),
}

/// All that is wrong with a policy, or looks wrong, in the order of the text.
pub fn diagnostics(document: &Document, host: Host<'_>) -> Vec<Diagnostic> {
    let (policy, tree) = match Policy::parse_with(&document.text, Node::clone) {
        Ok(read) => read,
        Err(invalid) => return policy_file::problems(&invalid),
    };
    let places = Places::new(&document.text, tree);
    lint::warnings(&Subject {
        policy: &policy,
        places: &places,
        manifest: match host {
            Host::Any | Host::Envoy => None,
            Host::Spin(manifest) => Some(manifest),
        },
        is_for_envoy: host == Host::Envoy,
    })
}
