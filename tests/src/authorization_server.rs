//! The example's authorization server (`examples/timesheets/authorization-server`, in Node): ready when `start` returns, gone when dropped.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use serde::{Deserialize, Serialize};

use crate::keeper::{Kept, Output, Reach};

/// Node has a few hundred files to read; a busy machine takes its time over that.
const READY_WITHIN: Duration = Duration::from_secs(60);

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
        let log = folder.join("authorization-server.log");
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
        )
        .context("the authorization server needs Node")?;
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
                bail!("the authorization server did not start: {}", words.trim());
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }
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
