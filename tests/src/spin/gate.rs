//! A case's host: the gate in a Spin application, before the tests' upstream service and key server.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Result, bail};

use super::Program;
use super::application::{Application, Protocol, Running};
use super::decision::{Decision, Verdict, decisions};
use crate::corpus::KeySet;
use crate::corpus::policy::{Source, complete, fetched};
use crate::corpus::site::{Document, Site};
use crate::judge::{Prepared, Seen};
use crate::key_server::KeyServer;
use crate::runner::Host;
use crate::server::Received;
use crate::test_key::TestKey;
use crate::tools::SpinTools;
use crate::upstream::UpstreamServer;
use crate::wire;

/// How long what is done behind an answer may take: a refresh of keys, a write into the store.
const SETTLED: Duration = Duration::from_millis(60);

/// The servers around all gates of a test.
pub struct Surroundings {
    /// What runs the applications, and the gateway.
    pub tools: SpinTools,
    /// The upstream service.
    pub upstream: UpstreamServer,
    key_server: KeyServer,
    keys: Arc<BTreeMap<String, TestKey>>,
    next: AtomicU64,
}

impl Surroundings {
    /// Starts the servers.
    ///
    /// # Errors
    /// No port can be had.
    pub fn start(tools: SpinTools, keys: &Arc<BTreeMap<String, TestKey>>) -> Result<Arc<Self>> {
        Ok(Arc::new(Self {
            tools,
            upstream: UpstreamServer::start()?,
            key_server: KeyServer::start()?,
            keys: Arc::clone(keys),
            next: AtomicU64::new(1),
        }))
    }

    /// A number unlike all others of this test.
    pub fn fresh(&self) -> u64 {
        self.next.fetch_add(1, Ordering::Relaxed)
    }

    /// The requests for a document of that issuer of a site.
    pub fn fetches(&self, site: &Site, name: &str, document: Document) -> Vec<Received> {
        self.key_server.asked(&site.path(name, document))
    }

    /// The application of a gateway with this policy and these key sets, and where on the key server their issuers publish, each
    /// answer after `delay`.
    ///
    /// # Errors
    /// The policy names a key set that is not there.
    pub fn gateway(
        &self,
        policy: &str,
        keys: &BTreeMap<String, KeySet>,
        delay: Duration,
    ) -> Result<(Application, Site)> {
        let folder = format!("gate-{}", self.fresh());
        let mut site = Site::new(self.key_server.address(), &folder);
        let sources = fetched(policy)?;
        let mut places = BTreeMap::new();
        let mut files = Vec::new();
        for (name, set) in keys {
            self.key_server
                .publish(&site, name, set, &self.keys, delay)?;
            let is_discovered = sources
                .values()
                .any(|source| *source == (Source::Metadata, name.clone()));
            if set.is_refused(is_discovered) {
                site.refuse(name);
            }
            // Clusters are Envoy's: the component reads past them.
            let place = site.place(name, set, &self.keys, "none")?;
            if sources
                .values()
                .any(|source| *source == (Source::File, name.clone()))
            {
                files.push((place.file.clone(), place.public.clone()));
            }
            places.insert(name.clone(), place);
        }
        let policy = complete(policy, &places)?;
        let upstream = self.upstream.address();
        let mut application = Application::gateway(&self.tools.gateway, &policy, upstream);
        application.files = files;
        Ok((application, site))
    }
}

/// A running gate.
pub struct Gate {
    /// The application.
    pub running: Running,
    surroundings: Arc<Surroundings>,
    site: Site,
    /// By how much its clock is ahead.
    ahead_ms: AtomicU64,
    /// Lines of its log are found by their order, so there is one request at a time.
    turn: Mutex<()>,
}

impl Gate {
    /// Starts a gateway with this policy and these key sets.
    ///
    /// # Errors
    /// It does not start.
    pub fn start(
        surroundings: &Arc<Surroundings>,
        policy: &str,
        keys: &BTreeMap<String, KeySet>,
    ) -> Result<Self> {
        let (application, site) = surroundings.gateway(policy, keys, Duration::ZERO)?;
        Self::of(surroundings, &application, site)
    }

    /// Starts that application, whose issuers publish on that site.
    ///
    /// # Errors
    /// It does not start.
    pub fn of(
        surroundings: &Arc<Surroundings>,
        application: &Application,
        site: Site,
    ) -> Result<Self> {
        Ok(Self {
            running: application.start(&surroundings.tools.program)?,
            surroundings: Arc::clone(surroundings),
            site,
            ahead_ms: AtomicU64::new(0),
            turn: Mutex::new(()),
        })
    }

    /// Puts another key set in the place of one. What was asked for so far is forgotten.
    ///
    /// # Errors
    /// A key set that names no test key.
    pub fn replace_keys(&self, set: &str, by: &KeySet) -> Result<()> {
        let around = &self.surroundings;
        around
            .key_server
            .publish(&self.site, set, by, &around.keys, Duration::ZERO)
    }

    /// What the upstream saw of the request with that id.
    pub fn upstream_saw(&self, id: &str) -> Vec<Received> {
        self.surroundings.upstream.seen(id)
    }

    /// The requests for a key set.
    pub fn key_requests(&self, set: &str) -> Vec<Received> {
        self.fetches(set, Document::Keys)
    }

    /// The requests for a document of the issuer of that name.
    pub fn fetches(&self, name: &str, document: Document) -> Vec<Received> {
        self.surroundings.fetches(&self.site, name, document)
    }

    /// The time of its clock, in milliseconds since the epoch.
    pub fn now_ms(&self) -> u64 {
        let now = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        let now = u64::try_from(now.as_millis()).unwrap_or(u64::MAX);
        now.saturating_add(self.ahead_ms.load(Ordering::SeqCst))
    }

    /// Lets that much time pass: by its clock where that can be set, and else by waiting.
    ///
    /// # Errors
    /// The clock cannot be set.
    pub fn pass(&self, ms: u64) -> Result<()> {
        let Some(control) = &self.running.control else {
            std::thread::sleep(Duration::from_millis(ms));
            return Ok(());
        };
        let settled = SETTLED.min(Duration::from_millis(ms));
        std::thread::sleep(settled);
        let rest = ms.saturating_sub(u64::try_from(settled.as_millis())?);
        control.advance(i64::try_from(rest)?)?;
        self.ahead_ms.fetch_add(rest, Ordering::SeqCst);
        Ok(())
    }

    /// Waits until the store is written, and then loses every instance.
    ///
    /// # Errors
    /// Real Spin runs.
    pub fn lose_instances(&self) -> Result<()> {
        std::thread::sleep(SETTLED);
        self.running.control()?.retire()
    }

    /// Sends a request, and collects what became of it.
    ///
    /// # Errors
    /// No answer, or a log that does not agree with what the upstream saw.
    pub fn ask(&self, protocol: Protocol, sent: &Prepared) -> Result<Seen> {
        let id = format!("request-{}", self.surroundings.fresh());
        self.ask_as(protocol, sent, &id)
    }

    /// The same, with an id that the caller keeps.
    ///
    /// # Errors
    /// As above.
    pub fn ask_as(&self, protocol: Protocol, sent: &Prepared, id: &str) -> Result<Seen> {
        let _turn = self.take_turn();
        let before = decisions(&self.running.gate_log()).len();
        let answer = self.running.send(protocol, sent, id)?;
        let seen = wire::seen(sent, answer, self.surroundings.upstream.seen(id))?;
        with_log(seen, &self.decisions_since(before))
    }

    /// The decisions in the log behind the first `known`.
    fn decisions_since(&self, known: usize) -> Vec<Decision> {
        // The test host writes a line before the component goes on. Real Spin writes it within a moment.
        let patience = match self.running.spin.program() {
            Program::TestHost(_) => Duration::ZERO,
            Program::Spin(..) => Duration::from_millis(500),
        };
        let deadline = Instant::now() + patience;
        loop {
            let mut found = decisions(&self.running.gate_log());
            let new = found.split_off(known.min(found.len()));
            if !new.is_empty() || Instant::now() >= deadline {
                return new;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    fn take_turn(&self) -> MutexGuard<'_, ()> {
        self.turn.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Adds what the log says of the decision, which must agree with what the upstream saw.
fn with_log(seen: Seen, logged: &[Decision]) -> Result<Seen> {
    let is_reached = seen.upstream.is_some();
    let decision = match logged {
        [] if !is_reached => return Ok(seen),
        [decision] => decision,
        _ => bail!(
            "the log tells {} decisions on one request: {logged:?}",
            logged.len()
        ),
    };
    if (decision.verdict == Verdict::Refused) == is_reached {
        bail!(
            "the log says {decision:?}, and the upstream was {}reached",
            if is_reached { "" } else { "not " }
        );
    }
    Ok(Seen {
        reason: decision.reason.clone(),
        route: decision.route.clone(),
        ..seen
    })
}

/// A gate that a case is put to.
pub struct GateHost<'a> {
    gate: &'a Gate,
    protocol: Protocol,
    loses_instances: bool,
    ids: Vec<String>,
}

impl<'a> GateHost<'a> {
    /// Asked over that protocol. With `loses_instances` no instance sees two requests.
    pub fn new(gate: &'a Gate, protocol: Protocol, loses_instances: bool) -> Self {
        Self {
            gate,
            protocol,
            loses_instances,
            ids: Vec::new(),
        }
    }

    /// Whether the upstream saw anything of this case.
    pub fn has_reached_upstream(&self) -> bool {
        let upstream = &self.gate.surroundings.upstream;
        self.ids.iter().any(|id| !upstream.seen(id).is_empty())
    }
}

impl Host for GateHost<'_> {
    fn now_ms(&self) -> u64 {
        self.gate.now_ms()
    }

    fn wait(&mut self, ms: u64) -> Result<()> {
        if self.loses_instances {
            self.gate.lose_instances()?;
        }
        match ms {
            0 => Ok(()),
            _ => self.gate.pass(ms),
        }
    }

    fn ask(&mut self, sent: &Prepared) -> Result<Seen> {
        let id = format!("request-{}", self.gate.surroundings.fresh());
        self.ids.push(id.clone());
        self.gate.ask_as(self.protocol, sent, &id)
    }

    fn issuer(&self, name: &str) -> String {
        self.gate.site.issuer(name)
    }

    fn publish(&mut self, name: &str, set: &KeySet) -> Result<()> {
        let around = &self.gate.surroundings;
        around
            .key_server
            .replace(&self.gate.site, name, set, &around.keys)
    }

    fn fetches(&self, name: &str, document: Document) -> usize {
        self.gate.fetches(name, document).len()
    }
}
