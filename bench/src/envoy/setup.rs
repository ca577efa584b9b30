//! The configurations that are compared: which there are, and each as a listener of Envoy.

use std::path::{Path, PathBuf};

use anyhow::Result;
use serde_json::{Value, json};

use crate::envoy::floor::{self, Floor};
use crate::envoy::native;
use crate::envoy::policy;
use crate::envoy::token_cache::CacheSizes;
use crate::envoy::workload::Load;
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

    /// Whether a load has a listener of this for itself. Where a token cache is filled, tokens of other loads would be in use beside
    /// those of this one, which would then be known or not as the order of the loads has it.
    pub(crate) fn is_apart(self, load: Load) -> bool {
        match self {
            Self::Scopegate => load.fills_caches() || load == Load::Routes1000,
            Self::JwtAuthnCache => load.fills_caches(),
            Self::JwtAuthnRbac => load == Load::Rs256Zipf,
            _ => false,
        }
    }

    /// The name of its listener for that load.
    pub(crate) fn listener(self, load: Load) -> String {
        if self.is_apart(load) {
            return format!("{}, {}", self.name(), load.name());
        }
        self.name().to_owned()
    }
}

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

/// All listeners for these loads, in one configuration of Envoy.
pub(crate) fn configuration(
    files: &Files,
    issuer: &Issuer,
    caches: &CacheSizes,
    loads: &[Load],
) -> Result<String> {
    let mut listeners = Vec::new();
    for setup in Setup::ALL {
        // Those of the floors are below: one for each load.
        if setup != Setup::WasmFloor {
            listeners.push(setup.configured(Load::Rs256One, files, issuer, caches)?);
        }
        for load in loads.iter().filter(|load| setup.is_apart(**load)) {
            listeners.push(setup.configured(*load, files, issuer, caches)?);
        }
    }
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

impl Setup {
    /// Its listener for that load.
    fn configured(
        self,
        load: Load,
        files: &Files,
        issuer: &Issuer,
        caches: &CacheSizes,
    ) -> Result<Value> {
        let cache = caches.of(load)?;
        let name = &self.listener(load);
        Ok(match self {
            Self::None => open(name, &[]),
            Self::WasmHeader => open(name, &[wasm(&files.header, name)]),
            Self::WasmHostcalls | Self::WasmFloor => open(name, &[wasm(&files.hostcalls, name)]),
            Self::JwtAuthn => open(name, &[native::jwt_authn(issuer, None)]),
            Self::JwtAuthnCache => open(name, &[native::jwt_authn(issuer, Some(cache.tokens))]),
            Self::JwtAuthnRbac => {
                let cached = (load == Load::Rs256Zipf).then_some(cache.tokens);
                native::with_rbac(name, issuer, cached)
            }
            Self::Scopegate if load == Load::Routes1000 => {
                gate(name, files, &policy::many_routes(issuer, cache.kibibytes))
            }
            Self::Scopegate => gate(name, files, &policy::few_routes(issuer, cache.kibibytes)),
            Self::ScopegateUncached => gate(name, files, &policy::few_routes(issuer, 0)),
        })
    }
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
