//! The corpus: what `tests/cases/*.yaml` says, read and completed. `tests/README.md` documents the format.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use anyhow::{Context, Result, bail};

pub mod file;
pub mod key_set;
pub mod mint;
pub mod policy;
pub mod site;
mod tamper;
pub mod template;
pub mod token;

pub use file::{Expect, Request, Upstream};
pub use key_set::{Fail, KeyAnswer, KeySet};
pub use token::TokenSpec;

use site::Document;

/// Who can run a case.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Runner {
    /// The core alone, time being a number.
    Core,
    /// Real Envoy, asked over HTTP/1.1.
    EnvoyHttp1,
    /// Real Envoy, asked over HTTP/2.
    EnvoyHttp2,
}

impl Runner {
    /// Every runner.
    pub const ALL: [Self; 3] = [Self::Core, Self::EnvoyHttp1, Self::EnvoyHttp2];

    /// The name in `skip:` and in reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Core => "core",
            Self::EnvoyHttp1 => "envoy-http1",
            Self::EnvoyHttp2 => "envoy-http2",
        }
    }
}

/// One case, complete: nothing of it is elsewhere in its file any more.
#[derive(Clone, Debug)]
pub struct Case {
    /// The file's name less `.yaml`.
    pub file: String,
    /// What the case shows, or the attack it is.
    pub name: String,
    /// The documented faults of others of which it shows that they are not here, as in `CVE-2015-9235`.
    pub cve: Vec<String>,
    /// The policy text, its placeholders still in it.
    pub policy: String,
    /// The key sets by name.
    pub keys: BTreeMap<String, KeySet>,
    /// What is asked, in this order.
    pub steps: Vec<Step>,
    /// How often each key set is fetched in the whole case, where the case says.
    pub fetches: BTreeMap<String, usize>,
    /// Why a runner cannot run it.
    pub skip: BTreeMap<Runner, Skip>,
}

/// Why a runner cannot run a case.
#[derive(Clone, Debug)]
pub struct Skip {
    /// The reason.
    pub reason: String,
    /// Whether the case is run all the same, and must fail: the reason names a protocol, so it is about what the codec of
    /// that protocol refuses. A reason for a whole host is about time, and trying it would prove nothing.
    pub is_tried: bool,
}

/// One request and what it must get.
#[derive(Clone, Debug)]
pub struct Step {
    /// What is published from then on.
    pub keys: BTreeMap<String, KeySet>,
    /// Milliseconds that pass after that, before the request.
    pub wait_ms: u64,
    /// The request.
    pub request: Request,
    /// What it must get.
    pub expect: Expect,
}

impl Case {
    /// The name in reports: unique in the whole corpus.
    pub fn full_name(&self) -> String {
        format!("{}: {}", self.file, self.name)
    }

    /// How long its waits take together, in milliseconds.
    pub fn waits_ms(&self) -> u64 {
        self.steps.iter().map(|step| step.wait_ms).sum()
    }

    /// The key sets that a runner needs for it, by name.
    ///
    /// # Errors
    /// One that is not there.
    pub fn published(&self) -> Result<BTreeMap<String, KeySet>> {
        let later = self.steps.iter().flat_map(|step| step.keys.values());
        policy::named(&self.policy, &self.keys, later)
    }

    /// Whether it leaves a gate as it found it, but for keys that any other case of this policy finds there, too.
    ///
    /// # Errors
    /// A key set that is not there.
    pub fn only_asks(&self) -> Result<bool> {
        let is_steady = self.published()?.values().all(KeySet::is_steady);
        let changes_keys = self.steps.iter().any(|step| !step.keys.is_empty());
        Ok(is_steady && !changes_keys && self.fetches.is_empty())
    }

    /// Whether what is published changes in its course.
    pub fn changes_keys(&self) -> bool {
        let changes = |set: &KeySet| {
            let lists = [&set.answers, &set.metadata, &set.oauth_metadata];
            lists.into_iter().any(|answers| answers.len() > 1)
        };
        self.keys.values().any(changes) || self.steps.iter().any(|step| !step.keys.is_empty())
    }
}

/// Reads the whole corpus, in the order of the file names.
///
/// # Errors
/// A file that is not as `tests/README.md` says, or two cases of one name.
pub fn load() -> Result<Vec<Case>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("cases");
    let mut paths = Vec::new();
    for entry in
        std::fs::read_dir(&folder).with_context(|| format!("reading {}", folder.display()))?
    {
        let path = entry?.path();
        if path
            .extension()
            .is_some_and(|extension| extension == "yaml")
        {
            paths.push(path);
        }
    }
    paths.sort();
    let mut cases = Vec::new();
    for path in paths {
        let name = path
            .file_stem()
            .and_then(|stem| stem.to_str())
            .context("a file name that is not UTF-8")?
            .to_owned();
        let text = std::fs::read_to_string(&path)
            .with_context(|| format!("reading {}", path.display()))?;
        cases.extend(parse(&name, &text).with_context(|| format!("{name}.yaml"))?);
    }
    Ok(cases)
}

/// The cases of one file.
///
/// # Errors
/// The text is not as `tests/README.md` says.
pub fn parse(name: &str, text: &str) -> Result<Vec<Case>> {
    let file: file::File = serde_saphyr::from_str(text)?;
    let mut names = BTreeSet::new();
    let mut cases = Vec::new();
    for case in &file.cases {
        if !names.insert(case.name.clone()) {
            bail!("two cases are called {:?}", case.name);
        }
        cases.push(
            complete(name, &file, case).with_context(|| format!("the case {:?}", case.name))?,
        );
    }
    Ok(cases)
}

/// Gives a case what its file says for all cases.
fn complete(file_name: &str, file: &file::File, case: &file::Case) -> Result<Case> {
    let file::Case {
        name,
        _shows: _,
        cve,
        policy,
        keys,
        request,
        expect,
        steps,
        fetches,
        skip,
    } = case.clone();
    let policy = match policy {
        None => file.policy.clone(),
        Some(name) => file
            .policies
            .get(&name)
            .with_context(|| format!("there is no policy {name:?} in `policies`"))?
            .clone(),
    };
    let mut all_keys = file.keys.clone();
    all_keys.extend(keys);
    for fetched in fetches.keys() {
        let named = Document::named(fetched);
        if !named.is_some_and(|(set, _)| all_keys.contains_key(set)) {
            bail!("`fetches` names {fetched:?}, which is no document of `keys`");
        }
    }
    let steps = match (request, expect, steps.is_empty()) {
        (Some(request), Some(expect), true) => vec![file::Step {
            wait: None,
            times: None,
            keys: BTreeMap::new(),
            request,
            expect,
        }],
        (None, None, false) => steps,
        _ => bail!("a case has either `request` and `expect`, or `steps`"),
    };
    let mut completed = Vec::new();
    for step in steps {
        if let Some(set) = step.keys.keys().find(|set| !all_keys.contains_key(*set)) {
            bail!("a step replaces the key set {set:?}, which is not in `keys`");
        }
        for repetition in 0..step.times.unwrap_or(1) {
            let mut request = step.request.clone();
            request.token = request.token.map(|token| token.over(&file.token));
            request.check()?;
            // Of a repeated step the first one waits, and finds other keys.
            let (wait_ms, keys) = match repetition {
                0 => (wait_ms(step.wait.as_deref())?, step.keys.clone()),
                _ => (0, BTreeMap::new()),
            };
            completed.push(Step {
                keys,
                wait_ms,
                request,
                expect: step.expect.clone(),
            });
        }
    }
    Ok(Case {
        file: file_name.to_owned(),
        name,
        cve,
        policy,
        keys: all_keys,
        steps: completed,
        fetches,
        skip: skips(&skip)?,
    })
}

fn wait_ms(text: Option<&str>) -> Result<u64> {
    let Some(text) = text else { return Ok(0) };
    let (number, unit) = match (text.strip_suffix("ms"), text.strip_suffix('s')) {
        (Some(number), _) => (number, 1),
        (None, Some(number)) => (number, 1000),
        (None, None) => bail!("a wait is a number of `ms` or `s`, and not {text:?}"),
    };
    Ok(number
        .parse::<u64>()
        .with_context(|| format!("the wait {text:?}"))?
        * unit)
}

/// `envoy` in a `skip` stands for both of its runners.
fn skips(written: &BTreeMap<String, String>) -> Result<BTreeMap<Runner, Skip>> {
    let mut skip = BTreeMap::new();
    for (name, reason) in written {
        let mut is_known = false;
        for runner in Runner::ALL {
            let is_named = runner.name() == name;
            if is_named || runner.name().starts_with(&format!("{name}-")) {
                is_known = true;
                let reason = reason.clone();
                let is_tried = is_named && runner != Runner::Core;
                skip.insert(runner, Skip { reason, is_tried });
            }
        }
        if !is_known {
            bail!("`skip` names the runner {name:?}, which is none");
        }
    }
    Ok(skip)
}
