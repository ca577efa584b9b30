//! The launcher of Spin applications: it is ready when the program says where it serves, explains why it is not, and leaves no
//! process behind, neither the program nor the second one that `spin up` starts.
//!
//! What is launched here is a shell script that behaves as `spin up` does in these respects, so that it needs no Spin.

#![expect(
    clippy::unwrap_used,
    reason = "a test stops where its ground is missing"
)]

use std::fs;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use e2e::spin::{Launch, Program};
use e2e::{processes, wait};

/// The folder in which this test program, started a second time, works.
const CHILD: &str = "SCOPEGATE_TEST_CHILD";

/// Starts a second process, as Spin starts its trigger, says where it serves, and waits.
const SERVES: &str = r#"
sleep 60 &
echo "trigger $!"
echo "upstream is $SPIN_VARIABLE_UPSTREAM"
echo "arguments: $*"
echo "Serving http://127.0.0.1:4321"
echo "Control http://127.0.0.1:4322"
wait
"#;

/// A folder with a script and an empty manifest in it.
fn launch(folder: &Path, script: &str) -> Launch {
    let path = folder.join("program");
    fs::write(&path, format!("#!/bin/sh\n{script}")).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    let manifest = folder.join("spin.toml");
    fs::write(&manifest, "").unwrap();
    Launch::new(&Program::Spin(path, "4.1.0".to_owned()), &manifest)
}

/// The number of the second process, which the script prints.
fn trigger(log: &str) -> u32 {
    let line = log.lines().find_map(|line| line.strip_prefix("trigger "));
    line.unwrap().parse().unwrap()
}

#[test]
fn both_processes_are_gone_when_it_is_dropped() {
    let folder = tempfile::tempdir().unwrap();
    let mut launch = launch(folder.path(), SERVES);
    launch.variables = vec![("upstream".to_owned(), "http://a.example".to_owned())];
    launch.stores = vec!["entries".to_owned()];
    let spin = launch.start().unwrap();
    assert_eq!(spin.address(), SocketAddr::from(([127, 0, 0, 1], 4321)));
    wait::until("it tells where it is controlled", || {
        spin.told("Control").is_some()
    });
    let log = spin.log();
    assert!(log.contains("upstream is http://a.example\n"), "{log}");
    let stores = spin.folder().join("stores.toml");
    assert!(
        log.contains(&format!(
            " --quiet --runtime-config-file {}\n",
            stores.display()
        )),
        "{log}"
    );
    let manifest = launch.manifest.display();
    assert!(
        log.contains(&format!(
            "arguments: up --from {manifest} --listen 127.0.0.1:0 --log-dir "
        )),
        "{log}"
    );
    let processes: [u32; 2] = [spin.id(), trigger(&log)];
    for id in processes {
        assert!(processes::runs(id).unwrap());
    }
    let place = spin.folder().to_owned();
    drop(spin);
    for id in processes {
        wait::until("it is gone", || !processes::runs(id).unwrap());
    }
    assert!(!place.exists());
}

#[test]
fn both_processes_die_with_a_parent_that_is_killed() {
    if let Some(folder) = std::env::var_os(CHILD).map(PathBuf::from) {
        let spin = launch(&folder, SERVES).start().unwrap();
        let ids = format!("{} {}", spin.id(), trigger(&spin.log()));
        fs::write(folder.join("partial"), ids).unwrap();
        fs::rename(folder.join("partial"), folder.join("ids")).unwrap();
        std::thread::sleep(Duration::from_secs(60));
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let mut parent = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "both_processes_die_with_a_parent_that_is_killed"])
        .envs([(CHILD, folder.path()), ("TMPDIR", folder.path())])
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let ids = wait::until_some("the child has both", || {
        fs::read_to_string(folder.path().join("ids")).ok()
    });
    parent.kill().unwrap();
    parent.wait().unwrap();
    for id in ids.split(' ').map(|id| id.parse().unwrap()) {
        wait::until("it is gone", || !processes::runs(id).unwrap());
    }
}

#[test]
fn one_that_ends_or_never_serves_is_told_in_its_own_words() {
    let folder = tempfile::tempdir().unwrap();
    let says = |launch: &Launch| format!("{:#}", launch.start().unwrap_err());

    let broken = launch(folder.path(), "echo 'Error: no such variable' >&2; exit 3");
    let error = says(&broken);
    assert!(error.contains("exit status: 3"), "{error}");
    assert!(error.ends_with("Error: no such variable"), "{error}");

    let mut silent = launch(folder.path(), "echo Loading; sleep 60");
    silent.ready_within = Duration::from_millis(300);
    let error = says(&silent);
    assert!(error.starts_with("Spin did not serve within"), "{error}");
    assert!(error.ends_with("Loading"), "{error}");

    fs::remove_file(&silent.manifest).unwrap();
    assert!(says(&silent).starts_with("there is no manifest at "));
}
