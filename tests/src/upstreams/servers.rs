//! Starts the servers, where this machine has what they need.

use std::env;
use std::ffi::OsString;
use std::io;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use super::{Kind, Mode, Upstream, file};
use crate::config::Address;
use crate::keeper::{Kept, Reach};

/// A server has to load its framework; a busy machine takes its time over that.
const READY_WITHIN: Duration = Duration::from_secs(30);

/// A running server. Dropping it ends the process.
#[derive(Debug)]
pub struct Running {
    /// Where it listens.
    pub address: Address,
    // Dropped in this order: the process ends before its folder goes.
    child: Kept,
    folder: tempfile::TempDir,
}

impl Running {
    /// What it wrote to its standard streams.
    pub fn log(&self) -> String {
        std::fs::read_to_string(output(self.folder.path())).unwrap_or_default()
    }
}

/// What this machine has of the things that the servers need. `Err` is why it has not.
pub struct Programs {
    nginx: Result<PathBuf, String>,
    python: Result<PathBuf, String>,
    packages: Result<PathBuf, String>,
}

impl Programs {
    /// Looks for nginx (`NGINX_BIN`, the PATH, `target/tools`), `python3`, `node`, and npm's packages for it (`SCOPEGATE_NODE_PACKAGES`,
    /// `target/tools`).
    pub fn find() -> Self {
        let tools = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/tools");
        let nginx = named("NGINX_BIN")
            .or_else(|| on_path("nginx"))
            .unwrap_or_else(|| tools.join("nginx/nginx"));
        let packages =
            named("SCOPEGATE_NODE_PACKAGES").unwrap_or_else(|| tools.join("node-packages"));
        let packages = match on_path("node") {
            None => Err("no node on the PATH".to_owned()),
            Some(_) => there(packages.join("node_modules"), "no npm packages"),
        };
        Self {
            nginx: there(nginx, "no nginx"),
            python: on_path("python3").ok_or_else(|| "no python3 on the PATH".to_owned()),
            packages,
        }
    }

    /// Why that server cannot be started here.
    pub fn missing(&self, upstream: Upstream) -> Option<&str> {
        let needed = match upstream.kind {
            Kind::Nginx => &self.nginx,
            Kind::Wsgi => &self.python,
            Kind::Node(_) => &self.packages,
        };
        needed.as_ref().err().map(String::as_str)
    }

    /// Starts the server, and returns when it listens.
    ///
    /// # Errors
    /// A program that is missing, or that ends or says nothing; its last words are in the error.
    pub fn start(&self, upstream: Upstream) -> Result<Running> {
        let folder = tempfile::Builder::new()
            .prefix("scopegate-upstream-")
            .tempdir()?;
        if let Some(missing) = self.missing(upstream) {
            bail!("{missing}");
        }
        let mode = match upstream.mode {
            Mode::Plain => "plain",
            Mode::Fitted => "fitted",
        };
        let path = PathBuf::from;
        let (program, arguments, environment) = match (upstream.kind, &self.nginx, &self.packages) {
            (Kind::Nginx, Ok(nginx), _) => {
                let configuration = folder.path().join("nginx.conf");
                std::fs::write(
                    &configuration,
                    nginx_configuration(folder.path(), upstream.mode)?,
                )?;
                let arguments = vec![
                    path("-p"),
                    folder.path().to_owned(),
                    path("-e"),
                    path("stderr"),
                    path("-c"),
                    configuration,
                ];
                (nginx.clone(), arguments, Vec::new())
            }
            (Kind::Wsgi, ..) => (
                path("python3"),
                vec![file("wsgi.py"), path(mode)],
                Vec::new(),
            ),
            (Kind::Node(program), _, Ok(packages)) => {
                let environment = vec![("NODE_PATH", packages.as_path())];
                (path("node"), vec![file(program), path(mode)], environment)
            }
            (_, Err(missing), _) | (_, _, Err(missing)) => bail!("{missing}"),
        };
        let arguments: Vec<OsString> = arguments.into_iter().map(OsString::from).collect();
        let child = Kept::spawn(
            &program,
            &arguments,
            &environment,
            output(folder.path()).as_path(),
            Reach::Process,
        )?;
        let mut running = Running {
            address: Address::Pipe(folder.path().join("socket")),
            child,
            folder,
        };
        running
            .wait_until_ready(upstream.kind)
            .with_context(|| format!("{}: {}", upstream.name, running.log()))?;
        Ok(running)
    }
}

impl Running {
    /// nginx listens on its socket; the others print their port.
    fn wait_until_ready(&mut self, kind: Kind) -> Result<()> {
        let deadline = Instant::now() + READY_WITHIN;
        loop {
            if self.child.has_ended() {
                bail!("it ended while starting ({})", self.child.end());
            }
            match (kind, &self.address) {
                (Kind::Nginx, Address::Pipe(socket)) if UnixStream::connect(socket).is_ok() => {
                    return Ok(());
                }
                (Kind::Nginx, _) => {}
                _ => {
                    if let Some(port) = port(&self.log()) {
                        self.address = Address::Socket(([127, 0, 0, 1], port).into());
                        return Ok(());
                    }
                }
            }
            if Instant::now() > deadline {
                bail!("it does not listen after {} s", READY_WITHIN.as_secs());
            }
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

/// The first whole line that is a port: what a server writes may be read half written, and a warning may stand before it.
fn port(log: &str) -> Option<u16> {
    log.split_inclusive('\n')
        .filter_map(|line| line.strip_suffix('\n'))
        .find_map(|line| line.parse().ok())
}

fn nginx_configuration(folder: &Path, mode: Mode) -> io::Result<String> {
    let fitted = match mode {
        Mode::Plain => "",
        Mode::Fitted => "rewrite ^(/.+)/$ $1;",
    };
    let text = std::fs::read_to_string(file("nginx.conf"))?;
    Ok(text
        .replace("${folder}", &folder.display().to_string())
        .replace("${fitted}", fitted))
}

fn output(folder: &Path) -> PathBuf {
    folder.join("output")
}

fn named(variable: &str) -> Option<PathBuf> {
    env::var_os(variable)
        .filter(|value| !value.is_empty())
        .map(PathBuf::from)
}

/// A program that runs: a version manager's stand-in may be on the PATH with nothing behind it.
fn on_path(program: &str) -> Option<PathBuf> {
    let version = if program == "nginx" {
        "-v"
    } else {
        "--version"
    };
    let tried = Command::new(program)
        .arg(version)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    tried
        .is_ok_and(|status| status.success())
        .then(|| PathBuf::from(program))
}

fn there(path: PathBuf, missing: &str) -> Result<PathBuf, String> {
    if path.exists() || path.components().count() == 1 {
        return Ok(path);
    }
    Err(format!("{missing} (`cargo xtask test` gets them)"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_is_a_whole_line() {
        for (log, expected) in [
            ("", None),
            ("808", None),
            ("8080\n", Some(8080)),
            ("(node:1) Warning: 1\n8080\n", Some(8080)),
        ] {
            assert_eq!(port(log), expected, "{log:?}");
        }
    }
}
