//! A case's host: the gate in a Spin application, before the tests' upstream service and key server.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, bail};

use super::Program;
use super::application::{Application, Protocol, Running};
use super::decision::{Decision, Verdict, decisions};
use crate::corpus::file::{Fail, KeySet};
use crate::corpus::policy::{Place, complete, key_sets};
use crate::judge::{Prepared, Seen};
use crate::key_server::KeyServer;
use crate::runner::Host;
use crate::server::Received;
use crate::test_key::TestKey;
use crate::tools::SpinTools;
use crate::upstream::UpstreamServer;
use crate::wire;

/// Where nobody listens.
const NOBODY: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 1);

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

    /// Puts a key set on the key server, each of its answers after `delay`, and gives its URL.
    ///
    /// # Errors
    /// A key set that names no test key.
    pub fn key_set(&self, path: &str, set: &KeySet, delay: Duration) -> Result<String> {
        self.key_server.put(path, set, &self.keys, delay)?;
        let is_refused = set
            .answers
            .first()
            .is_some_and(|answer| answer.fail == Some(Fail::Refused));
        let address = match is_refused {
            true => NOBODY,
            false => self.key_server.address(),
        };
        Ok(format!("http://{address}{path}"))
    }

    /// The requests for that key set.
    pub fn key_requests(&self, path: &str) -> Vec<Received> {
        self.key_server.asked(path)
    }

    /// The application of a gateway with this policy and these key sets, and the place of the sets on the key server.
    ///
    /// # Errors
    /// The policy names a key set that is not there.
    pub fn gateway(
        &self,
        policy: &str,
        keys: &BTreeMap<String, KeySet>,
        delay: Duration,
    ) -> Result<(Application, String)> {
        let name = format!("/gate-{}", self.fresh());
        let mut places = BTreeMap::new();
        for set in key_sets(policy)?.into_values() {
            let answers = keys
                .get(&set)
                .with_context(|| format!("there is no key set {set:?}"))?;
            let url = self.key_set(&format!("{name}/{set}"), answers, delay)?;
            // Clusters are Envoy's: the component reads past them.
            let cluster = "none".to_owned();
            places.insert(set, Place { url, cluster });
        }
        let policy = complete(policy, &places)?;
        let upstream = self.upstream.address();
        let application = Application::gateway(&self.tools.gateway, &policy, upstream);
        Ok((application, name))
    }
}

/// A running gate.
pub struct Gate {
    /// The application.
    pub running: Running,
    surroundings: Arc<Surroundings>,
    place: String,
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
        let (application, place) = surroundings.gateway(policy, keys, Duration::ZERO)?;
        Self::of(surroundings, &application, place)
    }

    /// Starts that application, whose key sets lie at `place`.
    ///
    /// # Errors
    /// It does not start.
    pub fn of(
        surroundings: &Arc<Surroundings>,
        application: &Application,
        place: String,
    ) -> Result<Self> {
        Ok(Self {
            running: application.start(&surroundings.tools.program)?,
            surroundings: Arc::clone(surroundings),
            place,
            ahead_ms: AtomicU64::new(0),
            turn: Mutex::new(()),
        })
    }

    /// Puts another key set in the place of one. What was asked for so far is forgotten.
    ///
    /// # Errors
    /// A key set that names no test key.
    pub fn replace_keys(&self, set: &str, by: &KeySet) -> Result<()> {
        let path = format!("{}/{set}", self.place);
        self.surroundings
            .key_server
            .put(&path, by, &self.surroundings.keys, Duration::ZERO)
    }

    /// What the upstream saw of the request with that id.
    pub fn upstream_saw(&self, id: &str) -> Vec<Received> {
        self.surroundings.upstream.seen(id)
    }

    /// The requests for a key set.
    pub fn key_requests(&self, set: &str) -> Vec<Received> {
        self.surroundings
            .key_requests(&format!("{}/{set}", self.place))
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

    fn fetches(&self, key_set: &str) -> usize {
        self.gate.key_requests(key_set).len()
    }
}
