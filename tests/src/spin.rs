//! A running Spin application: started from its manifest, ready when `start` returns, gone when dropped.
//!
//! ```no_run
//! # fn main() -> anyhow::Result<()> {
//! use e2e::spin::{Launch, Program};
//! let program = Program::find()?;
//! let mut launch = Launch::new(&program, std::path::Path::new("spin-app/spin.toml"));
//! launch.variables.push(("upstream".to_owned(), "http://127.0.0.1:9102".to_owned()));
//! let spin = launch.start()?;
//! println!("{program} serves http://{}/, and says {}", spin.address(), spin.log());
//! # Ok(())
//! # }
//! ```
//!
//! - What runs it is [`Program`]: the real `spin`, or the project's own test host, which takes the same command line.
//! - Real Spin starts a second process. Both end with this one, even when this one is killed by SIGKILL (see the module `keeper`).
//! - Logs, state and temporary files lie in a folder of the run's own, which is removed on drop, except when the thread is
//!   panicking: then it is kept, and its place is printed.

use std::ffi::OsString;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::folder::Folder;
use crate::keeper::{Kept, Reach};

pub mod application;
pub mod control;
pub mod decision;
pub mod exceptions;
pub mod gate;
mod program;

pub use program::Program;

/// How to start an application, where the defaults do not fit.
#[derive(Clone, Debug)]
pub struct Launch {
    /// What runs it.
    pub program: Program,
    /// The application's `spin.toml`.
    pub manifest: PathBuf,
    /// Where it is to listen; port 0 lets the system choose.
    pub listen: SocketAddr,
    /// The application's variables, by the names in the manifest.
    pub variables: Vec<(String, String)>,
    /// The labels of its key-value stores beside `default`: Spin has to be told where those are kept, which is the folder of
    /// the run.
    pub stores: Vec<String>,
    /// Where the components' logs go; `None` for the folder of the run.
    pub logs: Option<PathBuf>,
    /// More of the command line, for example the test host's `--control 127.0.0.1:0`.
    pub arguments: Vec<OsString>,
    /// How long it may take until it serves. The components are compiled in this time.
    pub ready_within: Duration,
}

impl Launch {
    /// The defaults: any port of loopback, no variables, no further stores.
    pub fn new(program: &Program, manifest: &Path) -> Self {
        Self {
            program: program.clone(),
            manifest: manifest.to_owned(),
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            variables: Vec::new(),
            stores: Vec::new(),
            logs: None,
            arguments: Vec::new(),
            ready_within: Duration::from_secs(120),
        }
    }

    /// Starts it and waits until it serves.
    ///
    /// # Errors
    /// A sentence that names the cause (the manifest is missing, the program ended), with the last lines of what it said.
    pub fn start(&self) -> Result<Spin> {
        if !self.manifest.is_file() {
            bail!("there is no manifest at {}", self.manifest.display());
        }
        let folder = Folder::of("Spin", "scopegate-spin-")?;
        if !self.stores.is_empty() {
            let file = stores(folder.path());
            std::fs::write(&file, self.stores_file())
                .with_context(|| format!("writing {}", file.display()))?;
        }
        let logs = match &self.logs {
            Some(logs) => logs.clone(),
            None => folder.path().join("logs"),
        };
        let arguments = self.arguments_in(folder.path(), &logs);

        // In the environment, so that a secret among them is in no list of processes.
        let variables: Vec<(String, PathBuf)> = self
            .variables
            .iter()
            .map(|(name, value)| {
                let name = format!("SPIN_VARIABLE_{}", name.to_uppercase());
                (name, PathBuf::from(value))
            })
            .collect();
        let mut environment: Vec<(&str, &Path)> = variables
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_path()))
            .collect();
        environment.push(("TMPDIR", folder.path()));

        let child = Kept::spawn(
            self.program.path(),
            &arguments,
            &environment,
            output(folder.path()).as_path(),
            Reach::Group,
        )?;
        let mut spin = Spin {
            child,
            program: self.program.clone(),
            address: self.listen,
            logs,
            folder,
        };
        spin.wait_until_ready(self.ready_within)?;
        Ok(spin)
    }

    fn arguments_in(&self, folder: &Path, logs: &Path) -> Vec<OsString> {
        let mut arguments: Vec<OsString> = vec![
            "up".into(),
            "--from".into(),
            self.manifest.clone().into_os_string(),
            "--listen".into(),
            self.listen.to_string().into(),
            "--log-dir".into(),
            logs.as_os_str().to_owned(),
            "--state-dir".into(),
            folder.join("state").into_os_string(),
            // What components print goes to the files of the log folder alone.
            "--quiet".into(),
        ];
        if !self.stores.is_empty() {
            arguments.push("--runtime-config-file".into());
            arguments.push(stores(folder).into_os_string());
        }
        arguments.extend(self.arguments.iter().cloned());
        arguments
    }

    /// Spin's runtime configuration: each store a file beside this one.
    fn stores_file(&self) -> String {
        let sections = self.stores.iter().map(|label| {
            format!("[key_value_store.{label}]\ntype = \"spin\"\npath = \"store-{label}.db\"\n")
        });
        sections.collect()
    }
}

/// A running application. Dropping it ends its processes.
#[derive(Debug)]
pub struct Spin {
    // Dropped in this order: the processes end before their folder goes.
    child: Kept,
    program: Program,
    address: SocketAddr,
    logs: PathBuf,
    folder: Folder,
}

impl Spin {
    /// What runs it.
    pub fn program(&self) -> &Program {
        &self.program
    }

    /// Where it serves.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The address behind the first line of the program's output that starts with `word`, as in `Control http://ADDR`.
    pub fn told(&self, word: &str) -> Option<SocketAddr> {
        told(&read(&output(self.folder.path())), word)
    }

    /// The same, of a line that follows within a moment.
    ///
    /// # Errors
    /// It does not.
    pub fn wait_until_told(&self, word: &str) -> Result<SocketAddr> {
        let deadline = Instant::now() + Duration::from_secs(5);
        loop {
            if let Some(address) = self.told(word) {
                return Ok(address);
            }
            if Instant::now() > deadline || !self.is_running() {
                bail!("{}", self.explain(&format!("there is no line {word:?}")));
            }
            std::thread::sleep(Duration::from_millis(2));
        }
    }

    /// The folder that holds state, and what the program itself said. Callers may put files there.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Where the components' logs are: `COMPONENT_stdout.txt` and `COMPONENT_stderr.txt`.
    pub fn logs(&self) -> &Path {
        &self.logs
    }

    /// The log so far: what the program itself said, and what the components wrote to both their streams.
    pub fn log(&self) -> String {
        let mut files: Vec<PathBuf> = std::fs::read_dir(&self.logs)
            .map(|files| files.flatten().map(|file| file.path()).collect())
            .unwrap_or_default();
        files.sort();
        let mut log = read(&output(self.folder.path()));
        for file in files {
            log.push_str(&read(&file));
        }
        log
    }

    /// What one component wrote to its standard error so far.
    pub fn errors_of(&self, component: &str) -> String {
        read(&self.logs.join(format!("{component}_stderr.txt")))
    }

    /// What one component wrote to its standard output so far.
    pub fn output_of(&self, component: &str) -> String {
        read(&self.logs.join(format!("{component}_stdout.txt")))
    }

    /// Ends its processes before it is dropped. Its logs stay as long as it does.
    pub fn stop(&mut self) {
        self.child.stop();
    }

    /// The process id, for messages and for tests that look whether it is gone.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Whether the process still runs.
    pub fn is_running(&self) -> bool {
        !self.child.has_ended()
    }

    fn wait_until_ready(&mut self, within: Duration) -> Result<()> {
        let deadline = Instant::now() + within;
        loop {
            if let Some(address) = self.told("Serving") {
                self.address = address;
                return Ok(());
            }
            if self.child.has_ended() {
                bail!(
                    "{}",
                    self.explain(&format!("Spin ended while starting ({})", self.child.end()))
                );
            }
            if Instant::now() > deadline {
                let what = format!("Spin did not serve within {} s", within.as_secs());
                bail!("{}", self.explain(&what));
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// What happened, and the end of the log after it.
    pub fn explain(&self, what: &str) -> String {
        const LAST_LINES: usize = 12;
        let log = self.log();
        let lines: Vec<&str> = log.lines().collect();
        let end = lines[lines.len().saturating_sub(LAST_LINES)..].join("\n  ");
        format!("{what}. The end of its log:\n  {end}")
    }
}

/// The address in the first whole line `WORD http://ADDRESS`: what a program prints may be read half written.
fn told(output: &str, word: &str) -> Option<SocketAddr> {
    output
        .split_inclusive('\n')
        .filter_map(|line| line.strip_suffix('\n'))
        .find_map(|line| {
            let url = line.strip_prefix(word)?.strip_prefix(" http://")?;
            url.trim_end().trim_end_matches('/').parse().ok()
        })
}

fn output(folder: &Path) -> PathBuf {
    folder.join("spin.out")
}

fn stores(folder: &Path) -> PathBuf {
    folder.join("stores.toml")
}

fn read(path: &Path) -> String {
    String::from_utf8_lossy(&std::fs::read(path).unwrap_or_default()).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_stands_in_a_whole_line_of_its_own() {
        let address = SocketAddr::from(([127, 0, 0, 1], 3000));
        for (output, found) in [
            ("Serving http://127.0.0.1:3000\n", Some(address)),
            (
                "Loading..\n\nServing http://127.0.0.1:3000/\nAvailable Routes:\n",
                Some(address),
            ),
            ("Serving http://127.0.0.1:30", None),
            ("Not serving http://127.0.0.1:3000\n", None),
            ("", None),
        ] {
            assert_eq!(told(output, "Serving"), found, "{output:?}");
        }
    }

    #[test]
    fn every_further_store_is_a_file_of_the_run() {
        let program = Program::TestHost("spin-host".into());
        let mut launch = Launch::new(&program, Path::new("spin.toml"));
        assert_eq!(launch.stores_file(), "");
        launch.stores = vec!["entries".to_owned()];
        assert_eq!(
            launch.stores_file(),
            "[key_value_store.entries]\ntype = \"spin\"\npath = \"store-entries.db\"\n"
        );
    }
}
