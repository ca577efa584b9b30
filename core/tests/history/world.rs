//! A history as it goes: clock, issuers, instances, and the store between them.

use std::collections::BTreeSet;

use scopegate_core::KeyRequest;

use crate::host::{Flight, Instance, Left};
use crate::issuer::{Issuer, NAMES};
use crate::knowledge::{Edge, Outcome};
use crate::promises::{Given, Ledger, check_answer, check_passing, must_be_served};
use crate::setting::{SKEW, Setting};
use crate::step::{Step, Who};
use crate::support::START;
use crate::token::{STRANGE, Token};

pub struct World<'s> {
    setting: &'s Setting,
    pub now: u64,
    /// It was never set back: then a moment is before another if it shows an earlier time.
    clock_is_true: bool,
    pub issuers: [Issuer; 2],
    pub instances: Vec<Instance<'s>>,
    /// What instances have left for each other, by issuer.
    pub store: [Option<Left>; 2],
    /// By instance, and by issuer. Where fetches end at once, those who share what they know share one.
    pub ledgers: Vec<[Ledger; 2]>,
    /// What each instance has let pass: issuer and key.
    pub passed: BTreeSet<(usize, usize, u8)>,
    /// All answers, in order.
    pub answers: Vec<(usize, Outcome)>,
    /// States in which an answer was given, and its kind.
    pub seen: BTreeSet<String>,
}

impl<'s> World<'s> {
    pub fn new(setting: &'s Setting) -> Self {
        Self {
            setting,
            now: 0,
            clock_is_true: true,
            issuers: [0, 1].map(Issuer::new),
            instances: (0..setting.instances)
                .map(|_| Instance::new(setting))
                .collect(),
            store: [None, None],
            ledgers: vec![Default::default(); setting.instances],
            passed: BTreeSet::new(),
            answers: Vec::new(),
            seen: BTreeSet::new(),
        }
    }

    /// Goes through a history; a broken promise tells which it was.
    pub fn run(&mut self, history: &[Step]) {
        let told = Told(history);
        for step in told.0 {
            self.go(*step);
        }
    }

    /// Lets that happen, and compares everything.
    pub fn go(&mut self, step: Step) {
        match step {
            Step::Approach => self.now = self.next(|_| true).map_or(self.now, |edge| edge - 1),
            Step::Before(edge) => self.now = self.next(is(edge)).map_or(self.now, |edge| edge - 1),
            Step::Past(edge) => self.now = self.next(is(edge)).unwrap_or(self.now),
            Step::Millisecond => self.now += 1,
            Step::Wait(millis) => self.now += millis,
            Step::SetBack(millis) => {
                self.now = self.now.saturating_sub(millis);
                self.clock_is_true = false;
                // Keys of the future are asked for at once.
                self.ledgers
                    .iter_mut()
                    .flatten()
                    .for_each(|ledger| ledger.last = None);
            }
            Step::Ask { at, issuer, who } => {
                let token = self.token(issuer, who);
                self.request(at, token);
            }
            Step::Tick(at) => self.tick(at),
            Step::Arrive(at) => self.arrive(at),
            Step::Restart(at) => self.restart(at),
            Step::Issuer(issuer, event) => self.issuers[issuer].undergo(event, self.now),
        }
        for instance in &self.instances {
            instance.check(self.now);
        }
    }

    /// Compares what every instance would leave with what it knows.
    pub fn check_records(&self) {
        for instance in &self.instances {
            instance.check_record(0, self.now);
            instance.check_record(1, self.now);
        }
    }

    /// The next moment at which one of those things is otherwise.
    fn next(&self, counts: impl Fn(Edge) -> bool) -> Option<u64> {
        let known = self.instances.iter().flat_map(|instance| &instance.known);
        let edges = known.flat_map(|known| known.edges(&self.setting.rules));
        let later = edges.filter(|(edge, at)| counts(*edge) && *at > self.now);
        later.map(|(_, at)| at).min()
    }

    fn token(&self, issuer: usize, who: Who) -> Token {
        let its = &self.issuers[issuer];
        let second = |millis: u64| START + millis / 1000;
        let kid = match who {
            Who::Old => 1,
            Who::Early | Who::New | Who::Ahead | Who::Forger => its.signs_with,
            Who::Stranger => STRANGE,
        };
        let issued = match who {
            Who::Old | Who::Forger => None,
            Who::Early => its.since.get(&kid).map(|since| second(*since)),
            Who::New => Some(second(self.now)),
            Who::Ahead => Some(second(self.now) + SKEW + 1),
            Who::Stranger => Some(START - 100),
        };
        Token {
            issuer,
            kid,
            is_forged: matches!(who, Who::Stranger | Who::Forger),
            issued,
        }
    }

    /// A request comes: the host asks, fetches, asks again.
    fn request(&mut self, at: usize, token: Token) {
        let issuer = token.issuer;
        let must_pass = self.must_be_served(at, &token);
        let mut has_fetched = false;
        loop {
            let (outcome, wanted) = self.ask(at, &token);
            match (&outcome, wanted) {
                (Outcome::Waits(_), Some(_)) if self.restore(at, issuer) => continue,
                (Outcome::Waits(_), Some(request)) if self.setting.is_instant => {
                    assert!(!has_fetched, "a second fetch for one request");
                    has_fetched = true;
                    self.fetch(at, issuer, request);
                    continue;
                }
                (Outcome::Waits(_), Some(request)) => {
                    self.instances[at].waiting.push(token);
                    self.send(at, issuer, request);
                    return;
                }
                // The first host fetches behind the request, the second on its ticks alone.
                (_, Some(request)) if at == 0 && !self.restore(at, issuer) => {
                    self.fetch(at, issuer, request);
                }
                _ => {}
            }
            assert!(
                !must_pass || matches!(outcome, Outcome::Allowed(_)),
                "{outcome:?} for {token:?}"
            );
            self.answers.push((issuer, outcome));
            return;
        }
    }

    /// Asks once, and holds the answer to what is promised.
    fn ask(&mut self, at: usize, token: &Token) -> (Outcome, Option<KeyRequest>) {
        let asked = self.instances[at].ask(token, self.now);
        let issuer = &self.issuers[token.issuer];
        let given = self.instances[at].given[token.issuer].as_ref();
        let rules = &self.setting.rules;
        match self.clock_is_true {
            true => check_answer(rules, issuer, given, token, &asked.0, self.now),
            false => check_passing(rules, given, token, &asked.0, self.now),
        }
        let state = self.instances[at].known[token.issuer].state(rules, self.now);
        let kind = match &asked.0 {
            Outcome::Allowed(None) => "allowed",
            Outcome::Allowed(Some(_)) => "allowed, and asked for behind it",
            Outcome::Refused(reason) => reason,
            Outcome::Unavailable(reason, _) => reason,
            Outcome::Waits(_) => "waits",
        };
        self.seen.insert(format!("{}: {kind}", state.code()));
        if let Outcome::Allowed(_) = asked.0 {
            self.passed.insert((at, token.issuer, token.kid));
        }
        asked
    }

    fn must_be_served(&self, at: usize, token: &Token) -> bool {
        let ledger = &self.ledgers[self.ledger(at)][token.issuer];
        let issuer = &self.issuers[token.issuer];
        self.clock_is_true && must_be_served(self.setting, issuer, ledger, token, self.now)
    }

    /// Goes through a whole round, or sends for its next step.
    fn fetch(&mut self, at: usize, issuer: usize, request: KeyRequest) {
        if !self.setting.is_instant {
            self.send(at, issuer, request);
            return;
        }
        let mut next = Some(request);
        while let Some(request) = next {
            let flight = self.depart(at, issuer, request);
            next = self.take(at, issuer, &flight);
        }
    }

    /// Sends for it, unless that has been done: then there is nothing to do but wait.
    fn send(&mut self, at: usize, issuer: usize, request: KeyRequest) {
        if self.instances[at].flying[issuer].is_none() {
            let flight = self.depart(at, issuer, request);
            self.instances[at].flying[issuer] = Some(flight);
        }
    }

    fn depart(&mut self, at: usize, issuer: usize, request: KeyRequest) -> Flight {
        let known = &self.instances[at].known[issuer];
        let url = known.url(&self.setting.rules, NAMES[issuer], self.now);
        assert_eq!(request.location.to_string(), url);
        let ask = known.ask(&self.setting.rules, self.now);
        let (ledger, begins) = (self.ledger(at), known.next.is_none());
        self.ledgers[ledger][issuer].asks(&self.setting.rules, &url, begins, self.now);
        Flight {
            request,
            ask,
            began: self.now,
        }
    }

    /// What was asked for comes. Gives the next step of the round.
    fn take(&mut self, at: usize, issuer: usize, flight: &Flight) -> Option<KeyRequest> {
        let said = self.issuers[issuer].say(&flight.request.location.to_string());
        let given = Given::by(
            &self.issuers[issuer],
            &said.0,
            &self.setting.rules,
            self.now,
        );
        let instance = &mut self.instances[at];
        instance.given[issuer] = given.or(instance.given[issuer].take());
        instance.install(issuer, flight, said, self.now);
        let next = instance.under_way(issuer, self.now);
        if next.is_none() {
            let ledger = self.ledger(at);
            self.ledgers[ledger][issuer].ends(self.now);
            self.leave(at, issuer);
        }
        next
    }

    fn tick(&mut self, at: usize) {
        for (issuer, request) in self.instances[at].due(self.now) {
            if !self.restore(at, issuer) {
                self.fetch(at, issuer, request);
            }
        }
    }

    /// All that the instance has asked for comes, or its next step is sent for. Who waited is answered then, all together.
    fn arrive(&mut self, at: usize) {
        for issuer in [0, 1] {
            let Some(flight) = self.instances[at].flying[issuer].take() else {
                continue;
            };
            if let Some(next) = self.take(at, issuer, &flight) {
                self.send(at, issuer, next);
                continue;
            }
            let waiting = std::mem::take(&mut self.instances[at].waiting);
            let (answered, others) = waiting
                .into_iter()
                .partition(|token| token.issuer == issuer);
            self.instances[at].waiting = others;
            let answered: Vec<Token> = answered;
            for token in answered {
                let (outcome, _) = self.ask(at, &token);
                assert!(
                    !matches!(outcome, Outcome::Waits(_)),
                    "{token:?} waits again"
                );
                self.answers.push((issuer, outcome));
            }
        }
    }

    fn restart(&mut self, at: usize) {
        self.instances[at] = Instance::new(self.setting);
        self.passed.retain(|(instance, ..)| *instance != at);
        let ledger = self.ledger(at);
        for issuer in [0, 1] {
            if !(self.setting.shares && self.setting.is_instant) {
                self.ledgers[ledger][issuer] = Ledger::default();
            }
            self.restore(at, issuer);
        }
    }

    /// Takes in what others have left, as one does before a fetch. Says whether that was news.
    fn restore(&mut self, at: usize, issuer: usize) -> bool {
        match &self.store[issuer] {
            Some(left) => self.instances[at].restore(issuer, left, self.now),
            None => false,
        }
    }

    fn leave(&mut self, at: usize, issuer: usize) {
        if self.setting.shares {
            self.restore(at, issuer);
            self.store[issuer] = self.instances[at].leave(issuer);
        }
    }

    /// The ledger of an instance.
    fn ledger(&self, at: usize) -> usize {
        match self.setting.shares && self.setting.is_instant {
            true => 0,
            false => at,
        }
    }
}

fn is(wanted: Edge) -> impl Fn(Edge) -> bool {
    move |edge| edge == wanted
}

/// A history that is told when it ends in a panic.
struct Told<'h>(&'h [Step]);

impl Drop for Told<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("the history: {:?}", self.0);
        }
    }
}
