//! `scopegate test`: a user's own table of requests and decisions, for their own CI.

mod file;
mod report;
mod run;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use clap::Args;

use crate::document::Document;
use crate::streams::Streams;
use crate::{Outcome, document, policy_file};
pub use file::{Expectation, Expected, InvalidTests, TestCase, TestFile, TokenFile};
pub use run::{Bench, Tested};

/// Run a table of requests and expected decisions against a policy
///
/// The file names the policy, tokens by their claims, and requests with what is expected. Tokens are signed with keys made for the run, so no
/// issuer is asked; the decision is the gate's own.
///
/// policy: policy.yaml
/// tokens: { reader: { claims: { sub: alice, scope: "read:timesheets" } } }
/// tests:
///   - { request: GET /timesheets, token: reader, expect: allowed }
///   - { request: POST /timesheets, token: reader, expect: scope_missing }
///   - { request: GET /timesheets, expect: 401 }
///
/// Exit status: 0 when all is as expected, 1 when something is not, 2 for tests that cannot be run.
///
/// Examples: `scopegate test timesheets.tests.yaml`, `scopegate test --junit report.xml --cover tests/*.yaml`
#[derive(Debug, Args)]
#[command(verbatim_doc_comment)]
pub(crate) struct TestArguments {
    /// The tests; `-` is standard input
    #[arg(required = true, value_name = "TESTS")]
    tests: Vec<PathBuf>,
    /// Write a JUnit report; `-` is standard output
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,
    /// Count routes that no test reaches as failures
    #[arg(long)]
    cover: bool,
}

/// What became of the tests of one file.
pub struct Suite {
    /// The file.
    pub name: String,
    /// Each test, in the order of the file.
    pub tested: Vec<Tested>,
    /// The routes that none of them reaches: methods, and the path as the policy writes it.
    pub unreached: Vec<String>,
}

pub(crate) fn run(arguments: &TestArguments, streams: &mut Streams) -> anyhow::Result<Outcome> {
    let mut suites = Vec::new();
    for path in &arguments.tests {
        suites.push(suite(path, streams)?);
    }
    let junit = arguments.junit.as_deref();
    let is_alone = !junit.is_some_and(document::is_standard_input);
    for suite in &suites {
        let shown = report::text(suite, arguments.cover);
        let out = if is_alone {
            streams.out()
        } else {
            streams.log()
        };
        out.write_all(shown.as_bytes())?;
    }
    if let Some(path) = junit {
        let report = report::junit(&suites, arguments.cover)?;
        match document::is_standard_input(path) {
            true => streams.out().write_all(report.as_bytes())?,
            false => std::fs::write(path, report)
                .with_context(|| format!("cannot write {}", path.display()))?,
        }
    }
    let fails = |suite: &Suite| {
        let all = suite.tested.iter();
        all.clone().any(|tested| !tested.differences.is_empty())
            || (arguments.cover && !suite.unreached.is_empty())
    };
    Ok(match suites.iter().any(fails) {
        true => Outcome::Wrong,
        false => Outcome::Well,
    })
}

fn suite(path: &Path, streams: &mut Streams) -> anyhow::Result<Suite> {
    let document = Document::read(path, file::MAX_TESTS_BYTES, streams)?;
    let name = document.name.clone();
    let file = TestFile::parse(&document.text).with_context(|| format!("{name} holds no tests"))?;
    let folder = path.parent().unwrap_or(Path::new(""));
    let text = policy_file::read(&folder.join(&file.policy), streams)?;
    let Some(policy) = policy_file::required(&text, streams)? else {
        bail!("{} is no policy: see above", text.name);
    };
    let bench = Bench::new(&policy, &file, folder, streams).with_context(|| name.clone())?;
    let mut tested = Vec::new();
    for case in &file.tests {
        tested.push(bench.run(case).with_context(|| name.clone())?);
    }
    let reached: BTreeSet<usize> = tested.iter().filter_map(|tested| tested.route).collect();
    let routes = policy.routes().iter().enumerate();
    let unreached = routes.filter(|(place, _)| !reached.contains(place));
    let unreached = unreached.map(|(_, route)| match route.methods.as_slice() {
        [] => route.path.clone(),
        methods => format!("{} {}", methods.join(","), route.path),
    });
    Ok(Suite {
        name,
        unreached: unreached.collect(),
        tested,
    })
}
