//! `scopegate explain`: the decision about one request, and what led to it.

mod answer;
mod others;
mod show;

use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use clap::{Args, ValueEnum};

use crate::streams::Streams;
use crate::{Outcome, clock, document, keys, policy_file};
pub use answer::{Answer, Asked, Explanation, Upstream, Verdict, explain};
pub use others::{Other, others};

/// Explain the decision about a request: which route, which key, each claim wanted and found
///
/// The decision is the gate's own. A token is read from a file or standard input, and never printed; the claims that the policy asks about are.
///
/// Exit status: 0 when the request is allowed, 1 when it is refused or cannot be decided without keys, 2 for files that cannot be read.
///
/// Examples: `scopegate explain policy.yaml GET /timesheets`, `scopegate explain policy.yaml POST /timesheets --token-file token --jwks jwks.json`,
/// `… | scopegate explain policy.yaml GET /me --token-file - --jwks auth0=jwks.json --at 2027-01-15T08:00:00Z --format json`
#[derive(Debug, Args)]
pub(crate) struct ExplainArguments {
    /// The policy
    policy: PathBuf,
    /// The method, as in GET
    method: String,
    /// The path, with its query if it has one, as it stands in the request
    path: String,
    /// A file with the token; `-` is standard input
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,
    /// The issuer's key set, which a gate would fetch; `ISSUER=FILE` where there are several
    #[arg(long, value_name = "[ISSUER=]FILE")]
    jwks: Vec<PathBuf>,
    /// When: RFC 3339, or seconds since 1970 [default: now]
    #[arg(long, value_name = "TIME")]
    at: Option<String>,
    /// A header field of the request, but no Authorization
    #[arg(short = 'H', long = "header", value_name = "NAME: VALUE")]
    headers: Vec<String>,
    /// How it is told
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people
    Text,
    /// For programs
    Json,
}

/// A token is at most 8 KiB; what is longer is refused by the gate in its own words.
const MAX_TOKEN_FILE_BYTES: usize = 64 * 1024;

pub(crate) fn run(arguments: &ExplainArguments, streams: &mut Streams) -> anyhow::Result<Outcome> {
    let document = policy_file::read(&arguments.policy, streams)?;
    let Some((policy, lines)) = policy_file::with_lines(&document, streams)? else {
        bail!("{} is no policy: see above", document.name);
    };
    let now = match &arguments.at {
        None => clock::now(),
        Some(text) => clock::parse(text)?,
    };
    let asked = Asked {
        method: arguments.method.clone(),
        path: arguments.path.clone(),
        headers: headers(&arguments.headers)?,
        token: match &arguments.token_file {
            None => None,
            Some(path) => Some(token(path, streams)?),
        },
    };
    let keys = keys::of_files(&policy, &arguments.jwks, now, streams)?;
    let explanation = explain(&policy, &asked, &keys, now);
    let shown = match arguments.format {
        Format::Text => show::text(&policy, &lines, &asked, &explanation),
        Format::Json => format!("{:#}\n", show::json(&policy, &explanation)),
    };
    streams.out().write_all(shown.as_bytes())?;
    // The command ends here: ten thousand routes need not be taken apart for that.
    std::mem::forget((policy, document));
    Ok(match explanation.verdict {
        Verdict::Allowed | Verdict::Shadowed(_) => Outcome::Well,
        Verdict::Refused(_) | Verdict::NeedsKeys { .. } => Outcome::Wrong,
    })
}

/// The token of a file. What editors and shells put around it is none of it.
fn token(path: &Path, streams: &mut Streams) -> anyhow::Result<String> {
    let octets = document::octets(path, MAX_TOKEN_FILE_BYTES, streams)?;
    let name = document::name_of(path);
    let text = String::from_utf8(octets)
        .ok()
        .with_context(|| format!("{name} holds no token: it is not text"))?;
    let text = text.trim();
    let text = text.strip_prefix("Bearer ").unwrap_or(text);
    if text.is_empty() {
        bail!("{name} is empty; leave `--token-file` out for a request without a token");
    }
    Ok(text.to_owned())
}

fn headers(given: &[String]) -> anyhow::Result<Vec<(String, String)>> {
    let mut headers = Vec::new();
    for header in given {
        let (name, value) = header.split_once(':').with_context(|| {
            format!("`{header}` is no header field; write it as `origin: https://app.example.com`")
        })?;
        let name = name.trim().to_lowercase();
        if name == "authorization" {
            bail!(
                "a token on the command line is seen by everybody on this machine; write it to a file, and name that with `--token-file`"
            );
        }
        headers.push((name, value.trim().to_owned()));
    }
    Ok(headers)
}
