//! The launcher itself: an Envoy is ready when started, explains why it is not, and never outlives its parent.

#![expect(
    clippy::unwrap_used,
    reason = "a test stops where its ground is missing"
)]

use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use e2e::envoy::Envoy;
use e2e::{http1, processes, tools, wait};

/// The folder in which this test program, started a second time, leaves the number of its Envoy.
const CHILD: &str = "SCOPEGATE_TEST_CHILD";

fn listener(port: u16) -> String {
    format!(
        "static_resources: {{ listeners: [ {{ name: one, address: {{ socket_address: {{ address: 127.0.0.1, port_value: {port} }} }}, \
         filter_chains: [ {{ filters: [ {{ name: hcm, typed_config: {{ \
         '@type': type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager, \
         stat_prefix: one, http_filters: [ {{ name: router, typed_config: {{ \
         '@type': type.googleapis.com/envoy.extensions.filters.http.router.v3.Router }} }} ], \
         route_config: {{ virtual_hosts: [ {{ name: all, domains: ['*'], routes: [ {{ match: {{ prefix: / }}, \
         direct_response: {{ status: 204 }} }} ] }} ] }} }} }} ] }} ] }} ] }}"
    )
}

/// `None` where there is no Envoy: said loudly by `tools::find`, which also knows when that is a failure.
fn envoy_bin() -> Option<std::path::PathBuf> {
    match tools::envoy().unwrap() {
        Some(bin) => Some(bin),
        None => {
            tools::find().unwrap();
            None
        }
    }
}

#[test]
fn a_started_envoy_serves_tells_its_stats_and_is_gone_when_dropped() {
    let Some(bin) = envoy_bin() else { return };
    let envoy = Envoy::start(&bin, &listener(0)).unwrap();
    let address = envoy.listeners().unwrap()["one"];
    assert_eq!(http1::fetch(address, "/").unwrap().status, 204);
    assert_eq!(envoy.stat("http.one.downstream_rq_2xx").unwrap(), Some(1));
    assert!(envoy.is_running());
    let id = envoy.id();
    drop(envoy);
    assert!(!processes::runs(id).unwrap());
    assert!(http1::fetch(address, "/").is_err());
}

#[test]
fn a_taken_port_is_named_as_the_cause() {
    let Some(bin) = envoy_bin() else { return };
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let error = Envoy::start(&bin, &listener(taken.local_addr().unwrap().port()))
        .unwrap_err()
        .to_string();
    assert!(
        error.starts_with("a port that it should listen on is taken"),
        "{error}"
    );
}

#[test]
fn a_configuration_that_envoy_refuses_is_told_with_its_own_words() {
    let Some(bin) = envoy_bin() else { return };
    let error = Envoy::start(&bin, "static_resources: { listnrs: [] }")
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("Envoy ended while starting") && error.contains("listnrs"),
        "{error}"
    );
}

#[test]
fn a_missing_binary_is_a_sentence() {
    let error = Envoy::start(Path::new("/nonexistent/envoy"), "{}")
        .unwrap_err()
        .to_string();
    assert_eq!(error, "there is no Envoy at /nonexistent/envoy");
}

#[test]
fn an_envoy_dies_with_a_parent_that_is_killed() {
    let Some(bin) = envoy_bin() else { return };
    if let Ok(folder) = std::env::var(CHILD) {
        let envoy = Envoy::start(&bin, "{}").unwrap();
        std::fs::write(Path::new(&folder).join("partial"), envoy.id().to_string()).unwrap();
        std::fs::rename(
            Path::new(&folder).join("partial"),
            Path::new(&folder).join("id"),
        )
        .unwrap();
        std::thread::sleep(Duration::from_secs(60));
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let mut parent = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "an_envoy_dies_with_a_parent_that_is_killed"])
        // Its Envoy's folder stays behind when it is killed: it goes with ours.
        .envs([(CHILD, folder.path()), ("TMPDIR", folder.path())])
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let id = wait::until_some("the child has an Envoy", || {
        std::fs::read_to_string(folder.path().join("id"))
            .ok()?
            .parse()
            .ok()
    });
    assert!(processes::runs(id).unwrap());
    parent.kill().unwrap();
    parent.wait().unwrap();
    wait::until("Envoy is gone", || !processes::runs(id).unwrap());
}
