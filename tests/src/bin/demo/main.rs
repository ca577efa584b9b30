//! The demo: issuer, timesheets API and the gate in front of it, a table of what passes and what does not, and a policy to edit.
//!
//! The gate is the filter in Envoy, or with `--host spin` a component on Spin. `cargo xtask demo` builds what that takes, gets Envoy, and
//! starts this program, for Envoy with `SCOPEGATE_FILTER` and `ENVOY_BIN`.

use std::io::Write;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use e2e::ports::check_free;
use e2e::spin::Program;
use e2e::stop::Stop;
use scopegate::issuer::Issuer;
use scopegate_core::Algorithm;

use crate::arguments::{Arguments, Host, USAGE};
use crate::envoy::{EnvoyGate, Listen};
use crate::gate::{Gate, Verdict};
use crate::policy::Watched;
use crate::spin::{Arrangement, SpinGate};

mod arguments;
mod envoy;
mod gate;
mod policy;
mod restart;
mod rows;
mod spin;

/// How often the policy file and the signals are looked at.
const LOOK_EVERY: Duration = Duration::from_millis(200);

fn main() -> ExitCode {
    e2e::program::run(USAGE, arguments::parse(), run)
}

fn run(arguments: &Arguments) -> Result<()> {
    let stop = Stop::listen()?;
    let root = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("..")
        .canonicalize()?;
    let shipped = arguments.policy.is_none();
    let mut watched = Watched::open(match &arguments.policy {
        Some(path) => path.clone(),
        None => root.join("examples/timesheets/policy.yaml"),
    })?;

    let means = Means::find(arguments.host)?;
    check_free("the gate", arguments.port, "--port")?;
    if arguments.host == Host::Envoy {
        let whose = "Envoy's admin interface";
        check_free(whose, arguments.admin_port, "--admin-port")?;
    }
    let issuer_url = policy::local_issuer(watched.text(), watched.path())?;
    let issuer = Issuer::generate(&issuer_url.text, &[Algorithm::Rs256, Algorithm::Es256])?;
    let keys = issuer.serve(issuer_url.port).with_context(|| {
        format!(
            "the issuer's port is the one that {} names",
            watched.path().display()
        )
    })?;

    let mut out = std::io::stdout();
    fact(
        &mut out,
        "issuer",
        &format!("{} (keys made just now)", issuer_url.text),
    )?;
    fact(&mut out, "policy", &watched.path().display().to_string())?;
    let issuer_port = keys.address().port();
    let mut gate: Box<dyn Gate> = match means {
        Means::Spin(arrangement, program) => Box::new(SpinGate::start(
            arrangement,
            program,
            &root.join("examples/timesheets/spin"),
            arguments.port,
            issuer_port,
            &watched,
        )?),
        Means::Envoy(tools) => Box::new(EnvoyGate::start(
            &tools,
            &root.join("envoy"),
            Listen {
                gate: arguments.port,
                admin: arguments.admin_port,
            },
            issuer_port,
            &watched,
        )?),
    };
    let gate = gate.as_mut();
    fact(&mut out, "gate", &format!("http://{}/", gate.address()))?;
    for (word, about) in gate.facts() {
        fact(&mut out, word, &about)?;
    }
    writeln!(out)?;

    let mut wrong = rows::table(&mut out, &issuer, gate, &stop)?;
    if arguments.host != Host::Envoy {
        wrong = wrong.saturating_add(restart::row(&mut out, gate, watched.text())?);
    }
    if wrong > 0 && !shipped {
        writeln!(
            out,
            "(The rows are those of the shipped policy; this run has another.)"
        )?;
    }
    if arguments.check {
        if wrong > 0 {
            bail!("{wrong} rows are not as they should be");
        }
        return Ok(());
    }
    rows::curl_lines(&mut out, &issuer, gate.address(), gate.folder())?;
    let follows = match arguments.host {
        Host::Envoy => "the next request meets the change",
        Host::Spin(_) => "Spin is started again with the change",
    };
    writeln!(
        out,
        "\nEdit {} while this runs: {follows}, and a broken edit changes nothing.\n\
         Ctrl-C ends all of it.",
        watched.path().display()
    )?;
    stay(&mut out, gate, &mut watched, &stop)
}

fn fact(out: &mut impl Write, word: &str, about: &str) -> std::io::Result<()> {
    writeln!(out, "{word:10} {about}")
}

/// What the host takes beside the files of the tree.
enum Means {
    Envoy(envoy::Tools),
    Spin(Arrangement, Program),
}

impl Means {
    fn find(host: Host) -> Result<Self> {
        match host {
            Host::Envoy => Ok(Self::Envoy(envoy::Tools::find()?)),
            Host::Spin(arrangement) => Ok(Self::Spin(arrangement, Program::find()?)),
        }
    }
}

/// Until a signal comes: a changed policy is offered to the gate, and its verdict told.
fn stay(
    out: &mut impl Write,
    gate: &mut dyn Gate,
    watched: &mut Watched,
    stop: &Stop,
) -> Result<()> {
    while !stop.wanted() {
        std::thread::sleep(LOOK_EVERY);
        gate.check_alive()?;
        let Some(text) = watched.changed() else {
            continue;
        };
        let verdict = match text {
            Ok(text) => gate.offer(&text)?,
            Err(error) => Verdict::Refused(vec![format!("{error:#}")]),
        };
        match verdict {
            Verdict::Accepted => writeln!(out, "policy accepted: the next request meets it")?,
            Verdict::Refused(why) => {
                writeln!(out, "policy refused, the old one keeps serving:")?;
                for line in why {
                    writeln!(out, "  {line}")?;
                }
            }
        }
        out.flush()?;
    }
    // The terminal may be what has gone away.
    let _ = writeln!(out, "stopping");
    Ok(())
}
