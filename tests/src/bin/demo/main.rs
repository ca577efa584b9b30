//! The demo: issuer, timesheets API and Envoy with the gate, a table of what passes and what does not, and a policy to edit.
//!
//! `cargo xtask demo` builds the filter, gets Envoy, and starts this program with `SCOPEGATE_FILTER` and `ENVOY_BIN`.

use std::io::Write;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use timesheets::api::Api;
use timesheets::issuer::Issuer;

use crate::arguments::{Arguments, USAGE, Wish};
use crate::gate::{Gate, Verdict};
use crate::policy::Watched;
use crate::stop::Stop;

mod arguments;
mod configuration;
mod gate;
mod policy;
mod rows;
mod stop;

/// How often the policy file and the signals are looked at.
const LOOK_EVERY: Duration = Duration::from_millis(200);

fn main() -> ExitCode {
    let arguments = match arguments::parse() {
        Ok(Wish::Run(arguments)) => arguments,
        Ok(Wish::Help) => {
            // Nobody reads the help if this fails.
            let _ = write!(std::io::stdout(), "{USAGE}");
            return ExitCode::SUCCESS;
        }
        Err(error) => {
            complain(&format!("{error}\n\n{USAGE}"));
            return ExitCode::from(2);
        }
    };
    match run(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            complain(&format!("{error:#}"));
            ExitCode::FAILURE
        }
    }
}

/// A terminal that has gone away takes no words, and that is no reason to panic.
fn complain(text: &str) {
    let _ = writeln!(std::io::stderr(), "error: {text}");
}

fn run(arguments: &Arguments) -> Result<()> {
    let stop = Stop::listen()?;
    let tools = Tools::find()?;
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let shipped = arguments.policy.is_none();
    let mut watched = Watched::open(match &arguments.policy {
        Some(path) => path.clone(),
        None => root
            .join("examples/timesheets/policy.yaml")
            .canonicalize()?,
    })?;

    check_free("the gate", arguments.port, "--port")?;
    check_free(
        "Envoy's admin interface",
        arguments.admin_port,
        "--admin-port",
    )?;
    let issuer_url = policy::local_issuer(watched.text(), watched.path())?;
    let issuer = Issuer::generate(&issuer_url.text)?;
    let keys = issuer.serve(issuer_url.port).with_context(|| {
        format!(
            "the issuer's port is the one that {} names",
            watched.path().display()
        )
    })?;
    let api = Api::start(0)?;

    let mut out = std::io::stdout();
    writeln!(out, "issuer     {} (keys made just now)", issuer_url.text)?;
    writeln!(out, "API        http://{}/", api.address())?;
    writeln!(out, "policy     {}", watched.path().display())?;
    let mut gate = Gate::start(
        &tools,
        &root.join("envoy"),
        configuration::Ports {
            gate: arguments.port,
            admin: arguments.admin_port,
            api: api.address().port(),
            issuer: keys.address().port(),
        },
        &watched,
    )?;
    writeln!(out, "gate       http://{}/", gate.address())?;
    writeln!(out, "Envoy      admin http://{}/", gate.admin())?;
    writeln!(
        out,
        "logs       {} (envoy.log; access log: envoy.out)\n",
        gate.logs().display()
    )?;

    let wrong = rows::table(&mut out, &issuer, &api, gate.address(), &stop)?;
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
    writeln!(
        out,
        "\nEdit {} while this runs: the next request meets the change, and a broken edit changes nothing.\n\
         Ctrl-C ends all of it.",
        watched.path().display()
    )?;
    stay(&mut out, &mut gate, &mut watched, &stop)
}

/// Until a signal comes: a changed policy is offered to Envoy, and its verdict told.
fn stay(out: &mut impl Write, gate: &mut Gate, watched: &mut Watched, stop: &Stop) -> Result<()> {
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

/// The two things that `cargo xtask demo` makes and gets.
struct Tools {
    envoy: PathBuf,
    filter: PathBuf,
}

impl Tools {
    fn find() -> Result<Self> {
        let envoy = e2e::tools::envoy()?.context(
            "there is no Envoy: neither does ENVOY_BIN name one, nor is one on the PATH (`cargo xtask demo` gets it)",
        )?;
        let filter = std::env::var_os("SCOPEGATE_FILTER")
            .filter(|value| !value.is_empty())
            .context("SCOPEGATE_FILTER does not name the filter (`cargo xtask demo` builds it and sets the variable)")?;
        let filter = std::path::absolute(PathBuf::from(filter))?;
        if !filter.is_file() {
            bail!(
                "there is no filter at {} (`cargo xtask build` makes it)",
                filter.display()
            );
        }
        Ok(Self { envoy, filter })
    }
}

/// An error when something listens there (0 is any port that is free).
///
/// Envoy would not notice a second Envoy on its port: both would listen, and share the requests.
fn check_free(whose: &str, port: u16, flag: &str) -> Result<()> {
    match TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, port))) {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == std::io::ErrorKind::AddrInUse => bail!(
            "port {port} of 127.0.0.1, meant for {whose}, is taken by another program: stop that one, or choose a port with `{flag} N`"
        ),
        Err(error) => {
            Err(error).with_context(|| format!("{whose} cannot listen on 127.0.0.1:{port}"))
        }
    }
}
