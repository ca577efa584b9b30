//! A drill under way: what runs, what is sent, and the figures of each phase.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Result, bail};
use e2e::stop::Stop;
use e2e::tools::Tools;

use crate::evidence::Evidence;
use crate::fetches;
use crate::house::{Configuration, House};
use crate::issuer::Issuer;
use crate::load::{CONNECTIONS, Load, Wares};
use crate::memory::{self, Sample};
use crate::record::Kid;
use crate::row::{Observed, Row};
use crate::times::{Clock, Moment, TIMES, Times};
use crate::tokens::Mint;
use crate::verdict;

/// How many different tokens there are of one key: enough that most are new to most workers for a while.
const STOCK: usize = 200;
/// Of those that are there to be refused.
const BAD_STOCK: usize = 50;

/// What runs, from Envoy to the clients.
pub(crate) struct Drill {
    pub(crate) clock: Clock,
    pub(crate) times: Times,
    // Dropped in this order: no client outlives the gate, and Envoy goes before its files.
    pub(crate) load: Load,
    pub(crate) house: House,
    pub(crate) tenant: Issuer,
    partner: Issuer,
    _folder: tempfile::TempDir,
    pub(crate) mint: Mint,
    /// The tenant's key that signs now.
    pub(crate) kid: Kid,
    realm: u32,
    vm: u32,
    pub(crate) rows: Vec<Row>,
    /// From 1 on.
    pub(crate) round: usize,
    pub(crate) memory: Vec<Sample>,
    stop: Stop,
}

/// What a phase, when it is over, says of itself.
#[derive(Default)]
pub(crate) struct Outcome {
    pub(crate) evidence: Vec<Evidence>,
    pub(crate) faults: Vec<String>,
}

/// How far apart two fetches of the tenant's keys have to be in a phase.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Pace {
    /// Nothing but age is a reason to fetch.
    Refresh,
    /// Failures and unknown keys are reasons too.
    Cooldown,
}

/// Where a new configuration runs.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Vms {
    /// In the VMs that the old one runs in.
    Same,
    /// In VMs that start for it: all that the old ones held in memory is lost.
    New,
}

impl Drill {
    /// Starts everything but the first phase.
    ///
    /// # Errors
    /// Something does not start.
    pub(crate) fn start(tools: &Tools, stop: Stop) -> Result<Self> {
        say("starting two issuers, Envoy with 4 workers and 16 clients");
        let mint = Mint::open()?;
        let folder = tempfile::Builder::new()
            .prefix("scopegate-drill-")
            .tempdir()?;
        let place = |name: &str| -> PathBuf { folder.path().join(name) };
        let kid = 1;
        let wares = Wares {
            good: mint.sound(verdict::Issuer::Tenant, kid, STOCK)?,
            // The same `kid` as the tenant's first: they must not mix.
            partner: mint.sound(verdict::Issuer::Partner, kid, STOCK)?,
            forged: mint.forged(kid, BAD_STOCK)?,
            retired: None,
            strangers: None,
        };
        let clock = Clock::start();
        let issuer = |whose, name| {
            let keys = [kid].into();
            Issuer::start(clock, &mint, whose, keys, &place(name))
        };
        let tenant = issuer(verdict::Issuer::Tenant, "tenant")?;
        let partner = issuer(verdict::Issuer::Partner, "partner")?;
        let first = Configuration {
            times: &TIMES,
            realm: "drill-0",
            vm: "vm-0",
        };
        let issuers = [("tenant", place("tenant")), ("partner", place("partner"))];
        let house = House::start(tools, folder.path(), issuers, &first)?;
        Ok(Self {
            clock,
            times: TIMES,
            load: Load::start(clock, house.gate(), wares),
            house,
            tenant,
            partner,
            _folder: folder,
            mint,
            kid,
            realm: 0,
            vm: 0,
            rows: Vec::new(),
            round: 0,
            memory: Vec::new(),
            stop,
        })
    }

    /// Runs a phase, and judges what was asked in it.
    ///
    /// # Errors
    /// The drill cannot go on: Envoy has ended, a VM has broken down, or a signal asks for the end.
    pub(crate) fn phase(
        &mut self,
        name: &'static str,
        pace: Pace,
        run: impl FnOnce(&mut Self) -> Result<Outcome>,
    ) -> Result<()> {
        say(name);
        let begun = self.clock.now();
        let before = self.house.stats()?;
        let outcome = run(self)?;
        let after = self.house.stats()?;
        let lasted = self.clock.now() - begun;
        let asked = self.load.take();
        self.house.check_alive()?;
        let fetched = |cluster: &str| -> Result<u64> {
            Ok(fetches::counted(&after, cluster)? - fetches::counted(&before, cluster)?)
        };
        let observed = Observed {
            phase: name,
            lasted,
            asked,
            fetches: fetched("tenant")?,
            pace: match pace {
                Pace::Refresh => self.times.refresh(),
                Pace::Cooldown => self.times.cooldown,
            },
            partner_fetches: fetched("partner")?,
            evidence: outcome.evidence,
            faults: outcome.faults,
        };
        let (tenant, partner) = (self.tenant.record(), self.partner.record());
        let row = Row::of(observed, &tenant, &partner, &self.times, CONNECTIONS);
        for fault in &row.faults {
            say(&format!("  {fault}"));
        }
        match self.rows.iter_mut().find(|known| known.phase == name) {
            Some(sum) => sum.add(row, self.round),
            None => self.rows.push(row),
        }
        Ok(())
    }

    /// Waits, with an eye on Envoy's memory.
    ///
    /// # Errors
    /// A signal asks for the end.
    pub(crate) fn wait(&mut self, time: Duration) -> Result<()> {
        let end = self.clock.now() + time;
        self.wait_until(end)
    }

    /// Waits until that moment.
    ///
    /// # Errors
    /// See [`Drill::wait`].
    pub(crate) fn wait_until(&mut self, end: Moment) -> Result<()> {
        self.wait_for(end, |_| None::<()>).map(drop)
    }

    /// Waits until there is something, at most until that moment.
    ///
    /// # Errors
    /// See [`Drill::wait`].
    pub(crate) fn wait_for<T>(
        &mut self,
        end: Moment,
        look: impl Fn(&Self) -> Option<T>,
    ) -> Result<Option<T>> {
        const STEP: Duration = Duration::from_millis(50);
        const BETWEEN_SAMPLES: Duration = Duration::from_secs(1);
        loop {
            if self.stop.wanted() {
                bail!("stopped by a signal");
            }
            let now = self.clock.now();
            let last = self.memory.last().map_or(Moment::ZERO, |(at, _)| *at);
            if now >= last + BETWEEN_SAMPLES {
                let resident = memory::resident(self.house.process())?;
                self.memory.push((now, resident));
            }
            if let Some(found) = look(self) {
                return Ok(Some(found));
            }
            if now >= end {
                return Ok(None);
            }
            std::thread::sleep(STEP.min(end - now));
        }
    }

    /// Tokens of a new key take the place of the good ones, which from now on are the retired ones.
    ///
    /// # Errors
    /// They cannot be made.
    pub(crate) fn switch(&mut self, kid: Kid) -> Result<()> {
        let good = self.mint.sound(verdict::Issuer::Tenant, kid, STOCK)?;
        let forged = self.mint.forged(kid, BAD_STOCK)?;
        self.kid = kid;
        self.load.change(|wares| {
            wares.retired = Some(std::mem::replace(&mut wares.good, good));
            wares.forged = forged;
        });
        Ok(())
    }

    /// From now on, tokens with a `kid` that nobody knows are sent too.
    ///
    /// # Errors
    /// They cannot be made.
    pub(crate) fn send_strangers(&self) -> Result<()> {
        let strangers = self.mint.strangers(BAD_STOCK)?;
        self.load.change(|wares| wares.strangers = Some(strangers));
        Ok(())
    }

    /// From now on, no token names a key that the tenant does not have.
    pub(crate) fn send_known_keys(&self) {
        self.load.change(|wares| {
            wares.retired = None;
            wares.strangers = None;
        });
    }

    /// Offers Envoy a configuration with another realm, and waits until that answers on every connection. `None`: it did not.
    ///
    /// # Errors
    /// The file cannot be written; or see [`Drill::wait`].
    pub(crate) fn configure_anew(&mut self, vms: Vms) -> Result<Option<()>> {
        const PATIENCE: Duration = Duration::from_secs(30);
        self.realm += 1;
        self.vm += match vms {
            Vms::Same => 0,
            Vms::New => 1,
        };
        let realm = format!("drill-{}", self.realm);
        self.house.offer(&Configuration {
            times: &self.times,
            realm: &realm,
            vm: &format!("vm-{}", self.vm),
        })?;
        let end = self.clock.now() + PATIENCE;
        self.wait_for(end, |drill| drill.load.has_met(&realm).then_some(()))
    }
}

/// A terminal that has gone away takes no words, and that is no reason to panic.
pub(crate) fn say(text: &str) {
    use std::io::Write;
    let _ = writeln!(std::io::stderr(), "drill: {text}");
}
