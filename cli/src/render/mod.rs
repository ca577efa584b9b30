//! `scopegate render`: configuration for what runs the gate, made from the policy.

mod clusters;
pub mod envoy;
mod envoy_gateway;
mod istio;
mod kubernetes;
pub mod origin;
mod output;
pub mod spin;
mod yaml;

use std::path::PathBuf;

use clap::{Args, Subcommand};
use scopegate_core::Policy;

use crate::Outcome;
use crate::document::Document;
use crate::policy_file;
use crate::streams::Streams;

/// Print configuration for what runs the gate: Envoy, Istio, Envoy Gateway or Spin
///
/// Whom the policy names, that configuration reaches: the issuers that keys are fetched from, with TLS and their certificates checked, and
/// nobody else. It is made to be read, and to be changed by hand where more is wanted.
///
/// Exit status: 0 when it was printed; 1 when the policy has errors, or lacks what is needed there, which is told with the lines to write;
/// 2 when the arguments or files cannot be used.
#[derive(Debug, Args)]
pub(crate) struct RenderArguments {
    #[command(subcommand)]
    target: Target,
}

#[derive(Debug, Subcommand)]
enum Target {
    Envoy(envoy::EnvoyArguments),
    Istio(istio::IstioArguments),
    EnvoyGateway(envoy_gateway::EnvoyGatewayArguments),
    Spin(spin::SpinArguments),
}

/// What every kind of configuration wants.
#[derive(Debug, Args)]
struct Common {
    /// The policy; `-` is standard input
    #[arg(value_name = "POLICY")]
    policy: PathBuf,
    /// Write to this file, in one step, instead of standard output
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
}

pub(crate) fn run(arguments: &RenderArguments, streams: &mut Streams) -> anyhow::Result<Outcome> {
    match &arguments.target {
        Target::Envoy(arguments) => arguments.common.render(streams, |document, policy, log| {
            envoy::render(arguments, document, policy, log)
        }),
        Target::Istio(arguments) => arguments.common.render(streams, |document, policy, _| {
            istio::render(arguments, document, policy)
        }),
        Target::EnvoyGateway(arguments) => {
            arguments.common.render(streams, |document, policy, _| {
                envoy_gateway::render(arguments, document, policy)
            })
        }
        Target::Spin(arguments) => arguments.common.render(streams, |document, policy, _| {
            spin::render(arguments, document, policy)
        }),
    }
}

impl Common {
    /// Reads the policy, and writes what is made of it. An error of `render` is the policy's.
    fn render(
        &self,
        streams: &mut Streams,
        render: impl FnOnce(&Document, &Policy, &mut Vec<String>) -> anyhow::Result<String>,
    ) -> anyhow::Result<Outcome> {
        let document = policy_file::read(&self.policy, streams)?;
        let Some(policy) = policy_file::required(&document, streams)? else {
            return Ok(Outcome::Wrong);
        };
        let mut warnings = Vec::new();
        match render(&document, &policy, &mut warnings) {
            Ok(text) => {
                for warning in warnings {
                    writeln!(streams.log(), "warning: {warning}")?;
                }
                output::write(&text, self.output.as_deref(), streams)?;
                Ok(Outcome::Well)
            }
            Err(lacking) => {
                streams.complain(&format!("{}: {lacking:#}", document.name));
                Ok(Outcome::Wrong)
            }
        }
    }
}
