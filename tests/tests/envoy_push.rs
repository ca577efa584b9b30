//! `scopegate push` to a real Envoy: what is shipped serves, what opens more than is meant is not shipped, and what the filter refuses is taken back.

#![expect(
    clippy::unwrap_used,
    reason = "a test stops where its ground is missing"
)]

use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use e2e::corpus::Runner;
use e2e::corpus::policy::complete;
use e2e::gate::{Gate, Plan};
use e2e::judge::Prepared;
use e2e::{config, sample, test_key, tools, wait};
use scopegate::streams::Streams;
use scopegate::{Outcome, ecds};

const RUNNER: Runner = Runner::EnvoyHttp1;
const TEMPLATE: &str = include_str!("../../envoy/ecds.yaml");

#[test]
fn a_policy_goes_live_if_it_opens_nothing_that_is_not_meant() {
    let Some(tools) = tools::find().unwrap() else {
        return;
    };
    let keys = test_key::load().unwrap();
    let mut plan = Plan::new(&tools, &keys).unwrap();
    let places = sample::places(&plan, "one", sample::GOOD_KEYS, Duration::ZERO).unwrap();
    let first = complete(sample::POLICY, &places).unwrap();
    let folder = plan.folder().to_owned();
    let file = folder.join("ecds.yaml");
    let live = ecds::render(TEMPLATE, &first, &tools.filter).unwrap();
    std::fs::write(&file, &live).unwrap();
    plan.filtered_listener("one", &config::discovered_gate(&file));
    let gate = plan.start().unwrap();
    let health = Prepared::get("/healthz");
    wait::until("the policy serves", || status(&gate, &health) == Some(200));
    let admin = Prepared::get("/admin").bearer(&sample::token(&keys, "alice").unwrap());
    assert_eq!(status(&gate, &admin), Some(403));
    let push = |policy: &str, more: &[&str]| -> (Outcome, String) {
        let path = folder.join("policy.yaml");
        std::fs::write(&path, policy).unwrap();
        let admin = format!("http://{}", gate.envoy.admin());
        pushed(&path, &file, &admin, more)
    };

    // What is live already.
    let (outcome, said) = push(&first, &[]);
    assert_eq!(outcome, Outcome::Well, "{said}");
    assert!(said.contains("holds this policy already"), "{said}");

    // It opens /admin: not without being told to.
    let open = first.replace("scopes: [admin]", "authenticated: true");
    let (outcome, said) = push(&open, &[]);
    assert_eq!(outcome, Outcome::Wrong, "{said}");
    assert!(
        said.contains("is not shipped: it is more permissive"),
        "{said}"
    );
    assert_eq!(std::fs::read_to_string(&file).unwrap(), live);
    assert_eq!(status(&gate, &admin), Some(403));
    let (outcome, said) = push(&open, &["--allow", "* /admin"]);
    assert_eq!(outcome, Outcome::Well, "{said}");
    assert!(said.contains("Envoy has taken it"), "{said}");
    wait::until("/admin is open", || status(&gate, &admin) == Some(200));

    // One that is none.
    let (outcome, said) = push(&open.replace("public:", "pubic:"), &[]);
    assert_eq!(outcome, Outcome::Wrong, "{said}");
    assert!(said.contains("there is no field `pubic` here"), "{said}");

    // One that is, and that Envoy's filter refuses: it has no files. What served before goes on, and stands in the file.
    let shipped = std::fs::read_to_string(&file).unwrap();
    let (outcome, said) = push(&with_key_file(&open), &["--allow", "issuer auth0 keys"]);
    assert_eq!(outcome, Outcome::Wrong, "{said}");
    assert!(said.contains("Envoy has refused it"), "{said}");
    assert_eq!(std::fs::read_to_string(&file).unwrap(), shipped);
    assert_eq!(status(&gate, &admin), Some(200));

    // And a stricter one needs no word.
    let (outcome, said) = push(&first, &[]);
    assert_eq!(outcome, Outcome::Well, "{said}");
    wait::until("/admin is closed", || status(&gate, &admin) == Some(403));
}

/// The same policy with the keys of its first issuer in a file.
fn with_key_file(policy: &str) -> String {
    let mut lines: Vec<String> = policy.lines().map(str::to_owned).collect();
    let line = lines
        .iter_mut()
        .find(|line| line.trim_start().starts_with("jwks_uri:"))
        .unwrap();
    let depth = line.len() - line.trim_start().len();
    *line = format!("{:depth$}jwks_file: keys.json", "");
    lines.join("\n") + "\n"
}

fn pushed(policy: &Path, file: &Path, admin: &str, more: &[&str]) -> (Outcome, String) {
    let mut words = vec![
        "scopegate".into(),
        "push".into(),
        policy.into(),
        "--to".into(),
        file.into(),
    ];
    words.extend(["--admin".into(), admin.into()]);
    words.extend(more.iter().map(Into::into));
    let said = Said::default();
    let mut streams = Streams::new(std::io::empty(), said.clone(), said.clone());
    let outcome = scopegate::command(words, &mut streams).unwrap();
    (outcome, said.text())
}

/// What a command says, wherever it says it.
#[derive(Clone, Default)]
struct Said(Arc<Mutex<Vec<u8>>>);

impl Said {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl std::io::Write for Said {
    fn write(&mut self, octets: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(octets);
        Ok(octets.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

fn status(gate: &Gate, request: &Prepared) -> Option<u16> {
    let answer = gate.send("one", RUNNER, request, &gate.fresh_id()).unwrap();
    Some(answer.status)
}
