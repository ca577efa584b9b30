//! Starts an application: everything from the manifest to the listening socket.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use anyhow::{Context as _, Result, anyhow};
use tempfile::TempDir;
use tokio::net::TcpListener;
use wasmtime::component::{Component, InstancePre, Linker};
use wasmtime::{Cache, CacheConfig, Config, Engine, InstanceAllocationStrategy};
use wasmtime_wasi_http::handler::ProxyHandler;
use wasmtime_wasi_http::p3::bindings::ServicePre;

use crate::application::{self, Application};
use crate::clock::WallClock;
use crate::connection::Connections;
use crate::control::Control;
use crate::fault::Faults;
use crate::instances::{Maker, Register, Reuse};
use crate::key_value::{self, Stores};
use crate::log::{Log, Terminal};
use crate::outbound::Outbound;
use crate::server::Server;
use crate::state::{self, State};
use crate::{files, middleware, variables};

/// How to run an application.
#[derive(Debug, Clone)]
pub struct Options {
    /// The manifest, or the folder of a `spin.toml`.
    pub from: PathBuf,
    /// Where to listen.
    pub listen: SocketAddr,
    /// Where to listen for tests, if at all.
    pub control: Option<SocketAddr>,
    /// Where the output of components goes.
    pub log_dir: Option<PathBuf>,
    /// Where compiled components are kept for the next start.
    pub cache_dir: Option<PathBuf>,
    /// Whether the output of components stays off the terminal.
    pub quiet: bool,
    /// Values of the application's variables.
    pub variables: BTreeMap<String, String>,
    /// Labels of stores that are defined beside `default`.
    pub stores: Vec<String>,
    /// How often an instance is used.
    pub reuse: Reuse,
    /// Whether components neither see nor set the headers that Spin keeps from them.
    pub forbids_headers: bool,
}

/// A running application. Dropping it removes the copies of its files.
pub struct Host {
    server: Arc<Server>,
    control: Option<SocketAddr>,
    _files: Vec<TempDir>,
}

impl Host {
    /// Starts an application; it is served as soon as this returns, by tasks of the current runtime.
    pub async fn start(options: &Options) -> Result<Self> {
        let application = Application::read(&options.from, &options.variables, &options.stores)?;
        let parts = Parts::new(options)?;
        let mut handlers = BTreeMap::new();
        let mut folders = Vec::new();
        for (id, component) in &application.components {
            let files = match component.files.as_slice() {
                [] => None,
                mounts => {
                    let folder =
                        files::copy(mounts).with_context(|| format!("component `{id}`"))?;
                    let path = folder.path().to_owned();
                    folders.push(folder);
                    Some(path)
                }
            };
            let maker = parts.maker(id, component, files, options);
            let maker = maker.with_context(|| format!("component `{id}`"))?;
            handlers.insert(id.clone(), ProxyHandler::new(maker));
        }
        let listener = TcpListener::bind(options.listen)
            .await
            .with_context(|| format!("{}", options.listen))?;
        let server = Arc::new(Server::new(listener.local_addr()?, application, handlers));
        parts
            .server
            .set(Arc::downgrade(&server))
            .map_err(|_| anyhow!("a server is set once"))?;
        let control = match options.control {
            None => None,
            Some(address) => {
                let listener = TcpListener::bind(address)
                    .await
                    .with_context(|| format!("{address}"))?;
                let address = listener.local_addr()?;
                let control = Control {
                    server: server.clone(),
                    clock: parts.clock,
                    stores: parts.stores,
                    variables: parts.variables,
                };
                tokio::spawn(Arc::new(control).serve(listener));
                Some(address)
            }
        };
        tokio::spawn(server.clone().serve(listener));
        Ok(Self {
            server,
            control,
            _files: folders,
        })
    }

    /// Where the application is served.
    pub fn address(&self) -> SocketAddr {
        self.server.address()
    }

    /// Where tests reach into it.
    pub fn control_address(&self) -> Option<SocketAddr> {
        self.control
    }

    /// Each route with its component and what the manifest says of it, to be shown.
    pub fn routes(&self) -> Vec<(String, String, String)> {
        let application = self.server.application();
        let routes = application.routes.iter();
        routes
            .map(|(route, component)| {
                let described = application.components.get(component);
                let description = described.map(|c| c.description.clone()).unwrap_or_default();
                (route.shown(), component.clone(), description)
            })
            .collect()
    }
}

/// What all components share.
struct Parts {
    engine: Engine,
    linker: Linker<State>,
    clock: WallClock,
    connections: Connections,
    stores: Arc<Stores>,
    variables: Arc<Faults>,
    server: Arc<OnceLock<std::sync::Weak<Server>>>,
}

impl Parts {
    fn new(options: &Options) -> Result<Self> {
        let engine = start_engine(options.cache_dir.as_deref())?;
        let mut linker = Linker::new(&engine);
        state::link(&mut linker)?;
        Ok(Self {
            engine,
            linker,
            clock: WallClock::default(),
            connections: Connections::new(),
            stores: Arc::new(Stores::new()),
            variables: Arc::new(Faults::new(&variables::OPERATIONS)),
            server: Arc::default(),
        })
    }

    fn maker(
        &self,
        id: &str,
        component: &application::Component,
        files: Option<PathBuf>,
        options: &Options,
    ) -> Result<Maker> {
        let log = |terminal| Log::open(options.log_dir.as_deref(), id, terminal, options.quiet);
        Ok(Maker {
            service: ServicePre::new(self.prepare(component)?)?,
            engine: self.engine.clone(),
            reuse: options.reuse,
            register: Arc::new(Register::default()),
            environment: component.environment.clone(),
            files,
            clock: self.clock.clone(),
            stdout: log(Terminal::Stdout)?,
            stderr: log(Terminal::Stderr)?,
            outbound: Outbound {
                allowed: Arc::new(component.allowed_hosts.clone()),
                connections: self.connections.clone(),
                server: self.server.clone(),
                forbids_headers: options.forbids_headers,
            },
            stores: key_value::Access {
                stores: self.stores.clone(),
                allowed: Arc::new(component.stores.clone()),
            },
            variables: variables::Values {
                values: Arc::new(component.variables.clone()),
                faults: self.variables.clone(),
            },
        })
    }

    fn prepare(&self, component: &application::Component) -> Result<InstancePre<State>> {
        let bytes = middleware::compose(component)?;
        let compiled = Component::new(&self.engine, bytes)?;
        Ok(self.linker.instantiate_pre(&compiled)?)
    }
}

fn start_engine(cache: Option<&Path>) -> Result<Engine> {
    let mut config = Config::new();
    config.wasm_component_model_async(true);
    // As Spin does: instances come from a pool.
    config.allocation_strategy(InstanceAllocationStrategy::pooling());
    if let Some(folder) = cache {
        let mut kept = CacheConfig::new();
        std::fs::create_dir_all(folder).with_context(|| format!("{}", folder.display()))?;
        kept.with_directory(std::path::absolute(folder)?);
        config.cache(Some(Cache::new(kept)?));
    }
    Ok(Engine::new(&config)?)
}
