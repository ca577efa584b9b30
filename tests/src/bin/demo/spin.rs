//! The gate on Spin, as a component of its own or as middleware.
//!
//! Spin copies the policy when it starts, and never looks at it again: another policy is another start. So that a broken one changes
//! nothing here either, it is tried in a second Spin first, and only if the gate takes it over does that take the place of the first.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use e2e::http1;
use e2e::spin::{Launch, Program, Spin};

use crate::gate::{Gate, Verdict};
use crate::policy::Watched;

mod manifest;

/// The component that the API is, in both manifests.
const API: &str = "timesheets";

const WORDS_WITHIN: Duration = Duration::from_secs(2);

/// The two ways to have the gate in a Spin application.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Arrangement {
    /// A component of its own that forwards to the API.
    Gateway,
    /// Composed with the API into one component.
    Middleware,
}

impl Arrangement {
    fn manifest(self) -> &'static str {
        match self {
            Self::Gateway => "spin.toml",
            Self::Middleware => "middleware.toml",
        }
    }

    /// The component under whose name the gate logs.
    fn gate(self) -> &'static str {
        match self {
            Self::Gateway => "gate",
            Self::Middleware => API,
        }
    }
}

/// A running application, and what it takes to start it again.
pub(crate) struct SpinGate {
    spin: Spin,
    application: Application,
    /// Requests that the API saw before the last start.
    served_before: u64,
}

/// The application as the demo starts it.
struct Application {
    program: Program,
    arrangement: Arrangement,
    shipped: PathBuf,
    issuer: u16,
    starts: u32,
    // Holds manifest, logs and policy, and what the demo puts there for its user.
    folder: tempfile::TempDir,
}

impl SpinGate {
    /// Starts the shipped application in `shipped` with this policy. A policy that is refused is an error.
    pub(crate) fn start(
        arrangement: Arrangement,
        program: Program,
        shipped: &Path,
        port: u16,
        issuer: u16,
        policy: &Watched,
    ) -> Result<Self> {
        let mut application = Application {
            program,
            arrangement,
            shipped: shipped.to_owned(),
            issuer,
            starts: 0,
            folder: tempfile::Builder::new()
                .prefix("scopegate-demo-")
                .tempdir()
                .context("making a temporary folder")?,
        };
        let spin = application.start(port, policy.text())?;
        match application.verdict(&spin)? {
            Verdict::Accepted => Ok(Self {
                spin,
                application,
                served_before: 0,
            }),
            Verdict::Refused(why) => bail!(
                "the policy {} was refused:\n  {}",
                policy.path().display(),
                why.join("\n  ")
            ),
        }
    }
}

impl Gate for SpinGate {
    fn facts(&self) -> Vec<(&'static str, String)> {
        let application = &self.application;
        let manifest = application.shipped.join(application.arrangement.manifest());
        vec![
            ("host", application.program.to_string()),
            ("manifest", manifest.display().to_string()),
            (
                "logs",
                format!("{} (a folder for each start)", application.logs().display()),
            ),
        ]
    }

    fn address(&self) -> SocketAddr {
        self.spin.address()
    }

    fn folder(&self) -> &Path {
        self.application.folder.path()
    }

    fn served(&self) -> u64 {
        self.served_before.saturating_add(served(&self.spin))
    }

    fn check_alive(&self) -> Result<()> {
        if !self.spin.is_running() {
            bail!("{}", self.spin.explain("Spin ended by itself"));
        }
        Ok(())
    }

    fn offer(&mut self, policy: &str) -> Result<Verdict> {
        let trial = self.application.start(0, policy)?;
        let verdict = self.application.verdict(&trial)?;
        drop(trial);
        if verdict == Verdict::Accepted {
            let port = self.address().port();
            self.served_before = self.served();
            // A port is one's own only once the other has left it.
            self.spin.stop();
            self.spin = self.application.start(port, policy)?;
        }
        Ok(verdict)
    }
}

impl Application {
    fn start(&mut self, port: u16, policy: &str) -> Result<Spin> {
        self.starts = self.starts.saturating_add(1);
        let folder = self.folder.path();
        let write = |name: &str, text: &str| {
            let path = folder.join(name);
            std::fs::write(&path, text).with_context(|| format!("writing {}", path.display()))?;
            anyhow::Ok(path)
        };
        write(manifest::POLICY, policy)?;
        let shipped = self.shipped.join(self.arrangement.manifest());
        let text = std::fs::read_to_string(&shipped)
            .with_context(|| format!("reading {}", shipped.display()))?;
        let text = manifest::for_this_run(&text, &self.shipped)
            .with_context(|| format!("in {}", shipped.display()))?;

        let mut launch = Launch::new(&self.program, &write("spin.toml", &text)?);
        launch.listen = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        launch.variables = vec![(
            "issuer".to_owned(),
            format!("http://127.0.0.1:{}", self.issuer),
        )];
        launch.stores = vec!["entries".to_owned()];
        launch.logs = Some(self.logs().join(self.starts.to_string()));
        launch.start()
    }

    fn logs(&self) -> PathBuf {
        self.folder.path().join("logs")
    }

    /// A gate without a policy says 503 to everything, and why in its log.
    fn verdict(&self, spin: &Spin) -> Result<Verdict> {
        let answer = http1::fetch(spin.address(), "/")?;
        if answer.status != 503 {
            return Ok(Verdict::Accepted);
        }
        // The host may write the log a moment after the answer.
        let deadline = Instant::now() + WORDS_WITHIN;
        loop {
            let words = spin.errors_of(self.arrangement.gate());
            if !words.is_empty() || Instant::now() > deadline {
                return Ok(Verdict::Refused(words.lines().map(str::to_owned).collect()));
            }
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

/// The API says a line on its standard output for each request.
fn served(spin: &Spin) -> u64 {
    let lines = spin.output_of(API);
    let count = lines
        .lines()
        .filter(|line| line.starts_with("timesheets: "))
        .count();
    u64::try_from(count).unwrap_or(u64::MAX)
}
