//! What is measured: Envoy with all configurations, and every load for each of them.

use std::env;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use e2e::envoy::{Envoy, Launch};

use crate::envoy::arguments::Options;
use crate::envoy::floor::{self, Floor};
use crate::envoy::setup::{self, Files, Setup};
use crate::envoy::token_cache::CacheSizes;
use crate::envoy::trial;
use crate::envoy::worker::{Place, Processors, Worker};
use crate::envoy::workload::{CACHED, Load, Requests};
use crate::issuer::{Algorithm, Issuer};

const SIGNED_WITH: [Algorithm; 4] = [
    Algorithm::Rs256,
    Algorithm::Es256,
    Algorithm::EdDsa,
    Algorithm::Ps256,
];

/// One configuration under one load.
pub(crate) struct Subject {
    pub(crate) load: Load,
    pub(crate) setup: Setup,
    /// Whose name the listener has.
    pub(crate) listener: String,
    pub(crate) address: SocketAddr,
    /// What every answer must have.
    pub(crate) status: u16,
}

/// The running Envoy, and what it is asked.
pub(crate) struct Bench {
    pub(crate) subjects: Vec<Subject>,
    pub(crate) worker: Worker,
    pub(crate) caches: CacheSizes,
    pub(crate) files: Files,
    pub(crate) envoy_bin: PathBuf,
    pub(crate) processors: Processors,
    /// Whether the worker has a processor to itself.
    pub(crate) is_pinned: bool,
    /// Where a filter says how long each host call takes.
    pub(crate) call_times: SocketAddr,
    loads: Vec<Load>,
    requests: Vec<Requests>,
    pub(crate) envoy: Envoy,
    pub(crate) issuer: Issuer,
}

impl Bench {
    pub(crate) fn start(options: &Options) -> Result<Self> {
        let files = Files {
            gate: file("SCOPEGATE_FILTER", "dist/scopegate-filter.wasm")?,
            header: file("SCOPEGATE_BENCH_HEADER", &built("bench_header.wasm"))?,
            hostcalls: file("SCOPEGATE_BENCH_HOSTCALLS", &built("bench_hostcalls.wasm"))?,
            floor: file("SCOPEGATE_BENCH_FLOOR", &built("bench_floor.wasm"))?,
        };
        let envoy_bin = e2e::tools::envoy()?.context(
            "there is no Envoy: `cargo xtask bench envoy` gets one, or let ENVOY_BIN name it",
        )?;
        let issuer = Issuer::start(&SIGNED_WITH)?;
        let good = issuer.token(Algorithm::Rs256)?;
        let caches = CacheSizes::for_tokens(CACHED, &issuer, &SIGNED_WITH)?;
        let requests = Requests::of(&options.loads, &issuer, &good)?;
        let text = setup::configuration(&files, &issuer, &caches, &options.loads)?;
        let processors = Processors::given();
        let is_pinned = processors.keep_to(Place::Others);
        let envoy = start(&envoy_bin, &text, &processors)?;
        let listeners = envoy.listeners()?;
        let address = |name: &str| -> Result<SocketAddr> {
            let found = listeners.get(name);
            found
                .copied()
                .with_context(|| format!("Envoy has no listener {name}"))
        };
        trial::pass(address, &issuer, &options.loads)?;
        let mut subjects = Vec::new();
        for load in &options.loads {
            for setup in &options.setups {
                if *load == Load::Routes1000 && *setup != Setup::Scopegate {
                    continue;
                }
                let Some(listener) = listener_for(*setup, *load) else {
                    continue;
                };
                subjects.push(Subject {
                    load: *load,
                    setup: *setup,
                    address: address(&listener)?,
                    listener,
                    status: match load {
                        Load::Refused if setup.is_a_gate() => 401,
                        Load::Refused if *setup == Setup::WasmFloor => Floor::Refused.status(),
                        _ => 200,
                    },
                });
            }
        }
        Ok(Self {
            subjects,
            worker: Worker::of(envoy.id())?,
            caches,
            files,
            envoy_bin,
            processors,
            is_pinned,
            call_times: address(floor::CALL_TIMES)?,
            loads: options.loads.clone(),
            requests,
            envoy,
            issuer,
        })
    }

    pub(crate) fn requests(&self, load: Load) -> Result<&Requests> {
        let found = self.loads.iter().zip(&self.requests);
        let mut found = found.filter(|(one, _)| **one == load);
        let (_, requests) = found.next().context("a load without requests")?;
        Ok(requests)
    }
}

/// Starts Envoy with one worker on a processor of its own, and goes back to the others.
pub(crate) fn start(bin: &Path, configuration: &str, processors: &Processors) -> Result<Envoy> {
    processors.keep_to(Place::First);
    let envoy = Launch::new(bin).start(configuration);
    processors.keep_to(Place::Others);
    envoy
}

/// The name of the listener, if there is one: a floor, and a gate without a token cache, there are for some loads alone.
fn listener_for(setup: Setup, load: Load) -> Option<String> {
    match (setup, load) {
        (Setup::WasmFloor, load) => Floor::of(load).map(|floor| floor.name().to_owned()),
        // With a token that is known, or none, it would be what `scopegate` is.
        (Setup::ScopegateUncached, load) if !load.is_distinct() => None,
        _ => Some(setup.listener(load)),
    }
}

fn built(name: &str) -> String {
    format!("wasm32-wasip1/release/{name}")
}

/// The file that the variable names, or that one below `target`.
fn file(variable: &str, usual: &str) -> Result<PathBuf> {
    let target = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target");
    let named = env::var_os(variable).filter(|name| !name.is_empty());
    let file = named.map_or_else(|| target.join(usual), PathBuf::from);
    ensure!(
        file.is_file(),
        "there is no filter at {}: `cargo xtask bench envoy` builds all that is needed",
        file.display()
    );
    Ok(file)
}
