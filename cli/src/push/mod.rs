//! `scopegate push`: a policy goes live, if it is one and opens nothing that is not meant.

mod live;
mod verdict;

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, bail};
use clap::Args;
use scopegate_core::Policy;

use crate::diagnostic::{Severity, text};
use crate::diff::{Allowance, TooEntangled, compare};
use crate::document::Document;
use crate::streams::Streams;
use crate::{Outcome, check, diff, document, ecds, policy_file};
pub use live::{Live, MAX_ECDS_BYTES};
pub use verdict::{Admin, Counts, UpdateVerdict};

/// Ship a policy to a running Envoy: check it, compare it with what is live, replace the watched file, wait for the verdict
///
/// The file is that of envoy/ecds.yaml: Envoy watches it and gets filter and policy from it. It is replaced in one step, all but the policy as it was;
/// the gate follows without a restart. A policy with errors, or one that lets more in than `--allow` lists, is not shipped. If Envoy refuses
/// it, the file gets back what it held: the old policy has served all along.
///
/// Exit status: 0 when the policy serves, 1 when it was not shipped or not taken, 2 when files or Envoy cannot be reached.
///
/// Examples: `scopegate push policy.yaml --to /etc/envoy/ecds.yaml`, `scopegate push policy.yaml --to ecds.yaml --allow 'GET /reports/{*rest}' --admin http://127.0.0.1:9901`
#[derive(Debug, Args)]
pub(crate) struct PushArguments {
    /// The policy
    policy: PathBuf,
    /// The ECDS file that Envoy watches
    #[arg(long, value_name = "FILE")]
    to: PathBuf,
    /// What may become more permissive, as for `scopegate diff`
    #[arg(long, value_name = "WHAT")]
    allow: Vec<String>,
    /// Envoy's admin interface
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:9901")]
    admin: String,
    /// Replace the file, and do not ask Envoy what it says
    #[arg(long, conflicts_with = "admin")]
    no_wait: bool,
    /// How long to wait for Envoy, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 15)]
    patience: u16,
    /// Check and compare, and ship nothing
    #[arg(long)]
    dry_run: bool,
}

pub(crate) fn run(arguments: &PushArguments, streams: &mut Streams) -> anyhow::Result<Outcome> {
    let allowed: Vec<Allowance> = arguments
        .allow
        .iter()
        .map(|text| Allowance::parse(text))
        .collect::<anyhow::Result<_>>()?;
    let document = policy_file::read(&arguments.policy, streams)?;
    let Some(new) = checked(&document, streams)? else {
        writeln!(
            streams.log(),
            "{} is not shipped: it has errors",
            document.name
        )?;
        return Ok(Outcome::Wrong);
    };
    let (template, live) = live_file(&arguments.to, streams)?;
    let old = Policy::parse(&live.policy).map_err(|invalid| {
        anyhow::anyhow!(
            "the policy in {} is none, so that nothing can be compared with it:\n{invalid}",
            arguments.to.display()
        )
    })?;
    let comparison = compare(&old, &new).map_err(|TooEntangled| {
        anyhow::anyhow!("the two policies have too many classes of paths to be compared")
    })?;
    let shown = diff::text(&comparison, &allowed);
    streams.out().write_all(shown.as_bytes())?;
    if comparison.is_unmeant(&allowed) {
        writeln!(
            streams.log(),
            "{} is not shipped: it is more permissive than what is live; list what is meant with `--allow`",
            document.name
        )?;
        return Ok(Outcome::Wrong);
    }
    let rendered = ecds::render(&template, &document.text, Path::new(&live.filter))?;
    let is_the_same =
        Live::parse(&rendered).is_ok_and(|next| live.is_followed_by(&next, &document.text));
    if !is_the_same {
        bail!(
            "{} cannot be written anew with another policy and nothing else changed: the policy has to stand in it last, under `value: |2`, as `scopegate render envoy --ecds-only` writes it",
            arguments.to.display()
        );
    }
    if arguments.dry_run {
        return Ok(Outcome::Well);
    }
    if rendered == template {
        writeln!(
            streams.log(),
            "{} holds this policy already; nothing was shipped, and Envoy was not asked",
            arguments.to.display()
        )?;
        return Ok(Outcome::Well);
    }
    ship(arguments, &live, &template, &rendered, streams)
}

/// The policy, if it has no errors. Errors and warnings are told.
fn checked(document: &Document, streams: &mut Streams) -> anyhow::Result<Option<Policy>> {
    let found = check::diagnostics(document, check::Host::Envoy);
    let shown = text::render(document, &found);
    streams.log().write_all(shown.as_bytes())?;
    let has_errors = found.iter().any(|one| one.severity == Severity::Error);
    match Policy::parse(&document.text) {
        Ok(policy) if !has_errors => Ok(Some(policy)),
        _ => Ok(None),
    }
}

fn live_file(path: &Path, streams: &mut Streams) -> anyhow::Result<(String, Live)> {
    if document::is_standard_input(path) {
        bail!("`--to` names the file that Envoy watches, not standard output");
    }
    let template = Document::read(path, MAX_ECDS_BYTES, streams)
        .context("without a file that Envoy watches there is nothing to replace; `scopegate render envoy` writes the first one")?;
    let live = Live::parse(&template.text)
        .with_context(|| format!("{} is no ECDS file of a Scopegate filter", template.name))?;
    Ok((template.text, live))
}

/// Replaces the file, and waits for what Envoy says.
fn ship(
    arguments: &PushArguments,
    live: &Live,
    before: &str,
    after: &str,
    streams: &mut Streams,
) -> anyhow::Result<Outcome> {
    let file = arguments.to.as_path();
    let admin = match arguments.no_wait {
        true => None,
        false => Some(Admin::new(&arguments.admin, &live.extension)?),
    };
    let counts = match &admin {
        None => Counts::default(),
        Some(admin) => admin
            .counts()
            .context("nothing was shipped; `--no-wait` ships without asking Envoy")?,
    };
    if !holds(file, before) {
        bail!(
            "nothing was shipped: {} was changed by somebody else meanwhile",
            file.display()
        );
    }
    ecds::replace(file, after)?;
    let Some(admin) = admin else {
        writeln!(streams.log(), "shipped; Envoy was not asked")?;
        return Ok(Outcome::Well);
    };
    writeln!(streams.log(), "shipped; waiting for Envoy")?;
    let patience = Duration::from_secs(arguments.patience.into());
    match admin.wait(counts, patience) {
        UpdateVerdict::Taken => {
            writeln!(streams.log(), "Envoy has taken it")?;
            Ok(Outcome::Well)
        }
        // A policy that is refused serves until Envoy is started again; then there would be none.
        UpdateVerdict::Refused if holds(file, after) => {
            ecds::replace(file, before)?;
            writeln!(
                streams.log(),
                "Envoy has refused it, for the reason in its log (`scopegate: …`); the old policy serves, and stands in the file again"
            )?;
            Ok(Outcome::Wrong)
        }
        UpdateVerdict::Refused => {
            writeln!(
                streams.log(),
                "Envoy has refused an update; {} was changed by somebody else meanwhile, and is left as it is",
                file.display()
            )?;
            Ok(Outcome::Wrong)
        }
        UpdateVerdict::Silent => {
            let patience = arguments.patience;
            writeln!(
                streams.log(),
                "Envoy has said nothing for {patience} s: does it watch {}? The new policy stands in the file, whether it serves or not",
                file.display()
            )?;
            Ok(Outcome::Wrong)
        }
    }
}

/// Whether a file still has that text.
fn holds(file: &Path, text: &str) -> bool {
    let found = std::fs::read_to_string(file);
    found.is_ok_and(|found| found.strip_prefix('\u{feff}').unwrap_or(&found) == text)
}
