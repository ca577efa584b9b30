//! The timesheets example, whole: an authorization server, the timesheets API, the gate in front of it, and an app that people use in a browser.
//!
//! `cargo xtask example` builds what that takes, and starts this program. `cargo xtask test --example` starts it too, once for each file of
//! tests, and drives the app.

use std::fs::{File, TryLockError};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use e2e::authorization_server::{AuthorizationServer, Launch};
use e2e::stop::Stop;
use scopegate_core::Policy;
use serde_json::json;
use timesheets::api::Options;

use crate::addresses::Addresses;
use crate::arguments::{Arguments, Host, USAGE};
use crate::envoy::EnvoyGate;
use crate::gate::{Gate, wait_until_ready};
use crate::spin::SpinGate;

mod addresses;
mod app;
mod arguments;
mod envoy;
mod gate;
mod spin;

/// How often the parts and the signals are looked at.
const LOOK_EVERY: Duration = Duration::from_millis(200);

fn main() -> ExitCode {
    e2e::program::run(USAGE, arguments::parse(), run)
}

fn run(arguments: &Arguments) -> Result<()> {
    let stop = Stop::listen()?;
    let root = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("..")
        .canonicalize()?;
    let example = root.join("examples/timesheets");
    let (folder, _lock) = folder(arguments, &root)?;
    let run = tempfile::Builder::new()
        .prefix("scopegate-example-")
        .tempdir()
        .context("making a temporary folder")?;
    if let Some(facts) = &arguments.facts {
        check_facts(facts)?;
    }
    let policy_file = match &arguments.policy {
        Some(path) => path.clone(),
        None => example.join("policy.yaml"),
    };
    let policy = std::fs::read_to_string(&policy_file)
        .with_context(|| format!("reading {}", policy_file.display()))?;
    check(&policy, &policy_file)?;
    let addresses = Addresses::of(arguments, &policy)?;
    let policy = addresses.in_policy(&policy)?;

    let server = Launch {
        program: example.join("authorization-server/server.js"),
        port: addresses.issuer,
        app_origin: addresses.origin(),
        access_token_seconds: arguments.access_token_seconds,
    };
    let server = server.start(&folder)?;
    let options = Options {
        database: Some(folder.join("timesheets.sqlite")),
        app: Some(app::place(
            &example.join("spa/dist"),
            run.path(),
            addresses,
        )?),
    };
    let gate: Box<dyn Gate> = match arguments.host {
        Host::Envoy => Box::new(EnvoyGate::start(
            &root,
            run.path(),
            addresses,
            &policy,
            &options,
        )?),
        Host::Spin => Box::new(SpinGate::start(
            &root,
            run.path(),
            addresses,
            &policy,
            &options,
        )?),
    };
    wait_until_ready(gate.as_ref(), addresses.gate)?;
    if let Some(file) = &arguments.facts {
        write_facts(file, arguments.host, addresses, &server)?;
    }
    tell(addresses, &server, gate.as_ref(), &policy_file, &folder)?;
    stay(&stop, &server, gate.as_ref())
}

/// A policy that no gate takes is told before anything starts.
fn check(policy: &str, file: &Path) -> Result<()> {
    match Policy::parse(policy) {
        Ok(_) => Ok(()),
        Err(invalid) => bail!("the policy {} is none:\n{invalid}", file.display()),
    }
}

/// Where entries and log outlive this run, for one run at a time.
fn folder(arguments: &Arguments, root: &Path) -> Result<(PathBuf, File)> {
    let folder = match &arguments.folder {
        Some(folder) => folder.clone(),
        None => root.join("target/example"),
    };
    std::fs::create_dir_all(&folder).with_context(|| format!("making {}", folder.display()))?;
    let folder = folder.canonicalize()?;
    let lock = File::options()
        .create(true)
        .append(true)
        .open(folder.join(".lock"))
        .with_context(|| format!("writing in {}", folder.display()))?;
    match lock.try_lock() {
        Ok(()) => Ok((folder, lock)),
        Err(TryLockError::WouldBlock) => bail!(
            "another example runs on the entries in {}: stop that one, or choose a folder with `--folder DIR`",
            folder.display()
        ),
        Err(TryLockError::Error(error)) => {
            Err(error).with_context(|| format!("locking {}", folder.display()))
        }
    }
}

/// Whether the facts could be written there, asked before anything starts.
fn check_facts(file: &Path) -> Result<()> {
    tempfile::NamedTempFile::new_in(folder_of(file))
        .map(drop)
        .with_context(|| format!("`--facts {}` cannot be written", file.display()))
}

fn folder_of(file: &Path) -> &Path {
    let folder = file.parent().filter(|folder| *folder != Path::new(""));
    folder.unwrap_or(Path::new("."))
}

/// What other programs want to know, for nobody else's eyes: there is a secret in it.
fn write_facts(
    file: &Path,
    host: Host,
    addresses: Addresses,
    server: &AuthorizationServer,
) -> Result<()> {
    let facts = json!({
        "host": match host {
            Host::Envoy => "envoy",
            Host::Spin => "spin",
        },
        "gate": addresses.origin(),
        "two_origins": addresses.second_origin(),
        "issuer": server.issuer,
        "batch": server.batch,
    });
    // A temporary file is its owner's alone, and whoever waits for this one never sees half of it.
    let mut half = tempfile::NamedTempFile::new_in(folder_of(file))?;
    writeln!(half, "{facts:#}")?;
    half.persist(file)
        .with_context(|| format!("writing {}", file.display()))?;
    Ok(())
}

fn tell(
    addresses: Addresses,
    server: &AuthorizationServer,
    gate: &dyn Gate,
    policy: &Path,
    folder: &Path,
) -> Result<()> {
    let mut out = std::io::stdout();
    let mut fact = |word: &str, about: &str| writeln!(out, "{word:14} {about}");
    fact("issuer", &format!("{} (keys made just now)", server.issuer))?;
    fact("its log", &server.log_path().display().to_string())?;
    fact("policy", &policy.display().to_string())?;
    fact(
        "entries",
        &folder.join("timesheets.sqlite").display().to_string(),
    )?;
    for (word, about) in gate.facts() {
        fact(word, &about)?;
    }
    writeln!(out, "\nOpen in a browser:\n\n  {}/\n", addresses.origin())?;
    writeln!(
        out,
        "Users: alice, bob (may only read) and carol (an auditor); the password of each is `timesheets`."
    )?;
    if addresses.two_origins.is_some() {
        writeln!(
            out,
            "The API from another origin: {}/?api=two-origins",
            addresses.origin()
        )?;
    }
    writeln!(out, "Ctrl-C ends all of it; the entries stay.")?;
    Ok(out.flush()?)
}

/// Until a signal comes, or a part ends by itself.
fn stay(stop: &Stop, server: &AuthorizationServer, gate: &dyn Gate) -> Result<()> {
    while !stop.wanted() {
        std::thread::sleep(LOOK_EVERY);
        server.check_alive()?;
        gate.check_alive()?;
    }
    // The terminal may be what has gone away.
    let _ = writeln!(std::io::stdout(), "stopping");
    Ok(())
}
