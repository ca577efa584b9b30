//! The arguments of `scopegate issuer`.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context as _, bail};
use clap::{Args, Subcommand, ValueEnum};
use scopegate_core::Algorithm;
use serde_json::{Map, Value, json};

use super::grant::Grant;
use crate::document::{self, Document};
use crate::streams::Streams;

/// More than a token can hold that a gate takes (8 KiB).
const MAX_CLAIMS_BYTES: usize = 64 * 1024;

/// Serve a small issuer on this machine, with real keys, for tests
///
/// It serves its metadata and keys where a gate looks for them, and mints tokens: `POST /token` takes JSON claims (null leaves one out), or
/// the form of the client-credentials grant (scope, audience, client_id, subject, expires_in, alg), and answers as RFC 6749 says. `POST /rotate`
/// makes new keys, and so does Enter; the old ones stay published for a while, unless with `/rotate?drop=1`.
///
/// It asks nobody for a password: whoever can reach it mints what they like, so it listens on loopback alone. It is for tests.
///
/// The first line on standard output is the issuer's name; the lines for a policy follow. Ctrl-C ends it. Exit status: 0 when it was ended, 2
/// when it could not start.
///
/// Examples: `scopegate issuer --audience https://api.example.com --scope "read write"`, `curl -d scope=read http://127.0.0.1:9101/token`,
/// `scopegate issuer --keys keys.json --format json`, `scopegate issuer token --keys keys.json --claim 'roles=["auditor"]'`
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct IssuerArguments {
    #[command(subcommand)]
    pub(super) command: Option<IssuerCommand>,
    #[command(flatten)]
    pub(super) serve: ServeArguments,
}

#[derive(Debug, Subcommand)]
pub(super) enum IssuerCommand {
    Token(OnceArguments),
}

#[derive(Debug, Args)]
pub(super) struct ServeArguments {
    /// Where it listens; port 0 lets the system choose
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:9101")]
    pub(super) listen: SocketAddr,
    /// Its name, the `iss` of its tokens; where it listens if left out
    #[arg(long, value_name = "URL")]
    pub(super) issuer: Option<String>,
    /// What it signs with, a key for each; the first signs where a request names none [default: RS256, or what `--keys` holds]
    #[arg(long = "alg", value_name = "ALGORITHM", value_delimiter = ',', value_parser = algorithm)]
    pub(super) algorithms: Vec<Algorithm>,
    #[command(flatten)]
    pub(super) grant: GrantArguments,
    /// Print a token as well, in the second line
    #[arg(long)]
    pub(super) print_token: bool,
    /// Make new keys again and again, as in `10m`
    #[arg(long, value_name = "TIME", value_parser = interval)]
    pub(super) rotate_every: Option<Duration>,
    /// How long old keys stay published, as in `90s`
    #[arg(long, value_name = "TIME", default_value = "1h", value_parser = duration)]
    pub(super) overlap: Duration,
    /// Keep the private keys in this file between runs, for its owner alone; those that sign no more end with the process
    #[arg(long, value_name = "FILE")]
    pub(super) keys: Option<PathBuf>,
    /// Permit other addresses than loopback: whoever can reach it mints what they like
    #[arg(long)]
    pub(super) danger_non_loopback: bool,
    /// How it is told where the issuer is
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(super) format: Format,
}

/// Mint one token with saved keys and print it
///
/// Exit status: 0, 2 when there is none.
///
/// Example: `scopegate issuer token --keys keys.json --issuer http://127.0.0.1:9101/ --scope read`
#[derive(Debug, Args)]
pub(super) struct OnceArguments {
    /// The file that `scopegate issuer --keys` wrote
    #[arg(long, value_name = "FILE")]
    pub(super) keys: PathBuf,
    /// The `iss` of the token
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:9101/")]
    pub(super) issuer: String,
    /// What it is signed with; the first key where nothing is said
    #[arg(long = "alg", value_name = "ALGORITHM", value_parser = algorithm)]
    pub(super) algorithm: Option<Algorithm>,
    #[command(flatten)]
    pub(super) grant: GrantArguments,
}

/// What tokens say of which a request says nothing.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "Tokens, where a request says nothing else")]
pub(super) struct GrantArguments {
    /// Claims, as a JSON object; the options below say more
    #[arg(long, value_name = "FILE")]
    claims: Option<PathBuf>,
    /// `sub` [default: local]
    #[arg(long)]
    subject: Option<String>,
    /// `aud`; several make a list [default: local]
    #[arg(long)]
    audience: Vec<String>,
    /// `scope`: separated by spaces
    #[arg(long)]
    scope: Option<String>,
    /// Seconds to `exp`; negative for an expired token [default: 300]
    #[arg(long, value_name = "SECONDS", allow_negative_numbers = true)]
    expires_in: Option<i64>,
    /// One claim more; null leaves one out
    #[arg(long, value_name = "NAME=JSON")]
    claim: Vec<String>,
}

/// How it is told where the issuer is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// The issuer's name alone in the first line, then YAML for a policy
    Text,
    /// A JSON object in one line
    Json,
}

impl GrantArguments {
    /// What was said.
    ///
    /// # Errors
    /// The file cannot be read, or something in it or in a claim is no JSON.
    pub(super) fn read(&self, streams: &mut Streams) -> anyhow::Result<Grant> {
        let mut grant = Grant {
            expires_in: self.expires_in,
            ..Grant::default()
        };
        if let Some(path) = &self.claims {
            let text = Document::read(path, MAX_CLAIMS_BYTES, streams)?.text;
            let claims: serde_json::Result<Map<String, Value>> = serde_json::from_str(&text);
            let name = document::name_of(path);
            grant.claims =
                claims.with_context(|| format!("{name} is no JSON object with claims"))?;
        }
        if let Some(subject) = &self.subject {
            grant.say("sub", subject.as_str());
        }
        match self.audience.as_slice() {
            [] => {}
            [one] => grant.say("aud", one.as_str()),
            all => grant.say("aud", json!(all)),
        }
        if let Some(scope) = &self.scope {
            grant.say("scope", scope.as_str());
        }
        for claim in &self.claim {
            let (name, value) = named(claim)?;
            grant.say(name, value);
        }
        Ok(grant)
    }
}

fn named(claim: &str) -> anyhow::Result<(&str, Value)> {
    let Some((name, text)) = claim.split_once('=') else {
        bail!("`--claim {claim}` has no `=`: write `--claim 'name=\"text\"'`");
    };
    match serde_json::from_str(text) {
        Ok(value) => Ok((name, value)),
        Err(_) => {
            let quoted = json!(text);
            bail!(
                "the value in `--claim {claim}` is no JSON; a text stands in quotes: `--claim '{name}={quoted}'`"
            )
        }
    }
}

fn algorithm(text: &str) -> Result<Algorithm, String> {
    Algorithm::from_name(text).ok_or_else(|| {
        let names: Vec<&str> = Algorithm::ALL.iter().map(|one| one.name()).collect();
        format!("write one of {}", names.join(", "))
    })
}

fn duration(text: &str) -> Result<Duration, String> {
    let time: Option<jiff::SignedDuration> = text.parse().ok();
    let time = time.and_then(|time| Duration::try_from(time).ok());
    time.ok_or_else(|| "write a number with a unit, as in `90s`, `10m` or `1h`".to_owned())
}

fn interval(text: &str) -> Result<Duration, String> {
    match duration(text)? {
        // A key takes that long.
        time if time < Duration::from_secs(1) => Err("at least `1s`".to_owned()),
        time => Ok(time),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_value_of_a_claim_is_json() {
        assert_eq!(named("roles=[\"a\"]").unwrap(), ("roles", json!(["a"])));
        assert_eq!(named("note=\"a=b\"").unwrap(), ("note", json!("a=b")));
        for (claim, remedy) in [
            ("roles", "write `--claim 'name=\"text\"'`"),
            ("role=auditor", "`--claim 'role=\"auditor\"'`"),
        ] {
            let refused = named(claim).unwrap_err().to_string();
            assert!(refused.ends_with(remedy), "{refused}");
        }
    }

    #[test]
    fn a_time_has_a_unit() {
        assert_eq!(duration("90s"), Ok(Duration::from_secs(90)));
        assert_eq!(duration("1h"), Ok(Duration::from_secs(3600)));
        for text in ["", "90", "-1s", "soon"] {
            assert!(duration(text).is_err(), "{text}");
        }
        assert_eq!(interval("10ms"), Err("at least `1s`".to_owned()));
    }

    #[test]
    fn every_algorithm_of_a_policy_can_be_named() {
        for known in Algorithm::ALL {
            assert_eq!(algorithm(known.name()), Ok(known));
        }
        assert!(
            algorithm("none")
                .unwrap_err()
                .starts_with("write one of RS256, ")
        );
    }
}
