//! The command line.

use std::path::PathBuf;

use e2e::program::Wish;
use lexopt::prelude::*;

use crate::spin::Arrangement;

/// What `--help` prints.
pub(crate) const USAGE: &str = "\
Usage: cargo xtask demo [--host HOST] [--check] [--port N] [--admin-port N] [--policy FILE]

Starts a local issuer, the timesheets API and the gate in front of it, sends a handful of requests, prints what came back as
a table, and stays up until Ctrl-C.

  --host HOST     envoy (the default); spin: the gate and the API as components of a Spin application; spin-middleware: the gate
                  composed with the API
  --check         stop after the table; exit status 1 if a row is not as it should be
  --port N        port of the gate on 127.0.0.1 (default 8080; 0: any that is free)
  --admin-port N  port of Envoy's admin interface on 127.0.0.1 (default 9901; 0: any that is free); not with Spin
  --policy FILE   a policy of your own (default examples/timesheets/policy.yaml)

Spin is the one that SPIN_BIN names, or `spin` on the PATH, from version 4; else the project's own test host.
The issuer listens on the port that the policy names in `issuer: http://127.0.0.1:PORT/`.
";

/// What the gate runs in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Host {
    Envoy,
    Spin(Arrangement),
}

/// The flags, with their defaults.
pub(crate) struct Arguments {
    pub(crate) host: Host,
    pub(crate) check: bool,
    pub(crate) port: u16,
    pub(crate) admin_port: u16,
    pub(crate) policy: Option<PathBuf>,
}

/// Reads the command line of this process.
pub(crate) fn parse() -> Result<Wish<Arguments>, lexopt::Error> {
    let mut arguments = Arguments {
        host: Host::Envoy,
        check: false,
        port: 8080,
        admin_port: 9901,
        policy: None,
    };
    let mut admin_port = None;
    let mut parser = lexopt::Parser::from_env();
    while let Some(argument) = parser.next()? {
        match argument {
            Long("host") => arguments.host = host(&parser.value()?.string()?)?,
            Long("check") => arguments.check = true,
            Long("port") => arguments.port = parser.value()?.parse()?,
            Long("admin-port") => admin_port = Some(parser.value()?.parse()?),
            Long("policy") => arguments.policy = Some(PathBuf::from(parser.value()?)),
            Long("help") | Short('h') => return Ok(Wish::Help),
            other => return Err(other.unexpected()),
        }
    }
    if let Some(port) = admin_port {
        if arguments.host != Host::Envoy {
            return Err("`--admin-port` is about Envoy".into());
        }
        arguments.admin_port = port;
    }
    Ok(Wish::Run(arguments))
}

fn host(word: &str) -> Result<Host, lexopt::Error> {
    match word {
        "envoy" => Ok(Host::Envoy),
        "spin" => Ok(Host::Spin(Arrangement::Gateway)),
        "spin-middleware" => Ok(Host::Spin(Arrangement::Middleware)),
        _ => Err(format!("there is no host `{word}`").into()),
    }
}
