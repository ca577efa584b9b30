//! The example's authorization server (`examples/timesheets/authorization-server`, in Node): ready when `start` returns, gone when dropped.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use serde::{Deserialize, Serialize};

use crate::keeper::{Kept, Output, Reach};

/// Node has a few hundred files to read; a busy machine takes its time over that.
const READY_WITHIN: Duration = Duration::from_secs(60);

/// The oldest that its packages run on.
const OLDEST_NODE: [u32; 2] = [20, 19];

/// How it is started.
#[derive(Clone, Debug)]
pub struct Launch {
    /// The program, `server.js`.
    pub program: PathBuf,
    /// Where it listens on loopback.
    pub port: u16,
    /// Where the app is served.
    pub app_origin: String,
    /// How long an access token lasts.
    pub access_token_seconds: u32,
}

/// The running server. Dropping it ends the process.
#[derive(Debug)]
pub struct AuthorizationServer {
    child: Kept,
    log: PathBuf,
    /// Its `iss`.
    pub issuer: String,
    /// The client for machines.
    pub batch: Client,
}

/// A client with a secret, which the server made when it was started.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Client {
    client_id: String,
    client_secret: String,
}

/// The line that the server prints when it listens.
#[derive(Deserialize)]
struct Ready {
    issuer: String,
    clients: Clients,
}

#[derive(Deserialize)]
struct Clients {
    batch: Client,
}

impl Launch {
    /// Starts it, with its log in that folder, and waits until it listens.
    ///
    /// # Errors
    /// There is no Node, or the server ends or says nothing; its last words are in the error.
    pub fn start(&self, folder: &Path) -> Result<AuthorizationServer> {
        let arguments: [OsString; 7] = [
            self.program.clone().into(),
            "--port".into(),
            self.port.to_string().into(),
            "--app-origin".into(),
            self.app_origin.clone().into(),
            "--access-token-seconds".into(),
            self.access_token_seconds.to_string().into(),
        ];
        check_node()?;
        let log = folder.join("authorization-server.log");
        // Of this run alone.
        std::fs::write(&log, "").with_context(|| format!("writing {}", log.display()))?;
        // The line has a secret in it: it goes with the folder of this run, and is not in the log.
        let private = tempfile::tempdir_in(folder)?;
        let line = private.path().join("ready");
        let child = Kept::spawn(
            Path::new("node"),
            &arguments,
            &[],
            Output {
                out: &line,
                err: &log,
            },
            Reach::Process,
        )?;
        let deadline = Instant::now() + READY_WITHIN;
        loop {
            let said = std::fs::read_to_string(&line).unwrap_or_default();
            if let Some((line, _)) = said.split_once('\n') {
                let Ready { issuer, clients } = serde_json::from_str(line)
                    .context("the authorization server printed something else than was agreed")?;
                return Ok(AuthorizationServer {
                    child,
                    log,
                    issuer,
                    batch: clients.batch,
                });
            }
            if child.has_ended() || Instant::now() > deadline {
                let words = std::fs::read_to_string(&log).unwrap_or_default();
                bail!("the authorization server did not start: {}", end(&words));
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

/// A Node that the server runs on.
fn check_node() -> Result<()> {
    let [major, minor] = OLDEST_NODE;
    let wanted = format!("the authorization server needs Node {major}.{minor} or later");
    let Ok(output) = Command::new("node").arg("--version").output() else {
        bail!("{wanted}, and there is no `node` on the PATH");
    };
    let said = String::from_utf8_lossy(&output.stdout);
    let mut numbers = said.trim().trim_start_matches('v').split('.');
    let mut number = || numbers.next().and_then(|number| number.parse().ok());
    match (number(), number()) {
        (Some(own), Some(behind)) if [own, behind] >= OLDEST_NODE => Ok(()),
        _ => bail!("{wanted}, and this one is {}", said.trim()),
    }
}

/// The last words of a log, which may be long.
fn end(log: &str) -> &str {
    const SHOWN: usize = 2_000;
    let log = log.trim();
    let mut from = log.len().saturating_sub(SHOWN);
    while !log.is_char_boundary(from) {
        from += 1;
    }
    log.get(from..).unwrap_or(log)
}

impl AuthorizationServer {
    /// Where its log is written.
    pub fn log_path(&self) -> &Path {
        &self.log
    }

    /// An error when it has ended by itself.
    ///
    /// # Errors
    /// It has.
    pub fn check_alive(&self) -> Result<()> {
        if self.child.has_ended() {
            bail!(
                "the authorization server ended by itself ({}); its log is {}",
                self.child.end(),
                self.log.display()
            );
        }
        Ok(())
    }
}
