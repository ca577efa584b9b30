//! Envoy with the filter: the shipped configuration, with a second listener for an app of another origin, and the API on a socket that this
//! user alone can open.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use e2e::envoy::{Envoy, Launch};
use e2e::shipped::{ENDPOINT, at, named};
use scopegate::ecds;
use serde_json::{Value, json};
use timesheets::api::{Options, SocketApi};

use crate::addresses::Addresses;
use crate::gate::{Gate, last_lines};

/// A running Envoy with the filter, and the API behind it.
pub(crate) struct EnvoyGate {
    envoy: Envoy,
    _api: SocketApi,
    folder: PathBuf,
}

impl EnvoyGate {
    /// Starts both, with what they share in that folder.
    pub(crate) fn start(
        root: &Path,
        folder: &Path,
        addresses: Addresses,
        policy: &str,
        options: &Options,
    ) -> Result<Self> {
        let missing = "there is neither an Envoy nor a filter (`cargo xtask example` gets both)";
        let tools = e2e::tools::find()?.context(missing)?;
        let socket = folder.join("api.sock");
        let api = SocketApi::start(&socket, options)?;

        let read = |name: &str| {
            let path = root.join("envoy").join(name);
            std::fs::read_to_string(&path).with_context(|| format!("reading {}", path.display()))
        };
        let watched = folder.join("ecds.yaml");
        let rendered = ecds::render(&read("ecds.yaml")?, policy, &tools.filter)?;
        std::fs::write(&watched, rendered)?;
        let places = Places {
            addresses,
            ecds: &watched,
            api: &socket,
        };
        let configuration = configuration(&read("envoy.yaml")?, &places)?;
        let envoy = Launch::new(&tools.envoy).start(&configuration)?;
        Ok(Self {
            envoy,
            _api: api,
            folder: folder.to_owned(),
        })
    }
}

impl Gate for EnvoyGate {
    fn facts(&self) -> Vec<(&'static str, String)> {
        let place = |path: PathBuf| path.display().to_string();
        vec![
            ("API", place(self.folder.join("api.sock"))),
            ("Envoy", format!("admin http://{}/", self.envoy.admin())),
            (
                "configuration",
                place(self.envoy.folder().join("envoy.yaml")),
            ),
            ("Envoy watches", place(self.folder.join("ecds.yaml"))),
        ]
    }

    fn check_alive(&self) -> Result<()> {
        if !self.envoy.is_running() {
            bail!(
                "Envoy ended by itself. The end of its log:\n  {}",
                last_lines(&self.log())
            );
        }
        Ok(())
    }

    fn log(&self) -> String {
        self.envoy.log()
    }
}

/// What is another than in the shipped configuration.
struct Places<'p> {
    addresses: Addresses,
    ecds: &'p Path,
    api: &'p Path,
}

/// The configuration as JSON text, which Envoy reads as YAML.
fn configuration(shipped: &str, places: &Places<'_>) -> Result<String> {
    let mut configuration: Value =
        serde_saphyr::from_str(shipped).context("envoy/envoy.yaml is not YAML")?;
    let text = |path: &Path| {
        let text = path.to_str().map(str::to_owned);
        text.context("the path of the temporary folder is not UTF-8")
    };
    let resources = at(&mut configuration, "/static_resources")?;
    let listeners = at(resources, "/listeners")?;

    let gate = named(listeners, "gate")?;
    *at(gate, "/address/socket_address/port_value")? = json!(places.addresses.gate);
    let filters = at(gate, &format!("{MANAGER}/http_filters"))?;
    let file = "/config_discovery/config_source/path_config_source/path";
    *at(named(filters, "scopegate")?, file)? = json!(text(places.ecds)?);

    if let Some(port) = places.addresses.two_origins {
        let mut second = gate.clone();
        second["name"] = json!("two-origins");
        *at(&mut second, "/address/socket_address/port_value")? = json!(port);
        let origins = at(&mut second, &format!("{MANAGER}{ORIGINS}"))?;
        *origins = json!([{ "exact": places.addresses.origin() }]);
        let listeners = listeners
            .as_array_mut()
            .context("the listeners are no list")?;
        listeners.push(second);
    }

    let clusters = at(resources, "/clusters")?;
    let issuer = named(clusters, "local_jwks")?;
    *at(issuer, &format!("{ENDPOINT}/socket_address/port_value"))? = json!(places.addresses.issuer);
    *at(named(clusters, "timesheets")?, ENDPOINT)? =
        json!({ "pipe": { "path": text(places.api)? } });
    Ok(configuration.to_string())
}

const MANAGER: &str = "/filter_chains/0/filters/0/typed_config";

/// The origins whose scripts may read answers.
const ORIGINS: &str = "/route_config/virtual_hosts/0/typed_per_filter_config/envoy.filters.http.cors/allow_origin_string_match";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_listener_is_the_first_for_another_origin() {
        let shipped = include_str!("../../../../envoy/envoy.yaml");
        let places = Places {
            addresses: Addresses {
                gate: 1,
                two_origins: Some(2),
                issuer: 3,
            },
            ecds: Path::new("/a b/ecds.yaml"),
            api: Path::new("/a b/api.sock"),
        };
        let text = configuration(shipped, &places).unwrap();
        let made: Value = serde_json::from_str(&text).unwrap();
        let listeners = &made["static_resources"]["listeners"];
        assert_eq!(listeners.as_array().unwrap().len(), 2);
        assert_eq!(listeners[1]["address"]["socket_address"]["port_value"], 2);
        assert_eq!(text.matches("/a b/ecds.yaml").count(), 2);
        assert_eq!(text.matches("\"exact\":\"http://127.0.0.1:1\"").count(), 1);
        assert_eq!(text.matches("/a b/api.sock").count(), 1);
        for port in ["8080", "9101", "9102"] {
            assert!(!text.contains(port), "port {port} in {text}");
        }
    }
}
