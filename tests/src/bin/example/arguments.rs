//! The command line.

use std::path::PathBuf;

use e2e::program::Wish;
use lexopt::prelude::*;

/// What `--help` prints.
pub(crate) const USAGE: &str = "\
Usage: cargo xtask example [--host HOST] [OPTIONS]

Starts the timesheets example: an authorization server, the timesheets API, the gate in front of it and the app behind the gate; prints
the address to open in a browser, and stays up until Ctrl-C.

  --host HOST               envoy (the default) or spin
  --port N                  port of the gate, and so of the app, on 127.0.0.1 (default 8080; 0: any that is free)
  --two-origins-port N      port of Envoy's second listener, for an app of another origin (default 8081; 0: any that is free); not with Spin
  --issuer-port N           port of the authorization server (default: the one that the policy names; 0: any that is free)
  --policy FILE             a policy of your own (default examples/timesheets/policy.yaml)
  --access-token-seconds N  how long an access token lasts (default 300)
  --folder DIR              where entries and logs are kept (default target/example)
  --facts FILE              writes the addresses, and the secret of the client for machines, there as JSON once all of it answers

Spin is the one that SPIN_BIN names, or `spin` on the PATH, from version 4; else the project's own test host.
";

/// The second listener, where nothing else is said.
const TWO_ORIGINS_PORT: u16 = 8081;

/// What the gate runs in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Host {
    Envoy,
    Spin,
}

/// The flags, with their defaults.
pub(crate) struct Arguments {
    pub(crate) host: Host,
    pub(crate) port: u16,
    /// None on Spin.
    pub(crate) two_origins_port: Option<u16>,
    pub(crate) issuer_port: Option<u16>,
    pub(crate) policy: Option<PathBuf>,
    pub(crate) access_token_seconds: u32,
    pub(crate) folder: Option<PathBuf>,
    pub(crate) facts: Option<PathBuf>,
}

/// Reads the command line of this process.
pub(crate) fn parse() -> Result<Wish<Arguments>, lexopt::Error> {
    let mut arguments = Arguments {
        host: Host::Envoy,
        port: 8080,
        two_origins_port: None,
        issuer_port: None,
        policy: None,
        access_token_seconds: 300,
        folder: None,
        facts: None,
    };
    let mut parser = lexopt::Parser::from_env();
    while let Some(argument) = parser.next()? {
        match argument {
            Long("host") => arguments.host = host(&parser.value()?.string()?)?,
            Long("port") => arguments.port = parser.value()?.parse()?,
            Long("two-origins-port") => arguments.two_origins_port = Some(parser.value()?.parse()?),
            Long("issuer-port") => arguments.issuer_port = Some(parser.value()?.parse()?),
            Long("policy") => arguments.policy = Some(PathBuf::from(parser.value()?)),
            Long("access-token-seconds") => {
                arguments.access_token_seconds = parser.value()?.parse()?;
            }
            Long("folder") => arguments.folder = Some(PathBuf::from(parser.value()?)),
            Long("facts") => arguments.facts = Some(PathBuf::from(parser.value()?)),
            Long("help") | Short('h') => return Ok(Wish::Help),
            other => return Err(other.unexpected()),
        }
    }
    match (arguments.host, arguments.two_origins_port) {
        (Host::Spin, Some(_)) => return Err("`--two-origins-port` is about Envoy".into()),
        (Host::Envoy, None) => arguments.two_origins_port = Some(TWO_ORIGINS_PORT),
        _ => {}
    }
    Ok(Wish::Run(arguments))
}

fn host(word: &str) -> Result<Host, lexopt::Error> {
    match word {
        "envoy" => Ok(Host::Envoy),
        "spin" => Ok(Host::Spin),
        _ => Err(format!("there is no host `{word}`").into()),
    }
}
