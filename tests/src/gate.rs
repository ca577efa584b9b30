//! A real gate: Envoy with the filter between clients and an upstream service, and a key server beside it.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::config::{self, Address};
use crate::corpus::KeySet;
use crate::corpus::Runner;
use crate::corpus::policy::{Place, Source, complete};
use crate::corpus::site::{Document, Site};
use crate::envoy::{Envoy, Launch};
use crate::http1::{self, Answer};
use crate::http2;
use crate::judge::{Prepared, Seen};
use crate::key_server::KeyServer;
use crate::server::Received;
use crate::test_key::TestKey;
use crate::tools::Tools;
use crate::upstream::UpstreamServer;
use crate::wire;

/// What the gate is to be made of.
pub struct Plan<'a> {
    filter: Option<&'a Path>,
    keys: &'a BTreeMap<String, TestKey>,
    upstream: UpstreamServer,
    key_server: KeyServer,
    folder: tempfile::TempDir,
    listeners: Vec<Value>,
    services: Vec<(String, Address)>,
    /// How Envoy is started.
    pub launch: Launch,
}

impl<'a> Plan<'a> {
    /// No listener yet; the upstream service and the key server run.
    ///
    /// # Errors
    /// No port, or no temporary folder, can be had.
    pub fn new(tools: &'a Tools, keys: &'a BTreeMap<String, TestKey>) -> Result<Self> {
        let filter = Some(tools.filter.as_path());
        let plan = Self::without_filter(&tools.envoy, keys)?;
        Ok(Self { filter, ..plan })
    }

    /// The same for listeners in which Scopegate has no part.
    ///
    /// # Errors
    /// See [`Plan::new`].
    pub fn without_filter(envoy: &Path, keys: &'a BTreeMap<String, TestKey>) -> Result<Self> {
        let folder = tempfile::Builder::new()
            .prefix("scopegate-gate-")
            .tempdir()?;
        Ok(Self {
            filter: None,
            keys,
            upstream: UpstreamServer::start()?,
            key_server: KeyServer::start()?,
            folder,
            listeners: Vec::new(),
            services: Vec::new(),
            launch: Launch::new(envoy),
        })
    }

    /// Where a key set called `name` of that listener lies, which the policy names by its URL; its answers come after `delay`.
    ///
    /// # Errors
    /// A key set that names no test key.
    pub fn key_set(
        &self,
        listener: &str,
        name: &str,
        set: &KeySet,
        delay: Duration,
    ) -> Result<Place> {
        self.publish(listener, name, set, &Source::Url, delay)
    }

    /// Where an issuer called `name` of that listener publishes what it does, of which the gate asks for that first.
    ///
    /// # Errors
    /// A key set that names no test key.
    pub fn publish(
        &self,
        listener: &str,
        name: &str,
        set: &KeySet,
        first: &Source,
        delay: Duration,
    ) -> Result<Place> {
        let site = Site::new(self.key_server.address(), listener);
        self.key_server
            .publish(&site, name, set, self.keys, delay)?;
        let cluster = match set.is_refused(*first == Source::Metadata) {
            true => config::REFUSED,
            false => config::KEYS,
        };
        site.place(name, set, self.keys, cluster)
    }

    /// A listener with this policy, placeholders filled with these places.
    ///
    /// # Errors
    /// A placeholder without a place, or a plan without the filter.
    pub fn listener(
        &mut self,
        name: &str,
        policy: &str,
        places: &BTreeMap<String, Place>,
    ) -> Result<()> {
        let filter = self.gate(policy, places)?;
        self.filtered_listener(name, &filter);
        Ok(())
    }

    /// A listener with this policy before a service of that address, or before the tests' own upstream service. Its answers tell
    /// what the gate decided (see [`config::telling`]).
    ///
    /// # Errors
    /// A placeholder without a place, or a plan without the filter.
    pub fn telling_listener(
        &mut self,
        name: &str,
        service: Option<Address>,
        policy: &str,
        places: &BTreeMap<String, Place>,
    ) -> Result<()> {
        let filter = self.gate(policy, places)?;
        let cluster = match service {
            None => config::UPSTREAM,
            Some(address) => {
                self.services.push((name.to_owned(), address));
                name
            }
        };
        let listener = self.listener_to(name, &filter, cluster);
        self.listeners.push(config::telling(listener));
        Ok(())
    }

    /// A listener with this policy that deals its connections out evenly to all workers (see [`config::balanced`]).
    ///
    /// # Errors
    /// A placeholder without a place, or a plan without the filter.
    pub fn balanced_listener(
        &mut self,
        name: &str,
        policy: &str,
        places: &BTreeMap<String, Place>,
    ) -> Result<()> {
        let filter = self.gate(policy, places)?;
        let listener = self.listener_to(name, &filter, config::UPSTREAM);
        self.listeners.push(config::balanced(listener));
        Ok(())
    }

    /// Where the key server listens.
    pub fn key_server(&self) -> SocketAddr {
        self.key_server.address()
    }

    /// A cluster of that name, with a service at that address.
    pub fn cluster(&mut self, name: &str, address: SocketAddr) {
        self.services
            .push((name.to_owned(), Address::Socket(address)));
    }

    /// The filter with this policy, placeholders filled with these places.
    fn gate(&self, policy: &str, places: &BTreeMap<String, Place>) -> Result<Value> {
        let filter = self.filter.context("a plan without the filter")?;
        Ok(config::gate(filter, &complete(policy, places)?))
    }

    /// A listener with this HTTP filter before the router.
    pub fn filtered_listener(&mut self, name: &str, filter: &Value) {
        let listener = self.listener_to(name, filter, config::UPSTREAM);
        self.listeners.push(listener);
    }

    fn listener_to(&self, name: &str, filter: &Value, cluster: &str) -> Value {
        let access_log = self.folder.path().join("access.log");
        config::listener(name, std::slice::from_ref(filter), cluster, &access_log)
    }

    /// A listener as it is.
    pub fn whole_listener(&mut self, listener: Value) {
        self.listeners.push(listener);
    }

    /// A folder that lasts as long as the gate.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Starts Envoy with the listeners planned.
    ///
    /// # Errors
    /// Envoy does not start; its last words are in the error.
    pub fn start(self) -> Result<Gate> {
        let text = config::config(
            &self.listeners,
            self.upstream.address(),
            self.key_server.address(),
            &self.services,
        );
        let envoy = self.launch.start(&text)?;
        let listeners = envoy.listeners()?;
        let access_log = self.folder.path().join("access.log");
        Ok(Gate {
            envoy,
            listeners,
            upstream: self.upstream,
            key_server: self.key_server,
            access_log,
            _folder: self.folder,
            next: AtomicU64::new(1),
        })
    }
}

/// A running gate.
pub struct Gate {
    /// The Envoy process.
    pub envoy: Envoy,
    /// The upstream service.
    pub upstream: UpstreamServer,
    listeners: BTreeMap<String, SocketAddr>,
    key_server: KeyServer,
    access_log: PathBuf,
    _folder: tempfile::TempDir,
    next: AtomicU64,
}

impl Gate {
    /// The address of a listener.
    ///
    /// # Errors
    /// There is none of that name.
    pub fn address(&self, listener: &str) -> Result<SocketAddr> {
        self.listeners
            .get(listener)
            .copied()
            .with_context(|| format!("there is no listener {listener:?}"))
    }

    /// What a listener's issuers publish.
    pub fn site(&self, listener: &str) -> Site {
        Site::new(self.key_server.address(), listener)
    }

    /// Publishes that instead of what the issuer of that name has published so far. A port that refused goes on refusing.
    ///
    /// # Errors
    /// A key set that names no test key.
    pub fn replace(
        &self,
        listener: &str,
        name: &str,
        set: &KeySet,
        keys: &BTreeMap<String, TestKey>,
    ) -> Result<()> {
        self.key_server
            .replace(&self.site(listener), name, set, keys)
    }

    /// The requests for a key set of a listener.
    pub fn key_requests(&self, listener: &str, name: &str) -> Vec<Received> {
        self.fetches(listener, name, Document::Keys)
            .into_iter()
            .map(|(_, request)| request)
            .collect()
    }

    /// The requests for a document of a listener's issuer, each with its time.
    pub fn fetches(
        &self,
        listener: &str,
        name: &str,
        document: Document,
    ) -> Vec<(Instant, Received)> {
        self.key_server
            .asked_at(&self.site(listener).path(name, document))
    }

    /// An id for a request, unlike all others of this gate.
    pub fn fresh_id(&self) -> String {
        format!("request-{}", self.next.fetch_add(1, Ordering::Relaxed))
    }

    /// Sends the request over the runner's protocol, and collects what became of it.
    ///
    /// # Errors
    /// No answer, or no access-log entry.
    pub fn ask(&self, listener: &str, runner: Runner, sent: &Prepared) -> Result<Seen> {
        self.ask_as(listener, runner, sent, &self.fresh_id())
    }

    /// The same, with an id that the caller keeps: what the upstream saw can be asked for even if there is no answer.
    ///
    /// # Errors
    /// No answer, or no access-log entry.
    pub fn ask_as(
        &self,
        listener: &str,
        runner: Runner,
        sent: &Prepared,
        id: &str,
    ) -> Result<Seen> {
        let answer = self.send(listener, runner, sent, id)?;
        let entry = self.access_log_entry(id)?;
        with_log(wire::seen(sent, answer, self.upstream.seen(id))?, &entry)
    }

    /// The same of a listener without the filter, where no log speaks of a decision.
    ///
    /// # Errors
    /// No answer.
    pub fn ask_unlogged(&self, listener: &str, runner: Runner, sent: &Prepared) -> Result<Seen> {
        let id = self.fresh_id();
        let answer = self.send(listener, runner, sent, &id)?;
        wire::seen(sent, answer, self.upstream.seen(&id))
    }

    /// Sends the request with that id, and nothing more.
    ///
    /// # Errors
    /// No answer.
    pub fn send(
        &self,
        listener: &str,
        runner: Runner,
        sent: &Prepared,
        id: &str,
    ) -> Result<Answer> {
        let address = self.address(listener)?;
        match runner {
            Runner::EnvoyHttp1 => http1::exchange(address, &wire::http1_request(sent, id)),
            Runner::EnvoyHttp2 => http2::exchange(address, &wire::http2_request(sent, id)),
            Runner::Core => bail!("the core is not reached over a network"),
        }
    }

    /// The access-log entry of the request with that id; it is written within a moment of the answer.
    ///
    /// # Errors
    /// There is none after some seconds.
    pub fn access_log_entry(&self, id: &str) -> Result<Value> {
        let deadline = Instant::now() + Duration::from_secs(5);
        loop {
            let log = std::fs::read_to_string(&self.access_log).unwrap_or_default();
            let entries = log
                .lines()
                .filter_map(|line| serde_json::from_str::<Value>(line).ok());
            if let Some(entry) = entries.into_iter().find(|entry| entry["id"] == id) {
                return Ok(entry);
            }
            if Instant::now() > deadline {
                bail!("the access log has no entry of {id}");
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

/// Adds what the access log says of the decision, which must agree with what the upstream saw.
fn with_log(seen: Seen, entry: &Value) -> Result<Seen> {
    let noted = |name: &str| {
        entry[name]
            .as_str()
            .filter(|text| !text.is_empty() && *text != "-")
            .map(str::to_owned)
    };
    let is_allowed = seen.upstream.is_some();
    let decision = noted("decision");
    if (decision.as_deref() == Some("deny")) == is_allowed {
        bail!(
            "the access log says {decision:?}, and the upstream was {}reached",
            if is_allowed { "" } else { "not " }
        );
    }
    Ok(Seen {
        reason: noted("reason"),
        route: noted("route"),
        ..seen
    })
}
