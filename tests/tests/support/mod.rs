//! What the tests of the demo have in common, whatever the host of the gate.

use std::fs;
use std::io::{BufRead, BufReader};
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use e2e::{http1, processes, wait};

/// The policy of the example.
pub(crate) const POLICY: &str = include_str!("../../../examples/timesheets/policy.yaml");

/// A folder with a space in its name, and a copy of the policy in it, with an issuer on a free port.
pub(crate) struct Place {
    _folder: tempfile::TempDir,
    pub(crate) path: PathBuf,
    pub(crate) policy: PathBuf,
}

impl Place {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a place");
        fs::create_dir(&path).unwrap();
        let policy = path.join("policy.yaml");
        let port = TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap()
            .port();
        fs::write(&policy, POLICY.replace(":9101/", &format!(":{port}/"))).unwrap();
        Self {
            _folder: folder,
            path,
            policy,
        }
    }

    /// The demo with this policy, whose temporary files go here.
    pub(crate) fn demo(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_demo"));
        command
            .args([Path::new("--policy"), &self.policy])
            .args(arguments)
            .env("TMPDIR", &self.path)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    /// How many processes of this place have that argument.
    pub(crate) fn running(&self, argument: &str) -> usize {
        let here = self.path.to_str().unwrap();
        let all = processes::running().unwrap();
        all.iter()
            .filter(|line| line.contains(here) && line.contains(argument))
            .count()
    }

    /// All replacements in one write: the demo may look between two.
    pub(crate) fn edit(&self, replacements: &[(&str, &str)]) {
        let mut text = fs::read_to_string(&self.policy).unwrap();
        for (from, to) in replacements {
            assert!(text.contains(from), "{from} in {text}");
            text = text.replace(from, to);
        }
        fs::write(&self.policy, text).unwrap();
    }
}

/// A demo that stays up.
pub(crate) struct Running {
    pub(crate) child: Child,
    pub(crate) lines: Receiver<String>,
    gate: SocketAddr,
}

impl Running {
    pub(crate) fn start(demo: &mut Command) -> Self {
        let mut child = demo.stderr(Stdio::inherit()).spawn().unwrap();
        let out = BufReader::new(child.stdout.take().unwrap());
        let (sender, lines) = channel();
        std::thread::spawn(move || {
            for line in out.lines() {
                if sender.send(line.unwrap()).is_err() {
                    break;
                }
            }
        });
        let mut running = Self {
            child,
            lines,
            gate: SocketAddr::from(([0, 0, 0, 0], 0)),
        };
        let line = running.wait_for("gate ");
        let (_, address) = line.split_once("http://").unwrap();
        running.gate = address.trim_end_matches('/').parse().unwrap();
        running.wait_for("Ctrl-C ends");
        running
    }

    /// The next line that starts so.
    pub(crate) fn wait_for(&self, start: &str) -> String {
        loop {
            match self.lines.recv_timeout(Duration::from_secs(60)) {
                Ok(line) if line.trim_start().starts_with(start) => return line,
                Ok(_) => {}
                Err(error) => panic!("no line that starts with {start:?}: {error}"),
            }
        }
    }

    pub(crate) fn status_of_healthz(&self) -> u16 {
        http1::fetch(self.gate, "/healthz").unwrap().status
    }

    /// Envoy's workers take a new policy over a moment after its main thread has accepted it.
    pub(crate) fn wait_until_healthz_is(&self, status: u16) {
        wait::until(&format!("/healthz answers {status}"), || {
            self.status_of_healthz() == status
        });
    }

    pub(crate) fn signal(&self, name: &str) {
        let sent = processes::signal(self.child.id(), name).unwrap();
        assert!(sent.success());
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub(crate) fn texts(output: &Output) -> (String, String) {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (text(&output.stdout), text(&output.stderr))
}
