//! The timesheets API alone, for a gate and an issuer that are started by somebody else. See `timesheets-api --help`.

use std::io::Write as _;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, Result};
use clap::Parser;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use timesheets::api::{Api, Options, SocketApi};

/// Serve the timesheets API of the worked example
///
/// It checks no token: it believes `x-auth-sub`, the header that the gate sets. So nothing but the gate may reach it. A Unix socket can
/// be opened by one user of this machine alone, and that user runs the gate; a port of loopback can be reached by everybody on it.
///
/// The first line on standard output says where it listens. Ctrl-C ends it. Exit status: 0 when it was ended, 1 when it could not start, 2 for
/// arguments that cannot be used.
///
/// Example: `timesheets-api --listen unix:/run/timesheets/api.sock --database /var/lib/timesheets/entries.db --app spa/dist`
#[derive(Debug, Parser)]
#[command(name = "timesheets-api")]
struct Arguments {
    /// Where it listens: `unix:PATH`, or a port of loopback; port 0 lets the system choose
    #[arg(long, value_name = "unix:PATH|127.0.0.1:PORT", default_value = "127.0.0.1:9102", value_parser = listen)]
    listen: Listen,
    /// Keep the entries in this file, for its owner alone; in memory, and gone at the end, if left out
    #[arg(long, value_name = "FILE")]
    database: Option<PathBuf>,
    /// Serve the app in this folder at `/` (its index.html) and below `/app/`
    #[arg(long, value_name = "FOLDER")]
    app: Option<PathBuf>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Listen {
    Socket(PathBuf),
    Port(u16),
}

fn main() -> ExitCode {
    match run(Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // A terminal that has gone away takes no words.
            let _ = writeln!(std::io::stderr(), "error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: Arguments) -> Result<()> {
    let Arguments {
        listen,
        database,
        app,
    } = arguments;
    // Before the socket is there: a signal that comes early removes it too.
    let mut signals = Signals::new([SIGHUP, SIGINT, SIGTERM]).context("listening for signals")?;
    let options = Options { database, app };
    match listen {
        Listen::Socket(path) => {
            let _api = SocketApi::start(&path, &options)?;
            announce(&format!("unix:{}", path.display()))?;
            signals.forever().next();
        }
        Listen::Port(port) => {
            let api = Api::start_with(port, &options)?;
            let warning = "warning: everybody on this machine can reach this port, and is whoever they say they are; \
                           `--listen unix:PATH` is for one user alone";
            let _ = writeln!(std::io::stderr(), "{warning}");
            announce(&format!("http://{}/", api.address()))?;
            signals.forever().next();
        }
    }
    Ok(())
}

/// Whoever started it waits for this line.
fn announce(place: &str) -> Result<()> {
    let mut out = std::io::stdout();
    writeln!(out, "{place}")?;
    out.flush()?;
    Ok(())
}

fn listen(text: &str) -> Result<Listen, String> {
    let wanted = "write `unix:PATH` or `127.0.0.1:PORT`";
    match text.split_once(':') {
        Some(("unix", "")) => Err(wanted.to_owned()),
        Some(("unix", path)) => Ok(Listen::Socket(path.into())),
        _ => match text.parse() {
            Ok(SocketAddr::V4(address)) if address.ip().octets() == [127, 0, 0, 1] => {
                Ok(Listen::Port(address.port()))
            }
            Ok(_) => Err(format!(
                "the API believes whoever reaches it, so it listens on no other address: {wanted}"
            )),
            Err(_) => Err(wanted.to_owned()),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_listens_on_a_socket_or_on_loopback() {
        for (text, expected) in [
            (
                "unix:/run/x.sock",
                Some(Listen::Socket("/run/x.sock".into())),
            ),
            ("unix:x:y", Some(Listen::Socket("x:y".into()))),
            ("127.0.0.1:0", Some(Listen::Port(0))),
            ("unix:", None),
            ("unix", None),
            ("9102", None),
            ("0.0.0.0:9102", None),
            ("[::1]:9102", None),
            ("192.0.2.1:9102", None),
            ("localhost:9102", None),
        ] {
            assert_eq!(listen(text).ok(), expected, "{text}");
        }
    }
}
