//! The configurations that are compared: which there are, and each as a listener of Envoy.

use std::path::{Path, PathBuf};

use anyhow::Result;
use serde_json::{Value, json};

use crate::envoy::floor::{self, Floor};
use crate::envoy::native;
use crate::envoy::policy;
use crate::envoy::token_cache::CacheSize;
use crate::issuer::Issuer;
use crate::upstream::CONTENT;

/// What stands before Envoy's router.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Setup {
    /// Nothing.
    None,
    /// The proxy-wasm filter that reads one header.
    WasmHeader,
    /// The proxy-wasm filter that makes the gate's host calls for a token that is known.
    WasmHostcalls,
    /// The same for what else a load asks of the host: the verification of a signature, or a refusal.
    WasmFloor,
    JwtAuthn,
    /// With a token cache.
    JwtAuthnCache,
    /// With RBAC on the token's claims.
    JwtAuthnRbac,
    Scopegate,
    /// Without a token cache.
    ScopegateUncached,
}

impl Setup {
    pub(crate) const ALL: [Self; 9] = [
        Self::None,
        Self::WasmHeader,
        Self::WasmHostcalls,
        Self::WasmFloor,
        Self::JwtAuthn,
        Self::JwtAuthnCache,
        Self::JwtAuthnRbac,
        Self::Scopegate,
        Self::ScopegateUncached,
    ];

    /// The name in tables, in JSON and on the command line.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::WasmHeader => "wasm-header",
            Self::WasmHostcalls => "wasm-hostcalls",
            Self::WasmFloor => "wasm-floor",
            Self::JwtAuthn => "jwt_authn",
            Self::JwtAuthnCache => "jwt_authn-cache",
            Self::JwtAuthnRbac => "jwt_authn-rbac",
            Self::Scopegate => "scopegate",
            Self::ScopegateUncached => "scopegate-uncached",
        }
    }

    /// Whether it lets only good tokens pass.
    pub(crate) fn is_a_gate(self) -> bool {
        !matches!(
            self,
            Self::None | Self::WasmHeader | Self::WasmHostcalls | Self::WasmFloor
        )
    }

    /// Whether it also looks at what a good token allows.
    pub(crate) fn checks_scopes(self) -> bool {
        matches!(
            self,
            Self::JwtAuthnRbac | Self::Scopegate | Self::ScopegateUncached
        )
    }
}

/// The listener of the large policy.
pub(crate) const MANY_ROUTES: &str = "scopegate, 1,000 routes";
/// The listener of the native filters with a token cache.
pub(crate) const CACHED_RBAC: &str = "jwt_authn-rbac, cached";

/// The host by whose name a request asks what the upstream would have seen: see [`SEEN`].
pub(crate) const CHECK_HOST: &str = "check.example.com";
/// The header of its answers that says what `x-auth-sub` the request went on with.
pub(crate) const SEEN: &str = "x-seen-sub";

/// The wasm files.
#[derive(Debug)]
pub(crate) struct Files {
    pub(crate) gate: PathBuf,
    pub(crate) header: PathBuf,
    pub(crate) hostcalls: PathBuf,
    pub(crate) floor: PathBuf,
}

/// All listeners, in one configuration of Envoy.
pub(crate) fn configuration(files: &Files, issuer: &Issuer, cache: CacheSize) -> Result<String> {
    let mut listeners: Vec<Value> = Setup::ALL
        .into_iter()
        // Those of the floors are below: one for each load.
        .filter(|setup| *setup != Setup::WasmFloor)
        .map(|setup| match setup {
            Setup::None => open(setup.name(), &[]),
            Setup::WasmHeader => open(setup.name(), &[wasm(&files.header, setup.name())]),
            Setup::WasmHostcalls | Setup::WasmFloor => {
                open(setup.name(), &[wasm(&files.hostcalls, setup.name())])
            }
            Setup::JwtAuthn => open(setup.name(), &[native::jwt_authn(issuer, None)]),
            Setup::JwtAuthnCache => open(
                setup.name(),
                &[native::jwt_authn(issuer, Some(cache.tokens))],
            ),
            Setup::JwtAuthnRbac => native::with_rbac(setup.name(), issuer, None),
            Setup::Scopegate => gate(
                setup.name(),
                files,
                &policy::few_routes(issuer, cache.kibibytes),
            ),
            Setup::ScopegateUncached => gate(setup.name(), files, &policy::few_routes(issuer, 0)),
        })
        .collect();
    listeners.push(native::with_rbac(CACHED_RBAC, issuer, Some(cache.tokens)));
    let many = policy::many_routes(issuer, cache.kibibytes);
    listeners.push(gate(MANY_ROUTES, files, &many));
    for floor in Floor::ALL {
        listeners.push(floor.listener(files, issuer)?);
    }
    listeners.push(floor::call_times(files, issuer)?);
    // Nobody is asked but the issuer: Envoy answers in the upstream's place.
    Ok(e2e::config::config(
        &listeners,
        issuer.address(),
        issuer.address(),
        &[],
    ))
}

/// The gate alone, or no filter: what the memory is measured with.
pub(crate) fn alone(gate_with: Option<(&Files, &str)>, issuer: &Issuer) -> String {
    let listener = match gate_with {
        None => open(Setup::None.name(), &[]),
        Some((files, policy)) => gate(Setup::Scopegate.name(), files, policy),
    };
    e2e::config::config(&[listener], issuer.address(), issuer.address(), &[])
}

/// The gate, and the filters that make its host calls.
pub(crate) fn gate_and_floors(files: &Files, policy: &str, issuer: &Issuer) -> Result<String> {
    let name = Setup::WasmHostcalls.name();
    let mut listeners = vec![
        gate(Setup::Scopegate.name(), files, policy),
        open(name, &[wasm(&files.hostcalls, name)]),
    ];
    for floor in Floor::ALL {
        listeners.push(floor.listener(files, issuer)?);
    }
    Ok(e2e::config::config(
        &listeners,
        issuer.address(),
        issuer.address(),
        &[],
    ))
}

/// The gate, in a VM of its own: two policies in one have to be told apart for each request.
fn gate(name: &str, files: &Files, policy: &str) -> Value {
    open(name, &[configured(&files.gate, name, policy)])
}

/// A filter that takes no configuration, in a VM of its own.
fn wasm(file: &Path, name: &str) -> Value {
    configured(file, name, "")
}

/// A filter with that configuration, in a VM of its own.
pub(crate) fn configured(file: &Path, name: &str, configuration: &str) -> Value {
    let mut filter = e2e::config::gate(file, configuration);
    filter["name"] = json!(name);
    filter["typed_config"]["config"]["vm_config"]["vm_id"] = json!(name);
    filter
}

/// A listener that sends everything that its filters let pass to the same place.
pub(crate) fn open(name: &str, filters: &[Value]) -> Value {
    let routes = [json!({ "match": { "prefix": "/" }, "direct_response": answer() })];
    listener(name, filters, &routes)
}

/// What an upstream answers; Envoy gives it itself, where it would else send the request on.
pub(crate) fn answer() -> Value {
    json!({ "status": 200, "body": { "inline_string": CONTENT } })
}

/// A listener on a free port of loopback, with these filters before the router and these routes behind it.
pub(crate) fn listener(name: &str, filters: &[Value], routes: &[Value]) -> Value {
    let mut filters = filters.to_vec();
    filters.push(json!({
        "name": "envoy.filters.http.router",
        "typed_config": { "@type": "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router" },
    }));
    let manager = json!({
        "@type": "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": name.replace([',', ' '], "_"),
        "codec_type": "HTTP1",
        "http_filters": filters,
        "route_config": { "virtual_hosts": [
            { "name": "measured", "domains": ["*"], "routes": routes },
            {
                "name": "check",
                "domains": [CHECK_HOST],
                "routes": routes,
                "response_headers_to_add": [{ "header": { "key": SEEN, "value": "%REQ(x-auth-sub)%" } }],
            },
        ] },
    });
    json!({
        "name": name,
        "address": { "socket_address": { "address": "127.0.0.1", "port_value": 0 } },
        "filter_chains": [{ "filters": [{ "name": "envoy.filters.network.http_connection_manager", "typed_config": manager }] }],
    })
}
