//! A real Envoy process: started with a configuration text, ready when `start` returns, gone when dropped.
//!
//! ```no_run
//! # fn main() -> anyhow::Result<()> {
//! use e2e::envoy::Envoy;
//! let envoy = Envoy::start(std::path::Path::new("/usr/bin/envoy"), "static_resources: {}")?;
//! println!("admin on {}, log in {}", envoy.admin(), envoy.log_path().display());
//! println!("{:?}", envoy.stat("server.live")?);
//! # Ok(())
//! # }
//! ```
//!
//! - The configuration needs no `admin:`; the launcher adds one on loopback (port 0 unless [`Launch::admin_port`] says
//!   otherwise). Listeners may ask for port 0 too: [`Envoy::listeners`] tells where they are.
//! - The child dies with this process, even when this process is killed by SIGKILL (see the module `keeper`).
//! - Configuration, log and everything else lie in a folder of its own, which is removed on drop, except when the
//!   thread is panicking: then it is kept, and its place is printed.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::folder::Folder;
use crate::{http1, keeper};

/// How to start an Envoy, where the defaults of [`Envoy::start`] do not fit.
#[derive(Clone, Debug)]
pub struct Launch {
    /// The Envoy binary.
    pub bin: PathBuf,
    /// Port of the admin interface on loopback; 0 lets the system choose.
    pub admin_port: u16,
    /// Number of worker threads.
    pub concurrency: u32,
    /// `--log-level`.
    pub log_level: String,
    /// `--component-log-level`, for example `wasm:debug`; empty for none.
    pub component_log_level: String,
    /// How long it may take until `/ready` says LIVE. A wasm module is compiled in this time.
    pub ready_within: Duration,
}

impl Launch {
    /// The defaults: any admin port, one worker, warnings, and `info` from wasm.
    pub fn new(bin: &Path) -> Self {
        Self {
            bin: bin.to_owned(),
            admin_port: 0,
            concurrency: 1,
            log_level: "warning".to_owned(),
            component_log_level: "wasm:info".to_owned(),
            ready_within: Duration::from_secs(60),
        }
    }

    /// Starts it with this configuration (YAML) and waits until it is ready.
    ///
    /// # Errors
    /// A sentence that names the cause (the binary is missing, a port is taken), with the last lines of the log.
    pub fn start(&self, config: &str) -> Result<Envoy> {
        if !self.bin.is_file() {
            bail!("there is no Envoy at {}", self.bin.display());
        }
        let folder = Folder::of("Envoy", "scopegate-envoy-")?;
        let config_file = folder.path().join("envoy.yaml");
        let admin_file = folder.path().join("admin-address");
        let log_file = folder.path().join("envoy.log");
        std::fs::write(&config_file, config)
            .with_context(|| format!("writing {}", config_file.display()))?;

        let port = self.admin_port;
        let mut arguments = vec![
            "--config-path".into(),
            config_file.into_os_string(),
            // Merged over the file: the caller's configuration may name an admin port that is taken.
            "--config-yaml".into(),
            format!("admin: {{ address: {{ socket_address: {{ address: 127.0.0.1, port_value: {port} }} }} }}").into(),
            "--admin-address-path".into(),
            admin_file.clone().into_os_string(),
            "--log-path".into(),
            log_file.clone().into_os_string(),
            "--log-level".into(),
            self.log_level.clone().into(),
            "--concurrency".into(),
            self.concurrency.to_string().into(),
            // Hot restart uses shared memory under a fixed name: two Envoys of one user would meet there.
            "--disable-hot-restart".into(),
            // Ten seconds by default: a test would wait that long for its access log.
            "--file-flush-interval-msec".into(),
            "20".into(),
        ];
        if !self.component_log_level.is_empty() {
            arguments.push("--component-log-level".into());
            arguments.push(self.component_log_level.clone().into());
        }
        let child = keeper::Kept::spawn(
            &self.bin,
            &arguments,
            &[],
            folder.path().join("envoy.out").as_path(),
            keeper::Reach::Process,
        )?;
        let mut envoy = Envoy {
            child,
            admin: SocketAddr::from(([127, 0, 0, 1], 0)),
            log_file,
            folder,
        };
        envoy.wait_until_ready(&admin_file, self.ready_within)?;
        Ok(envoy)
    }
}

/// A running Envoy. Dropping it ends the process.
#[derive(Debug)]
pub struct Envoy {
    // Dropped in this order: the process ends before its folder goes.
    child: keeper::Kept,
    admin: SocketAddr,
    log_file: PathBuf,
    folder: Folder,
}

impl Envoy {
    /// Starts Envoy with one worker, an admin port of its own, and this configuration (YAML); returns when it is ready.
    ///
    /// # Errors
    /// See [`Launch::start`].
    pub fn start(bin: &Path, config: &str) -> Result<Self> {
        Launch::new(bin).start(config)
    }

    /// The address of the admin interface.
    pub fn admin(&self) -> SocketAddr {
        self.admin
    }

    /// The folder that holds configuration and log. Callers may put watched files there.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Where the log is written.
    pub fn log_path(&self) -> &Path {
        &self.log_file
    }

    /// The log so far: Envoy's own lines, and what it wrote to its standard streams (access logs may go there).
    pub fn log(&self) -> String {
        read_log(&self.log_file, &self.folder.path().join("envoy.out"))
    }

    /// The process id, for messages and for tests that look whether it is gone.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Whether the process still runs.
    pub fn is_running(&self) -> bool {
        !self.child.has_ended()
    }

    /// GET on the admin interface; anything but 200 is an error.
    ///
    /// # Errors
    /// No answer, or another status than 200.
    pub fn admin_get(&self, path: &str) -> Result<String> {
        admin_text(path, &http1::fetch(self.admin, path)?)
    }

    /// POST on the admin interface, for example `/logging?wasm=debug`.
    ///
    /// # Errors
    /// No answer, or another status than 200.
    pub fn admin_post(&self, path: &str) -> Result<String> {
        admin_text(path, &http1::post(self.admin, path)?)
    }

    /// All counters and gauges by name (histograms and texts are left out).
    ///
    /// # Errors
    /// The admin interface does not answer.
    pub fn stats(&self) -> Result<BTreeMap<String, u64>> {
        let text = self.admin_get("/stats")?;
        Ok(text
            .lines()
            .filter_map(|line| {
                let (name, value) = line.rsplit_once(": ")?;
                Some((name.to_owned(), value.parse().ok()?))
            })
            .collect())
    }

    /// One counter or gauge; `None` when Envoy has none of that name.
    ///
    /// # Errors
    /// The admin interface does not answer.
    pub fn stat(&self, name: &str) -> Result<Option<u64>> {
        Ok(self.stats()?.get(name).copied())
    }

    /// The listeners by name, with the address each one really has.
    ///
    /// # Errors
    /// The admin interface does not answer, or not as Envoy documents it.
    pub fn listeners(&self) -> Result<BTreeMap<String, SocketAddr>> {
        let answer: Value = serde_json::from_str(&self.admin_get("/listeners?format=json")?)
            .context("reading /listeners of Envoy")?;
        let statuses = answer["listener_statuses"]
            .as_array()
            .context("/listeners of Envoy without `listener_statuses`")?;
        statuses
            .iter()
            .map(|status| {
                let name = status["name"]
                    .as_str()
                    .context("a listener without a name")?;
                let socket = &status["local_address"]["socket_address"];
                let host = socket["address"]
                    .as_str()
                    .context("a listener without an address")?;
                let port = socket["port_value"]
                    .as_u64()
                    .context("a listener without a port")?;
                let address = SocketAddr::new(host.parse()?, u16::try_from(port)?);
                Ok((name.to_owned(), address))
            })
            .collect()
    }

    fn wait_until_ready(&mut self, admin_file: &Path, within: Duration) -> Result<()> {
        let deadline = Instant::now() + within;
        loop {
            if self.child.has_ended() {
                bail!(
                    "{}",
                    explain(
                        &self.log(),
                        &format!("Envoy ended while starting ({})", self.child.end())
                    )
                );
            }
            // The address file is written before the interface answers, and may be read half written.
            let address = std::fs::read_to_string(admin_file)
                .ok()
                .and_then(|text| text.trim().parse().ok());
            if let Some(address) = address {
                self.admin = address;
                if http1::fetch(address, "/ready").is_ok_and(|answer| answer.status == 200) {
                    return Ok(());
                }
            }
            if Instant::now() > deadline {
                bail!(
                    "{}",
                    explain(
                        &self.log(),
                        &format!("Envoy was not ready within {} s", within.as_secs())
                    )
                );
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

fn read_log(log: &Path, out: &Path) -> String {
    let read = |path: &Path| {
        String::from_utf8_lossy(&std::fs::read(path).unwrap_or_default()).into_owned()
    };
    read(log) + &read(out)
}

/// Puts the cause that a person can act on first, and the end of the log after it.
fn explain(log: &str, what: &str) -> String {
    const LAST_LINES: usize = 12;
    let cause = if log.contains("Address already in use") || log.contains("Address in use") {
        "a port that it should listen on is taken: "
    } else {
        ""
    };
    let lines: Vec<&str> = log.lines().collect();
    let end = lines[lines.len().saturating_sub(LAST_LINES)..].join("\n  ");
    format!("{cause}{what}. The end of its log:\n  {end}")
}

/// What the admin interface says, if it did what it was asked.
fn admin_text(path: &str, answer: &http1::Answer) -> Result<String> {
    if answer.status != 200 {
        bail!(
            "Envoy's admin interface answered {} to {path}: {}",
            answer.status,
            answer.text()
        );
    }
    Ok(answer.text())
}
