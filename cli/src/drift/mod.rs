//! `scopegate drift`: where an OpenAPI document and a policy disagree.

mod compare;
mod show;

use std::path::PathBuf;

use anyhow::bail;
use clap::{Args, ValueEnum};

use crate::Outcome;
use scopegate_openapi::Leniency;

use crate::openapi::{self, GivenIssuers, Undeclared};
use crate::streams::Streams;
use crate::{import, policy_file};
use compare::Terms;

/// Say where an OpenAPI document and a policy disagree
///
/// For each operation, what the document demands is compared with the route that the gate would take for it: whether there is one, whether it is
/// public, and which scopes it wants. Then come the routes that no operation has. Issuers, audiences and claim rules are not compared, as OpenAPI does
/// not know them. Nothing is printed when the two agree.
///
/// Exit status: 0, they agree; 1, they do not; 2, one of them cannot be used.
///
/// Examples: `scopegate drift openapi.yaml policy.yaml`, `scopegate drift openapi.json policy.yaml --unsupported skip --format json`
#[derive(Debug, Args)]
pub(crate) struct DriftArguments {
    /// The OpenAPI document, JSON or YAML; `-` is standard input
    #[arg(value_name = "SPEC")]
    document: PathBuf,
    /// The policy; `-` is standard input
    #[arg(value_name = "POLICY")]
    policy: PathBuf,
    /// Who issues the tokens of a security scheme (without NAME, of all of which nothing else is known), where two of them have one issuer
    #[arg(long = "issuer", value_name = "[NAME=]URL")]
    issuers: Vec<String>,
    /// What stands before every path, instead of what the servers say; `/` for nothing
    #[arg(long, value_name = "PATH")]
    base_path: Option<String>,
    /// What is said of operations that no policy can say
    #[arg(long, value_enum, default_value_t = Unsupported::Report)]
    unsupported: Unsupported,
    /// What operations mean for which no security is declared at all
    #[arg(long, value_enum, default_value_t = Undeclared::LeaveOut)]
    undeclared: Undeclared,
    /// Take what is listed with bearer schemes as scopes; OpenAPI calls them roles, which a token need not hold
    #[arg(long)]
    roles_are_scopes: bool,
    /// How differences are told
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

/// What is said of operations that no policy can say.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Unsupported {
    /// They are differences
    Report,
    /// They are differences only where the policy lets some request through
    Skip,
}

/// How differences are told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people
    Text,
    /// A JSON object with a list
    Json,
}

pub(crate) fn run(arguments: &DriftArguments, streams: &mut Streams) -> anyhow::Result<Outcome> {
    let (document, specification) = openapi::required(&arguments.document, streams)?;
    let policy_document = policy_file::read(&arguments.policy, streams)?;
    let Some((policy, places)) = policy_file::placed(&policy_document, streams)? else {
        bail!("{} is no policy", policy_document.name);
    };
    let base_path = match &arguments.base_path {
        Some(path) => Some(import::base_path(path)?),
        None => None,
    };
    let given = GivenIssuers::read(&arguments.issuers, "--issuer", &specification)?;
    let terms = Terms {
        base_path,
        issuers: given.identities(&specification),
        leniency: Leniency {
            roles_are_scopes: arguments.roles_are_scopes,
            undeclared: arguments.undeclared.into(),
        },
        skips_refused: arguments.unsupported == Unsupported::Skip,
    };
    let differences = compare::differences(&specification, &policy, &terms);
    let shown = show::Shown::new(&document, &policy_document, places);
    match arguments.format {
        Format::Text => streams
            .out()
            .write_all(shown.text(&differences).as_bytes())?,
        Format::Json => writeln!(streams.out(), "{:#}", shown.json(&differences))?,
    }
    Ok(match differences.is_empty() {
        true => Outcome::Well,
        false => Outcome::Wrong,
    })
}
