//! The corpus, put to Envoy's own `jwt_authn` and `rbac`: every disagreement with what its case expects goes into
//! `docs/versus-jwt-authn.md`, with the sentence that `tests/versus.yaml` has for it.
//!
//! `cargo xtask versus` gets Envoy, and starts this program with `ENVOY_BIN`.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use e2e::corpus::load;
use e2e::{test_key, tools};

use crate::explanations::Explanations;

mod answer;
mod comparison;
mod disagreement;
mod explanations;
mod listeners;
mod page;
mod trial;

/// What is wanted.
enum Wish {
    /// Write the page.
    Write,
    /// Say whether it would be written as it is.
    Check,
    /// Print the native configuration for a case.
    Show(String),
}

fn main() -> ExitCode {
    let run = || match wish()? {
        Wish::Show(case) => show(&case),
        Wish::Write => compare(false),
        Wish::Check => compare(true),
    };
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            say(&format!("error: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

fn wish() -> Result<Wish> {
    use lexopt::prelude::{Long, ValueExt as _};
    let mut parser = lexopt::Parser::from_env();
    let mut wish = Wish::Write;
    while let Some(argument) = parser.next()? {
        wish = match argument {
            Long("check") => Wish::Check,
            Long("show") => Wish::Show(parser.value()?.string()?),
            other => return Err(other.unexpected().into()),
        };
    }
    Ok(wish)
}

fn show(name: &str) -> Result<()> {
    let case = load()?.into_iter().find(|case| case.full_name() == name);
    let case =
        case.with_context(|| format!("there is no case {name:?}; a name is `FILE: NAME`"))?;
    let configuration = serde_json::to_string_pretty(&listeners::sample(&case)?)?;
    writeln!(std::io::stdout(), "{configuration}")?;
    Ok(())
}

fn compare(only_check: bool) -> Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let page: PathBuf = root.join("docs/versus-jwt-authn.md");
    let old = std::fs::read_to_string(&page).context("docs/versus-jwt-authn.md")?;
    let Some(envoy) = tools::envoy()? else {
        bail!("no Envoy: `cargo xtask versus` gets one");
    };
    let version = comparison::version_of(&envoy)?;
    if only_check && let Some(other) = page::other_version(&old, &version) {
        say(&format!(
            "SKIPPED: docs/versus-jwt-authn.md is about Envoy {other}, and this is {version}"
        ));
        return Ok(());
    }
    let explanations = Explanations::load(&root.join("tests/versus.yaml"))?;
    let cases = load()?;
    let keys = test_key::load()?;
    let tried = comparison::run(&envoy, &keys, &cases, &explanations)?;
    let explained = explanations.explain(&tried)?;
    let new = page::write(&old, &tried, &explained)?;
    say(&page::count(&tried));
    match (only_check, new == old) {
        (_, true) => say("docs/versus-jwt-authn.md is as it should be"),
        (true, false) => {
            bail!("docs/versus-jwt-authn.md is not what was seen: run `cargo xtask versus`")
        }
        (false, false) => {
            std::fs::write(&page, new)?;
            say("wrote docs/versus-jwt-authn.md");
        }
    }
    Ok(())
}

/// A terminal that has gone away takes no words, and that is no reason to panic.
fn say(text: &str) {
    let _ = writeln!(std::io::stderr(), "{text}");
}
