//! `scopegate routes`: who may do what, as a matrix of routes and scopes.

mod html;
mod markdown;
mod matrix;
mod table;
mod words;

use std::path::PathBuf;

use anyhow::bail;
use clap::{Args, ValueEnum};

use crate::Outcome;
use crate::policy_file;
use crate::streams::Streams;
use matrix::Matrix;

/// Show who may do what: a matrix of routes and scopes
///
/// The routes in the order of the policy, what each wants of a token, and what becomes of all other requests. ● is a scope of which all are
/// wanted, ○ one of which any is enough. On a terminal too narrow for a column of each scope, one column names them.
///
/// Exit status: 0, 1 for a policy with errors, 2 for one that cannot be read.
///
/// Examples: `scopegate routes policy.yaml`, `scopegate routes policy.yaml --scope read:timesheets`,
/// `scopegate routes policy.yaml --format html > routes.html`
#[derive(Debug, Args)]
pub(crate) struct RoutesArguments {
    /// The policy; `-` is standard input
    #[arg(value_name = "POLICY")]
    policy: PathBuf,
    /// How it is shown
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
    /// Show the routes alone that a token with exactly these scopes could pass; repeat it for several, '' is a token with none
    #[arg(long, value_name = "SCOPE")]
    scope: Vec<String>,
}

/// How a matrix is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For a terminal
    Table,
    /// A table for GitHub and its like
    Markdown,
    /// One page for a browser, without anything from outside
    Html,
    /// A JSON object
    Json,
}

pub(crate) fn run(arguments: &RoutesArguments, streams: &mut Streams) -> anyhow::Result<Outcome> {
    if let Some(several) = arguments.scope.iter().find(|scope| scope.contains(' ')) {
        let each: Vec<String> = several
            .split_whitespace()
            .map(|scope| format!("--scope {scope}"))
            .collect();
        bail!("a scope holds no blank: write `{}`", each.join(" "));
    }
    let document = policy_file::read(&arguments.policy, streams)?;
    let Some(policy) = policy_file::required(&document, streams)? else {
        return Ok(Outcome::Wrong);
    };
    let mut matrix = Matrix::of(&policy);
    if !arguments.scope.is_empty() {
        let unknown = arguments.scope.iter().filter(|scope| {
            // `''` is how one says that there is none.
            !scope.is_empty() && !matrix.scopes.contains(scope)
        });
        for scope in unknown {
            let scope = words::visible(scope);
            writeln!(streams.log(), "note: no route names the scope `{scope}`")?;
        }
        matrix = matrix.passable(&arguments.scope);
    }
    match arguments.format {
        Format::Table => {
            let shown = table::render(&matrix, terminal_width());
            streams.out().write_all(shown.as_bytes())?;
        }
        Format::Markdown => {
            let shown = markdown::render(&matrix);
            streams.out().write_all(shown.as_bytes())?;
        }
        Format::Html => {
            let shown = html::render(&matrix)?;
            writeln!(streams.out(), "{shown}")?;
        }
        Format::Json => writeln!(streams.out(), "{}", serde_json::to_string_pretty(&matrix)?)?,
    }
    Ok(Outcome::Well)
}

/// How wide the terminal is that results go to, if it is one.
fn terminal_width() -> Option<usize> {
    let (width, _) = terminal_size::terminal_size_of(std::io::stdout())?;
    Some(width.0.into())
}
