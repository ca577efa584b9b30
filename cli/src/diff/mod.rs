//! `scopegate diff`: what a new policy lets in that the old one does not, and the other way round.

mod allowance;
mod change;
mod method;
mod preflight;
mod region;
mod setting;
mod show;

use std::path::PathBuf;

use anyhow::bail;
use clap::{Args, ValueEnum};

use crate::streams::Streams;
use crate::{Outcome, policy_file};
pub use allowance::Allowance;
pub use change::{Comparison, Direction, RegionChange, compare, demand_words};
pub use method::ANY_METHOD;
pub use region::{Region, TooEntangled, regions};
pub use setting::SettingChange;

/// Compare two policies: which methods and paths became more permissive, stricter, or changed otherwise
///
/// It is computed from the policies themselves, not from samples: every class of paths that they can tell apart is looked at. Who may pass is
/// compared by what tokens must have; where that one demand lies within another cannot be told, the change counts as more permissive.
///
/// Exit status: 0 when nothing became more permissive that `--allow` does not list, 1 otherwise, 2 for files that are no policies.
///
/// Examples: `scopegate diff old.yaml new.yaml`, `git show main:policy.yaml | scopegate diff - policy.yaml --allow 'GET /reports/{*rest}'`
#[derive(Debug, Args)]
pub(crate) struct DiffArguments {
    /// The policy that counts
    old: PathBuf,
    /// The policy that is to count
    new: PathBuf,
    /// What may become more permissive: `METHOD[,METHOD] PATTERN`, `* PATTERN`, or a setting as it is shown here
    #[arg(long, value_name = "WHAT")]
    allow: Vec<String>,
    /// How it is told
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people
    Text,
    /// For programs
    Json,
}

pub(crate) fn run(arguments: &DiffArguments, streams: &mut Streams) -> anyhow::Result<Outcome> {
    let allowed: Vec<Allowance> = arguments
        .allow
        .iter()
        .map(|text| Allowance::parse(text))
        .collect::<anyhow::Result<_>>()?;
    let mut policies = Vec::new();
    for path in [&arguments.old, &arguments.new] {
        let document = policy_file::read(path, streams)?;
        let Some(policy) = policy_file::required(&document, streams)? else {
            bail!("{} is no policy: see above", document.name);
        };
        policies.push(policy);
    }
    let [old, new] = policies.as_slice() else {
        bail!("two policies are compared");
    };
    let comparison = compare(old, new).map_err(|TooEntangled| {
        anyhow::anyhow!("the policies have too many classes of paths and methods to be compared: more than 300,000 paths, or 1,000,000 of both; too many parameters stand beside too many literals, or too many methods are named")
    })?;
    let shown = match arguments.format {
        Format::Text => show::text(&comparison, &allowed),
        Format::Json => format!("{:#}\n", show::json(&comparison, &allowed)),
    };
    streams.out().write_all(shown.as_bytes())?;
    Ok(match comparison.is_unmeant(&allowed) {
        true => Outcome::Wrong,
        false => Outcome::Well,
    })
}

/// A comparison for people, as `scopegate diff` shows it.
pub fn text(comparison: &Comparison, allowed: &[Allowance]) -> String {
    show::text(comparison, allowed)
}
