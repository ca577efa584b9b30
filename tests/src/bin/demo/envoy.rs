//! Envoy with the filter, and its verdict on a policy.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use e2e::envoy::{Envoy, Launch};
use scopegate::ecds;
use timesheets::api::Api;

use crate::gate::{Gate, Verdict};
use crate::policy::Watched;
use configuration::Ports;

mod configuration;
mod tools;

pub(crate) use tools::Tools;

/// The first policy waits for the filter to be compiled; later ones take milliseconds.
const VERDICT_WITHIN: Duration = Duration::from_secs(60);

/// The file that Envoy watches.
const ECDS: &str = "ecds.yaml";

/// What Envoy's statistics say of the filter named `scopegate` that it was given by ECDS.
const STATS: &str = "extension_config_discovery.http_filter.scopegate.";

/// Where gate and admin interface listen on loopback; 0 is any port that is free.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Listen {
    pub(crate) gate: u16,
    pub(crate) admin: u16,
}

/// A running Envoy with the filter, and the API as a server behind it.
pub(crate) struct EnvoyGate {
    envoy: Envoy,
    api: Api,
    address: SocketAddr,
    template: String,
    filter: PathBuf,
    // Holds the file that Envoy watches, as long as Envoy runs.
    folder: tempfile::TempDir,
    versions: u64,
    // The last ECDS file that Envoy got, and what it made of it.
    offered: String,
    answered: Verdict,
}

impl EnvoyGate {
    /// Starts Envoy with the shipped configuration and this policy. A policy that is refused is an error.
    pub(crate) fn start(
        tools: &Tools,
        shipped: &Path,
        listen: Listen,
        issuer: u16,
        policy: &Watched,
    ) -> Result<Self> {
        let api = Api::start(0)?;
        let ports = Ports {
            gate: listen.gate,
            admin: listen.admin,
            api: api.address().port(),
            issuer,
        };
        let read = |name: &str| {
            let path = shipped.join(name);
            std::fs::read_to_string(&path).with_context(|| format!("reading {}", path.display()))
        };
        let template = read("ecds.yaml")?;
        let folder = tempfile::Builder::new()
            .prefix("scopegate-demo-")
            .tempdir()
            .context("making a temporary folder")?;
        let configuration =
            configuration::for_this_run(&read("envoy.yaml")?, ports, &folder.path().join(ECDS))?;
        let rendered = ecds::render(&template, policy.text(), &tools.filter)?;
        move_in(folder.path(), &rendered, 1)?;

        let mut launch = Launch::new(&tools.envoy);
        launch.admin_port = ports.admin;
        let envoy = launch.start(&configuration)?;
        let address = *envoy
            .listeners()?
            .get("gate")
            .context("Envoy has no listener `gate`")?;
        let gate = Self {
            envoy,
            api,
            address,
            template,
            filter: tools.filter.clone(),
            folder,
            versions: 1,
            offered: rendered,
            answered: Verdict::Accepted,
        };
        match gate.verdict(0, 0)? {
            Verdict::Accepted => Ok(gate),
            Verdict::Refused(why) => bail!(
                "the policy {} was refused:\n  {}",
                policy.path().display(),
                why.join("\n  ")
            ),
        }
    }

    fn verdict(&self, refused_before: u64, log_before: usize) -> Result<Verdict> {
        let deadline = Instant::now() + VERDICT_WITHIN;
        loop {
            let statistics = Statistics::of(&self.envoy)?;
            if statistics.refused > refused_before {
                return Ok(Verdict::Refused(self.reasons(log_before)));
            }
            if statistics.version == self.versions.to_string() {
                return Ok(Verdict::Accepted);
            }
            self.check_alive()?;
            if Instant::now() > deadline {
                bail!(
                    "Envoy said nothing about the policy within {} s; its log is {}",
                    VERDICT_WITHIN.as_secs(),
                    self.envoy.log_path().display()
                );
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// What the log has said about a refusal since that place.
    fn reasons(&self, log_before: usize) -> Vec<String> {
        let log = self.log();
        reasons(log.get(log_before..).unwrap_or(&log))
    }

    /// Envoy's own log; its standard output holds access-log lines, which would move the places in it.
    fn log(&self) -> String {
        let bytes = std::fs::read(self.envoy.log_path()).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    }
}

impl Gate for EnvoyGate {
    fn facts(&self) -> Vec<(&'static str, String)> {
        let logs = self.envoy.folder().display();
        vec![
            ("API", format!("http://{}/", self.api.address())),
            ("Envoy", format!("admin http://{}/", self.envoy.admin())),
            ("logs", format!("{logs} (envoy.log; access log: envoy.out)")),
        ]
    }

    fn address(&self) -> SocketAddr {
        self.address
    }

    fn folder(&self) -> &Path {
        self.folder.path()
    }

    fn served(&self) -> u64 {
        self.api.served()
    }

    fn check_alive(&self) -> Result<()> {
        if !self.envoy.is_running() {
            let log = self.log();
            let lines: Vec<&str> = log.lines().collect();
            let end = lines.get(lines.len().saturating_sub(10)..).unwrap_or(&[]);
            bail!(
                "Envoy ended by itself. The end of its log:\n  {}",
                end.join("\n  ")
            );
        }
        Ok(())
    }

    /// Puts it where Envoy sees it, and waits for what Envoy makes of it.
    fn offer(&mut self, policy: &str) -> Result<Verdict> {
        let rendered = match ecds::render(&self.template, policy, &self.filter) {
            Ok(rendered) => rendered,
            // A text that YAML cannot hold never gets as far as Envoy.
            Err(error) => return Ok(Verdict::Refused(vec![format!("{error:#}")])),
        };
        // Envoy compares an update with the last one offered. A text that it refused a moment ago would count as an
        // update without a change, and read in the statistics as if it had been accepted. (Empty lines at the end do not
        // get as far as the filter.)
        if rendered.trim_end() == self.offered.trim_end() {
            return Ok(self.answered.clone());
        }
        let log_before = self.log().len();
        let refused_before = Statistics::of(&self.envoy)?.refused;
        self.versions = self.versions.saturating_add(1);
        move_in(self.folder.path(), &rendered, self.versions)?;
        self.offered = rendered;
        self.answered = self.verdict(refused_before, log_before)?;
        Ok(self.answered.clone())
    }
}

fn move_in(folder: &Path, rendered: &str, version: u64) -> Result<()> {
    // Envoy shows the version in its statistics once it has accepted the update that carries it.
    let text = format!("version_info: \"{version}\"\n{rendered}");
    ecds::replace(&folder.join(ECDS), &text)
}

/// The statistics that tell an accepted policy from a refused one.
struct Statistics {
    /// Of the last accepted update.
    version: String,
    /// By the filter, or by Envoy because it could not read the file.
    refused: u64,
}

impl Statistics {
    fn of(envoy: &Envoy) -> Result<Self> {
        let text = envoy.admin_get("/stats?filter=%5Eextension_config_discovery")?;
        let mut statistics = Self {
            version: String::new(),
            refused: 0,
        };
        for line in text.lines() {
            match line
                .strip_prefix(STATS)
                .and_then(|rest| rest.split_once(": "))
            {
                Some(("version_text", value)) => statistics.version = value.replace('"', ""),
                Some(("update_rejected" | "update_failure", value)) => {
                    statistics.refused = statistics.refused.saturating_add(value.parse()?);
                }
                _ => {}
            }
        }
        Ok(statistics)
    }
}

/// The filter's lines, each once: Envoy tries a policy in several VMs. If the filter said nothing (it may be no
/// filter at all), Envoy's own lines.
fn reasons(log: &str) -> Vec<String> {
    let mut by_filter = Vec::new();
    let mut by_envoy = Vec::new();
    let mut speaker = None;
    for line in log.lines() {
        // A record starts with `[date][thread][level][component] [source] `; what follows without belongs to it.
        let (is_filter, text) = match line.split_once("] wasm log ") {
            Some((head, text)) if head.starts_with('[') => (
                !head.contains("][info]"),
                text.split_once(": ").map_or(text, |(_, text)| text),
            ),
            _ if line.starts_with('[') => {
                speaker = None;
                if let Some((_, text)) = line
                    .split_once("] [")
                    .and_then(|(_, rest)| rest.split_once("] "))
                {
                    by_envoy.push(text.to_owned());
                }
                continue;
            }
            _ => (speaker == Some(true), line),
        };
        speaker = Some(is_filter);
        let text = text.to_owned();
        if is_filter && !by_filter.contains(&text) {
            by_filter.push(text);
        }
    }
    if by_filter.is_empty() {
        by_envoy
    } else {
        by_filter
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_filters_words_come_before_envoys_and_only_once() {
        let log = "\
[2026-11-20 08:22:15.527][86][info][wasm] [source/extensions/common/wasm/context.cc:1151] wasm log scopegate scopegate: starting
[2026-11-20 08:22:15.527][86][error][wasm] [source/extensions/common/wasm/context.cc:1157] wasm log scopegate scopegate: policy: line 3, column 5: bad
  and its remedy
[2026-11-20 08:22:15.528][86][error][wasm] [source/extensions/common/wasm/context.cc:1157] wasm log scopegate scopegate: policy: line 3, column 5: bad
[2026-11-20 08:22:15.529][86][critical][wasm] [source/extensions/common/wasm/wasm.cc:626] Plugin scopegate failed to load
";
        assert_eq!(
            reasons(log),
            ["policy: line 3, column 5: bad", "  and its remedy"]
        );
        let silent: Vec<&str> = log
            .lines()
            .filter(|line| line.contains("critical"))
            .collect();
        assert_eq!(
            reasons(&silent.join("\n")),
            ["Plugin scopegate failed to load"]
        );
    }
}
