//! `scopegate import`: a policy from what already says who may do what.

mod covered;
mod issuers;
mod plan;
mod policy_text;
mod probe;
mod scalar;

use std::fs;
use std::path::PathBuf;

use anyhow::Context as _;
use clap::{Args, Subcommand, ValueEnum};

use crate::Outcome;
use crate::diagnostic::{Diagnostic, Severity, text};
use crate::document::{Document, is_standard_input};
use crate::openapi::{self, Undeclared};
use crate::place::Place;
use crate::streams::Streams;
use covered::Settled;
pub(crate) use plan::base_path;
use plan::{LeftOut, Target};
use scopegate_openapi::{Leniency, Lines};

/// The most operations of which it is told one by one why they are left out. The comments in the policy name all.
const MAX_TOLD: usize = 20;

/// Make a policy from what already says who may do what
#[derive(Debug, Args)]
pub(crate) struct ImportArguments {
    #[command(subcommand)]
    source: Source,
}

#[derive(Debug, Subcommand)]
enum Source {
    Openapi(OpenapiArguments),
}

/// Make a policy from an OpenAPI 3.0 or 3.1 document
///
/// Each operation becomes a route that demands what its `security` does. What a policy cannot say (API keys, optional security, alternatives of
/// several scopes each) is told and left out, so that the gate refuses it; a comment in the policy says why.
///
/// Exit status: 0, every operation is in the policy; 1, some are left out; 2, the document or the arguments cannot be used.
///
/// Examples: `scopegate import openapi openapi.yaml --audience https://api.example.com --issuer https://tenant.example.com/ -o policy.yaml`,
/// `scopegate import openapi openapi.json --audience api --issuer staff=https://a.example.com/ --issuer guests=https://b.example.com/`
#[derive(Debug, Args)]
pub(crate) struct OpenapiArguments {
    /// The document, JSON or YAML; `-` is standard input
    #[arg(value_name = "SPEC")]
    document: PathBuf,
    /// Who issues the tokens of a security scheme (without NAME, of all of which nothing else is known): the `iss` of its tokens, byte for byte
    #[arg(long = "issuer", value_name = "[NAME=]URL")]
    issuers: Vec<String>,
    /// For whom the tokens are made, as it stands in their `aud`; any one of several
    #[arg(long = "audience", value_name = "[NAME=]AUD")]
    audiences: Vec<String>,
    /// Where the keys of an issuer are, where its metadata does not say it
    #[arg(long = "jwks-uri", value_name = "[NAME=]URL")]
    key_addresses: Vec<String>,
    /// What stands before every path, instead of what the servers say; `/` for nothing
    #[arg(long, value_name = "PATH")]
    base_path: Option<String>,
    /// The realm of the policy, instead of the title of the API
    #[arg(long)]
    realm: Option<String>,
    /// What becomes of operations that a policy cannot say
    #[arg(long, value_enum, default_value_t = Unsupported::Report)]
    unsupported: Unsupported,
    /// What becomes of operations for which no security is declared at all
    #[arg(long, value_enum, default_value_t = Undeclared::LeaveOut)]
    undeclared: Undeclared,
    /// Take what is listed with bearer schemes as scopes; OpenAPI calls them roles, which a token need not hold
    #[arg(long)]
    roles_are_scopes: bool,
    /// Write the policy there instead of to standard output
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

/// What becomes of operations that a policy cannot say.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Unsupported {
    /// They are told and left out, and the exit status is 1
    Report,
    /// They are left out, and the exit status is 0
    Skip,
    /// They are told, and no policy is written
    Fail,
}

pub(crate) fn run(arguments: &ImportArguments, streams: &mut Streams) -> anyhow::Result<Outcome> {
    match &arguments.source {
        Source::Openapi(arguments) => openapi(arguments, streams),
    }
}

fn openapi(arguments: &OpenapiArguments, streams: &mut Streams) -> anyhow::Result<Outcome> {
    let (document, specification) = openapi::required(&arguments.document, streams)?;
    let base_path = match &arguments.base_path {
        Some(path) => Some(plan::base_path(path)?),
        None => None,
    };
    let given = issuers::Options::read(
        &arguments.issuers,
        &arguments.audiences,
        &arguments.key_addresses,
        &specification,
    )?;
    let leniency = Leniency {
        roles_are_scopes: arguments.roles_are_scopes,
        undeclared: arguments.undeclared.into(),
    };
    let identities = given.identities(&specification);
    let targets = plan::targets(&specification, base_path.as_deref(), &identities, leniency);
    let issuers = given.used(&specification, &identities, &targets)?;
    let head = policy_text::Head::new(
        &document.name,
        &specification,
        arguments.realm.as_deref(),
        issuers,
    )?;
    let settled = covered::settled(&head, targets)?;
    let left_out: Vec<&LeftOut> = settled
        .targets
        .iter()
        .filter_map(Target::left_out)
        .collect();
    if arguments.unsupported != Unsupported::Skip {
        tell(&document, &settled, &left_out, streams)?;
    }
    if arguments.unsupported == Unsupported::Fail && !left_out.is_empty() {
        return Ok(Outcome::Wrong);
    }
    match &arguments.output {
        Some(path) if !is_standard_input(path) => {
            let failed = || format!("cannot write {}", path.display());
            fs::write(path, &settled.text).with_context(failed)?;
        }
        _ => streams.out().write_all(settled.text.as_bytes())?,
    }
    let all_in = left_out.is_empty() || arguments.unsupported == Unsupported::Skip;
    Ok(match all_in {
        true => Outcome::Well,
        false => Outcome::Wrong,
    })
}

fn tell(
    document: &Document,
    settled: &Settled,
    left_out: &[&LeftOut],
    streams: &mut Streams,
) -> anyhow::Result<()> {
    let told = left_out.iter().take(MAX_TOLD);
    let lines = Lines::of(&document.text);
    let told: Vec<Diagnostic> = told.map(|out| diagnostic(&lines, out)).collect();
    let shown = text::render(document, &told);
    streams.log().write_all(shown.as_bytes())?;
    if !left_out.is_empty() {
        writeln!(
            streams.log(),
            "{} of {} operations are left out, and so refused{}",
            left_out.len(),
            settled.targets.len(),
            match left_out.len() > MAX_TOLD {
                true => "; comments in the policy name all",
                false => "",
            }
        )?;
    }
    Ok(())
}

fn diagnostic(lines: &Lines<'_>, out: &LeftOut) -> Diagnostic {
    Diagnostic {
        severity: Severity::Warning,
        code: out.unsaid.code,
        message: format!("{} is left out: {}", out.shown(), out.unsaid.message),
        remedy: remedy(out.unsaid.code).into(),
        place: out.spot.place(lines).map(Place::from),
        related: Vec::new(),
    }
}

fn remedy(code: &str) -> &'static str {
    match code {
        "undeclared-security" => {
            "declare `security` at the top of the document, or give `--undeclared public` or `--undeclared authenticated`"
        }
        "base-path" => "give `--base-path` with what stands before the paths",
        "roles" => "give `--roles-are-scopes` if tokens hold them in their scope claim",
        "unresolved-reference" => "bundle the document into one file first",
        "unknown-scheme" => "define it in `components.securitySchemes`",
        "conflict" | "covers-left-out" => "give one of the two another path",
        _ => "write its route by hand, if a gate can decide about it",
    }
}

#[cfg(test)]
mod tests;
