//! Envoy with 4 workers and the filter, which it is told of by a watched file (ECDS).

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use e2e::config::{self, Address};
use e2e::envoy::{Envoy, Launch};
use e2e::http1;
use e2e::server::{Reply, Server, answer};
use e2e::tools::Tools;
use serde_json::{Value, json};

use crate::times::Times;

/// Threads of Envoy that serve requests, each with a VM of its own.
pub(crate) const WORKERS: u32 = 4;

const LISTENER: &str = "drill";

/// The running Envoy, and the upstream service behind it.
pub(crate) struct House {
    envoy: Envoy,
    gate: SocketAddr,
    filter: PathBuf,
    file: PathBuf,
    _upstream: Server,
}

/// What the filter is configured with.
pub(crate) struct Configuration<'a> {
    pub(crate) times: &'a Times,
    /// By which a client sees that it is in force.
    pub(crate) realm: &'a str,
    /// The `vm_config.configuration`: with another one, Envoy makes new VMs.
    pub(crate) vm: &'a str,
}

impl House {
    /// Starts it. The clusters of both issuers lead to these sockets; `folder` must outlive it.
    ///
    /// # Errors
    /// Envoy does not start, or does not take the configuration over.
    pub(crate) fn start(
        tools: &Tools,
        folder: &std::path::Path,
        issuers: [(&str, PathBuf); 2],
        configuration: &Configuration<'_>,
    ) -> Result<Self> {
        let upstream =
            Server::start(|_| Reply::Bytes(answer(200, &[("x-upstream", "reached")], b"reached")))?;
        let file = folder.join("filter.json");
        let gate = config::discovered_gate(&file);
        // Nobody reads an access log of a soak.
        let mut listener = config::listener(
            LISTENER,
            &[gate],
            config::UPSTREAM,
            std::path::Path::new("/dev/null"),
        );
        // So that every worker has its share of few connections.
        listener["connection_balance_config"] = json!({ "exact_balance": {} });
        let services = issuers.map(|(name, place)| (name.to_owned(), Address::Pipe(place)));
        let address = upstream.address();
        let text = config::config(&[listener], address, address, &services);
        let mut launch = Launch::new(&tools.envoy);
        launch.concurrency = WORKERS;
        offer(&tools.filter, &file, configuration)?;
        let envoy = launch.start(&text)?;
        let gate = envoy.listeners()?.get(LISTENER).copied();
        let house = Self {
            gate: gate.context("Envoy has no listener")?,
            envoy,
            filter: tools.filter.clone(),
            file,
            _upstream: upstream,
        };
        house.wait_until_serving()?;
        Ok(house)
    }

    /// Where clients connect.
    pub(crate) fn gate(&self) -> SocketAddr {
        self.gate
    }

    /// The process.
    pub(crate) fn process(&self) -> u32 {
        self.envoy.id()
    }

    /// Offers a new configuration; Envoy takes it over when it has looked at the file.
    ///
    /// # Errors
    /// The file cannot be written.
    pub(crate) fn offer(&self, configuration: &Configuration<'_>) -> Result<()> {
        offer(&self.filter, &self.file, configuration)
    }

    /// Envoy's counters and gauges.
    ///
    /// # Errors
    /// Its admin interface does not answer.
    pub(crate) fn stats(&self) -> Result<BTreeMap<String, u64>> {
        self.envoy.stats()
    }

    /// Whether Envoy runs, and no VM of it has broken down.
    ///
    /// # Errors
    /// It does not, or one has.
    pub(crate) fn check_alive(&self) -> Result<()> {
        if !self.envoy.is_running() {
            bail!("Envoy has ended:\n{}", self.log());
        }
        let log = self.envoy.log();
        if log.contains("panicked") || log.contains("Uncaught RuntimeError") {
            bail!("a VM broke down:\n{}", self.log());
        }
        Ok(())
    }

    /// The end of Envoy's log.
    pub(crate) fn log(&self) -> String {
        const LAST_LINES: usize = 25;
        let log = self.envoy.log();
        let lines: Vec<&str> = log.lines().collect();
        lines[lines.len().saturating_sub(LAST_LINES)..].join("\n")
    }

    /// Until the first configuration has been taken over everywhere, Envoy answers 500.
    fn wait_until_serving(&self) -> Result<()> {
        const PATIENCE: Duration = Duration::from_secs(60);
        let deadline = Instant::now() + PATIENCE;
        while http1::fetch(self.gate, "/healthz")?.status != 200 {
            if Instant::now() > deadline {
                bail!("the gate does not serve:\n{}", self.log());
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        Ok(())
    }
}

/// How many VMs Envoy has made so far.
pub(crate) fn vms_made(stats: &BTreeMap<String, u64>) -> Result<u64> {
    let name = "wasm.envoy.wasm.runtime.v8.created";
    let made = stats.get(name).copied();
    made.with_context(|| format!("Envoy has no counter {name}"))
}

/// Envoy looks at a watched file when it is moved into place.
fn offer(
    filter: &std::path::Path,
    file: &std::path::Path,
    configuration: &Configuration<'_>,
) -> Result<()> {
    let policy = configuration.times.policy(configuration.realm);
    let mut text: Value = serde_json::from_str(&config::discovery_file(filter, &policy))?;
    text["resources"][0]["typed_config"]["config"]["vm_config"]["configuration"] = json!({
        "@type": "type.googleapis.com/google.protobuf.StringValue",
        "value": configuration.vm,
    });
    let partial = file.with_extension("partial");
    std::fs::write(&partial, text.to_string())?;
    std::fs::rename(&partial, file)?;
    Ok(())
}
