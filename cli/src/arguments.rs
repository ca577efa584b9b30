//! The command line: which commands there are.

use clap::{Parser, Subcommand, ValueEnum};

use crate::{
    check, diff, drift, explain, import, issuer, manual, push, render, routes, schema, test,
};

/// Checks, explains and compares policies of Scopegate, the gate that validates bearer tokens.
///
/// It decides with the code that runs in Envoy and on Spin: what it says is what they do. Wherever a file is wanted, `-` is standard input.
///
/// Exit status: 0, all is well; 1, what was looked at is not as it should be; 2, the arguments or the files they name cannot be used.
#[derive(Debug, Parser)]
#[command(name = "scopegate", version, propagate_version = true)]
pub(crate) struct Arguments {
    /// When output has colours: NO_COLOR and terminals are heeded with `auto`
    #[arg(long, value_enum, default_value_t = ColorChoice::Auto, global = true, value_name = "WHEN")]
    pub(crate) color: ColorChoice,
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Check(check::CheckArguments),
    Explain(explain::ExplainArguments),
    Test(test::TestArguments),
    Diff(diff::DiffArguments),
    Push(push::PushArguments),
    Routes(routes::RoutesArguments),
    Import(import::ImportArguments),
    Drift(drift::DriftArguments),
    Render(render::RenderArguments),
    Schema(schema::SchemaArguments),
    Issuer(Box<issuer::IssuerArguments>),
    Completions(manual::CompletionsArguments),
    Man(manual::ManArguments),
}

/// When output has colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ColorChoice {
    /// On a terminal, unless NO_COLOR is set
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}
