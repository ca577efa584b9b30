//! What shells and `man` want to know about the command.

use anyhow::anyhow;
use clap::{Args, CommandFactory as _};
use clap_complete::{Shell, generate};
use clap_mangen::Man;

use crate::Outcome;
use crate::arguments::Arguments;
use crate::streams::Streams;

/// Print completions for a shell
///
/// Example: `scopegate completions bash > /etc/bash_completion.d/scopegate`
#[derive(Debug, Args)]
pub(crate) struct CompletionsArguments {
    /// The shell
    shell: Shell,
}

/// Print the manual page, of the whole command or of one subcommand
///
/// Examples: `scopegate man | man -l -`, `scopegate man explain > scopegate-explain.1`
#[derive(Debug, Args)]
pub(crate) struct ManArguments {
    /// The subcommand
    subcommand: Option<String>,
}

pub(crate) fn completions(
    arguments: &CompletionsArguments,
    streams: &mut Streams,
) -> anyhow::Result<Outcome> {
    let mut script = Vec::new();
    let mut command = Arguments::command();
    generate(arguments.shell, &mut command, "scopegate", &mut script);
    streams.out().write_all(&script)?;
    Ok(Outcome::Well)
}

pub(crate) fn man(arguments: &ManArguments, streams: &mut Streams) -> anyhow::Result<Outcome> {
    let mut command = Arguments::command();
    command.build();
    let manual = match &arguments.subcommand {
        None => Man::new(command),
        Some(name) => {
            let found = command.find_subcommand(name);
            let found = found.ok_or_else(|| {
                anyhow!("there is no command `{name}`; `scopegate --help` lists them")
            })?;
            Man::new(found.clone()).title(format!("scopegate-{name}"))
        }
    };
    let mut page = Vec::new();
    manual.render(&mut page)?;
    streams.out().write_all(&page)?;
    Ok(Outcome::Well)
}
