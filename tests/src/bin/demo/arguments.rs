//! The command line.

use std::path::PathBuf;

use lexopt::prelude::*;

/// What `--help` prints.
pub(crate) const USAGE: &str = "\
Usage: cargo xtask demo [--check] [--port N] [--admin-port N] [--policy FILE]

Starts a local issuer, the timesheets API and Envoy with the gate, sends a handful of requests, prints what came back as
a table, and stays up until Ctrl-C.

  --check         stop after the table; exit status 1 if a row is not as it should be
  --port N        port of the gate on 127.0.0.1 (default 8080; 0: any that is free)
  --admin-port N  port of Envoy's admin interface on 127.0.0.1 (default 9901; 0: any that is free)
  --policy FILE   a policy of your own (default examples/timesheets/policy.yaml)

The issuer listens on the port that the policy names in `issuer: http://127.0.0.1:PORT/`.
";

/// What the user wants.
pub(crate) enum Wish {
    Help,
    Run(Arguments),
}

/// The flags, with their defaults.
pub(crate) struct Arguments {
    pub(crate) check: bool,
    pub(crate) port: u16,
    pub(crate) admin_port: u16,
    pub(crate) policy: Option<PathBuf>,
}

/// Reads the command line of this process.
pub(crate) fn parse() -> Result<Wish, lexopt::Error> {
    let mut arguments = Arguments {
        check: false,
        port: 8080,
        admin_port: 9901,
        policy: None,
    };
    let mut parser = lexopt::Parser::from_env();
    while let Some(argument) = parser.next()? {
        match argument {
            Long("check") => arguments.check = true,
            Long("port") => arguments.port = parser.value()?.parse()?,
            Long("admin-port") => arguments.admin_port = parser.value()?.parse()?,
            Long("policy") => arguments.policy = Some(PathBuf::from(parser.value()?)),
            Long("help") | Short('h') => return Ok(Wish::Help),
            other => return Err(other.unexpected()),
        }
    }
    Ok(Wish::Run(arguments))
}
