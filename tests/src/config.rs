//! Envoy configurations for the tests. They are JSON, which is YAML too, so that no policy text needs quoting by hand.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

/// The cluster of the upstream service.
pub const UPSTREAM: &str = "upstream";
/// The cluster of the key server.
pub const KEYS: &str = "keys";
/// A cluster that nobody serves: every connection is refused.
pub const REFUSED: &str = "refused";

/// Where a server listens.
#[derive(Clone, Debug)]
pub enum Address {
    /// A port.
    Socket(SocketAddr),
    /// A Unix socket.
    Pipe(PathBuf),
}

/// A whole configuration: these listeners, the clusters of the tests, and a cluster for each further upstream service.
pub fn config(
    listeners: &[Value],
    upstream: SocketAddr,
    keys: SocketAddr,
    services: &[(String, Address)],
) -> String {
    let nobody = SocketAddr::from(([127, 0, 0, 1], 1));
    let mut clusters = vec![
        cluster(UPSTREAM, &Address::Socket(upstream)),
        cluster(KEYS, &Address::Socket(keys)),
        cluster(REFUSED, &Address::Socket(nobody)),
    ];
    clusters.extend(
        services
            .iter()
            .map(|(name, address)| cluster(name, address)),
    );
    // Envoy asks for a node's name as soon as any configuration is discovered, from a file too.
    json!({ "node": { "id": "e2e", "cluster": "e2e" }, "static_resources": { "listeners": listeners, "clusters": clusters } }).to_string()
}

/// A listener on a free port of loopback, for HTTP/1 and HTTP/2, with these filters before the router, which leads to the cluster
/// `upstream`. Its access log, one JSON object a line, goes to `access_log`.
pub fn listener(name: &str, filters: &[Value], upstream: &str, access_log: &Path) -> Value {
    let mut filters = filters.to_vec();
    filters.push(json!({
        "name": "envoy.filters.http.router",
        "typed_config": { "@type": "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router" },
    }));
    let manager = json!({
        "@type": "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": "test",
        "codec_type": "AUTO",
        // As in envoy/envoy.yaml: the filter has to see the path that the upstream sees.
        "normalize_path": false,
        "merge_slashes": false,
        "path_with_escaped_slashes_action": "KEEP_UNCHANGED",
        "http_protocol_options": { "enable_trailers": true },
        "http2_protocol_options": { "allow_connect": true },
        "upgrade_configs": [{ "upgrade_type": "websocket" }, { "upgrade_type": "CONNECT" }],
        "http_filters": filters,
        "access_log": [access_log_to(access_log)],
        "route_config": { "virtual_hosts": [{
            "name": "all",
            "domains": ["*"],
            "routes": [
                { "match": { "connect_matcher": {} }, "route": { "cluster": upstream } },
                { "match": { "prefix": "/" }, "route": { "cluster": upstream, "timeout": "15s" } },
            ],
        }] },
    });
    json!({
        "name": name,
        "address": { "socket_address": { "address": "127.0.0.1", "port_value": 0 } },
        "filter_chains": [{ "filters": [{ "name": "envoy.filters.network.http_connection_manager", "typed_config": manager }] }],
    })
}

/// The header in which such a listener tells clients what the gate decided.
pub const DECISION_HEADER: &str = "x-decision";

/// The same listener, but every answer carries decision and route: `allow /timesheets/{id}`. For tests that ask too often to read
/// an access log each time.
#[must_use]
pub fn telling(mut listener: Value) -> Value {
    let state = |name: &str| format!("%FILTER_STATE(wasm.scopegate_{name}:PLAIN)%");
    let value = format!("{} {}", state("decision"), state("route"));
    listener["filter_chains"][0]["filters"][0]["typed_config"]["route_config"]["response_headers_to_add"] = json!([{
        "header": { "key": DECISION_HEADER, "value": value },
        "append_action": "OVERWRITE_IF_EXISTS_OR_ADD",
    }]);
    listener
}

/// The same listener, but the workers get its connections in equal numbers: of any four that are open at once, each of four workers
/// has one. Its statistics bear its name, `listener.NAME.worker_0.downstream_cx_total` among them.
#[must_use]
pub fn balanced(mut listener: Value) -> Value {
    listener["connection_balance_config"] = json!({ "exact_balance": {} });
    listener["stat_prefix"] = listener["name"].clone();
    listener
}

/// The Scopegate filter with this policy, as an HTTP filter.
pub fn gate(filter: &Path, policy: &str) -> Value {
    json!({ "name": "scopegate", "typed_config": wasm(filter, policy) })
}

/// The same filter, its configuration discovered from a watched file (ECDS).
pub fn discovered_gate(file: &Path) -> Value {
    json!({
        "name": "scopegate",
        "config_discovery": {
            "config_source": { "resource_api_version": "V3", "path_config_source": { "path": file } },
            "type_urls": ["type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm"],
        },
    })
}

/// What such a file holds.
pub fn discovery_file(filter: &Path, policy: &str) -> String {
    let resource = json!({
        "@type": "type.googleapis.com/envoy.config.core.v3.TypedExtensionConfig",
        "name": "scopegate",
        "typed_config": wasm(filter, policy),
    });
    json!({ "resources": [resource] }).to_string()
}

/// The filter's own configuration, as it stands in a listener or comes by ECDS.
pub fn wasm(filter: &Path, policy: &str) -> Value {
    json!({
        "@type": "type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm",
        "config": {
            "name": "scopegate",
            "root_id": "scopegate",
            // No FAIL_RELOAD as in the shipped configuration: a VM that died must show, and never be replaced in silence.
            "failure_policy": "FAIL_CLOSED",
            "vm_config": {
                "vm_id": "scopegate",
                "runtime": "envoy.wasm.runtime.v8",
                "code": { "local": { "filename": filter } },
            },
            "configuration": { "@type": "type.googleapis.com/google.protobuf.StringValue", "value": policy },
        },
    })
}

fn access_log_to(path: &Path) -> Value {
    let state = |name: &str| format!("%FILTER_STATE(wasm.scopegate_{name}:PLAIN)%");
    json!({
        "name": "envoy.access_loggers.file",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.access_loggers.file.v3.FileAccessLog",
            "path": path,
            "log_format": { "json_format": {
                "id": format!("%REQ({})%", crate::upstream::ID_HEADER),
                "status": "%RESPONSE_CODE%",
                "decision": state("decision"),
                "reason": state("reason"),
                "route": state("route"),
                "issuer": state("issuer"),
                "subject": state("subject"),
            } },
        },
    })
}

fn cluster(name: &str, address: &Address) -> Value {
    let address = match address {
        Address::Socket(address) => {
            json!({ "socket_address": { "address": address.ip().to_string(), "port_value": address.port() } })
        }
        Address::Pipe(path) => json!({ "pipe": { "path": path } }),
    };
    json!({
        "name": name,
        "connect_timeout": "2s",
        "load_assignment": { "cluster_name": name, "endpoints": [{ "lb_endpoints": [{ "endpoint": {
            "address": address,
        } }] }] },
        "typed_extension_protocol_options": { "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
            "@type": "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
            "explicit_http_config": { "http_protocol_options": { "enable_trailers": true } },
        } },
        // A slow key server must not use up what the others need.
        "circuit_breakers": { "thresholds": [{ "max_connections": 4096, "max_pending_requests": 4096, "max_requests": 4096 }] },
    })
}
