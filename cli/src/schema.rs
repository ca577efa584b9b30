//! `scopegate schema`: the JSON Schema of the policy file, for editors.

use clap::Args;

use crate::Outcome;
use crate::streams::Streams;

/// Print the JSON Schema of the policy file, with which editors complete and check it
///
/// It is made from the types that read the file, and never refuses what they take. What only the whole policy tells, such as a route that
/// stands twice, `scopegate check` tells.
///
/// Examples: `scopegate schema > policy.schema.json`, and then as the first line of a policy
/// `# yaml-language-server: $schema=policy.schema.json`
#[derive(Debug, Args)]
pub(crate) struct SchemaArguments {}

pub(crate) fn run(_: &SchemaArguments, streams: &mut Streams) -> anyhow::Result<Outcome> {
    writeln!(streams.out(), "{:#}", scopegate_core::policy_schema())?;
    Ok(Outcome::Well)
}
