//! The shipped `envoy/envoy.yaml`, with the ports and the place of this run.

use std::path::Path;

use anyhow::{Context, Result};
use e2e::shipped::{at, named};
use serde_json::{Value, json};

/// Where everybody listens on loopback. For the gate and the admin interface, 0 is any port that is free.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ports {
    pub(super) gate: u16,
    pub(super) admin: u16,
    pub(super) api: u16,
    pub(super) issuer: u16,
}

/// The configuration as JSON text, which Envoy reads as YAML. What is not named here is as shipped.
pub(super) fn for_this_run(shipped: &str, ports: Ports, ecds: &Path) -> Result<String> {
    let mut configuration: Value =
        serde_saphyr::from_str(shipped).context("envoy/envoy.yaml is not YAML")?;
    let ecds = ecds
        .to_str()
        .context("the path of the temporary folder is not UTF-8")?;
    let resources = at(&mut configuration, "/static_resources")?;

    let listener = named(at(resources, "/listeners")?, "gate")?;
    *at(listener, "/address/socket_address/port_value")? = json!(ports.gate);
    let filters = at(
        listener,
        "/filter_chains/0/filters/0/typed_config/http_filters",
    )?;
    let file = "/config_discovery/config_source/path_config_source/path";
    *at(named(filters, "scopegate")?, file)? = json!(ecds);

    for (cluster, port) in [("timesheets", ports.api), ("local_jwks", ports.issuer)] {
        let cluster = named(at(resources, "/clusters")?, cluster)?;
        let port_value = "/load_assignment/endpoints/0/lb_endpoints/0/endpoint/address/socket_address/port_value";
        *at(cluster, port_value)? = json!(port);
    }
    Ok(configuration.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ports_of_the_run_stand_where_the_shipped_ones_stood() {
        let shipped = include_str!("../../../../../envoy/envoy.yaml");
        let ports = Ports {
            gate: 1,
            admin: 2,
            api: 3,
            issuer: 4,
        };
        let text = for_this_run(shipped, ports, Path::new("/a b/ecds.yaml")).unwrap();
        for (port, expected) in [(8080, 0), (9101, 0), (9102, 0), (1, 1), (3, 1), (4, 1)] {
            let found = text.matches(&format!("\"port_value\":{port}}}")).count();
            assert_eq!(found, expected, "port {port} in {text}");
        }
        assert!(text.contains("\"path\":\"/a b/ecds.yaml\""));
    }
}
