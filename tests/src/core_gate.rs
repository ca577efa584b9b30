//! The core alone as a gate: time is a number, keys come from the case, and the upstream sees what the decision says.

use std::collections::{BTreeMap, HashMap};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use anyhow::{Context, Result, bail};
use scopegate_core::explain::{self, StepOutcome};
use scopegate_core::{
    Allow, Decision, FetchFailure, KeyCache, KeyLocation, KeyRequest, Policy, Portable, Reason,
    Request, Response, Timestamp, TokenCache, decide, forbidden_trailers,
};

use crate::corpus::policy::complete;
use crate::corpus::site::{Document, Published, Site};
use crate::corpus::{Fail, KeySet};
use crate::judge::{Prepared, Seen};
use crate::runner::Host;
use crate::server::Received;
use crate::test_key::TestKey;

/// The core, with what a host keeps for it.
pub struct CoreGate<'a> {
    policy: Policy,
    keys: KeyCache,
    tokens: TokenCache,
    now_ms: u64,
    test_keys: &'a BTreeMap<String, TestKey>,
    site: Site,
    /// The key server, and files with keys: by place the answers, and how many of them were given.
    served: HashMap<String, (Published, usize)>,
    /// What was asked for, and when.
    asked: Vec<(String, u64)>,
    refresh: Refresh,
}

/// When keys are fetched that no request waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refresh {
    /// Behind a request, as on Spin.
    BehindRequests,
    /// By the clock, whether anybody asks or not, as in Envoy.
    ByTheClock,
}

/// How often a host with a clock looks.
const TICK_MS: u64 = 100;

/// Where the key server would listen, if there were one.
const KEY_SERVER: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 7070);

impl<'a> CoreGate<'a> {
    /// A gate with that policy, at that time. Its placeholders are filled with these key sets, which are all that is published.
    ///
    /// # Errors
    /// The policy is none, or a key set is not there.
    pub fn new(
        policy: &str,
        keys: &BTreeMap<String, KeySet>,
        test_keys: &'a BTreeMap<String, TestKey>,
        refresh: Refresh,
        now_ms: u64,
    ) -> Result<Self> {
        let site = Site::new(KEY_SERVER, "core");
        let mut places = BTreeMap::new();
        for (name, set) in keys {
            places.insert(name.clone(), site.place(name, set, test_keys, "keys")?);
        }
        let policy = Policy::parse(&complete(policy, &places)?)?;
        let tokens = TokenCache::new(&policy, 0x5eed);
        let mut gate = Self {
            keys: KeyCache::new(&policy),
            policy,
            tokens,
            now_ms,
            test_keys,
            site,
            served: HashMap::new(),
            asked: Vec::new(),
            refresh,
        };
        for (name, set) in keys {
            gate.publish(name, set)?;
        }
        Ok(gate)
    }

    /// What the core says to this request now.
    fn decide(&mut self, sent: &Prepared) -> Said {
        let headers = sent.headers.iter();
        let headers = headers.map(|(name, value)| (name.as_str(), value.as_slice()));
        let request = Request::new(sent.method.as_bytes(), sent.path.as_deref(), headers);
        let now = Timestamp::from_millis(self.now_ms);
        match decide(
            &self.policy,
            &request,
            &self.keys,
            &mut self.tokens,
            &Portable,
            now,
        ) {
            Decision::Allow(allow) => {
                Said::Answer(Box::new(allowed(&self.policy, sent, &allow)), allow.fetch)
            }
            Decision::Deny(deny) => {
                let response = deny.response(&self.policy, &request);
                Said::Answer(
                    Box::new(refused(sent, deny.reason, deny.facts.route, response)),
                    None,
                )
            }
            Decision::NeedKeys(wanted) => Said::NeedKeys(wanted.keys),
        }
    }

    /// The first step of the explanation that does not hold has to be what the decision says.
    fn check_explanation(&self, sent: &Prepared, said: &Said) -> Result<()> {
        let headers = sent.headers.iter();
        let headers = headers.map(|(name, value)| (name.as_str(), value.as_slice()));
        let request = Request::new(sent.method.as_bytes(), sent.path.as_deref(), headers);
        let now = Timestamp::from_millis(self.now_ms);
        let steps = explain::steps(&self.policy, &request, &self.keys, &Portable, now);
        let mut outcomes = steps.iter().map(|step| step.outcome);
        let explained = outcomes.find(|outcome| *outcome != StepOutcome::Holds);
        let decided = match said {
            Said::NeedKeys(_) => Some("needs keys"),
            Said::Answer(seen, _) => seen.reason.as_deref(),
        };
        let agrees = match explained {
            None => decided.is_none(),
            Some(StepOutcome::Refuses(reason)) => decided == Some(reason.code()),
            // In shadow mode nobody waits for them.
            _ => matches!(decided, Some("needs keys" | "keys_unavailable")),
        };
        if !agrees {
            bail!("the core says {decided:?}, and explains it by {steps:#?}");
        }
        Ok(())
    }

    fn fetch(&mut self, wanted: &KeyRequest) -> Result<()> {
        let place = wanted.location.to_string();
        if self.asked.contains(&(place.clone(), self.now_ms)) {
            bail!("{place} is asked for twice at one time");
        }
        let (document, given) = self
            .served
            .get_mut(&place)
            .with_context(|| format!("nothing is served at {place}"))?;
        self.asked.push((place, self.now_ms));
        let (answer, body) = document
            .answers
            .get(*given)
            .or(document.answers.last())
            .context("a document without an answer")?;
        *given += 1;
        let whole = |status| {
            let body = body.clone();
            Ok(match &wanted.location {
                KeyLocation::Url(_) => {
                    scopegate_core::KeyAnswer::new(status, answer.fields(self.now_ms), body)
                }
                KeyLocation::File(_) => scopegate_core::KeyAnswer::of_file(body),
            })
        };
        let outcome = match answer.fail {
            None => whole(answer.status.unwrap_or(200)),
            Some(Fail::Redirect) => whole(302),
            Some(Fail::Refused) => Err(FetchFailure::Unreachable),
            Some(Fail::Hung | Fail::Slow) => Err(FetchFailure::Timeout),
            Some(Fail::Truncated) => Err(FetchFailure::Truncated),
            Some(Fail::Oversized) => Err(FetchFailure::TooLarge),
        };
        let now = Timestamp::from_millis(self.now_ms);
        self.keys.install(&mut self.tokens, wanted, outcome, now);
        Ok(())
    }

    /// The same, and every step of that round behind it.
    fn fetch_round(&mut self, first: KeyRequest) -> Result<()> {
        let now = Timestamp::from_millis(self.now_ms);
        let mut next = Some(first);
        while let Some(wanted) = next {
            self.fetch(&wanted)?;
            next = self.keys.under_way(wanted.issuer, now);
        }
        Ok(())
    }
}

/// A decision, without what it borrows.
enum Said {
    /// The answer; in shadow mode with a key set to fetch behind the request.
    Answer(Box<Seen>, Option<KeyRequest>),
    NeedKeys(KeyRequest),
}

impl Host for CoreGate<'_> {
    fn now_ms(&self) -> u64 {
        self.now_ms
    }

    fn wait(&mut self, ms: u64) -> Result<()> {
        let end = self.now_ms + ms;
        while self.refresh == Refresh::ByTheClock && self.now_ms + TICK_MS < end {
            self.now_ms += TICK_MS;
            for wanted in self.keys.due(Timestamp::from_millis(self.now_ms)) {
                self.fetch_round(wanted)?;
            }
        }
        self.now_ms = end;
        Ok(())
    }

    fn ask(&mut self, sent: &Prepared) -> Result<Seen> {
        let (seen, behind) = loop {
            let said = self.decide(sent);
            self.check_explanation(sent, &said)?;
            match said {
                Said::NeedKeys(wanted) => self.fetch(&wanted)?,
                Said::Answer(seen, behind) => break (seen, behind),
            }
        };
        // The token cache may make a decision faster, and never another one.
        match self.decide(sent) {
            Said::Answer(again, _) if again == seen => {}
            Said::Answer(again, _) => {
                bail!("asked again at the same time, the core says {again:?} after {seen:?}")
            }
            Said::NeedKeys(_) => bail!("asked again at the same time, the core needs keys again"),
        }
        // In shadow mode a request does not wait for keys: the next one finds them.
        if let Some(wanted) = behind {
            self.fetch_round(wanted)?;
        }
        Ok(*seen)
    }

    fn issuer(&self, name: &str) -> String {
        self.site.issuer(name)
    }

    fn publish(&mut self, name: &str, set: &KeySet) -> Result<()> {
        for (document, published) in self.site.documents(name, set, self.test_keys)? {
            let url = self.site.url(name, document);
            if document == Document::Keys {
                self.served.insert(Site::file(name), (published.clone(), 0));
            }
            self.served.insert(url, (published, 0));
        }
        Ok(())
    }

    fn fetches(&self, name: &str, document: Document) -> usize {
        let wanted = self.site.url(name, document);
        self.asked.iter().filter(|(url, _)| *url == wanted).count()
    }
}

/// What the upstream sees of a request that goes on: first names are taken away, then values are set.
fn allowed(policy: &Policy, sent: &Prepared, allow: &Allow<'_, '_>) -> Seen {
    let is_stripped = |name: &str| {
        allow
            .strip
            .iter()
            .any(|stripped| stripped.eq_ignore_ascii_case(name.as_bytes()))
    };
    let mut headers: Vec<(String, Vec<u8>)> = sent
        .headers
        .iter()
        .filter(|(name, _)| !is_stripped(name))
        .cloned()
        .collect();
    for (name, value) in allow.set.iter() {
        headers.retain(|(known, _)| !known.eq_ignore_ascii_case(name));
        headers.push((name.to_owned(), value.as_bytes().to_vec()));
    }
    let forbidden = forbidden_trailers(
        policy,
        sent.trailers.iter().map(|(name, _)| name.as_bytes()),
    );
    let trailers = sent
        .trailers
        .iter()
        .filter(|(name, _)| !forbidden.contains(&name.as_bytes()))
        .cloned()
        .collect();
    Seen {
        status: Some(200),
        reason: allow.shadowed.map(|reason| reason.code().to_owned()),
        route: allow.facts.route.map(str::to_owned),
        upstream: Some(Received {
            method: sent.method.clone(),
            path: sent.path.clone().unwrap_or_default(),
            headers,
            body: sent.body.clone(),
            trailers,
        }),
        ..Seen::default()
    }
}

fn refused(sent: &Prepared, reason: Reason, route: Option<&str>, response: Response<'_>) -> Seen {
    let body = response.body.as_bytes().to_vec();
    Seen {
        status: Some(response.status),
        headers: response
            .headers
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value.into_owned()))
            .collect(),
        grpc: response
            .grpc_status
            .map(|status| (status, String::from_utf8_lossy(&body).into_owned())),
        body: (sent.method != "HEAD").then_some(body),
        reason: Some(reason.code().to_owned()),
        route: route.map(str::to_owned),
        upstream: None,
    }
}
